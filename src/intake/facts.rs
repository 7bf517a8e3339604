//! The facts that a decision needs, from what is kept and the caller may see.

use super::keep::Keeping;
use crate::error::Error;
use crate::fhir::Token;
use crate::issue::{Issue, Place, Rule};
use crate::ledger::{KnownAppointment, Request};
use crate::model::{AppointmentLink, Kind, NhsNumber, Patient, PatientLink};
use crate::store::Unit;
use jiff::civil::Date;

impl Keeping {
    pub(super) fn may_see(&self, organisation: &str) -> bool {
        self.caller.grant.allows_organisation(organisation).is_ok()
    }

    /// The NHS number that a link means: told itself, or by the Patient that it refers to.
    pub(super) fn number_of(&self, unit: &Unit<'_>, link: Option<&PatientLink>) -> Result<Option<NhsNumber>, Error> {
        let Some(link) = link else { return Ok(None) };
        if link.nhs_number.is_some() {
            return Ok(link.nhs_number.clone());
        }
        let Some(id) = link.reference.as_deref().and_then(|reference| reference.strip_prefix("Patient/")) else {
            return Ok(None);
        };
        match unit.canonical(Kind::Patient, id)? {
            Some((organisation, value)) if self.may_see(&organisation) => Ok(patient(value)?.nhs_number),
            Some(_) | None => Ok(None),
        }
    }

    /// The date of birth of the Patient that is kept under an NHS number; none where only a year is known.
    pub(super) fn born_on(&self, unit: &Unit<'_>, number: Option<&NhsNumber>) -> Result<Option<Date>, Error> {
        let Some(number) = number else { return Ok(None) };
        for (_, organisation, value) in unit.of_patient(Kind::Patient, number.reveal())? {
            if self.may_see(&organisation)
                && let Some(date) = patient(value)?.born_on.and_then(|text| text.reveal().parse().ok())
            {
                return Ok(Some(date));
            }
        }
        Ok(None)
    }

    /// The appointment that a link means, when it is kept and the caller may see it.
    pub(super) fn find_appointment(
        &self,
        unit: &Unit<'_>,
        link: &AppointmentLink,
    ) -> Result<Option<KnownAppointment>, Error> {
        let mut ids: Vec<String> = link.id.iter().cloned().collect();
        if let (true, Some(identifier)) = (ids.is_empty(), &link.identifier) {
            let token = Token { system: Some(identifier.system.clone()), value: identifier.value.clone() };
            ids = unit.owners("Appointment", &token, |code| self.may_see(code))?;
            if ids.len() > 1 {
                return Err(Error::Rejected(vec![
                    Issue::new(Rule::IdentifierAmbiguous, "Several appointments carry this identifier")
                        .at(Place::named("Task.focus.identifier"))
                        .hint("point Task.focus.reference at one of them"),
                ]));
            }
        }
        let Some(id) = ids.first() else { return Ok(None) };
        if let (Some(_), Some(identifier)) = (&link.id, &link.identifier) {
            let token = Token { system: Some(identifier.system.clone()), value: identifier.value.clone() };
            if !unit.owners("Appointment", &token, |code| self.may_see(code))?.contains(id) {
                return Err(Error::Rejected(vec![
                    Issue::new(Rule::ChangeFocus, "Reference and identifier of Task.focus do not mean one appointment")
                        .at(Place::named("Task.focus"))
                        .hint("send the one that you are sure of, alone"),
                ]));
            }
        }
        Ok(appointment(unit, id)?.filter(|known| self.may_see(&known.organisation)))
    }

    /// The request that a PAS speaks about.
    pub(super) fn require_request(&self, unit: &Unit<'_>, request: &str, place: &str) -> Result<Request, Error> {
        let known = unit.request(request)?.filter(|known| self.may_see(&known.organisation));
        known.ok_or_else(|| {
            Error::Rejected(vec![
                Issue::new(Rule::ChangeUnknownRequest, "The request that this answers is not known here")
                    .at(Place::named(place))
                    .hint("send back the identifier that Stile's message carried"),
            ])
        })
    }

    /// An accepted request is not altered by another body under its id.
    pub(super) fn require_new(&self, unit: &Unit<'_>, id: &str) -> Result<(), Error> {
        match unit.request(id)?.filter(|known| self.may_see(&known.organisation)) {
            None => Ok(()),
            Some(known) => Err(Error::Rejected(vec![
                Issue::new(
                    Rule::RequestUnalterable,
                    format!("This request was accepted before and is {}; it cannot be altered", known.state.as_str()),
                )
                .at(Place::named(self.submission.resource_type.clone()))
                .hint("send a new request under another id"),
            ])),
        }
    }
}

/// An appointment that is kept.
pub(super) fn appointment(unit: &Unit<'_>, id: &str) -> Result<Option<KnownAppointment>, Error> {
    let Some((organisation, value)) = unit.canonical(Kind::Appointment, id)? else { return Ok(None) };
    let appointment = serde_json::from_value(value).map_err(|_| super::incident("an appointment cannot be read"))?;
    Ok(Some(KnownAppointment { id: id.to_owned(), organisation, appointment }))
}

fn patient(value: serde_json::Value) -> Result<Patient, Error> {
    serde_json::from_value(value).map_err(|_| super::incident("a patient cannot be read"))
}
