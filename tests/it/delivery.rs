//! What was accepted reaches the PAS: later when it is down, in order, once, and on an operator's list when it cannot.

use crate::house::{House, appointment, clock};
use jiff::SignedDuration;
use serde_json::json;
use stile::delivery::{Answer, Next, State};

/// The waits of the house's downstream, in seconds, and what is added so that a step comes just after one.
const FIRST_WAIT: i64 = 1;
const SECOND_WAIT: i64 = 10;

#[actix_web::test]
async fn while_the_pas_is_down_a_request_waits_is_tried_on_schedule_and_then_stands_on_the_operator_s_list() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.wire.is_down();
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    assert_eq!(house.step().await, 1);
    assert_eq!(house.state_of("t1").await, "requested", "a failed try ends nothing");
    let row = house.delivery_of("t1").await;
    assert_eq!((row.state, row.attempts, row.due_at), (State::Waiting, 1, after(FIRST_WAIT)));

    // Not before its time.
    assert_eq!(house.step().await, 0);
    assert_eq!(house.step_after(FIRST_WAIT).await, 1);
    let row = house.delivery_of("t1").await;
    assert_eq!((row.state, row.attempts, row.due_at), (State::Waiting, 2, after(FIRST_WAIT + SECOND_WAIT)));
    assert_eq!(house.step_after(FIRST_WAIT + SECOND_WAIT - 1).await, 0);
    assert_eq!(house.step_after(FIRST_WAIT + SECOND_WAIT).await, 1);

    let row = house.delivery_of("t1").await;
    assert_eq!((row.state, row.attempts), (State::Exhausted, 3));
    assert!(row.reason.is_some(), "an operator must see why");
    let task = house.portal.reads("/fhir/Task/t1").await;
    assert_eq!((&task["status"], &task["businessStatus"]["text"]), (&json!("on-hold"), &json!("undeliverable")));
    assert_eq!(house.pending_on("a1").await, "Pending Cancellation", "it is still open: a person must act");
    assert_eq!(house.step_after(30 * 86_400).await, 0, "nothing more happens by itself");

    // The person acts: `stile deliveries retry` does this to the store.
    house.wire.is_whole();
    let id = row.id.clone();
    let again = clock() + SignedDuration::from_secs(100);
    assert!(house.store.write(move |unit| Ok(unit.retry(&id, again)?)).await.unwrap());
    assert_eq!(house.step_after(100).await, 1);
    house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;
    let row = house.delivery_of("t1").await;
    assert_eq!((row.state, row.attempts), (State::Delivered, 4));

    // What went out on the fourth try is what went out on the first.
    let sent = house.wire.sent();
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|one| *one == sent[0]), "{sent:#?}");
    assert_eq!((sent[0].message.as_str(), sent[0].request()), (row.id.as_str(), "t1".to_owned()));
    assert_eq!(sent[0].correlation, row.correlation_id);
    assert_eq!(house.twin_count("applied"), 1);
    let (_, tries) = house.store.read(move |view| Ok(view.delivery(&row.id)?)).await.unwrap().unwrap();
    let answers: Vec<&str> = tries.iter().map(|one| one.answer.as_str()).collect();
    assert_eq!(answers, ["unanswered", "unanswered", "unanswered", "accepted"]);
    house.close().await;
}

fn after(seconds: i64) -> jiff::Timestamp {
    clock() + SignedDuration::from_secs(seconds)
}

#[actix_web::test]
async fn an_answer_that_is_lost_does_not_make_the_pas_do_it_twice() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    house.wire.loses_answers();
    assert_eq!(house.step().await, 1);
    assert_eq!(house.twin_count("applied"), 1, "it was done all the same");
    // The PAS's own word may come before any answer does, and ends the request.
    house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;
    house.wire.is_whole();
    assert_eq!(house.step_after(FIRST_WAIT).await, 0, "nobody wants it any more");
    assert_eq!(house.delivery_of("t1").await.state, State::Withdrawn);
    assert_eq!(house.twin_count("applied"), 1);
    house.close().await;
}

