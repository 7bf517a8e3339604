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
use hospital::{Desk, Hospital, Incoming, Said};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

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
    /// The first number that it gives to an appointment of its own; the next follow. A twin that forgets but whose
    /// gateway remembers needs another one at each start.
    pub first_number: u64,
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
    desk: Arc<OnceLock<Desk>>,
    answer_after_ms: u64,
    callers: Vec<tokio::task::JoinHandle<()>>,
}

impl Twin {
    /// Tells a twin that was started without a gateway which one to call, for when each needs the other's address.
    /// What it received before is not called back about; a twin that has a gateway keeps it.
    pub fn connect(&mut self, gateway: &str, key: Option<&Secret>) -> Result<(), FaultyTwin> {
        let line = call_back::Line::to(gateway, key).map_err(FaultyTwin::Gateway)?;
        let (desk, callers) = call_back::open(line, &self.state, self.answer_after_ms);
        if self.desk.set(desk).is_ok() {
            self.callers = callers;
        }
        Ok(())
    }

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

    /// Puts an appointment into its diary, as `POST /fhir/Appointment` would; an error says why it was refused.
    pub fn hold(&self, appointment: serde_json::Value) -> Result<(), String> {
        let incoming = Incoming { resource: appointment, message: None, if_none_exist: None };
        match self.state.lock().take_appointment(incoming, jiff::Timestamp::now()) {
            Said::Created { .. } | Said::Found { .. } => Ok(()),
            Said::Refused(refusal) => Err(refusal.text),
        }
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
    let state =
        Shared::new(Hospital::new(&settings.organisation, &settings.pas_appointment_system, settings.first_number));
    let desk: Arc<OnceLock<Desk>> = Arc::default();
    let (shared, shared_desk) = (state.clone(), desk.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(shared.clone()))
            .app_data(web::Data::from(shared_desk.clone()))
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
    let answer_after_ms = settings.answer_after_ms;
    let mut twin = Twin { address, state, server: handle, desk, answer_after_ms, callers: Vec::new() };
    if let Some(gateway) = &settings.gateway
        && let Err(fault) = twin.connect(gateway, settings.key.as_ref())
    {
        twin.stop().await;
        return Err(fault);
    }
    Ok(twin)
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
