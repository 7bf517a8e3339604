//! Writing: a resource as XML, its elements in the order of R4's definitions.

#![allow(clippy::result_large_err, reason = "writing fails rarely, and an issue is what its caller needs")]

use super::typed::Typed;
use super::{FHIR, is_forbidden, narrative};
use crate::document::{Node, Scalar};
use crate::fhir::{Limits, json};
use crate::issue::{Issue, Place, Rule};
use std::fmt::Write;

/// FHIR XML of a resource in JSON.
///
/// Fails when the text is not a JSON resource, or with what XML cannot say: a name that is no XML name, a control
/// character, a narrative that is not well-formed, an id or url with extensions, a resource without a type.
pub fn xml(json: &str) -> Result<String, Issue> {
    let limits = Limits { depth_max: Limits::DEPTH_CEILING, nodes_max: usize::MAX, ..Limits::default() };
    let parsed = json::read(json, &limits);
    let Some(document) = parsed.document else {
        let first = parsed.issues.into_iter().find(Issue::refuses);
        return Err(first.unwrap_or_else(|| Issue::new(Rule::JsonSyntax, "the text is not a JSON resource")));
    };
    let mut writer = Writer { text: String::with_capacity(json.len() * 2), typed: Typed::new() };
    writer.text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    writer.resource(document.root(), true)?;
    Ok(writer.text)
}

struct Writer {
    text: String,
    typed: Typed,
}

impl Writer {
    fn resource(&mut self, node: Node<'_>, is_root: bool) -> Result<(), Issue> {
        let Some(kind) = node.resource_type() else {
            return Err(Issue::new(Rule::ResourceTypeMissing, "a resource does not say its type").at(node.place()));
        };
        let namespace = if is_root { format!(" xmlns=\"{FHIR}\"") } else { String::new() };
        let _ = write!(self.text, "<{kind}{namespace}");
        self.typed.enter(kind);
        self.content(node, kind, true)?;
        self.typed.leave();
        Ok(())
    }

    /// The rest of a start tag, the children and the end tag.
    fn content(&mut self, node: Node<'_>, name: &str, is_resource: bool) -> Result<(), Issue> {
        let is_attribute = |child: &Node<'_>, typed: &Typed| {
            !is_resource && (child.name() == "id" || (child.name() == "url" && typed.is_extension()))
        };
        let mut children: Vec<(usize, Node<'_>)> = Vec::new();
        for child in node.children() {
            if is_attribute(&child, &self.typed) {
                self.attribute(child)?;
            } else {
                children.push((self.typed.position_of(child.name()), child));
            }
        }
        if let Some(value) = node.value() {
            self.attribute_text("value", value.text(), node)?;
        }
        if children.is_empty() {
            self.text.push_str("/>");
            return Ok(());
        }
        self.text.push('>');
        // Stable, so that repeats keep their order, and what no definition knows comes last in its own.
        children.sort_by_key(|(position, _)| *position);
        for (_, child) in children {
            self.element(child)?;
        }
        let _ = write!(self.text, "</{name}>");
        Ok(())
    }

    fn element(&mut self, node: Node<'_>) -> Result<(), Issue> {
        let name = node.name();
        if !is_xml_name(name) {
            let message = "an element's name cannot be written in XML";
            return Err(Issue::new(Rule::ElementUnknown, message).at(node.place()));
        }
        if name == "div"
            && self.typed.knows(name)
            && let Some(Scalar::String(div)) = node.value()
        {
            return self.narrative(node, div);
        }
        if node.value().is_none() && !node.has_children() && node.resource_type().is_none() {
            return Ok(());
        }
        let _ = write!(self.text, "<{name}");
        self.typed.enter(name);
        if self.typed.holds_resource() {
            self.text.push('>');
            self.resource(node, false)?;
            let _ = write!(self.text, "</{name}>");
        } else {
            self.content(node, name, false)?;
        }
        self.typed.leave();
        Ok(())
    }

    fn narrative(&mut self, node: Node<'_>, div: &str) -> Result<(), Issue> {
        let div = div.trim_matches([' ', '\n', '\r', '\t']);
        if let Some(why) = narrative::fault(div) {
            return Err(Issue::new(Rule::XmlSyntax, why).at(node.place()));
        }
        self.text.push_str(div);
        Ok(())
    }

    fn attribute(&mut self, node: Node<'_>) -> Result<(), Issue> {
        if node.has_children() {
            let message = "an attribute of XML cannot have an id or extensions of its own";
            return Err(Issue::new(Rule::ElementType, message).at(node.place()));
        }
        match node.value() {
            Some(value) => self.attribute_text(node.name(), value.text(), node),
            None => Ok(()),
        }
    }

    fn attribute_text(&mut self, name: &str, value: &str, node: Node<'_>) -> Result<(), Issue> {
        let _ = write!(self.text, " {name}=\"");
        for character in value.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                // Readers turn these into spaces unless they are escaped.
                '\n' => self.text.push_str("&#10;"),
                '\r' => self.text.push_str("&#13;"),
                '\t' => self.text.push_str("&#9;"),
                forbidden if is_forbidden(forbidden) => {
                    let message = "a string has a control character that XML cannot hold";
                    let place = Place { line: 0, column: 0, ..node.place() };
                    return Err(Issue::new(Rule::PrimitiveFormat, message).at(place));
                }
                plain => self.text.push(plain),
            }
        }
        self.text.push('"');
        Ok(())
    }
}

/// FHIR's element names are letters and digits; a few more characters are harmless in XML.
fn is_xml_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
