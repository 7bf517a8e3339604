//! The one way in: accept a submission.
//!
//! Every wire goes through [`Intake::accept`]: parse, tolerate, check, map; then, in one unit of work of the store,
//! settle which resource it is, let the ledger decide, render what goes downstream, and keep it all. A refusal keeps
//! nothing. No call leaves the house in here.

mod decide;
mod facts;
mod judge;
mod keep;
mod render;
mod settle;

pub use judge::{Judged, Terms};

use crate::access::{Caller, Denied, Interaction, Sender};
use crate::error::Error;
use crate::fhir::{Format, Limits, Token};
use crate::issue::{Issue, any_refuses};
use crate::ledger::Policy;
use crate::mapping::Library;
use crate::profile::{Profiles, Verdict};
use crate::store::Store;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// A resource as a caller sent it.
#[derive(Clone)]
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

impl fmt::Debug for Submission {
    /// Shows what is asked and how much was sent, and not what was sent, nor the key, which is the caller's own text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission")
            .field("resource_type", &self.resource_type)
            .field("write", &self.write)
            .field("format", &self.format)
            .field("body_bytes", &self.body.len())
            .field("correlation_id", &self.correlation_id)
            .finish_non_exhaustive()
    }
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

impl Write {
    fn interaction(&self) -> Interaction {
        match self {
            Write::Create { .. } => Interaction::Create,
            Write::Update { .. } => Interaction::Update,
        }
    }
}

/// What a caller gets for an accepted submission.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
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

impl fmt::Debug for Receipt {
    /// Shows which resource it is about, and not the resource.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt")
            .field("resource_type", &self.resource_type)
            .field("id", &self.id)
            .field("version", &self.version)
            .field("created", &self.created)
            .field("issues", &self.issues)
            .finish_non_exhaustive()
    }
}

/// Where changes are forwarded to.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    /// ODS code of the organisation that must act, to the name of its downstream.
    pub downstream_of: BTreeMap<String, String>,
    /// Name of a downstream, to the sender profile whose variables its messages are rendered with.
    pub sender_of: BTreeMap<String, Sender>,
    /// The address of this gateway's FHIR interface, as receivers may call it.
    pub base_url: String,
}

/// What an intake is built from.
pub struct Parts {
    /// Where it keeps.
    pub store: Store,
    /// What it checks against.
    pub profiles: Profiles,
    /// What it maps with.
    pub library: Library,
    /// Who sends.
    pub senders: BTreeMap<String, Sender>,
    /// How much it reads.
    pub limits: Limits,
    /// What the site decided about requests.
    pub policy: Policy,
    /// Where changes go.
    pub routes: Routes,
    /// Rung when something new is due. A hint that carries nothing.
    pub bell: Arc<watch::Sender<()>>,
}

/// Accepts submissions. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    parts: Arc<Parts>,
}

impl Intake {
    /// An intake of these parts.
    pub fn new(parts: Parts) -> Self {
        Intake { parts: Arc::new(parts) }
    }

    /// What it checks against.
    pub fn profiles(&self) -> &Profiles {
        &self.parts.profiles
    }

    /// What it maps with.
    pub fn library(&self) -> &Library {
        &self.parts.library
    }

    /// Accepts a submission whole, or refuses it and keeps nothing. When this returns `Ok`, all of it is on disk.
    ///
    /// # Errors
    /// `Forbidden` by the grant; `TooLarge`, `Malformed` and `Rejected` with everything that is wrong; `KeyReused`,
    /// `Duplicate`, `Conflict`, `Stale` about what is kept already; `Unavailable` and `Internal`.
    pub async fn accept(&self, caller: &Caller, submission: Submission, now: Timestamp) -> Result<Receipt, Error> {
        caller.grant.allows(submission.write.interaction(), &submission.resource_type).map_err(forbidden)?;
        let sender = self.parts.sender(caller)?;
        if let Some(receipt) = self.answered_before(caller, &submission).await? {
            return Ok(receipt);
        }
        let parsed = self.parts.read(&submission.body, submission.format, &submission.resource_type, sender, now)?;
        let mapped = self.parts.map(&parsed.document, sender, now)?;
        let mut issues = parsed.issues;
        issues.extend(mapped.issues);
        let keeping = keep::Keeping {
            parts: Arc::clone(&self.parts),
            caller: caller.clone(),
            sender: sender.clone(),
            submission,
            document: parsed.document,
            canonical: mapped.canonical,
            value: mapped.value,
            mapping: mapped.mapping,
            issues,
            now,
        };
        let receipt = self.parts.store.write(move |unit| keeping.carry_out(unit)).await?;
        self.parts.bell.send_replace(());
        Ok(receipt)
    }

    /// What a key with the same body was answered. Looked up before anything is judged: what was accepted stays so,
    /// whatever definitions and mappings have become since. The unit of work looks again, for those that arrive at once.
    async fn answered_before(&self, caller: &Caller, submission: &Submission) -> Result<Option<Receipt>, Error> {
        let Some(key) = submission.idempotency_key.clone() else { return Ok(None) };
        let body_sha256 = keep::fingerprint(&caller.name, submission);
        let caller = caller.name.clone();
        self.parts.store.read(move |view| settle::replay(view, &caller, &key, &body_sha256)).await
    }

    /// Judges a resource as [`Intake::accept`] would, and keeps nothing: every issue of the verdict, refusals
    /// included. What depends on what is kept already (guards, duplicates) is not judged.
    ///
    /// `demanded` are canonical urls of profiles that it must fit, beside its sender's.
    ///
    /// # Errors
    /// `Forbidden` by the grant, `TooLarge`, and `Malformed` when a profile that is demanded is not loaded.
    pub fn validate(
        &self,
        caller: &Caller,
        resource_type: &str,
        demanded: &[&str],
        body: &[u8],
        format: Format,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        caller.grant.allows(Interaction::Validate, resource_type).map_err(forbidden)?;
        let sender = self.parts.sender(caller)?;
        self.parts.has_profiles(demanded)?;
        let judged = self.parts.judge(body, format, resource_type, sender, demanded, now)?;
        let mut issues = judged.issues;
        if let Some(document) = judged.document.as_ref().filter(|_| !any_refuses(&issues)) {
            match self.parts.map(document, sender, now) {
                Ok(mapped) => issues.extend(mapped.issues),
                Err(Error::Rejected(refusals)) => issues.extend(refusals),
                Err(error) => return Err(error),
            }
        }
        let packages = Arc::clone(self.parts.profiles.packages());
        Ok(Verdict { issues, not_evaluated: judged.not_evaluated, suppressed: judged.suppressed, packages })
    }
}

impl Parts {
    fn sender(&self, caller: &Caller) -> Result<&Sender, Error> {
        // Settings are checked at start, so a caller without a sender is a fault of ours.
        self.senders.get(&caller.sender).ok_or_else(|| incident("a caller's sender is not in the settings"))
    }
}

fn forbidden(denied: Denied) -> Error {
    Error::Forbidden(denied.to_string())
}

/// A fault of ours: logged once here with its cause, told by its number.
fn incident(cause: &str) -> Error {
    let incident = uuid::Uuid::new_v4().to_string();
    tracing::error!(incident, cause, "internal fault");
    Error::Internal(incident)
}
