//! Invariants: where the plan meets the expression language.

use super::definition;
use crate::document::Node;

/// Invariants that the check sees to by itself, faster than an expression would.
///
/// `ele-1`: an element has a value or children. `ext-1`: an extension has a value or extensions. `txt-1`, `txt-2`: what
/// a narrative may hold.
pub(super) const NATIVE: &[&str] = &["ele-1", "ext-1", "txt-1", "txt-2"];

/// Invariants that are set aside on purpose, with the reason.
///
/// `dom-6` advises every resource to carry a narrative. Neither PCA nor BaRS senders do, so telling it would put a
/// warning on every answer and teach readers to skip warnings.
pub(super) const SET_ASIDE: &[(&str, &str)] = &[("dom-6", "advice to carry a narrative, which senders here never do")];

/// An invariant, compiled.
#[derive(Debug)]
pub(super) struct Constraint {
    pub(super) key: Box<str>,
    /// What it asks, in the definition's words.
    pub(super) human: Box<str>,
    pub(super) is_error: bool,
}

/// Compiles an invariant.
///
/// # Errors
/// When its expression is missing or cannot be compiled, with the reason.
pub(super) fn compile(constraint: &definition::Constraint) -> Result<Constraint, String> {
    let Some(_) = &constraint.expression else {
        return Err("it has no expression".into());
    };
    let _ = Constraint {
        key: constraint.key.as_str().into(),
        human: constraint.human.as_str().into(),
        is_error: constraint.is_error(),
    };
    Err("expressions are not evaluated yet".into())
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

/// Whether the invariant holds; none when it could not be decided.
pub(super) fn holds(_constraint: &Constraint, place: Place<'_>) -> Option<bool> {
    let _ = (place.node, place.resource, place.root);
    None
}
