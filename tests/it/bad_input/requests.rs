//! Requests whose address, query, headers or method are not such as are answered.

use super::{Case, check};
use crate::house::appointment;

const ADDRESS: &str = "/fhir/Appointment/bad";

fn put(name: &'static str, status: u16, rule: &'static str, at: &'static str) -> Case {
    Case::new(name, "PUT", ADDRESS, status, rule, at).body(appointment("bad", "666").to_string())
}

fn post(name: &'static str, status: u16, rule: &'static str, at: &'static str) -> Case {
    Case::new(name, "POST", "/fhir/Appointment", status, rule, at).body(appointment("bad", "666").to_string())
}

fn get(name: &'static str, path: &str, status: u16, rule: &'static str, at: &'static str) -> Case {
    Case::new(name, "GET", path, status, rule, at)
}

fn to(name: &'static str, method: &'static str, path: &str, status: u16) -> Case {
    Case::new(name, method, path, status, "request.refused", "").body(appointment("bad", "666").to_string())
}

#[actix_web::test]
async fn a_form_that_is_not_taken_or_not_given_is_named() {
    let mut cases: Vec<Case> = [
        ("text", "text/plain"),
        ("a form", "application/x-www-form-urlencoded"),
        ("a patch", "application/json-patch+json"),
        ("no media type", "json"),
        ("an empty media type", ""),
        ("another encoding", "application/fhir+json; charset=iso-8859-1"),
        ("another release", "application/fhir+json; fhirVersion=3.0"),
    ]
    .into_iter()
    .map(|(name, form)| put(name, 415, "request.refused", "").header("content-type", form))
    .collect();
    for (name, form) in [
        ("a page", "text/html"),
        ("a picture", "image/png, image/*;q=0.5"),
        ("another release", "application/fhir+json;fhirVersion=5.0"),
        ("nothing at all", "*/*;q=0"),
        ("JSON by no means", "application/fhir+json;q=0"),
    ] {
        cases.push(put(name, 406, "request.refused", "").header("accept", form));
        cases.push(get(name, "/fhir/Appointment/kept", 406, "request.refused", "").header("accept", form));
    }
    cases.push(get("a form by _format", "/fhir/Appointment/kept?_format=yaml", 406, "request.refused", ""));
    cases.push(get("no form by _format", "/fhir/Appointment?_format=", 406, "request.refused", ""));
    for encoding in ["gzip", "br", "identity, gzip"] {
        cases.push(put("compressed", 415, "request.refused", "").header("content-encoding", encoding));
    }
    check(cases, 20).await;
}

#[actix_web::test]
async fn an_address_that_is_none_is_refused() {
    let long = format!("/fhir/Appointment/{}", "a".repeat(65));
    let mut cases = Vec::new();
    for (name, path) in [
        ("a space", "/fhir/Appointment/a%20b"),
        ("a letter that ids have not", "/fhir/Appointment/caf%C3%A9"),
        ("an underscore", "/fhir/Appointment/a_b"),
        ("too long", long.as_str()),
        ("a quotation mark", "/fhir/Appointment/a%22b"),
        ("a line break", "/fhir/Appointment/a%0Ab"),
        ("bytes that are no text", "/fhir/Appointment/%FF"),
        ("a null", "/fhir/Appointment/%00"),
        ("a way round", "/fhir/Appointment/%2e%2e%2fPatient"),
    ] {
        cases.push(get(name, path, 400, "address.id", "http.id"));
        cases.push(Case::new(name, "PUT", path, 400, "address.id", "http.id").body("{}"));
    }
    for (name, method, path, status) in [
        ("a type that is not served", "PUT", "/fhir/Observation/bad", 404),
        ("a type that is none", "PUT", "/fhir/appointment/bad", 404),
        ("a type that is not served, new", "POST", "/fhir/Slot", 404),
        ("a history", "GET", "/fhir/Appointment/kept/_history/1", 404),
        ("an operation that there is not", "POST", "/fhir/Appointment/$everything", 405),
        ("a patch", "PATCH", "/fhir/Appointment/kept", 405),
        ("a deletion", "DELETE", "/fhir/Appointment/kept", 405),
        ("a deletion of all", "DELETE", "/fhir/Appointment", 405),
        ("an update of all", "PUT", "/fhir/Appointment", 405),
        ("a method that nobody knows", "BREW", "/fhir/Appointment/kept", 405),
        ("a transaction", "POST", "/fhir", 404),
        ("an address beside", "POST", "/fhirs/Appointment", 404),
    ] {
        cases.push(to(name, method, path, status));
    }
    check(cases, 25).await;
}

