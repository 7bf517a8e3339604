//! `+ - * / div mod` and signs.

use super::alike::lift;
use super::decimal::Decimal;
use super::diagnostic::Failure;
use super::moment::{Moment, Precision};
use super::run::{Evaluated, Run, not_single};
use super::syntax::Arithmetic;
use super::typing::Operand;
use super::unit::{Unit, spelled_product};
use super::value::{Collection, Quantity, Value};
use std::borrow::Cow;
use std::ops::Range;

fn mismatch(at: &Range<usize>) -> Failure {
    Failure::new("fhirpath.type", "this cannot be computed with operands of these types", at.clone())
}

/// `+x` and `-x`.
pub(super) fn sign<'d>(run: &Run<'_, 'd>, negative: bool, operand: Collection<'d>, at: &Range<usize>) -> Evaluated<'d> {
    let item = match operand.items() {
        [] => return Ok(operand),
        [item] => item,
        _ => return Err(not_single("a sign", at)),
    };
    let value = match lift(item, run.context).map(|lifted| lifted.value) {
        Some(Value::Integer(value)) if negative => value.checked_neg().map(Value::Integer),
        Some(Value::Decimal(value)) if negative => Some(Value::Decimal(value.negated())),
        Some(Value::Quantity(mut quantity)) => {
            if negative {
                quantity.value = quantity.value.negated();
            }
            Some(Value::Quantity(quantity))
        }
        Some(value @ (Value::Integer(_) | Value::Decimal(_))) => Some(value),
        Some(Value::Boolean(_) | Value::String(_) | Value::Date(_) | Value::DateTime(_) | Value::Time(_)) | None => {
            return Err(mismatch(at));
        }
    };
    Ok(value.map_or(Collection::new(), Collection::value))
}

/// The arithmetic operators; empty when an operand is, when the result does not fit and for division by zero.
pub(super) fn combine<'d>(
    run: &Run<'_, 'd>,
    operator: Arithmetic,
    left: &Collection<'d>,
    right: &Collection<'d>,
    at: &Range<usize>,
) -> Evaluated<'d> {
    let is_element = right.first().is_some_and(|item| item.node().is_some());
    let (left, right) = match (left.items(), right.items()) {
        ([], _) | (_, []) => return Ok(Collection::new()),
        ([left], [right]) => (lift(left, run.context), lift(right, run.context)),
        _ => return Err(not_single("arithmetic", at)),
    };
    let (Some(left), Some(right)) = (left, right) else { return Err(mismatch(at)) };
    let left = as_moment(left, &right.value);
    let value = match (left, right.value) {
        (Value::String(left), Value::String(right)) if operator == Arithmetic::Add => {
            run.check_length(left.len() + right.len(), at)?;
            Some(Value::String(Cow::Owned(format!("{left}{right}"))))
        }
        (Value::Integer(left), Value::Integer(right)) => integers(operator, left, right),
        (moment @ (Value::Date(_) | Value::DateTime(_) | Value::Time(_)), Value::Quantity(quantity)) => {
            let negative = match operator {
                Arithmetic::Add => false,
                Arithmetic::Subtract => true,
                Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::DivideWhole | Arithmetic::Modulo => {
                    return Err(mismatch(at));
                }
            };
            Some(later(moment, &in_calendar(*quantity, is_element), negative, at)?)
        }
        (Value::Quantity(left), Value::Quantity(right)) => quantities(operator, &left, &right),
        (Value::Quantity(left), right) if matches!(operator, Arithmetic::Multiply | Arithmetic::Divide) => {
            let right = right.number().ok_or_else(|| mismatch(at))?;
            decimals(operator, left.value, right).map(|value| Value::Quantity(Box::new(Quantity { value, ..*left })))
        }
        (left, Value::Quantity(right)) if operator == Arithmetic::Multiply => {
            let left = left.number().ok_or_else(|| mismatch(at))?;
            left.times(right.value).map(|value| Value::Quantity(Box::new(Quantity { value, ..*right })))
        }
        (left, right) => {
            let (Some(left), Some(right)) = (left.number(), right.number()) else { return Err(mismatch(at)) };
            let result = decimals(operator, left, right);
            match operator == Arithmetic::DivideWhole {
                true => result.and_then(Decimal::to_integer).map(Value::Integer),
                false => result.map(Value::Decimal),
            }
        }
    };
    Ok(value.map_or(Collection::new(), Collection::value))
}

