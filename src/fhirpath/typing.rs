//! Which type an item has.
//!
//! A [`Document`](crate::document::Document) has no types. The type of an element is taken, in this order, from
//! the [`Model`](super::Model) of the context, from `resourceType`, from the suffix of a choice element
//! (`valueQuantity`) and from the form of its JSON value. Where only the form speaks, an element *is* of every type
//! whose form it fits: a string leaf is a `string` and a `code`, and a `date` when it reads as one. That is the
//! safe side for the published invariants, which look for references among all descendants with `as(canonical)`.

use super::decimal::Decimal;
use super::model::Model;
use super::moment::{Moment, Precision};
use super::r4::{CHOICES, COMPLEX, PRIMITIVES, RESOURCES};
use super::value::{Item, Value};
use super::{Context, fixed_text};
use crate::document::{Name, Node, Scalar};
use std::collections::HashMap;
use std::sync::OnceLock;

/// A type as an expression names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeSpec {
    pub(super) name: &'static str,
    /// It may be a type of FHIRPath's own namespace.
    pub(super) system: bool,
    /// It may be a type of FHIR's.
    pub(super) fhir: bool,
}

const SYSTEM: &[&str] = &["Any", "Boolean", "Date", "DateTime", "Decimal", "Integer", "Quantity", "String", "Time"];

/// Every type name of either namespace, for hints.
pub(super) fn type_names() -> impl Iterator<Item = &'static str> {
    let fhir = PRIMITIVES.iter().chain(COMPLEX).map(|(name, _)| *name);
    fhir.chain(RESOURCES.iter().copied()).chain(SYSTEM.iter().copied())
}

impl TypeSpec {
    /// The type of this name, when either namespace has one; `own` are names that the scope adds to R4's.
    pub(super) fn find(namespace: Option<&str>, name: &str, own: &[String]) -> Option<TypeSpec> {
        let is_system = SYSTEM.contains(&name);
        let is_fhir = parent(name).is_some() || own.iter().any(|known| known == name);
        if !matches!(namespace, None | Some("FHIR" | "System")) || !(is_system || is_fhir) {
            return None;
        }
        // `System.Patient` is a name that nothing has: well formed, and never true.
        let (system, fhir) = (is_system && namespace != Some("FHIR"), is_fhir && namespace != Some("System"));
        Some(TypeSpec { name: fixed_text(name), system, fhir })
    }

    fn is_primitive(self) -> bool {
        self.fhir && PRIMITIVES.binary_search_by_key(&self.name, |(name, _)| *name).is_ok()
    }

    /// FHIRPath's `is`.
    pub(super) fn matches<'d>(self, item: &Item<'d>, context: &Context<'d>) -> bool {
        match item {
            Item::Value(value, _) => self.system && (self.name == "Any" || self.name == value.type_name()),
            Item::Node(_) if !self.fhir => false,
            Item::Node(node) => match known_type(*node, context) {
                Some(known) => is_below(known, self.name, context.model),
                None => fits(*node, self.name),
            },
        }
    }

    /// FHIRPath's `as` and `ofType`: a primitive is taken as exactly its own type, so that a `code` is no `string`.
    pub(super) fn selects<'d>(self, item: &Item<'d>, context: &Context<'d>) -> bool {
        match item {
            Item::Node(node) if self.is_primitive() => match known_type(*node, context) {
                Some(known) => known == self.name,
                None => fits(*node, self.name),
            },
            Item::Node(_) | Item::Value(..) => self.matches(item, context),
        }
    }
}

fn parent(name: &str) -> Option<&'static str> {
    if let Ok(found) = PRIMITIVES.binary_search_by_key(&name, |(name, _)| *name) {
        return PRIMITIVES.get(found).map(|(_, parent)| *parent);
    }
    if let Ok(found) = COMPLEX.binary_search_by_key(&name, |(name, _)| *name) {
        return COMPLEX.get(found).map(|(_, parent)| *parent);
    }
    RESOURCES.binary_search(&name).ok().map(|_| match name {
        "Resource" => "",
        "DomainResource" | "Bundle" | "Binary" | "Parameters" => "Resource",
        _ => "DomainResource",
    })
}

/// How many types may stand between one and what it is derived from; ends definitions that go round.
const DERIVATIONS_MAX: usize = 16;

/// True when `known` is `wanted` or derived from it: by R4's own types, beyond them by what the model says.
pub(super) fn is_below(known: &str, wanted: &str, model: Option<&dyn Model>) -> bool {
    let mut current = known;
    for _ in 0..DERIVATIONS_MAX {
        if current == wanted {
            return true;
        }
        let above = parent(current).or_else(|| model.and_then(|model| model.base_type(current)));
        match above.filter(|above| !above.is_empty()) {
            Some(above) => current = above,
            None => return false,
        }
    }
    false
}

/// The FHIR type of an element where it is known for certain.
pub(super) fn known_type<'n>(node: Node<'n>, context: &Context<'n>) -> Option<&'n str> {
    if let Some(model) = context.model
        && let Some(known) = model.type_of(node)
    {
        return Some(known);
    }
    if let Some(resource) = node.resource_type() {
        return Some(resource);
    }
    choice_type(node)
}

/// The FHIR type that is told for an element when asked for one: what is known, or what its form suggests.
pub(super) fn told_type<'n>(node: Node<'n>, context: &Context<'n>) -> Option<&'n str> {
    known_type(node, context).or_else(|| match node.value()? {
        Scalar::Boolean(_) => Some("boolean"),
        Scalar::Number(text) if text.parse::<i64>().is_ok() => Some("integer"),
        Scalar::Number(_) => Some("decimal"),
        Scalar::String(_) => Some("string"),
    })
}

