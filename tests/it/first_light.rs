//! The main job, told as stories: what a patient asks goes to the PAS, and ends when the PAS says so.

use crate::house::{
    House, PATHWAY_SYSTEM, PATIENT, answer_to, appointment, booking, change, enrolment, enrolment_used, referral,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

#[actix_web::test]
async fn a_cancellation_is_seen_at_once_goes_to_the_pas_and_ends_when_the_pas_says_so() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    let seen = house.portal.reads("/fhir/Appointment/a1").await;
    assert_eq!(seen["status"], "booked", "the status is the PAS's own");
    assert_eq!(house.pending_on("a1").await, "Pending Cancellation");
    assert_eq!(house.state_of("t1").await, "requested");
    assert_eq!(house.twin_count("received"), 1, "the twin has heard nothing but what it was given at first");

    assert_eq!(house.step().await, 1);
    let task = house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;
    assert_eq!(task["status"], "completed");
    assert_eq!(task["reasonCode"]["text"], "on holiday", "the Task is still the portal's own");
    let seen = house.portal.reads("/fhir/Appointment/a1").await;
    assert_eq!(seen["status"], "cancelled");
    assert_eq!(house.pending_on("a1").await, "");
    assert_eq!(house.twin_count("applied"), 1);
    assert_eq!(house.step_after(3600).await, 0, "nothing is left to send");
    house.close().await;
}

#[actix_web::test]
async fn a_new_date_that_the_patient_asks_for_is_applied_when_the_pas_has_moved_the_appointment() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    // The twin lives in real time, and books nothing in the past.
    let wanted = (Timestamp::now().max(crate::house::clock()) + SignedDuration::from_hours(30 * 24)).to_string();
    let mut task = change("t1", "reschedule", "a1");
    task["input"] = json!([{
        "type": {"coding": [{"system": "urn:stile:task-input", "code": "preferred-period"}]},
        "valuePeriod": {"start": &wanted}
    }]);
    house.portal.put(&task).await.expect(201);
    assert_eq!(house.pending_on("a1").await, "Pending Reschedule");
    assert_eq!(house.step().await, 1);
    house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;
    let seen = house.portal.reads("/fhir/Appointment/a1").await;
    let starts: Timestamp = seen["start"].as_str().unwrap().parse().unwrap();
    assert_eq!(starts.as_second(), wanted.parse::<Timestamp>().unwrap().as_second());
    assert_eq!(seen["status"], "booked");
    assert_eq!(house.pending_on("a1").await, "");
    house.close().await;
}

#[actix_web::test]
async fn a_confirmed_attendance_ends_with_the_acknowledgement_where_the_site_says_so() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "confirm-attendance", "a1").await.expect(201);
    assert_eq!(house.pending_on("a1").await, "Confirmed Attendance");
    assert_eq!(house.step().await, 1);
    // No waiting: the acknowledgement itself was the end of it.
    let task = house.portal.reads("/fhir/Task/t1").await;
    assert_eq!((&task["status"], &task["businessStatus"]["text"]), (&json!("completed"), &json!("applied")));
    house.close().await;
}

#[actix_web::test]
async fn a_later_cancellation_takes_over_from_a_reschedule_and_both_come_to_an_end() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "reschedule", "a1").await.expect(201);
    house.portal.asks("t2", "cancel", "a1").await.expect(201);
    let first = house.portal.reads("/fhir/Task/t1").await;
    assert_eq!((&first["status"], &first["businessStatus"]["text"]), (&json!("cancelled"), &json!("superseded")));
    assert_eq!(house.pending_on("a1").await, "Pending Cancellation");
    while house.step().await > 0 {}
    house.until("/fhir/Task/t2", "/businessStatus/text", "applied").await;
    assert_eq!(house.state_of("t1").await, "superseded", "what has ended stays ended");
    assert_eq!(house.portal.reads("/fhir/Appointment/a1").await["status"], "cancelled");
    house.close().await;
}

