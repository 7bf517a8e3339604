//! FHIR packages: the files of definitions that come together, under a name and a version.

use crate::fhir::{self, Format, Limits};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The manifest of a package.
const MANIFEST: &str = "package.json";

/// The version of a package that names none.
pub const NO_VERSION: &str = "unknown";

/// The resource types that definitions come in.
const MAY_DEFINE: &[&str] = &["StructureDefinition", "ValueSet", "CodeSystem", "Bundle"];

/// What one definition in XML may cost to read. The largest of R4's own has 60 000 elements.
const XML_LIMITS: Limits = Limits { bytes_max: 64 * 1024 * 1024, depth_max: 64, nodes_max: 5_000_000, issues_max: 2 };

/// A FHIR package as the site holds it.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Its name, for example `hl7.fhir.r4.core.distilled`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Name and text of each file, its `package.json` among them. Of the others StructureDefinitions, ValueSets and
    /// CodeSystems are read, in JSON or XML, also from Bundles of them.
    pub files: Vec<(String, String)>,
}

/// A package that definitions were loaded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its content; see [`Package::hash`].
    pub hash: String,
}

/// What a definition calls itself; each is empty where it does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defined {
    /// Its resource type.
    pub resource_type: String,
    /// Its id.
    pub id: String,
    /// Its canonical url, without a version.
    pub url: String,
}

/// How many definitions of each kind a package has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    /// By kind, for people: `profiles`, `extensions`, `types`, `value sets`, `code systems`.
    pub kinds: BTreeMap<&'static str, usize>,
    /// Definitions that are not loaded, each with the reason.
    pub not_loaded: Vec<(String, &'static str)>,
    /// The canonical urls of all definitions, also of those that are not loaded.
    pub urls: BTreeSet<String>,
}

/// What decides whether and as what a file is read.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    #[serde(default, deserialize_with = "text")]
    pub(super) resource_type: String,
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) url: String,
    #[serde(default, deserialize_with = "text")]
    version: String,
    #[serde(default, deserialize_with = "text")]
    fhir_version: String,
    #[serde(default, deserialize_with = "text")]
    kind: String,
    #[serde(default, deserialize_with = "text")]
    r#type: String,
    #[serde(default, deserialize_with = "text")]
    derivation: String,
}

/// A text; nothing where something else stands, as in an instance that merely lies in a package (`Encounter.type` is a list).
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => text,
        _ => String::new(),
    })
}

impl Head {
    /// Why a StructureDefinition is not loaded, before it is read whole: one of another release may not even have
    /// R4's form.
    pub(super) fn left_out(&self) -> Option<&'static str> {
        if self.resource_type != "StructureDefinition" {
            None
        } else if !self.fhir_version.is_empty() && !self.fhir_version.starts_with("4.0") {
            Some("it is not a definition of FHIR R4")
        } else if self.kind == "logical" {
            Some("it is a logical model")
        } else {
            None
        }
    }

    fn kind(&self) -> Option<&'static str> {
        match self.resource_type.as_str() {
            "ValueSet" => Some("value sets"),
            "CodeSystem" => Some("code systems"),
            "StructureDefinition" if self.derivation != "constraint" => Some("types"),
            "StructureDefinition" if self.r#type == "Extension" => Some("extensions"),
            "StructureDefinition" => Some("profiles"),
            _ => None,
        }
    }
}

impl Package {
    /// The package of these files, called as its `package.json` says. Where there is none it is called `name`; its version
    /// is that of its definition, when there is one definition that names one.
    pub fn of_files(name: &str, mut files: Vec<(String, String)>) -> Package {
        files.sort();
        let mut package = Package { name: name.to_owned(), version: NO_VERSION.to_owned(), files };
        if let [(name, text)] = package.files.as_slice() {
            let mut versions = Vec::new();
            let _ = each_definition(name, text, |head, _| {
                versions.push(head.version.clone());
                Ok(())
            });
            if let [version] = versions.as_slice()
                && !version.is_empty()
            {
                package.version.clone_from(version);
            }
        }
        let manifest = package.manifest();
        let field = |key: &str| manifest.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        (package.name, package.version) =
            (field("name").unwrap_or(package.name), field("version").unwrap_or(package.version));
        package
    }

