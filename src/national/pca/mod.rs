//! The producer standard of the Patient Care Aggregator (Wayfinder), 3.12.0, as far as one resource can show it.
//!
//! The aggregator drops a portal's whole answer when one resource in it is wrong, so each is judged before it is
//! passed on. What FHIR R4 and the standard say differently is left to R4: tolerances (`profile::tolerance`) turn the
//! standard's form into R4's first, and these rules read both.

mod appointment;
mod document_reference;
mod task;

use super::Findings;
use super::read::{NHS_NUMBER, ODS_ORGANISATION, has, is_named_in, text};
use crate::document::Node;
use crate::issue::{Issue, Operation, Rule, nearest};
use crate::model::NhsNumber;

/// The code systems of specialties, of which the standard writes both.
const SPECIALTY: [&str; 2] =
    ["https://fhir.nhs.uk/CodeSystem/Specialty-1", "https://fhir.nhs.uk/STU3/CodeSystem/Specialty-1"];
const PATHWAY: &str = "https://fhir.nhs.uk/Id/PathwayId";

/// Judges one resource, of a type that the standard defines.
pub(super) fn check(resource: Node<'_>, findings: &mut Findings<'_>) {
    match resource.resource_type() {
        Some("Appointment") => appointment::check(resource, findings),
        Some("DocumentReference") => document_reference::check(resource, findings),
        Some("Task") => task::check(resource, findings),
        _ => {}
    }
}

/// The elements that a resource needs, each under the names that it may have.
fn required(resource: Node<'_>, names: &[&[&str]], clause: &str, findings: &mut Findings<'_>) {
    for alternatives in names {
        let Some(name) = alternatives.first() else { continue };
        if !alternatives.iter().any(|name| has(resource, name)) {
            findings.tell_missing(Rule::PcaRequired, resource, name, || {
                Issue::new(Rule::PcaRequired, format!("the aggregator's producer standard requires `{name}`"))
                    .hint(format!("send `{name}`, or the aggregator drops everything that is sent with this"))
                    .asked_by(clause)
            });
        }
    }
}

/// The id is a GUID: documents and tasks name the appointment by it.
fn guid(resource: Node<'_>, clause: &str, findings: &mut Findings<'_>) {
    let Some(id) = resource.child_named("id") else { return };
    let is_guid = id.string().is_some_and(|text| text.len() == 36 && text.parse::<uuid::Uuid>().is_ok());
    if !is_guid {
        findings.tell(Rule::PcaId, id, || {
            Issue::new(Rule::PcaId, "the id is not a GUID")
                .hint("give the resource a GUID and keep it: documents and tasks refer to it")
                .asked_by(clause)
        });
    }
}

/// The element `name` of `parent`, where it is there, has one of these codes.
fn code(parent: Node<'_>, name: &str, codes: &[&str], rule: Rule, clause: &str, findings: &mut Findings<'_>) {
    let Some(node) = parent.child_named(name) else { return };
    let Some(found) = node.string().filter(|found| !codes.contains(found)) else { return };
    let near = nearest(found, codes.iter().copied());
    findings.tell(rule, node, || {
        let issue = Issue::new(rule, format!("`{name}` is not a code that the aggregator knows")).asked_by(clause);
        // Another case of the same code means the same; a neighbour by spelling need not.
        let same = codes.iter().find(|known| known.eq_ignore_ascii_case(found));
        match (same, near) {
            (Some(same), _) => issue
                .hint(format!("write `{same}`"))
                .mend(vec![Operation::Replace { path: node.pointer(), value: (*same).into() }]),
            (None, Some(near)) => issue.hint(format!("did you mean `{near}`? There are: {}", codes.join(", "))),
            (None, None) => issue.hint(format!("there are: {}", codes.join(", "))),
        }
    });
}

/// The times at these paths are in UTC.
fn utc(resource: Node<'_>, paths: &[&[&str]], clause: &str, findings: &mut Findings<'_>) {
    for path in paths {
        let Some(node) = resource.descend(path) else { continue };
        let Some(time) = node.string().filter(|time| time.len() > 10) else { continue };
        if !(time.ends_with('Z') || time.ends_with("+00:00")) {
            findings.tell(Rule::PcaUtc, node, || {
                Issue::new(Rule::PcaUtc, "the aggregator's producer standard asks for times in UTC")
                    .hint("write the same moment with +00:00")
                    .asked_by(clause)
            });
        }
    }
}

/// A deep link of the portal, opened on a patient's phone.
fn deep_link(node: Node<'_>, clause: &str, findings: &mut Findings<'_>) {
    let is_link = node.string().is_some_and(|link| {
        let host = link.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
        host.is_some_and(|host| !host.is_empty()) && !link.contains(char::is_whitespace)
    });
    if !is_link {
        findings.tell(Rule::PcaDeepLink, node, || {
            Issue::new(Rule::PcaDeepLink, "a deep link is an absolute address with https")
                .hint("send the address under which the portal opens this for the patient")
                .asked_by(clause)
        });
    }
}

