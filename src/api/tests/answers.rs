//! What a caller gets, and in which form.

use super::*;

#[actix_web::test]
async fn a_faulty_request_gets_its_status_and_an_outcome_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let json_type = "application/fhir+json";
    let table: Vec<(TestRequest, u16, &str)> = vec![
        (with_key("GET", "/nowhere"), 404, "Nothing is served"),
        (with_key("GET", "/"), 404, "Nothing is served"),
        (with_key("GET", "/fhir/Observation"), 404, "there are: Appointment, ServiceRequest, Patient, Task"),
        (with_key("DELETE", "/fhir/Observation/1"), 404, "not served here"),
        (with_key("DELETE", "/fhir/Appointment/1"), 405, "allowed are: GET, HEAD, PUT"),
        (with_key("GET", "/fhir/Appointment/$validate"), 405, "allowed are: POST"),
        (with_key("GET", "/fhir/Appointment/none"), 404, "There is no such resource"),
        (with_key("GET", "/fhir/Appointment/a_b"), 400, "address.id"),
        (with_key("GET", &format!("/fhir/Appointment/{}", "a".repeat(65))), 400, "http.id"),
        (with_key("GET", "/fhir/Appointment?statuss=booked"), 400, "did you mean `status`?"),
        (with_key("GET", "/fhir/Appointment?colour=red"), 400, "http.colour"),
        (with_key("GET", "/fhir/Appointment?status=booked&status=pending"), 400, "more than once"),
        (with_key("GET", "/fhir/Appointment?status=bookd"), 400, "there are: proposed, pending"),
        (with_key("GET", "/fhir/Appointment?identifier="), 400, "system|value"),
        (with_key("GET", "/fhir/Appointment?identifier=a,b"), 400, "One identifier"),
        (with_key("GET", "/fhir/Appointment?_count=many"), 400, "whole number"),
        (with_key("GET", "/fhir/Appointment?_count=-1"), 400, "whole number"),
        (with_key("GET", "/fhir/Appointment?_after=%20"), 400, "`next` link"),
        (with_key("GET", "/fhir/Appointment?_id=a_b"), 400, "http._id"),
        (with_key("GET", "/fhir/Appointment/a1?status=booked"), 400, "query.unknown-parameter"),
        (with_key("GET", "/waiting-list/entries"), 400, "patient:identifier"),
        (with_key("GET", "/waiting-list/entries?patient=1"), 400, "did you mean"),
        (with_key("GET", "/fhir/Appointment").insert_header((ACCEPT, "text/html")), 406, "application/fhir+xml"),
        (with_key("GET", "/fhir/Appointment?_format=html"), 406, "_format"),
        (with_key("POST", "/fhir/Appointment").set_payload(APPOINTMENT), 415, "Content-Type"),
        (with_body("POST", "/fhir/Appointment", "text/plain", APPOINTMENT), 415, "application/fhir+json"),
        (with_body("POST", "/fhir/Appointment", json_type, "x".repeat(2001)), 413, "2000 bytes"),
        (
            with_body("POST", "/fhir/Appointment", json_type, "x").insert_header(("content-encoding", "gzip")),
            415,
            "compressed",
        ),
        (
            with_body("POST", "/fhir/Appointment", json_type, "x").insert_header(("if-match", "W/\"1\"")),
            400,
            "goes with PUT",
        ),
        (
            with_body("PUT", "/fhir/Appointment/1", json_type, "x").insert_header(("if-none-exist", "a=b")),
            400,
            "goes with POST",
        ),
        (
            with_body("PUT", "/fhir/Appointment/1", json_type, "x").insert_header(("if-none-match", "*")),
            400,
            "If-None-Exist",
        ),
        (
            with_body("PUT", "/fhir/Appointment/1", json_type, "x").insert_header(("if-match", "3")),
            400,
            "http.if-match",
        ),
        (
            with_body("POST", "/fhir/Task", json_type, "x").insert_header(("if-none-exist", "status=x")),
            400,
            "identifier=SYSTEM|VALUE",
        ),
        (
            with_body("POST", "/fhir/Task", json_type, "x").insert_header(("idempotency-key", "")),
            400,
            "http.idempotency-key",
        ),
    ];
    for (number, (request, status, told)) in table.into_iter().enumerate() {
        let answer = send(&state, request).await;
        assert_eq!(answer.status.as_u16(), status, "row {number}: {}", answer.body);
        assert!(answer.is_outcome() && answer.body.contains(told), "row {number}: {}, not {told}", answer.body);
        assert_eq!(answer.headers.contains_key(ALLOW), status == 405, "row {number}");
        assert!(!answer.header("x-correlation-id").is_empty() && !answer.header("x-request-id").is_empty());
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[actix_web::test]
async fn an_error_takes_the_form_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    for (request, xml) in [
        (with_key("GET", "/fhir/Appointment/none").insert_header((ACCEPT, "application/fhir+xml")), true),
        (with_key("GET", "/fhir/Appointment/none?_format=xml"), true),
        (with_key("GET", "/fhir/Nonsense").insert_header((ACCEPT, "text/xml")), true),
        (with_key("GET", "/nowhere").insert_header((ACCEPT, "application/xml")), true),
        (request("GET", "/fhir/Appointment/none").insert_header((ACCEPT, "application/fhir+xml")), true),
        (with_body("POST", "/fhir/Task", "application/fhir+xml", "<".repeat(3000)), true),
        (with_key("GET", "/fhir/Appointment/none").insert_header((ACCEPT, "image/png")), false),
        (with_key("GET", "/waiting-list/entries/none").insert_header((ACCEPT, "application/fhir+xml")), false),
    ] {
        let answer = send(&state, request).await;
        assert!(answer.status.is_client_error() && answer.is_outcome(), "{}", answer.body);
        assert_eq!(answer.header("content-type").contains("xml"), xml, "{}", answer.body);
        assert_eq!(answer.body.starts_with('<'), xml, "{}", answer.body);
    }
}

