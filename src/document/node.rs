//! Walking a document.

use super::{Document, NONE, Name, NodeId, Raw, Scalar, value::Value};

#[cfg(test)]
thread_local! {
    static LOOKS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How often this thread has looked at a node: what a walk costs, told without a clock.
#[cfg(test)]
pub(crate) fn looks() -> u64 {
    LOOKS.get()
}

/// A borrowed cursor on one element of a document.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    pub(super) document: &'d Document,
    pub(super) id: NodeId,
}

impl<'d> Node<'d> {
    pub(super) fn raw(&self) -> &'d Raw {
        #[cfg(test)]
        LOOKS.set(LOOKS.get() + 1);
        &self.document.nodes[self.id.0 as usize]
    }

    fn with(&self, number: u32) -> Option<Node<'d>> {
        (number != NONE).then_some(Node { document: self.document, id: NodeId(number) })
    }

    /// The document that this node belongs to.
    pub fn document(&self) -> &'d Document {
        self.document
    }

    /// The number of this node.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The element's name as it was spelled; empty for the root.
    pub fn name(&self) -> &'d str {
        self.document.str(self.raw().spelled)
    }

    /// True when the element has this name.
    pub fn is(&self, name: Name) -> bool {
        let own = self.raw().name;
        own == name || (own == Name::STRANGE && self.id != NodeId::ROOT && self.name() == name.as_str())
    }

    /// The interned name, when some definition, expression or mapping mentions it.
    pub fn interned(&self) -> Option<Name> {
        match self.raw().name {
            Name::STRANGE if self.id == NodeId::ROOT => None,
            Name::STRANGE => Name::find(self.name()),
            name => Some(name),
        }
    }

    /// The value of a primitive.
    pub fn value(&self) -> Option<Scalar<'d>> {
        match self.raw().value {
            Value::None => None,
            Value::String(span) => Some(Scalar::String(self.document.str(span))),
            Value::Number(span) => Some(Scalar::Number(self.document.str(span))),
            Value::Boolean(value) => Some(Scalar::Boolean(value)),
        }
    }

    /// The value when it is a string.
    pub fn string(&self) -> Option<&'d str> {
        match self.value() {
            Some(Scalar::String(text)) => Some(text),
            Some(Scalar::Number(_) | Scalar::Boolean(_)) | None => None,
        }
    }

    /// The `resourceType` of a node that is a resource.
    pub fn resource_type(&self) -> Option<&'d str> {
        let types = &self.document.types;
        let found = types.binary_search_by_key(&self.id.0, |(node, _)| *node).ok()?;
        Some(self.document.str(types[found].1))
    }

    /// The children in the order they were sent, repeats of a name side by side.
    pub fn children(&self) -> Children<'d> {
        Children { next: self.with(self.raw().first) }
    }

    /// True when the node has children.
    pub fn has_children(&self) -> bool {
        self.raw().first != NONE
    }

    /// The first child of this name.
    pub fn child(&self, name: Name) -> Option<Node<'d>> {
        self.children().find(|child| child.is(name))
    }

    /// The first child of this name, spelled out.
    pub fn child_named(&self, name: &str) -> Option<Node<'d>> {
        self.children().find(|child| child.name() == name)
    }

    /// The children of this name, spelled out.
    pub fn children_named<'n>(&self, name: &'n str) -> impl Iterator<Item = Node<'d>> + use<'d, 'n> {
        self.children().filter(move |child| child.name() == name)
    }

    /// The node at the end of a path of names, first repeat at each step.
    pub fn descend(&self, names: &[&str]) -> Option<Node<'d>> {
        names.iter().try_fold(*self, |node, name| node.child_named(name))
    }

    /// The parent; none for the root.
    pub fn parent(&self) -> Option<Node<'d>> {
        self.with(self.raw().parent)
    }

    /// Position among the siblings of the same name, from 0.
    pub fn index(&self) -> u32 {
        self.raw().index
    }

    /// True when the JSON form has this element in an array.
    pub fn in_array(&self) -> bool {
        self.raw().in_array
    }

    /// True when the node is a primitive with a `_name` member of its own, where its children stand.
    pub fn is_twin(&self) -> bool {
        self.raw().twin
    }

    /// The next repeat of the same name.
    pub fn next_repeat(&self) -> Option<Node<'d>> {
        self.with(self.raw().next).filter(|next| next.name() == self.name())
    }

    /// True when the node is the root.
    pub fn is_root(&self) -> bool {
        self.id == NodeId::ROOT
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && std::ptr::eq(self.document, other.document)
    }
}

impl Eq for Node<'_> {}

impl std::fmt::Debug for Node<'_> {
    /// Shows the place and never the value: a node holds a patient's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({})", self.expression())
    }
}

/// The children of a node, in order.
#[derive(Clone)]
pub struct Children<'d> {
    next: Option<Node<'d>>,
}

impl<'d> Iterator for Children<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Node<'d>> {
        let node = self.next?;
        self.next = node.with(node.raw().next);
        Some(node)
    }
}
