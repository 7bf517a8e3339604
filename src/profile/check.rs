//! The walk over document and plan.

use super::ask::{Ask, UnknownExtensions, Verdict};
use super::codes::Codes;
use super::fit::Fitting;
use super::invariant;
use super::known::Known;
use super::local::Locals;
use super::plan::{Element, Form, Kind, KindId, Plan, Step, UNBOUNDED};
use super::resources::Resources;
use super::severity::{Severities, Suppressed, counted_as};
use super::{NotEvaluated, Profiles};
use crate::document::{Document, Name, Node, NodeId};
use crate::issue::{Issue, Place, Rule, Severity, nearest};
use crate::terminology::values::ValueSets;
use std::cell::{Cell, OnceCell};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// The most issues that one check tells.
pub(super) const ISSUE_COUNT_MAX: usize = 200;
/// The most of them that refuse nothing, so that there is always room for those that do: a walk only ends before its
/// time when what it has found refuses.
pub(super) const MILD_COUNT_MAX: usize = 100;
/// The longest name of an unknown element that is repeated in a message, in bytes.
pub(super) const QUOTED_BYTES_MAX: usize = 64;

/// Steps that the invariants over one document may take together, and as many more for each of its elements. R4's own
/// take about 10 for an element; what takes more than this has invariants that look at everything from everywhere.
pub(super) const STEPS: u64 = 4_000_000;
const STEPS_EACH: u64 = 200;