#[actix_web::test]
async fn a_query_that_is_not_known_or_not_well_formed_is_refused_whole() {
    let mut cases = Vec::new();
    for (name, query, rule, at) in [
        ("a parameter that there is not", "colour=red", "query.unknown-parameter", "http.colour"),
        ("a parameter without its modifier", "patient=Patient/1", "query.unknown-parameter", "http.patient"),
        ("a parameter that is a number", "9990000018=1", "query.unknown-parameter", ""),
        ("a count that is none", "_count=many", "query.value", "http._count"),
        ("a count below nothing", "_count=-1", "query.value", "http._count"),
        ("a count beyond counting", "_count=99999999999999999999", "query.value", "http._count"),
        ("a status that R4 has not", "status=Booked", "query.value", "http.status"),
        ("an id that is none", "_id=a_b", "query.value", "http._id"),
        ("an identifier of three parts", "identifier=a%7Cb%7Cc", "query.value", "http.identifier"),
        ("two identifiers", "identifier=a,b", "query.value", "http.identifier"),
        ("an identifier of nothing", "identifier=", "query.value", "http.identifier"),
        ("a patient of nothing", "patient:identifier=urn:x%7C", "query.value", "http.patient:identifier"),
        ("a parameter twice", "status=booked&status=pending", "query.value", "http.status"),
        ("a page that never was", "_after=%22", "query.value", "http._after"),
    ] {
        cases.push(get(name, &format!("/fhir/Appointment?{query}"), 400, rule, at));
    }
    for (name, method, path) in [
        ("a query on reading", "GET", "/fhir/Appointment/kept?colour=red"),
        ("a query on writing", "PUT", "/fhir/Appointment/bad?colour=red"),
        ("a query on making", "POST", "/fhir/Appointment?colour=red"),
        ("a query on judging", "POST", "/fhir/Appointment/$validate?colour=red"),
    ] {
        cases.push(
            Case::new(name, method, path, 400, "query.unknown-parameter", "http.colour")
                .body(appointment("bad", "666").to_string()),
        );
    }
    check(cases, 18).await;
}

#[actix_web::test]
async fn a_condition_that_cannot_be_kept_refuses_the_request() {
    let long = "k".repeat(256);
    let mut cases = Vec::new();
    for value in ["3", "*", "W/\"3\", W/\"4\"", "W/\"x\"", "\"\"", "", "W/\"99999999999999999999\""] {
        cases.push(put("no version", 400, "header.value", "http.if-match").header("if-match", value));
    }
    for value in [
        "",
        "identifier=",
        "identifier=7",
        "identifier=|7",
        "patient=Patient/1",
        "identifier=urn:x|1&status=booked",
        "a=b=c",
    ] {
        cases.push(post("no identifier", 400, "header.value", "http.if-none-exist").header("if-none-exist", value));
    }
    for value in ["", long.as_str(), "schl\u{fc}ssel"] {
        cases.push(put("no key", 400, "header.value", "http.idempotency-key").header("idempotency-key", value));
    }
    cases.extend([
        put("a version of nothing", 412, "request.refused", "").header("if-match", "W/\"1\""),
        Case::new("a version that is gone", "PUT", "/fhir/Appointment/kept", 412, "request.refused", "")
            .body(appointment("kept", "2").to_string())
            .header("if-match", "W/\"9\""),
        put("a condition of creates", 400, "header.value", "http.if-none-exist")
            .header("if-none-exist", "identifier=urn:x|1"),
        put("a condition of reads", 400, "header.value", "http.if-none-match").header("if-none-match", "*"),
        post("a condition of updates", 400, "header.value", "http.if-match").header("if-match", "W/\"1\""),
        put("two conditions", 400, "header.value", "http.if-match")
            .header("if-match", "W/\"1\"")
            .header("if-match", "W/\"2\""),
    ]);
    check(cases, 20).await;
}
