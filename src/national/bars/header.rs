//! The header of a message: what it is, from whom, for whom and about what.

use super::contents::{DEFINITIONS, Definition};
use super::{CORE, Findings};
use crate::document::Node;
use crate::issue::{Issue, Operation, Rule, nearest};
use crate::national::read::{has, text};
use std::collections::HashMap;

const EVENTS: &str = "https://fhir.nhs.uk/CodeSystem/message-events-bars";
const EVENT_CODES: [&str; 4] =
    ["servicerequest-request", "servicerequest-response", "booking-request", "booking-response"];
const REASONS: &str = "https://fhir.nhs.uk/CodeSystem/message-reason-bars";
const REASON_CODES: [&str; 3] = ["new", "update", "delete"];
/// A service of the directory of services. The guide writes https, every published sample http: both are taken.
const SERVICE: [&str; 2] = ["https://fhir.nhs.uk/Id/dos-service-id|", "http://fhir.nhs.uk/Id/dos-service-id|"];

/// Judges the header, the first entry of a message, and hands it back where there is one.
pub(super) fn check<'d>(
    bundle: Node<'d>,
    entries: &HashMap<&'d str, Node<'d>>,
    findings: &mut Findings<'_>,
) -> Option<Node<'d>> {
    let resources = bundle.children_named("entry").filter_map(|entry| entry.child_named("resource"));
    let mut headers = resources.filter(|resource| resource.resource_type() == Some("MessageHeader"));
    let Some(header) = headers.next() else {
        findings.tell_missing(Rule::BarsHeader, bundle, "entry", || {
            Issue::new(Rule::BarsHeader, "the message has no MessageHeader")
                .hint("send a MessageHeader as the first entry")
                .asked_by(CORE)
        });
        return None;
    };
    let is_first = header.parent().is_some_and(|entry| entry.index() == 0);
    for wrong in headers.chain((!is_first).then_some(header)) {
        findings.tell(Rule::BarsHeader, wrong, || {
            Issue::new(Rule::BarsHeader, "a message has one MessageHeader, its first entry")
                .hint("begin with the header, and send each message by itself")
                .asked_by(CORE)
        });
    }
    parts(header, findings);
    coding(header.child_named("eventCoding"), EVENTS, &EVENT_CODES, Rule::BarsEvent, findings);
    coding(header.descend(&["reason", "coding"]), REASONS, &REASON_CODES, Rule::BarsReason, findings);
    endpoint(header.child_named("source"), findings);
    for destination in header.children_named("destination") {
        endpoint(Some(destination), findings);
        party(destination.child_named("receiver"), "receiver", entries, findings);
    }
    party(header.child_named("sender"), "sender", entries, findings);
    focus(header, entries, findings);
    response(header, findings);
    Some(header)
}

/// Every part that the standard's pattern names.
fn parts(header: Node<'_>, findings: &mut Findings<'_>) {
    for name in ["eventCoding", "destination", "sender", "source", "reason", "focus", "definition"] {
        let is_asked = name != "definition" || !is_undefined(header);
        if is_asked && !has(header, name) {
            findings.tell_missing(Rule::BarsHeader, header, name, || {
                Issue::new(Rule::BarsHeader, format!("the message's header has no `{name}`"))
                    .hint("the receiver routes and judges the message by it")
                    .asked_by(CORE)
            });
        }
    }
}

/// The event booking-response has no published MessageDefinition, so none can be asked for or held against a list.
fn is_undefined(header: Node<'_>) -> bool {
    text(header, &["eventCoding", "code"]) == Some("booking-response")
}

/// A coding of this system with one of these codes.
fn coding(node: Option<Node<'_>>, system: &str, codes: &[&str], rule: Rule, findings: &mut Findings<'_>) {
    let Some(coding) = node else { return };
    if text(coding, &["system"]) != Some(system) {
        findings.tell(rule, coding, || {
            let issue = Issue::new(rule, "the coding is of another system").hint(format!("its system is {system}"));
            let issue = issue.asked_by(CORE);
            match coding.child_named("system") {
                Some(found) => issue.mend(vec![Operation::Replace { path: found.pointer(), value: system.into() }]),
                None => issue
                    .mend(vec![Operation::Add { path: format!("{}/system", coding.pointer()), value: system.into() }]),
            }
        });
    }
    let code = coding.child_named("code");
    if code.and_then(|code| code.string()).is_none_or(|code| !codes.contains(&code)) {
        findings.tell(rule, code.unwrap_or(coding), || {
            let near = code.and_then(|code| nearest(code.string()?, codes.iter().copied()));
            let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            Issue::new(rule, "the code is not one of the standard's")
                .hint(format!("{near}there are: {}", codes.join(", ")))
                .asked_by(CORE)
        });
    }
}

