//! What is open to everybody: health, metrics, metadata. None of it is about a patient.

use super::capability;
use super::fault::Fault;
use super::perform::Asked;
use super::query::{FORMAT, Query};
use super::reply::Reply;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use serde_json::json;

/// Seconds after which a gateway that is not ready may be asked again.
const NOT_READY_SECONDS: u32 = 5;

/// The process runs and answers.
pub(super) fn live(_asked: &Asked<'_>) -> Result<Reply, Fault> {
    Ok(Reply::json(StatusCode::OK, &json!({"status": "live"})))
}

/// The store answers, so that submissions can be kept.
pub(super) async fn ready(asked: &Asked<'_>) -> Result<Reply, Fault> {
    if asked.state.enquiry.is_ready().await {
        return Ok(Reply::json(StatusCode::OK, &json!({"status": "ready"})));
    }
    let reason = json!({"status": "not ready", "reason": "the store does not answer"});
    Ok(Reply::json(StatusCode::SERVICE_UNAVAILABLE, &reason).header(RETRY_AFTER, &NOT_READY_SECONDS.to_string()))
}

/// Counts and durations, in Prometheus's text form 0.0.4.
pub(super) fn metrics(asked: &Asked<'_>) -> Result<Reply, Fault> {
    let text = asked.state.metrics.as_ref().map(|metrics| metrics.render()).unwrap_or_default();
    Ok(Reply::text("text/plain; version=0.0.4; charset=utf-8", text))
}

/// What this instance can do.
pub(super) fn metadata(asked: &Asked<'_>) -> Result<Reply, Fault> {
    Query::read(asked.request.query_string(), &[FORMAT])?;
    let statement = capability::statement(&asked.state.capability, &asked.state.fhir_base());
    Ok(Reply::fhir(StatusCode::OK, statement.to_string()))
}
