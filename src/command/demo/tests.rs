//! The story against a stand-in for the gateway that tells one lie: each must be found by the step that tells of it.
//! That the story goes well with the real gateway is the business of the tests that run the program.

use super::cast::Body;
use super::*;
use crate::delivery::Message;
use crate::downstream::{FhirRest, FhirRestSettings, Secret};
use crate::fhir;
use crate::profile::{Package, Profiles};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

/// What the stand-in does otherwise than it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lie {
    None,
    AnswersNothing,
    KeepsTheBrokenOne,
    NamesNoPlace,
    HasNoEntry,
    HidesThePending,
    CancelsItself,
    ForgetsToSend,
    SendsTwice,
    StaysPending,
    TakesItAgain,
    RefusesTheBooking,
    NamesAnotherTrust,
}

#[derive(Clone)]
struct StandIn {
    lie: Lie,
    kept: Arc<Mutex<HashMap<String, Value>>>,
    twin: FhirRest,
}

impl StandIn {
    fn get(&self, path: &str) -> Option<Value> {
        self.kept.lock().unwrap().get(path).cloned()
    }

    fn keep(&self, path: &str, value: Value) {
        self.kept.lock().unwrap().insert(path.to_owned(), value);
    }

    /// Sets elements of what is kept.
    fn lay_over(&self, path: &str, over: Value) {
        let mut kept = self.get(path).unwrap();
        kept.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
        self.keep(path, kept);
    }

    fn send(&self, id: &str, resource_type: &str, body: Value) {
        let (twin, lie, id) = (self.twin.clone(), self.lie, id.to_owned());
        let message = |copy: &str| {
            let mut body = body.clone();
            body["identifier"][0]["value"] = json!(format!("{id}{copy}"));
            let id = format!("m-{id}{copy}");
            Message { id, resource_type: resource_type.into(), body: body.to_string(), correlation_id: String::new() }
        };
        let messages = match lie {
            Lie::ForgetsToSend => vec![],
            Lie::SendsTwice => vec![message(""), message("-2")],
            _ => vec![message("")],
        };
        tokio::spawn(async move {
            for message in messages {
                twin.send(&message).await;
            }
        });
    }

    fn put(&self, path: &str, body: Value, is_twin: bool) -> (u16, Value) {
        let appointment =
            format!("/fhir/{}", body.pointer("/focus/reference").and_then(Value::as_str).unwrap_or_default());
        let id = path.rsplit('/').next().unwrap().to_owned();
        if is_twin {
            return self.hear(path, body);
        }
        if body.get("participants").is_some() && self.lie != Lie::KeepsTheBrokenOne {
            return (
                422,
                outcome(if self.lie == Lie::NamesNoPlace { &[] } else { &["participants[0]", "status", "start"] }),
            );
        }
        if body.get("focus").is_some() {
            if self.lie != Lie::TakesItAgain && self.get(&appointment).unwrap()["status"] == "cancelled" {
                let rule = json!({"coding": [{"code": "change.appointment-over"}], "text": "It is over"});
                return (422, json!({"issue": [{"severity": "error", "details": rule}]}));
            }
            if self.lie != Lie::HidesThePending {
                self.lay_over(&appointment, pending());
            }
            if self.lie == Lie::CancelsItself {
                self.lay_over(&appointment, json!({"status": "cancelled"}));
            }
            let mut task = body.clone();
            let number = self.get(&appointment).unwrap()["identifier"][0]["value"].clone();
            task["focus"]["identifier"] = json!({"system": PAS_SYSTEM, "value": number});
            task["identifier"] = json!([{"system": "urn:stile:request", "value": ""}]);
            self.keep(path, state(body, "forwarded"));
            self.send(&id, "Task", task);
            return (201, json!({}));
        }
        if body.get("category").is_some() {
            let proposal = json!({
                "resourceType": "Appointment",
                "status": "proposed",
                "identifier": [{"system": "urn:stile:pifu-booking", "value": ""}],
                "requestedPeriod": [body["occurrencePeriod"]],
                "participant": [{"actor": body["subject"], "status": "needs-action"}],
            });
            let came = if self.lie == Lie::RefusesTheBooking { "refused" } else { "forwarded" };
            self.keep(&format!("/fhir/Task/{id}"), state(json!({}), came));
            self.send(&id, "Appointment", proposal);
        } else if path.starts_with("/fhir/ServiceRequest/") && self.lie != Lie::HasNoEntry {
            let provider = if self.lie == Lie::NamesAnotherTrust { "RZZ98" } else { ORGANISATION };
            self.keep(&format!("/waiting-list/entries/{id}"), json!({"status": "active", "provider": provider}));
        }
        self.keep(path, body);
        (201, json!({}))
    }

