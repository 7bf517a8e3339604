//! The walk over document and plan.

use super::NotEvaluated;
use super::ask::{Ask, Verdict};
use super::codes::Codes;
use super::invariant;
use super::local::Locals;
use super::plan::{Element, Form, Kind, KindId, Plan, Step, UNBOUNDED};
use super::resources::Resources;
use crate::document::{Document, Name, Node};
use crate::issue::{Issue, Place, Rule, Severity, nearest};
use crate::terminology::values::ValueSets;
use std::cell::OnceCell;
use std::ops::Range;

/// The most issues that one check tells.
pub(super) const ISSUE_COUNT_MAX: usize = 200;
/// The most of them that refuse nothing, so that there is always room for those that do: a walk only ends before its
/// time when what it has found refuses.
pub(super) const MILD_COUNT_MAX: usize = 100;
/// The most that one verdict lists as not evaluated.
const NOT_EVALUATED_COUNT_MAX: usize = 200;
/// The longest name of an unknown element that is repeated in a message, in bytes.
pub(super) const QUOTED_BYTES_MAX: usize = 64;

/// Checks `document`; see [`super::Profiles::check`].
pub(super) fn check(plan: &Plan, document: &Document, ask: &Ask<'_>) -> Verdict {
    let expected_type = ask.expected_type;
    let root = document.root();
    let mut walk = Walk {
        plan,
        values: &plan.values,
        names: &plan.names,
        issues: Vec::new(),
        counts: Vec::new(),
        pass: Pass::Base,
        resource: root,
        root,
        locals: Locals::default(),
        resources: OnceCell::new(),
        mild_count: 0,
        is_full: false,
        not_evaluated: Vec::new(),
        codes: Codes::default(),
    };
    let is_expected = |type_name: &str| expected_type.is_none_or(|expected| expected == type_name);
    // What is not of the type that the address asks for has that to put right first, and costs no walk.
    if let Some(kind) = walk.resource_kind(root, expected_type)
        && root.resource_type().is_some_and(is_expected)
    {
        walk.complex(root, kind);
        walk.pass = Pass::Profile;
        for profile in ask.profiles {
            walk.profile(root, kind, profile);
        }
    }
    Verdict { issues: walk.issues, not_evaluated: walk.not_evaluated }
}

/// What a walk looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// All that the base definition asks.
    Base,
    /// What a profile asks more.
    Profile,
}

/// A walk under way.
pub(super) struct Walk<'p, 'd> {
    pub(super) plan: &'p Plan,
    pub(super) values: &'p ValueSets,
    pub(super) names: &'p super::plan::Names,
    issues: Vec<Issue>,
    /// How often each element of the open kinds has been met; one stack for the whole walk.
    counts: Vec<u32>,
    pub(super) pass: Pass,
    resource: Node<'d>,
    pub(super) root: Node<'d>,
    pub(super) locals: Locals<'d>,
    pub(super) resources: OnceCell<Resources<'d>>,
    /// How many of the issues refuse nothing.
    mild_count: usize,
    /// There is no room for more issues, and what is told refuses: nothing more needs to be looked at.
    pub(super) is_full: bool,
    /// What could not be decided, each once.
    not_evaluated: Vec<NotEvaluated>,
    /// What has been noted of codes.
    pub(super) codes: Codes,
}

impl<'p, 'd> Walk<'p, 'd> {
    /// Tells an issue, unless the same is told already or there are too many.
    pub(super) fn tell(&mut self, node: Node<'d>, issue: Issue) {
        self.tell_with(issue, || node.place());
    }

    /// Tells an issue at a place that is only looked for when there is room.
    fn tell_with(&mut self, issue: Issue, place: impl FnOnce() -> Place) {
        let is_mild = !issue.refuses();
        if self.is_full || (is_mild && self.mild_count > MILD_COUNT_MAX) {
            return;
        }
        let issue = issue.at(place());
        if self.issues.iter().any(|told| is_same(told, &issue)) {
            return;
        }
        let more = |what: &str, hint: &str| Issue::new(Rule::NotEvaluated, format!("there are more {what}")).hint(hint);
        if is_mild {
            self.mild_count += 1;
            if self.mild_count > MILD_COUNT_MAX {
                let what = format!("warnings than the {MILD_COUNT_MAX} that are told");
                self.issues.push(more(&what, "what would refuse the submission is told in any case"));
                return;
            }
        }
        if self.issues.len() + 1 == ISSUE_COUNT_MAX {
            self.is_full = true;
            let what = format!("issues than the {ISSUE_COUNT_MAX} that are told");
            self.issues.push(more(&what, "put these right and send it again"));
            return;
        }
        self.issues.push(issue);
    }

    /// Notes what definitions ask of this document and could not be decided here, once. Whoever may ask often looks
    /// first whether it has asked: both texts are made for this.
    pub(super) fn leave(&mut self, what: impl Into<String>, why: impl Into<String>) {
        let left = NotEvaluated { what: what.into(), why: why.into() };
        if self.not_evaluated.len() < NOT_EVALUATED_COUNT_MAX && !self.not_evaluated.contains(&left) {
            self.not_evaluated.push(left);
        }
    }

