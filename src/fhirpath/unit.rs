//! Enough of UCUM and of FHIRPath's calendar words to compare and combine quantities.
//!
//! A unit is reduced to a factor and powers of base units. A unit that is not known here is compared by its text
//! only, so that nothing is ever converted on a guess.

use super::decimal::Decimal;

/// How many base units there are: metre, gram, second, kelvin, mole, ampere, candela, radian, degree Celsius,
/// arbitrary unit [IU], calendar month.
const BASES: usize = 11;
const MONTHS: usize = 10;
const BASE_NAMES: [&str; BASES] = ["m", "g", "s", "K", "mol", "A", "cd", "rad", "Cel", "[IU]", "month"];

/// No unit of measure is written longer; what is longer is not looked into.
const LENGTH_MAX: usize = 64;

/// A unit as a factor and the powers of the base units it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) factor: Decimal,
    pub(super) powers: [i8; BASES],
}

const ONE: Unit = Unit { factor: Decimal::new(1, 0), powers: [0; BASES] };

impl Unit {
    /// The unit that `text` names: a UCUM code, or a calendar word such as `days`.
    pub(super) fn parse(text: &str, is_calendar: bool) -> Option<Unit> {
        if text.len() > LENGTH_MAX {
            return None;
        }
        if is_calendar {
            return calendar(text);
        }
        let mut unit = ONE;
        let mut divide = false;
        let mut rest = text;
        if let Some(denominator) = rest.strip_prefix('/') {
            (divide, rest) = (true, denominator);
        }
        loop {
            let end = end_of_term(rest);
            let (term, tail) = rest.split_at_checked(end)?;
            unit = unit.combine(parse_term(term)?, divide)?;
            match tail.as_bytes().first() {
                None => return Some(unit),
                Some(b'/') => divide = true,
                // UCUM reads from left to right: what follows a point is multiplied.
                Some(_) => divide = false,
            }
            rest = tail.get(1..)?;
        }
    }

    /// The product, or the quotient when `divide`.
    pub(super) fn combine(self, other: Unit, divide: bool) -> Option<Unit> {
        let factor =
            if divide { self.factor.divided_by(other.factor)? } else { self.factor.times(other.factor)?.normal() };
        let mut powers = self.powers;
        for (power, added) in powers.iter_mut().zip(other.powers) {
            *power = if divide { power.checked_sub(added)? } else { power.checked_add(added)? };
        }
        Some(Unit { factor, powers })
    }

    /// The UCUM spelling of the base units it is made of, `1` for none.
    pub(super) fn base_spelling(self) -> String {
        let mut spelled = String::new();
        for (name, power) in BASE_NAMES.iter().zip(self.powers) {
            if power != 0 {
                if !spelled.is_empty() {
                    spelled.push('.');
                }
                spelled.push_str(name);
                if power != 1 {
                    spelled.push_str(&power.to_string());
                }
            }
        }
        if spelled.is_empty() { "1".to_owned() } else { spelled }
    }
}

/// The product (or quotient) of two units in the atoms that they are written with: `cm` times `cm2` is `cm3`. None where
/// that would not be plain: annotations, and atoms that measure the same thing in different sizes (`cm` times `m`).
pub(super) fn spelled_product(left: &str, right: &str, divide: bool) -> Option<String> {
    let mut factors: Vec<(&str, i8)> = Vec::new();
    for (text, is_below) in [(left, false), (right, divide)] {
        for (name, power) in spelled_factors(text)? {
            let power = if is_below { power.checked_neg()? } else { power };
            match factors.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = known.checked_add(power)?,
                None => factors.push((name, power)),
            }
        }
    }
    factors.retain(|(_, power)| *power != 0);
    let mut seen = [false; BASES];
    for (name, _) in &factors {
        for (seen, power) in seen.iter_mut().zip(parse_atom(name)?.powers) {
            if power != 0 && std::mem::replace(seen, true) {
                return None;
            }
        }
    }
    let written: Vec<_> = factors
        .iter()
        .map(|(name, power)| if *power == 1 { (*name).to_owned() } else { format!("{name}{power}") })
        .collect();
    Some(if written.is_empty() { "1".to_owned() } else { written.join(".") })
}

/// The atoms of a unit, each with its power.
fn spelled_factors(text: &str) -> Option<Vec<(&str, i8)>> {
    if text.len() > LENGTH_MAX || text.contains(['{', '(', '*', '^']) {
        return None;
    }
    let mut factors = Vec::new();
    let (mut rest, mut divide) = (text, false);
    if let Some(denominator) = rest.strip_prefix('/') {
        (rest, divide) = (denominator, true);
    }
    loop {
        let (term, tail) = rest.split_at_checked(end_of_term(rest))?;
        let digits = term.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (name, exponent) = term.split_at_checked(term.len() - digits)?;
        let power = if exponent.is_empty() { 1 } else { exponent.parse::<i8>().ok()? };
        let (name, power) = name.strip_suffix('-').map_or((name, power), |name| (name, -power));
        if name != "1" && !name.is_empty() {
            factors.push((name, if divide { -power } else { power }));
        } else if name.is_empty() && term != "1" {
            return None;
        }
        divide = match tail.as_bytes().first() {
            None => return Some(factors),
            Some(sign) => *sign == b'/',
        };
        rest = tail.get(1..)?;
    }
}

