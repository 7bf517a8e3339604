//! Who and what the demonstration plays with: synthetic people, a trust that does not exist, and dates from now.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::Value;
use std::collections::BTreeMap;

/// ODS code of the demonstration's trust. Not a code of any organisation.
pub(super) const ORGANISATION: &str = "RZZ99";
/// ODS code of the practice that refers. Not a code of any organisation either.
const PRACTICE: &str = "YZZ99";
/// Identifier system of the trust's appointment numbers.
pub(super) const PAS_SYSTEM: &str = "https://pas.example.nhs.uk/appointment";
/// Identifier system of the portal's appointments.
pub(super) const PORTAL_SYSTEM: &str = "https://portal.example/appointment";
/// NHS number of the patient who cancels: of the range that is not issued (999 000 0000 to 999 999 9999).
pub(super) const PATIENT: &str = "9990000018";
/// NHS number of the patient on patient-initiated follow-up.
const PIFU_PATIENT: &str = "9990000026";

/// The bodies that the portal sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Appointment,
    Broken,
    Referral,
    Cancel,
    Enrolment,
    Booking,
}

impl Body {
    fn template(self) -> &'static str {
        match self {
            Body::Appointment => include_str!("bodies/appointment.json"),
            Body::Broken => include_str!("bodies/broken.json"),
            Body::Referral => include_str!("bodies/referral.json"),
            Body::Cancel => include_str!("bodies/cancel.json"),
            Body::Enrolment => include_str!("bodies/enrolment.json"),
            Body::Booking => include_str!("bodies/booking.json"),
        }
    }
}

/// What stands in the bodies' placeholders, fixed for one run.
pub(super) struct Cast {
    values: BTreeMap<&'static str, String>,
}

impl Cast {
    /// The cast of a run at `now`. `run` makes its ids differ from those of other runs on the same store, and is
    /// made of letters and digits; `number` is the trust's number of the appointment.
    pub fn new(now: Timestamp, run: &str, number: u64) -> Result<Self, jiff::Error> {
        let clinic = TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC);
        let today = now.to_zoned(clinic);
        let ten = Time::constant(10, 0, 0, 0);
        let start = weekday(today.checked_add(21.days())?)?.with().time(ten).build()?;
        let end = start.checked_add(15.minutes())?;
        let preferred = weekday(today.checked_add(7.days())?)?.with().time(Time::midnight()).build()?;
        let instant = |at: &Zoned| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        let date = |at: &Zoned| at.strftime("%Y-%m-%d").to_string();
        let id = |what: &str| format!("{what}-{run}");
        let values = BTreeMap::from([
            ("organisation", ORGANISATION.to_owned()),
            ("practice", PRACTICE.to_owned()),
            ("pas_system", PAS_SYSTEM.to_owned()),
            ("portal_system", PORTAL_SYSTEM.to_owned()),
            ("patient", PATIENT.to_owned()),
            ("pifu_patient", PIFU_PATIENT.to_owned()),
            ("number", number.to_string()),
            ("appointment", id("appointment")),
            ("broken", id("broken")),
            ("referral", id("referral")),
            ("cancel", id("cancel")),
            ("again", id("cancel-again")),
            ("enrolment", id("enrolment")),
            ("booking", id("booking")),
            ("pathway", format!("{ORGANISATION}{number}1")),
            ("pifu_pathway", format!("{ORGANISATION}{number}2")),
            ("ubrn", format!("{:012}", number % 1_000_000_000_000)),
            ("start", instant(&start)),
            ("end", instant(&end)),
            ("start_without_offset", start.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
            ("preferred_start", instant(&preferred)),
            ("preferred_end", instant(&preferred.checked_add(21.days())?)),
            ("referred", instant(&today.checked_sub(35.days())?)),
            ("now", instant(&today)),
            ("today", date(&today)),
            ("pifu_expiry", date(&today.checked_add(12.months())?)),
        ]);
        Ok(Cast { values })
    }

    /// The value of a placeholder; empty for one that does not exist, which a test rules out.
    pub fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// A body as text, its placeholders filled. The values hold nothing that JSON would have to escape.
    pub fn text(&self, body: Body) -> String {
        let mut text = body.template().to_owned();
        for (name, value) in &self.values {
            text = text.replace(&format!("{{{{{name}}}}}"), value);
        }
        text
    }

    /// A body as JSON.
    pub fn json(&self, body: Body) -> Value {
        serde_json::from_str(&self.text(body)).unwrap_or_default()
    }
}

/// The same time on the next day of the week on which a clinic is open.
fn weekday(at: Zoned) -> Result<Zoned, jiff::Error> {
    let days = match at.weekday() {
        Weekday::Saturday => 2,
        Weekday::Sunday => 1,
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => 0,
    };
    at.checked_add(days.days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NhsNumber, OdsCode};

    const BODIES: [Body; 6] =
        [Body::Appointment, Body::Broken, Body::Referral, Body::Cancel, Body::Enrolment, Body::Booking];

    fn cast(now: &str) -> Cast {
        Cast::new(now.parse().unwrap(), "3f9a1c", 7_123_456).unwrap()
    }

    #[test]
    fn every_body_is_json_with_every_placeholder_filled() {
        let cast = cast("2026-11-21T20:00:00Z");
        let mut used = String::new();
        for body in BODIES {
            let text = cast.text(body);
            assert!(!text.contains("{{") && !text.contains("}}"), "{body:?}: {text}");
            assert!(cast.json(body).is_object(), "{body:?}");
            used.push_str(body.template());
        }
        for name in cast.values.keys().filter(|name| **name != "again") {
            assert!(used.contains(&format!("{{{{{name}}}}}")), "{name} stands in no body");
        }
        assert_eq!(cast.get("none"), "");
    }

    #[test]
    fn the_people_are_synthetic_and_the_trust_is_not_a_trust() {
        for number in [PATIENT, PIFU_PATIENT] {
            assert!(NhsNumber::parse(number).is_ok() && number.starts_with("999"), "{number}");
        }
        for code in [ORGANISATION, PRACTICE] {
            assert!(OdsCode::parse(code).is_ok(), "{code}");
        }
    }

    #[test]
    fn dates_lie_ahead_on_working_days_and_bear_the_offset_of_their_season() {
        for (now, start, preferred) in [
            // A Saturday three weeks before a Saturday.
            ("2026-11-21T20:00:00Z", "2026-12-14T10:00:00+00:00", "2026-11-30T00:00:00+00:00"),
            // Summer time begins in between.
            ("2027-03-10T09:00:00Z", "2027-03-31T10:00:00+01:00", "2027-03-17T00:00:00+00:00"),
            ("2028-02-29T23:59:59Z", "2028-03-21T10:00:00+00:00", "2028-03-07T00:00:00+00:00"),
        ] {
            let cast = cast(now);
            assert_eq!((cast.get("start"), cast.get("preferred_start")), (start, preferred), "{now}");
        }
    }
}
