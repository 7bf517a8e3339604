//! A gateway that was stopped and started again knows everything it knew, and goes on where it was.

use crate::house::{House, PATIENT, booking, change, enrolment, referral};

#[actix_web::test]
async fn after_a_restart_everything_is_still_there_and_what_waited_goes_out() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.knows("a2", "4817509").await;
    house.portal.put(&referral("r1", "RZZ99-9", "000049990001")).await.expect(201);
    house.portal.put(&enrolment("e1", "RZZ99-7")).await.expect(201);
    let key = [("idempotency-key", "k-1")];
    let first = house.portal.put_with(&change("t1", "cancel", "a1"), &key).await.expect(201);
    house.portal.asks("t2", "cancel", "a2").await.expect(201);
    assert_eq!(house.step().await, 2);
    for task in ["t1", "t2"] {
        house.until(&format!("/fhir/Task/{task}"), "/businessStatus/text", "applied").await;
    }
    // One that waits, one that is on its second try.
    house.wire.is_down();
    house.knows("a3", "4817510").await;
    house.portal.asks("t3", "reschedule", "a3").await.expect(201);
    assert_eq!(house.step().await, 1);
    house.portal.put(&booking("b1", "RZZ99-7")).await.expect(201);
    let paths = [
        "/fhir/Appointment?_count=100".to_owned(),
        "/fhir/Task?_count=100".to_owned(),
        "/fhir/ServiceRequest?_count=100".to_owned(),
        "/fhir/Appointment/a3".to_owned(),
        "/fhir/Task/b1".to_owned(),
        "/waiting-list/entries/r1".to_owned(),
        format!("/waiting-list/entries?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{PATIENT}"),
    ];
    let mut before = Vec::new();
    for path in &paths {
        before.push(house.portal.get(path).await.expect(200));
    }
    let deliveries = house.deliveries().await;

    let house = house.restarted().await;

    for (path, before) in paths.iter().zip(&before) {
        let after = house.portal.get(path).await.expect(200);
        assert_eq!((&after.text, after.header("etag")), (&before.text, before.header("etag")), "{path}");
    }
    assert_eq!(house.deliveries().await, deliveries);
    let again = house.portal.put_with(&change("t1", "cancel", "a1"), &key).await.expect(201);
    assert_eq!(again.text, first.text, "a retry across the restart gets the first answer");
    assert_eq!(house.portal.asks("t4", "cancel", "a1").await.expect(422).rules(), ["change.appointment-over"]);

    house.wire.is_whole();
    assert_eq!(house.step().await, 1, "the booking was due at once; the other has to wait for its second try");
    assert_eq!(house.step_after(1).await, 1);
    house.until("/fhir/Task/t3", "/businessStatus/text", "applied").await;
    house.until("/fhir/Task/b1", "/businessStatus/text", "booked").await;
    let of_t3: Vec<_> = house.wire.sent().into_iter().filter(|sent| sent.request() == "t3").collect();
    assert_eq!((of_t3.len(), &of_t3[0]), (2, &of_t3[1]), "the same bytes before and after");
    assert_eq!((house.twin_count("applied"), house.twin_count("booked")), (3, 1));
    house.close().await;
}

#[actix_web::test]
async fn a_restart_in_the_middle_of_a_try_loses_and_doubles_nothing() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    assert_eq!(house.claims(60).await.len(), 1, "claimed, and then the machine went down");
    let house = house.restarted().await;
    assert_eq!(house.step().await, 0);
    assert_eq!(house.step_after(60).await, 1);
    house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;
    assert_eq!(house.twin_count("applied"), 1);
    house.close().await;
}
