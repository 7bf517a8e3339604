//! Whose word counts: the PAS's own, on time, about the right patient. What a portal passes on repeats it at the most.

use crate::house::{
    House, OTHER_PATIENT, answer_to, appointment, booking, change, enrolment, enrolment_used, of_patient,
};
use serde_json::{Value, json};
use stile::delivery::State;

fn starting(id: &str, number: &str, start: &str, end: &str) -> Value {
    let mut resource = appointment(id, number);
    resource["start"] = json!(start);
    resource["end"] = json!(end);
    resource
}

fn with(mut resource: Value, name: &str, value: Value) -> Value {
    resource[name] = value;
    resource
}

const EARLIER: (&str, &str) = ("2026-11-30T10:00:00+00:00", "2026-11-30T10:20:00+00:00");
const LATER: (&str, &str) = ("2026-12-08T10:00:00+00:00", "2026-12-08T10:20:00+00:00");

#[actix_web::test]
async fn once_the_pas_has_spoken_a_portal_may_repeat_it_and_not_contradict_it() {
    let house = House::open().await;
    let booked = appointment("a1", "4817508");
    house.portal.put(&booked).await.expect(201);
    let cancelled = with(booked.clone(), "status", json!("cancelled"));
    house.pas.put(&cancelled).await.expect(200);
    let stale = house.portal.put(&booked).await.expect(409);
    assert!(
        stale.text.contains("the PAS itself has said otherwise") || stale.text.contains("The PAS itself"),
        "{}",
        stale.text
    );
    assert_eq!(house.portal.reads("/fhir/Appointment/a1").await["status"], "cancelled");
    house.portal.asks("t1", "cancel", "a1").await.expect(422);
    // The portal's own words beside the PAS's are welcome.
    let repeated = with(cancelled, "description", json!("Dermatology clinic"));
    house.portal.put(&repeated).await.expect(200);
    house.close().await;
}

#[actix_web::test]
async fn moved_means_moved_since_the_patient_asked_whatever_portals_passed_on_meanwhile() {
    let house = House::open().await;
    house.portal.put(&appointment("a1", "4817508")).await.expect(201);
    house.portal.asks("t1", "reschedule", "a1").await.expect(201);
    house.portal.put(&starting("a1", "4817508", EARLIER.0, EARLIER.1)).await.expect(200);
    house.pas.put(&appointment("a1", "4817508")).await.expect(200);
    assert_eq!(house.state_of("t1").await, "requested", "the PAS has repeated the old time");
    house.close().await;

    let house = House::open().await;
    house.portal.put(&appointment("a1", "4817508")).await.expect(201);
    house.portal.asks("t1", "reschedule", "a1").await.expect(201);
    let moved = starting("a1", "4817508", LATER.0, LATER.1);
    house.portal.put(&moved).await.expect(200);
    assert_eq!(house.state_of("t1").await, "requested", "a portal's word ends nothing");
    house.pas.put(&moved).await.expect(200);
    assert_eq!(house.state_of("t1").await, "applied", "the very same bytes, and now it is the PAS that says so");
    assert_eq!(house.delivery_of("t1").await.state, State::Withdrawn, "it would have been moved again");
    assert_eq!(house.step().await, 0);
    house.close().await;
}

#[actix_web::test]
async fn an_appointment_stays_with_its_patient() {
    let house = House::open().await;
    house.portal.put(&appointment("a1", "4817508")).await.expect(201);
    house.portal.put(&of_patient(&appointment("a1", "4817508"), OTHER_PATIENT)).await.expect(409);
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    house.pas.put(&of_patient(&appointment("a1", "4817508"), OTHER_PATIENT)).await.expect(409);
    house.close().await;
}

#[actix_web::test]
async fn a_patient_who_is_named_by_reference_is_guarded_like_one_who_is_named_by_number() {
    let house = House::open().await;
    let child = json!({
        "resourceType": "Patient", "id": "p1", "birthDate": "2015-01-01",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": OTHER_PATIENT}]
    });
    house.portal.put(&child).await.expect(201);
    let mut by_reference = appointment("a1", "4817508");
    by_reference["participant"][0]["actor"] = json!({"reference": "Patient/p1"});
    house.portal.put(&by_reference).await.expect(201);
    let refused = house.portal.put(&change("t1", "cancel", "a1")).await.expect(422);
    assert_eq!(refused.rules(), ["change.other-patient", "change.under-sixteen"]);
    house.close().await;
}

