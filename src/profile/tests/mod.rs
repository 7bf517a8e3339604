//! What a submission hears about its structure.

mod asked;
mod bundles;
mod codes;
mod extensions;
mod faults;
mod hostile;
mod narrowing;
mod references;
mod slicing;
mod undecided;

use super::Ask;
use super::*;
use crate::fhir::{self, Format, Limits};
use crate::issue::{Issue, Rule, any_refuses};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::OnceLock;

/// The definitions that come with the project.
pub(super) fn r4() -> &'static Profiles {
    static R4: OnceLock<Profiles> = OnceLock::new();
    R4.get_or_init(|| {
        let profiles = Profiles::compile(&[own_package()]).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!(profiles.plan.resources.len(), 146, "R4 has 146 resource types that may stand by themselves");
        profiles
    })
}

pub(in crate::profile) fn own_package() -> Package {
    package(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/r4-core")))
}

fn package(folder: &Path) -> Package {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap()))
        .collect();
    files.sort();
    Package { name: "hl7.fhir.r4.core.distilled".into(), version: "4.0.1".into(), files }
}

fn appointment() -> Value {
    json!({
        "resourceType": "Appointment",
        "id": "example-1",
        "meta": {"lastUpdated": "2026-01-05T09:00:00Z", "profile": ["http://hl7.org/fhir/StructureDefinition/Appointment"]},
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Hip clinic</div>"},
        "contained": [{"resourceType": "Location", "id": "here", "name": "Outpatients"}],
        "extension": [
            {"url": "https://example.org/flag", "valueBoolean": true},
            {"url": "https://example.org/group", "extension": [{"url": "one", "valueString": "x"}]}
        ],
        "identifier": [{"system": "https://example.org/appointment", "value": "A1"}],
        "status": "booked",
        "_created": {"id": "c1"},
        "priority": 5,
        "minutesDuration": 20,
        "start": "2026-02-01T09:00:00+00:00",
        "end": "2026-02-01T09:20:00+00:00",
        "created": "2026-01-05",
        "basedOn": [{"reference": "ServiceRequest/1", "type": "ServiceRequest"}],
        "supportingInformation": [{"reference": "#here"}],
        "participant": [
            {"actor": {"reference": "Patient/1"}, "status": "accepted", "required": "required"},
            {"actor": {"reference": "#here"}, "status": "accepted"}
        ]
    })
}

fn patient() -> Value {
    json!({
        "resourceType": "Patient",
        "id": "p1",
        "active": true,
        "name": [{"use": "official", "family": "Sample", "given": ["Ada", "May"], "_given": [null, {"id": "g2"}]}],
        "gender": "female",
        "birthDate": "1980-02-29",
        "deceasedBoolean": false,
        "address": [{"line": ["1 Any Street"], "period": {"start": "2020"}}],
        "photo": [{"contentType": "image/png", "data": "QUJD"}],
        "maritalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M"}]}
    })
}

fn task() -> Value {
    json!({
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"text": "change"},
        "focus": {"reference": "Appointment/1"},
        "for": {"type": "Patient", "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}},
        "authoredOn": "2026-01-05T09:00:00Z",
        "input": [{"type": {"text": "why"}, "valueString": "away"}]
    })
}

fn service_request() -> Value {
    json!({
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "52734007"}]},
        "subject": {"reference": "https://example.org/fhir/Patient/1"},
        "quantityQuantity": {"value": 1.50},
        "occurrencePeriod": {"start": "2026-02", "end": "2026-03"}
    })
}

/// A resource as the reader of JSON makes it. What the reader itself finds is its own concern.
pub(super) fn document(value: &Value) -> Document {
    let parsed = fhir::parse(value.to_string().as_bytes(), Format::Json, &Limits::default());
    parsed.document.unwrap_or_else(|| panic!("the reader refuses: {:?}", parsed.issues))
}

/// What is found in a document; each node may be looked at a few times only, however many there are.
fn issues_in_proportion(value: &Value, check: impl Fn(&Document) -> Vec<Issue>) -> Vec<Issue> {
    const LOOKS_EACH: u64 = 100;
    let document = document(value);
    let before = crate::document::looks();
    let found = check(&document);
    let looks = crate::document::looks() - before;
    let bound = LOOKS_EACH * document.node_count() as u64;
    assert!(looks <= bound, "{looks} looks at {} nodes", document.node_count());
    found
}

fn issues(value: &Value) -> Vec<Issue> {
    r4().check(&document(value), &Ask::default()).issues
}

/// Puts `value` at `pointer`; null takes away what is there.
fn put(resource: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match resource.pointer_mut(parent).unwrap() {
        Value::Object(members) if value.is_null() => {
            members.shift_remove(name).unwrap();
        }
        Value::Object(members) => {
            members.insert(name.into(), value);
        }
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer} has no parent"),
    }
}

