//! The unit of work: everything that an accepted submission causes, kept together or not at all.

use super::decide::{Effects, NewRequest};
use super::render::Rendered;
use super::settle::{Settled, replay};
use super::{Parts, Receipt, Submission};
use crate::access::{Caller, Sender};
use crate::document::Document;
use crate::error::Error;
use crate::fhir::{self, Format};
use crate::issue::{Issue, Rule};
use crate::ledger::{Ask, Event, Request, State, instant, stamp};
use crate::model::{Canonical, NhsNumber, OdsCode, Referral, WaitingListEntry};
use crate::store::{KeptResource, NewDelivery, NewResource, NewSubmission, Unit};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A submission that was read, checked and mapped, on its way into the store.
pub(super) struct Keeping {
    pub(super) parts: Arc<Parts>,
    pub(super) caller: Caller,
    pub(super) sender: Sender,
    pub(super) submission: Submission,
    pub(super) document: Document,
    pub(super) canonical: Canonical,
    pub(super) value: serde_json::Value,
    pub(super) mapping: String,
    pub(super) issues: Vec<Issue>,
    pub(super) now: Timestamp,
}

impl Keeping {
    /// Carries it out. Runs in the store's transaction, so what it reads and what it writes are one step.
    pub(super) fn carry_out(mut self, unit: &Unit<'_>) -> Result<Receipt, Error> {
        let body_sha256 = fingerprint(&self.caller.name, &self.submission);
        if let Some(key) = &self.submission.idempotency_key
            && let Some(receipt) = replay(unit, &self.caller.name, key, &body_sha256)?
        {
            return Ok(receipt);
        }
        let receipt = match self.settle(unit, &body_sha256)? {
            Settled::Kept(kept) => {
                self.tell_what_to_follow(unit, &kept)?;
                self.receipt_of(unit, kept, false)?
            }
            Settled::Write { id, before } => self.write(unit, &id, before, &body_sha256)?,
        };
        if let Some(key) = &self.submission.idempotency_key {
            let json = serde_json::to_string(&receipt).map_err(|_| super::incident("a receipt cannot be written"))?;
            unit.put_key(&self.caller.name, key, &body_sha256, &json, self.now)?;
        }
        Ok(receipt)
    }

    fn write(
        &mut self,
        unit: &Unit<'_>,
        id: &str,
        before: Option<KeptResource>,
        body_sha256: &[u8],
    ) -> Result<Receipt, Error> {
        let effects = self.decide(unit, id)?;
        self.caller.grant.allows_organisation(&effects.organisation).map_err(super::forbidden)?;
        if let Some(before) = &before
            && before.organisation != effects.organisation
        {
            return Err(Error::Conflict("a resource stays with the organisation that it was first kept for".into()));
        }
        self.issues.extend(effects.issues.iter().cloned());
        let version = before.as_ref().map_or(1, |before| before.version + 1);
        let rendered = self.plan(unit, id, &effects)?;
        self.keep_resource(unit, id, version, &effects, body_sha256)?;
        self.keep_canonical(unit, id, &effects)?;
        if let (Some(request), Some((request_id, rendered))) = (&effects.request, &rendered) {
            self.keep_request(unit, request_id, id, &effects.organisation, request, rendered)?;
        }
        for (request, event) in &effects.events {
            unit.happen(request, event, &self.submission.correlation_id, self.now)?;
        }
        let interaction = self.submission.write.interaction();
        let resource_type = &self.submission.resource_type;
        unit.audit(&self.caller.name, interaction, resource_type, id, &self.submission.correlation_id, self.now)?;
        let kept = unit.resource(resource_type, id)?.ok_or(Error::NotFound)?;
        self.receipt_of(unit, kept, before.is_none())
    }

    /// Chooses the request's id and renders its delivery, before anything is written.
    fn plan(&self, unit: &Unit<'_>, id: &str, effects: &Effects) -> Result<Option<(String, Rendered)>, Error> {
        let Some(request) = &effects.request else { return Ok(None) };
        // A request is followed at the Task of its own id. The Task that asks for a change is that Task; a follow-up
        // asked for by a ServiceRequest lends its id; one asked for again and again by the same PIFU Task cannot.
        let is_own_task = matches!(request.ask, Ask::Change(_));
        let lends_id = self.submission.resource_type != "Task" && unit.resource("Task", id)?.is_none();
        let request_id = if is_own_task || lends_id { id.to_owned() } else { uuid::Uuid::now_v7().to_string() };
        let rendered = self.render(&request_id, &effects.organisation, request)?;
        Ok(Some((request_id, rendered)))
    }

