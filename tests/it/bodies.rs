//! What portals and the PAS send: synthetic, with NHS numbers of the test range.

use crate::house::{NHS_NUMBER_SYSTEM, ODS_SYSTEM, PAS_SYSTEM, PATHWAY_SYSTEM, PATIENT, PORTAL_SYSTEM, START, TRUST};
use serde_json::{Value, json};

/// An outpatient appointment in the PCA flavour, ten days ahead.
pub fn appointment(id: &str, number: &str) -> Value {
    json!({
        "resourceType": "Appointment",
        "id": id,
        "extension": [
            {"url": "https://fhir.nhs.uk/StructureDefinition/Extension-Consultation-Medium", "valueCode": "FACE_TO_FACE"},
            {"url": "https://fhir.nhs.uk/StructureDefinition/Extension-Portal-Link", "valueUrl": format!("https://portal.example/a/{id}")}
        ],
        "identifier": [
            {"system": PAS_SYSTEM, "value": number},
            {"system": PORTAL_SYSTEM, "value": id}
        ],
        "status": "booked",
        "specialty": [{"coding": [{"system": "https://fhir.nhs.uk/CodeSystem/Specialty-1", "code": "330", "display": "Dermatology"}]}],
        "description": "Dermatology",
        "start": "2026-12-01T10:00:00+00:00",
        "end": "2026-12-01T10:20:00+00:00",
        "participant": [
            {"actor": {"type": "Patient", "identifier": {"system": NHS_NUMBER_SYSTEM, "value": PATIENT}}, "status": "accepted"},
            {"actor": {"type": "Location", "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": TRUST}}, "status": "accepted"}
        ]
    })
}

/// What a patient asks about an appointment: `cancel`, `reschedule` or `confirm-attendance`.
pub fn change(id: &str, code: &str, appointment: &str) -> Value {
    json!({
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "urn:stile:change-request", "code": code}]},
        "focus": {"type": "Appointment", "reference": format!("Appointment/{appointment}")},
        "for": {"type": "Patient", "identifier": {"system": NHS_NUMBER_SYSTEM, "value": PATIENT}},
        "authoredOn": START,
        "reasonCode": {"text": "on holiday"}
    })
}

/// A patient put on patient-initiated follow-up on a pathway, from the beginning of November 2026 for half a year.
pub fn enrolment(id: &str, pathway: &str) -> Value {
    json!({
        "resourceType": "Task",
        "id": id,
        "basedOn": [{"type": "CarePlan", "identifier": {"system": PATHWAY_SYSTEM, "value": pathway}}],
        "status": "requested",
        "intent": "plan",
        "description": "Rheumatology",
        "for": {"type": "Patient", "identifier": {"system": NHS_NUMBER_SYSTEM, "value": PATIENT}},
        "authoredOn": "2026-11-01T09:00:00Z",
        "owner": {"type": "Organization", "identifier": {"system": ODS_SYSTEM, "value": TRUST}},
        "reasonCode": {
            "coding": [{"system": "https://fhir.nhs.uk/StructureDefinition/Extension-Questionnaire-Type", "code": "pifu-triage"}],
            "text": "Patient-initiated follow-up"
        },
        "restriction": {"period": {"start": "2026-11-01", "end": "2027-04-30"}}
    })
}

/// The same Task once the patient has used it.
pub fn enrolment_used(id: &str, pathway: &str) -> Value {
    let mut task = enrolment(id, pathway);
    task["status"] = json!("in-progress");
    task["lastModified"] = json!(START);
    task
}

/// A follow-up that a patient asks for on a pathway, as a ServiceRequest.
pub fn booking(id: &str, pathway: &str) -> Value {
    json!({
        "resourceType": "ServiceRequest",
        "id": id,
        "basedOn": [{"type": "CarePlan", "identifier": {"system": PATHWAY_SYSTEM, "value": pathway}}],
        "status": "active",
        "intent": "order",
        "category": [{"coding": [{
            "system": "https://fhir.nhs.uk/StructureDefinition/Extension-Questionnaire-Type", "code": "pifu-triage"
        }]}],
        "subject": {"type": "Patient", "identifier": {"system": NHS_NUMBER_SYSTEM, "value": PATIENT}},
        "authoredOn": START,
        "performer": [{"type": "Organization", "identifier": {"system": ODS_SYSTEM, "value": TRUST}}],
        "note": [{"text": "both hands again"}]
    })
}

/// A referral on a pathway.
pub fn referral(id: &str, pathway: &str, ubrn: &str) -> Value {
    json!({
        "resourceType": "ServiceRequest",
        "id": id,
        "identifier": [{"system": "https://fhir.nhs.uk/Id/UBRN", "value": ubrn}],
        "basedOn": [{"type": "CarePlan", "identifier": {"system": PATHWAY_SYSTEM, "value": pathway}}],
        "status": "active",
        "intent": "order",
        "priority": "urgent",
        "code": {"text": "Suspicious mole, please see"},
        "subject": {"type": "Patient", "identifier": {"system": NHS_NUMBER_SYSTEM, "value": PATIENT}},
        "authoredOn": "2026-10-17T09:00:00Z",
        "performer": [{"type": "Organization", "identifier": {"system": ODS_SYSTEM, "value": TRUST}}]
    })
}

/// What the PAS says to a request, by a Task of its own.
pub fn answer_to(request: &str, id: &str, status: &str, reason: &str) -> Value {
    let mut task = json!({
        "resourceType": "Task",
        "id": id,
        "identifier": [{"system": "urn:stile:request", "value": request}],
        "status": status,
        "intent": "order"
    });
    if !reason.is_empty() {
        task["statusReason"] = json!({"text": reason});
    }
    task
}

/// The same resource for another patient.
pub fn of_patient(resource: &Value, nhs_number: &str) -> Value {
    serde_json::from_str(&resource.to_string().replace(PATIENT, nhs_number)).unwrap()
}
