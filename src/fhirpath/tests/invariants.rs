//! The published invariants of the resources and data types that pass through here, each on input that keeps it and
//! input that breaks it.

use super::definitions::R4;
use super::reader::from_json;
use crate::fhirpath::{Context, ElementTypes, Model, Scope, compile, compile_for};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Checks an invariant at `place` (names from the root) of a resource; none where it comes to nothing.
fn holds(expression: &str, place: &[&str], resource: &Json) -> Option<bool> {
    let document = from_json(&resource.to_string());
    let node = document.root().descend(place).unwrap_or_else(|| panic!("{place:?} is not in the input"));
    let context = Context::new(document.root());
    let expression = compile(expression, &Scope::new().as_selects()).unwrap();
    expression.holds(node, &context).unwrap_or_else(|failure| panic!("{}: {failure}", expression.text()))
}

/// An invariant with its place, an input that keeps it, and one that breaks it.
fn kept_and_broken(expression: &str, place: &[&str], keeps: Json, breaks: Json) {
    assert_ne!(holds(expression, place, &keeps), Some(false), "{expression} should hold on {keeps}");
    assert_eq!(holds(expression, place, &breaks), Some(false), "{expression} should not hold on {breaks}");
}

const ELE_1: &str = "hasValue() or (children().count() > id.count())";
const DOM_3: &str = "contained.where((('#'+id in (%resource.descendants().reference | \
    %resource.descendants().as(canonical) | %resource.descendants().as(uri) | %resource.descendants().as(url))) or \
    descendants().where(reference = '#').exists() or descendants().where(as(canonical) = '#').exists() or \
    descendants().where(as(canonical) = '#').exists()).not()).trace('unmatched', id).empty()";
const REF_1: &str = "reference.startsWith('#').not() or \
    (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))";
const BDL_3: &str = "entry.all(request.exists() = (%resource.type = 'batch' or %resource.type = 'transaction' or \
    %resource.type = 'history'))";
const AGE_1: &str = "(code.exists() or value.empty()) and (system.empty() or system = %ucum) and \
    (value.empty() or value.hasValue().not() or value > 0)";
const CNT_3: &str = "(code.exists() or value.empty()) and (system.empty() or system = %ucum) and \
    (code.empty() or code = '1') and (value.empty() or value.hasValue().not() or value.toString().contains('.').not())";

#[test]
fn an_element_has_a_value_or_children() {
    kept_and_broken(ELE_1, &["period"], json!({"period": {"start": "2026"}}), json!({"period": {"id": "x"}}));
    kept_and_broken(ELE_1, &["status"], json!({"status": "booked"}), json!({"_status": {"id": "x"}}));
    let with_extension = json!({"_status": {"extension": [{"url": "u", "valueString": "v"}]}});
    assert_eq!(holds(ELE_1, &["status"], &with_extension), Some(true));
    // The short form gives what the long one gives.
    let long = format!("({ELE_1}) = true");
    for resource in [json!({"a": {}}), json!({"a": {"id": "1"}}), json!({"a": 1}), json!({"a": {"id": "1", "b": 2}})] {
        assert_eq!(holds(ELE_1, &["a"], &resource), holds(&long, &["a"], &resource), "{resource}");
    }
}

#[test]
fn an_extension_has_a_value_or_extensions_and_not_both() {
    kept_and_broken(
        "extension.exists() != value.exists()",
        &["extension"],
        json!({"extension": {"url": "u", "valueBoolean": false}}),
        json!({"extension": {"url": "u", "valueBoolean": false, "extension": [{"url": "v", "valueCode": "c"}]}}),
    );
}

#[test]
fn contained_resources_are_flat_bare_and_referred_to() {
    let of = |contained: Json, subject: &str| json!({"resourceType": "ServiceRequest", "contained": [contained], "subject": {"reference": subject}});
    let plain = json!({"resourceType": "Patient", "id": "p"});
    kept_and_broken(
        "contained.contained.empty()",
        &[],
        of(plain.clone(), "#p"),
        of(json!({"resourceType": "Patient", "id": "p", "contained": [plain]}), "#p"),
    );
    kept_and_broken(DOM_3, &[], of(plain.clone(), "#p"), of(plain.clone(), "Patient/1"));
    let meta = |meta: Json| of(json!({"resourceType": "Patient", "id": "p", "meta": meta}), "#p");
    let dom_4 = "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()";
    kept_and_broken(dom_4, &[], meta(json!({"source": "u"})), meta(json!({"versionId": "1"})));
    kept_and_broken(
        "contained.meta.security.empty()",
        &[],
        of(plain, "#p"),
        meta(json!({"security": [{"code": "R"}]})),
    );
    kept_and_broken("text.`div`.exists()", &[], json!({"text": {"div": "<div>x</div>"}}), json!({"id": "x"}));
}