    fn keep_resource(
        &mut self,
        unit: &Unit<'_>,
        id: &str,
        version: u64,
        effects: &Effects,
        body_sha256: &[u8],
    ) -> Result<(), Error> {
        // An answer that the PAS sends to the request's own Task leaves the Task the requester's: who asked for what
        // must still be found there, and what became of it is shown from the ledger.
        if matches!(self.canonical, Canonical::ChangeAnswer(_)) && unit.request(id)?.is_some() {
            unit.touch(&self.submission.resource_type, id, None, self.now)?;
            return self.keep_submission(unit, id, version);
        }
        let identifiers = self.identifiers();
        stamp(&mut self.document, id, version, self.now);
        let json = fhir::json(self.document.root());
        let status = self.document.root().child_named("status").and_then(|status| status.string());
        let patient = self.patient(unit)?;
        unit.put_resource(&NewResource {
            resource_type: &self.submission.resource_type,
            id,
            version,
            last_updated: self.now,
            organisation: &effects.organisation,
            patient: patient.as_ref().map(NhsNumber::reveal),
            status,
            body_sha256,
            json: &json,
            identifiers: &identifiers,
        })?;
        self.keep_submission(unit, id, version)
    }

    /// Keeps the body as it came.
    fn keep_submission(&self, unit: &Unit<'_>, id: &str, version: u64) -> Result<(), Error> {
        unit.put_submission(&NewSubmission {
            at: self.now,
            resource_type: &self.submission.resource_type,
            id,
            version,
            caller: &self.caller.name,
            correlation_id: &self.submission.correlation_id,
            mapping: &self.mapping,
            format: match self.submission.format {
                Format::Json => "json",
                Format::Xml => "xml",
            },
            body: &self.submission.body,
        })?;
        Ok(())
    }

    fn keep_canonical(&self, unit: &Unit<'_>, id: &str, effects: &Effects) -> Result<(), Error> {
        let patient = self.patient(unit)?;
        let patient = patient.as_ref().map(NhsNumber::reveal);
        let pathway = effects.pathway.as_deref();
        let kind = self.canonical.kind();
        // Once the PAS has spoken, what others pass on agrees with it, and it stays the PAS's word.
        let is_pas = self.sender.is_pas || unit.is_word_of_pas(kind, id)?;
        unit.put_canonical(kind, id, &effects.organisation, patient, pathway, is_pas, &self.value)?;
        if let Some(referral) = &effects.referral {
            let entry = entry_of(id, referral, &effects.organisation);
            let entry = serde_json::to_value(entry).map_err(|_| super::incident("an entry cannot be written"))?;
            unit.put_entry(id, &effects.organisation, patient, pathway, &entry)?;
        }
        Ok(())
    }

    fn keep_request(
        &mut self,
        unit: &Unit<'_>,
        request_id: &str,
        resource_id: &str,
        organisation: &str,
        request: &NewRequest,
        rendered: &Rendered,
    ) -> Result<(), Error> {
        let correlation_id = &self.submission.correlation_id;
        let kept = Request {
            id: request_id.to_owned(),
            ask: request.ask,
            state: State::Requested,
            source: format!("{}/{resource_id}", self.submission.resource_type),
            asked_at: match &self.canonical {
                Canonical::ChangeRequest(change) => change.authored_at,
                Canonical::PifuBooking(booking) => booking.authored_at,
                Canonical::Patient(_)
                | Canonical::Referral(_)
                | Canonical::Appointment(_)
                | Canonical::ChangeAnswer(_)
                | Canonical::PifuEnrolment(_) => None,
            },
            appointment: request.appointment.as_ref().map(|known| known.id.clone()),
            appointment_starts_at: request.appointment.as_ref().and_then(|known| known.appointment.starts_at),
            pathway: request.pathway.clone(),
            organisation: organisation.to_owned(),
            requested_at: self.now,
            changed_at: self.now,
            reason: None,
        };
        unit.put_request(&kept, correlation_id)?;
        for superseded in &request.supersedes {
            unit.happen(superseded, &Event::Superseded { by: request_id.to_owned() }, correlation_id, self.now)?;
        }
        if let Some(appointment) = &kept.appointment {
            unit.touch("Appointment", appointment, None, self.now)?;
        }
        unit.put_delivery(&NewDelivery {
            id: &rendered.id,
            request: request_id,
            downstream: &rendered.downstream,
            lane: &rendered.lane,
            resource_type: rendered.resource_type,
            body: &rendered.body,
            correlation_id,
            at: self.now,
        })?;
        if (self.submission.resource_type.as_str(), resource_id) != ("Task", request_id) {
            self.keep_following_task(unit, request_id, resource_id, organisation)?;
        }
        self.issues.push(follow(request_id));
        Ok(())
    }

