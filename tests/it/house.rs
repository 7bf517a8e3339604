//! A gateway in a temporary folder, a twin beside it, and a clock that stands still: no test sleeps.
//!
//! Requests go over real HTTP. Nothing is sent downstream until a test says `house.step().await`.

pub use crate::bodies::{answer_to, appointment, booking, change, enrolment, enrolment_used, of_patient, referral};
use crate::wire::Wire;
use actix_web::web;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::net::TcpListener;
use stile::app::{self, Built};
use stile::delivery::Claim;
use stile::dispatch::Dispatch;
use stile::settings;
use stile::store::{DeliveryRow, Store};
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
pub const ODS_SYSTEM: &str = "https://fhir.nhs.uk/Id/ods-organization-code";
pub const PATHWAY_SYSTEM: &str = "https://fhir.nhs.uk/Id/PathwayId";
/// Where readers of an appointment see what was asked.
pub const REQUEST_STATUS: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-Appointment-RequestStatus";
pub const NHS_NUMBER_SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";

/// The instant at which the gateway's clock stands.
pub fn clock() -> Timestamp {
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

    /// The id under which a write was kept, as `Location` tells it.
    #[track_caller]
    pub fn kept_id(&self) -> &str {
        let steps = self.header("location").split_once("/fhir/").map(|(_, steps)| steps);
        steps.and_then(|steps| steps.split('/').nth(1)).unwrap_or_else(|| panic!("no Location: {}", self.text))
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
        self.put_with(resource, &[]).await
    }

    pub async fn post(&self, resource: &Value) -> Answer {
        self.post_with(resource, &[]).await
    }

    /// PUTs a resource with these headers.
    pub async fn put_with(&self, resource: &Value, headers: &[(&str, &str)]) -> Answer {
        let path = format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        self.send("PUT", &path, headers, Some(resource.to_string().as_bytes())).await
    }

    /// POSTs a resource with these headers.
    pub async fn post_with(&self, resource: &Value, headers: &[(&str, &str)]) -> Answer {
        let path = format!("/fhir/{}", resource["resourceType"].as_str().unwrap());
        self.send("POST", &path, headers, Some(resource.to_string().as_bytes())).await
    }

    /// Forwards a patient's wish about an appointment.
    pub async fn asks(&self, id: &str, what: &str, appointment: &str) -> Answer {
        self.put(&change(id, what, appointment)).await
    }

    /// The searchset or resource at an address.
    pub async fn reads(&self, path: &str) -> Value {
        self.get(path).await.expect(200).json()
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
    /// What lies between the gateway and the twin, and what went over it.
    pub wire: Wire,
    pub dispatch: Dispatch,
    pub store: Store,
    pub folder: tempfile::TempDir,
    more: String,
    server: actix_web::dev::ServerHandle,
}

/// A gateway that was built over a folder and listens.
struct Running {
    dispatch: Dispatch,
    store: Store,
    server: actix_web::dev::ServerHandle,
}

fn run(folder: &std::path::Path, wire: &Wire, more: &str, listener: TcpListener) -> Running {
    let text = settings_text(&folder.join("store").display().to_string(), &wire.base(), more);
    let tolerances: Vec<&str> = stile::profile::Tolerance::ALL.iter().map(|tolerance| tolerance.as_str()).collect();
    let settings = settings::load(Some(("test.toml", &text)), std::iter::empty(), &tolerances)
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    let base = format!("http://{}", listener.local_addr().unwrap());
    // A recorder of its own, read through its handle: what it shows is told in `reading`.
    let metrics = stile::telemetry::recorder().unwrap().handle();
    let Built { mut state, dispatch, store } = app::build(&settings, &base, Some(metrics)).unwrap();
    state.clock = clock;
    let server = stile::api::serve(web::Data::new(state), listener, 1, 1000).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    Running { dispatch, store, server: handle }
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
        let wire = Wire::to(twin.address()).await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let Running { dispatch, store, server } = run(folder.path(), &wire, more, listener);
        twin.connect(&base, Some(&"pas-key".into())).unwrap();
        House {
            portal: caller(&base, "portal-key"),
            pas: caller(&base, "pas-key"),
            stranger: caller(&base, ""),
            base,
            twin,
            wire,
            dispatch,
            store,
            folder,
            more: more.to_owned(),
            server,
        }
    }

    /// Somebody else who calls, with this key.
    pub fn caller(&self, key: &str) -> Caller {
        caller(&self.base, key)
    }

    /// The same house after its gateway was stopped and started again, on the same folder and port. The twin and the
    /// callers outlive it.
    pub async fn restarted(self) -> House {
        self.server.stop(false).await;
        self.store.close();
        let address = self.base.trim_start_matches("http://");
        let mut listener = TcpListener::bind(address);
        for _ in 0..100 {
            if listener.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            listener = TcpListener::bind(address);
        }
        let running = run(self.folder.path(), &self.wire, &self.more, listener.unwrap());
        // The callers' connections ended with the gateway that they were made to.
        let [portal, pas, stranger] = ["portal-key", "pas-key", ""].map(|key| caller(&self.base, key));
        House {
            portal,
            pas,
            stranger,
            dispatch: running.dispatch,
            store: running.store,
            server: running.server,
            ..self
        }
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

    /// Holds an appointment in the twin's diary and pushes it from the portal.
    pub async fn knows(&self, id: &str, number: &str) {
        self.twin.hold(appointment(id, number)).unwrap();
        self.portal.put(&appointment(id, number)).await.expect(201);
    }

    /// The state that a request's Task shows.
    pub async fn state_of(&self, task: &str) -> String {
        let task = self.portal.reads(&format!("/fhir/Task/{task}")).await;
        task.pointer("/businessStatus/text").and_then(Value::as_str).unwrap_or("none").to_owned()
    }

    /// What readers of an appointment see of an open request; empty when nothing is pending.
    pub async fn pending_on(&self, appointment: &str) -> String {
        let appointment = self.portal.reads(&format!("/fhir/Appointment/{appointment}")).await;
        let extensions = appointment["extension"].as_array().cloned().unwrap_or_default();
        let shown = extensions.iter().find(|one| one["url"] == REQUEST_STATUS).map(|one| one["valueCode"].clone());
        shown.as_ref().and_then(Value::as_str).unwrap_or("").to_owned()
    }

    /// Every delivery that is kept, in the order in which it was kept.
    pub async fn deliveries(&self) -> Vec<DeliveryRow> {
        let mut rows = self.store.read(|view| Ok(view.deliveries(None, 10_000)?)).await.unwrap();
        rows.reverse();
        rows
    }

    /// The deliveries of one request.
    pub async fn delivery_of(&self, request: &str) -> DeliveryRow {
        let rows = self.deliveries().await;
        let mut own = rows.into_iter().filter(|row| row.request == request);
        let (first, second) = (own.next(), own.next());
        assert!(second.is_none(), "{request} has more than one delivery");
        first.unwrap_or_else(|| panic!("{request} has no delivery"))
    }

    /// What a dispatcher that is then killed would have in its hands.
    pub async fn claims(&self, lease_seconds: i64) -> Vec<Claim> {
        let until = clock() + SignedDuration::from_secs(lease_seconds);
        self.store.write(move |unit| Ok(unit.claim("pas", 10, clock(), until)?)).await.unwrap()
    }

    /// How often the twin did something: `applied`, `repeated`, `refused`, `booked`, ...
    pub fn twin_count(&self, what: &str) -> u64 {
        self.twin.ledger()["counts"][what].as_u64().unwrap()
    }

    pub async fn close(self) {
        self.server.stop(false).await;
        self.twin.stop().await;
        self.store.close();
    }
}

fn caller(base: &str, key: &str) -> Caller {
    Caller { base: base.to_owned(), key: key.to_owned(), client: reqwest::Client::new() }
}

/// Settings of one more caller, whose key is `NAME-key`.
pub fn caller_settings(name: &str, sender: &str, resources: &[&str], interactions: &[&str], trusts: &[&str]) -> String {
    format!(
        "[callers.{name}]\nkey_sha256 = \"{}\"\nsender = \"{sender}\"\nresources = {resources:?}\n\
         interactions = {interactions:?}\norganisations = {trusts:?}\n",
        sha256(&format!("{name}-key"))
    )
}

/// Settings of one more sender of a trust.
pub fn sender_settings(name: &str, trust: &str, is_pas: bool) -> String {
    format!(
        "[senders.{name}]\norganisation = \"{trust}\"\nis_pas = {is_pas}\nvariables = {{ \
         pas_appointment_system = \"{PAS_SYSTEM}\", portal_appointment_system = \"{PORTAL_SYSTEM}\" }}\n"
    )
}

/// A caller's key as settings hold it.
pub fn sha256(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The settings of a house, in TOML.
pub fn settings_text(store: &str, twin: &str, more: &str) -> String {
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
