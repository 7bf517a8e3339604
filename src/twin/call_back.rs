//! Calling the gateway: the twin's word that something was done.
//!
//! Calls about one appointment go one after the other; each carries the appointment as it stands when the call is
//! made, so a call that had to be repeated never overwrites newer news with older.

use super::Shared;
use super::hospital::{Held, Hospital, array, set, text};
use crate::downstream::Secret;
use jiff::Timestamp;
use reqwest::{Client, StatusCode, Url};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How many lines call at once.
const LINES: usize = 4;
/// How often a call is tried before it is given up: with the waits below for about a minute, long enough for a
/// gateway that is being restarted.
const TRIES_MAX: u32 = 16;
/// The wait after the first try that was not taken, doubled each time.
const WAIT_MS: u64 = 100;
/// The longest wait between tries.
const WAIT_MS_MAX: u64 = 5_000;
/// How long one try may take.
const TRY_MS_MAX: u64 = 10_000;
/// Extension that shows an open request; the gateway's word, never the PAS's.
const REQUEST_STATUS: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-Appointment-RequestStatus";

/// The gateway at the other end.
#[derive(Clone)]
pub(super) struct Line {
    client: Client,
    base: Url,
    key: Option<Secret>,
}

impl Line {
    /// A line to the gateway at `base`, its address without `/fhir`.
    pub fn to(base: &str, key: Option<&Secret>) -> Result<Self, String> {
        let base = Url::parse(base).map_err(|fault| fault.to_string())?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err("its address must begin with http:// or https://".into());
        }
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_millis(TRY_MS_MAX));
        if base.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|fault| fault.to_string())?;
        Ok(Line { client, base, key: key.cloned() })
    }

    /// One try. An error says why, and whether another try may help.
    async fn put(&self, id: &str, body: &Value) -> Result<(), (String, bool)> {
        let mut address = self.base.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().extend(["fhir", "Appointment", id]);
        }
        let mut request = self
            .client
            .put(address)
            .header("Content-Type", "application/fhir+json")
            .header("Accept", "application/fhir+json")
            .header("X-Request-Id", uuid::Uuid::new_v4().to_string())
            .body(body.to_string());
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.reveal());
        }
        let response = request.send().await.map_err(|_| ("the gateway did not answer".to_owned(), true))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let said = response.text().await.unwrap_or_default();
        Err((format!("the gateway answered {}: {}", status.as_u16(), first_issue(&said)), passes(status)))
    }
}

/// Whether a status may be another one after a while.
fn passes(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 404 | 408 | 409 | 412 | 425 | 429)
}

/// The rule or words of the first issue in an OperationOutcome of the gateway, which names no patient.
fn first_issue(said: &str) -> String {
    let outcome: Value = serde_json::from_str(said).unwrap_or_default();
    let issue = array(&outcome, "issue").first();
    let words = issue.and_then(|issue| issue.pointer("/details/text").or_else(|| issue.get("diagnostics")));
    words.and_then(Value::as_str).unwrap_or("no reason given").chars().take(300).collect()
}

/// A call to be made.
struct Call {
    appointment: String,
    due: Instant,
}

/// Takes calls in.
#[derive(Clone)]
pub(super) struct Desk {
    lines: Vec<UnboundedSender<Call>>,
    answer_after: Duration,
}

impl Desk {
    /// Calls the gateway about an appointment, after a while.
    pub fn call(&self, appointment: &str) {
        let sum: usize = appointment.bytes().map(usize::from).sum();
        if let Some(line) = self.lines.get(sum % LINES) {
            let call = Call { appointment: appointment.to_owned(), due: Instant::now() + self.answer_after };
            // A line that is gone is a twin that has stopped.
            let _ = line.send(call);
        }
    }
}

/// Opens the lines.
pub(super) fn open(line: Line, state: &Shared, answer_after_ms: u64) -> (Desk, Vec<JoinHandle<()>>) {
    let (mut lines, mut callers) = (Vec::new(), Vec::new());
    for _ in 0..LINES {
        let (sender, receiver) = unbounded_channel();
        lines.push(sender);
        callers.push(tokio::spawn(call_on(line.clone(), state.clone(), receiver)));
    }
    (Desk { lines, answer_after: Duration::from_millis(answer_after_ms) }, callers)
}

async fn call_on(line: Line, state: Shared, mut calls: UnboundedReceiver<Call>) {
    while let Some(call) = calls.recv().await {
        tokio::time::sleep_until(call.due).await;
        let mut wait_ms = WAIT_MS;
        let mut tries = 0;
        let reason = loop {
            let Some((id, body)) = state.lock().news_of(&call.appointment) else {
                break Some("the gateway has not said what it calls this appointment".to_owned());
            };
            tries += 1;
            match line.put(&id, &body).await {
                Ok(()) => break None,
                Err((reason, passes)) if !passes || tries >= TRIES_MAX => break Some(reason),
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                    wait_ms = (wait_ms * 2).min(WAIT_MS_MAX);
                }
            }
        };
        state.lock().called_back(&call.appointment, reason, Timestamp::now());
    }
}

impl Hospital {
    /// The gateway's id of an appointment, and the appointment as it stands under that id.
    fn news_of(&self, appointment: &str) -> Option<(String, Value)> {
        let Held { gateway_id, resource, .. } = self.appointment(appointment)?;
        let id = gateway_id.clone()?;
        let mut body = resource.clone();
        set(&mut body, "id", json!(id));
        let extensions: Vec<Value> =
            array(&body, "extension").iter().filter(|one| text(one, "url") != Some(REQUEST_STATUS)).cloned().collect();
        if let Some(object) = body.as_object_mut() {
            // FHIR has no empty array.
            if extensions.is_empty() {
                object.remove("extension");
            } else {
                object.insert("extension".into(), Value::Array(extensions));
            }
        }
        Some((id, body))
    }
}
