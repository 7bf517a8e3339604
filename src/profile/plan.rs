//! The compiled form of the definitions: flat arrays that a check walks without hashing or copying text.

use super::Primitive;
use super::invariant::Constraint;
use crate::document::{Name, Node};
use crate::fhirpath::Model;
use crate::terminology::values::{Membership, ValueSets};
use serde_json::Value;
use std::ops::Range;
use std::sync::Arc;

/// No upper limit.
pub(super) const UNBOUNDED: u32 = u32::MAX;

/// The number of a [`Kind`] in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KindId(pub(super) u32);

/// A set of elements that stand together: a resource, a data type, or an element with elements of its own.
#[derive(Debug)]
pub(super) struct Kind {
    /// The path, for example `Appointment` or `Appointment.participant`.
    pub(super) path: Box<str>,
    /// The number of the definition that it comes from.
    pub(super) origin: u32,
    pub(super) form: Form,
    pub(super) elements: Range<u32>,
    /// The names that children may have, in order of name.
    pub(super) steps: Range<u32>,
    /// Its elements with a minimum, in [`Plan::required`].
    pub(super) required: Range<u32>,
    pub(super) constraints: Range<u32>,
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
    /// A value that it must have, by its number in [`Plan::givens`].
    pub(super) given: Option<u32>,
    pub(super) constraints: Range<u32>,
}

/// A name that a child may have, and what it then is.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: Name,
    pub(super) element: u32,
    pub(super) kind: KindId,
    /// For references: the resource types that may be pointed at, in [`Plan::targets`]; empty for any.
    pub(super) targets: Range<u32>,
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
    pub(super) value: Value,
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
    pub(super) bindings: Vec<Binding>,
    /// Code systems and value sets.
    pub(super) values: ValueSets,
    pub(super) givens: Vec<Given>,
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

    pub(super) fn constraints(&self, range: &Range<u32>) -> &[Arc<Constraint>] {
        slice(&self.constraints, range)
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
    fn kind_of(&self, node: Node<'_>) -> Option<&Kind> {
        if let Some(resource) = node.resource_type() {
            return self.resource(resource).map(|kind| self.kind(kind));
        }
        let parent = self.kind_of(node.parent()?)?;
        let step = self.step_named(parent, node.interned()?)?;
        Some(self.kind(step.kind))
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
}
