//! National rules as senders' settings have them: refused, flagged, off; and what each means for what is kept.

use crate::bodies::{appointment, change};
use crate::house::{Answer, House, NHS_NUMBER_SYSTEM, OTHER_PATIENT, PATIENT, TRUST, caller_settings, sender_settings};
use serde_json::{Value, json};

const RESOURCES: [&str; 3] = ["Appointment", "ServiceRequest", "Task"];
const INTERACTIONS: [&str; 5] = ["read", "search", "create", "update", "validate"];
/// Its check digit is wrong.
const NOBODY: &str = "9990000019";

/// A sender and a caller of this name, whose settings say `more` of its rules.
fn sender(name: &str, more: &str) -> String {
    let sender = sender_settings(name, TRUST, false);
    format!("{sender}{more}\n{}", caller_settings(name, name, &RESOURCES, &INTERACTIONS, &[TRUST]))
}

/// An appointment of the patient with this number.
fn of(id: &str, number: &str) -> Value {
    let mut value = appointment(id, id);
    value["participant"][0]["actor"]["identifier"]["value"] = json!(number);
    value
}

/// The severity of the one issue of this rule.
#[track_caller]
fn severity(answer: &Answer, rule: &str) -> String {
    let outcome = answer.json();
    let told: Vec<&Value> = outcome["issue"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|issue| issue["details"]["coding"][0]["code"] == rule)
        .collect();
    let [issue] = told.as_slice() else { panic!("{rule} is told {} times: {}", told.len(), answer.text) };
    issue["severity"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_number_that_is_nobodys_is_refused_unless_flagged_and_then_finds_nobody() {
    let house = House::with(&sender("lenient", "rules = { \"nhs-number.check-digit\" = \"flag\" }")).await;
    let refused = house.portal.put(&of("a1", NOBODY)).await.expect(422);
    assert_eq!(severity(&refused, "nhs-number.check-digit"), "error");
    assert!(!refused.text.contains(NOBODY), "{}", refused.text);
    house.portal.get("/fhir/Appointment/a1").await.expect(404);

    let lenient = house.caller("lenient-key");
    let kept = lenient.put(&of("a1", NOBODY)).await.expect(201);
    assert_eq!(severity(&kept, "nhs-number.check-digit"), "warning");
    assert!(!kept.text.contains(NOBODY), "{}", kept.text);
    let number = "/participant/0/actor/identifier/value";
    let seen = lenient.reads("/fhir/Appointment/a1").await;
    assert_eq!(seen.pointer(number), Some(&json!(NOBODY)), "it is kept as it came");
    // Somebody else with the same slip would be taken for this patient.
    let query = |number: &str| format!("/fhir/Appointment?patient:identifier={NHS_NUMBER_SYSTEM}|{number}");
    for number in [PATIENT, OTHER_PATIENT] {
        assert_eq!(lenient.reads(&query(number)).await["total"], 0);
    }
    lenient.put(&of("a2", PATIENT)).await.expect(201);
    assert_eq!(lenient.reads(&query(PATIENT)).await["total"], 1, "and right numbers are found");
    // A request of nobody known could not be held against the appointment's patient.
    let mut asked = change("t1", "cancel", "a2");
    asked["for"]["identifier"]["value"] = json!(NOBODY);
    let refused = lenient.put(&asked).await.expect(422);
    assert!(refused.rules().contains(&"nhs-number.check-digit".to_owned()), "{}", refused.text);
    assert!(!refused.text.contains(NOBODY), "{}", refused.text);
    house.close().await;
}

#[actix_web::test]
async fn production_refuses_the_numbers_that_are_kept_for_tests() {
    let house = House::with(&sender("live", "rules = { \"nhs-number.test-range\" = \"refuse\" }")).await;
    house.portal.put(&of("a1", PATIENT)).await.expect(201);
    let refused = house.caller("live-key").put(&of("a2", PATIENT)).await.expect(422);
    assert_eq!(refused.rules(), ["nhs-number.test-range"]);
    assert_eq!(refused.places(), ["Appointment.participant[0].actor.identifier.value"]);
    house.close().await;
}

#[actix_web::test]
async fn a_contract_is_kept_by_those_who_speak_it_and_leaves_our_own_requests_alone() {
    let house = House::with(&sender("aggregated", "contract = [\"pca\"]")).await;
    let speaker = house.caller("aggregated-key");
    let whole = appointment("0448e4c8-dd12-4bad-9b59-6091c9484701", "1");
    speaker.put(&whole).await.expect(201);
    let mut bare = appointment("3a146c43-2b21-44e9-95bc-6f4849e504c8", "2");
    bare.as_object_mut().unwrap().shift_remove("specialty").unwrap();
    let refused = speaker.put(&bare).await.expect(422);
    assert_eq!(
        (refused.rules(), refused.places()),
        (vec!["pca.required".into()], vec!["Appointment.specialty".into()])
    );
    house.portal.put(&bare).await.expect(201);
    speaker.put(&change("t1", "cancel", "0448e4c8-dd12-4bad-9b59-6091c9484701")).await.expect(201);
    house.close().await;
}

#[actix_web::test]
async fn a_placeholder_is_told_when_it_comes_and_a_time_of_the_wrong_season_too() {
    let house = House::open().await;
    let mut placeholder = appointment("a1", "1");
    placeholder["start"] = json!("2028-11-20T10:00:00Z");
    placeholder["end"] = json!("2028-11-20T10:20:00Z");
    let told = house.portal.put(&placeholder).await.expect(201);
    assert_eq!(severity(&told, "appointment.placeholder"), "warning");
    let mut summer = appointment("a2", "2");
    summer["start"] = json!("2026-12-01T10:00:00+01:00");
    let told = house.portal.put(&summer).await.expect(201);
    assert_eq!((severity(&told, "clock.offset"), told.places()), ("warning".into(), vec!["Appointment.start".into()]));
    summer["start"] = json!("2027-03-28T01:30:00");
    let told = house.portal.put(&summer).await.expect(422);
    assert!(told.rules().contains(&"clock.missing-hour".to_owned()), "{}", told.text);
    house.close().await;
}
