//! Nobody sees or changes what is not theirs, and a refusal tells nothing about what is there.

use crate::house::{
    Answer, Caller, House, OTHER_PATIENT, PATIENT, TRUST, answer_to, appointment, booking, caller_settings, change,
    enrolment, of_patient, referral, sender_settings,
};
use serde_json::{Value, json};

const OTHER_TRUST: &str = "RZZ88";
const ALL_TYPES: &[&str] = &["Appointment", "ServiceRequest", "Patient", "Task", "WaitingListEntry"];
const ALL_INTERACTIONS: &[&str] = &["read", "search", "create", "update", "validate"];

/// A house where another trust, with a portal and a PAS of its own, shares the gateway.
async fn a_shared_house() -> House {
    let more = [
        sender_settings("other-portal", OTHER_TRUST, false),
        sender_settings("other-pas", OTHER_TRUST, true),
        caller_settings("other-portal", "other-portal", ALL_TYPES, ALL_INTERACTIONS, &[OTHER_TRUST]),
        caller_settings("other-pas", "other-pas", &["Appointment", "Task"], ALL_INTERACTIONS, &[OTHER_TRUST]),
        caller_settings("reader", "portal", ALL_TYPES, &["read"], &[TRUST]),
        caller_settings("writer", "portal", &["Appointment"], &["create", "update"], &[TRUST]),
        format!("[organisations.{OTHER_TRUST}]\ndownstream = \"pas\"\n"),
    ];
    House::with(&more.concat()).await
}

/// Nothing of the patient, of the submission or of the resource stands in an answer.
#[track_caller]
fn tells_nothing(answer: &Answer) {
    for secret in [PATIENT, OTHER_PATIENT, "Dermatology", "4817508", "on holiday", "Suspicious", "booked"] {
        assert!(!answer.text.contains(secret), "{secret} in {}", answer.text);
    }
    assert_eq!((answer.header("etag"), answer.header("location")), ("", ""));
}

async fn refused(caller: &Caller, method: &str, path: &str, body: Option<&Value>, status: u16) -> Answer {
    let text = body.map(ToString::to_string);
    let answer = caller.send(method, path, &[], text.as_deref().map(str::as_bytes)).await;
    assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    tells_nothing(&answer);
    answer
}

#[actix_web::test]
async fn without_a_key_or_with_a_wrong_one_there_is_no_answer_about_patients() {
    let house = a_shared_house().await;
    house.portal.put(&appointment("a1", "4817508")).await.expect(201);
    let body = appointment("a1", "4817508");
    for caller in [house.stranger.clone(), house.caller("wrong-key"), house.caller("PORTAL-KEY")] {
        for (method, path, body) in [
            ("GET", "/fhir/Appointment/a1", None),
            ("GET", "/fhir/Appointment/none", None),
            ("GET", "/fhir/Appointment?status=booked", None),
            ("PUT", "/fhir/Appointment/a1", Some(&body)),
            ("POST", "/fhir/Appointment", Some(&body)),
            ("POST", "/fhir/Appointment/$validate", Some(&body)),
            ("GET", "/waiting-list/entries/r1", None),
            ("GET", "/waiting-list/entries?patient:identifier=x", None),
            ("GET", "/fhir/StructureDefinition/Patient", None),
            ("GET", "/fhir/ValueSet?name=a", None),
        ] {
            let answer = refused(&caller, method, path, body, 401).await;
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path}");
        }
        for path in ["/fhir/metadata", "/health/live", "/health/ready", "/metrics"] {
            caller.get(path).await.expect(200);
        }
    }
    let kept = house.portal.get("/fhir/Appointment/a1").await;
    assert_eq!(kept.header("etag"), "W/\"1\"");
    house.close().await;
}

