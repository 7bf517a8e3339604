//! What can turn the meaning of a resource round: extensions that modify, and rules agreed elsewhere.
//!
//! R4 (extensibility.html, Modifier Extensions) forbids processing what carries a modifier extension that is not understood: it may say
//! "not", and a gateway that maps the rest would forward the opposite of what was meant. What a site's packages define
//! counts as understood: who loads the definition answers for it. `implicitRules` (resource.html) points at rules
//! that change how a resource is to be read; none are known here, so whatever it names is refused.

use super::check::Walk;
use crate::document::Node;
use crate::issue::{Issue, Rule};

impl<'p, 'd> Walk<'p, 'd> {
    /// Refuses `node` when it is a modifier extension that no loaded definition knows, or `implicitRules`.
    pub(super) fn modifier(&mut self, node: Node<'d>) {
        let names = self.names;
        if node.is(names.modifier_extension) {
            let url = node.child(names.url).and_then(|url| url.string());
            if !url.is_some_and(|url| self.knows_extension(url)) {
                let message = "this extension can change the meaning of what it stands in, and its `url` is not known";
                let issue = Issue::new(Rule::ExtensionModifierUnknown, message)
                    .hint("leave it out and say what it says in elements of R4, or have its definition loaded here");
                self.tell(node, issue);
            }
        } else if node.is(names.implicit_rules) {
            let issue = Issue::new(Rule::ImplicitRules, "`implicitRules` points at rules that are not known here")
                .hint("leave it out, and name the profile in `meta.profile`");
            self.tell(node, issue);
        }
    }

    /// True for an extension that a loaded definition defines.
    fn knows_extension(&self, url: &str) -> bool {
        self.plan.defined(url).is_some_and(|(_, origin)| origin.is_extension())
    }
}
