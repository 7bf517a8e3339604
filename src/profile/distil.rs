//! Distils published FHIR definitions to what a checker needs: `stile packages distil`.
//!
//! The bundles that HL7 publishes are eighty megabytes, nearly all of it prose. What is kept here is the structure of
//! each resource and data type and its invariants, what each extension and profile changes, and every code system and
//! value set with what its codes are called; still in StructureDefinition, ValueSet and CodeSystem form, so that one
//! loader reads it and official packages alike. The result is the same, byte for byte, whenever the sources are, and has
//! one element or code per line, so that a diff reads.

use super::definition::MIN_LENGTH;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The release that is distilled; definitions of another are left out.
const RELEASE: &str = "4.0.1";

/// A definition's url and the definition.
type ByUrl = BTreeMap<String, Value>;

/// Why nothing could be distilled.
#[derive(Debug, thiserror::Error)]
pub enum DistilError {
    /// A source is not JSON.
    #[error("{name} is not JSON: {cause}")]
    NotJson {
        /// The source's file name.
        name: String,
        /// What the reader says.
        cause: serde_json::Error,
    },
    /// No source holds a definition of FHIR R4.
    #[error("none of the {count} sources holds a StructureDefinition of FHIR {RELEASE} with a snapshot")]
    NoDefinitions {
        /// How many sources there were.
        count: usize,
    },
}

/// Distils `sources` (file name and text of each: Bundles of definitions, single definitions, and the `package.json`
/// they came with) to the files of a FHIR package folder (file name and text of each, in order of name).
///
/// # Errors
/// When a source is not JSON, or none holds a definition.
pub fn distil(sources: &[(String, String)]) -> Result<Vec<(String, String)>, DistilError> {
    let mut found = Found::default();
    for (name, text) in sources {
        let value: Value =
            serde_json::from_str(text).map_err(|cause| DistilError::NotJson { name: name.clone(), cause })?;
        found.take(name, value);
    }
    if found.structures.is_empty() {
        return Err(DistilError::NoDefinitions { count: sources.len() });
    }
    let mut files = BTreeMap::new();
    for structure in found.structures.values() {
        files.insert(file_name("StructureDefinition", structure), structure_text(structure));
    }
    for value_set in found.value_sets.values() {
        files.insert(file_name("ValueSet", value_set), value_set_text(value_set));
    }
    for code_system in found.code_systems.values() {
        files.insert(file_name("CodeSystem", code_system), code_system_text(code_system));
    }
    let missing = missing(&found);
    files.insert("SOURCE.md".into(), source_text(&found, &missing, files.len()));
    files.insert("package.json".into(), package_text());
    Ok(files.into_iter().collect())
}

/// What the sources hold that may be kept.
#[derive(Default)]
struct Found {
    structures: ByUrl,
    value_sets: ByUrl,
    code_systems: ByUrl,
    /// Name, version and licence of the package that the sources came in.
    package: Option<(String, String, String)>,
    /// Definitions of another release, by url and version.
    other_release: BTreeSet<String>,
    /// How many logical models were left out.
    model_count: usize,
}

impl Found {
    fn take(&mut self, name: &str, value: Value) {
        if name.rsplit('/').next() == Some("package.json") {
            let own = |key| text(&value, key).to_owned();
            self.package = Some((own("name"), own("version"), own("license")));
            return;
        }
        match value {
            Value::Object(mut bundle) if bundle.get("resourceType") == Some(&json!("Bundle")) => {
                let Some(Value::Array(entries)) = bundle.remove("entry") else { return };
                for mut entry in entries {
                    self.take_definition(entry.get_mut("resource").map(Value::take).unwrap_or_default());
                }
            }
            single => self.take_definition(single),
        }
    }

