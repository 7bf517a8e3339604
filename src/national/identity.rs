//! NHS numbers and ODS codes, wherever an identifier stands.

use super::read::{NHS_NUMBER, Names, ODS_ORGANISATION, ODS_SITE, extension, text};
use super::{Findings, Rules};
use crate::document::{Document, Node, NodeId};
use crate::issue::{Issue, Operation, Rule, Severity};
use crate::model::{FaultyIdentity, NhsNumber, OdsCode, well_known_system};
use std::borrow::Cow;

/// UK Core's extension on the NHS number of a Patient.
const VERIFICATION: &str = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus";
/// The codes that it took until 2022, words in place of numbers.
const VERIFICATION_RETIRED: &str = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus";
const VERIFICATION_ENGLAND: &str = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland";
const VERIFICATION_WALES: &str = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusWales";
const NULL_FLAVOR: &str = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor";

/// Retired codes and those of NHS NUMBER STATUS INDICATOR CODE (NHS Data Dictionary) that mean the same.
const SUCCESSORS: [(&str, &str); 8] = [
    ("number-present-and-verified", "01"),
    ("number-present-but-not-traced", "02"),
    ("trace-required", "03"),
    ("trace-attempted", "04"),
    ("trace-needs-to-be-resolved", "05"),
    ("trace-in-progress", "06"),
    ("number-not-present-and-trace-not-required", "07"),
    ("trace-postponed", "08"),
];

/// Checks the identifier whose system `node` is, when it is one.
pub(super) fn check(node: Node<'_>, names: &Names, findings: &mut Findings<'_>) {
    let Some((system, value)) = identifier(node, names) else { return };
    match system {
        NHS_NUMBER => {
            nhs_number(value, findings);
            if let Some(identifier) = node.parent() {
                verification(identifier, findings);
            }
        }
        ODS_ORGANISATION | ODS_SITE => ods_code(value, findings),
        _ => {}
    }
}

/// The published spelling of a well-known system and the value beside it. Codings have a `code` and are none of these.
fn identifier<'d>(node: Node<'d>, names: &Names) -> Option<(&'static str, Node<'d>)> {
    if !node.is(names.system) {
        return None;
    }
    let system = well_known_system(node.string()?)?;
    Some((system, node.parent()?.child(names.value)?))
}

/// PCA-P participant Patient; UK Core Patient 2.6.1 slice nhsNumber; NHS Data Dictionary, NHS NUMBER.
fn nhs_number(node: Node<'_>, findings: &mut Findings<'_>) {
    let Some(value) = node.string() else { return };
    match NhsNumber::parse(value) {
        Err(fault) => findings.tell(Rule::NhsNumber, node, || {
            let hint = match fault {
                FaultyIdentity::NhsNumberForm => "send all ten digits",
                FaultyIdentity::NhsNumberCheckDigit => "check the number with the patient's record",
                FaultyIdentity::NhsNumberPlaceholder => "leave the identifier out where the number is not known",
                FaultyIdentity::OdsCodeForm => "send an NHS number under this system",
            };
            Issue::new(Rule::NhsNumber, fault.to_string()).hint(hint).asked_by("NHS Data Dictionary, NHS NUMBER")
        }),
        Ok(number) => {
            if value != number.reveal() {
                findings.tell(Rule::NhsNumberForm, node, || {
                    Issue::new(Rule::NhsNumberForm, "an NHS number has spaces or hyphens between its digits")
                        .hint("send the ten digits alone: others compare them as they stand")
                        .asked_by("NHS Data Dictionary, NHS NUMBER (n10)")
                });
            }
            if number.reveal().starts_with("999") {
                findings.tell(Rule::NhsNumberTestRange, node, || {
                    Issue::new(Rule::NhsNumberTestRange, "this NHS number is of the range that is kept for tests")
                        .hint("no patient has it: send the patient's own, or send to a test system")
                });
            }
        }
    }
}

