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

    /// JSON Pointer into the JSON form of this document.
    pub fn pointer(&self) -> String {
        let Some(parent) = self.parent() else { return String::new() };
        let mut pointer = parent.pointer();
        // The children of a primitive stand in its `_name` twin.
        if parent.value().is_some()
            && let Some(slash) = own_step(&pointer, parent)
        {
            pointer.insert(slash + 1, '_');
        }
        pointer.push('/');
        pointer.push_str(&self.name().replace('~', "~0").replace('/', "~1"));
        if self.in_array() {
            let _ = write!(pointer, "/{}", self.index());
        }
        pointer
    }
}

/// Where the step that names `node` begins in its own pointer.
fn own_step(pointer: &str, node: Node<'_>) -> Option<usize> {
    let end = if node.in_array() { pointer.rfind('/')? } else { pointer.len() };
    pointer[..end].rfind('/')
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
