//! Appointment, PCA producer standard `components.schemas.Appointment`.

use super::{PATHWAY, SPECIALTY, code, deep_link, guid, required, utc};
use crate::document::Node;
use crate::issue::{Issue, Rule};
use crate::national::Findings;
use crate::national::read::{NHS_NUMBER, ODS_ORGANISATION, extension, is_named_in, target_type, text};

const CLAUSE: &str = "PCA producer standard 3.12.0, Appointment";

const PRIORITY: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-ServiceRequest-Priority";
const PRIORITY_SYSTEM: &str = "https://fhir.nhs.uk/CodeSystem/eRS-Priority";
const REQUEST_STATUS: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-Appointment-RequestStatus";
const MEDIUM: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-Consultation-Medium";
const PORTAL_LINK: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-Portal-Link";
const ENCOUNTER_CLASS: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const UBRN: &str = "https://fhir.nhs.uk/Id/UBRN";
const SDS_USER: &str = "https://fhir.nhs.uk/Id/sds-user-id";
/// One of the portal, one of the PAS, one of e-RS.
const HEALTHCARE_SERVICES_MAX: usize = 3;

pub(super) fn check(appointment: Node<'_>, findings: &mut Findings<'_>) {
    required(
        appointment,
        &[&["id"], &["status"], &["description"], &["start"], &["participant"], &["specialty"]],
        CLAUSE,
        findings,
    );
    guid(appointment, CLAUSE, findings);
    // `status` is as the PAS has it; what the patient asked for stands in the request status beside it.
    let statuses = ["booked", "fulfilled", "cancelled", "noshow"];
    code(appointment, "status", &statuses, Rule::PcaStatus, CLAUSE, findings);
    extensions(appointment, findings);
    specialty(appointment, findings);
    encounter_class(appointment, findings);
    based_on(appointment, findings);
    participants(appointment, findings);
    utc(appointment, &[&["start"], &["end"]], CLAUSE, findings);
}

fn extensions(appointment: Node<'_>, findings: &mut Findings<'_>) {
    for (url, name) in [(MEDIUM, "Consultation-Medium"), (PORTAL_LINK, "Portal-Link")] {
        if extension(appointment, url).is_none() {
            findings.tell_missing(Rule::PcaRequired, appointment, "extension", || {
                Issue::new(Rule::PcaRequired, format!("the aggregator's producer standard requires {name}"))
                    .hint(format!("add the extension {url}"))
                    .asked_by(CLAUSE)
            });
        }
    }
    if let Some(medium) = valued(appointment, MEDIUM, "valueCode", findings) {
        // VIRTUAL is deprecated, and the aggregator strips it as it strips what it does not know.
        let media = ["FACE_TO_FACE", "VIDEO_CONSULTATION", "TELEPHONE"];
        code(medium, "valueCode", &media, Rule::PcaConsultationMedium, CLAUSE, findings);
    }
    if let Some(link) =
        valued(appointment, PORTAL_LINK, "valueUrl", findings).and_then(|one| one.child_named("valueUrl"))
    {
        deep_link(link, CLAUSE, findings);
    }
    if let Some(status) = valued(appointment, REQUEST_STATUS, "valueCode", findings) {
        let statuses = ["Pending Change", "Pending Reschedule", "Pending Cancellation", "Confirmed Attendance"];
        code(status, "valueCode", &statuses, Rule::PcaExtension, CLAUSE, findings);
    }
    let priority = valued(appointment, PRIORITY, "valueCoding", findings);
    if let Some(coding) = priority.and_then(|one| one.child_named("valueCoding")) {
        if text(coding, &["system"]) != Some(PRIORITY_SYSTEM) {
            findings.tell(Rule::PcaExtension, coding, || {
                Issue::new(Rule::PcaExtension, "the priority's coding is of another system")
                    .hint(format!("its system is {PRIORITY_SYSTEM}"))
                    .asked_by(CLAUSE)
            });
        }
        code(coding, "code", &["URGENT", "ROUTINE", "TWO_WEEK_WAIT"], Rule::PcaExtension, CLAUSE, findings);
    }
}

/// The extension of this url, when it has its value under this name; told when under another.
fn valued<'d>(parent: Node<'d>, url: &str, value: &str, findings: &mut Findings<'_>) -> Option<Node<'d>> {
    let found = extension(parent, url)?;
    if found.child_named(value).is_none() {
        findings.tell(Rule::PcaExtension, found, || {
            Issue::new(Rule::PcaExtension, format!("this extension has its value in `{value}`"))
                .hint(format!("send the value as `{value}`"))
                .asked_by(CLAUSE)
        });
        return None;
    }
    Some(found)
}

/// The codes are treatment functions (NHS Data Dictionary), although UK Core binds `specialty` to main specialties.
fn specialty(appointment: Node<'_>, findings: &mut Findings<'_>) {
    let mut specialties = appointment.children_named("specialty");
    let Some(first) = specialties.next() else { return };
    if let Some(second) = specialties.next() {
        findings.tell(Rule::PcaSpecialty, second, || {
            Issue::new(Rule::PcaSpecialty, "there is more than one specialty")
                .hint("send the one of the clinic that the patient comes to")
                .asked_by(CLAUSE)
        });
    }
    let is_whole = |coding: Node<'_>| {
        let is_code = |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
        text(coding, &["system"]).is_some_and(|system| SPECIALTY.contains(&system))
            && text(coding, &["code"]).is_some_and(is_code)
            && text(coding, &["display"]).is_some()
    };
    if !first.children_named("coding").any(is_whole) {
        findings.tell(Rule::PcaSpecialty, first, || {
            let hint = format!(
                "send a coding with system {}, the three digits of the treatment function, and display",
                SPECIALTY[0]
            );
            Issue::new(Rule::PcaSpecialty, "the specialty is not a treatment function code with its display")
                .hint(hint)
                .asked_by(CLAUSE)
        });
    }
}