/// Checks `document`; see [`super::Profiles::check`].
pub(super) fn check(profiles: &Profiles, document: &Document, ask: &Ask<'_>) -> Verdict {
    let expected_type = ask.expected_type;
    let root = document.root();
    let steps = STEPS + STEPS_EACH * document.node_count() as u64;
    let mut walk = Walk::new(&profiles.known(), (root, root), steps);
    walk.unknown_extensions = ask.unknown_extensions;
    let is_expected = |type_name: &str| expected_type.is_none_or(|expected| expected == type_name);
    // What is not of the type that the address asks for has that to put right first, and costs no walk.
    if let Some(kind) = walk.resource_kind(root, expected_type)
        && root.resource_type().is_some_and(is_expected)
    {
        let kind = walk.walked(root, kind);
        for profile in ask.profiles {
            walk.claim(root, root, kind, profile);
        }
    }
    walk.tell_of_steps();
    let mut suppressed = Suppressed::new();
    let unfollowed = walk.unfollowed.into_iter().map(|(key, _)| key.to_owned());
    for name in walk.suppressed.into_iter().map(|(name, _)| name).chain(unfollowed) {
        *suppressed.entry(name).or_default() += 1;
    }
    Verdict {
        issues: walk.issues,
        not_evaluated: walk.not_evaluated,
        suppressed,
        packages: Arc::clone(&profiles.packages),
    }
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
    severities: &'p Severities,
    /// What the policy keeps from being told, with its place: base and profile may both ask for it.
    suppressed: HashSet<(String, String)>,
    /// The same of invariants, by their keys.
    unfollowed: HashSet<(&'p str, NodeId)>,
    pub(super) issues: Vec<Issue>,
    /// How often each element of the open kinds has been met, and the marks of their slicings; one stack for the
    /// whole walk.
    pub(super) counts: Vec<u32>,
    pub(super) pass: Pass,
    pub(super) resource: Node<'d>,
    pub(super) root: Node<'d>,
    pub(super) locals: Locals<'d>,
    pub(super) resources: OnceCell<Resources<'d>>,
    /// Steps that all invariants together may still take.
    pub(super) steps_left: Cell<u64>,
    /// How many expressions ask in one another for this walk.
    pub(super) depth: u32,
    /// Every id and anchor of a resource that stands by itself, once a narrative points at one there.
    pub(super) places: HashMap<NodeId, HashSet<&'d str>>,
    /// How many of the issues refuse nothing.
    pub(super) mild_count: usize,
    /// There is no room for more issues, and what is told refuses: nothing more needs to be looked at.
    pub(super) is_full: bool,
    pub(super) fitting: Fitting,
    pub(super) not_evaluated: Vec<NotEvaluated>,
    /// What has been noted of codes.
    pub(super) codes: Codes,
    pub(super) unknown_extensions: UnknownExtensions,
}

impl<'p, 'd> Walk<'p, 'd> {
    /// A walk that has not begun, inside a resource (and the one that contains that, or the same), with steps for all its
    /// invariants together.
    pub(super) fn new(known: &Known<'p>, inside: (Node<'d>, Node<'d>), steps: u64) -> Self {
        let (resource, root) = inside;
        let Known { plan, severities, depth } = *known;
        Walk {
            plan,
            values: &plan.values,
            severities,
            suppressed: HashSet::new(),
            unfollowed: HashSet::new(),
            names: &plan.names,
            issues: Vec::new(),
            counts: Vec::new(),
            pass: Pass::Base,
            resource,
            root,
            locals: Locals::default(),
            resources: OnceCell::new(),
            steps_left: Cell::new(steps),
            depth,
            places: HashMap::new(),
            mild_count: 0,
            is_full: false,
            fitting: Fitting::default(),
            not_evaluated: Vec::new(),
            codes: Codes::default(),
            unknown_extensions: UnknownExtensions::default(),
        }
    }

    /// Tells an issue, unless the same is told already or there are too many.
    pub(super) fn tell(&mut self, node: Node<'d>, issue: Issue) {
        self.tell_with(issue, || node.place());
    }

    /// Tells an issue at a place that is only looked for when there is room.
    pub(super) fn tell_with(&mut self, mut issue: Issue, place: impl FnOnce() -> Place) {
        if !self.severities.settle(&mut issue) {
            if !self.fitting.is_trial() {
                self.suppressed.insert((counted_as(&issue).to_owned(), place().expression));
            }
            return;
        }
        let is_mild = !issue.refuses();
        if self.fitting.is_trial() {
            // A trial only asks whether anything refuses, and ends with the first that does.
            self.fitting.has_failed |= !is_mild;
            self.is_full |= !is_mild;
            return;
        }
        if self.is_full || (is_mild && self.mild_count > MILD_COUNT_MAX) {
            return;
        }
        let issue = issue.at(place());
        if let Some(told) = self.issues.iter_mut().find(|told| is_same(told, &issue)) {
            // The severities are in the order from bad to mild.
            if issue.severity < told.severity {
                *told = issue;
            }
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

    /// True when an issue that refuses nothing, or one that refuses, would still be told: what it says need not be
    /// worked out otherwise.
    pub(super) fn has_room(&self, is_mild: bool) -> bool {
        !self.is_full && (!is_mild || self.mild_count <= MILD_COUNT_MAX)
    }

    /// What asked for something of `element`, for `Issue::asked_by`.
    pub(super) fn asker(&self, kind: &Kind, element: &Element) -> String {
        let name = match &element.slice {
            Some(_) => element.shown(),
            None => element.name.as_str().to_owned(),
        };
        format!("{}.{name} of {}", kind.path, self.plan.url(kind))
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
        let mark = self.locals.mark();
        self.inside(node, |walk| {
            walk.walked(node, kind);
            if node.is(walk.names.contained) {
                walk.end_contained(node, mark);
            }
        });
    }

    /// A resource against the definition of its type, and the profiles that it claims.
    fn walked(&mut self, node: Node<'d>, kind: KindId) -> &'p Kind {
        self.complex(node, kind);
        let kind = self.plan.kind(kind);
        self.claims(node, kind);
        kind
    }

    // ---- elements

    /// A node with elements of its own, against the kind that lists them.
    pub(super) fn complex(&mut self, node: Node<'d>, kind_id: KindId) {
        let plan = self.plan;
        let kind = plan.kind(kind_id);
        let mark = self.locals.mark();
        let start = self.counts.len();
        self.counts.resize(start + kind.elements.len() + kind.slicing_count as usize, 0);
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
                // A profile lists only what it narrows; what nothing knows has been told already.
                (_, _) if self.pass == Pass::Profile => {}
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
                Form::Resource | Form::AnyResource => self.resource_as_whole(node, kind, mark),
                Form::Complex => self.data_type(node, kind),
                Form::Reference | Form::CodeableConcept | Form::Coding | Form::Primitive(_) => {}
            }
        }
        self.invariants(node, &kind.constraints, kind);
        self.leave_all(&kind.left);
    }

    /// What a definition asks here and no check decides.
    fn leave_all(&mut self, left: &Range<u32>) {
        for left in self.plan.left(left) {
            self.leave(&left.what, &left.why);
        }
    }

    /// A child that its parent's kind knows.
    fn child(&mut self, child: Node<'d>, parent: &'p Kind, step: &'p Step, start: usize) {
        let Some(element) = self.plan.elements.get(step.element as usize) else { return };
        if step.is_left_out {
            // It stands there, though as what it may not be: that it is missing is not told besides.
            self.count_only(step.element, parent, start);
            return self.no_such_choice(child, parent, element);
        }
        self.counted(child, parent, step, start);
    }

    /// Counts a repeat of an element that a kind has.
    pub(super) fn count_only(&mut self, number: u32, parent: &Kind, start: usize) -> u32 {
        let place = start + (number - parent.elements.start) as usize;
        self.counts.get_mut(place).map_or(0, |count| {
            *count += 1;
            *count
        })
    }

    /// A child that is an element of its parent's kind, or a slice of one.
    pub(super) fn counted(&mut self, child: Node<'d>, parent: &'p Kind, step: &'p Step, start: usize) {
        let Some(element) = self.plan.elements.get(step.element as usize) else { return };
        let count = self.count_only(step.element, parent, start);
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
        self.leave_all(&element.left);
        if let Some(slicing) = element.slicing.and_then(|number| self.plan.slicings.get(number as usize)) {
            self.slice(child, parent, element, slicing, start);
        }
    }

    /// What stands at an element, against the element and its type.
    fn value(&mut self, node: Node<'d>, parent: &'p Kind, element: &'p Element, step: &'p Step) {
        let kind = self.plan.kind(step.kind);
        let is_sound = match self.pass {
            Pass::Base => self.json_form(node, kind),
            Pass::Profile => true,
        };
        if is_sound {
            self.asked_of_value(node, parent, element, kind.form);
            if kind.form == Form::Coding && self.pass == Pass::Base {
                self.coded(node, kind);
            }
        }
        match (kind.form, self.pass) {
            (Form::AnyResource | Form::Resource, Pass::Base) => self.inner_resource(node),
            (Form::AnyResource | Form::Resource, Pass::Profile) => {
                return self.narrowed_resource(node, parent, element, step);
            }
            (Form::Primitive(_), _) if !node.has_children() || !is_sound => {}
            (_, Pass::Base) => self.complex(node, step.kind),
            (_, Pass::Profile) => {
                if let Some(narrowed) = step.narrowed {
                    self.complex(node, narrowed);
                }
            }
        }
        let is_narrowed = !step.targets.is_empty() || step.pointing.is_some();
        if kind.form == Form::Reference && (self.pass == Pass::Base || is_narrowed) {
            self.reference(node, parent, element, step);
        }
        if !step.profiles.is_empty() {
            self.one_of(node, self.plan.profile_refs(&step.profiles), parent, element);
        }
    }

    /// What is asked of a value by itself: its code, what is given and what limits it.
    pub(super) fn asked_of_value(&mut self, node: Node<'d>, parent: &'p Kind, element: &'p Element, form: Form) {
        self.bound(node, parent, element, form);
        self.given(node, parent, element);
        self.length(node, parent, element);
        self.limited(node, parent, element);
    }

    fn require(&mut self, node: Node<'d>, kind: &'p Kind, number: u32, start: usize) {
        let Some(element) = self.plan.elements.get(number as usize) else { return };
        let count = self.counts.get(start + (number - kind.elements.start) as usize).copied().unwrap_or(0);
        if count >= element.min {
            return;
        }
        if element.slice.is_some() {
            return self.slice_missing(node, kind, element, (number, start));
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
        let mut issue = Issue::new(Rule::ElementRequired, message).hint(hint).asked_by(self.asker(kind, element));
        if let Some(operations) = self.missing_given(element, format!("{}/{name}", node.pointer())) {
            issue = issue.mend(operations);
        }
        self.tell_with(issue, || node.place_of_missing(name));
    }

    pub(super) fn invariants(&mut self, node: Node<'d>, range: &Range<u32>, kind: &Kind) {
        let plan = self.plan;
        for constraint in plan.constraints(range) {
            if self.is_full || self.steps_left.get() == 0 {
                return;
            }
            let place = invariant::Place { node, resource: self.resource, root: self.root };
            let asker = || format!("{} of {}", constraint.key, plan.url(kind));
            let walk = &*self;
            let resolver = |address: &str| walk.resources().resolve(place.resource, address, walk.names).resource();
            let known = Known { plan, severities: self.severities, depth: self.depth };
            match invariant::holds(constraint, place, &known, &resolver, &walk.steps_left) {
                Ok(true) => {}
                // The advice that nobody follows is met at each resource: it is counted without being written out.
                Ok(false) if self.severities.suppresses(&constraint.key) => {
                    if !self.fitting.is_trial() {
                        self.unfollowed.insert((&constraint.key, node.id()));
                    }
                }
                Ok(false) => {
                    let severity = if constraint.is_error { Severity::Error } else { Severity::Warning };
                    let issue = Issue::new(Rule::Invariant, constraint.human.to_string())
                        .hint(format!("this must be true: {}", constraint.expression.text()))
                        .asked_by(asker())
                        .severity(severity);
                    self.tell(node, issue);
                }
                // Told once, at the end: this may be a trial, which tells nothing.
                Err(_) if walk.steps_left.get() == 0 => return,
                Err(failure) if self.fitting.is_trial() => self.leave(&asker(), &failure.to_string()),
                Err(failure) => {
                    let message = format!("an invariant could not be decided: {failure}");
                    self.tell(node, Issue::new(Rule::NotEvaluated, message).asked_by(asker()));
                }
            }
        }
    }

    /// Tells that the invariants were given up on, when they were: what was not judged is not let in.
    fn tell_of_steps(&mut self) {
        if self.steps_left.get() > 0 {
            return;
        }
        let why = "together they look at more than a document of this size may cost";
        self.leave("some of the invariants", why);
        let issue = Issue::new(Rule::LimitSteps, format!("some of the invariants were not decided: {why}"));
        self.tell(self.root, issue.hint("send fewer repeats of an element in one resource"));
    }
}

/// True for issues of which one is told: base and profile may ask the very same thing. Two that say something else are
/// two, such as the codes of a base's value set and those of a profile's.
fn is_same(one: &Issue, other: &Issue) -> bool {
    one.rule == other.rule && one.place == other.place && one.message == other.message && {
        // Two invariants at one place are two issues, and so are two slices and two values that profiles give.
        !matches!(one.rule, Rule::Invariant | Rule::SliceRequired | Rule::SliceTooMany | Rule::ProfileValue)
            || one.asked_by == other.asked_by
    }
}

/// True for text that is worth comparing with what is known.
pub(super) fn is_short(text: &str) -> bool {
    text.len() <= QUOTED_BYTES_MAX
}
