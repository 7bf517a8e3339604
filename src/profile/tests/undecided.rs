//! What cannot be decided is listed, and held against nobody; what has been told is told once and rightly.

use super::super::{Ask, UnknownExtensions};
use super::document;
use super::slicing::{URL, compile, judge, profile, told};
use crate::issue::Rule;
use crate::profile::Profiles;
use serde_json::{Value, json};

/// A value set that only a terminology server can tell.
fn snomed_part() -> Value {
    json!({"resourceType": "ValueSet", "url": "urn:part", "compose": {"include": [{"system": "http://snomed.info/sct",
        "filter": [{"property": "concept", "op": "is-a", "value": "442083009"}]}]}})
}

fn by_code(rules: &str, min: u32) -> Profiles {
    let slicing = json!({"discriminator": [{"type": "value", "path": "$this"}], "rules": rules});
    let sliced = profile(
        "sliced",
        "ServiceRequest",
        json!([
            {"id": "ServiceRequest.category", "path": "ServiceRequest.category", "slicing": slicing},
            {"id": "ServiceRequest.category:s", "path": "ServiceRequest.category", "sliceName": "s", "min": min,
                "max": "1", "binding": {"strength": "required", "valueSet": "urn:part"}}
        ]),
    );
    compile(&[sliced, snomed_part()])
}

fn request(system: &str) -> Value {
    json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": {"reference": "Patient/1"},
        "category": [{"coding": [{"system": system, "code": "123"}]}]})
}

#[test]
fn a_repeat_whose_slice_cannot_be_told_is_in_no_slice_and_out_of_none() {
    let check = |rules: &str, min: u32, system: &str, expected: &[(Rule, &str)]| {
        let verdict = judge(&by_code(rules, min), "sliced", &request(system));
        assert_eq!(told(&verdict.issues), expected, "{rules} {min} {system}: {:#?}", verdict.issues);
        let is_left =
            verdict.not_evaluated.iter().any(|left| left.what.starts_with("which slices ServiceRequest.category"));
        assert_eq!(is_left, expected.is_empty(), "{:#?}", verdict.not_evaluated);
    };
    check("open", 1, "http://snomed.info/sct", &[]);
    check("closed", 0, "http://snomed.info/sct", &[]);
    check("open", 1, "urn:other", &[(Rule::SliceRequired, "ServiceRequest.category")]);
    check("closed", 0, "urn:other", &[(Rule::SliceClosed, "ServiceRequest.category[0]")]);
}

#[test]
fn a_repeat_that_is_told_by_a_profile_that_is_not_loaded_is_left() {
    let slicing = json!({"discriminator": [{"type": "profile", "path": "resource"}], "rules": "open"});
    let sliced = profile(
        "sliced",
        "Bundle",
        json!([
            {"id": "Bundle.entry", "path": "Bundle.entry", "slicing": slicing},
            {"id": "Bundle.entry:s", "path": "Bundle.entry", "sliceName": "s", "min": 1, "max": "1"},
            {"id": "Bundle.entry:s.resource", "path": "Bundle.entry.resource",
                "type": [{"code": "Patient", "profile": ["urn:gone"]}]}
        ]),
    );
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "urn:uuid:deb4c4b3-870b-4599-84df-5e54cef7afda", "resource": {"resourceType": "Patient"}}]});
    let verdict = judge(&compile(&[sliced]), "sliced", &bundle);
    assert_eq!(told(&verdict.issues), []);
    assert!(verdict.not_evaluated.iter().any(|left| left.what == "the profile urn:gone"), "{verdict:#?}");
}

/// A profile on Patient, and one on Appointment whose actors must fit it.
fn actors(elements: Value) -> Profiles {
    let target = json!([{"code": "Reference", "targetProfile": [format!("{URL}person")]}]);
    let appointment = profile(
        "app",
        "Appointment",
        json!([{"id": "Appointment.participant.actor", "path": "Appointment.participant.actor", "type": target}]),
    );
    compile(&[profile("person", "Patient", elements), appointment, snomed_part()])
}

