//! Faults made from the definitions: each valid sample with one thing wrong, and nothing else. Each has to be found at
//! its place by its own rule.

mod definitions;
mod fault;
mod invariants;
mod kinds;
mod mends;
mod profile;
mod sites;
mod spelling;
mod valid;

pub use definitions::own_files;

use super::baseline::{Baseline, Found};
use super::{judged, name_of, root, uk_core_files};
use fault::{Fault, Faults};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use stile::fhir::Format;
use stile::issue::{Issue, Rule, Severity};

/// The valid samples: name and value. Those of UK Core are left out where its definitions are not there.
fn samples() -> Vec<(String, Value)> {
    let paths = std::fs::read_dir(root().join("tests/profiles/good")).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (name_of(&path).trim_end_matches(".json").to_owned(), value)
    };
    let mut samples: Vec<_> = paths.map(read).collect();
    samples.retain(|(name, _)| !name.starts_with("uk-core-") || has_uk_core());
    samples.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(samples.len() >= 12, "{} samples", samples.len());
    samples
}

fn has_uk_core() -> bool {
    !uk_core_files().is_empty()
}

fn claims(value: &Value) -> Vec<&str> {
    value["meta"]["profile"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn faults_of(name: &str, value: &Value) -> Vec<Fault> {
    let mut faults = Faults { sample: name, value, made: Vec::new() };
    let layout = sites::lay(value);
    kinds::add_all(&mut faults, &layout);
    spelling::add_all(&mut faults, &layout);
    invariants::add_all(&mut faults);
    profile::add_all(&mut faults);
    faults.made
}

/// True when one of `issues` names the fault's rule at its place.
fn is_found(fault: &Fault, issues: &[Issue]) -> bool {
    issues.iter().any(|issue| {
        let is_key = |key: &str| issue.asked_by.as_deref().is_some_and(|asker| asker.starts_with(&format!("{key} ")));
        issue.rule.as_str() == fault.rule && place(issue) == fault.at && fault.key.is_none_or(is_key)
    })
}

fn place(issue: &Issue) -> &str {
    issue.place.as_ref().map_or("", |place| place.expression.as_str())
}

fn told(issues: &[Issue]) -> String {
    issues.iter().map(|issue| format!("\n    {issue}")).collect()
}

/// What was made of a kind of fault, and what came of it.
#[derive(Debug, Default)]
struct Row {
    made: usize,
    found: usize,
}

#[test]
fn every_fault_is_found_at_its_place_by_its_own_rule() {
    let mut table: BTreeMap<&str, Row> = BTreeMap::new();
    let mut gaps = Vec::new();
    let mut unmended = Vec::new();
    let mut mend_count = 0;
    for (name, value) in samples() {
        let claims = claims(&value);
        for fault in faults_of(&name, &value) {
            let issues = judged(&fault.text, Format::Json, &claims);
            let row = table.entry(fault.kind).or_default();
            row.made += 1;
            if is_found(&fault, &issues) {
                row.found += 1;
            } else {
                let told = format!("{} {}: {} has to be named{}", fault.sample, fault.what, fault.rule, told(&issues));
                gaps.push(Found {
                    group: fault.kind.into(),
                    name: fault.sample.clone(),
                    place: fault.at.clone(),
                    told,
                });
            }
            for issue in issues.iter().filter(|issue| issue.mend.is_some()) {
                mend_count += 1;
                if let Some(why) = not_mended(&fault.text, issue, &claims) {
                    unmended.push(format!("{} {} {}: {issue}: {why}", fault.kind, fault.sample, fault.what));
                }
            }
        }
    }
    let (made, found) = table.values().fold((0, 0), |(made, found), row| (made + row.made, found + row.found));
    println!("{:50} {:>6} {:>6} {:>6}", "kind of fault", "made", "found", "gaps");
    for (kind, row) in &table {
        println!("{kind:50} {:>6} {:>6} {:>6}", row.made, row.found, row.made - row.found);
    }
    println!("{:50} {made:>6} {found:>6} {:>6}; {mend_count} mends tried", "all", made - found);
    let made_min = if has_uk_core() { 4_500 } else { 3_000 };
    assert!(made >= made_min && table.len() >= 40, "{made} faults of {} kinds", table.len());
    assert!(mend_count >= 300, "{mend_count} mends tried");
    Baseline::read(include_str!("gaps.baseline")).judge(gaps);
    assert!(unmended.is_empty(), "{} mends mend nothing:\n{}", unmended.len(), unmended.join("\n"));
}

/// Why an issue's mend does not put it right; none when it does.
fn not_mended(text: &str, issue: &Issue, claims: &[&str]) -> Option<String> {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Some("there is no JSON to mend".into()) };
    let mend = issue.mend.as_deref()?;
    let Some(mended) = mends::mended(&value, mend) else { return Some(format!("{mend:?} cannot be applied")) };
    let after = judged(&mended.to_string(), Format::Json, claims);
    let is_there = |one: &&Issue| {
        one.rule == issue.rule
            && one.place.as_deref().map(|place| &place.expression)
                == issue.place.as_deref().map(|place| &place.expression)
            && one.message == issue.message
    };
    after.iter().find(is_there).map(|_| format!("{mend:?} leaves it as it is"))
}

#[test]
fn nothing_is_raised_about_what_is_valid() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, value) in samples() {
        let claims = claims(&value);
        let layout = sites::lay(&value);
        let mut texts = vec![("as it is", value.to_string())];
        texts.extend(valid::variants(&value, &layout));
        for (what, text) in texts {
            count += 2;
            let issues = raised(&text, Format::Json, &claims);
            if !issues.is_empty() {
                wrong.push(format!("{name} {what}:{}", told(&issues)));
            }
            let xml = stile::fhir::xml(&text).unwrap_or_else(|issue| panic!("{name} {what}: {issue}"));
            let issues = raised(&xml, Format::Xml, &claims);
            if !issues.is_empty() {
                wrong.push(format!("{name} {what}, as XML:{}", told(&issues)));
            }
        }
    }
    let count_min = if has_uk_core() { 340 } else { 230 };
    assert!(count >= count_min, "{count} variants");
    assert!(wrong.is_empty(), "{} of {count} valid texts are found fault with:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is told, but for what could not be decided without a terminology server.
fn raised(text: &str, format: Format, claims: &[&str]) -> Vec<Issue> {
    let mut issues = judged(text, format, claims);
    // What is only worth knowing finds no fault.
    issues.retain(|issue| issue.rule != Rule::NotEvaluated && issue.severity != Severity::Information);
    issues
}

#[test]
fn every_invariant_of_what_the_samples_are_made_of_is_broken_somewhere() {
    let broken: BTreeSet<&str> =
        invariants::breaks().iter().map(|(key, ..)| *key).chain(invariants::EVERYWHERE.iter().copied()).collect();
    let mut types = BTreeSet::new();
    for (_, value) in samples() {
        let layout = sites::lay(&value);
        types.insert(definitions::text(&value["resourceType"]));
        types.extend(layout.sites.iter().map(|site| site.code.clone()));
    }
    assert!(types.len() >= 40, "{types:?}");
    let asked: BTreeSet<_> =
        types.iter().flat_map(|name| definitions::definitions().invariants(name)).map(|(key, _)| key).collect();
    assert!(asked.len() >= 40, "{asked:?}");
    let unbroken: Vec<_> = asked.iter().filter(|key| !broken.contains(key.as_str())).collect();
    assert!(unbroken.is_empty(), "never broken: {unbroken:?}");
}
