//! The parsed tree that profiles and mappings walk.
//!
//! A [`Document`] is FHIR's logical tree, not JSON's: each repeat of an element is a node of its own, and a
//! primitive's value and its `_name` sibling (id, extensions) are one node with a value and children. HL7 v2
//! messages and canonical values take the same form, so one expression language and one mapping engine serve all.
//! Each node remembers where it stood in the text as it was sent.
//!
//! Nodes lie in one arena and values are slices of the text, so reading makes a handful of allocations however
//! large the resource is. [`Node`] is a borrowed cursor and costs nothing to copy.

mod edit;
mod lines;
mod name;
mod node;
mod place;
mod value;

pub use name::{Name, NameFinder};
#[cfg(test)]
pub(crate) use node::looks;
pub use node::{Children, Node};
pub use place::is_plain_name;
pub use value::Scalar;

use lines::Lines;
use std::sync::OnceLock;
use value::{Span, Value};

/// The number of a node in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The root of every document.
    pub const ROOT: NodeId = NodeId(0);
}

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone)]
struct Raw {
    name: Name,
    spelled: Span,
    parent: u32,
    first: u32,
    last: u32,
    next: u32,
    /// Position among the siblings of the same name.
    index: u32,
    /// Byte offset in the text as it was sent.
    at: u32,
    in_array: bool,
    /// The JSON form has a `_name` member for it: a primitive with an id or extensions.
    twin: bool,
    value: Value,
}

/// A resource, a message or a canonical value as a tree.
#[derive(Clone)]
pub struct Document {
    /// The text that spans point into.
    text: String,
    /// Strings that are not in the text as they are: unescaped, or added by an edit.
    side: String,
    /// The text as it was sent, where that is another one (XML).
    origin: Option<String>,
    nodes: Vec<Raw>,
    /// `resourceType` of the nodes that are resources, sorted by the node's number.
    types: Vec<(u32, Span)>,
    /// Where the lines of the text as it was sent are, once a place has been asked for.
    lines: OnceLock<Lines>,
}

impl std::fmt::Debug for Document {
    /// Shows the type and the size and nothing that it holds: that is a patient's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({}, {} nodes)", self.resource_type().unwrap_or("no resource"), self.nodes.len())
    }
}

impl Document {
    /// An empty tree over `text`: a root without a name, value or children. Readers fill it.
    pub fn over(text: String) -> Self {
        let root = Raw {
            name: Name::STRANGE,
            spelled: Span::EMPTY,
            parent: NONE,
            first: NONE,
            last: NONE,
            next: NONE,
            index: 0,
            at: 0,
            in_array: false,
            twin: false,
            value: Value::None,
        };
        Document {
            text,
            side: String::new(),
            origin: None,
            nodes: vec![root],
            types: Vec::new(),
            lines: OnceLock::new(),
        }
    }

    /// The tree of a JSON value that did not come from outside, for example a canonical value that is to be rendered.
    pub fn from_value(value: &serde_json::Value) -> Self {
        let mut document = Document::over(String::new());
        document.fill(NodeId::ROOT, value);
        document
    }