#[test]
fn the_type_of_the_resource_is_known_and_the_expected_one() {
    let check = |value: Value, expected: Option<&str>| -> Vec<(Rule, Option<String>)> {
        let found = r4().check(&document(&value), &Ask { expected_type: expected, ..Ask::default() }).issues;
        found.into_iter().map(|issue| (issue.rule, issue.hint)).collect()
    };
    let hint = |text: &str| Some(text.to_owned());
    assert_eq!(check(json!({}), Some("Task")), [(Rule::ResourceTypeMissing, hint("add `\"resourceType\": \"Task\"`"))]);
    assert_eq!(
        check(json!({"resourceType": "Apointment"}), None),
        [(Rule::ResourceTypeUnknown, hint("did you mean `Appointment`?"))]
    );
    for abstract_type in ["Resource", "DomainResource", "HumanName"] {
        let found = check(json!({"resourceType": abstract_type}), None);
        assert_eq!(found[0].0, Rule::ResourceTypeUnknown, "{abstract_type}");
    }
    assert_eq!(check(task(), Some("Appointment"))[0].0, Rule::ResourceTypeMismatch);
    assert_eq!(check(task(), Some("Task")), []);
}

#[test]
fn a_booked_appointment_without_its_times_breaks_the_invariants_that_ask_for_them() {
    let without = |names: &[&str]| -> Vec<String> {
        let mut value = appointment();
        names.iter().for_each(|name| put(&mut value, &format!("/{name}"), Value::Null));
        let found = issues(&value);
        assert!(any_refuses(&found));
        found.iter().for_each(|issue| assert_eq!(issue.place.as_ref().unwrap().expression, "Appointment"));
        found.into_iter().map(|issue| issue.asked_by.unwrap()).collect()
    };
    let appointment = "http://hl7.org/fhir/StructureDefinition/Appointment";
    assert_eq!(without(&["end"]), [format!("app-2 of {appointment}"), format!("app-3 of {appointment}")]);
    assert_eq!(without(&["start", "end"]), [format!("app-3 of {appointment}")]);
}

#[test]
fn a_bundle_is_checked_through_its_entries() {
    let mut broken = appointment();
    put(&mut broken, "/status", json!("boked"));
    let bundle = json!({
        "resourceType": "Bundle", "type": "collection",
        "entry": [{"fullUrl": "urn:uuid:deb4c4b3-870b-4599-84df-5e54cef7afda", "resource": appointment()},
            {"fullUrl": "https://example.org/Appointment/example-1", "resource": broken}],
        "link": [{"relation": "self", "url": "https://example.org"}]
    });
    let found = issues(&bundle);
    assert_eq!(found.len(), 1, "{found:#?}");
    let place = found[0].place.as_ref().unwrap();
    assert_eq!(place.expression, "Bundle.entry[1].resource.status");
    assert_eq!(place.pointer, "/entry/1/resource/status");
    assert_eq!(found[0].hint.as_deref().unwrap().split('?').next(), Some("did you mean `booked`"));
}

#[test]
fn the_entries_of_a_bundle_are_told_apart() {
    let bundle = |kind: &str, version: &str| {
        let basic = |version: &str| json!({"resourceType": "Basic", "id": "1", "meta": {"versionId": version}, "code": {"text": "x"}});
        let entry = |version: &str| json!({"fullUrl": "https://example.org/Basic/1", "resource": basic(version)});
        json!({"resourceType": "Bundle", "type": kind, "entry": [entry("1"), entry(version)]})
    };
    let found = issues(&bundle("collection", "1"));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].place.as_ref().unwrap().expression, "Bundle.entry[1].fullUrl");
    assert_eq!(issues(&bundle("collection", "2")), []);
}

#[test]
fn the_entries_of_a_bundle_have_the_parts_that_its_type_asks_for() {
    let check = |kind: &str, part: &str, wanted: Option<(&str, &str)>| {
        let mut entry = json!({"fullUrl": "urn:uuid:deb4c4b3-870b-4599-84df-5e54cef7afda",
            "resource": {"resourceType": "Basic", "code": {"text": "x"}}});
        match part {
            "request" => entry[part] = json!({"method": "POST", "url": "Basic"}),
            "response" => entry[part] = json!({"status": "201"}),
            _ => {}
        }
        let found = issues(&json!({"resourceType": "Bundle", "type": kind, "entry": [entry]}));
        let told: Vec<_> = found
            .iter()
            .map(|issue| (&issue.asked_by.as_deref().unwrap()[..5], issue.place.as_ref().unwrap().expression.as_str()))
            .collect();
        assert_eq!(told, Vec::from_iter(wanted), "{kind} with {part}");
    };
    check("transaction", "request", None);
    check("transaction", "", Some(("bdl-3", "Bundle.entry[0]")));
    check("collection", "request", Some(("bdl-3", "Bundle.entry[0].request")));
    check("batch-response", "response", None);
    check("batch-response", "", Some(("bdl-4", "Bundle.entry[0]")));
    check("collection", "response", Some(("bdl-4", "Bundle.entry[0].response")));
}

#[test]
fn a_reference_type_in_another_case_is_doubtful_and_not_wrong() {
    let mut value = appointment();
    put(&mut value, "/basedOn/0/type", json!("serviceRequest"));
    let found = issues(&value);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].severity, found[0].rule), (crate::issue::Severity::Warning, Rule::ReferenceTarget));
    assert_eq!(found[0].hint.as_deref(), Some("write `ServiceRequest`"));
    assert!(!any_refuses(&found));
}