    fn take_definition(&mut self, value: Value) {
        let url = text(&value, "url").to_owned();
        match text(&value, "resourceType") {
            "StructureDefinition" if text(&value, "fhirVersion") != RELEASE => {
                self.other_release.insert(format!("{url} ({})", text(&value, "fhirVersion")));
            }
            "StructureDefinition" if is_type(&value) || is_profile(&value) => {
                self.structures.insert(url, value);
            }
            "StructureDefinition" => self.model_count += 1,
            "ValueSet" if value.get("compose").is_some() => {
                self.value_sets.insert(url, value);
            }
            // One that lists no codes says nothing that its name does not.
            "CodeSystem" if value.get("concept").is_some() => {
                self.code_systems.insert(url, value);
            }
            _ => {}
        }
    }
}

/// True for resources and data types, and for the two profiles on Quantity that the core's own elements name.
fn is_type(structure: &Value) -> bool {
    let kind = text(structure, "kind");
    let is_profile = text(structure, "derivation") == "constraint";
    structure.get("snapshot").is_some()
        && match kind {
            "resource" => !is_profile,
            "primitive-type" => true,
            "complex-type" => !is_profile || matches!(text(structure, "id"), "SimpleQuantity" | "MoneyQuantity"),
            _ => false,
        }
}

/// True for an extension or a profile, of which only what it changes is kept.
fn is_profile(structure: &Value) -> bool {
    let is_derived = text(structure, "derivation") == "constraint" && !is_type(structure);
    is_derived && structure.get("differential").is_some() && text(structure, "kind") != "logical"
}

/// Value sets that bindings and value sets name, and code systems that value sets take codes from without listing them,
/// that no source holds.
fn missing(found: &Found) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for structure in found.structures.values() {
        for binding in elements(structure).iter().filter_map(|element| element.get("binding")) {
            if matches!(text(binding, "strength"), "required" | "extensible") {
                named.insert(text(binding, "valueSet"));
            }
        }
    }
    for part in found.value_sets.values().flat_map(parts) {
        let imported = part.get("valueSet").and_then(Value::as_array).into_iter().flatten();
        named.extend(imported.filter_map(Value::as_str));
        if part.get("concept").is_none() {
            named.insert(text(part, "system"));
        }
    }
    let is_held = |url: &str| found.value_sets.contains_key(url) || found.code_systems.contains_key(url);
    named.into_iter().map(without_version).filter(|url| !url.is_empty() && !is_held(url)).map(str::to_owned).collect()
}

/// The includes and excludes of a value set.
fn parts(value_set: &Value) -> impl Iterator<Item = &Value> {
    ["include", "exclude"].into_iter().filter_map(|key| value_set.get("compose")?.get(key)?.as_array()).flatten()
}

/// Where the elements stand that are kept: all of a type, the changes of a profile.
fn view(structure: &Value) -> &'static str {
    if is_type(structure) { "snapshot" } else { "differential" }
}

fn elements(structure: &Value) -> &[Value] {
    let elements = structure.get(view(structure)).and_then(|view| view.get("element"));
    elements.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

fn without_version(canonical: &str) -> &str {
    canonical.split('|').next().unwrap_or(canonical)
}

fn file_name(kind: &str, definition: &Value) -> String {
    format!("{kind}-{}.json", text(definition, "id"))
}

/// The members of `value` that `keys` name, in the order of `keys`.
fn pick(value: &Value, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), value.get(*key)?.clone()))).collect()
}

fn structure_text(structure: &Value) -> String {
    let url = text(structure, "url");
    let head = pick(
        structure,
        &[
            "resourceType",
            "id",
            "url",
            "version",
            "name",
            "status",
            "fhirVersion",
            "kind",
            "abstract",
            "context",
            "contextInvariant",
            "type",
            "baseDefinition",
            "derivation",
        ],
    );
    let view = view(structure);
    let lines = elements(structure).iter().map(|element| element_line(element, url, view)).collect();
    file_text(&head, &[(view, "element", lines)])
}

