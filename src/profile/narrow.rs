//! Profiles to plan: only what a profile asks more than the definition of its type.
//!
//! A profile's snapshot repeats everything; what the walk over the type's own definition sees to is left out here, so
//! that holding a resource against its profile costs what the profile adds.

use super::NotEvaluated;
use super::compile::{Compiler, Source, capitalised, step, type_code};
use super::definition::{ElementDefinition, TypeReference};
use super::plan::{Allowed, Element, Form, Kind, KindId, Step, UNBOUNDED};
use super::slicing::{Criterion, Rules, Slice, Slicing};
use super::tree::Branch;
use crate::document::Name;
use std::ops::Range;

/// The deepest path of a profile's element. The deepest of R4's resources has seven names.
const DEPTH_MAX: usize = 64;
/// What slices a value of several types, and what slices extensions, where a definition does not say it.
const SLICE_OF_CHOICE: (&str, &str) = ("type", "$this");
const SLICE_OF_EXTENSIONS: (&str, &str) = ("value", "url");

/// An element with all that is asked of it, before it has its place in the plan.
pub(super) struct Built {
    element: Element,
    steps: Vec<Step>,
    slicing: Option<BuiltSlicing>,
}

struct BuiltSlicing {
    rules: Rules,
    is_ordered: bool,
    slices: Vec<(Built, Range<u32>, bool)>,
}

impl Built {
    /// True when it asks for anything.
    fn asks(&self) -> bool {
        let Element { name: _, min, max, is_array: _, is_choice: _, binding, max_length, min_length, .. } =
            &self.element;
        let Element { given, limits, constraints, left, .. } = &self.element;
        *min > 0
            || *max != UNBOUNDED
            || binding.is_some()
            || max_length.is_some()
            || min_length.is_some()
            || given.is_some()
            || limits.is_some()
            || !constraints.is_empty()
            || !left.is_empty()
            || self.slicing.is_some()
            || self.steps.iter().any(asks)
    }
}

fn asks(step: &Step) -> bool {
    step.is_left_out
        || step.narrowed.is_some()
        || !step.targets.is_empty()
        || step.pointing.is_some()
        || !step.profiles.is_empty()
        || !step.allowed.is_empty()
}

/// The elements of a kind as they get their places.
#[derive(Default)]
struct Laid {
    first: u32,
    steps: Vec<Step>,
    slicing_count: u32,
}

