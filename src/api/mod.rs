//! HTTP coming in: routes, who asks, forms, answers. The only module but `downstream`'s adapters that knows HTTP.
//!
//! [`routes`] holds the one table from which the router is configured and the CapabilityStatement is made. Each
//! request goes through `record` (its identities, its log line, its count) and `perform` (a caller, a permission, a
//! time limit, a net for panics) to a handler; a handler that touches patients' data takes a `&Caller`, and nothing but
//! `Callers::prove` makes one. Whatever goes wrong ends in `fault`, the one table of errors, as an OperationOutcome.

mod body;
mod callers;
mod capability;
mod codes;
mod conditions;
mod correlation;
mod definitions;
mod fault;
mod negotiation;
mod operations;
mod perform;
mod query;
mod record;
mod reply;
mod resources;
pub mod routes;
#[cfg(test)]
mod tests;
mod waiting_list;

pub use callers::Callers;
pub use capability::Capability;

use crate::enquiry::Enquiry;
use crate::intake::Intake;
use crate::profile::Catalogue;
use actix_web::dev::Server;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpServer, web};
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::TcpListener;
use std::time::Duration;

/// Everything that answering needs. One for all threads.
pub struct State {
    /// Takes submissions.
    pub intake: Intake,
    /// Answers enquiries.
    pub enquiry: Enquiry,
    /// The definitions that are loaded.
    pub catalogue: Catalogue,
    /// Who may ask.
    pub callers: Callers,
    /// What one request may cost.
    pub limits: Limits,
    /// What callers write before `/fhir`, without a slash at the end.
    pub base_url: String,
    /// What the CapabilityStatement says beside the routes.
    pub capability: Capability,
    /// Where metrics are read from; none answers `/metrics` with nothing.
    pub metrics: Option<PrometheusHandle>,
    /// The time at which a submission is accepted: `Timestamp::now`, or what a test wants it to be.
    pub clock: fn() -> Timestamp,
}

/// What one request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// Resources on a page when the caller does not say.
    pub page_count_default: u32,
    /// Resources on a page at most.
    pub page_count_max: u32,
    /// Milliseconds to the answer.
    pub request_ms_max: u64,
}

impl State {
    fn fhir_base(&self) -> String {
        format!("{}/fhir", self.base_url)
    }
}

/// Seconds that a client gets to send the head of a request.
const HEAD_SECONDS: u64 = 10;
/// Seconds for which a connection is kept open for a client that was refused before it had sent all: long enough to
/// read the refusal, short enough that refused uploads cannot pile up.
const LINGER_SECONDS: u64 = 2;

/// Adds every route to an application.
pub fn configure(config: &mut web::ServiceConfig, state: web::Data<State>) {
    let mut scope = web::scope("").wrap(from_fn(record::record));
    for pattern in routes::patterns() {
        let mut resource = web::resource(pattern);
        for route in routes::ROUTES.iter().filter(|route| route.pattern == pattern) {
            // Every method in the table is one; an unknown word would be a route that never matches.
            let Ok(method) = Method::from_bytes(route.method.as_bytes()) else { continue };
            let handler = move |request: HttpRequest, payload| perform::perform(route, request, payload);
            resource = resource.route(web::method(method).to(handler));
        }
        let other = move |request: HttpRequest| perform::no_such_method(pattern, request);
        scope = scope.service(resource.default_service(web::to(other)));
    }
    config.app_data(state).service(scope.default_service(web::to(perform::no_such_address)));
}

/// A server on `listener`, to be awaited; its handle stops it, letting requests under way finish for `shutdown_ms`.
/// It does not listen for signals: whoever started it decides when it ends.
pub fn serve(
    state: web::Data<State>,
    listener: TcpListener,
    workers: usize,
    shutdown_ms: u64,
) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        let state = state.clone();
        App::new().configure(move |config| configure(config, state))
    });
    let server = server
        .workers(workers)
        .disable_signals()
        .shutdown_timeout(shutdown_ms.div_ceil(1000))
        .client_request_timeout(Duration::from_secs(HEAD_SECONDS))
        .client_disconnect_timeout(Duration::from_secs(LINGER_SECONDS))
        .listen(listener)?;
    Ok(server.run())
}

/// A FHIR id: 1 to 64 letters, digits, `-` and `.` (R4 datatypes, `id`).
fn is_fhir_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}
