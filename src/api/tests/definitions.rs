//! Definitions, as a caller reads and finds them.

use super::*;
use crate::profile::FileText;
use std::collections::BTreeSet;

fn value_set(number: u32, more: &Value) -> String {
    let mut set = json!({"resourceType": "ValueSet", "id": format!("v{number}"), "url": format!("https://v.test/{number}"),
        "version": "1", "name": format!("Colours{number}"), "status": "active"});
    set.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    set.to_string()
}

/// Five value sets, one of them with prose that alone fills a page, and two profiles.
pub(super) fn catalogue() -> Catalogue {
    let mut texts: Vec<String> = (1..5).map(|number| value_set(number, &json!({}))).collect();
    texts.push(value_set(5, &json!({"description": "long ".repeat(900_000)})));
    for (id, of) in [("clinic-task", "Task"), ("clinic-patient", "Patient")] {
        let profile = json!({"resourceType": "StructureDefinition", "id": id, "url": format!("https://p.test/{id}"),
            "name": "Clinic", "status": "draft", "kind": "resource", "abstract": false, "type": of,
            "derivation": "constraint"});
        texts.push(profile.to_string());
    }
    Catalogue::of_files(texts.iter().map(|text| ("a.json", FileText::Passing(text))))
}

fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

fn next(bundle: &Value) -> Option<String> {
    let links = bundle["link"].as_array().unwrap();
    let next = links.iter().find(|link| link["relation"] == "next")?;
    Some(next["url"].as_str().unwrap().trim_start_matches("https://stile.test").to_owned())
}

#[actix_web::test]
async fn every_caller_reads_a_definition_as_it_was_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    for key in [KEY, "reader-key"] {
        let read = request("GET", "/fhir/ValueSet/v2").insert_header((AUTHORIZATION, format!("Bearer {key}")));
        let answer = send(&state, read).await;
        assert_eq!((answer.status, answer.body), (StatusCode::OK, value_set(2, &json!({}))), "{key}");
    }
    let xml = send(&state, with_key("GET", "/fhir/StructureDefinition/clinic-task?_format=xml")).await;
    assert!(
        xml.body.contains("<StructureDefinition xmlns=") && xml.body.contains("<type value=\"Task\"/>"),
        "{}",
        xml.body
    );
    for (method, uri, status) in [
        ("GET", "/fhir/ValueSet/none", 404),
        ("GET", "/fhir/CodeSystem/v2", 404),
        ("HEAD", "/fhir/ValueSet/v2", 200),
        ("GET", "/fhir/ValueSet/v_2", 400),
        ("GET", "/fhir/ValueSet/v2?_summary=true", 400),
        ("PUT", "/fhir/ValueSet/v2", 405),
        ("DELETE", "/fhir/StructureDefinition/clinic-task", 405),
        ("POST", "/fhir/CodeSystem", 405),
        ("GET", "/fhir/ValueSet/$expand?url=urn:none", 404),
    ] {
        let answer = send(&state, with_key(method, uri)).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {uri}: {}", answer.body);
        assert!(status == 200 || answer.is_outcome(), "{method} {uri}");
    }
    let refused = send(&state, with_key("PUT", "/fhir/ValueSet/v2")).await;
    assert_eq!(refused.header(ALLOW.as_str()), "GET, HEAD");
}

#[actix_web::test]
async fn definitions_are_found_by_url_name_type_and_version() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    for (search, expected) in [
        ("ValueSet?url=https://v.test/3", &["v3"][..]),
        ("ValueSet?url=https://v.test/3,https://v.test/1,https://v.test", &["v1", "v3"]),
        ("ValueSet?name=colours&_id=v4,v2", &["v2", "v4"]),
        ("ValueSet?name=olours", &[]),
        ("ValueSet?version=1&name=COLOURS4", &["v4"]),
        ("ValueSet?version=2", &[]),
        ("StructureDefinition", &["clinic-patient", "clinic-task"]),
        ("StructureDefinition?type=Patient", &["clinic-patient"]),
        ("StructureDefinition?name=clin&type=Task,Slot", &["clinic-task"]),
        ("CodeSystem", &[]),
    ] {
        let answer = send(&state, with_key("GET", &format!("/fhir/{search}"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{search}: {}", answer.body);
        let bundle = answer.json();
        assert_eq!((&bundle["type"], &bundle["total"]), (&json!("searchset"), &json!(expected.len())), "{search}");
        assert_eq!(ids(&bundle), expected, "{search}");
        for entry in bundle["entry"].as_array().into_iter().flatten() {
            let at = entry["fullUrl"].as_str().unwrap().trim_start_matches("https://stile.test");
            assert_eq!(send(&state, with_key("GET", at)).await.json(), entry["resource"]);
        }
    }
    for (search, rule) in [
        ("ValueSet?type=Patient", "query.unknown-parameter"),
        ("ValueSet?name:exact=9990000018", "query.unknown-parameter"),
        ("ValueSet?name=9990000018,", "query.value"),
        ("CodeSystem?url=", "query.value"),
        ("CodeSystem?_count=9990000018x", "query.value"),
        ("StructureDefinition?_id=9990000018_", "query.value"),
    ] {
        let answer = send(&state, with_key("GET", &format!("/fhir/{search}"))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{search}");
        assert!(answer.body.contains(rule) && !answer.body.contains(CANARY), "{search}: {}", answer.body);
    }
    let many = format!("/fhir/ValueSet?url={}", vec!["u"; 101].join(","));
    assert_eq!(send(&state, with_key("GET", &many)).await.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn pages_of_definitions_end_by_count_and_by_size_with_none_missing() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    for (search, page_sizes) in [
        // The fifth is longer than a page and stands alone.
        ("/fhir/ValueSet", &[4, 1][..]),
        ("/fhir/ValueSet?_count=3", &[3, 1, 1]),
        ("/fhir/ValueSet?_count=2&name=colours", &[2, 2, 1]),
    ] {
        let (mut address, mut seen, mut sizes) = (Some(search.to_owned()), BTreeSet::new(), Vec::new());
        while let Some(here) = address {
            let page = send(&state, with_key("GET", &here)).await.json();
            assert_eq!(page["total"], 5);
            sizes.push(ids(&page).len());
            seen.extend(ids(&page));
            address = next(&page);
            assert!(sizes.len() < 9, "the pages have no end");
        }
        assert_eq!((sizes.as_slice(), seen.len()), (page_sizes, 5), "{search}");
    }
    let total = send(&state, with_key("GET", "/fhir/ValueSet?_count=0")).await.json();
    assert_eq!((&total["total"], total.get("entry"), next(&total)), (&json!(5), None, None));
}
