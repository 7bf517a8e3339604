//! Equality, equivalence, order and membership.
//!
//! A string leaf of which the type is not known is read as a date or time only where one is needed: beside a date,
//! and when both sides of a `<` read as one. `=` between two such leaves reads them as instants only when both have
//! a time with `T`, because only there do different texts mean the same.

use super::alike::{equal_values, equivalent_values, lift, lift_node, order_of};
use super::diagnostic::Failure;
use super::run::{Run, not_single};
use super::syntax::Order;
use super::value::{Collection, Item, Value};
use crate::document::Node;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::Range;

/// How deep elements are compared; deeper than any FHIR resource.
const NESTING_MAX: usize = 128;

/// FHIRPath's `=`: none when it cannot be said.
pub(super) fn equal<'d>(
    run: &Run<'_, 'd>,
    left: &Collection<'d>,
    right: &Collection<'d>,
    at: &Range<usize>,
) -> Result<Option<bool>, Failure> {
    if left.is_empty() || right.is_empty() {
        return Ok(None);
    }
    if left.len() != right.len() {
        return Ok(Some(false));
    }
    let mut result = Some(true);
    for (left, right) in left.iter().zip(right) {
        match equal_items(run, left, right, at)? {
            Some(true) => {}
            Some(false) => return Ok(Some(false)),
            None => result = None,
        }
    }
    Ok(result)
}

/// FHIRPath's `~`.
pub(super) fn equivalent<'d>(
    run: &Run<'_, 'd>,
    left: &Collection<'d>,
    right: &Collection<'d>,
    at: &Range<usize>,
) -> Result<bool, Failure> {
    if left.len() != right.len() {
        return Ok(false);
    }
    let mut used = vec![false; right.len()];
    for item in left {
        let mut matched = false;
        for (candidate, used) in right.iter().zip(used.iter_mut()) {
            if !*used && equivalent_items(run, item, candidate, 0, at)? {
                (*used, matched) = (true, true);
                break;
            }
        }
        if !matched {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `<`, `<=`, `>`, `>=`: none when a side is empty or the precision does not decide it.
pub(super) fn ordered<'d>(
    run: &Run<'_, 'd>,
    wanted: Order,
    left: &Collection<'d>,
    right: &Collection<'d>,
    at: &Range<usize>,
) -> Result<Option<bool>, Failure> {
    let (left, right) = match (left.items(), right.items()) {
        ([], _) | (_, []) => return Ok(None),
        ([left], [right]) => (left, right),
        _ => return Err(not_single("a comparison", at)),
    };
    let mismatch = || Failure::new("fhirpath.type", "these two cannot be put in order", at.clone());
    let order = match (lift(left, run.context), lift(right, run.context)) {
        (Some(left), Some(right)) => order_of(left, right).ok_or_else(mismatch)?,
        // An element without a value, such as one with an extension only, is as good as empty.
        (None, _) | (_, None) => None,
    };
    Ok(order.map(|order| match wanted {
        Order::Less => order == Ordering::Less,
        Order::LessOrEqual => order != Ordering::Greater,
        Order::Greater => order == Ordering::Greater,
        Order::GreaterOrEqual => order != Ordering::Less,
    }))
}

/// The order of two keys to sort by: nothing before something, and what cannot be told apart equal.
pub(super) fn order<'d>(
    run: &Run<'_, 'd>,
    left: &Collection<'d>,
    right: &Collection<'d>,
    at: &Range<usize>,
) -> Result<Ordering, Failure> {
    if left.is_empty() || right.is_empty() {
        return Ok(left.len().cmp(&right.len()));
    }
    match ordered(run, Order::Less, left, right, at)? {
        Some(true) => Ok(Ordering::Less),
        Some(false) if ordered(run, Order::Greater, left, right, at)? == Some(true) => Ok(Ordering::Greater),
        Some(false) | None => Ok(Ordering::Equal),
    }
}

/// True when one of `list` equals `sought`; for lists of texts that stand in the expression.
pub(super) fn is_listed<'d>(
    run: &Run<'_, 'd>,
    sought: &Item<'d>,
    list: &[&'static str],
    at: &Range<usize>,
) -> Result<bool, Failure> {
    run.spend(list.len(), at)?;
    Ok(match sought.value() {
        Some(Value::String(text)) => list.contains(&text.as_ref()),
        Some(_) | None => false,
    })
}

/// True when an item equal to `sought` is in the collection.
pub(super) fn is_among<'d>(
    run: &Run<'_, 'd>,
    sought: &Item<'d>,
    among: &Collection<'d>,
    at: &Range<usize>,
) -> Result<bool, Failure> {
    for item in among {
        if equal_items(run, sought, item, at)? == Some(true) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The collection without repeats, the first of each kept.
pub(super) fn distinct<'d>(
    run: &Run<'_, 'd>,
    all: Collection<'d>,
    at: &Range<usize>,
) -> Result<Collection<'d>, Failure> {
    if all.len() < 2 {
        return Ok(all);
    }
    run.spend(all.len(), at)?;
    if all.len() > 8 && all.iter().all(is_plain_text) {
        let mut seen = HashSet::with_capacity(all.len());
        return Ok(all.into_iter().filter(|item| item.text().is_some_and(|text| seen.insert(text))).collect());
    }
    let mut kept = Collection::new();
    for item in all {
        if !is_among(run, &item, &kept, at)? {
            kept.push(item);
        }
    }
    Ok(kept)
}

