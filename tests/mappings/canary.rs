//! No input makes a mapping panic, and nothing that a mapping says shows a value of the input.

use super::library;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use stile::document::Document;
use stile::mapping::{Reads, Variables};

/// Stands in every string of the input; in no message, trace or place.
const CANARY: &str = "cAnArY-9990000018";

const NAMES: &[&str] = &[
    "status",
    "intent",
    "start",
    "end",
    "identifier",
    "system",
    "value",
    "participant",
    "actor",
    "type",
    "reference",
    "display",
    "extension",
    "url",
    "valueCode",
    "valueCoding",
    "coding",
    "code",
    "basedOn",
    "for",
    "focus",
    "subject",
    "reasonCode",
    "restriction",
    "period",
    "note",
    "text",
    "input",
    "valuePeriod",
    "occurrencePeriod",
    "authoredOn",
    "name",
    "family",
    "given",
    "birthDate",
    "specialty",
    "category",
    "owner",
    "appointmentType",
    "priority",
];

const TEXTS: &[&str] = &[
    CANARY,
    "booked",
    "requested",
    "completed",
    "order",
    "Patient",
    "pifu-triage",
    "urn:stile:change-request",
    "https://fhir.nhs.uk/Id/nhs-number",
    "https://fhir.nhs.uk/Id/ods-organization-code",
    "https://fhir.nhs.uk/Id/PathwayId",
    "https://fhir.nhs.uk/StructureDefinition/Extension-Consultation-Medium",
    "cAnArY/Patient",
    "Patient/cAnArY",
    "2026-01-05T09:00:00Z",
    "cAnArY2026-01-05",
];

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => prop::sample::select(TEXTS).prop_map(|text| json!(text)),
        1 => any::<bool>().prop_map(|value| json!(value)),
        1 => any::<i32>().prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Value::Array),
            prop::collection::vec((prop::sample::select(NAMES), inner), 1..8).prop_map(|members| Value::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

fn resource() -> impl Strategy<Value = Value> {
    let members = prop::collection::vec((prop::sample::select(NAMES), tree()), 0..12);
    (prop::sample::select(&["Appointment", "ServiceRequest", "Task", "Patient"][..]), members).prop_map(
        |(kind, members)| {
            let mut whole = json!({"resourceType": kind});
            for (name, value) in members {
                whole[name] = value;
            }
            whole
        },
    )
}

/// Every input of the manuals, as JSON.
fn manual_inputs() -> Vec<Value> {
    let mut found = Vec::new();
    for manual in super::files("mappings", ".md") {
        for part in manual.text.split("```json input").skip(1) {
            let body = part.split_once('\n').and_then(|(_, rest)| rest.split_once("```")).map(|(body, _)| body);
            found.extend(body.and_then(|body| serde_json::from_str(body).ok()));
        }
    }
    assert!(found.len() >= 40, "{}", found.len());
    found
}

/// The same value with its leaf number `wanted` changed; none when there are not so many leaves.
fn with_leaf(value: &Value, wanted: usize, change: &dyn Fn(&str) -> Value) -> Option<Value> {
    fn walk(value: &mut Value, left: &mut usize, change: &dyn Fn(&str) -> Value) -> bool {
        match value {
            Value::Object(members) => {
                members.iter_mut().filter(|(name, _)| *name != "resourceType").any(|(_, one)| walk(one, left, change))
            }
            Value::Array(items) => items.iter_mut().any(|item| walk(item, left, change)),
            Value::String(text) if *left == 0 => {
                *value = change(text);
                true
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                *left = left.saturating_sub(1);
                false
            }
        }
    }
    let (mut changed, mut left) = (value.clone(), wanted);
    walk(&mut changed, &mut left, change).then_some(changed)
}

#[test]
fn a_value_that_goes_wrong_anywhere_is_refused_at_its_place_and_never_told() {
    let sender = BTreeMap::from([
        ("is_pas".to_owned(), "true".to_owned()),
        ("pas_appointment_system".to_owned(), "https://pas.trust.example/Appointment".to_owned()),
    ]);
    let variables = Variables { sender: &sender, now: jiff::Timestamp::UNIX_EPOCH, trees: &[] };
    let (mut runs, mut with_issues) = (0, 0);
    let changes: [&dyn Fn(&str) -> Value; 4] =
        [&|_| json!(CANARY), &|text| json!(format!("{text}cAnArY")), &|_| json!({"cAnArY": CANARY}), &|_| {
            json!([CANARY, CANARY])
        }];
    for input in manual_inputs() {
        for change in changes {
            for leaf in 0.. {
                let Some(changed) = with_leaf(&input, leaf, change) else { break };
                let document = Document::from_value(&changed);
                for mapping in library().mappings() {
                    let outcome = mapping.run_explained(&document, &variables);
                    runs += 1;
                    for issue in &outcome.issues {
                        with_issues += 1;
                        let told = format!("{} {:?} {:?}", issue.message, issue.hint, issue.asked_by);
                        assert!(!told.contains("cAnArY"), "{}: {told}", mapping.name());
                    }
                    assert!(!format!("{:?}", outcome.trace).contains(CANARY));
                }
            }
        }
    }
    assert!(runs > 10_000 && with_issues > 5_000, "{runs} runs, {with_issues} issues");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_resource_is_mapped_or_refused_and_nothing_of_it_is_told(value in resource()) {
        let sender = BTreeMap::from([("is_pas".to_owned(), "true".to_owned()), ("pas_appointment_system".to_owned(), "urn:pas".to_owned())]);
        let variables = Variables { sender: &sender, now: jiff::Timestamp::UNIX_EPOCH, trees: &[] };
        let document = Document::from_value(&value);
        let chosen = library().inbound(&document, &variables);
        // Every mapping is tried, the chosen one and those that would not have been.
        for mapping in library().mappings() {
            let outcome = mapping.run_explained(&document, &variables);
            let told = format!("{:?} {:?} {:?}", outcome.issues, outcome.trace, outcome.left_behind);
            prop_assert!(!told.contains("cAnArY"), "{} tells a value: {told}", mapping.name());
            // What no issue refuses fits its type: schema and type agree.
            if let Some(kind) = outcome.kind && !stile::issue::any_refuses(&outcome.issues) {
                prop_assert!(kind.take(outcome.value.clone()).is_ok(), "{}: {}", mapping.name(), outcome.value);
            }
        }
        if let Err(issue) = &chosen {
            prop_assert!(!issue.to_string().contains("cAnArY"), "{issue}");
        }
        if let Ok(Some(mapping)) = chosen {
            prop_assert!(matches!(mapping.reads(), Reads::Resource(name) if Some(name.as_str()) == document.resource_type()));
        }
    }
}
