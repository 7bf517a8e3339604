//! Nothing panics and nothing is passed in silence, whatever is sent.

use super::read;
use crate::document::{Node, is_plain_name};
use crate::fhir::{Format, Limits, is_stu3, json, outcome, parse, xml};
use crate::issue::any_refuses;
use proptest::prelude::*;
use serde_json::Value;

const SEED_JSON: &str = r#"{"resourceType":"Appointment","id":"a1","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a <b>b</b></div>"},"contained":[{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u","valueCode":"c"}]}}],"extension":[{"url":"http://x.test/e","valueDecimal":1.50}],"status":"booked","priority":3,"specialty":[{"coding":[{"system":"s","code":"110"}],"text":"\u00e9\ud83d\ude00"}],"participant":[{"actor":{"reference":"Patient/1"},"required":"required","status":"accepted"},{"status":"needs-action"}],"requestedPeriod":[{"_start":{"id":"x"},"end":"2030-01-01T09:00:00Z"}],"_comment":{"id":"c"},"comment":"x"}"#;

/// Pieces that break rules when they stand in the wrong place.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\ud800",
    "\\u",
    "null",
    "true",
    "1e999",
    "-",
    "[]",
    "{}",
    "[[1]]",
    "\"_status\":",
    "\"status\":null,",
    "\"resourceType\":1,",
    "<",
    ">",
    "/>",
    "</",
    "&",
    "&nbsp;",
    "&#0;",
    "<a>",
    "</a>",
    "<div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">",
    "</div>",
    "xmlns=\"\"",
    " xmlns:a=\"b\" ",
    "<!DOCTYPE x>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?x ?>",
    "é",
    "\u{1F600}",
    "\u{0}",
    "\u{FFFE}",
    "\n",
    "<contained>",
    "<Patient>",
    "id=\"1\"",
    "url=\"u\"",
    "<extension>",
    "\u{FEFF}",
];

