//! How a request shows on the resources that stand for it: its Task, and the Appointment that it is about.
//!
//! The kept resources stay as their senders wrote them; what the ledger knows is laid over them when they are read.

use super::{Ask, Request};
use crate::document::{Document, NodeId};
use jiff::Timestamp;

/// PCA's extension that says what a patient has asked for while the PAS has not acted.
pub const REQUEST_STATUS_URL: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-Appointment-RequestStatus";

/// Code system of [`Task.businessStatus`](https://hl7.org/fhir/R4/task.html), which carries our own state.
const STATE_SYSTEM: &str = "urn:stile:request-state";

/// Writes id, version and time of the last change into a resource.
pub fn stamp(document: &mut Document, id: &str, version: u64, last_updated: Timestamp) {
    let id_node = document.child_or_new(NodeId::ROOT, "id");
    document.set_string(id_node, id);
    let meta = document.child_or_new(NodeId::ROOT, "meta");
    let version_id = document.child_or_new(meta, "versionId");
    document.set_string(version_id, &version.to_string());
    let updated = document.child_or_new(meta, "lastUpdated");
    document.set_string(updated, &instant(last_updated));
}

/// An instant as FHIR writes it, to the millisecond, in UTC.
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// What readers of an appointment see of the open requests about it.
pub fn request_status(open: &[Request]) -> Option<&'static str> {
    open.iter().rev().find_map(|request| match request.ask {
        Ask::Change(kind) => Some(kind.request_status()),
        Ask::PifuBooking => None,
    })
}

/// Shows the open requests about an appointment on it, in the place of what its sender said of pending requests: what
/// is pending is the ledger's to tell, and what was pending when the sender last looked may have ended.
pub fn show_on_appointment(document: &mut Document, open: &[Request]) {
    let stale: Vec<NodeId> = document
        .root()
        .children_named("extension")
        .filter(|extension| extension.child_named("url").and_then(|url| url.string()) == Some(REQUEST_STATUS_URL))
        .map(|extension| extension.id())
        .collect();
    for extension in stale {
        document.remove(extension);
    }
    let Some(status) = request_status(open) else { return };
    let extension = document.append(NodeId::ROOT, "extension", true);
    let url = document.append(extension, "url", false);
    document.set_string(url, REQUEST_STATUS_URL);
    let value = document.append(extension, "valueCode", false);
    document.set_string(value, status);
}

/// Shows where a request stands on its Task.
pub fn show_on_task(document: &mut Document, request: &Request) {
    let status = document.child_or_new(NodeId::ROOT, "status");
    document.set_string(status, request.state.task_status());
    replace_with_text(document, "businessStatus", request.state.as_str(), Some(STATE_SYSTEM));
    if let Some(reason) = &request.reason {
        replace_with_text(document, "statusReason", reason, None);
    }
    let modified = document.child_or_new(NodeId::ROOT, "lastModified");
    document.set_string(modified, &instant(request.changed_at));
    if request.ask == Ask::PifuBooking
        && let Some(appointment) = &request.appointment
    {
        show_output(document, appointment);
    }
}

/// The appointment that a PIFU booking led to, as the Task's output.
fn show_output(document: &mut Document, appointment: &str) {
    let output = document.append(NodeId::ROOT, "output", true);
    let kind = document.append(output, "type", false);
    let text = document.append(kind, "text", false);
    document.set_string(text, "booked appointment");
    let value = document.append(output, "valueReference", false);
    let reference = document.append(value, "reference", false);
    document.set_string(reference, &format!("Appointment/{appointment}"));
}

/// Puts a CodeableConcept of one code and text in the place of what stood there.
fn replace_with_text(document: &mut Document, name: &str, text: &str, system: Option<&str>) {
    if let Some(old) = document.root().child_named(name).map(|node| node.id()) {
        document.remove(old);
    }
    let concept = document.append(NodeId::ROOT, name, false);
    if let Some(system) = system {
        let coding = document.append(concept, "coding", true);
        let system_node = document.append(coding, "system", false);
        document.set_string(system_node, system);
        let code = document.append(coding, "code", false);
        document.set_string(code, text);
    }
    let text_node = document.append(concept, "text", false);
    document.set_string(text_node, text);
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use crate::model::ChangeKind;
    use serde_json::json;

    fn request(ask: Ask, state: State) -> Request {
        Request {
            id: "t1".into(),
            ask,
            state,
            source: "Task/t".into(),
            asked_at: None,
            appointment: Some("a1".into()),
            appointment_starts_at: None,
            pathway: None,
            organisation: "RZZ99".into(),
            requested_at: Timestamp::UNIX_EPOCH,
            changed_at: Timestamp::UNIX_EPOCH,
            reason: Some("no such clinic".into()),
        }
    }

    #[test]
    fn an_open_request_shows_on_the_appointment_and_its_status_stays_the_pas_s() {
        let mut document = Document::from_value(&json!({
            "resourceType": "Appointment",
            "status": "booked",
            "extension": [{"url": REQUEST_STATUS_URL, "valueCode": "Pending Change"}, {"url": "https://other.example"}]
        }));
        show_on_appointment(&mut document, &[request(Ask::Change(ChangeKind::Cancel), State::Requested)]);
        let root = document.root();
        assert_eq!(root.child_named("status").unwrap().string(), Some("booked"));
        let extensions: Vec<_> = root.children_named("extension").collect();
        assert_eq!(extensions.len(), 2);
        assert_eq!(extensions[1].child_named("valueCode").unwrap().string(), Some("Pending Cancellation"));
        show_on_appointment(&mut document, &[]);
        assert_eq!(document.root().children_named("extension").count(), 1, "nothing is pending any more");
    }

    #[test]
    fn a_task_shows_state_reason_and_the_booked_appointment() {
        let mut document = Document::from_value(&json!({"resourceType": "Task", "status": "requested"}));
        show_on_task(&mut document, &request(Ask::PifuBooking, State::Booked));
        let root = document.root();
        assert_eq!(root.child_named("status").unwrap().string(), Some("completed"));
        assert_eq!(root.descend(&["businessStatus", "text"]).unwrap().string(), Some("booked"));
        assert_eq!(root.descend(&["statusReason", "text"]).unwrap().string(), Some("no such clinic"));
        let reference = root.descend(&["output", "valueReference", "reference"]).unwrap();
        assert_eq!(reference.string(), Some("Appointment/a1"));
    }
}
