//! Good resources, and changes that make them odd, or bad.

use crate::house::{NHS_NUMBER_SYSTEM, PATIENT, TRUST, appointment, change};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Good resources of each served type and flavour.
pub fn seeds() -> Vec<Value> {
    let patient = json!({"type": "Patient", "identifier": {"system": NHS_NUMBER_SYSTEM, "value": PATIENT}});
    let trust = json!({"type": "Organization", "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": TRUST}});
    let pathway =
        json!([{"type": "CarePlan", "identifier": {"system": "https://fhir.nhs.uk/Id/PathwayId", "value": "P1"}}]);
    let pifu = json!([{"coding": [{"system": "https://fhir.nhs.uk/StructureDefinition/Extension-Questionnaire-Type", "code": "pifu-triage"}]}]);
    vec![
        appointment("bad", "666"),
        change("bad", "cancel", "kept"),
        change("bad", "reschedule", "kept"),
        json!({
            "resourceType": "Patient", "id": "bad", "active": true, "birthDate": "1980-02-29",
            "identifier": [{"system": NHS_NUMBER_SYSTEM, "value": PATIENT}],
            "name": [{"use": "official", "family": "Sample", "given": ["Ada"], "_given": [{"id": "g"}]}],
            "generalPractitioner": [trust.clone()], "multipleBirthInteger": 2
        }),
        json!({
            "resourceType": "ServiceRequest", "id": "bad", "status": "active", "intent": "order", "priority": "urgent",
            "identifier": [{"system": "https://fhir.nhs.uk/Id/UBRN", "value": "000000000001"}], "basedOn": pathway.clone(),
            "code": {"text": "a mole"}, "subject": patient.clone(), "authoredOn": "2026-10-17T09:00:00Z",
            "performer": [trust.clone()], "quantityQuantity": {"value": 1.50}
        }),
        json!({
            "resourceType": "ServiceRequest", "id": "bad", "status": "active", "intent": "order", "category": pifu.clone(),
            "basedOn": pathway.clone(), "subject": patient.clone(), "authoredOn": "2026-11-21T10:00:00Z",
            "performer": [trust.clone()], "note": [{"text": "both hands"}]
        }),
        json!({
            "resourceType": "Task", "id": "bad", "status": "requested", "intent": "plan", "basedOn": pathway,
            "for": patient, "authoredOn": "2026-11-01T09:00:00Z", "owner": trust, "reasonCode": pifu[0],
            "restriction": {"period": {"start": "2026-11-01", "end": "2027-04-30"}}
        }),
        json!({
            "resourceType": "Task", "id": "bad", "status": "rejected", "intent": "order",
            "identifier": [{"system": "urn:stile:request", "value": "t1"}], "statusReason": {"text": "no"}
        }),
    ]
}

/// Values that are odd and well-formed, and some that are not.
const ODD: &[&str] = &[
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\" \"",
    "0",
    "-1",
    "1e400",
    "-0.0",
    "1.000000000000000000000000000001",
    "99999999999999999999999999999999",
    "2147483648",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\u{202e}\u{feff}e\u{301}\u{1F468}\u{200d}\"",
    "\"9999-12-31T23:59:59.999999999+14:00\"",
    "\"9999-12-31T23:59:59Z\"",
    "\"0001-01-01T00:00:00-14:00\"",
    "\"0000-00-00\"",
    "\"2026-02-30\"",
    "\"2016-12-31T23:59:60Z\"",
    "\"-9999\"",
    "\"9999\"",
    "\"0001\"",
    "\"2026-12-01T10:00:00+00:00\"",
    "\"9990000018\"",
    "\"9990000019\"",
    "\"booked\"",
    "\"cancelled\"",
    "\"proposed\"",
    "\"active\"",
    "\"completed\"",
    "\"in-progress\"",
    "\"reschedule\"",
    "\"confirm-attendance\"",
    "\"Patient/kept\"",
    "\"Appointment/kept\"",
    "\"Appointment/\"",
    "\"#\"",
    "\"#x\"",
    "\"urn:uuid:788660eb-d2c9-4773-abd4-318484673fb2\"",
    "\"http://[\"",
    "\"https://fhir.nhs.uk/Id/nhs-number\"",
    "\"RZZ99\"",
    "\"rzz\"",
    "{\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/data-absent-reason\",\"valueCode\":\"unknown\"}]}",
    "{\"reference\":\"Patient/kept\"}",
    "[[[[]]]]",
    "[null]",
    "[\"a\",null]",
    "<",
    "&x;",
    "\u{0}",
];