#[actix_web::test]
async fn a_grant_is_kept_to_in_types_and_in_interactions() {
    let house = a_shared_house().await;
    house.portal.put(&appointment("a1", "4817508")).await.expect(201);
    house.portal.put(&referral("r1", "RZZ99-9", "000049990001")).await.expect(201);
    let (reader, writer) = (house.caller("reader-key"), house.caller("writer-key"));
    let body = appointment("a2", "4817509");
    reader.get("/fhir/Appointment/a1").await.expect(200);
    refused(&reader, "PUT", "/fhir/Appointment/a2", Some(&body), 403).await;
    refused(&reader, "POST", "/fhir/Appointment", Some(&body), 403).await;
    refused(&reader, "POST", "/fhir/Appointment/$validate", Some(&body), 403).await;
    refused(&reader, "GET", "/fhir/Appointment", None, 403).await;
    refused(&reader, "GET", "/waiting-list/entries?patient:identifier=x", None, 403).await;
    reader.get("/waiting-list/entries/r1").await.expect(200);

    refused(&writer, "GET", "/fhir/Appointment/a1", None, 403).await;
    refused(&writer, "GET", "/fhir/ServiceRequest/r1", None, 403).await;
    refused(&writer, "PUT", "/fhir/Task/t1", Some(&change("t1", "cancel", "a1")), 403).await;
    refused(&writer, "GET", "/waiting-list/entries/r1", None, 403).await;
    writer.put(&body).await.expect(201);
    // Definitions are nobody's data.
    for path in ["/fhir/StructureDefinition/Patient", "/fhir/ValueSet?name=appointment", "/fhir/CodeSystem/v3-RoleCode"]
    {
        writer.get(path).await.expect(200);
    }
    house.portal.get("/fhir/Task/t1").await.expect(404);
    assert!(house.deliveries().await.is_empty());
    house.close().await;
}

#[actix_web::test]
async fn what_belongs_to_another_trust_looks_like_nothing() {
    let house = a_shared_house().await;
    house.knows("a1", "4817508").await;
    house.portal.put(&referral("r1", "RZZ99-9", "000049990001")).await.expect(201);
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    let other = house.caller("other-portal-key");
    // Absent and hidden are told with the same words.
    for (hidden, absent) in [
        ("/fhir/Appointment/a1", "/fhir/Appointment/none"),
        ("/fhir/Task/t1", "/fhir/Task/none"),
        ("/fhir/ServiceRequest/r1", "/fhir/ServiceRequest/none"),
        ("/waiting-list/entries/r1", "/waiting-list/entries/none"),
    ] {
        let hidden = refused(&other, "GET", hidden, None, 404).await;
        let absent = refused(&other, "GET", absent, None, 404).await;
        assert_eq!(hidden.text, absent.text);
    }
    for path in [
        "/fhir/Appointment".to_owned(),
        "/fhir/Appointment?_id=a1".to_owned(),
        format!("/fhir/Appointment?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{PATIENT}"),
        "/fhir/Appointment?identifier=4817508".to_owned(),
        "/fhir/Task?status=requested".to_owned(),
        "/fhir/ServiceRequest".to_owned(),
    ] {
        let found = other.get(&path).await.expect(200);
        assert_eq!((&found.json()["total"], found.json().get("entry")), (&json!(0), None), "{path}");
        assert!(!found.text.contains("a1\"") || path.contains("_id"), "{}", found.text);
    }
    let list = format!("/waiting-list/entries?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{PATIENT}");
    assert_eq!(other.get(&list).await.expect(200).json()["total"], 0);

    // Neither by its id nor by its number is the appointment there to be changed.
    let by_id = other.asks("t2", "cancel", "a1").await.expect(422);
    assert_eq!(by_id.rules(), ["change.unknown-appointment"]);
    let mut by_number = change("t2", "cancel", "a1");
    by_number["focus"] = json!({"identifier": {"system": crate::house::PAS_SYSTEM, "value": "4817508"}});
    assert_eq!(other.put(&by_number).await.expect(422).rules(), ["change.unknown-appointment"]);
    // Nor can it be overwritten, or taken over by naming the other trust in it.
    let mut taken_over = appointment("a1", "4817508");
    taken_over["participant"][1]["actor"]["identifier"]["value"] = json!(OTHER_TRUST);
    refused(&other, "PUT", "/fhir/Appointment/a1", Some(&taken_over), 403).await;
    refused(&other, "PUT", "/fhir/Appointment/a1", Some(&appointment("a1", "4817508")), 403).await;
    refused(&other, "PUT", "/fhir/Appointment/new", Some(&appointment("new", "4817599")), 403).await;
    house.portal.get("/fhir/Appointment/new").await.expect(404);
    assert_eq!(house.pending_on("a1").await, "Pending Cancellation");
    assert_eq!(house.deliveries().await.len(), 1);
    house.close().await;
}

