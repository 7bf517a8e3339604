//! The exact bytes that go downstream.

use super::decide::NewRequest;
use super::incident;
use super::judge::{Judged, Terms};
use super::keep::Keeping;
use crate::delivery::Lane;
use crate::document::Document;
use crate::error::Error;
use crate::fhir::Format;
use crate::issue::{Issue, Place, Rule, any_refuses};
use crate::ledger::{Ask, instant};
use crate::mapping::Variables;
use serde_json::json;

/// A delivery to be kept.
pub(super) struct Rendered {
    /// Its id and the message's identity.
    pub(super) id: String,
    pub(super) downstream: String,
    pub(super) lane: Lane,
    pub(super) resource_type: &'static str,
    pub(super) body: String,
}

impl Keeping {
    /// Renders what a request sends to the organisation that must act. What comes out is checked like what comes in:
    /// nothing that is not R4 leaves the house.
    pub(super) fn render(&self, request_id: &str, organisation: &str, request: &NewRequest) -> Result<Rendered, Error> {
        let routes = &self.parts.routes;
        let Some(downstream) = routes.downstream_of.get(organisation) else {
            return Err(Error::Rejected(vec![
                Issue::new(
                    Rule::ChangeNoDownstream,
                    format!("No downstream is set for the organisation {organisation}, so nobody would hear of this"),
                )
                .at(Place::named(self.submission.resource_type.clone()))
                .hint("ask the gateway's operator to set [organisations.CODE] downstream"),
            ]));
        };
        let sender = routes.sender_of.get(downstream).ok_or_else(|| incident("a downstream has no sender profile"))?;
        let resource_type = match request.ask {
            Ask::Change(_) => "Task",
            Ask::PifuBooking => "Appointment",
        };
        let kind = self.canonical.kind();
        let mapping = self
            .parts
            .library
            .outbound(kind, resource_type)
            .ok_or_else(|| incident("no mapping renders this request"))?;
        let id = uuid::Uuid::now_v7().to_string();
        let change = Document::from_value(&json!({
            "id": request_id,
            "message_id": id,
            "requested_at": instant(self.now),
            "organisation": organisation,
            "appointment": request.appointment.as_ref().map(|known| known.id.clone()),
        }));
        let appointment = match &request.appointment {
            Some(known) => serde_json::to_value(&known.appointment).unwrap_or_default(),
            None => json!({}),
        };
        let appointment = Document::from_value(&appointment);
        let gateway = Document::from_value(&json!({"base": routes.base_url}));
        let trees = [("change", &change), ("appointment", &appointment), ("gateway", &gateway)];
        let variables = Variables { sender: &sender.variables, now: self.now, trees: &trees };
        let outcome = mapping.run(&Document::from_value(&self.value), &variables);
        if any_refuses(&outcome.issues) {
            return Err(Error::Rejected(outcome.issues));
        }
        let body = outcome.value.to_string();
        self.check_rendered(&body, resource_type, mapping.name())?;
        let lane = Lane::new(downstream, &request.subject);
        Ok(Rendered { id, downstream: downstream.clone(), lane, resource_type, body })
    }

    fn check_rendered(&self, body: &str, resource_type: &str, mapping: &str) -> Result<(), Error> {
        let parts = &self.parts;
        let terms = Terms {
            profiles: &parts.profiles,
            limits: &parts.limits,
            sender: None,
            expected_type: Some(resource_type),
            demanded: &[],
            now: self.now,
        };
        let judged = Judged::of(body.as_bytes(), Format::Json, &terms);
        match judged.issues.iter().find(|issue| issue.refuses()) {
            None => Ok(()),
            Some(issue) => Err(incident(&format!("mapping {mapping} rendered what is not R4: {issue}"))),
        }
    }
}
