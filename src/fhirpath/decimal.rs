//! Decimal numbers that keep every digit: what FHIR's `decimal` asks for and binary floating point cannot give.

use std::cmp::Ordering;
use std::fmt;

/// Digits after the point that are kept at most; FHIRPath asks for 8 at least.
const SCALE_MAX: u8 = 28;

/// Digits after the point that a division computes before trailing zeros are dropped.
const DIVISION_DIGITS: u32 = 18;

/// Numbers are read up to one digit short of the type's end, so that a negation or a carry never overflows.
const MANTISSA_MAX: u128 = i128::MAX.unsigned_abs() / 10;

/// A decimal number: `mantissa` ÷ 10^`scale`. It remembers trailing zeros, so that `1.50` stays `1.50`.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    scale: u8,
}

fn power_of_ten(exponent: u32) -> Option<i128> {
    10i128.checked_pow(exponent)
}

impl Decimal {
    /// The number `mantissa` ÷ 10^`scale`.
    pub(super) const fn new(mantissa: i128, scale: u8) -> Self {
        Decimal { mantissa, scale }
    }

    /// Reads a number as JSON and FHIRPath spell it, an exponent included. None when it is not a number, or does not
    /// fit into 38 digits. Digits after the 28th behind the point are cut.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.find(['e', 'E']) {
            Some(at) => (text.get(..at)?, text.get(at + 1..)?.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match number.as_bytes().first()? {
            b'-' => (true, number.get(1..)?),
            b'+' => (false, number.get(1..)?),
            _ => (false, number),
        };
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
        if whole.is_empty() || fraction.is_some_and(str::is_empty) {
            return None;
        }
        let mut mantissa: i128 = 0;
        let mut scale: i64 = 0;
        for byte in whole.bytes() {
            mantissa = push_digit(mantissa, byte)?;
        }
        for byte in fraction.unwrap_or("").bytes() {
            if scale >= i64::from(SCALE_MAX) {
                if !byte.is_ascii_digit() {
                    return None;
                }
                continue;
            }
            match push_digit(mantissa, byte) {
                Some(longer) => (mantissa, scale) = (longer, scale + 1),
                None if byte.is_ascii_digit() => break,
                None => return None,
            }
        }
        let mantissa = if negative { -mantissa } else { mantissa };
        Decimal::with_exponent(mantissa, scale - i64::from(exponent))
    }

    fn with_exponent(mantissa: i128, scale: i64) -> Option<Self> {
        if mantissa == 0 {
            return Some(Decimal { mantissa, scale: scale.clamp(0, i64::from(SCALE_MAX)) as u8 });
        }
        if scale < 0 {
            let factor = power_of_ten(u32::try_from(-scale).ok()?)?;
            let mantissa = mantissa.checked_mul(factor).filter(|value| value.unsigned_abs() < MANTISSA_MAX)?;
            return Some(Decimal { mantissa, scale: 0 });
        }
        let surplus = scale - i64::from(SCALE_MAX);
        if surplus > 0 {
            let mantissa = u32::try_from(surplus).ok().and_then(power_of_ten).map_or(0, |cut| mantissa / cut);
            return Some(Decimal { mantissa, scale: SCALE_MAX });
        }
        Some(Decimal { mantissa, scale: scale as u8 })
    }

    /// The nearest decimal to a result of a transcendental function, to 15 significant digits; none for infinities.
    pub(super) fn from_float(value: f64) -> Option<Self> {
        if !value.is_finite() || value.abs() > 1e30 {
            return None;
        }
        let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
        let digits = (14 - magnitude).clamp(0, i32::from(SCALE_MAX)) as usize;
        Decimal::parse(&format!("{value:.digits$}")).map(Decimal::normal)
    }

