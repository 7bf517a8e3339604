//! The compiled form of the definitions: flat arrays that a check walks without hashing or copying text.

use super::invariant::Constraint;
use super::limits::Limits;
use super::pointing::Pointing;
use super::slicing::{Criterion, Slice, Slicing};
use super::{NotEvaluated, Primitive};
use crate::document::{Document, Name, Node};
use crate::fhirpath::{ElementTypes, Expression, Model};
use crate::terminology::values::{Membership, ValueSets};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// No upper limit.
pub(super) const UNBOUNDED: u32 = u32::MAX;

/// The number of a [`Kind`] in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct KindId(pub(super) u32);

/// A set of elements that stand together: a resource, a data type, or an element with elements of its own.
///
/// A profile's kinds hold only what the profile asks more than the definition of the type: they are walked besides
/// the type's, never instead.
#[derive(Debug)]
pub(super) struct Kind {
    /// The path, for example `Appointment` or `Appointment.participant`; in profiles with the names of slices.
    pub(super) path: Box<str>,
    /// The number of the definition that it comes from.
    pub(super) origin: u32,
    pub(super) form: Form,
    /// Its elements, and after them their slices.
    pub(super) elements: Range<u32>,
    /// How many of its elements are sliced; the walk keeps a mark for each.
    pub(super) slicing_count: u32,
    /// The names that children may have, in order of name.
    pub(super) steps: Range<u32>,
    /// Its elements with a minimum, in [`Plan::required`].
    pub(super) required: Range<u32>,
    pub(super) constraints: Range<u32>,
    /// What it asks and no check decides, in [`Plan::left`].
    pub(super) left: Range<u32>,
}

/// What a kind is, so far as a check treats it differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A resource of one type.
    Resource,
    /// A resource of any type: `contained`, `Bundle.entry.resource`.
    AnyResource,
    /// A data type or an element with elements.
    Complex,
    /// `Reference`.
    Reference,
    /// `Extension`.
    Extension,
    /// `CodeableConcept`.
    CodeableConcept,
    /// `Coding`, and `Quantity`, whose unit is a code of a system.
    Coding,
    /// A leaf.
    Primitive(Primitive),
}

/// What a definition asks of an element.
#[derive(Debug)]
pub(super) struct Element {
    /// The name without `[x]`.
    pub(super) name: Name,
    pub(super) min: u32,
    pub(super) max: u32,
    /// True when JSON writes it as an array.
    pub(super) is_array: bool,
    /// True for `value[x]` and its like.
    pub(super) is_choice: bool,
    /// The binding's number in [`Plan::bindings`].
    pub(super) binding: Option<u32>,
    pub(super) max_length: Option<u32>,
    pub(super) min_length: Option<u32>,
    /// A value that it must have, by its number in [`Plan::givens`].
    pub(super) given: Option<u32>,
    /// The least and the greatest value that it may have, by their number in [`Plan::limits`].
    pub(super) limits: Option<u32>,
    pub(super) constraints: Range<u32>,
    /// How its repeats are told apart, by its number in [`Plan::slicings`].
    pub(super) slicing: Option<u32>,
    /// The name of the slice that it is.
    pub(super) slice: Option<Box<str>>,
    /// What it asks and no check decides, in [`Plan::left`].
    pub(super) left: Range<u32>,
}

impl Element {
    /// The name as definitions write it: with `[x]` for a choice, and with the slice that it is.
    pub(super) fn shown(&self) -> String {
        let name = self.name.as_str();
        let choice = if self.is_choice { "[x]" } else { "" };
        match &self.slice {
            Some(slice) => format!("{name}{choice}:{slice}"),
            None => format!("{name}{choice}"),
        }
    }
}

/// A name that a child may have, and what it then is.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: Name,
    pub(super) element: u32,
    pub(super) kind: KindId,
    /// For references: the resource types that may be pointed at, in [`Plan::targets`]; empty for any.
    pub(super) targets: Range<u32>,
    /// For references: what is asked of the targets beyond their type, by its number in [`Plan::pointings`].
    pub(super) pointing: Option<u32>,
    /// What a profile asks more of the elements below.
    pub(super) narrowed: Option<KindId>,
    /// The profiles of which its value fits one, in [`Plan::profile_refs`]; empty for any.
    pub(super) profiles: Range<u32>,
    /// For resources: the types that may stand here, in [`Plan::allowed`]; empty for any.
    pub(super) allowed: Range<u32>,
    /// True for a type of a choice that the profile leaves out.
    pub(super) is_left_out: bool,
}

