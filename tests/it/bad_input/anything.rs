//! Anything at all: whatever is sent, there is an answer, it is never a fault of ours, and a refusal is in words.

use super::changes::{any_change, changed, seeds};
use crate::house::{Answer, House, appointment};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Cases of each property: enough to meet most of what is listed below, few enough for every run of the tests.
/// `STILE_CASES` asks for more.
fn config() -> Config {
    let cases = std::env::var("STILE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// An answer is one that a client can live with.
fn judge(method: &str, path: &str, answer: &Answer) -> Result<(), TestCaseError> {
    prop_assert!(answer.status < 500, "{method} {path}: {} {}", answer.status, answer.text);
    prop_assert!(!answer.header("x-correlation-id").is_empty());
    if answer.status >= 400 && method != "HEAD" {
        let is_xml = answer.header("content-type").starts_with("application/fhir+xml");
        let is_outcome = match is_xml {
            true => answer.text.contains("<OperationOutcome") && answer.text.contains("<severity"),
            false => answer.json()["resourceType"] == "OperationOutcome" && !answer.rules().is_empty(),
        };
        prop_assert!(is_outcome, "{method} {path}: {} {}", answer.status, answer.text);
    }
    Ok(())
}

/// Runs a property against one house that keeps an appointment and a patient.
fn with_house<S: Strategy>(
    strategy: S,
    cases_told: impl Fn(&[u16]),
    property: impl Fn(&actix_web::rt::SystemRunner, &House, S::Value) -> Result<u16, TestCaseError>,
) {
    let system = actix_web::rt::System::new();
    let house = system.block_on(House::open());
    let ready = system.block_on(house.portal.put(&appointment("kept", "1")));
    assert_eq!(ready.status, 201, "{}", ready.text);
    let statuses = std::cell::RefCell::new(Vec::new());
    let result = TestRunner::new(config()).run(&strategy, |value| {
        let status = property(&system, &house, value)?;
        statuses.borrow_mut().push(status);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    cases_told(&statuses.borrow());
    system.block_on(house.close());
}

#[test]
fn no_change_to_a_good_resource_is_answered_by_a_fault_of_ours() {
    let seeds = seeds();
    let strategy = (0..seeds.len(), prop::collection::vec(any_change(), 1..5), 0..3usize);
    let is_wide = |statuses: &[u16]| {
        // The property would say nothing if all were refused at the first byte, or none were.
        for status in [201, 400, 422] {
            assert!(statuses.contains(&status), "no case was answered {status}");
        }
    };
    with_house(strategy, is_wide, |system, house, (seed, changes, way)| {
        let body = changed(&seeds[seed], &changes);
        let kind = seeds[seed]["resourceType"].as_str().unwrap_or_default();
        let (method, path) = match way {
            0 => ("PUT", format!("/fhir/{kind}/bad")),
            1 => ("POST", format!("/fhir/{kind}")),
            _ => ("POST", format!("/fhir/{kind}/$validate")),
        };
        let answer = system.block_on(house.portal.send(method, &path, &[], Some(&body)));
        judge(method, &path, &answer)?;
        if answer.status < 300 && way == 0 {
            let again = system.block_on(house.portal.get(&path));
            prop_assert_eq!(again.status, 200, "what was taken cannot be read: {}", again.text);
            let xml = system.block_on(house.portal.send("GET", &path, &[("accept", "application/fhir+xml")], None));
            judge("GET", &path, &xml)?;
        }
        Ok(answer.status)
    });
}

#[test]
fn no_change_to_xml_is_answered_by_a_fault_of_ours() {
    let good = r##"<Appointment xmlns="http://hl7.org/fhir"><id value="bad"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b></div></text><contained><Patient><id value="p"/></Patient></contained><extension url="urn:x"><extension url="y"><valueDecimal value="1.50"/></extension></extension><identifier><system value="urn:x"/><value value="1"/></identifier><status value="booked"/><priority value="1"/><description value="x&amp;y"/><start value="2026-12-01T10:00:00Z"/><end value="2026-12-01T10:20:00Z"/><participant><actor><reference value="#p"/></actor><status value="accepted"/></participant></Appointment>"##;
    let pieces = [
        "<a>",
        "</a>",
        "<x:y/>",
        "&lt;",
        "&#0;",
        "&#x110000;",
        "<!--",
        "-->",
        "<![CDATA[",
        "<?xml?>",
        "<!DOCTYPE a>",
        "\"",
        "<extension url=\"u\">",
        " value=\"\"",
        "xmlns:a=\"\"",
        "\u{feff}",
        "]]>",
        "1e999",
    ];
    let any_edit = (any::<usize>(), 0usize..30, 0..pieces.len() + 4);
    let strategy = prop::collection::vec(any_edit, 0..5);
    with_house(
        strategy,
        |statuses| assert!(statuses.contains(&400)),
        |system, house, edits| {
            let mut bytes = good.as_bytes().to_vec();
            for (place, count, piece) in edits {
                let at = place % (bytes.len() + 1);
                let until = (at + count).min(bytes.len());
                match pieces.get(piece) {
                    Some(piece) => drop(bytes.splice(at..at, piece.bytes())),
                    None => drop(bytes.drain(at..until)),
                }
            }
            let headers = [("content-type", "application/fhir+xml")];
            let answer = system.block_on(house.portal.send("PUT", "/fhir/Appointment/bad", &headers, Some(&bytes)));
            judge("PUT", "/fhir/Appointment/bad", &answer)?;
            Ok(answer.status)
        },
    );
}

#[test]
fn no_address_query_or_header_is_answered_by_a_fault_of_ours() {
    let step = prop_oneof![
        4 => "fhir|Appointment|ServiceRequest|Task|Patient|metadata|\\$validate|kept|_history",
        1 => "[a-zA-Z0-9%2.~_$;:@!'()*+,=-]{0,80}",
        1 => "(%[0-9A-F]{2}){1,9}",
    ];
    let path = prop::collection::vec(step, 0..5);
    let query = "(\\?((_id|identifier|patient:identifier|status|_count|_after|_format|x)=[a-zA-Z0-9%,|\\\\$+.:/-]{0,30}&?){0,4})?";
    let name = "accept|content-type|if-match|if-none-match|if-none-exist|prefer|idempotency-key|x-correlation-id|x-request-id|content-encoding|if-modified-since|range|x-forwarded-for|cookie";
    let value = prop_oneof![
        "application/(fhir\\+)?(json|xml)(;q=[0-9.]{1,3})?(,\\*/\\*)?",
        "W/\"[0-9]{0,25}\"|identifier=[a-z:|\\\\,%]{0,20}|return=(minimal|representation|x)",
        "[ -~\u{a1}-\u{ff}]{0,60}",
    ];
    let headers = prop::collection::vec((name, value), 0..5);
    let method = "GET|GET|PUT|POST|HEAD|PATCH|DELETE|OPTIONS|TRACE|BREW";
    let strategy = (method, path, query, headers, any::<bool>());
    let is_wide = |statuses: &[u16]| assert!(statuses.contains(&404) && statuses.contains(&400));
    with_house(strategy, is_wide, |system, house, (method, path, query, headers, has_body)| {
        let path = format!("/fhir/{}{query}", path.join("/"));
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.trim())).collect();
        let body = has_body.then(|| appointment("kept", "2").to_string().into_bytes());
        let answer = system.block_on(house.portal.send(&method, &path, &headers, body.as_deref()));
        judge(&method, &path, &answer)?;
        Ok(answer.status)
    });
}
