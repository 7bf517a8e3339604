//! Which profiles are asked of what, given and limited values, and types that a profile narrows.

use super::super::Ask;
use super::document;
use super::slicing::{compile, judge, profile, told};
use crate::issue::{Rule, Severity};
use crate::profile::Profiles;
use serde_json::{Value, json};

const URL: &str = "https://example.org/StructureDefinition/";

fn check(profiles: &Profiles, id: &str, resource: &Value, expected: &[(Rule, &str)]) {
    let verdict = judge(profiles, id, resource);
    assert_eq!(told(&verdict.issues), expected, "{resource:#}\n{:#?}", verdict.issues);
}

fn named() -> Value {
    profile("named", "Patient", json!([{"id": "Patient.name", "path": "Patient.name", "min": 1}]))
}

#[test]
fn what_a_resource_claims_is_held_against_it_wherever_it_stands() {
    let profiles = compile(&[named()]);
    let claiming =
        |url: &str| json!({"resourceType": "Patient", "id": "p", "meta": {"profile": [url]}, "active": true});
    let check = |resource: &Value, expected: &[(Rule, &str)]| {
        let found = profiles.check(&document(resource), &Ask::default());
        assert_eq!(told(&found.issues), expected, "{:#?}", found.issues);
        found
    };
    let named = format!("{URL}named");
    check(&claiming(&named), &[(Rule::ElementRequired, "Patient.name")]);
    let contained = json!({"resourceType": "Basic", "code": {"text": "x"}, "contained": [claiming(&named)], "subject": {"reference": "#p"}});
    check(&contained, &[(Rule::ElementRequired, "Basic.contained[0].name")]);
    let entry = json!({"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "http://a/Patient/p", "resource": claiming(&named)}]});
    check(&entry, &[(Rule::ElementRequired, "Bundle.entry[0].resource.name")]);
    let found = check(&claiming(&format!("{URL}strange")), &[(Rule::ProfileNotLoaded, "Patient.meta.profile[0]")]);
    assert_eq!(found.issues[0].severity, Severity::Warning);
    assert!(found.not_evaluated.iter().any(|left| left.what == "the profile at Patient.meta.profile[0]"), "{found:#?}");
    let basic = json!({"resourceType": "Basic", "code": {"text": "x"}, "meta": {"profile": [named]}});
    let found = check(&basic, &[(Rule::ResourceTypeMismatch, "Basic.meta.profile[0]")]);
    assert_eq!(found.issues[0].message, "this is a Basic, and the profile is on Patient");
    check(&claiming("http://hl7.org/fhir/StructureDefinition/DomainResource"), &[]);
}

#[test]
fn a_profile_that_is_demanded_is_of_the_type_that_it_is_on() {
    let profiles = compile(&[named()]);
    let basic = json!({"resourceType": "Basic", "code": {"text": "x"}});
    check(&profiles, "named", &basic, &[(Rule::ResourceTypeMismatch, "Basic")]);
    let anything = profile(
        "anything",
        "DomainResource",
        json!([{"id": "DomainResource.text", "path": "DomainResource.text", "min": 1}]),
    );
    let mut anything = anything;
    anything["abstract"] = json!(true);
    check(&compile(&[anything]), "anything", &basic, &[(Rule::ElementRequired, "Basic.text")]);
}

#[test]
fn what_a_document_meets_and_no_check_decides_is_listed_once() {
    let odd = profile(
        "odd",
        "Patient",
        json!([{"id": "Patient.name", "path": "Patient.name", "constraint": [
        {"key": "odd-1", "severity": "error", "human": "x", "expression": "nothing.like(this)"}]}]),
    );
    let profiles = compile(&[odd]);
    let listed = |resource: Value| -> Vec<String> {
        judge(&profiles, "odd", &resource)
            .not_evaluated
            .into_iter()
            .map(|left| left.what)
            .filter(|what| what.starts_with("odd"))
            .collect()
    };
    assert_eq!(listed(json!({"resourceType": "Patient", "name": [{"text": "a"}, {"text": "b"}]})).len(), 1);
    assert_eq!(listed(json!({"resourceType": "Patient", "active": true})).len(), 0);
}

#[test]
fn fixed_values_are_whole_and_patterns_are_part() {
    let profiles = compile(&[profile(
        "o",
        "Observation",
        json!([
            {"id": "Observation.code", "path": "Observation.code", "patternCodeableConcept": {"coding": [{"system": "urn:s", "code": "a"}, {"code": "b"}]}},
            {"id": "Observation.method", "path": "Observation.method", "fixedCodeableConcept": {"coding": [{"system": "urn:s", "code": "a"}]}},
            {"id": "Observation.value[x]", "path": "Observation.value[x]", "type": [{"code": "Quantity"}], "patternQuantity": {"value": 1.5, "unit": "g"}},
            {"id": "Observation.subject", "path": "Observation.subject", "min": 0},
            {"id": "Observation.language", "path": "Observation.language", "fixedCode": "en-GB"}
        ]),
    )]);
    let (a, b, c) = (
        json!({"system": "urn:s", "code": "a"}),
        json!({"code": "b", "system": "urn:t"}),
        json!({"system": "urn:s", "code": "c"}),
    );
    let mut good = json!({"resourceType": "Observation", "status": "final", "code": {"coding": [c, b, a], "text": "x"},
        "method": {"coding": [a]}, "valueQuantity": {"value": 1.50, "unit": "g", "comparator": "<"}, "language": "en-GB"});
    check(&profiles, "o", &good, &[]);
    let mut bad = |pointer: &str, value: Value, at: &str| {
        let place = good.pointer_mut(pointer).unwrap();
        let before = std::mem::replace(place, value);
        check(&profiles, "o", &good, &[(Rule::ProfileValue, at)]);
        *good.pointer_mut(pointer).unwrap() = before;
    };
    bad("/code/coding", json!([a, c]), "Observation.code");
    bad("/code/coding", json!([{"system": "urn:t", "code": "a"}, b]), "Observation.code");
    bad("/method", json!({"coding": [a], "text": "x"}), "Observation.method");
    bad("/method", json!({"coding": [a, c]}), "Observation.method");
    bad("/method/coding/0", json!({"system": "urn:s", "code": "a", "display": "x"}), "Observation.method");
    bad("/valueQuantity/value", json!(1.6), "Observation.valueQuantity");
    bad("/language", json!("en-US"), "Observation.language");
}

#[test]
fn where_only_one_name_may_stand_the_issue_carries_it() {
    let profiles = compile(&[profile(
        "p",
        "Patient",
        json!([
            {"id": "Patient.maritalStatus", "path": "Patient.maritalStatus", "min": 1},
            {"id": "Patient.maritalStatus.coding", "path": "Patient.maritalStatus.coding", "min": 1, "max": "1"},
            {"id": "Patient.maritalStatus.coding.system", "path": "Patient.maritalStatus.coding.system", "min": 1, "fixedUri": "urn:s"},
            {"id": "Patient.gender", "path": "Patient.gender", "patternCode": "female"}
        ]),
    )]);
    let mends = |resource: Value| -> Value {
        judge(&profiles, "p", &resource)
            .issues
            .iter()
            .filter(|issue| issue.refuses())
            .map(|issue| json!(issue.mend))
            .collect()
    };
    let patient = |gender: &str, coding: Value| json!({"resourceType": "Patient", "gender": gender, "maritalStatus": {"coding": [coding]}});
    let place = "/maritalStatus/coding/0/system";
    assert_eq!(
        mends(patient("female", json!({"code": "M"}))),
        json!([[{"op": "add", "path": place, "value": "urn:s"}]])
    );
    assert_eq!(
        mends(patient("female", json!({"system": "urn:t", "code": "M"}))),
        json!([[{"op": "replace", "path": place, "value": "urn:s"}]])
    );
    // What is said of the patient is the sender's to say.
    assert_eq!(mends(patient("male", json!({"system": "urn:s", "code": "M"}))), json!([null]));
    assert_eq!(mends(patient("female", json!({"system": "urn:s", "code": "M"}))), json!([]));
}

#[test]
fn the_least_and_the_greatest_value_are_held_in_each_kind_of_value() {
    let limited = |min: (&str, Value), max: (&str, Value), kind: &str| {
        let mut element =
            json!({"id": "Observation.value[x]", "path": "Observation.value[x]", "type": [{"code": kind}]});
        element[format!("minValue{}", min.0)] = min.1;
        element[format!("maxValue{}", max.0)] = max.1;
        compile(&[profile("o", "Observation", json!([element]))])
    };
    let table = |profiles: &Profiles, name: &str, good: &[Value], bad: &[Value]| {
        let observation = |value: &Value| json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, name: value});
        good.iter().for_each(|value| check(profiles, "o", &observation(value), &[]));
        let at = format!("Observation.{name}");
        bad.iter().for_each(|value| check(profiles, "o", &observation(value), &[(Rule::ProfileValue, &at)]));
    };
    let whole = limited(("Integer", json!(0)), ("Integer", json!(10)), "integer");
    table(&whole, "valueInteger", &[json!(0), json!(10)], &[json!(-1), json!(11)]);
    let moment = limited(("DateTime", json!("2020-01-01")), ("DateTime", json!("2021")), "dateTime");
    // 2020 is neither before nor after a day in it.
    table(
        &moment,
        "valueDateTime",
        &[json!("2020-06-01"), json!("2021"), json!("2020")],
        &[json!("2019-12-31"), json!("2022")],
    );
    let time = limited(("Time", json!("08:00:00")), ("Time", json!("18:00:00")), "time");
    table(&time, "valueTime", &[json!("08:00:00"), json!("17:59:59")], &[json!("07:59:59"), json!("18:00:01")]);
    let ucum = |value: f64, code: &str| json!({"value": value, "unit": code, "system": "http://unitsofmeasure.org", "code": code});
    let weight = limited(("Quantity", ucum(1.0, "kg")), ("Quantity", ucum(2.0, "kg")), "Quantity");
    // What cannot be compared is left open.
    table(
        &weight,
        "valueQuantity",
        &[ucum(1.0, "kg"), ucum(1500.0, "g"), ucum(5.0, "m")],
        &[ucum(999.0, "g"), ucum(2.5, "kg")],
    );
    let age = limited(("Quantity", ucum(-1.0, "a")), ("Quantity", ucum(1.0, "a")), "dateTime");
    let found = judge(
        &age,
        "o",
        &json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueDateTime": "1990"}),
    );
    assert_eq!(found.issues, []);
    assert!(found.not_evaluated.iter().any(|left| left.why.contains("count from today")), "{:#?}", found.not_evaluated);
}

