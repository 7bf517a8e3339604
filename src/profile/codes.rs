//! Codes against the value sets that elements are bound to.

use super::check::Walk;
use super::plan::{Binding, Bound, Element, Form, Kind};
use super::spelling::{Near, listed_hint};
use crate::document::Node;
use crate::issue::{Issue, Operation, Rule, Severity};
use crate::terminology::forms;
use crate::terminology::values::{Membership, ValueSet};

/// What a walk has noted of codes, so that each thing that cannot be decided is told once.
#[derive(Debug, Default)]
pub(super) struct Codes {
    /// Bindings, by number.
    left_bindings: Vec<u32>,
    /// Code systems, by number.
    pub(super) left_systems: Vec<u32>,
    pub(super) has_left_unknown: bool,
}

/// What an element says against a value set.
struct Finding<'d> {
    membership: Membership,
    /// The node that is wrong, and its code where it has one.
    at: Node<'d>,
    sent: Option<&'d str>,
    system: Option<&'d str>,
}

/// How far a value set binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strength {
    Required,
    Extensible,
    Widest,
}

impl Strength {
    fn as_str(self) -> &'static str {
        match self {
            Strength::Required => "required",
            Strength::Extensible => "extensible",
            Strength::Widest => "widest",
        }
    }
}

impl<'p, 'd> Walk<'p, 'd> {
    /// The element's binding.
    pub(super) fn bound(&mut self, node: Node<'d>, parent: &Kind, element: &Element, form: Form) {
        let Some(number) = element.binding else { return };
        // What type a reference names is told where references are.
        if parent.form == Form::Reference && element.name == self.names.type_ {
            return;
        }
        let plan = self.plan;
        let Some(binding) = plan.bindings.get(number as usize) else { return };
        let strength = if binding.is_required { Strength::Required } else { Strength::Extensible };
        let Some(finding) = self.held_against(node, form, binding, binding.bound.as_ref()) else {
            // An extension in the place of a code that must be there is no code of the set.
            if matches!(form, Form::Primitive(_)) && binding.is_required && element.min > 0 && node.value().is_none() {
                let none = Finding { membership: Membership::Out, at: node, sent: None, system: None };
                self.judge(&none, binding.bound.as_ref(), Strength::Required, (parent, element, number));
            }
            return;
        };
        let place = (parent, element, number);
        match (&binding.widest, finding.membership) {
            (Some(widest), Membership::Out | Membership::Undecided) => {
                let wider = self.held_against(node, form, binding, Some(widest));
                match wider.filter(|wider| wider.membership == Membership::Out) {
                    Some(wider) => self.judge(&wider, Some(widest), Strength::Widest, place),
                    None => self.judge(&finding, binding.bound.as_ref(), strength, place),
                }
            }
            (_, _) => self.judge(&finding, binding.bound.as_ref(), strength, place),
        }
    }

    fn judge(
        &mut self,
        finding: &Finding<'d>,
        bound: Option<&'p Bound>,
        strength: Strength,
        (parent, element, number): (&Kind, &Element, u32),
    ) {
        // Where only the widest set is checked, there is nothing more to say.
        let Some(bound) = bound else { return };
        let set = bound.value_set.and_then(|number| self.values.get(number));
        match finding.membership {
            Membership::In => {}
            Membership::Undecided if !self.fitting.is_trial() && self.codes.left_bindings.contains(&number) => {}
            Membership::Undecided => {
                // What a trial leaves counts only when it fits.
                if !self.fitting.is_trial() {
                    self.codes.left_bindings.push(number);
                }
                let asker = self.asker(parent, element);
                let why = match set {
                    Some(set) => set.undecided().join("; "),
                    None => "the value set is not loaded".to_owned(),
                };
                self.leave(&format!("the {} binding of {asker} to {}", strength.as_str(), bound.url), &why);
            }
            Membership::Out => {
                let name = element.name.as_str();
                let (rule, message) = match strength {
                    Strength::Required | Strength::Widest => {
                        (Rule::CodeRequired, format!("`{name}` needs a code of the value set {}", bound.url))
                    }
                    Strength::Extensible => (
                        Rule::CodeExtensible,
                        format!("`{name}` should have a code of the value set {}, if one fits", bound.url),
                    ),
                };
                // UK Core's languages have a code system of their own, and its profile asks for BCP 47 all the same: what a
                // national guide publishes cannot be refused. A wrong code of BCP 47 itself is.
                let is_foreign = strength != Strength::Extensible
                    && finding.system.is_some()
                    && set.is_some_and(|set| {
                        set.forms().any(|form| form == forms::Form::Language) && set.only_system() != finding.system
                    });
                let is_mild = strength == Strength::Extensible || is_foreign;
                if !self.has_room(is_mild) {
                    return;
                }
                let mut issue = Issue::new(rule, message).asked_by(self.asker(parent, element));
                if is_foreign {
                    issue = issue.severity(Severity::Information);
                }
                if let Some(set) = set {
                    issue = told(issue, finding, &set);
                }
                self.tell(finding.at, issue);
            }
        }
    }

