//! `toX()` and `convertsToX()`.

use super::super::alike::lift;
use super::super::decimal::Decimal;
use super::super::moment::Moment;
use super::super::run::Evaluated;
use super::super::table::Target;
use super::super::unit::is_calendar_word;
use super::super::value::{Collection, Item, Quantity, Value};
use super::Call;
use std::borrow::Cow;

/// `toX()`: empty when the input cannot be converted.
pub(super) fn convert<'d>(target: Target, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(item) = call.single("a conversion")? else { return Ok(Collection::new()) };
    let Some(value) = converted(target, call, item)? else { return Ok(Collection::new()) };
    Ok(Collection::from(Item::Value(value, item.origin())))
}

/// `convertsToX()`.
pub(super) fn converts<'d>(target: Target, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(item) = call.single("a conversion")? else { return Ok(Collection::new()) };
    Ok(converted(target, call, item)?.is_some().into())
}

fn converted<'d>(
    target: Target,
    call: &Call<'_, '_, 'd>,
    item: &Item<'d>,
) -> Result<Option<Value<'d>>, super::Failure> {
    // A leaf's own text is kept as it was sent; only quantities need their type looked into.
    let value = match target {
        Target::Quantity => lift(item, call.run.context).map(|lifted| lifted.value),
        Target::String if item.node().is_some() => return Ok(item.text().map(Value::String)),
        Target::Boolean
        | Target::Date
        | Target::DateTime
        | Target::Decimal
        | Target::Integer
        | Target::String
        | Target::Time => item.value(),
    };
    let Some(value) = value else { return Ok(None) };
    Ok(match target {
        Target::Boolean => to_boolean(&value).map(Value::Boolean),
        Target::Integer => to_integer(&value).map(Value::Integer),
        Target::Decimal => to_decimal(&value).map(Value::Decimal),
        Target::String => Some(Value::String(value.text())),
        Target::Date => match value {
            Value::String(text) => {
                Moment::parse_date(&text).or_else(|| Moment::parse_date_time(&text)).map(|moment| moment.date_only())
            }
            Value::Date(moment) | Value::DateTime(moment) => Some(moment.date_only()),
            Value::Boolean(_) | Value::Integer(_) | Value::Decimal(_) | Value::Time(_) | Value::Quantity(_) => None,
        }
        .map(Value::Date),
        Target::DateTime => match value {
            Value::String(text) => Moment::parse_date_time(&text),
            Value::Date(moment) | Value::DateTime(moment) => Some(moment),
            Value::Boolean(_) | Value::Integer(_) | Value::Decimal(_) | Value::Time(_) | Value::Quantity(_) => None,
        }
        .map(Value::DateTime),
        Target::Time => match value {
            Value::String(text) => Moment::parse_time(&text),
            Value::Time(moment) => Some(moment),
            Value::Boolean(_)
            | Value::Integer(_)
            | Value::Decimal(_)
            | Value::Date(_)
            | Value::DateTime(_)
            | Value::Quantity(_) => None,
        }
        .map(Value::Time),
        Target::Quantity => {
            let unit = call.run.text(&call.argument(0)?, "a unit", call.at)?;
            to_quantity(value)
                .and_then(|quantity| in_unit(quantity, unit))
                .map(|quantity| Value::Quantity(Box::new(quantity)))
        }
    })
}

fn to_boolean(value: &Value<'_>) -> Option<bool> {
    let of_number = |number: Decimal| match number.to_integer() {
        Some(1) => Some(true),
        Some(0) => Some(false),
        Some(_) | None => None,
    };
    match value {
        Value::Boolean(value) => Some(*value),
        Value::Integer(value) => of_number(Decimal::from(*value)),
        Value::Decimal(value) => of_number(*value),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        Value::Date(_) | Value::DateTime(_) | Value::Time(_) | Value::Quantity(_) => None,
    }
}

fn to_integer(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Boolean(value) => Some(i64::from(*value)),
        Value::Integer(value) => Some(*value),
        Value::String(text) => text.parse().ok(),
        Value::Decimal(_) | Value::Date(_) | Value::DateTime(_) | Value::Time(_) | Value::Quantity(_) => None,
    }
}

fn to_decimal(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Boolean(true) => Some(Decimal::new(10, 1)),
        Value::Boolean(false) => Some(Decimal::new(0, 1)),
        Value::Integer(value) => Some(Decimal::from(*value)),
        Value::Decimal(value) => Some(*value),
        Value::String(text) => Decimal::parse(text).filter(|_| !text.contains(['e', 'E'])),
        Value::Date(_) | Value::DateTime(_) | Value::Time(_) | Value::Quantity(_) => None,
    }
}

fn to_quantity(value: Value<'_>) -> Option<Quantity<'_>> {
    let plain = |value: Decimal| Quantity { value, unit: Cow::Borrowed("1"), is_calendar: false };
    match value {
        Value::Quantity(quantity) => Some(*quantity),
        Value::String(text) => parse_quantity(&text),
        Value::Boolean(_) | Value::Integer(_) | Value::Decimal(_) => to_decimal(&value).map(plain),
        Value::Date(_) | Value::DateTime(_) | Value::Time(_) => None,
    }
}

/// A number, then a unit in quotes or a calendar word, then nothing.
fn parse_quantity(text: &str) -> Option<Quantity<'static>> {
    let (number, unit) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    let value = Decimal::parse(number).filter(|_| !number.contains(['e', 'E']))?;
    let unit = unit.trim();
    let (unit, is_calendar) = match unit.strip_prefix('\'') {
        Some(quoted) => (quoted.strip_suffix('\'')?, false),
        None if unit.is_empty() => ("1", false),
        None if is_calendar_word(unit) => (unit, true),
        None => return None,
    };
    Some(Quantity { value, unit: Cow::Owned(unit.to_owned()), is_calendar })
}

fn in_unit<'d>(quantity: Quantity<'d>, unit: Option<Cow<'d, str>>) -> Option<Quantity<'d>> {
    let Some(unit) = unit.filter(|unit| *unit != quantity.unit) else { return Some(quantity) };
    let wanted = Quantity { value: Decimal::from(1), is_calendar: is_calendar_word(&unit), unit };
    if let Some(factor) = calendar_factor(&quantity, &wanted) {
        return Some(Quantity { value: quantity.value.times(Decimal::from(factor))?, ..wanted });
    }
    let (mine, theirs) = (quantity.known_unit()?, wanted.known_unit()?);
    if mine.powers != theirs.powers {
        return None;
    }
    let value = quantity.value.times(mine.factor)?.divided_by(theirs.factor)?;
    Some(Quantity { value, ..wanted })
}

/// What FHIRPath's table of calendar durations says of years and months, which are of no fixed length elsewhere.
fn calendar_factor(from: &Quantity<'_>, to: &Quantity<'_>) -> Option<i64> {
    if !from.is_calendar || !to.is_calendar {
        return None;
    }
    match (from.unit.trim_end_matches('s'), to.unit.trim_end_matches('s')) {
        ("year", "day") => Some(365),
        ("month", "day") => Some(30),
        _ => None,
    }
}
