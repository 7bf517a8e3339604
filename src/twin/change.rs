//! What a change request and a PIFU booking do to the diary.

use super::diary::{SLOT_MINUTES, first_free};
use super::hospital::{
    NHS_NUMBER_SYSTEM, ODS_SYSTEM, PIFU_BOOKING_SYSTEM, Refusal, array, identifier_of, set, stretches, text,
};
use super::instant;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// System of the kinds of change requests.
const CHANGE_SYSTEM: &str = "urn:stile:change-request";
/// The Patient Care Aggregator's extension for how an appointment takes place.
const CONSULTATION_MEDIUM: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-Consultation-Medium";
/// Where a reschedule without a preferred period goes: a week later, in hours.
const LATER_HOURS: i64 = 7 * 24;

/// The kind of a change request.
pub(super) use crate::model::ChangeKind as Kind;

/// There is no such kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnknownKind;

/// Which kind a Task is.
pub(super) fn kind_of(task: &Value) -> Result<Kind, UnknownKind> {
    let codings = task.get("code").map_or(&[][..], |code| array(code, "coding"));
    let code = codings.iter().find(|coding| text(coding, "system") == Some(CHANGE_SYSTEM));
    let code = code.and_then(|coding| text(coding, "code"));
    Kind::ALL.iter().copied().find(|kind| Some(kind.as_str()) == code).ok_or(UnknownKind)
}

/// The refusal of a Task that is no change request.
pub(super) fn unknown_kind() -> Refusal {
    let text = format!("Task.code has no coding of the system {CHANGE_SYSTEM} with a code that is known here");
    Refusal::new("code-invalid", "Task.code", text)
}

/// What the gateway calls the appointment: the id at the end of `Task.focus.reference`, which is a whole address.
pub(super) fn gateway_id(task: &Value) -> Option<String> {
    let reference = task.pointer("/focus/reference")?.as_str()?;
    let (before, id) = reference.rsplit_once('/')?;
    let is_appointment = before.rsplit('/').next() == Some("Appointment");
    let is_id = (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    (is_appointment && is_id).then(|| id.to_owned())
}

/// Does what a change request asks, or says why not and changes nothing.
pub(super) fn apply(kind: &Kind, task: &Value, appointment: &mut Value, now: Timestamp) -> Result<(), Refusal> {
    let asker = task.get("for").and_then(nhs_number);
    let patient = array(appointment, "participant").iter().find_map(|one| one.get("actor").and_then(nhs_number));
    if let (Some(asker), Some(patient)) = (asker, patient)
        && asker != patient
    {
        return Err(Refusal::new("business-rule", "Task.for", "The appointment is another patient's"));
    }
    if !matches!(text(appointment, "status"), Some("proposed" | "pending" | "booked" | "waitlist")) {
        let text = "The appointment cannot be changed any more: it is cancelled, has begun or is over";
        return Err(Refusal::new("business-rule", "Task.focus", text));
    }
    match kind {
        Kind::Cancel => set(appointment, "status", json!("cancelled")),
        Kind::Reschedule => move_it(task, appointment, now)?,
        Kind::ConfirmAttendance => confirm(appointment),
    }
    Ok(())
}

fn nhs_number(actor: &Value) -> Option<&str> {
    let identifier = actor.get("identifier")?;
    (text(identifier, "system") == Some(NHS_NUMBER_SYSTEM)).then(|| text(identifier, "value")).flatten()
}

/// Moves an appointment to the start of the first preferred period, or a week on. It keeps its length.
fn move_it(task: &Value, appointment: &mut Value, now: Timestamp) -> Result<(), Refusal> {
    let at = |name: &str| text(appointment, name).and_then(|text| instant::read(text, false));
    let length = match (at("start"), at("end")) {
        (Some(start), Some(end)) if end > start => end.duration_since(start),
        _ => SignedDuration::from_mins(SLOT_MINUTES),
    };
    let preferred = stretches(array(task, "input").iter().filter_map(|input| input.get("valuePeriod")));
    let later = || at("start").unwrap_or(now).checked_add(SignedDuration::from_hours(LATER_HOURS)).ok();
    let start = preferred.iter().find_map(|(start, _)| *start).or_else(later);
    let moved = start.filter(|start| *start > now).and_then(|start| Some((start, start.checked_add(length).ok()?)));
    let Some((start, end)) = moved else {
        return Err(Refusal::new("business-rule", "Task.input", "The preferred time has passed"));
    };
    set(appointment, "start", json!(instant::write(start)));
    set(appointment, "end", json!(instant::write(end)));
    Ok(())
}

fn confirm(appointment: &mut Value) {
    let participants = appointment.get_mut("participant").and_then(Value::as_array_mut);
    for participant in participants.into_iter().flatten() {
        let actor = participant.get("actor");
        let is_patient = actor.is_some_and(|actor| {
            text(actor, "type") == Some("Patient")
                || nhs_number(actor).is_some()
                || text(actor, "reference").is_some_and(|reference| reference.contains("Patient/"))
        });
        if is_patient {
            set(participant, "status", json!("accepted"));
        }
    }
}

/// The appointment that answers a PIFU booking: booked in a free slot of the requested periods.
pub(super) fn booked(
    proposed: &Value,
    organisation: &str,
    taken: &BTreeSet<Timestamp>,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let booking = identifier_of(proposed, PIFU_BOOKING_SYSTEM).unwrap_or_default();
    let mut periods = stretches(array(proposed, "requestedPeriod").iter());
    if periods.is_empty() {
        periods.push((None, None));
    }
    let Some(start) = first_free(&periods, taken, now) else {
        let text = "The clinic has no free slot in the requested period";
        return Err(Refusal::new("business-rule", "Appointment.requestedPeriod", text));
    };
    let end = start.checked_add(SignedDuration::from_mins(SLOT_MINUTES)).unwrap_or(start);
    let patient = array(proposed, "participant").iter().find_map(|one| {
        let actor = one.get("actor")?;
        nhs_number(actor).is_some().then(|| json!({"actor": actor, "status": "accepted"}))
    });
    let Some(patient) = patient else {
        let text = "No participant is a patient with an NHS number";
        return Err(Refusal::new("required", "Appointment.participant", text));
    };
    let place = json!({
        "actor": {"type": "Location", "identifier": {"system": ODS_SYSTEM, "value": organisation}},
        "status": "accepted",
    });
    let mut based_on = vec![json!({"identifier": {"system": PIFU_BOOKING_SYSTEM, "value": booking}})];
    based_on.extend(array(proposed, "basedOn").iter().cloned());
    let mut booked = json!({
        "resourceType": "Appointment",
        "extension": [{"url": CONSULTATION_MEDIUM, "valueCode": "FACE_TO_FACE"}],
        "status": "booked",
    });
    for name in ["specialty", "description"] {
        if let Some(value) = proposed.get(name) {
            set(&mut booked, name, value.clone());
        }
    }
    if booked.get("description").is_none() {
        set(&mut booked, "description", json!("Follow-up that the patient asked for"));
    }
    set(&mut booked, "start", json!(instant::write(start)));
    set(&mut booked, "end", json!(instant::write(end)));
    set(&mut booked, "basedOn", json!(based_on));
    set(&mut booked, "participant", json!([patient, place]));
    Ok(booked)
}
