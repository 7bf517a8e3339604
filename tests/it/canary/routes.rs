//! Every way in, with the canary on it.

use super::{BORN, FAMILY, GIVEN, NHS_NUMBER, NOTE, PHONE, POSTCODE, REASON, STREET};
use crate::house::{NHS_NUMBER_SYSTEM, ODS_SYSTEM, PAS_SYSTEM, PATHWAY_SYSTEM, PORTAL_SYSTEM, TRUST};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A request with the canary somewhere on it.
pub struct Sent {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Vec<u8>>,
    /// True for one that must be refused; others may be odd and yet R4, for example a reference that is one word.
    pub is_refused: bool,
}

impl Sent {
    fn new(method: &'static str, path: impl Into<String>, is_refused: bool) -> Self {
        Sent { method, path: path.into(), headers: Vec::new(), body: None, is_refused }
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

fn subject() -> Value {
    json!({
        "type": "Patient", "identifier": {"system": NHS_NUMBER_SYSTEM, "value": NHS_NUMBER},
        "display": format!("{GIVEN} {FAMILY}")
    })
}

fn patient() -> Value {
    json!({
        "resourceType": "Patient", "id": "p1", "birthDate": BORN,
        "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{FAMILY}, {GIVEN}</div>")},
        "identifier": [{"system": NHS_NUMBER_SYSTEM, "value": NHS_NUMBER}],
        "name": [{"use": "official", "family": FAMILY, "given": [GIVEN]}],
        "telecom": [{"system": "phone", "value": PHONE}],
        "address": [{"line": [STREET], "postalCode": POSTCODE}]
    })
}

pub fn appointment(now: Timestamp) -> Value {
    let at = |minutes: i64| (now + SignedDuration::from_hours(240) + SignedDuration::from_mins(minutes)).to_string();
    json!({
        "resourceType": "Appointment", "id": "a1",
        "extension": [{"url": "https://fhir.nhs.uk/StructureDefinition/Extension-Consultation-Medium", "valueCode": "FACE_TO_FACE"}],
        "identifier": [{"system": PAS_SYSTEM, "value": "501"}, {"system": PORTAL_SYSTEM, "value": "a1"}],
        "status": "booked", "description": NOTE, "comment": NOTE, "patientInstruction": NOTE,
        "start": at(0), "end": at(20),
        "participant": [
            {"actor": subject(), "status": "accepted"},
            {"actor": {"type": "Location", "identifier": {"system": ODS_SYSTEM, "value": TRUST}, "display": STREET}, "status": "accepted"}
        ]
    })
}

fn change(id: &str, now: Timestamp) -> Value {
    json!({
        "resourceType": "Task", "id": id, "status": "requested", "intent": "order",
        "code": {"coding": [{"system": "urn:stile:change-request", "code": "cancel"}]},
        "focus": {"type": "Appointment", "reference": "Appointment/a1", "display": NOTE}, "for": subject(),
        "authoredOn": now.to_string(), "reasonCode": {"text": REASON}, "note": [{"text": NOTE}]
    })
}

fn request(id: &str, is_booking: bool, now: Timestamp) -> Value {
    let mut value = json!({
        "resourceType": "ServiceRequest", "id": id, "status": "active", "intent": "order",
        "basedOn": [{"type": "CarePlan", "identifier": {"system": PATHWAY_SYSTEM, "value": "P1"}}],
        "code": {"text": NOTE}, "subject": subject(), "authoredOn": now.to_string(),
        "performer": [{"type": "Organization", "identifier": {"system": ODS_SYSTEM, "value": TRUST}}],
        "note": [{"text": REASON}]
    });
    if is_booking {
        value["category"] = json!([{"coding": [triage()]}]);
        value.as_object_mut().unwrap().shift_remove("code");
    }
    value
}

fn triage() -> Value {
    json!({"system": "https://fhir.nhs.uk/StructureDefinition/Extension-Questionnaire-Type", "code": "pifu-triage"})
}

fn enrolment(now: Timestamp) -> Value {
    let day = |days: i64| (now + SignedDuration::from_hours(24 * days)).to_string()[..10].to_owned();
    json!({
        "resourceType": "Task", "id": "e1", "status": "requested", "intent": "plan", "description": NOTE,
        "basedOn": [{"type": "CarePlan", "identifier": {"system": PATHWAY_SYSTEM, "value": "P1"}}],
        "for": subject(), "authoredOn": now.to_string(),
        "owner": {"type": "Organization", "identifier": {"system": ODS_SYSTEM, "value": TRUST}},
        "reasonCode": {"coding": [triage()], "text": NOTE}, "restriction": {"period": {"start": day(-10), "end": day(100)}}
    })
}

