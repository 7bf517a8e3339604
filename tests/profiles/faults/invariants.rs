//! Invariants broken one by one: for each key a sample, a change and the place that must be named.

use super::fault::Faults;
use serde_json::{Value, json};

/// Puts each value at its pointer; null takes away what is there. A pointer that ends in `-` appends.
type Change = Vec<(&'static str, Value)>;

/// An invariant's key, the sample, what is changed, and the place.
type Break = (&'static str, &'static str, Change, &'static str);

/// Keys that are broken at every place where they can be, by [`super::kinds`].
pub const EVERYWHERE: &[&str] = &["ele-1", "ext-1", "ref-1"];

/// Every way in which an invariant is broken here.
pub fn breaks() -> Vec<Break> {
    let none = || Value::Null;
    let location = |id: &str| json!({"resourceType": "Location", "id": id, "name": "Room"});
    let amount = |kind: &'static str, amount: Value| {
        vec![("/extension/0", json!({"url": "https://example.org/flag", kind: amount}))]
    };
    vec![
        (
            "app-1",
            "appointment",
            vec![("/participant/0/actor", none()), ("/participant/0/type", none())],
            "Appointment.participant[0]",
        ),
        ("app-2", "appointment", vec![("/end", none())], "Appointment"),
        ("app-3", "appointment", vec![("/start", none()), ("/end", none())], "Appointment"),
        ("app-4", "appointment", vec![("/cancelationReason", json!({"text": "rain"}))], "Appointment"),
        ("dom-2", "appointment", vec![("/contained/0/contained", json!([location("inner")]))], "Appointment"),
        ("dom-3", "appointment", vec![("/contained/-", location("idle"))], "Appointment.contained[1]"),
        (
            "dom-4",
            "appointment",
            vec![("/contained/0/meta", json!({"lastUpdated": "2026-01-01T00:00:00Z"}))],
            "Appointment",
        ),
        ("dom-4", "task", vec![("/contained/0/meta", json!({"versionId": "1"}))], "Task"),
        ("dom-5", "appointment", vec![("/contained/0/meta", json!({"security": [{"code": "R"}]}))], "Appointment"),
        ("prr-1", "service-request", vec![("/code", none())], "ServiceRequest"),
        ("pat-1", "patient", vec![("/contact/0/name", none()), ("/contact/0/telecom", none())], "Patient.contact[0]"),
        ("inv-1", "task", vec![("/lastModified", json!("2026-01-04T09:00:00Z"))], "Task"),
        ("bdl-1", "bundle-message", vec![("/total", json!(3))], "Bundle"),
        ("bdl-2", "bundle-message", vec![("/entry/1/search", json!({"mode": "match"}))], "Bundle"),
        ("bdl-3", "bundle-transaction", vec![("/entry/0/request", none())], "Bundle.entry[0]"),
        (
            "bdl-3",
            "bundle-message",
            vec![("/entry/1/request", json!({"method": "GET", "url": "Patient/p1"}))],
            "Bundle.entry[1].request",
        ),
        ("bdl-4", "bundle-message", vec![("/entry/1/response", json!({"status": "200"}))], "Bundle.entry[1].response"),
        ("bdl-5", "bundle-message", vec![("/entry/2/resource", none())], "Bundle.entry[2]"),
        (
            "bdl-7",
            "bundle-searchset",
            vec![("/entry/1/fullUrl", json!("https://example.org/fhir/Patient/p1"))],
            "Bundle.entry[1].fullUrl",
        ),
        (
            "bdl-8",
            "bundle-searchset",
            vec![("/entry/0/fullUrl", json!("https://example.org/fhir/Patient/p1/_history/2"))],
            "Bundle.entry[0].fullUrl",
        ),
        ("bdl-9", "bundle-document", vec![("/identifier", none())], "Bundle"),
        ("bdl-9", "bundle-document", vec![("/identifier/system", none())], "Bundle"),
        ("bdl-10", "bundle-document", vec![("/timestamp", none())], "Bundle"),
        ("bdl-11", "bundle-document", vec![("/entry/0", none())], "Bundle.entry[0]"),
        ("bdl-12", "bundle-message", vec![("/entry/0", none())], "Bundle.entry[0]"),
        (
            "tim-1",
            "service-request",
            vec![("/occurrenceTiming/repeat/durationUnit", none())],
            "ServiceRequest.occurrenceTiming.repeat",
        ),
        (
            "tim-2",
            "service-request",
            vec![("/occurrenceTiming/repeat/periodUnit", none())],
            "ServiceRequest.occurrenceTiming.repeat",
        ),
        (
            "tim-4",
            "service-request",
            vec![("/occurrenceTiming/repeat/duration", json!(-1))],
            "ServiceRequest.occurrenceTiming.repeat",
        ),
        (
            "tim-5",
            "service-request",
            vec![("/occurrenceTiming/repeat/period", json!(-1))],
            "ServiceRequest.occurrenceTiming.repeat",
        ),
        (
            "tim-6",
            "service-request",
            vec![("/occurrenceTiming/repeat/period", none())],
            "ServiceRequest.occurrenceTiming.repeat",
        ),
        (
            "tim-7",
            "service-request",
            vec![("/occurrenceTiming/repeat/duration", none())],
            "ServiceRequest.occurrenceTiming.repeat",
        ),
        (
            "tim-8",
            "service-request",
            vec![("/occurrenceTiming/repeat/count", none())],
            "ServiceRequest.occurrenceTiming.repeat",
        ),
        (
            "tim-9",
            "service-request",
            vec![("/occurrenceTiming/repeat/offset", json!(10))],
            "ServiceRequest.occurrenceTiming.repeat",
        ),
        (
            "tim-10",
            "service-request",
            vec![("/occurrenceTiming/repeat/when", json!(["MORN"]))],
            "ServiceRequest.occurrenceTiming.repeat",
        ),
        (
            "drt-1",
            "service-request",
            vec![
                ("/occurrenceTiming/repeat/boundsPeriod", none()),
                (
                    "/occurrenceTiming/repeat/boundsDuration",
                    json!({"code": "d", "system": "http://unitsofmeasure.org"}),
                ),
            ],
            "ServiceRequest.occurrenceTiming.repeat.boundsDuration",
        ),
        (
            "per-1",
            "appointment",
            vec![("/requestedPeriod/0/end", json!("2026-01-31"))],
            "Appointment.requestedPeriod[0]",
        ),
        ("per-1", "patient", vec![("/address/0/period/end", json!("2019"))], "Patient.address[0].period"),
        ("cpt-2", "patient", vec![("/telecom/0/system", none())], "Patient.telecom[0]"),
        ("qty-3", "service-request", vec![("/quantityQuantity/system", none())], "ServiceRequest.quantityQuantity"),
        ("rng-2", "task", vec![("/input/1/valueRange/low/value", json!(4))], "Task.input[1].valueRange"),
        ("rat-1", "task", vec![("/input/2/valueRatio/denominator", none())], "Task.input[2].valueRatio"),
        ("att-1", "patient", vec![("/photo/0/contentType", none())], "Patient.photo[0]"),
        (
            "age-1",
            "appointment",
            amount("valueAge", json!({"value": -1, "code": "a", "system": "http://unitsofmeasure.org"})),
            "Appointment.extension[0].valueAge",
        ),
        (
            "cnt-3",
            "appointment",
            amount("valueCount", json!({"value": 1.5, "code": "1", "system": "http://unitsofmeasure.org"})),
            "Appointment.extension[0].valueCount",
        ),
        (
            "dis-1",
            "appointment",
            amount("valueDistance", json!({"value": 1})),
            "Appointment.extension[0].valueDistance",
        ),
        (
            "txt-1",
            "appointment",
            vec![("/text/div", json!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"))],
            "Appointment.text.div",
        ),
        (
            "txt-1",
            "appointment",
            vec![("/text/div", json!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p onclick=\"x\">y</p></div>"))],
            "Appointment.text.div",
        ),
        (
            "txt-2",
            "appointment",
            vec![("/text/div", json!("<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>"))],
            "Appointment.text.div",
        ),
        ("clinic-1", "clinic-appointment", vec![("/minutesDuration", none())], "Appointment"),
    ]
}

/// Adds those of this sample.
pub fn add_all(faults: &mut Faults<'_>) {
    for (key, sample, change, at) in breaks() {
        if sample != faults.sample {
            continue;
        }
        let made = faults.made.len();
        // What a narrative may hold is the form of its type.
        let is_form = key.starts_with("txt-");
        let rule = match key {
            _ if is_form => "primitive.format",
            "bdl-11" | "bdl-12" => "bundle.first-entry",
            _ => "invariant.failed",
        };
        faults.add("invariant broken", format!("{key} by {change:?}"), rule, at, |value| {
            change.iter().try_for_each(|(pointer, other)| apply(value, pointer, other.clone()))
        });
        assert_eq!(faults.made.len(), made + 1, "{key} cannot be broken in {sample}");
        if let Some(fault) = faults.made.last_mut() {
            fault.key = Some(key).filter(|_| !is_form);
        }
    }
}

fn apply(value: &mut Value, pointer: &str, other: Value) -> Option<()> {
    let (holder, name) = pointer.rsplit_once('/')?;
    match value.pointer_mut(holder)? {
        Value::Object(members) if other.is_null() => members.shift_remove(name).map(drop),
        Value::Object(members) => {
            members.insert(name.into(), other);
            Some(())
        }
        Value::Array(items) if name == "-" => {
            items.push(other);
            Some(())
        }
        Value::Array(items) => {
            let place: usize = name.parse().ok()?;
            if other.is_null() {
                items.remove(place);
            } else {
                *items.get_mut(place)? = other;
            }
            Some(())
        }
        _ => None,
    }
}