/// A profile that a type is narrowed by.
#[derive(Debug)]
pub(super) struct ProfileRef {
    pub(super) url: Box<str>,
    /// The definition's number; none when it is not loaded.
    pub(super) origin: Option<u32>,
}

/// A resource type that may stand somewhere.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) type_name: Box<str>,
    /// The profiles of which it fits one, in [`Plan::profile_refs`]; empty for any.
    pub(super) profiles: Range<u32>,
}

/// Where an extension may stand.
#[derive(Debug)]
pub(super) enum ExtensionContext {
    /// In elements of this path: the name of a type, and names of elements below it.
    Element { type_name: Box<str>, path: Box<[Name]>, told: Box<str> },
    /// In the extension of this url.
    Extension(Box<str>),
    /// In what this expression finds in the resource.
    Expression(Expression),
}

/// A binding that is checked.
#[derive(Debug)]
pub(super) struct Binding {
    /// The value set; none when only the widest one is checked.
    pub(super) bound: Option<Bound>,
    /// True when the code must be of the value set, false when it should (an extensible binding).
    pub(super) is_required: bool,
    /// The widest value set that codes may come from, where the binding is not required
    /// (`elementdefinition-maxValueSet`).
    pub(super) widest: Option<Bound>,
}

/// A value set that a binding names.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) url: Box<str>,
    /// The value set's number; none when it is not loaded.
    pub(super) value_set: Option<u32>,
}

/// A value that an element must have (`fixed[x]`) or hold (`pattern[x]`).
#[derive(Debug)]
pub(super) struct Given {
    /// The value, as the root of a tree.
    pub(super) value: Document,
    pub(super) is_whole: bool,
}

/// A definition that is loaded.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) url: Box<str>,
    pub(super) version: Box<str>,
    pub(super) type_name: Box<str>,
    pub(super) is_profile: bool,
    pub(super) is_resource: bool,
    pub(super) is_abstract: bool,
    pub(super) root: KindId,
    /// The number of the type that this type extends.
    pub(super) parent: Option<u32>,
    /// What a profile asks of the value as a whole, by the number of its root in [`Plan::elements`].
    pub(super) whole: Option<u32>,
    /// Of an extension: true when it can turn the meaning of what it stands in round.
    pub(super) is_modifier: bool,
    /// Of an extension: where it may stand, in [`Plan::contexts`].
    pub(super) contexts: Range<u32>,
    /// Of an extension: invariants on the element that it stands in, in [`Plan::constraints`].
    pub(super) context_invariants: Range<u32>,
}

impl Origin {
    /// True for the definition of an extension.
    pub(super) fn is_extension(&self) -> bool {
        self.is_profile && &*self.type_name == "Extension"
    }
}

/// The names that the check itself looks for.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) id: Name,
    pub(super) extension: Name,
    pub(super) url: Name,
    pub(super) modifier_extension: Name,
    pub(super) implicit_rules: Name,
    pub(super) contained: Name,
    pub(super) reference: Name,
    pub(super) type_: Name,
    pub(super) system: Name,
    pub(super) code: Name,
    pub(super) coding: Name,
    pub(super) display: Name,
    pub(super) version: Name,
    pub(super) entry: Name,
    pub(super) version_id: Name,
    pub(super) meta: Name,
    pub(super) profile: Name,
    pub(super) full_url: Name,
}

impl Default for Names {
    fn default() -> Self {
        Names {
            id: Name::intern("id"),
            extension: Name::intern("extension"),
            url: Name::intern("url"),
            modifier_extension: Name::intern("modifierExtension"),
            implicit_rules: Name::intern("implicitRules"),
            contained: Name::intern("contained"),
            reference: Name::intern("reference"),
            type_: Name::intern("type"),
            system: Name::intern("system"),
            code: Name::intern("code"),
            coding: Name::intern("coding"),
            display: Name::intern("display"),
            version: Name::intern("version"),
            entry: Name::intern("entry"),
            version_id: Name::intern("versionId"),
            meta: Name::intern("meta"),
            profile: Name::intern("profile"),
            full_url: Name::intern("fullUrl"),
        }
    }
}

