//! What can be read, and how: searches that page to their end, versions, forms, what the gateway says of itself.

use crate::house::{
    Caller, House, OTHER_PATIENT, PAS_SYSTEM, PATIENT, PORTAL_SYSTEM, START, appointment, caller_settings, change,
    of_patient,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

fn link<'b>(bundle: &'b Value, relation: &str) -> Option<&'b str> {
    let links = bundle["link"].as_array()?;
    links.iter().find(|link| link["relation"] == relation)?["url"].as_str()
}

/// Follows `next` from a search to its end: what each page held.
async fn pages(caller: &Caller, base: &str, search: &str) -> Vec<Value> {
    let mut pages = vec![caller.reads(search).await];
    while let Some(next) = link(pages.last().unwrap(), "next").map(str::to_owned) {
        assert!(pages.len() < 100, "the pages have no end");
        let path = next.strip_prefix(base).unwrap_or_else(|| panic!("{next} is not an address of {base}"));
        pages.push(caller.reads(path).await);
    }
    pages
}

#[actix_web::test]
async fn a_search_pages_to_its_end_with_none_missing_and_none_twice() {
    let house = House::open().await;
    let mut expected = BTreeSet::new();
    for number in 0..23 {
        let id = format!("a-{number}");
        let whose = if number % 4 == 0 { OTHER_PATIENT } else { PATIENT };
        house.portal.put(&of_patient(&appointment(&id, &format!("{}", 5000 + number)), whose)).await.expect(201);
        if whose == PATIENT {
            expected.insert(id);
        }
    }
    let search = format!("/fhir/Appointment?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{PATIENT}");
    for (count, page_count) in [(1, 17), (5, 4), (16, 2), (17, 1), (100, 1)] {
        let pages = pages(&house.portal, &house.base, &format!("{search}&_count={count}")).await;
        assert_eq!(pages.len(), page_count, "{count} on a page");
        let found: Vec<String> = pages.iter().flat_map(ids).collect();
        assert_eq!(found.len(), expected.len(), "{count} on a page: {found:?}");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
        for page in &pages {
            assert_eq!((&page["type"], &page["total"]), (&json!("searchset"), &json!(17)));
            assert!(link(page, "self").unwrap().starts_with(&house.base), "{page}");
            for entry in page["entry"].as_array().unwrap() {
                let id = entry["resource"]["id"].as_str().unwrap();
                assert_eq!(entry["fullUrl"], format!("{}/fhir/Appointment/{id}", house.base));
                assert_eq!(entry["search"]["mode"], "match");
            }
        }
    }
    // What comes while somebody pages makes nobody see anything twice.
    let first = house.portal.reads(&format!("{search}&_count=5")).await;
    house.portal.put(&appointment("a-00", "6000")).await.expect(201);
    let next = link(&first, "next").unwrap().strip_prefix(&house.base).unwrap().to_owned();
    let later = pages(&house.portal, &house.base, &next).await;
    let seen: Vec<String> = ids(&first).into_iter().chain(later.iter().flat_map(ids)).collect();
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{seen:?}");
    assert!(expected.iter().all(|id| seen.contains(id)));
    // The number alone.
    let only_total = house.portal.reads(&format!("{search}&_count=0")).await;
    assert_eq!((&only_total["total"], only_total.get("entry"), link(&only_total, "next")), (&json!(18), None, None));
    house.close().await;
}

#[actix_web::test]
async fn a_search_finds_by_each_of_its_parameters_and_by_all_of_them_together() {
    let house = House::open().await;
    for (id, number, whose, status) in [
        ("a1", "1001", PATIENT, "booked"),
        ("a2", "1002", PATIENT, "fulfilled"),
        ("a3", "1003", OTHER_PATIENT, "booked"),
        ("a4", "1004", PATIENT, "cancelled"),
    ] {
        let mut resource = of_patient(&appointment(id, number), whose);
        resource["status"] = json!(status);
        house.portal.put(&resource).await.expect(201);
    }
    let patient = format!("patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{PATIENT}");
    for (query, expected) in [
        (String::new(), &["a1", "a2", "a3", "a4"][..]),
        (patient.clone(), &["a1", "a2", "a4"]),
        (format!("patient:identifier={OTHER_PATIENT}"), &["a3"]),
        (format!("patient:identifier=https://other.example|{PATIENT}"), &[]),
        (format!("identifier={PAS_SYSTEM}|1002"), &["a2"]),
        (format!("identifier={PORTAL_SYSTEM}|1002"), &[]),
        (format!("identifier={PORTAL_SYSTEM}|a3"), &["a3"]),
        ("identifier=1004".to_owned(), &["a4"]),
        ("_id=a1,a3,none".to_owned(), &["a1", "a3"]),
        ("status=booked".to_owned(), &["a1", "a3"]),
        ("status=fulfilled,cancelled".to_owned(), &["a2", "a4"]),
        (format!("{patient}&status=booked&_id=a1,a2"), &["a1"]),
        (format!("{patient}&identifier={PAS_SYSTEM}|1003"), &[]),
    ] {
        let found = house.portal.reads(&format!("/fhir/Appointment?{query}")).await;
        assert_eq!(ids(&found), expected, "{query}");
        assert_eq!(found["total"], expected.len(), "{query}");
    }
    // A Task is found by the state that it shows, not by the one that it was sent with.
    house.portal.put(&change("t1", "cancel", "a1")).await.expect(201);
    house.step().await;
    assert_eq!(house.state_of("t1").await, "refused", "the twin does not hold it");
    assert_eq!(ids(&house.portal.reads("/fhir/Task?status=rejected").await), ["t1"]);
    assert!(ids(&house.portal.reads("/fhir/Task?status=requested").await).is_empty());
    house.close().await;
}

