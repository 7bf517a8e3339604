//! The api as its callers meet it.

mod access;
mod answers;
mod anything;
mod bodies;
mod codes;
mod connection;
mod definitions;
mod engine;
mod kept;
mod record;

use super::*;
use crate::access::{Caller, Grant, Interaction};
use crate::model::OdsCode;
use crate::store::Store;
use actix_web::body::to_bytes;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::test::{TestRequest, init_service};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const KEY: &str = "portal-key";
const APPOINTMENT: &str = r#"{"resourceType":"Appointment","id":"a1","status":"booked"}"#;
/// An NHS number of the range that is not issued; a canary in addresses and bodies.
const CANARY: &str = "9990000018";

fn caller(name: &str, resources: &[&str], interactions: &[Interaction]) -> Caller {
    Caller {
        name: name.into(),
        sender: "portal".into(),
        grant: Grant {
            resources: resources.iter().map(|name| (*name).to_owned()).collect(),
            interactions: interactions.iter().copied().collect(),
            organisations: [OdsCode::parse("RXX").unwrap()].into(),
        },
    }
}

/// A state over an empty store in `folder`: `portal-key` may everything, `reader-key` may read Appointments.
fn state(folder: &tempfile::TempDir) -> web::Data<State> {
    let mut everything: Vec<&str> = routes::SERVED.iter().map(|served| served.name).collect();
    everything.push(waiting_list::RESOURCE);
    let callers = [
        (KEY, caller("portal", &everything, Interaction::ALL)),
        ("reader-key", caller("reader", &["Appointment"], &[Interaction::Read])),
    ];
    let store = Store::open(folder.path()).unwrap();
    web::Data::new(State {
        intake: engine::intake(store.clone()),
        enquiry: Enquiry::new(store),
        catalogue: definitions::catalogue(),
        callers: callers.into_iter().map(|(key, caller)| (Sha256::digest(key).into(), caller)).collect(),
        limits: Limits { body_bytes_max: 2000, page_count_default: 20, page_count_max: 100, request_ms_max: 9000 },
        base_url: "https://stile.test".into(),
        capability: Capability {
            software_version: "0.0.0".into(),
            started_at: Timestamp::UNIX_EPOCH,
            profiles: vec![("Appointment".into(), "https://example.test/profile".into())],
        },
        metrics: None,
        clock: || Timestamp::UNIX_EPOCH,
    })
}

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: actix_web::http::header::HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    fn is_outcome(&self) -> bool {
        self.body.contains("\"resourceType\":\"OperationOutcome\"") || self.body.contains("<OperationOutcome xmlns=")
    }
}

/// Sends one request to a fresh application over `state`.
async fn send(state: &web::Data<State>, request: TestRequest) -> Answer {
    let app = init_service(App::new().configure(|config| configure(config, state.clone()))).await;
    let response = actix_web::test::call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body()).await.unwrap_or_default();
    Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}

fn request(method: &str, uri: &str) -> TestRequest {
    TestRequest::default().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(uri)
}

fn with_key(method: &str, uri: &str) -> TestRequest {
    request(method, uri).insert_header((AUTHORIZATION, format!("Bearer {KEY}")))
}

fn with_body(method: &str, uri: &str, media_type: &str, body: impl Into<Bytes>) -> TestRequest {
    with_key(method, uri).insert_header((CONTENT_TYPE, media_type)).set_payload(body.into())
}

/// An address that a pattern fits.
fn address(pattern: &str, resource_type: &str) -> String {
    pattern.replace("{type}", resource_type).replace("{id}", "a1")
}

/// True when the answer says that there is no such route, rather than no such resource.
fn is_unrouted(answer: &Answer) -> bool {
    let text = answer.body.as_str();
    answer.status == StatusCode::METHOD_NOT_ALLOWED
        || (answer.status == StatusCode::NOT_FOUND
            && (text.contains("not served here") || text.contains("Nothing is served")))
}
