//! The attributes of one start tag, and what can be wrong with their text.

use super::{FHIR, SCHEMA_INSTANCE, is_forbidden};
use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use quick_xml::events::attributes::{AttrError, Attribute};
use quick_xml::name::{Namespace, NamespaceResolver, ResolveResult};
use std::borrow::Cow;
use std::ops::Range;

/// FHIR's elements have three attributes at most; the rest is room for namespaces and for XHTML. It also bounds
/// quick-xml's search for names that stand twice, which compares each with all before it.
const ATTRIBUTES_MAX: usize = 32;

/// An attribute's value: a piece of the text, or a string of its own when it has escapes or line breaks.
pub(super) enum AttributeText {
    /// Where it stands in the text as it is.
    Plain(Range<usize>),
    /// What it says.
    Unescaped(String),
}

/// The attributes that FHIR gives elements, and whether others were there.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) id: Option<AttributeText>,
    pub(super) url: Option<AttributeText>,
    pub(super) value: Option<AttributeText>,
    /// An attribute that FHIR does not have.
    pub(super) has_stranger: bool,
}

/// Reads the attributes of a start tag of `text`. The error is a sentence about what is not well-formed.
pub(super) fn attributes(
    text: &str,
    tag: &BytesStart<'_>,
    resolver: &NamespaceResolver,
) -> Result<Attributes, &'static str> {
    let mut found = Attributes::default();
    for (number, attribute) in tag.attributes().enumerate() {
        if number >= ATTRIBUTES_MAX {
            return Err("an element has more attributes than any FHIR element");
        }
        let attribute = attribute.map_err(|error| fault(&error))?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (namespace, name) = resolver.resolve_attribute(attribute.key);
        let is_ours = match &namespace {
            ResolveResult::Unbound => true,
            ResolveResult::Bound(Namespace(FHIR)) => true,
            ResolveResult::Bound(Namespace(SCHEMA_INSTANCE)) => continue,
            ResolveResult::Bound(_) => false,
            ResolveResult::Unknown(_) => return Err("an attribute's prefix is not declared"),
        };
        let slot = match name.as_ref() {
            "id" if is_ours => &mut found.id,
            "url" if is_ours => &mut found.url,
            "value" if is_ours => &mut found.value,
            _ => {
                found.has_stranger = true;
                continue;
            }
        };
        // Two spellings of one name, with and without FHIR's prefix, are twice the same.
        if slot.replace(attribute_text(text, &attribute)?).is_some() {
            return Err("an attribute stands twice in one element");
        }
    }
    Ok(found)
}

/// Checks the attributes of a tag inside a narrative, where any are allowed. Tells whether one has a prefix that the
/// narrative may not be able to carry along.
pub(super) fn check_any_attributes(tag: &BytesStart<'_>) -> Result<bool, &'static str> {
    let mut has_prefix = false;
    for (number, attribute) in tag.attributes().enumerate() {
        if number >= ATTRIBUTES_MAX {
            return Err("an element has more attributes than any XHTML element");
        }
        let attribute = attribute.map_err(|error| fault(&error))?;
        let value = attribute.normalized_value(XmlVersion::Explicit1_0);
        if attribute.value.contains('<') || !value.is_ok_and(|value| !value.contains(is_forbidden)) {
            return Err("an attribute's value has an escape or a character that XML does not know");
        }
        has_prefix |= attribute.key.prefix().is_some_and(|prefix| prefix.as_ref() != "xml");
    }
    Ok(has_prefix)
}

fn fault(error: &AttrError) -> &'static str {
    match error {
        AttrError::Duplicated(_, _) => "an attribute stands twice in one element",
        AttrError::ExpectedEq(_)
        | AttrError::ExpectedValue(_)
        | AttrError::UnquotedValue(_)
        | AttrError::ExpectedQuote(_, _) => "an attribute is not of the form `name=\"value\"`",
    }
}

fn attribute_text(text: &str, attribute: &Attribute<'_>) -> Result<AttributeText, &'static str> {
    let raw = attribute.value.as_ref();
    if raw.contains('<') {
        return Err("`<` stands in an attribute's value; it must be escaped as `&lt;`");
    }
    // What has neither escapes nor white space that XML turns into spaces stands in the text as it is.
    if !raw.contains(['&', '\n', '\r', '\t'])
        && let Some(range) = range_in(text, raw)
    {
        return Ok(AttributeText::Plain(range));
    }
    match attribute.normalized_value(XmlVersion::Explicit1_0) {
        Ok(value) if !value.contains(is_forbidden) => Ok(AttributeText::Unescaped(Cow::into_owned(value))),
        Ok(_) | Err(_) => Err("an attribute's value has an escape or a character that XML does not know"),
    }
}

/// Where `piece` stands in `text`, when it is borrowed from it.
fn range_in(text: &str, piece: &str) -> Option<Range<usize>> {
    let start = (piece.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let range = start..start.checked_add(piece.len())?;
    (text.get(range.clone()) == Some(piece)).then_some(range)
}