    /// As a float, for the transcendental functions only.
    pub(super) fn to_float(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The whole number it is, when it is one and fits.
    pub fn to_integer(self) -> Option<i64> {
        let normal = self.normal();
        if normal.scale != 0 {
            return None;
        }
        i64::try_from(normal.mantissa).ok()
    }

    /// Digits after the point, as written.
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// Without trailing zeros after the point.
    pub(super) fn normal(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }

    fn rescaled(self, scale: u8) -> Option<i128> {
        self.mantissa.checked_mul(power_of_ten(u32::from(scale.checked_sub(self.scale)?))?)
    }

    fn aligned(self, other: Self) -> Option<(i128, i128, u8)> {
        let scale = self.scale.max(other.scale);
        Some((self.rescaled(scale)?, other.rescaled(scale)?, scale))
    }

    /// The sum; none when it does not fit.
    pub fn plus(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Decimal { mantissa: left.checked_add(right)?, scale })
    }

    /// The difference; none when it does not fit.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// The product; none when it does not fit.
    pub fn times(self, other: Self) -> Option<Self> {
        let exact = |left: Self, right: Self| {
            let mantissa = left.mantissa.checked_mul(right.mantissa)?;
            Decimal::with_exponent(mantissa, i64::from(left.scale) + i64::from(right.scale))
        };
        exact(self, other).or_else(|| exact(self.normal(), other.normal()))
    }

    /// The quotient, to 18 digits after the point where they fit; none for division by zero.
    pub fn divided_by(self, other: Self) -> Option<Self> {
        let (left, right, _) = self.normal().aligned(other.normal())?;
        if right == 0 {
            return None;
        }
        let mut digits = DIVISION_DIGITS;
        loop {
            if let Some(dividend) = power_of_ten(digits).and_then(|factor| left.checked_mul(factor)) {
                let quotient = dividend.checked_div(right)?;
                let remainder = dividend.checked_rem(right)?;
                let away = remainder.unsigned_abs() >= (right.unsigned_abs() - remainder.unsigned_abs());
                let sign = if (left < 0) == (right < 0) { 1 } else { -1 };
                let rounded = if away { quotient.checked_add(sign)? } else { quotient };
                return Some(Decimal { mantissa: rounded, scale: digits as u8 }.normal());
            }
            digits = digits.checked_sub(1)?;
        }
    }

    /// The quotient cut to a whole number; none for division by zero.
    pub fn divide_whole(self, other: Self) -> Option<Self> {
        let (left, right, _) = self.aligned(other)?;
        Some(Decimal { mantissa: left.checked_div(right)?, scale: 0 })
    }

    /// What is left over by [`divide_whole`](Self::divide_whole); none for division by zero.
    pub fn remainder(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Decimal { mantissa: left.checked_rem(right)?, scale })
    }

    /// With the other sign.
    pub fn negated(self) -> Self {
        Decimal { mantissa: self.mantissa.saturating_neg(), scale: self.scale }
    }

    /// Without its sign.
    pub fn absolute(self) -> Self {
        Decimal { mantissa: self.mantissa.saturating_abs(), scale: self.scale }
    }

    /// Rounded to `digits` after the point, halves away from zero.
    pub fn round(self, digits: u8) -> Self {
        let Some(cut) = self.scale.checked_sub(digits).filter(|cut| *cut > 0) else { return self };
        let Some(unit) = power_of_ten(u32::from(cut)) else { return Decimal { mantissa: 0, scale: digits } };
        let quotient = self.mantissa / unit;
        let rest = (self.mantissa % unit).abs();
        let away = rest >= unit - rest;
        let mantissa = if away { quotient + self.mantissa.signum() } else { quotient };
        Decimal { mantissa, scale: digits }
    }

    /// The largest decimal with `digits` after the point that is not larger. Zeros are appended when there are fewer.
    pub(super) fn floor_to(self, digits: u8) -> Option<Self> {
        if digits >= self.scale {
            return Some(Decimal { mantissa: self.rescaled(digits)?, scale: digits });
        }
        let unit = power_of_ten(u32::from(self.scale - digits))?;
        Some(Decimal { mantissa: self.mantissa.div_euclid(unit), scale: digits })
    }

    /// The whole number below or at it.
    pub fn floor(self) -> Self {
        let unit = power_of_ten(u32::from(self.scale)).unwrap_or(i128::MAX);
        Decimal { mantissa: self.mantissa.div_euclid(unit), scale: 0 }
    }

    /// The whole number above or at it.
    pub fn ceiling(self) -> Self {
        self.negated().floor().negated()
    }

    /// Without the digits after the point.
    pub fn truncate(self) -> Self {
        let unit = power_of_ten(u32::from(self.scale)).unwrap_or(i128::MAX);
        Decimal { mantissa: self.mantissa / unit, scale: 0 }
    }

    /// Equal when both are rounded to the precision of the less precise one (FHIRPath's `~`).
    pub fn is_equivalent(self, other: Self) -> bool {
        let (left, right) = (self.normal(), other.normal());
        let digits = left.scale.min(right.scale);
        left.round(digits) == right.round(digits)
    }
}

