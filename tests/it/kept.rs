//! What is accepted is kept once: the same thing sent again changes nothing, and of two that conflict one wins.

use crate::house::{
    Answer, Caller, House, PAS_SYSTEM, PORTAL_SYSTEM, TRUST, appointment, caller_settings, change, sender_settings,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

/// Sends each of these at the same time and gathers the answers in the order of the list.
async fn all_at_once(caller: &Caller, requests: Vec<(Value, Vec<(&'static str, String)>)>) -> Vec<Answer> {
    let mut under_way = JoinSet::new();
    for (place, (resource, headers)) in requests.into_iter().enumerate() {
        let caller = caller.clone();
        under_way.spawn(async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let has_id = resource.get("id").is_some();
            let answer = match has_id {
                true => caller.put_with(&resource, &headers).await,
                false => caller.post_with(&resource, &headers).await,
            };
            (place, answer)
        });
    }
    let mut answers = under_way.join_all().await;
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Status, body and the headers that say what was kept.
fn told(answer: &Answer) -> (u16, String, String, String, String) {
    let header = |name: &str| answer.header(name).to_owned();
    (answer.status, answer.text.clone(), header("etag"), header("location"), header("last-modified"))
}

#[actix_web::test]
async fn the_same_key_with_the_same_body_gets_the_same_answer_however_many_arrive_at_once() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    let key = || vec![("idempotency-key", "k-1".to_owned())];
    let twenty = vec![(change("t1", "cancel", "a1"), key()); 20];
    let answers = all_at_once(&house.portal, twenty.clone()).await;
    let first = told(&answers[0]);
    assert_eq!(first.0, 201, "{}", first.1);
    assert!(answers.iter().all(|answer| told(answer) == first), "{answers:#?}");
    assert_eq!(house.deliveries().await.len(), 1);

    // Also when the world has moved on: the retry hears what the first try was told.
    house.step().await;
    house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;
    let again = all_at_once(&house.portal, twenty).await;
    assert!(again.iter().all(|answer| told(answer) == first), "{again:#?}");
    assert_eq!((house.deliveries().await.len(), house.twin_count("applied")), (1, 1));

    // A POST has no id of its own, so the key alone makes it once.
    let mut unnamed = appointment("", "4817510");
    unnamed.as_object_mut().unwrap().remove("id");
    unnamed["identifier"] = json!([{"value": "no system, so it settles nothing"}]);
    let key = || vec![("idempotency-key", "k-2".to_owned()), ("prefer", "return=representation".to_owned())];
    let answers = all_at_once(&house.portal, vec![(unnamed.clone(), key()); 20]).await;
    let first = told(&answers[0]);
    assert_eq!(first.0, 201, "{}", first.1);
    assert!(answers.iter().all(|answer| told(answer) == first), "{answers:#?}");
    assert_eq!(house.portal.reads("/fhir/Appointment").await["total"], 2);
    let without_key = house.portal.post(&unnamed).await.expect(201);
    assert_ne!(told(&without_key).3, first.3, "without the key it is another appointment");
    house.close().await;
}

#[actix_web::test]
async fn the_same_key_with_another_body_is_refused_and_nothing_of_it_is_kept() {
    let house = House::open().await;
    let key = [("idempotency-key", "k-1")];
    house.portal.put_with(&appointment("a1", "4817508"), &key).await.expect(201);
    let mut other = appointment("a1", "4817508");
    other["description"] = json!("Cardiology");
    let refused = house.portal.put_with(&other, &key).await.expect(409);
    assert_eq!(refused.json()["issue"][0]["code"], "conflict");
    house.portal.put_with(&appointment("a2", "4817509"), &key).await.expect(409);
    house.portal.get("/fhir/Appointment/a2").await.expect(404);
    let kept = house.portal.get("/fhir/Appointment/a1").await.expect(200);
    assert_eq!((kept.header("etag"), &kept.json()["description"]), ("W/\"1\"", &json!("Dermatology")));
    // A key belongs to its caller.
    house.pas.put_with(&other, &key).await.expect(200);
    // A refusal is not remembered under the key: the mended body may come with it.
    let mut broken = appointment("a3", "4817511");
    broken["status"] = json!("confirmed");
    let key = [("idempotency-key", "k-3")];
    house.portal.put_with(&broken, &key).await.expect(422);
    house.portal.put_with(&appointment("a3", "4817511"), &key).await.expect(201);
    house.close().await;
}

#[actix_web::test]
async fn the_same_bytes_put_twice_make_one_version_and_one_delivery() {
    let house = House::open().await;
    house.twin.hold(appointment("a1", "4817508")).unwrap();
    let first = house.portal.put(&appointment("a1", "4817508")).await.expect(201);
    let again = house.portal.put(&appointment("a1", "4817508")).await.expect(200);
    assert_eq!((first.header("etag"), again.header("etag")), ("W/\"1\"", "W/\"1\""));
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    house.portal.asks("t1", "cancel", "a1").await.expect(200);
    assert_eq!(house.deliveries().await.len(), 1);
    house.step().await;
    house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;
    let applied = house.portal.get("/fhir/Task/t1").await;
    let again = house.portal.asks("t1", "cancel", "a1").await.expect(200);
    assert_eq!(again.header("etag"), applied.header("etag"), "a retry after the end begins nothing anew");
    assert_eq!((house.deliveries().await.len(), house.twin_count("applied")), (1, 1));
    // Other bytes are another version, were it by a space.
    let spaced = format!(" {}", appointment("a9", "4817599"));
    for (body, status, version) in [(&spaced[1..], 201, "W/\"1\""), (&spaced[..], 200, "W/\"2\"")] {
        let put = house.portal.send("PUT", "/fhir/Appointment/a9", &[], Some(body.as_bytes())).await.expect(status);
        assert_eq!(put.header("etag"), version);
    }
    house.close().await;
}

#[actix_web::test]
async fn a_business_identifier_settles_a_create() {
    let house = House::open().await;
    let mut resource = appointment("", "4817508");
    resource.as_object_mut().unwrap().remove("id");
    resource["identifier"] = json!([{"system": PAS_SYSTEM, "value": "4817508"}]);
    let first = house.portal.post(&resource).await.expect(201);
    let again = house.portal.post(&resource).await.expect(200);
    assert_eq!((first.header("location"), first.header("etag")), (again.header("location"), again.header("etag")));
    let id = first.kept_id().to_owned();

    let mut other = resource.clone();
    other["description"] = json!("Cardiology");
    let refused = house.portal.post(&other).await.expect(409);
    assert_eq!(refused.json()["issue"][0]["code"], "duplicate");
    assert!(refused.text.contains(&format!("Appointment/{id}")), "it names the one that is kept: {}", refused.text);
    let refused = house.portal.put(&appointment("another-id", "4817508")).await.expect(409);
    assert!(refused.text.contains(&format!("Appointment/{id}")), "{}", refused.text);
    house.portal.get("/fhir/Appointment/another-id").await.expect(404);

    // Twenty at once are one.
    let mut fresh = resource.clone();
    fresh["identifier"] = json!([{"system": PAS_SYSTEM, "value": "4817509"}]);
    let answers = all_at_once(&house.portal, vec![(fresh, vec![]); 20]).await;
    let places: BTreeSet<&str> = answers.iter().map(|answer| answer.header("location")).collect();
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 19);
    assert_eq!(house.portal.reads("/fhir/Appointment").await["total"], 2);
    house.close().await;
}

#[actix_web::test]
async fn if_none_exist_creates_where_there_is_none_finds_the_one_and_refuses_where_there_are_several() {
    let more = format!(
        "{}{}{}",
        sender_settings("other-portal", "RZZ88", false),
        caller_settings("other-portal", "other-portal", &["Appointment"], &["create"], &["RZZ88"]),
        caller_settings("both", "portal", &["Appointment"], &["read", "search", "create"], &[TRUST, "RZZ88"]),
    );
    let house = House::with(&more).await;
    let resource = |trust: &str| {
        let mut resource = appointment("", "");
        resource.as_object_mut().unwrap().remove("id");
        resource["identifier"] = json!([{"system": PORTAL_SYSTEM, "value": "shared"}]);
        resource["participant"][1]["actor"]["identifier"]["value"] = json!(trust);
        resource
    };
    let condition = format!("identifier={PORTAL_SYSTEM}|shared");
    let condition = [("if-none-exist", condition.as_str())];
    let first = house.portal.post_with(&resource(TRUST), &condition).await.expect(201);
    let mut other = resource(TRUST);
    other["description"] = json!("another body, which is not looked at");
    let again = house.portal.post_with(&other, &condition).await.expect(200);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(house.portal.reads("/fhir/Appointment").await["entry"][0]["resource"]["description"], "Dermatology");
    // The other trust's portal sees none and so makes its own.
    house.caller("other-portal-key").post_with(&resource("RZZ88"), &condition).await.expect(201);
    // Who sees both cannot say which is meant (R4 http, conditional create: 412).
    let several = house.caller("both-key").post_with(&resource(TRUST), &condition).await.expect(412);
    assert_eq!(several.json()["issue"][0]["code"], "multiple-matches", "{}", several.text);
    assert_eq!(house.caller("both-key").reads("/fhir/Appointment").await["total"], 2);
    house.close().await;
}

#[actix_web::test]
async fn if_match_lets_the_right_version_through_and_no_other() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    let with = |words: &str| {
        let mut resource = appointment("a1", "4817508");
        resource["description"] = json!(words);
        resource
    };
    let put = house.portal.put_with(&with("one"), &[("if-match", "W/\"1\"")]).await.expect(200);
    assert_eq!(put.header("etag"), "W/\"2\"");
    let stale = house.portal.put_with(&with("two"), &[("if-match", "W/\"1\"")]).await.expect(412);
    assert_eq!(stale.json()["issue"][0]["code"], "conflict");
    house.portal.put_with(&with("two"), &[("if-match", "W/\"3\"")]).await.expect(412);
    house.portal.put_with(&appointment("a2", "4817509"), &[("if-match", "W/\"1\"")]).await.expect(412);
    house.portal.get("/fhir/Appointment/a2").await.expect(404);
    let kept = house.portal.get("/fhir/Appointment/a1").await;
    assert_eq!((kept.header("etag"), &kept.json()["description"]), ("W/\"2\"", &json!("one")));
    // A request that was opened changed what readers see, so the version that was read before is no more.
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    house.portal.put_with(&with("two"), &[("if-match", "W/\"2\"")]).await.expect(412);
    // Two writers who read the same version: one of them wins.
    let version = house.portal.get("/fhir/Appointment/a1").await.header("etag").to_owned();
    let two = ["three", "four"].map(|words| (with(words), vec![("if-match", version.clone())]));
    let mut statuses: Vec<u16> =
        all_at_once(&house.portal, two.into()).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    house.close().await;
}

