//! Telling where a node stood.

use super::{Document, Lines, Node};
use crate::issue::Place;
use std::fmt::Write;

impl<'d> Node<'d> {
    /// The place of this node, for an issue.
    pub fn place(&self) -> Place {
        let (line, column) = self.document.line_and_column(self.raw().at as usize);
        Place { expression: self.expression(), pointer: self.pointer(), line, column }
    }

    /// The place of an element that is missing under this node.
    pub fn place_of_missing(&self, name: &str) -> Place {
        let mut place = self.place();
        place.expression.push('.');
        place.expression.push_str(name);
        place
    }

    /// FHIRPath with indices, from the root resource.
    ///
    /// A member whose name is not a name but a value put into the wrong half of the pair is not told: the place is
    /// then that of the element around it. Line and column still lead to it.
    pub fn expression(&self) -> String {
        self.nearest_named().path()
    }

    fn path(&self) -> String {
        let mut path = match self.parent() {
            None => return self.resource_type().unwrap_or_default().to_owned(),
            Some(parent) => parent.path(),
        };
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(self.name());
        if self.in_array() {
            let _ = write!(path, "[{}]", self.index());
        }
        path
    }

    /// The place of a member or item under this node that is no node itself, for example a `null`. Without line
    /// and column.
    pub fn place_below(&self, name: &str, index: Option<u32>) -> Place {
        let mut place = Place { expression: self.expression(), pointer: String::new(), line: 0, column: 0 };
        if !is_plain_name(name) || self.nearest_named() != *self {
            place.pointer = self.pointer();
            return place;
        }
        self.write_pointer(&mut place.pointer, self.children_stand_in_twin());
        let _ = write!(place.expression, "{}{name}", if place.expression.is_empty() { "" } else { "." });
        write_step(&mut place.pointer, name, false);
        if let Some(index) = index {
            let _ = write!(place.expression, "[{index}]");
            let _ = write!(place.pointer, "/{index}");
        }
        place
    }

    /// JSON Pointer into the JSON form of this document.
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        let node = self.nearest_named();
        // A primitive without a value exists in its `_name` twin only.
        node.write_pointer(&mut pointer, node.is_twin() && node.value().is_none());
        pointer
    }

    /// This node, or the nearest around it to which names lead that may be told.
    fn nearest_named(&self) -> Node<'d> {
        let (mut named, mut node) = (*self, *self);
        while let Some(parent) = node.parent() {
            if !is_plain_name(node.name()) {
                named = parent;
            }
            node = parent;
        }
        named
    }

    fn write_pointer(&self, pointer: &mut String, in_twin: bool) {
        let Some(parent) = self.parent() else { return };
        parent.write_pointer(pointer, parent.children_stand_in_twin());
        write_step(pointer, self.name(), in_twin);
        if self.in_array() {
            let _ = write!(pointer, "/{}", self.index());
        }
    }

    /// The children of a primitive stand in its `_name` twin.
    fn children_stand_in_twin(&self) -> bool {
        self.is_twin() || self.value().is_some()
    }
}

/// True for what may be told as an element's name: letters, `_`, `-` and a few digits. FHIR's names have two digits at
/// most (`valueBase64Binary`); what has more may be an NHS number, a date of birth or a postcode.
pub fn is_plain_name(name: &str) -> bool {
    const DIGITS_MAX: usize = 3;
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && name.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_MAX
}

fn write_step(pointer: &mut String, name: &str, in_twin: bool) {
    pointer.push_str(if in_twin { "/_" } else { "/" });
    for character in name.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

impl Document {
    /// Line and column (in characters), both from 1, of a byte offset in the text as it was sent; zeros when the
    /// document has no text or the node was added by an edit. The first call reads the text once; each costs a
    /// bounded number of steps from then on.
    pub fn line_and_column(&self, at: usize) -> (u32, u32) {
        let text = self.text();
        if at >= text.len() {
            return (0, 0);
        }
        self.lines.get_or_init(|| Lines::of(text)).line_and_column(text, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_in_the_place_of_a_name_is_not_told() {
        for (name, is_told) in [
            ("participant", true),
            ("valueBase64Binary", true),
            ("nhs_number", true),
            ("PID-3", true),
            ("9990000018", false),
            ("NHS9990000018", false),
            ("Ada Sample", false),
            ("1 Any Street", false),
            ("Ada/Sample", false),
            ("Zoë", false),
            ("", false),
        ] {
            assert_eq!(is_plain_name(name), is_told, "{name}");
            let document =
                Document::from_value(&json!({"resourceType": "Task", "note": [{ name: {"text": {"x": 1}} }]}));
            let odd = document.root().child_named("note").unwrap().child_named(name).unwrap();
            let inner = odd.descend(&["text", "x"]).unwrap();
            let expected =
                |rest: &str| if is_told { format!("Task.note[0].{name}{rest}") } else { "Task.note[0]".into() };
            assert_eq!(odd.expression(), expected(""));
            assert_eq!(inner.expression(), expected(".text.x"));
            assert_eq!(odd.place_below("y", None).expression, expected(".y"));
            for pointer in [odd.pointer(), inner.pointer(), inner.place_below("y", Some(1)).pointer] {
                assert_eq!(pointer.contains(name), is_told || name.is_empty(), "{pointer}");
                assert!(pointer.starts_with("/note/0"), "{pointer}");
            }
            let below = document.root().place_below(name, Some(2));
            assert_eq!(below.expression, if is_told { format!("Task.{name}[2]") } else { "Task".into() });
        }
    }
}
