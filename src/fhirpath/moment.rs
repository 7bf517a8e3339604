//! Dates, instants and times of day that keep the precision they were written with.

use std::cmp::Ordering;
use std::fmt;

/// How far a moment is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// The year only.
    Year,
    /// Year and month.
    Month,
    /// A whole date.
    Day,
    /// To the hour.
    Hour,
    /// To the minute.
    Minute,
    /// To the second, with or without a fraction: FHIRPath treats both as one precision.
    Second,
}

/// A date, a date with a time, or a time of day, as far as it was told. A time of day has no year, month and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) nano: u32,
    /// How many digits of the fraction were written, at most 9.
    pub(super) fraction_digits: u8,
    /// Minutes east of UTC, where told.
    pub(super) offset: Option<i16>,
    /// How far it is told.
    pub(super) precision: Precision,
}

const MINUTES_IN_DAY: i64 = 24 * 60;
/// No local time is further from UTC than this (hours × 60): Kiribati ahead, Baker Island behind.
const AHEAD_MAX: i64 = 14 * 60;
const BEHIND_MAX: i64 = 12 * 60;

/// Days in a month of the proleptic Gregorian calendar.
pub(super) fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1 March of year 0, which makes the leap day the last of its year.
fn day_number(year: u16, month: u8, day: u8) -> i64 {
    let shifted = (i64::from(month) + 9) % 12;
    let year = i64::from(year) - shifted / 10;
    365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (shifted * 306 + 5) / 10
        + i64::from(day)
        - 1
}

