//! Whether a change to an appointment may be asked for: the guards.

use super::{Ask, Policy, Request};
use crate::issue::{Issue, Place, Rule};
use crate::model::{Appointment, ChangeKind, ChangeRequest, NhsNumber};
use jiff::{Timestamp, civil::Date};

/// An appointment that Stile holds.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownAppointment {
    /// Stile's id.
    pub id: String,
    /// The organisation that holds it.
    pub organisation: String,
    /// The appointment itself.
    pub appointment: Appointment,
}

/// What is known when a change is asked for.
#[derive(Debug, Clone, Copy)]
pub struct ChangeFacts<'a> {
    /// The appointment, when Stile holds it and the caller may see it.
    pub appointment: Option<&'a KnownAppointment>,
    /// Requests for that appointment that have not ended.
    pub open: &'a [Request],
    /// The NHS number that the request names, itself or by the Patient that it refers to.
    pub asking: Option<&'a NhsNumber>,
    /// The NHS number of the appointment's patient, found in the same way.
    pub holding: Option<&'a NhsNumber>,
    /// The patient's date of birth, where it is known.
    pub born_on: Option<Date>,
    /// The instant of the request.
    pub now: Timestamp,
    /// What the site decided.
    pub policy: &'a Policy,
}

/// Judges a change request. The verdict names the open requests that it supersedes, or every guard that it fails,
/// each with what can be done instead.
pub fn judge_change(request: &ChangeRequest, facts: ChangeFacts<'_>) -> Result<Vec<String>, Vec<Issue>> {
    let Some(known) = facts.appointment else {
        return Err(vec![
            Issue::new(Rule::ChangeUnknownAppointment, "The appointment that is to change is not known here")
                .at(Place::named("Task.focus"))
                .hint(
                    "push the Appointment first, or point Task.focus at the id or identifier under which it was pushed",
                ),
        ]);
    };
    let mut issues = Vec::new();
    guard_patient(facts, &mut issues);
    guard_appointment(known, facts, &mut issues);
    guard_age(facts, &mut issues);
    let superseded = guard_open(request.kind, facts.open, &mut issues);
    if issues.is_empty() { Ok(superseded) } else { Err(issues) }
}

fn guard_patient(facts: ChangeFacts<'_>, issues: &mut Vec<Issue>) {
    if let (Some(asking), Some(holding)) = (facts.asking, facts.holding)
        && asking != holding
    {
        issues.push(
            Issue::new(Rule::ChangeOtherPatient, "The patient of this request is not the patient of the appointment")
                .at(Place::named("Task.for"))
                .hint("check which appointment Task.focus points at"),
        );
    }
}

fn guard_appointment(known: &KnownAppointment, facts: ChangeFacts<'_>, issues: &mut Vec<Issue>) {
    let focus = || Place::named("Task.focus");
    let appointment = &known.appointment;
    if appointment.is_ers_booked() {
        issues.push(
            Issue::new(
                Rule::ChangeErsBooked,
                "The appointment was booked through the NHS e-Referral Service, which an unattended system cannot change",
            )
            .at(focus())
            .hint(format!("send the patient to {}", facts.policy.ers_hand_off_url)),
        );
    }
    if appointment.status.is_over() {
        issues.push(
            Issue::new(
                Rule::ChangeAppointmentOver,
                "The appointment is cancelled, fulfilled, missed or a mistake, and cannot change any more",
            )
            .at(focus())
            .hint("read the Appointment again; for a new date the patient contacts the service"),
        );
        return;
    }
    let Some(starts_at) = appointment.starts_at else { return };
    if starts_at <= facts.now {
        issues.push(
            Issue::new(Rule::ChangeAppointmentBegun, "The appointment has already begun")
                .at(focus())
                .hint("the patient contacts the service by telephone"),
        );
    }
    let days_ahead = starts_at.duration_since(facts.now).as_secs() / 86_400;
    if days_ahead >= facts.policy.placeholder_days {
        issues.push(
            Issue::new(
                Rule::ChangePlaceholder,
                format!(
                    "The appointment stands {} days or more ahead: a placeholder for a place on the waiting list, not a date",
                    facts.policy.placeholder_days
                ),
            )
            .at(focus())
            .hint("wait for a date, or ask the service to take the patient off the list"),
        );
    }
}

