//! A PAS with a FHIR REST interface: each message is a create.

use super::address::{PrivateAddress, PublicResolver, is_public};
use super::identity::if_none_exist;
use super::reply::{Body, Reply, judge};
use super::{Secret, install_cryptography};
use crate::delivery::{Answer, Message};
use jiff::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, Response, Url};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What is needed to reach one receiver.
#[derive(Debug, Clone)]
pub struct FhirRestSettings {
    /// The base address of its FHIR interface, without query, fragment or credential. `https`; plain `http` only
    /// together with `allow_private`, because it would carry patients' data readable over the internet.
    pub base: String,
    /// The credential that goes out as `Authorization: Bearer`.
    pub bearer: Option<Secret>,
    /// How long a connection may take, name and TLS included, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long a try may take from its beginning to the last byte of the answer, in milliseconds.
    pub total_timeout_ms: u64,
    /// How much of an answer is read, in bytes. What is longer is not needed to decide.
    pub answer_bytes_max: usize,
    /// True when the receiver may stand on a private or loopback address. Without it a name that turns out to be
    /// one of ours is not called.
    pub allow_private: bool,
}

/// A receiver cannot be reached as its settings stand.
#[derive(Debug, thiserror::Error)]
pub enum FaultyDownstream {
    /// The base is not an absolute address.
    #[error("`base` is not an absolute address: {0}")]
    Base(String),
    /// The base is neither http nor https.
    #[error("`base` must begin with http:// or https://")]
    Scheme,
    /// The base is plain http, for a receiver that may be anywhere.
    #[error(
        "`base` is plain http, which anyone on the way can read; use https, or set `allow_private` for a receiver \
             on the same machine or a private network"
    )]
    PlainText,
    /// The base holds more than an address.
    #[error("`base` must not hold a user, password, query or fragment; a credential has its own setting")]
    Parts,
    /// The base names a private or loopback address.
    #[error("`base` is a private or loopback address; set `allow_private` if that is meant")]
    Private,
    /// The bearer credential cannot stand in a header.
    #[error("`bearer` holds characters that cannot stand in a header")]
    Bearer,
    /// The client could not be built, for example because the machine has no root certificates.
    #[error("no client can be made: {0}")]
    Client(String),
}

/// Sends messages to one receiver with a FHIR REST interface.
#[derive(Clone)]
pub struct FhirRest {
    client: Client,
    base: Url,
    answer_bytes_max: usize,
}

impl std::fmt::Debug for FhirRest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FhirRest({})", self.base)
    }
}

impl FhirRest {
    /// Builds the client. Nothing is called yet.
    pub fn new(settings: &FhirRestSettings) -> Result<Self, FaultyDownstream> {
        Self::at(read_base(&settings.base, settings.allow_private)?, settings)
    }

