//! Telling where a node stood.

use super::{Document, Node};
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
    pub fn expression(&self) -> String {
        let mut path = match self.parent() {
            None => return self.resource_type().unwrap_or_default().to_owned(),
            Some(parent) => parent.expression(),
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
        // A primitive without a value exists in its `_name` twin only.
        self.write_pointer(&mut pointer, self.is_twin() && self.value().is_none());
        pointer
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
    /// document has no text or the node was added by an edit.
    pub fn line_and_column(&self, at: usize) -> (u32, u32) {
        let text = self.text();
        if text.is_empty() || at >= text.len() {
            return (0, 0);
        }
        let before = &text.as_bytes()[..at];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let column = before[start..].iter().filter(|byte| (**byte & 0xC0) != 0x80).count() + 1;
        (line as u32, column as u32)
    }
}