#[actix_web::test]
async fn what_a_search_does_not_know_is_refused_and_not_passed_over() {
    let house = House::open().await;
    for (query, rule, place) in [
        ("/fhir/Appointment?date=2026-12-01", "query.unknown-parameter", "http.date"),
        ("/fhir/Appointment?patient:identifer=x", "query.unknown-parameter", "http.patient:identifer"),
        ("/fhir/Appointment?status=confirmed", "query.value", "http.status"),
        ("/fhir/Appointment?_count=many", "query.value", "http._count"),
        ("/fhir/Appointment?_count=-1", "query.value", "http._count"),
        ("/fhir/Appointment?_id=a_1", "query.value", "http._id"),
        ("/fhir/Appointment?identifier=a|b|c", "query.value", "http.identifier"),
        ("/fhir/Appointment?status=booked&status=fulfilled", "query.value", "http.status"),
        ("/fhir/Appointment/a1?_summary=true", "query.unknown-parameter", "http._summary"),
        ("/fhir/Patient?status=active", "query.unknown-parameter", "http.status"),
        ("/waiting-list/entries", "query.value", "http.patient:identifier"),
    ] {
        let refused = house.portal.get(query).await.expect(400);
        assert_eq!((refused.rules(), refused.places()), (vec![rule.to_owned()], vec![place.to_owned()]), "{query}");
    }
    let hint = house.portal.get("/fhir/Appointment?patient:identifer=x").await.expect(400);
    assert!(hint.text.contains("patient:identifier"), "the nearest one is named: {}", hint.text);
    house.close().await;
}

#[actix_web::test]
async fn a_version_that_is_held_is_not_sent_again() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    let read = house.portal.get("/fhir/Appointment/a1").await.expect(200);
    assert_eq!(read.header("etag"), "W/\"1\"");
    assert_eq!(read.header("last-modified"), "Sat, 21 Nov 2026 10:00:00 GMT");
    assert_eq!(read.json()["meta"]["versionId"], "1");
    assert_eq!(read.json()["meta"]["lastUpdated"], START.replace('Z', ".000Z"));
    let with = |tag: &'static str| {
        let portal = house.portal.clone();
        async move { portal.send("GET", "/fhir/Appointment/a1", &[("if-none-match", tag)], None).await }
    };
    let held = with("W/\"1\"").await.expect(304);
    assert_eq!((held.text.as_str(), held.header("etag")), ("", "W/\"1\""));
    with("W/\"9\", W/\"1\"").await.expect(304);
    with("W/\"9\"").await.expect(200);
    let head = house.portal.send("HEAD", "/fhir/Appointment/a1", &[], None).await.expect(200);
    assert_eq!((head.text.as_str(), head.header("etag")), ("", "W/\"1\""));
    house.portal.send("HEAD", "/fhir/Appointment/none", &[], None).await.expect(404);
    // A request that is opened, and one that ends, is seen by who holds the version before.
    house.portal.asks("t1", "cancel", "a1").await.expect(201);
    let opened = with("W/\"1\"").await.expect(200).header("etag").to_owned();
    assert_eq!(opened, "W/\"2\"");
    house.step().await;
    house.until("/fhir/Task/t1", "/businessStatus/text", "applied").await;
    let ended = with("W/\"2\"").await.expect(200);
    assert_ne!(ended.header("etag"), opened);
    house.close().await;
}