    /// The twin's word.
    fn hear(&self, path: &str, body: Value) -> (u16, Value) {
        for (task, kept) in self.kept.lock().unwrap().iter_mut() {
            let of_booking = body.pointer("/basedOn/0/identifier/value").and_then(Value::as_str);
            let reference = path.trim_start_matches("/fhir/");
            if of_booking.is_some_and(|booking| *task == format!("/fhir/Task/{booking}")) {
                *kept = state(kept.clone(), "booked");
                kept["output"] = json!([{"valueReference": {"reference": reference}}]);
            } else if kept.pointer("/focus/reference").and_then(Value::as_str) == Some(reference) {
                *kept = state(kept.clone(), "applied");
            }
        }
        let over = if self.lie == Lie::StaysPending { pending() } else { json!({}) };
        self.keep(path, body);
        self.lay_over(path, over);
        (200, json!({}))
    }
}

fn pending() -> Value {
    let url = "https://fhir.nhs.uk/StructureDefinition/Extension-Appointment-RequestStatus";
    json!({"extension": [{"url": url, "valueCode": "Pending Cancellation"}]})
}

fn state(mut task: Value, state: &str) -> Value {
    task["businessStatus"] = json!({"text": state});
    task["status"] = json!(if matches!(state, "applied" | "booked") { "completed" } else { "accepted" });
    task
}

fn outcome(names: &[&str]) -> Value {
    let issue = |name: &&str| json!({"severity": "error", "expression": [format!("Appointment.{name}")]});
    json!({"resourceType": "OperationOutcome", "issue": names.iter().map(issue).collect::<Vec<_>>()})
}

async fn answer(request: HttpRequest, body: web::Bytes, stand_in: web::Data<StandIn>) -> HttpResponse {
    let (status, said) = match (stand_in.lie, request.method().as_str()) {
        (Lie::AnswersNothing, _) => return HttpResponse::NotFound().body("<html>"),
        (_, "PUT") => {
            let key = request.headers().get("Authorization").unwrap().to_str().unwrap();
            stand_in.put(request.path(), serde_json::from_slice(&body).unwrap(), key.contains("demo-pas-"))
        }
        (_, _) => stand_in.get(request.path()).map_or((404, json!({})), |kept| (200, kept)),
    };
    HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(said.to_string())
}

/// What came of a story.
struct Played {
    ended: Result<(), String>,
    /// The step it ended at.
    step: usize,
    told: String,
    /// What the stand-in holds at the end.
    kept: HashMap<String, Value>,
}

