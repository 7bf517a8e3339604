//! Input that means harm costs a mapping no more than its reading, and never passes by having too much wrong with it.

use super::problems::compile;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use stile::document::Document;
use stile::fhir::{self, Format, Limits};
use stile::issue::{Issue, Rule};
use stile::mapping::{Library, Outcome, Variables};

const HEAD: &str = "mapping: m
version: 1.0.0
title: T
from: { resource: Appointment }
to: appointment
";

/// An Appointment in one line, with this many references that hold no NHS number.
fn appointment(count: usize) -> Document {
    let reference = |_| json!({"identifier": {"system": "urn:x", "value": "no number"}, "display": "x".repeat(100)});
    let value = json!({
        "resourceType": "Appointment",
        "status": "unheard-of",
        "basedOn": (0..count).map(reference).collect::<Vec<Value>>(),
    });
    fhir::parse(value.to_string().as_bytes(), Format::Json, &Limits::default()).document.unwrap()
}

fn library(rules: &str) -> Library {
    compile(&format!("{HEAD}{rules}")).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn run(library: &Library, document: &Document) -> (Outcome, Duration) {
    let none = BTreeMap::new();
    let variables = Variables { sender: &none, now: jiff::Timestamp::UNIX_EPOCH, trees: &[] };
    let started = Instant::now();
    (library.named("m").unwrap().run(document, &variables), started.elapsed())
}

fn expressions(issues: &[Issue]) -> Vec<&str> {
    issues.iter().map(|issue| issue.place.as_ref().unwrap().expression.as_str()).collect()
}

#[test]
fn thousands_of_faults_in_one_long_line_are_told_in_time_and_a_refusal_among_them_is_not_lost() {
    let library = library(
        "rules:
  references:
    each: basedOn
    rules:
      system: identifier.system
      value: { from: identifier.value, as: nhs-number, otherwise: omit }
  status: { from: status, translate: appointment-status, otherwise: refuse }
",
    );
    let (outcome, took) = run(&library, &appointment(9_000));
    // 200 warnings, and the error that came after them.
    assert_eq!(outcome.issues.len(), 201);
    let refusals: Vec<_> = outcome.issues.iter().filter(|issue| issue.refuses()).collect();
    let [refusal] = refusals.as_slice() else { panic!("{refusals:?}") };
    assert_eq!(refusal.rule, Rule::MappingUnknownCode);
    assert_eq!(refusal.place.as_ref().unwrap().expression, "Appointment.status");
    let last = outcome.issues[199].place.as_ref().unwrap();
    assert_eq!(last.expression, "Appointment.basedOn[199].identifier.value");
    assert_eq!(last.line, 1);
    assert!(took < Duration::from_secs(5), "it took {took:?}");
}

#[test]
fn thousands_of_values_that_the_schema_refuses_are_told_in_time_and_each_at_its_own_place() {
    let library = library(
        "rules:
  status: { constant: booked }
  references:
    each: basedOn
    rules:
      system: identifier.system
      value: identifier.assigner.display
",
    );
    let (outcome, took) = run(&library, &appointment(9_000));
    let told = expressions(&outcome.issues);
    assert!(told.len() >= 50 && told.len() <= 200, "{}", told.len());
    for number in [0, 1, 17, 42] {
        let place = format!("Appointment.basedOn[{number}].identifier.system");
        assert!(told.contains(&place.as_str()), "{place} is not told: {told:?}");
    }
    assert!(took < Duration::from_secs(8), "it took {took:?}");
}

#[test]
fn more_elements_than_a_rule_takes_are_refused_and_none_is_left_out() {
    let each = "rules:
  status: { constant: booked }
  references:
    each: basedOn
    rules:
      system: identifier.system
      value: identifier.value
";
    let join = "rules:
  status: { constant: booked }
  description: { from: basedOn.display, join: \" \" }
";
    for (rules, target) in [(each, "references"), (join, "description")] {
        let library = library(rules);
        let (outcome, _) = run(&library, &appointment(10_000));
        assert_eq!(outcome.issues, [], "{target}");
        let (outcome, _) = run(&library, &appointment(10_001));
        let [issue] = outcome.issues.as_slice() else { panic!("{target}: {:?}", outcome.issues) };
        assert!(issue.refuses() && issue.rule == Rule::MappingTooMany, "{issue}");
        assert!(issue.message.contains(target), "{issue}");
        assert!(issue.place.as_ref().unwrap().expression.starts_with("Appointment.basedOn[10000]"), "{issue}");
    }
}

#[test]
fn a_condition_that_has_no_answer_is_told_with_its_mapping_and_not_as_if_there_were_none() {
    let when = "from: { resource: Appointment, when: \"basedOn.display.startsWith('x')\" }";
    let yaml =
        format!("{HEAD}rules:\n  status: {{ constant: booked }}\n").replace("from: { resource: Appointment }", when);
    let library = compile(&yaml).unwrap_or_else(|problems| panic!("{problems:?}"));
    let none = BTreeMap::new();
    let variables = Variables { sender: &none, now: jiff::Timestamp::UNIX_EPOCH, trees: &[] };
    assert!(library.inbound(&appointment(1), &variables).is_ok());
    let issue = library.inbound(&appointment(2), &variables).unwrap_err();
    assert!(issue.refuses());
    assert!(issue.message.contains("`m`"), "{issue}");
    assert_eq!(issue.asked_by.as_deref(), Some("m.yaml"));
    assert!(!issue.to_string().contains("xxxx"), "{issue}");
}

#[test]
fn a_system_in_another_case_is_that_system_and_its_number_is_checked() {
    let body = |number: &str| {
        format!(
            r#"{{"resourceType": "Appointment", "status": "booked", "start": "2026-06-13T08:00:00Z",
            "end": "2026-06-13T09:00:00Z", "identifier": [{{"system": "urn:pas", "value": "1"}}], "participant": [{{
            "actor": {{"type": "Patient", "identifier": {{"system": "https://fhir.nhs.uk/id/nhs-number", "value": "{number}"}}}},
            "status": "accepted"}}]}}"#
        )
    };
    let sender = BTreeMap::from([("pas_appointment_system".to_owned(), "urn:pas".to_owned())]);
    let variables = Variables { sender: &sender, now: jiff::Timestamp::UNIX_EPOCH, trees: &[] };
    let mapped = |number: &str| {
        let parsed = fhir::parse(body(number).as_bytes(), Format::Json, &Limits::default());
        let mut document = parsed.document.unwrap();
        assert_eq!(stile::national::canonical_systems(&mut document).len(), 1);
        super::library().inbound(&document, &variables).unwrap().unwrap().run(&document, &variables)
    };
    let outcome = mapped("9990000018");
    assert_eq!(outcome.value["patient"], json!({"nhs_number": "9990000018"}), "{:?}", outcome.issues);
    for wrong in ["9990000019", "0000000000"] {
        let outcome = mapped(wrong);
        assert!(outcome.issues.iter().any(|issue| issue.refuses() && issue.rule == Rule::NhsNumber), "{wrong}");
    }
}
