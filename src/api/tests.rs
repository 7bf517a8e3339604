//! The api as its callers meet it: who is let in, in which forms, what is told when something is wrong.

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
    let everything: Vec<&str> = routes::SERVED.iter().map(|served| served.name).collect();
    let callers = [
        (KEY, caller("portal", &everything, Interaction::ALL)),
        ("reader-key", caller("reader", &["Appointment"], &[Interaction::Read])),
    ];
    let store = Store::open(folder.path()).unwrap();
    web::Data::new(State {
        intake: Intake {},
        enquiry: Enquiry::new(store),
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

#[actix_web::test]
async fn no_route_answers_without_a_key_but_health_metrics_and_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let mut closed = 0;
    for route in routes::ROUTES {
        let open = matches!(route.pattern, "/health/live" | "/health/ready" | "/metrics" | "/fhir/metadata");
        for key in ["", "Bearer wrong", "Basic cG9ydGFsLWtleTo="] {
            for resource_type in ["Appointment", "Nonsense"] {
                let request = request(route.method, &address(route.pattern, resource_type))
                    .insert_header((AUTHORIZATION, key))
                    .insert_header((CONTENT_TYPE, "application/fhir+json"))
                    .set_payload(APPOINTMENT);
                let answer = send(&state, request).await;
                if open {
                    assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{route:?}");
                } else {
                    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{route:?} {key}");
                    assert!(answer.header(WWW_AUTHENTICATE.as_str()).starts_with("Bearer"), "{route:?}");
                    assert!(answer.is_outcome(), "{route:?}");
                    closed += 1;
                }
            }
        }
    }
    assert!(closed >= 48, "{closed}");
}

#[actix_web::test]
async fn a_grant_opens_what_it_holds_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let mut refused = 0;
    for route in routes::ROUTES.iter().filter(|route| route.action.interaction().is_some()) {
        for served in routes::SERVED {
            let request = request(route.method, &address(route.pattern, served.name))
                .insert_header((AUTHORIZATION, "Bearer reader-key"))
                .insert_header((CONTENT_TYPE, "application/fhir+json"))
                .set_payload(APPOINTMENT);
            let answer = send(&state, request).await;
            let held = route.pattern == "/fhir/{type}/{id}" && route.method != "PUT" && served.name == "Appointment";
            assert_eq!(answer.status != StatusCode::FORBIDDEN, held, "{route:?} {} {}", served.name, answer.status);
            refused += u32::from(!held);
        }
    }
    assert!(refused >= 25, "{refused}");
}

#[actix_web::test]
async fn the_capability_statement_lists_every_interaction_that_is_routed_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let statement = send(&state, request("GET", "/fhir/metadata")).await.json();
    assert_eq!(statement["resourceType"], "CapabilityStatement");
    assert_eq!((&statement["fhirVersion"], &statement["kind"]), (&json!("4.0.1"), &json!("instance")));
    let resources = statement["rest"][0]["resource"].as_array().unwrap().clone();
    let possible = [
        ("read", "GET", "/fhir/{type}/a1"),
        ("vread", "GET", "/fhir/{type}/a1/_history/1"),
        ("update", "PUT", "/fhir/{type}/a1"),
        ("patch", "PATCH", "/fhir/{type}/a1"),
        ("delete", "DELETE", "/fhir/{type}/a1"),
        ("history-instance", "GET", "/fhir/{type}/a1/_history"),
        ("history-type", "GET", "/fhir/{type}/_history"),
        ("create", "POST", "/fhir/{type}"),
        ("search-type", "GET", "/fhir/{type}"),
    ];
    let (mut listed_count, mut unlisted_count) = (0, 0);
    for resource_type in ["Appointment", "ServiceRequest", "Patient", "Task", "Observation", "Bundle", "Schedule"] {
        let resource = resources.iter().find(|resource| resource["type"] == resource_type);
        for (code, method, pattern) in possible {
            let interactions = resource.and_then(|resource| resource["interaction"].as_array());
            let listed = interactions.into_iter().flatten().any(|interaction| interaction["code"] == code);
            let uri = pattern.replace("{type}", resource_type);
            let answer = send(&state, with_body(method, &uri, "application/fhir+json", APPOINTMENT)).await;
            // `_history` has the place of an id, and is none: FHIR ids have no underscore.
            let unrouted = is_unrouted(&answer) || answer.body.contains("address.id");
            assert_eq!(listed, !unrouted, "{method} {uri}: {} {}", answer.status, answer.body);
            (listed_count, unlisted_count) = (listed_count + u32::from(listed), unlisted_count + u32::from(!listed));
        }
        let validate = send(&state, with_body("POST", &format!("/fhir/{resource_type}/$validate"), "text/xml", "<a/>"));
        assert_eq!(
            resource.is_some_and(|resource| resource["operation"][0]["name"] == "validate"),
            !is_unrouted(&validate.await)
        );
    }
    assert_eq!(listed_count, 16);
    assert!(unlisted_count > 40, "{unlisted_count}");
    assert_eq!(resources[0]["supportedProfile"], json!(["https://example.test/profile"]));
}

