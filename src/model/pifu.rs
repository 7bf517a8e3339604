//! Patient-initiated follow-up.

use super::{OdsCode, Pathway, PatientLink, Period, Reason, Words};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// A patient put on patient-initiated follow-up.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PifuEnrolment {
    /// Who.
    pub patient: PatientLink,
    /// On which pathway.
    pub pathway: Pathway,
    /// Treatment function code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment_function: Option<String>,
    /// The organisation that offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<OdsCode>,
    /// From when a follow-up can be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<Date>,
    /// The last day on which one can be asked for; open-ended when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Date>,
    /// What happens then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_expiry: Option<AtExpiry>,
    /// Whether it is in force.
    pub active: bool,
    /// How the patient reaches the service, told when a booking is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

impl std::fmt::Debug for PifuEnrolment {
    /// Shows whether and until when it is in force; the contact is free text, and who is enrolled is masked.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PifuEnrolment")
            .field("active", &self.active)
            .field("provider", &self.provider)
            .field("starts_on", &self.starts_on)
            .field("expires_on", &self.expires_on)
            .finish_non_exhaustive()
    }
}

/// What happens when a PIFU period ends without contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtExpiry {
    /// Discharge to the GP.
    Discharge,
    /// The hospital reviews or books.
    Review,
    /// It goes on.
    OpenEnded,
}

/// A follow-up that a patient asks for. It starts no waiting-time clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PifuBooking {
    /// Who asks.
    pub patient: PatientLink,
    /// On which pathway.
    pub pathway: Pathway,
    /// Treatment function code, where told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment_function: Option<String>,
    /// The organisation asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<OdsCode>,
    /// When the patient would like to come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred: Vec<Period>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When the patient asked, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authored_at: Option<Timestamp>,
    /// The patient's own words. Carried to the trust, never to a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Words>,
}
