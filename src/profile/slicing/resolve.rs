//! Following references, for discriminators with `resolve()`.

use crate::document::Node;
use crate::profile::check::Walk;

impl<'p, 'd> Walk<'p, 'd> {
    /// What a reference points at, where it is in the document: contained, or an entry of the same Bundle.
    pub(super) fn resolved(&mut self, reference: Node<'d>) -> Option<Node<'d>> {
        let names = self.names;
        let address = reference.child(names.reference)?.string()?;
        if let Some(id) = address.strip_prefix('#') {
            let is_wanted =
                |one: &Node<'d>| one.is(names.contained) && one.child(names.id).and_then(|id| id.string()) == Some(id);
            return self.root.children().find(is_wanted);
        }
        None
    }
}
