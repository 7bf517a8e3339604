//! Codes: bindings of each strength, code systems, displays, and what cannot be decided here.

use super::super::{Ask, Package, Profiles, Verdict};
use super::{document, own_package};
use crate::issue::{Operation, Rule, Severity};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// R4 with a small hospital's own definitions beside it.
fn profiles() -> &'static Profiles {
    static PROFILES: OnceLock<Profiles> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let file = |name: &str, value: Value| (format!("{name}.json"), value.to_string());
        let element = |id: &str, binding: Value| {
            json!({"id": id, "path": id, "min": 0, "max": "1", "type": [{"code": "CodeableConcept"}], "binding": binding})
        };
        let max = |url: &str| {
            json!([{"url": "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet", "valueCanonical": url}])
        };
        let profile = json!({
            "resourceType": "StructureDefinition", "url": "urn:ward-request", "fhirVersion": "4.0.1", "kind": "resource",
            "type": "ServiceRequest", "derivation": "constraint",
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/ServiceRequest",
            "snapshot": {"element": [
                {"id": "ServiceRequest", "path": "ServiceRequest", "min": 0, "max": "*"},
                element("ServiceRequest.code", json!({"strength": "required", "valueSet": "urn:ward-codes"})),
                element("ServiceRequest.performerType", json!({"strength": "extensible", "valueSet": "urn:ward-codes"})),
                {"id": "ServiceRequest.category", "path": "ServiceRequest.category", "min": 0, "max": "*",
                    "type": [{"code": "CodeableConcept"}],
                    "binding": {"strength": "preferred", "valueSet": "urn:gone", "extension": max("urn:ward-codes")}},
                {"id": "ServiceRequest.reasonCode", "path": "ServiceRequest.reasonCode", "min": 0, "max": "*",
                    "type": [{"code": "CodeableConcept"}],
                    "binding": {"strength": "extensible", "valueSet": "urn:ward-day", "extension": max("urn:ward-codes")}},
                {"id": "ServiceRequest.bodySite", "path": "ServiceRequest.bodySite", "min": 0, "max": "*",
                    "type": [{"code": "CodeableConcept"}],
                    "binding": {"strength": "required", "valueSet": "urn:snomed-part"}},
            ]},
        });
        let ward = json!({
            "resourceType": "CodeSystem", "url": "urn:ward", "content": "complete", "caseSensitive": true, "concept": [
                {"code": "day-case", "display": "Day case", "designation": [{"language": "cy", "value": "Achos dydd"}]},
                {"code": "overnight", "display": "Over night"},
                {"code": "closed", "display": "Closed ward", "property": [{"code": "inactive", "valueBoolean": true}]},
                {"code": "elsewhere"},
            ],
        });
        let part = json!({"resourceType": "CodeSystem", "url": "urn:part", "content": "fragment", "concept": [{"code": "known"}]});
        let set = |url: &str, include: Value| json!({"resourceType": "ValueSet", "url": url, "compose": {"include": include}});
        let listed = |codes: &[&str]| {
            let codes: Vec<Value> = codes.iter().map(|code| json!({"code": code})).collect();
            json!([{"system": "urn:ward", "concept": codes}])
        };
        let files = vec![
            file("profile", profile),
            file("ward", ward),
            file("part", part),
            file("codes", set("urn:ward-codes", listed(&["day-case", "overnight", "closed"]))),
            file("day", set("urn:ward-day", listed(&["day-case"]))),
            file("snomed", set("urn:snomed-part", json!([{"system": "http://snomed.info/sct",
                "filter": [{"property": "concept", "op": "is-a", "value": "442083009"}]}]))),
        ];
        let own = Package { name: "ward".into(), version: "1".into(), files };
        Profiles::compile(&[own_package(), own]).unwrap_or_else(|problems| panic!("{problems:#?}"))
    })
}

fn verdict(members: Value) -> Verdict {
    let mut request = json!({
        "resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": {"reference": "Patient/1"},
    });
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    profiles().check(&document(&request), &Ask { profiles: &["urn:ward-request"], ..Ask::default() })
}

/// Rule, severity and place of each issue.
fn told(members: Value) -> Vec<(Rule, Severity, String)> {
    let issues = verdict(members).issues;
    issues.into_iter().map(|issue| (issue.rule, issue.severity, issue.place.unwrap_or_default().expression)).collect()
}

