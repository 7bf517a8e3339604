//! Bundles: each type with its own rules, each entry with its place.

use super::{document, r4};
use crate::issue::{Rule, Severity};
use crate::profile::Ask;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn told(value: &Value) -> BTreeSet<(Rule, Severity, String)> {
    let found = r4().check(&document(value), &Ask::default()).issues;
    found
        .into_iter()
        .map(|issue| {
            assert!(issue.hint.is_some() && issue.asked_by.is_some(), "{issue} has a way out and an asker");
            (issue.rule, issue.severity, issue.place.unwrap().expression)
        })
        .collect()
}

fn check(value: &Value, expected: &[(Rule, Severity, &str)]) {
    let expected: BTreeSet<_> =
        expected.iter().map(|(rule, severity, at)| (*rule, *severity, (*at).to_owned())).collect();
    assert_eq!(told(value), expected, "{value}");
}

fn uuid(number: usize) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-{number:012}")
}

fn basic(number: usize, subject: Option<&str>) -> Value {
    let mut resource = json!({"resourceType": "Basic", "id": number.to_string(), "code": {"text": "x"}});
    if let Some(subject) = subject {
        resource["subject"] = json!({"reference": subject});
    }
    resource
}

fn entry(number: usize, resource: Value) -> Value {
    json!({"fullUrl": uuid(number), "resource": resource})
}

fn bundle(kind: &str, entries: Vec<Value>) -> Value {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries})
}

fn message(entries: Vec<Value>) -> Value {
    let header = json!({"resourceType": "MessageHeader", "id": "0", "eventCoding": {"system": "https://example.org/e", "code": "x"},
        "source": {"endpoint": "https://example.org/a"}, "focus": [{"reference": uuid(1)}]});
    let mut all = vec![entry(0, header)];
    all.extend(entries);
    bundle("message", all)
}

fn report(entries: Vec<Value>) -> Value {
    let composition = json!({"resourceType": "Composition", "id": "0", "status": "final", "type": {"text": "x"},
        "date": "2026-01-05", "title": "x", "author": [{"reference": uuid(1)}],
        "section": [{"title": "a", "section": [{"title": "b", "entry": [{"reference": uuid(2)}]}]}]});
    let mut all = vec![entry(0, composition)];
    all.extend(entries);
    let mut whole = bundle("document", all);
    whole["identifier"] = json!({"system": "urn:ietf:rfc:3986", "value": uuid(99)});
    whole["timestamp"] = json!("2026-01-05T09:00:00Z");
    whole
}

fn author() -> Value {
    json!({"resourceType": "Practitioner", "id": "1", "name": [{"family": "Sample"}]})
}

#[test]
fn a_full_url_is_absolute_and_agrees_with_its_resource() {
    use Severity::Error;
    const AT: &str = "Bundle.entry[0].fullUrl";
    let with = |url: Option<&str>, id: Option<&str>| {
        let mut one = json!({"resource": {"resourceType": "Basic", "code": {"text": "x"}}});
        if let Some(url) = url {
            one["fullUrl"] = json!(url);
        }
        if let Some(id) = id {
            one["resource"]["id"] = json!(id);
        }
        bundle("collection", vec![one])
    };
    check(&with(Some("https://example.org/Basic/1"), Some("1")), &[]);
    check(&with(Some(&uuid(1)), Some("7")), &[]);
    check(&with(Some(&uuid(1)), None), &[]);
    check(&with(Some("https://example.org/things"), None), &[]);
    check(&with(Some("https://example.org/Basic/1"), Some("2")), &[(Rule::BundleFullUrl, Error, AT)]);
    check(&with(Some("https://example.org/Basic/1"), None), &[(Rule::BundleFullUrl, Error, AT)]);
    check(&with(Some("https://example.org/Patient/1"), Some("1")), &[(Rule::BundleFullUrl, Error, AT)]);
    check(&with(Some("Basic/1"), Some("1")), &[(Rule::BundleFullUrl, Error, AT)]);
    check(&with(None, Some("1")), &[(Rule::BundleFullUrl, Error, "Bundle.entry[0]")]);
    // bdl-8: never that of a version.
    let versioned = with(Some("https://example.org/Basic/1/_history/2"), Some("1"));
    check(&versioned, &[(Rule::Invariant, Error, AT)]);
}

