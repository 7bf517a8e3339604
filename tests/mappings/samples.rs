//! Published samples that this project did not write, through checking and mapping.

use super::{library, profiles};
use std::collections::BTreeMap;
use std::path::Path;
use stile::document::Document;
use stile::fhir::{self, Format, Limits};
use stile::issue::{Issue, any_refuses};
use stile::mapping::{Outcome, Variables};
use stile::profile::{Tolerance, apply};

/// The systems in the national standard's own examples.
fn pca_sender() -> BTreeMap<String, String> {
    [
        (
            "pas_appointment_system",
            "https://fhir.myclinicalsystem.com/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d/Appointment",
        ),
        ("portal_appointment_system", "https://prod.myportal.com/fhir/Appointment"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

fn sample(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples").join(name);
    let found = std::fs::read(&path).ok();
    if found.is_none() {
        eprintln!("SKIPPED: {name} is not here");
    }
    found
}

/// The Appointments in a file: itself, or the entries of a Bundle.
fn appointments(bytes: &[u8]) -> Vec<String> {
    let whole: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    match whole["resourceType"].as_str() {
        Some("Bundle") => {
            whole["entry"].as_array().unwrap().iter().map(|entry| entry["resource"].to_string()).collect()
        }
        _ => vec![whole.to_string()],
    }
}

/// Reads, tolerates, checks and maps, as a submission does.
fn through(
    text: &str,
    tolerances: &[Tolerance],
    sender: &BTreeMap<String, String>,
) -> (Vec<Issue>, Option<(String, Outcome)>) {
    let parsed = fhir::parse(text.as_bytes(), Format::Json, &Limits::default());
    let mut issues = parsed.issues;
    let Some(mut document) = parsed.document else { return (issues, None) };
    issues.extend(apply(&mut document, tolerances));
    issues.extend(profiles().check(&document, &stile::profile::Ask::default()).issues);
    if any_refuses(&issues) {
        return (issues, None);
    }
    let variables = Variables { sender, now: jiff::Timestamp::UNIX_EPOCH, trees: &[] };
    let mapping = library().inbound(&document, &variables).unwrap().expect("a mapping takes every Appointment");
    (issues, Some((mapping.name().to_owned(), mapping.run(&document, &variables))))
}

#[test]
fn every_published_bars_appointment_is_mapped() {
    let mut mapped = 0;
    for name in ["GET-success.json", "PUT-body.json", "id/GET-success.json"] {
        let Some(bytes) = sample(&format!("bars-api/1.3.0/appointment/{name}")) else { return };
        for text in appointments(&bytes) {
            let (issues, outcome) = through(&text, &[], &BTreeMap::new());
            let (mapping, outcome) = outcome.unwrap_or_else(|| panic!("{name}: {issues:?}"));
            assert_eq!(mapping, "uk-core-appointment");
            assert!(outcome.issues.is_empty(), "{name}: {:?}", outcome.issues);
            assert_eq!(outcome.value["patient"]["reference"], "urn:uuid:788660eb-d2c9-4773-abd4-318484673fb2");
            assert!(outcome.value["based_on"][0].as_str().unwrap().starts_with("ServiceRequest/"));
            mapped += 1;
        }
    }
    assert_eq!(mapped, 4);
}

#[test]
fn every_published_aggregator_appointment_is_mapped_with_its_tolerance_and_refused_without() {
    let mut mapped = 0;
    for name in ["GetAppointmentResponseHappyPath.json", "GetInpatientAdmissionResponseHappyPath.json"] {
        let Some(bytes) = sample(&format!("pca/{name}")) else { return };
        for text in appointments(&bytes) {
            assert!(any_refuses(&through(&text, &[], &pca_sender()).0), "{name} passed without a tolerance");
            let (issues, outcome) = through(&text, Tolerance::ALL, &pca_sender());
            let (mapping, outcome) = outcome.unwrap_or_else(|| panic!("{name}: {issues:?}"));
            assert_eq!(mapping, "portal-appointment");
            assert!(outcome.issues.is_empty(), "{name}: {:?}", outcome.issues);
            let value = &outcome.value;
            assert_eq!(value["patient"]["nhs_number"], "9000000009");
            assert_eq!(value["provider"], "RFF");
            assert!(value["identifiers"]["pas"].is_string() && value["identifiers"]["portal"].is_string(), "{value}");
            assert_eq!(value["location"], "Chapel Allerton Hospital, Dentistry Dept, 2nd Floor");
            let references = value["references"].as_array().unwrap();
            assert!(references.iter().any(|one| one["value"] == "RBH5644312231"), "{value}");
            mapped += 1;
        }
    }
    assert_eq!(mapped, 3);
}

#[test]
fn what_goes_out_is_r4() {
    let change = Document::from_value(&serde_json::json!({
        "id": "r-1", "message_id": "m-1", "requested_at": "2026-01-05T09:00:00Z", "organisation": "RFF", "appointment": "a-1"
    }));
    let appointment = Document::from_value(&serde_json::json!({
        "identifiers": {"pas": "4817508"}, "patient": {"nhs_number": "9990000018"}, "status": "booked"
    }));
    let trees = [("change", &change), ("appointment", &appointment)];
    let sender = pca_sender();
    let variables = Variables { sender: &sender, now: jiff::Timestamp::UNIX_EPOCH, trees: &trees };
    let patient = serde_json::json!({"nhs_number": "9990000018"});
    let mut rendered = 0;
    for (mapping, full, bare) in [
        (
            "change-request-to-task",
            serde_json::json!({"kind": "reschedule", "appointment": {"id": "a-1", "identifier": {"system": "urn:x", "value": "1"}},
                "patient": patient, "reason": {"system": "urn:x", "code": "w", "text": "work"}, "note": "n", "authored_at": "2026-01-05T09:00:00Z",
                "preferred": [{"starts_at": "2026-02-01T00:00:00Z", "ends_at": "2026-02-02T00:00:00Z"}, {"ends_at": "2026-02-02T00:00:00Z"}]}),
            serde_json::json!({"kind": "cancel", "appointment": {"id": "a-1"}}),
        ),
        (
            "pifu-booking-to-appointment",
            serde_json::json!({"patient": patient, "pathway": {"identifier": "P", "issuer": "RFF"}, "treatment_function": "410",
                "provider": "RFF", "preferred": [{"starts_at": "2026-02-01T00:00:00Z"}], "reason": {"system": "urn:x", "code": "c", "text": "t"},
                "authored_at": "2026-01-05T09:00:00Z", "note": "n"}),
            serde_json::json!({"patient": patient, "pathway": {"identifier": "P"}}),
        ),
    ] {
        for input in [full, bare] {
            let outcome = library().named(mapping).unwrap().run(&Document::from_value(&input), &variables);
            assert!(outcome.issues.is_empty(), "{mapping}: {:?}", outcome.issues);
            let bytes = outcome.value.to_string();
            let parsed = fhir::parse(bytes.as_bytes(), Format::Json, &Limits::default());
            assert!(parsed.issues.is_empty(), "{mapping}: {:?}", parsed.issues);
            let issues = profiles().check(&parsed.document.unwrap(), &stile::profile::Ask::default()).issues;
            assert!(!any_refuses(&issues), "{mapping}: {issues:?}\n{bytes}");
            rendered += 1;
        }
    }
    assert_eq!(rendered, 4);
}