fn from_day_number(days: i64) -> Option<(u16, u8, u8)> {
    // Ten thousand years have 3,652,425 days; what lies beyond has no date here, and no room below.
    if !(0..=3_652_425).contains(&days) {
        return None;
    }
    let mut year = (10_000 * days + 14_780).div_euclid(3_652_425);
    let start = |year: i64| 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let mut rest = days - start(year);
    if rest < 0 {
        year -= 1;
        rest = days - start(year);
    }
    let shifted = (100 * rest + 52) / 3060;
    let month = (shifted + 2) % 12 + 1;
    let year = year + (shifted + 2) / 12;
    let day = rest - (shifted * 306 + 5) / 10 + 1;
    let year = u16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
    Some((year, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}

impl Moment {
    const START: Moment = Moment {
        year: 1,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        nano: 0,
        fraction_digits: 0,
        offset: None,
        precision: Precision::Year,
    };

    /// Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub fn parse_date(text: &str) -> Option<Moment> {
        let mut moment = Moment::START;
        let rest = moment.take_date(text)?;
        rest.is_empty().then_some(moment)
    }

    /// Reads a date, or a date with `T` and a time as far as told, with or without an offset.
    pub fn parse_date_time(text: &str) -> Option<Moment> {
        let mut moment = Moment::START;
        let rest = moment.take_date(text)?;
        let Some(rest) = rest.strip_prefix('T') else { return rest.is_empty().then_some(moment) };
        if rest.is_empty() {
            return Some(moment);
        }
        if moment.precision < Precision::Day {
            return None;
        }
        let rest = moment.take_time(rest)?;
        moment.take_offset(rest)?;
        Some(moment)
    }

    /// Reads `hh`, `hh:mm` or `hh:mm:ss` with or without a fraction.
    pub fn parse_time(text: &str) -> Option<Moment> {
        let mut moment = Moment::START;
        let rest = moment.take_time(text)?;
        rest.is_empty().then_some(moment)
    }

    /// The date of an instant in the zone it is told in.
    pub(super) fn date_only(self) -> Moment {
        Moment { offset: None, precision: self.precision.min(Precision::Day), ..self }
    }

    /// The time of day of an instant.
    pub(super) fn time_only(self) -> Moment {
        Moment { offset: None, precision: Precision::Second, ..self }
    }

    /// From a moment in a time zone, to the millisecond.
    pub fn from_zoned(zoned: &jiff::Zoned) -> Option<Moment> {
        Some(Moment {
            year: u16::try_from(zoned.year()).ok()?,
            month: u8::try_from(zoned.month()).ok()?,
            day: u8::try_from(zoned.day()).ok()?,
            hour: u8::try_from(zoned.hour()).ok()?,
            minute: u8::try_from(zoned.minute()).ok()?,
            second: u8::try_from(zoned.second()).ok()?,
            nano: u32::try_from(zoned.millisecond()).ok()? * 1_000_000,
            fraction_digits: 3,
            offset: i16::try_from(zoned.offset().seconds() / 60).ok(),
            precision: Precision::Second,
        })
    }

    fn take_date<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (year, rest) = digits(text, 4)?;
        self.year = year;
        if year == 0 {
            return None;
        }
        let Some(rest) = rest.strip_prefix('-') else { return Some(rest) };
        let (month, rest) = digits(rest, 2)?;
        self.month = u8::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
        self.precision = Precision::Month;
        let Some(rest) = rest.strip_prefix('-') else { return Some(rest) };
        let (day, rest) = digits(rest, 2)?;
        let last = days_in_month(self.year, self.month);
        self.day = u8::try_from(day).ok().filter(|day| (1..=last).contains(day))?;
        self.precision = Precision::Day;
        Some(rest)
    }

    fn take_time<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (hour, rest) = digits(text, 2)?;
        self.hour = u8::try_from(hour).ok().filter(|hour| *hour < 24)?;
        self.precision = Precision::Hour;
        let Some(rest) = rest.strip_prefix(':') else { return Some(rest) };
        let (minute, rest) = digits(rest, 2)?;
        self.minute = u8::try_from(minute).ok().filter(|minute| *minute < 60)?;
        self.precision = Precision::Minute;
        let Some(rest) = rest.strip_prefix(':') else { return Some(rest) };
        let (second, rest) = digits(rest, 2)?;
        // 60 is a leap second, which FHIR allows.
        self.second = u8::try_from(second).ok().filter(|second| *second <= 60)?;
        self.precision = Precision::Second;
        let Some(rest) = rest.strip_prefix('.') else { return Some(rest) };
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return None;
        }
        let (written, rest) = rest.split_at_checked(length)?;
        let kept = written.get(..length.min(9))?;
        self.fraction_digits = kept.len() as u8;
        self.nano = kept.parse::<u32>().ok()? * 10u32.pow(9 - kept.len() as u32);
        Some(rest)
    }

    fn take_offset(&mut self, text: &str) -> Option<()> {
        let (sign, rest) = match text.as_bytes().first() {
            None => return Some(()),
            Some(b'Z') if text.len() == 1 => {
                self.offset = Some(0);
                return Some(());
            }
            Some(b'+') => (1, text.get(1..)?),
            Some(b'-') => (-1, text.get(1..)?),
            Some(_) => return None,
        };
        let (hours, rest) = digits(rest, 2)?;
        let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
        if !rest.is_empty() || hours > 14 || minutes > 59 {
            return None;
        }
        self.offset = Some(sign * (hours * 60 + minutes) as i16);
        Some(())
    }

    /// The same instant told in UTC, when it has an offset.
    fn in_utc(self) -> Moment {
        match self.offset {
            None | Some(0) => self,
            Some(offset) => Moment { offset: Some(0), ..self }.plus_minutes(-i64::from(offset)).unwrap_or(self),
        }
    }

    fn minutes(self) -> i64 {
        day_number(self.year, self.month, self.day) * MINUTES_IN_DAY
            + i64::from(self.hour) * 60
            + i64::from(self.minute)
    }

    fn plus_minutes(self, minutes: i64) -> Option<Moment> {
        let total = self.minutes().checked_add(minutes)?;
        let (year, month, day) = from_day_number(total.div_euclid(MINUTES_IN_DAY))?;
        let rest = total.rem_euclid(MINUTES_IN_DAY);
        Some(Moment { year, month, day, hour: (rest / 60) as u8, minute: (rest % 60) as u8, ..self })
    }

    /// Compares as far as both are told; none when that does not decide it.
    ///
    /// With an offset on both sides the instants are compared. With an offset on one side only, times that lie
    /// further apart than any two time zones are still decided; others are not.
    pub fn compare(self, other: Moment) -> Option<Ordering> {
        let (left, right) = match (self.offset, other.offset) {
            (Some(left), Some(right)) if left != right => (self.in_utc(), other.in_utc()),
            (Some(_), None) if other.precision >= Precision::Hour => return self.compare_to_unzoned(other),
            (None, Some(_)) if self.precision >= Precision::Hour => {
                return other.compare_to_unzoned(self).map(Ordering::reverse);
            }
            _ => (self, other),
        };
        let steps = [
            (Precision::Year, left.year.cmp(&right.year)),
            (Precision::Month, left.month.cmp(&right.month)),
            (Precision::Day, left.day.cmp(&right.day)),
            (Precision::Hour, left.hour.cmp(&right.hour)),
            (Precision::Minute, left.minute.cmp(&right.minute)),
            (Precision::Second, (left.second, left.nano).cmp(&(right.second, right.nano))),
        ];
        for (precision, order) in steps {
            match (left.precision >= precision, right.precision >= precision) {
                (true, true) if order != Ordering::Equal => return Some(order),
                (true, true) => {}
                (false, false) => return Some(Ordering::Equal),
                (true, false) | (false, true) => return None,
            }
        }
        Some(Ordering::Equal)
    }

    fn compare_to_unzoned(self, local: Moment) -> Option<Ordering> {
        let apart = self.in_utc().minutes() - local.minutes();
        if apart > BEHIND_MAX {
            Some(Ordering::Greater)
        } else if apart < -AHEAD_MAX {
            Some(Ordering::Less)
        } else {
            None
        }
    }

    /// Months later (or earlier), the day kept or moved back to the last of its month.
    pub(super) fn plus_months(self, months: i64) -> Option<Moment> {
        let total = (i64::from(self.year) * 12 + i64::from(self.month) - 1).checked_add(months)?;
        let year = u16::try_from(total.div_euclid(12)).ok().filter(|year| (1..=9999).contains(year))?;
        let month = (total.rem_euclid(12) + 1) as u8;
        Some(Moment { year, month, day: self.day.min(days_in_month(year, month)), ..self })
    }

    /// Days later (or earlier).
    pub(super) fn plus_days(self, days: i64) -> Option<Moment> {
        let (year, month, day) = from_day_number(day_number(self.year, self.month, self.day).checked_add(days)?)?;
        Some(Moment { year, month, day, ..self })
    }

    /// Nanoseconds later (or earlier); a time of day goes round the clock.
    pub(super) fn plus_nanos(self, nanos: i128, is_time_of_day: bool) -> Option<Moment> {
        const MINUTE: i128 = 60_000_000_000;
        let within = i128::from(self.second) * 1_000_000_000 + i128::from(self.nano);
        let total = within.checked_add(nanos)?;
        let minutes = i64::try_from(total.div_euclid(MINUTE)).ok()?;
        let rest = total.rem_euclid(MINUTE);
        let base = match is_time_of_day {
            // Any day will do that is far from the calendar's ends.
            true => Moment { year: 2000, ..self }.plus_minutes(minutes % MINUTES_IN_DAY)?,
            false => self.plus_minutes(minutes)?,
        };
        let nano = (rest % 1_000_000_000) as u32;
        let needed =
            if nano == 0 { 0 } else { 9 - (0..9).take_while(|n| nano.is_multiple_of(10u32.pow(n + 1))).count() };
        Some(Moment {
            second: (rest / 1_000_000_000) as u8,
            nano,
            fraction_digits: self.fraction_digits.max(needed as u8),
            ..base
        })
    }

    /// Writes it as a time of day, without `T`.
    pub(super) fn write_time(self, f: &mut impl fmt::Write) -> fmt::Result {
        write!(f, "{:02}", self.hour)?;
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", self.minute)?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", self.second)?;
        }
        if self.fraction_digits > 0 {
            let cut = 10u32.pow(9 - u32::from(self.fraction_digits.min(9)));
            write!(f, ".{:0width$}", self.nano / cut, width = usize::from(self.fraction_digits))?;
        }
        Ok(())
    }

    /// Writes it as a date, with the time where that is told.
    pub(super) fn write_date_time(self, f: &mut impl fmt::Write) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        if self.precision >= Precision::Month {
            write!(f, "-{:02}", self.month)?;
        }
        if self.precision >= Precision::Day {
            write!(f, "-{:02}", self.day)?;
        }
        if self.precision >= Precision::Hour {
            f.write_char('T')?;
            self.write_time(f)?;
            match self.offset {
                None => {}
                Some(0) => f.write_char('Z')?,
                Some(offset) => {
                    let sign = if offset < 0 { '-' } else { '+' };
                    write!(f, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)?;
                }
            }
        }
        Ok(())
    }
}

