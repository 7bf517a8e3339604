//! The gateway as a service: it starts, says where, stops when told, and an operator works beside it.

use crate::process::{Portal, Serving, appointment, cancel, free_port, settle, stile};
use crate::wire::Wire;
use serde_json::{Value, json};
use stile::twin::{self, Twin, TwinSettings};

/// A twin that knows these appointments, which calls nobody until it is connected.
pub async fn a_twin(first_number: u64) -> Twin {
    twin::start(TwinSettings {
        listen: "127.0.0.1:0".into(),
        gateway: None,
        key: None,
        organisation: "RZZ99".into(),
        pas_appointment_system: "https://pas.example.nhs.uk/appointment".into(),
        answer_after_ms: 0,
        first_number,
    })
    .await
    .unwrap()
}

#[actix_web::test]
async fn it_answers_until_it_is_told_to_stop_and_then_ends_with_0() {
    let folder = tempfile::tempdir().unwrap();
    settle(folder.path(), 0, "http://127.0.0.1:1/fhir", &[50]);
    let serving = Serving::start(folder.path());
    for path in ["/health/live", "/health/ready", "/metrics", "/fhir/metadata"] {
        let answer = reqwest::get(format!("{}{path}", serving.base)).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    let portal = Portal::of(&serving.base);
    assert_eq!(portal.put(&appointment("a1", "4817508")).await, Some(201));
    // The metrics that the operators' page names are there once something has happened.
    let metrics = reqwest::get(format!("{}/metrics", serving.base)).await.unwrap().text().await.unwrap();
    for name in [
        "stile_http_requests_total{route=\"/fhir/Appointment/{id}\",method=\"PUT\",status=\"201\"} 1",
        "stile_http_request_duration_seconds_bucket",
        "stile_store_batch_size",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    assert!(!metrics.contains("9990000018") && !metrics.contains("a1\""), "{metrics}");

    // The log is JSON, line by line, and knows no patient.
    let log = serving.log();
    let requests: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .filter(|event: &Value| event["message"] == "request")
        .collect();
    assert!(requests.iter().any(|event| event["status"] == 201 && event["caller"] == "portal"), "{log}");
    assert!(!log.contains("9990000018") && !log.contains("portal-key"), "{log}");
    assert_eq!(serving.stop(), Some(0));

    // What it had accepted is there at the next start.
    let serving = Serving::start(folder.path());
    assert_eq!(Portal::of(&serving.base).get("/fhir/Appointment/a1").await["status"], "booked");
    assert_eq!(serving.stop(), Some(0));
}

#[test]
fn a_second_one_at_the_same_address_says_so_and_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    settle(folder.path(), port, "http://127.0.0.1:1/fhir", &[50]);
    let serving = Serving::start(folder.path());
    let second = stile(&["serve", "--settings", "stile.toml"], folder.path()).expect(2);
    assert!(second.err.contains(&format!("127.0.0.1:{port} cannot be listened on")), "{}", second.err);
    assert_eq!(serving.stop(), Some(0));
}

#[actix_web::test]
async fn an_operator_sees_what_is_stuck_beside_the_running_gateway_and_sends_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut twin = a_twin(7_000_001).await;
    let wire = Wire::to(twin.address()).await;
    settle(folder, 0, &wire.base(), &[50]);
    let serving = Serving::start(folder);
    twin.connect(&serving.base, Some(&"pas-key".into())).unwrap();
    let portal = Portal::of(&serving.base);
    twin.hold(appointment("a1", "4817508")).unwrap();
    wire.is_down();
    assert_eq!(portal.put(&appointment("a1", "4817508")).await, Some(201));
    assert_eq!(portal.put(&cancel("t1", "a1")).await, Some(201));
    portal.until("t1", "undeliverable").await;

    let listed = run(folder, &["deliveries", "list", "--json", "--settings", "stile.toml"]).await.lines();
    assert_eq!(listed.len(), 1);
    let delivery = &listed[0];
    assert_eq!(
        (&delivery["state"], &delivery["request"], &delivery["ask"], &delivery["attempts"]),
        (&json!("exhausted"), &json!("t1"), &json!("cancel"), &json!(2))
    );
    let id = delivery["id"].as_str().unwrap().to_owned();
    let none = run(folder, &["deliveries", "list", "--json", "--state", "waiting", "--data", "store"]).await;
    assert_eq!(none.out, "");
    let shown = run(folder, &["deliveries", "show", &id, "--json", "--data", "store"]).await.lines();
    assert_eq!(shown[0]["tries"].as_array().unwrap().len(), 2);
    let events: Vec<&str> =
        shown[0]["events"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(events, ["requested", "undeliverable"]);
    for told in [&["deliveries", "list", "--data", "store"][..], &["deliveries", "show", &id, "--data", "store"]] {
        let ran = run(folder, told).await;
        assert!(ran.out.contains("exhausted") && !ran.out.contains("9990000018"), "{}", ran.out);
    }

    wire.is_whole();
    let again = run(folder, &["deliveries", "retry", &id, "--json", "--data", "store"]).await.lines();
    assert_eq!(again[0]["state"], "waiting");
    portal.until("t1", "applied").await;
    assert_eq!(twin.ledger()["counts"]["applied"], 1);

    // What cannot be done is said, with the way on.
    let delivered = ["deliveries", "retry", &id, "--data", "store"];
    for (args, code) in [
        (&delivered[..], 1),
        (&["deliveries", "show", "none", "--data", "store"], 1),
        (&["deliveries", "list", "--data", "nowhere"], 2),
        (&["deliveries", "list", "--state", "lost", "--data", "store"], 2),
    ] {
        let folder = folder.to_owned();
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let ran = tokio::task::spawn_blocking(move || {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            stile(&args, &folder)
        });
        let ran = ran.await.unwrap().expect(code);
        assert!(!ran.err.is_empty());
    }
    assert_eq!(serving.stop(), Some(0));
    twin.stop().await;
}

/// Runs a command that must go well, while twin and wire go on.
async fn run(folder: &std::path::Path, args: &[&str]) -> crate::process::Ran {
    let folder = folder.to_owned();
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let ran = tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        stile(&args, &folder)
    });
    ran.await.unwrap().expect(0)
}
