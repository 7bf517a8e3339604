//! Resources under `/fhir`: read, search, create, update, judge.

use super::conditions::{self, Return};
use super::correlation::Correlation;
use super::fault::Fault;
use super::negotiation::body_format;
use super::perform::Asked;
use super::query::{FORMAT, Query};
use super::reply::Reply;
use super::routes::Served;
use super::{body, query};
use crate::access::Caller;
use crate::enquiry::Search;
use crate::error::Error;
use crate::fhir;
use crate::intake::{Receipt, Submission, Write};
use crate::issue::{Issue, Rule};
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderName, LAST_MODIFIED, LOCATION};
use actix_web::{HttpMessage, web};
use jiff::Timestamp;

/// One resource.
pub(super) async fn read(asked: &Asked<'_>, caller: &Caller, served: &Served, id: &str) -> Result<Reply, Fault> {
    Query::read(asked.request.query_string(), &[FORMAT])?;
    let found = asked.state.enquiry.read(caller, served.name, id).await?;
    let held = conditions::holds(asked.request.headers(), found.version);
    let reply = if held { Reply::empty(StatusCode::NOT_MODIFIED) } else { Reply::fhir(StatusCode::OK, found.json) };
    Ok(versioned(reply, found.version, found.last_updated))
}

/// Resources that match, a page of them.
pub(super) async fn search(asked: &Asked<'_>, caller: &Caller, served: &Served) -> Result<Reply, Fault> {
    let (query, search) = query::search(asked.request.query_string(), served, &asked.state.limits)?;
    // `_count=0` asks for the number alone (FHIR R4 search, 3.1.1.5.4).
    let only_total = search.count == 0;
    let search = Search { count: search.count.max(1), ..search };
    let page = asked.state.enquiry.search(caller, served.name, search).await?;
    let address = format!("{}/{}", asked.state.fhir_base(), served.name);
    let shown = if only_total { Default::default() } else { page.found };
    let urls: Vec<String> = shown.iter().map(|found| format!("{address}/{}", found.id)).collect();
    let entries: Vec<fhir::Found<'_>> = shown
        .iter()
        .zip(&urls)
        .map(|(found, url)| fhir::Found { full_url: Some(url), json: &found.json, mode: fhir::SearchMode::Match })
        .collect();
    let next = page.next.filter(|_| !only_total).map(|after| query.link(&address, Some(&after)));
    let bundle = fhir::searchset(&entries, Some(page.total), &query.link(&address, None), next.as_deref());
    Ok(Reply::fhir(StatusCode::OK, bundle))
}

/// A new resource.
pub(super) async fn create(
    asked: &Asked<'_>,
    caller: &Caller,
    served: &Served,
    payload: web::Payload,
) -> Result<Reply, Fault> {
    let headers = asked.request.headers();
    conditions::refuse_other_conditions(headers, &conditions::OF_CREATE)?;
    let write = Write::Create { if_none_exist: conditions::if_none_exist(headers)? };
    accept(asked, caller, served, write, payload).await
}

/// A resource under the caller's id.
pub(super) async fn update(
    asked: &Asked<'_>,
    caller: &Caller,
    served: &Served,
    id: &str,
    payload: web::Payload,
) -> Result<Reply, Fault> {
    let headers = asked.request.headers();
    conditions::refuse_other_conditions(headers, &conditions::OF_UPDATE)?;
    let write = Write::Update { id: id.to_owned(), if_match: conditions::if_match(headers)? };
    accept(asked, caller, served, write, payload).await
}

async fn accept(
    asked: &Asked<'_>,
    caller: &Caller,
    served: &Served,
    write: Write,
    payload: web::Payload,
) -> Result<Reply, Fault> {
    let request = asked.request;
    Query::read(request.query_string(), &[FORMAT])?;
    let submission = Submission {
        resource_type: served.name.to_owned(),
        write,
        format: body_format(request.headers())?,
        idempotency_key: conditions::idempotency_key(request.headers())?,
        correlation_id: correlation_id(asked),
        body: body::read(request, payload, asked.state.limits.body_bytes_max).await?,
    };
    let receipt = asked.state.intake.accept(caller, submission, (asked.state.clock)()).await?;
    Ok(receipt_reply(asked, receipt))
}

fn correlation_id(asked: &Asked<'_>) -> String {
    let extensions = asked.request.extensions();
    extensions.get::<Correlation>().map(|correlation| correlation.correlation_id.clone()).unwrap_or_default()
}

/// What a sender gets for what was accepted.
pub(super) fn receipt_reply(asked: &Asked<'_>, receipt: Receipt) -> Reply {
    let status = if receipt.created { StatusCode::CREATED } else { StatusCode::OK };
    let wish = conditions::prefer(asked.request.headers());
    let reply = match wish.unwrap_or(Return::OperationOutcome) {
        Return::Minimal => Reply::empty(status),
        Return::Representation => Reply::fhir(status, receipt.json),
        Return::OperationOutcome => Reply::outcome(status, &receipt.issues),
    };
    let reply = match wish {
        Some(wish) => reply.header(HeaderName::from_static("preference-applied"), wish.as_str()),
        None => reply,
    };
    let base = asked.state.fhir_base();
    // Without `_history`: a version by itself cannot be read yet, and an address that is told must answer.
    let location = format!("{base}/{}/{}", receipt.resource_type, receipt.id);
    versioned(reply.header(LOCATION, &location), receipt.version, receipt.last_updated)
}

fn versioned(reply: Reply, version: u64, last_updated: Timestamp) -> Reply {
    let reply = reply.header(ETAG, &format!("W/\"{version}\""));
    match jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&last_updated) {
        Ok(text) => reply.header(LAST_MODIFIED, &text),
        // A year past 9999: no such header, rather than a wrong one.
        Err(_) => reply,
    }
}

/// The canonical url of a profile that a resource is to be held against.
const PROFILE: &str = "profile";

/// A verdict on a resource, nothing kept: 200 whatever the verdict is, as FHIR has it, when there was a text that
/// could be judged; 400 or 413 when there was none.
pub(super) async fn validate(
    asked: &Asked<'_>,
    caller: &Caller,
    served: &Served,
    payload: web::Payload,
) -> Result<Reply, Fault> {
    let request = asked.request;
    let query = Query::read(request.query_string(), &[FORMAT, PROFILE])?;
    let format = body_format(request.headers())?;
    let body = body::read(request, payload, asked.state.limits.body_bytes_max).await?;
    let demanded: Vec<&str> = query.get(PROFILE).into_iter().collect();
    let now = (asked.state.clock)();
    let verdict = asked.state.intake.validate(caller, served.name, &demanded, &body, format, now)?;
    // What a write would be refused for as malformed is a verdict here, as long as there was something to judge.
    if verdict.issues.iter().any(is_about_the_text) {
        return Err(Error::Malformed(verdict.issues).into());
    }
    Ok(Reply::verdict(&verdict))
}

/// True for what leaves nothing that could be judged.
fn is_about_the_text(issue: &Issue) -> bool {
    matches!(
        issue.rule,
        Rule::TextEncoding
            | Rule::JsonSyntax
            | Rule::JsonNotObject
            | Rule::XmlSyntax
            | Rule::LimitBytes
            | Rule::LimitDepth
            | Rule::LimitNodes
    )
}