#[actix_web::test]
async fn what_a_sender_says_of_pending_requests_asks_for_nothing_and_is_told_so() {
    let house = House::open().await;
    let mut pending = appointment("a1", "4817508");
    let extensions = pending["extension"].as_array_mut().unwrap();
    extensions.push(json!({
        "url": "https://fhir.nhs.uk/StructureDefinition/Extension-Appointment-RequestStatus",
        "valueCode": "Pending Cancellation"
    }));
    let kept = house.portal.put(&pending).await.expect(201);
    assert_eq!(kept.rules(), ["change.status-only"], "{}", kept.text);
    assert_eq!(house.pending_on("a1").await, "");
    assert_eq!(house.deliveries().await.len(), 0);
    house.close().await;
}

#[actix_web::test]
async fn a_follow_up_is_booked_by_a_booked_appointment_of_the_patient_who_asked() {
    let house = House::open().await;
    house.portal.put(&enrolment("e1", "P-1")).await.expect(201);
    house.portal.put(&booking("b1", "P-1")).await.expect(201);
    let answers = |id: &str| {
        let names_it = json!([{"identifier": {"system": "urn:stile:pifu-booking", "value": "b1"}}]);
        with(appointment(id, id), "basedOn", names_it)
    };
    let refused = house.pas.put(&of_patient(&answers("x1"), OTHER_PATIENT)).await.expect(422);
    assert_eq!(refused.rules(), ["change.other-patient"]);
    house.pas.put(&with(answers("x2"), "status", json!("cancelled"))).await.expect(201);
    assert_eq!(house.state_of("b1").await, "requested");
    house.pas.put(&with(answers("x3"), "status", json!("pending"))).await.expect(201);
    assert_eq!(house.state_of("b1").await, "acknowledged");
    house.pas.put(&answers("x4")).await.expect(201);
    assert_eq!(house.state_of("b1").await, "booked");
    // What has ended stays so, and the PAS hears that its answer changed nothing.
    let late = house.pas.put(&answer_to("b1", "s1", "rejected", "no slot")).await.expect(201);
    assert_eq!(late.rules(), ["change.ended"]);
    assert_eq!(house.state_of("b1").await, "booked");
    house.close().await;
}

#[actix_web::test]
async fn one_use_of_a_pifu_task_asks_once_and_a_later_use_asks_again() {
    let house = House::open().await;
    house.portal.put(&enrolment("e1", "P-1")).await.expect(201);
    let used = enrolment_used("e1", "P-1");
    let first = house.portal.put(&used).await.expect(200);
    assert_eq!(first.rules(), ["request.follow"]);
    let completed = with(used.clone(), "status", json!("completed"));
    let again = house.portal.put(&completed).await.expect(200);
    assert_eq!(again.text, first.text, "the same Task to follow");
    assert_eq!(house.deliveries().await.len(), 1);
    assert_eq!(house.step().await, 1);
    let follow = first.text.split("Task/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    house.until(&format!("/fhir/Task/{follow}"), "/businessStatus/text", "booked").await;
    house.portal.put(&with(completed, "description", json!("Rheumatology clinic"))).await.expect(200);
    assert_eq!(house.deliveries().await.len(), 1, "still the same use");
    let later = with(used, "lastModified", json!("2026-11-21T10:30:00Z"));
    house.portal.put(&later).await.expect(200);
    assert_eq!(house.deliveries().await.len(), 2);
    house.close().await;
}

#[actix_web::test]
async fn a_number_under_the_system_in_another_case_is_the_patient_s_number_and_is_guarded_as_such() {
    let house = House::open().await;
    let other_case = |resource: Value| -> Value {
        serde_json::from_str(&resource.to_string().replace("fhir.nhs.uk/Id/", "fhir.nhs.uk/id/")).unwrap()
    };
    let kept = house.portal.put(&other_case(appointment("a1", "4817508"))).await.expect(201);
    assert_eq!(kept.rules(), ["identifier.system-case"], "{}", kept.text);
    let found =
        house.portal.reads("/fhir/Appointment?patient:identifier=https://fhir.nhs.uk/Id/nhs-number%7C9990000018");
    assert_eq!(found.await["total"], 1);
    let refused = house.portal.put(&of_patient(&change("t1", "cancel", "a1"), OTHER_PATIENT)).await.expect(422);
    assert_eq!(refused.rules(), ["change.other-patient"]);
    house.close().await;
}
