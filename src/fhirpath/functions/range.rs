//! `lowBoundary`, `highBoundary`, `precision`, `comparable`: how sure a value is.

use super::super::alike::{are_comparable, lift};
use super::super::decimal::Decimal;
use super::super::moment::{Moment, Precision, days_in_month};
use super::super::run::Evaluated;
use super::super::table::{Component, Function};
use super::super::typing::Operand;
use super::super::value::{Collection, Item, Quantity, Value};
use super::Call;

/// Digits after the point that a boundary has when none are asked for.
const DIGITS: i64 = 8;
/// FHIRPath asks for no boundary finer than this.
const DIGITS_MAX: i64 = 28;

/// `lowBoundary(precision)` and `highBoundary(precision)`.
pub(super) fn boundary<'d>(function: Function, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(item) = call.single("a boundary")? else { return Ok(Collection::new()) };
    let digits = call.run.integer(&call.argument(0)?, call.at)?;
    let high = function == Function::HighBoundary;
    let value = match lift(item, call.run.context).map(dated) {
        Some(Value::Integer(value)) => decimal(Decimal::from(value), high, digits).map(Value::Decimal),
        Some(Value::Decimal(value)) => decimal(value, high, digits).map(Value::Decimal),
        Some(Value::Quantity(quantity)) => decimal(quantity.value, high, digits)
            .map(|value| Value::Quantity(Box::new(Quantity { value, ..*quantity }))),
        Some(Value::Date(moment)) => cut(bound(moment, high), digits.unwrap_or(8)).map(Value::Date),
        Some(Value::DateTime(moment)) => {
            let cut = cut(bound(moment, high), digits.unwrap_or(17));
            cut.map(|moment| zoned(moment, high)).map(Value::DateTime)
        }
        Some(Value::Time(moment)) => cut_time(bound(moment, high), digits.unwrap_or(9)).map(Value::Time),
        Some(Value::Boolean(_) | Value::String(_)) | None => {
            return Err(call.type_fault("a boundary is asked of numbers, dates and times"));
        }
    };
    Ok(value.map(|value| Item::Value(value, item.origin())).into())
}

/// A leaf of unknown type is read as the date it spells.
fn dated(operand: Operand<'_>) -> Value<'_> {
    match (&operand.value, operand.soft) {
        (Value::String(text), true) => match Moment::parse_date_time(text) {
            Some(moment) if text.contains('T') => Value::DateTime(moment),
            Some(moment) => Value::Date(moment),
            None => Moment::parse_time(text).map_or(operand.value, Value::Time),
        },
        _ => operand.value,
    }
}

fn decimal(value: Decimal, high: bool, digits: Option<i64>) -> Option<Decimal> {
    let digits = digits.unwrap_or(DIGITS);
    let digits = u8::try_from(digits).ok().filter(|digits| i64::from(*digits) <= DIGITS_MAX)?;
    // Half of the last digit written, either way.
    let half = Decimal::new(5, value.scale().checked_add(1)?);
    match high {
        true => value.plus(half)?.negated().floor_to(digits).map(Decimal::negated),
        false => value.minus(half)?.floor_to(digits),
    }
}

fn bound(moment: Moment, high: bool) -> Moment {
    let mut bound = moment;
    if high && moment.precision < Precision::Month {
        bound.month = 12;
    }
    if high && moment.precision < Precision::Day {
        bound.day = days_in_month(bound.year, bound.month);
    }
    if high && moment.precision < Precision::Hour {
        bound.hour = 23;
    }
    if high && moment.precision < Precision::Minute {
        bound.minute = 59;
    }
    if high && moment.precision < Precision::Second {
        bound.second = 59;
    }
    if high && moment.fraction_digits < 3 {
        let unit = 10u32.pow(9 - u32::from(moment.fraction_digits));
        bound.nano = moment.nano + (unit - 1) / 1_000_000 * 1_000_000;
    }
    bound
}

/// A date or instant as far as `digits` of it are asked for: 4, 6, 8, 10, 12, 14 or 17.
fn cut(moment: Moment, digits: i64) -> Option<Moment> {
    let precision = match digits {
        4 => Precision::Year,
        6 => Precision::Month,
        8 => Precision::Day,
        10 => Precision::Hour,
        12 => Precision::Minute,
        14 | 17 => Precision::Second,
        _ => return None,
    };
    let fraction_digits = if digits == 17 { 3 } else { 0 };
    Some(Moment { precision, fraction_digits, ..moment })
}

fn cut_time(moment: Moment, digits: i64) -> Option<Moment> {
    match digits {
        2 | 4 | 6 | 9 => cut(moment, digits + 8),
        _ => None,
    }
}

/// Where no zone is told, the earliest instant is in the zone furthest ahead and the latest in the one furthest behind.
fn zoned(moment: Moment, high: bool) -> Moment {
    let offset = if high { -12 * 60 } else { 14 * 60 };
    match moment.precision >= Precision::Hour {
        true => Moment { offset: moment.offset.or(Some(offset)), ..moment },
        false => moment,
    }
}

/// `precision()`: the digits of a number, or of a date or time as far as it is told.
pub(super) fn precision<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(item) = call.single("`precision()`")? else { return Ok(Collection::new()) };
    let of_moment = |moment: Moment| match moment.precision {
        Precision::Year => 4,
        Precision::Month => 6,
        Precision::Day => 8,
        Precision::Hour => 10,
        Precision::Minute => 12,
        Precision::Second => 14 + i64::from(moment.fraction_digits),
    };
    let digits = match lift(item, call.run.context).map(dated) {
        // Of `1.58700` the five digits after the point count.
        Some(Value::Integer(_)) => 0,
        Some(Value::Decimal(value)) => i64::from(value.scale()),
        Some(Value::Quantity(quantity)) => i64::from(quantity.value.scale()),
        Some(Value::Date(moment) | Value::DateTime(moment)) => of_moment(moment),
        Some(Value::Time(moment)) => of_moment(moment) - 8,
        Some(Value::Boolean(_) | Value::String(_)) | None => {
            return Err(call.type_fault("`precision()` is asked of numbers, dates and times"));
        }
    };
    Ok(Collection::value(Value::Integer(digits)))
}