#[test]
fn a_type_may_be_narrowed_to_profiles_of_which_one_is_met() {
    let of = |id: &str, system: &str| {
        profile(
            id,
            "Identifier",
            json!([
        {"id": "Identifier", "path": "Identifier"},
        {"id": "Identifier.system", "path": "Identifier.system", "min": 1, "fixedUri": system}]),
        )
    };
    let narrowed = |profiles: Value| {
        profile(
            "p",
            "Patient",
            json!([
        {"id": "Patient.identifier", "path": "Patient.identifier", "type": [{"code": "Identifier", "profile": profiles}]}]),
        )
    };
    let (a, b) = (format!("{URL}a"), format!("{URL}b"));
    let patient = |system: &str| json!({"resourceType": "Patient", "identifier": [{"system": system}]});
    let one = compile(&[of("a", "urn:a"), of("b", "urn:b"), narrowed(json!([a]))]);
    check(&one, "p", &patient("urn:a"), &[]);
    check(&one, "p", &patient("urn:b"), &[(Rule::ProfileValue, "Patient.identifier[0].system")]);
    let two = compile(&[of("a", "urn:a"), of("b", "urn:b"), narrowed(json!([a, b]))]);
    check(&two, "p", &patient("urn:b"), &[]);
    check(&two, "p", &patient("urn:c"), &[(Rule::ProfileNoneFits, "Patient.identifier[0]")]);
    let strange = compile(&[of("a", "urn:a"), narrowed(json!([a, format!("{URL}strange")]))]);
    let found = judge(&strange, "p", &patient("urn:c"));
    assert_eq!(found.issues, []);
    assert!(found.not_evaluated.iter().any(|left| left.what.ends_with("strange")));
}