/// A leaf of unknown type that is to be moved by a duration is read as the date it spells.
fn as_moment<'d>(operand: Operand<'d>, other: &Value<'d>) -> Value<'d> {
    if let (true, Value::String(text), Value::Quantity(_)) = (operand.soft, &operand.value, other) {
        let date = Moment::parse_date(text).map(Value::Date);
        let moment = date.or_else(|| Moment::parse_date_time(text).map(Value::DateTime));
        if let Some(moment) = moment.or_else(|| Moment::parse_time(text).map(Value::Time)) {
            return moment;
        }
    }
    operand.value
}

fn integers(operator: Arithmetic, left: i64, right: i64) -> Option<Value<'static>> {
    match operator {
        Arithmetic::Add => left.checked_add(right).map(Value::Integer),
        Arithmetic::Subtract => left.checked_sub(right).map(Value::Integer),
        Arithmetic::Multiply => left.checked_mul(right).map(Value::Integer),
        Arithmetic::DivideWhole => left.checked_div(right).map(Value::Integer),
        Arithmetic::Modulo => left.checked_rem(right).map(Value::Integer),
        Arithmetic::Divide => Decimal::from(left).divided_by(Decimal::from(right)).map(Value::Decimal),
    }
}

fn decimals(operator: Arithmetic, left: Decimal, right: Decimal) -> Option<Decimal> {
    match operator {
        Arithmetic::Add => left.plus(right),
        Arithmetic::Subtract => left.minus(right),
        Arithmetic::Multiply => left.times(right),
        Arithmetic::Modulo => left.remainder(right),
        Arithmetic::Divide => left.divided_by(right),
        Arithmetic::DivideWhole => left.divide_whole(right),
    }
}

fn quantities(operator: Arithmetic, left: &Quantity<'_>, right: &Quantity<'_>) -> Option<Value<'static>> {
    let quantity = |value: Decimal, unit: String, is_calendar: bool| {
        Some(Value::Quantity(Box::new(Quantity { value, unit: Cow::Owned(unit), is_calendar })))
    };
    match operator {
        Arithmetic::Add | Arithmetic::Subtract => {
            if left.unit == right.unit && left.is_calendar == right.is_calendar {
                let value = decimals(operator, left.value, right.value)?;
                return quantity(value, left.unit.clone().into_owned(), left.is_calendar);
            }
            let (mine, theirs) = (left.known_unit()?, right.known_unit()?);
            if mine.powers != theirs.powers {
                return None;
            }
            // The sum is told in the finer of the two units: `3 'm' + 3 'cm'` is `303 'cm'`.
            let finer = if theirs.factor < mine.factor { right } else { left };
            let factor = if theirs.factor < mine.factor { theirs.factor } else { mine.factor };
            let in_finer = |value: Decimal, unit: Unit| value.times(unit.factor)?.divided_by(factor);
            let value = decimals(operator, in_finer(left.value, mine)?, in_finer(right.value, theirs)?)?;
            quantity(value, finer.unit.clone().into_owned(), finer.is_calendar)
        }
        Arithmetic::Multiply | Arithmetic::Divide => {
            let divide = operator == Arithmetic::Divide;
            let value = decimals(operator, left.value, right.value)?;
            if right.unit == "1" {
                return quantity(value, left.unit.clone().into_owned(), left.is_calendar);
            }
            // In the units as they were written where these go together, else in base units.
            if let (false, false, Some(unit)) =
                (left.is_calendar, right.is_calendar, spelled_product(&left.unit, &right.unit, divide))
            {
                return quantity(value, unit, false);
            }
            let unit: Unit = left.known_unit()?.combine(right.known_unit()?, divide)?;
            quantity(value.times(unit.factor)?.normal(), unit.base_spelling(), false)
        }
        Arithmetic::DivideWhole | Arithmetic::Modulo => None,
    }
}

/// What a date or time is moved by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

impl Step {
    fn of(quantity: &Quantity<'_>) -> Option<Step> {
        let word = match quantity.is_calendar {
            true => quantity.unit.trim_end_matches('s'),
            false => quantity.unit.as_ref(),
        };
        Some(match (quantity.is_calendar, word) {
            // Seen in the official cases: the calendar word in quotes.
            (_, "year") => Step::Years,
            (_, "month") => Step::Months,
            (_, "week") | (false, "wk") => Step::Weeks,
            (_, "day") | (false, "d") => Step::Days,
            (_, "hour") | (false, "h") => Step::Hours,
            (_, "minute") | (false, "min") => Step::Minutes,
            (_, "second") | (false, "s") => Step::Seconds,
            (_, "millisecond") | (false, "ms") => Step::Milliseconds,
            (_, _) => return None,
        })
    }

