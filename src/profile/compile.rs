//! Definitions to plan, once at start.

use super::definition::{ElementDefinition, Structure, TypeReference};
use super::invariant::{self, Constraint, NATIVE};
use super::limits;
use super::plan::{Binding, Bound, Element, Form, Given, Kind, KindId, Origin, Plan, ProfileRef, Step, UNBOUNDED};
use super::pointing::{Pointing, TargetProfile};
use super::tree::Tree;
use super::{NotEvaluated, Primitive, Problem};
use crate::document::{Document, Name};
use crate::terminology::values::ValueSets;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// How a binding that cannot be decided is told.
pub(super) const REQUIRED_BINDING: &str = "required binding to";

/// A definition and the file it came from.
pub(super) struct Source<'s> {
    file: &'s str,
    pub(super) structure: &'s Structure,
    /// Its number in [`Plan::origins`].
    pub(super) number: u32,
    /// Of a type: for each element that has others below it, its id and kind; the root first.
    holders: Vec<(&'s str, KindId)>,
    /// Of a profile: its elements and slices.
    pub(super) tree: Tree<'s>,
}

/// Compiles `structures` (file name and definition of each).
pub(super) fn compile(
    structures: &[(String, Structure)],
    sets: &ValueSets,
    set_aside: &mut Vec<NotEvaluated>,
) -> Result<Plan, Vec<Problem>> {
    let mut next = 0;
    let sources: Vec<Source> = structures
        .iter()
        .filter(|(_, structure)| !structure.snapshot.element.is_empty())
        .zip(0..)
        .map(|((file, structure), number)| source(file, structure, number, &mut next))
        .collect();
    let mut compiler = Compiler {
        plan: Plan::default(),
        sets,
        set_aside,
        problems: Vec::new(),
        by_url: sources.iter().map(|source| (source.structure.url.as_str(), source)).collect(),
        by_type: HashMap::new(),
        binding_numbers: HashMap::new(),
        constraints: HashMap::new(),
        pending: Vec::new(),
    };
    for source in sources.iter().filter(|source| !source.structure.is_profile()) {
        compiler.by_type.insert(&source.structure.r#type, source.root());
    }
    for source in &sources {
        compiler.add_origin(source);
    }
    let (profiles, types): (Vec<_>, Vec<_>) = sources.iter().partition(|source| source.structure.is_profile());
    for source in types {
        compiler.add_type(source);
    }
    for source in profiles {
        compiler.add_profile(source);
    }
    compiler.finish()
}

fn source<'s>(file: &'s str, structure: &'s Structure, number: u32, next: &mut u32) -> Source<'s> {
    let mut source = Source { file, structure, number, holders: Vec::new(), tree: Tree::default() };
    if structure.is_profile() {
        source.tree = Tree::grow(&structure.snapshot.element);
        return source;
    }
    let mut numbers: HashMap<&str, ()> = HashMap::new();
    for element in source.type_elements() {
        let holder = parent(identity(element)).unwrap_or(identity(element));
        if numbers.insert(holder, ()).is_none() {
            source.holders.push((holder, KindId(*next)));
            *next += 1;
        }
    }
    source
}

impl<'s> Source<'s> {
    fn root(&self) -> KindId {
        self.holders.first().map_or(KindId(0), |(_, kind)| *kind)
    }

    /// The elements of a type; only profiles slice.
    fn type_elements(&self) -> impl Iterator<Item = &'s ElementDefinition> + use<'s> {
        self.structure.snapshot.element.iter().filter(|element| !element.id.contains(':'))
    }
}

/// What tells an element from others of its definition.
fn identity(element: &ElementDefinition) -> &str {
    if element.id.is_empty() { &element.path } else { &element.id }
}

fn parent(id: &str) -> Option<&str> {
    id.rsplit_once('.').map(|(parent, _)| parent)
}

pub(super) struct Compiler<'s, 'n> {
    pub(super) plan: Plan,
    sets: &'s ValueSets,
    pub(super) set_aside: &'n mut Vec<NotEvaluated>,
    problems: Vec<Problem>,
    pub(super) by_url: HashMap<&'s str, &'s Source<'s>>,
    pub(super) by_type: HashMap<&'s str, KindId>,
    /// Bindings by value set, whether they are required, and the widest value set.
    binding_numbers: HashMap<(&'s str, bool, &'s str), u32>,
    /// Invariants by key, expression and severity: many definitions repeat those of their base.
    constraints: HashMap<(&'s str, &'s str, bool), Result<Arc<Constraint>, String>>,
    /// Places of the profile that is being compiled whose content is told elsewhere in it: the ids of those.
    pub(super) pending: Vec<&'s str>,
}

impl<'s> Compiler<'s, '_> {
    fn finish(self) -> Result<Plan, Vec<Problem>> {
        if !self.problems.is_empty() {
            let mut problems = self.problems;
            // An element may be met in more than one way.
            problems.dedup();
            return Err(problems);
        }
        let mut plan = self.plan;
        let is_type = |origin: &&Origin| !origin.is_profile;
        plan.types = plan.origins.iter().filter(is_type).map(|o| (o.type_name.clone(), o.root)).collect();
        plan.types.sort_unstable();
        plan.types.dedup_by(|one, other| one.0 == other.0);
        let is_resource = |origin: &&Origin| is_type(origin) && origin.is_resource && !origin.is_abstract;
        plan.resources = plan.origins.iter().filter(is_resource).map(|o| (o.type_name.clone(), o.root)).collect();
        plan.resources.sort_unstable();
        plan.resources.dedup_by(|one, other| one.0 == other.0);
        Ok(plan)
    }

    pub(super) fn problem(&mut self, source: &Source, path: &str, message: String) {
        self.problems.push(Problem { file: source.file.to_owned(), message: format!("{path}: {message}") });
    }

    fn add_origin(&mut self, source: &'s Source<'s>) {
        let structure = source.structure;
        let parent = structure.base_definition.as_deref().and_then(|url| self.by_url.get(without_version(url)));
        self.plan.by_url.insert(structure.url.as_str().into(), source.number);
        self.plan.origins.push(Origin {
            url: structure.url.as_str().into(),
            version: structure.version.as_str().into(),
            type_name: structure.r#type.as_str().into(),
            is_profile: structure.is_profile(),
            is_resource: structure.kind == "resource",
            is_abstract: structure.r#abstract,
            root: source.root(),
            parent: parent.filter(|_| !structure.is_profile()).map(|parent| parent.number),
            whole: None,
            is_modifier: structure.snapshot.element.first().is_some_and(|root| root.is_modifier == Some(true)),
            contexts: 0..0,
            context_invariants: 0..0,
        });
    }

    fn add_type(&mut self, source: &'s Source<'s>) {
        let mut below: HashMap<&str, Vec<&'s ElementDefinition>> = HashMap::new();
        let mut by_id: HashMap<&str, &'s ElementDefinition> = HashMap::new();
        for element in source.type_elements() {
            by_id.insert(identity(element), element);
            if let Some(parent) = parent(identity(element)) {
                below.entry(parent).or_default().push(element);
            }
        }
        for (id, kind) in &source.holders {
            debug_assert_eq!(kind.0 as usize, self.plan.kinds.len());
            let holder = by_id.get(id).copied();
            let children = below.get(id).map_or(&[][..], Vec::as_slice);
            self.add_kind(source, id, holder, children);
        }
    }

    fn add_kind(
        &mut self,
        source: &'s Source<'s>,
        id: &str,
        holder: Option<&'s ElementDefinition>,
        children: &[&'s ElementDefinition],
    ) {
        let is_root = !id.contains('.');
        let form = form(source.structure, holder, is_root);
        let (constraints, left) = match (is_root, holder) {
            // An element's own invariants stand with the element; only a root's stand with the kind.
            (true, Some(holder)) => self.add_constraints(source, holder),
            (true, None) | (false, _) => (0..0, 0..0),
        };
        let first_element = self.plan.elements.len() as u32;
        let first_step = self.plan.steps.len();
        let first_required = self.plan.required.len() as u32;
        for child in children {
            // A primitive's value is the node's own value and no child.
            if matches!(form, Form::Primitive(_)) && child.path.ends_with(".value") {
                continue;
            }
            self.add_element(source, form, is_root, child);
        }
        self.plan.steps[first_step..].sort_by_key(|step| step.name);
        let kind = Kind {
            path: id.into(),
            origin: source.number,
            form,
            elements: first_element..self.plan.elements.len() as u32,
            slicing_count: 0,
            steps: first_step as u32..self.plan.steps.len() as u32,
            required: first_required..self.plan.required.len() as u32,
            constraints,
            left,
        };
        self.plan.kinds.push(kind);
    }

    /// What a definition asks of an element by itself; its types and slices come besides.
    pub(super) fn element(&mut self, source: &'s Source<'s>, element: &'s ElementDefinition) -> Element {
        let last = element.path.rsplit('.').next().unwrap_or("");
        let (name, is_choice) = match last.strip_suffix("[x]") {
            Some(name) => (name, true),
            None => (last, false),
        };
        let max = element.max.as_deref().unwrap_or("*");
        if let Some(min) = element.min.filter(|min| *min > limit(max)) {
            let message =
                format!("`min` {min} is more than `max` {max}, which nothing can meet; put one of them right");
            self.problem(source, identity(element), message);
        }
        let base_max = element.base.as_ref().and_then(|base| base.max.as_deref()).unwrap_or(max);
        let (constraints, left) = self.add_constraints(source, element);
        Element {
            name: Name::intern(name),
            min: element.min.unwrap_or(0),
            max: limit(max),
            is_array: limit(base_max) > 1,
            is_choice,
            binding: self.binding(source, element),
            max_length: element.max_length,
            given: self.given(element),
            limits: limits::compile(element).map(|limits| {
                self.plan.limits.push(limits);
                self.plan.limits.len() as u32 - 1
            }),
            constraints,
            slicing: None,
            slice: None,
            left,
        }
    }

    fn add_element(&mut self, source: &'s Source<'s>, holder: Form, is_root: bool, element: &'s ElementDefinition) {
        let number = self.plan.elements.len() as u32;
        let compiled = self.element(source, element);
        let (name, is_choice) = (compiled.name.as_str(), compiled.is_choice);
        if compiled.min > 0 {
            self.plan.required.push(number);
        }
        self.plan.elements.push(compiled);

        let start = self.plan.steps.len();
        if let Some(reference) = &element.content_reference {
            let id = reference.rsplit('#').next().unwrap_or("");
            match source.holders.iter().find(|(holder, _)| *holder == id) {
                Some((_, kind)) => self.add_step(start, step(Name::intern(name), number, *kind)),
                None => self.problem(source, &element.path, format!("its content reference {reference} leads nowhere")),
            }
            return;
        }
        let own = source.holders.iter().find(|(holder, _)| *holder == identity(element)).map(|(_, kind)| *kind);
        for one in &element.types {
            let code = type_code(one, holder, is_root, name);
            let kind = match own.filter(|_| element.types.len() == 1) {
                Some(own) => Some(own),
                None => self.by_type.get(code).copied(),
            };
            let Some(kind) = kind else {
                self.problem(source, &element.path, format!("its type {code} is not loaded"));
                continue;
            };
            let name = if is_choice { &format!("{name}{}", capitalised(code)) } else { name };
            let mut step = step(Name::intern(name), number, kind);
            if code == "Reference" {
                (step.targets, step.pointing) = (self.targets(one), self.pointing(one));
            }
            step.profiles = self.profile_refs(&one.profile);
            step.pointing = if code == "Reference" { self.pointing(one) } else { None };
            self.add_step(start, step);
        }
    }

    /// Adds a step, once per name: a type that is named twice, with two profiles, is one step.
    fn add_step(&mut self, start: usize, step: Step) {
        match self.plan.steps.iter_mut().skip(start).find(|known| known.name == step.name) {
            Some(known) => {
                if known.targets != step.targets {
                    known.targets = 0..0;
                }
                known.pointing = None;
            }
            None => self.plan.steps.push(step),
        }
    }

    /// The profiles of which a value fits one.
    pub(super) fn profile_refs(&mut self, urls: &[String]) -> Range<u32> {
        let start = self.plan.profile_refs.len() as u32;
        for url in urls {
            let found = self.profile_ref(url);
            self.plan.profile_refs.push(found);
        }
        start..self.plan.profile_refs.len() as u32
    }

    pub(super) fn profile_ref(&self, url: &str) -> ProfileRef {
        let origin = self.by_url.get(without_version(url)).map(|source| source.number);
        ProfileRef { url: url.into(), origin }
    }

    /// The resource types that a reference may point at; none listed when it may point at any.
    pub(super) fn targets(&mut self, one: &TypeReference) -> Range<u32> {
        let start = self.plan.targets.len() as u32;
        let mut names = Vec::new();
        for profile in &one.target_profile {
            match self.by_url.get(without_version(profile)) {
                Some(target) if !target.structure.r#abstract => names.push(Name::intern(&target.structure.r#type)),
                // Of a profile that is not loaded nothing is known, of Resource everything is one.
                Some(_) | None => return start..start,
            }
        }
        names.dedup();
        self.plan.targets.extend(names);
        start..self.plan.targets.len() as u32
    }

    /// What is asked of the targets of a reference beyond their type.
    pub(super) fn pointing(&mut self, one: &TypeReference) -> Option<u32> {
        let loaded = |url: &String| {
            let target = self.by_url.get(without_version(url))?;
            Some(TargetProfile {
                url: url.as_str().into(),
                type_name: Name::intern(&target.structure.r#type),
                origin: target.structure.is_profile().then_some(target.number),
            })
        };
        let profiles: Option<Vec<_>> = one.target_profile.iter().map(loaded).collect();
        let pointing = Pointing::of(one, profiles.unwrap_or_default())?;
        self.plan.pointings.push(pointing);
        Some(self.plan.pointings.len() as u32 - 1)
    }

    pub(super) fn binding(&mut self, source: &Source, element: &'s ElementDefinition) -> Option<u32> {
        let binding = element.binding.as_ref()?;
        let is_required = binding.strength == "required";
        let bound = binding.value_set.as_deref().filter(|_| is_required || binding.strength == "extensible");
        let widest = binding.widest.as_deref().filter(|_| !is_required);
        if bound.is_none() && widest.is_none() {
            return None;
        }
        let key = (bound.unwrap_or(""), is_required, widest.unwrap_or(""));
        if let Some(known) = self.binding_numbers.get(&key) {
            return Some(*known);
        }
        let named = |url: &str| Bound { url: url.into(), value_set: self.sets.number(url) };
        let compiled = Binding { bound: bound.map(named), is_required, widest: widest.map(named) };
        if let Some(bound) = compiled.bound.as_ref().filter(|_| is_required) {
            let why = match bound.value_set.and_then(|number| self.sets.get(number)) {
                Some(set) => set.undecided().join("; "),
                None => "the value set is not loaded".into(),
            };
            if !why.is_empty() {
                let asker = format!("{} of {}", element.path, source.structure.url);
                let what = format!("{REQUIRED_BINDING} {}, first met at {asker}", bound.url);
                self.set_aside.push(NotEvaluated { what, why });
            }
        }
        let number = self.plan.bindings.len() as u32;
        self.plan.bindings.push(compiled);
        self.binding_numbers.insert(key, number);
        Some(number)
    }

    fn given(&mut self, element: &ElementDefinition) -> Option<u32> {
        let (value, is_whole) = match (&element.fixed, &element.pattern) {
            (Some(fixed), _) => (fixed, true),
            (None, Some(pattern)) => (pattern, false),
            (None, None) => return None,
        };
        Some(self.add_given(value, is_whole))
    }

    pub(super) fn add_given(&mut self, value: &serde_json::Value, is_whole: bool) -> u32 {
        self.plan.givens.push(Given { value: Document::from_value(value), is_whole });
        self.plan.givens.len() as u32 - 1
    }

    /// The invariants of an element, and what of them no check decides.
    pub(super) fn add_constraints(
        &mut self,
        source: &Source,
        element: &'s ElementDefinition,
    ) -> (Range<u32>, Range<u32>) {
        let url = source.structure.url.as_str();
        let start = self.plan.constraints.len() as u32;
        let first_left = self.plan.left.len() as u32;
        for constraint in &element.constraints {
            // What comes from another definition is checked where that definition is.
            let is_inherited = constraint.source.as_deref().is_some_and(|from| {
                from != url && self.by_url.get(from).is_some_and(|other| is_met_anyway(source, element, other))
            });
            if is_inherited || NATIVE.contains(&constraint.key.as_str()) {
                continue;
            }
            let same = (constraint.key.as_str(), constraint.expression.as_deref().unwrap_or(""), constraint.is_error());
            let compiled =
                self.constraints.entry(same).or_insert_with(|| invariant::compile(constraint).map(Arc::new)).clone();
            match compiled {
                Ok(compiled) => self.plan.constraints.push(compiled),
                Err(why) => {
                    let what = format!("{} of {} in {url}", constraint.key, element.path);
                    self.set_aside.push(NotEvaluated { what: what.clone(), why: why.clone() });
                    self.plan.left.push(NotEvaluated { what, why });
                }
            }
        }
        (start..self.plan.constraints.len() as u32, first_left..self.plan.left.len() as u32)
    }
}

/// True when the walk checks `other`'s invariants at this element without being told here: always for a data type, and
/// for a profile, which is walked besides the type. A resource's root has to repeat those of DomainResource.
fn is_met_anyway(source: &Source, element: &ElementDefinition, other: &Source) -> bool {
    let must_repeat = !source.structure.is_profile() && !element.path.contains('.');
    !must_repeat && !other.structure.is_profile()
}

/// A step to what `kind` tells, narrowed by nothing.
pub(super) fn step(name: Name, element: u32, kind: KindId) -> Step {
    Step {
        name,
        element,
        kind,
        targets: 0..0,
        pointing: None,
        narrowed: None,
        profiles: 0..0,
        allowed: 0..0,
        is_left_out: false,
    }
}

fn form(structure: &Structure, holder: Option<&ElementDefinition>, is_root: bool) -> Form {
    let named = |name: &str| match name {
        "Reference" => Form::Reference,
        "Extension" => Form::Extension,
        "CodeableConcept" => Form::CodeableConcept,
        "Coding" | "Quantity" | "Age" | "Count" | "Distance" | "Duration" | "Money" => Form::Coding,
        other => Primitive::named(other).map_or(Form::Complex, Form::Primitive),
    };
    match (is_root, structure.kind.as_str()) {
        (true, "resource") if structure.r#abstract => Form::AnyResource,
        (true, "resource") => Form::Resource,
        (true, _) => named(&structure.r#type),
        (false, _) => match holder.map(|holder| holder.types.as_slice()) {
            Some([one]) => named(&one.code),
            Some(_) | None => Form::Complex,
        },
    }
}

/// FHIR's name of a type; the expression language's own types stand where XML has an attribute.
pub(super) fn type_code<'t>(one: &'t TypeReference, holder: Form, is_root: bool, name: &str) -> &'t str {
    match one.code.strip_prefix("http://hl7.org/fhirpath/System.") {
        None => &one.code,
        Some(_) if name == "id" && is_root && matches!(holder, Form::Resource | Form::AnyResource) => "id",
        Some(_) if name == "url" && holder == Form::Extension => "uri",
        Some(_) => "string",
    }
}

fn limit(max: &str) -> u32 {
    if max == "*" { UNBOUNDED } else { max.parse().unwrap_or(UNBOUNDED) }
}

pub(super) fn capitalised(code: &str) -> String {
    let mut letters = code.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

pub(super) fn without_version(canonical: &str) -> &str {
    canonical.split('|').next().unwrap_or(canonical)
}