/// Every definition, compiled.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) names: Names,
    pub(super) origins: Vec<Origin>,
    pub(super) kinds: Vec<Kind>,
    pub(super) elements: Vec<Element>,
    pub(super) steps: Vec<Step>,
    pub(super) required: Vec<u32>,
    pub(super) targets: Vec<Name>,
    pub(super) pointings: Vec<Pointing>,
    pub(super) bindings: Vec<Binding>,
    /// Code systems and value sets.
    pub(super) values: ValueSets,
    pub(super) givens: Vec<Given>,
    pub(super) limits: Vec<Limits>,
    pub(super) slicings: Vec<Slicing>,
    pub(super) slices: Vec<Slice>,
    pub(super) criteria: Vec<Criterion>,
    pub(super) profile_refs: Vec<ProfileRef>,
    pub(super) allowed: Vec<Allowed>,
    pub(super) contexts: Vec<ExtensionContext>,
    /// What definitions ask and no check decides.
    pub(super) left: Vec<NotEvaluated>,
    /// The definitions by canonical url.
    pub(super) by_url: HashMap<Box<str>, u32>,
    /// Invariants; those that many definitions repeat are kept once.
    pub(super) constraints: Vec<Arc<Constraint>>,
    /// Resource types that may stand by themselves, in order of name.
    pub(super) resources: Vec<(Box<str>, KindId)>,
    /// All types, in order of name.
    pub(super) types: Vec<(Box<str>, KindId)>,
}

impl Plan {
    pub(super) fn kind(&self, id: KindId) -> &Kind {
        &self.kinds[id.0 as usize]
    }

    /// The resource type of this name.
    pub(super) fn resource(&self, name: &str) -> Option<KindId> {
        let found = self.resources.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        self.resources.get(found).map(|(_, kind)| *kind)
    }

    /// The type of this name: a resource, a data type or a primitive.
    pub(super) fn type_named(&self, name: &str) -> Option<KindId> {
        let found = self.types.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        self.types.get(found).map(|(_, kind)| *kind)
    }

    pub(super) fn elements(&self, kind: &Kind) -> &[Element] {
        slice(&self.elements, &kind.elements)
    }

    pub(super) fn steps(&self, kind: &Kind) -> &[Step] {
        slice(&self.steps, &kind.steps)
    }

    /// The step that a child of this name takes from `kind`; none when the kind has no such element.
    pub(super) fn step_named(&self, kind: &Kind, name: Name) -> Option<&Step> {
        let steps = self.steps(kind);
        steps.binary_search_by_key(&name, |step| step.name).ok().and_then(|found| steps.get(found))
    }

    /// The elements of `kind` that must be there.
    pub(super) fn required(&self, kind: &Kind) -> &[u32] {
        slice(&self.required, &kind.required)
    }

    pub(super) fn targets(&self, step: &Step) -> &[Name] {
        slice(&self.targets, &step.targets)
    }

    /// What is asked of the targets of a reference beyond their type.
    pub(super) fn pointing(&self, step: &Step) -> Option<&Pointing> {
        step.pointing.and_then(|number| self.pointings.get(number as usize))
    }

    pub(super) fn constraints(&self, range: &Range<u32>) -> &[Arc<Constraint>] {
        slice(&self.constraints, range)
    }

    pub(super) fn profile_refs(&self, range: &Range<u32>) -> &[ProfileRef] {
        slice(&self.profile_refs, range)
    }

    pub(super) fn allowed(&self, step: &Step) -> &[Allowed] {
        slice(&self.allowed, &step.allowed)
    }

    pub(super) fn slices(&self, slicing: &Slicing) -> &[Slice] {
        slice(&self.slices, &slicing.slices)
    }

    pub(super) fn slice_steps(&self, one: &Slice) -> &[Step] {
        slice(&self.steps, &one.steps)
    }

    pub(super) fn criteria(&self, one: &Slice) -> &[Criterion] {
        slice(&self.criteria, &one.criteria)
    }

    pub(super) fn contexts(&self, origin: &Origin) -> &[ExtensionContext] {
        slice(&self.contexts, &origin.contexts)
    }

    pub(super) fn left(&self, range: &Range<u32>) -> &[NotEvaluated] {
        slice(&self.left, range)
    }

    pub(super) fn origin(&self, number: u32) -> Option<&Origin> {
        self.origins.get(number as usize)
    }

