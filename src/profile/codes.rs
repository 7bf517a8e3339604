//! Codes against the value sets that elements are bound to.

use super::check::{Walk, is_short};
use super::plan::{Binding, Element, Form, Kind};
use crate::document::Node;
use crate::issue::{Issue, Rule, nearest};
use crate::terminology::values::{Membership, ValueSet};

/// The most codes that a hint lists.
const LISTED_COUNT_MAX: usize = 16;

impl<'p, 'd> Walk<'p, 'd> {
    /// The element's required binding.
    pub(super) fn bound(&mut self, node: Node<'d>, parent: &Kind, element: &Element, form: Form) {
        let Some(binding) = element.binding.and_then(|number| self.plan.bindings.get(number as usize)) else { return };
        let values = self.values;
        let Some(set) = binding.value_set.and_then(|number| values.get(number)) else { return };
        let names = self.names;
        let wrong = match form {
            Form::Primitive(_) => match node.string() {
                Some(code) if set.holds(None, code) == Membership::Out => Some((node, Some(code))),
                Some(_) | None => None,
            },
            Form::Coding => self.wrong_coding(node, &set),
            Form::CodeableConcept => {
                let mut codings = node.children().filter(|child| child.is(names.coding));
                let first = codings.next();
                match (first, codings.next()) {
                    (Some(only), None) => self.wrong_coding(only, &set),
                    _ => {
                        let is_wrong = node
                            .children()
                            .filter(|child| child.is(names.coding))
                            .all(|coding| self.wrong_coding(coding, &set).is_some());
                        is_wrong.then_some((node, None))
                    }
                }
            }
            Form::Resource | Form::AnyResource | Form::Complex | Form::Reference | Form::Extension => None,
        };
        if let Some((at, sent)) = wrong {
            let message = format!("`{}` needs a code of the value set {}", element.name.as_str(), binding.url);
            let issue = Issue::new(Rule::CodeRequired, message).hint(codes_hint(&set, sent));
            self.tell(at, issue.asked_by(self.asker(parent, element)));
        }
    }

    /// True when a code, a coding or one of the codings of a concept is of the set, as far as that is known.
    pub(super) fn is_bound(&self, node: Node<'d>, binding: &Binding) -> bool {
        let values = self.values;
        let Some(set) = binding.value_set.and_then(|number| values.get(number)) else { return false };
        let names = self.names;
        let is_in = |coding: Node<'d>| {
            let text = |name| coding.child(name).and_then(|child| child.string());
            text(names.code).is_some_and(|code| set.holds(text(names.system), code) == Membership::In)
        };
        match node.string() {
            Some(code) => set.holds(None, code) == Membership::In,
            None => is_in(node) || node.children().filter(|child| child.is(names.coding)).any(is_in),
        }
    }

    /// Where and what code a coding has that the set does not hold.
    fn wrong_coding(&self, coding: Node<'d>, set: &ValueSet) -> Option<(Node<'d>, Option<&'d str>)> {
        let system = coding.child(self.names.system).and_then(|system| system.string());
        let Some(code) = coding.child(self.names.code) else { return Some((coding, None)) };
        let Some(sent) = code.string() else { return Some((code, None)) };
        // Without its system a code could be any; it is held against the whole set, and its absence against nothing.
        (set.holds(system, sent) == Membership::Out).then_some((code, Some(sent)))
    }
}

/// Which codes there are: all of a short list, else the nearest.
fn codes_hint(set: &ValueSet, sent: Option<&str>) -> String {
    let codes = set.codes();
    let near = sent.filter(|sent| is_short(sent)).and_then(|sent| nearest(sent, set.codes().map(|(_, code)| code)));
    let asked = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    if codes.len() <= LISTED_COUNT_MAX {
        let listed: Vec<_> = codes.map(|(_, code)| code).collect();
        format!("{asked}use one of `{}`", listed.join("`, `"))
    } else {
        format!("{asked}use one of the {} codes of {}", codes.len(), set.url())
    }
}
