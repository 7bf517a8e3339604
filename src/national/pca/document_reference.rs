//! DocumentReference, PCA producer standard `components.schemas.DocumentReference`.

use super::{care_plan, code, deep_link, description_without_number, guid, organisation, patient, required, utc};
use crate::document::Node;
use crate::issue::{Issue, Operation, Rule};
use crate::national::Findings;
use crate::national::read::{extension, text};

const CLAUSE: &str = "PCA producer standard 3.12.0, DocumentReference";
const READ_RECEIPT: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-Document-ReadReceipt";

pub(super) fn check(document: Node<'_>, findings: &mut Findings<'_>) {
    let names: [&[&str]; 7] =
        [&["id"], &["status"], &["subject"], &["date"], &["custodian"], &["description"], &["content"]];
    required(document, &names, CLAUSE, findings);
    guid(document, CLAUSE, findings);
    code(document, "status", &["current"], Rule::PcaStatus, CLAUSE, findings);
    // `corrected` and `appended` are R5's; the check against R4 tells them where a sender uses them.
    let statuses = ["final", "amended", "corrected", "appended"];
    code(document, "docStatus", &statuses, Rule::PcaStatus, CLAUSE, findings);
    if let Some(receipt) = extension(document, READ_RECEIPT) {
        match receipt.child_named("valueCode") {
            Some(_) => {
                code(receipt, "valueCode", &["Unread", "Seen", "Read"], Rule::PcaExtension, CLAUSE, findings);
            }
            None => findings.tell(Rule::PcaExtension, receipt, || {
                Issue::new(Rule::PcaExtension, "a read receipt has its value in `valueCode`")
                    .hint("send Unread, Seen or Read as `valueCode`")
                    .asked_by(CLAUSE)
            }),
        }
    }
    patient(document, "subject", CLAUSE, findings);
    organisation(document, "custodian", CLAUSE, findings);
    care_plan(document, CLAUSE, findings);
    description_without_number(document, findings);
    related(document, findings);
    attachments(document, findings);
    utc(document, &[&["date"], &["context", "period", "start"], &["context", "period", "end"]], CLAUSE, findings);
}

/// The appointments that a letter is about.
fn related(document: Node<'_>, findings: &mut Findings<'_>) {
    let Some(context) = document.child_named("context") else { return };
    for related in context.children_named("related") {
        let is_appointment = text(related, &["type"]) == Some("Appointment");
        if !(is_appointment && text(related, &["reference"]).is_some()) {
            findings.tell(Rule::PcaRelated, related, || {
                Issue::new(Rule::PcaRelated, "what a document is about is an Appointment and its address")
                    .hint("send type `Appointment` and `reference`")
                    .asked_by(CLAUSE)
            });
        }
    }
}

fn attachments(document: Node<'_>, findings: &mut Findings<'_>) {
    for content in document.children_named("content") {
        let Some(attachment) = content.child_named("attachment") else { continue };
        let kind = attachment.child_named("contentType");
        if kind.and_then(|kind| kind.string()) != Some("application/pdf") {
            findings.tell(Rule::PcaAttachment, kind.unwrap_or(attachment), || {
                let issue = Issue::new(Rule::PcaAttachment, "a document is a PDF").asked_by(CLAUSE);
                match kind {
                    Some(_) => issue.hint("offer it as application/pdf"),
                    None => issue.hint("say so: contentType `application/pdf`").mend(vec![Operation::Add {
                        path: format!("{}/contentType", attachment.pointer()),
                        value: "application/pdf".into(),
                    }]),
                }
            });
        }
        match attachment.child_named("url") {
            Some(link) => deep_link(link, CLAUSE, findings),
            None => findings.tell_missing(Rule::PcaAttachment, attachment, "url", || {
                Issue::new(Rule::PcaAttachment, "a document has no deep link")
                    .hint("send the address under which the portal opens it; the document itself is not sent")
                    .asked_by(CLAUSE)
            }),
        }
    }
}
