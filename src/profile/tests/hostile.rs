//! Input that means harm, or none: the check ends, in time, without a panic and without telling a value.

use super::super::Ask;
use super::slicing;
use super::{appointment, document, issues, issues_in_proportion, own_package, patient, r4, service_request, task};
use crate::issue::{Rule, any_refuses};
use crate::profile::check::{ISSUE_COUNT_MAX, MILD_COUNT_MAX};
use crate::profile::{Package, Profiles};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Stands for a patient's data wherever it is put.
const CANARY: &str = "qxjzcanaryzjxq";

#[test]
fn a_document_deep_and_wide_is_checked_in_proportion() {
    let mut extension = json!({"url": "urn:u", "valueString": "x"});
    for _ in 0..28 {
        extension = json!({"url": "urn:u", "extension": [extension]});
    }
    let mut value = task();
    value["extension"] = Value::Array(vec![extension; 1000]);
    assert_eq!(issues_in_proportion(&value, |one| r4().check(one, &Ask::default()).issues), []);
}

#[test]
fn references_to_very_many_contained_resources_are_checked_in_proportion() {
    let mut value = task();
    let contained: Vec<_> =
        (0..4_000).map(|id| json!({"resourceType": "Basic", "id": format!("b{id}"), "code": {"text": "x"}})).collect();
    let references: Vec<_> = (0..4_000).map(|id| json!({"reference": format!("#b{id}")})).collect();
    value["contained"] = contained.into();
    value["basedOn"] = references.into();
    assert_eq!(issues_in_proportion(&value, |one| r4().check(one, &Ask::default()).issues), []);
    value["basedOn"][7] = json!({"display": "nobody"});
    let found = issues(&value);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].place.as_ref().unwrap().expression, "Task.contained[7]");
}

#[test]
fn very_many_faulty_entries_in_one_line_cost_what_is_told_and_no_more() {
    let entries: Vec<_> =
        (0..20_000).map(|id| json!({"fullUrl": format!("https://example.org/{}", id % 10)})).collect();
    let value = json!({"resourceType": "Bundle", "type": "batch", "entry": entries});
    let found = issues_in_proportion(&value, |one| r4().check(one, &Ask::default()).issues);
    assert_eq!(found.len(), ISSUE_COUNT_MAX);
    let bundle = document(&value);
    // What is of another type than the address asks for has one fault, and the rest is not walked.
    let found = r4().check(&bundle, &Ask { expected_type: Some("Task"), ..Ask::default() }).issues;
    assert_eq!(found.iter().map(|issue| issue.rule).collect::<Vec<_>>(), [Rule::ResourceTypeMismatch]);
}

const OWN: &str = "https://example.org/StructureDefinition/own";

/// R4's definitions with a profile on Appointment that has one invariant of its own.
fn with_invariant(path: &str, expression: &str) -> Profiles {
    let core = own_package();
    let text = core.files.iter().find(|(name, _)| name == "StructureDefinition-Appointment.json").map(|(_, text)| text);
    let mut profile: Value = serde_json::from_str(text.unwrap()).unwrap();
    profile["url"] = json!(OWN);
    profile["derivation"] = json!("constraint");
    let elements = profile["snapshot"]["element"].as_array_mut().unwrap();
    let element = elements.iter_mut().find(|element| element["path"] == path).unwrap();
    element["constraint"] =
        json!([{"key": "own-1", "severity": "error", "human": "It is as we say.", "expression": expression}]);
    let files = vec![("StructureDefinition-own.json".to_owned(), profile.to_string())];
    let own = Package { name: "own".into(), version: "1".into(), files };
    Profiles::compile(&[core, own]).unwrap()
}

#[test]
fn an_invariant_that_looks_at_everything_from_everywhere_ends_and_is_told_once() {
    let profiles = with_invariant("Appointment.participant", "%resource.descendants().where($this = '').empty()");
    let told = |count: usize| {
        let mut value = appointment();
        value["participant"] = vec![json!({"actor": {"display": "x"}, "status": "accepted"}); count].into();
        value["supportingInformation"] = json!([{"reference": "#here"}]);
        let verdict = profiles.check(&document(&value), &Ask { profiles: &[OWN], ..Ask::default() });
        let left = verdict.not_evaluated.iter().filter(|left| left.what.contains("invariants")).count();
        (verdict.issues.iter().map(|issue| issue.rule).collect::<Vec<_>>(), left)
    };
    // What people send is decided, and what would take fifty million looks is given up.
    assert_eq!(told(100), (vec![], 0));
    assert_eq!(told(2_000), (vec![Rule::LimitSteps], 1));
}