fn push_digit(mantissa: i128, byte: u8) -> Option<i128> {
    let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
    mantissa.checked_mul(10)?.checked_add(digit).filter(|value| value.unsigned_abs() < MANTISSA_MAX)
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Decimal { mantissa: i128::from(value), scale: 0 }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.aligned(*other) {
            Some((left, right, _)) => left.cmp(&right),
            // One of them is so large that it has no room for the other's digits: its sign decides.
            None if self.scale < other.scale => self.mantissa.cmp(&0),
            None => 0.cmp(&other.mantissa),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        match scale {
            0 => write!(f, "{sign}{whole}"),
            _ => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_read_as_json_spells_them_and_written_back_digit_for_digit() {
        for (text, written) in [
            ("0", "0"),
            ("1.50", "1.50"),
            ("-0.10", "-0.10"),
            ("1e3", "1000"),
            ("1.25E-2", "0.0125"),
            ("12345678901234567890.123456789", "12345678901234567890.123456789"),
        ] {
            assert_eq!(decimal(text).to_string(), written, "{text}");
        }
        for text in ["", "-", ".5", "5.", "1.a", "1e", "0x1", "1e99", "1_0", "9".repeat(50).as_str()] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn arithmetic_is_exact_where_binary_is_not() {
        assert_eq!(decimal("0.1").plus(decimal("0.2")), Some(decimal("0.3")));
        assert_eq!(decimal("1.8").minus(decimal("1.2")), Some(decimal("0.6")));
        assert_eq!(decimal("1.2").times(decimal("1.8")), Some(decimal("2.16")));
        assert_eq!(decimal("2").divided_by(decimal("3")).unwrap().round(4), decimal("0.6667"));
        assert_eq!(decimal("-2").divided_by(decimal("3")).unwrap().round(4), decimal("-0.6667"));
        assert_eq!(decimal("1").divided_by(decimal("0")), None);
        assert_eq!(decimal("2.2").remainder(decimal("1.8")), Some(decimal("0.4")));
        assert_eq!(decimal("-1.1").ceiling(), decimal("-1"));
        assert_eq!(decimal("-2.1").floor(), decimal("-3"));
        assert_eq!(decimal("-1.56").truncate(), decimal("-1"));
        assert!(decimal("0.67").is_equivalent(decimal("0.6666")));
        assert!(!decimal("0.67").is_equivalent(decimal("0.66")));
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_none_and_never_a_panic(text in "[-+0-9.eE]{0,60}") {
            if let Some(number) = Decimal::parse(&text) {
                prop_assert_eq!(Decimal::parse(&number.to_string()), Some(number));
                let _ = (number.round(2), number.floor(), number.ceiling(), number.times(number), number.divided_by(number));
            }
        }

        #[test]
        fn order_agrees_with_subtraction(a in any::<i64>(), b in any::<i64>(), s in 0u8..10, t in 0u8..10) {
            let (a, b) = (Decimal::new(i128::from(a), s), Decimal::new(i128::from(b), t));
            let difference = a.minus(b).unwrap();
            prop_assert_eq!(a.cmp(&b), difference.cmp(&Decimal::from(0)));
        }
    }
}
