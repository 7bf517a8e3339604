//! The way of a submission, measured: each step beside a plain parse of the same bytes, then the whole of it over
//! HTTP beside a bare handler. `cargo bench` prints the tables of docs/PERFORMANCE.md.
//!
//! Ratios within one run are what counts: the machine is shared and absolute times move.

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};
use stile::app::{self, Materials};
use stile::fhir::{self, Format, Limits};
use stile::mapping::Variables;
use stile::profile::{Ask, Package, Profiles};
use stile::settings;

const BODY: &str = include_str!("appointment.json");
const ROUNDS: usize = 30;

fn main() {
    // `cargo test --benches` runs every bench once; that must not take minutes.
    let is_test = !std::env::args().any(|argument| argument == "--bench");
    if is_test {
        println!("run by `cargo bench`");
        return;
    }
    steps();
    let seconds = 4;
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(whole_path(seconds));
}

/// Median over rounds of the mean time of one call.
fn median(mut call: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..100 {
                call();
            }
            start.elapsed() / 100
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn steps() {
    let start = Instant::now();
    let engine = Materials::carried().compile().unwrap_or_else(|mishaps| panic!("{mishaps:?}"));
    let loaded = start.elapsed();
    let limits = Limits::default();
    let variables = BTreeMap::from([
        ("pas_appointment_system".to_owned(), "https://pas.example.nhs.uk/appointment".to_owned()),
        ("portal_appointment_system".to_owned(), "https://portal.example/appointment".to_owned()),
        ("is_pas".to_owned(), "false".to_owned()),
    ]);
    let variables = Variables { sender: &variables, now: jiff::Timestamp::UNIX_EPOCH, trees: &[] };
    let parsed = fhir::parse(BODY.as_bytes(), Format::Json, &limits);
    assert!(parsed.issues.is_empty(), "{:?}", parsed.issues);
    let document = parsed.document.unwrap();
    let issues = engine
        .profiles
        .check(&document, &stile::profile::Ask { expected_type: Some("Appointment"), ..stile::profile::Ask::default() })
        .issues;
    assert!(issues.is_empty(), "{issues:?}");
    let mapping = engine.library.inbound(&document, &variables).unwrap().unwrap();
    assert!(mapping.run(&document, &variables).issues.is_empty());

    let plain = median(|| {
        black_box(serde_json::from_str::<Value>(black_box(BODY)).unwrap());
    });
    println!("one Appointment of {} bytes; definitions and mappings loaded in {loaded:.0?}\n", BODY.len());
    println!("| step | time | of a plain parse |\n| --- | --- | --- |");
    let row = |name: &str, time: Duration| {
        println!("| {name} | {:.1} µs | {:.2} × |", time.as_secs_f64() * 1e6, time.as_secs_f64() / plain.as_secs_f64());
    };
    row("serde_json to Value (the yardstick)", plain);
    row(
        "parse to Document",
        median(|| drop(black_box(fhir::parse(black_box(BODY.as_bytes()), Format::Json, &limits)))),
    );
    row(
        "check against R4",
        median(|| {
            drop(black_box(
                engine
                    .profiles
                    .check(
                        black_box(&document),
                        &stile::profile::Ask { expected_type: Some("Appointment"), ..stile::profile::Ask::default() },
                    )
                    .issues,
            ))
        }),
    );
    row(
        "map to the canonical model, schema-checked",
        median(|| drop(black_box(mapping.run(black_box(&document), &variables)))),
    );
    uk_core(&row);
    row("write as JSON", median(|| drop(black_box(fhir::json(black_box(document.root()))))));
}

/// The same Appointment with what UK Core adds, against R4 and UK Core; its own parse beside it.
fn uk_core(row: &dyn Fn(&str, Duration)) {
    const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/packages/fhir.r4.ukcore.stu3-dev.tgz");
    const UK_CORE: &str = "https://fhir.hl7.org.uk/StructureDefinition/";
    let Ok(file) = std::fs::File::open(PACKAGE) else { return eprintln!("skipped: {PACKAGE} is absent") };
    let mut files = Vec::new();
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(file)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".json") && !name.contains("/examples/") {
            let mut text = String::new();
            std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
            files.push((name, text));
        }
    }
    let mut packages = Materials::carried().packages;
    packages.push(Package { name: "uk-core".into(), version: "bench".into(), files });
    let start = Instant::now();
    let profiles = Profiles::compile(&packages).unwrap_or_else(|problems| panic!("{problems:?}"));
    eprintln!("R4 and UK Core compiled in {:.0?}; resident {}", start.elapsed(), resident());
    let mut value: Value = serde_json::from_str(BODY).unwrap();
    value["meta"] = serde_json::json!({"profile": [format!("{UK_CORE}UKCore-Appointment")]});
    value["extension"].as_array_mut().unwrap().push(serde_json::json!({
        "url": format!("{UK_CORE}Extension-UKCore-DeliveryChannel"),
        "valueCodeableConcept": {"coding": [{"system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-DeliveryChannel", "code": "In-person"}]}
    }));
    let text = value.to_string();
    let document = fhir::parse(text.as_bytes(), Format::Json, &Limits::default()).document.unwrap();
    let verdict = profiles.check(&document, &Ask::default());
    assert!(verdict.is_valid(), "{:?}", verdict.issues);
    let plain = median(|| drop(black_box(serde_json::from_str::<Value>(black_box(&text)).unwrap())));
    row("the same as UK Core has it: serde_json to Value", plain);
    row(
        "check against R4 and UK Core",
        median(|| drop(black_box(profiles.check(black_box(&document), &Ask::default())))),
    );
}