#[test]
fn references_into_the_resource_are_resolved_within_it() {
    let of = |reference: &str| {
        json!({"resourceType": "ServiceRequest", "contained": [{"resourceType": "Patient", "id": "p"}],
               "subject": {"reference": reference}})
    };
    kept_and_broken(REF_1, &["subject"], of("#p"), of("#q"));
    kept_and_broken(REF_1, &["subject"], of("Patient/q"), of("#q"));
    assert_eq!(holds(REF_1, &["subject"], &json!({"subject": {"display": "x"}})), None);
}

#[test]
fn an_appointment_keeps_its_invariants() {
    kept_and_broken(
        "type.exists() or actor.exists()",
        &["participant"],
        json!({"participant": [{"actor": {"reference": "Patient/1"}}]}),
        json!({"participant": [{"status": "accepted"}]}),
    );
    let day = |start: Option<&str>, end: Option<&str>, status: &str| {
        json!({"resourceType": "Appointment", "status": status, "start": start, "end": end})
            .as_object()
            .map(|members| members.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())))
            .map(|members| Json::Object(members.collect()))
            .unwrap()
    };
    let app_2 = "start.exists() = end.exists()";
    kept_and_broken(
        app_2,
        &[],
        day(Some("2026-01-01"), Some("2026-01-01"), "booked"),
        day(Some("2026"), None, "booked"),
    );
    let app_3 = "(start.exists() and end.exists()) or (status in ('proposed' | 'cancelled' | 'waitlist'))";
    kept_and_broken(app_3, &[], day(None, None, "waitlist"), day(None, None, "booked"));
    let app_4 = "Appointment.cancelationReason.exists() implies \
                 (Appointment.status='noshow' or Appointment.status='cancelled')";
    let cancelled =
        |status: &str| json!({"resourceType": "Appointment", "status": status, "cancelationReason": {"text": "x"}});
    kept_and_broken(app_4, &[], cancelled("cancelled"), cancelled("booked"));
}

#[test]
fn requests_tasks_and_patients_keep_theirs() {
    let prr_1 = "orderDetail.empty() or code.exists()";
    kept_and_broken(
        prr_1,
        &[],
        json!({"code": {"text": "x"}, "orderDetail": [{}]}),
        json!({"orderDetail": [{"text": "x"}]}),
    );
    let inv_1 = "lastModified.exists().not() or authoredOn.exists().not() or lastModified >= authoredOn";
    kept_and_broken(
        inv_1,
        &[],
        json!({"authoredOn": "2026-03-28T23:30:00+01:00", "lastModified": "2026-03-28T22:45:00Z"}),
        json!({"authoredOn": "2026-03-28T23:30:00+01:00", "lastModified": "2026-03-28T22:15:00Z"}),
    );
    // A day and an instant of that day: cannot be said.
    assert_eq!(holds(inv_1, &[], &json!({"authoredOn": "2026-03-28", "lastModified": "2026-03-28T22:15:00Z"})), None);
    let pat_1 = "name.exists() or telecom.exists() or address.exists() or organization.exists()";
    kept_and_broken(
        pat_1,
        &["contact"],
        json!({"contact": [{"name": {"text": "x"}}]}),
        json!({"contact": [{"gender": "other"}]}),
    );
}