    /// The root.
    pub fn root(&self) -> Node<'_> {
        Node { document: self, id: NodeId::ROOT }
    }

    /// The node with this number.
    pub fn node(&self, id: NodeId) -> Node<'_> {
        Node { document: self, id }
    }

    /// How many nodes the document holds, the root included.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes that are resources, in the order of their numbers: the root, contained ones, those of entries.
    pub fn resources(&self) -> impl Iterator<Item = Node<'_>> {
        self.types.iter().map(|(id, _)| Node { document: self, id: NodeId(*id) })
    }

    /// The type of the root resource, when it names one.
    pub fn resource_type(&self) -> Option<&str> {
        self.root().resource_type()
    }

    /// The text as it was sent.
    pub fn text(&self) -> &str {
        self.origin.as_deref().unwrap_or(&self.text)
    }

    fn str(&self, span: Span) -> &str {
        let source = if span.side { &self.side } else { &self.text };
        source.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sample() -> Document {
        Document::from_value(&json!({
            "resourceType": "Appointment",
            "status": "booked",
            "priority": 1,
            "participant": [
                {"status": "accepted", "actor": {"reference": "Patient/1"}},
                {"status": "needs-action"}
            ]
        }))
    }

    #[test]
    fn a_value_becomes_a_tree_of_elements() {
        let document = sample();
        assert_eq!(document.resource_type(), Some("Appointment"));
        let names: Vec<_> = document.root().children().map(|n| (n.name().to_owned(), n.index())).collect();
        assert_eq!(
            names,
            [
                ("status".to_owned(), 0),
                ("priority".to_owned(), 0),
                ("participant".to_owned(), 0),
                ("participant".to_owned(), 1)
            ]
        );
        let status = document.root().child(Name::intern("status")).unwrap();
        assert_eq!(status.value(), Some(Scalar::String("booked")));
        assert_eq!(document.root().child_named("priority").unwrap().value(), Some(Scalar::Number("1")));
    }

    #[test]
    fn names_match_whether_or_not_they_were_interned_before_the_text_was_read() {
        let document = Document::from_value(&json!({"aNameThatNobodyInternedYet": true}));
        let late = Name::intern("aNameThatNobodyInternedYet");
        assert_eq!(document.root().child(late).unwrap().value(), Some(Scalar::Boolean(true)));
    }

    #[test]
    fn places_are_told_as_expression_and_pointer() {
        let document = sample();
        let actor = document.root().children_named("participant").next().unwrap().child_named("actor").unwrap();
        let reference = actor.child_named("reference").unwrap();
        let place = reference.place();
        assert_eq!(place.expression, "Appointment.participant[0].actor.reference");
        assert_eq!(place.pointer, "/participant/0/actor/reference");
        let below = actor.place_below("identifier", Some(1));
        assert_eq!(below.expression, "Appointment.participant[0].actor.identifier[1]");
        assert_eq!(below.pointer, "/participant/0/actor/identifier/1");
    }

    #[test]
    fn what_stands_in_a_twin_is_pointed_at_in_the_twin() {
        let mut document = Document::from_value(&json!({"resourceType": "Patient", "birthDate": "1990-01-01"}));
        let with_value = document.root().child_named("birthDate").unwrap().id();
        let extension = document.append(with_value, "extension", true);
        let without = document.append(NodeId::ROOT, "given", true);
        document.set_twin(without);
        let inner = document.append(without, "extension", true);
        let check = |node: NodeId, expression: &str, pointer: &str| {
            let place = document.node(node).place();
            assert_eq!((place.expression.as_str(), place.pointer.as_str()), (expression, pointer));
        };
        check(with_value, "Patient.birthDate", "/birthDate");
        check(extension, "Patient.birthDate.extension[0]", "/_birthDate/extension/0");
        check(without, "Patient.given[0]", "/_given/0");
        check(inner, "Patient.given[0].extension[0]", "/_given/0/extension/0");
    }

    #[test]
    fn edits_keep_repeats_together_and_numbered() {
        let mut document = sample();
        let third = document.append(NodeId::ROOT, "participant", true);
        let status = document.append(third, "status", false);
        document.set_string(status, "tentative");
        document.append(NodeId::ROOT, "comment", false);
        let first = document.root().child_named("participant").unwrap().id();
        document.remove(first);
        let statuses: Vec<_> = document
            .root()
            .children_named("participant")
            .map(|n| (n.index(), n.child_named("status").unwrap().string().unwrap().to_owned()))
            .collect();
        assert_eq!(statuses, [(0, "needs-action".to_owned()), (1, "tentative".to_owned())]);
        let last = document.root().children().last().unwrap();
        assert_eq!(last.name(), "comment");
    }

    #[test]
    fn a_node_can_move_to_another_parent() {
        let mut document =
            Document::from_value(&json!({"basedOn": [{"identifier": [{"value": "1"}, {"value": "2"}]}]}));
        let based_on = document.root().child_named("basedOn").unwrap();
        let second = based_on.children_named("identifier").nth(1).unwrap().id();
        let sibling = document.append(NodeId::ROOT, "basedOn", true);
        document.adopt(sibling, second, false);
        let values: Vec<_> = document
            .root()
            .children_named("basedOn")
            .map(|b| b.child_named("identifier").unwrap().child_named("value").unwrap().string().unwrap())
            .collect();
        assert_eq!(values, ["1", "2"]);
        assert_eq!(document.node(second).place().expression, "basedOn[1].identifier");
    }

    #[test]
    fn a_renamed_node_keeps_its_value_and_stands_beside_its_repeats() {
        let mut document = Document::from_value(&json!({"old": "1", "new": ["2"], "last": "3"}));
        let old = document.root().child_named("old").unwrap().id();
        document.set_in_array(old, true);
        document.rename(old, "new");
        let names: Vec<_> = document.root().children().map(|n| (n.name(), n.index(), n.string().unwrap())).collect();
        assert_eq!(names, [("new", 0, "2"), ("new", 1, "1"), ("last", 0, "3")]);
        assert!(document.root().child_named("old").is_none());
    }
}
