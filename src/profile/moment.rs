//! Dates and times in the forms of FHIR R4 (section 2.24.0.1), with days that the calendar has.

/// The year, month or day is missing or malformed.
const DATE_FORM: &str = "a date is YYYY, YYYY-MM or YYYY-MM-DD";
/// The part after the `T` is malformed.
const TIME_FORM: &str = "a time is hh:mm:ss, the seconds may have a fraction";
const DATE_TIME_FORM: &str = "it is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with an offset";
const INSTANT_FORM: &str = "an instant is YYYY-MM-DDThh:mm:ss with an offset";
const OFFSET_FORM: &str = "a time of day needs an offset: Z, or +hh:mm or -hh:mm up to 14:00";
const NO_SUCH_DAY: &str = "the calendar has no such day";

/// What is wrong with a `date`; nothing when it is one.
pub(super) fn date_fault(text: &str) -> Option<&'static str> {
    match take_date(text.as_bytes()) {
        Ok((_, [])) => None,
        Ok(_) => Some(DATE_FORM),
        Err(fault) => Some(fault),
    }
}

/// What is wrong with a `dateTime`.
pub(super) fn date_time_fault(text: &str) -> Option<&'static str> {
    match take_date(text.as_bytes()) {
        Err(DATE_FORM) => Some(DATE_TIME_FORM),
        Err(fault) => Some(fault),
        Ok((_, [])) => None,
        Ok((Precision::Day, [b'T', rest @ ..])) => time_and_offset_fault(rest),
        Ok(_) => Some(DATE_TIME_FORM),
    }
}

/// What is wrong with an `instant`: a `dateTime` to the second, with its offset.
pub(super) fn instant_fault(text: &str) -> Option<&'static str> {
    match take_date(text.as_bytes()) {
        Err(DATE_FORM) => Some(INSTANT_FORM),
        Err(fault) => Some(fault),
        Ok((Precision::Day, [b'T', rest @ ..])) => time_and_offset_fault(rest),
        Ok(_) => Some(INSTANT_FORM),
    }
}

/// What is wrong with a `time`, which has no offset.
pub(super) fn time_fault(text: &str) -> Option<&'static str> {
    match take_time(text.as_bytes()) {
        Some([]) => None,
        Some(_) | None => Some(TIME_FORM),
    }
}

/// What is hardly meant in a date, date and time, or instant that is well-formed: a year in which nobody lived who is
/// treated now. HL7's validator warns from 80 years ahead; here no clock is read, so the bound is a year.
pub(super) fn doubt(text: &str) -> Option<&'static str> {
    const USUAL: std::ops::RangeInclusive<u32> = 1800..=2100;
    let (year, _) = take_number::<4>(text.as_bytes())?;
    (!USUAL.contains(&year)).then_some("the year lies between 1800 and 2100")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Precision {
    Year,
    Month,
    Day,
}

/// A date from the front of `text`, and what follows it.
fn take_date(text: &[u8]) -> Result<(Precision, &[u8]), &'static str> {
    let (year, rest) = take_number::<4>(text).ok_or(DATE_FORM)?;
    if year == 0 {
        return Err(NO_SUCH_DAY);
    }
    let [b'-', rest @ ..] = rest else { return Ok((Precision::Year, rest)) };
    let (month, rest) = take_number::<2>(rest).ok_or(DATE_FORM)?;
    if !(1..=12).contains(&month) {
        return Err(NO_SUCH_DAY);
    }
    let [b'-', rest @ ..] = rest else { return Ok((Precision::Month, rest)) };
    let (day, rest) = take_number::<2>(rest).ok_or(DATE_FORM)?;
    if day == 0 || day > day_count(year, month) {
        return Err(NO_SUCH_DAY);
    }
    Ok((Precision::Day, rest))
}

