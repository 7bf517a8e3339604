//! Every function and operator with its edges, over one small appointment.

mod collections;
mod context;
mod edges;
mod logic;
mod values;

use super::outcome;
use crate::document::Document;
use crate::fhirpath::lexer::{Token, tokens};
use crate::fhirpath::table::FUNCTIONS;
use serde_json::json;
use std::collections::BTreeMap;

/// Cases that each function has at least, beside its row of edges.
const CASES_MIN: usize = 2;

fn appointment() -> Document {
    super::reader::from_json(
        &json!({
            "resourceType": "Appointment",
            "id": "a1",
            "contained": [{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1990-02-28"}],
            "extension": [
                {"url": "https://example.org/priority", "valueCode": "routine"},
                {"url": "https://example.org/wait", "valueQuantity":
                    {"value": 18, "unit": "weeks", "system": "http://unitsofmeasure.org", "code": "wk"}},
                {"url": "https://example.org/for", "valueAge":
                    {"value": 2, "unit": "years", "system": "http://unitsofmeasure.org", "code": "a"}}
            ],
            "status": "booked",
            "_status": {"id": "s1", "extension": [{"url": "https://example.org/note", "valueString": "seen"}]},
            "priority": 5,
            "minutesDuration": 20.5,
            "start": "2026-03-28T09:00:00Z",
            "end": "2026-03-28T10:30:00+01:00",
            "created": "2026-03",
            "comment": "Bring glasses",
            "participant": [
                {"status": "accepted", "required": true, "actor": {"reference": "#p1"}},
                {"status": "tentative", "required": false, "actor": {"reference": "Location/1"}},
                {"status": "accepted", "actor": {"reference": "Practitioner/2"}}
            ]
        })
        .to_string(),
    )
}

/// Expressions, each with what it comes to.
type Cases = &'static [(&'static str, &'static str)];

const ALL: &[Cases] = &[
    collections::EXISTENCE,
    collections::FILTERING_AND_PARTS,
    collections::TYPES_AND_CHOICES,
    collections::VARIABLES_THAT_AN_EXPRESSION_DEFINES,
    values::CONVERSIONS,
    values::TEXTS,
    values::NUMBERS,
    values::DATES,
    logic::TRUTH_VALUES,
    logic::FHIRS_ADDITIONS,
];

#[test]
fn every_case_comes_to_what_it_says() {
    let document = appointment();
    let mut wrong = Vec::new();
    for (text, wanted) in ALL.iter().copied().flatten() {
        let given = outcome(text, &document);
        if given != *wanted {
            wrong.push(format!("{text}\n   gives {given:?}\n  wanted {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The functions that an expression calls, by the tokens it is made of.
fn called(text: &str) -> Vec<String> {
    let tokens = tokens(text).unwrap();
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    pairs
        .filter_map(|((first, _), (second, _))| match (first, second) {
            (Token::Word(name), Token::Sign("(")) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn every_function_has_cases_of_its_own() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (text, _) in ALL.iter().copied().flatten().chain(context::DEFINED) {
        for name in called(text) {
            *counts.entry(name).or_default() += 1;
        }
    }
    let few: Vec<_> = FUNCTIONS
        .iter()
        .map(|signature| signature.name)
        .filter(|name| counts.get(*name).copied().unwrap_or(0) < CASES_MIN)
        .collect();
    assert!(few.is_empty(), "fewer than {CASES_MIN} cases call {few:?}");
}