#[test]
fn a_reference_in_a_bundle_leads_to_the_entry_that_is_meant() {
    use Severity::{Error, Warning};
    const AT: &str = "Bundle.entry[0].resource.subject.reference";
    let at = |base: &str, id: usize| {
        json!({"fullUrl": format!("{base}Patient/{id}"),
        "resource": {"resourceType": "Patient", "id": id.to_string(), "active": true}})
    };
    let with = |subject: &str, others: Vec<Value>| {
        let mut all = vec![json!({"fullUrl": "https://a.org/Basic/9", "resource": basic(9, Some(subject))})];
        all.extend(others);
        bundle("collection", all)
    };
    let (here, there) = ("https://a.org/", "https://b.org/");
    check(&with("Patient/1", vec![at(here, 1)]), &[]);
    check(&with("https://b.org/Patient/1", vec![at(here, 1), at(there, 1)]), &[]);
    check(&with("Patient/2", vec![at(here, 1)]), &[]);
    check(&with("Patient/1", vec![at(there, 1)]), &[(Rule::ReferenceUnresolved, Warning, AT)]);
    check(&with(&uuid(5), vec![at(here, 1)]), &[(Rule::ReferenceUnresolved, Warning, AT)]);
    check(&with("1", vec![at(here, 1)]), &[(Rule::ReferenceForm, Error, AT)]);
    check(&with("Patient?identifier=1", vec![]), &[(Rule::ReferenceForm, Error, AT)]);
    check(
        &with("Patient/1", vec![at(here, 1), at(here, 1)]),
        &[(Rule::ReferenceAmbiguous, Error, AT), (Rule::Invariant, Error, "Bundle.entry[2].fullUrl")],
    );
    // A server's address that leads to something else than it says.
    let mut other = at(here, 1);
    other["resource"] = basic(1, None);
    check(
        &with("Patient/1", vec![other]),
        &[(Rule::ReferenceTarget, Error, AT), (Rule::BundleFullUrl, Error, "Bundle.entry[1].fullUrl")],
    );
}

#[test]
fn a_message_begins_with_its_header_and_holds_what_it_is_about() {
    use Severity::{Error, Information, Warning};
    check(&message(vec![entry(1, basic(1, None))]), &[]);
    check(&message(vec![entry(1, basic(1, Some(&uuid(2)))), entry(2, basic(2, None))]), &[]);
    check(
        &message(vec![entry(2, basic(2, None))]),
        &[
            (Rule::ReferenceUnresolved, Warning, "Bundle.entry[0].resource.focus[0].reference"),
            (Rule::BundleContent, Error, "Bundle.entry[0].resource.focus[0].reference"),
            (Rule::BundleUnreachable, Warning, "Bundle.entry[1]"),
        ],
    );
    check(
        &message(vec![entry(1, basic(1, None)), entry(2, basic(2, Some(&uuid(1))))]),
        &[(Rule::BundleUnreachable, Information, "Bundle.entry[2]")],
    );
    check(
        &bundle("message", vec![json!({"fullUrl": uuid(1)})]),
        &[(Rule::Invariant, Error, "Bundle.entry[0]"), (Rule::BundleFirst, Error, "Bundle.entry[0]")],
    );
    check(&json!({"resourceType": "Bundle", "type": "message"}), &[(Rule::BundleFirst, Error, "Bundle")]);
}

