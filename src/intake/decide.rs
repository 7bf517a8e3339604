//! What a canonical value does: the facts it needs, the ledger's verdict, and what follows from it.

use super::facts;
use super::keep::Keeping;
use crate::error::Error;
use crate::issue::{Issue, Place, Rule};
use crate::ledger::{
    self, Ask, ChangeFacts, Event, KnownAppointment, KnownEnrolment, PifuFacts, event_of_answer, event_of_booking,
    event_of_update,
};
use crate::model::{Appointment, Canonical, ChangeAnswer, ChangeRequest, Kind, PifuBooking, Referral};
use crate::store::Unit;

/// System of pathway identifiers (PCA).
pub(super) const PATHWAY_SYSTEM: &str = "https://fhir.nhs.uk/Id/PathwayId";

/// What follows from a submission, beside the resource itself.
#[derive(Default)]
pub(super) struct Effects {
    /// The organisation that the resource belongs to.
    pub(super) organisation: String,
    /// The pathway that it is on.
    pub(super) pathway: Option<String>,
    /// The request that it is.
    pub(super) request: Option<NewRequest>,
    /// What happens to other requests.
    pub(super) events: Vec<(String, Event)>,
    /// The referral, when it makes a place on the waiting list.
    pub(super) referral: Option<Referral>,
    /// What is worth telling.
    pub(super) issues: Vec<Issue>,
}

/// A request that the ledger lets in.
pub(super) struct NewRequest {
    pub(super) ask: Ask,
    /// Stile's id of the appointment, and the appointment.
    pub(super) appointment: Option<KnownAppointment>,
    pub(super) pathway: Option<String>,
    pub(super) supersedes: Vec<String>,
    /// What deliveries about it are ordered by.
    pub(super) subject: String,
}

impl Keeping {
    /// Decides what the submission does. `id` is the resource's.
    pub(super) fn decide(&self, unit: &Unit<'_>, id: &str) -> Result<Effects, Error> {
        match &self.canonical {
            Canonical::Patient(_) => Ok(self.plain(None)),
            Canonical::Referral(referral) => {
                let pathway = referral.pathway.as_ref().map(|pathway| pathway.identifier.clone());
                Ok(Effects { referral: Some(referral.clone()), ..self.plain(pathway) })
            }
            Canonical::PifuEnrolment(enrolment) => {
                self.require_new(unit, id)?;
                Ok(self.plain(Some(enrolment.pathway.identifier.clone())))
            }
            Canonical::Appointment(appointment) => self.decide_appointment(unit, id, appointment),
            Canonical::ChangeRequest(request) => self.decide_change(unit, id, request),
            Canonical::ChangeAnswer(answer) => self.decide_answer(unit, id, answer),
            Canonical::PifuBooking(booking) => self.decide_pifu(unit, id, booking),
        }
    }

    fn plain(&self, pathway: Option<String>) -> Effects {
        let named = self.canonical.organisation().unwrap_or(&self.sender.organisation);
        Effects { organisation: named.as_str().to_owned(), pathway, ..Effects::default() }
    }

    fn decide_appointment(&self, unit: &Unit<'_>, id: &str, after: &Appointment) -> Result<Effects, Error> {
        let pathway = after.references.iter().find(|reference| reference.system == PATHWAY_SYSTEM);
        let mut effects = self.plain(pathway.map(|reference| reference.value.clone()));
        let open = unit.open_about(id)?;
        if let Some(before) = facts::appointment(unit, id)? {
            self.guard_patient_of_update(unit, &before.appointment, after, !open.is_empty())?;
            if !self.sender.is_pas && unit.is_word_of_pas(Kind::Appointment, id)? {
                guard_word_of_pas(&before.appointment, after)?;
            }
        }
        effects.issues.extend(self.pending_status_is_no_request(&open));
        // Only the PAS's word ends a request; a portal that passes an appointment on does not.
        if !self.sender.is_pas {
            return Ok(effects);
        }
        for request in open {
            if let Some(event) = event_of_update(&request, after) {
                effects.events.push((request.id, event));
            }
        }
        if let Some(booking) = after.pifu_booking() {
            let request = self.require_request(unit, booking, "Appointment.basedOn")?;
            self.guard_booking(unit, &request, after)?;
            effects.events.extend(event_of_booking(id, after).map(|event| (request.id, event)));
        }
        Ok(effects)
    }