    /// A retry whose first answer was lost must hear as well where its request is followed.
    fn tell_what_to_follow(&mut self, unit: &Unit<'_>, kept: &KeptResource) -> Result<(), Error> {
        let request = unit.last_request_of(&format!("{}/{}", kept.resource_type, kept.id))?;
        self.issues.extend(request.map(|request| follow(&request.id)));
        Ok(())
    }

    /// The Task at which a PIFU booking is followed.
    fn keep_following_task(
        &self,
        unit: &Unit<'_>,
        request_id: &str,
        resource_id: &str,
        organisation: &str,
    ) -> Result<(), Error> {
        let patient = self.patient(unit)?;
        let mut task = json!({
            "resourceType": "Task",
            "status": State::Requested.task_status(),
            "intent": "order",
            "code": {"coding": [{"system": "urn:stile:change-request", "code": Ask::PifuBooking.as_str()}]},
            "focus": {"reference": format!("{}/{resource_id}", self.submission.resource_type)},
            "authoredOn": instant(self.now),
        });
        if let Some(patient) = &patient {
            task["for"] = json!({
                "type": "Patient",
                "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": patient.reveal()}
            });
        }
        let mut document = Document::from_value(&task);
        stamp(&mut document, request_id, 1, self.now);
        unit.put_resource(&NewResource {
            resource_type: "Task",
            id: request_id,
            version: 1,
            last_updated: self.now,
            organisation,
            patient: patient.as_ref().map(NhsNumber::reveal),
            status: Some(State::Requested.task_status()),
            body_sha256: &[],
            json: &fhir::json(document.root()),
            identifiers: &[],
        })?;
        Ok(())
    }

    /// The patient's NHS number: as told, or by the Patient that a reference names.
    fn patient(&self, unit: &Unit<'_>) -> Result<Option<NhsNumber>, Error> {
        self.number_of(unit, self.canonical.patient().as_ref())
    }

    fn receipt_of(&mut self, unit: &Unit<'_>, kept: KeptResource, created: bool) -> Result<Receipt, Error> {
        Ok(Receipt {
            json: unit.shown(&kept)?,
            resource_type: kept.resource_type,
            id: kept.id,
            version: kept.version,
            last_updated: kept.last_updated,
            created,
            issues: std::mem::take(&mut self.issues),
        })
    }
}

/// What makes two submissions the same one: who sent it, what is asked of which type, the form and the bytes. The same
/// bytes from another caller are another word: the PAS may confirm what a portal has passed on.
pub(super) fn fingerprint(caller: &str, submission: &Submission) -> Vec<u8> {
    let mut hash = Sha256::new();
    let form = match submission.format {
        Format::Json => "json",
        Format::Xml => "xml",
    };
    for part in [caller, form, submission.write.interaction().as_str(), &submission.resource_type] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(&submission.body);
    hash.finalize().to_vec()
}

/// Where a request is followed to its end.
pub(super) fn follow(request_id: &str) -> Issue {
    Issue::new(Rule::RequestFollow, format!("Accepted, kept and on its way; follow it at Task/{request_id}"))
}

/// The place on the waiting list that a referral makes.
fn entry_of(id: &str, referral: &Referral, organisation: &str) -> WaitingListEntry {
    WaitingListEntry {
        id: id.to_owned(),
        status: referral.status,
        patient: referral.patient.clone(),
        pathway: referral.pathway.clone(),
        referrals: referral.identifiers.clone(),
        // Where the referral does not say, the organisation that its sender sends for (the settings say so).
        provider: referral.provider.clone().or_else(|| OdsCode::parse(organisation).ok()),
        treatment_function: referral.treatment_function.clone(),
        priority: referral.priority,
        received_on: None,
        appointments: Vec::new(),
    }
}
