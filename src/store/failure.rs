//! What can go wrong inside the store.

use crate::error::Error;

/// Why the store could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// SQLite's own fault.
    #[error("the store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The folder cannot be made or opened.
    #[error("the store's folder {0} cannot be opened: {1}")]
    Folder(String, std::io::Error),
    /// The file was written by another version of Stile.
    #[error("the store has schema version {found}; this program knows {known}")]
    Version {
        /// The file's version.
        found: i32,
        /// Ours.
        known: i32,
    },
    /// More work waits than the store can take.
    #[error("the store's queue is full")]
    Full,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// A unit of work panicked; nothing of it was kept.
    #[error("a unit of work panicked")]
    Panicked,
    /// What was kept cannot be read back.
    #[error("a kept {0} cannot be read back")]
    Unreadable(&'static str),
}

impl From<Failure> for Error {
    /// Where a failure becomes what a caller meets, and so where it is logged, once.
    fn from(failure: Failure) -> Error {
        match failure {
            Failure::Full | Failure::Closed => {
                tracing::warn!(cause = %failure, "refusing work");
                Error::Unavailable { reason: failure.to_string(), retry_after_seconds: 1 }
            }
            Failure::Sqlite(_) | Failure::Folder(..) if is_passing(&failure) => {
                tracing::error!(cause = %failure, "the store is not available");
                Error::Unavailable { reason: "the store is not available".into(), retry_after_seconds: 5 }
            }
            Failure::Sqlite(_)
            | Failure::Folder(..)
            | Failure::Version { .. }
            | Failure::Panicked
            | Failure::Unreadable(_) => {
                let incident = uuid::Uuid::new_v4().to_string();
                tracing::error!(incident, cause = %failure, "internal fault");
                Error::Internal(incident)
            }
        }
    }
}

/// True for faults that may heal: a full disk, a lock, an I/O error.
fn is_passing(failure: &Failure) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly, SystemIoFailure};
    match failure {
        Failure::Sqlite(cause) => matches!(
            cause.sqlite_error_code(),
            Some(DiskFull | DatabaseBusy | DatabaseLocked | SystemIoFailure | CannotOpen | ReadOnly)
        ),
        Failure::Folder(..) => true,
        Failure::Version { .. } | Failure::Full | Failure::Closed | Failure::Panicked | Failure::Unreadable(_) => false,
    }
}
