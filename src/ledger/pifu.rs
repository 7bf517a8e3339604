//! Whether a follow-up may be asked for: the guards of a PIFU booking.

use super::change::is_under_age;
use super::{Policy, Request};
use crate::issue::{Issue, Place, Rule};
use crate::model::{PifuBooking, PifuEnrolment};
use jiff::{Timestamp, civil::Date};

/// An enrolment that Stile holds.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownEnrolment {
    /// Stile's id of it.
    pub id: String,
    /// The organisation that offers it.
    pub organisation: String,
    /// The enrolment itself.
    pub enrolment: PifuEnrolment,
}

/// What is known when a follow-up is asked for.
#[derive(Debug, Clone, Copy)]
pub struct PifuFacts<'a> {
    /// Enrolments on the pathway that the caller may see.
    pub enrolments: &'a [KnownEnrolment],
    /// Bookings on the pathway that have not ended.
    pub open: &'a [Request],
    /// The patient's date of birth, where it is known.
    pub born_on: Option<Date>,
    /// The instant of the request.
    pub now: Timestamp,
    /// What the site decided.
    pub policy: &'a Policy,
    /// Where the pathway stands in what was sent, for the refusal.
    pub pathway_place: &'a str,
}

/// Judges a PIFU booking: the enrolment that it stands on, or why it may not be asked for.
pub fn judge_pifu_booking<'a>(booking: &PifuBooking, facts: PifuFacts<'a>) -> Result<&'a KnownEnrolment, Vec<Issue>> {
    let place = || Place::named(facts.pathway_place);
    let same_patient =
        |known: &&KnownEnrolment| match (&known.enrolment.patient.nhs_number, &booking.patient.nhs_number) {
            (Some(enrolled), Some(asking)) => enrolled == asking,
            (None, _) | (_, None) => true,
        };
    // A booking that names whom it asks does not go to another trust or pathway of the same number.
    let same_provider = |known: &&KnownEnrolment| {
        booking.provider.as_ref().is_none_or(|provider| provider.as_str() == known.organisation)
            && match (&booking.pathway.issuer, &known.enrolment.pathway.issuer) {
                (Some(asked), Some(known)) => asked == known,
                (None, _) | (_, None) => true,
            }
    };
    let mut candidates: Vec<&KnownEnrolment> =
        facts.enrolments.iter().filter(same_patient).filter(same_provider).collect();
    // An enrolment in force wins over one that has ended or not begun on the same pathway.
    let today = facts.policy.date(facts.now);
    candidates.sort_by_key(|known| (!known.enrolment.active, outside(&known.enrolment, today).is_some()));
    let Some(known) = candidates.first().copied() else {
        return Err(vec![
            Issue::new(Rule::PifuNoEnrolment, "This patient has no patient-initiated follow-up on this pathway here")
                .at(place())
                .hint("check the pathway identifier; a patient who is not enrolled contacts the service or the GP"),
        ]);
    };
    let mut issues = Vec::new();
    guard_enrolment(&known.enrolment, facts.policy.date(facts.now), place, &mut issues);
    if is_under_age(facts.born_on, facts.now, facts.policy) {
        issues.push(
            Issue::new(
                Rule::ChangeUnderSixteen,
                format!("Patients under {} are not served here", facts.policy.minimum_age_years),
            )
            .at(place())
            .hint("a parent or guardian contacts the service"),
        );
    }
    // A pathway identifier is unique with its issuer only (RTT guidance, annex C): another organisation's booking under
    // the same number is neither in the way nor to be told of.
    if let Some(open) = facts.open.iter().find(|open| open.organisation == known.organisation) {
        issues.push(
            Issue::new(
                Rule::PifuAlreadyOpen,
                format!("Another follow-up on this pathway has been asked for and is {}", open.state.as_str()),
            )
            .at(place())
            .hint(format!("follow Task/{} to its end first", open.id)),
        );
    }
    if issues.is_empty() { Ok(known) } else { Err(issues) }
}

fn guard_enrolment(enrolment: &PifuEnrolment, today: Date, place: impl Fn() -> Place, issues: &mut Vec<Issue>) {
    let contact = match &enrolment.contact {
        Some(contact) => format!("the patient contacts the service: {contact}"),
        None => "the patient contacts the service".to_owned(),
    };
    if !enrolment.active {
        issues.push(
            Issue::new(Rule::PifuNotActive, "The patient-initiated follow-up on this pathway has ended")
                .at(place())
                .hint(contact),
        );
        return;
    }
    if let Some(which) = outside(enrolment, today) {
        issues.push(
            Issue::new(
                Rule::PifuOutsidePeriod,
                format!("The period of the patient-initiated follow-up on this pathway {which}"),
            )
            .at(place())
            .hint(contact),
        );
    }
}