/// Plays the story against a stand-in with one lie.
async fn played(lie: Lie) -> Played {
    let mut twin = crate::twin::start(TwinSettings {
        listen: "127.0.0.1:0".into(),
        gateway: None,
        key: None,
        organisation: ORGANISATION.into(),
        pas_appointment_system: PAS_SYSTEM.into(),
        answer_after_ms: 60,
        first_number: 8_000_001,
    })
    .await
    .unwrap();
    let rest = FhirRest::new(&FhirRestSettings {
        base: twin.base(),
        bearer: None,
        connect_timeout_ms: 5_000,
        total_timeout_ms: 5_000,
        answer_bytes_max: 100_000,
        allow_private: true,
    });
    let stand_in = StandIn { lie, kept: Arc::default(), twin: rest.unwrap() };
    let kept = stand_in.kept.clone();
    let data = web::Data::new(stand_in);
    let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(answer)))
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
    let base = format!("http://{}", server.addrs()[0]);
    let running = server.run();
    let handle = running.handle();
    tokio::spawn(running);

    let keys = Keys::fresh();
    twin.connect(&base, Some(&keys.twin)).unwrap();
    let cast = Cast::new(Timestamp::now(), "t1", 7_123_456).unwrap();
    let mut bytes = Vec::new();
    let mut teller = Teller::new(anstream::StripStream::new(&mut bytes), true, STEPS);
    let portal = Portal::new(&base, &keys.portal).unwrap();
    let mut stage = Stage { portal, twin: &twin, teller: &mut teller, cast: &cast, wait_ms_max: 600 };
    let ended = stage.play().await;
    let step = teller.step();
    handle.stop(false).await;
    twin.stop().await;
    assert!(!String::from_utf8_lossy(&bytes).contains(keys.portal.reveal()), "the key is not narrated");
    let kept = kept.lock().unwrap().clone();
    Played { ended, step, told: String::from_utf8(bytes).unwrap(), kept }
}

#[tokio::test]
async fn the_story_ends_well_with_a_gateway_that_keeps_its_promises() {
    let Played { ended, step, told, kept } = played(Lie::None).await;
    assert_eq!((ended, step), (Ok(()), STEPS), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
    assert_eq!(told.matches('✓').count(), 10, "{told}");
    // What the twin called back with is FHIR R4 too.
    let of_the_twin = kept.iter().filter(|(path, kept)| path.contains("/Appointment/") && kept.get("id").is_some());
    let statuses: BTreeSet<String> = of_the_twin
        .map(|(_, appointment)| {
            assert_eq!(refusals(&appointment.to_string()), [""; 0]);
            appointment["status"].to_string()
        })
        .collect();
    assert_eq!(statuses, BTreeSet::from(["\"booked\"".to_owned(), "\"cancelled\"".to_owned()]));
}

/// Where a body is not FHIR R4.
fn refusals(body: &str) -> Vec<String> {
    static R4: OnceLock<Profiles> = OnceLock::new();
    let profiles = R4.get_or_init(|| {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/r4-core")).unwrap();
        let files = folder.map(|entry| entry.unwrap().path());
        let files = files.map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap())).collect();
        Profiles::compile(&[Package { name: "r4".into(), version: "4.0.1".into(), files }]).unwrap()
    });
    let limits = fhir::Limits { bytes_max: 100_000, depth_max: 50, nodes_max: 10_000, issues_max: 100 };
    let parsed = fhir::parse(body.as_bytes(), fhir::Format::Json, &limits);
    let mut issues = parsed.issues;
    issues.extend(profiles.check(&parsed.document.unwrap(), &crate::profile::Ask::default()).issues);
    issues
        .iter()
        .filter(|issue| issue.refuses())
        .map(|issue| issue.place.clone().unwrap_or_default().expression)
        .collect()
}

#[test]
fn what_the_portal_sends_is_fhir_and_the_broken_one_is_broken_where_the_story_says() {
    let cast = Cast::new(Timestamp::now(), "t1", 7_123_456).unwrap();
    for body in [Body::Appointment, Body::Referral, Body::Cancel, Body::Enrolment, Body::Booking] {
        assert_eq!(refusals(&cast.text(body)), [""; 0], "{body:?}");
    }
    let broken: BTreeSet<String> = refusals(&cast.text(Body::Broken)).into_iter().collect();
    for place in ["Appointment.participants[0]", "Appointment.status", "Appointment.start"] {
        assert!(broken.contains(place), "{place} is not among {broken:?}");
    }
}

