//! The definitions as plain JSON, read here on their own and not by the engine that they judge.

use super::super::{r4_files, root, uk_core_files};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Every StructureDefinition, by url, and what else the faults need to know.
pub struct Definitions {
    by_url: BTreeMap<String, Value>,
    /// The elements of each type, by the path of what they stand below.
    below: BTreeMap<String, Vec<Value>>,
    /// Value sets whose codes are known here.
    value_sets: BTreeSet<String>,
}

/// The profiles of this test, as a vendor would write them: differentials only.
pub fn own_files() -> Vec<(String, String)> {
    let folder = root().join("tests/profiles/definitions");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        paths.map(|path| (super::super::name_of(&path), std::fs::read_to_string(&path).unwrap())).collect();
    files.sort();
    files
}

pub fn definitions() -> &'static Definitions {
    static DEFINITIONS: OnceLock<Definitions> = OnceLock::new();
    DEFINITIONS.get_or_init(|| {
        let mut made = Definitions { by_url: BTreeMap::new(), below: BTreeMap::new(), value_sets: BTreeSet::new() };
        let of_uk_core = uk_core_files().iter().filter(|(name, _)| !name.contains("/examples/")).cloned();
        for (name, text) in r4_files().into_iter().chain(of_uk_core).chain(own_files()) {
            if !name.ends_with(".json") || name.ends_with(".index.json") {
                continue;
            }
            let value: Value = serde_json::from_str(&text).unwrap();
            let url = value["url"].as_str().unwrap_or_default().to_owned();
            match value["resourceType"].as_str() {
                Some("StructureDefinition") => made.take(url, value),
                Some("ValueSet") => _ = made.value_sets.insert(url),
                Some(_) | None => {}
            }
        }
        made
    })
}

impl Definitions {
    fn take(&mut self, url: String, value: Value) {
        if value["derivation"] != "constraint" {
            for element in value["snapshot"]["element"].as_array().unwrap() {
                let path = element["path"].as_str().unwrap();
                let holder = path.rsplit_once('.').map_or("", |(holder, _)| holder);
                self.below.entry(holder.to_owned()).or_default().push(element.clone());
            }
        }
        self.by_url.insert(url, value);
    }

    /// The elements that stand below a type or an element of one.
    pub fn below(&self, path: &str) -> &[Value] {
        self.below.get(path).map_or(&[], Vec::as_slice)
    }

    /// The definition with this url.
    pub fn by_url(&self, url: &str) -> Option<&Value> {
        self.by_url.get(url.split('|').next().unwrap_or(url))
    }

    /// The elements of a profile's differential.
    pub fn differential(&self, url: &str) -> &[Value] {
        self.by_url(url).and_then(|found| found["differential"]["element"].as_array()).map_or(&[], Vec::as_slice)
    }

    /// True when a profile gives an element of this name just this value.
    pub fn is_fixed(&self, name: &str, value: &Value) -> bool {
        let all = self.by_url.values().filter_map(|one| one["differential"]["element"].as_array()).flatten();
        let mut named = all.filter(|one| text(&one["path"]).rsplit('.').next() == Some(name));
        named.any(|one| one.as_object().unwrap().iter().any(|(key, given)| key.starts_with("fixed") && given == value))
    }

    /// True when the value set's codes can be known here, so that a stranger can be told from them.
    pub fn is_listed(&self, value_set: &str) -> bool {
        let url = value_set.split('|').next().unwrap_or(value_set);
        // Their codes come from elsewhere: media types, languages, currencies, units, all resource types of any version.
        let is_elsewhere = ["mimetypes", "languages", "currencies", "all-languages", "ucum-units"];
        self.value_sets.contains(url) && !is_elsewhere.iter().any(|name| url.ends_with(name))
    }

    /// The invariants (severity error) of a type and of all elements below it: key and path.
    pub fn invariants(&self, type_name: &str) -> Vec<(String, String)> {
        let url = format!("http://hl7.org/fhir/StructureDefinition/{type_name}");
        let elements = self.by_url(&url).and_then(|found| found["snapshot"]["element"].as_array());
        let mut found = Vec::new();
        for element in elements.into_iter().flatten() {
            for constraint in element["constraint"].as_array().into_iter().flatten() {
                if constraint["severity"] == "error" {
                    found.push((text(&constraint["key"]), text(&element["path"])));
                }
            }
        }
        found
    }
}

/// A JSON string; empty for anything else.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A value with its first letter as a capital: the end of a choice's name.
pub fn capitalised(code: &str) -> String {
    let mut letters = code.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
