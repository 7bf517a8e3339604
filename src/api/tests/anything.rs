//! Requests of every shape.

use super::*;

/// Method, address, headers, body.
type Anything = (String, String, Vec<(String, Vec<u8>)>, Vec<u8>);

/// Requests of every shape: addresses near the real ones, headers near the real ones, anything in between.
fn any_request() -> impl Strategy<Value = Anything> {
    let method = prop_oneof!["GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|BREW"];
    let step = prop_oneof![
        "fhir|Appointment|Task|Patient|metadata|\\$validate|health|live|waiting-list|entries|_history",
        "[a-zA-Z0-9%2.~_$-]{0,12}",
    ];
    let path = prop::collection::vec(step, 0..5).prop_map(|steps| format!("/{}", steps.join("/")));
    let query =
        "(\\?((_id|identifier|patient:identifier|status|_count|_after|_format|x)=[a-z0-9%7C,|\\\\$+]{0,8}&?){0,4})?";
    let name = prop_oneof![
        "accept|content-type|if-match|if-none-match|if-none-exist|prefer|idempotency-key|x-correlation-id|x-request-id",
        "content-encoding|authorization",
    ];
    let value = prop_oneof![
        "application/(fhir\\+)?(json|xml)(;q=[0-9.]{1,3})?(,\\*/\\*)?".prop_map(String::into_bytes),
        "W/\"[0-9]{0,25}\"|identifier=[a-z:|\\\\,]{0,9}|return=(minimal|x)".prop_map(String::into_bytes),
        prop::collection::vec(prop_oneof![0x20u8..0x7f, 0x80u8..=0xff], 0..40),
    ];
    let headers = prop::collection::vec((name, value), 0..5);
    (method, path, query, headers, prop::collection::vec(any::<u8>(), 0..80))
        .prop_map(|(method, path, query, headers, body)| (method, format!("{path}{query}"), headers, body))
}

#[test]
fn no_request_makes_it_panic_or_answer_without_identities() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let system = actix_web::rt::System::new();
    let app = system.block_on(init_service(App::new().configure(|config| configure(config, state.clone()))));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2000));
    let result = runner.run(&any_request(), |(method, uri, headers, body)| {
        // What is not an address never gets past the HTTP reader.
        let Ok(uri) = uri.parse::<actix_web::http::Uri>() else { return Ok(()) };
        let mut request = with_key(&method, &uri.to_string()).set_payload(body);
        for (name, value) in &headers {
            let value = actix_web::http::header::HeaderValue::from_bytes(value);
            prop_assert!(value.is_ok());
            request = request.append_header((name.as_str(), value.unwrap()));
        }
        let response = system.block_on(actix_web::test::call_service(&app, request.to_request()));
        prop_assert!(response.headers().contains_key("x-correlation-id"));
        let status = response.status();
        let body = system.block_on(to_bytes(response.into_body())).unwrap_or_default();
        let text = String::from_utf8_lossy(&body).into_owned();
        prop_assert!(!status.is_server_error(), "{status} {text}");
        if status.is_client_error() {
            prop_assert!(text.contains("OperationOutcome"), "{status} {text}");
        }
        Ok(())
    });
    result.unwrap();
}
