//! The canonical waiting list: what Stile means by an appointment, a referral, a change request.
//!
//! Our own model, not FHIR's: no FHIR profile anywhere carries a waiting-list entry with its clock. Each type is
//! published as JSON Schema in `profiles/canonical/`; a mapped value is checked against that schema and then taken
//! into these types, so that whatever is inside Stile is valid by construction. Identities print a mask.

mod appointment;
mod change;
mod identity;
mod patient;
mod pifu;
mod referral;
mod system;

pub use appointment::{Appointment, AppointmentIdentifiers, AppointmentStatus, EncounterClass, Medium};
pub use change::{AnswerOutcome, AppointmentLink, ChangeAnswer, ChangeKind, ChangeRequest, Period, Reason};
pub use identity::{FaultyIdentity, NhsNumber, OdsCode, Words};
pub use patient::{Patient, PatientLink};
pub use pifu::{AtExpiry, PifuBooking, PifuEnrolment};
pub use referral::{Priority, Referral, WaitingListEntry, WaitingListStatus};
pub use system::well_known_system;

use serde::{Deserialize, Serialize};

/// An identifier with the system that issued it, for example a UBRN, a pathway identifier or a local referral number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    /// The issuing system's uri, as FHIR writes it.
    pub system: String,
    /// The value as it came.
    pub value: String,
}

impl std::fmt::Debug for Identifier {
    /// Shows the system and not the value, which leads to a patient.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identifier({}, masked)", self.system)
    }
}

/// A patient pathway: the identifier and who issued it (RTT guidance annex C: unique only as a pair).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pathway {
    /// Patient pathway identifier (an20), as it came.
    pub identifier: String,
    /// Organisation code of the issuer, where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<OdsCode>,
}

impl std::fmt::Debug for Pathway {
    /// Shows the issuer and not the identifier, which is one patient's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pathway").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Which canonical type a mapping makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// [`Patient`].
    Patient,
    /// [`Referral`].
    Referral,
    /// [`Appointment`].
    Appointment,
    /// [`ChangeRequest`].
    ChangeRequest,
    /// [`ChangeAnswer`].
    ChangeAnswer,
    /// [`PifuEnrolment`].
    PifuEnrolment,
    /// [`PifuBooking`].
    PifuBooking,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Kind] = &[
        Kind::Patient,
        Kind::Referral,
        Kind::Appointment,
        Kind::ChangeRequest,
        Kind::ChangeAnswer,
        Kind::PifuEnrolment,
        Kind::PifuBooking,
    ];

    /// The name in mapping files, of the schema file and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Patient => "patient",
            Kind::Referral => "referral",
            Kind::Appointment => "appointment",
            Kind::ChangeRequest => "change-request",
            Kind::ChangeAnswer => "change-answer",
            Kind::PifuEnrolment => "pifu-enrolment",
            Kind::PifuBooking => "pifu-booking",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// Takes a value that fits the kind's schema into its type. The error names the field and never its value.
    pub fn take(self, value: serde_json::Value) -> Result<Canonical, FaultyValue> {
        fn into<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, FaultyValue> {
            serde_json::from_value(value).map_err(|_| FaultyValue)
        }
        Ok(match self {
            Kind::Patient => Canonical::Patient(into(value)?),
            Kind::Referral => Canonical::Referral(into(value)?),
            Kind::Appointment => Canonical::Appointment(Box::new(into(value)?)),
            Kind::ChangeRequest => Canonical::ChangeRequest(into(value)?),
            Kind::ChangeAnswer => Canonical::ChangeAnswer(into(value)?),
            Kind::PifuEnrolment => Canonical::PifuEnrolment(into(value)?),
            Kind::PifuBooking => Canonical::PifuBooking(into(value)?),
        })
    }
}

/// A value passed its schema and still is not one of ours: schema and type disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value fits its schema but not its type; schema and type disagree")]
pub struct FaultyValue;

/// A canonical value of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Canonical {
    /// A patient.
    Patient(Patient),
    /// A referral.
    Referral(Referral),
    /// An appointment.
    Appointment(Box<Appointment>),
    /// A change that a patient asks for.
    ChangeRequest(ChangeRequest),
    /// What the PAS says to a change request or PIFU booking.
    ChangeAnswer(ChangeAnswer),
    /// A patient put on patient-initiated follow-up.
    PifuEnrolment(PifuEnrolment),
    /// A follow-up that a patient asks for.
    PifuBooking(PifuBooking),
}

