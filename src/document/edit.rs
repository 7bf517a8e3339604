//! Filling and changing a document: what readers, tolerances and read-time overlays use.

use super::value::{Span, Value};
use super::{Document, NONE, Name, NameFinder, NodeId, Raw};
use std::ops::Range;
use std::sync::OnceLock;

/// The offset of a node that no text has.
const NOWHERE: u32 = u32::MAX;

impl Document {
    // ---- readers

    /// Adds a child whose name stands at `name` in the text, as the last of its parent. `at` is the byte offset that
    /// a place should point at; `position` is its index when it stands in an array. The reader sees to it that
    /// repeats come one after the other and that a name comes once: looking for them here would cost a walk each.
    pub fn add(
        &mut self,
        finder: &NameFinder,
        parent: NodeId,
        name: Range<usize>,
        at: usize,
        position: Option<u32>,
    ) -> NodeId {
        let spelled = Span { start: name.start as u32, end: name.end as u32, side: false };
        let name = finder.find(self.str(spelled));
        let number = self.push(name, spelled, at as u32, position.is_some());
        let last = self.nodes[parent.0 as usize].last;
        self.link_after(parent, number, last, position.unwrap_or(0));
        NodeId(number)
    }

    /// Adds a child whose name does not stand in the text as it is (a JSON name with escapes); otherwise like
    /// [`Document::add`].
    pub fn add_spelled(
        &mut self,
        finder: &NameFinder,
        parent: NodeId,
        name: &str,
        at: usize,
        position: Option<u32>,
    ) -> NodeId {
        let spelled = self.keep(name);
        let number = self.push(finder.find(name), spelled, at as u32, position.is_some());
        let last = self.nodes[parent.0 as usize].last;
        self.link_after(parent, number, last, position.unwrap_or(0));
        NodeId(number)
    }

    /// Adds a further repeat right after `previous`, the last repeat of its name so far. For readers that meet the
    /// repeats of a name apart from each other: a JSON `_name` twin longer than its array, interleaved XML elements.
    pub fn add_beside(&mut self, previous: NodeId, at: usize, position: u32) -> NodeId {
        let Raw { name, spelled, parent, .. } = self.nodes[previous.0 as usize];
        let number = self.push(name, spelled, at as u32, true);
        if parent != NONE {
            self.link_after(NodeId(parent), number, previous.0, position);
        }
        NodeId(number)
    }

    /// Says that the JSON form has a `_name` member for this element: it is a primitive, and its children stand there.
    pub fn set_twin(&mut self, id: NodeId) {
        self.nodes[id.0 as usize].twin = true;
    }

    /// Sets a string value that stands in the text as it is.
    pub fn set_text_string(&mut self, id: NodeId, text: Range<usize>) {
        self.nodes[id.0 as usize].value =
            Value::String(Span { start: text.start as u32, end: text.end as u32, side: false });
    }

    /// Sets a number as it is spelled in the text.
    pub fn set_text_number(&mut self, id: NodeId, text: Range<usize>) {
        self.nodes[id.0 as usize].value =
            Value::Number(Span { start: text.start as u32, end: text.end as u32, side: false });
    }

    /// Makes `text` the text as it was sent, with `at` the offset of each node in it. For readers that convert first.
    pub fn set_origin(&mut self, text: String, mut at: impl FnMut(&Document, NodeId) -> Option<usize>) {
        for number in 0..self.nodes.len() as u32 {
            let offset = at(self, NodeId(number)).map_or(NOWHERE, |offset| offset as u32);
            self.nodes[number as usize].at = offset;
        }
        self.origin = Some(text);
        self.lines = OnceLock::new();
    }

    // ---- edits

    /// Adds a child beside the repeats of its name, or as the last.
    pub fn append(&mut self, parent: NodeId, name: &str, in_array: bool) -> NodeId {
        let spelled = self.keep(name);
        let name = Name::find(name).unwrap_or(Name::STRANGE);
        let number = self.push(name, spelled, NOWHERE, in_array);
        self.link(parent, number);
        NodeId(number)
    }

    /// Sets a string value.
    pub fn set_string(&mut self, id: NodeId, value: &str) {
        self.nodes[id.0 as usize].value = Value::String(self.keep(value));
    }

    /// Sets a number, spelled as JSON spells it.
    pub fn set_number(&mut self, id: NodeId, value: &str) {
        self.nodes[id.0 as usize].value = Value::Number(self.keep(value));
    }

    /// Sets a boolean.
    pub fn set_boolean(&mut self, id: NodeId, value: bool) {
        self.nodes[id.0 as usize].value = Value::Boolean(value);
    }

    /// Says which resource type a node has, where the type stands in the text at `text`.
    pub fn set_text_resource_type(&mut self, id: NodeId, text: Range<usize>) {
        self.put_type(id, Span { start: text.start as u32, end: text.end as u32, side: false });
    }

    /// Says which resource type a node has.
    pub fn set_resource_type(&mut self, id: NodeId, name: &str) {
        let span = self.keep(name);
        self.put_type(id, span);
    }

    /// Says whether the JSON form has the element in an array.
    pub fn set_in_array(&mut self, id: NodeId, in_array: bool) {
        self.nodes[id.0 as usize].in_array = in_array;
    }

    /// The child of this name, made when there is none; for elements that do not repeat.
    pub fn child_or_new(&mut self, parent: NodeId, name: &str) -> NodeId {
        match self.node(parent).child_named(name) {
            Some(child) => child.id(),
            None => self.append(parent, name, false),
        }
    }

