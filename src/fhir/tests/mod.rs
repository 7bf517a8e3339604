//! Both forms together: limits and hostile texts here, real samples and mutations beside.

mod mutations;
mod samples;

use super::{Format, Limits, Parsed, json, parse};
use crate::issue::{Rule, any_refuses};

fn read(body: &[u8], format: Format) -> Parsed {
    parse(body, format, &Limits::default())
}

fn rules(parsed: &Parsed) -> Vec<Rule> {
    parsed.issues.iter().map(|issue| issue.rule).collect()
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    for format in [Format::Json, Format::Xml] {
        let parsed = read(&vec![0xFF; 20 * 1024 * 1024], format);
        assert_eq!(rules(&parsed), [Rule::LimitBytes]);
        assert!(parsed.document.is_none());
    }
}

#[test]
fn text_that_is_not_utf_8_is_told_with_its_line_and_column() {
    let parsed = read(b"{\"a\":\n \"\xC3\xA9\xFF\"}", Format::Json);
    assert_eq!(rules(&parsed), [Rule::TextEncoding]);
    let place = parsed.issues[0].place.clone().unwrap();
    assert_eq!((place.line, place.column), (2, 4));
    assert!(parsed.document.is_none());
    let utf_16: Vec<u8> = "\u{FEFF}<Task/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(rules(&read(&utf_16, Format::Xml)), [Rule::TextEncoding]);
}

