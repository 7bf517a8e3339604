//! How long mapping a FHIR resource takes, beside `serde_json` reading the same bytes into a `Value`.
//!
//! `cargo run --release --example map_speed -- FILE...` prints for each JSON file the shortest of many rounds: choosing
//! the mapping, running it (schema check included), and running it with an explanation.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};
use stile::app::Materials;
use stile::fhir::{Format, Limits, parse};
use stile::mapping::Variables;

const ROUNDS: usize = 300;
const RUNS_PER_ROUND: usize = 50;

fn shortest(mut work: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..RUNS_PER_ROUND {
            work();
        }
        best = best.min(begun.elapsed());
    }
    best / RUNS_PER_ROUND as u32
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let engine = Materials::carried().compile().map_err(|mishaps| format!("{mishaps:?}"))?;
    println!("definitions and mappings compiled in {:?}", begun.elapsed());
    let sender =
        BTreeMap::from([("pas_appointment_system".to_owned(), "https://pas.trust.example/Appointment".to_owned())]);
    let variables = Variables { sender: &sender, now: jiff::Timestamp::UNIX_EPOCH, trees: &[] };
    for path in std::env::args().skip(1) {
        let body = std::fs::read(&path)?;
        let Some(document) = parse(&body, Format::Json, &Limits::default()).document else { continue };
        let Some(mapping) = engine.library.inbound(&document, &variables) else { continue };
        let value = shortest(|| {
            black_box(serde_json::from_slice::<serde_json::Value>(black_box(&body)).ok());
        });
        let chosen = shortest(|| {
            black_box(engine.library.inbound(black_box(&document), &variables));
        });
        let run = shortest(|| {
            black_box(mapping.run(black_box(&document), &variables));
        });
        let explained = shortest(|| {
            black_box(mapping.run_explained(black_box(&document), &variables));
        });
        println!("{path}: {} bytes, by {}", body.len(), mapping.name());
        println!("  serde_json to Value {value:?}, choose {chosen:?}, map {run:?}, explained {explained:?}");
        println!("  map to parse {:.2}", run.div_duration_f64(value));
    }
    Ok(())
}