    /// An appointment stays with its patient. Only the PAS may put a mistake right, and not under an open request.
    fn guard_patient_of_update(
        &self,
        unit: &Unit<'_>,
        before: &Appointment,
        after: &Appointment,
        is_asked_about: bool,
    ) -> Result<(), Error> {
        let was = self.number_of(unit, before.patient.as_ref())?;
        let is = self.number_of(unit, after.patient.as_ref())?;
        match (was, is) {
            (Some(was), Some(is)) if was != is && (is_asked_about || !self.sender.is_pas) => {
                Err(Error::Conflict("an appointment stays with the patient that it was first kept for".into()))
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    /// What a sender says of pending requests asks for nothing, and must not look as if it did.
    fn pending_status_is_no_request(&self, open: &[ledger::Request]) -> Option<Issue> {
        let said = self.document.root().children_named("extension").find(|extension| {
            extension.child_named("url").and_then(|url| url.string()) == Some(ledger::REQUEST_STATUS_URL)
        })?;
        let value = said.child_named("valueCode").and_then(|value| value.string());
        if value == ledger::request_status(open) {
            return None;
        }
        let issue = Issue::new(
            Rule::ChangeStatusOnly,
            "This extension says that a patient has asked for something; by itself it asks for nothing, and readers do not see it",
        )
        .at(said.place())
        .hint("send what the patient asks for as a Task with code urn:stile:change-request; it then shows here by itself");
        Some(issue)
    }

    /// The appointment that answers a PIFU booking is the same patient's, and the answer to a booking.
    fn guard_booking(&self, unit: &Unit<'_>, request: &ledger::Request, after: &Appointment) -> Result<(), Error> {
        if request.ask != Ask::PifuBooking {
            return Err(unfit("An appointment answers a PIFU booking; this request is a change to an appointment"));
        }
        let booked_for = self.number_of(unit, after.patient.as_ref())?;
        let asked_for = unit.patient_of("Task", &request.id)?;
        match (booked_for, asked_for) {
            (Some(booked_for), Some(asked_for)) if booked_for.reveal() != asked_for => Err(Error::Rejected(vec![
                Issue::new(Rule::ChangeOtherPatient, "The patient of this appointment is not the one who asked for it")
                    .at(Place::named("Appointment.participant"))
                    .hint("check which request Appointment.basedOn names"),
            ])),
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    fn decide_change(&self, unit: &Unit<'_>, id: &str, change: &ChangeRequest) -> Result<Effects, Error> {
        self.require_new(unit, id)?;
        let known = self.find_appointment(unit, &change.appointment)?;
        let open = match &known {
            Some(known) => unit.open_about(&known.id)?,
            None => Vec::new(),
        };
        let asking = self.number_of(unit, change.patient.as_ref())?;
        let holding = self.number_of(unit, known.as_ref().and_then(|known| known.appointment.patient.as_ref()))?;
        let facts = ChangeFacts {
            appointment: known.as_ref(),
            open: &open,
            asking: asking.as_ref(),
            holding: holding.as_ref(),
            born_on: self.born_on(unit, holding.as_ref().or(asking.as_ref()))?,
            now: self.now,
            policy: &self.parts.policy,
        };
        let supersedes = ledger::judge_change(change, facts).map_err(Error::Rejected)?;
        let Some(known) = known else { return Err(super::incident("a change without an appointment was let in")) };
        Ok(Effects {
            organisation: known.organisation.clone(),
            request: Some(NewRequest {
                ask: Ask::Change(change.kind),
                subject: known.id.clone(),
                appointment: Some(known),
                pathway: None,
                supersedes,
            }),
            ..Effects::default()
        })
    }

    fn decide_answer(&self, unit: &Unit<'_>, id: &str, answer: &ChangeAnswer) -> Result<Effects, Error> {
        let request = self.require_request(unit, &answer.request, "Task.identifier")?;
        if id != request.id {
            self.require_new(unit, id)?;
        }
        let event = event_of_answer(answer);
        if !ledger::belongs(request.ask, &event) {
            return Err(unfit(match request.ask {
                Ask::PifuBooking => {
                    "A follow-up ends with an appointment that names it in basedOn, or as resolved without one"
                }
                Ask::Change(_) => "A change to an appointment ends as completed or rejected",
            }));
        }
        let mut effects = Effects { organisation: request.organisation.clone(), ..Effects::default() };
        if request.state.is_open() {
            effects.events.push((request.id, event));
        } else {
            let text =
                format!("The request has ended before: it is {}; this answer changes nothing", request.state.as_str());
            effects.issues.push(Issue::new(Rule::ChangeEnded, text));
        }
        Ok(effects)
    }

    fn decide_pifu(&self, unit: &Unit<'_>, id: &str, booking: &PifuBooking) -> Result<Effects, Error> {
        self.require_new(unit, id)?;
        let pathway = booking.pathway.identifier.clone();
        // One PIFU Task is used again and again; only a later `lastModified` is another use (PCA, Task).
        let source = format!("{}/{id}", self.submission.resource_type);
        if let Some(last) = unit.last_request_of(&source)? {
            let last_use = last.asked_at.unwrap_or(last.requested_at);
            if booking.authored_at.is_none_or(|asked_at| asked_at <= last_use) {
                return Ok(Effects {
                    organisation: last.organisation.clone(),
                    pathway: Some(pathway),
                    issues: vec![super::keep::follow(&last.id)],
                    ..Effects::default()
                });
            }
        }
        let mut enrolments = Vec::new();
        for (id, organisation, value) in unit.on_pathway(Kind::PifuEnrolment, &pathway)? {
            if self.caller.grant.allows_organisation(&organisation).is_ok() {
                let enrolment =
                    serde_json::from_value(value).map_err(|_| super::incident("an enrolment cannot be read"))?;
                enrolments.push(KnownEnrolment { id, organisation, enrolment });
            }
        }
        let open = unit.open_on_pathway(&pathway)?;
        let pathway_place = format!("{}.basedOn", self.submission.resource_type);
        let facts = PifuFacts {
            enrolments: &enrolments,
            open: &open,
            born_on: self.born_on(unit, booking.patient.nhs_number.as_ref())?,
            now: self.now,
            policy: &self.parts.policy,
            pathway_place: &pathway_place,
        };
        let enrolment = ledger::judge_pifu_booking(booking, facts).map_err(Error::Rejected)?;
        Ok(Effects {
            organisation: enrolment.organisation.clone(),
            pathway: Some(pathway.clone()),
            request: Some(NewRequest {
                ask: Ask::PifuBooking,
                appointment: None,
                subject: pathway.clone(),
                pathway: Some(pathway),
                supersedes: Vec::new(),
            }),
            ..Effects::default()
        })
    }
}

/// Once the PAS has spoken of an appointment itself, what others pass on may repeat it and not contradict it.
fn guard_word_of_pas(before: &Appointment, after: &Appointment) -> Result<(), Error> {
    let agrees = before.status == after.status
        && before.starts_at == after.starts_at
        && before.ends_at == after.ends_at
        && before.identifiers.pas == after.identifiers.pas
        && before.references == after.references;
    if agrees {
        return Ok(());
    }
    let text = "the PAS itself has said otherwise of this appointment's status, time, identifier or referral";
    Err(Error::Conflict(text.into()))
}

fn unfit(text: &str) -> Error {
    Error::Rejected(vec![
        Issue::new(Rule::ChangeAnswerUnfit, text)
            .at(Place::named("Task.status"))
            .hint("docs/API.md, \"If you are the PAS\", lists what ends which request"),
    ])
}
