//! Code systems from definitions to their compiled form.

use super::definition::{self, CodeSystem, Definition, Property};
use super::forms::Form;
use super::systems::{Content, DesignationRow, PropertyRow, Row, Span, System, compare};
use std::collections::{HashMap, HashSet};

/// Code systems that are known by name whoever loads what: what is said of them can name them.
const WELL_KNOWN: &[&str] = &["http://snomed.info/sct", "http://loinc.org"];

/// All code systems: those that are loaded, and those that value sets only name.
#[derive(Debug, Default)]
pub struct Systems {
    all: Vec<System>,
    /// By url; of several versions the one that was loaded last.
    by_url: HashMap<Box<str>, u32>,
    /// By url and version.
    by_version: HashMap<Box<str>, u32>,
}

impl Systems {
    /// Compiles `definitions`, with the codes that `sets` list by themselves.
    pub(super) fn compile(definitions: &[CodeSystem], sets: &[Definition]) -> Systems {
        let mut drafts = Drafts::default();
        for definition in definitions.iter().filter(|definition| definition.content != "supplement") {
            drafts.add(definition);
        }
        for url in WELL_KNOWN.iter().chain(Form::SYSTEMS) {
            drafts.named(url, None);
        }
        for supplement in definitions.iter().filter(|definition| definition.content == "supplement") {
            drafts.supplement(supplement);
        }
        for set in sets {
            for part in set.compose.parts() {
                let Some(system) = part.system.as_deref() else { continue };
                let number = drafts.named(system, part.version.as_deref());
                for listed in &part.concept {
                    drafts.all[number].list(&listed.code, listed.display.as_deref());
                }
            }
            if let Some(expansion) = &set.expansion {
                drafts.list_contained(&expansion.contains);
            }
        }
        drafts.finish()
    }

    /// The system of this url, with or without `|version`.
    pub fn find(&self, canonical: &str) -> Option<&System> {
        self.number(canonical).map(|number| self.get(number))
    }

    /// The number of the system of this url, with or without `|version`.
    pub fn number(&self, canonical: &str) -> Option<u32> {
        self.by_url.get(canonical).or_else(|| self.by_version.get(canonical)).copied()
    }

    /// The system of this url, in `version` where that is loaded.
    pub fn number_in(&self, url: &str, version: Option<&str>) -> Option<u32> {
        let pinned = version.and_then(|version| self.by_version.get(format!("{url}|{version}").as_str()));
        pinned.or_else(|| self.by_url.get(url)).copied()
    }

    /// The system with this number.
    pub fn get(&self, number: u32) -> &System {
        // Numbers are given out by `number` only, and nothing is ever taken away.
        &self.all[number as usize]
    }

    /// All systems, in order of number.
    pub fn iter(&self) -> impl Iterator<Item = &System> {
        self.all.iter()
    }
}

#[derive(Default)]
struct Drafts<'d> {
    all: Vec<Draft<'d>>,
    by_url: HashMap<&'d str, usize>,
    by_version: HashMap<(&'d str, &'d str), usize>,
}

impl<'d> Drafts<'d> {
    fn add(&mut self, definition: &'d CodeSystem) {
        let mut draft = Draft { head: Some(definition), url: &definition.url, ..Draft::default() };
        draft.declared.extend(definition.property.iter().map(|property| property.code.as_str()));
        draft.add_all(&definition.concept, None);
        draft.relate();
        let number = self.all.len();
        self.all.push(draft);
        self.by_url.insert(&definition.url, number);
        if !definition.version.is_empty() {
            self.by_version.insert((&definition.url, &definition.version), number);
        }
    }

    fn supplement(&mut self, supplement: &'d CodeSystem) {
        let Some(canonical) = supplement.supplements.as_deref() else { return };
        let (url, version) = match canonical.split_once('|') {
            Some((url, version)) => (url, Some(version)),
            None => (canonical, None),
        };
        let number = self.named(url, version);
        if let Some(draft) = self.all.get_mut(number) {
            draft.declared.extend(supplement.property.iter().map(|property| property.code.as_str()));
            draft.say_more(&supplement.concept);
        }
    }

    /// The number of a system that something names, loaded or not.
    fn named(&mut self, url: &'d str, version: Option<&'d str>) -> usize {
        let pinned = version.and_then(|version| self.by_version.get(&(url, version)));
        if let Some(known) = pinned.or_else(|| self.by_url.get(url)) {
            return *known;
        }
        self.all.push(Draft { url, ..Draft::default() });
        self.by_url.insert(url, self.all.len() - 1);
        self.all.len() - 1
    }

