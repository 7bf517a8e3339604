//! What each message of the standard holds: its published MessageDefinitions, as far as they limit.

use super::Findings;
use crate::document::Node;
use crate::issue::{Issue, Rule};
use std::collections::HashMap;

/// Without an upper limit.
const MANY: usize = usize::MAX;

/// A MessageDefinition.
#[derive(Debug)]
pub(super) struct Definition {
    /// Its canonical url.
    pub(super) url: &'static str,
    /// The event that it belongs to.
    pub(super) event: &'static str,
    /// The type of the resource that the event is about.
    pub(super) subject: &'static str,
    /// True when it cancels.
    pub(super) is_cancellation: bool,
    /// The statuses in which its subject is over.
    pub(super) ends_as: &'static [&'static str],
    /// Type, least and most.
    holds: &'static [(&'static str, usize, usize)],
}

impl Definition {
    /// True for a message that asks, and false for one that answers.
    pub(super) fn is_request(&self) -> bool {
        self.event.ends_with("-request")
    }
}

const APPOINTMENT_ENDS: &[&str] = &["cancelled", "entered-in-error"];
const REFERRAL_ENDS: &[&str] = &["revoked", "entered-in-error"];

/// `MessageDefinition/*.xml` of the standard's FHIR assets, July 2026. Types without a limit are left out. There is no
/// definition of a booking response, although the event exists. Practitioners are left to the guide's text in
/// booking requests, as the definition has it.
pub(super) const DEFINITIONS: [Definition; 9] = [
    Definition {
        url: "https://fhir.nhs.uk/MessageDefinition/bars-message-booking-request",
        event: "booking-request",
        subject: "Appointment",
        is_cancellation: false,
        ends_as: APPOINTMENT_ENDS,
        holds: &[
            ("Appointment", 1, 1),
            ("Patient", 1, 1),
            ("Slot", 1, 1),
            ("Schedule", 1, 1),
            ("HealthcareService", 1, 1),
            ("Organization", 2, MANY),
            ("ServiceRequest", 0, 1),
            ("Location", 0, 1),
        ],
    },
    Definition {
        url: "https://fhir.nhs.uk/MessageDefinition/bars-message-booking-request-cancelled",
        event: "booking-request",
        subject: "Appointment",
        is_cancellation: true,
        ends_as: APPOINTMENT_ENDS,
        holds: &[("Appointment", 1, 1), ("Patient", 1, 1), ("Organization", 2, MANY)],
    },
    Definition {
        url: "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-referral",
        event: "servicerequest-request",
        subject: "ServiceRequest",
        is_cancellation: false,
        ends_as: REFERRAL_ENDS,
        holds: &[
            ("ServiceRequest", 1, 1),
            ("Patient", 1, 1),
            ("Encounter", 1, 1),
            ("CarePlan", 1, 1),
            ("Organization", 2, MANY),
            ("Practitioner", 1, MANY),
            ("PractitionerRole", 1, MANY),
            ("Consent", 1, MANY),
            ("HealthcareService", 1, MANY),
            ("Device", 0, 1),
        ],
    },
    Definition {
        url: "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-cancelled",
        event: "servicerequest-request",
        subject: "ServiceRequest",
        is_cancellation: true,
        ends_as: REFERRAL_ENDS,
        holds: &[("ServiceRequest", 1, 1), ("Patient", 1, 1), ("Organization", 2, MANY)],
    },
    Definition {
        url: "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-validation",
        event: "servicerequest-request",
        subject: "ServiceRequest",
        is_cancellation: false,
        ends_as: REFERRAL_ENDS,
        holds: &[
            ("ServiceRequest", 1, 1),
            ("Patient", 1, 1),
            ("Encounter", 1, 1),
            ("CarePlan", 1, 1),
            ("Location", 1, 1),
            ("Organization", 2, MANY),
            ("Practitioner", 1, MANY),
            ("PractitionerRole", 1, MANY),
            ("Consent", 1, MANY),
            ("HealthcareService", 1, 1),
        ],
    },
    Definition {
        url: "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-response-referral",
        event: "servicerequest-response",
        subject: "ServiceRequest",
        is_cancellation: false,
        ends_as: REFERRAL_ENDS,
        holds: &[
            ("ServiceRequest", 1, 1),
            ("Patient", 1, 1),
            ("Encounter", 0, 1),
            ("CarePlan", 0, 1),
            ("Location", 0, 1),
            ("Organization", 2, MANY),
            ("Practitioner", 1, MANY),
            ("PractitionerRole", 1, MANY),
            ("Consent", 1, MANY),
            ("HealthcareService", 1, 1),
            ("Appointment", 0, 1),
        ],
    },
    Definition {
        url: "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-response-referral-short",
        event: "servicerequest-response",
        subject: "ServiceRequest",
        is_cancellation: false,
        ends_as: REFERRAL_ENDS,
        holds: &[("ServiceRequest", 1, 1), ("Patient", 1, 1), ("Encounter", 2, 2), ("Organization", 2, MANY)],
    },
    Definition {
        url: "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-response-validation-full",
        event: "servicerequest-response",
        subject: "ServiceRequest",
        is_cancellation: false,
        ends_as: REFERRAL_ENDS,
        holds: &[
            ("ServiceRequest", 1, 1),
            ("Patient", 1, 1),
            ("Encounter", 2, 3),
            ("CarePlan", 1, 1),
            ("Location", 1, 1),
            ("Organization", 2, MANY),
            ("Practitioner", 1, MANY),
            ("PractitionerRole", 1, MANY),
            ("Consent", 1, MANY),
            ("HealthcareService", 1, 1),
        ],
    },
    Definition {
        url: "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-response-validation-interim",
        event: "servicerequest-response",
        subject: "ServiceRequest",
        is_cancellation: false,
        ends_as: REFERRAL_ENDS,
        holds: &[
            ("ServiceRequest", 1, 1),
            ("Patient", 1, 1),
            ("Encounter", 2, 2),
            ("Organization", 1, MANY),
            ("Practitioner", 1, MANY),
            ("PractitionerRole", 1, MANY),
        ],
    },
];

/// Counts what the message holds.
pub(super) fn check(bundle: Node<'_>, definition: &Definition, findings: &mut Findings<'_>) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for entry in bundle.children_named("entry") {
        if let Some(kind) = entry.child_named("resource").and_then(|resource| resource.resource_type()) {
            *counts.entry(kind).or_default() += 1;
        }
    }
    for (kind, least, most) in definition.holds {
        let count = counts.get(kind).copied().unwrap_or(0);
        if (*least..=*most).contains(&count) {
            continue;
        }
        findings.tell_missing(Rule::BarsContents, bundle, "entry", || {
            let asked = match (*least, *most) {
                (least, MANY) => format!("{least} or more"),
                (least, most) if least == most => format!("{least}"),
                (least, most) => format!("{least} to {most}"),
            };
            Issue::new(
                Rule::BarsContents,
                format!("a message of this definition holds {asked} {kind}, this one {count}"),
            )
            .hint("send what the definition asks for, or the definition that fits what is sent")
            .asked_by(definition.url)
        });
    }
}