/// An appointment of these actors, and patients that are linked; those that are `active` say so.
fn bundle(actors: &[usize], patients: &[(bool, Vec<usize>)]) -> Value {
    let address = |number: &usize| format!("http://s.example/Patient/p{number}");
    let reference = |number: &usize| json!({"reference": address(number)});
    let participants: Vec<_> =
        actors.iter().map(|actor| json!({"actor": reference(actor), "status": "accepted"})).collect();
    let mut entries = vec![json!({"fullUrl": "http://s.example/Appointment/1", "resource": {
        "resourceType": "Appointment", "id": "1", "meta": {"profile": [format!("{URL}app")]}, "status": "proposed",
        "participant": participants}})];
    for (number, (is_active, links)) in patients.iter().enumerate() {
        let mut patient = json!({"resourceType": "Patient", "id": format!("p{number}"),
            "maritalStatus": {"coding": [{"system": "http://snomed.info/sct", "code": "123"}]}});
        if *is_active {
            patient["active"] = json!(true);
        }
        if !links.is_empty() {
            patient["link"] = links.iter().map(|other| json!({"other": reference(other), "type": "seealso"})).collect();
        }
        entries.push(json!({"fullUrl": address(&number), "resource": patient}));
    }
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

/// A patient is active, and linked to such patients.
fn linked() -> Profiles {
    actors(json!([
        {"id": "Patient.active", "path": "Patient.active", "min": 1},
        {"id": "Patient.link.other", "path": "Patient.link.other",
            "type": [{"code": "Reference", "targetProfile": [format!("{URL}person")]}]}
    ]))
}

#[test]
fn what_a_trial_leaves_undecided_is_listed_when_it_fits() {
    let profiles = actors(json!([{"id": "Patient.maritalStatus", "path": "Patient.maritalStatus",
        "binding": {"strength": "required", "valueSet": "urn:part"}}]));
    let verdict = profiles.check(&document(&bundle(&[0], &[(true, vec![])])), &Ask::default());
    assert!(verdict.issues.iter().all(|issue| !issue.refuses()), "{:#?}", verdict.issues);
    assert!(verdict.not_evaluated.iter().any(|left| left.what.contains("to urn:part")), "{:#?}", verdict.not_evaluated);
}

#[test]
fn profiles_that_lead_round_come_to_the_same_in_any_order() {
    let profiles = linked();
    let refused = |actors: &[usize], patients: &[(bool, Vec<usize>)]| -> Vec<usize> {
        let verdict = profiles.check(&document(&bundle(actors, patients)), &Ask::default());
        let places = verdict.issues.iter().filter(|issue| issue.rule == Rule::ReferenceProfile);
        let place =
            |place: &str| (0..actors.len()).find(|at| place.contains(&format!("participant[{at}].actor"))).unwrap();
        let mut found: Vec<_> = places.map(|issue| actors[place(&issue.place.as_ref().unwrap().expression)]).collect();
        found.sort_unstable();
        found
    };
    let pair = [(false, vec![1]), (true, vec![0])];
    assert_eq!(refused(&[0, 1], &pair), [0, 1]);
    assert_eq!(refused(&[1, 0], &pair), [0, 1]);
    let good = [(true, vec![1]), (true, vec![2, 0]), (true, vec![0])];
    assert_eq!(refused(&[0, 1, 2], &good), [] as [usize; 0]);
    // 0 leans on 1, which leans on 0 and, later, on 2, which is wrong.
    let late = [(true, vec![1]), (true, vec![3, 2]), (false, vec![]), (true, vec![0, 1])];
    for order in [[0, 1, 3], [3, 1, 0], [1, 3, 0], [3, 0, 1]] {
        assert_eq!(refused(&order, &late), [0, 1, 3], "{order:?}");
    }
}

#[test]
fn what_is_too_deep_to_be_tried_is_listed() {
    let profiles = linked();
    let mut chain: Vec<_> = (1..13).map(|next| (true, vec![next])).collect();
    chain.push((false, vec![]));
    let check = |first: usize, is_refused: bool| {
        let verdict = profiles.check(&document(&bundle(&[first], &chain)), &Ask::default());
        let is_left = verdict.not_evaluated.iter().any(|left| left.why.contains("too deeply"));
        let found = verdict.issues.iter().any(|issue| issue.rule == Rule::ReferenceProfile);
        assert_eq!((found, is_left), (is_refused, !is_refused), "{first}: {verdict:#?}");
    };
    check(0, false);
    check(8, true);
}

#[test]
fn hostile_rings_of_profiles_are_tried_in_proportion() {
    let profiles = linked();
    let count = 400;
    let patients: Vec<_> =
        (0..count).map(|at| (true, vec![(at * 7 + 1) % count, (at * 3 + 2) % count, (at + 1) % count])).collect();
    let all: Vec<_> = (0..count).collect();
    let found = super::issues_in_proportion(&bundle(&all, &patients), |document| {
        profiles.check(document, &Ask::default()).issues
    });
    assert!(found.iter().all(|issue| issue.rule != Rule::ReferenceProfile), "{:#?}", found.first());
}

#[test]
fn an_extension_in_the_place_of_a_required_code_is_no_code() {
    let absent = json!({"extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]});
    let mut value = super::appointment();
    value.as_object_mut().unwrap().shift_remove("status");
    value["_status"] = absent.clone();
    let found = super::issues(&value);
    assert!(told(&found).contains(&(Rule::CodeRequired, "Appointment.status")), "{found:#?}");
    let mut patient = super::patient();
    patient.as_object_mut().unwrap().shift_remove("gender");
    patient["_gender"] = absent;
    assert_eq!(told(&super::issues(&patient)), [], "a gender need not be there");
}

#[test]
fn unknown_extensions_that_are_taken_are_listed_once() {
    let profiles = super::r4();
    let strange = |url: &str| json!({"url": url, "valueString": "x"});
    let patient =
        json!({"resourceType": "Patient", "extension": [strange("http://a.example/b"), strange("http://a.example/c")]});
    let left = profiles.check(&document(&patient), &Ask::default()).not_evaluated;
    let listed: Vec<_> = left.iter().filter(|left| left.what.starts_with("extensions that no")).collect();
    assert_eq!(listed.len(), 1, "{left:#?}");
    assert!(listed[0].what.ends_with("first at Patient.extension[0]"), "{}", listed[0].what);
    let near = strange("http://hl7.org/fhir/StructureDefinition/patient-birthPlac");
    let patient = json!({"resourceType": "Patient", "extension": [near]});
    let ask = Ask { unknown_extensions: UnknownExtensions::Refuse, ..Ask::default() };
    let found = profiles.check(&document(&patient), &ask).issues;
    let wanted = "did you mean http://hl7.org/fhir/StructureDefinition/patient-birthPlace?";
    assert_eq!(found[0].hint.as_deref(), Some(wanted));
}

#[test]
fn a_date_that_is_less_exact_than_its_limit_is_left() {
    let profiles = compile(&[profile(
        "limited",
        "Patient",
        json!([{"id": "Patient.birthDate", "path": "Patient.birthDate", "maxValueDate": "2026-06-15"}]),
    )]);
    let check = |date: &str, is_wrong: bool, is_left: bool| {
        let verdict = judge(&profiles, "limited", &json!({"resourceType": "Patient", "birthDate": date}));
        assert_eq!(!verdict.issues.is_empty(), is_wrong, "{date}: {verdict:#?}");
        let found = verdict.not_evaluated.iter().any(|left| left.what.starts_with("the limits of Patient.birthDate"));
        assert_eq!(found, is_left, "{date}: {verdict:#?}");
    };
    check("2026-06-15", false, false);
    check("2026-06-16", true, false);
    check("2026-06", false, true);
    check("2025", false, false);
}

#[test]
fn a_text_has_the_least_number_of_characters_that_a_profile_asks() {
    let profiles = compile(&[profile(
        "long",
        "Patient",
        json!([{"id": "Patient.name.family", "path": "Patient.name.family", "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/minLength", "valueInteger": 3}]}]),
    )]);
    let check = |family: &str, expected: &[(Rule, &str)]| {
        let verdict = judge(&profiles, "long", &json!({"resourceType": "Patient", "name": [{"family": family}]}));
        assert_eq!(told(&verdict.issues), expected, "{family}");
    };
    check("Lee", &[]);
    check("\u{e9}\u{e9}", &[(Rule::PrimitiveFormat, "Patient.name[0].family")]);
    check("Ng", &[(Rule::PrimitiveFormat, "Patient.name[0].family")]);
}

#[test]
fn a_narrative_points_into_its_own_resource() {
    let patient = |id: &str, name: &str, link: &str| {
        let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"#{link}\">x</a></div>");
        json!({"fullUrl": format!("http://s.example/Patient/{id}"), "resource": {"resourceType": "Patient", "id": id,
            "text": {"status": "generated", "div": div}, "name": [{"id": name, "family": "Sample"}]}})
    };
    let check = |entries: [Value; 2], expected: &[(Rule, &str)]| {
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
        assert_eq!(told(&super::issues(&bundle)), expected);
    };
    check([patient("a", "n1", "n1"), patient("b", "n2", "n2")], &[]);
    let wrong = (Rule::NarrativeLink, "Bundle.entry[0].resource.text.div");
    check([patient("a", "n1", "n2"), patient("b", "n2", "n2")], &[wrong]);
}

