//! Functions over collections as such: existence, filtering, parts, sets, walking the tree.

use super::super::compare::{distinct, is_among, order};
use super::super::diagnostic::Failure;
use super::super::program::{Code, CodeKind};
use super::super::run::{Evaluated, Focus};
use super::super::table::Function;
use super::super::value::{Collection, Item};
use super::Call;
use crate::document::{Node, NodeId};
use std::cmp::Ordering;
use std::collections::HashSet;

pub(super) fn exists<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    if call.arguments.is_empty() {
        return Ok((!call.input.is_empty()).into());
    }
    for (index, item) in call.input.iter().enumerate() {
        if call.holds(0, item, index)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

pub(super) fn all<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    for (index, item) in call.input.iter().enumerate() {
        if !call.holds(0, item, index)? {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

pub(super) fn truths<'d>(function: Function, call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let wanted = matches!(function, Function::AllTrue | Function::AnyTrue);
    let any = matches!(function, Function::AnyTrue | Function::AnyFalse);
    for item in &call.input {
        let truth = item.boolean().ok_or_else(|| call.type_fault("this works on truth values only"))?;
        if any && truth == wanted {
            return Ok(true.into());
        }
        if !any && truth != wanted {
            return Ok(false.into());
        }
    }
    Ok((!any).into())
}

pub(super) fn select_where<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let mut kept = Collection::new();
    for (index, item) in call.input.iter().enumerate() {
        if call.holds(0, item, index)? {
            kept.push(item.clone());
        }
    }
    Ok(kept)
}

pub(super) fn select<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let mut found = Collection::new();
    for (index, item) in call.input.iter().enumerate() {
        let each = call.over(0, item, index)?;
        call.run.spend(each.len(), call.at)?;
        found.append(each);
    }
    Ok(found)
}

pub(super) fn aggregate<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let mut total = call.argument(1)?;
    let Some(code) = call.arguments.first() else { return Ok(total) };
    for (index, item) in call.input.iter().enumerate() {
        let focus = Focus { this: Some(item), index: Some(index), total: Some(&total), all: None };
        let next = call.run.eval(code, focus)?;
        total = next;
    }
    Ok(total)
}

/// Each element is taken once however often it is met, so that this ends on every tree.
pub(super) fn repeat<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let mut seen_nodes: HashSet<(usize, NodeId)> = HashSet::new();
    let mut found = Collection::new();
    let mut made = Collection::new();
    let mut level: Vec<Item<'d>> = call.input.iter().cloned().collect();
    while !level.is_empty() {
        let mut next = Vec::new();
        for (index, item) in level.iter().enumerate() {
            for result in call.over(0, item, index)? {
                call.run.spend(1, call.at)?;
                let is_new = match &result {
                    Item::Node(node) => seen_nodes.insert((std::ptr::from_ref(node.document()).addr(), node.id())),
                    Item::Value(..) => !is_among(call.run, &result, &made, call.at)?,
                };
                if is_new {
                    if matches!(result, Item::Value(..)) {
                        made.push(result.clone());
                    }
                    found.push(result.clone());
                    next.push(result);
                }
            }
        }
        level = next;
    }
    Ok(found)
}

/// As `repeat()`, with what is met again taken again. Walks down a tree end by themselves; what goes round runs out of steps.
pub(super) fn repeat_all<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    /// Everything is kept at once, so an item costs more than a look.
    const STEPS_EACH: usize = 8;
    let mut found = Collection::new();
    let mut level: Vec<Item<'d>> = call.input.iter().cloned().collect();
    while !level.is_empty() {
        let mut next = Vec::new();
        for (index, item) in level.iter().enumerate() {
            for result in call.over(0, item, index)? {
                call.run.spend(STEPS_EACH, call.at)?;
                found.push(result.clone());
                next.push(result);
            }
        }
        level = next;
    }
    Ok(found)
}

/// `coalesce(…)`: the first argument that is not empty; those after it are not computed.
pub(super) fn coalesce<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    for place in 0..call.arguments.len() {
        let value = call.argument(place)?;
        if !value.is_empty() {
            return Ok(value);
        }
    }
    Ok(Collection::new())
}

pub(super) fn is_distinct<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let count = call.input.len();
    Ok((distinct(call.run, call.input, call.at)?.len() == count).into())
}

pub(super) fn part<'d>(function: Function, call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let count = call.run.integer(&call.argument(0)?, call.at)?;
    let count = count.map(|count| usize::try_from(count.max(0)).unwrap_or(usize::MAX));
    let skip = function == Function::Skip;
    Ok(match count {
        None => Collection::new(),
        Some(count) if skip => call.input.into_iter().skip(count).collect(),
        Some(count) => call.input.into_iter().take(count).collect(),
    })
}