    /// SHA-256 of the content, in hexadecimal: of the name, length and bytes of each file in the order of their names,
    /// so that a package has the same hash as an archive and unpacked.
    pub fn hash(&self) -> String {
        let mut files: Vec<&(String, String)> = self.files.iter().collect();
        files.sort();
        let mut digest = Sha256::new();
        for (name, text) in files {
            digest.update((name.len() as u64).to_be_bytes());
            digest.update(name);
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Name and version of each package that it names as needed.
    pub fn dependencies(&self) -> Vec<(String, String)> {
        let manifest = self.manifest();
        let named = manifest.get("dependencies").and_then(|named| named.as_object());
        let version = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        named.into_iter().flatten().map(|(name, value)| (name.clone(), version(value))).collect()
    }

    /// How many definitions of each kind there are. What cannot be read counts as nothing: compiling tells it.
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        for (name, text) in &self.files {
            let _ = each_definition(name, text, |head, _| {
                if head.kind().is_some() {
                    census.urls.insert(head.url.clone());
                }
                match (head.kind(), head.left_out()) {
                    (_, Some(why)) => census.not_loaded.push((head.url.clone(), why)),
                    (Some(kind), None) => *census.kinds.entry(kind).or_default() += 1,
                    (None, None) => {}
                }
                Ok(())
            });
        }
        census
    }

    /// The StructureDefinitions, ValueSets and CodeSystems, those in Bundles too. What cannot be read counts as nothing:
    /// compiling tells it.
    pub fn definitions(&self) -> Vec<Defined> {
        let mut found = Vec::new();
        for (name, text) in &self.files {
            let _ = each_definition(name, text, |head, _| {
                if head.kind().is_some() {
                    let (resource_type, id) = (head.resource_type.clone(), head.id.clone());
                    found.push(Defined { resource_type, id, url: head.url.clone() });
                }
                Ok(())
            });
        }
        found
    }

    fn manifest(&self) -> serde_json::Value {
        let found = self.files.iter().find(|(name, _)| name == MANIFEST);
        found.and_then(|(_, text)| serde_json::from_str(plain(text)).ok()).unwrap_or_default()
    }
}

/// Hands over each resource of a file that may be a definition, as JSON: the one that it holds, or those in its Bundle.
///
/// # Errors
/// When the file is not JSON or XML, or `take` cannot take what stands in it.
pub(super) fn each_definition(
    name: &str,
    text: &str,
    mut take: impl FnMut(&Head, &str) -> Result<(), String>,
) -> Result<(), String> {
    let Some(json) = as_json(name, plain(text))? else { return Ok(()) };
    // JSON that is no object is no resource; packages hold lists of their files, for example.
    if !json.starts_with('{') {
        return serde_json::from_str::<serde::de::IgnoredAny>(&json).map(|_| ()).map_err(|cause| cause.to_string());
    }
    let head: Head = serde_json::from_str(&json).map_err(|cause| cause.to_string())?;
    if head.resource_type != "Bundle" {
        return take(&head, &json);
    }
    let bundle: Bundle = serde_json::from_str(&json).map_err(|cause| cause.to_string())?;
    for (number, resource) in bundle.entry.into_iter().filter_map(|entry| entry.resource).enumerate() {
        let text = resource.to_string();
        let told = |cause: String| format!("resource {} of the Bundle: {cause}", number + 1);
        let head = serde_json::from_str::<Head>(&text).map_err(|cause| told(cause.to_string()))?;
        take(&head, &text).map_err(told)?;
    }
    Ok(())
}

/// A Bundle of definitions.
#[derive(Deserialize)]
struct Bundle {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    resource: Option<serde_json::Value>,
}

/// The file's text as JSON; none for what is neither JSON nor XML by its name.
fn as_json<'t>(name: &str, text: &'t str) -> Result<Option<Cow<'t, str>>, String> {
    let ending = name.rsplit('.').next().unwrap_or("");
    if ending.eq_ignore_ascii_case("json") {
        return Ok(Some(Cow::Borrowed(text)));
    }
    // Examples in XML stand beside definitions; reading them would be dear, and what is wrong with them is theirs.
    if !ending.eq_ignore_ascii_case("xml") || !matches!(xml_root(text), Some(root) if MAY_DEFINE.contains(&root)) {
        return Ok(None);
    }
    let parsed = fhir::parse(text.as_bytes(), Format::Xml, &XML_LIMITS);
    match (parsed.document, parsed.issues.iter().find(|issue| issue.refuses())) {
        (Some(document), None) => Ok(Some(Cow::Owned(fhir::json(document.root())))),
        (_, Some(issue)) => Err(issue.to_string()),
        (None, None) => Err("it cannot be read".into()),
    }
}

/// The name of an XML text's first element.
fn xml_root(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let tag = rest.get(rest.find('<')? + 1..)?;
        rest = match tag {
            tag if tag.starts_with("!--") => tag.get(tag.find("-->")?..)?,
            tag if tag.starts_with(['?', '!']) => tag,
            tag => return tag.split(|c: char| c.is_whitespace() || c == '>' || c == '/').next(),
        };
    }
}