#[actix_web::test]
async fn a_write_is_answered_as_the_caller_prefers() {
    let house = House::open().await;
    let mut number = 0;
    for (prefer, kind, applied) in [
        (None, "OperationOutcome", ""),
        (Some("return=minimal"), "", "return=minimal"),
        (Some("return=representation"), "Appointment", "return=representation"),
        (Some("return=OperationOutcome"), "OperationOutcome", "return=OperationOutcome"),
        (Some("return=everything"), "OperationOutcome", ""),
        (Some("respond-async, return=minimal"), "", "return=minimal"),
    ] {
        number += 1;
        let id = format!("a{number}");
        let headers: Vec<(&str, &str)> = prefer.map(|prefer| ("prefer", prefer)).into_iter().collect();
        for status in [201, 200] {
            let put = house.portal.put_with(&appointment(&id, &id), &headers).await.expect(status);
            assert_eq!(put.json()["resourceType"].as_str().unwrap_or(""), kind, "{prefer:?}");
            assert_eq!(put.text.is_empty(), kind.is_empty(), "{prefer:?}");
            assert_eq!(put.header("preference-applied"), applied, "{prefer:?}");
            assert_eq!(put.header("location"), format!("{}/fhir/Appointment/{id}", house.base));
            house.portal.reads(put.header("location").strip_prefix(&house.base).unwrap()).await;
            assert_eq!(put.header("etag"), "W/\"1\"");
            assert_ne!(put.header("last-modified"), "");
        }
    }
    house.close().await;
}

#[actix_web::test]
async fn json_and_xml_are_two_forms_of_one_resource() {
    let house = House::open().await;
    house.portal.put(&appointment("a1", "4817508")).await.expect(201);
    let as_xml = [("accept", "application/fhir+xml")];
    let xml = house.portal.send("GET", "/fhir/Appointment/a1", &as_xml, None).await.expect(200);
    assert!(xml.header("content-type").starts_with("application/fhir+xml"), "{}", xml.header("content-type"));
    assert!(xml.text.contains("<Appointment xmlns=\"http://hl7.org/fhir\">"), "{}", xml.text);
    house.portal.get("/fhir/Appointment/a1?_format=xml").await.expect(200);

    // What was given as XML goes in as XML, under another id and number, and is the same again as JSON.
    let renamed = xml.text.replace("\"a1\"", "\"a2\"").replace("4817508", "4817509").replace("/a/a1", "/a/a2");
    let put_as = [("content-type", "application/fhir+xml")];
    let put = house.portal.send("PUT", "/fhir/Appointment/a2", &put_as, Some(renamed.as_bytes())).await.expect(201);
    assert!(put.header("content-type").starts_with("application/fhir+xml"), "answered in the form that was sent");
    let mut json = house.portal.reads("/fhir/Appointment/a2").await;
    let mut expected = appointment("a2", "4817509");
    for resource in [&mut json, &mut expected] {
        resource.as_object_mut().unwrap().remove("meta");
    }
    assert_eq!(json, expected);
    // The same bytes again are one version; a request about it is seen in XML as well.
    let again = house.portal.send("PUT", "/fhir/Appointment/a2", &put_as, Some(renamed.as_bytes())).await.expect(200);
    assert_eq!(again.header("etag"), "W/\"1\"");
    house.portal.asks("t1", "cancel", "a2").await.expect(201);
    let seen = house.portal.send("GET", "/fhir/Appointment/a2", &as_xml, None).await.expect(200);
    assert!(seen.text.contains("valueCode value=\"Pending Cancellation\""), "{}", seen.text);
    // A refusal and a searchset have the form that is asked for, too.
    let refused = house.portal.send("GET", "/fhir/Appointment/none", &as_xml, None).await.expect(404);
    assert!(refused.text.contains("<OperationOutcome"), "{}", refused.text);
    let found = house.portal.send("GET", "/fhir/Appointment", &as_xml, None).await.expect(200);
    assert!(found.text.contains("<Bundle") && found.text.contains("<total value=\"2\"/>"), "{}", found.text);
    house.portal.send("GET", "/fhir/Appointment/a1", &[("accept", "text/turtle")], None).await.expect(406);
    let csv = [("content-type", "text/csv")];
    house.portal.send("PUT", "/fhir/Appointment/a9", &csv, Some(b"a;b")).await.expect(415);
    house.close().await;
}