/// The patient that `name` points at, by NHS number.
fn patient(resource: Node<'_>, name: &str, clause: &str, findings: &mut Findings<'_>) {
    let Some(reference) = resource.child_named(name) else { return };
    let is_patient = text(reference, &["type"]) == Some("Patient");
    if !(is_patient && is_named_in(reference, &[NHS_NUMBER])) {
        findings.tell(Rule::PcaPatient, reference, || {
            Issue::new(Rule::PcaPatient, "the patient is not named as the aggregator reads it")
                .hint(format!("send type `Patient` and an identifier with system {NHS_NUMBER} and a value"))
                .asked_by(clause)
        });
    }
}

/// The organisation that `name` points at, by ODS code and name.
fn organisation(resource: Node<'_>, name: &str, clause: &str, findings: &mut Findings<'_>) {
    let Some(reference) = resource.child_named(name) else { return };
    let is_organisation = text(reference, &["type"]) == Some("Organization");
    let is_named = is_named_in(reference, &[ODS_ORGANISATION]) && text(reference, &["display"]).is_some();
    if !(is_organisation && is_named) {
        findings.tell(Rule::PcaOrganisation, reference, || {
            let hint = format!("send type `Organization`, an identifier with system {ODS_ORGANISATION}, and display");
            Issue::new(Rule::PcaOrganisation, "the organisation is not named as the aggregator reads it")
                .hint(hint)
                .asked_by(clause)
        });
    }
}

/// The pathway that a document or task belongs to: at most one, a CarePlan by its pathway identifier.
fn care_plan(resource: Node<'_>, clause: &str, findings: &mut Findings<'_>) {
    for (position, reference) in resource.children_named("basedOn").enumerate() {
        let is_care_plan = text(reference, &["type"]) == Some("CarePlan") && is_named_in(reference, &[PATHWAY]);
        if position > 0 || !is_care_plan {
            findings.tell(Rule::PcaPathway, reference, || {
                Issue::new(Rule::PcaPathway, "`basedOn` names one pathway, a CarePlan by its identifier")
                    .hint(format!("send type `CarePlan` and an identifier with system {PATHWAY} and a value"))
                    .asked_by(clause)
            });
        }
    }
}

/// Documents and tasks show their name in lists, on locked screens and in message previews: WF-NFR-17.
fn description_without_number(resource: Node<'_>, findings: &mut Findings<'_>) {
    let Some(description) = resource.child_named("description") else { return };
    if description.string().is_some_and(holds_nhs_number) {
        findings.tell(Rule::PcaPersonalData, description, || {
            Issue::new(Rule::PcaPersonalData, "the description holds an NHS number")
                .hint("name the specialty and the kind of document or questionnaire only")
                .asked_by("PCA producer standard, WF-NFR-17")
        });
    }
}

/// True when ten digits, spaces or hyphens between them, stand alone in `text` and are an NHS number.
fn holds_nhs_number(text: &str) -> bool {
    let mut run = String::new();
    let mut is_found = false;
    for character in text.chars().chain([';']) {
        match character {
            '0'..='9' => run.push(character),
            // Inside a number they part its groups; two in a row end it.
            ' ' | '-' | '\u{a0}' if run.ends_with(|last: char| last.is_ascii_digit()) => run.push(' '),
            _ => {
                is_found = is_found || is_number_in(&run);
                run.clear();
            }
        }
    }
    is_found
}

/// True when ten digits together, or three groups of three, three and four as people write them, are an NHS number.
/// Other groups are dates and telephone numbers, of which every eleventh would pass for one.
fn is_number_in(run: &str) -> bool {
    let groups: Vec<&str> = run.split(' ').collect();
    let is_number = |digits: &str| digits.len() == 10 && NhsNumber::parse(digits).is_ok();
    let in_three = |three: &[&str]| match three {
        [one, two, last] => (one.len(), two.len()) == (3, 3) && is_number(&[*one, *two, *last].concat()),
        _ => false,
    };
    groups.iter().any(|group| is_number(group)) || groups.windows(3).any(in_three)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_words_and_other_digits_are_not_taken_for_one() {
        for (text, expected) in [
            ("Dermatology letter", false),
            ("Letter for 9990000018", true),
            ("Letter 999 000 0018.", true),
            ("999-000-0018", true),
            ("Ref 12 999 000 0018", true),
            ("Letter of 2026-06-13", false),
            ("Telephone 01632960417", false),
            ("99900000180", false),
            ("99 90 00 00 18", false),
            ("999 000 001 8", false),
            ("9990000019", false),
            ("", false),
        ] {
            assert_eq!(holds_nhs_number(text), expected, "{text}");
        }
        assert!(!holds_nhs_number(&"1 2 ".repeat(500_000)), "and in time");
    }
}
