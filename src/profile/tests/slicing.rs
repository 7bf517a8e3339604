//! How repeats are told apart, and what is asked of each slice.

use super::super::Ask;
use super::{document, own_package};
use crate::issue::{Issue, Rule};
use crate::profile::{Package, Profiles, Verdict};
use serde_json::{Value, json};

pub(super) const URL: &str = "https://example.org/StructureDefinition/";

/// A profile on `type_name` by what it changes.
pub(super) fn profile(id: &str, type_name: &str, elements: Value) -> Value {
    json!({
        "resourceType": "StructureDefinition", "id": id, "url": format!("{URL}{id}"), "name": id, "status": "active",
        "fhirVersion": "4.0.1", "abstract": false, "type": type_name, "derivation": "constraint",
        "kind": if type_name.starts_with(|c: char| c.is_lowercase()) { "primitive-type" }
            else if ["Extension", "Identifier", "Quantity", "CodeableConcept", "Coding"].contains(&type_name) { "complex-type" }
            else { "resource" },
        "baseDefinition": format!("http://hl7.org/fhir/StructureDefinition/{type_name}"),
        "differential": {"element": elements}
    })
}

pub(super) fn compile(definitions: &[Value]) -> Profiles {
    let files =
        definitions.iter().enumerate().map(|(n, one)| (format!("StructureDefinition-{n}.json"), one.to_string()));
    let package = Package { name: "site".into(), version: "1".into(), files: files.collect() };
    Profiles::compile(&[own_package(), package]).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub(super) fn judge(profiles: &Profiles, id: &str, resource: &Value) -> Verdict {
    let url = format!("{URL}{id}");
    profiles.check(&document(resource), &Ask { profiles: &[&url], ..Ask::default() })
}

/// Rule and place of each issue, in order; but for codes that extensible bindings leave room for.
pub(super) fn told(issues: &[Issue]) -> Vec<(Rule, &str)> {
    let told = issues.iter().filter(|issue| issue.rule != Rule::CodeExtensible);
    told.map(|issue| (issue.rule, issue.place.as_ref().unwrap().expression.as_str())).collect()
}

fn check(profiles: &Profiles, id: &str, resource: &Value, expected: &[(Rule, &str)]) {
    let verdict = judge(profiles, id, resource);
    assert_eq!(told(&verdict.issues), expected, "{resource:#}\n{:#?}", verdict.issues);
}

fn sliced(path: &str, kind: &str, by: &[&str], rules: &str, ordered: bool) -> Value {
    let discriminator: Vec<_> = by.iter().map(|path| json!({"type": kind, "path": path})).collect();
    json!({"id": path, "path": path, "slicing": {"discriminator": discriminator, "rules": rules, "ordered": ordered}})
}

/// Elements of a slice: `id` as in a differential, and the members that change.
fn element(id: &str, members: Value) -> Value {
    let path: Vec<_> = id.split('.').map(|name| name.split(':').next().unwrap()).collect();
    let mut element = json!({"id": id, "path": path.join(".")});
    if let Some((_, slice)) = id.rsplit('.').next().unwrap().split_once(':') {
        element["sliceName"] = json!(slice);
    }
    element.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    element
}

fn patient(identifiers: Value) -> Value {
    json!({"resourceType": "Patient", "identifier": identifiers})
}

fn by_system(rules: &str, ordered: bool) -> Profiles {
    compile(&[profile(
        "p",
        "Patient",
        json!([
            sliced("Patient.identifier", "value", &["system"], rules, ordered),
            element("Patient.identifier:nhs", json!({"min": 1, "max": "1"})),
            element("Patient.identifier:nhs.system", json!({"min": 1, "fixedUri": "urn:nhs"})),
            element("Patient.identifier:nhs.value", json!({"min": 1, "maxLength": 10})),
            element("Patient.identifier:local", json!({"max": "2"})),
            element("Patient.identifier:local.system", json!({"min": 1, "fixedUri": "urn:local"})),
        ]),
    )])
}

#[test]
fn slices_told_by_a_value_have_their_own_counts_and_elements() {
    let profiles = by_system("open", false);
    let nhs = json!({"system": "urn:nhs", "value": "9990000018"});
    let local = json!({"system": "urn:local", "value": "1"});
    let other = json!({"system": "urn:other"});
    check(&profiles, "p", &patient(json!([nhs, local, other])), &[]);
    check(&profiles, "p", &json!({"resourceType": "Patient"}), &[(Rule::SliceRequired, "Patient.identifier")]);
    check(&profiles, "p", &patient(json!([nhs, nhs])), &[(Rule::SliceTooMany, "Patient.identifier[1]")]);
    check(
        &profiles,
        "p",
        &patient(json!([local, nhs, local, local])),
        &[(Rule::SliceTooMany, "Patient.identifier[3]")],
    );
    check(
        &profiles,
        "p",
        &patient(json!([{"system": "urn:nhs"}])),
        &[(Rule::ElementRequired, "Patient.identifier[0].value")],
    );
    check(
        &profiles,
        "p",
        &patient(json!([local, {"system": "urn:nhs", "value": "99900000180"}])),
        &[(Rule::PrimitiveFormat, "Patient.identifier[1].value")],
    );
    // A length is asked of the members of the slice alone.
    check(&profiles, "p", &patient(json!([nhs, {"system": "urn:local", "value": "12345678901"}])), &[]);
}

#[test]
fn a_missing_slice_names_the_repeat_that_is_nearest_and_what_did_not_match_but_not_what_stands_there() {
    let found = judge(&by_system("open", false), "p", &patient(json!([{"system": "urn:NHS", "value": "9990000018"}])));
    let [only] = found.issues.as_slice() else { panic!("{found:#?}") };
    assert_eq!(
        only.message,
        "Patient needs the slice `nhs` of `identifier`; `identifier[0]` is nearest, but for `system`"
    );
    assert_eq!(only.hint.as_deref(), Some("in a member of `nhs` `system` is `urn:nhs`"));
    assert_eq!(only.asked_by.as_deref(), Some("Patient.identifier:nhs of https://example.org/StructureDefinition/p"));
}

#[test]
fn a_closed_slicing_has_no_room_for_others() {
    let profiles = by_system("closed", false);
    let nhs = json!({"system": "urn:nhs", "value": "9990000018"});
    check(&profiles, "p", &patient(json!([nhs])), &[]);
    let found = judge(&profiles, "p", &patient(json!([nhs, {"system": "urn:other"}])));
    assert_eq!(told(&found.issues), [(Rule::SliceClosed, "Patient.identifier[1]")]);
    assert!(found.issues[0].message.ends_with("`nhs` is nearest, but for `system`"), "{}", found.issues[0].message);
}

#[test]
fn the_order_of_slices_and_the_place_of_the_rest_are_held() {
    let nhs = json!({"system": "urn:nhs", "value": "9990000018"});
    let local = json!({"system": "urn:local"});
    let other = json!({"system": "urn:other"});
    let ordered = by_system("open", true);
    check(&ordered, "p", &patient(json!([other, nhs, other, local])), &[]);
    check(&ordered, "p", &patient(json!([local, nhs])), &[(Rule::SliceOrder, "Patient.identifier[1]")]);
    let at_end = by_system("openAtEnd", false);
    check(&at_end, "p", &patient(json!([local, nhs, other, other])), &[]);
    check(&at_end, "p", &patient(json!([nhs, other, local])), &[(Rule::SliceOrder, "Patient.identifier[2]")]);
}

#[test]
fn a_repeat_that_matches_two_slices_is_told() {
    let profiles = compile(&[profile(
        "p",
        "Patient",
        json!([
            sliced("Patient.identifier", "exists", &["system", "value"], "open", false),
            element("Patient.identifier:one", json!({"max": "1"})),
            element("Patient.identifier:one.system", json!({"min": 1})),
            element("Patient.identifier:two", json!({"max": "1"})),
            element("Patient.identifier:two.value", json!({"min": 1})),
        ]),
    )]);
    check(&profiles, "p", &patient(json!([{"system": "urn:a"}, {"value": "1"}])), &[]);
    let both = json!([{"system": "urn:a", "value": "1"}]);
    check(&profiles, "p", &patient(both), &[(Rule::SliceSeveral, "Patient.identifier[0]")]);
}

#[test]
fn slices_are_told_by_patterns_and_by_parts_of_patterns() {
    let code =
        |code: &str| json!({"patternCodeableConcept": {"coding": [{"system": "urn:s", "code": code}]}, "min": 1});
    for (kind, path) in
        [("pattern", "code"), ("value", "code"), ("value", "code.coding.code"), ("value", "code.coding")]
    {
        let profiles = compile(&[profile(
            "o",
            "Observation",
            json!([
                sliced("Observation.component", kind, &[path], "open", false),
                element("Observation.component:a", json!({"min": 1, "max": "1"})),
                element("Observation.component:a.code", code("a")),
                element("Observation.component:b", json!({})),
                element("Observation.component:b.code", code("b")),
                element("Observation.component:b.value[x]", json!({"min": 1})),
            ]),
        )]);
        let component = |code: &str| json!({"code": {"coding": [{"system": "urn:x", "code": "0"}, {"system": "urn:s", "code": code}], "text": "t"}});
        let observation = |parts: Value| json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "component": parts});
        check(&profiles, "o", &observation(json!([component("a"), component("c")])), &[]);
        check(
            &profiles,
            "o",
            &observation(json!([component("b")])),
            &[
                (Rule::ElementRequired, "Observation.component[0].value"),
                (Rule::SliceRequired, "Observation.component"),
            ],
        );
    }
}

