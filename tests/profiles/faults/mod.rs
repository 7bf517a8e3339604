//! Faults made from the definitions: each valid sample with one thing wrong, and nothing else. Each has to be found at
//! its place by its own rule.

mod definitions;
mod fault;
mod invariants;
mod kinds;
mod profile;
mod sites;

pub use definitions::own_files;

use super::{judged, name_of, root};
use fault::{Fault, Faults};
use serde_json::Value;
use std::collections::BTreeMap;
use stile::fhir::Format;

/// The valid samples: name and value.
fn samples() -> Vec<(String, Value)> {
    let paths = std::fs::read_dir(root().join("tests/profiles/good")).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (name_of(&path).trim_end_matches(".json").to_owned(), value)
    };
    let mut samples: Vec<_> = paths.map(read).collect();
    samples.sort_by(|one, other| one.0.cmp(&other.0));
    samples
}

fn claims(value: &Value) -> Vec<&str> {
    value["meta"]["profile"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn faults_of(name: &str, value: &Value) -> Vec<Fault> {
    let mut faults = Faults { sample: name, value, made: Vec::new() };
    kinds::add_all(&mut faults, &sites::lay(value));
    invariants::add_all(&mut faults);
    profile::add_all(&mut faults);
    faults.made
}

#[test]
fn probe() {
    let mut table: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (name, value) in samples() {
        let claims = claims(&value);
        for issue in judged(&value.to_string(), Format::Json, &claims) {
            println!("GOOD {name} {issue}");
        }
        for fault in faults_of(&name, &value) {
            let issues = judged(&fault.text, Format::Json, &claims);
            let is_found = issues.iter().any(|i| {
                i.rule.as_str() == fault.rule && i.place.as_ref().map_or("", |p| p.expression.as_str()) == fault.at
            });
            let row = table.entry(fault.kind).or_default();
            row.0 += 1;
            if is_found {
                row.1 += 1
            } else {
                println!(
                    "GAP {} | {} | {} | {} {} | {:?}",
                    fault.kind,
                    name,
                    fault.what,
                    fault.rule,
                    fault.at,
                    issues
                        .iter()
                        .map(|i| format!("{} {}", i.rule, i.place.as_ref().map_or("", |p| p.expression.as_str())))
                        .collect::<Vec<_>>()
                );
            }
        }
    }
    for (k, v) in table {
        println!("{k:50} {} {}", v.0, v.1);
    }
}
