//! A referral, and the place on the waiting list that it makes.

use super::{Identifier, OdsCode, Pathway, PatientLink};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// A referral to a consultant-led service.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Referral {
    /// Who is referred.
    pub patient: PatientLink,
    /// Referral identifiers: UBRN, a trust's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// The pathway, where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pathway: Option<Pathway>,
    /// Whether it stands.
    pub status: WaitingListStatus,
    /// How urgent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Treatment function code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment_function: Option<String>,
    /// What is asked for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<String>,
    /// When it was written, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authored_at: Option<Timestamp>,
    /// The organisation that provides the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<OdsCode>,
    /// The organisation that refers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<OdsCode>,
}

impl std::fmt::Debug for Referral {
    /// Shows where it stands and who is to act, and nothing of what is asked for: those words are clinical.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Referral")
            .field("status", &self.status)
            .field("priority", &self.priority)
            .field("provider", &self.provider)
            .field("referrer", &self.referrer)
            .finish_non_exhaustive()
    }
}

/// One patient's place on one list.
///
/// Made when a referral is kept. The waiting-time clock itself (RTT periods) comes from a provider's receipt of the
/// referral, a clinical decision or the PAS; nothing that a patient asks for ever touches it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingListEntry {
    /// Stile's id of the entry.
    pub id: String,
    /// Whether the entry stands.
    pub status: WaitingListStatus,
    /// Who waits.
    pub patient: PatientLink,
    /// The pathway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pathway: Option<Pathway>,
    /// The referrals' identifiers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referrals: Vec<Identifier>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<OdsCode>,
    /// Treatment function code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment_function: Option<String>,
    /// How urgent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The date on which the provider received notice of the referral (RTT 3.2.1): the clock start, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_on: Option<Date>,
    /// Stile's ids of the appointments on the same pathway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub appointments: Vec<String>,
}

/// Whether a referral and the entry it makes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitingListStatus {
    /// Waiting.
    Active,
    /// Not waiting now, kept on the list.
    OnHold,
    /// Taken off: withdrawn or cancelled.
    Removed,
    /// Done.
    Completed,
    /// It should not have existed.
    EnteredInError,
}

/// How urgent a referral or appointment is (NHS Data Dictionary PRIORITY TYPE; e-RS priority).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// 1, ROUTINE.
    Routine,
    /// 2, URGENT.
    Urgent,
    /// 3, TWO_WEEK_WAIT.
    TwoWeekWait,
}
