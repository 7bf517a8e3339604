//! The portal of the demonstration: a plain HTTP client with a key.

use crate::downstream::{Secret, install_cryptography};
use reqwest::{Client, Method};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long the portal waits for one answer.
const ANSWER_MS_MAX: u64 = 15_000;

/// An answer of the gateway.
pub(super) struct Heard {
    pub status: u16,
    pub took_ms: u128,
    pub body: Value,
}

/// Sends what the story says.
pub(super) struct Portal {
    client: Client,
    base: String,
    key: Secret,
}

impl Portal {
    /// A portal that speaks to the gateway at `base` (without `/fhir`).
    pub fn new(base: &str, key: &Secret) -> Result<Self, String> {
        install_cryptography();
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(Duration::from_millis(ANSWER_MS_MAX))
            .build()
            .map_err(|fault| fault.to_string())?;
        Ok(Portal { client, base: base.trim_end_matches('/').to_owned(), key: key.clone() })
    }

    /// One request. An error is a sentence that says that no answer came.
    pub async fn ask(&self, method: Method, path: &str, body: Option<String>) -> Result<Heard, String> {
        let began = Instant::now();
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base))
            .bearer_auth(self.key.reveal())
            .header("Accept", if path.starts_with("/fhir") { "application/fhir+json" } else { "application/json" })
            .header("Prefer", "return=representation");
        if let Some(body) = body {
            request = request.header("Content-Type", "application/fhir+json").body(body);
        }
        let no_answer = |fault: reqwest::Error| format!("{method} {path} got no answer: {fault}");
        let response = request.send().await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let text = response.text().await.map_err(no_answer)?;
        // What is not JSON shows as null, and the step that needed it says so.
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Heard { status, took_ms: began.elapsed().as_millis(), body })
    }
}
