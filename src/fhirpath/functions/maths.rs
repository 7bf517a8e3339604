//! Functions on numbers. Roots, logarithms and powers with fractions are computed in floating point and rounded to
//! 15 significant digits; all else is exact.

use super::super::alike::lift;
use super::super::decimal::Decimal;
use super::super::run::Evaluated;
use super::super::table::Maths;
use super::super::value::{Collection, Item, Quantity, Value};
use super::Call;

pub(super) fn of_number<'d>(function: Maths, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(item) = call.single("a mathematical function")? else { return Ok(Collection::new()) };
    let fault = || call.type_fault("mathematical functions work on numbers only");
    let value = match lift(item, call.run.context).map(|lifted| lifted.value) {
        Some(Value::Integer(value)) => of_integer(function, call, value)?,
        Some(Value::Decimal(value)) => of_decimal(function, call, value)?,
        Some(Value::Quantity(quantity)) if function == Maths::Abs => {
            let value = quantity.value.absolute();
            Some(Value::Quantity(Box::new(Quantity { value, ..*quantity })))
        }
        // An element without a value is as good as empty.
        None if item.node().is_some_and(super::super::run::is_primitive_shell) => None,
        Some(
            Value::Boolean(_)
            | Value::String(_)
            | Value::Date(_)
            | Value::DateTime(_)
            | Value::Time(_)
            | Value::Quantity(_),
        )
        | None => {
            return Err(fault());
        }
    };
    Ok(value.map(|value| Item::Value(value, item.origin())).into())
}

fn of_integer<'d>(function: Maths, call: &Call<'_, '_, 'd>, value: i64) -> Result<Option<Value<'d>>, super::Failure> {
    match function {
        Maths::Abs => Ok(value.checked_abs().map(Value::Integer)),
        Maths::Ceiling | Maths::Floor | Maths::Truncate | Maths::Round => Ok(Some(Value::Integer(value))),
        Maths::Power => {
            let exponent = call.argument(0)?;
            let whole = match exponent.single().and_then(Item::value) {
                Some(Value::Integer(exponent)) => u32::try_from(exponent).ok(),
                Some(_) | None => None,
            };
            match whole.and_then(|exponent| value.checked_pow(exponent)) {
                Some(result) => Ok(Some(Value::Integer(result))),
                None => of_decimal(function, call, Decimal::from(value)),
            }
        }
        Maths::Exp | Maths::Ln | Maths::Log | Maths::Sqrt => of_decimal(function, call, Decimal::from(value)),
    }
}

fn of_decimal<'d>(
    function: Maths,
    call: &Call<'_, '_, 'd>,
    value: Decimal,
) -> Result<Option<Value<'d>>, super::Failure> {
    let whole = |value: Decimal| value.to_integer().map(Value::Integer);
    let float = |value: f64| Decimal::from_float(value).map(Value::Decimal);
    Ok(match function {
        Maths::Abs => Some(Value::Decimal(value.absolute())),
        Maths::Ceiling => whole(value.ceiling()),
        Maths::Floor => whole(value.floor()),
        Maths::Truncate => whole(value.truncate()),
        Maths::Round => {
            let digits = call.run.integer(&call.argument(0)?, call.at)?.unwrap_or(0);
            let digits = u8::try_from(digits).map_err(|_| call.type_fault("digits to round to are 0 to 28"))?;
            Some(Value::Decimal(value.round(digits)))
        }
        Maths::Sqrt => float(value.to_float().sqrt()),
        Maths::Exp => float(value.to_float().exp()),
        Maths::Ln => float(value.to_float().ln()),
        Maths::Log => match number(call)? {
            Some(base) if base == Decimal::from(2) => float(value.to_float().log2()),
            Some(base) if base == Decimal::from(10) => float(value.to_float().log10()),
            Some(base) => float(value.to_float().log(base.to_float())),
            None => None,
        },
        Maths::Power => match number(call)? {
            Some(exponent) => power(value, exponent),
            None => None,
        },
    })
}

/// The argument as a number.
fn number(call: &Call<'_, '_, '_>) -> Result<Option<Decimal>, super::Failure> {
    let argument = call.argument(0)?;
    match (argument.len(), argument.first().and_then(Item::value)) {
        (0, _) => Ok(None),
        (1, Some(Value::Integer(value))) => Ok(Some(Decimal::from(value))),
        (1, Some(Value::Decimal(value))) => Ok(Some(value)),
        _ => Err(call.type_fault("here one number is needed")),
    }
}

fn power<'d>(value: Decimal, exponent: Decimal) -> Option<Value<'d>> {
    /// Above this, an exact power would have no room anyway.
    const EXACT_MAX: i64 = 64;
    let exact = exponent
        .to_integer()
        .filter(|exponent| (0..=EXACT_MAX).contains(exponent))
        .and_then(|exponent| (0..exponent).try_fold(Decimal::from(1), |product, _| product.times(value)));
    match exact {
        Some(result) => Some(Value::Decimal(result)),
        None => Decimal::from_float(value.to_float().powf(exponent.to_float())).map(Value::Decimal),
    }
}
