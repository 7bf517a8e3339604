//! What a profile asks more than the resource type's own definition.

use super::super::Ask;
use super::{appointment, document, own_package, put};
use crate::issue::{Issue, Rule, Severity, any_refuses};
use crate::profile::{Package, Profiles};
use serde_json::{Value, json};
use std::sync::OnceLock;

const URL: &str = "https://example.org/StructureDefinition/clinic-appointment";

/// R4's Appointment, narrowed.
fn narrowed() -> Value {
    let core = own_package();
    let text = core.files.iter().find(|(name, _)| name == "StructureDefinition-Appointment.json").map(|(_, text)| text);
    let mut profile: Value = serde_json::from_str(text.unwrap()).unwrap();
    profile["url"] = json!(URL);
    profile["derivation"] = json!("constraint");
    let mut narrow = |path: &str, members: Value| {
        let elements = profile["snapshot"]["element"].as_array_mut().unwrap();
        let element = elements.iter_mut().find(|element| element["path"] == path).unwrap();
        element.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    };
    narrow("Appointment.identifier", json!({"min": 1, "max": "2", "base": {"max": "*"}}));
    narrow("Appointment.comment", json!({"max": "0", "base": {"max": "1"}}));
    narrow("Appointment.description", json!({"min": 1, "maxLength": 10}));
    narrow("Appointment.minutesDuration", json!({"fixedPositiveInt": 20}));
    narrow(
        "Appointment.appointmentType",
        json!({"patternCodeableConcept": {"coding": [{"system": "urn:x", "code": "a"}]}}),
    );
    narrow(
        "Appointment.participant.actor",
        json!({"type": [{"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"]}]}),
    );
    narrow(
        "Appointment.specialty",
        json!({"binding": {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/days-of-week"}}),
    );
    narrow(
        "Appointment.participant",
        json!({"constraint": [{"key": "clinic-1", "severity": "warning", "human": "A clinic says how long.", "expression": "period.exists()"}]}),
    );
    profile
}

fn profiles() -> &'static Profiles {
    static PROFILES: OnceLock<Profiles> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let files = vec![("StructureDefinition-clinic.json".to_owned(), narrowed().to_string())];
        let clinic = Package { name: "clinic".into(), version: "1".into(), files };
        Profiles::compile(&[own_package(), clinic]).unwrap()
    })
}

fn clinic_appointment() -> Value {
    let mut value = appointment();
    value["description"] = json!("Hip");
    value["participant"] =
        json!([{"actor": {"reference": "Patient/1"}, "status": "accepted", "period": {"start": "2026"}}]);
    value["supportingInformation"] = json!([{"reference": "#here"}]);
    value
}

fn issues(value: &Value) -> Vec<Issue> {
    profiles().check(&document(value), &Ask { profiles: &[URL], ..Ask::default() }).issues
}

#[test]
fn a_profile_is_heard_besides_the_base_and_only_when_asked() {
    let coding = |code: &str| json!({"coding": [{"system": "urn:x", "code": code}]});
    assert_eq!(issues(&clinic_appointment()), []);
    let check = |pointer: &str, value: Value, rule: Rule, at: &str| {
        let mut bad = clinic_appointment();
        put(&mut bad, pointer, value);
        assert_eq!(profiles().check(&document(&bad), &Ask::default()).issues, [], "{pointer} is good for the base");
        let found = issues(&bad);
        let [only] = found.as_slice() else { panic!("{pointer}: {found:#?}") };
        assert_eq!((only.rule, only.place.as_ref().unwrap().expression.as_str()), (rule, at));
        assert!(only.asked_by.as_deref().unwrap().contains(URL), "{only:?}");
    };
    check("/identifier", Value::Null, Rule::ElementRequired, "Appointment.identifier");
    check(
        "/identifier",
        json!([{"value": "1"}, {"value": "2"}, {"value": "3"}]),
        Rule::ElementTooMany,
        "Appointment.identifier[2]",
    );
    check("/comment", json!("x"), Rule::ElementTooMany, "Appointment.comment");
    check("/description", json!("longer than ten"), Rule::PrimitiveFormat, "Appointment.description");
    check("/minutesDuration", json!(21), Rule::ProfileValue, "Appointment.minutesDuration");
    check("/appointmentType", coding("b"), Rule::ProfileValue, "Appointment.appointmentType");
    check("/specialty", json!([coding("mon")]), Rule::CodeRequired, "Appointment.specialty[0].coding[0].code");
    check(
        "/participant/0/actor",
        json!({"reference": "Location/1"}),
        Rule::ReferenceTarget,
        "Appointment.participant[0].actor.reference",
    );
    check("/participant/0/period", Value::Null, Rule::Invariant, "Appointment.participant[0]");
    let mut good = clinic_appointment();
    put(&mut good, "/appointmentType", coding("a"));
    assert_eq!(issues(&good), []);
}