#[actix_web::test]
async fn a_portal_s_own_update_of_an_appointment_ends_no_request() {
    let house = a_shared_house().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    let mut cancelled = appointment("a1", "4817508");
    cancelled["status"] = json!("cancelled");
    house.portal.put(&cancelled).await.expect(200);
    assert_eq!(house.state_of("t1").await, "requested", "only the PAS's word is the end of it");
    assert_eq!(house.portal.put(&answer_to("t1", "s1", "completed", "")).await.status, 422);
    assert_eq!(house.state_of("t1").await, "requested");
    // The same from the PAS is.
    let mut from_pas = cancelled.clone();
    from_pas["description"] = json!("Dermatology, cancelled");
    house.pas.put(&from_pas).await.expect(200);
    assert_eq!(house.state_of("t1").await, "applied");
    house.close().await;
}

#[actix_web::test]
async fn the_pas_of_another_trust_ends_no_request() {
    let house = a_shared_house().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    house.portal.put(&enrolment("e1", "RZZ99-7")).await.expect(201);
    house.portal.put(&booking("b1", "RZZ99-7")).await.expect(201);
    let other = house.caller("other-pas-key");
    for status in ["completed", "rejected", "accepted"] {
        let answer = other.put(&answer_to("t1", "s1", status, "we say so")).await.expect(422);
        assert_eq!(answer.rules(), ["change.unknown-request"]);
    }
    refused(&other, "PUT", "/fhir/Task/t1", Some(&change("t1", "cancel", "a1")), 403).await;
    let mut cancelled = appointment("a1", "4817508");
    cancelled["status"] = json!("cancelled");
    refused(&other, "PUT", "/fhir/Appointment/a1", Some(&cancelled), 403).await;
    // Nor can it book somebody else's follow-up.
    let mut booked = appointment("theirs", "9000001");
    booked["participant"][1]["actor"]["identifier"]["value"] = json!(OTHER_TRUST);
    booked["basedOn"] = json!([{"identifier": {"system": "urn:stile:pifu-booking", "value": "b1"}}]);
    assert_eq!(other.put(&booked).await.expect(422).rules(), ["change.unknown-request"]);
    house.portal.get("/fhir/Appointment/theirs").await.expect(404);
    for (task, state) in [("t1", "requested"), ("b1", "requested")] {
        assert_eq!(house.state_of(task).await, state);
    }
    house.close().await;
}

#[actix_web::test]
async fn two_trusts_that_use_the_same_pathway_number_do_not_meet() {
    let house = a_shared_house().await;
    let other = house.caller("other-portal-key");
    let of_other_trust = |resource: Value| -> Value {
        let text = of_patient(&resource, OTHER_PATIENT).to_string().replace(TRUST, OTHER_TRUST);
        serde_json::from_str(&text).unwrap()
    };
    house.portal.put(&enrolment("e1", "100200300")).await.expect(201);
    house.portal.put(&booking("b1", "100200300")).await.expect(201);
    other.put(&of_other_trust(enrolment("e2", "100200300"))).await.expect(201);
    // A pathway number is unique only with its issuer: the first trust's open booking is none of the second's.
    other.put(&of_other_trust(booking("b2", "100200300"))).await.expect(201);
    let again = other.put(&of_other_trust(booking("b3", "100200300"))).await.expect(422);
    assert_eq!(again.rules(), ["pifu.already-open"]);
    assert!(again.text.contains("Task/b2") && !again.text.contains("Task/b1"), "{}", again.text);
    // And an appointment on it is not shown on the other trust's list.
    house.portal.put(&referral("r1", "100200300", "000049990001")).await.expect(201);
    let mut on_pathway = appointment("a2", "4817509");
    on_pathway["basedOn"] = json!([{"identifier": {"system": crate::house::PATHWAY_SYSTEM, "value": "100200300"}}]);
    other.put(&of_other_trust(on_pathway)).await.expect(201);
    let entry = house.portal.get("/waiting-list/entries/r1").await.expect(200).json();
    assert!(entry.get("appointments").is_none(), "{entry}");
    house.close().await;
}