/// What is taken, in the order in which it must come.
pub fn good(now: Timestamp) -> Vec<Sent> {
    let put = |resource: Value| {
        let path = format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        Sent::new("PUT", path, false).body(resource.to_string())
    };
    let search =
        |path: &str| Sent::new("GET", format!("{path}?patient:identifier={NHS_NUMBER_SYSTEM}|{NHS_NUMBER}"), false);
    vec![
        put(patient()).header("idempotency-key", format!("{FAMILY}-{NHS_NUMBER}")),
        put(appointment(now)).header("user-agent", FAMILY).header("cookie", format!("name={FAMILY}")),
        put(request("r1", false, now)).header("referer", format!("https://portal.example/{NHS_NUMBER}")),
        put(change("t1", now)),
        put(enrolment(now)),
        put(request("b1", true, now)).header("x-forwarded-for", FAMILY),
        Sent::new("GET", "/fhir/Patient/p1", false).header("x-correlation-id", NHS_NUMBER),
        Sent::new("GET", "/fhir/Patient/p1", false)
            .header("x-correlation-id", format!("req-{NHS_NUMBER}-1"))
            .header("x-request-id", format!("{NHS_NUMBER}:2")),
        Sent::new("GET", "/fhir/Appointment/a1", false).header("accept", "application/fhir+xml"),
        search("/fhir/Appointment"),
        search("/fhir/Task"),
        search("/waiting-list/entries"),
        Sent::new("GET", format!("/fhir/Patient?identifier={NHS_NUMBER_SYSTEM}%7C{NHS_NUMBER}"), false),
        Sent::new("POST", "/fhir/Patient/$validate", false).body(patient().to_string()),
    ]
}

/// A good resource with the value at a pointer replaced.
fn with(resource: &Value, pointer: &str, value: Value) -> Value {
    let mut resource = resource.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match resource.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        object => object[name] = value,
    }
    resource
}

/// What is refused, with the canary where it hurts.
pub fn bad(now: Timestamp) -> Vec<Sent> {
    let appointment = appointment(now);
    let mut sent = Vec::new();
    let mut body = |resource: &Value, is_validated: bool| {
        let kind = resource["resourceType"].as_str().filter(|kind| *kind != FAMILY).unwrap_or("Appointment");
        let text = resource.to_string();
        sent.push(
            Sent::new("PUT", format!("/fhir/{kind}/{}", resource["id"].as_str().unwrap_or("x")), false)
                .body(text.clone()),
        );
        if is_validated {
            sent.push(Sent::new("POST", format!("/fhir/{kind}/$validate"), false).body(text));
        }
    };
    let name = format!("{FAMILY}, {GIVEN}");
    for words in [NHS_NUMBER, FAMILY, name.as_str(), BORN, STREET, POSTCODE, PHONE, NOTE] {
        for pointer in [
            "/status",
            "/start",
            "/priority",
            "/minutesDuration",
            "/slot",
            "/participant/0/status",
            "/participant/0/required",
            "/participant/0/actor/reference",
            "/participant/0/actor/identifier/value",
            "/identifier/0/system",
            "/extension/0/url",
            "/extension/0/valueCode",
            "/resourceType",
            "/participant/0/actor",
            "/participant",
            "/meta",
            "/text",
            "/contained",
            "/language",
        ] {
            let resource = with(&appointment, pointer, words.into());
            body(&resource, false);
        }
        body(&with(&appointment, "/meta", json!({"profile": [words], "lastUpdated": words, "versionId": words})), true);
        body(&with(&patient(), "/birthDate", format!("{words}x").into()), true);
        body(&with(&patient(), "/gender", words.into()), true);
        body(&with(&change("t9", now), "/focus/reference", format!("Appointment/{words}").into()), false);
        body(&with(&change("t9", now), "/code/coding/0/code", words.into()), true);
        body(&with(&request("r9", false, now), "/subject/identifier/value", format!("{words}0").into()), true);
        body(&with(&request("r9", false, now), "/priority", words.into()), false);
        body(&with(&enrolment(now), "/restriction/period/start", words.into()), false);
    }
    // Where a name belongs: not a surname alone, which an element could be called.
    for words in [NHS_NUMBER, name.as_str(), BORN, STREET, POSTCODE, PHONE, NOTE] {
        for parent in ["", "/participant/0", "/participant/0/actor"] {
            let resource = with(&appointment, &format!("{parent}/{words}"), json!({words: [null, {"a": 1}]}));
            body(&resource, true);
        }
    }
    for (text, format) in texts(&appointment) {
        sent.push(Sent::new("PUT", "/fhir/Appointment/a1", true).header("content-type", format).body(text));
    }
    sent.extend(requests(&appointment.to_string()));
    sent
}