#[test]
fn an_invariant_asks_for_other_definitions_and_one_that_asks_for_itself_ends() {
    let told = |path: &str, expression: &str| {
        let profiles = with_invariant(path, expression);
        let found = profiles.check(&document(&appointment()), &Ask { profiles: &[OWN], ..Ask::default() }).issues;
        found.iter().map(|issue| issue.rule).collect::<Vec<_>>()
    };
    let kind = |name: &str| format!("conformsTo('http://hl7.org/fhir/StructureDefinition/{name}')");
    assert_eq!(told("Appointment", &kind("Appointment")), []);
    assert_eq!(told("Appointment", &kind("Patient")), [Rule::Invariant]);
    assert_eq!(told("Appointment", &format!("contained.all({})", kind("Location"))), []);
    assert_eq!(told("Appointment.participant", &kind("BackboneElement")), []);
    assert_eq!(told("Appointment", "conformsTo('https://example.org/none')"), [Rule::NotEvaluated]);
    let itself = told("Appointment", &format!("conformsTo('{OWN}') and conformsTo('{OWN}').exists()"));
    // Nothing speaks against it but itself.
    assert_eq!(itself, []);
}

#[test]
fn warnings_without_number_do_not_hide_what_refuses() {
    let mut value = task();
    let status = value["status"].take();
    value.as_object_mut().unwrap().shift_remove("status");
    value["basedOn"] = vec![json!({"type": "Nobodys", "display": "x"}); 500].into();
    value["status"] = status;
    let found = issues(&value);
    assert_eq!(found.len(), MILD_COUNT_MAX + 1, "and one that says that there are more");
    assert!(!any_refuses(&found));
    value["status"] = json!("unheard-of");
    let found = issues(&value);
    let refusals: Vec<_> = found.iter().filter(|issue| issue.refuses()).map(|issue| issue.rule).collect();
    assert_eq!(refusals, [Rule::CodeRequired]);
}

/// `value` with the array at `pointer` filled up to `count` by its first item.
fn repeated(value: &Value, pointer: &str, count: usize) -> Value {
    let mut value = value.clone();
    let array = value.pointer_mut(pointer).unwrap();
    *array = vec![array[0].clone(); count].into();
    value
}

#[test]
fn whatever_repeats_costs_in_proportion() {
    let basic = json!({"fullUrl": "https://example.org/Basic/1",
        "resource": {"resourceType": "Basic", "id": "1", "code": {"text": "x"}, "subject": {"reference": "Basic/1"}}});
    let bundle = |kind: &str| json!({"resourceType": "Bundle", "type": kind, "entry": [basic], "link": [{"relation": "self", "url": "x"}]});
    let document_of = |kind: &str| {
        let mut whole = bundle(kind);
        whole["entry"][0]["resource"] = json!({"resourceType": "Composition", "id": "1", "status": "final",
            "type": {"text": "x"}, "date": "2026", "title": "x", "author": [{"reference": "Basic/1"}],
            "section": [{"title": "x", "entry": [{"reference": "Composition/1"}], "section": [{"title": "y"}]}]});
        whole
    };
    let samples = [
        appointment(),
        patient(),
        task(),
        service_request(),
        bundle("collection"),
        bundle("searchset"),
        bundle("transaction"),
        bundle("message"),
        document_of("document"),
    ];
    let mut places_count = 0;
    for sample in samples {
        let mut found = Vec::new();
        pointers(&sample, "", &mut found);
        for pointer in found.iter().filter(|pointer| sample.pointer(pointer).is_some_and(Value::is_array)) {
            let looks = |count: usize| {
                let document = document(&repeated(&sample, pointer, count));
                let before = crate::document::looks();
                r4().check(&document, &Ask::default());
                crate::document::looks() - before
            };
            let (few, many) = (looks(300), looks(3_000));
            assert!(many < few * 11, "{pointer}: 300 items cost {few} looks, 3,000 cost {many}");
            places_count += 1;
        }
    }
    assert!(places_count > 30, "{places_count} places");
}