#[actix_web::test]
async fn requests_about_one_appointment_keep_their_order_and_hold_up_no_others() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.knows("a2", "4817509").await;
    house.portal.asks("t1", "confirm-attendance", "a1").await.expect(201);
    let on_the_wire = house.claims(60).await.remove(0);
    house.portal.asks("t2", "cancel", "a1").await.expect(201);
    assert_eq!(house.step().await, 0, "the second waits for the first, which is on the wire");

    // Another appointment's request comes later and goes first.
    house.portal.asks("t3", "cancel", "a2").await.expect(201);
    assert_eq!(house.step().await, 1);
    assert_eq!(house.wire.sent().last().unwrap().request(), "t3");
    house.until("/fhir/Task/t3", "/businessStatus/text", "applied").await;
    assert_eq!(house.delivery_of("t2").await.attempts, 0);

    let accepted = Answer::Accepted { reference: None };
    let recorded = house
        .store
        .write(move |unit| Ok(unit.record(&on_the_wire, &accepted, &Next::End(State::Delivered), clock(), clock())?))
        .await
        .unwrap();
    assert_eq!(recorded.as_deref(), Some("t1"));
    assert_eq!(house.step().await, 1, "and only then the second");
    assert_eq!(house.wire.sent().last().unwrap().request(), "t2");
    house.until("/fhir/Task/t2", "/businessStatus/text", "applied").await;
    assert_eq!(house.portal.reads("/fhir/Appointment/a1").await["status"], "cancelled");
    house.close().await;
}

#[actix_web::test]
async fn a_request_that_is_stuck_and_then_superseded_does_not_hold_up_the_one_that_took_over() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.wire.is_down();
    house.portal.asks("t1", "reschedule", "a1").await.expect(201);
    for seconds in [0, FIRST_WAIT, FIRST_WAIT + SECOND_WAIT] {
        assert_eq!(house.step_after(seconds).await, 1);
    }
    assert_eq!(house.delivery_of("t1").await.state, State::Exhausted);
    house.wire.is_whole();
    house.portal.asks("t2", "cancel", "a1").await.expect(201);
    assert_eq!(house.delivery_of("t1").await.state, State::Withdrawn);
    assert_eq!(house.step().await, 1);
    house.until("/fhir/Task/t2", "/businessStatus/text", "applied").await;
    assert_eq!((house.twin_count("applied"), house.state_of("t1").await.as_str()), (1, "superseded"));
    house.close().await;
}

#[actix_web::test]
async fn what_a_killed_process_had_on_the_wire_is_not_sent_again_once_its_request_has_ended() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "reschedule", "a1").await.expect(201);
    assert_eq!(house.claims(60).await.len(), 1);
    house.portal.asks("t2", "cancel", "a1").await.expect(201);
    assert_eq!(house.step_after(60).await, 1);
    assert_eq!(house.wire.sent().iter().map(|one| one.request()).collect::<Vec<_>>(), ["t2"]);
    assert_eq!(house.delivery_of("t1").await.state, State::Withdrawn);
    house.close().await;
}

#[actix_web::test]
async fn a_pas_that_asks_for_time_gets_it() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    house.wire.says(&["503 Service Unavailable", "retry-after: 120"]);
    assert_eq!(house.step().await, 1);
    let row = house.delivery_of("t1").await;
    assert_eq!((row.state, row.due_at), (State::Waiting, after(120)), "longer than the schedule's own wait");
    assert!(row.reason.as_deref().unwrap_or("").contains("503"), "{:?}", row.reason);
    house.wire.is_whole();
    assert_eq!(house.step_after(119).await, 0);
    assert_eq!(house.step_after(120).await, 1);
    house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;
    house.close().await;
}

#[actix_web::test]
async fn what_is_no_decision_of_the_pas_is_never_told_to_the_patient_as_a_refusal() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    // A wrong credential, a wrong address, a redirect: an operator's business.
    for (step, answer) in ["401 Unauthorized", "404 Not Found", "302 Found"].into_iter().enumerate() {
        house.wire.says(&[answer]);
        let seconds = [0, FIRST_WAIT, FIRST_WAIT + SECOND_WAIT][step];
        assert_eq!(house.step_after(seconds).await, 1, "{answer}");
        assert_ne!(house.state_of("t1").await, "refused", "{answer}");
    }
    assert_eq!(house.state_of("t1").await, "undeliverable");
    assert_eq!(house.twin_count("applied"), 0);
    house.close().await;
}

