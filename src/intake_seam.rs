//! The one way in: accept a submission.

use crate::access::Caller;
use crate::error::Error;
use crate::fhir::{Format, Token};
use crate::issue::Issue;
use bytes::Bytes;
use jiff::Timestamp;

/// A resource as a caller sent it.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The type in the address.
    pub resource_type: String,
    /// What is asked.
    pub write: Write,
    /// The body, as it came.
    pub body: Bytes,
    /// Its form.
    pub format: Format,
    /// The caller's key for this request: the same key with the same body gets the same answer.
    pub idempotency_key: Option<String>,
    /// Follows the submission to its end.
    pub correlation_id: String,
}

/// Which interaction a submission is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// `POST`: the id is made here.
    Create {
        /// `If-None-Exist`: the identifier whose owner settles the create.
        if_none_exist: Option<Token>,
    },
    /// `PUT`: the id is in the address.
    Update {
        /// The id in the address.
        id: String,
        /// `If-Match`: the version that the caller read.
        if_match: Option<u64>,
    },
}

/// What a caller gets for an accepted submission.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// Type of the resource.
    pub resource_type: String,
    /// Its id.
    pub id: String,
    /// Its version, from 1.
    pub version: u64,
    /// When it was last changed.
    pub last_updated: Timestamp,
    /// True when it did not exist before.
    pub created: bool,
    /// What is worth knowing: warnings, tolerances that were applied.
    pub issues: Vec<Issue>,
    /// The resource as FHIR JSON.
    pub json: String,
}

/// Accepts submissions.
#[derive(Clone)]
pub struct Intake {}

impl Intake {
    /// Accepts a submission whole, or refuses it and keeps nothing.
    pub async fn accept(&self, _caller: &Caller, _submission: Submission, _now: Timestamp) -> Result<Receipt, Error> {
        Err(Error::Internal("not built yet".into()))
    }

    /// Judges a resource and keeps nothing. The issues of the verdict, errors included.
    pub fn validate(
        &self,
        _caller: &Caller,
        _resource_type: &str,
        _body: &[u8],
        _format: Format,
        _now: Timestamp,
    ) -> Result<Vec<Issue>, Error> {
        Err(Error::Internal("not built yet".into()))
    }
}
