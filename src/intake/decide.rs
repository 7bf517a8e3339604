//! What a canonical value does: the facts it needs, the ledger's verdict, and what follows from it.

use super::keep::Keeping;
use crate::error::Error;
use crate::fhir::Token;
use crate::issue::{Issue, Place, Rule};
use crate::ledger::{
    self, Ask, ChangeFacts, Event, KnownAppointment, KnownEnrolment, PifuFacts, event_of_answer, event_of_update,
};
use crate::model::{
    Appointment, AppointmentLink, Canonical, ChangeAnswer, ChangeRequest, Kind, Patient, PatientLink, PifuBooking,
    Referral,
};
use crate::store::Unit;
use jiff::civil::Date;

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
            Canonical::ChangeAnswer(answer) => self.decide_answer(unit, answer),
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
        // Only the PAS's word ends a request; a portal that passes an appointment on does not.
        if !self.sender.is_pas {
            return Ok(effects);
        }
        let before = appointment(unit, id)?;
        for request in unit.open_about(id)? {
            let before = before.as_ref().map(|known| &known.appointment);
            if let Some(event) = event_of_update(&request, before, after) {
                effects.events.push((request.id, event));
            }
        }
        if let Some(booking) = after.pifu_booking() {
            self.require_request(unit, booking, "Appointment.basedOn")?;
            effects.events.push((booking.to_owned(), Event::Booked { appointment: id.to_owned() }));
        }
        Ok(effects)
    }

    fn decide_change(&self, unit: &Unit<'_>, id: &str, change: &ChangeRequest) -> Result<Effects, Error> {
        self.require_new(unit, id)?;
        let known = self.find_appointment(unit, &change.appointment)?;
        let open = match &known {
            Some(known) => unit.open_about(&known.id)?,
            None => Vec::new(),
        };
        let patient = known.as_ref().and_then(|known| known.appointment.patient.as_ref()).or(change.patient.as_ref());
        let facts = ChangeFacts {
            appointment: known.as_ref(),
            open: &open,
            born_on: born_on(unit, patient)?,
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

    fn decide_answer(&self, unit: &Unit<'_>, answer: &ChangeAnswer) -> Result<Effects, Error> {
        let organisation = self.require_request(unit, &answer.request, "Task.identifier")?;
        Ok(Effects {
            organisation,
            events: vec![(answer.request.clone(), event_of_answer(answer))],
            ..Effects::default()
        })
    }

    fn decide_pifu(&self, unit: &Unit<'_>, id: &str, booking: &PifuBooking) -> Result<Effects, Error> {
        self.require_new(unit, id)?;
        let pathway = booking.pathway.identifier.clone();
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
            born_on: born_on(unit, Some(&booking.patient))?,
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

    /// The appointment that a link means, when it is kept and the caller may see it.
    fn find_appointment(&self, unit: &Unit<'_>, link: &AppointmentLink) -> Result<Option<KnownAppointment>, Error> {
        let mut ids: Vec<String> = link.id.iter().cloned().collect();
        if let (true, Some(identifier)) = (ids.is_empty(), &link.identifier) {
            let token = Token { system: Some(identifier.system.clone()), value: identifier.value.clone() };
            ids = unit.owners("Appointment", &token)?;
            if ids.len() > 1 {
                return Err(Error::Rejected(vec![
                    Issue::new(Rule::IdentifierAmbiguous, "Several appointments carry this identifier")
                        .at(Place::named("Task.focus.identifier"))
                        .hint("point Task.focus.reference at one of them"),
                ]));
            }
        }
        let Some(id) = ids.first() else { return Ok(None) };
        let known = appointment(unit, id)?;
        Ok(known.filter(|known| self.caller.grant.allows_organisation(&known.organisation).is_ok()))
    }

    /// The organisation of a request that a PAS speaks about.
    fn require_request(&self, unit: &Unit<'_>, request: &str, place: &str) -> Result<String, Error> {
        let known = unit.request(request)?;
        match known.filter(|known| self.caller.grant.allows_organisation(&known.organisation).is_ok()) {
            Some(known) => Ok(known.organisation),
            None => Err(Error::Rejected(vec![
                Issue::new(Rule::ChangeUnknownRequest, "The request that this answers is not known here")
                    .at(Place::named(place))
                    .hint("send back the identifier that Stile's message carried"),
            ])),
        }
    }

    /// An accepted request is not altered by another body under its id.
    fn require_new(&self, unit: &Unit<'_>, id: &str) -> Result<(), Error> {
        match unit.request(id)? {
            None => Ok(()),
            Some(known) => Err(Error::Rejected(vec![
                Issue::new(
                    Rule::RequestUnalterable,
                    format!("This request was accepted before and is {}; it cannot be altered", known.state.as_str()),
                )
                .at(super::settle::place(&self.submission.resource_type))
                .hint("send a new request under another id"),
            ])),
        }
    }
}

fn appointment(unit: &Unit<'_>, id: &str) -> Result<Option<KnownAppointment>, Error> {
    let Some((organisation, value)) = unit.canonical(Kind::Appointment, id)? else { return Ok(None) };
    let appointment = serde_json::from_value(value).map_err(|_| super::incident("an appointment cannot be read"))?;
    Ok(Some(KnownAppointment { id: id.to_owned(), organisation, appointment }))
}

/// The patient's date of birth, from the Patient that is kept under the NHS number; none where only a year is known.
fn born_on(unit: &Unit<'_>, patient: Option<&PatientLink>) -> Result<Option<Date>, Error> {
    let Some(nhs_number) = patient.and_then(|patient| patient.nhs_number.as_ref()) else { return Ok(None) };
    for (_, _, value) in unit.of_patient(Kind::Patient, nhs_number.reveal())? {
        let patient: Patient =
            serde_json::from_value(value).map_err(|_| super::incident("a patient cannot be read"))?;
        if let Some(date) = patient.born_on.and_then(|text| text.reveal().parse().ok()) {
            return Ok(Some(date));
        }
    }
    Ok(None)
}
