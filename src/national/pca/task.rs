//! Task (questionnaires, PIFU among them, and booking invitations), PCA producer standard `components.schemas.Task`.

use super::{
    PATHWAY, SPECIALTY, care_plan, code, deep_link, description_without_number, guid, organisation, patient, required,
    utc,
};
use crate::document::Node;
use crate::issue::{Issue, Rule};
use crate::national::Findings;
use crate::national::read::{extension, is_named_in, text};

const CLAUSE: &str = "PCA producer standard 3.12.0, Task";
/// Producers write the first, consumers read the second.
const QUESTIONNAIRE_TYPE: [&str; 2] = [
    "https://fhir.nhs.uk/StructureDefinition/Extension-Questionnaire-Type",
    "https://fhir.nhs.uk/CodeSystem/Questionnaire-Type",
];
const TREATMENT_FUNCTION: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-Task-TreatmentFunction";

pub(super) fn check(task: Node<'_>, findings: &mut Findings<'_>) {
    if is_ours(task) {
        return;
    }
    // The schema says `authored`, its own example and R4 `authoredOn`.
    let names: [&[&str]; 8] = [
        &["id"],
        &["status"],
        &["intent"],
        &["description"],
        &["for"],
        &["authoredOn", "authored"],
        &["reasonReference"],
        &["reasonCode"],
    ];
    required(task, &names, CLAUSE, findings);
    // An invitation to book may leave the choice of hospital to the patient (3.12.0, note on Task).
    if text(task, &["reasonReference", "type"]) != Some("AppointmentBooking") {
        required(task, &[&["owner"]], CLAUSE, findings);
    }
    guid(task, CLAUSE, findings);
    // `rejected` came in July 2026 with invitations to book.
    let statuses = ["requested", "rejected", "cancelled", "in-progress", "completed"];
    code(task, "status", &statuses, Rule::PcaStatus, CLAUSE, findings);
    code(task, "intent", &["plan"], Rule::PcaStatus, CLAUSE, findings);
    patient(task, "for", CLAUSE, findings);
    organisation(task, "owner", CLAUSE, findings);
    care_plan(task, CLAUSE, findings);
    description_without_number(task, findings);
    if let Some(link) = task.descend(&["reasonReference", "reference"]) {
        deep_link(link, CLAUSE, findings);
    }
    focus(task, findings);
    questionnaire(task, findings);
    let times: [&[&str]; 4] = [&["authoredOn"], &["authored"], &["lastModified"], &["restriction", "period", "end"]];
    utc(task, &times, CLAUSE, findings);
}

/// A request to change an appointment, or an answer to one, is Stile's own interface and not the aggregator's.
fn is_ours(task: Node<'_>) -> bool {
    let is_own = |node: Node<'_>| text(node, &["system"]).is_some_and(|system| system.starts_with("urn:stile:"));
    let codes = task.children_named("code").flat_map(|code| code.children_named("coding"));
    codes.chain(task.children_named("identifier")).any(is_own)
}

/// The appointment that the questionnaire is for, by its absolute address.
fn focus(task: Node<'_>, findings: &mut Findings<'_>) {
    let Some(focus) = task.child_named("focus") else { return };
    let is_address = text(focus, &["reference"]).is_some_and(|address| address.starts_with("https://"));
    if !(is_address && text(focus, &["type"]) == Some("Appointment")) {
        findings.tell(Rule::PcaRelated, focus, || {
            Issue::new(Rule::PcaRelated, "`focus` is an Appointment and its absolute address")
                .hint("send type `Appointment` and `reference` beginning with https://")
                .asked_by(CLAUSE)
        });
    }
}

fn questionnaire(task: Node<'_>, findings: &mut Findings<'_>) {
    let Some(reason) = task.child_named("reasonCode") else { return };
    let of_type = |coding: &Node<'_>| {
        text(*coding, &["system"]).is_some_and(|system| QUESTIONNAIRE_TYPE.contains(&system))
            && text(*coding, &["code"]).is_some()
    };
    let Some(kind) = reason.children_named("coding").find(of_type) else {
        findings.tell(Rule::PcaQuestionnaire, reason, || {
            Issue::new(Rule::PcaQuestionnaire, "the reason does not say the questionnaire's type")
                .hint(format!("send a coding with system {}", QUESTIONNAIRE_TYPE[0]))
                .asked_by(CLAUSE)
        });
        return;
    };
    if text(kind, &["code"]) != Some("pifu-triage") {
        return;
    }
    if !task.children_named("basedOn").any(|reference| is_named_in(reference, &[PATHWAY])) {
        findings.tell_missing(Rule::PcaQuestionnaire, task, "basedOn", || {
            Issue::new(Rule::PcaQuestionnaire, "a PIFU questionnaire names its pathway, by which duplicates are found")
                .hint(format!("send type `CarePlan` and an identifier with system {PATHWAY}"))
                .asked_by(CLAUSE)
        });
    }
    let function = extension(task, TREATMENT_FUNCTION).and_then(|found| found.child_named("valueCoding"));
    let is_function = |coding: Node<'_>| {
        text(coding, &["system"]).is_some_and(|system| SPECIALTY.contains(&system))
            && text(coding, &["code"]).is_some_and(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()))
    };
    if !function.is_some_and(is_function) {
        findings.tell_missing(Rule::PcaQuestionnaire, task, "extension", || {
            let hint = format!("add {TREATMENT_FUNCTION} with a valueCoding of system {}", SPECIALTY[0]);
            Issue::new(Rule::PcaQuestionnaire, "a PIFU questionnaire says its treatment function")
                .hint(hint)
                .asked_by(CLAUSE)
        });
    }
}
