//! Telling FHIR STU3 from R4: a sender written for the other release should hear that, not fifty consequences of it.

use crate::document::{Document, Node};
use crate::issue::{Issue, Rule};

/// Resource types of STU3 that R4 renamed or dropped (R4, "R3 diff" and the list of removed resources).
const STU3_ONLY_TYPES: &[&str] = &[
    "BodySite",
    "DataElement",
    "DeviceComponent",
    "EligibilityRequest",
    "EligibilityResponse",
    "ExpansionProfile",
    "ImagingManifest",
    "ProcedureRequest",
    "ProcessRequest",
    "ProcessResponse",
    "ReferralRequest",
    "Sequence",
    "ServiceDefinition",
];

/// Elements of STU3 that the R4 resource of the same name does not have, and what R4 calls them.
const STU3_ONLY_ELEMENTS: &[(&str, &str, &str)] = &[
    ("Appointment", "incomingReferral", "basedOn"),
    ("Appointment", "indication", "reasonReference"),
    ("Appointment", "reason", "reasonCode"),
    ("Patient", "animal", "the extension `patient-animal`"),
    ("Task", "context", "encounter"),
    ("Task", "reason", "reasonCode"),
];

/// True for a resource type that STU3 has and R4 has not.
pub(super) fn is_type_of_stu3(name: &str) -> bool {
    STU3_ONLY_TYPES.contains(&name)
}

/// What NHS England's and HL7 UK's profiles of that release have in their urls.
const STU3_IN_PROFILE: &str = "/STU3/";

/// How the extensions of the e-RS interface begin, which speaks STU3.
const ERS_EXTENSION: &str = "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-eRS-";

/// The issue that a resource, or a resource in a Bundle, is FHIR STU3, at what shows it.
///
/// A resource type, an element or a profile of that release shows it. Systems of codings and identifiers do not:
/// valid R4 in the NHS still names code systems such as `https://fhir.nhs.uk/STU3/CodeSystem/Specialty-1`.
pub fn is_stu3(document: &Document) -> Option<Issue> {
    let root = document.root();
    let in_bundle = root
        .children_named("entry")
        .filter_map(|entry| entry.child_named("resource"))
        .filter(|_| root.resource_type() == Some("Bundle"));
    std::iter::once(root).chain(in_bundle).find_map(resource_is_stu3)
}

fn resource_is_stu3(resource: Node<'_>) -> Option<Issue> {
    let kind = resource.resource_type()?;
    if STU3_ONLY_TYPES.contains(&kind) {
        return Some(issue(resource, &format!("R4 has no resource type `{kind}`")));
    }
    for (owner, element, now) in STU3_ONLY_ELEMENTS {
        if *owner == kind
            && let Some(found) = resource.child_named(element)
        {
            return Some(issue(found, &format!("R4 has no `{owner}.{element}`; what it held is in {}", named(now))));
        }
    }
    let profile = resource
        .children_named("meta")
        .flat_map(|meta| meta.children_named("profile"))
        .find(|profile| profile.string().is_some_and(|url| url.contains(STU3_IN_PROFILE)));
    if let Some(profile) = profile {
        return Some(issue(profile, "the profile that it claims is one for STU3"));
    }
    let extension = resource.children_named("extension").find(|extension| {
        extension.child_named("url").and_then(|url| url.string()).is_some_and(|url| url.starts_with(ERS_EXTENSION))
    });
    extension.map(|extension| issue(extension, "it has an extension of the e-RS interface, which is STU3"))
}

fn named(element: &str) -> String {
    if element.contains('`') { element.to_owned() } else { format!("`{element}`") }
}

fn issue(node: Node<'_>, why: &str) -> Issue {
    Issue::new(Rule::ResourceRelease, "this looks like FHIR STU3 (3.0); Stile takes FHIR R4 (4.0.1)")
        .at(node.place())
        .hint(format!("{why}; send the R4 form of the resource"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::{Format, Limits, parse};

    fn check(body: &str, expected: Option<&str>) {
        let parsed = parse(body.as_bytes(), Format::Json, &Limits::default());
        assert!(parsed.issues.is_empty(), "{:?}", parsed.issues);
        let found = is_stu3(&parsed.document.unwrap());
        let place = found.and_then(|issue| issue.place).map(|place| place.expression);
        assert_eq!(place.as_deref(), expected, "{body}");
    }

    #[test]
    fn what_only_stu3_has_shows_the_release() {
        check(r#"{"resourceType":"ReferralRequest","status":"active"}"#, Some("ReferralRequest"));
        check(
            r#"{"resourceType":"Appointment","incomingReferral":[{"reference":"ReferralRequest/1"}]}"#,
            Some("Appointment.incomingReferral[0]"),
        );
        check(r#"{"resourceType":"Appointment","reason":[{"text":"x"}]}"#, Some("Appointment.reason[0]"));
        check(
            r#"{"resourceType":"Patient","meta":{"profile":["https://fhir.hl7.org.uk/STU3/StructureDefinition/X-1"]}}"#,
            Some("Patient.meta.profile[0]"),
        );
        check(
            r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"ProcedureRequest","id":"1"}}]}"#,
            Some("Bundle.entry[0].resource"),
        );
        check(
            r#"{"resourceType":"Appointment","extension":[{"url":"https://fhir.nhs.uk/STU3/StructureDefinition/Extension-eRS-X-1"}]}"#,
            Some("Appointment.extension[0]"),
        );
    }

    #[test]
    fn an_r4_resource_may_name_code_systems_of_stu3() {
        check(
            r#"{"resourceType":"Appointment","specialty":[{"coding":[{"system":"https://fhir.nhs.uk/STU3/CodeSystem/Specialty-1","code":"110"}]}]}"#,
            None,
        );
        check(r#"{"resourceType":"ServiceRequest","status":"active"}"#, None);
        check(r#"{"resourceType":"Task","reasonCode":{"text":"x"}}"#, None);
        check(r#"{"reason":"x"}"#.replace('{', r#"{"resourceType":"Basic","#).as_str(), None);
    }
}
