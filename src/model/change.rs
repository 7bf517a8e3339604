//! What a patient asks for, and what the PAS says to it.

use super::{PatientLink, Words};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A change to an appointment that a patient asks for. It changes nothing until the PAS says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// What is asked for.
    pub kind: ChangeKind,
    /// Which appointment.
    pub appointment: AppointmentLink,
    /// The patient, where the request names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientLink>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When the patient would rather come; for `reschedule`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred: Vec<Period>,
    /// When the patient asked, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authored_at: Option<Timestamp>,
    /// The patient's own words. Carried to the trust, never to a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Words>,
}

/// What a change request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Cancel it.
    Cancel,
    /// Another time.
    Reschedule,
    /// The patient will come.
    ConfirmAttendance,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: &'static [ChangeKind] = &[ChangeKind::Cancel, ChangeKind::Reschedule, ChangeKind::ConfirmAttendance];

    /// The name in settings, mapping files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Cancel => "cancel",
            ChangeKind::Reschedule => "reschedule",
            ChangeKind::ConfirmAttendance => "confirm-attendance",
        }
    }

    /// What readers of the appointment see while the request is open (PCA Extension-Appointment-RequestStatus).
    pub fn request_status(self) -> &'static str {
        match self {
            ChangeKind::Cancel => "Pending Cancellation",
            ChangeKind::Reschedule => "Pending Reschedule",
            ChangeKind::ConfirmAttendance => "Confirmed Attendance",
        }
    }
}

/// Which appointment a request is about, by whatever the sender gave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppointmentLink {
    /// Stile's own id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// An identifier of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<super::Identifier>,
}

/// Why a patient asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The system of the code, as FHIR writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The code as it came, with its system; there is no national list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Words>,
}

/// A stretch of time, in UTC; open where an end is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// From.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Until.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

/// What the PAS says to a change request or PIFU booking, where it says it by a Task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeAnswer {
    /// Stile's id of the request.
    pub request: String,
    /// What it says.
    pub outcome: AnswerOutcome,
    /// Why, where it refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// What the PAS says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerOutcome {
    /// It is being looked at.
    Acknowledged,
    /// It is done, for kinds that leave no trace on the appointment.
    Applied,
    /// It will not be done.
    Refused,
    /// A follow-up was not needed after all: dealt with without an appointment.
    Resolved,
}
