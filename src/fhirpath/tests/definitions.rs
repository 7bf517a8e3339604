//! R4's own definitions as a model, read from `profiles/r4-core` for these tests only: the gateway compiles them in
//! `profile`, an outer layer.

use crate::document::Node;
use crate::fhirpath::{Context, ElementTypes, Model};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;

/// The elements of every type, by path.
pub(super) struct R4 {
    /// The types of each element, by its path without `[x]`; an element with elements of its own has its path as type.
    types: BTreeMap<String, Vec<String>>,
    bases: BTreeMap<String, String>,
    /// Invariants: path, key, expression.
    pub(super) invariants: Vec<(String, String, String)>,
}

impl R4 {
    pub(super) fn load() -> R4 {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/r4-core");
        let mut r4 = R4 { types: BTreeMap::new(), bases: BTreeMap::new(), invariants: Vec::new() };
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path.file_name().unwrap().to_string_lossy().starts_with("StructureDefinition-") {
                continue;
            }
            let definition: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            r4.take(&definition);
        }
        r4.invariants.sort();
        assert!(r4.types.len() > 5_000 && r4.invariants.len() > 200, "the definitions were not read");
        r4
    }

    fn take(&mut self, definition: &Json) {
        let text = |json: &Json, name: &str| json[name].as_str().unwrap_or("").to_owned();
        // Profiles and extensions define no types.
        if definition["derivation"] == "constraint" {
            return;
        }
        let name = text(definition, "type");
        let base = text(definition, "baseDefinition");
        self.bases.insert(name, base.rsplit('/').next().unwrap_or("").to_owned());
        for element in definition["snapshot"]["element"].as_array().unwrap() {
            let path = text(element, "path");
            let codes: Vec<String> =
                element["type"].as_array().into_iter().flatten().map(|kind| text(kind, "code")).collect();
            let types = match (codes.as_slice(), element["contentReference"].as_str()) {
                (_, Some(target)) => vec![target.rsplit('#').next().unwrap().to_owned()],
                ([one], _) if one == "BackboneElement" || one == "Element" => vec![path.clone()],
                _ => codes.iter().map(|code| system_or_fhir(code)).collect(),
            };
            for constraint in element["constraint"].as_array().into_iter().flatten() {
                let own = (path.clone(), text(constraint, "key"), text(constraint, "expression"));
                self.invariants.push(own);
            }
            self.types.insert(path.trim_end_matches("[x]").to_owned(), types);
        }
    }

    fn path_of(&self, node: Node<'_>) -> Option<String> {
        if let Some(resource) = node.resource_type() {
            return Some(resource.to_owned());
        }
        let holder = self.path_of(node.parent()?)?;
        let types = self.types.get(&format!("{holder}.{}", node.name()));
        match types.map(Vec::as_slice) {
            Some([one]) => Some(one.clone()),
            Some(_) => None,
            None => crate::fhirpath::typing::split_choice(node.name()).map(|(_, kind)| kind.to_owned()),
        }
    }
}

/// `id` and `url` of the base types are told as FHIRPath's own String; expressions see FHIR's.
fn system_or_fhir(code: &str) -> String {
    match code {
        "http://hl7.org/fhirpath/System.String" => "id".to_owned(),
        _ => code.to_owned(),
    }
}

impl Model for R4 {
    fn type_of<'n>(&'n self, node: Node<'n>) -> Option<&'n str> {
        let path = self.path_of(node)?;
        match self.bases.get_key_value(&path) {
            Some((name, _)) => Some(name),
            None => Some("BackboneElement"),
        }
    }

    fn base_type<'m>(&'m self, name: &str) -> Option<&'m str> {
        self.bases.get(name).map(String::as_str)
    }

    fn element<'m>(&'m self, holder: &str, name: &str) -> ElementTypes<'m> {
        if !self.types.contains_key(holder) {
            return ElementTypes::Unknown;
        }
        match self.types.get(&format!("{holder}.{name}")) {
            Some(types) => ElementTypes::Types(types.iter().map(String::as_str).collect()),
            None => ElementTypes::Absent,
        }
    }

    fn element_names<'m>(&'m self, holder: &str) -> Vec<&'m str> {
        let from = format!("{holder}.");
        let below = self.types.range(from.clone()..).take_while(|(path, _)| path.starts_with(&from));
        below.filter_map(|(path, _)| path.get(from.len()..)).filter(|rest| !rest.contains('.')).collect()
    }

    /// So far as these tests ask: whether it is of the type at all.
    fn conforms_to<'n>(&self, node: Node<'n>, profile: &str, _context: &Context<'n>) -> Option<bool> {
        let name = profile.strip_prefix("http://hl7.org/fhir/StructureDefinition/")?;
        self.bases.contains_key(name).then(|| node.resource_type() == Some(name))
    }
}