#[actix_web::test]
async fn a_request_s_identities_come_back_and_go_with_it_to_the_pas() {
    let house = House::open().await;
    house.knows("a1", "4817508").await;
    let sent = [("x-correlation-id", "corr-7"), ("x-request-id", "req-7")];
    let put = house.portal.put_with(&change("t1", "cancel", "a1"), &sent).await.expect(201);
    assert_eq!((put.header("x-correlation-id"), put.header("x-request-id")), ("corr-7", "req-7"));
    let made = house.portal.get("/fhir/Task/t1").await.expect(200);
    assert_eq!(made.header("x-correlation-id").len(), 36, "made where there is none");
    let refused = house.portal.send("GET", "/fhir/Task/none", &sent, None).await.expect(404);
    assert_eq!(refused.header("x-correlation-id"), "corr-7", "an error has them as well");
    house.step().await;
    assert_eq!(house.wire.sent()[0].correlation, "corr-7");
    assert_eq!(house.delivery_of("t1").await.correlation_id, "corr-7");
    // An NHS number is no identity: these stand in logs.
    let odd = house.portal.send("GET", "/fhir/Task/t1", &[("x-correlation-id", PATIENT)], None).await.expect(200);
    assert_ne!(odd.header("x-correlation-id"), PATIENT);
    house.close().await;
}

#[actix_web::test]
async fn the_capability_statement_says_what_is_true() {
    let house = House::with(&caller_settings("validator", "portal", &["Task"], &["validate"], &["RZZ99"])).await;
    let statement = house.stranger.reads("/fhir/metadata").await;
    assert_eq!(
        (&statement["resourceType"], &statement["fhirVersion"]),
        (&json!("CapabilityStatement"), &json!("4.0.1"))
    );
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let types: Vec<&str> = resources.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        ["Appointment", "ServiceRequest", "Patient", "Task", "CodeSystem", "StructureDefinition", "ValueSet"]
    );
    // Definitions are read and found, code lists are asked as well, and none is taken.
    let (kept, loaded) = resources.split_at(4);
    for resource in loaded {
        let resource_type = resource["type"].as_str().unwrap();
        assert_eq!(resource["interaction"], json!([{"code": "search-type"}, {"code": "read"}]), "{resource_type}");
        assert_eq!(resource.get("operation").is_some(), resource_type != "StructureDefinition", "{resource}");
        for parameter in resource["searchParam"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            house.portal.get(&format!("/fhir/{resource_type}?{name}=x")).await.expect(200);
        }
        house.portal.get(&format!("/fhir/{resource_type}?status=active")).await.expect(400);
        let whole = house.portal.reads(&format!("/fhir/{resource_type}?_count=1")).await;
        assert!(whole["total"].as_u64().unwrap() > 500, "{resource_type}: {}", whole["total"]);
        let path = format!("/fhir/{resource_type}/{}", ids(&whole)[0]);
        house.portal.send("DELETE", &path, &[], None).await.expect(405);
        house.stranger.get(&path).await.expect(401);
    }
    for resource in kept {
        let resource_type = resource["type"].as_str().unwrap();
        let told: BTreeSet<&str> =
            resource["interaction"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
        assert_eq!(told, BTreeSet::from(["create", "read", "search-type", "update"]), "{resource_type}");
        // Each search parameter that it tells is taken, and what it does not tell is not.
        for parameter in resource["searchParam"].as_array().unwrap() {
            let query = match parameter["name"].as_str().unwrap() {
                "_id" => "_id=x",
                "identifier" => "identifier=x",
                "patient" => "patient:identifier=9990000018",
                "status" => "status=completed,booked",
                other => panic!("{other} is told and not tried here"),
            };
            let answer = house.portal.get(&format!("/fhir/{resource_type}?{query}")).await;
            let is_status = query.starts_with("status");
            assert!(answer.status == 200 || (is_status && answer.rules() == ["query.value"]), "{}", answer.text);
        }
        house.portal.get(&format!("/fhir/{resource_type}?_tag=x")).await.expect(400);
        // And what it does not tell is not allowed.
        for (method, path) in [("DELETE", "/x"), ("PATCH", "/x"), ("GET", "/x/_history")] {
            let answer = house.portal.send(method, &format!("/fhir/{resource_type}{path}"), &[], None).await;
            assert!(matches!(answer.status, 404 | 405), "{method} {path}: {}", answer.status);
        }
    }
    house.portal.get("/fhir/Observation").await.expect(404);
    let task = change("t1", "cancel", "a1");
    let body = task.to_string();
    let verdict = house.caller("validator-key").send("POST", "/fhir/Task/$validate", &[], Some(body.as_bytes())).await;
    assert_eq!(verdict.expect(200).json()["resourceType"], "OperationOutcome");
    house.portal.get("/fhir/Task/t1").await.expect(404);
    let as_xml = house.stranger.send("GET", "/fhir/metadata", &[("accept", "application/fhir+xml")], None).await;
    assert!(as_xml.expect(200).text.contains("<CapabilityStatement"));
    house.close().await;
}