fn element_line(element: &Value, url: &str, view: &str) -> Value {
    let is_change = view == "differential";
    let mut kept = pick(element, &["id", "path", "sliceName", "min", "max"]);
    if let Some(slicing) = element.get("slicing").filter(|_| is_change) {
        kept.insert("slicing".into(), Value::Object(pick(slicing, &["discriminator", "ordered", "rules"])));
    }
    if let Some(max) = element.get("base").and_then(|base| base.get("max"))
        && element.get("max") != Some(max)
        && !is_change
    {
        kept.insert("base".into(), json!({"max": max}));
    }
    kept.extend(pick(element, &["contentReference"]));
    if let Some(types) = element.get("type").and_then(Value::as_array) {
        let members = ["code", "profile", "targetProfile", "aggregation", "versioning"];
        let types: Vec<_> = types.iter().map(|one| Value::Object(pick(one, &members))).collect();
        kept.insert("type".into(), types.into());
    }
    for (key, value) in element.as_object().into_iter().flatten() {
        if ["fixed", "pattern", "minValue", "maxValue", "maxLength"].iter().any(|start| key.starts_with(start)) {
            kept.insert(key.clone(), value.clone());
        }
    }
    let extensions = element.get("extension").and_then(Value::as_array);
    if let Some(least) = extensions.and_then(|all| all.iter().find(|one| text(one, "url") == MIN_LENGTH)) {
        kept.insert("extension".into(), json!([least]));
    }
    if let Some(binding) = element.get("binding") {
        kept.insert("binding".into(), binding_line(binding));
    }
    let is_root = !text(element, "path").contains('.');
    let constraints: Vec<_> = element
        .get("constraint")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        // An invariant of the element's type comes with the type, and need not stand at each use of it.
        .filter(|constraint| {
            is_root || is_change || matches!(text(constraint, "source"), "" | "-") || text(constraint, "source") == url
        })
        .map(constraint_line)
        .collect();
    if !constraints.is_empty() {
        kept.insert("constraint".into(), constraints.into());
    }
    if element.get("isModifier") == Some(&Value::Bool(true)) {
        kept.insert("isModifier".into(), true.into());
    }
    Value::Object(kept)
}

fn binding_line(binding: &Value) -> Value {
    const MAX: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet";
    let mut kept = pick(binding, &["strength", "valueSet"]);
    let extensions = binding.get("extension").and_then(Value::as_array).into_iter().flatten();
    if let Some(max) = extensions.into_iter().find(|extension| text(extension, "url") == MAX) {
        kept.insert("extension".into(), json!([max]));
    }
    Value::Object(kept)
}

fn constraint_line(constraint: &Value) -> Value {
    const BEST_PRACTICE: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice";
    let mut kept = pick(constraint, &["key", "severity", "human", "expression", "source"]);
    let extensions = constraint.get("extension").and_then(Value::as_array).into_iter().flatten();
    if extensions.clone().any(|extension| text(extension, "url") == BEST_PRACTICE) {
        kept.insert("extension".into(), json!([{"url": BEST_PRACTICE, "valueBoolean": true}]));
    }
    Value::Object(kept)
}

fn value_set_text(value_set: &Value) -> String {
    let mut head = pick(value_set, &["resourceType", "id", "url", "version", "name", "status"]);
    let compose = value_set.get("compose");
    let part_lines = |key: &str| -> Vec<Value> {
        let parts = value_set.get("compose").and_then(|compose| compose.get(key)).and_then(Value::as_array);
        parts.into_iter().flatten().map(part_line).collect()
    };
    let mut lists = vec![("compose", "include", part_lines("include"))];
    let excludes = part_lines("exclude");
    if !excludes.is_empty() {
        lists.push(("compose", "exclude", excludes));
    }
    // A set that takes in nothing of its own stays one that says nothing.
    if lists.iter().all(|(_, _, lines)| lines.is_empty()) {
        head.insert("compose".into(), compose.cloned().unwrap_or_default());
        lists.clear();
    }
    file_text(&head, &lists)
}

fn part_line(part: &Value) -> Value {
    let mut kept = pick(part, &["system", "version"]);
    if let Some(concepts) = part.get("concept").and_then(Value::as_array) {
        // The names of these lists' codes are their owners'.
        let is_licensed = matches!(text(part, "system"), "http://snomed.info/sct" | "http://loinc.org");
        let members: &[&str] = if is_licensed { &["code"] } else { &["code", "display"] };
        let concepts: Vec<_> = concepts.iter().map(|concept| Value::Object(pick(concept, members))).collect();
        kept.insert("concept".into(), concepts.into());
    }
    kept.extend(pick(part, &["filter", "valueSet"]));
    Value::Object(kept)
}

