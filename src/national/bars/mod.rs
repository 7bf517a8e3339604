//! The messages of the Booking and Referral Standard, Core 1.5.0.
//!
//! The standard leaves it to the receiver to enforce a message's definition in its own logic, so it is done here: the
//! header that routes, the resources that a message of its kind holds, and what cancels what. Which headers of HTTP
//! must agree with it is for the one who takes messages over HTTP.

mod contents;
mod header;

use super::Findings;
use super::read::{by_address, has, text};
use crate::document::Node;
use crate::issue::{Issue, Operation, Rule, nearest};
use contents::Definition;

const CORE: &str = "BaRS Core 1.5.0, Standard pattern for composite messages";
const CANCEL: &str = "BaRS Core 1.5.0, Cancel booking";
const SERVICE_REQUEST: &str = "https://fhir.nhs.uk/StructureDefinition/BARSServiceRequest-request-referral";
const USE_CASES: &str = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars";

/// The use cases of `usecases-categories-bars` 1.5.0: for each application the number of its use cases.
const APPLICATIONS: [(&str, u32); 8] =
    [("a1", 12), ("a2", 6), ("a3", 1), ("a4", 4), ("a5", 3), ("a6", 3), ("a7", 1), ("a8", 3)];

/// What holds for one resource, in a message or alone.
pub(super) fn check_resource(resource: Node<'_>, findings: &mut Findings<'_>) {
    if resource.resource_type() == Some("ServiceRequest") {
        service_request(resource, findings);
    }
}

/// What holds for a message as a whole.
pub(super) fn check_message(bundle: Node<'_>, findings: &mut Findings<'_>) {
    if text(bundle, &["meta", "versionId"]).is_none() {
        findings.tell_missing(Rule::BarsVersion, bundle, "meta.versionId", || {
            Issue::new(Rule::BarsVersion, "the message does not say which version of the standard it follows")
                .hint("send it as Bundle.meta.versionId, for example 1.0.0")
                .asked_by(CORE)
        });
    }
    if !has(bundle, "timestamp") {
        findings.tell_missing(Rule::BarsTimestamp, bundle, "timestamp", || {
            Issue::new(Rule::BarsTimestamp, "the message does not say when it was made")
                .hint("send Bundle.timestamp")
                .asked_by("https://fhir.nhs.uk/StructureDefinition/BARSBundleMessage")
        });
    }
    entries(bundle, findings);
    let entries = by_address(bundle);
    let header = header::check(bundle, &entries, findings);
    if let Some(definition) = header.and_then(|header| header::definition(header, findings)) {
        contents::check(bundle, definition, findings);
        cancellation(bundle, header, definition, findings);
    }
    slot_times(bundle, &entries, findings);
}

/// Entries have an address, under which the others refer to them, and a resource that says when it changed last: by
/// that a receiver tells old from new (BaRS, Transactional integrity).
fn entries(bundle: Node<'_>, findings: &mut Findings<'_>) {
    for entry in bundle.children_named("entry") {
        for name in ["fullUrl", "resource"] {
            if entry.child_named(name).is_none() {
                findings.tell_missing(Rule::BarsEntry, entry, name, || {
                    Issue::new(Rule::BarsEntry, format!("an entry of a message has no `{name}`"))
                        .hint("give each entry `fullUrl` (urn:uuid: and a UUID) and `resource`")
                        .asked_by(CORE)
                });
            }
        }
        let Some(resource) = entry.child_named("resource") else { continue };
        if text(resource, &["meta", "lastUpdated"]).is_none() {
            findings.tell_missing(Rule::BarsLastUpdated, resource, "meta.lastUpdated", || {
                Issue::new(Rule::BarsLastUpdated, "a resource of a message does not say when it changed last")
                    .hint("send meta.lastUpdated with each resource")
                    .asked_by(CORE)
            });
        }
    }
}

/// A cancellation is an update of what was sent before. BOOKREQ02 of the published examples says `new` and SERVREQ02
/// `delete`; the guide's text says `update`, and it is followed.
fn cancellation(bundle: Node<'_>, header: Option<Node<'_>>, definition: &Definition, findings: &mut Findings<'_>) {
    let Some(reason) = header.and_then(|header| header.descend(&["reason", "coding", "code"])) else { return };
    let subject = bundle
        .children_named("entry")
        .filter_map(|entry| entry.child_named("resource"))
        .find(|resource| resource.resource_type() == Some(definition.subject));
    let Some(status) = subject.and_then(|subject| subject.child_named("status")) else { return };
    let is_over = matches!(status.string(), Some("cancelled" | "revoked" | "entered-in-error"));
    // A response to what was revoked may be new.
    if is_over && definition.is_request() && reason.string() != Some("update") {
        findings.tell(Rule::BarsCancellation, reason, || {
            Issue::new(Rule::BarsCancellation, "what is cancelled was sent before, so its message is an update")
                .hint("write `update`")
                .asked_by(CANCEL)
                .mend(vec![Operation::Replace { path: reason.pointer(), value: "update".into() }])
        });
    }
    if definition.is_cancellation && !is_over {
        findings.tell(Rule::BarsCancellation, status, || {
            let hint = format!("its status is {}", definition.ends_as.join(" or "));
            Issue::new(Rule::BarsCancellation, "the message's definition cancels, and the status does not")
                .hint(hint)
                .asked_by(CANCEL)
        });
    }
}

