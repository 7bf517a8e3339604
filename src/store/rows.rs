//! What goes into the store and comes out.

use crate::delivery::State;
use crate::fhir::Token;
use jiff::Timestamp;
use std::fmt;

/// A resource as it stands.
#[derive(Clone, PartialEq)]
pub struct KeptResource {
    /// Its type.
    pub resource_type: String,
    /// Its id.
    pub id: String,
    /// Its version, from 1.
    pub version: u64,
    /// When it was last changed.
    pub last_updated: Timestamp,
    /// The organisation that it belongs to.
    pub organisation: String,
    /// SHA-256 of the last body as it came.
    pub body_sha256: Vec<u8>,
    /// The resource, in the R4 form that was checked.
    pub json: String,
}

/// A resource to be kept.
#[derive(Clone)]
pub struct NewResource<'a> {
    /// Its type.
    pub resource_type: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Its version.
    pub version: u64,
    /// Now.
    pub last_updated: Timestamp,
    /// The organisation that it belongs to.
    pub organisation: &'a str,
    /// The patient's NHS number, where it is known.
    pub patient: Option<&'a str>,
    /// The `status` element, for searches.
    pub status: Option<&'a str>,
    /// SHA-256 of the body as it came.
    pub body_sha256: &'a [u8],
    /// The R4 form.
    pub json: &'a str,
    /// `identifier` elements: system (empty for none) and value.
    pub identifiers: &'a [(String, String)],
}

/// A body as it came, to be kept.
#[derive(Clone)]
pub struct NewSubmission<'a> {
    /// When.
    pub at: Timestamp,
    /// Type of the resource.
    pub resource_type: &'a str,
    /// Its id.
    pub id: &'a str,
    /// The version that it made.
    pub version: u64,
    /// Who sent it.
    pub caller: &'a str,
    /// Under which correlation id.
    pub correlation_id: &'a str,
    /// Name and version of the mapping that read it.
    pub mapping: &'a str,
    /// `json` or `xml`.
    pub format: &'a str,
    /// The bytes.
    pub body: &'a [u8],
}

/// A delivery to be kept.
#[derive(Clone)]
pub struct NewDelivery<'a> {
    /// Its id, which is also the message's identity at the receiver.
    pub id: &'a str,
    /// The request that caused it.
    pub request: &'a str,
    /// Where it goes.
    pub downstream: &'a str,
    /// The order that it keeps.
    pub lane: &'a crate::delivery::Lane,
    /// Type of the body.
    pub resource_type: &'a str,
    /// The body, final.
    pub body: &'a str,
    /// Correlation id of the submission.
    pub correlation_id: &'a str,
    /// Now; due at once.
    pub at: Timestamp,
}

/// A delivery as an operator sees it: no body.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRow {
    /// Its id.
    pub id: String,
    /// The request that caused it.
    pub request: String,
    /// What that request asks.
    pub ask: String,
    /// Where it goes.
    pub downstream: String,
    /// The order that it keeps.
    pub lane: String,
    /// Where it stands.
    pub state: State,
    /// Type of the body.
    pub resource_type: String,
    /// Correlation id of the submission.
    pub correlation_id: String,
    /// When it was kept.
    pub kept_at: Timestamp,
    /// When it is due, while it waits.
    pub due_at: Timestamp,
    /// Tries so far.
    pub attempts: u32,
    /// The last answer's reason.
    pub reason: Option<String>,
}

/// One try of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRow {
    /// Which try, from 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When its answer was in.
    pub ended_at: Timestamp,
    /// The answer's name.
    pub answer: String,
    /// Its reason.
    pub reason: Option<String>,
}

/// Something that happened to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// When.
    pub at: Timestamp,
    /// What.
    pub name: String,
    /// Why.
    pub reason: Option<String>,
}

/// An idempotency key that was used before.
#[derive(Clone, PartialEq)]
pub struct KeptKey {
    /// SHA-256 of the body it was used with.
    pub body_sha256: Vec<u8>,
    /// The receipt it got, as JSON.
    pub receipt: String,
}

/// A search over resources of one type. All parts must match.
#[derive(Clone, Default)]
pub struct Query {
    /// The type.
    pub resource_type: String,
    /// The organisations that the caller may see.
    pub organisations: Vec<String>,
    /// Ids; any when empty.
    pub ids: Vec<String>,
    /// A business identifier.
    pub identifier: Option<Token>,
    /// The patient's NHS number.
    pub patient: Option<String>,
    /// Statuses; any when empty.
    pub statuses: Vec<String>,
    /// Only resources whose id comes after this one.
    pub after: Option<String>,
    /// How many at the most.
    pub count: u32,
}

// What rows hold is about patients. Printed, each says what it is and nothing that stands in it.

impl fmt::Debug for KeptResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptResource({}/{} version {})", self.resource_type, self.id, self.version)
    }
}

impl fmt::Debug for NewResource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewResource({}/{} version {})", self.resource_type, self.id, self.version)
    }
}

impl fmt::Debug for NewSubmission<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.body.len();
        write!(f, "NewSubmission({}/{} version {}, {bytes} bytes)", self.resource_type, self.id, self.version)
    }
}

impl fmt::Debug for NewDelivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewDelivery({} to {}, {} bytes)", self.id, self.downstream, self.body.len())
    }
}

impl fmt::Debug for KeptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptKey(receipt of {} bytes)", self.receipt.len())
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query({} of {} organisations)", self.resource_type, self.organisations.len())
    }
}