    /// True when an issue that refuses nothing, or one that refuses, would still be told: what it says need not be
    /// worked out otherwise.
    pub(super) fn has_room(&self, is_mild: bool) -> bool {
        !self.is_full && (!is_mild || self.mild_count <= MILD_COUNT_MAX)
    }

    /// What asked for something of `element`, for `Issue::asked_by`.
    pub(super) fn asker(&self, kind: &Kind, element: &Element) -> String {
        format!("{}.{} of {}", kind.path, element.name.as_str(), self.plan.url(kind))
    }

    // ---- resources

    /// The kind of a resource; tells what is wrong with its type.
    fn resource_kind(&mut self, node: Node<'d>, expected: Option<&str>) -> Option<KindId> {
        let Some(type_name) = node.resource_type() else {
            let issue = Issue::new(Rule::ResourceTypeMissing, "a resource names its type in `resourceType`");
            let hint = expected.map_or_else(
                || "add `resourceType` with the name of the resource's type".to_owned(),
                |expected| format!("add `\"resourceType\": \"{expected}\"`"),
            );
            self.tell(node, issue.hint(hint));
            return None;
        };
        let Some(kind) = self.plan.resource(type_name) else {
            let issue = Issue::new(Rule::ResourceTypeUnknown, "FHIR R4 has no resource of the type that is named here");
            let known = self.plan.resources.iter().map(|(name, _)| &**name);
            let hint = match is_short(type_name).then(|| nearest(type_name, known)).flatten() {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name one of the resource types of FHIR R4, spelled as there".into(),
            };
            // The name is the sender's own word and not FHIR's, so the place does not begin with it.
            let mut place = node.place();
            if node.is_root() {
                place.expression = "Resource".into();
            }
            self.tell_with(issue.hint(hint), || place);
            return None;
        };
        if let Some(expected) = expected.filter(|expected| *expected != type_name) {
            // The type is one that FHIR defines, so it may be named.
            let message = format!("this is a {type_name} where a {expected} is expected");
            let issue = Issue::new(Rule::ResourceTypeMismatch, message);
            self.tell(node, issue.hint(format!("send a {expected}, or send this to the address for {type_name}")));
        }
        Some(kind)
    }

    /// A resource inside another: contained, or in an entry of a Bundle.
    fn inner_resource(&mut self, node: Node<'d>) {
        let Some(kind) = self.resource_kind(node, None) else { return };
        let outer = (self.resource, self.root);
        let is_contained = node.is(self.names.contained);
        let mark = self.locals.mark();
        self.resource = node;
        if !is_contained {
            self.root = node;
        }
        self.complex(node, kind);
        if is_contained {
            self.end_contained(node, mark);
        }
        (self.resource, self.root) = outer;
    }

    fn profile(&mut self, root: Node<'d>, base: KindId, url: &str) {
        let wanted = url.split('|').next().unwrap_or(url);
        let Some(origin) = self.plan.origins.iter().find(|origin| *origin.url == *wanted) else {
            let message = format!("the profile {url} is not loaded, so this was not checked against it");
            return self.tell(root, Issue::new(Rule::NotEvaluated, message));
        };
        if self.plan.resource(&origin.type_name) == Some(base) && origin.is_profile {
            self.complex(root, origin.root);
        }
    }

    // ---- elements

    /// A node with elements of its own, against the kind that lists them.
    fn complex(&mut self, node: Node<'d>, kind_id: KindId) {
        let plan = self.plan;
        let kind = plan.kind(kind_id);
        let mark = self.locals.mark();
        let start = self.counts.len();
        self.counts.resize(start + kind.elements.len(), 0);
        let mut previous: Option<(Name, &'p Step)> = None;
        for child in node.children() {
            if self.is_full {
                break;
            }
            let name = child.interned();
            let step = match (previous, name) {
                (Some((known, step)), Some(name)) if known == name => Some(step),
                (_, Some(name)) => plan.step_named(kind, name),
                (_, None) => None,
            };
            match (step, name) {
                (Some(step), Some(name)) => {
                    previous = Some((name, step));
                    self.child(child, kind, step, start);
                }
                (_, _) => self.unknown(child, kind),
            }
        }
        for number in plan.required(kind) {
            if self.is_full {
                break;
            }
            self.require(node, kind, *number, start);
        }
        self.counts.truncate(start);
        if self.pass == Pass::Base && !self.is_full {
            match kind.form {
                Form::Extension => self.extension(node),
                Form::Resource | Form::AnyResource if &*kind.path == "Bundle" => self.entries(node),
                Form::Resource | Form::AnyResource => self.contained_are_used(node, kind, mark),
                Form::Complex | Form::Reference | Form::CodeableConcept | Form::Coding | Form::Primitive(_) => {}
            }
        }
        self.invariants(node, &kind.constraints, kind);
    }

    /// A child that its parent's kind knows.
    fn child(&mut self, child: Node<'d>, parent: &'p Kind, step: &'p Step, start: usize) {
        let Some(element) = self.plan.elements.get(step.element as usize) else { return };
        let place = start + (step.element - parent.elements.start) as usize;
        let count = match self.counts.get_mut(place) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => return,
        };
        if self.pass == Pass::Base {
            self.modifier(child);
            if element.is_choice && count > 1 {
                self.second_choice(child, parent, element);
            } else if child.index() == 0 && child.in_array() != element.is_array {
                self.array(child, parent, element);
            }
        }
        // What came as an array by mistake is told as that, and not as too many besides.
        let is_over = element.max != UNBOUNDED && count == element.max.saturating_add(1);
        let is_told_otherwise = element.max > 0 && (element.is_choice || (child.in_array() && !element.is_array));
        if is_over && !is_told_otherwise {
            self.too_many(child, parent, element);
        }
        self.value(child, parent, element, step);
        self.invariants(child, &element.constraints, parent);
    }