/// Without a byte order mark and space before the text.
pub(super) fn plain(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(files: &[(&str, &str)]) -> Package {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Package::of_files("folder", files)
    }

    fn kinds(name: &str, text: &str) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        each_definition(name, text, |head, _| {
            found.push(format!("{} {}", head.resource_type, head.url));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn the_manifest_names_the_package_and_its_needs() {
        let manifest = r#"{"name":"clinic","version":"2.0.0","dependencies":{"hl7.fhir.r4.core":"4.0.1"}}"#;
        let named = package(&[("package.json", manifest)]);
        assert_eq!((named.name.as_str(), named.version.as_str()), ("clinic", "2.0.0"));
        assert_eq!(named.dependencies(), [("hl7.fhir.r4.core".to_owned(), "4.0.1".to_owned())]);
        let bare = package(&[("a.json", "{}")]);
        assert_eq!((bare.name.as_str(), bare.version.as_str()), ("folder", "unknown"));
        let alone = package(&[("a.json", r#"{"resourceType":"ValueSet","version":"3"}"#)]);
        assert_eq!((alone.name.as_str(), alone.version.as_str()), ("folder", "3"));
    }

    #[test]
    fn an_instance_among_the_definitions_is_stepped_over() {
        let encounter = r#"{"resourceType":"Encounter","type":[{"text":"x"}],"kind":{},"version":1}"#;
        assert_eq!(kinds("e.json", encounter).unwrap(), ["Encounter "]);
        assert_eq!(package(&[("e.json", encounter)]).census().kinds.len(), 0);
    }

    #[test]
    fn the_hash_is_of_names_and_content_and_not_of_their_order() {
        let one = package(&[("a.json", "{}"), ("b.json", "[]")]);
        let mut other = package(&[("b.json", "[]"), ("a.json", "{}")]);
        assert_eq!(one.hash(), other.hash());
        assert_eq!(one.hash().len(), 64);
        for changed in [
            package(&[("a.json", "{} "), ("b.json", "[]")]),
            package(&[("a.json", "{}"), ("c.json", "[]")]),
            package(&[("a.json", "{}b.json"), ("", "[]")]),
            package(&[("a.json", "{}")]),
        ] {
            assert_ne!(changed.hash(), one.hash());
        }
        other.files.reverse();
        assert_eq!(one.hash(), other.hash());
    }

    #[test]
    fn definitions_are_found_in_json_xml_and_bundles() {
        let definition = r#"{"resourceType":"ValueSet","url":"http://a"}"#;
        let xml = r#"<ValueSet xmlns="http://hl7.org/fhir"><url value="http://a"/></ValueSet>"#;
        let bundle = format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{definition}}},{{"fullUrl":"x"}}]}}"#);
        let with_mark = format!("\u{feff} {definition}");
        for (name, text) in [("a.json", definition), ("a.XML", xml), ("b.json", &bundle), ("a.json", &with_mark)] {
            assert_eq!(kinds(name, text), Ok(vec!["ValueSet http://a".to_owned()]), "{name}");
        }
        assert_eq!(kinds("readme.md", "# hello"), Ok(vec![]));
        assert_eq!(kinds("example.xml", "<?xml version=\"1.0\"?><!-- <ValueSet> --><Patient"), Ok(vec![]));
        assert_eq!(kinds("list.json", "[1, 2]"), Ok(vec![]));
        for (name, text) in [("a.json", "{"), ("a.json", "[1,"), ("a.xml", "<ValueSet"), ("a.json", "")] {
            assert!(kinds(name, text).is_err(), "{name} {text}");
        }
    }

    #[test]
    fn a_definition_of_another_release_is_left_out_and_named() {
        let counted = package(&[
            (
                "a.json",
                r#"{"resourceType":"StructureDefinition","url":"http://r5","fhirVersion":"5.0.0","snapshot":1}"#,
            ),
            ("b.json", r#"{"resourceType":"StructureDefinition","url":"http://l","kind":"logical"}"#),
            ("c.json", r#"{"resourceType":"StructureDefinition","type":"Extension","derivation":"constraint"}"#),
            ("d.json", r#"{"resourceType":"Patient"}"#),
            ("e.json", r#"{"resourceType":"CodeSystem"}"#),
        ])
        .census();
        assert_eq!(counted.kinds, BTreeMap::from([("code systems", 1), ("extensions", 1)]));
        let urls: Vec<&str> = counted.not_loaded.iter().map(|(url, _)| url.as_str()).collect();
        assert_eq!(urls, ["http://r5", "http://l"]);
    }
}
