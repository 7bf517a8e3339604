//! Deliveries: kept, claimed with a lease, recorded under a fence.

use super::rows::{AttemptRow, DeliveryRow, NewDelivery};
use super::view::instant;
use super::{Failure, Unit, View};
use crate::delivery::{Answer, Claim, Message, Next, State};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

const DELIVERY: &str = "d.id, d.request, r.ask, d.downstream, d.lane, d.state, d.resource_type, d.correlation_id, \
                        d.kept_ms, d.due_ms, d.attempts, d.reason FROM delivery d JOIN request r ON r.id = d.request";

/// No earlier delivery of its lane is open.
const IS_FIRST: &str = "NOT EXISTS (SELECT 1 FROM delivery e WHERE e.lane = d.lane AND e.number < d.number \
                        AND e.state IN ('waiting', 'leased', 'exhausted'))";

/// Ends leases that have run out on behalf of requests that have ended.
pub(super) const WITHDRAW: &str = "UPDATE delivery SET state = 'withdrawn' \
                                   WHERE downstream = ?1 AND due_ms <= ?2 AND state IN ('waiting', 'leased') \
                                   AND state = 'leased' AND NOT EXISTS \
                                   (SELECT 1 FROM request r WHERE r.id = delivery.request AND r.is_open = 1)";

fn delivery(row: &Row<'_>) -> rusqlite::Result<Option<DeliveryRow>> {
    let Some(state) = State::from_name(&row.get::<_, String>(5)?) else { return Ok(None) };
    Ok(Some(DeliveryRow {
        id: row.get(0)?,
        request: row.get(1)?,
        ask: row.get(2)?,
        downstream: row.get(3)?,
        lane: row.get(4)?,
        state,
        resource_type: row.get(6)?,
        correlation_id: row.get(7)?,
        kept_at: instant(row.get(8)?),
        due_at: instant(row.get(9)?),
        attempts: row.get(10)?,
        reason: row.get(11)?,
    }))
}

impl View<'_> {
    /// Deliveries in the order they were kept; those in `state` only, when one is given.
    pub fn deliveries(&self, state: Option<State>, count: u32) -> Result<Vec<DeliveryRow>, Failure> {
        let sql = format!("SELECT {DELIVERY} WHERE (?1 IS NULL OR d.state = ?1) ORDER BY d.number DESC LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![state.map(State::as_str), count], delivery)?;
        rows.map(|row| row?.ok_or(Failure::Unreadable("delivery"))).collect()
    }

    /// One delivery with its tries.
    pub fn delivery(&self, id: &str) -> Result<Option<(DeliveryRow, Vec<AttemptRow>)>, Failure> {
        let sql = format!("SELECT {DELIVERY} WHERE d.id = ?1");
        let Some(row) = self.connection.prepare_cached(&sql)?.query_row([id], delivery).optional()? else {
            return Ok(None);
        };
        let row = row.ok_or(Failure::Unreadable("delivery"))?;
        let sql =
            "SELECT number, started_ms, ended_ms, answer, reason FROM attempt WHERE delivery = ?1 ORDER BY number";
        let mut statement = self.connection.prepare_cached(sql)?;
        let attempts = statement.query_map([id], |row| {
            Ok(AttemptRow {
                number: row.get(0)?,
                started_at: instant(row.get(1)?),
                ended_at: instant(row.get(2)?),
                answer: row.get(3)?,
                reason: row.get(4)?,
            })
        })?;
        Ok(Some((row, attempts.collect::<rusqlite::Result<_>>()?)))
    }

    /// When a delivery of a downstream is next due, or its lease ends: of those that are the first open one of their
    /// lane, since the others wait for them whatever their own time is.
    pub fn next_due(&self, downstream: &str) -> Result<Option<Timestamp>, Failure> {
        let sql = format!(
            "SELECT d.due_ms FROM delivery d WHERE d.downstream = ?1 AND d.state IN ('waiting', 'leased') \
             AND {IS_FIRST} ORDER BY d.due_ms LIMIT 1"
        );
        let due = self.connection.prepare_cached(&sql)?.query_row([downstream], |row| row.get(0)).optional()?;
        Ok(due.map(instant))
    }
}

