//! What Stile keeps, and the only module that knows SQL.
//!
//! One thread writes. It takes the units of work that wait, runs each in a savepoint of one transaction, commits once
//! for all of them, and only then answers: durable throughput is fsyncs times batch. Because there is one writer, what
//! a unit reads and what it writes are one consistent step. Readers have connections of their own beside it.

mod delivery;
mod failure;
mod request;
mod rows;
mod shown;
mod unit;
mod view;
mod writer;

pub use failure::Failure;
pub use rows::{
    AttemptRow, DeliveryRow, EventRow, KeptKey, KeptResource, NewDelivery, NewResource, NewSubmission, Query,
};
pub use unit::Unit;
pub use view::View;

use crate::error::Error;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The version of the schema, kept in SQLite's `user_version`.
const SCHEMA_VERSION: i32 = 1;

/// How long a connection waits for another process's lock, in milliseconds.
const LOCK_WAIT_MS: u64 = 5_000;

/// The store. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct Store {
    writer: Arc<writer::Writer>,
    readers: Arc<Readers>,
}

struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens the store in a folder, made if it is not there.
    pub fn open(folder: &Path) -> Result<Store, Failure> {
        std::fs::create_dir_all(folder).map_err(|cause| Failure::Folder(folder.display().to_string(), cause))?;
        let file = folder.join("stile.sqlite");
        let connection = Connection::open(&file)?;
        prepare(&connection)?;
        migrate(&connection)?;
        let readers = Readers { file, idle: Mutex::new(Vec::new()) };
        Ok(Store { writer: Arc::new(writer::Writer::start(connection)?), readers: Arc::new(readers) })
    }

    /// Runs one unit of work. When this returns, what it wrote is on disk; when it fails, nothing of it is.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Unit<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.writer.submit(work).await
    }

    /// Reads a consistent view of what is committed.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&View<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let readers = Arc::clone(&self.readers);
        let task = tokio::task::spawn_blocking(move || readers.with(work));
        task.await.map_err(|_| Error::from(Failure::Panicked))?
    }

    /// Ends the writer after the work that it has taken, and closes the file.
    pub fn close(&self) {
        self.writer.close();
        if let Ok(mut idle) = self.readers.idle.lock() {
            idle.clear();
        }
    }
}

impl Readers {
    fn with<T>(&self, work: impl FnOnce(&View<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let connection = match idle {
            Some(connection) => connection,
            None => self.open().map_err(Error::from)?,
        };
        // One transaction, so that all that the work reads is of one moment.
        let result = (|| {
            connection.execute_batch("BEGIN").map_err(Failure::from)?;
            let result = work(&View::over(&connection));
            connection.execute_batch("COMMIT").map_err(Failure::from)?;
            result
        })();
        if connection.is_autocommit()
            && let Ok(mut idle) = self.idle.lock()
        {
            idle.push(connection);
        }
        result
    }

    fn open(&self) -> Result<Connection, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.busy_timeout(std::time::Duration::from_millis(LOCK_WAIT_MS))?;
        Ok(connection)
    }
}

/// Durable settings: a commit that has returned survives a power cut.
fn prepare(connection: &Connection) -> Result<(), Failure> {
    connection.busy_timeout(std::time::Duration::from_millis(LOCK_WAIT_MS))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    // What a savepoint needs to go back; on disk it would be a file made and removed for each unit.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn migrate(connection: &Connection) -> Result<(), Failure> {
    let found: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match found {
        0 => {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE;\n{}\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;",
                include_str!("schema.sql")
            ))?;
            Ok(())
        }
        SCHEMA_VERSION => Ok(()),
        found => Err(Failure::Version { found, known: SCHEMA_VERSION }),
    }
}

#[cfg(test)]
mod tests;
