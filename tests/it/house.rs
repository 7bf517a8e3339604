//! A gateway in a temporary folder, a twin beside it, and a clock that stands still: no test sleeps.
//!
//! Requests go over real HTTP. Nothing is sent downstream until a test says `house.step().await`.

use actix_web::web;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::net::TcpListener;
use stile::app::{self, Built};
use stile::dispatch::Dispatch;
use stile::settings;
use stile::store::Store;
use stile::twin::{self, Twin, TwinSettings};

/// The instant at which every test begins.
pub const START: &str = "2026-11-21T10:00:00Z";
/// A trust that does not exist.
pub const TRUST: &str = "RZZ99";
/// NHS numbers of the range that is not issued, with right check digits.
pub const PATIENT: &str = "9990000018";
pub const OTHER_PATIENT: &str = "9990000026";
pub const PAS_SYSTEM: &str = "https://pas.example.nhs.uk/appointment";
pub const PORTAL_SYSTEM: &str = "https://portal.example/appointment";
pub const NHS_NUMBER_SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";

fn clock() -> Timestamp {
    START.parse().unwrap()
}

/// What a request was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The rules that an OperationOutcome names, in order.
    pub fn rules(&self) -> Vec<String> {
        let issues = self.json()["issue"].as_array().cloned().unwrap_or_default();
        issues
            .iter()
            .filter_map(|issue| issue.pointer("/details/coding/0/code").and_then(Value::as_str))
            .map(str::to_owned)
            .collect()
    }

    /// The expressions that an OperationOutcome points at, in order.
    pub fn places(&self) -> Vec<String> {
        let issues = self.json()["issue"].as_array().cloned().unwrap_or_default();
        issues
            .iter()
            .filter_map(|issue| issue.pointer("/expression/0").and_then(Value::as_str))
            .map(str::to_owned)
            .collect()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

/// Somebody who calls the gateway.
#[derive(Clone)]
pub struct Caller {
    base: String,
    key: String,
    client: reqwest::Client,
}

impl Caller {
    /// Sends a request with these extra headers; a JSON content type is set when there is a body and none is given.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method.parse().unwrap(), url);
        if !self.key.is_empty() {
            request = request.bearer_auth(&self.key);
        }
        let names_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if body.is_some() && !names_type {
            request = request.header("content-type", "application/fhir+json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body.to_vec());
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap_or_default() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }

    /// PUTs a resource to the address of its own type and id.
    pub async fn put(&self, resource: &Value) -> Answer {
        let path = format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        self.send("PUT", &path, &[], Some(resource.to_string().as_bytes())).await
    }

    pub async fn post(&self, resource: &Value) -> Answer {
        let path = format!("/fhir/{}", resource["resourceType"].as_str().unwrap());
        self.send("POST", &path, &[], Some(resource.to_string().as_bytes())).await
    }
}

/// A gateway, its twin and those who call it.
pub struct House {
    pub base: String,
    /// Pushes appointments and referrals, forwards what patients ask.
    pub portal: Caller,
    /// The trust's PAS, whose word ends requests.
    pub pas: Caller,
    /// Knows the way, has no key.
    pub stranger: Caller,
    pub twin: Twin,
    pub dispatch: Dispatch,
    pub store: Store,
    pub folder: tempfile::TempDir,
    server: actix_web::dev::ServerHandle,
}

impl House {
    pub async fn open() -> House {
        House::with("").await
    }

    /// A house with these settings (TOML) after its own.
    pub async fn with(more: &str) -> House {
        let folder = tempfile::tempdir().unwrap();
        let mut twin = twin::start(TwinSettings {
            listen: "127.0.0.1:0".into(),
            gateway: None,
            key: None,
            organisation: TRUST.into(),
            pas_appointment_system: PAS_SYSTEM.into(),
            answer_after_ms: 0,
            first_number: 7_000_001,
        })
        .await
        .unwrap();
        let text = settings_text(&folder.path().join("store").display().to_string(), &twin.base(), more);
        let tolerances: Vec<&str> = stile::profile::Tolerance::ALL.iter().map(|tolerance| tolerance.as_str()).collect();
        let settings = settings::load(Some(("test.toml", &text)), std::iter::empty(), &tolerances)
            .unwrap_or_else(|problems| panic!("{problems:?}"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let Built { mut state, dispatch, store } = app::build(&settings, &base, None).unwrap();
        state.clock = clock;
        let server = stile::api::serve(web::Data::new(state), listener, 1, 1000).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        twin.connect(&base, Some(&"pas-key".into())).unwrap();
        let caller = |key: &str| Caller { base: base.clone(), key: key.to_owned(), client: reqwest::Client::new() };
        House {
            portal: caller("portal-key"),
            pas: caller("pas-key"),
            stranger: caller(""),
            base,
            twin,
            dispatch,
            store,
            folder,
            server: handle,
        }
    }

    /// Somebody else who calls, with a key of the settings that the house was opened with.
    pub fn caller(&self, key: &str) -> Caller {
        Caller { base: self.base.clone(), key: key.to_owned(), client: reqwest::Client::new() }
    }

    /// Sends everything that is due now; how many messages went out.
    pub async fn step(&self) -> usize {
        self.dispatch.step(clock()).await.unwrap()
    }

    /// Sends everything that is due so many seconds from now.
    pub async fn step_after(&self, seconds: i64) -> usize {
        self.dispatch.step(clock() + SignedDuration::from_secs(seconds)).await.unwrap()
    }

    /// Waits until the twin has called back, by asking, within a bound.
    pub async fn until(&self, path: &str, pointer: &str, wanted: &str) -> Value {
        for _ in 0..200 {
            let value = self.portal.get(path).await.json();
            if value.pointer(pointer).and_then(Value::as_str) == Some(wanted) {
                return value;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("{path} did not come to {pointer} = {wanted}: {}", self.portal.get(path).await.text);
    }

    pub async fn close(self) {
        self.server.stop(false).await;
        self.twin.stop().await;
        self.store.close();
    }
}

/// A caller's key as settings hold it.
pub fn sha256(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn settings_text(store: &str, twin: &str, more: &str) -> String {
    let variables =
        format!("{{ pas_appointment_system = \"{PAS_SYSTEM}\", portal_appointment_system = \"{PORTAL_SYSTEM}\" }}");
    format!(
        r#"
[store]
folder = "{store}"
[senders.portal]
organisation = "{TRUST}"
variables = {variables}
[senders.pas]
organisation = "{TRUST}"
is_pas = true
variables = {variables}
[callers.portal]
key_sha256 = "{portal}"
sender = "portal"
resources = ["Appointment", "ServiceRequest", "Patient", "Task", "WaitingListEntry"]
interactions = ["read", "search", "create", "update", "validate"]
organisations = ["{TRUST}"]
[callers.pas]
key_sha256 = "{pas}"
sender = "pas"
resources = ["Appointment", "Task"]
interactions = ["read", "search", "create", "update"]
organisations = ["{TRUST}"]
[downstreams.pas]
kind = "fhir-rest"
base = "{twin}"
sender = "pas"
connect_ms = 500
total_ms = 2000
waits_ms = [1000, 10000]
jitter = 0.0
allow_private = true
acknowledgement_applies = ["confirm-attendance"]
[organisations.{TRUST}]
downstream = "pas"
{more}"#,
        portal = sha256("portal-key"),
        pas = sha256("pas-key"),
    )
}

/// An outpatient appointment in the PCA flavour, ten days ahead.
pub fn appointment(id: &str, number: &str) -> Value {
    json!({
        "resourceType": "Appointment",
        "id": id,
        "extension": [
            {"url": "https://fhir.nhs.uk/StructureDefinition/Extension-Consultation-Medium", "valueCode": "FACE_TO_FACE"},
            {"url": "https://fhir.nhs.uk/StructureDefinition/Extension-Portal-Link", "valueUrl": format!("https://portal.example/a/{id}")}
        ],
        "identifier": [
            {"system": PAS_SYSTEM, "value": number},
            {"system": PORTAL_SYSTEM, "value": id}
        ],
        "status": "booked",
        "specialty": [{"coding": [{"system": "https://fhir.nhs.uk/CodeSystem/Specialty-1", "code": "330", "display": "Dermatology"}]}],
        "description": "Dermatology",
        "start": "2026-12-01T10:00:00+00:00",
        "end": "2026-12-01T10:20:00+00:00",
        "participant": [
            {"actor": {"type": "Patient", "identifier": {"system": NHS_NUMBER_SYSTEM, "value": PATIENT}}, "status": "accepted"},
            {"actor": {"type": "Location", "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": TRUST}}, "status": "accepted"}
        ]
    })
}

/// What a patient asks about an appointment: `cancel`, `reschedule` or `confirm-attendance`.
pub fn change(id: &str, code: &str, appointment: &str) -> Value {
    json!({
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "urn:stile:change-request", "code": code}]},
        "focus": {"type": "Appointment", "reference": format!("Appointment/{appointment}")},
        "for": {"type": "Patient", "identifier": {"system": NHS_NUMBER_SYSTEM, "value": PATIENT}},
        "authoredOn": START,
        "reasonCode": {"text": "on holiday"}
    })
}