fn coding(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

#[test]
fn a_required_binding_takes_its_codes_and_nothing_else() {
    let wrong = |place: &str| vec![(Rule::CodeRequired, Severity::Error, format!("ServiceRequest.code{place}"))];
    let check = |code: Value, expected: Vec<(Rule, Severity, String)>| {
        assert_eq!(told(json!({"code": code})), expected, "{code}");
    };
    check(coding("urn:ward", "day-case"), vec![]);
    check(coding("urn:ward", "elsewhere"), wrong(".coding[0].code"));
    check(json!({"text": "a text is no code"}), wrong(""));
    check(json!({"coding": [{"system": "urn:ward"}]}), wrong(".coding[0]"));
    check(json!({"coding": [{"code": "day-case"}]}), vec![]);
    let both =
        json!({"coding": [{"system": "urn:ward", "code": "elsewhere"}, {"system": "urn:ward", "code": "overnight"}]});
    check(both, vec![]);
    let neither = json!({"coding": [{"system": "urn:ward", "code": "elsewhere"}, {"code": "nowhere"}]});
    check(neither, wrong(""));
}

#[test]
fn an_extensible_binding_warns_and_leaves_room_for_text_and_for_what_is_not_known() {
    let check = |concept: Value, expected: &[(Rule, Severity)]| {
        let found = told(json!({"performerType": concept}));
        let found: Vec<_> = found.into_iter().map(|(rule, severity, _)| (rule, severity)).collect();
        assert_eq!(found, expected, "{concept}");
    };
    check(coding("urn:ward", "overnight"), &[]);
    check(coding("urn:ward", "elsewhere"), &[(Rule::CodeExtensible, Severity::Warning)]);
    check(json!({"text": "the set may have no such code"}), &[]);
    check(coding("http://snomed.info/sct", "158965000"), &[(Rule::CodeExtensible, Severity::Warning)]);
}

#[test]
fn the_widest_value_set_of_a_binding_is_required_whatever_its_strength() {
    let check = |element: &str, code: &str, expected: &[(Rule, Severity)]| {
        let found = told(json!({element: [coding("urn:ward", code)]}));
        let found: Vec<_> = found.into_iter().map(|(rule, severity, _)| (rule, severity)).collect();
        assert_eq!(found, expected, "{element} {code}");
    };
    check("category", "day-case", &[]);
    check("category", "elsewhere", &[(Rule::CodeRequired, Severity::Error)]);
    check("reasonCode", "day-case", &[]);
    check("reasonCode", "overnight", &[(Rule::CodeExtensible, Severity::Warning)]);
    check("reasonCode", "elsewhere", &[(Rule::CodeRequired, Severity::Error)]);
    // A code of another system may be what a national profile asks for: it is told, and not refused.
    let found = told(json!({"category": [coding("urn:part", "known")]}));
    assert!(found.iter().all(|(_, severity, _)| *severity > Severity::Error) && !found.is_empty(), "{found:?}");
}

#[test]
fn every_coding_is_held_against_its_system_wherever_it_stands() {
    let check = |coding: Value, expected: &[(Rule, Severity, &str)]| {
        let found = told(json!({"meta": {"tag": [coding]}}));
        let found: Vec<_> = found.iter().map(|(rule, severity, place)| (*rule, *severity, place.as_str())).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(rule, severity, member)| (*rule, *severity, format!("ServiceRequest.meta.tag[0].{member}")))
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(rule, severity, place)| (*rule, *severity, place.as_str())).collect();
        assert_eq!(found, expected, "{coding}");
    };
    use Severity::{Error, Warning};
    check(json!({"system": "urn:ward", "code": "overnight", "display": "over  NIGHT"}), &[]);
    check(json!({"system": "urn:ward", "code": "day-case", "display": "achos dydd"}), &[]);
    check(
        json!({"system": "urn:ward", "code": "day-case", "display": "Day"}),
        &[(Rule::CodeDisplay, Warning, "display")],
    );
    check(json!({"system": "urn:ward", "code": "elsewhere", "display": "what has no name"}), &[]);
    check(json!({"system": "urn:ward", "code": "Day-case"}), &[(Rule::CodeUnknown, Error, "code")]);
    check(json!({"system": "urn:part", "code": "known"}), &[]);
    check(json!({"system": "urn:part", "code": "new"}), &[(Rule::CodeUnknown, Warning, "code")]);
    check(json!({"system": "urn:ward", "code": "closed"}), &[(Rule::CodeInactive, Warning, "code")]);
    check(json!({"system": "ward", "code": "closed"}), &[(Rule::CodeSystem, Error, "system")]);
    check(json!({"system": "urn:ward-codes", "code": "closed"}), &[(Rule::CodeSystem, Error, "system")]);
    check(
        json!({"system": "http://hl7.org/fhir/appointment-status", "code": "x"}),
        &[(Rule::CodeSystem, Error, "system")],
    );
    check(json!({"system": "urn:ietf:bcp:47", "code": "en-GB"}), &[]);
    check(json!({"system": "urn:ietf:bcp:47", "code": "not a language"}), &[(Rule::CodeUnknown, Warning, "code")]);
    check(json!({"code": "anything"}), &[]);
    check(json!({"system": "https://example.org/nobody", "code": "x"}), &[]);
}