#[test]
fn a_profile_may_be_on_a_data_type_as_a_whole() {
    let short = profile("short", "string", json!([{"id": "string", "path": "string", "maxLength": 3}]));
    let day = profile(
        "day",
        "CodeableConcept",
        json!([{"id": "CodeableConcept", "path": "CodeableConcept",
        "patternCodeableConcept": {"coding": [{"system": "urn:s"}]}}]),
    );
    let person = profile(
        "p",
        "Patient",
        json!([
        {"id": "Patient.maritalStatus", "path": "Patient.maritalStatus", "type": [{"code": "CodeableConcept", "profile": [format!("{URL}day")]}]},
        {"id": "Patient.name.family", "path": "Patient.name.family", "type": [{"code": "string", "profile": [format!("{URL}short")]}]}]),
    );
    let profiles = compile(&[short, day, person]);
    let patient = |family: &str, system: &str| json!({"resourceType": "Patient", "name": [{"family": family}], "maritalStatus": {"coding": [{"system": system, "code": "1"}]}});
    check(&profiles, "p", &patient("abc", "urn:s"), &[]);
    check(&profiles, "p", &patient("abcd", "urn:s"), &[(Rule::PrimitiveFormat, "Patient.name[0].family")]);
    check(&profiles, "p", &patient("abc", "urn:t"), &[(Rule::ProfileValue, "Patient.maritalStatus")]);
}