fn day_count(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn time_and_offset_fault(text: &[u8]) -> Option<&'static str> {
    let Some(offset) = take_time(text) else { return Some(TIME_FORM) };
    let is_offset = match offset {
        [b'Z'] => true,
        [b'+' | b'-', rest @ ..] => is_hours_and_minutes(rest),
        _ => false,
    };
    (!is_offset).then_some(OFFSET_FORM)
}

fn is_hours_and_minutes(text: &[u8]) -> bool {
    let Some((hours, [b':', rest @ ..])) = take_number::<2>(text) else { return false };
    let Some((minutes, [])) = take_number::<2>(rest) else { return false };
    (hours <= 13 && minutes <= 59) || (hours == 14 && minutes == 0)
}

/// Steps over `hh:mm:ss` with a fraction, if there is one; a leap second may be the sixtieth.
fn take_time(text: &[u8]) -> Option<&[u8]> {
    let (hours, rest) = take_number::<2>(text)?;
    let (minutes, rest) = take_number::<2>(rest.strip_prefix(b":")?)?;
    let (seconds, rest) = take_number::<2>(rest.strip_prefix(b":")?)?;
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let Some(fraction) = rest.strip_prefix(b".") else { return Some(rest) };
    let digit_count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digit_count == 0 { None } else { fraction.get(digit_count..) }
}

/// A number of exactly `N` digits from the front of `text`.
fn take_number<const N: usize>(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<N>()?;
    let number = digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Some(number * 10 + u32::from(digit - b'0')),
        _ => None,
    })?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fault: fn(&str) -> Option<&'static str>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(fault(text), None, "{text}");
        }
        for text in bad {
            assert!(fault(text).is_some(), "{text} should be refused");
        }
    }

    #[test]
    fn dates_have_one_of_three_forms_and_a_day_of_the_calendar() {
        check(
            date_fault,
            &["2023", "2023-02", "2023-02-28", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"],
            &[
                "",
                "20",
                "0000",
                "2023-",
                "2023-13",
                "2023-00",
                "2023-2-1",
                "2023-02-29",
                "2023-02-30",
                "1900-02-29",
                "2023-04-31",
                "2023-01-32",
                "2023-01-00",
                "2023-01-01T10:00:00Z",
                "2023-01-01 ",
                "２０２３",
                "-2023",
                "23-01-2023",
                "20230101",
            ],
        );
        assert_eq!(date_fault("2023-02-30"), Some(NO_SUCH_DAY));
    }

    #[test]
    fn a_date_time_with_a_time_needs_seconds_and_an_offset() {
        check(
            date_time_fault,
            &[
                "2023",
                "2023-02",
                "2023-02-28",
                "2023-02-28T10:00:00Z",
                "2023-02-28T23:59:60.123+14:00",
                "2023-02-28T00:00:00-13:59",
            ],
            &[
                "2023-02-28T",
                "2023-02-28T10:00Z",
                "2023-02-28T10:00:00",
                "2023-02-28T24:00:00Z",
                "2023-02T10:00:00Z",
                "2023-02-28 10:00:00Z",
                "2023-02-28T10:00:00+14:01",
                "2023-02-28T10:00:00+0100",
                "2023-02-28T10:00:00.Z",
                "2023-02-28T10:00:00z",
                "2023-02-28t10:00:00Z",
                "2023-02-28T10:60:00Z",
                "2023-02-30T10:00:00Z",
            ],
        );
    }

    #[test]
    fn an_instant_is_never_a_bare_date() {
        check(
            instant_fault,
            &["2023-02-28T10:00:00Z", "2021-10-12T12:30:30+00:00", "2023-02-28T10:00:00.000000001Z"],
            &["2023", "2023-02-28", "2023-02-28T10:00:00", "2023-02-30T10:00:00Z", "today", ""],
        );
        assert_eq!(instant_fault("2023-02-28T10:00:00"), Some(OFFSET_FORM));
    }

    #[test]
    fn a_time_has_no_offset() {
        check(time_fault, &["10:00:00", "23:59:59.5"], &["10:00", "10:00:00Z", "24:00:00", "1:00:00", "10:00:61", ""]);
    }
}