#[actix_web::test]
async fn the_identities_of_a_request_are_echoed_on_every_answer() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    for (method, uri) in [
        ("GET", "/health/live"),
        ("GET", "/fhir/metadata"),
        ("GET", "/fhir/Appointment"),
        ("GET", "/nowhere"),
        ("BREW", "/fhir/Appointment"),
        ("POST", "/fhir/Appointment"),
    ] {
        let request = with_key(method, uri)
            .insert_header(("x-correlation-id", "portal:1"))
            .insert_header(("x-request-id", "6b1f6a5e-3d43-4d2f-9e0b-0d8d3a2c9d11"));
        let answer = send(&state, request).await;
        assert_eq!(answer.header("x-correlation-id"), "portal:1", "{method} {uri}");
        assert_eq!(answer.header("x-request-id"), "6b1f6a5e-3d43-4d2f-9e0b-0d8d3a2c9d11", "{method} {uri}");
    }
}

#[actix_web::test]
async fn nothing_found_is_a_searchset_with_total_zero_and_the_search_as_it_was_understood() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let answer = send(&state, with_key("GET", "/fhir/Appointment?identifier=urn:x|7&_count=500")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/fhir+json; charset=utf-8");
    let bundle = answer.json();
    assert_eq!((&bundle["type"], &bundle["total"]), (&json!("searchset"), &json!(0)));
    let link = &bundle["link"][0];
    assert_eq!(link["relation"], "self");
    assert_eq!(link["url"], "https://stile.test/fhir/Appointment?identifier=urn%3Ax%7C7&_count=500");
}

#[actix_web::test]
async fn health_says_whether_the_process_runs_and_whether_the_store_answers() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    assert_eq!(send(&state, request("GET", "/health/live")).await.json(), json!({"status": "live"}));
    let ready = send(&state, request("GET", "/health/ready")).await;
    assert_eq!((ready.status, ready.json()), (StatusCode::OK, json!({"status": "ready"})));
    assert!(!ready.headers.contains_key(RETRY_AFTER));
}

#[actix_web::test]
async fn a_panic_is_an_incident_and_a_late_answer_a_504() {
    let panicking = async { if CANARY.len() == 10 { panic!("{CANARY}") } else { Err(fault::Fault::NoSuchAddress) } };
    let fault = perform::guarded(1000, panicking).await.err().unwrap();
    assert_eq!(fault.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let told = fault.issues()[0].to_string();
    assert!(told.contains("incident") && !told.contains(CANARY), "{told}");
    let slow = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Err(fault::Fault::NoSuchAddress)
    };
    assert_eq!(perform::guarded(10, slow).await.err().unwrap().status(), StatusCode::GATEWAY_TIMEOUT);
}