#[test]
fn nesting_ends_at_the_limit_and_not_before() {
    let arrays = |depth: usize| format!("{{\"resourceType\":\"T\",\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let twins = |depth: usize| format!("{}1{}", "{\"_a\":[".repeat(depth), "]}".repeat(depth));
    let elements =
        |depth: usize| format!("<T xmlns=\"http://hl7.org/fhir\">{}{}</T>", "<a>".repeat(depth), "</a>".repeat(depth));
    let divs = |depth: usize| {
        let (open, close) = ("<b>".repeat(depth), "</b>".repeat(depth));
        format!("<T xmlns=\"http://hl7.org/fhir\"><div xmlns=\"http://www.w3.org/1999/xhtml\">{open}{close}</div></T>")
    };
    for (body, format) in [
        (arrays(10_000), Format::Json),
        (objects(10_000), Format::Json),
        (twins(10_000), Format::Json),
        ("[".repeat(10_000), Format::Json),
        (elements(10_000), Format::Xml),
        (divs(10_000), Format::Xml),
    ] {
        for depth_max in [64, 200, usize::MAX] {
            let parsed = parse(body.as_bytes(), format, &Limits { depth_max, ..Limits::default() });
            assert_eq!(parsed.issues.last().map(|issue| issue.rule), Some(Rule::LimitDepth));
            assert!(parsed.document.is_none());
        }
    }
    let has_document = |body: String, format| read(body.as_bytes(), format).document.is_some();
    assert!(has_document(objects(64), Format::Json) && !has_document(objects(65), Format::Json));
    assert!(has_document(arrays(63), Format::Json) && !has_document(arrays(64), Format::Json));
    assert!(has_document(elements(63), Format::Xml) && !has_document(elements(64), Format::Xml));
    assert!(has_document(divs(62), Format::Xml) && !has_document(divs(63), Format::Xml));
    // What the ceiling allows is written, too.
    let limits = Limits { depth_max: usize::MAX, ..Limits::default() };
    let deepest = parse(objects(Limits::DEPTH_CEILING).as_bytes(), Format::Json, &limits).document.unwrap();
    assert_eq!(json(deepest.root()), objects(Limits::DEPTH_CEILING));
}

#[test]
fn what_is_taken_as_xml_can_be_read_as_the_json_that_it_becomes() {
    let extensions = |depth: usize| {
        let (open, close) = ("<extension url=\"urn:x\">".repeat(depth), "</extension>".repeat(depth));
        format!("<Task xmlns=\"http://hl7.org/fhir\">{open}<valueString value=\"x\"/>{close}</Task>")
    };
    let mut taken_count = 0;
    for depth in 1..100 {
        let Some(document) = read(extensions(depth).as_bytes(), Format::Xml).document else { continue };
        let again = read(json(document.root()).as_bytes(), Format::Json);
        assert!(again.document.is_some(), "{depth} extensions deep: {:?}", rules(&again));
        taken_count += 1;
    }
    // An extension is an object in an array; the root and the leaf take one level each.
    assert_eq!(taken_count, 31);
}

#[test]
fn no_place_begins_with_a_type_that_is_the_senders_own_word() {
    for (kind, begins) in [("Task", "Task"), ("ReferralRequest", "ReferralRequest"), ("Sample", "Resource")] {
        let parsed = read(format!(r#"{{"resourceType":"{kind}","a":null}}"#).as_bytes(), Format::Json);
        assert_eq!(rules(&parsed), [Rule::JsonNull]);
        assert_eq!(parsed.issues[0].place.as_ref().unwrap().expression, format!("{begins}.a"));
        assert!(begins == kind || !format!("{:?}", parsed.issues).contains(kind));
    }
}

#[test]
fn elements_end_at_the_limit_and_not_before() {
    let limits = Limits { nodes_max: 10, ..Limits::default() };
    let items = |count: usize| format!("{{\"resourceType\":\"T\",\"a\":[{}]}}", vec!["1"; count].join(","));
    let tags = |count: usize| format!("<T xmlns=\"http://hl7.org/fhir\">{}</T>", "<a value=\"1\"/>".repeat(count));
    // The root is one of the ten.
    assert!(parse(items(9).as_bytes(), Format::Json, &limits).document.is_some());
    assert!(parse(tags(9).as_bytes(), Format::Xml, &limits).document.is_some());
    assert_eq!(rules(&parse(items(10).as_bytes(), Format::Json, &limits)), [Rule::LimitNodes]);
    assert_eq!(rules(&parse(tags(10).as_bytes(), Format::Xml, &limits)), [Rule::LimitNodes]);
}

#[test]
fn the_last_issue_says_that_there_are_more_and_refuses_when_they_do() {
    let limits = Limits { issues_max: 5, ..Limits::default() };
    let nulls = |count: usize| format!("{{\"resourceType\":\"T\",\"a\":[{}]}}", vec!["null"; count].join(","));
    let told = |body: String| parse(body.as_bytes(), Format::Json, &limits);
    assert_eq!(rules(&told(nulls(4))), [Rule::JsonNull; 4]);
    let many = told(nulls(400));
    assert_eq!(many.issues.len(), 5);
    assert_eq!(many.issues[4].rule, Rule::NotEvaluated);
    assert!(many.issues[4].refuses());
    // A text that ends in the middle is told even when there are more issues than places.
    let broken = told(format!("{{{}!", "\"a\":null,".repeat(400)));
    assert_eq!(broken.issues.len(), 5);
    assert_eq!(broken.issues[3].rule, Rule::JsonSyntax);
    assert_eq!(broken.issues[4].rule, Rule::NotEvaluated);
}

#[test]
fn hostile_texts_are_read_to_an_end_with_few_issues() {
    let text = |parts: &mut dyn Iterator<Item = String>, separator: &str| parts.collect::<Vec<_>>().join(separator);
    let count = 100_000;
    let distinct = text(&mut (0..count).map(|n| format!("\"n{n}\":1")), ",");
    let escaped = text(&mut (0..count).map(|n| format!("\"\\u006e{n}\":1")), ",");
    let twins = text(&mut (0..count).map(|n| format!("\"_n{n}\":{{\"id\":\"1\"}},\"n{n}\":1")), ",");
    let same = text(&mut (0..count).map(|_| "\"a\":null".to_owned()), ",");
    let nulls = vec!["null"; count].join(",");
    let ids = vec!["{\"id\":\"1\"}"; count].join(",");
    let stranger = text(&mut (0..count).map(|n| format!("<n{n}/>")), "");
    let turns = "<a value=\"1\"/><b value=\"1\"/>".repeat(count);
    let attributes = text(&mut (0..count).map(|n| format!("a{n}=\"\"")), " ");
    let namespaces = text(&mut (0..count).map(|n| format!("xmlns:a{n}=\"u\"")), " ");
    let bodies = [
        (Format::Json, format!("{{{distinct}}}")),
        (Format::Json, format!("{{{escaped}}}")),
        (Format::Json, format!("{{{twins}}}")),
        (Format::Json, format!("{{{same}}}")),
        (Format::Json, format!("{{\"a\":[{nulls}]}}")),
        (Format::Json, format!("{{\"a\":[{nulls}],\"b\":1,\"_a\":[{ids}]}}")),
        (Format::Json, format!("{{\"_a\":[{ids}],\"b\":1,\"a\":[{nulls}]}}")),
        (Format::Json, format!("{{\"a\":\"{}\"}}", "\\u00e9\\n".repeat(count))),
        (Format::Json, format!("{{\"a\":\"{}\"}}", "\\ud800".repeat(count))),
        (Format::Json, format!("{{\"a\":{}}}", "9".repeat(count * 10))),
        (Format::Json, format!("{{\"a\":0.{}e9}}", "9".repeat(count * 10))),
        (Format::Json, format!("{{\"a\":[{}]}}", vec!["[]"; count].join(","))),
        (Format::Json, format!("{{{}", "\n\"a\":null,".repeat(count))),
        (Format::Json, format!("{{\"resourceType\":\"B\",\"{}\":1}}", "x".repeat(count * 10))),
        (Format::Xml, format!("<T xmlns=\"http://hl7.org/fhir\">{stranger}</T>")),
        (Format::Xml, format!("<T xmlns=\"http://hl7.org/fhir\">{turns}</T>")),
        (Format::Xml, format!("<T xmlns=\"http://hl7.org/fhir\" {attributes}/>")),
        (Format::Xml, format!("<T xmlns=\"http://hl7.org/fhir\" {namespaces}/>")),
        (Format::Xml, format!("<T xmlns=\"http://hl7.org/fhir\">{}", "<a>&amp;</a>".repeat(count))),
        (Format::Xml, format!("<T xmlns=\"http://hl7.org/fhir\"><a value=\"{}\"/></T>", "&#10;".repeat(count))),
    ];
    assert_eq!(bodies.len(), 20);
    // Seconds are not asserted, as the machine may be busy: quadratic reading of these takes minutes and is felt.
    for (format, body) in bodies {
        let parsed = read(body.as_bytes(), format);
        let written = parsed.document.as_ref().map(|document| json(document.root()));
        assert!(parsed.issues.len() <= Limits::default().issues_max);
        assert!(written.is_some() || any_refuses(&parsed.issues));
    }
}