#[actix_web::test]
async fn what_a_killed_dispatcher_had_in_its_hands_is_sent_again_when_its_lease_has_run_out() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    // A confirmation: the PAS's call back does not end it, so that the message itself is what counts.
    house.portal.asks("t1", "confirm-attendance", "a1").await.expect(201);
    // Claimed and sent; killed before the answer was recorded.
    let claims = house.claims(60).await;
    assert_eq!(claims.len(), 1);
    let message = &claims[0].message;
    let sent = reqwest::Client::new()
        .post(format!("{}/{}", house.wire.base(), message.resource_type))
        .header("content-type", "application/fhir+json")
        .header("x-request-id", &message.id)
        .body(message.body.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 201);
    assert_eq!(house.step().await, 0, "while the lease holds nobody else sends it");
    assert_eq!(house.step_after(59).await, 0);
    assert_eq!(house.step_after(60).await, 1, "then somebody does");
    assert_eq!((house.twin_count("applied"), house.twin_count("repeated")), (1, 1));
    let sent = house.wire.sent();
    assert_eq!((&sent[0].body, &sent[0].message), (&sent[1].body, &sent[1].message));
    let row = house.delivery_of("t1").await;
    assert_eq!((row.state, row.attempts), (State::Delivered, 2));
    house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;

    // The one that was thought dead comes back with a refusal: it is not its to record any more.
    let claim = claims[0].clone();
    let (answer, next) = (Answer::Refused { reason: "late".into() }, Next::End(State::Refused));
    let recorded = house.store.write(move |unit| Ok(unit.record(&claim, &answer, &next, clock(), clock())?)).await;
    assert_eq!(recorded.unwrap(), None);
    assert_eq!(house.delivery_of("t1").await.state, State::Delivered);
    assert_eq!(house.state_of("t1").await, "applied");
    house.close().await;
}

#[actix_web::test]
async fn more_than_can_be_under_way_at_once_all_go_out_and_each_once() {
    let house = House::open().await;
    for number in 0..12 {
        let id = format!("a{number}");
        house.knows(&id, &format!("48175{number:02}")).await;
        house.portal.asks(&format!("t{number}"), "cancel", &id).await.expect(201);
    }
    let mut steps = Vec::new();
    loop {
        match house.step().await {
            0 => break,
            sent => steps.push(sent),
        }
    }
    assert_eq!(steps, [4, 4, 4], "four at once, as the settings' default has it");
    assert_eq!((house.twin_count("applied"), house.twin_count("repeated")), (12, 0));
    house.close().await;
}

#[actix_web::test]
async fn what_the_pas_is_sent_says_what_was_asked_about_which_appointment_and_nothing_that_is_not_r4() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    let mut task = crate::house::change("t1", "reschedule", "a1");
    task["note"] = json!([{"text": "not on a Friday, please"}]);
    house.portal.put_with(&task, &[("x-correlation-id", "corr-1")]).await.expect(201);
    // What the appointment becomes later does not change what was rendered when the request was accepted.
    let mut moved = appointment("a1", "4817508");
    moved["description"] = json!("Cardiology");
    house.portal.put(&moved).await.expect(200);
    house.step().await;
    let sent = &house.wire.sent()[0];
    assert_eq!((sent.path.as_str(), sent.correlation.as_str()), ("/fhir/Task", "corr-1"));
    let body: serde_json::Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(body["focus"]["identifier"]["value"], "4817508");
    let reference = body["focus"]["reference"].as_str().unwrap();
    assert!(reference.starts_with("http") && reference.ends_with("/fhir/Appointment/a1"), "{reference}");
    assert_eq!(body["code"]["coding"][0]["code"], "reschedule");
    assert_eq!(body["reasonCode"]["text"], "on holiday");
    assert_eq!(body["note"][0]["text"], "not on a Friday, please");
    assert_eq!(body["groupIdentifier"]["value"], sent.message);
    let verdict = house.portal.send("POST", "/fhir/Task/$validate", &[], Some(&sent.body)).await.expect(200);
    let severities: Vec<String> = verdict.json()["issue"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|issue| !issue["details"]["coding"][0]["code"].as_str().unwrap().starts_with("mapping."))
        .map(|issue| issue["severity"].as_str().unwrap().to_owned())
        .collect();
    assert!(severities.iter().all(|severity| severity == "information"), "{}", verdict.text);
    house.close().await;
}
