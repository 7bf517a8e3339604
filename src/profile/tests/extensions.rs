//! Extensions against their definitions, wherever they stand.

use super::super::Ask;
use super::document;
use super::slicing::{compile, profile, told};
use crate::issue::{Rule, Severity};
use crate::profile::{Profiles, UnknownExtensions};
use serde_json::{Value, json};

const URL: &str = "https://example.org/StructureDefinition/";

/// An extension that holds a code and may stand where `context` says.
fn extension(id: &str, context: Value) -> Value {
    let mut made = profile(
        id,
        "Extension",
        json!([
            {"id": "Extension", "path": "Extension"},
            {"id": "Extension.extension", "path": "Extension.extension", "max": "0"},
            {"id": "Extension.url", "path": "Extension.url", "fixedUri": format!("{URL}{id}")},
            {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, "type": [{"code": "code"}],
                "binding": {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/days-of-week"}}
        ]),
    );
    made["context"] = context;
    made
}

fn element(expressions: &[&str]) -> Value {
    expressions.iter().map(|one| json!({"type": "element", "expression": one})).collect()
}

fn check(profiles: &Profiles, resource: &Value, expected: &[(Rule, &str)]) {
    let found = profiles.check(&document(resource), &Ask::default()).issues;
    assert_eq!(told(&found), expected, "{resource:#}\n{found:#?}");
}

fn day(id: &str) -> Value {
    json!({"url": format!("{URL}{id}"), "valueCode": "mon"})
}

#[test]
fn an_extension_is_held_against_its_definition_wherever_it_stands() {
    let profiles = compile(&[extension("day", element(&["Element", "Resource"]))]);
    let patient = |extension: Value| json!({"resourceType": "Patient", "extension": [extension]});
    check(&profiles, &patient(day("day")), &[]);
    let mut other = day("day");
    other["valueCode"] = json!("monday");
    check(&profiles, &patient(other), &[(Rule::CodeRequired, "Patient.extension[0].valueCode")]);
    let wrong = json!({"url": format!("{URL}day"), "valueString": "mon"});
    check(&profiles, &patient(wrong.clone()), &[(Rule::ElementChoice, "Patient.extension[0].valueString")]);
    let birth = json!({"resourceType": "Patient", "birthDate": "1980-01-01", "_birthDate": {"extension": [wrong]}});
    check(&profiles, &birth, &[(Rule::ElementChoice, "Patient.birthDate.extension[0].valueString")]);
    let mut nested = day("day");
    nested.as_object_mut().unwrap().shift_remove("valueCode");
    nested["extension"] = json!([{"url": "urn:x", "valueString": "x"}]);
    check(
        &profiles,
        &patient(nested),
        &[
            (Rule::ElementTooMany, "Patient.extension[0].extension[0]"),
            (Rule::ElementRequired, "Patient.extension[0].value"),
        ],
    );
}

#[test]
fn an_extension_belongs_to_the_elements_that_its_definition_names() {
    let held = |place: &str, id: &str| -> (Value, String) {
        let one = json!([day(id)]);
        match place {
            "Patient" => (json!({"resourceType": "Patient", "extension": one}), "Patient".into()),
            "Patient.name" => (
                json!({"resourceType": "Patient", "name": [{"family": "x", "extension": one}]}),
                "Patient.name[0]".into(),
            ),
            "Patient.birthDate" => {
                (json!({"resourceType": "Patient", "_birthDate": {"extension": one}}), "Patient.birthDate".into())
            }
            "Patient.contact" => (
                json!({"resourceType": "Patient", "contact": [{"name": {"text": "x"}, "extension": one}]}),
                "Patient.contact[0]".into(),
            ),
            "Patient.contact.name" => (
                json!({"resourceType": "Patient", "contact": [{"name": {"text": "x", "extension": one}}]}),
                "Patient.contact[0].name".into(),
            ),
            "Patient.deceased" => (
                json!({"resourceType": "Patient", "deceasedBoolean": true, "_deceasedBoolean": {"extension": one}}),
                "Patient.deceasedBoolean".into(),
            ),
            "contained" => (
                json!({"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o", "name": "x", "extension": one}], "managingOrganization": {"reference": "#o"}}),
                "Patient.contained[0]".into(),
            ),
            other => panic!("{other}"),
        }
    };
    let all = [
        "Patient",
        "Patient.name",
        "Patient.birthDate",
        "Patient.contact",
        "Patient.contact.name",
        "Patient.deceased",
        "contained",
    ];
    let table = [
        (element(&["Patient"]), &["Patient"][..]),
        (element(&["DomainResource"]), &["Patient", "contained"]),
        (element(&["Resource"]), &["Patient", "contained"]),
        (element(&["Organization"]), &["contained"]),
        (element(&["Patient.name"]), &["Patient.name"]),
        (element(&["HumanName"]), &["Patient.name", "Patient.contact.name"]),
        (
            element(&["Element"]),
            &["Patient.name", "Patient.birthDate", "Patient.contact", "Patient.contact.name", "Patient.deceased"],
        ),
        (element(&["BackboneElement"]), &["Patient.contact"]),
        (element(&["date", "Patient.contact"]), &["Patient.birthDate", "Patient.contact"]),
        (element(&["Patient.contact.name"]), &["Patient.contact.name"]),
        (element(&["Patient.deceased[x]"]), &["Patient.deceased"]),
        (
            json!([{"type": "fhirpath", "expression": "Patient.name | Patient.contact.name"}]),
            &["Patient.name", "Patient.contact.name"],
        ),
        (json!([]), &all),
    ];
    let ids: Vec<_> = (0..table.len()).map(|number| format!("day-{number}")).collect();
    let definitions: Vec<_> = ids.iter().zip(&table).map(|(id, (context, _))| extension(id, context.clone())).collect();
    let profiles = compile(&definitions);
    for (id, (context, good)) in ids.iter().zip(&table) {
        for place in all {
            let (resource, at) = held(place, id);
            let at = format!("{at}.extension[0]");
            let wrong = [(Rule::ExtensionContext, at.as_str())];
            let found = profiles.check(&document(&resource), &Ask::default()).issues;
            let expected = if good.contains(&place) { &[][..] } else { &wrong };
            assert_eq!(told(&found), expected, "{context} at {place}");
        }
    }
}

