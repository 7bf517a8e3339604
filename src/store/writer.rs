//! The one thread that writes: group commit.

use super::{Failure, Unit};
use crate::error::Error;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Units of work that may wait; more are refused at once, so that memory stays bounded.
const QUEUE_MAX: usize = 4_096;

/// Units of work that share a commit at the most. Past this a longer batch only adds waiting (reference: measured,
/// SQLite).
const BATCH_MAX: usize = 256;

/// Runs in the transaction, and answers when it is committed. Without a connection it does not run and the answer
/// must be a failure.
type Job = Box<dyn FnOnce(Option<&Connection>) -> Done + Send>;
type Done = Box<dyn FnOnce(Option<&Failure>) + Send>;

pub(super) struct Writer {
    jobs: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Writer, Failure> {
        let (jobs, queue) = sync_channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(&connection, &queue))
            .map_err(|cause| Failure::Folder("(thread)".into(), cause))?;
        Ok(Writer { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)) })
    }

    pub(super) async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Unit<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel::<Result<T, Error>>();
        let job: Job = Box::new(move |connection| {
            let result = connection.map(|connection| in_savepoint(connection, work));
            Box::new(move |failure| {
                let result = match (result, failure) {
                    (Some(result), None) => result,
                    // A refusal too: it may rest on what another unit of the batch wrote, and that is gone.
                    (Some(_) | None, Some(failure)) => Err(uncommitted(failure)),
                    (None, None) => Err(Failure::Closed.into()),
                };
                // A caller that has gone away no longer needs the answer.
                let _ = answer.send(result);
            })
        });
        let jobs = self.jobs.lock().ok().and_then(|jobs| jobs.clone()).ok_or(Failure::Closed)?;
        jobs.try_send(job).map_err(|full| match full {
            TrySendError::Full(_) => Failure::Full,
            TrySendError::Disconnected(_) => Failure::Closed,
        })?;
        answered.await.unwrap_or_else(|_| Err(Failure::Closed.into()))
    }

    pub(super) fn close(&self) {
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs.take();
        }
        if let Ok(mut thread) = self.thread.lock()
            && let Some(thread) = thread.take()
        {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let mut done = Vec::new();
        let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(Failure::from);
        if let Err(failure) = begun {
            // Without a transaction nothing may run: the first of the queue hears it, the others get their own try.
            tracing::error!(cause = %failure, "no transaction could begin");
            first(None)(Some(&failure));
            continue;
        }
        let mut next = Some(first);
        while let Some(job) = next {
            done.push(job(Some(connection)));
            // SQLite may end the whole transaction by itself, for example on a full disk: nothing more may join it.
            let goes_on = done.len() < BATCH_MAX && !connection.is_autocommit();
            next = if goes_on { queue.try_recv().ok() } else { None };
        }
        let committed = connection.execute_batch("COMMIT").map_err(Failure::from);
        if let Err(failure) = &committed {
            tracing::error!(cause = %failure, units = done.len(), "a commit failed; nothing of it is kept");
            let _ = connection.execute_batch("ROLLBACK");
        }
        metrics::histogram!("stile_store_batch_size").record(done.len() as f64);
        for answer in done {
            answer(committed.as_ref().err());
        }
    }
    // Everything is on disk already; this only spares the next start the log.
    let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
}

fn in_savepoint<T>(connection: &Connection, work: impl FnOnce(&Unit<'_>) -> Result<T, Error>) -> Result<T, Error> {
    connection.execute_batch("SAVEPOINT unit").map_err(Failure::from)?;
    let result = catch_unwind(AssertUnwindSafe(|| work(&Unit::over(connection))))
        .unwrap_or_else(|_| Err(Failure::Panicked.into()));
    let end = if result.is_ok() { "RELEASE unit" } else { "ROLLBACK TO unit; RELEASE unit" };
    connection.execute_batch(end).map_err(Failure::from)?;
    result
}

fn uncommitted(failure: &Failure) -> Error {
    Error::Unavailable { reason: format!("nothing was kept: {}", kind(failure)), retry_after_seconds: 5 }
}

fn kind(failure: &Failure) -> &'static str {
    match failure {
        Failure::Sqlite(cause) if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => {
            "the disk is full"
        }
        Failure::Sqlite(_)
        | Failure::Folder(..)
        | Failure::Version { .. }
        | Failure::Full
        | Failure::Closed
        | Failure::Panicked
        | Failure::Unreadable(_) => "the store could not commit",
    }
}
