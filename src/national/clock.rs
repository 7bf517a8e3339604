//! The two nights of the year in which the clocks change.
//!
//! FHIR asks for an offset with every time of day, and the check of primitives refuses one without. That says what is
//! missing but not what it costs: in the repeated hour nobody can tell afterwards which of the two was meant, and in
//! the missing hour the time never was. And a time with an offset can still be an hour wrong, when a system writes
//! summer time's offset all year.

use super::Findings;
use super::read::Names;
use crate::document::Node;
use crate::issue::{Issue, Rule};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset};
use jiff::{Timestamp, Zoned};

/// What asks for it: FHIR R4 2.24.0.1 dateTime, and BaRS, How to handle times.
const ASKER: &str = "FHIR R4 2.24.0.1; BaRS Core, How to handle times";

pub(super) fn check(node: Node<'_>, names: &Names, findings: &mut Findings<'_>) {
    let Some(text) = node.string().filter(|text| looks_like_a_time(text)) else { return };
    if let Some(local) = local_time(text) {
        without_offset(node, local, findings);
    } else if node.is(names.start) || node.is(names.end) || node.is(names.occurrence) {
        // When a patient is to come, and not when a machine wrote it down.
        with_offset(node, text, findings);
    }
}

/// `YYYY-MM-DDThh:mm` and more; also with a space, which PAS exports write.
fn looks_like_a_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    (16..=40).contains(&bytes.len())
        && bytes.first().is_some_and(u8::is_ascii_digit)
        && bytes.get(4) == Some(&b'-')
        && matches!(bytes.get(10), Some(b'T' | b' '))
}

/// A time of day without an offset.
fn local_time(text: &str) -> Option<DateTime> {
    let has_offset = text.ends_with(['Z', 'z']) || text.get(16..).is_none_or(|rest| rest.contains(['+', '-']));
    if has_offset { None } else { text.parse().ok() }
}

fn without_offset(node: Node<'_>, local: DateTime, findings: &mut Findings<'_>) {
    match findings.rules.time_zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { .. } => {}
        AmbiguousOffset::Fold { before, after } => findings.tell(Rule::ClockRepeatedHour, node, || {
            let message = "this local time comes twice: the clocks go back over it, and nothing says which is meant";
            Issue::new(Rule::ClockRepeatedHour, message)
                .hint(format!("write the offset: {} for the first, {} for the second", spelled(before), spelled(after)))
                .asked_by(ASKER)
        }),
        AmbiguousOffset::Gap { before, after } => findings.tell(Rule::ClockMissingHour, node, || {
            let message = "this local time does not exist: the clocks go forward over it";
            let offsets = format!("{} before the change, {} after it", spelled(before), spelled(after));
            Issue::new(Rule::ClockMissingHour, message)
                .hint(format!("ask for the time that was meant, and write its offset: {offsets}"))
                .asked_by(ASKER)
        }),
    }
}

/// An offset that the site's clocks have only in summer, at a moment when they do not have it. UTC is always right, and
/// so is any offset that is never the site's: the receiver must accept it (BaRS, How to handle times).
fn with_offset(node: Node<'_>, text: &str, findings: &mut Findings<'_>) {
    let Some((offset, at)) = offset_of(text).zip(text.parse::<Timestamp>().ok()) else { return };
    if offset == Offset::UTC || findings.rules.time_zone.to_offset(at) == offset {
        return;
    }
    let zone = &findings.rules.time_zone;
    let has_it_in_summer = summer_offset(&at.to_zoned(zone.clone())) == Some(offset);
    if has_it_in_summer {
        let winter = zone.to_offset(at);
        findings.tell(Rule::ClockOffset, node, || {
            let message = format!(
                "the offset is summer time's ({}), but the clocks are not on summer time then: a local time written so \
                 is an hour wrong",
                spelled(offset)
            );
            Issue::new(Rule::ClockOffset, message)
                .hint(format!("if the clock on the wall was meant, write {}; or send UTC", spelled(winter)))
                .asked_by(ASKER)
        });
    }
}

/// The offset that the site has at the middle of the summer of that year.
fn summer_offset(at: &Zoned) -> Option<Offset> {
    let midsummer = jiff::civil::date(at.year(), 7, 1).at(12, 0, 0, 0);
    at.time_zone().to_timestamp(midsummer).ok().map(|then| at.time_zone().to_offset(then))
}

/// The offset at the end of an instant.
fn offset_of(text: &str) -> Option<Offset> {
    if text.ends_with(['Z', 'z']) {
        return Some(Offset::UTC);
    }
    let tail = text.len().checked_sub(6).and_then(|from| text.get(from..))?;
    let (sign, rest) = match tail.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3_600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(sign * seconds).ok()
}

/// `Z` for UTC, else `+01:00`.
fn spelled(offset: Offset) -> String {
    let seconds = offset.seconds();
    if seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3_600, seconds.abs() / 60 % 60)
}
