//! Bodies, good and bad, all the way to the store and back.

use super::*;

const JSON: &str = "application/fhir+json";

/// An Appointment that the portal's mapping takes.
fn appointment() -> Value {
    json!({
        "resourceType": "Appointment",
        "id": "a1",
        "identifier": [{"system": "https://portal.example/appointment", "value": "P-1"}],
        "status": "booked",
        "start": "2027-03-01T09:30:00Z",
        "end": "2027-03-01T10:00:00Z",
        "participant": [
            {
                "actor": {
                    "type": "Patient",
                    "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": CANARY}
                },
                "status": "accepted"
            }
        ]
    })
}

#[actix_web::test]
async fn what_is_put_is_kept_and_read_back_and_a_stale_change_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let put = |body: &Value| with_body("PUT", "/fhir/Appointment/a1", JSON, body.to_string());
    let made = send(&state, put(&appointment())).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.header("etag"), "W/\"1\"");
    assert_eq!(made.header("location"), "https://stile.test/fhir/Appointment/a1");
    let read = send(&state, with_key("GET", "/fhir/Appointment/a1")).await;
    assert_eq!((read.status, &read.json()["status"]), (StatusCode::OK, &json!("booked")));
    let mut changed = appointment();
    changed["status"] = json!("cancelled");
    let changed_now = send(&state, put(&changed).insert_header(("if-match", "W/\"1\""))).await;
    assert_eq!((changed_now.status, changed_now.header("etag")), (StatusCode::OK, "W/\"2\""));
    let stale = send(&state, put(&appointment()).insert_header(("if-match", "W/\"1\""))).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{}", stale.body);
}

#[actix_web::test]
async fn a_key_gets_the_same_answer_for_the_same_body_and_none_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let send_with_key = |body: Value| {
        let request = with_body("POST", "/fhir/Appointment", JSON, body.to_string());
        send(&state, request.insert_header(("idempotency-key", "k1")))
    };
    let mut body = appointment();
    body.as_object_mut().unwrap().remove("id");
    let first = send_with_key(body.clone()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let again = send_with_key(body.clone()).await;
    assert_eq!((again.status, again.header("location")), (first.status, first.header("location")));
    assert_eq!(again.body, first.body);
    body["status"] = json!("pending");
    assert_eq!(send_with_key(body).await.status, StatusCode::CONFLICT);
    assert_eq!(send(&state, with_key("GET", "/fhir/Appointment")).await.json()["total"], 1);
}

/// Faulty bodies for `PUT /fhir/Appointment/a1`: what they are, the rule that tells it, whether there is no text to judge.
fn faulty() -> Vec<(&'static str, Vec<u8>, &'static str, bool)> {
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut body = appointment();
        edit(&mut body);
        body.to_string().into_bytes()
    };
    let text = appointment().to_string();
    let spliced = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    vec![
        ("not JSON", b"Appointment".to_vec(), "json.syntax", true),
        ("nothing", Vec::new(), "json.syntax", true),
        ("an array", b"[]".to_vec(), "json.not-object", true),
        ("not UTF-8", b"{\"resourceType\":\"\xff\"}".to_vec(), "text.encoding", true),
        ("too deep", format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500)).into_bytes(), "limit.depth", true),
        (
            "no type",
            edited(&|body| drop(body.as_object_mut().unwrap().remove("resourceType"))),
            "resource.type-",
            false,
        ),
        ("another type", edited(&|body| body["resourceType"] = json!("Patient")), "resource.type-mismatch", false),
        ("no such type", edited(&|body| body["resourceType"] = json!("Visit")), "resource.type-unknown", false),
        (
            "a key twice",
            spliced("\"status\":\"booked\"", "\"status\":\"booked\",\"status\":\"x\""),
            "json.duplicate",
            false,
        ),
        ("a lone surrogate", spliced("\"P-1\"", "\"\\ud800\""), "json.lone-surrogate", false),
        ("a null", edited(&|body| body["comment"] = Value::Null), "json.null", false),
        ("an empty array", edited(&|body| body["slot"] = json!([])), "json.empty", false),
        ("a number beyond", spliced("\"status\":", "\"priority\":1e999,\"status\":"), "Appointment.priority", false),
        ("a slip", edited(&|body| body["particpant"] = json!([1])), "participant", false),
        ("a wrong code", edited(&|body| body["status"] = json!(CANARY)), "code.required-binding", false),
    ]
}

#[actix_web::test]
async fn a_faulty_body_is_refused_with_the_rule_and_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    for (what, body, rule, _) in faulty() {
        let answer = send(&state, with_body("PUT", "/fhir/Appointment/a1", JSON, body)).await;
        assert!(answer.status.is_client_error(), "{what}: {} {}", answer.status, answer.body);
        assert!(answer.is_outcome() && answer.body.contains(rule), "{what}: {}, not {rule}", answer.body);
        assert!(!answer.body.contains(CANARY), "{what}: {}", answer.body);
    }
    let other_id = send(&state, with_body("PUT", "/fhir/Appointment/a2", JSON, appointment().to_string())).await;
    assert!(other_id.status.is_client_error() && other_id.body.contains("resource.id-mismatch"), "{}", other_id.body);
    assert_eq!(send(&state, with_key("GET", "/fhir/Appointment")).await.json()["total"], 0);
}

#[actix_web::test]
async fn a_verdict_is_a_200_whatever_it_is_where_there_is_a_text_to_judge() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    for (what, body, rule, is_unreadable) in faulty() {
        let answer = send(&state, with_body("POST", "/fhir/Appointment/$validate", JSON, body)).await;
        let status = if is_unreadable { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert!(answer.is_outcome() && answer.body.contains(rule), "{what}: {}, not {rule}", answer.body);
    }
    let fine = send(&state, with_body("POST", "/fhir/Appointment/$validate", JSON, appointment().to_string())).await;
    assert_eq!(fine.status, StatusCode::OK);
    assert!(!fine.body.contains("\"error\"") && !fine.body.contains("\"fatal\""), "{}", fine.body);
    assert_eq!(send(&state, with_key("GET", "/fhir/Appointment")).await.json()["total"], 0);
}

#[actix_web::test]
async fn a_verdict_says_on_what_it_rests_and_a_profile_may_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let judged = async |query: &str| {
        let address = format!("/fhir/Appointment/$validate{query}");
        send(&state, with_body("POST", &address, JSON, appointment().to_string())).await
    };
    let told = judged("").await.json();
    let of = |url: &str| told["extension"].as_array().unwrap().iter().find(|one| one["url"] == url).cloned();
    let package = of("urn:stile:outcome:package").unwrap();
    assert_eq!(package["extension"][1], json!({"url": "version", "valueString": "4.0.1"}));
    assert_eq!(package["extension"][2]["valueString"].as_str().unwrap().len(), 64, "{package}");
    let suppressed = of("urn:stile:outcome:suppressed").unwrap();
    assert_eq!(suppressed["extension"][0]["valueString"], "dom-6", "{suppressed}");

    let base = judged("?profile=http://hl7.org/fhir/StructureDefinition/Appointment").await;
    assert_eq!(base.status, StatusCode::OK, "{}", base.body);
    let other = judged("?profile=http://hl7.org/fhir/StructureDefinition/Appointment%7C9.9").await;
    assert!(other.status == StatusCode::BAD_REQUEST && other.body.contains("in this version"), "{}", other.body);
    let unknown = judged("?profile=http://hl7.org/fhir/StructureDefinition/Apointment").await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(unknown.body.contains("query.value") && unknown.body.contains("did you mean"), "{}", unknown.body);
}
