//! Equality, equivalence, order and membership.
//!
//! A string leaf of which the type is not known is read as a date or time only where one is needed: beside a date,
//! and when both sides of a `<` read as one. `=` between two such leaves reads them as instants only when both have
//! a time with `T`, because only there do different texts mean the same.

use super::context::Context;
use super::decimal::Decimal;
use super::diagnostic::Failure;
use super::moment::{Moment, Precision};
use super::run::{Run, not_single};
use super::syntax::Operator;
use super::typing::{Operand, operand};
use super::value::{Collection, Item, Quantity, Value};
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
    operator: Operator,
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
    Ok(order.map(|order| match operator {
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }))
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
    matches!(item.value(), Some(Value::String(text)) if !text.as_bytes().get(10).is_some_and(|byte| *byte == b'T'))
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

// ---- values

/// The value of an item; an element with parts is a quantity when it has the parts of one.
pub(super) fn lift<'d>(item: &Item<'d>, context: &Context<'d>) -> Option<Operand<'d>> {
    operand(item, context).or_else(|| {
        let quantity = quantity_of(item.node()?)?;
        Some(Operand { value: Value::Quantity(Box::new(quantity)), soft: false })
    })
}

fn lift_node<'d>(node: Node<'d>, context: &Context<'d>) -> Option<Operand<'d>> {
    lift(&Item::Node(node), context)
}

/// A FHIR Quantity as FHIRPath's: the code where it is UCUM's, else the unit as it is displayed.
pub(super) fn quantity_of(node: Node<'_>) -> Option<Quantity<'_>> {
    let number = node.child_named("value")?.value()?;
    // A comparator makes it a range of values and no quantity to compute with.
    if node.child_named("comparator").is_some() {
        return None;
    }
    let value = Decimal::parse(number.text())?;
    let text = |name: &str| node.child_named(name).and_then(|child| child.string());
    let is_ucum = text("system") == Some("http://unitsofmeasure.org");
    let unit = text("code").filter(|_| is_ucum).or_else(|| text("unit")).or_else(|| text("code")).unwrap_or("1");
    Some(Quantity { value, unit: Cow::Borrowed(unit), is_calendar: false })
}

/// Reads soft strings as what the other side is.
fn harmonise<'d>(left: Operand<'d>, right: Operand<'d>) -> (Value<'d>, Value<'d>) {
    let toward = |soft: Operand<'d>, other: &Value<'d>| match (&soft.value, other) {
        (Value::String(text), Value::Date(_) | Value::DateTime(_)) if soft.soft => {
            Moment::parse_date_time(text).map(Value::DateTime).unwrap_or(soft.value)
        }
        (Value::String(text), Value::Time(_)) if soft.soft => {
            Moment::parse_time(text).map(Value::Time).unwrap_or(soft.value)
        }
        _ => soft.value,
    };
    let right = toward(right, &left.value);
    (toward(left, &right), right)
}

fn number(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Integer(value) => Some(Decimal::from(*value)),
        Value::Decimal(value) => Some(*value),
        Value::Boolean(_)
        | Value::String(_)
        | Value::Date(_)
        | Value::DateTime(_)
        | Value::Time(_)
        | Value::Quantity(_) => None,
    }
}

fn both_instants(left: &str, right: &str) -> Option<(Moment, Moment)> {
    let instant = |text: &str| {
        let moment = Moment::parse_date_time(text)?;
        (moment.precision >= Precision::Hour).then_some(moment)
    };
    instant(left).zip(instant(right))
}

fn equal_values(left: Operand<'_>, right: Operand<'_>) -> Option<bool> {
    let both_soft = left.soft && right.soft;
    let (left, right) = harmonise(left, right);
    match (&left, &right) {
        (Value::Boolean(left), Value::Boolean(right)) => Some(left == right),
        (Value::String(left), Value::String(right)) if left == right => Some(true),
        (Value::String(left), Value::String(right)) if both_soft => match both_instants(left, right) {
            Some((left, right)) => left.compare(right).map(|order| order == Ordering::Equal),
            None => Some(false),
        },
        (Value::Date(left) | Value::DateTime(left), Value::Date(right) | Value::DateTime(right))
        | (Value::Time(left), Value::Time(right)) => left.compare(*right).map(|order| order == Ordering::Equal),
        (Value::Quantity(left), Value::Quantity(right)) => {
            order_quantities(left, right).map(|order| order == Ordering::Equal)
        }
        (Value::Quantity(quantity), other) | (other, Value::Quantity(quantity)) => match number(other) {
            Some(number) => order_quantities(quantity, &plain(number)).map(|order| order == Ordering::Equal),
            None => Some(false),
        },
        _ => Some(number(&left).zip(number(&right)).is_some_and(|(left, right)| left == right)),
    }
}

fn plain(value: Decimal) -> Quantity<'static> {
    Quantity { value, unit: Cow::Borrowed("1"), is_calendar: false }
}