#[test]
fn a_document_holds_what_its_composition_points_at_and_nothing_else() {
    use Severity::{Error, Warning};
    let good = report(vec![entry(1, author()), entry(2, basic(2, None))]);
    check(&good, &[]);
    check(
        &report(vec![entry(1, author())]),
        &[
            (Rule::ReferenceUnresolved, Warning, "Bundle.entry[0].resource.section[0].section[0].entry[0].reference"),
            (Rule::BundleContent, Error, "Bundle.entry[0].resource.section[0].section[0].entry[0].reference"),
        ],
    );
    let with = |more: Value| report(vec![entry(1, author()), entry(2, basic(2, None)), more]);
    check(&with(entry(3, basic(3, None))), &[(Rule::BundleUnreachable, Error, "Bundle.entry[3]")]);
    check(&with(entry(3, basic(3, Some(&uuid(2))))), &[(Rule::BundleUnreachable, Warning, "Bundle.entry[3]")]);
    let mut timeless = good.clone();
    timeless.as_object_mut().unwrap().shift_remove("timestamp");
    check(&timeless, &[(Rule::Invariant, Error, "Bundle")]);
    let mut nameless = good.clone();
    nameless.as_object_mut().unwrap().shift_remove("identifier");
    check(&nameless, &[(Rule::Invariant, Error, "Bundle")]);
}

#[test]
fn a_search_result_says_why_each_entry_is_there() {
    use Severity::{Error, Warning};
    let found = |number: usize, mode: &str| {
        let mut one = entry(number, basic(number, None));
        one["search"] = json!({"mode": mode});
        one
    };
    let with = |entries: Vec<Value>, url: &str| {
        let mut whole = bundle("searchset", entries);
        whole["link"] = json!([{"relation": "self", "url": url}, {"relation": "next", "url": "https://a.org/2"}]);
        whole
    };
    let basics = "https://a.org/r4/Basic?code=x";
    check(&with(vec![found(1, "match"), found(2, "include")], basics), &[]);
    check(&with(vec![found(1, "match")], "https://a.org/r4?_type=Patient,Basic"), &[]);
    check(&with(vec![found(1, "match")], "https://a.org/r4/Basic/_search?code=x"), &[]);
    let at = "Bundle.entry[0].resource";
    check(&with(vec![found(1, "match")], "https://a.org/Patient?x=y"), &[(Rule::BundleSearch, Error, at)]);
    check(&with(vec![found(1, "outcome")], basics), &[(Rule::BundleSearch, Error, at)]);
    check(&with(vec![entry(1, basic(1, None))], basics), &[(Rule::BundleSearch, Warning, "Bundle.entry[0]")]);
    let mut nameless = found(1, "match");
    nameless["resource"].as_object_mut().unwrap().shift_remove("id");
    check(&with(vec![nameless], basics), &[(Rule::BundleSearch, Error, at)]);
    check(&bundle("searchset", vec![found(1, "match")]), &[(Rule::BundleSearch, Warning, "Bundle")]);
    let mut twice = with(vec![], basics);
    twice.as_object_mut().unwrap().shift_remove("entry");
    twice["link"] = json!([{"relation": "self", "url": basics}, {"relation": "self", "url": basics}]);
    check(&twice, &[(Rule::BundleLink, Error, "Bundle.link[1].relation")]);
}

#[test]
fn pages_and_search_belong_to_search_results() {
    use Severity::Error;
    let mut pages = bundle("collection", vec![entry(1, basic(1, None))]);
    pages["link"] = json!([{"relation": "next", "url": "https://a.org/2"}]);
    check(&pages, &[(Rule::BundleLink, Error, "Bundle.link[0].relation")]);
    let mut searched = bundle("collection", vec![entry(1, basic(1, None))]);
    searched["entry"][0]["search"] = json!({"mode": "match"});
    check(&searched, &[(Rule::Invariant, Error, "Bundle")]);
    let mut counted = bundle("collection", vec![entry(1, basic(1, None))]);
    counted["total"] = json!(1);
    check(&counted, &[(Rule::Invariant, Error, "Bundle")]);
}

