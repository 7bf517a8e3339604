//! The producer standard of the Patient Care Aggregator, rule by rule.

use super::wholes::{document_reference, pca_appointment, pca_task};
use super::{Change, changed, check_rule, found, rules};
use crate::issue::Rule;
use crate::national::Contract;
use serde_json::{Value, json};

pub(super) fn appointments() {
    let whole = pca_appointment();
    let check = |changes: &[Change<'_>], rule, at: &str| check_rule(&whole, changes, rule, at);
    for name in ["id", "status", "description", "start", "specialty", "participant"] {
        let pointer = format!("/{name}");
        check(&[(&pointer, None)], Rule::PcaRequired, &format!("Appointment.{name}"));
    }
    check(&[("/description", Some(json!(" ")))], Rule::PcaRequired, "Appointment.description");
    for index in [2, 3] {
        let pointer = format!("/extension/{index}");
        check(&[(&pointer, None)], Rule::PcaRequired, "Appointment.extension");
    }
    check(&[("/id", Some(json!("a1")))], Rule::PcaId, "Appointment.id");
    check(&[("/status", Some(json!("arrived")))], Rule::PcaStatus, "Appointment.status");
    check(&[("/status", Some(json!("BOOKED")))], Rule::PcaStatus, "Appointment.status");
    let priority = "Appointment.extension[0].valueCoding";
    let change = [("/extension/0/valueCoding/code", Some(json!("SOON")))];
    check(&change, Rule::PcaExtension, &format!("{priority}.code"));
    check(&[("/extension/0/valueCoding/system", None)], Rule::PcaExtension, priority);
    let request = "Appointment.extension[1]";
    let change = [("/extension/1/valueCode", Some(json!("Pending Move")))];
    check(&change, Rule::PcaExtension, &format!("{request}.valueCode"));
    let url = "https://fhir.nhs.uk/StructureDefinition/Extension-Appointment-RequestStatus";
    let as_string = json!({"url": url, "valueString": "Pending Change"});
    check(&[("/extension/1", Some(as_string))], Rule::PcaExtension, request);
    let medium = [("/extension/2/valueCode", Some(json!("VIRTUAL")))];
    check(&medium, Rule::PcaConsultationMedium, "Appointment.extension[2].valueCode");
    for link in ["http://portal.example/a", "/a", "https://", "https:///a", "https://portal.example/a b"] {
        let change = [("/extension/3/valueUrl", Some(json!(link)))];
        check(&change, Rule::PcaDeepLink, "Appointment.extension[3].valueUrl");
    }
    let more = [("/specialty/-", Some(json!({"coding": [{"code": "110"}]})))];
    check(&more, Rule::PcaSpecialty, "Appointment.specialty[1]");
    for (part, value) in [("system", json!("urn:x")), ("code", json!("33")), ("code", json!("abc"))] {
        let pointer = format!("/specialty/0/coding/0/{part}");
        check(&[(&pointer, Some(value))], Rule::PcaSpecialty, "Appointment.specialty[0]");
    }
    check(&[("/specialty/0/coding/0/display", None)], Rule::PcaSpecialty, "Appointment.specialty[0]");
    let class =
        |code: &str| json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code}]});
    let change = [("/appointmentType", Some(class("EMER")))];
    check(&change, Rule::PcaAppointmentType, "Appointment.appointmentType");
    let change = [("/appointmentType", Some(class("IMP"))), ("/end", None)];
    check(&change, Rule::PcaInpatientEnd, "Appointment.end");
    let stay = changed(&whole, &[("/appointmentType", Some(class("IMP")))]);
    assert_eq!(found(&stay, &rules(&[Contract::Pca])), []);
    let change = [("/start", Some(json!("2026-06-13T13:30:00+01:00")))];
    check(&change, Rule::PcaUtc, "Appointment.start");
    let change = [("/basedOn/0/identifier/value", Some(json!("12")))];
    check(&change, Rule::PcaPathway, "Appointment.basedOn[0].identifier");
    check(&[("/basedOn/1/identifier/system", None)], Rule::PcaPathway, "Appointment.basedOn[1].identifier");
    participants(&whole);
}