    /// The number and definition of this canonical url, which may name a version.
    pub(super) fn defined(&self, canonical: &str) -> Option<(u32, &Origin)> {
        let url = canonical.split('|').next().unwrap_or(canonical);
        let number = *self.by_url.get(url)?;
        Some((number, self.origin(number)?))
    }

    /// True when the type of definition `number` is `type_name` or extends it.
    pub(super) fn is_a(&self, number: u32, type_name: &str) -> bool {
        /// R4's longest chain of types has five.
        const ANCESTORS_MAX: usize = 16;
        let chain = std::iter::successors(self.origin(number), |origin| self.origin(origin.parent?));
        chain.take(ANCESTORS_MAX).any(|origin| &*origin.type_name == type_name)
    }

    /// FHIR's name for what `kind` is.
    pub(super) fn type_name(&self, kind: &Kind) -> &str {
        match kind.form {
            // An element with elements of its own; a data type's are plain elements, but nothing asks.
            Form::Complex if kind.path.contains('.') => "BackboneElement",
            Form::Reference => "Reference",
            Form::Extension => "Extension",
            Form::CodeableConcept => "CodeableConcept",
            Form::Primitive(primitive) => primitive.as_str(),
            Form::Resource | Form::AnyResource | Form::Complex | Form::Coding => {
                self.origins.get(kind.origin as usize).map_or("", |origin| &origin.type_name)
            }
        }
    }

    /// The kind of `node`, by the way from its resource down to it.
    pub(super) fn kind_of(&self, node: Node<'_>) -> Option<&Kind> {
        if let Some(resource) = node.resource_type() {
            return self.resource(resource).map(|kind| self.kind(kind));
        }
        let parent = self.kind_of(node.parent()?)?;
        let step = self.step_named(parent, node.interned()?)?;
        Some(self.kind(step.kind))
    }

    /// The kind at a path of a type's name and element names, for example `Patient.contact`.
    fn kind_at(&self, path: &str) -> Option<&Kind> {
        let mut names = path.split('.');
        let kind = self.kind(self.type_named(names.next()?)?);
        names.try_fold(kind, |kind, name| Some(self.kind(self.step_named(kind, Name::find(name)?)?.kind)))
    }

    /// The url of the definition that `kind` comes from.
    pub(super) fn url(&self, kind: &Kind) -> &str {
        self.origins.get(kind.origin as usize).map_or("", |origin| &origin.url)
    }
}

fn slice<'p, T>(all: &'p [T], range: &Range<u32>) -> &'p [T] {
    all.get(range.start as usize..range.end as usize).unwrap_or(&[])
}

/// The definitions say which type an element has; expressions ask.
impl Model for Plan {
    fn type_of<'n>(&'n self, node: Node<'n>) -> Option<&'n str> {
        match node.resource_type() {
            Some(resource) => Some(resource),
            None => self.kind_of(node).map(|kind| self.type_name(kind)),
        }
    }

    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        match self.values.find(value_set)?.holds(system, code) {
            Membership::In => Some(true),
            Membership::Out => Some(false),
            Membership::Undecided => None,
        }
    }

    fn subsumes(&self, system: &str, broader: &str, narrower: &str) -> Option<bool> {
        self.values.systems().find(system)?.subsumes(broader, narrower)
    }

    fn element<'m>(&'m self, holder: &str, name: &str) -> ElementTypes<'m> {
        let Some(kind) = self.kind_at(holder) else { return ElementTypes::Unknown };
        let is_wanted = |step: &&Step| {
            let element = self.elements.get(step.element as usize);
            element.is_some_and(|element| element.name.as_str() == name)
        };
        let told = |step: &Step| {
            let kind = self.kind(step.kind);
            // Elements with elements of their own are told by their path, which is what is asked about next.
            if kind.path.contains('.') { &*kind.path } else { self.type_name(kind) }
        };
        let types: Vec<_> = self.steps(kind).iter().filter(is_wanted).map(told).collect();
        if types.is_empty() { ElementTypes::Absent } else { ElementTypes::Types(types) }
    }

    fn element_names<'m>(&'m self, holder: &str) -> Vec<&'m str> {
        let elements = self.kind_at(holder).map(|kind| self.elements(kind)).unwrap_or_default();
        elements.iter().map(|element| element.name.as_str()).collect()
    }
}
