//! What an expression asks of the definitions and code systems that are loaded. This layer holds none: an outer one
//! answers, and what nobody can answer is a failure of the evaluation or a step not checked, never a guess.

use super::context::Context;
use crate::document::Node;

/// What the types of an element are, as [`Model::element`] tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElementTypes<'m> {
    /// The holder is not known here, so nothing can be said about its elements.
    Unknown,
    /// The holder is known and has no such element.
    Absent,
    /// The types it may have; several for a choice element.
    Types(Vec<&'m str>),
}

/// The definitions and code systems behind expressions. Every answer may be "not known".
pub trait Model: Send + Sync {
    /// The FHIR type of `node`, for example `dateTime` or `HumanName`; none when it is not known.
    fn type_of<'n>(&'n self, _node: Node<'n>) -> Option<&'n str> {
        None
    }

    /// The type that the type `name` is derived from (`DomainResource` for `Patient`); none when it is not known, or
    /// derived from nothing. Asked for types that are not R4's own only.
    fn base_type<'m>(&'m self, _name: &str) -> Option<&'m str> {
        None
    }

    /// The types of the element `name` of `holder`: a type such as `Patient`, or the path of an element with elements
    /// of its own such as `Patient.contact`. Such elements are told by their path, choice elements are asked for
    /// without `[x]`. For [`compile_for`](super::compile_for).
    fn element<'m>(&'m self, _holder: &str, _name: &str) -> ElementTypes<'m> {
        ElementTypes::Unknown
    }

    /// The names of the elements of `holder`, for hints.
    fn element_names<'m>(&'m self, _holder: &str) -> Vec<&'m str> {
        Vec::new()
    }

    /// Whether the value set holds `code`, of any system when none is given. None when the value set is not loaded or
    /// cannot be decided.
    fn member_of(&self, _value_set: &str, _system: Option<&str>, _code: &str) -> Option<bool> {
        None
    }

    /// Whether `narrower` is `broader` or stands below it in the code system. None when that cannot be told.
    fn subsumes(&self, _system: &str, _broader: &str, _narrower: &str) -> Option<bool> {
        None
    }

    /// Whether `node` is valid against the definition with this canonical url. None when that is not loaded. What is
    /// evaluated on the way should take its steps from [`Context::budget_left`] of `context`.
    fn conforms_to<'n>(&self, _node: Node<'n>, _profile: &str, _context: &Context<'n>) -> Option<bool> {
        None
    }

    /// Whether `node` belongs to the slice `slice` of the definition with the canonical url `structure`. None when that is
    /// not known.
    fn is_in_slice(&self, _node: Node<'_>, _structure: &str, _slice: &str) -> Option<bool> {
        None
    }

    /// The ElementDefinition of `node` as an element; none when definitions are not kept in that form.
    fn element_definition<'n>(&'n self, _node: Node<'n>) -> Option<Node<'n>> {
        None
    }
}
