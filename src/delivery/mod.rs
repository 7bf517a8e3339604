//! What is to be sent downstream, in which order, when again, and what an answer means. Pure.
//!
//! A delivery's bytes and message id are fixed when the submission that causes it is accepted; what goes out on the
//! fifth try is what was rendered then. Deliveries of one [`Lane`] go one after the other; lanes do not wait for
//! each other.

mod answer;
mod schedule;

pub use answer::Answer;
pub use schedule::Schedule;

use jiff::Timestamp;

/// The order that deliveries keep: one downstream and one appointment, or one pathway for PIFU.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane(String);

impl Lane {
    /// The lane of `subject` at `downstream`.
    pub fn new(downstream: &str, subject: &str) -> Self {
        Lane(format!("{downstream}/{subject}"))
    }

    /// The lane as the store keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Due now or later.
    Waiting,
    /// Claimed by a dispatcher until its lease ends.
    Leased,
    /// The receiver took it.
    Delivered,
    /// The receiver decided against it; the decision goes back to the requester.
    Refused,
    /// The schedule ended without an answer; an operator must act.
    Exhausted,
    /// The request that caused it has ended: superseded, or dealt with by the PAS itself. Nothing is sent any more.
    Withdrawn,
}

impl State {
    /// Every state.
    pub const ALL: &'static [State] =
        &[State::Waiting, State::Leased, State::Delivered, State::Refused, State::Exhausted, State::Withdrawn];

    /// The name in the store and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Leased => "leased",
            State::Delivered => "delivered",
            State::Refused => "refused",
            State::Exhausted => "exhausted",
            State::Withdrawn => "withdrawn",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<State> {
        State::ALL.iter().copied().find(|state| state.as_str() == name)
    }

    /// True while the lane waits for it.
    pub fn is_open(self) -> bool {
        match self {
            // An exhausted delivery keeps its lane: what comes after it may depend on it, and a person must decide.
            State::Waiting | State::Leased | State::Exhausted => true,
            State::Delivered | State::Refused | State::Withdrawn => false,
        }
    }
}

/// What to write to a downstream: the bytes are final.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its identity at the receiver, the same on every try (a UUID).
    pub id: String,
    /// The FHIR resource type of the body.
    pub resource_type: String,
    /// The body: FHIR JSON.
    pub body: String,
    /// The correlation id of the submission that caused it.
    pub correlation_id: String,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({} {}, {} bytes)", self.resource_type, self.id, self.body.len())
    }
}

/// A delivery that a dispatcher has claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The delivery.
    pub delivery: String,
    /// Where it goes.
    pub downstream: String,
    /// What goes.
    pub message: Message,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// The number that must still be in force when the answer is recorded.
    pub fence: i64,
}

/// What becomes of a delivery after a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It is over, in this state.
    End(State),
    /// Again at this instant.
    Again(Timestamp),
}

/// What becomes of a delivery whose `attempt`th try, ended at `now`, brought `answer`. `chance` (0 to 1) spreads the
/// waits of many deliveries that failed together.
pub fn after(answer: &Answer, attempt: u32, schedule: &Schedule, now: Timestamp, chance: f64) -> Next {
    match answer {
        Answer::Accepted { .. } => Next::End(State::Delivered),
        Answer::Refused { .. } => Next::End(State::Refused),
        Answer::Busy { retry_after_seconds, .. } => match schedule.wait(attempt, chance) {
            Some(wait_ms) => Next::Again(later(now, wait_ms.max(i64::from(retry_after_seconds.unwrap_or(0)) * 1000))),
            None => Next::End(State::Exhausted),
        },
        Answer::Unreached { .. } | Answer::Unanswered { .. } => match schedule.wait(attempt, chance) {
            Some(wait_ms) => Next::Again(later(now, wait_ms)),
            None => Next::End(State::Exhausted),
        },
    }
}

fn later(now: Timestamp, wait_ms: i64) -> Timestamp {
    now.checked_add(jiff::SignedDuration::from_millis(wait_ms)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule { waits_ms: vec![1_000, 10_000], jitter: 0.0 }
    }

    #[test]
    fn an_answer_decides_what_becomes_of_a_delivery() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |seconds: i64| Next::Again(Timestamp::from_second(seconds).unwrap());
        let unreached = Answer::Unreached { reason: "connection refused".into() };
        let busy = Answer::Busy { reason: "503".into(), retry_after_seconds: Some(60) };
        for (answer, attempt, expected) in [
            (Answer::Accepted { reference: None }, 1, Next::End(State::Delivered)),
            (Answer::Refused { reason: "unknown".into() }, 1, Next::End(State::Refused)),
            (unreached.clone(), 1, at(1)),
            (unreached.clone(), 2, at(10)),
            (unreached, 3, Next::End(State::Exhausted)),
            (busy.clone(), 1, at(60)),
            (busy, 3, Next::End(State::Exhausted)),
            (Answer::Unanswered { reason: "no answer in time".into() }, 1, at(1)),
        ] {
            assert_eq!(after(&answer, attempt, &schedule(), now, 0.5), expected, "{answer:?} at try {attempt}");
        }
    }
}