impl View<'_> {
    /// The downstreams that open deliveries go to, and how many there are for each.
    pub fn open_downstreams(&self) -> Result<Vec<(String, u64)>, Failure> {
        let sql = "SELECT downstream, count(*) FROM delivery WHERE state IN ('waiting', 'leased') GROUP BY downstream";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Unit<'_> {
    /// Keeps a delivery, due at once.
    pub fn put_delivery(&self, delivery: &NewDelivery<'_>) -> Result<(), Failure> {
        let sql = "INSERT INTO delivery (id, request, downstream, lane, state, resource_type, body, correlation_id, \
                   kept_ms, due_ms) VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?6, ?7, ?8, ?8)";
        self.connection.prepare_cached(sql)?.execute(params![
            delivery.id,
            delivery.request,
            delivery.downstream,
            delivery.lane.as_str(),
            delivery.resource_type,
            delivery.body,
            delivery.correlation_id,
            delivery.at.as_millisecond(),
        ])?;
        Ok(())
    }

    /// Leases up to `count` deliveries of a downstream that are due, the first open one of each lane, until
    /// `lease_until`. A lease that has run out is taken over: the try it belonged to may have reached the receiver,
    /// and the same message id goes out again.
    pub fn claim(
        &self,
        downstream: &str,
        count: u32,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claim>, Failure> {
        // What a killed process had on the wire for a request that has ended since is not sent again.
        self.connection.prepare_cached(WITHDRAW)?.execute(params![downstream, now.as_millisecond()])?;
        let sql = format!(
            "SELECT d.id, d.resource_type, d.body, d.correlation_id, d.round, d.fence FROM delivery d \
             WHERE d.downstream = ?1 AND d.due_ms <= ?2 AND d.state IN ('waiting', 'leased') AND {IS_FIRST} \
             ORDER BY d.due_ms, d.number LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![downstream, now.as_millisecond(), count], |row| {
            let id: String = row.get(0)?;
            Ok(Claim {
                delivery: id.clone(),
                downstream: downstream.to_owned(),
                message: Message { id, resource_type: row.get(1)?, body: row.get(2)?, correlation_id: row.get(3)? },
                attempt: row.get::<_, u32>(4)? + 1,
                fence: row.get::<_, i64>(5)? + 1,
            })
        })?;
        let claims = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let sql = "UPDATE delivery SET state = 'leased', due_ms = ?2, fence = ?3, attempts = attempts + 1, round = ?4 \
                   WHERE id = ?1";
        let mut update = self.connection.prepare_cached(sql)?;
        for claim in &claims {
            update.execute(params![claim.delivery, lease_until.as_millisecond(), claim.fence, claim.attempt])?;
        }
        Ok(claims)
    }

    /// Records the answer to a claimed delivery: the request that caused it, or none when the lease was lost and the
    /// answer is another dispatcher's to record.
    pub fn record(
        &self,
        claim: &Claim,
        answer: &Answer,
        next: &Next,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let request: String = self
            .connection
            .prepare_cached("SELECT request FROM delivery WHERE id = ?1")?
            .query_row([&claim.delivery], |row| row.get(0))?;
        let is_wanted = self.request(&request)?.is_some_and(|request| request.state.is_open());
        let (state, due) = match next {
            Next::End(State::Exhausted) | Next::Again(_) if !is_wanted => (State::Withdrawn, now),
            Next::End(state) => (*state, now),
            Next::Again(at) => (State::Waiting, *at),
        };
        let sql = "UPDATE delivery SET state = ?3, due_ms = ?4, reason = ?5 \
                   WHERE id = ?1 AND fence = ?2 AND state = 'leased'";
        let changed = self.connection.prepare_cached(sql)?.execute(params![
            claim.delivery,
            claim.fence,
            state.as_str(),
            due.as_millisecond(),
            answer.reason(),
        ])?;
        if changed == 0 {
            return Ok(None);
        }
        let sql = "INSERT OR REPLACE INTO attempt (delivery, number, started_ms, ended_ms, answer, reason) \
                   SELECT ?1, attempts, ?2, ?3, ?4, ?5 FROM delivery WHERE id = ?1";
        self.connection.prepare_cached(sql)?.execute(params![
            claim.delivery,
            started_at.as_millisecond(),
            now.as_millisecond(),
            answer.as_str(),
            answer.reason(),
        ])?;
        Ok(Some(request))
    }

    /// Ends what a request that has ended still had to send, so that nothing is done that nobody wants any more and
    /// nothing waits behind it. One that is on the wire is let be; its answer is recorded.
    pub(super) fn withdraw_deliveries(&self, request: &str) -> Result<(), Failure> {
        let sql = "UPDATE delivery SET state = 'withdrawn' WHERE request = ?1 AND state IN ('waiting', 'exhausted')";
        self.connection.prepare_cached(sql)?.execute([request])?;
        Ok(())
    }

    /// Ends all leases: for a process that starts, and finds those of the one before it. How many there were.
    pub fn end_leases(&self, now: Timestamp) -> Result<usize, Failure> {
        let sql = "UPDATE delivery SET due_ms = ?1 WHERE state = 'leased' AND due_ms > ?1";
        Ok(self.connection.prepare_cached(sql)?.execute([now.as_millisecond()])?)
    }

    /// Makes an exhausted or waiting delivery due at once, its schedule begun anew. False when there is none such.
    pub fn retry(&self, id: &str, now: Timestamp) -> Result<bool, Failure> {
        let sql = "UPDATE delivery SET state = 'waiting', due_ms = ?2, round = 0 \
                   WHERE id = ?1 AND state IN ('waiting', 'exhausted')";
        Ok(self.connection.prepare_cached(sql)?.execute(params![id, now.as_millisecond()])? > 0)
    }
}
