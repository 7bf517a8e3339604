//! What code systems and value sets are asked: `memberOf`, `subsumes`, `subsumedBy`.

use super::super::run::Evaluated;
use super::super::value::{Collection, Item};
use super::{Call, Failure};
use crate::document::Node;
use std::borrow::Cow;

/// A code with the system that it is said to be of.
struct Coded<'d> {
    system: Option<&'d str>,
    code: Cow<'d, str>,
}

/// The codes that an item holds: one of a code, Coding or Quantity, any number of a CodeableConcept. None for what
/// holds none by its nature.
fn codes<'d>(item: &Item<'d>) -> Option<Vec<Coded<'d>>> {
    let node = match item {
        Item::Node(node) if node.value().is_none() => *node,
        Item::Node(_) | Item::Value(..) => return Some(vec![Coded { system: None, code: item.text()? }]),
    };
    let mut found: Vec<_> = node.children_named("coding").filter_map(of_coding).collect();
    found.extend(of_coding(node));
    let is_concept = || node.children().all(|child| matches!(child.name(), "id" | "extension" | "text" | "coding"));
    let is_coding = || node.children().all(|child| matches!(child.name(), "id" | "extension" | "display" | "system"));
    (!found.is_empty() || is_concept() || is_coding()).then_some(found)
}

fn of_coding(node: Node<'_>) -> Option<Coded<'_>> {
    let text = |name: &str| node.child_named(name).and_then(|child| child.string());
    Some(Coded { system: text("system"), code: Cow::Borrowed(text("code")?) })
}

/// `memberOf(valueSet)` of a code, Coding, Quantity or CodeableConcept: true when any of its codes is in the set.
pub(super) fn member_of<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(value_set) = call.text_argument(0, "`memberOf()`")? else { return Ok(Collection::new()) };
    let Some(item) = call.input.single() else { return Ok(Collection::new()) };
    let codes = codes(item).ok_or_else(|| call.type_fault("`memberOf()` is asked of codes"))?;
    let model = call.run.context.model;
    let mut is_known = true;
    for coded in codes {
        call.run.spend(1, call.at)?;
        match model.and_then(|model| model.member_of(&value_set, coded.system, &coded.code)) {
            Some(true) => return Ok(true.into()),
            Some(false) => {}
            None => is_known = false,
        }
    }
    match is_known {
        true => Ok(false.into()),
        false => Err(not_known(call, "the definitions loaded here do not tell what is in this value set")),
    }
}

/// `subsumes(code)` and `subsumedBy(code)`: empty when the codes are of different systems.
pub(super) fn subsumes<'d>(call: &Call<'_, '_, 'd>, is_broader: bool) -> Evaluated<'d> {
    let other = call.argument(0)?;
    let (Some(mine), Some(theirs)) = (call.input.single(), other.single()) else { return Ok(Collection::new()) };
    let fault = || call.type_fault("codes subsume codes: Codings and CodeableConcepts");
    let (mine, theirs) = (codes(mine).ok_or_else(fault)?, codes(theirs).ok_or_else(fault)?);
    let model = call.run.context.model;
    let (mut is_known, mut is_related) = (true, false);
    for my in &mine {
        for their in &theirs {
            call.run.spend(1, call.at)?;
            let Some(system) = my.system.or(their.system) else { continue };
            if my.system.is_some_and(|mine| their.system.is_some_and(|theirs| mine != theirs)) {
                continue;
            }
            is_related = true;
            let (broader, narrower) = if is_broader { (my, their) } else { (their, my) };
            if broader.code == narrower.code {
                return Ok(true.into());
            }
            match model.and_then(|model| model.subsumes(system, &broader.code, &narrower.code)) {
                Some(true) => return Ok(true.into()),
                Some(false) => {}
                None => is_known = false,
            }
        }
    }
    match (is_related, is_known) {
        (false, _) => Ok(Collection::new()),
        (true, true) => Ok(false.into()),
        (true, false) => Err(not_known(call, "the definitions loaded here do not tell which code is below which")),
    }
}

/// The failure of a question that only loaded definitions could answer.
pub(super) fn not_known(call: &Call<'_, '_, '_>, message: &str) -> Failure {
    Failure::new("fhirpath.not-known", message, call.at.clone())
}
