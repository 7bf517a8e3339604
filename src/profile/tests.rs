//! What a submission hears about its structure, told by single faults over good resources.

use super::*;
use crate::document::NodeId;
use crate::issue::{Rule, any_refuses};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::OnceLock;

/// The definitions that come with the project.
pub(super) fn r4() -> &'static Profiles {
    static R4: OnceLock<Profiles> = OnceLock::new();
    R4.get_or_init(|| {
        let package = package(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/r4-core")));
        let profiles = Profiles::compile(&[package]).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!(profiles.plan.resources.len(), 146, "R4 has 146 resource types that may stand by themselves");
        profiles
    })
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
        "meta": {"lastUpdated": "2026-01-05T09:00:00Z", "profile": ["https://fhir.hl7.org.uk/StructureDefinition/UKCore-Appointment"]},
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Hip clinic</div>"},
        "contained": [{"resourceType": "Location", "id": "here", "name": "Outpatients"}],
        "extension": [
            {"url": "https://example.org/flag", "valueBoolean": true},
            {"url": "https://example.org/group", "extension": [{"url": "one", "valueString": "x"}]}
        ],
        "identifier": [{"system": "https://example.org/appointment", "value": "A1"}],
        "status": "booked",
        "_status": {"id": "s1"},
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

/// The logical tree of a resource in JSON: `name` and `_name` are one node, as the reader of JSON makes them.
pub(super) fn document(value: &Value) -> Document {
    let mut document = Document::from_value(&json!({}));
    fill(&mut document, NodeId::ROOT, value);
    document
}

fn fill(document: &mut Document, node: NodeId, value: &Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(name, _)| !name.starts_with('_')) {
                if let ("resourceType", Value::String(kind)) = (name.as_str(), member) {
                    document.set_resource_type(node, kind);
                    continue;
                }
                let items =
                    if let Value::Array(items) = member { items.as_slice() } else { std::slice::from_ref(member) };
                let twin = members.get(&format!("_{name}"));
                for (place, item) in items.iter().enumerate() {
                    let child = document.append(node, name, member.is_array());
                    fill(document, child, item);
                    let twin = twin.and_then(|twin| if twin.is_array() { twin.get(place) } else { Some(twin) });
                    twin.into_iter().for_each(|twin| fill(document, child, twin));
                }
            }
        }
        Value::String(text) => document.set_string(node, text),
        Value::Number(number) => document.set_number(node, &number.to_string()),
        Value::Bool(value) => document.set_boolean(node, *value),
        Value::Array(_) | Value::Null => {}
    }
}

fn issues(value: &Value) -> Vec<Issue> {
    r4().check(&document(value), None, &[])
}

/// A change to one place of a good resource, and what must be heard of it: the rule, the place and a part of the hint.
struct Fault {
    pointer: &'static str,
    put: Value,
    rule: Rule,
    at: &'static str,
    hint: &'static str,
}

