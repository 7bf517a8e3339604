//! What the engine says afterwards: where each value came from, and what nobody used.

use super::library;
use std::collections::BTreeMap;
use stile::fhir::{self, Format, Limits};
use stile::mapping::{Outcome, Variables};

const APPOINTMENT: &str = r#"{
  "resourceType": "Appointment",
  "id": "a",
  "extension": [
    { "url": "https://fhir.nhs.uk/StructureDefinition/Extension-Consultation-Medium", "valueCode": "TELEPHONE" },
    { "url": "https://fhir.nhs.uk/StructureDefinition/Extension-Appointment-RequestStatus", "valueCode": "Pending Change" }
  ],
  "identifier": [
    { "system": "urn:pas", "value": "1" },
    { "system": "urn:stranger", "value": "2" }
  ],
  "status": "booked",
  "start": "2026-06-13T08:00:00Z",
  "end": "2026-06-13T09:00:00Z",
  "patientInstruction": "Do not eat",
  "basedOn": [{ "identifier": { "system": "https://fhir.nhs.uk/Id/UBRN", "value": "000000000001" } }],
  "participant": [
    {
      "actor": { "type": "Patient", "identifier": { "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "999 000 0018" } },
      "status": "accepted"
    },
    { "actor": { "type": "Practitioner", "display": "Dr B" }, "status": "accepted" }
  ]
}"#;

fn explained() -> Outcome {
    let sender = BTreeMap::from([("pas_appointment_system".to_owned(), "urn:pas".to_owned())]);
    let variables = Variables { sender: &sender, now: jiff::Timestamp::UNIX_EPOCH, trees: &[] };
    let document = fhir::parse(APPOINTMENT.as_bytes(), Format::Json, &Limits::default()).document.unwrap();
    library().inbound(&document, &variables).unwrap().unwrap().run_explained(&document, &variables)
}

#[test]
fn each_value_is_traced_to_its_place_its_rule_and_its_table_row() {
    let outcome = explained();
    let traced = |target: &str| {
        let mut found = outcome.trace.iter().filter(|traced| traced.target == target);
        let one = found.next().unwrap_or_else(|| panic!("{target} has no trace: {:?}", outcome.trace));
        assert!(found.next().is_none(), "{target} is traced twice");
        one
    };
    let number = traced("patient.nhs_number");
    assert_eq!(number.conversion, Some("nhs-number"));
    assert_eq!(number.sources.len(), 1);
    assert_eq!(number.sources[0].expression, "Appointment.participant[0].actor.identifier.value");
    assert_eq!(number.sources[0].line, 19);
    let medium = traced("medium");
    assert_eq!(medium.sources[0].expression, "Appointment.extension[0].valueCode");
    let row = medium.table.as_ref().unwrap();
    assert_eq!((row.table.as_str(), row.line), ("consultation-medium/pca", Some(4)));
    let line: usize = medium.rule.strip_prefix("portal-appointment.yaml:").unwrap().parse().unwrap();
    let file =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/portal-appointment.yaml")).unwrap();
    assert!(file.lines().nth(line - 1).unwrap().contains("Extension-Consultation-Medium"), "{}", medium.rule);
    assert_eq!(traced("references[0].value").sources[0].expression, "Appointment.basedOn[0].identifier.value");
    assert!(traced("encounter_class").sources.is_empty(), "a constant comes from nowhere");
}

#[test]
fn every_value_of_the_output_has_a_trace() {
    fn leaves(value: &serde_json::Value, path: String, out: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(members) => members.iter().for_each(|(name, member)| {
                leaves(member, if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, out);
            }),
            serde_json::Value::Array(items) => {
                items.iter().enumerate().for_each(|(number, item)| leaves(item, format!("{path}[{number}]"), out));
            }
            _ => out.push(path),
        }
    }
    let outcome = explained();
    let mut expected = Vec::new();
    leaves(&outcome.value, String::new(), &mut expected);
    let mut traced: Vec<String> = outcome.trace.iter().map(|traced| traced.target.clone()).collect();
    expected.sort();
    traced.sort();
    assert_eq!(traced, expected);
    assert!(expected.len() >= 8, "{expected:?}");
}

#[test]
fn what_nobody_used_is_told_and_what_is_dropped_on_purpose_is_not() {
    let outcome = explained();
    let mut left: Vec<&str> = outcome.left_behind.iter().map(|place| place.expression.as_str()).collect();
    left.sort_unstable();
    assert_eq!(
        left,
        [
            "Appointment.identifier[1].value",
            "Appointment.participant[1].actor.display",
            "Appointment.patientInstruction",
        ]
    );
}

#[test]
fn explaining_changes_nothing() {
    let sender = BTreeMap::new();
    let variables = Variables { sender: &sender, now: jiff::Timestamp::UNIX_EPOCH, trees: &[] };
    let document = fhir::parse(APPOINTMENT.as_bytes(), Format::Json, &Limits::default()).document.unwrap();
    let mapping = library().inbound(&document, &variables).unwrap().unwrap();
    let (plain, explained) = (mapping.run(&document, &variables), mapping.run_explained(&document, &variables));
    assert_eq!(plain.value, explained.value);
    assert_eq!(plain.issues, explained.issues);
    assert!(plain.trace.is_empty() && plain.left_behind.is_empty());
}