#[actix_web::test]
async fn a_follow_up_asked_for_by_a_service_request_ends_as_a_booked_appointment() {
    let house = House::open().await;
    house.portal.put(&enrolment("e1", "RZZ99-7")).await.expect(201);
    let e1 = house.portal.reads("/fhir/Task/e1").await;
    assert_eq!(e1["status"], "requested", "an enrolment is shown as it was sent");
    assert!(house.deliveries().await.is_empty(), "an enrolment alone asks the PAS for nothing");
    let told = house.portal.put(&booking("b1", "RZZ99-7")).await.expect(201);
    assert_eq!(followed_at(&told.json()), "b1");
    assert_eq!(followed_at(&house.portal.put(&booking("b1", "RZZ99-7")).await.expect(200).json()), "b1");
    let task = house.portal.reads("/fhir/Task/b1").await;
    assert_eq!((&task["status"], &task["businessStatus"]["text"]), (&json!("requested"), &json!("requested")));
    assert_eq!(task["focus"]["reference"], "ServiceRequest/b1");
    is_booked(&house, "b1", "RZZ99-7").await;
    house.close().await;
}

#[actix_web::test]
async fn a_pifu_triage_task_that_is_in_progress_asks_for_a_follow_up_and_the_answer_names_the_task_to_follow() {
    let house = House::open().await;
    house.portal.put(&enrolment("e1", "RZZ99-7")).await.expect(201);
    let told = house.portal.put(&enrolment_used("e1", "RZZ99-7")).await.expect(200);
    let task = followed_at(&told.json());
    assert_ne!(task, "e1", "the same PIFU Task may ask again, so a booking has a Task of its own");
    let again = house.portal.put(&enrolment_used("e1", "RZZ99-7")).await.expect(200);
    assert_eq!(followed_at(&again.json()), task, "a retry whose first answer was lost hears it as well");
    assert_eq!(house.deliveries().await.len(), 1);
    is_booked(&house, &task, "RZZ99-7").await;
    house.close().await;
}

/// Sends what waits, and follows the Task to its appointment.
async fn is_booked(house: &House, task: &str, pathway: &str) {
    assert_eq!(house.step().await, 1);
    let task = house.until(&format!("/fhir/Task/{task}"), "/businessStatus/text", "booked").await;
    assert_eq!(task["status"], "completed");
    assert_eq!(task["for"]["identifier"]["value"], PATIENT);
    let reference = task["output"][0]["valueReference"]["reference"].as_str().unwrap_or_else(|| panic!("{task}"));
    let booked = house.portal.reads(&format!("/fhir/{reference}")).await;
    assert_eq!(booked["status"], "booked");
    let based_on = booked["basedOn"].as_array().unwrap();
    assert!(
        based_on.iter().any(|one| one["identifier"] == json!({"system": PATHWAY_SYSTEM, "value": pathway})),
        "{booked}"
    );
    assert_eq!(house.twin_count("booked"), 1);
}