#[actix_web::test]
async fn the_site_s_profiles_are_listed_found_and_read_as_its_package_has_them() {
    let Some(package) = uk_core() else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(&package, folder.path().join("uk-core.tgz")).unwrap();
    let inside = files_of(&package);
    let house = House::with(&format!("[packages]\nfolder = {:?}\n", folder.path())).await;
    let statement = house.stranger.reads("/fhir/metadata").await;
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let mut listed = 0;
    for resource in resources {
        let resource_type = resource["type"].as_str().unwrap();
        for url in resource["supportedProfile"].as_array().into_iter().flatten() {
            let url = url.as_str().unwrap();
            let found = house.portal.reads(&format!("/fhir/StructureDefinition?url={url}&type={resource_type}")).await;
            assert_eq!(found["total"], 1, "{url}");
            // It is the package's own, as it stands there, also under its address; and it judges.
            let profile = &found["entry"][0]["resource"];
            assert_eq!((&profile["url"], &profile["derivation"]), (&json!(url), &json!("constraint")));
            if let Some(own) = inside.get(url) {
                assert_eq!(profile, own);
                listed += 1;
            }
            let address = found["entry"][0]["fullUrl"].as_str().unwrap();
            assert_eq!(house.portal.reads(address.strip_prefix(&house.base).unwrap()).await, *profile);
            let path = format!("/fhir/{resource_type}/$validate?profile={url}");
            let body = json!({"resourceType": resource_type}).to_string();
            let verdict = house.portal.send("POST", &path, &[], Some(body.as_bytes())).await.expect(200);
            assert_eq!(verdict.json()["resourceType"], "OperationOutcome");
        }
    }
    // Appointment, ServiceRequest, Patient and Task have one each.
    assert!(listed >= 4, "{listed}");
    // Everything that the package defines can be had, page by page.
    let mut seen = BTreeSet::new();
    for resource_type in ["StructureDefinition", "ValueSet", "CodeSystem"] {
        for page in pages(&house.portal, &house.base, &format!("/fhir/{resource_type}?_count=100")).await {
            for entry in page["entry"].as_array().unwrap() {
                let (resource, url) = (&entry["resource"], entry["resource"]["url"].as_str().unwrap_or(""));
                assert_eq!(resource["resourceType"], resource_type);
                assert!(seen.insert(entry["fullUrl"].as_str().unwrap().to_owned()), "{url} twice");
                if let Some(own) = inside.get(url) {
                    assert_eq!(resource, own, "{url}");
                    seen.insert(url.to_owned());
                }
            }
        }
    }
    let missing: Vec<&String> = inside.keys().filter(|url| !seen.contains(*url)).collect();
    assert!(missing.is_empty() && inside.len() > 300, "{} {missing:?}", inside.len());
    house.close().await;
}

/// UK Core's package, where the shared folder is there.
fn uk_core() -> Option<std::path::PathBuf> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/packages");
    let found = std::fs::read_dir(folder).ok().map(|entries| entries.flatten().map(|entry| entry.path()));
    let found = found.into_iter().flatten().find(|path| path.extension().is_some_and(|ending| ending == "tgz"));
    if found.is_none() {
        eprintln!("not run: UK Core's package is not in ../shared/packages");
    }
    found
}

/// The definitions of an archive by their urls.
fn files_of(archive: &std::path::Path) -> BTreeMap<String, Value> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(archive).unwrap()));
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        if path.contains("/examples/") || !path.ends_with(".json") {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let resource: Value = serde_json::from_str(&text).unwrap();
        let defines =
            matches!(resource["resourceType"].as_str(), Some("StructureDefinition" | "ValueSet" | "CodeSystem"));
        if let (Some(url), true) = (resource["url"].as_str().map(str::to_owned), defines) {
            found.insert(url, resource);
        }
    }
    found
}

#[actix_web::test]
async fn health_says_whether_it_can_work() {
    let house = House::open().await;
    for path in ["/health/live", "/health/ready"] {
        house.stranger.get(path).await.expect(200);
    }
    // Without its store it lives and is not ready, and a submission is answered with when to try again.
    let store = house.folder.path().join("store");
    house.store.close();
    std::fs::remove_dir_all(&store).unwrap();
    house.stranger.get("/health/live").await.expect(200);
    house.stranger.get("/health/ready").await.expect(503);
    let refused = house.portal.put(&appointment("a1", "4817508")).await.expect(503);
    assert_ne!(refused.header("retry-after"), "");
    assert_eq!(refused.json()["issue"][0]["code"], "transient");
    house.close().await;
}