    /// Gives a node another name; it then stands beside the repeats of that name, or last.
    pub fn rename(&mut self, id: NodeId, name: &str) {
        let parent = self.nodes[id.0 as usize].parent;
        if parent == NONE {
            return;
        }
        self.remove(id);
        let spelled = self.keep(name);
        let node = &mut self.nodes[id.0 as usize];
        node.spelled = spelled;
        node.name = Name::find(name).unwrap_or(Name::STRANGE);
        self.link(NodeId(parent), id.0);
    }

    /// Takes a node, and all under it, out of the tree.
    pub fn remove(&mut self, id: NodeId) {
        let parent = self.nodes[id.0 as usize].parent;
        if parent == NONE {
            return;
        }
        let next = self.nodes[id.0 as usize].next;
        let mut previous = NONE;
        let mut sibling = self.nodes[parent as usize].first;
        while sibling != NONE && sibling != id.0 {
            previous = sibling;
            sibling = self.nodes[sibling as usize].next;
        }
        match previous {
            NONE => self.nodes[parent as usize].first = next,
            _ => self.nodes[previous as usize].next = next,
        }
        if self.nodes[parent as usize].last == id.0 {
            self.nodes[parent as usize].last = previous;
        }
        self.nodes[id.0 as usize].next = NONE;
        self.nodes[id.0 as usize].parent = NONE;
        let name = self.str(self.nodes[id.0 as usize].spelled).to_owned();
        self.renumber(NodeId(parent), &name);
    }

    /// Moves a node, and all under it, below another parent.
    pub fn adopt(&mut self, parent: NodeId, child: NodeId, in_array: bool) {
        self.remove(child);
        self.nodes[child.0 as usize].in_array = in_array;
        self.link(parent, child.0);
    }

    // ---- inside

    pub(super) fn fill(&mut self, id: NodeId, value: &serde_json::Value) {
        use serde_json::Value as Json;
        match value {
            Json::Null => {}
            Json::Bool(value) => self.set_boolean(id, *value),
            Json::Number(number) => self.set_number(id, &number.to_string()),
            Json::String(text) => self.set_string(id, text),
            Json::Array(_) => {}
            Json::Object(members) => {
                for (name, member) in members {
                    match (name.as_str(), member) {
                        ("resourceType", Json::String(kind)) => self.set_resource_type(id, kind),
                        (_, Json::Array(items)) => {
                            for item in items {
                                let child = self.append(id, name, true);
                                self.fill(child, item);
                            }
                        }
                        _ => {
                            let child = self.append(id, name, false);
                            self.fill(child, member);
                        }
                    }
                }
            }
        }
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = self.side.len() as u32;
        self.side.push_str(text);
        Span { start, end: self.side.len() as u32, side: true }
    }

    fn put_type(&mut self, id: NodeId, span: Span) {
        match self.types.binary_search_by_key(&id.0, |(node, _)| *node) {
            Ok(known) => self.types[known].1 = span,
            Err(place) => self.types.insert(place, (id.0, span)),
        }
    }

    fn push(&mut self, name: Name, spelled: Span, at: u32, in_array: bool) -> u32 {
        let number = self.nodes.len() as u32;
        self.nodes.push(Raw {
            name,
            spelled,
            parent: NONE,
            first: NONE,
            last: NONE,
            next: NONE,
            index: 0,
            at,
            in_array,
            twin: false,
            value: Value::None,
        });
        number
    }

    /// Links a node below a parent: beside the last repeat of its name, or as the last child.
    fn link(&mut self, parent: NodeId, number: u32) {
        let same = self.last_repeat(parent, number);
        let (previous, index) = match same {
            Some(repeat) => (repeat, self.nodes[repeat as usize].index + 1),
            None => (self.nodes[parent.0 as usize].last, 0),
        };
        self.link_after(parent, number, previous, index);
    }

    fn link_after(&mut self, parent: NodeId, number: u32, previous: u32, index: u32) {
        let next = match previous {
            NONE => std::mem::replace(&mut self.nodes[parent.0 as usize].first, number),
            _ => std::mem::replace(&mut self.nodes[previous as usize].next, number),
        };
        if next == NONE {
            self.nodes[parent.0 as usize].last = number;
        }
        let node = &mut self.nodes[number as usize];
        node.parent = parent.0;
        node.next = next;
        node.index = index;
    }

    /// The last sibling of the same name: nearly always the last child, so that reading a long array stays linear.
    fn last_repeat(&self, parent: NodeId, number: u32) -> Option<u32> {
        let last = self.nodes[parent.0 as usize].last;
        let spelled = self.str(self.nodes[number as usize].spelled);
        let is_same = |candidate: u32| self.str(self.nodes[candidate as usize].spelled) == spelled;
        if last == NONE {
            return None;
        }
        if is_same(last) {
            return Some(last);
        }
        let mut found = None;
        let mut sibling = self.nodes[parent.0 as usize].first;
        while sibling != NONE {
            if is_same(sibling) {
                found = Some(sibling);
            }
            sibling = self.nodes[sibling as usize].next;
        }
        found
    }

    fn renumber(&mut self, parent: NodeId, name: &str) {
        let mut index = 0;
        let mut sibling = self.nodes[parent.0 as usize].first;
        while sibling != NONE {
            if self.str(self.nodes[sibling as usize].spelled) == name {
                self.nodes[sibling as usize].index = index;
                index += 1;
            }
            sibling = self.nodes[sibling as usize].next;
        }
    }
}