/// BARSServiceRequest-request-referral 1.0.5 and -request-validation 1.0.3.
fn service_request(request: Node<'_>, findings: &mut Findings<'_>) {
    if let Some(intent) = request.child_named("intent").filter(|intent| intent.string() != Some("plan")) {
        findings.tell(Rule::BarsServiceRequest, intent, || {
            Issue::new(Rule::BarsServiceRequest, "a referral's intent is fixed to `plan`")
                .hint("write `plan`")
                .asked_by(SERVICE_REQUEST)
                .mend(vec![Operation::Replace { path: intent.pointer(), value: "plan".into() }])
        });
    }
    for name in ["category", "occurrencePeriod"] {
        if !has(request, name) {
            findings.tell_missing(Rule::BarsServiceRequest, request, name, || {
                Issue::new(Rule::BarsServiceRequest, format!("a referral has no `{name}`"))
                    .hint(format!("send `{name}`: the receiver routes and plans by it"))
                    .asked_by(SERVICE_REQUEST)
            });
        }
    }
    let codings = request.children_named("category").flat_map(|category| category.children_named("coding"));
    for coding in codings.filter(|coding| text(*coding, &["system"]) == Some(USE_CASES)) {
        let Some(code) = coding.child_named("code") else { continue };
        let Some(word) = code.string().filter(|word| !is_use_case(word)) else { continue };
        let known: Vec<String> = use_cases().collect();
        findings.tell(Rule::BarsUseCase, code, || {
            let near = nearest(word, known.iter().map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Issue::new(Rule::BarsUseCase, "this is no use case of the standard")
                .hint(format!("send one of {USE_CASES}{near}"))
                .asked_by("BaRS usecases-categories-bars 1.5.0")
        });
    }
}

fn use_cases() -> impl Iterator<Item = String> {
    APPLICATIONS.iter().flat_map(|(name, count)| (1..=*count).map(move |number| format!("{name}t{number}")))
}

fn is_use_case(code: &str) -> bool {
    let listed = code.split_once('t').and_then(|(application, number)| {
        let (_, count) = APPLICATIONS.iter().find(|(name, _)| *name == application)?;
        let is_plain = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
        number.parse::<u32>().ok().filter(|number| is_plain && (1..=*count).contains(number))
    });
    // Deprecated, and still in the list.
    listed.is_some() || code == "referraltopharmacy"
}

/// A booked appointment has its slot's times (BOOKREQ01 of the published examples has others, a fault of its own).
fn slot_times(bundle: Node<'_>, entries: &std::collections::HashMap<&str, Node<'_>>, findings: &mut Findings<'_>) {
    let resources = bundle.children_named("entry").filter_map(|entry| entry.child_named("resource"));
    for appointment in resources.filter(|resource| resource.resource_type() == Some("Appointment")) {
        let mut slots = appointment.children_named("slot");
        // Several slots are one appointment after another's.
        let (Some(only), None) = (slots.next(), slots.next()) else { continue };
        let Some(slot) = text(only, &["reference"]).and_then(|address| entries.get(address)) else { continue };
        let at = |node: Node<'_>, name: &str| text(node, &[name])?.parse::<jiff::Timestamp>().ok();
        for name in ["start", "end"] {
            let (Some(own), Some(free)) = (at(appointment, name), at(*slot, name)) else { continue };
            let Some(node) = appointment.child_named(name).filter(|_| own != free) else { continue };
            findings.tell(Rule::BarsSlotTimes, node, || {
                Issue::new(Rule::BarsSlotTimes, format!("the appointment's `{name}` is not that of the slot it books"))
                    .hint("book the slot whose times these are, or send the slot's times")
                    .asked_by("BaRS Core 1.5.0, Initial booking")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_use_cases_are_the_thirty_four_of_the_list() {
        assert_eq!(use_cases().count() + 1, 34);
        assert!(use_cases().all(|code| is_use_case(&code)));
        for (code, expected) in [
            ("a1t1", true),
            ("a1t12", true),
            ("a1t13", false),
            ("a1t0", false),
            ("a1t01", false),
            ("a9t1", false),
            ("A1T1", false),
            ("a8t3", true),
            ("a8t4", false),
            ("referraltopharmacy", true),
            ("", false),
        ] {
            assert_eq!(is_use_case(code), expected, "{code}");
        }
    }
}