#[test]
fn a_unit_is_one_of_ucum_where_it_says_so() {
    let check = |quantity: Value, expected: usize| {
        assert_eq!(told(json!({"quantityQuantity": quantity})).len(), expected, "{quantity}");
    };
    check(json!({"value": 1, "system": "http://unitsofmeasure.org", "code": "mg/dL"}), 0);
    check(json!({"value": 1, "system": "http://unitsofmeasure.org", "code": "milligrams"}), 1);
    check(json!({"value": 1, "unit": "tablets"}), 0);
    check(json!({"value": 1, "system": "urn:ward", "code": "beds"}), 0);
}

#[test]
fn what_cannot_be_decided_is_listed_once_with_its_binding_set_and_system() {
    let sct = |code: &str| coding("http://snomed.info/sct", code);
    let members = json!({
        "bodySite": [sct("1"), sct("2"), {"coding": [{"system": "https://example.org/nobody", "code": "3"}]}],
        "supportingInfo": [],
        "locationCode": [{"coding": [{"system": "https://example.org/nobody", "code": "9990000018"}]}],
    });
    let mut members = members;
    members.as_object_mut().unwrap().remove("supportingInfo");
    let verdict = verdict(members);
    let mut listed: Vec<_> = verdict.not_evaluated.iter().map(ToString::to_string).collect();
    listed.retain(|one| !one.starts_with("dom-6"));
    assert_eq!(
        listed,
        [
            "codes of http://snomed.info/sct (the code system is not loaded)",
            "codes of systems that no loaded package names, first at ServiceRequest.bodySite[2].coding[0].system \
             (those code systems are not loaded)",
            "the required binding of ServiceRequest.bodySite of urn:ward-request to urn:snomed-part \
             (a filter on http://snomed.info/sct needs its codes)",
        ]
    );
    // A code of another system is not in a set of SNOMED CT, whatever else is not known.
    assert_eq!(verdict.issues.len(), 1, "{:#?}", verdict.issues);
    assert!(!format!("{verdict:?}").contains("9990000018"));
}

#[test]
fn a_wrong_code_comes_with_the_codes_that_there_are_and_a_change_where_it_is_plain() {
    let check = |members: Value, hint: &str, change: Option<(&str, &str)>| {
        let issues = verdict(members).issues;
        // A warning about the code as such comes before what is bound.
        let issue = issues.last().unwrap();
        assert_eq!(issue.hint.as_deref(), Some(hint));
        let expected = change.map(|(path, value)| vec![Operation::Replace { path: path.into(), value: value.into() }]);
        assert_eq!(issue.mend.as_ref().map(|mend| mend.0.clone()), expected);
    };
    let place = "/code/coding/0/code";
    let all = "use one of `closed`, `day-case`, `overnight`";
    let own = "`closed`, `day-case`, `elsewhere`, `overnight`";
    check(
        json!({"meta": {"tag": [{"system": "urn:ward", "code": "Overnight"}]}}),
        &format!("did you mean `overnight`? use one of {own}"),
        Some(("/meta/tag/0/code", "overnight")),
    );
    check(json!({"code": coding("urn:ward", "elsewhere")}), all, None);
    check(json!({"code": coding("urn:part", "day-case")}), "the set has this code of the system urn:ward", None);
    check(
        json!({"code": {"coding": [{"code": "DAY-case"}]}}),
        &format!("did you mean `day-case`? {all}"),
        Some((place, "day-case")),
    );
    check(
        json!({"meta": {"tag": [{"system": "urn:ward", "code": "overnight", "display": "Evening"}]}}),
        "write `Over night`, or leave `display` out",
        None,
    );
    check(
        json!({"meta": {"tag": [{"system": "urn:ward-codes", "code": "overnight"}]}}),
        "the codes of this value set are of the system urn:ward",
        Some(("/meta/tag/0/system", "urn:ward")),
    );
}

#[test]
fn an_element_of_every_resource_takes_a_language_though_its_binding_only_prefers_some() {
    let check = |language: &str, expected: &[Rule]| {
        let found = verdict(json!({"language": language})).issues;
        assert_eq!(found.iter().map(|issue| issue.rule).collect::<Vec<_>>(), expected, "{language}");
        let hints = found.iter().all(|issue| issue.hint.as_deref().unwrap().contains("a language tag of BCP 47"));
        assert!(hints, "{found:?}");
    };
    check("cy", &[]);
    check("gsw-CH", &[]);
    check("welsh and english", &[Rule::CodeRequired]);
}

#[test]
fn of_thirty_thousand_wrong_codes_a_hundred_are_told() {
    let tags: Vec<Value> = (0..30_000).map(|n| json!({"system": "urn:part", "code": format!("new{n}")})).collect();
    let found = told(json!({"meta": {"tag": tags}}));
    assert!((100..=102).contains(&found.len()), "{}", found.len());
}
