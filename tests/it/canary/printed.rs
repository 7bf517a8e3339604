//! What the program's values say of themselves when somebody prints them, in an assertion or by a slip.

use super::{FAMILY, NHS_NUMBER, NOTE, routes, shown_in};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use stile::fhir::{self, Format, Limits, Token};
use stile::intake::{Receipt, Submission, Write};

#[track_caller]
fn check(what: &str, text: &str, shows: &str) {
    assert!(shown_in(text).is_empty(), "{what} shows {:?}: {text}", shown_in(text));
    assert!(text.contains(shows), "{what} says too little: {text}");
}

#[test]
fn what_is_sent_and_kept_does_not_print() {
    let now = Timestamp::now();
    let text = routes::appointment(now).to_string();
    let token = Token { system: Some("urn:x".into()), value: NHS_NUMBER.into() };
    check("a token", &format!("{token:?}"), "urn:x");
    let submission = Submission {
        resource_type: "Appointment".into(),
        write: Write::Create { if_none_exist: Some(token.clone()) },
        body: Bytes::from(text.clone()),
        format: Format::Json,
        idempotency_key: Some(FAMILY.into()),
        correlation_id: "c1".into(),
    };
    check("a submission", &format!("{submission:?}"), "Appointment");
    check("a submission, spaced out", &format!("{submission:#?}"), "c1");
    let receipt = Receipt {
        resource_type: "Appointment".into(),
        id: "a1".into(),
        version: 1,
        last_updated: now,
        created: true,
        issues: Vec::new(),
        json: text.clone(),
    };
    check("a receipt", &format!("{receipt:?}"), "a1");
    let parsed = fhir::parse(text.as_bytes(), Format::Json, &Limits::default());
    check("what was read", &format!("{parsed:?}"), "Appointment");
    let document = parsed.document.unwrap();
    check("a document", &format!("{document:?}"), "Appointment");
    let description = document.root().child_named("description").unwrap();
    assert_eq!(description.string(), Some(NOTE), "the document holds what it must not print");
    check("a node", &format!("{description:?}"), "Appointment.description");
    check("a value", &format!("{:?}", description.value()), "bytes)");
}

#[test]
fn what_was_refused_does_not_print() {
    let mut body = routes::appointment(Timestamp::now());
    body["status"] = FAMILY.into();
    body[NHS_NUMBER] = json!(null);
    let parsed = fhir::parse(body.to_string().as_bytes(), Format::Json, &Limits::default());
    assert!(!parsed.issues.is_empty());
    let error = stile::error::Error::Malformed(parsed.issues);
    check("an error", &format!("{error:?} {error} {:?}", error.issues()), "JsonNull");
    let asked = stile::enquiry::Search {
        ids: vec!["a".into()],
        patient_identifier: Some(Token { system: None, value: NHS_NUMBER.into() }),
        ..Default::default()
    };
    check("a search", &format!("{asked:?}"), "Search");
}

/// Says that a test runs in a process of its own.
const ALONE: &str = "STILE_TEST_ALONE";

#[test]
fn a_panic_says_where_and_not_what() {
    if std::env::var_os(ALONE).is_some() {
        stile::telemetry::start(stile::telemetry::LogFormat::Json, "trace").unwrap();
        let fall = std::thread::spawn(|| panic!("no such patient: {FAMILY} {NHS_NUMBER}"));
        assert!(fall.join().is_err());
        return;
    }
    let program = std::env::current_exe().unwrap();
    let test = "canary::printed::a_panic_says_where_and_not_what";
    let child = std::process::Command::new(program).args([test, "--exact", "--nocapture"]).env(ALONE, "1").output();
    let child = child.unwrap();
    let (out, err) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && out.contains("1 passed"), "{out}{err}");
    check("a panic", &format!("{out}{err}"), "printed.rs");
}

#[test]
fn what_the_store_takes_and_gives_does_not_print() {
    use stile::store::{KeptKey, KeptResource, NewResource, NewSubmission, Query};
    let (now, text) = (Timestamp::now(), routes::appointment(Timestamp::now()).to_string());
    let resource = NewResource {
        resource_type: "Appointment",
        id: "a1",
        version: 1,
        last_updated: now,
        organisation: "RZZ99",
        patient: Some(NHS_NUMBER),
        status: None,
        body_sha256: &[],
        json: &text,
        identifiers: &[("urn:x".into(), NHS_NUMBER.into())],
    };
    check("a resource to be kept", &format!("{resource:?}"), "Appointment/a1");
    let submission = NewSubmission {
        at: now,
        resource_type: "Appointment",
        id: "a1",
        version: 1,
        caller: "portal",
        correlation_id: "c1",
        mapping: "m",
        format: "json",
        body: text.as_bytes(),
    };
    check("a submission to be kept", &format!("{submission:?}"), "Appointment/a1");
    let kept = KeptResource {
        resource_type: "Appointment".into(),
        id: "a1".into(),
        version: 1,
        last_updated: now,
        organisation: "RZZ99".into(),
        body_sha256: Vec::new(),
        json: text.clone(),
    };
    check("a kept resource", &format!("{kept:?}"), "Appointment/a1");
    check("a kept key", &format!("{:?}", KeptKey { body_sha256: Vec::new(), receipt: text }), "receipt");
    let query = Query { resource_type: "Appointment".into(), patient: Some(NHS_NUMBER.into()), ..Query::default() };
    check("a query", &format!("{query:?}"), "Appointment");
}