#[test]
fn an_invariant_of_lesser_weight_warns() {
    let mut value = clinic_appointment();
    put(&mut value, "/participant/0/period", Value::Null);
    assert!(!any_refuses(&issues(&value)));
}

#[test]
fn a_fault_that_base_and_profile_both_find_is_told_once() {
    let mut value = clinic_appointment();
    put(&mut value, "/participant", Value::Null);
    put(&mut value, "/status", json!("boked"));
    let rules: Vec<_> = issues(&value).iter().map(|issue| issue.rule).collect();
    assert_eq!(rules, [Rule::CodeRequired, Rule::ElementRequired]);
}

#[test]
fn a_profile_that_is_not_loaded_is_told_and_refuses_nothing() {
    let found = profiles()
        .check(&document(&appointment()), &Ask { profiles: &["https://example.org/none|1.0"], ..Ask::default() })
        .issues;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule, found[0].severity), (Rule::ProfileNotLoaded, Severity::Warning));
}

#[test]
fn what_is_loaded_is_listed() {
    let listed: Vec<_> = profiles().profiles().filter(|loaded| loaded.url == URL).collect();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].type_name, listed[0].kind), ("Appointment", crate::profile::DefinitionKind::Profile));
}

#[test]
fn an_extension_that_modifies_is_taken_when_its_definition_is_loaded_and_refused_otherwise() {
    const KNOWN: &str = "https://example.org/StructureDefinition/not-before-seen";
    let core = own_package();
    let text = core.files.iter().find(|(name, _)| name == "StructureDefinition-Extension.json").map(|(_, text)| text);
    let mut extension: Value = serde_json::from_str(text.unwrap()).unwrap();
    extension["url"] = json!(KNOWN);
    extension["derivation"] = json!("constraint");
    extension["snapshot"]["element"][0]["isModifier"] = json!(true);
    let files = vec![("StructureDefinition-known.json".to_owned(), extension.to_string())];
    let site = Package { name: "site".into(), version: "1".into(), files };
    let profiles = Profiles::compile(&[core, site]).unwrap();
    let refusals = |resource: &Value| -> Vec<(Rule, String)> {
        let found = profiles.check(&document(resource), &Ask::default()).issues;
        let place = |issue: &Issue| issue.place.as_ref().unwrap().expression.clone();
        found.iter().filter(|issue| issue.refuses()).map(|issue| (issue.rule, place(issue))).collect()
    };
    let unknown = |place: &str| vec![(Rule::ExtensionModifierUnknown, place.to_owned())];
    for (url, expected) in [
        (KNOWN, vec![]),
        ("https://example.org/negated", unknown("Appointment.modifierExtension[0]")),
        // Profiles on other types, and the definition of Extension itself, are no extension's definition.
        ("http://hl7.org/fhir/StructureDefinition/Extension", unknown("Appointment.modifierExtension[0]")),
    ] {
        let mut value = appointment();
        value["modifierExtension"] = json!([{"url": url, "valueBoolean": true}]);
        assert_eq!(refusals(&value), expected, "{url}");
    }
    let mut value = appointment();
    value["participant"][0]["modifierExtension"] = json!([{"url": "urn:not", "valueBoolean": true}]);
    assert_eq!(refusals(&value), unknown("Appointment.participant[0].modifierExtension[0]"));
    let mut value = appointment();
    value["contained"][0]["modifierExtension"] = json!([{"url": "urn:not", "valueBoolean": true}]);
    assert_eq!(refusals(&value), unknown("Appointment.contained[0].modifierExtension[0]"));
}

#[test]
fn rules_agreed_elsewhere_are_refused_wherever_a_resource_names_them() {
    for pointer in ["/implicitRules", "/contained/0/implicitRules"] {
        let mut value = appointment();
        put(&mut value, pointer, json!("https://example.org/rules"));
        let found = profiles().check(&document(&value), &Ask::default()).issues;
        let refusals: Vec<_> = found.iter().filter(|issue| issue.refuses()).map(|issue| issue.rule).collect();
        assert_eq!(refusals, [Rule::ImplicitRules], "{pointer}");
    }
}
