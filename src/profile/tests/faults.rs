//! Single faults over good resources: each is found at its place, by its rule, and nothing else is.

use super::{appointment, issues, patient, put, service_request, task};
use crate::issue::Rule;
use serde_json::{Value, json};

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
            fault(
                "/description",
                json!({"extension": [{"url": "https://example.org/why", "valueCode": "x"}]}),
                ElementType,
                "Appointment.description",
                "`_description`",
            ),
            fault(
                "/_requestedPeriod",
                json!([{"start": "2026"}]),
                ElementType,
                "Appointment.requestedPeriod[0]",
                "`requestedPeriod`",
            ),
            fault(
                "/_created",
                json!({"id": "c1", "vlue": "x"}),
                ElementUnknown,
                "Appointment.created.vlue",
                "leave it out",
            ),
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
                json!({"type": "Patient", "display": "x"}),
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
                json!([{"url": "urn:a", "valueCode": "b"}]),
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
                json!({"url": "urn:a", "valueSting": "bbb"}),
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
                "Appointment.contained[1]",
                "point at it",
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
