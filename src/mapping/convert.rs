//! Named conversions: from what FHIR writes to what the target holds, each with its own check.

use super::schema::Single;
use crate::issue::Rule;
use crate::model::{FaultyIdentity, NhsNumber, OdsCode};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::Value;

/// A conversion that a recipe names with `as`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    Text,
    NhsNumber,
    OdsCode,
    Instant,
    Date,
    ReferenceId,
    AppointmentId,
    Stay,
    HalfIdentifier,
    FurtherCoding,
    Integer,
    Boolean,
}

/// A value that cannot be converted: says the rule and never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unconverted {
    pub(super) rule: Rule,
    pub(super) message: String,
    pub(super) hint: &'static str,
}

impl Conversion {
    pub(super) const ALL: &'static [Conversion] = &[
        Conversion::Text,
        Conversion::NhsNumber,
        Conversion::OdsCode,
        Conversion::Instant,
        Conversion::Date,
        Conversion::ReferenceId,
        Conversion::AppointmentId,
        Conversion::Stay,
        Conversion::HalfIdentifier,
        Conversion::FurtherCoding,
        Conversion::Integer,
        Conversion::Boolean,
    ];

    /// The name in mapping files.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Conversion::Text => "text",
            Conversion::NhsNumber => "nhs-number",
            Conversion::OdsCode => "ods-code",
            Conversion::Instant => "instant",
            Conversion::Date => "date",
            Conversion::ReferenceId => "reference-id",
            Conversion::AppointmentId => "appointment-id",
            Conversion::Stay => "stay",
            Conversion::HalfIdentifier => "half-identifier",
            Conversion::FurtherCoding => "further-coding",
            Conversion::Integer => "integer",
            Conversion::Boolean => "boolean",
        }
    }

    pub(super) fn named(name: &str) -> Option<Conversion> {
        Conversion::ALL.iter().copied().find(|conversion| conversion.as_str() == name)
    }

    /// The JSON type of what it makes.
    pub(super) fn makes(self) -> Single {
        match self {
            Conversion::Integer => Single::Integer,
            Conversion::Boolean => Single::Boolean,
            Conversion::Text
            | Conversion::NhsNumber
            | Conversion::OdsCode
            | Conversion::Instant
            | Conversion::Date
            | Conversion::ReferenceId
            | Conversion::AppointmentId
            | Conversion::Stay
            | Conversion::HalfIdentifier
            | Conversion::FurtherCoding => Single::Text,
        }
    }

    /// Converts `text`.
    pub(super) fn apply(self, text: &str) -> Result<Value, Unconverted> {
        match self {
            Conversion::Text => Ok(text.into()),
            Conversion::NhsNumber => NhsNumber::parse(text)
                .map(|number| number.reveal().into())
                .map_err(|fault| faulty_identity(fault, "check the number with the patient's record")),
            Conversion::OdsCode => OdsCode::parse(text)
                .map(|code| code.as_str().into())
                .map_err(|fault| faulty_identity(fault, "send the code as the Organisation Data Service writes it")),
            Conversion::Instant => instant(text).map(|at| at.to_string().into()).ok_or_else(|| {
                unconverted("a date with time and time zone is needed here", "write it as 2026-01-05T09:00:00Z")
            }),
            Conversion::Date => date(text).map(|on| on.to_string().into()).ok_or_else(|| {
                unconverted("a whole date is needed here", "write it as 2026-01-05, or with time and time zone")
            }),
            Conversion::ReferenceId => reference_id(text).map(Into::into).ok_or_else(|| {
                unconverted("a relative reference is needed here", "write it as the type, a slash and the id")
            }),
            Conversion::AppointmentId => appointment_id(text).map(Into::into).ok_or_else(|| {
                unconverted(
                    "a relative reference to an Appointment is needed here",
                    "write it as Appointment/ and the id, or send an identifier of the appointment",
                )
            }),
            Conversion::Stay => stay(text).map(Into::into).ok_or_else(|| {
                unconverted("a stay needs two dates with time and time zone", "write them as 2026-01-05T09:00:00Z")
            }),
            // These two take nothing: with `otherwise: omit` they tell what a mapping does not carry.
            Conversion::HalfIdentifier => {
                Err(unconverted("an identifier means something only with both its system and its value", "send both"))
            }
            Conversion::FurtherCoding => Err(unconverted(
                "one coding is carried, the first that has both a system and a code, and this is another",
                "that is, without this coding's: send one coding with its system, and the rest in words",
            )),
            Conversion::Integer => text
                .parse::<i64>()
                .map(Into::into)
                .map_err(|_| unconverted("a whole number is needed here", "write digits only")),
            Conversion::Boolean => match text {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                _ => Err(unconverted("true or false is needed here", "write `true` or `false`")),
            },
        }
    }
}