#[test]
fn an_extension_may_belong_to_another_and_ask_of_what_it_stands_in() {
    let mut outer = extension("outer", element(&["Patient"]));
    outer["differential"]["element"].as_array_mut().unwrap().remove(1);
    let mut inner = extension("inner", json!([{"type": "extension", "expression": format!("{URL}outer")}]));
    inner["contextInvariant"] = json!(["value.exists()"]);
    let profiles = compile(&[outer, inner]);
    let on_value = json!({"resourceType": "Patient", "extension": [{"url": format!("{URL}outer"), "valueCode": "mon",
        "_valueCode": {"extension": [day("inner")]}}]});
    let found = profiles.check(&document(&on_value), &Ask::default()).issues;
    // It may stand on the value; but a code has no value below it.
    assert_eq!(told(&found), [(Rule::Invariant, "Patient.extension[0].valueCode")], "{found:#?}");
    check(
        &profiles,
        &json!({"resourceType": "Patient", "extension": [day("inner")]}),
        &[(Rule::ExtensionContext, "Patient.extension[0]"), (Rule::Invariant, "Patient")],
    );
}

#[test]
fn the_parts_of_an_extension_are_told_by_its_definition() {
    let part = |name: &str, kind: &str, min: u32| {
        let id = format!("Extension.extension:{name}");
        [
            json!({"id": id, "path": "Extension.extension", "sliceName": name, "min": min, "max": "1"}),
            json!({"id": format!("{id}.url"), "path": "Extension.extension.url", "fixedUri": name}),
            json!({"id": format!("{id}.value[x]"), "path": "Extension.extension.value[x]", "min": 1, "type": [{"code": kind}]}),
        ]
    };
    let mut elements = vec![
        json!({"id": "Extension", "path": "Extension"}),
        json!({"id": "Extension.extension", "path": "Extension.extension",
            "slicing": {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}}),
    ];
    elements.extend(part("when", "date", 1));
    elements.extend(part("why", "string", 0));
    elements.push(json!({"id": "Extension.url", "path": "Extension.url", "fixedUri": format!("{URL}both")}));
    elements.push(json!({"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"}));
    let profiles = compile(&[profile("both", "Extension", elements.into())]);
    let patient = |parts: Value| json!({"resourceType": "Patient", "extension": [{"url": format!("{URL}both"), "extension": parts}]});
    let when = json!({"url": "when", "valueDate": "2026-01-01"});
    check(&profiles, &patient(json!([when, {"url": "why", "valueString": "x"}])), &[]);
    check(
        &profiles,
        &patient(json!([{"url": "why", "valueString": "x"}])),
        &[(Rule::SliceRequired, "Patient.extension[0].extension")],
    );
    check(&profiles, &patient(json!([when, when])), &[(Rule::SliceTooMany, "Patient.extension[0].extension[1]")]);
    check(
        &profiles,
        &patient(json!([when, {"url": "who", "valueString": "x"}])),
        &[(Rule::ExtensionUnknown, "Patient.extension[0].extension[1]")],
    );
    check(
        &profiles,
        &patient(json!([{"url": "when", "valueString": "x"}])),
        &[(Rule::ElementChoice, "Patient.extension[0].extension[0].valueString")],
    );
}

#[test]
fn what_no_package_defines_is_thought_of_as_the_settings_say() {
    let profiles = compile(&[]);
    let unknown = json!({"resourceType": "Patient", "extension": [{"url": "urn:x", "extension": [{"url": "part", "valueString": "x"}]}]});
    for (policy, expected) in [
        (UnknownExtensions::Accept, None),
        (UnknownExtensions::Warn, Some(Severity::Warning)),
        (UnknownExtensions::Refuse, Some(Severity::Error)),
    ] {
        let ask = Ask { unknown_extensions: policy, ..Ask::default() };
        let found = profiles.check(&document(&unknown), &ask).issues;
        let told: Vec<_> = found.iter().map(|issue| (issue.rule, issue.severity)).collect();
        assert_eq!(told, Vec::from_iter(expected.map(|severity| (Rule::ExtensionUnknown, severity))), "{policy:?}");
    }
    let relative = json!({"resourceType": "Patient", "extension": [{"url": "part", "valueString": "x"}]});
    check(&profiles, &relative, &[(Rule::ExtensionUnknown, "Patient.extension[0]")]);
}

#[test]
fn what_modifies_stands_among_the_modifiers_and_nothing_else_does() {
    let mut modifies = extension("not", element(&["Patient"]));
    modifies["differential"]["element"][0]["isModifier"] = json!(true);
    modifies["differential"]["element"][0]["isModifierReason"] = json!("it says not");
    let profiles = compile(&[modifies, extension("day", element(&["Patient"]))]);
    let patient = |member: &str, id: &str| json!({"resourceType": "Patient", member: [day(id)]});
    check(&profiles, &patient("modifierExtension", "not"), &[]);
    check(&profiles, &patient("extension", "day"), &[]);
    check(&profiles, &patient("extension", "not"), &[(Rule::ExtensionContext, "Patient.extension[0]")]);
    check(&profiles, &patient("modifierExtension", "day"), &[(Rule::ExtensionContext, "Patient.modifierExtension[0]")]);
}