/// The Task that the outcome of a write says to follow.
fn followed_at(outcome: &Value) -> String {
    let issues = outcome["issue"].as_array().unwrap_or_else(|| panic!("{outcome}"));
    let follow = issues.iter().find(|issue| issue["details"]["coding"][0]["code"] == "request.follow");
    let follow = follow.unwrap_or_else(|| panic!("no issue says what to follow: {outcome}"));
    assert_eq!(follow["severity"], "information");
    let text = follow["details"]["text"].as_str().unwrap();
    text.rsplit_once("Task/").unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

#[actix_web::test]
async fn a_referral_makes_a_place_on_the_waiting_list_and_appointments_on_its_pathway_stand_there() {
    let house = House::open().await;
    house.portal.put(&referral("r1", "RZZ99-9", "000049990001")).await.expect(201);
    let mut on_pathway = appointment("a1", "4817508");
    on_pathway["basedOn"] = json!([{"identifier": {"system": PATHWAY_SYSTEM, "value": "RZZ99-9"}}]);
    house.portal.put(&on_pathway).await.expect(201);
    house.portal.put(&appointment("a2", "4817509")).await.expect(201);
    let entry = house.portal.get("/waiting-list/entries/r1").await.expect(200).json();
    assert_eq!(entry["status"], "active");
    assert_eq!(entry["priority"], "urgent");
    assert_eq!(entry["pathway"]["identifier"], "RZZ99-9");
    assert_eq!(entry["patient"]["nhs_number"], PATIENT);
    assert_eq!(entry["provider"], "RZZ99");
    assert_eq!(entry["referrals"], json!([{"system": "https://fhir.nhs.uk/Id/UBRN", "value": "000049990001"}]));
    assert_eq!(entry["appointments"], json!(["a1"]), "and not a2, which is on no pathway");
    assert!(entry.get("received_on").is_none(), "a referral's date of writing is not the clock start");

    let path = format!("/waiting-list/entries?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{PATIENT}");
    let list = house.portal.get(&path).await.expect(200).json();
    assert_eq!((&list["total"], &list["entries"][0]), (&json!(1), &entry));

    // A cancelled appointment changes nothing about the place on the list: only a clinical decision does.
    on_pathway["status"] = json!("cancelled");
    house.pas.put(&on_pathway).await.expect(200);
    let after = house.portal.get("/waiting-list/entries/r1").await.expect(200).json();
    assert_eq!(after, entry);
    house.close().await;
}

#[actix_web::test]
async fn what_the_pas_refuses_by_a_task_is_told_with_its_reason_and_nothing_is_pending_any_more() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    // It looks at it first, which ends nothing.
    house.pas.put(&answer_to("t1", "answer-1", "in-progress", "")).await.expect(201);
    assert_eq!(house.state_of("t1").await, "acknowledged");
    assert_eq!(house.pending_on("a1").await, "Pending Cancellation");
    house.pas.put(&answer_to("t1", "answer-1", "rejected", "Please ring the clinic")).await.expect(200);
    let task = house.portal.reads("/fhir/Task/t1").await;
    assert_eq!((&task["status"], &task["businessStatus"]["text"]), (&json!("rejected"), &json!("refused")));
    assert_eq!(task["statusReason"]["text"], "Please ring the clinic");
    assert_eq!(house.pending_on("a1").await, "");
    assert_eq!(house.portal.reads("/fhir/Appointment/a1").await["status"], "booked");
    // It has ended, so another may be asked for.
    house.portal.asks("t2", "cancel", "a1").await.expect(201);
    house.close().await;
}

#[actix_web::test]
async fn a_pas_that_answers_at_the_request_s_own_task_leaves_the_task_the_requester_s() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    house.pas.put(&answer_to("t1", "t1", "rejected", "Please ring the clinic")).await.expect(200);
    let task = house.portal.reads("/fhir/Task/t1").await;
    assert_eq!((&task["status"], &task["businessStatus"]["text"]), (&json!("rejected"), &json!("refused")));
    assert_eq!(task["statusReason"]["text"], "Please ring the clinic");
    assert_eq!(task["focus"]["reference"], "Appointment/a1", "what was asked is still there: {task}");
    assert_eq!(task["reasonCode"]["text"], "on holiday");
    // The patient's own requests are still found by the patient.
    let search = format!("/fhir/Task?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{PATIENT}&status=rejected");
    assert_eq!(house.portal.reads(&search).await["total"], 1);
    // A later word changes nothing, neither what is shown nor what is found.
    house.pas.put(&answer_to("t1", "t1", "completed", "")).await.expect(200);
    assert_eq!(house.state_of("t1").await, "refused");
    assert_eq!(house.portal.reads(&search).await["total"], 1);
    house.close().await;
}

#[actix_web::test]
async fn what_the_pas_does_not_know_is_refused_with_its_words_and_nothing_is_pending_any_more() {
    let house = House::open().await;
    // Pushed by the portal, but not in the twin's diary.
    house.portal.put(&appointment("a1", "4817508")).await.expect(201);
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    assert_eq!(house.step().await, 1);
    let task = house.portal.reads("/fhir/Task/t1").await;
    assert_eq!((&task["status"], &task["businessStatus"]["text"]), (&json!("rejected"), &json!("refused")));
    let reason = task["statusReason"]["text"].as_str().unwrap();
    assert!(reason.contains("No appointment with the number"), "{reason}");
    assert_eq!(house.pending_on("a1").await, "");
    assert_eq!(house.delivery_of("t1").await.state, stile::delivery::State::Refused);
    assert_eq!(house.step_after(86_400).await, 0, "a decision is not asked for again");
    house.close().await;
}