fn unconverted(message: &str, hint: &'static str) -> Unconverted {
    Unconverted { rule: Rule::MappingConversion, message: message.to_owned(), hint }
}

fn faulty_identity(fault: FaultyIdentity, hint: &'static str) -> Unconverted {
    let rule = match fault {
        FaultyIdentity::NhsNumberForm | FaultyIdentity::NhsNumberCheckDigit | FaultyIdentity::NhsNumberPlaceholder => {
            Rule::NhsNumber
        }
        FaultyIdentity::OdsCodeForm => Rule::OdsCode,
    };
    Unconverted { rule, message: fault.to_string(), hint }
}

/// A FHIR instant, or a dateTime that says time and offset. A date alone is no instant: no time is invented.
fn instant(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| bytes.get(*at) != Some(mark)) || text.contains('[') {
        return None;
    }
    text.parse().ok()
}

/// A FHIR date, or the calendar date of an instant in England. A year or month alone is no date.
fn date(text: &str) -> Option<civil::Date> {
    if text.len() == 10 {
        let dashed = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
        return if dashed { text.parse().ok() } else { None };
    }
    let zone = TimeZone::get("Europe/London").ok()?;
    Some(instant(text)?.to_zoned(zone).date())
}

/// Two instants with a slash between (ISO 8601's interval): `day-case` when both fall on one calendar date in England,
/// else `inpatient`. UTC's dates would not do: in summer its day turns at one in the morning here.
fn stay(text: &str) -> Option<&'static str> {
    let (start, end) = text.split_once('/')?;
    let (start, end) = (instant(start)?, instant(end)?);
    let zone = TimeZone::get("Europe/London").ok()?;
    let is_one_day = start.to_zoned(zone.clone()).date() == end.to_zoned(zone).date();
    Some(if is_one_day { "day-case" } else { "inpatient" })
}

/// The id of a relative reference to an Appointment.
fn appointment_id(text: &str) -> Option<&str> {
    text.starts_with("Appointment/").then(|| reference_id(text)).flatten()
}