#[actix_web::test]
async fn every_search_parameter_that_is_listed_is_taken_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let statement = send(&state, request("GET", "/fhir/metadata")).await.json();
    let mut taken = 0;
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        let name = resource["type"].as_str().unwrap();
        let listed: Vec<&str> =
            resource["searchParam"].as_array().unwrap().iter().map(|told| told["name"].as_str().unwrap()).collect();
        for (parameter, code, value) in [
            ("_id", "_id", "a1,a2"),
            ("identifier", "identifier", "urn:x%7C7"),
            ("patient:identifier", "patient", "https://fhir.nhs.uk/Id/nhs-number%7C9990000018"),
            ("status", "status", if name == "Appointment" { "booked,pending" } else { "completed" }),
            ("date", "date", "2026-01-01"),
            ("_include", "_include", "*"),
        ] {
            let answer = send(&state, with_key("GET", &format!("/fhir/{name}?{parameter}={value}"))).await;
            assert_eq!(answer.status == StatusCode::OK, listed.contains(&code), "{name} {parameter}: {}", answer.body);
            taken += u32::from(answer.status == StatusCode::OK);
        }
    }
    assert_eq!(taken, 14);
}

#[actix_web::test]
async fn a_faulty_request_gets_its_status_and_an_outcome_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let json_type = "application/fhir+json";
    let table: Vec<(TestRequest, u16, &str)> = vec![
        (with_key("GET", "/nowhere"), 404, "Nothing is served"),
        (with_key("GET", "/"), 404, "Nothing is served"),
        (with_key("GET", "/fhir/Observation"), 404, "there are: Appointment, ServiceRequest, Patient, Task"),
        (with_key("DELETE", "/fhir/Observation/1"), 404, "not served here"),
        (with_key("DELETE", "/fhir/Appointment/1"), 405, "allowed are: GET, HEAD, PUT"),
        (with_key("GET", "/fhir/Appointment/$validate"), 405, "allowed are: POST"),
        (with_key("GET", "/fhir/Appointment/none"), 404, "There is no such resource"),
        (with_key("GET", "/fhir/Appointment/a_b"), 400, "address.id"),
        (with_key("GET", &format!("/fhir/Appointment/{}", "a".repeat(65))), 400, "http.id"),
        (with_key("GET", "/fhir/Appointment?statuss=booked"), 400, "did you mean `status`?"),
        (with_key("GET", "/fhir/Appointment?colour=red"), 400, "http.colour"),
        (with_key("GET", "/fhir/Appointment?status=booked&status=pending"), 400, "more than once"),
        (with_key("GET", "/fhir/Appointment?status=bookd"), 400, "there are: proposed, pending"),
        (with_key("GET", "/fhir/Appointment?identifier="), 400, "system|value"),
        (with_key("GET", "/fhir/Appointment?identifier=a,b"), 400, "One identifier"),
        (with_key("GET", "/fhir/Appointment?_count=many"), 400, "whole number"),
        (with_key("GET", "/fhir/Appointment?_count=-1"), 400, "whole number"),
        (with_key("GET", "/fhir/Appointment?_after=%20"), 400, "`next` link"),
        (with_key("GET", "/fhir/Appointment?_id=a_b"), 400, "http._id"),
        (with_key("GET", "/fhir/Appointment/a1?status=booked"), 400, "query.unknown-parameter"),
        (with_key("GET", "/waiting-list/entries"), 400, "patient:identifier"),
        (with_key("GET", "/waiting-list/entries?patient=1"), 400, "did you mean"),
        (with_key("GET", "/fhir/Appointment").insert_header((ACCEPT, "text/html")), 406, "application/fhir+xml"),
        (with_key("GET", "/fhir/Appointment?_format=html"), 406, "_format"),
        (with_key("POST", "/fhir/Appointment").set_payload(APPOINTMENT), 415, "Content-Type"),
        (with_body("POST", "/fhir/Appointment", "text/plain", APPOINTMENT), 415, "application/fhir+json"),
        (with_body("POST", "/fhir/Appointment", json_type, "x".repeat(2001)), 413, "2000 bytes"),
        (
            with_body("POST", "/fhir/Appointment", json_type, "x").insert_header(("content-encoding", "gzip")),
            415,
            "compressed",
        ),
        (
            with_body("POST", "/fhir/Appointment", json_type, "x").insert_header(("if-match", "W/\"1\"")),
            400,
            "goes with PUT",
        ),
        (
            with_body("PUT", "/fhir/Appointment/1", json_type, "x").insert_header(("if-none-exist", "a=b")),
            400,
            "goes with POST",
        ),
        (
            with_body("PUT", "/fhir/Appointment/1", json_type, "x").insert_header(("if-none-match", "*")),
            400,
            "If-None-Exist",
        ),
        (
            with_body("PUT", "/fhir/Appointment/1", json_type, "x").insert_header(("if-match", "3")),
            400,
            "http.if-match",
        ),
        (
            with_body("POST", "/fhir/Task", json_type, "x").insert_header(("if-none-exist", "status=x")),
            400,
            "identifier=SYSTEM|VALUE",
        ),
        (
            with_body("POST", "/fhir/Task", json_type, "x").insert_header(("idempotency-key", "")),
            400,
            "http.idempotency-key",
        ),
    ];
    for (number, (request, status, told)) in table.into_iter().enumerate() {
        let answer = send(&state, request).await;
        assert_eq!(answer.status.as_u16(), status, "row {number}: {}", answer.body);
        assert!(answer.is_outcome() && answer.body.contains(told), "row {number}: {}, not {told}", answer.body);
        assert_eq!(answer.headers.contains_key(ALLOW), status == 405, "row {number}");
        assert!(!answer.header("x-correlation-id").is_empty() && !answer.header("x-request-id").is_empty());
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[actix_web::test]
async fn an_error_takes_the_form_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    for (request, xml) in [
        (with_key("GET", "/fhir/Appointment/none").insert_header((ACCEPT, "application/fhir+xml")), true),
        (with_key("GET", "/fhir/Appointment/none?_format=xml"), true),
        (with_key("GET", "/fhir/Nonsense").insert_header((ACCEPT, "text/xml")), true),
        (with_key("GET", "/nowhere").insert_header((ACCEPT, "application/xml")), true),
        (request("GET", "/fhir/Appointment/none").insert_header((ACCEPT, "application/fhir+xml")), true),
        (with_body("POST", "/fhir/Task", "application/fhir+xml", "<".repeat(3000)), true),
        (with_key("GET", "/fhir/Appointment/none").insert_header((ACCEPT, "image/png")), false),
        (with_key("GET", "/waiting-list/entries/none").insert_header((ACCEPT, "application/fhir+xml")), false),
    ] {
        let answer = send(&state, request).await;
        assert!(answer.status.is_client_error() && answer.is_outcome(), "{}", answer.body);
        assert_eq!(answer.header("content-type").contains("xml"), xml, "{}", answer.body);
        assert_eq!(answer.body.starts_with('<'), xml, "{}", answer.body);
    }
}

