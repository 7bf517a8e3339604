//! The machine itself.

use super::Ask;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Accepted here.
    Requested,
    /// Received by the downstream.
    Forwarded,
    /// The downstream is dealing with it.
    Acknowledged,
    /// The PAS has made the change.
    Applied,
    /// The PAS has booked the follow-up.
    Booked,
    /// The follow-up was dealt with without an appointment.
    Resolved,
    /// The PAS decided against it.
    Refused,
    /// The patient took it back.
    Withdrawn,
    /// A later request for the same appointment took over.
    Superseded,
    /// It could not be delivered; a person must act.
    Undeliverable,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The downstream has received it.
    Forwarded,
    /// The downstream deals with it.
    Acknowledged,
    /// The PAS has made the change.
    Applied,
    /// The PAS has booked the follow-up as this appointment of ours.
    Booked {
        /// Stile's id of the appointment.
        appointment: String,
    },
    /// The follow-up was dealt with without an appointment.
    Resolved,
    /// The PAS decided against it.
    Refused {
        /// Why, fit for the requester.
        reason: String,
    },
    /// The patient took it back.
    Withdrawn,
    /// Another request took over.
    Superseded {
        /// The other request.
        by: String,
    },
    /// It could not be delivered.
    Undeliverable {
        /// Why, for an operator.
        reason: String,
    },
}

impl State {
    /// Every state.
    pub const ALL: &'static [State] = &[
        State::Requested,
        State::Forwarded,
        State::Acknowledged,
        State::Applied,
        State::Booked,
        State::Resolved,
        State::Refused,
        State::Withdrawn,
        State::Superseded,
        State::Undeliverable,
    ];

    /// The name: in `Task.businessStatus`, in the store, on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Requested => "requested",
            State::Forwarded => "forwarded",
            State::Acknowledged => "acknowledged",
            State::Applied => "applied",
            State::Booked => "booked",
            State::Resolved => "resolved",
            State::Refused => "refused",
            State::Withdrawn => "withdrawn",
            State::Superseded => "superseded",
            State::Undeliverable => "undeliverable",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<State> {
        State::ALL.iter().copied().find(|state| state.as_str() == name)
    }

    /// True while the request has not come to its end.
    pub fn is_open(self) -> bool {
        match self {
            State::Requested | State::Forwarded | State::Acknowledged | State::Undeliverable => true,
            State::Applied
            | State::Booked
            | State::Resolved
            | State::Refused
            | State::Withdrawn
            | State::Superseded => false,
        }
    }

    /// R4 `task-status` that shows the state.
    pub fn task_status(self) -> &'static str {
        match self {
            State::Requested => "requested",
            State::Forwarded => "received",
            State::Acknowledged => "accepted",
            State::Applied | State::Booked | State::Resolved => "completed",
            State::Refused => "rejected",
            State::Withdrawn | State::Superseded => "cancelled",
            State::Undeliverable => "on-hold",
        }
    }
}

impl Event {
    /// The name in the record of events.
    pub fn as_str(&self) -> &'static str {
        self.leads_to().as_str()
    }

    /// The reason that it carries.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Event::Refused { reason } | Event::Undeliverable { reason } => Some(reason),
            Event::Forwarded
            | Event::Acknowledged
            | Event::Applied
            | Event::Booked { .. }
            | Event::Resolved
            | Event::Withdrawn
            | Event::Superseded { .. } => None,
        }
    }

    fn leads_to(&self) -> State {
        match self {
            Event::Forwarded => State::Forwarded,
            Event::Acknowledged => State::Acknowledged,
            Event::Applied => State::Applied,
            Event::Booked { .. } => State::Booked,
            Event::Resolved => State::Resolved,
            Event::Refused { .. } => State::Refused,
            Event::Withdrawn => State::Withdrawn,
            Event::Superseded { .. } => State::Superseded,
            Event::Undeliverable { .. } => State::Undeliverable,
        }
    }
}

/// The state after `event`, or none where the event changes nothing: a request that has ended stays ended, progress
/// is not taken back by a slower messenger, and an end belongs to its kind of request.
pub fn next(ask: Ask, state: State, event: &Event) -> Option<State> {
    if !state.is_open() {
        return None;
    }
    if !belongs(ask, event) {
        return None;
    }
    let to = event.leads_to();
    let forward = match (state, to) {
        (State::Acknowledged, State::Forwarded) => false,
        // What the downstream has already answered for cannot become undeliverable.
        (State::Forwarded | State::Acknowledged, State::Undeliverable) => false,
        (from, to) => from != to,
    };
    forward.then_some(to)
}

/// Whether this kind of request can meet this event.
pub fn belongs(ask: Ask, event: &Event) -> bool {
    match (event, ask) {
        (Event::Applied | Event::Superseded { .. }, Ask::PifuBooking) => false,
        (Event::Booked { .. } | Event::Resolved, Ask::Change(_)) => false,
        (Event::Applied | Event::Superseded { .. }, Ask::Change(_)) => true,
        (Event::Booked { .. } | Event::Resolved, Ask::PifuBooking) => true,
        (
            Event::Forwarded
            | Event::Acknowledged
            | Event::Refused { .. }
            | Event::Withdrawn
            | Event::Undeliverable { .. },
            Ask::Change(_) | Ask::PifuBooking,
        ) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ChangeKind;

    fn events() -> Vec<Event> {
        vec![
            Event::Forwarded,
            Event::Acknowledged,
            Event::Applied,
            Event::Booked { appointment: "a".into() },
            Event::Resolved,
            Event::Refused { reason: "no".into() },
            Event::Withdrawn,
            Event::Superseded { by: "b".into() },
            Event::Undeliverable { reason: "down".into() },
        ]
    }

    #[test]
    fn what_has_ended_stays_ended() {
        for &ask in Ask::ALL {
            for &state in State::ALL.iter().filter(|state| !state.is_open()) {
                for event in events() {
                    assert_eq!(next(ask, state, &event), None, "{ask:?} {state:?} {event:?}");
                }
            }
        }
    }

    #[test]
    fn every_open_state_has_a_way_to_an_end() {
        for &ask in Ask::ALL {
            for &state in State::ALL.iter().filter(|state| state.is_open()) {
                let ends = events().iter().filter_map(|event| next(ask, state, event)).any(|to| !to.is_open());
                assert!(ends, "{ask:?} in {state:?} has no way out");
            }
        }
    }

    #[test]
    fn the_main_line_and_the_ends_that_belong_to_each_kind() {
        let cancel = Ask::Change(ChangeKind::Cancel);
        for (ask, from, event, to) in [
            (cancel, State::Requested, Event::Forwarded, Some(State::Forwarded)),
            (cancel, State::Forwarded, Event::Acknowledged, Some(State::Acknowledged)),
            (cancel, State::Acknowledged, Event::Forwarded, None),
            (cancel, State::Acknowledged, Event::Applied, Some(State::Applied)),
            (cancel, State::Requested, Event::Applied, Some(State::Applied)),
            (cancel, State::Requested, Event::Resolved, None),
            (cancel, State::Undeliverable, Event::Forwarded, Some(State::Forwarded)),
            (cancel, State::Acknowledged, Event::Undeliverable { reason: String::new() }, None),
            (Ask::PifuBooking, State::Acknowledged, Event::Applied, None),
            (Ask::PifuBooking, State::Forwarded, Event::Booked { appointment: "a".into() }, Some(State::Booked)),
            (Ask::PifuBooking, State::Requested, Event::Superseded { by: "b".into() }, None),
        ] {
            assert_eq!(next(ask, from, &event), to, "{ask:?} {from:?} {event:?}");
        }
    }
}