#[test]
fn bundles_keep_theirs() {
    let of = |kind: &str, entry: Json| json!({"resourceType": "Bundle", "type": kind, "entry": [entry]});
    let request = json!({"request": {"method": "GET", "url": "x"}});
    let response = json!({"response": {"status": "200"}});
    kept_and_broken(
        "total.empty() or (type = 'searchset') or (type = 'history')",
        &[],
        json!({"type": "searchset", "total": 1}),
        json!({"type": "message", "total": 1}),
    );
    kept_and_broken(
        "entry.search.empty() or (type = 'searchset')",
        &[],
        of("searchset", json!({"search": {"mode": "match"}})),
        of("batch", json!({"search": {"mode": "match"}})),
    );
    kept_and_broken(BDL_3, &[], of("batch", request.clone()), of("message", request.clone()));
    let bdl_4 = "entry.all(response.exists() = (%resource.type = 'batch-response' or \
                 %resource.type = 'transaction-response' or %resource.type = 'history'))";
    kept_and_broken(bdl_4, &[], of("batch-response", response.clone()), of("message", response));
    kept_and_broken(
        "resource.exists() or request.exists() or response.exists()",
        &["entry"],
        of("batch", request),
        of("batch", json!({"fullUrl": "urn:uuid:1"})),
    );
    let bdl_7 =
        "(type = 'history') or entry.where(fullUrl.exists()).select(fullUrl&resource.meta.versionId).isDistinct()";
    let two =
        |first: &str, second: &str| json!({"type": "message", "entry": [{"fullUrl": first}, {"fullUrl": second}]});
    kept_and_broken(bdl_7, &[], two("urn:uuid:1", "urn:uuid:2"), two("urn:uuid:1", "urn:uuid:1"));
    kept_and_broken(
        "fullUrl.exists() implies fullUrl.contains('/_history/').not()",
        &["entry"],
        of("batch", json!({"fullUrl": "https://example.org/Patient/1"})),
        of("batch", json!({"fullUrl": "https://example.org/Patient/1/_history/1"})),
    );
    kept_and_broken(
        "type = 'document' implies (identifier.system.exists() and identifier.value.exists())",
        &[],
        json!({"type": "document", "identifier": {"system": "s", "value": "v"}}),
        json!({"type": "document", "identifier": {"value": "v"}}),
    );
    kept_and_broken(
        "type = 'document' implies (timestamp.hasValue())",
        &[],
        json!({"type": "document", "timestamp": "2026-01-01T00:00:00Z"}),
        json!({"type": "document"}),
    );
    let bdl_12 = "type = 'message' implies entry.first().resource.is(MessageHeader)";
    let header = |kind: &str| of("message", json!({"resource": {"resourceType": kind}}));
    kept_and_broken(bdl_12, &[], header("MessageHeader"), header("Patient"));
}

#[test]
fn data_types_keep_theirs() {
    let at = |name: &str, value: Json| json!({name: value});
    let both = |expression: &str, keeps: Json, breaks: Json| {
        kept_and_broken(expression, &["x"], at("x", keeps), at("x", breaks));
    };
    let per_1 = "start.hasValue().not() or end.hasValue().not() or (start <= end)";
    both(per_1, json!({"start": "2026-01", "end": "2026-02-01"}), json!({"start": "2026-03", "end": "2026-02-01"}));
    both(
        per_1,
        json!({"start": "2026-03-28T10:00:00+01:00", "end": "2026-03-28T09:30:00Z"}),
        json!({"start": "2026-03-28T10:00:00Z", "end": "2026-03-28T10:30:00+01:00"}),
    );
    assert_eq!(holds(per_1, &["x"], &at("x", json!({"start": "2026-03", "end": "2026-03-01"}))), None);
    let quantity = |value: f64, unit: &str| json!({"value": value, "unit": unit});
    both(
        "low.empty() or high.empty() or (low <= high)",
        json!({"low": quantity(1.0, "kg"), "high": quantity(1500.0, "g")}),
        json!({"low": quantity(2.0, "kg"), "high": quantity(1500.0, "g")}),
    );
    both(
        "(numerator.empty() xor denominator.exists()) and (numerator.exists() or extension.exists())",
        json!({"numerator": {"value": 1}, "denominator": {"value": 2}}),
        json!({"numerator": {"value": 1}}),
    );
    both("code.empty() or system.exists()", json!({"code": "kg", "system": "s"}), json!({"code": "kg"}));
    both("value.empty() or system.exists()", json!({"value": "1", "system": "phone"}), json!({"value": "1"}));
    both("data.empty() or contentType.exists()", json!({"data": "aGk=", "contentType": "t"}), json!({"data": "aGk="}));
    let ucum = "http://unitsofmeasure.org";
    both(AGE_1, json!({"value": 3, "code": "a", "system": ucum}), json!({"value": -3, "code": "a", "system": ucum}));
    both(CNT_3, json!({"value": 3, "code": "1", "system": ucum}), json!({"value": 3.5, "code": "1", "system": ucum}));
    both(
        "code.exists() implies ((system = %ucum) and value.exists())",
        json!({"value": 3, "code": "wk", "system": ucum}),
        json!({"value": 3, "code": "wk", "system": "http://snomed.info/sct"}),
    );
    both(
        "duration.empty() or durationUnit.exists()",
        json!({"duration": 1, "durationUnit": "d"}),
        json!({"duration": 1}),
    );
    both("period.exists() implies period >= 0", json!({"period": 0.5}), json!({"period": -1}));
    let tim_9 = "offset.empty() or (when.exists() and when.select($this in ('C' | 'CM' | 'CD' | 'CV')).allFalse())";
    both(tim_9, json!({"offset": 10, "when": ["AC"]}), json!({"offset": 10, "when": ["AC", "CM"]}));
    both(
        "timeOfDay.empty() or when.empty()",
        json!({"timeOfDay": ["09:00:00"]}),
        json!({"timeOfDay": ["09:00:00"], "when": ["AC"]}),
    );
    both("comparator.empty()", json!({"value": 1}), json!({"value": 1, "comparator": "<"}));
    kept_and_broken("htmlChecks()", &["div"], at("div", json!("<div>x</div>")), at("div", json!("<div></div>")));
}