#[test]
fn all_that_is_wrong_is_told_at_once_up_to_a_limit() {
    let mut value = appointment();
    put(&mut value, "/status", json!("boked"));
    put(&mut value, "/priority", json!("x"));
    put(&mut value, "/participant/0/status", Value::Null);
    assert_eq!(issues(&value).len(), 3);
    let many: Vec<_> = (0..1000).map(|_| json!({"bad": 1})).collect();
    put(&mut value, "/participant", many.into());
    let found = issues(&value);
    assert_eq!(found.len(), check::ISSUE_COUNT_MAX);
    assert_eq!(found.last().unwrap().rule, Rule::NotEvaluated);
}

#[test]
fn a_strange_name_is_told_only_when_it_is_nothing_but_a_name() {
    let told = |name: &str| {
        let mut value = task();
        value[name] = json!("x");
        issues(&value)[0].message.clone()
    };
    assert_eq!(told("surname"), "Task has no element `surname`");
    assert_eq!(told("Ada Sample"), "Task has no element with this name");
    assert_eq!(told(&"x".repeat(100)), format!("Task has no element `{}`", "x".repeat(64)));
}

#[test]
fn the_published_bars_appointments_are_taken_and_the_partial_one_is_not() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/samples/bars-api/1.3.0/appointment"));
    if !folder.exists() {
        return eprintln!("skipped: {} is absent", folder.display());
    }
    let read =
        |name: &str| -> Value { serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap() };
    for name in ["GET-success.json", "PUT-body.json", "id/GET-success.json"] {
        let found = issues(&read(name));
        assert!(!any_refuses(&found), "{name}: {found:#?}");
    }
    let found = issues(&read("PATCH-body.json"));
    let refusals: Vec<_> = found.iter().filter(|issue| issue.refuses()).collect();
    let places: Vec<_> =
        refusals.iter().map(|issue| (issue.rule, issue.place.as_ref().unwrap().expression.as_str())).collect();
    assert!(places.contains(&(Rule::ElementRequired, "Appointment.participant")), "{places:?}");
    assert!(refusals[0].hint.as_deref().unwrap().contains("send the whole resource"));
}

#[test]
fn the_published_uk_core_examples_are_good_r4() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/samples/uk-core"));
    if !folder.exists() {
        return eprintln!("skipped: {} is absent", folder.display());
    }
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let parsed = fhir::parse(&std::fs::read(&path).unwrap(), Format::Xml, &Limits::default());
        let mut found = r4().check(&parsed.document.unwrap(), &Ask::default()).issues;
        // One names a relationship by a code of its own, which an extensible binding leaves it free to do.
        found.retain(|issue| issue.rule != Rule::CodeExtensible);
        assert_eq!(found, [], "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 4);
}

#[test]
fn types_of_elements_are_known_to_expressions() {
    let document = document(&appointment());
    let check = |path: &[&str], wanted: &str| {
        assert_eq!(r4().type_of(document.root().descend(path).unwrap()), Some(wanted), "{path:?}");
    };
    check(&["start"], "instant");
    check(&["participant"], "BackboneElement");
    check(&["participant", "actor"], "Reference");
    check(&["participant", "actor", "reference"], "string");
    check(&["contained"], "Location");
    check(&["contained", "id"], "id");
    check(&["extension", "url"], "uri");
    check(&["extension", "valueBoolean"], "boolean");
    check(&["created", "id"], "string");
}

#[test]
fn what_is_not_checked_is_listed() {
    let listed: Vec<_> = r4().not_evaluated().iter().map(ToString::to_string).collect();
    assert!(listed.iter().any(|one| one.contains("http://loinc.org/vs/LL379-9")), "{listed:#?}");
}

#[test]
fn definitions_that_lead_nowhere_are_problems_with_their_file() {
    let file = |value: Value| ("StructureDefinition-x.json".to_owned(), value.to_string());
    let structure = |elements: Value| {
        json!({"resourceType": "StructureDefinition", "url": "x", "fhirVersion": "4.0.1", "kind": "complex-type", "type": "X",
            "snapshot": {"element": elements}})
    };
    let problems = |files: Vec<(String, String)>| -> Vec<String> {
        let package = Package { name: "p".into(), version: "1".into(), files };
        Profiles::compile(&[package]).unwrap_err().iter().map(ToString::to_string).collect()
    };
    let told = problems(vec![file(structure(json!([
        {"path": "X"},
        {"path": "X.a", "max": "1", "type": [{"code": "Nothing"}]},
        {"path": "X.b", "max": "1", "contentReference": "#X.c"}
    ])))]);
    assert_eq!(
        told,
        [
            "p 1: StructureDefinition-x.json: X.a: its type Nothing is not loaded",
            "p 1: StructureDefinition-x.json: X.b: its content reference #X.c leads nowhere"
        ]
    );
    assert_eq!(problems(vec![("a.json".into(), "{".into())]).len(), 1);
}

#[test]
fn the_plan_is_shared_by_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Profiles>();
}
