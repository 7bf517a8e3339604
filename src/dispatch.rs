//! The one way out: claim what is due, send it, record the answer.
//!
//! Claiming and recording are short units of work; no transaction is open while a message is on the wire. A lease
//! that runs out, because the process was killed or the receiver took too long, is claimed again, and the same bytes
//! with the same identity go out again.

use crate::delivery::{self, Answer, Claim, Next, Schedule, State};
use crate::downstream::FhirRest;
use crate::error::Error;
use crate::ledger::Event;
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Rung when something new may be due. A hint that carries nothing: what is due stands in the store.
pub type Bell = Arc<watch::Sender<()>>;

/// A downstream and how it is written to.
pub struct Line {
    /// What carries the bytes.
    pub adapter: FhirRest,
    /// When to try again.
    pub schedule: Schedule,
    /// Messages on the wire at once, at the most.
    pub concurrency: u32,
    /// How long a claim is good for, in milliseconds: longer than the adapter's own time limit.
    pub lease_ms: i64,
    /// Asks that this downstream gives no other word of than its acknowledgement, which therefore ends them.
    pub acknowledgement_applies: BTreeSet<String>,
}

/// Sends what is due. Cheap to clone.
#[derive(Clone)]
pub struct Dispatch {
    store: Store,
    lines: Arc<BTreeMap<String, Line>>,
    bell: Bell,
    idle_ms: u64,
}

impl Dispatch {
    /// A dispatcher of these lines. `bell` is rung by intake when something new is due; `idle_ms` is how long it
    /// sleeps at the most, because another process (the command line) may have made something due.
    pub fn new(store: Store, lines: BTreeMap<String, Line>, bell: Bell, idle_ms: u64) -> Self {
        Dispatch { store, lines: Arc::new(lines), bell, idle_ms }
    }

    /// Sends everything that is due at `now` and waits for all the answers: how many messages were sent. For tests
    /// and for a site that wants to step it; [`Dispatch::run`] is the everyday way.
    pub async fn step(&self, now: Timestamp) -> Result<usize, Error> {
        let mut tries = JoinSet::new();
        for (name, line) in self.lines.iter() {
            for claim in self.claim(name, line, line.concurrency, now).await? {
                let this = self.clone();
                tries.spawn(async move { this.deliver(claim, now, || now).await });
            }
        }
        let sent = tries.len();
        while let Some(done) = tries.join_next().await {
            done.map_err(|_| Error::Internal("a delivery task ended badly".into()))??;
        }
        Ok(sent)
    }