#[actix_web::test]
async fn the_identities_of_a_request_are_echoed_on_every_answer() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    for (method, uri) in [
        ("GET", "/health/live"),
        ("GET", "/fhir/metadata"),
        ("GET", "/fhir/Appointment"),
        ("GET", "/nowhere"),
        ("BREW", "/fhir/Appointment"),
        ("POST", "/fhir/Appointment"),
    ] {
        let request = with_key(method, uri)
            .insert_header(("x-correlation-id", "portal:1"))
            .insert_header(("x-request-id", "6b1f6a5e-3d43-4d2f-9e0b-0d8d3a2c9d11"));
        let answer = send(&state, request).await;
        assert_eq!(answer.header("x-correlation-id"), "portal:1", "{method} {uri}");
        assert_eq!(answer.header("x-request-id"), "6b1f6a5e-3d43-4d2f-9e0b-0d8d3a2c9d11", "{method} {uri}");
    }
}

#[actix_web::test]
async fn nothing_found_is_a_searchset_with_total_zero_and_the_search_as_it_was_understood() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let answer = send(&state, with_key("GET", "/fhir/Appointment?identifier=urn:x|7&_count=500")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/fhir+json; charset=utf-8");
    let bundle = answer.json();
    assert_eq!((&bundle["type"], &bundle["total"]), (&json!("searchset"), &json!(0)));
    let link = &bundle["link"][0];
    assert_eq!(link["relation"], "self");
    assert_eq!(link["url"], "https://stile.test/fhir/Appointment?identifier=urn%3Ax%7C7&_count=500");
}