async fn whole_path(seconds: u64) {
    let folder = tempfile::tempdir_in(".").unwrap();
    println!("\nfdatasync of 4 KB on this disk: median {:.2} ms\n", fsync_ms(folder.path()));
    let key = Sha256::digest(b"bench").iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"{}\"\n[senders.portal]\norganisation = \"RZZ99\"\n\
         variables = {{ pas_appointment_system = \"https://pas.example.nhs.uk/appointment\", portal_appointment_system = \
         \"https://portal.example/appointment\" }}\n[callers.portal]\nkey_sha256 = \"{key}\"\nsender = \"portal\"\n\
         resources = [\"Appointment\"]\ninteractions = [\"update\", \"read\"]\norganisations = [\"RZZ99\"]\n",
        folder.path().join("store").display()
    );
    let settings = settings::load(Some(("bench", &text)), std::iter::empty(), &[]).unwrap_or_else(|p| panic!("{p:?}"));
    let metrics = stile::telemetry::start(settings.log.format, "error").unwrap();
    let gateway = app::start(&settings, Some(metrics.clone())).await.unwrap();
    let ours = format!("http://{}/fhir/Appointment", gateway.address());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bare = format!("http://{}/fhir/Appointment", listener.local_addr().unwrap());
    let server = HttpServer::new(|| App::new().default_service(web::to(bare_handler)))
        .workers(settings.server.workers)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    let handle = server.handle();
    tokio::spawn(server);
    println!(
        "| clients | bare handler /s | accepted and durable /s | ratio | p50 ms | p95 ms | p99 ms | accepts per commit |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut number = 0;
    for clients in [1, 8, 32, 64] {
        let plain = load(&bare, clients, seconds, &mut number).await;
        let before = batches(&metrics.render());
        let kept = load(&ours, clients, seconds, &mut number).await;
        let after = batches(&metrics.render());
        let batch = (after.0 - before.0) / (after.1 - before.1).max(1.0);
        println!(
            "| {clients} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {batch:.1} |",
            plain.per_second,
            kept.per_second,
            kept.per_second / plain.per_second,
            kept.at(0.50),
            kept.at(0.95),
            kept.at(0.99),
        );
    }
    println!("\nresident memory: {}", resident());
    gateway.stop().await;
    handle.stop(false).await;
}

async fn bare_handler(body: web::Bytes) -> HttpResponse {
    match serde_json::from_slice::<Value>(&body) {
        Ok(value) => {
            HttpResponse::Created().insert_header(("x-members", value.as_object().map_or(0, |o| o.len()))).finish()
        }
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

struct Measured {
    per_second: f64,
    millis: Vec<f64>,
}

impl Measured {
    fn at(&self, part: f64) -> f64 {
        self.millis[((self.millis.len() - 1) as f64 * part) as usize]
    }
}

/// Closed loop: each client sends its next request when it has the answer to the last. On the same two cores as the
/// server, so client work is part of every figure, the bare handler's as well.
async fn load(base: &str, clients: usize, seconds: u64, number: &mut usize) -> Measured {
    let client = reqwest::Client::new();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..clients {
        let (client, base, first) = (client.clone(), base.to_owned(), *number + lane * 10_000_000);
        tasks.spawn(async move {
            let mut millis = Vec::new();
            let mut own = first;
            while Instant::now() < end {
                let id = format!("bench-{own}");
                own += 1;
                let body = BODY.replace("NUMBER", &own.to_string()).replace("THE-ID", &id);
                let start = Instant::now();
                let answer = client
                    .put(format!("{base}/{id}"))
                    .bearer_auth("bench")
                    .header("content-type", "application/fhir+json")
                    .header("prefer", "return=minimal")
                    .body(body)
                    .send()
                    .await
                    .unwrap();
                assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap_or_default());
                millis.push(start.elapsed().as_secs_f64() * 1000.0);
            }
            millis
        });
    }
    let mut millis = Vec::new();
    while let Some(done) = tasks.join_next().await {
        millis.extend(done.unwrap());
    }
    *number += 1_000_000_000;
    millis.sort_by(f64::total_cmp);
    Measured { per_second: millis.len() as f64 / seconds as f64, millis }
}

/// Sum and count of the batches that were committed.
fn batches(metrics: &str) -> (f64, f64) {
    let read = |name: &str| {
        metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok()).unwrap_or(0.0)
    };
    (read("stile_store_batch_size_sum"), read("stile_store_batch_size_count"))
}

fn fsync_ms(folder: &std::path::Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("fsync")).unwrap();
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            let start = Instant::now();
            file.write_all(&[7; 4096]).unwrap();
            file.sync_data().unwrap();
            start.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("unknown").trim().to_owned()
}
