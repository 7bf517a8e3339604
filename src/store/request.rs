//! Patients' requests and their events.

use super::rows::EventRow;
use super::view::instant;
use super::{Failure, Unit, View};
use crate::ledger::{Ask, Event, Request, State, next};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

const REQUEST: &str = "id, ask, state, appointment, pathway, organisation, requested_ms, changed_ms, reason, source, \
                       asked_ms, starts_ms";

fn request(row: &Row<'_>) -> rusqlite::Result<Option<Request>> {
    let (Some(ask), Some(state)) =
        (Ask::from_name(&row.get::<_, String>(1)?), State::from_name(&row.get::<_, String>(2)?))
    else {
        return Ok(None);
    };
    Ok(Some(Request {
        id: row.get(0)?,
        ask,
        state,
        appointment: row.get(3)?,
        pathway: row.get(4)?,
        organisation: row.get(5)?,
        requested_at: instant(row.get(6)?),
        changed_at: instant(row.get(7)?),
        reason: row.get(8)?,
        source: row.get(9)?,
        asked_at: row.get::<_, Option<i64>>(10)?.map(instant),
        appointment_starts_at: row.get::<_, Option<i64>>(11)?.map(instant),
    }))
}

impl View<'_> {
    /// One request.
    pub fn request(&self, id: &str) -> Result<Option<Request>, Failure> {
        let sql = format!("SELECT {REQUEST} FROM request WHERE id = ?1");
        match self.connection.prepare_cached(&sql)?.query_row([id], request).optional()? {
            None => Ok(None),
            Some(None) => Err(Failure::Unreadable("request")),
            Some(found) => Ok(found),
        }
    }

    /// The newest request that a resource made.
    pub fn last_request_of(&self, source: &str) -> Result<Option<Request>, Failure> {
        let sql =
            format!("SELECT {REQUEST} FROM request WHERE source = ?1 ORDER BY requested_ms DESC, id DESC LIMIT 1");
        match self.connection.prepare_cached(&sql)?.query_row([source], request).optional()? {
            None => Ok(None),
            Some(None) => Err(Failure::Unreadable("request")),
            Some(found) => Ok(found),
        }
    }

    /// The requests about an appointment that have not ended, oldest first.
    pub fn open_about(&self, appointment: &str) -> Result<Vec<Request>, Failure> {
        self.open_by("appointment", appointment)
    }

    /// The PIFU bookings on a pathway that have not ended, oldest first.
    pub fn open_on_pathway(&self, pathway: &str) -> Result<Vec<Request>, Failure> {
        self.open_by("pathway", pathway)
    }

    fn open_by(&self, column: &'static str, wanted: &str) -> Result<Vec<Request>, Failure> {
        let sql =
            format!("SELECT {REQUEST} FROM request WHERE {column} = ?1 AND is_open = 1 ORDER BY requested_ms, id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([wanted], request)?;
        rows.map(|row| row?.ok_or(Failure::Unreadable("request"))).collect()
    }

    /// What happened to a request, in order.
    pub fn events(&self, request: &str) -> Result<Vec<EventRow>, Failure> {
        let sql = "SELECT at_ms, name, reason FROM event WHERE request = ?1 ORDER BY number";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([request], |row| {
            Ok(EventRow { at: instant(row.get(0)?), name: row.get(1)?, reason: row.get(2)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Unit<'_> {
    /// Keeps a new request.
    pub fn put_request(&self, request: &Request, correlation_id: &str) -> Result<(), Failure> {
        let sql = "INSERT INTO request (id, ask, state, is_open, appointment, pathway, organisation, requested_ms, \
                   changed_ms, reason, source, asked_ms, starts_ms) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
        self.connection.prepare_cached(sql)?.execute(params![
            request.id,
            request.ask.as_str(),
            request.state.as_str(),
            request.state.is_open(),
            request.appointment,
            request.pathway,
            request.organisation,
            request.requested_at.as_millisecond(),
            request.changed_at.as_millisecond(),
            request.reason,
            request.source,
            request.asked_at.map(Timestamp::as_millisecond),
            request.appointment_starts_at.map(Timestamp::as_millisecond),
        ])?;
        self.put_event(&request.id, request.state.as_str(), None, correlation_id, request.requested_at)
    }

    /// Lets an event happen to a request: the state after it, or none where it changes nothing. The Task that shows
    /// the request, and the appointment that it is about, get a new version.
    pub fn happen(
        &self,
        id: &str,
        event: &Event,
        correlation_id: &str,
        now: Timestamp,
    ) -> Result<Option<State>, Failure> {
        let Some(request) = self.request(id)? else { return Ok(None) };
        let Some(state) = next(request.ask, request.state, event) else { return Ok(None) };
        let booked = match event {
            Event::Booked { appointment } => Some(appointment.as_str()),
            Event::Forwarded
            | Event::Acknowledged
            | Event::Applied
            | Event::Resolved
            | Event::Refused { .. }
            | Event::Withdrawn
            | Event::Superseded { .. }
            | Event::Undeliverable { .. } => None,
        };
        let sql = "UPDATE request SET state = ?2, is_open = ?3, changed_ms = ?4, reason = ?5, \
                   appointment = coalesce(?6, appointment) WHERE id = ?1";
        self.connection.prepare_cached(sql)?.execute(params![
            id,
            state.as_str(),
            state.is_open(),
            now.as_millisecond(),
            event.reason(),
            booked,
        ])?;
        self.put_event(id, event.as_str(), event.reason(), correlation_id, now)?;
        self.touch("Task", id, Some(state.task_status()), now)?;
        if !state.is_open() {
            self.withdraw_deliveries(id)?;
            if let Some(appointment) = &request.appointment {
                self.touch("Appointment", appointment, None, now)?;
            }
        }
        metrics::counter!("stile_request_events_total", "ask" => request.ask.as_str(), "event" => event.as_str())
            .increment(1);
        Ok(Some(state))
    }

    fn put_event(
        &self,
        request: &str,
        name: &str,
        reason: Option<&str>,
        correlation_id: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let sql = "INSERT INTO event (request, at_ms, name, reason, correlation_id) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![request, now.as_millisecond(), name, reason, correlation_id];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}