    fn is_within_a_day(self) -> bool {
        matches!(self, Step::Hours | Step::Minutes | Step::Seconds | Step::Milliseconds)
    }
}

/// A FHIR Quantity in UCUM's years or months counts as calendar years or months where a date is moved by it (R4, "Use of
/// FHIR Quantity"); all other units mean the same either way.
fn in_calendar<'d>(quantity: Quantity<'d>, is_element: bool) -> Quantity<'d> {
    let word = match (is_element && !quantity.is_calendar, quantity.unit.as_ref()) {
        (true, "a") => "years",
        (true, "mo") => "months",
        _ => return quantity,
    };
    Quantity { unit: Cow::Borrowed(word), is_calendar: true, ..quantity }
}

/// A date or time moved by a duration. What is finer than the moment is told is cut off first, as FHIRPath asks:
/// `@2014 + 25 months` is `@2016`.
fn later(
    moment: Value<'_>,
    quantity: &Quantity<'_>,
    negative: bool,
    at: &Range<usize>,
) -> Result<Value<'static>, Failure> {
    let refused = |message: &str| Failure::new("fhirpath.type", message, at.clone());
    let step = Step::of(quantity)
        .ok_or_else(|| refused("a date is moved by calendar durations such as `7 days` or `1 month`"))?;
    let amount = if negative { quantity.value.negated() } else { quantity.value };
    let moved = match moment {
        Value::Date(_) if step.is_within_a_day() => {
            return Err(refused("a date has no time of day that hours or less could be added to"));
        }
        Value::Time(_) if !step.is_within_a_day() => {
            return Err(refused("a time of day has no date that days or more could be added to"));
        }
        Value::Date(moment) => shift(moment, step, amount, false).map(Value::Date),
        Value::DateTime(moment) => shift(moment, step, amount, false).map(Value::DateTime),
        Value::Time(moment) => shift(moment, step, amount, true).map(Value::Time),
        Value::Boolean(_) | Value::Integer(_) | Value::Decimal(_) | Value::String(_) | Value::Quantity(_) => None,
    };
    moved.ok_or_else(|| {
        let message = "the date that this comes to is outside the years 1 to 9999";
        Failure::new("fhirpath.out-of-range", message, at.clone())
    })
}

fn shift(moment: Moment, step: Step, amount: Decimal, is_time: bool) -> Option<Moment> {
    const SECOND: i64 = 1_000_000_000;
    // Above seconds only whole steps count.
    let whole = || amount.truncate().to_integer();
    let fine = |nanos_each: i64| amount.times(Decimal::from(nanos_each))?.truncate().to_integer();
    match step {
        Step::Milliseconds => shift_nanos(moment, fine(SECOND / 1000)?, is_time),
        Step::Seconds => shift_nanos(moment, fine(SECOND)?, is_time),
        Step::Minutes => shift_nanos(moment, whole()?.checked_mul(60 * SECOND)?, is_time),
        Step::Hours => shift_nanos(moment, whole()?.checked_mul(3600 * SECOND)?, is_time),
        Step::Days => shift_days(moment, whole()?),
        Step::Weeks => shift_days(moment, whole()?.checked_mul(7)?),
        Step::Months if moment.precision == Precision::Year => moment.plus_months((whole()? / 12).checked_mul(12)?),
        Step::Months => moment.plus_months(whole()?),
        Step::Years => moment.plus_months(whole()?.checked_mul(12)?),
    }
}

fn shift_days(moment: Moment, days: i64) -> Option<Moment> {
    match moment.precision {
        Precision::Year => moment.plus_months((days / 365).checked_mul(12)?),
        Precision::Month => moment.plus_months(days / 30),
        Precision::Day | Precision::Hour | Precision::Minute | Precision::Second => moment.plus_days(days),
    }
}

fn shift_nanos(moment: Moment, nanos: i64, is_time: bool) -> Option<Moment> {
    const MINUTE: i64 = 60_000_000_000;
    let cut = match moment.precision {
        Precision::Year | Precision::Month | Precision::Day => return shift_days(moment, nanos / (24 * 60 * MINUTE)),
        Precision::Hour => nanos / (60 * MINUTE) * (60 * MINUTE),
        Precision::Minute => nanos / MINUTE * MINUTE,
        Precision::Second => nanos,
    };
    moment.plus_nanos(i128::from(cut), is_time)
}
