//! The main job, told as a story.

use crate::house::{House, appointment, change};

#[actix_web::test]
async fn a_cancellation_is_seen_at_once_goes_to_the_pas_and_ends_when_the_pas_says_so() {
    let house = House::open().await;
    house.twin.hold(appointment("a1", "4817508")).unwrap();
    house.portal.put(&appointment("a1", "4817508")).await.expect(201);
    house.portal.put(&change("t1", "cancel", "a1")).await.expect(201);
    let seen = house.portal.get("/fhir/Appointment/a1").await.expect(200);
    assert!(seen.text.contains("Pending Cancellation"), "{}", seen.text);
    assert_eq!(seen.json()["status"], "booked", "the status is the PAS's own");
    assert_eq!(house.step().await, 1);
    let task = house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;
    assert_eq!(task["status"], "completed");
    let seen = house.portal.get("/fhir/Appointment/a1").await.expect(200);
    assert_eq!(seen.json()["status"], "cancelled");
    assert!(!seen.text.contains("Pending Cancellation"), "{}", seen.text);
    house.close().await;
}
