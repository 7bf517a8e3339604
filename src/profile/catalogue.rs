//! The definitions that are loaded, as their packages hold them, to be read and searched.
//!
//! The plan is made of definitions and keeps none. Here their texts stay: compressed, or where they stand when they
//! last as long as the program. Beside each stands what a search asks for, so that no text is opened to be passed over.

use super::address::is_id;
use super::package::{each_definition, plain};
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::Read;

/// Hexadecimal digits of an id that is made here.
const ID_DIGITS: usize = 32;

/// The resource types that definitions come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Defines {
    /// `CodeSystem`
    CodeSystem,
    /// `StructureDefinition`
    Structure,
    /// `ValueSet`
    ValueSet,
}

impl Defines {
    /// Each of them.
    pub const ALL: &'static [Defines] = &[Defines::CodeSystem, Defines::Structure, Defines::ValueSet];

    /// R4's name of the resource type.
    pub fn as_str(self) -> &'static str {
        match self {
            Defines::CodeSystem => "CodeSystem",
            Defines::Structure => "StructureDefinition",
            Defines::ValueSet => "ValueSet",
        }
    }
}

/// The text of a file of a package.
#[derive(Debug, Clone, Copy)]
pub enum FileText<'t> {
    /// It lasts as long as the program and is not kept a second time.
    Lasting(&'static str),
    /// It goes, and is kept compressed.
    Passing(&'t str),
}

/// A definition as its package holds it.
#[derive(Debug)]
pub struct LoadedDefinition {
    defines: Defines,
    id: Box<str>,
    url: Box<str>,
    version: Box<str>,
    name: Box<str>,
    type_name: Box<str>,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Lasting(&'static str),
    /// Deflated (RFC 1951).
    Packed {
        bytes: Box<[u8]>,
        text_bytes: usize,
    },
}

impl LoadedDefinition {
    /// The id under which it is read: its own, or one made of its url and version when it has none or another
    /// definition of its resource type has the same.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its canonical url; empty when it names none.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Bytes of its text.
    pub fn text_bytes(&self) -> usize {
        match &self.kept {
            Kept::Lasting(text) => text.len(),
            Kept::Packed { text_bytes, .. } => *text_bytes,
        }
    }

    /// The definition as JSON.
    ///
    /// # Errors
    /// When what was compressed cannot be read again, which is a fault of the machine.
    pub fn text(&self) -> std::io::Result<Cow<'static, str>> {
        match &self.kept {
            Kept::Lasting(text) => Ok(Cow::Borrowed(*text)),
            Kept::Packed { bytes, text_bytes } => {
                let mut text = String::with_capacity(*text_bytes);
                DeflateDecoder::new(&**bytes).read_to_string(&mut text)?;
                Ok(Cow::Owned(text))
            }
        }
    }

    fn fits(&self, wanted: &Wanted) -> bool {
        let is_any = |asked: &[String], own: &str| asked.is_empty() || asked.iter().any(|one| one == own);
        is_any(&wanted.ids, &self.id)
            && is_any(&wanted.urls, &self.url)
            && is_any(&wanted.versions, &self.version)
            && is_any(&wanted.types, &self.type_name)
            && (wanted.names.is_empty() || wanted.names.iter().any(|start| begins(&self.name, start)))
    }
}

/// True when `name` begins with `start`, without regard to case (FHIR R4 search, 3.1.1.4.8).
fn begins(name: &str, start: &str) -> bool {
    let mut name = name.chars().flat_map(char::to_lowercase);
    start.chars().flat_map(char::to_lowercase).all(|c| name.next() == Some(c))
}

/// What to look for. All parts must match; within a part any one; an empty part asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Ids.
    pub ids: Vec<String>,
    /// Canonical urls, without a version.
    pub urls: Vec<String>,
    /// Versions.
    pub versions: Vec<String>,
    /// What names begin with.
    pub names: Vec<String>,
    /// The types that StructureDefinitions define or narrow.
    pub types: Vec<String>,
    /// Definitions on a page at most.
    pub count: usize,
    /// Bytes of text after which a page ends before that; it holds one definition at least.
    pub bytes_max: usize,
    /// Where the page begins: what the page before gave as `next`.
    pub after: Option<String>,
}

/// A page of what was found.
#[derive(Debug)]
pub struct Matches<'c> {
    /// How many there are in all.
    pub total: usize,
    /// Those of this page, in the order of their ids.
    pub found: Vec<&'c LoadedDefinition>,
    /// Where the next page begins.
    pub next: Option<&'c str>,
}

/// The definitions that are loaded. Shared by all threads; it never changes.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// In order of resource type and id.
    definitions: Vec<LoadedDefinition>,
}