#[test]
fn slices_are_told_by_the_absence_of_an_element() {
    let profiles = compile(&[profile(
        "p",
        "Patient",
        json!([
            sliced("Patient.identifier", "exists", &["period"], "open", false),
            element("Patient.identifier:old", json!({"max": "1"})),
            element("Patient.identifier:old.period", json!({"min": 1})),
            element("Patient.identifier:now", json!({"max": "1"})),
            element("Patient.identifier:now.period", json!({"max": "0"})),
        ]),
    )]);
    let (old, now) = (json!({"value": "1", "period": {"start": "2020"}}), json!({"value": "2"}));
    check(&profiles, "p", &patient(json!([old, now])), &[]);
    check(&profiles, "p", &patient(json!([old, old])), &[(Rule::SliceTooMany, "Patient.identifier[1]")]);
    check(&profiles, "p", &patient(json!([now, old, now])), &[(Rule::SliceTooMany, "Patient.identifier[2]")]);
}

#[test]
fn a_choice_is_sliced_by_type_with_and_without_a_word_for_it() {
    let slicing = sliced("Observation.value[x]", "type", &["$this"], "open", false);
    let mut short = element("Observation.valueQuantity", json!({}));
    short["path"] = json!("Observation.valueQuantity");
    for slice in [element("Observation.value[x]:valueQuantity", json!({"type": [{"code": "Quantity"}]})), short] {
        let id = slice["id"].as_str().unwrap().to_owned();
        let path = slice["path"].as_str().unwrap().to_owned();
        let mut unit = element(&format!("{id}.unit"), json!({"min": 1}));
        unit["path"] = json!(format!("{path}.unit"));
        let profiles = compile(&[profile("o", "Observation", json!([slicing, slice, unit]))]);
        let observation = |name: &str, value: Value| json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, name: value});
        check(&profiles, "o", &observation("valueQuantity", json!({"value": 1, "unit": "g"})), &[]);
        check(&profiles, "o", &observation("valueString", json!("x")), &[]);
        check(
            &profiles,
            "o",
            &observation("valueQuantity", json!({"value": 1})),
            &[(Rule::ElementRequired, "Observation.valueQuantity.unit")],
        );
    }
}