/// One change to a good resource.
#[derive(Debug, Clone)]
pub enum Change {
    /// Something odd in the place of the n-th value.
    Odd(usize, usize),
    /// The n-th value taken away.
    Gone(usize),
    /// The n-th and the m-th value in each other's place.
    Swapped(usize, usize),
    /// The n-th value many times over.
    Many(usize, usize),
    /// The n-th member under another's name.
    Renamed(usize, usize),
    /// A long text in the place of the n-th value.
    Long(usize, usize),
    /// A byte of the text set.
    Byte(usize, u8),
    /// Bytes of the text cut out.
    Cut(usize, usize),
    /// Something odd put into the text.
    Put(usize, usize),
}

pub fn any_change() -> impl Strategy<Value = Change> {
    let n = any::<usize>;
    prop_oneof![
        8 => (n(), n()).prop_map(|(place, odd)| Change::Odd(place, odd)),
        2 => n().prop_map(Change::Gone),
        2 => (n(), n()).prop_map(|(one, other)| Change::Swapped(one, other)),
        1 => (n(), 2usize..300).prop_map(|(place, times)| Change::Many(place, times)),
        2 => (n(), n()).prop_map(|(place, name)| Change::Renamed(place, name)),
        1 => (n(), 1usize..100_000).prop_map(|(place, length)| Change::Long(place, length)),
        2 => (n(), any::<u8>()).prop_map(|(place, byte)| Change::Byte(place, byte)),
        1 => (n(), 1usize..40).prop_map(|(place, length)| Change::Cut(place, length)),
        1 => (n(), n()).prop_map(|(place, odd)| Change::Put(place, odd)),
    ]
}

/// JSON Pointers of every value but the root.
fn pointers(value: &Value, prefix: &str, found: &mut Vec<String>) {
    let mut note = |step: &str, value: &Value| {
        let pointer = format!("{prefix}/{}", step.replace('~', "~0").replace('/', "~1"));
        found.push(pointer.clone());
        pointers(value, &pointer, found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| note(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(place, value)| note(&place.to_string(), value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What stands in for a value that no JSON value can be, until the text is made.
fn placeholder(odd: usize) -> Value {
    format!("\u{e000}{}\u{e000}", odd % ODD.len()).into()
}

/// A good resource after its changes, as text.
pub fn changed(seed: &Value, changes: &[Change]) -> Vec<u8> {
    let mut value = seed.clone();
    for change in changes {
        let mut all = Vec::new();
        pointers(&value, "", &mut all);
        if all.is_empty() {
            break;
        }
        let at = |place: &usize| all[place % all.len()].as_str();
        match change {
            Change::Odd(place, odd) => *value.pointer_mut(at(place)).unwrap() = placeholder(*odd),
            Change::Swapped(one, other) => {
                let (first, second) =
                    (value.pointer(at(one)).unwrap().clone(), value.pointer(at(other)).unwrap().clone());
                *value.pointer_mut(at(one)).unwrap() = second;
                // The first may have stood around the second.
                if let Some(there) = value.pointer_mut(at(other)) {
                    *there = first;
                }
            }
            Change::Many(place, times) => {
                let item = value.pointer(at(place)).unwrap().clone();
                *value.pointer_mut(at(place)).unwrap() = vec![item; *times].into();
            }
            Change::Long(place, length) => *value.pointer_mut(at(place)).unwrap() = "x\u{e9}".repeat(length / 3).into(),
            Change::Gone(place) | Change::Renamed(place, _) => {
                let (parent, name) = at(place).rsplit_once('/').unwrap();
                let new = match change {
                    Change::Renamed(_, other) => at(other).rsplit('/').next().unwrap().to_owned(),
                    _ => String::new(),
                };
                match value.pointer_mut(parent).unwrap() {
                    Value::Object(members) => {
                        let gone = members.shift_remove(name);
                        if let Some(gone) = gone.filter(|_| !new.is_empty()) {
                            members.insert(new, gone);
                        }
                    }
                    Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                    _ => {}
                }
            }
            Change::Byte(..) | Change::Cut(..) | Change::Put(..) => {}
        }
    }
    let mut text = value.to_string();
    for (number, odd) in ODD.iter().enumerate() {
        text = text.replace(&placeholder(number).to_string(), odd);
    }
    let mut bytes = text.into_bytes();
    for change in changes {
        let length = bytes.len().max(1);
        match change {
            Change::Byte(place, byte) => {
                if let Some(there) = bytes.get_mut(place % length) {
                    *there = *byte;
                }
            }
            Change::Cut(place, count) => {
                let start = (place % length).min(bytes.len());
                bytes.drain(start..(start + count).min(bytes.len()));
            }
            Change::Put(place, odd) => {
                let at = (place % length).min(bytes.len());
                bytes.splice(at..at, ODD[odd % ODD.len()].bytes());
            }
            _ => {}
        }
    }
    bytes
}