#[test]
fn a_contained_resource_may_point_at_its_container_instead() {
    let mut value = task();
    value["contained"] = json!([{"resourceType": "Provenance", "id": "p", "target": [{"reference": "#"}],
        "recorded": "2026-01-05T09:00:00Z", "agent": [{"who": {"display": "x"}}]}]);
    assert_eq!(issues(&value), []);
}

/// Any JSON, small; names are real ones often enough to lead deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::from),
        Just(json!("Patient/1")),
        Just(json!("2026-02-30")),
        Just(json!(CANARY)),
        Just(json!(format!("{CANARY}/1"))),
    ];
    let name = prop_oneof![
        "[a-zA-Z_]{1,10}",
        Just("resourceType".to_owned()),
        Just("extension".to_owned()),
        Just("url".to_owned()),
        Just("valueString".to_owned()),
        Just("valueReference".to_owned()),
        Just("coding".to_owned()),
        Just("code".to_owned()),
        Just("reference".to_owned()),
        Just("contained".to_owned()),
        Just("_status".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Every place in `value`, as a JSON pointer.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, below)| pointers(below, &format!("{at}/{name}"), found))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, below)| pointers(below, &format!("{at}/{place}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_stands_wherever_the_check_ends_and_tells_no_value(
        which in 0..4_usize,
        place in any::<prop::sample::Index>(),
        put in any_json(),
    ) {
        let mut resource = [appointment, patient, task, service_request][which]();
        let mut found = Vec::new();
        pointers(&resource, "", &mut found);
        let pointer = place.get(&found).clone();
        if pointer.is_empty() || pointer == "/resourceType" {
            return Ok(());
        }
        *resource.pointer_mut(&pointer).unwrap() = put;
        let issues = r4().check(&document(&resource), &Ask::default()).issues;
        prop_assert!(issues.len() <= ISSUE_COUNT_MAX);
        for issue in issues {
            let place = issue.place.as_ref().expect("every issue of a check has a place");
            prop_assert!(place.expression.starts_with(resource["resourceType"].as_str().unwrap()));
            // Names of elements may be told; the canary is a value only.
            let told = format!("{} {:?} {:?}", issue.message, issue.hint, issue.asked_by);
            prop_assert!(!told.contains(CANARY), "{told}");
        }
    }
}

#[test]
fn very_many_repeats_are_told_apart_and_very_many_extensions_placed_in_proportion() {
    let slices = |number: usize| {
        let id = format!("Patient.identifier:s{number}");
        [
            json!({"id": id, "path": "Patient.identifier", "sliceName": format!("s{number}"), "max": "1"}),
            json!({"id": format!("{id}.system"), "path": "Patient.identifier.system", "min": 1, "fixedUri": format!("urn:{number}")}),
        ]
    };
    let mut elements = vec![json!({"id": "Patient.identifier", "path": "Patient.identifier",
        "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}})];
    elements.extend((0..20).flat_map(slices));
    let url = "https://example.org/StructureDefinition/here";
    let mut here = slicing::profile(
        "here",
        "Extension",
        json!([{"id": "Extension", "path": "Extension"}, {"id": "Extension.url", "path": "Extension.url", "fixedUri": url}]),
    );
    here["context"] = json!([{"type": "fhirpath", "expression": "Patient.descendants()"}]);
    here["contextInvariant"] = json!(["extension.count() > 0"]);
    let profiles = slicing::compile(&[slicing::profile("many", "Patient", elements.into()), here]);
    let extension = json!({"url": url, "valueBoolean": true});
    let patient = json!({
        "resourceType": "Patient",
        "identifier": vec![json!({"system": "urn:other", "value": "1"}); 20_000],
        "contact": [{"name": {"text": "x"}, "extension": vec![extension; 5_000]}]
    });
    let url = format!("{}many", slicing::URL);
    let ask = Ask { profiles: &[&url], ..Ask::default() };
    assert_eq!(issues_in_proportion(&patient, |one| profiles.check(one, &ask).issues), []);
}
