//! What the twin received and did, in order.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// What became of something that came in or went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Became {
    /// An appointment was put into the diary as it came.
    Seeded,
    /// A change request was applied.
    Applied,
    /// A PIFU booking got its appointment.
    Booked,
    /// It had been received before and changed nothing.
    Repeated,
    /// It was refused.
    Refused,
    /// The gateway took a call back.
    Taken,
    /// The gateway did not take a call back, and will not be called again about it.
    GivenUp,
}

/// One line. Names numbers of appointments and ids of messages, nothing about a patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    /// Position, from 1.
    pub number: usize,
    /// When.
    pub at: Timestamp,
    /// `appointment`, `pifu-booking`, `cancel`, `reschedule`, `confirm-attendance`, `unknown` or `call-back`.
    pub what: String,
    /// What became of it.
    pub became: Became,
    /// `X-Request-Id` of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The identifier that the gateway gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The twin's number of the appointment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment: Option<String>,
    /// Why, where it was refused or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The journal.
#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: Vec<Entry>,
}

impl Journal {
    /// Writes a line; its number is set here.
    pub fn write(&mut self, entry: Entry) {
        self.entries.push(Entry { number: self.entries.len() + 1, ..entry });
    }

    /// The journal as JSON: counts, then the lines.
    pub fn to_value(&self) -> Value {
        let count = |became: Became| self.entries.iter().filter(|entry| entry.became == became).count();
        let calls = count(Became::Taken) + count(Became::GivenUp);
        json!({
            "counts": {
                "received": self.entries.len() - calls,
                "seeded": count(Became::Seeded),
                "applied": count(Became::Applied),
                "booked": count(Became::Booked),
                "repeated": count(Became::Repeated),
                "refused": count(Became::Refused),
                "taken": count(Became::Taken),
                "given-up": count(Became::GivenUp),
            },
            "entries": self.entries,
        })
    }
}