fn code_system_text(code_system: &Value) -> String {
    let members = [
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "caseSensitive",
        "valueSet",
        "hierarchyMeaning",
        "content",
        "supplements",
    ];
    let mut head = pick(code_system, &members);
    let properties = code_system.get("property").and_then(Value::as_array).into_iter().flatten();
    let properties: Vec<_> = properties
        .filter(|property| is_kept_property(text(property, "code")))
        .map(|property| Value::Object(pick(property, &["code", "uri", "type"])))
        .collect();
    if !properties.is_empty() {
        head.insert("property".into(), properties.into());
    }
    file_text(&head, &[("", "concept", concept_lines(code_system))])
}

/// When a code was given up is history; that it was is told by its status.
fn is_kept_property(code: &str) -> bool {
    code != "deprecationDate"
}

fn concept_lines(holder: &Value) -> Vec<Value> {
    let concepts = holder.get("concept").and_then(Value::as_array).into_iter().flatten();
    concepts
        .map(|concept| {
            let mut kept = pick(concept, &["code", "display"]);
            if let Some(designations) = concept.get("designation") {
                kept.insert("designation".into(), designations.clone());
            }
            let properties = concept.get("property").and_then(Value::as_array).into_iter().flatten();
            let properties: Vec<_> =
                properties.filter(|property| is_kept_property(text(property, "code"))).cloned().collect();
            if !properties.is_empty() {
                kept.insert("property".into(), properties.into());
            }
            let below = concept_lines(concept);
            if !below.is_empty() {
                kept.insert("concept".into(), below.into());
            }
            Value::Object(kept)
        })
        .collect()
}

/// A definition as JSON with one line per member of `head` and per item of each list (outer member, inner member,
/// items); an outer member of "" puts the list beside the head.
fn file_text(head: &Map<String, Value>, lists: &[(&str, &str, Vec<Value>)]) -> String {
    let mut text = String::from("{\n");
    for (number, (key, value)) in head.iter().enumerate() {
        let comma = if number + 1 < head.len() || !lists.is_empty() { "," } else { "" };
        let _ = writeln!(text, "{}: {value}{comma}", Value::from(key.as_str()));
    }
    let outer = lists.first().map_or("", |(outer, _, _)| *outer);
    if !outer.is_empty() {
        let _ = writeln!(text, "\"{outer}\": {{");
    }
    for (number, (_, inner, items)) in lists.iter().enumerate() {
        let _ = writeln!(text, "\"{inner}\": [");
        for (place, item) in items.iter().enumerate() {
            let comma = if place + 1 < items.len() { "," } else { "" };
            let _ = writeln!(text, "{item}{comma}");
        }
        text.push_str(if number + 1 < lists.len() { "],\n" } else { "]\n" });
    }
    text.push_str(if outer.is_empty() { "}\n" } else { "}}\n" });
    text
}

fn package_text() -> String {
    let package = json!({
        "name": "hl7.fhir.r4.core.distilled",
        "version": RELEASE,
        "canonical": "http://hl7.org/fhir",
        "title": "FHIR R4 core, distilled: structure, invariants and codes without prose",
        "fhirVersions": [RELEASE],
        "license": "CC0-1.0",
    });
    format!("{package:#}\n")
}