/// True when the form of an element's value allows the type.
fn fits(node: Node<'_>, wanted: &str) -> bool {
    match node.value() {
        None => wanted == "Element",
        Some(Scalar::Boolean(_)) => matches!(wanted, "boolean" | "Element"),
        Some(Scalar::Number(text)) => match wanted {
            "decimal" | "Element" => true,
            "integer" => text.parse::<i32>().is_ok(),
            "unsignedInt" => text.parse::<i32>().is_ok_and(|value| value >= 0),
            "positiveInt" => text.parse::<i32>().is_ok_and(|value| value > 0),
            _ => false,
        },
        Some(Scalar::String(text)) => string_fits(text, wanted),
    }
}

fn string_fits(text: &str, wanted: &str) -> bool {
    let no_blank = || !text.contains(char::is_whitespace);
    match wanted {
        "string" | "markdown" | "Element" => true,
        "code" => !text.is_empty() && text.trim() == text,
        "uri" | "url" | "canonical" => no_blank(),
        "uuid" => text.starts_with("urn:uuid:"),
        "oid" => text.starts_with("urn:oid:"),
        "id" => {
            text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        }
        "base64Binary" => {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\n'))
        }
        "xhtml" => text.starts_with("<div"),
        "date" => Moment::parse_date(text).is_some(),
        "dateTime" => Moment::parse_date_time(text).is_some(),
        "instant" => Moment::parse_date_time(text)
            .is_some_and(|moment| moment.precision == Precision::Second && moment.offset.is_some()),
        "time" => Moment::parse_time(text).is_some_and(|moment| moment.precision == Precision::Second),
        _ => false,
    }
}

// ---- choice elements

/// The names that a choice element may be sent under, in the order of their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Choices(Box<[Name]>);

impl Choices {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, node: Node<'_>) -> bool {
        node.interned().is_some_and(|name| self.0.binary_search(&name).is_ok())
    }
}

struct ChoiceTable {
    by_base: HashMap<&'static str, Choices>,
    /// Each full name with its type, in the order of the names' numbers.
    types: Vec<(Name, &'static str)>,
}

fn choice_table() -> &'static ChoiceTable {
    static TABLE: OnceLock<ChoiceTable> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = ChoiceTable { by_base: HashMap::new(), types: Vec::new() };
        for (base, types) in CHOICES {
            let mut names = Vec::new();
            for kind in types.split(' ') {
                let name = Name::intern(&choice_name(base, kind));
                names.push(name);
                table.types.push((name, kind));
            }
            names.sort_unstable();
            table.by_base.insert(base, Choices(names.into()));
        }
        table.types.sort_unstable();
        table.types.dedup_by_key(|(name, _)| *name);
        table
    })
}

fn choice_name(base: &str, kind: &str) -> String {
    let mut name = base.to_owned();
    let mut letters = kind.chars();
    name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
    name.push_str(letters.as_str());
    name
}

/// The names that `base` may be sent under when it is a choice element somewhere in R4; none otherwise.
pub(super) fn choices_of(base: &str) -> Choices {
    choice_table().by_base.get(base).cloned().unwrap_or_default()
}

/// The choice element and the type that a full name such as `valueQuantity` is made of.
pub(super) fn split_choice(name: &str) -> Option<(&'static str, &'static str)> {
    CHOICES.iter().find_map(|(base, types)| {
        let suffix = name.strip_prefix(base).filter(|suffix| !suffix.is_empty())?;
        let kind = types.split(' ').find(|kind| choice_name("", kind) == suffix)?;
        Some((*base, kind))
    })
}

/// The type that a choice element's name ends in.
fn choice_type(node: Node<'_>) -> Option<&'static str> {
    let types = &choice_table().types;
    let found = types.binary_search_by_key(&node.interned()?, |(name, _)| *name).ok()?;
    types.get(found).map(|(_, kind)| *kind)
}

// ---- values

/// An operand as a value, and whether it is a string of which the type is not known.
pub(super) struct Operand<'d> {
    pub(super) value: Value<'d>,
    /// True for a string leaf of no known type: where a date or time is needed it may be read as one.
    pub(super) soft: bool,
}

/// The value of an item with its FHIR type respected: a `dateTime` leaf becomes a DateTime. None for elements with
/// parts.
pub(super) fn operand<'d>(item: &Item<'d>, context: &Context<'d>) -> Option<Operand<'d>> {
    let node = match item {
        Item::Value(value, _) => return Some(Operand { value: value.clone(), soft: false }),
        Item::Node(node) => *node,
    };
    let value = item.value()?;
    let Value::String(text) = &value else { return Some(Operand { value, soft: false }) };
    let known = known_type(node, context);
    let moment = match known {
        None => return Some(Operand { value, soft: true }),
        Some("date") => Moment::parse_date(text).map(Value::Date),
        Some("dateTime" | "instant") => Moment::parse_date_time(text).map(Value::DateTime),
        Some("time") => Moment::parse_time(text).map(Value::Time),
        // A number that was sent as text, or that an XML reader could not type.
        Some("decimal") => Decimal::parse(text).map(Value::Decimal),
        Some("integer" | "positiveInt" | "unsignedInt") => text.parse().ok().map(Value::Integer),
        Some(_) => None,
    };
    Some(Operand { value: moment.unwrap_or(value), soft: false })
}

/// True when a path may begin with this type's name at this element.
pub(super) fn is_of_type<'d>(node: Node<'d>, name: &str, context: &Context<'d>) -> bool {
    known_type(node, context).is_some_and(|known| is_below(known, name, context.model))
}

/// True for the names of FHIR R4's types.
pub(super) fn is_type_name(name: &str) -> bool {
    parent(name).is_some()
}
