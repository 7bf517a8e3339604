//! Documents from FHIR's JSON and XML for these tests only; the gateway reads with `fhir`, an outer layer.

use crate::document::{Document, NodeId};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value as Json;

/// Reads FHIR JSON: `_name` twins become the children of their primitive.
pub(super) fn from_json(text: &str) -> Document {
    let json: Json = serde_json::from_str(text).unwrap();
    let mut document = Document::over(String::new());
    fill(&mut document, NodeId::ROOT, &json);
    document
}

fn fill(document: &mut Document, id: NodeId, json: &Json) {
    match json {
        Json::Null | Json::Array(_) => {}
        Json::Bool(value) => document.set_boolean(id, *value),
        Json::Number(number) => document.set_number(id, &number.to_string()),
        Json::String(text) => document.set_string(id, text),
        Json::Object(members) => {
            for (name, member) in members {
                let twin = members.get(&format!("_{name}"));
                match (name.as_str(), member) {
                    ("resourceType", Json::String(kind)) => document.set_resource_type(id, kind),
                    (name, Json::Array(items)) if !name.starts_with('_') => {
                        for (place, item) in items.iter().enumerate() {
                            let child = document.append(id, name, true);
                            fill(document, child, item);
                            if let Some(twin) = twin.and_then(|twin| twin.get(place)) {
                                fill(document, child, twin);
                            }
                        }
                    }
                    (name, member) => {
                        let bare = name.strip_prefix('_').unwrap_or(name);
                        if bare != name && members.contains_key(bare) {
                            continue;
                        }
                        let child = document.append(id, bare, false);
                        fill(document, child, member);
                        if let Some(twin) = twin {
                            fill(document, child, twin);
                        }
                    }
                }
            }
        }
    }
}

/// Reads FHIR XML. Which primitives are numbers and truth values is told by their names, as far as the official
/// inputs need it.
pub(super) fn from_xml(text: &str) -> Document {
    let mut document = Document::over(String::new());
    let mut reader = Reader::from_str(text);
    // The node each open element became; none for the wrapper around a contained resource.
    let mut open: Vec<NodeId> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) if start.local_name().as_ref() == "div" => {
                let end = start.to_end().into_owned();
                let inner = reader.read_text(end.name()).unwrap().as_ref().to_owned();
                let child = document.append(*open.last().unwrap(), "div", false);
                document.set_string(child, &format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</div>"));
            }
            Event::Start(start) => {
                let node = element(&mut document, open.last().copied(), &start);
                open.push(node);
            }
            Event::Empty(start) => {
                element(&mut document, open.last().copied(), &start);
            }
            Event::End(_) => {
                open.pop();
            }
            Event::Eof => return document,
            _ => {}
        }
    }
}

fn element(document: &mut Document, parent: Option<NodeId>, start: &BytesStart<'_>) -> NodeId {
    let name = start.local_name().as_ref().to_owned();
    let is_resource = name.starts_with(|letter: char| letter.is_ascii_uppercase());
    let id = match parent {
        None => NodeId::ROOT,
        Some(wrapper) if is_resource => wrapper,
        Some(parent) => document.append(parent, &name, false),
    };
    if is_resource {
        document.set_resource_type(id, &name);
    }
    for attribute in start.attributes() {
        let attribute = attribute.unwrap();
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned();
        match attribute.key.as_ref() {
            "value" => primitive(document, id, &name, &value),
            "id" | "url" => {
                let child = document.append(id, attribute.key.as_ref(), false);
                document.set_string(child, &value);
            }
            _ => {}
        }
    }
    id
}

fn primitive(document: &mut Document, id: NodeId, name: &str, value: &str) {
    let is_boolean =
        matches!(name, "active" | "experimental" | "required" | "repeats" | "deceasedBoolean" | "abstract");
    let in_quantity = document
        .node(id)
        .parent()
        .is_some_and(|parent| parent.name().ends_with("Quantity") || parent.name().ends_with("Age"));
    let is_number =
        name.ends_with("Integer") || name.ends_with("Decimal") || (name == "value" && in_quantity) || name == "total";
    match value {
        "true" | "false" if is_boolean => document.set_boolean(id, value == "true"),
        _ if is_number => document.set_number(id, value),
        _ => document.set_string(id, value),
    }
}
