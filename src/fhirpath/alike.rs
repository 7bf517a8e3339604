//! When two values are equal, equivalent or in order; dates, texts and quantities each in their way.

use super::context::Context;
use super::decimal::Decimal;
use super::moment::{Moment, Precision};
use super::typing::{Operand, operand};
use super::value::{Item, Quantity, Value};
use crate::document::{Node, Scalar};
use std::borrow::Cow;
use std::cmp::Ordering;

/// The value of an item; an element with parts is a quantity when it has the parts of one.
pub(super) fn lift<'d>(item: &Item<'d>, context: &Context<'d>) -> Option<Operand<'d>> {
    operand(item, context).or_else(|| {
        let quantity = quantity_of(item.node()?)?;
        Some(Operand { value: Value::Quantity(Box::new(quantity)), soft: false })
    })
}

pub(super) fn lift_node<'d>(node: Node<'d>, context: &Context<'d>) -> Option<Operand<'d>> {
    lift(&Item::Node(node), context)
}

/// A FHIR Quantity as FHIRPath's: the code where it is UCUM's, else the unit as it is displayed.
pub(super) fn quantity_of(node: Node<'_>) -> Option<Quantity<'_>> {
    // A text is no number: an Identifier has a `value` too.
    let Some(Scalar::Number(number)) = node.child_named("value")?.value() else { return None };
    // A comparator makes it a range of values and no quantity to compute with.
    if node.child_named("comparator").is_some() {
        return None;
    }
    let value = Decimal::parse(number)?;
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

fn both_instants(left: &str, right: &str) -> Option<(Moment, Moment)> {
    let instant = |text: &str| {
        let moment = Moment::parse_date_time(text)?;
        (moment.precision >= Precision::Hour).then_some(moment)
    };
    instant(left).zip(instant(right))
}

pub(super) fn equal_values(left: Operand<'_>, right: Operand<'_>) -> Option<bool> {
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
        (Value::Quantity(quantity), other) | (other, Value::Quantity(quantity)) => match other.number() {
            Some(number) => order_quantities(quantity, &plain(number)).map(|order| order == Ordering::Equal),
            None => Some(false),
        },
        _ => Some(left.number().zip(right.number()).is_some_and(|(left, right)| left == right)),
    }
}

fn plain(value: Decimal) -> Quantity<'static> {
    Quantity { value, unit: Cow::Borrowed("1"), is_calendar: false }
}

pub(super) fn equivalent_values(left: Operand<'_>, right: Operand<'_>) -> bool {
    let (left, right) = harmonise(left, right);
    match (&left, &right) {
        (Value::Boolean(left), Value::Boolean(right)) => left == right,
        (Value::String(left), Value::String(right)) => folded(left).eq(folded(right)),
        (Value::Date(left) | Value::DateTime(left), Value::Date(right) | Value::DateTime(right))
        | (Value::Time(left), Value::Time(right)) => left.compare(*right) == Some(Ordering::Equal),
        (Value::Quantity(left), Value::Quantity(right)) => equivalent_quantities(left, right),
        _ => left.number().zip(right.number()).is_some_and(|(left, right)| left.is_equivalent(right)),
    }
}

/// A text without the difference of case and of blanks.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.split_whitespace().enumerate().flat_map(|(place, word)| {
        (place > 0).then_some(' ').into_iter().chain(word.chars().flat_map(char::to_lowercase))
    })
}

/// The order of two values: an outer none when they have none, an inner none when the precision does not decide it.
pub(super) fn order_of(left: Operand<'_>, right: Operand<'_>) -> Option<Option<Ordering>> {
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
        (Value::Quantity(quantity), other) => other.number().map(|number| order_quantities(quantity, &plain(number))),
        (other, Value::Quantity(quantity)) => other.number().map(|number| order_quantities(&plain(number), quantity)),
        _ => left.number().zip(right.number()).map(|(left, right)| Some(left.cmp(&right))),
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
    Some((left.value.times(mine.factor)?, right.value.times(theirs.factor)?))
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
        let factor = from.known_unit()?.factor.divided_by(to.known_unit()?.factor)?;
        let digits = to.value.normal().scale();
        Some(from.value.times(factor)?.round(digits) == to.value.normal())
    };
    in_other(left, right).unwrap_or(false) || in_other(right, left).unwrap_or(false)
}
