//! What became of it: reading, searching, the list.

use crate::access::Caller;
use crate::error::Error;
use crate::fhir::Token;
use jiff::Timestamp;

/// A resource that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its type.
    pub resource_type: String,
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// When it was last changed.
    pub last_updated: Timestamp,
    /// The resource as FHIR JSON, with open requests shown on it.
    pub json: String,
}

/// What to look for. All parts must match; within a part any one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// `_id`.
    pub ids: Vec<String>,
    /// `identifier`.
    pub identifier: Option<Token>,
    /// `patient:identifier`.
    pub patient_identifier: Option<Token>,
    /// `status`.
    pub statuses: Vec<String>,
    /// `_count`: resources on a page.
    pub count: u32,
    /// Where the page begins: what the page before gave as `next`.
    pub after: Option<String>,
}

/// A page of what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// How many there are in all.
    pub total: u64,
    /// Those of this page.
    pub found: Vec<Found>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Answers enquiries.
#[derive(Clone)]
pub struct Enquiry {}

impl Enquiry {
    /// One resource.
    pub async fn read(&self, _caller: &Caller, _resource_type: &str, _id: &str) -> Result<Found, Error> {
        Err(Error::Internal("not built yet".into()))
    }

    /// The resources of a type that match.
    pub async fn search(&self, _caller: &Caller, _resource_type: &str, _search: Search) -> Result<Page, Error> {
        Err(Error::Internal("not built yet".into()))
    }

    /// The waiting-list entry with this id, as JSON in the form of its schema.
    pub async fn waiting_list_entry(&self, _caller: &Caller, _id: &str) -> Result<serde_json::Value, Error> {
        Err(Error::Internal("not built yet".into()))
    }

    /// The waiting-list entries of one patient.
    pub async fn waiting_list_entries(
        &self,
        _caller: &Caller,
        _patient: &Token,
    ) -> Result<Vec<serde_json::Value>, Error> {
        Err(Error::Internal("not built yet".into()))
    }

    /// Whether the store answers.
    pub async fn is_ready(&self) -> bool {
        false
    }
}