    fn list_contained(&mut self, contained: &'d [definition::Contained]) {
        for one in contained {
            if let Some(code) = &one.code {
                let number = self.named(one.system.as_deref().unwrap_or(""), None);
                self.all[number].list(code, one.display.as_deref());
            }
            self.list_contained(&one.contains);
        }
    }

    fn finish(self) -> Systems {
        let all: Vec<System> = self.all.into_iter().map(Draft::finish).collect();
        let by_url = self.by_url.into_iter().map(|(url, number)| (url.into(), number as u32)).collect();
        let by_version = self.by_version.into_iter();
        let by_version =
            by_version.map(|((url, version), number)| (format!("{url}|{version}").into(), number as u32)).collect();
        Systems { all, by_url, by_version }
    }
}

/// A code system under way. Codes are numbered in the order in which they are met.
#[derive(Default)]
struct Draft<'d> {
    url: &'d str,
    /// None for a system that is not loaded.
    head: Option<&'d CodeSystem>,
    concepts: Vec<DraftConcept<'d>>,
    by_code: HashMap<&'d str, u32>,
    /// The properties that it says its codes may have.
    declared: Vec<&'d str>,
    /// Where case does not matter: the codes in small letters, once a value set lists one.
    small: Option<HashSet<String>>,
}

fn small(code: &str) -> String {
    code.to_ascii_lowercase()
}

#[derive(Default)]
struct DraftConcept<'d> {
    code: &'d str,
    display: Option<&'d str>,
    parents: Vec<u32>,
    designations: Vec<(&'d str, &'d str)>,
    properties: Vec<&'d Property>,
    is_foreign: bool,
}

impl<'d> Draft<'d> {
    /// The number of `code`, new if it was not met before.
    fn numbered(&mut self, code: &'d str) -> u32 {
        *self.by_code.entry(code).or_insert_with(|| {
            self.concepts.push(DraftConcept { code, is_foreign: true, ..DraftConcept::default() });
            self.concepts.len() as u32 - 1
        })
    }

    /// Recursion is bounded by the reader of JSON.
    fn add_all(&mut self, concepts: &'d [definition::Concept], parent: Option<u32>) {
        for concept in concepts {
            let number = self.numbered(&concept.code);
            if let Some(draft) = self.concepts.get_mut(number as usize) {
                draft.is_foreign = false;
                draft.display = concept.display.as_deref().or(draft.display);
                draft.parents.extend(parent);
            }
            self.say(number, concept);
            self.add_all(&concept.concept, Some(number));
        }
    }

    fn say(&mut self, number: u32, concept: &'d definition::Concept) {
        let Some(draft) = self.concepts.get_mut(number as usize) else { return };
        let named = concept.designation.iter().map(|one| (one.language.as_deref().unwrap_or(""), one.value.as_str()));
        draft.designations.extend(named);
        draft.properties.extend(&concept.property);
    }

    /// What a supplement adds to codes that are there.
    fn say_more(&mut self, concepts: &'d [definition::Concept]) {
        for concept in concepts {
            if let Some(number) = self.by_code.get(concept.code.as_str()).copied() {
                self.say(number, concept);
                let display = concept.display.as_deref().map(|display| ("", display));
                if let Some(draft) = self.concepts.get_mut(number as usize) {
                    draft.designations.extend(display);
                }
            }
            self.say_more(&concept.concept);
        }
    }

    /// Hierarchy that properties tell instead of nesting.
    fn relate(&mut self) {
        let mut pairs = Vec::new();
        for (number, concept) in self.concepts.iter().enumerate() {
            for property in &concept.properties {
                let Some(other) = property.code_value().and_then(|code| self.by_code.get(code)) else { continue };
                match property.code.as_str() {
                    "parent" | "subsumedBy" => pairs.push((*other, number as u32)),
                    "child" => pairs.push((number as u32, *other)),
                    _ => {}
                }
            }
        }
        for (parent, child) in pairs {
            if let Some(concept) = self.concepts.get_mut(child as usize)
                && parent != child
            {
                concept.parents.push(parent);
            }
        }
    }