impl Canonical {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Canonical::Patient(_) => Kind::Patient,
            Canonical::Referral(_) => Kind::Referral,
            Canonical::Appointment(_) => Kind::Appointment,
            Canonical::ChangeRequest(_) => Kind::ChangeRequest,
            Canonical::ChangeAnswer(_) => Kind::ChangeAnswer,
            Canonical::PifuEnrolment(_) => Kind::PifuEnrolment,
            Canonical::PifuBooking(_) => Kind::PifuBooking,
        }
    }

    /// As JSON in the form of its schema.
    pub fn to_value(&self) -> serde_json::Value {
        let value = match self {
            Canonical::Patient(value) => serde_json::to_value(value),
            Canonical::Referral(value) => serde_json::to_value(value),
            Canonical::Appointment(value) => serde_json::to_value(value),
            Canonical::ChangeRequest(value) => serde_json::to_value(value),
            Canonical::ChangeAnswer(value) => serde_json::to_value(value),
            Canonical::PifuEnrolment(value) => serde_json::to_value(value),
            Canonical::PifuBooking(value) => serde_json::to_value(value),
        };
        value.unwrap_or_default()
    }

    /// The patient it is about, as far as it says.
    pub fn patient(&self) -> Option<PatientLink> {
        match self {
            Canonical::Patient(value) => {
                Some(PatientLink { nhs_number: value.nhs_number.clone(), local: None, reference: None })
            }
            Canonical::Referral(value) => Some(value.patient.clone()),
            Canonical::Appointment(value) => value.patient.clone(),
            Canonical::ChangeRequest(value) => value.patient.clone(),
            Canonical::ChangeAnswer(_) => None,
            Canonical::PifuEnrolment(value) => Some(value.patient.clone()),
            Canonical::PifuBooking(value) => Some(value.patient.clone()),
        }
    }

    /// The organisation that must act on it or that holds it, where the value names one.
    pub fn organisation(&self) -> Option<&OdsCode> {
        match self {
            Canonical::Patient(_) | Canonical::ChangeRequest(_) | Canonical::ChangeAnswer(_) => None,
            Canonical::Referral(value) => value.provider.as_ref(),
            Canonical::Appointment(value) => value.provider.as_ref(),
            Canonical::PifuEnrolment(value) => value.provider.as_ref(),
            Canonical::PifuBooking(value) => value.provider.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_links_and_identifiers_do_not_print() {
        let patient = || serde_json::json!({"nhs_number": "9990000018"});
        for (kind, value, shown) in [
            (
                Kind::Appointment,
                serde_json::json!({"patient": patient(), "status": "booked", "description": "CANARY hip",
                    "location": "CANARY ward", "portal_link": "https://x.example/CANARY",
                    "identifiers": {"pas": "CANARY1"}, "based_on": ["ServiceRequest/CANARY"],
                    "references": [{"system": "urn:x", "value": "CANARY2"}]}),
                "Booked",
            ),
            (
                Kind::Referral,
                serde_json::json!({"patient": patient(), "status": "active", "requested": "CANARY knee",
                    "identifiers": [{"system": "urn:x", "value": "CANARY3"}], "pathway": {"identifier": "CANARY4"}}),
                "Active",
            ),
            (
                Kind::PifuEnrolment,
                serde_json::json!({"patient": patient(), "pathway": {"identifier": "CANARY5"}, "active": true,
                    "contact": "CANARY telephone"}),
                "active: true",
            ),
        ] {
            let canonical = kind.take(value.clone()).unwrap();
            let printed = format!("{canonical:?}");
            assert!(printed.contains(shown), "{printed}");
            assert!(!printed.contains("CANARY") && !printed.contains("9990000018"), "{printed}");
            assert_eq!(canonical.to_value(), value, "what is kept and sent is whole");
        }
        let identifier = Identifier { system: "urn:x".into(), value: "CANARY".into() };
        let pathway = Pathway { identifier: "CANARY".into(), issuer: None };
        let printed = format!("{identifier:?} {pathway:?}");
        assert!(printed.contains("urn:x") && !printed.contains("CANARY"), "{printed}");
    }
}
