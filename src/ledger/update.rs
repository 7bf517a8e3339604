//! What the PAS's word does to an open request.

use super::{Ask, Event, Request};
use crate::model::{AnswerOutcome, Appointment, AppointmentStatus, ChangeAnswer, ChangeKind};

/// What an update of an appointment by the PAS means for an open request about it; none when it says nothing of it.
///
/// | request | cancelled, entered in error | fulfilled, arrived, checked in | missed | moved | else |
/// | --- | --- | --- | --- | --- | --- |
/// | cancel | applied | refused | refused | – | – |
/// | reschedule | refused | refused | refused | applied | – |
/// | confirm attendance | refused | applied | refused | – | – |
///
/// *Moved* is judged against the start that the appointment had when the change was asked for: what a portal has passed
/// on since does not count.
pub fn event_of_update(request: &Request, after: &Appointment) -> Option<Event> {
    let Ask::Change(kind) = request.ask else { return None };
    let refused = |reason: &str| Some(Event::Refused { reason: reason.to_owned() });
    match after.status {
        AppointmentStatus::Cancelled | AppointmentStatus::EnteredInError => match kind {
            ChangeKind::Cancel => Some(Event::Applied),
            ChangeKind::Reschedule | ChangeKind::ConfirmAttendance => {
                refused("the service has cancelled the appointment")
            }
        },
        AppointmentStatus::Fulfilled | AppointmentStatus::Arrived | AppointmentStatus::CheckedIn => match kind {
            ChangeKind::ConfirmAttendance => Some(Event::Applied),
            ChangeKind::Cancel | ChangeKind::Reschedule => refused("the patient attended the appointment"),
        },
        AppointmentStatus::NoShow => refused("the appointment was missed before the request was dealt with"),
        AppointmentStatus::Booked
        | AppointmentStatus::Pending
        | AppointmentStatus::Proposed
        | AppointmentStatus::WaitList => {
            let moved = request.appointment_starts_at.is_some_and(|start| Some(start) != after.starts_at);
            (kind == ChangeKind::Reschedule && moved).then_some(Event::Applied)
        }
    }
}

/// What an appointment that names a PIFU booking means for the booking; none when it says nothing of it.
pub fn event_of_booking(appointment: &str, after: &Appointment) -> Option<Event> {
    match after.status {
        AppointmentStatus::Booked
        | AppointmentStatus::Arrived
        | AppointmentStatus::CheckedIn
        | AppointmentStatus::Fulfilled => Some(Event::Booked { appointment: appointment.to_owned() }),
        AppointmentStatus::Proposed | AppointmentStatus::Pending | AppointmentStatus::WaitList => {
            Some(Event::Acknowledged)
        }
        // A slot that was given and taken back again books nothing; the PAS says by a Task when it gives up.
        AppointmentStatus::Cancelled | AppointmentStatus::NoShow | AppointmentStatus::EnteredInError => None,
    }
}

/// What a PAS's Task about a request means for it.
pub fn event_of_answer(answer: &ChangeAnswer) -> Event {
    let reason = || {
        let reason = answer.reason.as_ref();
        let words = reason.and_then(|reason| reason.text.as_ref().map(|text| text.reveal().to_owned()));
        words.or_else(|| reason.and_then(|reason| reason.code.clone())).unwrap_or_else(|| "no reason was given".into())
    };
    match answer.outcome {
        AnswerOutcome::Acknowledged => Event::Acknowledged,
        AnswerOutcome::Applied => Event::Applied,
        AnswerOutcome::Refused => Event::Refused { reason: reason() },
        AnswerOutcome::Resolved => Event::Resolved,
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use serde_json::json;

    fn appointment(status: &str, starts_at: &str) -> Appointment {
        serde_json::from_value(json!({"status": status, "starts_at": starts_at})).unwrap()
    }

    #[test]
    fn the_table_of_updates() {
        let (cancel, reschedule, confirm) = (ChangeKind::Cancel, ChangeKind::Reschedule, ChangeKind::ConfirmAttendance);
        let same = "2026-12-01T10:00:00Z";
        for (kind, status, starts_at, expected) in [
            (cancel, "cancelled", same, Some("applied")),
            (cancel, "entered-in-error", same, Some("applied")),
            (cancel, "fulfilled", same, Some("refused")),
            (cancel, "noshow", same, Some("refused")),
            (cancel, "booked", same, None),
            (cancel, "booked", "2026-12-08T10:00:00Z", None),
            (reschedule, "booked", "2026-12-08T10:00:00Z", Some("applied")),
            (reschedule, "booked", same, None),
            (reschedule, "cancelled", same, Some("refused")),
            (reschedule, "arrived", same, Some("refused")),
            (confirm, "booked", same, None),
            (confirm, "arrived", same, Some("applied")),
            (confirm, "noshow", same, Some("refused")),
            (confirm, "cancelled", same, Some("refused")),
        ] {
            let request = Request {
                id: "t".into(),
                ask: Ask::Change(kind),
                state: State::Forwarded,
                source: "Task/t".into(),
                asked_at: None,
                appointment: Some("a".into()),
                appointment_starts_at: Some(same.parse().unwrap()),
                pathway: None,
                organisation: "RZZ99".into(),
                requested_at: same.parse().unwrap(),
                changed_at: same.parse().unwrap(),
                reason: None,
            };
            let event = event_of_update(&request, &appointment(status, starts_at));
            assert_eq!(event.as_ref().map(Event::as_str), expected, "{kind:?} and {status} at {starts_at}");
        }
    }
}