impl<'s> Compiler<'s, '_> {
    pub(super) fn add_profile(&mut self, source: &'s Source<'s>) {
        let structure = source.structure;
        let Some(root) = source.tree.branch(0) else { return };
        let Some(base) = self.by_type.get(structure.r#type.as_str()).copied() else {
            return self.problem(source, &structure.r#type, "its type is not loaded".into());
        };
        for stray in &source.tree.strays {
            let what = format!("{} of {}", stray.id, structure.url);
            self.set_aside.push(NotEvaluated { what, why: "it is a slice of an element that is not there".into() });
        }
        let first_step = self.plan.steps.len();
        let kind = self.narrow_kind(source, 0, base, true);
        let mut whole = self.element(source, root.element);
        (whole.constraints, whole.left, whole.min, whole.max) = (0..0, 0..0, 0, UNBOUNDED);
        let whole = Built { element: whole, steps: Vec::new(), slicing: None };
        let whole = whole.asks().then(|| {
            self.plan.elements.push(whole.element);
            self.plan.elements.len() as u32 - 1
        });
        self.add_contexts(source);
        if let (Some(kind), Some(origin)) = (kind, self.plan.origins.get_mut(source.number as usize)) {
            origin.root = kind;
            origin.whole = whole;
        }
        self.settle_references(source, first_step);
    }

    /// Steps whose content is told elsewhere in the profile get the kind of that place, now that all are there.
    fn settle_references(&mut self, source: &Source, first_step: usize) {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return;
        }
        let is_own =
            |id: &str| self.plan.kinds.iter().position(|kind| kind.origin == source.number && &*kind.path == id);
        let found: Vec<_> = pending.iter().map(|id| is_own(id).map(|kind| KindId(kind as u32))).collect();
        for step in self.plan.steps.iter_mut().skip(first_step) {
            let number = step.narrowed.map_or(usize::MAX, |KindId(number)| (u32::MAX - number) as usize);
            if let Some(kind) = found.get(number) {
                step.narrowed = *kind;
            }
        }
    }

    /// What a profile asks of the elements below one of its own, whose type is `base`; none when it asks nothing.
    fn narrow_kind(&mut self, source: &'s Source<'s>, at: usize, base: KindId, is_root: bool) -> Option<KindId> {
        let branch = source.tree.branch(at)?;
        let element = branch.element;
        if element.path.split('.').count() > DEPTH_MAX {
            self.problem(source, &element.path, format!("a path has {DEPTH_MAX} names at most"));
            return None;
        }
        let built: Vec<Built> =
            branch.children.iter().filter_map(|child| self.narrow_element(source, *child, base)).collect();
        let (constraints, left) = match is_root {
            true => {
                let (constraints, left) = self.add_constraints(source, element);
                (self.only_new(constraints, self.plan.kind(base).constraints.clone()), left)
            }
            false => (0..0, 0..0),
        };
        if built.is_empty() && !is_root {
            return None;
        }
        let first_required = self.plan.required.len() as u32;
        let mut laid = Laid { first: self.plan.elements.len() as u32, ..Laid::default() };
        for one in built {
            let steps = one.steps.clone();
            let number = self.lay(one, &mut laid);
            laid.steps.extend(steps.into_iter().map(|step| Step { element: number, ..step }));
        }
        laid.steps.sort_by_key(|step| step.name);
        let first_step = self.plan.steps.len() as u32;
        self.plan.steps.append(&mut laid.steps);
        let kind = Kind {
            path: identity(element).into(),
            origin: source.number,
            form: self.plan.kind(base).form,
            elements: laid.first..self.plan.elements.len() as u32,
            slicing_count: laid.slicing_count,
            steps: first_step..self.plan.steps.len() as u32,
            required: first_required..self.plan.required.len() as u32,
            constraints,
            left,
        };
        self.plan.kinds.push(kind);
        Some(KindId(self.plan.kinds.len() as u32 - 1))
    }

    /// Gives an element and its slices their places in the plan.
    fn lay(&mut self, built: Built, laid: &mut Laid) -> u32 {
        let number = self.plan.elements.len() as u32;
        if built.element.min > 0 {
            self.plan.required.push(number);
        }
        self.plan.elements.push(built.element);
        let Some(slicing) = built.slicing else { return number };
        let mark = laid.slicing_count;
        laid.slicing_count += 1;
        let mut slices = Vec::new();
        for (one, criteria, is_default) in slicing.slices {
            let steps = one.steps.clone();
            let element = self.lay(one, laid);
            let first_step = self.plan.steps.len() as u32;
            self.plan.steps.extend(steps.into_iter().map(|step| Step { element, ..step }));
            slices.push(Slice { element, steps: first_step..self.plan.steps.len() as u32, criteria, is_default });
        }
        slices.sort_by_key(|slice| slice.is_default);
        let first = self.plan.slices.len() as u32;
        self.plan.slices.append(&mut slices);
        self.plan.slicings.push(Slicing {
            rules: slicing.rules,
            is_ordered: slicing.is_ordered,
            slices: first..self.plan.slices.len() as u32,
            mark,
        });
        let placed = self.plan.slicings.len() as u32 - 1;
        if let Some(element) = self.plan.elements.get_mut(number as usize) {
            element.slicing = Some(placed);
        }
        number
    }

    fn narrow_element(&mut self, source: &'s Source<'s>, at: usize, base: KindId) -> Option<Built> {
        let branch = source.tree.branch(at)?;
        let base_steps = self.base_steps(base, branch.name());
        if base_steps.is_empty() {
            // A primitive's value is the node's own value and no child.
            if !matches!(self.plan.kind(base).form, Form::Primitive(_)) {
                let what = format!("{} of {}", identity(branch.element), source.structure.url);
                let why = format!("{} has no such element", self.plan.kind(base).path);
                self.set_aside.push(NotEvaluated { what, why });
            }
            return None;
        }
        let mut built = self.narrow_one(source, at, &base_steps)?;
        self.narrow_slices(source, at, &base_steps, &mut built);
        built.asks().then_some(built)
    }

    /// The steps of the type's own definition that lead to an element.
    fn base_steps(&self, base: KindId, name: &str) -> Vec<Step> {
        let steps = self.plan.steps(self.plan.kind(base)).iter();
        let found: Vec<Step> = match name.strip_suffix("[x]").map(Name::find) {
            Some(choice) => {
                let is_of = |step: &&Step| {
                    let element = self.plan.elements.get(step.element as usize);
                    element.is_some_and(|element| element.is_choice && Some(element.name) == choice)
                };
                steps.filter(is_of).cloned().collect()
            }
            None => steps.filter(|step| Some(step.name) == Name::find(name)).cloned().collect(),
        };
        found
    }

    /// What an element, or a slice of it, asks by itself.
    fn narrow_one(&mut self, source: &'s Source<'s>, at: usize, base_steps: &[Step]) -> Option<Built> {
        let branch = source.tree.branch(at)?;
        let definition = branch.element;
        let mut element = self.element(source, definition);
        let base = self.plan.elements.get(base_steps.first()?.element as usize)?;
        (element.name, element.is_choice, element.is_array) = (base.name, base.is_choice, base.is_array);
        let known = base.constraints.clone();
        if branch.slice.is_empty() {
            if element.min <= base.min {
                element.min = 0;
            }
            if element.max >= base.max {
                element.max = UNBOUNDED;
            }
        } else {
            element.slice = Some(branch.slice.into());
        }
        if element.binding == base.binding {
            element.binding = None;
        }
        if element.max_length == base.max_length {
            element.max_length = None;
        }
        if element.min_length == base.min_length {
            element.min_length = None;
        }
        if element.left.len() == base.left.len() {
            element.left = 0..0;
        }
        element.constraints = self.only_new(element.constraints, known);
        let steps =
            base_steps.iter().filter_map(|base| self.narrow_step(source, at, base, element.is_choice)).collect();
        Some(Built { element, steps, slicing: None })
    }

    /// Drops from the end of the plan the invariants among `range` that are among `known` already.
    fn only_new(&mut self, range: Range<u32>, known: Range<u32>) -> Range<u32> {
        let mine = self.plan.constraints.split_off(range.start as usize);
        let is_new = |one: &std::sync::Arc<_>| {
            !self.plan.constraints(&known).iter().any(|other| std::sync::Arc::ptr_eq(one, other))
        };
        let mine: Vec<_> = mine.into_iter().filter(is_new).collect();
        self.plan.constraints.extend(mine);
        range.start..self.plan.constraints.len() as u32
    }

    /// One way to an element: what its type is narrowed to.
    fn narrow_step(&mut self, source: &'s Source<'s>, at: usize, base: &Step, is_choice: bool) -> Option<Step> {
        let branch = source.tree.branch(at)?;
        let definition = branch.element;
        let mut narrowed = step(base.name, 0, base.kind);
        if let Some(reference) = definition.content_reference.as_deref().filter(|_| branch.children.is_empty()) {
            // What is told at `#id` of this profile is not there yet; its kind is set when the profile is whole.
            if let Some(id) = reference.strip_prefix('#') {
                narrowed.narrowed = Some(KindId(u32::MAX - self.pending.len() as u32));
                self.pending.push(id);
            }
            return Some(narrowed);
        }
        if self.plan.kind(base.kind).form == Form::AnyResource {
            narrowed.allowed = self.allowed(&definition.types);
            let below = match definition.types.as_slice() {
                [one] => self.by_type.get(one.code.as_str()).copied().unwrap_or(base.kind),
                _ => base.kind,
            };
            narrowed.narrowed = self.narrow_kind(source, at, below, false);
            return Some(narrowed);
        }
        let element = self.plan.elements.get(base.element as usize)?;
        let name = element.name.as_str();
        let is_of_step = |one: &&TypeReference| {
            let code = || capitalised(type_code(one, Form::Complex, false, ""));
            !is_choice || base.name.as_str().strip_prefix(name) == Some(&code())
        };
        let Some(one) = one_type(definition.types.iter().filter(is_of_step)) else {
            narrowed.is_left_out = is_choice && !definition.types.is_empty();
            return (narrowed.is_left_out || definition.types.is_empty()).then_some(narrowed);
        };
        let below = match definition.types.len() {
            1 => base.kind,
            _ => self.by_type.get("Element").copied().unwrap_or(base.kind),
        };
        narrowed.narrowed = self.narrow_kind(source, at, below, false);
        narrowed.profiles = self.new_profiles(&one, base, branch.slice);
        if one.code == "Reference" || one.code == "canonical" {
            let targets = self.targets(&one);
            let mine = self.plan.targets.get(targets.start as usize..targets.end as usize);
            let theirs = self.plan.targets.get(base.targets.start as usize..base.targets.end as usize);
            narrowed.targets = if mine == theirs { 0..0 } else { targets };
        }
        if one.code == "Reference" {
            narrowed.pointing = self.pointing(&one);
        }
        Some(narrowed)
    }

    /// The profiles that a type is narrowed by, where the type's own definition does not name them.
    fn new_profiles(&mut self, one: &TypeReference, base: &Step, slice: &str) -> Range<u32> {
        let known = self.plan.profile_refs(&base.profiles).iter().map(|known| &*known.url);
        if known.eq(one.profile.iter().map(String::as_str)) {
            return 0..0;
        }
        // An extension is held against its own definition wherever it stands, and a slice of extensions holds those
        // with the definition's url.
        let is_of_url = |url: &String| {
            let known = self.by_url.get(super::compile::without_version(url));
            known.is_some_and(|source| source.structure.r#type == "Extension" && source.structure.is_profile())
        };
        if one.code == "Extension" && !slice.is_empty() && one.profile.iter().all(is_of_url) {
            return 0..0;
        }
        self.profile_refs(&one.profile)
    }

    /// The resource types that may stand at an element; none listed for any.
    fn allowed(&mut self, types: &[TypeReference]) -> Range<u32> {
        let is_open = |one: &TypeReference| {
            let is_abstract = matches!(one.code.as_str(), "Resource" | "DomainResource");
            is_abstract && one.profile.is_empty()
        };
        let start = self.plan.allowed.len() as u32;
        if types.iter().any(is_open) {
            return start..start;
        }
        for one in types {
            let profiles = self.profile_refs(&one.profile);
            self.plan.allowed.push(Allowed { type_name: one.code.as_str().into(), profiles });
        }
        start..self.plan.allowed.len() as u32
    }

    /// The slices of an element, where they ask anything.
    fn narrow_slices(&mut self, source: &'s Source<'s>, at: usize, base_steps: &[Step], built: &mut Built) {
        let Some(branch) = source.tree.branch(at).filter(|branch| !branch.slices.is_empty()) else { return };
        let told = branch.element.slicing.as_ref();
        let rules = match told.map(|slicing| slicing.rules.as_str()) {
            Some("closed") => Rules::Closed,
            Some("openAtEnd") => Rules::OpenAtEnd,
            Some(_) | None => Rules::Open,
        };
        let is_ordered = told.is_some_and(|slicing| slicing.ordered);
        let discriminators = discriminators(branch);
        let mut slices = Vec::new();
        for number in &branch.slices {
            let Some(mut one) = self.narrow_one(source, *number, base_steps) else { continue };
            let slice = source.tree.branch(*number).map_or("", |one| one.slice);
            let is_default = slice == "@default" || slice.ends_with("/@default");
            self.narrow_slices(source, *number, base_steps, &mut one);
            if one.element.max >= limit(branch.element) {
                one.element.max = UNBOUNDED;
            }
            let criteria = match is_default {
                true => Ok(Vec::new()),
                false => self.criteria(source, *number, base_steps, &discriminators),
            };
            if criteria.iter().flatten().any(Criterion::is_of_type) {
                one.steps.retain(|step| !step.is_left_out);
            }
            // Where repeats may stand freely, a slice that asks nothing need not be told from others.
            if !one.asks() && !is_ordered && rules == Rules::Open {
                continue;
            }
            let criteria = match criteria {
                Ok(criteria) => criteria,
                Err(why) => return self.leave_slices(source, branch.element, &mut built.element, why),
            };
            let first = self.plan.criteria.len() as u32;
            self.plan.criteria.extend(criteria);
            slices.push((one, first..self.plan.criteria.len() as u32, is_default));
        }
        if !slices.is_empty() {
            built.slicing = Some(BuiltSlicing { rules, is_ordered, slices });
        }
    }

    /// Slices that cannot be told apart are not evaluated, and whoever meets them hears it.
    fn leave_slices(&mut self, source: &Source, definition: &ElementDefinition, element: &mut Element, why: String) {
        let left =
            NotEvaluated { what: format!("slices of {} in {}", identity(definition), source.structure.url), why };
        self.set_aside.push(left.clone());
        let first = self.plan.left.len() as u32;
        let known = self.plan.left(&element.left).to_vec();
        self.plan.left.extend(known);
        self.plan.left.push(left);
        element.left = first..self.plan.left.len() as u32;
    }
}