#[test]
fn slices_are_told_by_the_type_of_what_is_pointed_at() {
    let profiles = compile(&[profile(
        "a",
        "Appointment",
        json!([
            sliced("Appointment.participant", "type", &["actor.resolve()"], "open", false),
            element("Appointment.participant:patient", json!({"min": 1, "max": "1"})),
            element(
                "Appointment.participant:patient.actor",
                json!({"min": 1, "type": [{"code": "Reference",
                "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"]}]})
            ),
            element("Appointment.participant:place", json!({"max": "1"})),
            element(
                "Appointment.participant:place.actor",
                json!({"min": 1, "type": [{"code": "Reference",
                "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Location"]}]})
            ),
        ]),
    )]);
    let actors = |actors: &[&str]| {
        let participants: Vec<_> =
            actors.iter().map(|actor| json!({"status": "accepted", "actor": {"reference": actor}})).collect();
        json!({"resourceType": "Appointment", "status": "proposed", "participant": participants,
            "contained": [{"resourceType": "Location", "id": "here", "name": "x"}],
            "supportingInformation": [{"reference": "#here"}]})
    };
    check(&profiles, "a", &actors(&["Patient/1", "#here", "Device/1"]), &[]);
    check(
        &profiles,
        "a",
        &actors(&["#here", "Location/1", "Patient/1"]),
        &[(Rule::SliceTooMany, "Appointment.participant[1]")],
    );
    check(&profiles, "a", &actors(&["#here"]), &[(Rule::SliceRequired, "Appointment.participant")]);
}

