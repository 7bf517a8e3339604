//! Who is let in, and whether the CapabilityStatement tells the truth.

use super::*;

#[actix_web::test]
async fn no_route_answers_without_a_key_but_health_metrics_and_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let mut closed = 0;
    for route in routes::ROUTES {
        let open = matches!(route.pattern, "/health/live" | "/health/ready" | "/metrics" | "/fhir/metadata");
        for key in ["", "Bearer wrong", "Basic cG9ydGFsLWtleTo="] {
            for resource_type in ["Appointment", "Nonsense"] {
                let request = request(route.method, &address(route.pattern, resource_type))
                    .insert_header((AUTHORIZATION, key))
                    .insert_header((CONTENT_TYPE, "application/fhir+json"))
                    .set_payload(APPOINTMENT);
                let answer = send(&state, request).await;
                if open {
                    assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{route:?}");
                } else {
                    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{route:?} {key}");
                    assert!(answer.header(WWW_AUTHENTICATE.as_str()).starts_with("Bearer"), "{route:?}");
                    assert!(answer.is_outcome(), "{route:?}");
                    closed += 1;
                }
            }
        }
    }
    assert!(closed >= 48, "{closed}");
}

#[actix_web::test]
async fn a_grant_opens_what_it_holds_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let mut refused = 0;
    for route in routes::ROUTES.iter().filter(|route| route.action.interaction().is_some()) {
        for served in routes::SERVED {
            let request = request(route.method, &address(route.pattern, served.name))
                .insert_header((AUTHORIZATION, "Bearer reader-key"))
                .insert_header((CONTENT_TYPE, "application/fhir+json"))
                .set_payload(APPOINTMENT);
            let answer = send(&state, request).await;
            let held = route.pattern == "/fhir/{type}/{id}" && route.method != "PUT" && served.name == "Appointment";
            assert_eq!(answer.status != StatusCode::FORBIDDEN, held, "{route:?} {} {}", served.name, answer.status);
            refused += u32::from(!held);
        }
    }
    assert!(refused >= 25, "{refused}");
}

#[actix_web::test]
async fn the_capability_statement_lists_every_interaction_that_is_routed_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let statement = send(&state, request("GET", "/fhir/metadata")).await.json();
    assert_eq!(statement["resourceType"], "CapabilityStatement");
    assert_eq!((&statement["fhirVersion"], &statement["kind"]), (&json!("4.0.1"), &json!("instance")));
    let resources = statement["rest"][0]["resource"].as_array().unwrap().clone();
    let possible = [
        ("read", "GET", "/fhir/{type}/a1"),
        ("vread", "GET", "/fhir/{type}/a1/_history/1"),
        ("update", "PUT", "/fhir/{type}/a1"),
        ("patch", "PATCH", "/fhir/{type}/a1"),
        ("delete", "DELETE", "/fhir/{type}/a1"),
        ("history-instance", "GET", "/fhir/{type}/a1/_history"),
        ("history-type", "GET", "/fhir/{type}/_history"),
        ("create", "POST", "/fhir/{type}"),
        ("search-type", "GET", "/fhir/{type}"),
    ];
    let (mut listed_count, mut unlisted_count) = (0, 0);
    for resource_type in [
        "Appointment",
        "ServiceRequest",
        "Patient",
        "Task",
        "CodeSystem",
        "StructureDefinition",
        "ValueSet",
        "Observation",
        "Bundle",
        "Schedule",
    ] {
        let resource = resources.iter().find(|resource| resource["type"] == resource_type);
        for (code, method, pattern) in possible {
            let interactions = resource.and_then(|resource| resource["interaction"].as_array());
            let listed = interactions.into_iter().flatten().any(|interaction| interaction["code"] == code);
            let uri = pattern.replace("{type}", resource_type);
            let answer = send(&state, with_body(method, &uri, "application/fhir+json", APPOINTMENT)).await;
            // `_history` has the place of an id, and is none: FHIR ids have no underscore.
            let unrouted = is_unrouted(&answer) || answer.body.contains("address.id");
            assert_eq!(listed, !unrouted, "{method} {uri}: {} {}", answer.status, answer.body);
            (listed_count, unlisted_count) = (listed_count + u32::from(listed), unlisted_count + u32::from(!listed));
        }
        let validate = send(&state, with_body("POST", &format!("/fhir/{resource_type}/$validate"), "text/xml", "<a/>"));
        assert_eq!(
            resource.is_some_and(|resource| resource["operation"][0]["name"] == "validate"),
            !is_unrouted(&validate.await)
        );
    }
    assert_eq!(listed_count, 22);
    assert!(unlisted_count > 40, "{unlisted_count}");
    assert_eq!(resources[0]["supportedProfile"], json!(["https://example.test/profile"]));
}

#[actix_web::test]
async fn every_search_parameter_that_is_listed_is_taken_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let statement = send(&state, request("GET", "/fhir/metadata")).await.json();
    let mut taken = 0;
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        let name = resource["type"].as_str().unwrap();
        let parameters = resource["searchParam"].as_array().unwrap();
        let listed: Vec<&str> = parameters.iter().map(|told| told["name"].as_str().unwrap()).collect();
        for (parameter, code, value) in [
            ("_id", "_id", "a1,a2"),
            ("identifier", "identifier", "urn:x%7C7"),
            ("patient:identifier", "patient", "https://fhir.nhs.uk/Id/nhs-number%7C9990000018"),
            ("status", "status", if name == "Appointment" { "booked,pending" } else { "completed" }),
            ("url", "url", "urn:a,urn:b"),
            ("version", "version", "4.0.1"),
            ("name", "name", "a"),
            ("type", "type", "Patient"),
            ("date", "date", "2026-01-01"),
            ("_include", "_include", "*"),
        ] {
            let answer = send(&state, with_key("GET", &format!("/fhir/{name}?{parameter}={value}"))).await;
            assert_eq!(answer.status == StatusCode::OK, listed.contains(&code), "{name} {parameter}: {}", answer.body);
            taken += u32::from(answer.status == StatusCode::OK);
        }
    }
    assert_eq!(taken, 27);
}

#[test]
fn every_route_has_a_method_that_is_one() {
    for route in routes::ROUTES {
        assert!(["GET", "HEAD", "POST", "PUT"].contains(&route.method), "{route:?}");
    }
}