fn guard_age(facts: ChangeFacts<'_>, issues: &mut Vec<Issue>) {
    if is_under_age(facts.born_on, facts.now, facts.policy) {
        issues.push(
            Issue::new(
                Rule::ChangeUnderSixteen,
                format!("Patients under {} are not served here", facts.policy.minimum_age_years),
            )
            .at(Place::named("Task.for"))
            .hint("a parent or guardian contacts the service"),
        );
    }
}

/// True when a patient born on this date has not reached the age that the policy asks for. A date of birth that is
/// not known hides nobody: the aggregator and the portal check it as well (PCA WF-NFR-16).
pub(super) fn is_under_age(born_on: Option<Date>, now: Timestamp, policy: &Policy) -> bool {
    let today = policy.date(now);
    let of_age = born_on.and_then(|born| born.checked_add(jiff::Span::new().years(policy.minimum_age_years)).ok());
    of_age.is_some_and(|date| today < date)
}

/// Which open requests the new one takes over. A cancellation overtakes all but another cancellation, a new date
/// overtakes a confirmation; anything else must end first.
fn guard_open(kind: ChangeKind, open: &[Request], issues: &mut Vec<Issue>) -> Vec<String> {
    let mut superseded = Vec::new();
    for request in open {
        let overtakes = match (kind, request.ask) {
            (ChangeKind::Cancel, Ask::Change(ChangeKind::Reschedule | ChangeKind::ConfirmAttendance)) => true,
            (ChangeKind::Reschedule, Ask::Change(ChangeKind::ConfirmAttendance)) => true,
            (ChangeKind::Cancel, Ask::Change(ChangeKind::Cancel))
            | (ChangeKind::Reschedule, Ask::Change(ChangeKind::Reschedule | ChangeKind::Cancel))
            | (ChangeKind::ConfirmAttendance, Ask::Change(_))
            | (_, Ask::PifuBooking) => false,
        };
        if overtakes {
            superseded.push(request.id.clone());
            continue;
        }
        issues.push(
            Issue::new(
                Rule::ChangeAlreadyOpen,
                format!(
                    "Another request for this appointment is open: a {} request, {}; a {} request cannot take over from it",
                    request.ask.as_str(),
                    request.state.as_str(),
                    kind.as_str()
                ),
            )
            .at(Place::named("Task.focus"))
            .hint(format!("follow Task/{} to its end first", request.id)),
        );
    }
    superseded
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn policy() -> Policy {
        Policy {
            minimum_age_years: 16,
            placeholder_days: 640,
            ers_hand_off_url: "https://refer.example/login".into(),
            time_zone: jiff::tz::TimeZone::UTC,
        }
    }

    fn known(change: serde_json::Value) -> KnownAppointment {
        let mut value = json!({
            "status": "booked",
            "starts_at": "2026-12-01T10:00:00Z",
            "patient": {"nhs_number": "9990000018"}
        });
        for (name, member) in change.as_object().unwrap() {
            value[name] = member.clone();
        }
        KnownAppointment {
            id: "a1".into(),
            organisation: "RZZ99".into(),
            appointment: serde_json::from_value(value).unwrap(),
        }
    }

    fn request(kind: &str) -> ChangeRequest {
        serde_json::from_value(json!({
            "kind": kind, "appointment": {"id": "a1"}, "patient": {"nhs_number": "9990000018"}
        }))
        .unwrap()
    }

    fn open(kind: ChangeKind) -> Request {
        Request {
            id: "t0".into(),
            ask: Ask::Change(kind),
            state: State::Forwarded,
            source: "Task/t".into(),
            asked_at: None,
            appointment: Some("a1".into()),
            appointment_starts_at: None,
            pathway: None,
            organisation: "RZZ99".into(),
            requested_at: at("2026-11-20T10:00:00Z"),
            changed_at: at("2026-11-20T10:00:00Z"),
            reason: None,
        }
    }

    #[track_caller]
    fn check(
        request: &ChangeRequest,
        appointment: Option<&KnownAppointment>,
        open: &[Request],
        born_on: Option<&str>,
        expected: Result<&[&str], &[Rule]>,
    ) {
        let policy = policy();
        let number =
            |patient: Option<&crate::model::PatientLink>| patient.and_then(|patient| patient.nhs_number.clone());
        let asking = number(request.patient.as_ref());
        let holding = number(appointment.and_then(|known| known.appointment.patient.as_ref()));
        let facts = ChangeFacts {
            appointment,
            open,
            asking: asking.as_ref(),
            holding: holding.as_ref(),
            born_on: born_on.map(|date| date.parse().unwrap()),
            now: at("2026-11-21T10:00:00Z"),
            policy: &policy,
        };
        let verdict = judge_change(request, facts);
        match (verdict, expected) {
            (Ok(superseded), Ok(expected)) => assert_eq!(superseded, expected),
            (Err(issues), Err(expected)) => {
                assert_eq!(issues.iter().map(|issue| issue.rule).collect::<Vec<_>>(), expected);
                assert!(issues.iter().all(|issue| issue.hint.is_some()), "each refusal says what to do");
            }
            (verdict, _) => panic!("{verdict:?}"),
        }
    }

    #[test]
    fn each_guard_refuses_by_its_own_rule() {
        let good = known(json!({}));
        check(&request("cancel"), Some(&good), &[], Some("1980-01-01"), Ok(&[]));
        check(&request("cancel"), None, &[], None, Err(&[Rule::ChangeUnknownAppointment]));
        for status in ["cancelled", "fulfilled", "noshow"] {
            let over = known(json!({"status": status}));
            check(&request("cancel"), Some(&over), &[], None, Err(&[Rule::ChangeAppointmentOver]));
        }
        let begun = known(json!({"starts_at": "2026-11-21T09:59:59Z"}));
        check(&request("cancel"), Some(&begun), &[], None, Err(&[Rule::ChangeAppointmentBegun]));
        let placeholder = known(json!({"starts_at": "2028-11-20T10:00:00Z"}));
        check(&request("cancel"), Some(&placeholder), &[], None, Err(&[Rule::ChangePlaceholder]));
        check(&request("cancel"), Some(&good), &[], Some("2010-11-22"), Err(&[Rule::ChangeUnderSixteen]));
        check(&request("cancel"), Some(&good), &[], Some("2010-11-21"), Ok(&[]));
        let other = known(json!({"patient": {"nhs_number": "9990000026"}}));
        check(&request("cancel"), Some(&other), &[], None, Err(&[Rule::ChangeOtherPatient]));
        let ers = known(json!({"references": [
            {"system": "https://fhir.nhs.uk/Id/UBRN", "value": "000000070000"},
            {"system": "https://fhir.nhs.uk/Id/USRN", "value": "1"}
        ]}));
        check(&request("cancel"), Some(&ers), &[], None, Err(&[Rule::ChangeErsBooked]));
    }

    #[test]
    fn a_request_takes_over_from_a_lesser_one_and_waits_for_an_equal_one() {
        let good = known(json!({}));
        let (cancel, reschedule, confirm) = (ChangeKind::Cancel, ChangeKind::Reschedule, ChangeKind::ConfirmAttendance);
        for (asked, standing, takes_over) in [
            ("cancel", reschedule, true),
            ("cancel", confirm, true),
            ("reschedule", confirm, true),
            ("cancel", cancel, false),
            ("reschedule", reschedule, false),
            ("reschedule", cancel, false),
            ("confirm-attendance", cancel, false),
            ("confirm-attendance", confirm, false),
        ] {
            let open = [open(standing)];
            let expected: Result<&[&str], &[Rule]> =
                if takes_over { Ok(&["t0"]) } else { Err(&[Rule::ChangeAlreadyOpen]) };
            check(&request(asked), Some(&good), &open, None, expected);
        }
    }
}