/// True for a text that equals nothing but the same text.
fn is_plain_text(item: &Item<'_>) -> bool {
    matches!(item.value(), Some(Value::String(text)) if text.as_bytes().get(10).is_none_or(|byte| *byte != b'T'))
}

// ---- items

/// FHIRPath's `=` between two items.
pub(super) fn equal_items<'d>(
    run: &Run<'_, 'd>,
    left: &Item<'d>,
    right: &Item<'d>,
    at: &Range<usize>,
) -> Result<Option<bool>, Failure> {
    run.spend(1, at)?;
    if let (Item::Node(left), Item::Node(right)) = (left, right) {
        if left == right {
            return Ok(Some(true));
        }
        if left.value().is_none() || right.value().is_none() {
            return equal_trees(run, *left, *right, at);
        }
    }
    // Beside a text a string leaf is a text, whatever its type: the usual case, without a look at types.
    let (leaf, text) = match (left, right) {
        (Item::Node(leaf), Item::Value(Value::String(text), _)) => (leaf.string(), text),
        (Item::Value(Value::String(text), _), Item::Node(leaf)) => (leaf.string(), text),
        _ => (None, &Cow::Borrowed("")),
    };
    if let Some(leaf) = leaf {
        return Ok(Some(leaf == text));
    }
    Ok(match (lift(left, run.context), lift(right, run.context)) {
        (Some(left), Some(right)) => equal_values(left, right),
        (None, _) | (_, None) => Some(false),
    })
}

/// Elements are equal when they have the same value and the same children in the same order. Done with a stack of
/// its own, so that depth costs no call stack.
fn equal_trees<'d>(
    run: &Run<'_, 'd>,
    left: Node<'d>,
    right: Node<'d>,
    at: &Range<usize>,
) -> Result<Option<bool>, Failure> {
    let mut pairs = vec![(left, right)];
    let mut result = Some(true);
    while let Some((left, right)) = pairs.pop() {
        run.spend(1, at)?;
        let values = match (left.value(), right.value()) {
            (None, None) => Some(true),
            (Some(_), Some(_)) => match (lift_node(left, run.context), lift_node(right, run.context)) {
                (Some(left), Some(right)) => equal_values(left, right),
                (None, _) | (_, None) => Some(false),
            },
            (Some(_), None) | (None, Some(_)) => Some(false),
        };
        match values {
            Some(true) => {}
            Some(false) => return Ok(Some(false)),
            None => result = None,
        }
        if left.resource_type() != right.resource_type() {
            return Ok(Some(false));
        }
        let (mut mine, mut theirs) = (left.children(), right.children());
        loop {
            match (mine.next(), theirs.next()) {
                (None, None) => break,
                (Some(mine), Some(theirs)) if mine.name() == theirs.name() => pairs.push((mine, theirs)),
                (Some(_), _) | (None, Some(_)) => return Ok(Some(false)),
            }
        }
    }
    Ok(result)
}

fn equivalent_items<'d>(
    run: &Run<'_, 'd>,
    left: &Item<'d>,
    right: &Item<'d>,
    nesting: usize,
    at: &Range<usize>,
) -> Result<bool, Failure> {
    run.spend(1, at)?;
    if nesting > NESTING_MAX {
        return Err(Failure::new("fhirpath.nesting", "elements are nested too deep to be compared", at.clone()));
    }
    if let (Item::Node(left), Item::Node(right)) = (left, right)
        && (left.value().is_none() || right.value().is_none())
    {
        if left.value().is_some() || right.value().is_some() || left.resource_type() != right.resource_type() {
            return Ok(false);
        }
        let mine: Vec<_> = left.children().collect();
        let mut theirs: Vec<_> = right.children().collect();
        if mine.len() != theirs.len() {
            return Ok(false);
        }
        for child in mine {
            let mut found = None;
            for (place, candidate) in theirs.iter().enumerate() {
                run.spend(1, at)?;
                if child.name() == candidate.name()
                    && equivalent_items(run, &Item::Node(child), &Item::Node(*candidate), nesting + 1, at)?
                {
                    found = Some(place);
                    break;
                }
            }
            match found {
                Some(place) => theirs.swap_remove(place),
                None => return Ok(false),
            };
        }
        return Ok(true);
    }
    Ok(match (lift(left, run.context), lift(right, run.context)) {
        (Some(left), Some(right)) => equivalent_values(left, right),
        (None, _) | (_, None) => false,
    })
}