#[tokio::test]
async fn a_gateway_that_breaks_a_promise_is_caught_at_the_step_that_tells_of_it() {
    for (lie, step, words) in [
        (Lie::AnswersNothing, 1, "201 was expected, and the gateway answered 404"),
        (Lie::KeepsTheBrokenOne, 2, "a refusal (400 or 422) was expected"),
        (Lie::NamesNoPlace, 2, "does not point at Appointment.participants"),
        (Lie::HasNoEntry, 3, "200 was expected, and the gateway answered 404"),
        (Lie::HidesThePending, 4, "does not show `Pending Cancellation`"),
        (Lie::CancelsItself, 4, "/status is `cancelled` and was to be `booked`"),
        (Lie::ForgetsToSend, 4, "still forwarded after 600 ms"),
        (Lie::StaysPending, 4, "still shows a pending request"),
        (Lie::TakesItAgain, 5, "422 was expected, and the gateway answered 201"),
        (Lie::RefusesTheBooking, 6, "ended as refused"),
        (Lie::SendsTwice, 7, "counts 2 booked, and 1 was expected"),
        (Lie::NamesAnotherTrust, 7, "/provider is `RZZ98`"),
    ] {
        let Played { ended, step: at, told, .. } = played(lie).await;
        let why = ended.expect_err(&told);
        assert!(why.contains(words), "{lie:?}: {why}");
        assert_eq!(at, step, "{lie:?}: {told}");
    }
}

#[tokio::test]
async fn what_cannot_be_started_is_told_and_leaves_nothing_running() {
    let folder = tempfile::tempdir().unwrap();
    let args = Args { exit: true, port: 0, data: Some(folder.path().join("a/b")) };
    let mut teller = Teller::new(Vec::new(), false, STEPS);
    let mut twin_base = String::new();
    let start = async |plan: Plan| {
        assert!(plan.folder.join("stile.toml").is_file());
        twin_base = plan.settings.lines().find_map(|line| line.strip_prefix("base = ")).unwrap().replace('"', "");
        Err("no port is free".to_owned())
    };
    let ended = show(&args, start, &mut teller).await;
    assert!(matches!(ended, Err(Ended::NotStarted(why)) if why == "no port is free"));
    let portal = Portal::new(&twin_base, &Secret::from("")).unwrap();
    assert!(portal.ask(reqwest::Method::GET, "/Task/1", None).await.is_err(), "the twin has stopped");

    let in_the_way = folder.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    let args = Args { data: Some(in_the_way.join("sub")), ..args };
    let ended = show(&args, async |_| Err(String::new()), &mut teller).await;
    assert!(matches!(ended, Err(Ended::NotStarted(why)) if why.contains("cannot be made")));
}

#[test]
fn the_command_line_is_consistent_and_its_help_teaches() {
    use clap::Args as _;
    let mut command = Args::augment_args(clap::Command::new("demo"));
    command.clone().debug_assert();
    let help = command.render_long_help().to_string();
    for word in ["--exit", "--port", "--data", "synthetic", "Exit codes:"] {
        assert!(help.contains(word), "{word} is not in {help}");
    }
}

#[tokio::test]
async fn the_lines_to_try_name_the_running_servers_and_the_story_s_own_resources() {
    let twin = crate::twin::start(TwinSettings {
        listen: "127.0.0.1:0".into(),
        gateway: None,
        key: None,
        organisation: ORGANISATION.into(),
        pas_appointment_system: PAS_SYSTEM.into(),
        answer_after_ms: 0,
        first_number: 1,
    })
    .await
    .unwrap();
    let keys = Keys::fresh();
    let cast = Cast::new(Timestamp::now(), "t1", 7_123_456).unwrap();
    let lines = to_try("http://127.0.0.1:8080", &twin, &keys, &cast);
    for part in [
        &format!("KEY={}\n", keys.portal.reveal()),
        "http://127.0.0.1:8080/fhir/Appointment/appointment-t1\n",
        "http://127.0.0.1:8080/waiting-list/entries/referral-t1\n",
        &format!("http://{}/twin/ledger\n", twin.address()),
        r#"'{"resourceType":"Appointment","staus":"booked"}'"#,
    ] {
        assert!(lines.contains(part), "{part} is not in {lines}");
    }
    assert!(!lines.contains("{{") && !lines.contains(keys.twin.reveal()));
    twin.stop().await;
}