#[actix_web::test]
async fn health_says_whether_the_process_runs_and_whether_the_store_answers() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    assert_eq!(send(&state, request("GET", "/health/live")).await.json(), json!({"status": "live"}));
    let ready = send(&state, request("GET", "/health/ready")).await;
    assert_eq!((ready.status, ready.json()), (StatusCode::OK, json!({"status": "ready"})));
    assert!(!ready.headers.contains_key(RETRY_AFTER));
}

#[actix_web::test]
async fn a_panic_is_an_incident_and_a_late_answer_a_504() {
    let panicking = async { if CANARY.len() == 10 { panic!("{CANARY}") } else { Err(fault::Fault::NoSuchAddress) } };
    let fault = perform::guarded(1000, panicking).await.err().unwrap();
    assert_eq!(fault.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let told = fault.issues()[0].to_string();
    assert!(told.contains("incident") && !told.contains(CANARY), "{told}");
    let slow = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Err(fault::Fault::NoSuchAddress)
    };
    assert_eq!(perform::guarded(10, slow).await.err().unwrap().status(), StatusCode::GATEWAY_TIMEOUT);
}

#[test]
fn every_route_has_a_method_that_is_one() {
    for route in routes::ROUTES {
        assert!(["GET", "HEAD", "POST", "PUT"].contains(&route.method), "{route:?}");
    }
}

/// Requests of every shape: addresses near the real ones, headers near the real ones, anything in between.
fn any_request() -> impl Strategy<Value = (String, String, Vec<(String, Vec<u8>)>, Vec<u8>)> {
    let method = prop_oneof!["GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|BREW"];
    let step = prop_oneof![
        "fhir|Appointment|Task|Patient|metadata|\\$validate|health|live|waiting-list|entries|_history",
        "[a-zA-Z0-9%2.~_$-]{0,12}",
    ];
    let path = prop::collection::vec(step, 0..5).prop_map(|steps| format!("/{}", steps.join("/")));
    let query =
        "(\\?((_id|identifier|patient:identifier|status|_count|_after|_format|x)=[a-z0-9%7C,|\\\\$+]{0,8}&?){0,4})?";
    let name = prop_oneof![
        "accept|content-type|if-match|if-none-match|if-none-exist|prefer|idempotency-key|x-correlation-id|x-request-id",
        "content-encoding|authorization",
    ];
    let value = prop_oneof![
        "application/(fhir\\+)?(json|xml)(;q=[0-9.]{1,3})?(,\\*/\\*)?".prop_map(String::into_bytes),
        "W/\"[0-9]{0,25}\"|identifier=[a-z:|\\\\,]{0,9}|return=(minimal|x)".prop_map(String::into_bytes),
        prop::collection::vec(prop_oneof![0x20u8..0x7f, 0x80u8..=0xff], 0..40),
    ];
    let headers = prop::collection::vec((name, value), 0..5);
    (method, path, query, headers, prop::collection::vec(any::<u8>(), 0..80))
        .prop_map(|(method, path, query, headers, body)| (method, format!("{path}{query}"), headers, body))
}