#[test]
fn a_message_without_its_header_is_told_once_at_its_first_entry() {
    for (kind, key) in [("message", "bdl-12"), ("document", "bdl-11")] {
        let bundle = json!({"resourceType": "Bundle", "type": kind, "timestamp": "2026-01-01T00:00:00Z",
            "identifier": {"system": "urn:x", "value": "1"}, "entry": [
                {"fullUrl": "http://s.example/Patient/1", "resource": {"resourceType": "Patient", "id": "1"}}]});
        let found = super::issues(&bundle);
        assert_eq!(told(&found), [(Rule::BundleFirst, "Bundle.entry[0]")], "{found:#?}");
        let asker = format!("{key} of http://hl7.org/fhir/StructureDefinition/Bundle");
        assert_eq!(found[0].asked_by.as_deref(), Some(&*asker));
    }
}

#[test]
fn a_type_that_is_misspelled_and_wrong_is_refused() {
    let mut value = super::appointment();
    value["participant"] = json!([{"actor": {"type": "claim", "display": "x"}, "status": "accepted"}]);
    value.as_object_mut().unwrap().shift_remove("contained");
    value.as_object_mut().unwrap().shift_remove("supportingInformation");
    let found = super::issues(&value);
    assert!(found.iter().any(|issue| issue.rule == Rule::ReferenceTarget && issue.refuses()), "{found:#?}");
}

#[test]
fn a_wrong_display_is_told_without_the_code_that_was_sent() {
    let mut patient = super::patient();
    patient["maritalStatus"]["coding"][0]["display"] = json!("Something else");
    let found = super::issues(&patient);
    assert_eq!(found[0].rule, Rule::CodeDisplay, "{found:#?}");
    assert_eq!(found[0].message, "this code is not called this");
}
