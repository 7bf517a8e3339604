//! Extensions: `ext-1`, and what is known of their definitions.

use super::check::Walk;
use crate::document::Node;
use crate::issue::{Issue, Rule};

impl<'p, 'd> Walk<'p, 'd> {
    /// `ext-1`: a value, or extensions, and not both.
    pub(super) fn extension(&mut self, node: Node<'d>) {
        let names = self.names;
        let mut has_value = false;
        let mut has_extensions = false;
        for child in node.children() {
            has_extensions |= child.is(names.extension);
            has_value |= !(child.is(names.extension) || child.is(names.id) || child.is(names.url));
        }
        if has_value == has_extensions && !self.is_full {
            let (message, hint) = match has_value {
                true => ("an extension has a value or extensions, not both", "keep the value or the extensions"),
                false => ("an extension has a value or extensions", "add `value[x]`, or leave the extension out"),
            };
            let issue = Issue::new(Rule::Invariant, message)
                .hint(hint)
                .asked_by("ext-1 of http://hl7.org/fhir/StructureDefinition/Extension");
            self.tell(node, issue);
        }
    }
}
