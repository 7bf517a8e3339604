//! The twin over real sockets, sent to by the gateway's own adapter and calling back to a listener.

use super::*;
use crate::delivery::{Answer, Message};
use crate::downstream::{FhirRest, FhirRestSettings};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PAS: &str = "https://pas.example.nhs.uk/appointment";
const NUMBER: &str = "9990000018";
const OTHER_NUMBER: &str = "9990000026";

/// A gateway as far as the twin can see one: it keeps what is put to it, after refusing as often as it is told.
struct Gateway {
    address: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    server: actix_web::dev::ServerHandle,
}

struct Heard {
    path: String,
    key: String,
    body: Value,
    status: u16,
}

impl Gateway {
    /// Answers with `statuses` in turn, and with the last for ever.
    fn open(statuses: &'static [u16]) -> Gateway {
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let notes = heard.clone();
        let server = HttpServer::new(move || {
            let notes = notes.clone();
            App::new().default_service(web::to(move |request: HttpRequest, body: web::Bytes| {
                let mut notes = notes.lock().unwrap();
                let status = statuses.get(notes.len()).or(statuses.last()).copied().unwrap();
                notes.push(Heard {
                    path: format!("{} {}", request.method(), request.path()),
                    key: request.headers().get("Authorization").map_or("", |key| key.to_str().unwrap()).to_owned(),
                    body: serde_json::from_slice(&body).unwrap(),
                    status,
                });
                let status = actix_web::http::StatusCode::from_u16(status).unwrap();
                async move { HttpResponse::new(status) }
            }))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let address = format!("http://{}", server.addrs()[0]);
        let running = server.run();
        let handle = running.handle();
        tokio::spawn(running);
        Gateway { address, heard, server: handle }
    }

    /// The first `count` calls that were taken, waited for.
    async fn taken(&self, count: usize) -> Vec<Value> {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let taken: Vec<Value> = self
                .heard
                .lock()
                .unwrap()
                .iter()
                .filter(|heard| heard.status < 300)
                .map(|heard| heard.body.clone())
                .collect();
            if taken.len() >= count {
                return taken;
            }
            assert!(Instant::now() < until, "{} of {count} calls came in ten seconds", taken.len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn twin_for(gateway: &Gateway) -> (Twin, FhirRest) {
    let twin = start(TwinSettings {
        listen: "127.0.0.1:0".into(),
        gateway: Some(gateway.address.clone()),
        key: Some(Secret::from("twin-key")),
        organisation: "ZZ999".into(),
        pas_appointment_system: PAS.into(),
        answer_after_ms: 1,
        first_number: 7_000_001,
    })
    .await
    .unwrap();
    let rest = FhirRest::new(&FhirRestSettings {
        base: twin.base(),
        bearer: None,
        connect_timeout_ms: 5_000,
        total_timeout_ms: 10_000,
        answer_bytes_max: 100_000,
        allow_private: true,
    })
    .unwrap();
    (twin, rest)
}

fn message(id: &str, body: &Value) -> Message {
    Message {
        id: id.into(),
        resource_type: body["resourceType"].as_str().unwrap().into(),
        body: body.to_string(),
        correlation_id: "c".into(),
    }
}

fn patient(number: &str) -> Value {
    json!({"type": "Patient", "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": number}})
}

fn appointment(number: &str) -> Value {
    json!({
        "resourceType": "Appointment",
        "identifier": [{"system": PAS, "value": number}],
        "extension": [{
            "url": "https://fhir.nhs.uk/StructureDefinition/Extension-Appointment-RequestStatus",
            "valueCode": "Pending Cancellation",
        }],
        "status": "booked",
        "start": "2091-06-04T10:00:00+01:00",
        "end": "2091-06-04T10:30:00+01:00",
        "participant": [{"actor": patient(NUMBER), "status": "needs-action"}],
    })
}

fn change(request: &str, kind: &str, number: &str) -> Value {
    json!({
        "resourceType": "Task",
        "identifier": [{"system": "urn:stile:request", "value": request}],
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "urn:stile:change-request", "code": kind}]},
        "focus": {"reference": "https://stile.example/fhir/Appointment/gw-1", "identifier": {"system": PAS, "value": number}},
        "for": patient(NUMBER),
    })
}

fn booking(id: &str, start: &str, end: &str) -> Value {
    json!({
        "resourceType": "Appointment",
        "identifier": [{"system": "urn:stile:pifu-booking", "value": id}],
        "status": "proposed",
        "requestedPeriod": [{"start": start, "end": end}],
        "basedOn": [{"identifier": {"system": "https://fhir.nhs.uk/Id/PathwayId", "value": "ZZ99900000001"}}],
        "participant": [{"actor": patient(NUMBER), "status": "needs-action"}],
    })
}

fn reason(answer: &Answer) -> &str {
    match answer {
        Answer::Refused { reason } => reason,
        other => panic!("{other:?} is not a refusal"),
    }
}

#[tokio::test]
async fn a_cancel_that_comes_twice_is_applied_once_and_the_gateway_hears_of_it() {
    let gateway = Gateway::open(&[200]);
    let (twin, rest) = twin_for(&gateway).await;
    assert_eq!(rest.send(&message("m-0", &appointment("4817"))).await.as_str(), "accepted");
    let first = rest.send(&message("m-1", &change("r-1", "cancel", "4817"))).await;
    // The same message again; then the same request in a message with another id, known by its identifier.
    let again = rest.send(&message("m-1", &change("r-1", "cancel", "4817"))).await;
    let other = rest.send(&message("m-2", &change("r-1", "cancel", "4817"))).await;
    assert!(matches!(&first, Answer::Accepted { reference: Some(task) } if task.contains("/fhir/Task/")), "{first:?}");
    assert_eq!((&first, &first), (&again, &other), "a repeat gets the same answer");

    let told = gateway.taken(1).await;
    assert_eq!(told[0]["id"], "gw-1");
    assert_eq!(told[0]["status"], "cancelled");
    assert_eq!(told[0]["start"], "2091-06-04T10:00:00+01:00");
    assert_eq!(told[0].get("extension"), None, "the request's status is the gateway's to tell");
    {
        let heard = gateway.heard.lock().unwrap();
        assert_eq!(heard[0].path, "PUT /fhir/Appointment/gw-1");
        assert_eq!(heard[0].key, "Bearer twin-key");
    }
    let ledger = settled(&twin, 1).await;
    assert_eq!(
        ledger["counts"],
        json!({"received": 4, "seeded": 1, "applied": 1, "booked": 0, "repeated": 2, "refused": 0, "taken": 1, "given-up": 0})
    );
    assert_eq!(ledger["entries"][1]["request"], "r-1");
    assert_eq!(ledger["entries"][1]["appointment"], "4817");
    assert!(!ledger.to_string().contains(NUMBER), "the journal names no patient");
    twin.stop().await;
    gateway.server.stop(false).await;
}

/// The ledger once `calls` calls back have ended.
async fn settled(twin: &Twin, calls: u64) -> Value {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let ledger = twin.ledger();
        let count = |name: &str| ledger["counts"][name].as_u64().unwrap();
        if count("taken") + count("given-up") >= calls {
            return ledger;
        }
        assert!(Instant::now() < until, "{ledger}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn each_kind_of_change_does_what_it_says_and_nothing_else() {
    let gateway = Gateway::open(&[200]);
    let (twin, rest) = twin_for(&gateway).await;
    rest.send(&message("m-0", &appointment("4817"))).await;

    rest.send(&message("m-1", &change("r-1", "confirm-attendance", "4817"))).await;
    let confirmed = &gateway.taken(1).await[0];
    assert_eq!(confirmed["participant"][0]["status"], "accepted");
    assert_eq!((&confirmed["status"], &confirmed["start"]), (&json!("booked"), &json!("2091-06-04T10:00:00+01:00")));

    rest.send(&message("m-2", &change("r-2", "reschedule", "4817"))).await;
    let moved = &gateway.taken(2).await[1];
    assert_eq!(
        (&moved["start"], &moved["end"]),
        (&json!("2091-06-11T10:00:00+01:00"), &json!("2091-06-11T10:30:00+01:00"))
    );

    let mut preferring = change("r-3", "reschedule", "4817");
    preferring["input"] = json!([{
        "type": {"coding": [{"code": "preferred-period"}]},
        "valuePeriod": {"start": "2091-12-03T14:00:00Z", "end": "2091-12-03T17:00:00Z"},
    }]);
    rest.send(&message("m-3", &preferring)).await;
    let moved = &gateway.taken(3).await[2];
    assert_eq!(
        (&moved["start"], &moved["end"]),
        (&json!("2091-12-03T14:00:00+00:00"), &json!("2091-12-03T14:30:00+00:00"))
    );
    assert_eq!(moved["status"], "booked");

    rest.send(&message("m-4", &change("r-4", "cancel", "4817"))).await;
    let came = rest.send(&message("m-5", &change("r-5", "reschedule", "4817"))).await;
    assert!(reason(&came).contains("cannot be changed any more"), "{came:?}");
    assert_eq!(settled(&twin, 4).await["counts"]["applied"], 4);
    twin.stop().await;
    gateway.server.stop(false).await;
}

#[tokio::test]
async fn what_the_diary_cannot_do_is_refused_and_changes_nothing() {
    let gateway = Gateway::open(&[200]);
    let (twin, rest) = twin_for(&gateway).await;
    rest.send(&message("m-0", &appointment("4817"))).await;
    let mut another_patients = change("r-2", "cancel", "4817");
    another_patients["for"] = patient(OTHER_NUMBER);
    let mut passed = change("r-3", "reschedule", "4817");
    passed["input"] = json!([{"valuePeriod": {"start": "2001-01-01"}}]);
    let past = booking("b-1", "2001-01-01", "2001-01-31");
    let night = booking("b-2", "2091-06-04T22:00:00Z", "2091-06-05T04:00:00Z");
    let mut nobodys = booking("b-3", "2091-06-04", "2091-06-05");
    nobodys["participant"] = json!([{"status": "accepted"}]);
    for (at, (body, words)) in [
        (change("r-1", "cancel", "9999"), "No appointment with the number"),
        (another_patients, "another patient's"),
        (passed, "has passed"),
        (change("r-4", "explode", "4817"), "Task.code"),
        (past, "no free slot"),
        (night, "no free slot"),
        (nobodys, "NHS number"),
    ]
    .into_iter()
    .enumerate()
    {
        let came = rest.send(&message(&format!("m-{}", at + 1), &body)).await;
        assert!(reason(&came).contains(words), "{words}: {came:?}");
        assert!(!reason(&came).contains(NUMBER) && !reason(&came).contains("9999"));
    }
    let ledger = twin.ledger();
    assert_eq!((&ledger["counts"]["refused"], &ledger["counts"]["applied"]), (&json!(7), &json!(0)));
    let held = client().get(format!("{}/Appointment?identifier={PAS}|4817", twin.base())).send().await.unwrap();
    let held: Value = serde_json::from_str(&held.text().await.unwrap()).unwrap();
    assert_eq!(held["total"], 1);
    assert_eq!(held["entry"][0]["resource"]["start"], appointment("4817")["start"]);
    twin.stop().await;
    gateway.server.stop(false).await;
}

fn client() -> reqwest::Client {
    install_cryptography();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

#[tokio::test]
async fn a_pifu_booking_gets_an_appointment_in_its_period_that_nobody_else_has() {
    let gateway = Gateway::open(&[201]);
    let (twin, rest) = twin_for(&gateway).await;
    for id in ["b-1", "b-2", "b-1"] {
        // Monday, from nine.
        let body = booking(id, "2091-06-04T00:00:00+01:00", "2091-06-08T00:00:00+01:00");
        let came = rest.send(&message(&format!("m-{id}"), &body)).await;
        assert_eq!(came.as_str(), "accepted", "{came:?}");
    }
    let mut told = gateway.taken(2).await;
    told.sort_by_key(|told| told["start"].to_string());
    let starts: Vec<&Value> = told.iter().map(|told| &told["start"]).collect();
    assert_eq!(starts, ["2091-06-04T09:00:00+01:00", "2091-06-04T09:20:00+01:00"]);
    let first = &told[0];
    assert_eq!(first["end"], "2091-06-04T09:20:00+01:00");
    assert_eq!(first["status"], "booked");
    assert_eq!(first["identifier"], json!([{"system": PAS, "value": "7000001"}]));
    assert_eq!(first["basedOn"][0]["identifier"], json!({"system": "urn:stile:pifu-booking", "value": "b-1"}));
    assert_eq!(first["basedOn"][1]["identifier"]["value"], "ZZ99900000001");
    assert_eq!(first["participant"][0]["actor"], patient(NUMBER));
    assert_eq!(first["participant"][1]["actor"]["identifier"]["value"], "ZZ999");
    let id = first["id"].as_str().unwrap();
    let read = client().get(format!("{}/Appointment/{id}", twin.base())).send().await.unwrap();
    assert_eq!(read.status(), 200, "the gateway's id of it is the twin's");
    let ledger = settled(&twin, 2).await;
    assert_eq!((&ledger["counts"]["booked"], &ledger["counts"]["repeated"]), (&json!(2), &json!(1)));
    twin.stop().await;
    gateway.server.stop(false).await;
}

#[tokio::test]
async fn a_gateway_that_does_not_take_a_call_is_called_again_until_it_does_or_says_never() {
    for (statuses, became, calls) in
        [(&[503, 404, 200][..], "taken", 3), (&[503, 422][..], "given-up", 2), (&[401][..], "given-up", 1)]
    {
        let gateway = Gateway::open(statuses);
        let (twin, rest) = twin_for(&gateway).await;
        rest.send(&message("m-0", &appointment("4817"))).await;
        rest.send(&message("m-1", &change("r-1", "cancel", "4817"))).await;
        let ledger = settled(&twin, 1).await;
        assert_eq!(ledger["entries"][2]["what"], "call-back");
        assert_eq!(ledger["entries"][2]["became"], became, "{statuses:?}");
        assert_eq!(gateway.heard.lock().unwrap().len(), calls, "{statuses:?}");
        twin.stop().await;
        gateway.server.stop(false).await;
    }
}

#[tokio::test]
async fn what_is_no_request_gets_an_operation_outcome() {
    let gateway = Gateway::open(&[200]);
    let (twin, _) = twin_for(&gateway).await;
    let client = client();
    let base = twin.base();
    let post = |path: &str, body: &str| client.post(format!("{base}/{path}")).body(body.to_owned());
    for (request, status) in [
        (post("Task", "not JSON"), 400),
        (post("Task", "{}"), 400),
        (post("Task", "[]"), 400),
        (post("Task", r#"{"resourceType":"Appointment"}"#), 400),
        (post("Task", r#"{"resourceType":"Task"}"#), 422),
        (post("Task", r#"{"resourceType":"Task"}"#).header("If-None-Exist", "status=booked"), 400),
        (post("Appointment", r#"{"resourceType":"Appointment","identifier":7}"#), 201),
        (post("Patient", "{}"), 404),
        (client.get(format!("{base}/Appointment/none")), 404),
        (client.get(format!("{base}/Appointment")), 400),
        (client.get(format!("{base}/Appointment?identifier=a|b")), 200),
        (client.delete(format!("{base}/Appointment/none")), 404),
    ] {
        let (client, request) = request.build_split();
        let asked = format!("{:?}", request.as_ref().map(|request| request.url().path().to_owned()));
        let response = client.execute(request.unwrap()).await.unwrap();
        let came = response.status().as_u16();
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(came, status, "{asked}: {body}");
        assert_eq!(body["resourceType"] == "OperationOutcome", status >= 400, "{asked}: {body}");
    }
    twin.stop().await;
    gateway.server.stop(false).await;
}

#[tokio::test]
async fn a_twin_can_be_told_later_which_gateway_to_call() {
    let gateway = Gateway::open(&[200]);
    let nobody = TwinSettings {
        listen: "127.0.0.1:0".into(),
        gateway: None,
        key: None,
        organisation: "RZZ99".into(),
        pas_appointment_system: PAS.into(),
        answer_after_ms: 1,
        first_number: 1,
    };
    let mut twin = start(nobody.clone()).await.unwrap();
    let post = |resource_type: &str, body: &Value| {
        client().post(format!("{}/{resource_type}", twin.base())).body(body.to_string()).send()
    };
    post("Appointment", &appointment("4817")).await.unwrap();
    let unheard = post("Task", &change("r-1", "confirm-attendance", "4817")).await.unwrap();
    assert_eq!(unheard.status(), 201, "a twin without a gateway applies what it is sent");
    let cancel = post("Task", &change("r-2", "cancel", "4817"));
    let late = twin.connect("ftp://127.0.0.1", None);
    assert!(matches!(late, Err(FaultyTwin::Gateway(_))));
    twin.connect(&gateway.address, None).unwrap();
    cancel.await.unwrap();
    assert_eq!(gateway.taken(1).await[0]["status"], "cancelled");
    assert_eq!(settled(&twin, 1).await["counts"]["applied"], 2);

    let there = twin.address().to_string();
    let taken = start(TwinSettings { listen: there, ..nobody.clone() }).await;
    assert!(matches!(taken, Err(FaultyTwin::Listen(..))));
    let astray = start(TwinSettings { gateway: Some("nowhere".into()), ..nobody }).await;
    assert!(matches!(astray, Err(FaultyTwin::Gateway(_))));
    twin.stop().await;
    gateway.server.stop(false).await;
}
