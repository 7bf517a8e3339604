//! What became of it: reading, searching, the list.

use crate::access::{Caller, Interaction};
use crate::error::Error;
use crate::fhir::Token;
use crate::model::Kind;
use crate::store::{KeptResource, Query, Store, View};
use jiff::Timestamp;

/// A resource that was found.
#[derive(Clone, PartialEq)]
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

impl std::fmt::Debug for Found {
    /// Shows which resource it is, and not the resource.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Found({}/{} version {})", self.resource_type, self.id, self.version)
    }
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

/// System of NHS numbers, compared without regard to case: BaRS samples write `/id/`.
const NHS_NUMBER_SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";

/// What a grant calls waiting-list entries, which are no FHIR resource.
const WAITING_LIST_ENTRY: &str = "WaitingListEntry";

/// Answers enquiries. Cheap to clone.
#[derive(Clone)]
pub struct Enquiry {
    store: Store,
}

impl Enquiry {
    /// Enquiries of this store.
    pub fn new(store: Store) -> Self {
        Enquiry { store }
    }

    /// One resource.
    ///
    /// # Errors
    /// `Forbidden` by the grant; `NotFound` also for what belongs to an organisation that the grant does not hold, so
    /// that nobody learns what others keep.
    pub async fn read(&self, caller: &Caller, resource_type: &str, id: &str) -> Result<Found, Error> {
        caller.grant.allows(Interaction::Read, resource_type).map_err(forbidden)?;
        let (grant, resource_type, id) = (caller.grant.clone(), resource_type.to_owned(), id.to_owned());
        self.store
            .read(move |view| {
                let kept = view.resource(&resource_type, &id)?;
                let kept = kept.filter(|kept| grant.allows_organisation(&kept.organisation).is_ok());
                found(view, kept.ok_or(Error::NotFound)?)
            })
            .await
    }

    /// The resources of a type that match, in the order of their ids.
    pub async fn search(&self, caller: &Caller, resource_type: &str, search: Search) -> Result<Page, Error> {
        caller.grant.allows(Interaction::Search, resource_type).map_err(forbidden)?;
        let nothing = Page { total: 0, found: Vec::new(), next: None };
        let patient = match &search.patient_identifier {
            None => None,
            Some(token) => match nhs_number(token) {
                Some(number) => Some(number),
                None => return Ok(nothing),
            },
        };
        let query = Query {
            resource_type: resource_type.to_owned(),
            organisations: organisations(caller),
            ids: search.ids,
            identifier: search.identifier,
            patient,
            statuses: search.statuses,
            after: search.after,
            count: search.count,
        };
        self.store
            .read(move |view| {
                let (total, kept) = view.search(&query)?;
                let is_full = query.count > 0 && kept.len() as u64 == u64::from(query.count);
                let found = kept.into_iter().map(|kept| found(view, kept)).collect::<Result<Vec<_>, _>>()?;
                let last = found.last().map(|last| last.id.clone());
                let next = match last {
                    Some(last) if is_full && is_more(view, &query, &last)? => Some(last),
                    Some(_) | None => None,
                };
                Ok(Page { total, found, next })
            })
            .await
    }

    /// The waiting-list entry with this id, as JSON in the form of its schema.
    pub async fn waiting_list_entry(&self, caller: &Caller, id: &str) -> Result<serde_json::Value, Error> {
        caller.grant.allows(Interaction::Read, WAITING_LIST_ENTRY).map_err(forbidden)?;
        let (grant, id) = (caller.grant.clone(), id.to_owned());
        self.store
            .read(move |view| match view.entry(&id)? {
                Some((organisation, entry)) if grant.allows_organisation(&organisation).is_ok() => {
                    with_appointments(view, &organisation, entry)
                }
                Some(_) | None => Err(Error::NotFound),
            })
            .await
    }

    /// The waiting-list entries of one patient.
    pub async fn waiting_list_entries(
        &self,
        caller: &Caller,
        patient: &Token,
    ) -> Result<Vec<serde_json::Value>, Error> {
        caller.grant.allows(Interaction::Search, WAITING_LIST_ENTRY).map_err(forbidden)?;
        let Some(number) = nhs_number(patient) else { return Ok(Vec::new()) };
        let grant = caller.grant.clone();
        self.store
            .read(move |view| {
                let mut entries = Vec::new();
                for (organisation, entry) in view.entries_of(&number)? {
                    if grant.allows_organisation(&organisation).is_ok() {
                        entries.push(with_appointments(view, &organisation, entry)?);
                    }
                }
                Ok(entries)
            })
            .await
    }

    /// Whether the store answers.
    pub async fn is_ready(&self) -> bool {
        self.store.read(|view| Ok(view.answers()?)).await.unwrap_or(false)
    }
}

fn forbidden(denied: crate::access::Denied) -> Error {
    Error::Forbidden(denied.to_string())
}

fn organisations(caller: &Caller) -> Vec<String> {
    caller.grant.organisations.iter().map(|code| code.as_str().to_owned()).collect()
}

fn nhs_number(token: &Token) -> Option<String> {
    let is_nhs = token.system.as_deref().is_none_or(|system| system.eq_ignore_ascii_case(NHS_NUMBER_SYSTEM));
    is_nhs.then(|| token.value.clone())
}

fn found(view: &View<'_>, kept: KeptResource) -> Result<Found, Error> {
    Ok(Found {
        json: view.shown(&kept)?,
        resource_type: kept.resource_type,
        id: kept.id,
        version: kept.version,
        last_updated: kept.last_updated,
    })
}

fn is_more(view: &View<'_>, query: &Query, last: &str) -> Result<bool, Error> {
    let probe = Query { after: Some(last.to_owned()), count: 1, ..query.clone() };
    Ok(!view.search(&probe)?.1.is_empty())
}

/// An entry with the appointments that stand on its pathway at the same organisation now.
fn with_appointments(
    view: &View<'_>,
    organisation: &str,
    mut entry: serde_json::Value,
) -> Result<serde_json::Value, Error> {
    let pathway = entry.pointer("/pathway/identifier").and_then(|value| value.as_str()).map(str::to_owned);
    if let Some(pathway) = pathway {
        let ids: Vec<String> = view
            .on_pathway(Kind::Appointment, &pathway)?
            .into_iter()
            .filter(|(_, holder, _)| holder == organisation)
            .map(|(id, _, _)| id)
            .collect();
        if !ids.is_empty() {
            entry["appointments"] = ids.into();
        }
    }
    Ok(entry)
}
