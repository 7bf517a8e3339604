//! What is written down about each request: one event, one count, one duration. Routes by their pattern and never by
//! their address, because ids and NHS numbers stand in addresses.

use super::correlation::Correlation;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use std::time::Instant;

/// What the handlers note about a request for its record.
pub(super) struct Routed {
    /// The route's pattern.
    pub(super) pattern: &'static str,
    /// The served resource type, when the address names one.
    pub(super) served: Option<&'static str>,
    /// The name of the caller, once it is proved.
    pub(super) caller: Option<String>,
}

/// Gives the request its identities, has it answered, and writes the answer down.
pub(super) async fn record<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started = Instant::now();
    let correlation = Correlation::of(request.headers());
    request.extensions_mut().insert(correlation.clone());
    let mut response = next.call(request).await?;
    correlation.put(response.headers_mut());
    let routed = response.request().extensions_mut().remove::<Routed>();
    write_down(&response, &correlation, routed, started);
    Ok(response)
}

fn write_down<B: MessageBody>(
    response: &ServiceResponse<B>,
    correlation: &Correlation,
    routed: Option<Routed>,
    started: Instant,
) {
    let method = method(response.request().method().as_str());
    let route = routed.as_ref().map_or_else(
        || "unmatched".to_owned(),
        |routed| routed.served.map_or_else(|| routed.pattern.to_owned(), |name| routed.pattern.replace("{type}", name)),
    );
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    let content_length = response.request().headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let bytes_in = content_length.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let bytes_out = match response.response().body().size() {
        BodySize::Sized(bytes) => bytes,
        BodySize::None | BodySize::Stream => 0,
    };
    let caller = routed.as_ref().and_then(|routed| routed.caller.as_deref()).unwrap_or("-");
    tracing::info!(
        method,
        route,
        status,
        caller,
        correlation_id = correlation.correlation_id,
        request_id = correlation.request_id,
        duration_ms = elapsed.as_secs_f64() * 1000.0,
        bytes_in,
        bytes_out,
        "request"
    );
    let status = status.to_string();
    let labels = [("route", route.clone()), ("method", method.to_owned()), ("status", status)];
    metrics::counter!("stile_http_requests_total", &labels).increment(1);
    let labels = [("route", route), ("method", method.to_owned())];
    metrics::histogram!("stile_http_request_duration_seconds", &labels).record(elapsed.as_secs_f64());
}

/// A method's name for a label: the known ones, so that nobody can make new series at will.
fn method(name: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == name).unwrap_or("other")
}