/// What is wrong with the day, where it is outside the enrolment's period.
fn outside(enrolment: &PifuEnrolment, today: Date) -> Option<&'static str> {
    if enrolment.starts_on.is_some_and(|starts_on| today < starts_on) {
        return Some("has not begun");
    }
    enrolment.expires_on.is_some_and(|expires_on| today > expires_on).then_some("has expired")
}

#[cfg(test)]
mod tests {
    use super::super::{Ask, State};
    use super::*;
    use serde_json::json;

    fn enrolment(change: serde_json::Value) -> KnownEnrolment {
        let mut value = json!({
            "patient": {"nhs_number": "9990000018"},
            "pathway": {"identifier": "RZZ99-1"},
            "expires_on": "2027-05-31",
            "active": true
        });
        for (name, member) in change.as_object().unwrap() {
            value[name] = member.clone();
        }
        KnownEnrolment {
            id: "e1".into(),
            organisation: "RZZ99".into(),
            enrolment: serde_json::from_value(value).unwrap(),
        }
    }

    #[track_caller]
    fn check(enrolments: &[KnownEnrolment], open: &[Request], now: &str, expected: Result<&str, &[Rule]>) {
        let policy = Policy {
            minimum_age_years: 16,
            placeholder_days: 640,
            ers_hand_off_url: "https://refer.example".into(),
            time_zone: jiff::tz::TimeZone::get("Europe/London").unwrap(),
        };
        let booking: PifuBooking = serde_json::from_value(json!({
            "patient": {"nhs_number": "9990000018"}, "pathway": {"identifier": "RZZ99-1"}
        }))
        .unwrap();
        let facts = PifuFacts {
            enrolments,
            open,
            born_on: None,
            now: now.parse().unwrap(),
            policy: &policy,
            pathway_place: "ServiceRequest.basedOn",
        };
        match (judge_pifu_booking(&booking, facts), expected) {
            (Ok(known), Ok(id)) => assert_eq!(known.id, id),
            (Err(issues), Err(rules)) => {
                assert_eq!(issues.iter().map(|issue| issue.rule).collect::<Vec<_>>(), rules);
            }
            (verdict, _) => panic!("{verdict:?}"),
        }
    }

    #[test]
    fn each_guard_refuses_by_its_own_rule() {
        let now = "2026-11-21T10:00:00Z";
        check(&[enrolment(json!({}))], &[], now, Ok("e1"));
        check(&[], &[], now, Err(&[Rule::PifuNoEnrolment]));
        let other = enrolment(json!({"patient": {"nhs_number": "9990000026"}}));
        check(&[other], &[], now, Err(&[Rule::PifuNoEnrolment]));
        check(&[enrolment(json!({"active": false}))], &[], now, Err(&[Rule::PifuNotActive]));
        check(&[enrolment(json!({}))], &[], "2027-05-31T22:59:59Z", Ok("e1"));
        check(&[enrolment(json!({}))], &[], "2027-05-31T23:00:00Z", Err(&[Rule::PifuOutsidePeriod]));
        let later = enrolment(json!({"starts_on": "2026-12-01"}));
        check(&[later], &[], now, Err(&[Rule::PifuOutsidePeriod]));
        let open = Request {
            id: "t1".into(),
            ask: Ask::PifuBooking,
            state: State::Forwarded,
            source: "Task/t".into(),
            asked_at: None,
            appointment: None,
            appointment_starts_at: None,
            pathway: Some("RZZ99-1".into()),
            organisation: "RZZ99".into(),
            requested_at: now.parse().unwrap(),
            changed_at: now.parse().unwrap(),
            reason: None,
        };
        check(&[enrolment(json!({}))], &[open], now, Err(&[Rule::PifuAlreadyOpen]));
    }

    #[test]
    fn an_enrolment_in_force_wins_over_one_that_has_ended() {
        let ended = enrolment(json!({"active": false}));
        let mut current = enrolment(json!({}));
        current.id = "e2".into();
        check(&[ended, current], &[], "2026-11-21T10:00:00Z", Ok("e2"));
    }
}