    fn at(base: Url, settings: &FhirRestSettings) -> Result<Self, FaultyDownstream> {
        install_cryptography();
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/fhir+json"));
        if let Some(bearer) = &settings.bearer {
            let mut value =
                HeaderValue::try_from(format!("Bearer {}", bearer.reveal())).map_err(|_| FaultyDownstream::Bearer)?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let mut builder = Client::builder()
            .default_headers(headers)
            .user_agent(concat!("stile/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
            .timeout(Duration::from_millis(settings.total_timeout_ms))
            // A redirect would take patients' data and the credential to an address that nobody set.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // A proxy from the environment would be asked to call what the address rule forbids.
            .no_proxy();
        if base.scheme() == "https" {
            builder = builder.https_only(true);
        } else {
            // Plain http never uses certificates, and must work on a machine that has none.
            builder = builder.tls_certs_only([]);
        }
        if !settings.allow_private {
            builder = builder.dns_resolver(Arc::new(PublicResolver));
        }
        let client = builder.build().map_err(|fault| FaultyDownstream::Client(causes(&fault)))?;
        Ok(FhirRest { client, base, answer_bytes_max: settings.answer_bytes_max })
    }

    /// Makes one try, and says what came of it.
    ///
    /// The message goes out as a conditional create (R4 3.1.0.8.1): `If-None-Exist` names the identifier that the
    /// body carries, so that a try after a lost answer finds the first one instead of making a second. `X-Request-Id`
    /// is the message's id on every try. A body without an identifier is not sent.
    pub async fn send(&self, message: &Message) -> Answer {
        let Some(known_by) = if_none_exist(&message.body) else {
            return Answer::Unreached {
                reason: "not sent: the message carries no identifier with system and value, so a second try could \
                         be taken twice; the mapping that renders it must give it one"
                    .into(),
            };
        };
        let mut address = self.base.clone();
        match address.path_segments_mut() {
            Ok(mut segments) => {
                segments.pop_if_empty().push(&message.resource_type);
            }
            Err(()) => return Answer::Unreached { reason: "not sent: the base address has no path".into() },
        }
        let request = self
            .client
            .post(address)
            .header(header::CONTENT_TYPE, "application/fhir+json")
            .header("If-None-Exist", known_by)
            .header("X-Request-Id", printable(&message.id))
            .header("X-Correlation-Id", printable(&message.correlation_id))
            .body(message.body.clone());
        match request.send().await {
            Ok(response) => judge(&read(response, self.answer_bytes_max).await, Timestamp::now()),
            Err(fault) => no_answer(&fault),
        }
    }
}

fn read_base(text: &str, allow_private: bool) -> Result<Url, FaultyDownstream> {
    let base = Url::parse(text).map_err(|fault| FaultyDownstream::Base(fault.to_string()))?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err(FaultyDownstream::Scheme);
    }
    if !base.username().is_empty() || base.password().is_some() || base.query().is_some() || base.fragment().is_some() {
        return Err(FaultyDownstream::Parts);
    }
    // The resolver is not asked about an address that is written in numbers, so it is judged here. `Url` has read
    // the odd spellings (0x7f.1, 2130706433) into the plain one.
    let host = base.host_str().unwrap_or_default();
    let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    if !allow_private && literal.is_some_and(|address| !is_public(address)) {
        return Err(FaultyDownstream::Private);
    }
    if !allow_private && base.scheme() == "http" {
        return Err(FaultyDownstream::PlainText);
    }
    Ok(base)
}

/// An id fit for a header, whatever a caller once sent as it.
fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(128).collect()
}

/// Reads an answer, at most `bytes_max` of its body.
async fn read(mut response: Response, bytes_max: usize) -> Reply {
    let named = |name: header::HeaderName| -> Option<String> {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let mut reply = Reply {
        status: response.status().as_u16(),
        location: named(header::LOCATION),
        retry_after: named(header::RETRY_AFTER),
        date: named(header::DATE),
        media_type: named(header::CONTENT_TYPE),
        body: Body::Cut,
    };
    let mut bytes = Vec::new();
    reply.body = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > bytes_max => break Body::TooLarge,
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break Body::Whole(bytes),
            Err(_) => break Body::Cut,
        }
    };
    reply
}

/// What a try without an answer means: it did not reach the receiver, or it may have.
fn no_answer(fault: &reqwest::Error) -> Answer {
    if fault.is_builder() {
        return Answer::Unreached { reason: format!("not sent: {}", causes(fault)) };
    }
    if fault.is_connect() {
        let reason = if is_private_address(fault) {
            format!("not called: {PrivateAddress}")
        } else if fault.is_timeout() {
            "no connection in time".to_owned()
        } else {
            format!("no connection: {}", causes(fault))
        };
        return Answer::Unreached { reason };
    }
    let reason = if fault.is_timeout() {
        "no answer in time".to_owned()
    } else {
        format!("the connection broke before an answer: {}", causes(fault))
    };
    Answer::Unanswered { reason }
}

fn is_private_address(fault: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(fault);
    while let Some(error) = cause {
        if error.is::<PrivateAddress>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The innermost cause in words: what an operator needs (connection refused, certificate expired), without the
/// address that the outer layers repeat.
fn causes(fault: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = fault;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    super::outcome::fit_to_pass_on(&cause.to_string())
}

#[cfg(test)]
mod tests;
