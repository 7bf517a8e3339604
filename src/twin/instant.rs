//! FHIR's times, as a clinic in England reads and writes them.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::Value;

/// The clinic's own time.
pub(super) fn clinic_time() -> TimeZone {
    TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC)
}

/// An instant as FHIR writes it: with the clinic's offset.
pub(super) fn write(at: Timestamp) -> String {
    at.to_zoned(clinic_time()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Start and end of a FHIR Period; a bare date is the whole day. None when neither can be read.
pub(super) fn period(period: &Value) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let text = |name: &str| period.get(name).and_then(Value::as_str);
    let start = text("start").and_then(|text| read(text, false));
    let end = text("end").and_then(|text| read(text, true));
    (start.is_some() || end.is_some()).then_some((start, end))
}

/// A FHIR dateTime or instant; of a bare date the first instant, or the first after it when it ends a period.
pub(super) fn read(text: &str, ends: bool) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let day: Date = text.parse().ok()?;
    let day = if ends { day.checked_add(1.day()).ok()? } else { day };
    on(day, Time::midnight()).map(|zoned| zoned.timestamp())
}

/// A wall-clock time of the clinic.
pub(super) fn on(day: Date, time: Time) -> Option<Zoned> {
    day.to_datetime(time).to_zoned(clinic_time()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_period_is_read_with_its_offset_and_a_bare_date_is_the_whole_day() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        for (given, expected) in [
            (
                json!({"start": "2027-06-01T09:00:00+01:00", "end": "2027-06-01T12:00:00Z"}),
                Some((at("2027-06-01T08:00:00Z"), at("2027-06-01T12:00:00Z"))),
            ),
            (
                json!({"start": "2027-06-01", "end": "2027-06-01"}),
                Some((at("2027-05-31T23:00:00Z"), at("2027-06-01T23:00:00Z"))),
            ),
            (json!({"start": "2027-01-04"}), Some((at("2027-01-04T00:00:00Z"), None))),
            (json!({"start": "soon"}), None),
            (json!({}), None),
            (json!("2027-01-04"), None),
        ] {
            assert_eq!(period(&given), expected, "{given}");
        }
    }

    #[test]
    fn an_instant_is_written_with_the_offset_of_its_day() {
        for (at, expected) in [
            ("2027-06-01T08:00:00Z", "2027-06-01T09:00:00+01:00"),
            ("2027-01-04T09:00:00Z", "2027-01-04T09:00:00+00:00"),
        ] {
            assert_eq!(write(at.parse().unwrap()), expected);
        }
    }
}