fn fault(pointer: &'static str, put: Value, rule: Rule, at: &'static str, hint: &'static str) -> Fault {
    Fault { pointer, put, rule, at, hint }
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

fn check_faults(good: &Value, faults: Vec<Fault>) {
    assert_eq!(issues(good), [], "the good resource is good");
    for fault in faults {
        let mut bad = good.clone();
        put(&mut bad, fault.pointer, fault.put.clone());
        let found = issues(&bad);
        let [only] = found.as_slice() else {
            panic!("{} := {} gives {} issues: {found:#?}", fault.pointer, fault.put, found.len())
        };
        assert_eq!(only.rule, fault.rule, "{} := {}: {only}", fault.pointer, fault.put);
        let place = only.place.as_ref().unwrap();
        assert_eq!(place.expression, fault.at, "{only}");
        let hint = only.hint.as_deref().unwrap_or("");
        assert!(hint.contains(fault.hint), "{} := {}: the hint is {hint:?}", fault.pointer, fault.put);
        if let Value::String(text) = &fault.put {
            assert!(!format!("{only:?}").contains(text.as_str()) || text.len() < 3, "a value is told: {only}");
        }
    }
}

#[test]
fn each_single_fault_of_an_appointment_is_found_at_its_place_and_nothing_else() {
    use Rule::*;
    check_faults(
        &appointment(),
        vec![
            fault("/colour", json!("blue-ish"), ElementUnknown, "Appointment.colour", "leave it out"),
            fault("/Status", json!("planned"), ElementUnknown, "Appointment.Status", "`status`"),
            fault(
                "/participant/0/actr",
                json!({"display": "x"}),
                ElementUnknown,
                "Appointment.participant[0].actr",
                "`actor`",
            ),
            fault("/status", Value::Null, ElementRequired, "Appointment.status", "send the whole resource"),
            fault("/participant", Value::Null, ElementRequired, "Appointment.participant", "add `participant`"),
            fault(
                "/participant/0/status",
                Value::Null,
                ElementRequired,
                "Appointment.participant[0].status",
                "add `status`",
            ),
            fault("/identifier", json!({"value": "1"}), ElementArray, "Appointment.identifier", "[ ]"),
            fault("/description", json!(["text-x"]), ElementArray, "Appointment.description[0]", "take it out"),
            fault(
                "/basedOn/0/identifier",
                json!([{"value": "1"}, {"value": "2"}]),
                ElementArray,
                "Appointment.basedOn[0].identifier[0]",
                "take it out",
            ),
            fault("/start", json!({"value": 1}), ElementType, "Appointment.start", "a JSON string"),
            fault("/start", json!(2026), ElementType, "Appointment.start", "a JSON string"),
            fault("/priority", json!("12345"), ElementType, "Appointment.priority", "without quotes"),
            fault("/participant/0/actor", json!("Patient/1"), ElementType, "Appointment.participant[0].actor", "{ }"),
            fault("/start", json!("2026-02-30T09:00:00Z"), PrimitiveFormat, "Appointment.start", "no such day"),
            fault("/start", json!("2026-02-01T09:00:00"), PrimitiveFormat, "Appointment.start", "needs an offset"),
            fault("/created", json!("05/01/2026"), PrimitiveFormat, "Appointment.created", "YYYY-MM-DD"),
            fault("/id", json!("not an id"), PrimitiveFormat, "Appointment.id", "1 to 64"),
            fault("/priority", json!(-1), PrimitiveFormat, "Appointment.priority", "from 0"),
            fault("/minutesDuration", json!(0), PrimitiveFormat, "Appointment.minutesDuration", "from 1"),
            fault("/comment", json!(""), PrimitiveFormat, "Appointment.comment", "never empty"),
            fault("/meta/profile/0", json!("a b c"), PrimitiveFormat, "Appointment.meta.profile[0]", "white space"),
            fault("/text/div", json!("<p>hello</p>"), PrimitiveFormat, "Appointment.text.div", "div"),
            fault("/status", json!("Booked"), CodeRequired, "Appointment.status", "did you mean `booked`"),
            fault("/status", json!("confirmed-by-phone"), CodeRequired, "Appointment.status", "`noshow`"),
            fault(
                "/participant/1/required",
                json!("mandatory"),
                CodeRequired,
                "Appointment.participant[1].required",
                "`optional`",
            ),
            fault(
                "/basedOn/0",
                json!({"reference": "Patient/1"}),
                ReferenceTarget,
                "Appointment.basedOn[0].reference",
                "ServiceRequest",
            ),
            fault(
                "/basedOn/0",
                json!({"type": "Patient"}),
                ReferenceTarget,
                "Appointment.basedOn[0].type",
                "ServiceRequest",
            ),
            fault(
                "/basedOn/0",
                json!({"reference": "Servicerequest/1"}),
                ReferenceTarget,
                "Appointment.basedOn[0].reference",
                "spelled",
            ),
            fault(
                "/participant/0/actor",
                json!({"type": "Patient", "reference": "Location/1"}),
                ReferenceTarget,
                "Appointment.participant[0].actor.reference",
                "agree",
            ),
            fault("/contained/0/nme", json!("Clinic"), ElementUnknown, "Appointment.contained[0].nme", "`name`"),
            fault(
                "/contained/0/resourceType",
                json!("Locaton"),
                ResourceTypeUnknown,
                "Appointment.contained[0]",
                "`Location`",
            ),
            fault(
                "/contained/0/resourceType",
                Value::Null,
                ResourceTypeMissing,
                "Appointment.contained[0]",
                "resourceType",
            ),
            fault(
                "/participant/0/actor/resourceType",
                json!("Patient"),
                ElementUnknown,
                "Appointment.participant[0].actor",
                "leave",
            ),
            fault("/extension/0/url", Value::Null, ElementRequired, "Appointment.extension[0].url", "add `url`"),
            fault("/extension/0/valueBoolean", Value::Null, Invariant, "Appointment.extension[0]", "add `value[x]`"),
            fault(
                "/extension/0/extension",
                json!([{"url": "a", "valueCode": "b"}]),
                Invariant,
                "Appointment.extension[0]",
                "keep",
            ),
            fault(
                "/extension/0/valueString",
                json!("other-one"),
                ElementChoice,
                "Appointment.extension[0].valueString",
                "one type",
            ),
            fault(
                "/extension/0",
                json!({"url": "a", "valueSting": "bbb"}),
                ElementChoice,
                "Appointment.extension[0].valueSting",
                "`valueString`",
            ),
            fault(
                "/extension/1/extension/0/valueString",
                json!(7),
                ElementType,
                "Appointment.extension[1].extension[0].valueString",
                "JSON string",
            ),
            fault(
                "/_status",
                json!({"extension": [{"valueCode": "x"}]}),
                ElementRequired,
                "Appointment.status.extension[0].url",
                "add `url`",
            ),
            fault("/meta", json!({"id": "m"}), ElementEmpty, "Appointment.meta", "leave it out"),
            fault("/participant/0/actor", Value::Null, Invariant, "Appointment.participant[0]", "type.exists() or"),
            fault("/cancelationReason", json!({"text": "rain"}), Invariant, "Appointment", "cancelled"),
            fault(
                "/requestedPeriod",
                json!([{"start": "2026-02", "end": "2026-01"}]),
                Invariant,
                "Appointment.requestedPeriod[0]",
                "<=",
            ),
            fault("/basedOn/0/reference", json!("#gone"), Invariant, "Appointment.basedOn[0]", "contained"),
            fault(
                "/contained",
                json!([{"resourceType": "Location", "id": "here"}, {"resourceType": "Location", "id": "idle"}]),
                Invariant,
                "Appointment",
                "contained",
            ),
        ],
    );
}

#[test]
fn each_single_fault_of_a_patient_a_task_and_a_service_request_is_found() {
    use Rule::*;
    check_faults(
        &patient(),
        vec![
            fault("/active", json!("yes-x"), ElementType, "Patient.active", "without quotes"),
            fault("/birthDate", json!("1981-02-29"), PrimitiveFormat, "Patient.birthDate", "no such day"),
            fault("/gender", json!("F"), CodeRequired, "Patient.gender", "`female`"),
            fault("/name/0/use", json!("legal"), CodeRequired, "Patient.name[0].use", "`official`"),
            fault("/name/0/given", json!(["Ada", null]), ElementEmpty, "Patient.name[0].given[1]", "leave"),
            fault("/name/0/firstName", json!("Bea"), ElementUnknown, "Patient.name[0].firstName", "leave it out"),
            fault("/deceasedDateTime", json!("2024"), ElementChoice, "Patient.deceasedDateTime", "keep one"),
            fault("/deceased", json!(false), ElementChoice, "Patient.deceased", "`deceasedBoolean`"),
            fault("/photo/0/data", json!("QUJ"), PrimitiveFormat, "Patient.photo[0].data", "base 64"),
            fault(
                "/address/0/period/start",
                json!("2020-13"),
                PrimitiveFormat,
                "Patient.address[0].period.start",
                "no such day",
            ),
            fault("/multipleBirthInteger", json!(1.5), PrimitiveFormat, "Patient.multipleBirthInteger", "whole number"),
            fault(
                "/contact",
                json!([{"gender": "x", "name": {"text": "n"}}]),
                CodeRequired,
                "Patient.contact[0].gender",
                "`male`",
            ),
        ],
    );
    check_faults(
        &task(),
        vec![
            fault("/authored", json!("2026"), ElementUnknown, "Task.authored", "`authoredOn`"),
            fault("/intent", Value::Null, ElementRequired, "Task.intent", "add `intent`"),
            fault("/status", json!("open"), CodeRequired, "Task.status", "`requested`"),
            fault("/input/0/valueString", Value::Null, ElementRequired, "Task.input[0].value", "value[x]"),
            fault("/input/0/valueStrng", json!("abc"), ElementChoice, "Task.input[0].valueStrng", "`valueString`"),
            fault("/reasonCode", json!({"coding": {"code": "x"}}), ElementArray, "Task.reasonCode.coding", "[ ]"),
        ],
    );
    check_faults(
        &service_request(),
        vec![
            fault("/priority", json!("soon"), CodeRequired, "ServiceRequest.priority", "`urgent`"),
            fault("/occurrenceDateTime", json!("2026"), ElementChoice, "ServiceRequest.occurrenceDateTime", "keep one"),
            fault(
                "/subject",
                json!({"reference": "Appointment/1"}),
                ReferenceTarget,
                "ServiceRequest.subject.reference",
                "Patient",
            ),
            fault(
                "/quantityQuantity/value",
                json!("1.5"),
                ElementType,
                "ServiceRequest.quantityQuantity.value",
                "without quotes",
            ),
            fault(
                "/quantityQuantity/comparator",
                json!("~~"),
                CodeRequired,
                "ServiceRequest.quantityQuantity.comparator",
                "`>=`",
            ),
            fault("/code/coding", json!({"code": "x"}), ElementArray, "ServiceRequest.code.coding", "[ ]"),
        ],
    );
}

#[test]
fn the_type_of_the_resource_is_known_and_the_expected_one() {
    let check = |value: Value, expected: Option<&str>| -> Vec<(Rule, Option<String>)> {
        let found = r4().check(&document(&value), expected, &[]);
        found.into_iter().map(|issue| (issue.rule, issue.hint)).collect()
    };
    let hint = |text: &str| Some(text.to_owned());
    assert_eq!(check(json!({}), Some("Task")), [(Rule::ResourceTypeMissing, hint("add `\"resourceType\": \"Task\"`"))]);
    assert_eq!(
        check(json!({"resourceType": "Apointment"}), None),
        [(Rule::ResourceTypeUnknown, hint("did you mean `Appointment`?"))]
    );
    for abstract_type in ["Resource", "DomainResource", "HumanName", "string"] {
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
        "entry": [{"fullUrl": "urn:uuid:deb4c4b3-870b-4599-84df-5e54cef7afda", "resource": appointment()}, {"resource": broken}],
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
    assert_eq!(told(&"x".repeat(500)), format!("Task has no element `{}`", "x".repeat(64)));
}

#[test]
fn a_document_deep_and_wide_is_checked_in_time() {
    let mut extension = json!({"url": "u", "valueString": "x"});
    for _ in 0..60 {
        extension = json!({"url": "u", "extension": [extension]});
    }
    let mut value = task();
    value["extension"] = Value::Array(vec![extension; 500]);
    let started = std::time::Instant::now();
    assert_eq!(issues(&value), []);
    assert!(started.elapsed().as_secs() < 5, "it took {:?}", started.elapsed());
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
fn what_is_not_checked_is_listed() {
    let listed: Vec<_> = r4().not_evaluated().iter().map(ToString::to_string).collect();
    assert!(listed.iter().any(|one| one.contains("http://hl7.org/fhir/ValueSet/mimetypes")), "{listed:#?}");
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