/// Where the next `.` or `/` outside brackets and annotations stands.
fn end_of_term(text: &str) -> usize {
    let mut inside = 0u32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => inside += 1,
            b']' | b'}' => inside = inside.saturating_sub(1),
            b'.' | b'/' if inside == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn parse_term(term: &str) -> Option<Unit> {
    // An annotation says what was counted and changes nothing.
    let term = match term.find('{') {
        Some(at) if term.ends_with('}') => term.get(..at)?,
        Some(_) => return None,
        None => term,
    };
    if term.is_empty() {
        return Some(ONE);
    }
    if let Some(atom) = parse_atom(term) {
        return Some(atom);
    }
    let digits = term.bytes().rev().take_while(u8::is_ascii_digit).count();
    let split = term.len() - digits;
    let (name, exponent) = term.split_at_checked(split)?;
    let (name, negative) = match name.strip_suffix('-') {
        Some(name) => (name, true),
        None => (name.strip_suffix('+').unwrap_or(name), false),
    };
    let exponent = exponent.parse::<u8>().ok().filter(|exponent| (1..=9).contains(exponent))?;
    let atom = parse_atom(name)?;
    (0..exponent).try_fold(ONE, |unit, _| unit.combine(atom, negative))
}

fn parse_atom(name: &str) -> Option<Unit> {
    if let Some(found) = atom(name) {
        return Some(found);
    }
    if let Ok(number) = name.parse::<u32>() {
        return Some(Unit { factor: Decimal::from(i64::from(number)), ..ONE });
    }
    let (prefix, metric) = ["da", "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "d", "c", "m", "u", "n", "p", "f"]
        .iter()
        .find_map(|prefix| Some((*prefix, name.strip_prefix(prefix).filter(|rest| is_metric(rest))?)))?;
    let factor = match prefix {
        "da" => Decimal::new(10, 0),
        "Y" => Decimal::new(10i128.pow(24), 0),
        "Z" => Decimal::new(10i128.pow(21), 0),
        "E" => Decimal::new(10i128.pow(18), 0),
        "P" => Decimal::new(10i128.pow(15), 0),
        "T" => Decimal::new(10i128.pow(12), 0),
        "G" => Decimal::new(10i128.pow(9), 0),
        "M" => Decimal::new(10i128.pow(6), 0),
        "k" => Decimal::new(1000, 0),
        "h" => Decimal::new(100, 0),
        "d" => Decimal::new(1, 1),
        "c" => Decimal::new(1, 2),
        "m" => Decimal::new(1, 3),
        "u" => Decimal::new(1, 6),
        "n" => Decimal::new(1, 9),
        "p" => Decimal::new(1, 12),
        _ => Decimal::new(1, 15),
    };
    let atom = atom(metric)?;
    Some(Unit { factor: atom.factor.times(factor)?.normal(), ..atom })
}

fn is_metric(name: &str) -> bool {
    matches!(
        name,
        "m" | "g"
            | "s"
            | "K"
            | "mol"
            | "A"
            | "cd"
            | "rad"
            | "Cel"
            | "L"
            | "l"
            | "Hz"
            | "N"
            | "Pa"
            | "J"
            | "W"
            | "V"
            | "m[H2O]"
            | "m[Hg]"
            | "bar"
            | "cal"
            | "[IU]"
            | "[iU]"
            | "eq"
    )
}

/// The atoms that quantities in this trade use; factors from the UCUM tables (2.1).
fn atom(name: &str) -> Option<Unit> {
    let (mantissa, scale, powers): (i128, u8, &[(usize, i8)]) = match name {
        "1" => (1, 0, &[]),
        "%" => (1, 2, &[]),
        "10*" | "10^" => (10, 0, &[]),
        "m" => (1, 0, &[(0, 1)]),
        "g" => (1, 0, &[(1, 1)]),
        "s" => (1, 0, &[(2, 1)]),
        "K" => (1, 0, &[(3, 1)]),
        "mol" | "eq" => (1, 0, &[(4, 1)]),
        "A" => (1, 0, &[(5, 1)]),
        "cd" => (1, 0, &[(6, 1)]),
        "rad" => (1, 0, &[(7, 1)]),
        "Cel" => (1, 0, &[(8, 1)]),
        "[IU]" | "[iU]" => (1, 0, &[(9, 1)]),
        "min" => (60, 0, &[(2, 1)]),
        "h" => (3600, 0, &[(2, 1)]),
        "d" => (86_400, 0, &[(2, 1)]),
        "wk" => (604_800, 0, &[(2, 1)]),
        "mo" => (2_629_800, 0, &[(2, 1)]),
        "a" => (31_557_600, 0, &[(2, 1)]),
        "L" | "l" => (1, 3, &[(0, 3)]),
        "t" => (1_000_000, 0, &[(1, 1)]),
        "[in_i]" => (254, 4, &[(0, 1)]),
        "[ft_i]" => (3048, 4, &[(0, 1)]),
        "[yd_i]" => (9144, 4, &[(0, 1)]),
        "[mi_i]" => (1_609_344, 3, &[(0, 1)]),
        "[lb_av]" => (45_359_237, 5, &[(1, 1)]),
        "[oz_av]" => (28_349_523_125, 9, &[(1, 1)]),
        "[stone_av]" => (635_029_318, 5, &[(1, 1)]),
        "Hz" => (1, 0, &[(2, -1)]),
        "N" => (1000, 0, &[(1, 1), (0, 1), (2, -2)]),
        "Pa" => (1000, 0, &[(1, 1), (0, -1), (2, -2)]),
        "bar" => (100_000_000, 0, &[(1, 1), (0, -1), (2, -2)]),
        "m[Hg]" => (133_322_000, 0, &[(1, 1), (0, -1), (2, -2)]),
        "m[H2O]" => (9_806_650, 0, &[(1, 1), (0, -1), (2, -2)]),
        "J" => (1000, 0, &[(1, 1), (0, 2), (2, -2)]),
        "cal" => (4184, 0, &[(1, 1), (0, 2), (2, -2)]),
        "W" => (1000, 0, &[(1, 1), (0, 2), (2, -3)]),
        "V" => (1000, 0, &[(1, 1), (0, 2), (2, -3), (5, -1)]),
        "[ppth]" => (1, 3, &[]),
        "[ppm]" => (1, 6, &[]),
        "Bq" => (1, 0, &[(2, -1)]),
        "Gy" | "Sv" => (1, 0, &[(0, 2), (2, -2)]),
        "C" => (1, 0, &[(5, 1), (2, 1)]),
        "osm" => (1, 0, &[(4, 1)]),
        "kat" => (1, 0, &[(4, 1), (2, -1)]),
        "lm" => (1, 0, &[(6, 1)]),
        "[foz_us]" => (295_735_295_625, 16, &[(0, 3)]),
        "[gal_us]" => (3_785_411_784, 12, &[(0, 3)]),
        _ => return None,
    };
    let mut unit = Unit { factor: Decimal::new(mantissa, scale), ..ONE };
    for (base, power) in powers {
        if let Some(slot) = unit.powers.get_mut(*base) {
            *slot = *power;
        }
    }
    Some(unit)
}

/// FHIRPath's calendar durations. Up to the week they are what UCUM calls by another name; months and years have no
/// fixed length and stand apart.
fn calendar(word: &str) -> Option<Unit> {
    let ucum = match word.strip_suffix('s').unwrap_or(word) {
        "week" => "wk",
        "day" => "d",
        "hour" => "h",
        "minute" => "min",
        "second" => "s",
        "millisecond" => "ms",
        "month" => return Some(months(1)),
        "year" => return Some(months(12)),
        _ => return None,
    };
    parse_atom(ucum)
}

fn months(count: i64) -> Unit {
    let mut unit = Unit { factor: Decimal::from(count), ..ONE };
    unit.powers[MONTHS] = 1;
    unit
}

/// True for the words that FHIRPath takes as calendar durations, in both numbers.
pub(super) fn is_calendar_word(word: &str) -> bool {
    calendar(word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_reduced_to_base_units() {
        for (text, factor, spelled) in [
            ("mg", "0.001", "g"),
            ("kg.m/s2", "1000", "m.g.s-2"),
            ("m2", "1", "m2"),
            ("g/m", "1", "m-1.g"),
            ("mm[Hg]", "133322", "m-1.g.s-2"),
            ("{beats}/min", "0.016666666666666667", "s-1"),
            ("dL", "0.0001", "m3"),
            ("10*3", "1000", "1"),
        ] {
            let unit = Unit::parse(text, false).unwrap_or_else(|| panic!("{text} is not read"));
            assert_eq!(unit.factor, Decimal::parse(factor).unwrap(), "{text}");
            assert_eq!(unit.base_spelling(), spelled, "{text}");
        }
        for text in ["wibble", "m99", "{", "kmin", "mg//L.{"] {
            assert_eq!(Unit::parse(text, false), None, "{text}");
        }
        assert_eq!(Unit::parse("weeks", true), Unit::parse("wk", false));
        assert_ne!(Unit::parse("year", true), Unit::parse("a", false));
    }
}