/// `sort(keys)`: by each key in turn, `-key` downwards, the items themselves without a key; nothing comes first.
pub(super) fn sort<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let mut keyed: Vec<(Vec<Collection<'d>>, Item<'d>)> = Vec::with_capacity(call.input.len());
    for (index, item) in call.input.iter().enumerate() {
        let focus = call.focus.on(item, index);
        let mut keys = Vec::with_capacity(call.arguments.len());
        for code in call.arguments {
            keys.push(call.run.eval(descending(code).unwrap_or(code), focus)?);
        }
        if keys.is_empty() {
            keys.push(Collection::from(item.clone()));
        }
        keyed.push((keys, item.clone()));
    }
    // A sort compares about n·log n times; the order itself cannot fail inside it, so the faults are kept aside.
    call.run.spend(keyed.len().saturating_mul(keyed.len().checked_ilog2().unwrap_or(0) as usize), call.at)?;
    let mut fault = None;
    keyed.sort_by(|(left, _), (right, _)| {
        for (place, (left, right)) in left.iter().zip(right).enumerate() {
            match order(call.run, left, right, call.at) {
                Ok(Ordering::Equal) => {}
                // Nothing stays first, whichever way the rest goes.
                Ok(order) if left.is_empty() || right.is_empty() => return order,
                Ok(order) if call.arguments.get(place).and_then(descending).is_some() => return order.reverse(),
                Ok(order) => return order,
                Err(failure) => {
                    fault.get_or_insert(failure);
                    return Ordering::Equal;
                }
            }
        }
        Ordering::Equal
    });
    match fault {
        Some(failure) => Err(failure),
        None => Ok(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}

/// The key below a minus sign.
fn descending(code: &Code) -> Option<&Code> {
    if let CodeKind::Sign { negative: true, operand } = &code.kind { Some(operand) } else { None }
}

pub(super) fn sift<'d>(function: Function, call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let other = call.argument(0)?;
    let keep_common = function == Function::Intersect;
    let mut kept = Collection::new();
    for item in &call.input {
        if is_among(call.run, item, &other, call.at)? == keep_common {
            kept.push(item.clone());
        }
    }
    if keep_common { distinct(call.run, kept, call.at) } else { Ok(kept) }
}

pub(super) fn is_subset<'d>(function: Function, call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let other = call.argument(0)?;
    let (part, whole) = match function == Function::SubsetOf {
        true => (&call.input, &other),
        false => (&other, &call.input),
    };
    for item in part {
        if !is_among(call.run, item, whole, call.at)? {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

pub(super) fn merge<'d>(function: Function, call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let other = call.argument(0)?;
    let (run, at) = (call.run, call.at);
    let mut all = call.input;
    all.append(other);
    match function == Function::Union {
        true => distinct(run, all, at),
        false => Ok(all),
    }
}

/// `children()` and `descendants()`, in document order.
pub(super) fn below<'d>(function: Function, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let mut found = Collection::new();
    for node in call.input.iter().filter_map(Item::node) {
        let mut waiting: Vec<Node<'d>> = Vec::new();
        push_children(node, &mut waiting);
        while let Some(child) = waiting.pop() {
            call.run.spend(1, call.at)?;
            found.push(Item::Node(child));
            if function == Function::Descendants {
                push_children(child, &mut waiting);
            }
        }
    }
    Ok(found)
}

/// Puts the children on the stack so that the first is taken first.
fn push_children<'d>(node: Node<'d>, waiting: &mut Vec<Node<'d>>) {
    let start = waiting.len();
    waiting.extend(node.children());
    if let Some(added) = waiting.get_mut(start..) {
        added.reverse();
    }
}

/// Only the branch that is chosen is computed.
pub(super) fn iif<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let focus = match call.input.items() {
        // `iif` may begin a path on an empty focus, or stand on nothing.
        [] => Focus { this: None, all: None, ..call.focus },
        [item] => Focus { this: Some(item), all: None, ..call.focus },
        _ => return Err(super::not_single("`iif()`", call.at)),
    };
    let branch = |place: usize| match call.arguments.get(place) {
        Some(code) => call.run.eval(code, focus),
        None => Ok(Collection::new()),
    };
    let criterion = branch(0)?;
    let truth = match criterion.items() {
        [] => false,
        [item] => item.boolean().ok_or_else(|| condition_fault(&call))?,
        _ => return Err(super::not_single("the condition of `iif()`", call.at)),
    };
    branch(if truth { 1 } else { 2 })
}

fn condition_fault(call: &Call<'_, '_, '_>) -> Failure {
    call.type_fault("the condition of `iif()` is a truth value")
}