#[test]
fn the_invariants_of_definitions_and_terminology_compile_and_run() {
    let resource = json!({
        "resourceType": "StructureDefinition", "url": "http://hl7.org/fhir/StructureDefinition/x", "name": "Name_1",
        "kind": "resource", "type": "Patient", "snapshot": {"element": [
            {"id": "Patient", "path": "Patient", "min": 0, "max": "*"},
            {"id": "Patient.id", "path": "Patient.id", "min": 0, "max": "1", "type": [{"code": "string"}]}]},
        "differential": {"element": [{"id": "Patient", "path": "Patient"}]}
    });
    for (expression, place) in [
        ("name.matches('[A-Z]([A-Za-z0-9_]){0,254}')", &[][..]),
        ("snapshot.element.all(id.exists()) and snapshot.element.id.trace('ids').isDistinct()", &[]),
        ("(snapshot | differential).element.all(path.contains('.').not() implies sliceName.empty())", &[]),
        ("children().element.where(path.contains('.').not()).label.empty()", &[]),
        ("kind != 'logical' implies snapshot.empty() or snapshot.element.first().path = type", &[]),
        (
            "(%resource.kind = 'logical' or element.first().path = %resource.type) and \
             element.tail().all(path.startsWith(%resource.snapshot.element.first().path&'.'))",
            &["snapshot"],
        ),
        (
            "(%resource.kind = 'logical' or element.first().path.startsWith(%resource.type)) and \
             (element.tail().empty() or element.tail().all(path.startsWith(\
             %resource.differential.element.first().path.replaceMatches('\\\\..*','')&'.')))",
            &["differential"],
        ),
        (
            "url.startsWith('http://hl7.org/fhir/StructureDefinition') implies \
             (differential.element.type.code.all(matches('^[a-zA-Z0-9]+$') or \
             matches('^http:\\\\/\\\\/hl7\\\\.org\\\\/fhirpath\\\\/System\\\\.[A-Z][A-Za-z]+$')) and \
             snapshot.element.type.code.all(matches('^[a-zA-Z0-9\\\\.]+$')))",
            &[],
        ),
        ("path.matches('[A-Za-z][A-Za-z0-9]*(\\\\.[a-z][A-Za-z0-9]*(\\\\[x])?)*')", &["snapshot", "element"]),
        (
            "path.matches('[^\\\\s\\\\.,:;\\\\\\'\"\\\\/|?!@#$%&*()\\\\[\\\\]{}]{1,64}(\\\\.[^\\\\s\\\\.,:;\\\\\\'\"\\\\/|?!@#$%&*()\
             \\\\[\\\\]{}]{1,64}(\\\\[x\\\\])?(\\\\:[^\\\\s\\\\.]+)?)*')",
            &["snapshot", "element"],
        ),
        (
            "min.empty() or max.empty() or (max = '*') or iif(max != '*', min <= max.toInteger())",
            &["snapshot", "element"],
        ),
        ("empty() or ($this = '*') or (toInteger() >= 0)", &["snapshot", "element", "max"]),
        ("member.resolve().iif(empty(), true, ofType(Practitioner).exists())", &[]),
        ("element.first().path = %resource.type", &["snapshot"]),
    ] {
        assert_eq!(holds(expression, place, &resource), Some(true), "{expression}");
    }
}

/// R4's own invariants that a strict reading refuses, each with what it finds wrong.
const WRONG_IN_R4: &[(&str, &str)] = &[
    // ChargeItemDefinition lost its `name` before R4 was published, and kept the rule about it.
    ("cid-0", "ChargeItemDefinition has no element `name`"),
];

#[test]
fn a_strict_reading_finds_no_fault_in_r4s_invariants_but_the_known_ones() {
    let r4 = R4::load();
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    for (path, key, expression) in &r4.invariants {
        let (holder, name) = path.rsplit_once('.').unwrap_or(("", path));
        let inputs = match r4.element(holder, name) {
            ElementTypes::Types(types) => types,
            ElementTypes::Unknown | ElementTypes::Absent => vec![path.as_str()],
        };
        for input in inputs {
            if let Err(faults) = compile_for(expression, &Scope::new().as_selects(), &r4, input) {
                told.extend(faults.into_iter().map(|fault| (key.clone(), fault.message)));
            }
        }
    }
    let known = WRONG_IN_R4.iter().map(|(key, message)| ((*key).to_owned(), (*message).to_owned()));
    assert_eq!(told, known.collect(), "of {} invariants", r4.invariants.len());
}
