//! Real input: the samples that others published.

use super::{read, rules};
use crate::fhir::{Format, json, xml};
use crate::issue::Rule;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn samples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is absent, so the samples of others are not read", folder.display());
    None
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A resource as a JSON tree. Members have no order; at the end of an array `null` says nothing.
fn tree(text: &str) -> Value {
    fn trim(value: Value) -> Value {
        match value {
            Value::Object(members) => members.into_iter().map(|(name, value)| (name, trim(value))).collect(),
            Value::Array(mut items) => {
                while items.last().is_some_and(Value::is_null) {
                    items.pop();
                }
                items.into_iter().map(trim).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
        }
    }
    trim(serde_json::from_str(text).unwrap())
}

#[test]
fn what_is_read_from_the_json_samples_is_written_as_it_was() {
    let Some(folder) = samples() else { return };
    let mut count = 0;
    for path in files(&folder, "json") {
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = read(text.as_bytes(), Format::Json);
        let told: Vec<_> = parsed.issues.iter().map(ToString::to_string).collect();
        let Some(document) = parsed.document else {
            panic!("{}: {told:?}", path.display());
        };
        if !told.is_empty() {
            eprintln!("{}: {told:#?}", path.display());
            continue;
        }
        assert_eq!(tree(&json(document.root())), tree(&text), "{}", path.display());
        count += 1;
    }
    eprintln!("{count} JSON samples are written as they were read");
    assert!(count >= 35, "only {count} JSON samples were read");
}

/// Samples that XML cannot carry as they are, since they are not valid R4: what repeats is no array, or the reverse.
const NOT_R4: &[&str] = &[
    "metadata/BaRS_API_Capability_Statement.json",
    "service_request/GET-success.json",
    "service_request/PUT-body.json",
    "service_request/id/GET-success.json",
];

#[test]
fn the_json_samples_that_are_valid_come_back_from_xml() {
    let Some(folder) = samples() else { return };
    let (mut same, mut refused) = (0, Vec::new());
    for path in files(&folder, "json") {
        let text = std::fs::read_to_string(&path).unwrap();
        if !read(text.as_bytes(), Format::Json).issues.is_empty() {
            refused.push(path);
            continue;
        }
        let written = match xml(&text) {
            Ok(written) => written,
            Err(issue) => panic!("{}: {issue}", path.display()),
        };
        let back = read(written.as_bytes(), Format::Xml);
        let told: Vec<_> = back.issues.iter().map(ToString::to_string).collect();
        assert!(told.is_empty(), "{}: {told:?}", path.display());
        let is_same = tree(&text) == tree(&json(back.document.unwrap().root()));
        let is_excepted = NOT_R4.iter().any(|ending| path.ends_with(ending));
        assert_eq!(is_same, !is_excepted, "{}", path.display());
        same += usize::from(is_same);
    }
    eprintln!("{same} JSON samples come back from XML; not read: {refused:?}");
    assert!(same >= 41, "only {same}");
}

#[test]
fn the_xml_samples_are_read_and_come_back() {
    let Some(folder) = samples() else { return };
    let (mut count, mut ordered) = (0, 0);
    for path in files(&folder, "xml") {
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = read(text.as_bytes(), Format::Xml);
        if path.ends_with("tests-fhir-r4.xml") {
            assert_eq!(rules(&parsed), [Rule::XmlSyntax], "a file of tests is no resource");
            continue;
        }
        // HL7's FHIRPath inputs have an element out of order.
        let is_told =
            rules(&parsed).iter().all(|rule| *rule == Rule::XmlOrder) && !path.to_string_lossy().contains("uk-core");
        assert!(parsed.issues.is_empty() || is_told, "{}: {:?}", path.display(), parsed.issues);
        ordered += usize::from(parsed.issues.is_empty());
        let document = parsed.document.unwrap();
        let first = json(document.root());
        let back = read(xml(&first).unwrap().as_bytes(), Format::Xml).document.unwrap();
        assert_eq!(tree(&json(back.root())), tree(&first), "{}", path.display());
        second_opinion(&text, &first, &path);
        count += 1;
    }
    eprintln!("{count} XML samples are read and come back, {ordered} of them in order");
    assert!(count >= 11, "only {count} XML samples");
}

/// What fhirbolt makes of the same XML, but for white space: it loses that of narratives and keeps line breaks in
/// attributes, which XML turns into spaces.
fn second_opinion(text: &str, ours: &str, path: &Path) {
    type Generic = fhirbolt::element::Element<{ fhirbolt::FhirReleases::R4 }>;
    fn without_space(value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(text.split_whitespace().collect()),
            Value::Array(items) => items.into_iter().map(without_space).collect(),
            Value::Object(members) => members.into_iter().map(|(name, value)| (name, without_space(value))).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }
    match fhirbolt::xml::from_str::<Generic>(text, None) {
        Ok(theirs) => {
            let theirs = tree(&fhirbolt::json::to_string(&theirs, None).unwrap());
            assert_eq!(without_space(tree(ours)), without_space(theirs), "{}", path.display());
        }
        Err(error) => {
            assert!(!path.to_string_lossy().contains("uk-core"), "{}: {error}", path.display());
            eprintln!("{}: fhirbolt refuses it: {error}", path.display());
        }
    }
}