#[actix_web::test]
async fn of_two_cancellations_at_the_same_instant_one_is_accepted_and_the_other_hears_why_not() {
    let house = House::open().await;
    for round in 0..8 {
        let id = format!("a{round}");
        house.portal.put(&appointment(&id, &format!("481750{round}"))).await.expect(201);
        let two = ["x", "y"].map(|side| (change(&format!("{side}{round}"), "cancel", &id), vec![]));
        let answers = all_at_once(&house.portal, two.into()).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
        assert_eq!((won.len(), lost.len()), (1, 1), "{answers:#?}");
        assert_eq!(lost[0].status, 422);
        assert_eq!(lost[0].rules(), ["change.already-open"]);
        let winner = won[0].kept_id();
        assert!(lost[0].text.contains(&format!("Task/{winner}")), "it names the one to follow: {}", lost[0].text);
    }
    assert_eq!(house.deliveries().await.len(), 8);
    house.close().await;
}

/// How many rounds of the race are run.
const ROUNDS: usize = 24;

#[actix_web::test]
async fn of_sixty_four_at_once_identical_and_conflicting_there_is_one_effect_in_each_round() {
    let house = House::open().await;
    for round in 0..ROUNDS {
        let id = format!("a{round}");
        house.portal.put(&appointment(&id, &format!("48175{round:02}"))).await.expect(201);
        // Half are one request sent again and again, half are requests of their own, in turns.
        let sixty_four = (0..64).map(|place| match place % 2 {
            0 => (change(&format!("same-{round}"), "cancel", &id), vec![("idempotency-key", format!("k-{round}"))]),
            _ => (change(&format!("other-{round}-{place}"), "cancel", &id), vec![]),
        });
        let answers = all_at_once(&house.portal, sixty_four.collect()).await;
        let accepted: BTreeSet<&str> =
            answers.iter().filter(|answer| answer.status == 201).map(Answer::kept_id).collect();
        assert_eq!(accepted.len(), 1, "round {round}: {accepted:?}");
        for (place, answer) in answers.iter().enumerate() {
            let own = if place % 2 == 0 { format!("same-{round}") } else { format!("other-{round}-{place}") };
            if accepted.contains(own.as_str()) {
                assert_eq!(answer.status, 201);
            } else {
                assert_eq!((answer.status, answer.rules()), (422, vec!["change.already-open".to_owned()]));
                house.portal.get(&format!("/fhir/Task/{own}")).await.expect(404);
            }
        }
        assert_eq!(house.deliveries().await.len(), round + 1, "round {round}");
    }
    house.close().await;
}