/// UK Core Extension-UKCore-NHSNumberVerificationStatus 2.1.0, whose binding is required. It may be absent (0..1).
fn verification(identifier: Node<'_>, findings: &mut Findings<'_>) {
    let Some(concept) = extension(identifier, VERIFICATION).and_then(|found| found.child_named("valueCodeableConcept"))
    else {
        return;
    };
    let is_current = |coding: Node<'_>| match (text(coding, &["system"]), text(coding, &["code"])) {
        (Some(VERIFICATION_ENGLAND), Some(code)) => SUCCESSORS.iter().any(|(_, known)| *known == code),
        (Some(VERIFICATION_WALES), Some(code)) => code == "nn" || SUCCESSORS.iter().any(|(_, known)| *known == code),
        (Some(NULL_FLAVOR), Some(code)) => code == "NI",
        _ => false,
    };
    let mut codings = concept.children_named("coding");
    if concept.children_named("coding").any(is_current) {
        return;
    }
    let at = codings.next().unwrap_or(concept);
    let retired = text(at, &["system"]) == Some(VERIFICATION_RETIRED);
    let successor = SUCCESSORS.iter().find(|(code, _)| retired && text(at, &["code"]) == Some(code));
    findings.tell(Rule::NhsNumberVerification, at, || {
        let message = if retired {
            "the verification status comes from a code system that was retired in 2022"
        } else {
            "the verification status has no code of today's lists"
        };
        let issue = Issue::new(Rule::NhsNumberVerification, message)
            .hint(format!("send 01 to 08 of {VERIFICATION_ENGLAND}"))
            .asked_by(VERIFICATION);
        let Some((_, code)) = successor else { return issue };
        let replace = |name: &str, value: &str| Operation::Replace {
            path: format!("{}/{name}", at.pointer()),
            value: value.into(),
        };
        issue.mend(vec![replace("system", VERIFICATION_ENGLAND), replace("code", code)])
    });
}

fn ods_code(node: Node<'_>, findings: &mut Findings<'_>) {
    if let Some(Err(fault)) = node.string().map(OdsCode::parse) {
        findings.tell(Rule::OdsCode, node, || {
            Issue::new(Rule::OdsCode, fault.to_string())
                .hint("send the code as the Organisation Data Service writes it")
                .asked_by("NHS Data Dictionary, ORGANISATION IDENTIFIER")
        });
    }
}

/// The document as a mapping may see it: without the values of NHS numbers that are none.
///
/// For senders whose faulty numbers are flagged and not refused: the resource is kept as it came, but nobody's record
/// may be found under a number that is nobody's. Holds for records (Appointment, Patient) and not for requests.
/// Borrows where there is nothing to hide.
pub fn for_mapping<'d>(document: &'d Document, rules: &Rules) -> Cow<'d, Document> {
    // Where it is refused nothing is mapped. What asks for something to be done is hidden nothing: a request of nobody
    // known could not be held against the patient of what it is about, so its mapping refuses it.
    let is_record = matches!(document.resource_type(), Some("Appointment" | "Patient"));
    if !is_record || rules.severity(Rule::NhsNumber) == Some(Severity::Error) {
        return Cow::Borrowed(document);
    }
    let names = Names::new();
    let faulty: Vec<NodeId> = (0..document.node_count() as u32)
        .map(|number| document.node(NodeId(number)))
        .filter(|node| node.parent().is_some())
        .filter_map(|node| identifier(node, &names))
        .filter(|(system, value)| *system == NHS_NUMBER && value.string().is_some_and(is_faulty))
        .map(|(_, value)| value.id())
        .collect();
    if faulty.is_empty() {
        return Cow::Borrowed(document);
    }
    let mut seen = document.clone();
    for value in faulty {
        seen.remove(value);
    }
    Cow::Owned(seen)
}

fn is_faulty(number: &str) -> bool {
    NhsNumber::parse(number).is_err()
}