fn source_text(found: &Found, missing: &BTreeSet<String>, file_count: usize) -> String {
    let mut text = String::from("# Where these definitions come from\n\n");
    let _ = match &found.package {
        Some((name, version, licence)) => writeln!(
            text,
            "npm package `{name}` {version} (the package: {licence}), which carries HL7's own definition bundles."
        ),
        None => writeln!(text, "Definition bundles as HL7 publishes them; the package they came in was not given."),
    };
    let _ = write!(
        text,
        "\nThe content is HL7's FHIR R4 {RELEASE}, dedicated to the public domain (CC0); FHIR® is a registered trademark \
         of HL7.\n\nMade by `stile packages distil FROM TO`, where FROM is the folder with the package's JSON files and its\n\
         package.json. Do not edit; make it anew.\n\n\
         Kept: {} structure definitions, {} value sets, {} code systems ({file_count} files). Of each element: identity, \
         cardinality, types,\nfixed values and limits, binding, invariants. Of extensions and profiles: what they change \
         (the differential). Of code systems: codes,\nnames, hierarchy, properties. Of value sets: what they are made of.\n\n\
         Left out: narrative, descriptions, definitions of codes, comments, mappings, examples, search parameters, \
         operations, and {} logical\nmodels. An invariant that an element has from its type stands with the type only. Where a value \
         set lists codes of SNOMED CT or LOINC,\nwhich have a licence of their own, the codes stand without their names.\n",
        found.structures.len(),
        found.value_sets.len(),
        found.code_systems.len(),
        found.model_count,
    );
    list(&mut text, "Named, but held by no source (lists that are told by their form are decided by it)", missing);
    list(&mut text, "Left out because they are of another release", &found.other_release);
    text
}