/// What a definition is found by.
#[derive(Deserialize, Default)]
struct Card {
    #[serde(default)]
    id: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    r#type: String,
}

impl Catalogue {
    /// The definitions in these files (name and text), in the order in which they are loaded. Where two define the same
    /// url the later counts, of value sets and code systems only when they have the same version: as they are compiled.
    /// A file that cannot be read has none here; compiling tells why.
    pub fn of_files<'t>(files: impl IntoIterator<Item = (&'t str, FileText<'t>)>) -> Catalogue {
        let mut draft = Draft::default();
        for (name, text) in files {
            let (text, lasting) = match text {
                FileText::Lasting(text) => (text, Some(plain(text))),
                FileText::Passing(text) => (text, None),
            };
            let _ = each_definition(name, text, |head, text| {
                let defines = Defines::ALL.iter().find(|defines| defines.as_str() == head.resource_type);
                if let (Some(defines), None) = (defines, head.left_out()) {
                    let card = serde_json::from_str(text).map_err(|cause| cause.to_string())?;
                    // What comes out of a Bundle or of XML stands nowhere else.
                    draft.take(*defines, card, text, lasting.filter(|whole| *whole == text))?;
                }
                Ok(())
            });
        }
        let mut definitions = draft.definitions;
        definitions.sort_by(|one, other| (one.defines, &one.id).cmp(&(other.defines, &other.id)));
        Catalogue { definitions }
    }

    /// How many definitions there are.
    pub fn len(&self) -> usize {
        self.definitions.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// Bytes that are held in memory for the texts, where they do not stand elsewhere.
    pub fn kept_bytes(&self) -> usize {
        let kept = self.definitions.iter().map(|definition| match &definition.kept {
            Kept::Lasting(_) => 0,
            Kept::Packed { bytes, .. } => bytes.len(),
        });
        kept.sum()
    }

    /// The definition with this id.
    pub fn read(&self, defines: Defines, id: &str) -> Option<&LoadedDefinition> {
        let place = self.definitions.binary_search_by(|one| (one.defines, &*one.id).cmp(&(defines, id))).ok()?;
        self.definitions.get(place)
    }

    /// The definitions that match.
    pub fn search(&self, defines: Defines, wanted: &Wanted) -> Matches<'_> {
        let own = self.definitions.iter().filter(|one| one.defines == defines);
        let (mut total, mut found, mut page_bytes) = (0, Vec::new(), 0_usize);
        let (mut is_full, mut next) = (false, None);
        for definition in own.filter(|one| one.fits(wanted)) {
            total += 1;
            if is_full || wanted.after.as_deref().is_some_and(|after| definition.id() <= after) {
                continue;
            }
            page_bytes = page_bytes.saturating_add(definition.text_bytes());
            if found.len() == wanted.count || (!found.is_empty() && page_bytes > wanted.bytes_max) {
                is_full = true;
                next = found.last().map(|last: &&LoadedDefinition| last.id());
                continue;
            }
            found.push(definition);
        }
        Matches { total, found, next }
    }
}

/// Definitions while they are gathered.
#[derive(Default)]
struct Draft {
    definitions: Vec<LoadedDefinition>,
    /// Where the definition of a url (with its version, where versions stand beside each other) is.
    places: HashMap<(Defines, String), usize>,
    ids: HashSet<(Defines, Box<str>)>,
}

impl Draft {
    fn take(&mut self, defines: Defines, card: Card, text: &str, lasting: Option<&'static str>) -> Result<(), String> {
        let canonical = match defines {
            Defines::Structure => card.url.clone(),
            Defines::CodeSystem | Defines::ValueSet => format!("{}|{}", card.url, card.version),
        };
        let replaced = self.places.get(&(defines, canonical.clone())).copied().filter(|_| !card.url.is_empty());
        if let Some(old) = replaced.and_then(|place| self.definitions.get(place)) {
            self.ids.remove(&(defines, old.id.clone()));
        }
        let is_free = |id: &str| !self.ids.contains(&(defines, Box::from(id)));
        let has_own = is_id(&card.id) && is_free(&card.id);
        let (id, kept) = if has_own {
            (card.id, lasting.map_or_else(|| packed(text), |text| Ok(Kept::Lasting(text)))?)
        } else {
            let id = made_id(if card.url.is_empty() { text } else { &canonical });
            if !is_free(&id) {
                // The same definition once more.
                return Ok(());
            }
            let kept = packed(&with_id(text, &id)?)?;
            (id, kept)
        };
        let definition = LoadedDefinition {
            defines,
            id: id.into(),
            url: card.url.into(),
            version: card.version.into(),
            name: card.name.into(),
            type_name: card.r#type.into(),
            kept,
        };
        self.ids.insert((defines, definition.id.clone()));
        match replaced.and_then(|place| self.definitions.get_mut(place)) {
            Some(old) => *old = definition,
            None => {
                self.places.insert((defines, canonical), self.definitions.len());
                self.definitions.push(definition);
            }
        }
        Ok(())
    }
}

