//! Any bytes as JSON: read to the end without a panic, and what is written back reads as the same tree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stile::fhir::{Format, Limits, json, parse};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let parsed = parse(bytes, Format::Json, &limits);
    assert!(parsed.issues.len() <= limits.issues_max);
    let Some(document) = parsed.document.filter(|_| parsed.issues.is_empty()) else { return };
    let again = parse(json(document.root()).as_bytes(), Format::Json, &limits);
    assert!(again.issues.is_empty(), "what was written is not read: {:?}", again.issues);
    assert_eq!(again.document.map(|again| again.node_count()), Some(document.node_count()));
});
