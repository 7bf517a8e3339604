//! Invariants: where the plan meets the expression language.

use super::definition;
use super::known::Known;
use crate::document::Node;
use crate::fhirpath::{self, Context, Expression, Failure, Resolver, Scope};
use std::cell::Cell;

/// Invariants that the check sees to by itself, faster than an expression would.
///
/// `ele-1`: an element has a value or children. `ext-1`: an extension has a value or extensions. `txt-1`, `txt-2`: what
/// a narrative may hold. `ref-1`, `dom-3`: local references and contained resources find each other. `bdl-3`,
/// `bdl-4`, `bdl-7`, `bdl-8`, `bdl-11`, `bdl-12`: what a Bundle asks of its entries.
pub(super) const NATIVE: &[&str] =
    &["ele-1", "ext-1", "txt-1", "txt-2", "ref-1", "dom-3", "bdl-3", "bdl-4", "bdl-7", "bdl-8", "bdl-11", "bdl-12"];

/// An invariant, compiled.
#[derive(Debug)]
pub(super) struct Constraint {
    pub(super) key: Box<str>,
    /// What it asks, in the definition's words.
    pub(super) human: Box<str>,
    pub(super) is_error: bool,
    pub(super) expression: Expression,
}

/// Compiles an invariant.
///
/// # Errors
/// When its expression is missing or cannot be compiled, with the reason.
pub(super) fn compile(constraint: &definition::Constraint) -> Result<Constraint, String> {
    let text = constraint.expression.as_deref().ok_or("it has no expression")?;
    let expression = fhirpath::compile(text, &Scope::new().as_selects()).map_err(|diagnostics| {
        let told: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
        told.join("; ")
    })?;
    Ok(Constraint {
        key: constraint.key.as_str().into(),
        human: constraint.human.as_str().into(),
        is_error: constraint.is_error(),
        expression,
    })
}

/// Where an invariant is evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'d> {
    /// The element that it is about: `$this`.
    pub(super) node: Node<'d>,
    /// The resource that the element belongs to: `%resource`.
    pub(super) resource: Node<'d>,
    /// The resource that contains that resource, or itself: `%rootResource`.
    pub(super) root: Node<'d>,
}

/// Whether the invariant holds; `resolver` follows references for `resolve()`, and `steps_left` is what all invariants
/// over one document share. One that comes to nothing is broken, as for HL7's validator: the invariants of R4 say
/// themselves what is to be when something is absent, and where a date and a date with time cannot be compared, nobody
/// knows that the one lies before the other. Advice that comes to nothing is not given.
///
/// # Errors
/// When the expression cannot be evaluated here.
pub(super) fn holds<'x>(
    constraint: &Constraint,
    place: Place<'x>,
    known: &'x Known<'x>,
    resolver: &'x Resolver<'x>,
    steps_left: &'x Cell<u64>,
) -> Result<bool, Failure> {
    let context = Context::new(place.resource).root(place.root).model(known).resolver(resolver).budget(steps_left);
    Ok(constraint.expression.holds(place.node, &context)?.unwrap_or(!constraint.is_error))
}
