//! Submissions that keep every rule: what the tests break, one rule at a time.

use serde_json::{Value, json};

const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
const ODS: &str = "https://fhir.nhs.uk/Id/ods-organization-code";
const PATHWAY: &str = "https://fhir.nhs.uk/Id/PathwayId";
const EXTENSION: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-";

pub(super) fn pca_appointment() -> Value {
    json!({
        "resourceType": "Appointment", "id": "0448e4c8-dd12-4bad-9b59-6091c9484701",
        "extension": [
            {"url": format!("{EXTENSION}ServiceRequest-Priority"),
             "valueCoding": {"system": "https://fhir.nhs.uk/CodeSystem/eRS-Priority", "code": "ROUTINE"}},
            {"url": format!("{EXTENSION}Appointment-RequestStatus"), "valueCode": "Pending Change"},
            {"url": format!("{EXTENSION}Consultation-Medium"), "valueCode": "FACE_TO_FACE"},
            {"url": format!("{EXTENSION}Portal-Link"), "valueUrl": "https://portal.example/appointment/1"}
        ],
        "status": "booked",
        "specialty": [{"coding": [
            {"system": "https://fhir.nhs.uk/CodeSystem/Specialty-1", "code": "330", "display": "Dermatology Service"}
        ]}],
        "description": "Dermatology",
        "start": "2026-06-13T12:30:00+00:00", "end": "2026-06-13T12:45:00Z",
        "basedOn": [
            {"identifier": {"system": "https://fhir.nhs.uk/Id/UBRN", "value": "000000000001"}},
            {"identifier": {"system": PATHWAY, "value": "RZZ99-1"}}
        ],
        "participant": [
            {"actor": {"type": "Patient", "identifier": {"system": NHS_NUMBER, "value": "9990000018"}},
             "status": "accepted"},
            {"actor": {"type": "Location", "identifier": {"system": ODS, "value": "RZZ99"}}, "status": "accepted"},
            {"actor": {"type": "Location", "display": "Outpatients"}, "status": "accepted"}
        ]
    })
}

pub(super) fn document_reference() -> Value {
    json!({
        "resourceType": "DocumentReference", "id": "2f02f7ac-0de5-4271-81ad-92b69ead27e9",
        "extension": [{"url": format!("{EXTENSION}Document-ReadReceipt"), "valueCode": "Read"}],
        "status": "current", "docStatus": "final",
        "basedOn": [{"type": "CarePlan", "identifier": {"system": PATHWAY, "value": "RZZ99-1"}}],
        "subject": {"type": "Patient", "identifier": {"system": NHS_NUMBER, "value": "9990000018"}},
        "date": "2026-06-13T12:30:00+00:00",
        "custodian": {"type": "Organization", "identifier": {"system": ODS, "value": "RZZ99"}, "display": "Any Trust"},
        "description": "Dermatology cancellation letter",
        "content": [{"attachment": {"contentType": "application/pdf", "url": "https://portal.example/document/1"}}],
        "context": {"related": [{"type": "Appointment", "reference": "https://portal.example/Appointment/1"}]}
    })
}

pub(super) fn pca_task() -> Value {
    json!({
        "resourceType": "Task", "id": "3a146c43-2b21-44e9-95bc-6f4849e504c8",
        "extension": [{"url": format!("{EXTENSION}Task-TreatmentFunction"),
                       "valueCoding": {"system": "https://fhir.nhs.uk/CodeSystem/Specialty-1", "code": "330"}}],
        "basedOn": [{"type": "CarePlan", "identifier": {"system": PATHWAY, "value": "RZZ99-1"}}],
        "status": "requested", "intent": "plan", "description": "Dermatology",
        "focus": {"type": "Appointment", "reference": "https://portal.example/Appointment/1"},
        "for": {"type": "Patient", "identifier": {"system": NHS_NUMBER, "value": "9990000018"}},
        "authoredOn": "2026-06-13T12:30:00+00:00",
        "owner": {"type": "Organization", "identifier": {"system": ODS, "value": "RZZ99"}, "display": "Any Trust"},
        "reasonCode": {"coding": [{"system": format!("{EXTENSION}Questionnaire-Type"), "code": "pifu-triage"}]},
        "reasonReference": {"type": "Questionnaire", "reference": "https://portal.example/questionnaire/1"},
        "restriction": {"period": {"end": "2026-10-18T12:30:00+00:00"}}
    })
}