#[test]
fn a_transaction_asks_for_what_a_server_can_do() {
    use Severity::Warning;
    let asked = |number: usize, method: &str, url: &str| {
        let mut one = entry(number, basic(number, None));
        one["request"] = json!({"method": method, "url": url});
        one
    };
    check(&bundle("transaction", vec![asked(1, "POST", "Basic"), asked(2, "PUT", "Basic/2")]), &[]);
    let at = "Bundle.entry[0].request.url";
    check(&bundle("transaction", vec![asked(1, "POST", "Basic/1")]), &[(Rule::BundleRequest, Warning, at)]);
    check(&bundle("batch", vec![asked(1, "PUT", "Patient/1")]), &[(Rule::BundleRequest, Warning, at)]);
    check(
        &bundle("transaction", vec![asked(1, "PUT", "Basic/1"), asked(2, "PUT", "Basic/1")]),
        &[(Rule::BundleRequest, Warning, "Bundle.entry[1].request.url")],
    );
    check(
        &bundle("transaction", vec![asked(1, "DELETE", "Basic/1")]),
        &[(Rule::BundleRequest, Warning, "Bundle.entry[0]")],
    );
    // A transaction may point at what a search finds, and needs no addresses of its own.
    let mut conditional = asked(1, "POST", "Basic");
    conditional["resource"]["subject"] = json!({"reference": "Patient?identifier=a%7C1"});
    conditional.as_object_mut().unwrap().shift_remove("fullUrl");
    check(&bundle("transaction", vec![conditional]), &[]);
}

#[test]
fn versions_of_one_resource_stand_side_by_side_in_a_history() {
    let version = |number: usize| {
        let mut resource = basic(1, Some("Patient/1"));
        resource["meta"] = json!({"versionId": number.to_string()});
        json!({"fullUrl": "https://a.org/Basic/1", "resource": resource,
            "request": {"method": "PUT", "url": "Basic/1"}, "response": {"status": "200"}})
    };
    let patient = |number: usize| {
        json!({"fullUrl": "https://a.org/Patient/1",
            "resource": {"resourceType": "Patient", "id": "1", "meta": {"versionId": number.to_string()}},
            "request": {"method": "PUT", "url": "Patient/1"}, "response": {"status": "200"}})
    };
    check(&bundle("history", vec![version(1), version(2), patient(1), patient(2)]), &[]);
}

#[test]
fn invariants_of_an_entry_know_the_entry_and_not_the_bundle() {
    // ref-1 asks %rootResource, dom-3 %resource: each entry is one of its own.
    let mut first = basic(1, Some("#a"));
    first["contained"] = json!([{"resourceType": "Patient", "id": "a", "active": true}]);
    let second = basic(2, Some("#a"));
    check(
        &bundle("collection", vec![entry(1, first), entry(2, second)]),
        &[(Rule::Invariant, Severity::Error, "Bundle.entry[1].resource.subject")],
    );
}

#[test]
fn a_bundle_of_a_thousand_appointments_costs_as_much_for_each_as_one_of_a_hundred() {
    let bundle = |count: usize| {
        let one = |number: usize| {
            let mut appointment = super::appointment();
            appointment["id"] = json!(number.to_string());
            appointment["comment"] = json!("x".repeat(3_000));
            appointment["supportingInformation"] =
                json!([{"reference": "#here"}, {"reference": uuid((number + 1) % count)}]);
            entry(number, appointment)
        };
        document(&bundle("collection", (0..count).map(one).collect()))
    };
    let (small, large) = (bundle(100), bundle(1_000));
    assert!(large.text().len() > 4_000_000, "{} bytes", large.text().len());
    let steps = |document: &crate::document::Document| {
        let started = crate::document::looks();
        assert_eq!(r4().check(document, &Ask::default()).issues, []);
        crate::document::looks() - started
    };
    let (few, many) = (steps(&small), steps(&large));
    assert!(few > 100 * 30, "{few} is no count of a walk");
    assert!(many < few * 11, "{few} nodes are looked at for 100 entries, {many} for 1,000");
}
