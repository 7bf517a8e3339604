//! A [`Document`](crate::document::Document) to JSON.

use crate::document::{Node, Scalar};
use std::fmt::Write;

/// Compact FHIR JSON of a node and all under it.
///
/// A resource begins with its `resourceType`; a primitive's id and extensions stand in its `_` twin; arrays of
/// primitives are padded with `null`; numbers keep their spelling. Elements without value and children are left out,
/// as FHIR JSON cannot say them; a node with nothing at all gives `null`.
pub fn json(node: Node<'_>) -> String {
    let mut text = String::new();
    write_value(&mut text, node);
    text
}

/// The value or the object that a node is; `null` when it is neither.
fn write_value(text: &mut String, node: Node<'_>) {
    match node.value() {
        Some(value) => write_scalar(text, value),
        None if !is_empty(node) => write_object(text, node),
        None => text.push_str("null"),
    }
}

fn write_object(text: &mut String, node: Node<'_>) {
    text.push('{');
    let mut is_first = true;
    if let Some(kind) = node.resource_type() {
        write_name(text, &mut is_first, "", "resourceType");
        write_string(text, kind);
    }
    for child in node.children().filter(|child| child.index() == 0) {
        if child.in_array() || child.next_repeat().is_some() {
            write_repeats(text, &mut is_first, child);
        } else {
            write_single(text, &mut is_first, child);
        }
    }
    text.push('}');
}

fn write_single(text: &mut String, is_first: &mut bool, node: Node<'_>) {
    let is_primitive = is_primitive(node);
    if node.value().is_some() || (!is_primitive && !is_empty(node)) {
        write_name(text, is_first, "", node.name());
        write_value(text, node);
    }
    if is_primitive && node.has_children() {
        write_name(text, is_first, "_", node.name());
        write_object(text, node);
    }
}

fn write_repeats(text: &mut String, is_first: &mut bool, first: Node<'_>) {
    let repeats = || std::iter::successors(Some(first), Node::next_repeat);
    let is_primitive = repeats().any(is_primitive);
    if !is_primitive {
        if repeats().any(|repeat| !is_empty(repeat)) {
            write_name(text, is_first, "", first.name());
            write_array(text, repeats().filter(|repeat| !is_empty(*repeat)), write_value);
        }
        return;
    }
    if repeats().any(|repeat| repeat.value().is_some()) {
        write_name(text, is_first, "", first.name());
        write_array(text, repeats(), |text, repeat| match repeat.value() {
            Some(value) => write_scalar(text, value),
            None => text.push_str("null"),
        });
    }
    if repeats().any(|repeat| repeat.has_children()) {
        write_name(text, is_first, "_", first.name());
        write_array(text, repeats(), |text, repeat| match repeat.has_children() {
            true => write_object(text, repeat),
            false => text.push_str("null"),
        });
    }
}

fn write_array<'d>(
    text: &mut String,
    items: impl Iterator<Item = Node<'d>>,
    mut write: impl FnMut(&mut String, Node<'d>),
) {
    text.push('[');
    for (number, item) in items.enumerate() {
        if number > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(']');
}

fn is_primitive(node: Node<'_>) -> bool {
    node.value().is_some() || node.is_twin()
}

fn is_empty(node: Node<'_>) -> bool {
    node.value().is_none() && !node.has_children() && node.resource_type().is_none()
}

fn write_name(text: &mut String, is_first: &mut bool, prefix: &str, name: &str) {
    if !std::mem::replace(is_first, false) {
        text.push(',');
    }
    match prefix {
        "" => write_string(text, name),
        _ => write_string(text, &format!("{prefix}{name}")),
    }
    text.push(':');
}

fn write_scalar(text: &mut String, value: Scalar<'_>) {
    match value {
        Scalar::String(string) => write_string(text, string),
        Scalar::Number(_) | Scalar::Boolean(_) => text.push_str(value.text()),
    }
}

/// Writes a JSON string: what must be escaped is, nothing else (RFC 8259, section 7).
pub(super) fn write_string(text: &mut String, string: &str) {
    text.push('"');
    let mut rest = string;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)) {
        let (plain, from) = rest.split_at(at);
        text.push_str(plain);
        let mut characters = from.chars();
        match characters.next() {
            Some('"') => text.push_str("\\\""),
            Some('\\') => text.push_str("\\\\"),
            Some('\n') => text.push_str("\\n"),
            Some('\r') => text.push_str("\\r"),
            Some('\t') => text.push_str("\\t"),
            Some(control) => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            None => {}
        }
        rest = characters.as_str();
    }
    text.push_str(rest);
    text.push('"');
}