fn urn(number: u32) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-{number:012x}")
}

/// An entry whose address ends in `number`, with the time of its last change.
fn entry(number: u32, mut resource: Value) -> Value {
    resource["meta"] = json!({"lastUpdated": "2026-01-05T09:00:00Z"});
    json!({"fullUrl": urn(number), "resource": resource})
}

fn message(entries: Vec<Value>) -> Value {
    json!({
        "resourceType": "Bundle", "meta": {"versionId": "1.0.0"}, "type": "message",
        "timestamp": "2026-01-05T09:00:00Z", "entry": entries
    })
}

fn header(event: &str, definition: &str, sender: u32, receiver: u32) -> Value {
    json!({
        "resourceType": "MessageHeader",
        "eventCoding": {"system": "https://fhir.nhs.uk/CodeSystem/message-events-bars", "code": event},
        "destination": [{"endpoint": "https://fhir.nhs.uk/Id/dos-service-id|111111111",
                         "receiver": {"reference": urn(receiver)}}],
        "sender": {"reference": urn(sender)},
        "source": {"name": "Any", "endpoint": "http://fhir.nhs.uk/Id/dos-service-id|2222222222"},
        "reason": {"coding": [{"system": "https://fhir.nhs.uk/CodeSystem/message-reason-bars", "code": "new"}]},
        "focus": [{"reference": urn(2)}],
        "definition": format!("https://fhir.nhs.uk/MessageDefinition/bars-message-{definition}")
    })
}

fn patient() -> Value {
    json!({"resourceType": "Patient", "identifier": [{"system": NHS_NUMBER, "value": "9990000018"}]})
}

fn organisation() -> Value {
    json!({"resourceType": "Organization", "identifier": [{"system": ODS, "value": "RZZ99"}]})
}

/// A booking request of nine resources; the Appointment is its second entry, the Patient its third.
pub(super) fn booking() -> Value {
    let times = |mut resource: Value| {
        resource["start"] = json!("2026-06-13T12:30:00Z");
        resource["end"] = json!("2026-06-13T12:40:00Z");
        resource
    };
    let mut appointment = pca_appointment();
    appointment["slot"] = json!([{"reference": urn(4)}]);
    message(vec![
        entry(1, header("booking-request", "booking-request", 7, 8)),
        entry(2, times(appointment)),
        entry(3, patient()),
        entry(4, times(json!({"resourceType": "Slot", "status": "busy", "schedule": {"reference": urn(5)}}))),
        entry(5, json!({"resourceType": "Schedule"})),
        entry(6, json!({"resourceType": "HealthcareService"})),
        entry(9, json!({"resourceType": "Location", "name": "Any"})),
        entry(7, organisation()),
        entry(8, organisation()),
    ])
}

/// A short response to a referral.
pub(super) fn referral() -> Value {
    let mut head = header("servicerequest-response", "servicerequest-response-referral-short", 6, 7);
    head["response"] = json!({"identifier": "86e3371d-1c15-4862-9552-d9560f8292ba", "code": "ok"});
    let request = json!({
        "resourceType": "ServiceRequest", "status": "active", "intent": "plan",
        "category": [{"coding": [
            {"system": "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars", "code": "a6t3"}
        ]}],
        "occurrencePeriod": {"start": "2026-06-13T12:30:00Z"}
    });
    message(vec![
        entry(1, head),
        entry(2, request),
        entry(3, patient()),
        entry(4, json!({"resourceType": "Encounter", "status": "finished"})),
        entry(5, json!({"resourceType": "Encounter", "status": "triaged"})),
        entry(6, organisation()),
        entry(7, organisation()),
    ])
}