/// Texts that end in a fault next to the canary.
fn texts(appointment: &Value) -> Vec<(String, &'static str)> {
    let good = appointment.to_string();
    let xml = |inside: &str| {
        format!(
            "<Appointment xmlns=\"http://hl7.org/fhir\"><id value=\"a1\"/>{inside}<status value=\"booked\"/></Appointment>"
        )
    };
    let mut texts = Vec::new();
    for words in [NHS_NUMBER, FAMILY, STREET, NOTE] {
        for text in [
            words.to_owned(),
            format!("\"{words}\""),
            format!("{{\"{words}"),
            format!("{{\"resourceType\":\"Appointment\",\"description\":\"{words}"),
            format!("{{\"resourceType\":\"Appointment\",\"description\":\"{words}\\x\"}}"),
            format!("{{\"resourceType\":\"Appointment\",\"description\":\"{words}\\ud800\",\"status\":null}}"),
            good.replacen('{', &format!("{{\"comment\":\"{words}\",\"comment\":\"{words}\","), 1),
            format!("{good}{words}"),
        ] {
            texts.push((text, "application/fhir+json"));
        }
        for text in [
            words.to_owned(),
            format!("<{words}>"),
            format!("<!DOCTYPE a [<!ENTITY a \"{words}\">]>{}", xml("")),
            xml(words),
            xml(&format!("<description value=\"{words}\" value=\"{words}\"/>")),
            xml(&format!("<description value=\"{words}&nbsp;\"/>")),
            xml(&format!("<start value=\"{words}\"/>")),
            xml(&format!("<start xmlns:a=\"{words}\" a:b=\"{words}\" value=\"{words}\">{words}</start>")),
            xml(&format!(
                "<text><status value=\"{words}\"/><div xmlns=\"http://www.w3.org/1999/xhtml\"><script>{words}</script></div></text>"
            )),
            format!("<?xml version=\"1.0\" encoding=\"{words}\"?>{}", xml("")),
        ] {
            texts.push((text, "application/fhir+xml"));
        }
    }
    texts
}

/// Addresses, queries and headers that are refused.
fn requests(good: &str) -> Vec<Sent> {
    let mut sent = Vec::new();
    for words in [NHS_NUMBER, FAMILY, "Quillfeather%20Canaryson", "17%20Birdcage%20Walkway"] {
        for path in [
            "/{}",
            "/fhir/{}",
            "/fhir/{}/{}",
            "/fhir/Patient/{}",
            "/fhir/Patient/x{}_",
            "/waiting-list/entries/{}",
            "/waiting-list/{}",
            "/fhir/Patient/p1/{}",
        ] {
            sent.push(Sent::new("GET", path.replace("{}", words), true));
        }
        for query in [
            "_count={}",
            "status={}",
            "_id={}_",
            "identifier=a|b|{}",
            "identifier={},{}",
            "patient={}",
            "_after={}%22",
            "_format={}",
            "status=booked&status={}",
            "x=%FF{}",
        ] {
            sent.push(Sent::new("GET", format!("/fhir/Appointment?{}", query.replace("{}", words)), true));
            sent.push(
                Sent::new("PUT", format!("/fhir/Appointment/a1?{}", query.replace("{}", words)), true).body(good),
            );
        }
        sent.push(Sent::new("GET", format!("/waiting-list/entries?patient:identifier=a|b|{words}"), true));
    }
    for words in [NHS_NUMBER, "9998123453=1", "999%20812%203453"] {
        sent.push(Sent::new("GET", format!("/fhir/Appointment?{words}=1"), true));
    }
    for words in [NHS_NUMBER, FAMILY, NOTE] {
        for (header, value) in [
            ("if-match", words.to_owned()),
            ("if-none-exist", format!("patient={words}")),
            ("if-none-exist", format!("identifier=a|b|{words}")),
            ("content-type", words.to_owned()),
            ("content-type", format!("application/fhir+json; charset={words}")),
            ("content-encoding", words.to_owned()),
            ("accept", words.to_owned()),
            ("accept", format!("application/fhir+json;fhirVersion={words}")),
            ("idempotency-key", format!("{}{}", words, "k".repeat(300))),
        ] {
            let method = if header == "if-none-exist" { "POST" } else { "PUT" };
            let path = if method == "POST" { "/fhir/Appointment" } else { "/fhir/Appointment/a1" };
            sent.push(Sent::new(method, path, true).header(header, value).body(good));
        }
    }
    for method in ["PATCH", "DELETE", "CANARYSON"] {
        sent.push(Sent::new(method, format!("/fhir/Patient/{FAMILY}"), true).body(good));
    }
    sent
}