#[test]
fn resources_in_resources_are_of_the_types_and_profiles_that_a_profile_lists() {
    let bundle = profile(
        "b",
        "Bundle",
        json!([
        {"id": "Bundle.entry.resource", "path": "Bundle.entry.resource", "type": [
            {"code": "Patient", "profile": [format!("{URL}named")]}, {"code": "Basic"}]}]),
    );
    let task = profile(
        "t",
        "Task",
        json!([
        {"id": "Task.contained", "path": "Task.contained", "type": [{"code": "Basic"}]}]),
    );
    let profiles = compile(&[named(), bundle, task]);
    let held = |resource: Value| json!({"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": resource}]});
    let basic = json!({"resourceType": "Basic", "id": "b", "code": {"text": "x"}});
    check(&profiles, "b", &held(basic.clone()), &[]);
    check(&profiles, "b", &held(json!({"resourceType": "Patient", "name": [{"text": "x"}]})), &[]);
    check(
        &profiles,
        "b",
        &held(json!({"resourceType": "Patient", "active": true})),
        &[(Rule::ElementRequired, "Bundle.entry[0].resource.name")],
    );
    check(
        &profiles,
        "b",
        &held(json!({"resourceType": "Organization", "name": "x"})),
        &[(Rule::ResourceTypeMismatch, "Bundle.entry[0].resource")],
    );
    let holding = |resource: Value| json!({"resourceType": "Task", "status": "requested", "intent": "order", "contained": [resource], "focus": {"reference": "#b"}});
    check(&profiles, "t", &holding(basic), &[]);
    check(
        &profiles,
        "t",
        &holding(json!({"resourceType": "Location", "id": "b", "name": "x"})),
        &[(Rule::ResourceTypeMismatch, "Task.contained[0]")],
    );
}

#[test]
fn what_a_profile_says_of_an_element_holds_where_the_element_stands_in_itself() {
    let profiles = compile(&[profile(
        "q",
        "Questionnaire",
        json!([
        {"id": "Questionnaire.item.text", "path": "Questionnaire.item.text", "min": 1}]),
    )]);
    let questionnaire = |inner: Value| {
        json!({"resourceType": "Questionnaire", "status": "draft",
        "item": [{"linkId": "1", "type": "group", "text": "x", "item": [inner]}]})
    };
    check(&profiles, "q", &questionnaire(json!({"linkId": "2", "type": "string", "text": "y"})), &[]);
    check(
        &profiles,
        "q",
        &questionnaire(json!({"linkId": "2", "type": "string"})),
        &[(Rule::ElementRequired, "Questionnaire.item[0].item[0].text")],
    );
}