    /// Sends what is due, as it becomes due, until told to stop; then waits for the answers that are on the wire.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        // One process sends from a store: leases that stand at its start are those of one that was killed.
        match self.store.write(|unit| Ok(unit.end_leases(Timestamp::now())?)).await {
            Ok(0) => {}
            Ok(count) => tracing::warn!(count, "leases of a process that was killed are taken over"),
            Err(error) => tracing::error!(cause = %error, "old leases stand until they run out"),
        }
        let mut lines = JoinSet::new();
        for name in self.lines.keys() {
            let (this, name, stop) = (self.clone(), name.clone(), stop.clone());
            lines.spawn(async move { this.run_line(&name, stop).await });
        }
        while !*stop.borrow() && stop.changed().await.is_ok() {}
        while lines.join_next().await.is_some() {}
    }

    async fn run_line(&self, name: &str, mut stop: watch::Receiver<bool>) {
        let Some(line) = self.lines.get(name) else { return };
        let mut bell = self.bell.subscribe();
        let places = Arc::new(Semaphore::new(line.concurrency as usize));
        let mut tries: JoinSet<()> = JoinSet::new();
        while !*stop.borrow() {
            while tries.try_join_next().is_some() {}
            let free = places.available_permits() as u32;
            let claims = if free == 0 { Vec::new() } else { self.claimed(name, line, free).await };
            let is_idle = claims.is_empty();
            for claim in claims {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { break };
                let this = self.clone();
                tries.spawn(async move {
                    if let Err(error) = this.deliver(claim, Timestamp::now(), Timestamp::now).await {
                        tracing::error!(cause = %error, "an answer could not be recorded; its lease will run out");
                    }
                    drop(place);
                    // The next of the same lane may be due now.
                    this.bell.send_replace(());
                });
            }
            if is_idle {
                self.sleep(name, free == 0, &mut bell, &mut stop).await;
            }
        }
        while tries.join_next().await.is_some() {}
    }

    async fn claimed(&self, name: &str, line: &Line, free: u32) -> Vec<Claim> {
        match self.claim(name, line, free, Timestamp::now()).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::error!(downstream = name, cause = %error, "nothing could be claimed");
                Vec::new()
            }
        }
    }

    /// Until the bell rings, something is due, or it is time to look again. While as many are on the wire as may be,
    /// what is due has to wait for one of them, and its end rings the bell.
    async fn sleep(&self, name: &str, is_full: bool, bell: &mut watch::Receiver<()>, stop: &mut watch::Receiver<bool>) {
        let owned = name.to_owned();
        let due = match is_full {
            true => None,
            false => self.store.read(move |view| Ok(view.next_due(&owned)?)).await.ok().flatten(),
        };
        let until_due = due.map_or(self.idle_ms, |due| {
            u64::try_from(due.duration_since(Timestamp::now()).as_millis()).unwrap_or(0).clamp(5, self.idle_ms.max(5))
        });
        tokio::select! {
            _ = bell.changed() => {}
            _ = stop.changed() => {}
            () = tokio::time::sleep(Duration::from_millis(until_due)) => {}
        }
    }

    async fn claim(&self, name: &str, line: &Line, count: u32, now: Timestamp) -> Result<Vec<Claim>, Error> {
        let name = name.to_owned();
        // Looking costs no fsync; only when something is due does the writer hear of it.
        let owned = name.clone();
        let due = self.store.read(move |view| Ok(view.next_due(&owned)?)).await?;
        if due.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        let lease_until = now.checked_add(SignedDuration::from_millis(line.lease_ms)).unwrap_or(Timestamp::MAX);
        self.store.write(move |unit| Ok(unit.claim(&name, count, now, lease_until)?)).await
    }

    /// Sends one claimed message and records its answer. `clock` tells the time once the answer is in.
    async fn deliver(
        &self,
        claim: Claim,
        started_at: Timestamp,
        clock: impl Fn() -> Timestamp + Send,
    ) -> Result<(), Error> {
        let Some(line) = self.lines.get(&claim.downstream) else { return Ok(()) };
        let answer = line.adapter.send(&claim.message).await;
        let now = clock();
        let next = delivery::after(&answer, claim.attempt, &line.schedule, now, fastrand::f64());
        tracing::info!(
            downstream = claim.downstream,
            delivery = claim.delivery,
            correlation_id = claim.message.correlation_id,
            attempt = claim.attempt,
            answer = answer.as_str(),
            "sent"
        );
        metrics::counter!(
            "stile_delivery_attempts_total", "downstream" => claim.downstream.clone(), "answer" => answer.as_str()
        )
        .increment(1);
        let applies = line.acknowledgement_applies.clone();
        self.store
            .write(move |unit| {
                let Some(request) = unit.record(&claim, &answer, &next, started_at, now)? else { return Ok(()) };
                let correlation_id = &claim.message.correlation_id;
                let ask = unit.request(&request)?.map(|request| request.ask);
                let is_end = ask.is_some_and(|ask| applies.contains(ask.as_str()));
                for event in events_of(&answer, &next, is_end) {
                    unit.happen(&request, &event, correlation_id, now)?;
                }
                Ok(())
            })
            .await
    }
}

/// What an answer means for the request that caused the delivery.
fn events_of(answer: &Answer, next: &Next, acknowledgement_applies: bool) -> Vec<Event> {
    match (answer, next) {
        (Answer::Accepted { .. }, _) => {
            // A FHIR REST receiver answers for itself: what it accepted it also deals with.
            let mut events = vec![Event::Forwarded, Event::Acknowledged];
            if acknowledgement_applies {
                events.push(Event::Applied);
            }
            events
        }
        (Answer::Refused { reason }, _) => vec![Event::Refused { reason: reason.clone() }],
        (
            Answer::Busy { reason, .. } | Answer::Unreached { reason } | Answer::Unanswered { reason },
            Next::End(State::Exhausted),
        ) => vec![Event::Undeliverable { reason: reason.clone() }],
        (Answer::Busy { .. } | Answer::Unreached { .. } | Answer::Unanswered { .. }, Next::Again(_) | Next::End(_)) => {
            Vec::new()
        }
    }
}