#[test]
fn slices_are_told_by_the_profile_that_they_fit() {
    let male = profile("male", "Patient", json!([element("Patient.gender", json!({"min": 1, "fixedCode": "male"}))]));
    let entry = |slice: &str, code: &str, profile: &str| {
        [
            element(&format!("Bundle.entry:{slice}"), json!({"max": "1"})),
            element(
                &format!("Bundle.entry:{slice}.resource"),
                json!({"min": 1, "type": [{"code": code, "profile": [profile]}]}),
            ),
        ]
    };
    let mut elements = vec![sliced("Bundle.entry", "profile", &["resource"], "closed", false)];
    elements.extend(entry("male", "Patient", &format!("{URL}male")));
    elements.extend(entry("basic", "Basic", "http://hl7.org/fhir/StructureDefinition/Basic"));
    let profiles = compile(&[male, profile("b", "Bundle", elements.into())]);
    let bundle = |resources: Value| {
        let entries: Vec<_> = resources.as_array().unwrap().iter().enumerate().map(|(n, one)| json!({"fullUrl": format!("urn:uuid:00000000-0000-4000-8000-00000000000{n}"), "resource": one})).collect();
        json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
    };
    let patient = |gender: &str| json!({"resourceType": "Patient", "gender": gender});
    let basic = json!({"resourceType": "Basic", "code": {"text": "x"}});
    check(&profiles, "b", &bundle(json!([patient("male"), basic])), &[]);
    check(&profiles, "b", &bundle(json!([basic, patient("female")])), &[(Rule::SliceClosed, "Bundle.entry[1]")]);
    check(&profiles, "b", &bundle(json!([basic, basic])), &[(Rule::SliceTooMany, "Bundle.entry[1]")]);
}

#[test]
fn profiles_whose_slices_are_told_by_each_other_end() {
    let by = |own: &str, other: &str| {
        profile(
            own,
            "Patient",
            json!([
                sliced("Patient.link", "profile", &["other.resolve()"], "closed", false),
                element("Patient.link:one", json!({"max": "1"})),
                element(
                    "Patient.link:one.other",
                    json!({"type": [{"code": "Reference", "targetProfile": [format!("{URL}{other}")]}]})
                ),
            ]),
        )
    };
    let profiles = compile(&[by("x", "y"), by("y", "x")]);
    let link = |to: &str| json!([{"other": {"reference": to}, "type": "seealso"}]);
    let entry = |id: &str, to: &str| {
        json!({"fullUrl": format!("http://a/Patient/{id}"),
        "resource": {"resourceType": "Patient", "id": id, "meta": {"profile": [format!("{URL}x")]}, "link": link(to)}})
    };
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [entry("1", "Patient/2"), entry("2", "Patient/1")]});
    let found = profiles.check(&document(&bundle), &Ask::default());
    assert_eq!(told(&found.issues), []);
}