/// An encounter class for planned admissions; none means outpatients. An inpatient needs an end; one on the day of the
/// start is a day case.
fn encounter_class(appointment: Node<'_>, findings: &mut Findings<'_>) {
    let Some(kind) = appointment.child_named("appointmentType") else { return };
    let class_of = |coding: Node<'_>| {
        let is_class = text(coding, &["system"]) == Some(ENCOUNTER_CLASS);
        let code = text(coding, &["code"])?;
        ["IMP", "AMB", "HH"].into_iter().find(|known| is_class && *known == code)
    };
    let class = kind.children_named("coding").find_map(class_of);
    if class.is_none() {
        findings.tell(Rule::PcaAppointmentType, kind, || {
            let hint = format!("send IMP, AMB or HH of {ENCOUNTER_CLASS}; leave it out for an outpatient appointment");
            Issue::new(Rule::PcaAppointmentType, "the appointment type is not a class that the aggregator knows")
                .hint(hint)
                .asked_by(CLAUSE)
        });
    }
    // An end that says why it is absent is none to the aggregator.
    if class == Some("IMP") && text(appointment, &["end"]).is_none() {
        findings.tell_missing(Rule::PcaInpatientEnd, appointment, "end", || {
            Issue::new(Rule::PcaInpatientEnd, "an inpatient appointment has no end")
                .hint("derive it from the date to come in and the expected length of stay")
                .asked_by(CLAUSE)
        });
    }
}

/// UBRN, PAS referral id or pathway. The standard puts them into one reference's array, R4 has one in each reference;
/// both are read.
fn based_on(appointment: Node<'_>, findings: &mut Findings<'_>) {
    for reference in appointment.children_named("basedOn") {
        for identifier in reference.children_named("identifier") {
            let (system, value) = (text(identifier, &["system"]), text(identifier, &["value"]));
            let message = match (system, value) {
                (Some(UBRN), Some(value)) if value.len() != 12 || !value.bytes().all(|byte| byte.is_ascii_digit()) => {
                    "a UBRN has twelve digits"
                }
                (Some(_), Some(_)) => continue,
                _ => "what an appointment is based on is named by an identifier with its system and value",
            };
            findings.tell(Rule::PcaPathway, identifier, || {
                Issue::new(Rule::PcaPathway, message)
                    .hint(format!("send {UBRN}, {PATHWAY} or the PAS's own system, each with its value"))
                    .asked_by(CLAUSE)
            });
        }
    }
}

fn participants(appointment: Node<'_>, findings: &mut Findings<'_>) {
    let (mut has_organisation, mut service_count, mut patient_count) = (false, 0, 0);
    for participant in appointment.children_named("participant") {
        let Some(actor) = participant.child_named("actor") else { continue };
        has_organisation |= is_named_in(actor, &[ODS_ORGANISATION]) && target_type(actor) == Some("Location");
        let fault = match target_type(actor) {
            Some("Patient") => {
                patient_count += 1;
                patient_fault(participant, actor, patient_count)
            }
            Some("Practitioner") if actor.child_named("identifier").is_some() && !is_named_in(actor, &[SDS_USER]) => {
                Some((format!("a clinician is named by {SDS_USER}"), "send that identifier, or display alone"))
            }
            Some("HealthcareService") => {
                service_count += 1;
                let message = format!("there are more than {HEALTHCARE_SERVICES_MAX} healthcare services");
                let hint = "send the portal's, the PAS's and the one of e-RS at most";
                (service_count == HEALTHCARE_SERVICES_MAX + 1).then_some((message, hint))
            }
            Some("Organization") if is_named_in(actor, &[ODS_ORGANISATION]) => Some((
                "the aggregator reads the organisation from a participant of type Location".to_owned(),
                "send type `Location` with this identifier",
            )),
            _ => None,
        };
        if let Some((message, hint)) = fault {
            findings.tell(Rule::PcaParticipant, participant, || {
                Issue::new(Rule::PcaParticipant, message).hint(hint).asked_by(CLAUSE)
            });
        }
    }
    if !has_organisation && appointment.child_named("participant").is_some() {
        findings.tell_missing(Rule::PcaParticipant, appointment, "participant", || {
            Issue::new(Rule::PcaParticipant, "no participant says which organisation gives the appointment")
                .hint(format!("add one with type `Location` and an identifier with system {ODS_ORGANISATION}"))
                .asked_by(CLAUSE)
        });
    }
}

/// A hidden appointment has no patient; one that is there is named by NHS number and has accepted.
fn patient_fault(participant: Node<'_>, actor: Node<'_>, count: usize) -> Option<(String, &'static str)> {
    if count > 1 {
        return Some(("there is more than one patient".to_owned(), "send one appointment for each"));
    }
    if !is_named_in(actor, &[NHS_NUMBER]) {
        return Some((format!("the patient is named by {NHS_NUMBER}"), "send that identifier with its value"));
    }
    (text(participant, &["status"]) != Some("accepted"))
        .then(|| ("the patient's status is `accepted`".to_owned(), "leave the patient out of a hidden appointment"))
}
