//! Schema and Rust type are two descriptions of one thing; these tests hold them together.

use super::*;
use crate::model;
use serde_json::json;

/// The texts of the schema files, as the program is given them.
pub(in crate::mapping) fn schema_text(name: &str) -> &'static str {
    match name {
        "patient" => include_str!("../../../profiles/canonical/patient.schema.json"),
        "referral" => include_str!("../../../profiles/canonical/referral.schema.json"),
        "appointment" => include_str!("../../../profiles/canonical/appointment.schema.json"),
        "change-request" => include_str!("../../../profiles/canonical/change-request.schema.json"),
        "change-answer" => include_str!("../../../profiles/canonical/change-answer.schema.json"),
        "pifu-enrolment" => include_str!("../../../profiles/canonical/pifu-enrolment.schema.json"),
        "pifu-booking" => include_str!("../../../profiles/canonical/pifu-booking.schema.json"),
        "waiting-list-entry" => include_str!("../../../profiles/canonical/waiting-list-entry.schema.json"),
        other => panic!("no schema {other}"),
    }
}

/// A value of each type with every member filled.
fn full(name: &str) -> Value {
    let patient = json!({"nhs_number": "9990000018", "local": "L1", "reference": "Patient/1"});
    let identifier = json!({"system": "urn:x", "value": "1"});
    let pathway = json!({"identifier": "RBH5644312231", "issuer": "RBH"});
    let period = json!({"starts_at": "2026-01-05T09:00:00Z", "ends_at": "2026-01-05T12:00:00Z"});
    let reason = json!({"system": "urn:x", "code": "work", "text": "at work"});
    match name {
        "patient" => json!({"nhs_number": "9990000018", "nhs_number_status": "01", "identifiers": [identifier],
            "born_on": "1970-09-11", "family_name": "Muster", "given_names": ["Anna", "B"], "gp_practice": "A81001"}),
        "referral" => json!({"patient": patient, "identifiers": [identifier], "pathway": pathway, "status": "active",
            "priority": "two-week-wait", "treatment_function": "110", "requested": "Hip",
            "authored_at": "2026-01-05T09:00:00Z", "provider": "RFF", "referrer": "A81001"}),
        "appointment" => json!({"identifiers": {"pas": "1", "portal": "2"}, "patient": patient, "provider": "RFF",
            "status": "booked", "starts_at": "2026-01-05T09:00:00Z", "ends_at": "2026-01-05T09:15:00.5Z",
            "description": "Dermatology", "treatment_function": "330", "main_specialty": "330", "medium": "video",
            "encounter_class": "day-case", "priority": "routine", "location": "Hall", "portal_link": "https://x/1",
            "references": [identifier], "based_on": ["ServiceRequest/1"]}),
        "change-request" => json!({"kind": "reschedule", "appointment": {"id": "1", "identifier": identifier},
            "patient": patient, "reason": reason, "preferred": [period], "authored_at": "2026-01-05T09:00:00Z",
            "note": "mornings"}),
        "change-answer" => json!({"request": "1", "outcome": "refused", "reason": reason}),
        "pifu-enrolment" => json!({"patient": patient, "pathway": pathway, "treatment_function": "330",
            "provider": "RFF", "starts_on": "2026-01-05", "expires_on": "2027-01-05", "at_expiry": "open-ended",
            "active": true, "contact": "01632 960001"}),
        "pifu-booking" => json!({"patient": patient, "pathway": pathway, "treatment_function": "330",
            "provider": "RFF", "preferred": [period], "reason": reason, "authored_at": "2026-01-05T09:00:00Z",
            "note": "worse"}),
        "waiting-list-entry" => json!({"id": "1", "status": "active", "patient": patient, "pathway": pathway,
            "referrals": [identifier], "provider": "RFF", "treatment_function": "110", "priority": "urgent",
            "received_on": "2026-01-05", "appointments": ["1"]}),
        other => panic!("no example {other}"),
    }
}

fn through_type(name: &str, value: Value) -> Option<Value> {
    if name == "waiting-list-entry" {
        let entry: model::WaitingListEntry = serde_json::from_value(value).ok()?;
        return serde_json::to_value(entry).ok();
    }
    let kind = Kind::ALL.iter().copied().find(|kind| kind.as_str() == name)?;
    kind.take(value).ok().map(|canonical| canonical.to_value())
}

const NAMES: [&str; 8] = [
    "patient",
    "referral",
    "appointment",
    "change-request",
    "change-answer",
    "pifu-enrolment",
    "pifu-booking",
    "waiting-list-entry",
];

