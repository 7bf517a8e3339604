//! References, contained resources and narratives: what leads where, and what is heard when it does not.

use super::{appointment, document, put, r4, task};
use crate::issue::{Rule, Severity};
use crate::profile::{Ask, Package, Profiles};
use serde_json::{Value, json};

/// What is told of `value`: rule, severity and place.
fn told(value: &Value) -> Vec<(Rule, Severity, String)> {
    told_by(r4(), value, &[])
}

fn told_by(profiles: &Profiles, value: &Value, asked: &[&str]) -> Vec<(Rule, Severity, String)> {
    let found = profiles.check(&document(value), &Ask { profiles: asked, ..Ask::default() }).issues;
    let line = |issue: crate::issue::Issue| {
        assert!(issue.hint.is_some() && issue.asked_by.is_some(), "{issue} has a way out and an asker");
        (issue.rule, issue.severity, issue.place.unwrap().expression)
    };
    found.into_iter().map(line).collect()
}

fn check(value: &Value, expected: &[(Rule, Severity, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(rule, severity, at)| (*rule, *severity, (*at).to_owned())).collect();
    assert_eq!(told(value), expected, "{value}");
}

#[test]
fn a_reference_has_one_of_the_forms_of_fhir() {
    use Severity::{Error, Warning};
    const AT: &str = "Task.focus.reference";
    let table = [
        ("Appointment/1", None),
        ("Appointment/1/_history/2", None),
        ("https://example.org/r4/Appointment/1", None),
        ("urn:uuid:deb4c4b3-870b-4599-84df-5e54cef7afda", None),
        ("urn:oid:1.2.36.1", None),
        ("https://example.org/some/page", None),
        ("Appointment/1#part", None),
        ("9990000018", Some((Rule::ReferenceForm, Warning, AT))),
        ("Appointment/", Some((Rule::ReferenceForm, Warning, AT))),
        ("/Appointment/1", Some((Rule::ReferenceForm, Warning, AT))),
        ("Appointment?identifier=a%7C1", Some((Rule::ReferenceForm, Warning, AT))),
        ("urn:uuid:1", Some((Rule::ReferenceForm, Warning, AT))),
        ("Appointment/1 ", Some((Rule::ReferenceForm, Error, AT))),
        ("#gone", Some((Rule::Invariant, Error, "Task.focus"))),
        ("#", None),
        ("Appointmnt/1", Some((Rule::ReferenceTarget, Error, AT))),
    ];
    for (address, expected) in table {
        let mut value = task();
        value["focus"] = json!({"reference": address});
        let found: Vec<_> = told(&value).into_iter().filter(|(rule, _, _)| *rule != Rule::PrimitiveUnusual).collect();
        let expected: Vec<_> =
            expected.into_iter().map(|(rule, severity, at)| (rule, severity, at.to_owned())).collect();
        assert_eq!(found, expected, "{address}");
    }
    let with = |focus: Value| {
        let mut value = task();
        value["focus"] = focus;
        value
    };
    check(&with(json!({"identifier": {"value": "1"}})), &[]);
    check(&with(json!({"display": "the appointment"})), &[]);
    check(&with(json!({"extension": [{"url": "https://a.org/x", "valueCode": "y"}]})), &[]);
    check(&with(json!({"type": "Appointment"})), &[(Rule::ReferenceForm, Warning, "Task.focus")]);
}

#[test]
fn the_type_of_a_target_is_that_of_what_is_found_before_that_of_the_address() {
    use Severity::{Error, Warning};
    let with = |based_on: Value| {
        let mut value = appointment();
        value["contained"] = json!([
            {"resourceType": "Location", "id": "here", "name": "x"}, {"resourceType": "Basic", "id": "b", "code": {"text": "x"}}
        ]);
        value["basedOn"] = json!([{"reference": "#b"}]);
        value["basedOn"][0] = based_on;
        value["slot"] = json!([{"reference": "#b"}]);
        value
    };
    const SLOT: (Rule, Severity, &str) = (Rule::ReferenceTarget, Error, "Appointment.slot[0].reference");
    let at = "Appointment.basedOn[0].reference";
    check(&with(json!({"reference": "ServiceRequest/1"})), &[SLOT]);
    check(&with(json!({"reference": "#b"})), &[(Rule::ReferenceTarget, Error, at), SLOT]);
    check(&with(json!({"reference": "https://example.org/Patient/1"})), &[(Rule::ReferenceTarget, Warning, at), SLOT]);
    let definition = "http://hl7.org/fhir/StructureDefinition/ServiceRequest";
    check(&with(json!({"reference": "ServiceRequest/1", "type": definition})), &[SLOT]);
}

#[test]
fn contained_resources_have_ids_of_their_own_and_are_used() {
    use Severity::Error;
    let with = |contained: Value| {
        let mut value = task();
        value["contained"] = contained;
        value["focus"] = json!({"reference": "#a"});
        value
    };
    let basic = |id: &str| json!({"resourceType": "Basic", "id": id, "code": {"text": "x"}});
    check(&with(json!([basic("a")])), &[]);
    check(&with(json!([basic("a"), basic("a")])), &[(Rule::ContainedId, Error, "Task.contained[1].id")]);
    let nameless = json!({"resourceType": "Basic", "code": {"text": "x"}});
    check(&with(json!([basic("a"), nameless])), &[(Rule::ContainedId, Error, "Task.contained[1]")]);
    check(&with(json!([basic("a"), basic("b")])), &[(Rule::Invariant, Error, "Task.contained[1]")]);
    // What one contained resource points at in another is used, and so is what a narrative shows.
    let mut first = basic("a");
    first["subject"] = json!({"reference": "#b"});
    check(&with(json!([first, basic("b")])), &[]);
    let mut value = with(json!([basic("a"), basic("b")]));
    value["text"] = json!({"status": "generated",
        "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"#b\">x</a></div>"});
    check(&value, &[]);
    // A contained resource contains none (dom-2), and has no version of its own (dom-4).
    let mut outer = basic("a");
    outer["contained"] = json!([basic("c")]);
    outer["subject"] = json!({"reference": "#"});
    let found = told(&with(json!([outer])));
    assert!(found.iter().any(|(rule, _, at)| *rule == Rule::Invariant && at == "Task"), "{found:?}");
    let mut versioned = basic("a");
    versioned["meta"] = json!({"versionId": "1"});
    check(&with(json!([versioned])), &[(Rule::Invariant, Error, "Task")]);
}

#[test]
fn a_narrative_leads_to_places_that_are_there() {
    let with = |content: &str| {
        let mut value = task();
        value["code"] = json!({"id": "why", "text": "x"});
        value["text"] = json!({"status": "generated",
            "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{content}</div>")});
        value
    };
    const GONE: &[(Rule, Severity, &str)] = &[(Rule::NarrativeLink, Severity::Error, "Task.text.div")];
    check(&with("<a href=\"#why\">x</a>"), &[]);
    check(&with("<a href=\"#here\">x</a><p id=\"here\">y</p>"), &[]);
    check(&with("<a href=\"#here\">x</a><a name=\"here\">y</a>"), &[]);
    check(&with("<a href=\"#gone\">x</a>"), GONE);
    check(&with("<img src=\"#gone\" alt=\"x\"/>"), GONE);
}

#[test]
fn ids_of_elements_differ_within_a_resource_and_not_beyond() {
    let mut value = task();
    value["code"] = json!({"id": "a", "text": "x"});
    value["focus"]["id"] = json!("b");
    value["contained"] = json!([{"resourceType": "Basic", "id": "a", "code": {"id": "a", "text": "x"}}]);
    value["basedOn"] = json!([{"reference": "#a"}]);
    check(&value, &[]);
    value["focus"]["id"] = json!("a");
    let found = told(&value);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, Rule::ElementIdDuplicate);
    put(&mut value, "/focus/id", Value::Null);
    value["id"] = json!("a");
    check(&value, &[]);
    value["_id"] = json!({"extension": [{"url": "https://a.org/x", "valueCode": "y"}]});
    check(&value, &[(Rule::ElementUnknown, Severity::Error, "Task.id")]);
}

#[test]
fn what_data_types_ask_beside_their_definitions_is_asked() {
    use Severity::{Error, Warning};
    let with = |pointer: &str, item: Value| {
        let mut value = super::patient();
        put(&mut value, pointer, item);
        value
    };
    let identifier = |system: &str, item: &str| with("/identifier", json!([{"system": system, "value": item}]));
    check(&identifier("https://fhir.nhs.uk/Id/nhs-number", "9990000018"), &[]);
    check(&identifier("nhs-number", "9990000018"), &[(Rule::IdentifierSystem, Error, "Patient.identifier[0].system")]);
    check(&identifier("urn:ietf:rfc:3986", "urn:oid:1.2.36.1"), &[]);
    let at = "Patient.identifier[0].value";
    check(&identifier("urn:ietf:rfc:3986", "1.2.36.1"), &[(Rule::IdentifierSystem, Error, at)]);
    check(&with("/photo", json!([{"contentType": "image/png", "data": "QUJD", "size": 3}])), &[]);
    check(
        &with("/photo", json!([{"contentType": "image/png", "data": "QUJD", "size": 4}])),
        &[(Rule::AttachmentSize, Error, "Patient.photo[0].size")],
    );
    check(&with("/photo", json!([{"title": "x"}])), &[(Rule::AttachmentEmpty, Warning, "Patient.photo[0]")]);
    let label = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"});
    check(&with("/meta", json!({"security": [label]})), &[]);
    check(
        &with("/meta", json!({"security": [label, label]})),
        &[(Rule::MetaDuplicate, Error, "Patient.meta.security[1]")],
    );
}

// ---- profiles of targets

/// R4's definitions, and profiles of Task whose `focus` asks something of its target.
fn with_profiles() -> Profiles {
    let elements = |focus: Value| {
        json!([
            {"id": "Task", "path": "Task", "min": 0, "max": "*"},
            {"id": "Task.focus", "path": "Task.focus", "min": 0, "max": "1", "base": {"max": "1"}, "type": [focus]}
        ])
    };
    let profile = |name: &str, type_name: &str, elements: Value| {
        let definition = json!({"resourceType": "StructureDefinition", "url": format!("https://example.org/{name}"),
            "fhirVersion": "4.0.1", "kind": "resource", "type": type_name, "derivation": "constraint",
            "baseDefinition": format!("http://hl7.org/fhir/StructureDefinition/{type_name}"),
            "snapshot": {"element": elements}});
        (format!("StructureDefinition-{name}.json"), definition.to_string())
    };
    let asks = |more: Value| {
        let mut one = json!({"code": "Reference"});
        one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        elements(one)
    };
    let described = json!([
        {"id": "Appointment", "path": "Appointment", "min": 0, "max": "*"},
        {"id": "Appointment.description", "path": "Appointment.description", "min": 1, "max": "1",
            "base": {"max": "1"}, "type": [{"code": "string"}]}
    ]);
    let circle = asks(json!({"targetProfile": ["https://example.org/circle"]}));
    let appointment = "http://hl7.org/fhir/StructureDefinition/Appointment";
    let files = vec![
        profile("described", "Appointment", described),
        profile("fits", "Task", asks(json!({"targetProfile": ["https://example.org/described"]}))),
        profile("either", "Task", asks(json!({"targetProfile": ["https://example.org/described", appointment]}))),
        profile("contained", "Task", asks(json!({"aggregation": ["contained"]}))),
        profile("bundled", "Task", asks(json!({"aggregation": ["bundled"]}))),
        profile("referenced", "Task", asks(json!({"aggregation": ["referenced"]}))),
        profile("specific", "Task", asks(json!({"versioning": "specific"}))),
        profile("independent", "Task", asks(json!({"versioning": "independent"}))),
        profile("circle", "Task", circle),
    ];
    let ours = Package { name: "test".into(), version: "1".into(), files };
    Profiles::compile(&[super::own_package(), ours]).unwrap()
}

#[test]
fn a_target_fits_one_of_the_profiles_that_are_asked_for() {
    let profiles = with_profiles();
    let with = |description: Option<&str>| {
        let mut contained = appointment();
        contained["id"] = json!("a");
        for name in ["contained", "meta", "text", "supportingInformation"] {
            contained.as_object_mut().unwrap().shift_remove(name);
        }
        put(&mut contained, "/participant/1/actor/reference", json!("Location/1"));
        if let Some(description) = description {
            contained["description"] = json!(description);
        }
        let mut value = task();
        value["contained"] = json!([contained]);
        value["focus"] = json!({"reference": "#a"});
        value
    };
    let fits = ["https://example.org/fits"];
    assert_eq!(told_by(&profiles, &with(Some("x")), &fits), []);
    assert_eq!(
        told_by(&profiles, &with(None), &fits),
        [(Rule::ReferenceProfile, Severity::Error, "Task.focus.reference".to_owned())]
    );
    assert_eq!(told_by(&profiles, &with(None), &["https://example.org/either"]), []);
    // What is not in the document cannot be held against anything.
    assert_eq!(told_by(&profiles, &task(), &fits), []);
}

#[test]
fn a_circle_of_profiles_and_a_long_chain_of_references_come_to_an_end() {
    let profiles = with_profiles();
    let last = 400;
    let tasks: Vec<_> = (0..=last)
        .map(|id| {
            let mut contained = task();
            contained["id"] = json!(format!("t{id}"));
            contained["focus"] = json!({"reference": format!("#t{}", (id + 1) % (last + 1))});
            contained
        })
        .collect();
    let mut value = task();
    value["contained"] = tasks.into();
    value["focus"] = json!({"reference": "#t0"});
    assert_eq!(told_by(&profiles, &value, &["https://example.org/circle"]), []);
}

#[test]
fn a_target_is_reached_as_the_profile_asks() {
    let profiles = with_profiles();
    let with = |address: &str| {
        let mut value = task();
        value["contained"] = json!([{"resourceType": "Basic", "id": "a", "code": {"text": "x"}}]);
        value["basedOn"] = json!([{"reference": "#a"}]);
        value["focus"] = json!({"reference": address});
        value
    };
    let table = [
        ("contained", "#a", true),
        ("contained", "Basic/1", false),
        ("bundled", "#a", false),
        ("bundled", "Basic/1", false),
        ("referenced", "Basic/1", true),
        ("referenced", "#a", false),
        ("specific", "Basic/1/_history/1", true),
        ("specific", "Basic/1", false),
        ("specific", "#a", true),
        ("independent", "Basic/1", true),
        ("independent", "Basic/1/_history/1", false),
    ];
    for (name, address, is_good) in table {
        let found = told_by(&profiles, &with(address), &[&format!("https://example.org/{name}")]);
        let wanted = (Rule::ReferenceMode, Severity::Error, "Task.focus.reference".to_owned());
        assert_eq!(found, if is_good { vec![] } else { vec![wanted] }, "{name}: {address}");
    }
}