    /// What stands at an element, against the element and its type.
    fn value(&mut self, node: Node<'d>, parent: &'p Kind, element: &'p Element, step: &'p Step) {
        let kind = self.plan.kind(step.kind);
        let is_sound = match self.pass {
            Pass::Base => self.json_form(node, kind),
            Pass::Profile => true,
        };
        if is_sound {
            self.bound(node, parent, element, kind.form);
            if kind.form == Form::Coding && self.pass == Pass::Base {
                self.coded(node, kind);
            }
            self.given(node, parent, element);
            self.length(node, parent, element);
        }
        match (kind.form, self.pass) {
            (Form::AnyResource | Form::Resource, Pass::Base) => self.inner_resource(node),
            (Form::AnyResource | Form::Resource, Pass::Profile) => {}
            (Form::Primitive(_), _) if !node.has_children() || !is_sound => {}
            (_, Pass::Base) => self.complex(node, step.kind),
            (_, Pass::Profile) if self.is_of_profile(kind) => self.complex(node, step.kind),
            (_, Pass::Profile) => {}
        }
        if kind.form == Form::Reference {
            self.reference(node, parent, element, step);
        }
    }

    /// True for elements that a profile lists itself; the others are the base definition's, which has been walked.
    fn is_of_profile(&self, kind: &Kind) -> bool {
        self.plan.origins.get(kind.origin as usize).is_some_and(|origin| origin.is_profile)
    }

    fn require(&mut self, node: Node<'d>, kind: &Kind, number: u32, start: usize) {
        let Some(element) = self.plan.elements.get(number as usize) else { return };
        let count = self.counts.get(start + (number - kind.elements.start) as usize).copied().unwrap_or(0);
        if count >= element.min {
            return;
        }
        let name = element.name.as_str();
        let shown = if element.is_choice { format!("{name}[x]") } else { name.to_owned() };
        let message = match element.min {
            1 => format!("{} needs `{shown}`", kind.path),
            min => format!("{} needs `{shown}` at least {min} times", kind.path),
        };
        let hint = match kind.form {
            Form::Resource | Form::AnyResource => {
                format!("add `{shown}`; send the whole resource: a body with only some of its elements is not taken")
            }
            Form::Complex
            | Form::Reference
            | Form::Extension
            | Form::CodeableConcept
            | Form::Coding
            | Form::Primitive(_) => format!("add `{shown}`"),
        };
        let issue = Issue::new(Rule::ElementRequired, message).hint(hint).asked_by(self.asker(kind, element));
        self.tell_with(issue, || node.place_of_missing(name));
    }

    fn invariants(&mut self, node: Node<'d>, range: &Range<u32>, kind: &Kind) {
        let plan = self.plan;
        for constraint in plan.constraints(range) {
            if self.is_full {
                return;
            }
            let place = invariant::Place { node, resource: self.resource, root: self.root };
            let asker = || format!("{} of {}", constraint.key, plan.url(kind));
            let walk = &*self;
            let resolver = |address: &str| walk.resources().resolve(place.resource, address, walk.names).resource();
            match invariant::holds(constraint, place, plan, &resolver) {
                Ok(true) => {}
                Ok(false) => {
                    let severity = if constraint.is_error { Severity::Error } else { Severity::Warning };
                    let issue = Issue::new(Rule::Invariant, constraint.human.to_string())
                        .hint(format!("this must be true: {}", constraint.expression.text()))
                        .asked_by(asker())
                        .severity(severity);
                    self.tell(node, issue);
                }
                Err(failure) => {
                    let message = format!("an invariant could not be decided: {failure}");
                    self.tell(node, Issue::new(Rule::NotEvaluated, message).asked_by(asker()));
                }
            }
        }
    }
}

fn is_same(one: &Issue, other: &Issue) -> bool {
    one.rule == other.rule && one.place == other.place && one.asked_by.is_some() == other.asked_by.is_some() && {
        // Two invariants at one place are two issues.
        one.rule != Rule::Invariant || one.asked_by == other.asked_by
    }
}

/// True for text that is worth comparing with what is known.
pub(super) fn is_short(text: &str) -> bool {
    text.len() <= QUOTED_BYTES_MAX
}
