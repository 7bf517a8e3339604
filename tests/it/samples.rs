//! What others publish, taken in by the whole gateway. Each test counts what it tried: none can pass on nothing.

use crate::house::{Answer, Caller, House, NHS_NUMBER_SYSTEM, sha256};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A trust of the samples, in the settings of the callers below only.
const SAMPLE_TRUST: &str = "RFF";

/// The folder of samples; none, said aloud, where it is absent.
fn samples(folder: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples").join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is absent, nothing of it was tried", folder.display());
    None
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The JSON files under a folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The resources of a type in a file: the file's own, or those in its Bundle.
fn resources(file: &Path, kind: &str) -> Vec<Value> {
    let root = read(file);
    let mut all = vec![root.clone()];
    all.extend(root["entry"].as_array().into_iter().flatten().map(|entry| entry["resource"].clone()));
    all.retain(|resource| resource["resourceType"] == kind);
    all
}

/// Two callers who send for the trust of the samples: `tolerant-key`, whose settings name tolerances, and
/// `strict-key`, whose settings name none.
fn callers() -> String {
    let caller = |name: &str, tolerances: &str| {
        format!(
            r#"
[senders.{name}]
organisation = "{SAMPLE_TRUST}"
tolerances = [{tolerances}]
variables = {{ pas_appointment_system = "https://fhir.myclinicalsystem.com/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d/Appointment", portal_appointment_system = "https://prod.myportal.com/fhir/Appointment" }}
[callers.{name}]
key_sha256 = "{}"
sender = "{name}"
resources = ["Appointment", "ServiceRequest", "Patient", "Task"]
interactions = ["read", "search", "create", "update", "validate"]
organisations = ["{SAMPLE_TRUST}"]
"#,
            sha256(&format!("{name}-key"))
        )
    };
    caller("tolerant", r#""reference-identifier-array", "end-absent""#) + &caller("strict", "")
}

/// Every refusal of an answer: its rule, its place, and the way out with who asked.
fn refusals(answer: &Answer) -> Vec<(String, String, String)> {
    let issues = answer.json()["issue"].as_array().cloned().unwrap_or_default();
    let text = |issue: &Value, at: &str| issue.pointer(at).and_then(Value::as_str).unwrap_or("").to_owned();
    issues
        .iter()
        .filter(|issue| matches!(issue["severity"].as_str(), Some("fatal" | "error")))
        .map(|issue| (text(issue, "/details/coding/0/code"), text(issue, "/expression/0"), text(issue, "/diagnostics")))
        .collect()
}

/// How many Appointments of a patient a caller finds.
async fn found(caller: &Caller, nhs_number: &str) -> u64 {
    let query = format!("/fhir/Appointment?patient:identifier={NHS_NUMBER_SYSTEM}|{nhs_number}");
    caller.get(&query).await.expect(200).json()["total"].as_u64().unwrap()
}

#[actix_web::test]
async fn every_appointment_of_the_booking_and_referral_standard_is_taken_and_the_partial_one_is_told_why_not() {
    let Some(folder) = samples("bars-api/1.3.0/appointment") else { return };
    let house = House::with(&callers()).await;
    let sender = house.caller("strict-key");
    let (mut taken, mut partial, mut ids) = (0, 0, Vec::new());
    for file in files(&folder) {
        let is_partial = file.file_name().is_some_and(|name| name == "PATCH-body.json");
        for appointment in resources(&file, "Appointment") {
            let path = format!("/fhir/Appointment/{}", appointment["id"].as_str().unwrap());
            let body = body_of(&file, &appointment);
            if is_partial {
                // Before the whole one of the same id, so that nothing is kept under it yet, and again at the end.
                let before = sender.get(&path).await.status;
                let answer = sender.send("PUT", &path, &[], Some(&body)).await.expect(422);
                let refused = refusals(&answer);
                let (_, _, way_out) = refused.iter().find(|(_, place, _)| place == "Appointment.participant").unwrap();
                assert!(way_out.contains("only some of its elements"), "{way_out}");
                assert_eq!(refused[0].0, "element.required");
                assert_eq!(sender.get(&path).await.status, before, "the refused body changed what is kept");
                partial += 1;
                continue;
            }
            let is_new = !ids.contains(&path);
            sender.send("PUT", &path, &[], Some(&body)).await.expect(if is_new { 201 } else { 200 });
            let kept = sender.get(&path).await.expect(200).json();
            assert_same(&kept, &appointment, &file);
            if is_new {
                ids.push(path);
            }
            taken += 1;
        }
    }
    assert_eq!((taken, ids.len(), partial), (4, 2, 1), "the samples are not those that this test was written for");
    house.close().await;
}

#[actix_web::test]
async fn what_the_aggregator_publishes_is_taken_with_its_tolerances_told_and_refused_at_its_place_without() {
    let Some(folder) = samples("pca") else { return };
    let house = House::with(&callers()).await;
    let (strict, tolerant) = (house.caller("strict-key"), house.caller("tolerant-key"));
    let array = ("element.array", "Appointment.basedOn[0].identifier[0]", "Reference.identifier");
    let end = [("invariant.failed", "Appointment", "app-2"), ("invariant.failed", "Appointment", "app-3")];
    let mut tried = 0;
    for name in ["GetAppointmentResponseHappyPath.json", "GetInpatientAdmissionResponseHappyPath.json"] {
        let file = folder.join(name);
        for appointment in resources(&file, "Appointment") {
            let path = format!("/fhir/Appointment/{}", appointment["id"].as_str().unwrap());
            let mut endless = appointment.clone();
            endless.as_object_mut().unwrap().shift_remove("end").unwrap();
            check_refused(&strict.put(&appointment).await, &[array]);
            check_refused(&strict.put(&endless).await, &[array, end[0], end[1]]);
            assert_eq!(tolerant.get(&path).await.status, 404, "{name}: a refused body was kept");
            let answer = tolerant.put(&appointment).await.expect(201);
            check_told(&answer, &[("reference-identifier-array", "Appointment.basedOn[0].identifier[0]")]);
            let kept = tolerant.get(&path).await.expect(200).json();
            assert_eq!(identifiers_of(&kept), identifiers_of(&appointment), "{name}: an identifier was lost");
            let answer = tolerant.put(&endless).await.expect(200);
            check_told(
                &answer,
                &[
                    ("reference-identifier-array", "Appointment.basedOn[0].identifier[0]"),
                    ("end-absent", "Appointment.end"),
                ],
            );
            let kept = tolerant.get(&path).await.expect(200).json();
            assert_eq!(kept["end"], Value::Null, "{name}: an end was invented");
            assert_eq!(kept["_end"]["extension"][0]["valueCode"], "unknown", "{name}");
            tried += 1;
        }
    }
    assert_eq!(tried, 3);
    assert_eq!(found(&tolerant, "9000000009").await, 3, "the patient of an appointment was not understood");
    house.close().await;
}

#[track_caller]
fn check_refused(answer: &Answer, expected: &[(&str, &str, &str)]) {
    assert_eq!(answer.status, 422, "{}", answer.text);
    let refused = refusals(answer);
    assert_eq!(refused.len(), expected.len(), "{}", answer.text);
    for ((rule, place, diagnostics), (is_rule, is_at, asker)) in refused.iter().zip(expected) {
        assert_eq!((rule.as_str(), place.as_str()), (*is_rule, *is_at), "{}", answer.text);
        assert!(diagnostics.contains(&format!("asked by {asker} ")), "{diagnostics}");
    }
}

#[track_caller]
fn check_told(answer: &Answer, expected: &[(&str, &str)]) {
    let issues = answer.json()["issue"].as_array().cloned().unwrap_or_default();
    let told: Vec<_> =
        issues.iter().filter(|issue| issue["details"]["coding"][0]["code"] == "tolerance.applied").collect();
    assert_eq!(told.len(), expected.len(), "{}", answer.text);
    for (issue, (tolerance, place)) in told.iter().zip(expected) {
        assert_eq!(issue["severity"], "information");
        assert_eq!(issue["expression"][0], *place);
        let diagnostics = issue["diagnostics"].as_str().unwrap();
        assert!(diagnostics.contains(&format!("asked by tolerance {tolerance}")), "{diagnostics}");
    }
}

/// The identifiers that an Appointment is based on, whether in references of their own or in an array.
fn identifiers_of(appointment: &Value) -> Vec<Value> {
    let references = appointment["basedOn"].as_array().into_iter().flatten();
    let each = references.map(|reference| match &reference["identifier"] {
        Value::Array(several) => several.clone(),
        one => vec![one.clone()],
    });
    each.flatten().collect()
}

/// The body as it is published where the file is the resource, and as it stands in its Bundle otherwise.
fn body_of(file: &Path, resource: &Value) -> Vec<u8> {
    if read(file)["resourceType"] == "Bundle" {
        resource.to_string().into_bytes()
    } else {
        std::fs::read(file).unwrap()
    }
}

/// What is kept is what was sent, but for what a server says in `meta`.
#[track_caller]
fn assert_same(kept: &Value, sent: &Value, file: &Path) {
    let without_meta = |resource: &Value| {
        let mut members = resource.as_object().unwrap().clone();
        members.shift_remove("meta");
        Value::Object(members)
    };
    assert_eq!(without_meta(kept), without_meta(sent), "{}", file.display());
    assert_eq!(kept["meta"]["profile"], sent["meta"]["profile"], "{}", file.display());
}

#[actix_web::test]
async fn the_uk_core_examples_are_taken_as_xml_and_read_back_the_same_in_either_form() {
    let Some(folder) = samples("uk-core") else { return };
    let house = House::with(&callers()).await;
    let sender = house.caller("strict-key");
    let xml = "application/fhir+xml";
    // The Patient first, so that who the others are about is known.
    let mut tried = 0;
    for name in [
        "UKCore-Patient-RichardSmith-Example",
        "UKCore-ServiceRequest-HipReplacement-Example",
        "UKCore-Appointment-OrthopaedicSurgery-Example",
    ] {
        let kind = name.split('-').nth(1).unwrap();
        let sent = std::fs::read_to_string(folder.join(format!("{name}.xml"))).unwrap();
        let path = format!("/fhir/{kind}/{name}");
        let answer = sender.send("PUT", &path, &[("content-type", xml)], Some(sent.as_bytes())).await.expect(201);
        assert!(answer.text.contains("<OperationOutcome") && answer.header("content-type").starts_with(xml));
        let as_json = sender.get(&path).await.expect(200);
        let as_xml = sender.send("GET", &path, &[("accept", xml)], None).await.expect(200);
        assert!(as_xml.header("content-type").starts_with(xml), "{name}");
        let sent = leaves_of_xml(&sent);
        assert!(sent.len() > 15, "{name}: the test reads nothing");
        assert_eq!(leaves_of_json(&as_json.json()), sent, "{name} as JSON");
        assert_eq!(leaves_of_xml(&as_xml.text), sent, "{name} as XML");
        tried += 1;
    }
    assert_eq!(tried, 3);
    assert_eq!(found(&sender, "9912003888").await, 1, "the patient behind the reference was not found");
    let slot = std::fs::read(folder.join("UKCore-Slot-AvailableWalkInVisit-Example.xml")).unwrap();
    let path = "/fhir/Slot/UKCore-Slot-AvailableWalkInVisit-Example";
    let answer = sender.send("PUT", path, &[("content-type", xml)], Some(&slot)).await.expect(404);
    for kind in ["Appointment", "ServiceRequest", "Patient", "Task"] {
        assert!(answer.text.contains(kind), "{}", answer.text);
    }
    house.close().await;
}

/// Every value in a resource with the names of the elements that lead to it, sorted; without `meta`, which servers
/// write, and with the words alone of narrative. Read without the gateway's own readers.
type Leaves = Vec<(String, String)>;

fn leaves_of_json(resource: &Value) -> Leaves {
    fn walk(value: &Value, path: &str, leaves: &mut Leaves) {
        match value {
            Value::Object(members) => {
                for (name, value) in members.iter().filter(|(name, _)| *name != "resourceType" && *name != "meta") {
                    walk(value, &format!("{path}.{}", name.trim_start_matches('_')), leaves);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, path, leaves)),
            Value::String(text) if path.ends_with(".div") => {
                let words = text.split('<').filter_map(|part| part.split_once('>')).map(|(_, words)| words);
                leaves.push((path.to_owned(), words.collect::<String>().trim().to_owned()));
            }
            Value::String(text) => leaves.push((path.to_owned(), text.clone())),
            other => leaves.push((path.to_owned(), other.to_string())),
        }
    }
    let mut leaves = Leaves::new();
    walk(resource, resource["resourceType"].as_str().unwrap(), &mut leaves);
    leaves.sort();
    leaves
}

fn leaves_of_xml(text: &str) -> Leaves {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut path, mut leaves) = (Vec::<String>::new(), Leaves::new());
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                path.push(tag.name().as_ref().to_owned());
                let place = path.join(".");
                for attribute in tag.attributes().map(Result::unwrap) {
                    let name = attribute.key.as_ref().to_owned();
                    let value = attribute.value.replace("&apos;", "'");
                    match name.as_str() {
                        "xmlns" => {}
                        "value" => leaves.push((place.clone(), value)),
                        _ => leaves.push((format!("{place}.{name}"), value)),
                    }
                }
                if matches!(event, Event::Empty(_)) {
                    path.pop();
                }
            }
            Event::Text(words) if path.last().is_some_and(|name| name == "div") => {
                leaves.push((path.join("."), words.trim().to_owned()));
            }
            Event::End(_) => drop(path.pop()),
            Event::Eof => break,
            _ => {}
        }
    }
    leaves.retain(|(place, _)| place.split('.').nth(1) != Some("meta"));
    leaves.sort();
    leaves
}