fn schema(name: &str) -> Schema {
    // The entry is no kind that a mapping makes; its schema compiles like the others.
    let kind = Kind::ALL.iter().copied().find(|kind| kind.as_str() == name).unwrap_or(Kind::Referral);
    Schema::compile(kind, schema_text(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// Every member path of a shape, lists seen through.
fn shape_paths(shape: &Shape, prefix: &str, out: &mut Vec<String>) {
    match shape {
        Shape::Object { members, .. } => {
            for (name, member) in members {
                let path = format!("{prefix}/{name}");
                out.push(path.clone());
                shape_paths(member, &path, out);
            }
        }
        Shape::List(item) => shape_paths(item, prefix, out),
        Shape::Single { .. } => {}
    }
}

fn value_paths(value: &Value, prefix: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = format!("{prefix}/{name}");
                out.push(path.clone());
                value_paths(member, &path, out);
            }
        }
        Value::Array(items) => items.iter().take(1).for_each(|item| value_paths(item, prefix, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_kind_has_a_schema_that_compiles() {
    for kind in Kind::ALL {
        assert!(NAMES.contains(&kind.as_str()), "{} has no schema", kind.as_str());
    }
    for name in NAMES {
        schema(name);
    }
}

#[test]
fn schema_and_type_have_the_same_members_and_a_full_value_passes_both_unchanged() {
    for name in NAMES {
        let (schema, value) = (schema(name), full(name));
        let faults = schema.check(&value);
        assert!(faults.is_empty(), "{name}: {faults:?}");
        let back = through_type(name, value.clone()).unwrap_or_else(|| panic!("{name}: the type refuses it"));
        assert_eq!(back, value, "{name}: the type loses or changes something");
        let (mut of_schema, mut of_value) = (Vec::new(), Vec::new());
        shape_paths(&schema.shape, "", &mut of_schema);
        value_paths(&back, "", &mut of_value);
        of_schema.sort();
        of_value.sort();
        assert_eq!(of_schema, of_value, "{name}: a member stands in one of schema and full example only");
    }
}

#[test]
fn a_member_that_the_schema_requires_the_type_requires_too_and_the_other_way_round() {
    for name in NAMES {
        let schema = schema(name);
        let Shape::Object { members, .. } = &*schema.shape else { panic!("{name} is no object") };
        for member in members.keys() {
            let mut value = full(name);
            value.as_object_mut().unwrap().remove(member);
            let of_schema = schema.check(&value).is_empty();
            let of_type = through_type(name, value).is_some();
            assert_eq!(of_schema, of_type, "{name} without {member}");
        }
    }
}

#[test]
fn every_code_of_the_schema_is_one_of_the_type_and_a_stranger_is_refused_by_both() {
    let mut tried = 0;
    for name in NAMES {
        let schema = schema(name);
        let Shape::Object { members, .. } = &*schema.shape else { panic!("{name} is no object") };
        for (member, shape) in members {
            let Shape::Single { codes: Some(codes), .. } = &**shape else { continue };
            for code in codes.iter().map(String::as_str).chain(["never-a-code"]) {
                let mut value = full(name);
                value[member] = json!(code);
                let of_schema = schema.check(&value).is_empty();
                assert_eq!(of_schema, code != "never-a-code", "{name}.{member} = {code}");
                // The status indicator is text in the type; its list stands in the schema alone.
                if member != "nhs_number_status" {
                    assert_eq!(through_type(name, value).is_some(), of_schema, "{name}.{member} = {code}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn what_does_not_fit_is_told_by_target_and_rule_and_never_by_value() {
    let canary = "SECRET-9990000018";
    for (name, member, value) in [
        ("appointment", "status", json!(canary)),
        ("appointment", "starts_at", json!(canary)),
        ("appointment", "treatment_function", json!(canary)),
        ("appointment", "references", json!([])),
        ("appointment", "location", json!({"x": canary})),
        ("appointment", "identifiers", json!({"pas": [canary]})),
        ("pifu-enrolment", "active", json!(canary)),
        ("patient", "nhs_number", json!(canary)),
    ] {
        let mut whole = full(name);
        whole[member] = value;
        let faults = schema(name).check(&whole);
        assert!(!faults.is_empty(), "{name}.{member} passed");
        for (target, issue) in faults {
            assert!(target.starts_with(member), "{name}.{member}: {target}");
            assert!(!format!("{issue:?}{issue}").contains("SECRET"), "{issue}");
            assert!(issue.message.contains(member), "{issue}");
        }
    }
    let mut extra = full("appointment");
    extra["colour"] = json!(canary);
    let faults = schema("appointment").check(&extra);
    assert_eq!(faults.len(), 1);
    assert!(!faults[0].1.to_string().contains("SECRET"));
}