fn participants(whole: &Value) {
    let check = |changes: &[Change<'_>], at: &str| check_rule(whole, changes, Rule::PcaParticipant, at);
    check(&[("/participant/0/actor/identifier", None)], "Appointment.participant[0]");
    check(&[("/participant/0/status", Some(json!("needs-action")))], "Appointment.participant[0]");
    check(&[("/participant/-", Some(whole["participant"][0].clone()))], "Appointment.participant[3]");
    check(&[("/participant/1", None)], "Appointment.participant");
    let clinician = |system: &str| {
        let actor = json!({"type": "Practitioner", "identifier": {"system": system, "value": "1"}});
        Some(json!({"actor": actor, "status": "accepted"}))
    };
    check(&[("/participant/-", clinician("urn:x"))], "Appointment.participant[3]");
    let known = changed(whole, &[("/participant/-", clinician("https://fhir.nhs.uk/Id/sds-user-id"))]);
    assert_eq!(found(&known, &rules(Contract::ALL)), []);
    let service = || Some(json!({"actor": {"type": "HealthcareService", "display": "x"}, "status": "accepted"}));
    let services: Vec<Change<'_>> = (0..4).map(|_| ("/participant/-", service())).collect();
    check(&services, "Appointment.participant[6]");
    assert_eq!(found(&changed(whole, &services[..3]), &rules(Contract::ALL)), []);
    let mut organisation = whole["participant"][1].clone();
    organisation["actor"]["type"] = json!("Organization");
    check(&[("/participant/-", Some(organisation))], "Appointment.participant[3]");
}

pub(super) fn documents() {
    let whole = document_reference();
    let check = |changes: &[Change<'_>], rule, at: &str| check_rule(&whole, changes, rule, at);
    for name in ["id", "status", "subject", "date", "custodian", "description", "content"] {
        let pointer = format!("/{name}");
        check(&[(&pointer, None)], Rule::PcaRequired, &format!("DocumentReference.{name}"));
    }
    check(&[("/status", Some(json!("superseded")))], Rule::PcaStatus, "DocumentReference.status");
    check(&[("/docStatus", Some(json!("preliminary")))], Rule::PcaStatus, "DocumentReference.docStatus");
    let receipt = "DocumentReference.extension[0].valueCode";
    check(&[("/extension/0/valueCode", Some(json!("read")))], Rule::PcaExtension, receipt);
    check(&[("/extension/0/valueCode", None)], Rule::PcaExtension, "DocumentReference.extension[0]");
    check(&[("/subject/type", None)], Rule::PcaPatient, "DocumentReference.subject");
    check(&[("/custodian/display", None)], Rule::PcaOrganisation, "DocumentReference.custodian");
    check(&[("/basedOn/0/type", None)], Rule::PcaPathway, "DocumentReference.basedOn[0]");
    let change = [("/description", Some(json!("Letter for 999 000 0018")))];
    check(&change, Rule::PcaPersonalData, "DocumentReference.description");
    let related = "DocumentReference.context.related[0]";
    check(&[("/context/related/0/type", Some(json!("Encounter")))], Rule::PcaRelated, related);
    let attachment = "DocumentReference.content[0].attachment";
    let change = [("/content/0/attachment/contentType", Some(json!("text/html")))];
    check(&change, Rule::PcaAttachment, &format!("{attachment}.contentType"));
    check(&[("/content/0/attachment/contentType", None)], Rule::PcaAttachment, attachment);
    check(&[("/content/0/attachment/url", None)], Rule::PcaAttachment, &format!("{attachment}.url"));
    let change = [("/content/0/attachment/url", Some(json!("urn:x")))];
    check(&change, Rule::PcaDeepLink, &format!("{attachment}.url"));
    let change = [("/date", Some(json!("2026-06-13T12:30:00+01:00")))];
    check(&change, Rule::PcaUtc, "DocumentReference.date");
}

pub(super) fn tasks() {
    let whole = pca_task();
    let check = |changes: &[Change<'_>], rule, at: &str| check_rule(&whole, changes, rule, at);
    for name in ["status", "intent", "description", "for", "authoredOn", "reasonReference", "reasonCode", "owner"] {
        let pointer = format!("/{name}");
        check(&[(&pointer, None)], Rule::PcaRequired, &format!("Task.{name}"));
    }
    check(&[("/status", Some(json!("ready")))], Rule::PcaStatus, "Task.status");
    check(&[("/intent", Some(json!("order")))], Rule::PcaStatus, "Task.intent");
    check(&[("/focus/reference", Some(json!("Appointment/1")))], Rule::PcaRelated, "Task.focus");
    let change = [("/reasonReference/reference", Some(json!("Questionnaire/1")))];
    check(&change, Rule::PcaDeepLink, "Task.reasonReference.reference");
    let change = [("/reasonCode/coding/0/system", Some(json!("urn:x")))];
    check(&change, Rule::PcaQuestionnaire, "Task.reasonCode");
    check(&[("/basedOn", None)], Rule::PcaQuestionnaire, "Task.basedOn");
    check(&[("/extension", None)], Rule::PcaQuestionnaire, "Task.extension");
    check(&[("/basedOn/-", Some(whole["basedOn"][0].clone()))], Rule::PcaPathway, "Task.basedOn[1]");
    // Another questionnaire needs neither, and an invitation to book no owner.
    let other = changed(
        &whole,
        &[("/reasonCode/coding/0/code", Some(json!("pre-assessment"))), ("/basedOn", None), ("/extension", None)],
    );
    assert_eq!(found(&other, &rules(Contract::ALL)), []);
    let invitation = changed(&whole, &[("/reasonReference/type", Some(json!("AppointmentBooking"))), ("/owner", None)]);
    assert_eq!(found(&invitation, &rules(Contract::ALL)), []);
    // A request for a change is our own interface.
    let ours = json!({
        "resourceType": "Task", "status": "requested", "intent": "order",
        "code": {"coding": [{"system": "urn:stile:change-request", "code": "cancel"}]},
        "focus": {"reference": "Appointment/1"}
    });
    assert_eq!(found(&ours, &rules(Contract::ALL)), []);
}