#[test]
fn no_request_makes_it_panic_or_answer_without_identities() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let system = actix_web::rt::System::new();
    let app = system.block_on(init_service(App::new().configure(|config| configure(config, state.clone()))));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2000));
    let result = runner.run(&any_request(), |(method, uri, headers, body)| {
        // What is not an address never gets past the HTTP reader.
        let Ok(uri) = uri.parse::<actix_web::http::Uri>() else { return Ok(()) };
        let mut request = with_key(&method, &uri.to_string()).set_payload(body);
        for (name, value) in &headers {
            let value = actix_web::http::header::HeaderValue::from_bytes(value);
            prop_assert!(value.is_ok());
            request = request.append_header((name.as_str(), value.unwrap()));
        }
        let response = system.block_on(actix_web::test::call_service(&app, request.to_request()));
        prop_assert!(response.headers().contains_key("x-correlation-id"));
        let status = response.status();
        let body = system.block_on(to_bytes(response.into_body())).unwrap_or_default();
        let text = String::from_utf8_lossy(&body).into_owned();
        // Only the way into the store may fail of itself, and it says so by an incident; nothing else is a 5xx.
        prop_assert!(!status.is_server_error() || text.contains("not built yet"), "{status} {text}");
        if status.is_client_error() {
            prop_assert!(text.contains("OperationOutcome"), "{status} {text}");
        }
        Ok(())
    });
    result.unwrap();
}

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Kept(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[actix_web::test]
async fn a_request_is_written_down_by_its_route_and_no_patient_is() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let kept = Kept::default();
    let writer = kept.clone();
    let log =
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let _log = tracing::subscriber::set_default(log.finish());
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    for uri in [
        format!("/fhir/Appointment?patient:identifier={CANARY}"),
        format!("/fhir/Appointment?status={CANARY}&{CANARY}=1"),
        format!("/fhir/Appointment/{CANARY}?_format={CANARY}"),
        format!("/fhir/{CANARY}/{CANARY}"),
        format!("/waiting-list/entries/{CANARY}"),
        format!("/waiting-list/entries?patient:identifier=x|{CANARY}"),
        format!("/{CANARY}?{CANARY}"),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let body = APPOINTMENT.replace("booked", CANARY);
            let request = with_body(method, &uri, "application/fhir+json", body)
                .insert_header(("x-correlation-id", CANARY))
                .insert_header(("x-request-id", CANARY))
                .insert_header(("accept", format!("application/json;x={CANARY}")));
            let answer = send(&state, request).await;
            assert!(answer.status.is_success() || !answer.body.contains(CANARY), "{}", answer.body);
        }
    }
    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let metrics = metrics.render();
    assert!(!log.contains(CANARY), "{log}");
    assert!(!metrics.contains(CANARY), "{metrics}");
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<&Value> =
        events.iter().map(|event| &event["fields"]).filter(|fields| fields["message"] == "request").collect();
    assert_eq!(requests.len(), 21);
    let first = requests[0];
    assert_eq!(first["route"], "/fhir/Appointment");
    assert_eq!((&first["method"], &first["status"], &first["caller"]), (&json!("GET"), &json!(200), &json!("portal")));
    assert!(first["duration_ms"].as_f64().unwrap() > 0.0 && first["bytes_out"].as_u64().unwrap() > 50);
    assert_eq!(requests[18]["route"], "unmatched");
    assert!(
        metrics.contains("stile_http_requests_total{route=\"/fhir/Appointment\",method=\"GET\",status=\"200\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("stile_http_request_duration_seconds"), "{metrics}");
}

/// One exchange over a real connection: what is sent, and everything that comes back until the server closes.
fn exchange(address: std::net::SocketAddr, sent: &[u8]) -> String {
    use std::io::{Read, Write};
    let mut connection = std::net::TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // The server may refuse and close before all is sent; what it said is what counts.
    let _ = connection.write_all(sent);
    let mut received = Vec::new();
    let _ = connection.read_to_end(&mut received);
    String::from_utf8_lossy(&received).into_owned()
}

#[actix_web::test]
async fn over_a_real_connection_a_body_too_large_is_refused_in_words_and_head_has_no_body() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = serve(state, listener, 1, 1000).unwrap();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let head = |method: &str, uri: &str, more: &str| {
        format!("{method} {uri} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {KEY}\r\n{more}\r\n")
    };
    let post = "Content-Type: application/fhir+json\r\n";
    let announced = head("POST", "/fhir/Task", &format!("{post}Content-Length: 20971520\r\n"));
    let chunked = head("POST", "/fhir/Task", &format!("{post}Transfer-Encoding: chunked\r\n"))
        + &format!("1000\r\n{}\r\n", "x".repeat(4096)).repeat(4)
        + "0\r\n\r\n";
    for (sent, status, told) in [
        (announced, "413", "2000 bytes"),
        (chunked, "413", "2000 bytes"),
        (head("HEAD", "/fhir/Appointment/none", ""), "404", ""),
        (head("GET", "/fhir/Appointment/none", ""), "404", "There is no such resource"),
    ] {
        let is_head = sent.starts_with("HEAD");
        let received = actix_web::rt::task::spawn_blocking(move || exchange(address, sent.as_bytes())).await.unwrap();
        assert!(received.starts_with(&format!("HTTP/1.1 {status}")), "{received}");
        assert!(received.contains(told) && received.contains("x-correlation-id"), "{received}");
        assert_eq!(received.trim_end().ends_with('}'), !is_head, "{received}");
    }
    handle.stop(true).await;
    running.await.unwrap().unwrap();
}