/// The number that the first `count` characters spell, at most four.
fn digits(text: &str, count: usize) -> Option<(u16, &str)> {
    let (written, rest) = text.split_at_checked(count)?;
    let mut number = 0;
    for byte in written.bytes() {
        number = number * 10 + u16::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Moment {
        Moment::parse_date_time(text).unwrap()
    }

    #[test]
    fn what_is_not_in_the_calendar_is_not_read() {
        for text in ["2015", "2015-02", "2016-02-29", "2015-02-04T14", "2015-02-04T14:34:28.123+01:00"] {
            let mut written = String::new();
            at(text).write_date_time(&mut written).unwrap();
            assert_eq!(written, text);
        }
        for text in ["", "15", "2015-13", "2015-02-29", "2015-02-04T24:00", "2015T10", "2015-02-04T10:00+1", "0000"] {
            assert!(Moment::parse_date_time(text).is_none(), "{text}");
        }
    }

    #[test]
    fn moments_are_compared_as_far_as_they_are_told() {
        use Ordering::{Equal, Greater, Less};
        for (left, right, order) in [
            ("2018-03-01", "2018-03-02", Some(Less)),
            ("2018-03", "2018-03-01", None),
            ("2018-02", "2018-03-01", Some(Less)),
            ("2018-03-01T10:30", "2018-03-01T10:30:00", None),
            ("2018-03-01T10:30:00", "2018-03-01T10:30:00.0", Some(Equal)),
            ("2017-11-05T01:30:00.0-04:00", "2017-11-05T00:30:00.0-05:00", Some(Equal)),
            ("2017-11-05T00:30:00Z", "2017-11-05T01:30:00", None),
            ("2017-11-07T00:30:00Z", "2017-11-05T01:30:00", Some(Greater)),
            ("2017-11-05T01:30:00", "2017-11-07T00:30:00Z", Some(Less)),
        ] {
            assert_eq!(at(left).compare(at(right)), order, "{left} {right}");
        }
    }

    proptest! {
        #[test]
        fn days_added_and_taken_away_leave_the_date_as_it_was(days in -700_000i64..700_000, month in 1u8..=12, day in 1u8..=28) {
            let start = Moment { year: 2026, month, day, precision: Precision::Day, ..Moment::START };
            if let Some(later) = start.plus_days(days) {
                prop_assert_eq!(later.plus_days(-days), Some(start));
                prop_assert!(later.day >= 1 && later.day <= days_in_month(later.year, later.month));
                prop_assert_eq!(later.compare(start), Some(days.cmp(&0)));
            }
        }

        #[test]
        fn any_text_is_a_moment_or_none(text in "[0-9T:.Z+-]{0,30}") {
            let _ = (Moment::parse_date(&text), Moment::parse_date_time(&text), Moment::parse_time(&text));
        }
    }
}