fn endpoint(parent: Option<Node<'_>>, findings: &mut Findings<'_>) {
    let Some(parent) = parent else { return };
    let Some(endpoint) = parent.child_named("endpoint") else {
        findings.tell_missing(Rule::BarsEndpoint, parent, "endpoint", || issue_of_endpoint("there is no endpoint"));
        return;
    };
    let id = endpoint.string().and_then(|address| SERVICE.iter().find_map(|start| address.strip_prefix(start)));
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !id.is_some_and(is_id) {
        findings.tell(Rule::BarsEndpoint, endpoint, || {
            issue_of_endpoint("the endpoint is not a service of the directory of services")
        });
    }
}

fn issue_of_endpoint(message: &str) -> Issue {
    Issue::new(Rule::BarsEndpoint, message)
        .hint(format!("write {} and the service's id, as in NHSD-Target-Identifier", SERVICE[0]))
        .asked_by(CORE)
}

/// Sender and receiver are organisations that the message holds: who they are must not depend on another look-up.
fn party(reference: Option<Node<'_>>, name: &str, entries: &HashMap<&str, Node<'_>>, findings: &mut Findings<'_>) {
    let Some(reference) = reference else { return };
    let found = text(reference, &["reference"]).and_then(|address| entries.get(address));
    if found.and_then(|resource| resource.resource_type()) != Some("Organization") {
        findings.tell(Rule::BarsParty, reference, || {
            Issue::new(Rule::BarsParty, format!("the {name} is not an Organization of this message"))
                .hint("add the Organization as an entry, and refer to it by its fullUrl")
                .asked_by(CORE)
        });
    }
}

/// What the event is about. A response may be about the receiver's Encounter (the published validation response is).
fn focus(header: Node<'_>, entries: &HashMap<&str, Node<'_>>, findings: &mut Findings<'_>) {
    let expected: &[&str] = match text(header, &["eventCoding", "code"]) {
        Some("booking-request" | "booking-response") => &["Appointment"],
        Some("servicerequest-request") => &["ServiceRequest"],
        Some("servicerequest-response") => &["ServiceRequest", "Encounter"],
        _ => return,
    };
    for focus in header.children_named("focus") {
        let found = text(focus, &["reference"]).and_then(|address| entries.get(address));
        if !found.and_then(|resource| resource.resource_type()).is_some_and(|kind| expected.contains(&kind)) {
            findings.tell(Rule::BarsFocus, focus, || {
                let expected = expected.join(" or ");
                Issue::new(Rule::BarsFocus, format!("the focus is not the {expected} of this message"))
                    .hint("refer to it by the fullUrl of its entry")
                    .asked_by(CORE)
            });
        }
    }
}

fn response(header: Node<'_>, findings: &mut Findings<'_>) {
    let is_response = text(header, &["eventCoding", "code"]).is_some_and(|code| code.ends_with("-response"));
    let response = header.child_named("response");
    let is_whole = response.is_some_and(|found| has(found, "identifier") && has(found, "code"));
    if is_response && !is_whole {
        findings.tell_missing(Rule::BarsResponse, header, "response", || {
            Issue::new(Rule::BarsResponse, "a response does not say which message it answers and how it went")
                .hint("send response.identifier, the id of that message's header, and response.code")
                .asked_by("https://fhir.nhs.uk/StructureDefinition/BARSMessageHeader-servicerequest-response")
        });
    }
}

/// The definition that the header names; told when there is none such, or when it is another event's.
pub(super) fn definition(header: Node<'_>, findings: &mut Findings<'_>) -> Option<&'static Definition> {
    let node = header.child_named("definition").filter(|_| !is_undefined(header))?;
    let url = node.string()?;
    // A canonical may carry a version; which one, is between the parties (`Bundle.meta.versionId`).
    let name = url.split('|').next().unwrap_or_default();
    let Some(found) = DEFINITIONS.iter().find(|definition| definition.url == name) else {
        findings.tell(Rule::BarsDefinition, node, || {
            let near = nearest(name, DEFINITIONS.iter().map(|definition| definition.url));
            let hint = match near {
                Some(near) => format!("did you mean {near}?"),
                None => "send the url of the MessageDefinition that the receiver offers".to_owned(),
            };
            Issue::new(Rule::BarsDefinition, "this is no message definition of the standard").hint(hint).asked_by(CORE)
        });
        return None;
    };
    let event = text(header, &["eventCoding", "code"]);
    if event.is_some_and(|event| EVENT_CODES.contains(&event) && event != found.event) {
        findings.tell(Rule::BarsDefinition, node, || {
            Issue::new(Rule::BarsDefinition, "the message's definition belongs to another event")
                .hint(format!("it goes with the event `{}`", found.event))
                .asked_by(CORE)
        });
    }
    Some(found)
}
