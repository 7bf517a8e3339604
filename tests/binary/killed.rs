//! The gateway killed in the middle of its work. What it had acknowledged is there afterwards and reaches the PAS once.

use crate::process::{Portal, Serving, appointment, cancel, free_port, settle};
use crate::serving::a_twin;
use crate::wire::Wire;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use stile::twin::Twin;
use tokio::task::JoinSet;

/// Portals that submit at the same time.
const PORTALS: usize = 4;

/// When the process is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// As soon as so many submissions have been acknowledged.
    Acknowledged(usize),
    /// So many milliseconds after the portals began, whatever is under way.
    After(u64),
    /// While a message is on the wire and nobody has it.
    OnTheWire,
    /// When the PAS has applied something and its answer is on the way back.
    AnswerUnderWay,
}

/// Each arrow of the path, and in between.
const MOMENTS: &[Moment] = &[
    Moment::Acknowledged(1),
    Moment::OnTheWire,
    Moment::After(3),
    Moment::AnswerUnderWay,
    Moment::Acknowledged(7),
    Moment::After(20),
    Moment::OnTheWire,
    Moment::Acknowledged(25),
    Moment::AnswerUnderWay,
    Moment::After(150),
];

/// What the portals were told, by the request's id: acknowledged or without an answer.
type Told = Arc<Mutex<BTreeMap<String, bool>>>;

#[actix_web::test]
async fn what_was_acknowledged_before_a_kill_is_there_after_it_and_reaches_the_pas_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let port = free_port();
    let mut twin = a_twin(7_000_001).await;
    let wire = Wire::to(twin.address()).await;
    settle(folder, port, &wire.base(), &[100; 50]);
    twin.connect(&format!("http://127.0.0.1:{port}"), Some(&"pas-key".into())).unwrap();
    let twin = Arc::new(twin);
    let told: Told = Arc::default();
    for (round, moment) in MOMENTS.iter().enumerate() {
        wire.is_whole();
        one_round(folder, round, *moment, &twin, &wire, &told).await;
    }
    wire.is_whole();
    let serving = start(folder).await;
    let portal = Portal::of(&serving.base);
    let told = told.lock().unwrap().clone();
    let acknowledged: Vec<&String> = told.iter().filter(|(_, is)| **is).map(|(id, _)| id).collect();
    eprintln!("{} acknowledged, {} without an answer", acknowledged.len(), told.len() - acknowledged.len());
    assert!(acknowledged.len() >= 30, "only {} were acknowledged: the load is broken", acknowledged.len());
    for request in &acknowledged {
        portal.until(request, "applied").await;
    }
    // Also what got no answer is either not there or comes to its end like any other.
    for request in told.keys() {
        if portal.get(&format!("/fhir/Task/{request}")).await["resourceType"] == "Task" {
            portal.until(request, "applied").await;
        }
    }
    let applied = applied(&twin.ledger());
    for (request, is_acknowledged) in &told {
        let times = applied.get(request).copied().unwrap_or(0);
        assert!(times == 1 || (times == 0 && !is_acknowledged), "{request} was applied {times} times");
    }
    assert!(applied.keys().all(|request| told.contains_key(request)), "the twin did what nobody asked");
    assert_eq!(serving.stop(), Some(0));
}

/// Starts the gateway while the twin goes on.
async fn start(folder: &Path) -> Serving {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || Serving::start(&folder)).await.unwrap()
}

/// Serves, has the portals submit, kills at the moment, starts again and looks whether what was acknowledged is there.
async fn one_round(folder: &Path, round: usize, moment: Moment, twin: &Arc<Twin>, wire: &Wire, told: &Told) {
    let serving = start(folder).await;
    match moment {
        Moment::OnTheWire => wire.holds(),
        Moment::AnswerUnderWay => wire.holds_answers(),
        Moment::Acknowledged(_) | Moment::After(_) => {}
    }
    let (sent_before, applied_before) = (wire.sent().len(), applied(&twin.ledger()).len());
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut portals = JoinSet::new();
    for number in 0..PORTALS {
        let (portal, twin) = (Portal::of(&serving.base), Arc::clone(twin));
        let (told, acknowledged) = (Arc::clone(told), Arc::clone(&acknowledged));
        portals.spawn(async move {
            let mut place = number;
            while submits(&portal, &twin, &format!("{round}-{place}"), &told).await {
                acknowledged.fetch_add(1, Ordering::Relaxed);
                place += PORTALS;
            }
        });
    }
    let is_reached = || match moment {
        Moment::Acknowledged(count) => acknowledged.load(Ordering::Relaxed) >= count,
        Moment::After(_) => true,
        Moment::OnTheWire => wire.sent().len() > sent_before,
        Moment::AnswerUnderWay => applied(&twin.ledger()).len() > applied_before,
    };
    if let Moment::After(milliseconds) = moment {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    let began = Instant::now();
    while !is_reached() {
        assert!(began.elapsed() < Duration::from_secs(20), "{moment:?} does not come: {}", serving.log());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    serving.kill();
    portals.join_all().await;

    let serving = start(folder).await;
    let portal = Portal::of(&serving.base);
    let mine: Vec<(String, bool)> = told.lock().unwrap().iter().map(|(id, is)| (id.clone(), *is)).collect();
    for (request, _) in mine.iter().filter(|(id, is)| *is && id.starts_with(&format!("t{round}-"))) {
        let task = portal.get(&format!("/fhir/Task/{request}")).await;
        assert_eq!(task["id"], request.as_str(), "{moment:?}: acknowledged and lost");
        let appointment = portal.get(&format!("/fhir/Appointment/{}", request.replacen('t', "a", 1))).await;
        assert_eq!(appointment["resourceType"], "Appointment", "{moment:?}: acknowledged and lost");
    }
    // And killed again, at no particular moment.
    serving.kill();
}

/// Pushes an appointment and asks for its cancellation: true when both were acknowledged.
async fn submits(portal: &Portal, twin: &Twin, name: &str, told: &Told) -> bool {
    let (appointment_id, task_id) = (format!("a{name}"), format!("t{name}"));
    let resource = appointment(&appointment_id, name);
    twin.hold(resource.clone()).unwrap();
    match portal.put(&resource).await {
        Some(status) => assert_eq!(status, 201),
        None => return false,
    }
    told.lock().unwrap().insert(task_id.clone(), false);
    match portal.put(&cancel(&task_id, &appointment_id)).await {
        Some(status) => assert_eq!(status, 201),
        None => return false,
    }
    told.lock().unwrap().insert(task_id, true);
    true
}

/// How often the twin applied each request.
fn applied(ledger: &Value) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for entry in ledger["entries"].as_array().unwrap() {
        if entry["became"] == "applied" {
            *times.entry(entry["request"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    times
}
