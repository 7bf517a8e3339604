//! What checking costs, beside a plain parse of the same bytes and beside rh-validator, in the same run.

use crate::material;
use crate::other::Other;
use crate::project;
use serde_json::{Value as Json, json};
use std::hint::black_box;
use std::time::{Duration, Instant};
use stile::document::Document;
use stile::fhir::{self, Format, Limits};
use stile::profile::{Ask, Profiles};

const ROUNDS: usize = 21;
/// How long a step is repeated in each round.
const ROUND: Duration = Duration::from_millis(4);
/// What takes longer than this is measured once.
const LONG: Duration = Duration::from_millis(500);

/// Prints the tables.
pub fn print() {
    // First, while nothing else has been kept: as the program starts.
    let start = Instant::now();
    let packages = material::packages();
    let read = start.elapsed();
    let profiles = Profiles::compile(&packages).unwrap_or_else(|problems| panic!("{problems:?}"));
    let loaded = start.elapsed();
    println!("R4 and UK Core: read in {read:.0?}, read and compiled in {loaded:.0?}; {}", memory());
    let other = Other::over(&packages);
    drop(packages);

    let samples = material::samples(&profiles);
    let find = |name: &str| samples.iter().find(|sample| sample.name.ends_with(name)).expect(name);
    let appointment = find("uk-core/UKCore-Appointment-OrthopaedicSurgery-Example.xml");
    let message_file = project().join("../shared/samples/bars-api/1.3.0/process_message/POST-body.json");
    let published = std::fs::read_to_string(message_file).unwrap();
    let message = find("bars-api/1.3.0/process_message/POST-body.json");
    let claim = appointment.claim.as_deref();
    println!("\n| of | bytes | step | time | of a plain parse |\n| --- | --- | --- | --- | --- |");
    let mut bare = appointment.json.clone();
    if let Some(members) = bare["meta"].as_object_mut() {
        members.shift_remove("profile");
    }
    table("the Appointment", &bare.to_string(), claim, &profiles, Some(&other));
    table("the message, as published", &published, None, &profiles, Some(&other));
    table("the message, without white space", &message.json.to_string(), None, &profiles, None);
    for count in [100, 1000] {
        let bundle = many(&bare, claim, count).to_string();
        // The other takes a hundred times as long for ten times as many.
        table(&format!("{count} Appointments"), &bundle, None, &profiles, (count == 100).then_some(&other));
    }
}

/// A Bundle of Appointments, each of which claims its profile.
fn many(appointment: &Json, claim: Option<&str>, count: usize) -> Json {
    let entry = |number: usize| {
        let mut resource = appointment.clone();
        resource["id"] = json!(format!("a{number}"));
        resource["meta"] = json!({"profile": [claim]});
        json!({"fullUrl": format!("https://example.nhs.uk/Appointment/a{number}"), "resource": resource})
    };
    json!({"resourceType": "Bundle", "type": "collection", "entry": (0..count).map(entry).collect::<Vec<_>>()})
}

fn table(of: &str, text: &str, claim: Option<&str>, profiles: &Profiles, other: Option<&Other>) {
    let json: Json = serde_json::from_str(text).unwrap();
    let document = parse(text);
    let plain = Ask::default();
    let claims = Ask { profiles: claim.as_slice(), ..Ask::default() };
    let mut steps: Vec<(&str, Box<dyn FnMut() + '_>)> = vec![
        ("serde_json to Value", Box::new(|| drop(black_box(serde_json::from_str::<Json>(black_box(text)))))),
        ("parse to Document", Box::new(|| drop(black_box(parse(black_box(text)))))),
        ("check", Box::new(|| drop(black_box(profiles.check(black_box(&document), &plain))))),
    ];
    if claim.is_some() {
        steps.push((
            "check, UK Core besides",
            Box::new(|| drop(black_box(profiles.check(black_box(&document), &claims)))),
        ));
    }
    if let Some(other) = other {
        steps.push(("rh-validator, of the Value", Box::new(|| drop(black_box(other.errors(black_box(&json), claim))))));
    }
    // Its caches are warm after the first.
    let first: Vec<Duration> = steps.iter_mut().map(|(_, step)| once(step)).collect();
    let mut times: Vec<Vec<Duration>> =
        first.iter().map(|first| if *first > LONG { vec![*first] } else { Vec::new() }).collect();
    for _ in 0..ROUNDS {
        for (((_, step), times), first) in steps.iter_mut().zip(&mut times).zip(&first) {
            if *first <= LONG {
                times.push(mean(step));
            }
        }
    }
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times).as_secs_f64()).collect();
    for ((name, _), time) in steps.iter().zip(&medians) {
        println!("| {of} | {} | {name} | {:.1} µs | {:.2} × |", text.len(), time * 1e6, time / medians[0]);
    }
    if other.is_some() {
        println!(
            "| | | rh-validator, of the check above it | | {:.0} × |",
            medians[medians.len() - 1] / medians[medians.len() - 2]
        );
    }
}

fn parse(text: &str) -> Document {
    fhir::parse(
        text.as_bytes(),
        Format::Json,
        &Limits { bytes_max: 64 << 20, nodes_max: 10_000_000, ..Limits::default() },
    )
    .document
    .expect("a document")
}

fn once(step: &mut dyn FnMut()) -> Duration {
    let start = Instant::now();
    step();
    start.elapsed()
}

/// The mean of one call, over as many as take a while.
fn mean(step: &mut dyn FnMut()) -> Duration {
    let start = Instant::now();
    let mut count = 0;
    while count == 0 || start.elapsed() < ROUND {
        step();
        count += 1;
    }
    start.elapsed() / count
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// What the process holds now, and held at most.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
    };
    format!("{} MB resident, {} MB at most", of("VmRSS:"), of("VmHWM:"))
}
