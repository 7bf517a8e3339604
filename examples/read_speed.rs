//! How long reading a FHIR body takes, beside `serde_json` reading the same bytes into a `Value`.
//!
//! `cargo run --release --example read_speed -- FILE...` prints for each file the shortest of many rounds, which is the
//! one that other work on the machine disturbed least.

use std::hint::black_box;
use std::time::{Duration, Instant};
use stile::document::{Name, Node};
use stile::fhir::{Format, Limits, json, parse, xml};

const ROUNDS: usize = 300;
const READS_PER_ROUND: usize = 50;

fn shortest(mut work: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..READS_PER_ROUND {
            work();
        }
        best = best.min(begun.elapsed());
    }
    best / READS_PER_ROUND as u32
}

/// Definitions intern their names at start, so a reader in service looks names up in a filled table.
fn intern(node: Node<'_>) {
    for child in node.children() {
        Name::intern(child.name());
        intern(child);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits::default();
    for path in std::env::args().skip(1) {
        let body = std::fs::read(&path)?;
        if let Some(document) = parse(&body, Format::Json, &limits).document {
            intern(document.root());
        }
        let value = shortest(|| {
            black_box(serde_json::from_slice::<serde_json::Value>(black_box(&body)).ok());
        });
        let ours = shortest(|| {
            black_box(parse(black_box(&body), Format::Json, &limits));
        });
        println!("{path}: {} bytes", body.len());
        println!("  serde_json to Value {value:?}, to Document {ours:?}, ratio {:.2}", ours.div_duration_f64(value));
        let Some(document) = parse(&body, Format::Json, &limits).document else { continue };
        let written = shortest(|| {
            black_box(json(black_box(document.root())));
        });
        println!("  Document to JSON {written:?}");
        if let Ok(text) = xml(&String::from_utf8(body)?) {
            let read = shortest(|| {
                black_box(parse(black_box(text.as_bytes()), Format::Xml, &limits));
            });
            println!("  XML ({} bytes) to Document {read:?}", text.len());
        }
    }
    Ok(())
}
