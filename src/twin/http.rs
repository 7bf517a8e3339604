//! The twin's FHIR REST interface.

use super::Shared;
use super::hospital::{Desk, Hospital, Incoming, Refusal, Said, text, type_of};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// The routes.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/fhir/Appointment", web::post().to(|r, b, s, d| create(Hospital::take_appointment, r, b, s, d)))
        .route("/fhir/Task", web::post().to(|r, b, s, d| create(Hospital::take_task, r, b, s, d)))
        .route("/fhir/{resource_type:Appointment|Task}", web::get().to(search))
        .route("/fhir/{resource_type:Appointment|Task}/{id}", web::get().to(read))
        .route("/twin/ledger", web::get().to(ledger))
        .default_service(web::to(nothing_here));
}

/// What the hospital does with a resource of one type.
type Take = fn(&mut Hospital, Incoming, Timestamp) -> Said;

async fn create(
    take: Take,
    request: HttpRequest,
    body: web::Bytes,
    state: web::Data<Shared>,
    desk: web::Data<OnceLock<Desk>>,
) -> HttpResponse {
    match incoming(request.headers(), &body) {
        Ok(incoming) => {
            let said = take(&mut state.lock(), incoming, Timestamp::now());
            answer(&request, said, &desk)
        }
        Err(refusal) => refused(&refusal),
    }
}

async fn read(path: web::Path<(String, String)>, state: web::Data<Shared>) -> HttpResponse {
    let (resource_type, id) = path.into_inner();
    match state.lock().read(&resource_type, &id) {
        Some(resource) => fhir(StatusCode::OK, resource),
        None => refused(&not_found("There is no resource with this id here")),
    }
}

async fn search(request: HttpRequest, path: web::Path<String>, state: web::Data<Shared>) -> HttpResponse {
    let query = request.query_string();
    let Some((system, value)) = identifier_token(query) else {
        let text = "This search knows one parameter, `identifier=SYSTEM|VALUE`, and needs it";
        return refused(&Refusal { status: 400, ..Refusal::new("not-supported", "identifier", text) });
    };
    let state = state.lock();
    let found = state.search(&path, &system, &value);
    let entries: Vec<Value> =
        found.iter().map(|resource| json!({"resource": resource, "search": {"mode": "match"}})).collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": entries.len()});
    if !entries.is_empty() {
        super::hospital::set(&mut bundle, "entry", Value::Array(entries));
    }
    fhir(StatusCode::OK, &bundle)
}

async fn ledger(state: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(state.lock().journal().to_value())
}

async fn nothing_here() -> HttpResponse {
    refused(&not_found("The twin has no such address; it has /fhir/Appointment, /fhir/Task and /twin/ledger"))
}

fn not_found(text: &str) -> Refusal {
    Refusal { status: 404, ..Refusal::new("not-found", "", text) }
}

/// Reads a create: the body, and the two headers by which a repeat is known.
fn incoming(headers: &HeaderMap, body: &[u8]) -> Result<Incoming, Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let resource: Value = serde_json::from_slice(body)
        .map_err(|_| Refusal { status: 400, ..Refusal::new("structure", "", "The body is not JSON") })?;
    let if_none_exist = match header("If-None-Exist") {
        None => None,
        Some(query) => Some(identifier_token(query).ok_or_else(|| Refusal {
            status: 400,
            ..Refusal::new("value", "", "If-None-Exist must be `identifier=SYSTEM|VALUE`")
        })?),
    };
    Ok(Incoming { resource, message: header("X-Request-Id").map(str::to_owned), if_none_exist })
}

/// System and value of a query that is one `identifier` parameter.
fn identifier_token(query: &str) -> Option<(String, String)> {
    let token = query.strip_prefix("identifier=").filter(|rest| !rest.contains('&'))?;
    let token = percent_decoded(token)?;
    let (mut parts, mut part, mut chars) = (Vec::new(), String::new(), token.chars());
    while let Some(char) = chars.next() {
        match char {
            '\\' => part.push(chars.next()?),
            '|' => parts.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    parts.push(part);
    let [system, value] = <[String; 2]>::try_from(parts).ok()?;
    (!value.is_empty()).then_some((system, value))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
                rest = after;
            }
            (b'%', _) => return None,
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

fn answer(request: &HttpRequest, said: Said, desk: &OnceLock<Desk>) -> HttpResponse {
    let (status, resource) = match said {
        Said::Created { resource, changed } => {
            if let (Some(appointment), Some(desk)) = (changed, desk.get()) {
                desk.call(&appointment);
            }
            (StatusCode::CREATED, resource)
        }
        Said::Found { resource } => (StatusCode::OK, resource),
        Said::Refused(refusal) => return refused(&refusal),
    };
    let host = request.connection_info().host().to_owned();
    let location = format!("http://{host}/fhir/{}/{}", type_of(&resource), text(&resource, "id").unwrap_or_default());
    let mut response = fhir(status, &resource);
    if let Ok(location) = location.parse() {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn refused(refusal: &Refusal) -> HttpResponse {
    let mut issue = json!({"severity": "error", "code": refusal.code, "details": {"text": refusal.text}});
    if !refusal.expression.is_empty() {
        super::hospital::set(&mut issue, "expression", json!([refusal.expression]));
    }
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    fhir(status, &json!({"resourceType": "OperationOutcome", "issue": [issue]}))
}

fn fhir(status: StatusCode, resource: &Value) -> HttpResponse {
    HttpResponse::build(status).content_type("application/fhir+json").body(resource.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_search_values_are_written() {
        for (query, expected) in [
            ("identifier=urn:stile:request|r-1", Some(("urn:stile:request", "r-1"))),
            ("identifier=s%7C1", Some(("s", "1"))),
            (r"identifier=s|a%5C%7Cb%26c%20d", Some(("s", "a|b&c d"))),
            ("identifier=|1", Some(("", "1"))),
            ("identifier=s|", None),
            ("identifier=s", None),
            ("identifier=s|1|2", None),
            ("identifier=s|1&status=booked", None),
            ("identifier=s|%4", None),
            ("identifier=s|%zz", None),
            ("identifier=s|%ff", None),
            ("_id=1", None),
            ("", None),
        ] {
            let read = identifier_token(query);
            let read = read.as_ref().map(|(system, value)| (system.as_str(), value.as_str()));
            assert_eq!(read, expected, "{query}");
        }
    }
}