/// What tells the slices of an element apart: kind and path of each discriminator.
fn discriminators<'s>(branch: &Branch<'s>) -> Vec<(&'s str, &'s str)> {
    let told = branch.element.slicing.as_ref().map_or(&[][..], |slicing| &slicing.discriminator);
    if !told.is_empty() {
        return told.iter().map(|one| (one.r#type.as_str(), one.path.as_str())).collect();
    }
    match branch.name() {
        "extension" | "modifierExtension" => vec![SLICE_OF_EXTENSIONS],
        name if name.ends_with("[x]") => vec![SLICE_OF_CHOICE],
        _ => Vec::new(),
    }
}

/// Types of the same code as one, with the profiles and targets of all; none listed when one of them takes any.
fn one_type<'t>(mut types: impl Iterator<Item = &'t TypeReference>) -> Option<TypeReference> {
    let mut one = types.next()?.clone();
    for other in types {
        let join = |mine: &mut Vec<String>, theirs: &[String]| match mine.is_empty() || theirs.is_empty() {
            true => mine.clear(),
            false => mine.extend_from_slice(theirs),
        };
        join(&mut one.profile, &other.profile);
        join(&mut one.target_profile, &other.target_profile);
    }
    Some(one)
}

fn limit(element: &ElementDefinition) -> u32 {
    element.max.as_deref().and_then(|max| max.parse().ok()).unwrap_or(UNBOUNDED)
}

pub(super) fn identity(element: &ElementDefinition) -> &str {
    if element.id.is_empty() { &element.path } else { &element.id }
}