/// An id of what tells a definition from others; the same wherever it is loaded.
fn made_id(canonical: &str) -> String {
    let mut id: String = Sha256::digest(canonical).iter().map(|byte| format!("{byte:02x}")).collect();
    id.truncate(ID_DIGITS);
    id
}

fn with_id(text: &str, id: &str) -> Result<String, String> {
    let mut resource: serde_json::Value = serde_json::from_str(text).map_err(|cause| cause.to_string())?;
    if let Some(members) = resource.as_object_mut() {
        members.insert("id".to_owned(), id.into());
    }
    Ok(resource.to_string())
}

fn packed(text: &str) -> Result<Kept, String> {
    let mut bytes = Vec::new();
    let mut encoder = DeflateEncoder::new(text.as_bytes(), Compression::fast());
    encoder.read_to_end(&mut bytes).map_err(|cause| cause.to_string())?;
    Ok(Kept::Packed { bytes: bytes.into(), text_bytes: text.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn value_set(id: &str, url: &str, version: &str) -> String {
        json!({"resourceType": "ValueSet", "id": id, "url": url, "version": version, "name": "Mixed"}).to_string()
    }

    fn of(texts: &[String]) -> Catalogue {
        Catalogue::of_files(texts.iter().map(|text| ("a.json", FileText::Passing(text))))
    }

    fn ids<'c>(matches: &Matches<'c>) -> Vec<&'c str> {
        matches.found.iter().map(|definition| definition.id()).collect()
    }

    fn all() -> Wanted {
        Wanted { count: 100, bytes_max: usize::MAX, ..Wanted::default() }
    }

    #[test]
    fn a_text_comes_back_as_it_was_and_is_kept_smaller() {
        let text = format!(
            r#"{{ "resourceType": "CodeSystem",  "id":"c", "name":"C", "n": 1.10, "é": "{}" }}"#,
            "prose ".repeat(500)
        );
        let catalogue = of(std::slice::from_ref(&text));
        let found = catalogue.read(Defines::CodeSystem, "c").unwrap();
        assert_eq!((found.text().unwrap().as_ref(), found.text_bytes()), (text.as_str(), text.len()));
        assert!(catalogue.kept_bytes() > 0 && catalogue.kept_bytes() < text.len() / 5, "{}", catalogue.kept_bytes());
        assert!(catalogue.read(Defines::ValueSet, "c").is_none());
        assert!(catalogue.read(Defines::CodeSystem, "C").is_none());
    }

    #[test]
    fn a_text_that_lasts_is_not_kept_again_but_out_of_a_bundle() {
        const ALONE: &str = "\u{feff} {\"resourceType\":\"ValueSet\",\"id\":\"v\"}";
        const BUNDLE: &str =
            "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"ValueSet\",\"id\":\"w\"}}]}";
        let alone = Catalogue::of_files([("a.json", FileText::Lasting(ALONE))]);
        assert_eq!((alone.len(), alone.kept_bytes()), (1, 0));
        assert_eq!(alone.read(Defines::ValueSet, "v").unwrap().text().unwrap(), ALONE[4..]);
        let both = Catalogue::of_files([("b.json", FileText::Lasting(BUNDLE)), ("a.json", FileText::Lasting(ALONE))]);
        assert_eq!(both.len(), 2);
        assert!(both.kept_bytes() > 0);
        let text = both.read(Defines::ValueSet, "w").unwrap().text().unwrap();
        assert_eq!(text, r#"{"resourceType":"ValueSet","id":"w"}"#);
    }

    #[test]
    fn the_later_of_one_url_counts_and_versions_of_code_lists_stand_beside_each_other() {
        let structure = |version: &str| {
            json!({"resourceType": "StructureDefinition", "id": "s", "url": "u", "version": version}).to_string()
        };
        let catalogue = of(&[
            structure("1"),
            value_set("v1", "u", "1"),
            structure("2"),
            value_set("v2", "u", "2"),
            value_set("v2-again", "u", "2"),
        ]);
        let text = |defines, id| -> Value {
            serde_json::from_str(&catalogue.read(defines, id).unwrap().text().unwrap()).unwrap()
        };
        assert_eq!(catalogue.len(), 3);
        assert_eq!(text(Defines::Structure, "s")["version"], "2");
        let wanted = Wanted { urls: vec!["u".into()], ..all() };
        assert_eq!(ids(&catalogue.search(Defines::ValueSet, &wanted)), ["v1", "v2-again"]);
        let wanted = Wanted { versions: vec!["1".into()], ..wanted };
        assert_eq!(ids(&catalogue.search(Defines::ValueSet, &wanted)), ["v1"]);
    }

    #[test]
    fn every_definition_can_be_read_under_an_id_of_its_own() {
        let without = json!({"resourceType": "ValueSet", "url": "c", "n": 1}).to_string();
        let nameless = json!({"resourceType": "ValueSet"}).to_string();
        let catalogue = of(&[
            value_set("v", "a", ""),
            value_set("v", "b", ""),
            value_set("no id", "d", ""),
            without,
            nameless.clone(),
            nameless,
        ]);
        let matches = catalogue.search(Defines::ValueSet, &all());
        assert_eq!((matches.total, catalogue.len()), (5, 5));
        for found in matches.found {
            let read = catalogue.read(Defines::ValueSet, found.id()).unwrap();
            let text: Value = serde_json::from_str(&read.text().unwrap()).unwrap();
            assert_eq!(text["id"], found.id(), "{text}");
            assert_eq!(text["url"].as_str().unwrap_or(""), found.url());
        }
        assert_eq!(catalogue.read(Defines::ValueSet, "v").unwrap().url(), "a");
    }

    #[test]
    fn what_is_not_loaded_is_not_here() {
        let catalogue = of(&[
            json!({"resourceType": "StructureDefinition", "id": "l", "kind": "logical"}).to_string(),
            json!({"resourceType": "StructureDefinition", "id": "five", "fhirVersion": "5.0.0"}).to_string(),
            json!({"resourceType": "Patient", "id": "p"}).to_string(),
            "{".to_owned(),
        ]);
        assert!(catalogue.is_empty());
    }

    #[test]
    fn a_search_finds_by_each_part_and_all_together() {
        let structure = |id: &str, name: &str, of: &str| {
            json!({"resourceType": "StructureDefinition", "id": id, "url": format!("u/{id}"), "name": name, "type": of})
                .to_string()
        };
        let catalogue = of(&[
            structure("p1", "ClinicPatient", "Patient"),
            structure("p2", "clinicPerson", "Patient"),
            structure("t", "ÉtéTask", "Task"),
        ]);
        let some = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        for (wanted, expected) in [
            (all(), &["p1", "p2", "t"][..]),
            (Wanted { ids: some(&["t", "p1", "x"]), ..all() }, &["p1", "t"]),
            (Wanted { urls: some(&["u/p2"]), ..all() }, &["p2"]),
            (Wanted { urls: some(&["U/p2", "u/p"]), ..all() }, &[]),
            (Wanted { names: some(&["CLINICP"]), ..all() }, &["p1", "p2"]),
            (Wanted { names: some(&["Patient"]), ..all() }, &[]),
            (Wanted { names: some(&["été", "ClinicPerson"]), ..all() }, &["p2", "t"]),
            (Wanted { names: some(&["clinicPersonality"]), ..all() }, &[]),
            (Wanted { types: some(&["Patient"]), names: some(&["clinicpe"]), ..all() }, &["p2"]),
            (Wanted { types: some(&["patient"]), ..all() }, &[]),
        ] {
            let found = catalogue.search(Defines::Structure, &wanted);
            assert_eq!((ids(&found), found.total), (expected.to_vec(), expected.len()), "{wanted:?}");
            assert_eq!(catalogue.search(Defines::CodeSystem, &wanted).total, 0);
        }
    }

    #[test]
    fn pages_hold_as_many_and_as_much_as_they_may_and_end() {
        let texts: Vec<String> =
            (0..23).map(|number| value_set(&format!("v{number}"), &format!("u{number}"), "")).collect();
        let catalogue = of(&texts);
        let text_bytes = texts[0].len();
        for (count, bytes_max, page_count) in [
            (5, usize::MAX, 5),
            (23, usize::MAX, 1),
            (22, usize::MAX, 2),
            (100, usize::MAX, 1),
            (100, 0, 23),
            (100, 2 * text_bytes + 4, 12),
        ] {
            let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
            loop {
                let wanted = Wanted { count, bytes_max, after, ..all() };
                let page = catalogue.search(Defines::ValueSet, &wanted);
                assert_eq!(page.total, 23);
                assert!(page.found.len() <= count);
                seen.extend(ids(&page));
                pages += 1;
                after = page.next.map(str::to_owned);
                if after.is_none() || pages > 30 {
                    break;
                }
            }
            let mut once = seen.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!((once.len(), seen.len(), pages), (23, 23, page_count), "{count} {bytes_max}");
        }
    }
}
