//! What is kept, read and searched; what an accepted submission is answered with.

use super::*;
use crate::intake::Receipt;
use crate::issue::{Issue, Rule};
use crate::store::NewResource;
use actix_web::http::header::{ETAG, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use std::collections::BTreeSet;

/// Keeps Appointments `p1` to `p5` of the callers' organisation, all of one patient, and `other` of another one.
async fn keep(folder: &tempfile::TempDir) {
    let store = Store::open(folder.path()).unwrap();
    for (id, organisation) in
        [("p1", "RXX"), ("p2", "RXX"), ("p3", "RXX"), ("p4", "RXX"), ("p5", "RXX"), ("other", "RYY")]
    {
        let json = format!(r#"{{"resourceType":"Appointment","id":"{id}","status":"booked"}}"#);
        let identifiers = [("urn:portal".to_owned(), format!("{id}|x"))];
        let kept = store.write(move |unit| {
            unit.put_resource(&NewResource {
                resource_type: "Appointment",
                id,
                version: 3,
                last_updated: "2026-03-01T09:30:00Z".parse().unwrap(),
                organisation,
                patient: Some(CANARY),
                status: Some("booked"),
                body_sha256: &[0; 32],
                json: &json,
                identifiers: &identifiers,
            })?;
            Ok(())
        });
        kept.await.unwrap();
    }
}

#[actix_web::test]
async fn a_resource_is_read_with_its_version_and_not_sent_twice() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    keep(&folder).await;
    let answer = send(&state, with_key("GET", "/fhir/Appointment/p1")).await;
    assert_eq!((answer.status, answer.json()["id"].as_str()), (StatusCode::OK, Some("p1")));
    assert_eq!(answer.header(ETAG.as_str()), "W/\"3\"");
    assert_eq!(answer.header(LAST_MODIFIED.as_str()), "Sun, 01 Mar 2026 09:30:00 GMT");
    for (tag, status) in [("W/\"3\"", 304), ("\"2\", \"3\"", 304), ("W/\"2\"", 200)] {
        let answer = send(&state, with_key("GET", "/fhir/Appointment/p1").insert_header((IF_NONE_MATCH, tag))).await;
        assert_eq!(answer.status.as_u16(), status, "{tag}");
        assert_eq!(answer.body.is_empty(), status == 304, "{tag}");
        assert_eq!(answer.header(ETAG.as_str()), "W/\"3\"");
    }
    let xml = send(&state, with_key("GET", "/fhir/Appointment/p1?_format=xml")).await;
    assert!(xml.body.contains("<Appointment xmlns=\"http://hl7.org/fhir\"><id value=\"p1\"/>"), "{}", xml.body);
    assert_eq!(xml.header("content-type"), "application/fhir+xml; charset=utf-8");
}

#[actix_web::test]
async fn another_organisations_resource_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    keep(&folder).await;
    let hidden = send(&state, with_key("GET", "/fhir/Appointment/other")).await;
    let absent = send(&state, with_key("GET", "/fhir/Appointment/none")).await;
    assert_eq!((hidden.status, &hidden.body), (StatusCode::NOT_FOUND, &absent.body));
    let found = send(&state, with_key("GET", "/fhir/Appointment?_id=other,p1")).await.json();
    assert_eq!(found["total"], 1);
}

#[actix_web::test]
async fn following_next_from_page_to_page_meets_each_resource_once() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    keep(&folder).await;
    let mut uri = format!(
        "/fhir/Appointment?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{CANARY}&status=booked&_count=2"
    );
    let mut met = Vec::new();
    for page in 0..3 {
        let bundle = send(&state, with_key("GET", &uri)).await.json();
        assert_eq!(bundle["total"], 5, "page {page}");
        for entry in bundle["entry"].as_array().unwrap() {
            let id = entry["resource"]["id"].as_str().unwrap().to_owned();
            assert_eq!(entry["fullUrl"], format!("https://stile.test/fhir/Appointment/{id}"));
            assert_eq!(entry["search"]["mode"], "match");
            met.push(id);
        }
        let next = bundle["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next");
        assert_eq!(next.is_some(), page < 2, "page {page}");
        if let Some(next) = next {
            uri = next["url"].as_str().unwrap().trim_start_matches("https://stile.test").to_owned();
        }
    }
    assert_eq!(met.len(), 5);
    assert_eq!(met.into_iter().collect::<BTreeSet<_>>().len(), 5);
}

#[actix_web::test]
async fn a_search_finds_by_an_identifier_with_escapes_and_can_ask_for_the_number_alone() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    keep(&folder).await;
    let found = send(&state, with_key("GET", "/fhir/Appointment?identifier=urn:portal|p2%5C|x")).await.json();
    assert_eq!((&found["total"], &found["entry"][0]["resource"]["id"]), (&json!(1), &json!("p2")));
    let counted = send(&state, with_key("GET", "/fhir/Appointment?_count=0")).await.json();
    assert_eq!(counted["total"], 5);
    assert!(counted.get("entry").is_none() && counted["link"].as_array().unwrap().len() == 1, "{counted}");
}

#[actix_web::test]
async fn an_accepted_submission_is_answered_as_its_sender_prefers() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let receipt = |created| Receipt {
        resource_type: "Appointment".into(),
        id: "p1".into(),
        version: 2,
        last_updated: Timestamp::UNIX_EPOCH,
        created,
        issues: vec![Issue::new(Rule::Tolerated, "put right")],
        json: APPOINTMENT.into(),
    };
    for (prefer, created, status, body) in [
        (None, true, 201, "tolerance.applied"),
        (None, false, 200, "tolerance.applied"),
        (Some("return=OperationOutcome"), true, 201, "tolerance.applied"),
        (Some("return=representation"), false, 200, "\"booked\""),
        (Some("return=minimal"), true, 201, ""),
    ] {
        let mut request = with_key("POST", "/fhir/Appointment");
        if let Some(prefer) = prefer {
            request = request.insert_header(("prefer", prefer));
        }
        let request = request.to_http_request();
        let asked = perform::Asked { state: &state, request: &request };
        let response = resources::receipt_reply(&asked, receipt(created)).render(crate::fhir::Format::Json);
        assert_eq!(response.status().as_u16(), status, "{prefer:?}");
        let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        assert_eq!(header(LOCATION.as_str()), "https://stile.test/fhir/Appointment/p1");
        assert_eq!(header(ETAG.as_str()), "W/\"2\"");
        assert_eq!(header(LAST_MODIFIED.as_str()), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(header("preference-applied"), prefer.unwrap_or(""));
        let text = String::from_utf8(to_bytes(response.into_body()).await.unwrap().to_vec()).unwrap();
        assert!(text.contains(body) && text.is_empty() == body.is_empty(), "{prefer:?}: {text}");
    }
}