#[test]
fn slices_are_sliced_again_and_hold_slices() {
    let profiles = compile(&[profile(
        "p",
        "Patient",
        json!([
            sliced("Patient.identifier", "value", &["system"], "open", false),
            {"id": "Patient.identifier:nhs", "path": "Patient.identifier", "sliceName": "nhs",
                "slicing": {"discriminator": [{"type": "value", "path": "use"}], "rules": "open"}},
            element("Patient.identifier:nhs.system", json!({"min": 1, "fixedUri": "urn:nhs"})),
            element("Patient.identifier:nhs/old", json!({"max": "1"})),
            element("Patient.identifier:nhs/old.use", json!({"min": 1, "fixedCode": "old"})),
            element("Patient.identifier:nhs/old.period", json!({"min": 1})),
            sliced("Patient.contact", "value", &["gender"], "open", false),
            element("Patient.contact:f", json!({})),
            element("Patient.contact:f.gender", json!({"min": 1, "fixedCode": "female"})),
            {"id": "Patient.contact:f.telecom", "path": "Patient.contact.telecom",
                "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}},
            element("Patient.contact:f.telecom:phone", json!({"min": 1})),
            element("Patient.contact:f.telecom:phone.system", json!({"min": 1, "fixedCode": "phone"})),
        ]),
    )]);
    let old = json!({"system": "urn:nhs", "use": "old", "period": {"start": "2020"}});
    let bare = json!({"system": "urn:nhs", "use": "old"});
    let other = json!({"system": "urn:x", "use": "old"});
    check(&profiles, "p", &patient(json!([old, other, other])), &[]);
    check(&profiles, "p", &patient(json!([bare, other])), &[(Rule::ElementRequired, "Patient.identifier[0].period")]);
    check(&profiles, "p", &patient(json!([old, other, old])), &[(Rule::SliceTooMany, "Patient.identifier[2]")]);
    let contact = |gender: &str, system: &str| {
        json!({"resourceType": "Patient", "contact": [{"name": {"text": "x"}, "gender": gender,
        "telecom": [{"system": system, "value": "1"}]}]})
    };
    check(&profiles, "p", &contact("female", "phone"), &[]);
    check(&profiles, "p", &contact("male", "email"), &[]);
    check(&profiles, "p", &contact("female", "email"), &[(Rule::SliceRequired, "Patient.contact[0].telecom")]);
}

#[test]
fn slices_are_told_through_extensions_and_type_profiles() {
    let marked = profile(
        "marked",
        "Identifier",
        json!([
            element("Identifier", json!({})),
            element("Identifier.system", json!({"min": 1, "fixedUri": "urn:marked"})),
        ]),
    );
    let kind = profile(
        "kind",
        "Extension",
        json!([
            element("Extension", json!({})),
            element("Extension.url", json!({"fixedUri": format!("{URL}kind")})),
            element("Extension.value[x]", json!({"min": 1, "type": [{"code": "code"}]})),
        ]),
    );
    let path = format!("extension('{URL}kind').value");
    let person = profile(
        "p",
        "Patient",
        json!([
            sliced("Patient.identifier", "value", &["system"], "open", false),
            element(
                "Patient.identifier:marked",
                json!({"max": "1", "type": [{"code": "Identifier", "profile": [format!("{URL}marked")]}]})
            ),
            sliced("Patient.contact", "value", &[&path], "open", false),
            element("Patient.contact:kin", json!({"max": "1"})),
            sliced("Patient.contact:kin.extension", "value", &["url"], "open", false),
            element(
                "Patient.contact:kin.extension:kind",
                json!({"min": 1, "max": "1", "type": [{"code": "Extension", "profile": [format!("{URL}kind")]}]})
            ),
            element(
                "Patient.contact:kin.extension:kind.value[x]",
                json!({"min": 1, "fixedCode": "kin", "type": [{"code": "code"}]})
            ),
        ]),
    );
    let mut person = person;
    person["differential"]["element"][4]["path"] = json!("Patient.contact.extension");
    let profiles = compile(&[marked, kind, person]);
    let marked = json!({"system": "urn:marked"});
    check(&profiles, "p", &patient(json!([marked, {"system": "urn:x"}])), &[]);
    check(&profiles, "p", &patient(json!([marked, marked])), &[(Rule::SliceTooMany, "Patient.identifier[1]")]);
    let contact =
        |kind: &str| json!({"name": {"text": "x"}, "extension": [{"url": format!("{URL}kind"), "valueCode": kind}]});
    let patient = |kinds: &[&str]| json!({"resourceType": "Patient", "contact": kinds.iter().map(|kind| contact(kind)).collect::<Vec<_>>()});
    check(&profiles, "p", &patient(&["kin", "friend", "friend"]), &[]);
    check(&profiles, "p", &patient(&["kin", "kin"]), &[(Rule::SliceTooMany, "Patient.contact[1]")]);
}

#[test]
fn slices_are_told_by_a_binding_and_the_rest_is_the_default() {
    let profiles = compile(&[profile(
        "p",
        "Patient",
        json!([
            sliced("Patient.telecom", "value", &["system"], "closed", false),
            element("Patient.telecom:day", json!({"max": "1"})),
            element("Patient.telecom:day.system", json!({"min": 1, "fixedCode": "phone"})),
            element("Patient.telecom:@default", json!({})),
            element("Patient.telecom:@default.use", json!({"min": 1})),
            sliced("Patient.maritalStatus.coding", "value", &["code"], "open", false),
            element("Patient.maritalStatus.coding:week", json!({"max": "1"})),
            element(
                "Patient.maritalStatus.coding:week.code",
                json!({"min": 1, "binding": {"strength": "required",
                "valueSet": "http://hl7.org/fhir/ValueSet/days-of-week"}})
            ),
        ]),
    )]);
    let telecom = |items: Value| json!({"resourceType": "Patient", "telecom": items});
    let phone = json!({"system": "phone", "value": "1"});
    check(&profiles, "p", &telecom(json!([phone, {"system": "email", "value": "1", "use": "home"}])), &[]);
    check(
        &profiles,
        "p",
        &telecom(json!([{"system": "email", "value": "1"}, phone, phone])),
        &[(Rule::ElementRequired, "Patient.telecom[0].use"), (Rule::SliceTooMany, "Patient.telecom[2]")],
    );
    let status = |codes: &[&str]| {
        let system = |code: &str| match code {
            "M" => "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
            _ => "http://hl7.org/fhir/days-of-week",
        };
        let codings: Vec<_> = codes.iter().map(|code| json!({"system": system(code), "code": code})).collect();
        json!({"resourceType": "Patient", "maritalStatus": {"coding": codings}})
    };
    check(&profiles, "p", &status(&["mon", "M"]), &[]);
    check(&profiles, "p", &status(&["mon", "M", "tue"]), &[(Rule::SliceTooMany, "Patient.maritalStatus.coding[2]")]);
}

#[test]
fn slices_that_nothing_tells_apart_are_listed_and_refuse_nothing() {
    let profiles = compile(&[profile(
        "p",
        "Patient",
        json!([
            sliced("Patient.identifier", "value", &["system.where(true)"], "closed", false),
            element("Patient.identifier:one", json!({"min": 1})),
        ]),
    )]);
    let found = judge(&profiles, "p", &patient(json!([{"system": "urn:x"}])));
    assert_eq!(found.issues, []);
    let [left] = found.not_evaluated.iter().filter(|left| left.what.starts_with("slices")).collect::<Vec<_>>()[..]
    else {
        panic!("{found:#?}")
    };
    assert_eq!(left.what, format!("slices of Patient.identifier in {URL}p"));
    assert!(
        judge(&profiles, "p", &json!({"resourceType": "Patient"}))
            .not_evaluated
            .iter()
            .all(|left| !left.what.starts_with("slices"))
    );
}