    /// Whether a code, a coding or one of the codings of a concept is of the set.
    pub(super) fn is_bound(&self, node: Node<'d>, binding: &Binding) -> Membership {
        let number = binding.bound.as_ref().and_then(|bound| bound.value_set);
        let set = number.and_then(|number| self.values.get(number));
        let names = self.names;
        let of_coding = |coding: Node<'d>| self.coding_against(coding, set, true).membership;
        match node.string() {
            Some(code) => set.map_or(Membership::Undecided, |set| set.holds(None, code)),
            None => {
                let codings = node.children().filter(|child| child.is(names.coding));
                codings.map(of_coding).fold(of_coding(node), Membership::or)
            }
        }
    }

    /// What stands at `node` against one value set; none when there is nothing to hold against it.
    fn held_against(
        &self,
        node: Node<'d>,
        form: Form,
        binding: &Binding,
        bound: Option<&Bound>,
    ) -> Option<Finding<'d>> {
        let set = bound.and_then(|bound| bound.value_set).and_then(|number| self.values.get(number));
        match form {
            Form::Primitive(_) => {
                let sent = node.string()?;
                let membership = set.map_or(Membership::Undecided, |set| set.holds(None, sent));
                Some(Finding { membership, at: node, sent: Some(sent), system: None })
            }
            Form::Coding => Some(self.coding_against(node, set, binding.is_required)),
            Form::CodeableConcept => self.concept_against(node, set, binding.is_required),
            Form::Resource | Form::AnyResource | Form::Complex | Form::Reference | Form::Extension => None,
        }
    }

    /// One of its codings is enough. A required binding asks for one; another takes a text instead (R4 terminologies,
    /// 4.1.3.2).
    fn concept_against(&self, node: Node<'d>, set: Option<ValueSet<'_>>, is_required: bool) -> Option<Finding<'d>> {
        let names = self.names;
        let mut first: Option<Finding<'d>> = None;
        let mut membership = Membership::Out;
        for coding in node.children().filter(|child| child.is(names.coding)) {
            let finding = self.coding_against(coding, set, is_required);
            match finding.membership {
                Membership::In => return Some(finding),
                Membership::Undecided => membership = Membership::Undecided,
                Membership::Out => {}
            }
            first = Some(match first {
                // With several, none of them is the one that is wrong.
                Some(_) => Finding { membership, at: node, sent: None, system: None },
                None => finding,
            });
        }
        match first {
            Some(finding) => Some(Finding { membership, ..finding }),
            None if is_required => Some(Finding { membership, at: node, sent: None, system: None }),
            None => None,
        }
    }

    fn coding_against(&self, coding: Node<'d>, set: Option<ValueSet<'_>>, is_required: bool) -> Finding<'d> {
        let system = coding.child(self.names.system).and_then(|system| system.string());
        let code = coding.child(self.names.code);
        let (at, sent) = (code.unwrap_or(coding), code.and_then(|code| code.string()));
        let membership = match sent {
            // Without its system a code could be any; it is held against the whole set.
            Some(sent) => set.map_or(Membership::Undecided, |set| set.holds(system, sent)),
            None if is_required => Membership::Out,
            None => Membership::In,
        };
        Finding { membership, at, sent, system }
    }
}

/// The issue with what is known of the set: its codes, the nearest, and a change where that is plain.
fn told(issue: Issue, finding: &Finding<'_>, set: &ValueSet<'_>) -> Issue {
    let Some(sent) = finding.sent else { return issue.hint(codes_hint(set, None)) };
    // The code itself may be right and its system wrong.
    if finding.system.is_some() && set.holds(None, sent) == Membership::In {
        let mut systems = set.codes().filter(|(_, code)| *code == sent).map(|(system, _)| system);
        if let (Some(system), None) = (systems.next(), systems.next()) {
            return issue.hint(format!("the set has this code of the system {system}"));
        }
    }
    let near = Near::of(sent, set.codes().map(|(_, code)| code));
    let issue = issue.hint(codes_hint(set, near.best));
    match near.plain {
        Some(code) => {
            let path = finding.at.pointer();
            issue.mend(vec![Operation::Replace { path, value: code.into() }])
        }
        None => issue,
    }
}

/// Which codes there are: all of a short list, else the nearest.
fn codes_hint(set: &ValueSet<'_>, near: Option<&str>) -> String {
    let mut forms = set.forms();
    if let Some(form) = forms.next().filter(|_| set.codes().len() == 0) {
        return format!("write {}", form.about());
    }
    listed_hint(near, set.codes().map(|(_, code)| code), || format!("codes of {}", set.url()))
}