    /// A code that a value set names, which the system may not know.
    fn list(&mut self, code: &'d str, display: Option<&'d str>) {
        if !self.is_case_sensitive() && !self.by_code.contains_key(code) {
            let concepts = &self.concepts;
            let known = self.small.get_or_insert_with(|| concepts.iter().map(|one| small(one.code)).collect());
            if !known.insert(small(code)) {
                return;
            }
        }
        let number = self.numbered(code);
        if let Some(draft) = self.concepts.get_mut(number as usize).filter(|draft| draft.is_foreign) {
            draft.display = draft.display.or(display);
        }
    }

    /// Codes of systems that do not say are accepted in any case; of those that are not loaded nothing is known.
    fn is_case_sensitive(&self) -> bool {
        self.head.is_none_or(|head| head.case_sensitive.unwrap_or(false))
    }

    fn finish(self) -> System {
        let is_case_sensitive = self.is_case_sensitive();
        let mut order: Vec<u32> = (0..self.concepts.len() as u32).collect();
        order.sort_by(|one, other| {
            let (one, other) = (self.concepts[*one as usize].code, self.concepts[*other as usize].code);
            compare(one, other, is_case_sensitive).then_with(|| one.cmp(other))
        });
        let mut place = vec![0u32; order.len()];
        for (new, old) in order.iter().enumerate() {
            place[*old as usize] = new as u32;
        }
        let head = |text: fn(&CodeSystem) -> &str| self.head.map_or("", text).into();
        let mut system = System {
            url: self.url.into(),
            version: head(|head| &head.version),
            name: head(|head| if head.title.is_empty() { &head.name } else { &head.title }),
            content: self.head.map_or(Content::Unloaded, |head| Content::named(&head.content)),
            is_case_sensitive,
            form: Form::of_system(self.url),
            value_set: self.head.and_then(|head| head.value_set.as_deref()).map(Into::into),
            text: "".into(),
            rows: Vec::with_capacity(order.len()),
            parents: Vec::new(),
            below: Vec::new(),
            designations: Vec::new(),
            properties: Vec::new(),
            property_names: Vec::new(),
        };
        let mut text = Text::default();
        let mut names = self.declared.clone();
        for old in &order {
            let concept = &self.concepts[*old as usize];
            let row = row(&mut system, &mut text, &mut names, concept, &place);
            system.rows.push(row);
        }
        for (child, row) in system.rows.iter().enumerate() {
            let parents = system.parents.get(row.parents.start as usize..row.parents.end as usize).unwrap_or(&[]);
            system.below.extend(parents.iter().map(|parent| (*parent, child as u32)));
        }
        system.below.sort_unstable();
        system.text = text.0.into();
        system.property_names = names.into_iter().map(Into::into).collect();
        system
    }
}

fn row<'d>(
    system: &mut System,
    text: &mut Text,
    names: &mut Vec<&'d str>,
    concept: &DraftConcept<'d>,
    place: &[u32],
) -> Row {
    let mut row = Row {
        code: text.add(concept.code),
        display: text.add(concept.display.unwrap_or("")),
        is_foreign: concept.is_foreign,
        ..Row::default()
    };
    row.parents.start = system.parents.len() as u32;
    let mut parents: Vec<u32> = concept.parents.iter().filter_map(|old| place.get(*old as usize)).copied().collect();
    parents.sort_unstable();
    parents.dedup();
    system.parents.extend(parents);
    row.parents.end = system.parents.len() as u32;
    row.designations.start = system.designations.len() as u32;
    for (language, value) in &concept.designations {
        system.designations.push(DesignationRow { language: text.add(language), value: text.add(value) });
    }
    row.designations.end = system.designations.len() as u32;
    row.properties.start = system.properties.len() as u32;
    for property in &concept.properties {
        let Some((kind, value)) = property.value() else { continue };
        match (property.code.as_str(), value.as_str()) {
            ("inactive", "true") | ("status", "retired" | "inactive" | "withdrawn") => row.is_inactive = true,
            ("notSelectable" | "abstract", "true") => row.is_abstract = true,
            (_, _) => {}
        }
        let known = names.iter().position(|name| *name == property.code);
        let number = known.unwrap_or_else(|| {
            names.push(&property.code);
            names.len() - 1
        });
        system.properties.push(PropertyRow { property: number as u32, kind, value: text.add(&value) });
    }
    row.properties.end = system.properties.len() as u32;
    row
}

/// One text for all of a system.
#[derive(Default)]
struct Text(String);

impl Text {
    fn add(&mut self, part: &str) -> Span {
        let start = self.0.len() as u32;
        self.0.push_str(part);
        Span { start, end: self.0.len() as u32 }
    }
}
