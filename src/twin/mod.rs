//! The twin: a small stateful stand-in for a trust's PAS with a FHIR REST interface.
//!
//! It keeps a diary, takes change requests and PIFU bookings as the gateway sends them, applies them, and calls the
//! gateway back with the appointment as it then stands, as a PAS would. What it received and applied stands in order
//! in its journal (`GET /twin/ledger`), so that a test can prove that nothing was lost, doubled or overtaken. It
//! lives in memory and forgets when it stops.

mod call_back;
mod change;
mod diary;
mod hospital;
mod http;
mod instant;
mod journal;

use crate::downstream::{Secret, install_cryptography};
use actix_web::{App, HttpServer, web};
use hospital::{Desk, Hospital};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The largest body that the twin reads, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What a twin is told at its start.
#[derive(Debug, Clone)]
pub struct TwinSettings {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: String,
    /// The gateway to call back, as its base address without `/fhir`. Without one the twin calls nobody.
    pub gateway: Option<String>,
    /// The key that the gateway knows the twin by.
    pub key: Option<Secret>,
    /// The ODS code of the organisation whose PAS it plays.
    pub organisation: String,
    /// The identifier system of its appointment numbers.
    pub pas_appointment_system: String,
    /// How long it waits before it calls back, in milliseconds: a PAS does not answer at once.
    pub answer_after_ms: u64,
}

/// The twin cannot start.
#[derive(Debug, thiserror::Error)]
pub enum FaultyTwin {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(String, std::io::Error),
    /// The gateway cannot be called as its address or key stand.
    #[error("the gateway cannot be called: {0}")]
    Gateway(String),
}

/// A running twin.
pub struct Twin {
    address: SocketAddr,
    state: Shared,
    server: actix_web::dev::ServerHandle,
    callers: Vec<tokio::task::JoinHandle<()>>,
}

impl Twin {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base address of its FHIR interface.
    pub fn base(&self) -> String {
        format!("http://{}/fhir", self.address)
    }

    /// What it received and applied, as `GET /twin/ledger` tells it.
    pub fn ledger(&self) -> serde_json::Value {
        self.state.lock().journal().to_value()
    }

    /// Stops listening, and calls nobody any more.
    pub async fn stop(self) {
        for caller in &self.callers {
            caller.abort();
        }
        self.server.stop(false).await;
    }
}

/// Starts a twin. Must be called in a tokio runtime, which then carries its calls to the gateway.
pub async fn start(settings: TwinSettings) -> Result<Twin, FaultyTwin> {
    install_cryptography();
    let state = Shared::new(Hospital::new(&settings.organisation, &settings.pas_appointment_system));
    let (desk, callers) = match &settings.gateway {
        Some(gateway) => {
            let line = call_back::Line::to(gateway, settings.key.as_ref()).map_err(FaultyTwin::Gateway)?;
            call_back::open(line, &state, settings.answer_after_ms)
        }
        None => (Desk::closed(), Vec::new()),
    };
    let shared = state.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(shared.clone()))
            .app_data(web::Data::new(desk.clone()))
            .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
            .configure(http::configure)
    })
    .workers(1)
    .shutdown_timeout(1)
    .disable_signals()
    .bind(&settings.listen)
    .map_err(|fault| FaultyTwin::Listen(settings.listen.clone(), fault))?;
    let address =
        server.addrs().first().copied().ok_or_else(|| {
            FaultyTwin::Listen(settings.listen.clone(), std::io::Error::other("no address was bound"))
        })?;
    let running = server.run();
    let handle = running.handle();
    tokio::spawn(running);
    Ok(Twin { address, state, server: handle, callers })
}

/// The one state, shared by the HTTP side and the callers.
#[derive(Clone)]
struct Shared(Arc<Mutex<Hospital>>);

impl Shared {
    fn new(hospital: Hospital) -> Self {
        Shared(Arc::new(Mutex::new(hospital)))
    }

    /// The state, also after a panic elsewhere: each change of it is made whole before it is seen.
    fn lock(&self) -> MutexGuard<'_, Hospital> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
