//! `conformsTo()`: whether an element is valid against a definition, asked by an expression.

use super::check::{STEPS, Walk};
use super::known::Known;
use crate::document::Node;
use crate::fhirpath::{Context, Model};
use crate::issue::any_refuses;
use crate::terminology::values::Membership;
use std::cell::Cell;

/// How deep expressions may ask in answers to expressions; a profile may ask for itself, and then nothing but what it asks
/// beside that speaks against it.
const DEPTH_MAX: u32 = 4;

/// Whether `node` is valid against the definition with this url. None when that is not loaded, and when it takes more
/// steps or questions inside questions than there are.
pub(super) fn conforms<'d>(known: &Known<'_>, node: Node<'d>, url: &str, context: &Context<'d>) -> Option<bool> {
    let plan = known.plan;
    let (number, origin) = plan.defined(url)?;
    if known.depth == DEPTH_MAX {
        return None;
    }
    let type_name = plan.type_of(node)?;
    let kind = plan.type_named(type_name)?;
    if !plan.is_a(plan.kind(kind).origin, &origin.type_name) {
        return Some(false);
    }
    let budget = context.budget_left();
    let deeper = Known { depth: known.depth + 1, ..*known };
    let mut walk = Walk::new(&deeper, (context.resource, context.root), budget.map_or(STEPS, Cell::get));
    // A leaf, and an element that is defined where it stands, are checked with their holder.
    if node.value().is_none() && !matches!(type_name, "BackboneElement" | "Element") {
        walk.inside(node, |walk| walk.complex(node, kind));
    }
    let conforms = !any_refuses(&walk.issues) && (!origin.is_profile || walk.fits(node, number) != Membership::Out);
    if let Some(budget) = budget {
        budget.set(walk.steps_left.get());
    }
    (walk.steps_left.get() > 0).then_some(conforms)
}
