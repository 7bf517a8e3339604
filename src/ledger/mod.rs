//! A patient's requests as state machines: what may happen to one, who may make one, and what the PAS's word does.
//!
//! Pure: facts come in, a verdict comes out. A request is a change to an appointment or a PIFU booking; both walk the
//! same main line and differ in how they end. Nothing in here can start or stop a waiting-time clock: a patient's
//! request has no event that would.
//!
//! ```text
//!                        ┌────────── withdrawn (patient) ──────────┐
//! requested ─▶ forwarded ─▶ acknowledged ─▶ applied | booked       ▼
//!     │            │             └────────▶ refused | resolved   closed
//!     │            └─▶ undeliverable (a person must act; stays open)
//!     └─▶ superseded (a later request for the same appointment takes over)
//! ```

mod change;
mod pifu;
mod show;
mod state;
mod update;

pub use change::{ChangeFacts, KnownAppointment, judge_change};
pub use pifu::{KnownEnrolment, PifuFacts, judge_pifu_booking};
pub use show::{REQUEST_STATUS_URL, instant, request_status, show_on_appointment, show_on_task, stamp};
pub use state::{Event, State, belongs, next};
pub use update::{event_of_answer, event_of_booking, event_of_update};

use crate::model::ChangeKind;
use jiff::{Timestamp, tz::TimeZone};

/// What a patient asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// A change to an appointment.
    Change(ChangeKind),
    /// A follow-up on patient-initiated follow-up.
    PifuBooking,
}

impl Ask {
    /// Every ask.
    pub const ALL: &'static [Ask] = &[
        Ask::Change(ChangeKind::Cancel),
        Ask::Change(ChangeKind::Reschedule),
        Ask::Change(ChangeKind::ConfirmAttendance),
        Ask::PifuBooking,
    ];

    /// The name in the store, in settings and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Ask::Change(kind) => kind.as_str(),
            Ask::PifuBooking => "pifu-booking",
        }
    }

    /// The ask of this name.
    pub fn from_name(name: &str) -> Option<Ask> {
        Ask::ALL.iter().copied().find(|ask| ask.as_str() == name)
    }
}

/// A request that was accepted, as far as the machine needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its id, which is also the id of the Task that shows it.
    pub id: String,
    /// What is asked.
    pub ask: Ask,
    /// Where it stands.
    pub state: State,
    /// The resource that asked, for example `Task/t1`.
    pub source: String,
    /// When the patient asked, where it is told: what tells one use of a PIFU Task from the next.
    pub asked_at: Option<Timestamp>,
    /// Stile's id of the appointment that is to change, or that a PIFU booking led to.
    pub appointment: Option<String>,
    /// When that appointment was to start when the change was asked for: what "moved" is judged against.
    pub appointment_starts_at: Option<Timestamp>,
    /// Pathway identifier of a PIFU booking.
    pub pathway: Option<String>,
    /// ODS code of the organisation that must act.
    pub organisation: String,
    /// When it was accepted.
    pub requested_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// Why it was refused or could not be delivered, fit for the requester.
    pub reason: Option<String>,
}

/// What a site decides about requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Under this age in years nobody is served here (PCA: 16).
    pub minimum_age_years: i16,
    /// An appointment this many days ahead, or more, is a placeholder and no date.
    pub placeholder_days: i64,
    /// Where a patient changes an e-RS booked appointment.
    pub ers_hand_off_url: String,
    /// The time zone whose midnight ends a day.
    pub time_zone: TimeZone,
}

impl Policy {
    /// The calendar date at an instant, where the site is.
    pub fn date(&self, now: Timestamp) -> jiff::civil::Date {
        now.to_zoned(self.time_zone.clone()).date()
    }
}
