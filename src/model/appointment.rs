//! An appointment as the PAS has it.

use super::{Identifier, OdsCode, PatientLink, Priority};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An appointment.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appointment {
    /// What the two sides call it.
    #[serde(default)]
    pub identifiers: AppointmentIdentifiers,
    /// Who it is for; absent when the patient need not attend (PCA hides the participant then).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientLink>,
    /// The organisation that provides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<OdsCode>,
    /// Its status as the PAS reports it.
    pub status: AppointmentStatus,
    /// When it starts, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// When it ends, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// What the patient reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Treatment function code (three digits). Not the main specialty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment_function: Option<String>,
    /// Main specialty code (three digits). Not the treatment function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_specialty: Option<String>,
    /// How it takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<Medium>,
    /// Outpatient, inpatient, day case or at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter_class: Option<EncounterClass>,
    /// How urgent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Where, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Deep link into the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portal_link: Option<String>,
    /// Referral, pathway, UBRN: identifiers of what it is based on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Identifier>,
    /// FHIR references of what it is based on, as they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub based_on: Vec<String>,
}

impl std::fmt::Debug for Appointment {
    /// Shows its state and times, and no words, place, link or identifier: they tell of the patient.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Appointment")
            .field("status", &self.status)
            .field("provider", &self.provider)
            .field("starts_at", &self.starts_at)
            .field("ends_at", &self.ends_at)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

/// System of the identifier that ties a booked appointment to the PIFU booking it answers.
const PIFU_BOOKING_SYSTEM: &str = "urn:stile:pifu-booking";
/// System of UBRNs (e-Referral Service).
const UBRN_SYSTEM: &str = "https://fhir.nhs.uk/Id/UBRN";

impl Appointment {
    /// The PIFU booking that this appointment answers, where it says so.
    pub fn pifu_booking(&self) -> Option<&str> {
        self.reference(PIFU_BOOKING_SYSTEM)
    }

    /// True when the appointment was booked through the e-Referral Service: it stands on a UBRN and names an e-RS
    /// service or slot. A UBRN alone only says how the referral came.
    pub fn is_ers_booked(&self) -> bool {
        self.reference(UBRN_SYSTEM).is_some() && self.reference("https://fhir.nhs.uk/Id/USRN").is_some()
    }

    fn reference(&self, system: &str) -> Option<&str> {
        self.references.iter().find(|reference| reference.system == system).map(|reference| reference.value.as_str())
    }
}

/// What the PAS and the portal call an appointment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppointmentIdentifiers {
    /// The PAS's own identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pas: Option<String>,
    /// The portal's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portal: Option<String>,
}

/// R4 `appointmentstatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppointmentStatus {
    /// Not yet finalised.
    Proposed,
    /// Some participants have not accepted yet.
    Pending,
    /// Confirmed.
    Booked,
    /// The patient has arrived.
    Arrived,
    /// The patient is checked in.
    CheckedIn,
    /// It took place.
    Fulfilled,
    /// It was cancelled.
    Cancelled,
    /// The patient did not attend.
    #[serde(rename = "noshow")]
    NoShow,
    /// It should not have existed.
    EnteredInError,
    /// On a list until a slot is free.
    #[serde(rename = "waitlist")]
    WaitList,
}

impl AppointmentStatus {
    /// True when nothing can be asked of it any more: cancelled, fulfilled, missed or a mistake.
    pub fn is_over(self) -> bool {
        match self {
            AppointmentStatus::Fulfilled
            | AppointmentStatus::Cancelled
            | AppointmentStatus::NoShow
            | AppointmentStatus::EnteredInError => true,
            AppointmentStatus::Proposed
            | AppointmentStatus::Pending
            | AppointmentStatus::Booked
            | AppointmentStatus::Arrived
            | AppointmentStatus::CheckedIn
            | AppointmentStatus::WaitList => false,
        }
    }
}

/// How an appointment takes place. Values of other lists that have no equal here are refused, never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// In person.
    FaceToFace,
    /// By video.
    Video,
    /// By telephone.
    Telephone,
}

/// What kind of encounter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncounterClass {
    /// Outpatient.
    Outpatient,
    /// Inpatient.
    Inpatient,
    /// Day case.
    DayCase,
    /// At the patient's home.
    Home,
}