#[derive(Debug, Clone)]
enum Change {
    Insert(usize, usize),
    Delete(usize, usize),
    Byte(usize, u8),
    Copy(usize, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..4000_usize;
    prop_oneof![
        (at.clone(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (at.clone(), 1..40_usize).prop_map(|(at, length)| Change::Delete(at, length)),
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (at.clone(), at, 1..80_usize).prop_map(|(from, to, length)| Change::Copy(from, to, length)),
    ]
}

fn changed(seed: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = seed.as_bytes().to_vec();
    for change in changes {
        let place = |at: usize, bytes: &[u8]| at % (bytes.len() + 1);
        match *change {
            Change::Insert(at, piece) => {
                let at = place(at, &bytes);
                bytes.splice(at..at, PIECES[piece].bytes());
            }
            Change::Delete(at, length) => {
                let at = place(at, &bytes);
                let end = (at + length).min(bytes.len());
                bytes.drain(at..end);
            }
            Change::Byte(at, byte) => {
                let at = place(at, &bytes);
                bytes.splice(at..(at + 1).min(bytes.len()), [byte]);
            }
            Change::Copy(from, to, length) => {
                let from = place(from, &bytes);
                let piece = bytes[from..(from + length).min(bytes.len())].to_vec();
                let to = place(to, &bytes);
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

/// Everything that a caller does with what was read, and what must hold whatever was sent.
fn use_it_all(bytes: &[u8], format: Format) {
    let limits = Limits { issues_max: 20, nodes_max: 2000, ..Limits::default() };
    let parsed = parse(bytes, format, &limits);
    assert!(parsed.issues.len() <= 20);
    assert!(parsed.document.is_some() || any_refuses(&parsed.issues), "no document and nothing refuses it");
    let told = outcome(&parsed.issues);
    assert!(told["issue"].as_array().is_some_and(|issues| !issues.is_empty()));
    let Some(document) = parsed.document else { return };
    assert!(document.node_count() <= 2000);
    let mut stack = vec![document.root()];
    let mut walked = 0;
    while let Some(node) = stack.pop() {
        walked += 1;
        repeats_stand_together(node);
        let place = node.place();
        let names = place.pointer.split('/').map(|step| step.trim_start_matches('_'));
        let is_named = |step: &str| step.is_empty() || step.parse::<u32>().is_ok() || is_plain_name(step);
        assert!(names.into_iter().all(is_named), "{}", place.pointer);
        stack.extend(node.children());
    }
    assert!(walked <= document.node_count());
    let _ = is_stu3(&document);
    let text = json(document.root());
    let value: Value = serde_json::from_str(&text).unwrap();
    if document.root().value().is_none() {
        assert!(value.is_object() || value.is_null());
    }
    // What Stile writes it reads again, without a fault of form.
    let again = parse(text.as_bytes(), Format::Json, &limits);
    if any_refuses(&parsed.issues) || document.resource_type().is_none() {
        return;
    }
    assert_eq!(again.issues, [], "{text}");
    assert_eq!(json(again.document.unwrap().root()), text);
    if let Ok(written) = xml(&text) {
        let back = parse(written.as_bytes(), Format::Xml, &limits);
        assert!(back.document.is_some(), "{written}: {:?}", back.issues);
    }
}

#[test]
fn a_body_without_one_of_its_bytes_is_read_or_refused_and_both_happen() {
    let written = xml(SEED_JSON).unwrap();
    for (seed, format) in [(SEED_JSON, Format::Json), (written.as_str(), Format::Xml)] {
        assert_eq!(read(seed.as_bytes(), format).issues, []);
        let [mut well, mut told, mut broken] = [0; 3];
        for at in 0..seed.len() {
            let bytes = changed(seed, &[Change::Delete(at, 1)]);
            use_it_all(&bytes, format);
            let parsed = read(&bytes, format);
            match (parsed.document.is_some(), any_refuses(&parsed.issues)) {
                (true, false) => well += 1,
                (true, true) => told += 1,
                (false, _) => broken += 1,
            }
        }
        eprintln!("{format:?}: {well} read without a fault, {told} with faults, {broken} not to the end");
        assert!(well > 150 && told > 5 && broken > 100);
    }
}

fn repeats_stand_together(node: Node<'_>) {
    let mut seen = std::collections::HashSet::new();
    let mut last: Option<Node<'_>> = None;
    for child in node.children() {
        match last {
            Some(previous) if previous.name() == child.name() => assert_eq!(child.index(), previous.index() + 1),
            Some(_) | None => assert!(seen.insert(child.name().to_owned()), "repeats stand apart"),
        }
        last = Some(child);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn no_change_to_a_json_body_makes_the_reader_panic(changes in prop::collection::vec(change(), 1..8)) {
        use_it_all(&changed(SEED_JSON, &changes), Format::Json);
    }

    #[test]
    fn no_change_to_an_xml_body_makes_the_reader_panic(changes in prop::collection::vec(change(), 1..6)) {
        let seed = xml(SEED_JSON).unwrap();
        use_it_all(&changed(&seed, &changes), Format::Xml);
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        use_it_all(&bytes, Format::Json);
        use_it_all(&bytes, Format::Xml);
    }

    #[test]
    fn pieces_of_either_form_in_any_order_make_neither_reader_panic(
        pieces in prop::collection::vec(0..PIECES.len(), 0..60)
    ) {
        let body: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        for body in [body.clone(), format!("{{\"resourceType\":\"A\",{body}"), format!("<A xmlns=\"http://hl7.org/fhir\">{body}</A>")] {
            use_it_all(body.as_bytes(), Format::Json);
            use_it_all(body.as_bytes(), Format::Xml);
        }
    }

    #[test]
    fn what_serde_json_refuses_is_refused_and_what_it_reads_is_read(changes in prop::collection::vec(change(), 0..4)) {
        let bytes = changed(SEED_JSON, &changes);
        let theirs = serde_json::from_slice::<Value>(&bytes);
        let ours = read(&bytes, Format::Json);
        match theirs {
            Ok(value) => prop_assert!(!value.is_object() || ours.document.is_some(), "{:?}", ours.issues),
            // Lone surrogates are read past here, and told.
            Err(_) => prop_assert!(any_refuses(&ours.issues)),
        }
    }
}