fn equivalent_values(left: Operand<'_>, right: Operand<'_>) -> bool {
    let (left, right) = harmonise(left, right);
    match (&left, &right) {
        (Value::Boolean(left), Value::Boolean(right)) => left == right,
        (Value::String(left), Value::String(right)) => folded(left).eq(folded(right)),
        (Value::Date(left) | Value::DateTime(left), Value::Date(right) | Value::DateTime(right))
        | (Value::Time(left), Value::Time(right)) => left.compare(*right) == Some(Ordering::Equal),
        (Value::Quantity(left), Value::Quantity(right)) => equivalent_quantities(left, right),
        _ => number(&left).zip(number(&right)).is_some_and(|(left, right)| left.is_equivalent(right)),
    }
}

/// A text without the difference of case and of blanks.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.split_whitespace().enumerate().flat_map(|(place, word)| {
        (place > 0).then_some(' ').into_iter().chain(word.chars().flat_map(char::to_lowercase))
    })
}

/// The order of two values: an outer none when they have none, an inner none when the precision does not decide it.
fn order_of(left: Operand<'_>, right: Operand<'_>) -> Option<Option<Ordering>> {
    let both_soft = left.soft && right.soft;
    let (left, right) = harmonise(left, right);
    match (&left, &right) {
        (Value::String(left), Value::String(right)) => Some(match both_soft {
            true => order_soft(left, right),
            false => Some(left.cmp(right)),
        }),
        (Value::Date(left) | Value::DateTime(left), Value::Date(right) | Value::DateTime(right))
        | (Value::Time(left), Value::Time(right)) => Some(left.compare(*right)),
        (Value::Quantity(left), Value::Quantity(right)) => Some(order_quantities(left, right)),
        (Value::Quantity(quantity), other) => number(other).map(|number| order_quantities(quantity, &plain(number))),
        (other, Value::Quantity(quantity)) => number(other).map(|number| order_quantities(&plain(number), quantity)),
        _ => number(&left).zip(number(&right)).map(|(left, right)| Some(left.cmp(&right))),
    }
}

/// Two leaves of unknown type: as dates when both read as dates, as times of day when both do, else as text.
fn order_soft(left: &str, right: &str) -> Option<Ordering> {
    let both = |parse: fn(&str) -> Option<Moment>| parse(left).zip(parse(right));
    match both(Moment::parse_date_time).or_else(|| both(Moment::parse_time)) {
        Some((left, right)) => left.compare(right),
        None => Some(left.cmp(right)),
    }
}

// ---- quantities

/// Both numbers in one unit; none when the units cannot be converted into one another.
fn converted(left: &Quantity<'_>, right: &Quantity<'_>) -> Option<(Decimal, Decimal)> {
    if left.unit == right.unit && left.is_calendar == right.is_calendar {
        return Some((left.value, right.value));
    }
    let (mine, theirs) = (left.known_unit()?, right.known_unit()?);
    if mine.powers != theirs.powers {
        return None;
    }
    Some((left.value.multiply(mine.factor)?, right.value.multiply(theirs.factor)?))
}

fn order_quantities(left: &Quantity<'_>, right: &Quantity<'_>) -> Option<Ordering> {
    converted(left, right).map(|(left, right)| left.cmp(&right))
}

/// True when the two can be compared.
pub(super) fn are_comparable(left: &Quantity<'_>, right: &Quantity<'_>) -> bool {
    converted(left, right).is_some()
}

fn equivalent_quantities(left: &Quantity<'_>, right: &Quantity<'_>) -> bool {
    // Loosely, a calendar year is an `a` and a month a `mo`.
    let loose = |quantity: &Quantity<'_>| {
        let unit = match (quantity.is_calendar, quantity.unit.trim_end_matches('s')) {
            (true, "year") => "a",
            (true, "month") => "mo",
            _ => return None,
        };
        Some(Quantity { value: quantity.value, unit: Cow::Borrowed(unit), is_calendar: false })
    };
    let (loose_left, loose_right) = (loose(left), loose(right));
    let (left, right) = match left.is_calendar == right.is_calendar {
        true => (left, right),
        false => (loose_left.as_ref().unwrap_or(left), loose_right.as_ref().unwrap_or(right)),
    };
    let Some((mine, theirs)) = converted(left, right) else { return false };
    if left.unit == right.unit {
        return mine.is_equivalent(theirs);
    }
    // Rounded to the coarser of the two as they were written, each in the other's unit.
    let in_other = |from: &Quantity<'_>, to: &Quantity<'_>| {
        let factor = from.known_unit()?.factor.divide(to.known_unit()?.factor)?;
        let digits = to.value.normal().scale();
        Some(from.value.multiply(factor)?.round(digits) == to.value.normal())
    };
    in_other(left, right).unwrap_or(false) || in_other(right, left).unwrap_or(false)
}