/// `yearOf()` and its like: empty when the value does not tell that part.
pub(super) fn component<'d>(component: Component, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(item) = call.single("a part of a date or time")? else { return Ok(Collection::new()) };
    let fault = || call.type_fault("parts are asked of dates and times");
    let (moment, has_date, has_time) = match lift(item, call.run.context).map(dated).ok_or_else(fault)? {
        Value::Date(moment) => (moment, true, false),
        Value::DateTime(moment) => (moment, true, moment.precision >= Precision::Hour),
        Value::Time(moment) => (moment, false, true),
        Value::Boolean(_) | Value::Integer(_) | Value::Decimal(_) | Value::String(_) | Value::Quantity(_) => {
            return Err(fault());
        }
    };
    let date = |least: Precision, part: i64| (has_date && moment.precision >= least).then_some(Value::Integer(part));
    let time = |least: Precision, part: i64| (has_time && moment.precision >= least).then_some(Value::Integer(part));
    let value = match component {
        Component::Year => date(Precision::Year, moment.year.into()),
        Component::Month => date(Precision::Month, moment.month.into()),
        Component::Day => date(Precision::Day, moment.day.into()),
        Component::Hour => time(Precision::Hour, moment.hour.into()),
        Component::Minute => time(Precision::Minute, moment.minute.into()),
        Component::Second => time(Precision::Second, moment.second.into()),
        Component::Millisecond if moment.fraction_digits == 0 => None,
        Component::Millisecond => time(Precision::Second, i64::from(moment.nano / 1_000_000)),
        Component::Offset => moment.offset.filter(|_| has_time).and_then(|minutes| {
            let hours = Decimal::from(i64::from(minutes)).divided_by(Decimal::from(60))?;
            Some(Value::Decimal(hours.plus(Decimal::new(0, 1))?))
        }),
        Component::Date => has_date.then(|| Value::Date(moment.date_only())),
        Component::Time => has_time.then_some(Value::Time(Moment { offset: None, ..moment })),
    };
    Ok(value.map(|value| Item::Value(value, item.origin())).into())
}

/// `comparable(quantity)`.
pub(super) fn comparable<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let other = call.argument(0)?;
    let (Some(left), Some(right)) = (call.single("`comparable()`")?, other.single()) else {
        return Ok(Collection::new());
    };
    let quantity = |item: &Item<'d>| {
        let Value::Quantity(quantity) = lift(item, call.run.context)?.value else { return None };
        Some(*quantity)
    };
    Ok(quantity(left).zip(quantity(right)).is_some_and(|(left, right)| are_comparable(&left, &right)).into())
}
