//! The waiting list in our own JSON (`profiles/canonical/`): FHIR has no resource for it.

use super::fault::Fault;
use super::perform::Asked;
use super::query::{self, Query};
use super::reply::Reply;
use crate::access::Caller;
use crate::issue::{Issue, Place, Rule};
use actix_web::http::StatusCode;
use serde_json::json;

/// What a grant calls waiting-list entries, which are no FHIR resource.
pub(super) const RESOURCE: &str = "WaitingListEntry";
const PATIENT: &str = "patient:identifier";

/// One entry.
pub(super) async fn entry(asked: &Asked<'_>, caller: &Caller, id: &str) -> Result<Reply, Fault> {
    Query::read(asked.request.query_string(), &[])?;
    let entry = asked.state.enquiry.waiting_list_entry(caller, id).await?;
    Ok(Reply::json(StatusCode::OK, &entry))
}

/// The entries of one patient.
pub(super) async fn entries(asked: &Asked<'_>, caller: &Caller) -> Result<Reply, Fault> {
    let query = Query::read(asked.request.query_string(), &[PATIENT])?;
    let Some(patient) = query.get(PATIENT) else {
        return Err(Fault::malformed(
            Issue::new(Rule::QueryValue, "The patient whose entries are wanted is missing")
                .at(Place::named(format!("http.{PATIENT}")))
                .hint("add ?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|NUMBER"),
        ));
    };
    let patient = query::token(PATIENT, patient).map_err(Fault::malformed)?;
    let entries = asked.state.enquiry.waiting_list_entries(caller, &patient).await?;
    Ok(Reply::json(StatusCode::OK, &json!({"total": entries.len(), "entries": entries})))
}