fn list(text: &mut String, title: &str, items: &BTreeSet<String>) {
    if items.is_empty() {
        return;
    }
    let _ = write!(text, "\n{title}:\n\n");
    for item in items {
        let _ = writeln!(text, "- `{item}`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn own_files() -> Vec<(String, String)> {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/r4-core"));
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> = entries
            .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    }

    #[test]
    fn distilling_what_is_distilled_changes_nothing() {
        let files = own_files();
        assert!(files.len() > 3000);
        let sources: Vec<_> = files.iter().filter(|(name, _)| name.ends_with(".json")).cloned().collect();
        let again = distil(&sources).unwrap();
        for (one, other) in files.iter().zip(&again) {
            assert_eq!(one.0, other.0);
            // SOURCE.md tells of the sources, which are others now.
            assert!(one.1 == other.1 || one.0 == "SOURCE.md", "{} changed", one.0);
        }
        assert_eq!(files.len(), again.len());
        let size_bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
        assert!(size_bytes < 6_000_000, "{size_bytes} bytes are more than a diff should carry");
    }

    #[test]
    fn prose_goes_and_structure_stays() {
        let bundle = json!({"resourceType": "Bundle", "entry": [
            {"resource": {
                "resourceType": "StructureDefinition", "id": "Thing", "url": "urn:Thing", "fhirVersion": "4.0.1",
                "kind": "resource", "type": "Thing", "description": "prose", "text": {"div": "prose"},
                "snapshot": {"element": [
                    {"id": "Thing", "path": "Thing", "min": 0, "max": "*", "definition": "prose",
                        "constraint": [{"key": "t-1", "severity": "error", "human": "h", "expression": "a", "xpath": "prose"}]},
                    {"id": "Thing.a", "path": "Thing.a", "min": 0, "max": "1", "base": {"path": "Thing.a", "min": 0, "max": "*"},
                        "type": [{"code": "code", "extension": [{"url": "prose"}]}], "fixedCode": "x", "maxLength": 5,
                        "constraint": [{"key": "ele-1", "source": "urn:Element", "expression": "b"}],
                        "binding": {"strength": "required", "description": "prose", "valueSet": "urn:set|1"}},
                ]},
            }},
            {"resource": {
                "resourceType": "StructureDefinition", "id": "Mark", "url": "urn:Mark", "fhirVersion": "4.0.1",
                "kind": "complex-type", "type": "Extension", "derivation": "constraint", "text": {"div": "prose"},
                "context": [{"type": "element", "expression": "Thing"}],
                "snapshot": {"element": [{"id": "Extension", "path": "Extension", "definition": "prose"}]},
                "differential": {"element": [
                    {"id": "Extension.value[x]", "path": "Extension.value[x]", "short": "prose",
                        "slicing": {"description": "prose", "rules": "open"}, "type": [{"code": "code"}],
                        "binding": {"strength": "preferred", "extension": [
                            {"url": "prose", "valueString": "prose"},
                            {"url": "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet", "valueCanonical": "urn:gone"},
                        ], "valueSet": "urn:set"}}]},
            }},
            {"resource": {"resourceType": "StructureDefinition", "id": "Later", "url": "urn:Later", "fhirVersion": "5.0.0",
                "kind": "resource", "snapshot": {"element": [{"id": "Later", "path": "Later"}]}}},
            {"resource": {"resourceType": "ValueSet", "id": "set", "url": "urn:set", "description": "prose",
                "compose": {"include": [{"system": "urn:system"}, {"valueSet": ["urn:gone"]}]}}},
            {"resource": {"resourceType": "ValueSet", "id": "other", "url": "urn:other"}},
            {"resource": {"resourceType": "CodeSystem", "id": "system", "url": "urn:system", "content": "complete",
                "concept": [{"code": "x", "display": "X", "definition": "prose", "property": [
                    {"code": "status", "valueCode": "retired"}, {"code": "deprecationDate", "valueDateTime": "prose"}]}]}},
            {"resource": {"resourceType": "CodeSystem", "id": "empty", "url": "urn:empty", "content": "not-present"}},
        ]});
        let package = json!({"name": "made-up", "version": "1.2.3", "license": "MIT"});
        let sources =
            [("a.json".to_owned(), bundle.to_string()), ("deep/package.json".to_owned(), package.to_string())];
        let files: BTreeMap<_, _> = distil(&sources).unwrap().into_iter().collect();
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "CodeSystem-system.json",
                "SOURCE.md",
                "StructureDefinition-Mark.json",
                "StructureDefinition-Thing.json",
                "ValueSet-set.json",
                "package.json"
            ]
        );
        let thing = &files["StructureDefinition-Thing.json"];
        assert!(!thing.contains("prose"), "{thing}");
        let lines: Vec<_> = thing.lines().filter(|line| line.starts_with("{\"id\"")).collect();
        assert_eq!(
            lines[1],
            "{\"id\":\"Thing.a\",\"path\":\"Thing.a\",\"min\":0,\"max\":\"1\",\"base\":{\"max\":\"*\"},\
             \"type\":[{\"code\":\"code\"}],\"fixedCode\":\"x\",\"maxLength\":5,\
             \"binding\":{\"strength\":\"required\",\"valueSet\":\"urn:set|1\"}}"
        );
        let mark = &files["StructureDefinition-Mark.json"];
        let lines: Vec<_> = mark.lines().filter(|line| line.starts_with("{\"id\"")).collect();
        assert_eq!(
            lines,
            ["{\"id\":\"Extension.value[x]\",\"path\":\"Extension.value[x]\",\"slicing\":{\"rules\":\"open\"},\
              \"type\":[{\"code\":\"code\"}],\"binding\":{\"strength\":\"preferred\",\"valueSet\":\"urn:set\",\
              \"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet\",\
              \"valueCanonical\":\"urn:gone\"}]}}"],
            "what a profile changes is kept, and not what it comes to"
        );
        assert!(mark.contains("\"context\": [{\"type\":\"element\",\"expression\":\"Thing\"}]"), "{mark}");
        assert!(files["CodeSystem-system.json"].contains("retired"));
        for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".json")) {
            assert!(name == "package.json" || !text.contains("prose"), "{name}");
            assert!(serde_json::from_str::<Value>(text).is_ok(), "{name} is JSON");
        }
        let source = &files["SOURCE.md"];
        for told in ["`made-up` 1.2.3", "- `urn:gone`", "- `urn:Later (5.0.0)`"] {
            assert!(source.contains(told), "{told} in {source}");
        }
    }

    #[test]
    fn what_cannot_be_distilled_is_an_error_that_names_it() {
        let told = |text: &str| distil(&[("a.json".into(), text.into())]).unwrap_err().to_string();
        assert!(told("{").starts_with("a.json is not JSON"));
        assert!(told("{}").starts_with("none of the 1 sources"));
    }
}