/// The id of a relative reference, with or without a version. An absolute one names another server's resource, whose
/// id means nothing here.
fn reference_id(text: &str) -> Option<&str> {
    let mut parts = text.split('/');
    let (kind, id) = (parts.next()?, parts.next()?);
    match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => {}
        (Some("_history"), Some(version), None) if !version.is_empty() => {}
        _ => return None,
    }
    let is_type = kind.starts_with(|first: char| first.is_ascii_uppercase())
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_id = (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    (is_type && is_id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_converts_converts_to_the_canonical_form() {
        for (conversion, text, value) in [
            (Conversion::Text, " as it came ", json!(" as it came ")),
            (Conversion::NhsNumber, "999 000 0018", json!("9990000018")),
            (Conversion::OdsCode, "RFF", json!("RFF")),
            (Conversion::Instant, "2021-10-12T12:30:30+01:00", json!("2021-10-12T11:30:30Z")),
            (Conversion::Instant, "2021-10-12T12:30:30.250Z", json!("2021-10-12T12:30:30.25Z")),
            (Conversion::Date, "2026-02-28", json!("2026-02-28")),
            // Half past eleven at night in winter, and half past midnight of the next day in summer time.
            (Conversion::Date, "2026-01-31T23:30:00Z", json!("2026-01-31")),
            (Conversion::Date, "2026-06-30T23:30:00Z", json!("2026-07-01")),
            (Conversion::ReferenceId, "Appointment/a-1", json!("a-1")),
            (Conversion::ReferenceId, "Appointment/a-1/_history/3", json!("a-1")),
            (Conversion::AppointmentId, "Appointment/a-1", json!("a-1")),
            (Conversion::AppointmentId, "Appointment/a-1/_history/3", json!("a-1")),
            (Conversion::Stay, "2026-01-05T00:00:00Z/2026-01-05T23:59:59Z", json!("day-case")),
            // Half past midnight to the afternoon of one summer's day in England, which UTC calls two days.
            (Conversion::Stay, "2026-06-12T23:30:00Z/2026-06-13T15:00:00Z", json!("day-case")),
            // The evening of one day to half past midnight of the next, which UTC calls one day.
            (Conversion::Stay, "2026-06-12T18:00:00Z/2026-06-12T23:30:00Z", json!("inpatient")),
            (Conversion::Stay, "2026-06-13T00:30:00+01:00/2026-06-13T15:00:00Z", json!("day-case")),
            (Conversion::Integer, "-7", json!(-7)),
            (Conversion::Boolean, "false", json!(false)),
        ] {
            assert_eq!(conversion.apply(text), Ok(value), "{conversion:?} {text}");
        }
    }

    #[test]
    fn what_does_not_convert_is_refused_by_its_rule_and_never_quoted() {
        for (conversion, text, rule) in [
            (Conversion::NhsNumber, "9990000019", Rule::NhsNumber),
            (Conversion::NhsNumber, "99900", Rule::NhsNumber),
            (Conversion::NhsNumber, "0000000000", Rule::NhsNumber),
            (Conversion::OdsCode, "rff-x", Rule::OdsCode),
            (Conversion::Instant, "2021-10-12", Rule::MappingConversion),
            (Conversion::Instant, "2021-10-12T12:30:30", Rule::MappingConversion),
            (Conversion::Instant, "2021-10-12T12:30Z", Rule::MappingConversion),
            (Conversion::Instant, "2021-02-30T12:30:30Z", Rule::MappingConversion),
            (Conversion::Instant, "2021-10-12T12:30:30Z[Europe/London]", Rule::MappingConversion),
            (Conversion::Date, "2021-02-30", Rule::MappingConversion),
            (Conversion::Date, "2021-10", Rule::MappingConversion),
            (Conversion::Date, "20211012xx", Rule::MappingConversion),
            (Conversion::ReferenceId, "https://portal.example/fhir/Appointment/1", Rule::MappingConversion),
            (Conversion::ReferenceId, "urn:uuid:788660eb-d2c9-4773-abd4-318484673fb2", Rule::MappingConversion),
            (Conversion::ReferenceId, "#a1", Rule::MappingConversion),
            (Conversion::ReferenceId, "Appointment/", Rule::MappingConversion),
            (Conversion::ReferenceId, "Appointment/../x", Rule::MappingConversion),
            (Conversion::AppointmentId, "Patient/a1", Rule::MappingConversion),
            (Conversion::AppointmentId, "AppointmentResponse/a1", Rule::MappingConversion),
            (Conversion::AppointmentId, "https://portal.example/fhir/Appointment/1", Rule::MappingConversion),
            (Conversion::Stay, "2026-06-12T18:00:00Z", Rule::MappingConversion),
            (Conversion::Stay, "2026-06-12/2026-06-12", Rule::MappingConversion),
            (Conversion::HalfIdentifier, "000000000001", Rule::MappingConversion),
            (Conversion::FurtherCoding, "holiday", Rule::MappingConversion),
            (Conversion::Integer, "1.5", Rule::MappingConversion),
            (Conversion::Boolean, "yes", Rule::MappingConversion),
        ] {
            let fault = conversion.apply(text).unwrap_err();
            assert_eq!(fault.rule, rule, "{conversion:?} {text}");
            assert!(!fault.message.contains(text) && !fault.hint.contains(text), "{fault:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_conversion_panic(text in "\\PC{0,40}|[0-9T:Z+.-]{0,30}") {
            for conversion in Conversion::ALL {
                let _ = conversion.apply(&text);
            }
        }
    }
}
