//! Code systems and value sets, as their definitions list them.
//!
//! A value set is worked out once, when definitions are loaded, to the sorted list of its codes. Where a part of it
//! cannot be listed here (a code system that is not loaded, a filter that only a terminology server can answer), the
//! set says so and its answer for a code that is not listed is [`Membership::Undecided`], never a guess.

use crate::issue::nearest;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// How deep one value set may take in another.
const IMPORT_DEPTH_MAX: u32 = 16;

/// A code system (FHIR `CodeSystem`), of which only the codes matter here.
#[derive(Debug, Clone, Deserialize)]
pub struct CodeSystem {
    /// Its canonical url: what `Coding.system` says.
    #[serde(default)]
    pub url: String,
    /// How much of it is listed: `complete`, or less.
    #[serde(default)]
    pub content: String,
    /// Its codes.
    #[serde(default)]
    pub concept: Vec<Concept>,
}

/// A code of a code system, with those below it.
#[derive(Debug, Clone, Deserialize)]
pub struct Concept {
    /// The code.
    pub code: String,
    /// Codes of narrower meaning.
    #[serde(default)]
    pub concept: Vec<Concept>,
}

/// A value set (FHIR `ValueSet`) as it is defined.
#[derive(Debug, Clone, Deserialize)]
pub struct Definition {
    /// Its canonical url.
    #[serde(default)]
    pub url: String,
    /// What it is made of.
    #[serde(default)]
    pub compose: Compose,
    /// The codes as somebody listed them.
    #[serde(default)]
    pub expansion: Option<Expansion>,
}

/// What a value set takes in and leaves out.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Compose {
    /// Taken in.
    #[serde(default)]
    pub include: Vec<Part>,
    /// Left out again.
    #[serde(default)]
    pub exclude: Vec<Part>,
}

/// Codes of one system, or of other value sets.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Part {
    /// The code system.
    #[serde(default)]
    pub system: Option<String>,
    /// The codes; all of the system when there are none and no filter.
    #[serde(default)]
    pub concept: Vec<Listed>,
    /// Conditions on the system's codes.
    #[serde(default)]
    pub filter: Vec<Filter>,
    /// Other value sets, each of which must hold the code.
    #[serde(default, rename = "valueSet")]
    pub value_set: Vec<String>,
}

/// A code that is listed by itself.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// The code.
    pub code: String,
}

/// A condition on the codes of a system.
#[derive(Debug, Clone, Deserialize)]
pub struct Filter {
    /// What is looked at.
    pub property: String,
    /// The comparison, for example `is-a`.
    pub op: String,
    /// With what.
    #[serde(default)]
    pub value: String,
}

/// The codes of a value set as somebody listed them.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Expansion {
    /// How many there are in all.
    #[serde(default)]
    pub total: Option<u64>,
    /// Where a listing in pages starts.
    #[serde(default)]
    pub offset: Option<u64>,
    /// The codes.
    #[serde(default)]
    pub contains: Vec<Contained>,
}

/// A code of an expansion, with those below it.
#[derive(Debug, Clone, Deserialize)]
pub struct Contained {
    /// The code system.
    #[serde(default)]
    pub system: Option<String>,
    /// The code; none for a heading.
    #[serde(default)]
    pub code: Option<String>,
    /// True for a heading that may not be chosen.
    #[serde(default, rename = "abstract")]
    pub is_abstract: bool,
    /// Codes below it.
    #[serde(default)]
    pub contains: Vec<Contained>,
}

/// Whether a value set holds a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It does.
    In,
    /// It does not.
    Out,
    /// The definitions that are loaded do not tell.
    Undecided,
}

/// A value set, worked out.
#[derive(Debug, Clone, Default)]
pub struct ValueSet {
    url: Box<str>,
    systems: Vec<Box<str>>,
    /// Code and the number of its system, sorted.
    codes: Vec<(Box<str>, u32)>,
    /// Why the list is not the whole set.
    unlisted: Vec<String>,
    /// Systems of which nothing is known here; a code of one of them may be in the set.
    open_systems: Vec<Box<str>>,
}

impl ValueSet {
    /// Its canonical url, without a version.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Why the list of codes is not the whole set; empty when it is.
    pub fn unlisted(&self) -> &[String] {
        &self.unlisted
    }

    /// Whether the set holds `code` of `system`. An element of type `code` has no system: its binding implies it.
    pub fn holds(&self, system: Option<&str>, code: &str) -> Membership {
        let start = self.codes.partition_point(|(listed, _)| &**listed < code);
        let mut same = self.codes[start..].iter().take_while(|(listed, _)| &**listed == code);
        let is_listed = match system {
            None => same.next().is_some(),
            Some(system) => same.any(|(_, number)| self.systems.get(*number as usize).is_some_and(|s| **s == *system)),
        };
        if is_listed {
            Membership::In
        } else if self.unlisted.is_empty() || system.is_some_and(|system| self.is_closed_to(system)) {
            Membership::Out
        } else {
            Membership::Undecided
        }
    }

    /// True when everything that the set takes from `system` is listed.
    fn is_closed_to(&self, system: &str) -> bool {
        // Parts that name no single system leave everything open.
        self.unlisted.len() == self.open_systems.len() && !self.open_systems.iter().any(|open| **open == *system)
    }

    /// The codes, in order, each with its system.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.codes.iter().map(|(code, system)| (self.systems.get(*system as usize).map_or("", |s| &**s), &**code))
    }

    /// The code that is spelled most like `word`.
    pub fn nearest(&self, word: &str) -> Option<&str> {
        nearest(word, self.codes.iter().map(|(code, _)| &**code))
    }

    fn system_number(&mut self, system: &str) -> u32 {
        match self.systems.iter().position(|known| **known == *system) {
            Some(known) => known as u32,
            None => {
                self.systems.push(system.into());
                self.systems.len() as u32 - 1
            }
        }
    }

    fn add(&mut self, system: &str, code: &str) {
        let number = self.system_number(system);
        self.codes.push((code.into(), number));
    }

    /// Notes that not all of `system` can be listed, and why.
    fn leave_open(&mut self, system: &str, reason: String) {
        self.open_systems.push(system.into());
        self.unlisted.push(reason);
    }
}

/// All value sets that are loaded.
#[derive(Debug, Clone, Default)]
pub struct ValueSets {
    sets: Vec<ValueSet>,
    by_url: HashMap<Box<str>, u32>,
}

impl ValueSets {
    /// Works out `definitions` over `systems`. Of two definitions with one url the later counts.
    pub fn compile(systems: &[CodeSystem], definitions: &[Definition]) -> ValueSets {
        let compiler = Compiler {
            systems: systems.iter().map(|system| (system.url.as_str(), system)).collect(),
            definitions: definitions.iter().map(|definition| (definition.url.as_str(), definition)).collect(),
        };
        let mut all = ValueSets::default();
        for definition in compiler.definitions.values() {
            let set = compiler.work_out(definition, 0);
            all.by_url.insert(set.url.clone(), all.sets.len() as u32);
            all.sets.push(set);
        }
        all
    }

    /// The value set that a canonical url names, with or without `|version`.
    pub fn find(&self, canonical: &str) -> Option<&ValueSet> {
        let number = self.number(canonical)?;
        self.sets.get(number as usize)
    }

    /// The number of the value set that a canonical url names, for plans that look it up once.
    pub fn number(&self, canonical: &str) -> Option<u32> {
        self.by_url.get(without_version(canonical)).copied()
    }

    /// The value set with this number.
    pub fn get(&self, number: u32) -> Option<&ValueSet> {
        self.sets.get(number as usize)
    }
}

struct Compiler<'d> {
    systems: HashMap<&'d str, &'d CodeSystem>,
    definitions: HashMap<&'d str, &'d Definition>,
}

impl Compiler<'_> {
    fn work_out(&self, definition: &Definition, depth: u32) -> ValueSet {
        let mut set = self.composed(definition, depth);
        if !set.unlisted.is_empty()
            && let Some(expansion) = definition.expansion.as_ref().filter(|expansion| is_whole(expansion))
        {
            set = ValueSet::default();
            add_contained(&mut set, &expansion.contains);
        }
        set.url = definition.url.as_str().into();
        set.codes.sort_unstable();
        set.codes.dedup();
        set
    }

    fn composed(&self, definition: &Definition, depth: u32) -> ValueSet {
        let mut set = ValueSet::default();
        if definition.compose.include.is_empty() {
            set.unlisted.push("it does not say what it is made of".into());
        }
        for part in &definition.compose.include {
            self.take_in(&mut set, part, depth);
        }
        let mut out = ValueSet::default();
        for part in &definition.compose.exclude {
            self.take_in(&mut out, part, depth);
        }
        if !out.codes.is_empty() {
            let gone: HashSet<(&str, &str)> = out.codes().collect();
            let systems = &set.systems;
            set.codes.retain(|(code, system)| {
                let system = systems.get(*system as usize).map_or("", |s| &**s);
                !gone.contains(&(system, &**code))
            });
        }
        set.unlisted.append(&mut out.unlisted);
        set.open_systems.append(&mut out.open_systems);
        set
    }

    fn take_in(&self, set: &mut ValueSet, part: &Part, depth: u32) {
        let Some(system) = part.system.as_deref() else {
            return self.take_in_sets(set, &part.value_set, depth);
        };
        if !part.value_set.is_empty() {
            return set.leave_open(system, format!("it narrows {system} by another value set"));
        }
        if !part.concept.is_empty() {
            part.concept.iter().for_each(|listed| set.add(system, &listed.code));
            return;
        }
        let Some(known) = self.systems.get(system).filter(|known| known.content == "complete") else {
            return set.leave_open(system, format!("code system {system} is not loaded"));
        };
        match part.filter.as_slice() {
            [] => known.concept.iter().for_each(|concept| add_with_below(set, system, concept)),
            [only] if only.property == "concept" && matches!(only.op.as_str(), "is-a" | "descendent-of") => {
                match find_concept(&known.concept, &only.value) {
                    None => set.leave_open(system, format!("a filter names a code that {system} does not have")),
                    Some(top) if only.op == "is-a" => add_with_below(set, system, top),
                    Some(top) => top.concept.iter().for_each(|below| add_with_below(set, system, below)),
                }
            }
            _ => set.leave_open(system, format!("a filter on {system} needs a terminology server")),
        }
    }

    /// Adds the codes that all of `urls` hold.
    fn take_in_sets(&self, set: &mut ValueSet, urls: &[String], depth: u32) {
        let [url] = urls else {
            return set.unlisted.push("it is the common part of several value sets".into());
        };
        let Some(definition) = self.definitions.get(without_version(url)) else {
            return set.unlisted.push(format!("value set {url} is not loaded"));
        };
        if depth == IMPORT_DEPTH_MAX {
            return set.unlisted.push(format!("value set {url} is taken in too deep"));
        }
        let mut other = self.work_out(definition, depth + 1);
        for (system, code) in other.codes() {
            set.add(system, code);
        }
        set.unlisted.append(&mut other.unlisted);
        set.open_systems.append(&mut other.open_systems);
    }
}

/// True when an expansion lists the whole set.
fn is_whole(expansion: &Expansion) -> bool {
    let is_first = expansion.offset.unwrap_or(0) == 0;
    let has_all = expansion.total.is_none_or(|total| total <= count(&expansion.contains));
    is_first && has_all && !expansion.contains.is_empty()
}

fn count(contained: &[Contained]) -> u64 {
    contained.iter().map(|one| 1 + count(&one.contains)).sum()
}

fn add_contained(set: &mut ValueSet, contained: &[Contained]) {
    for one in contained {
        if let (Some(code), false) = (&one.code, one.is_abstract) {
            set.add(one.system.as_deref().unwrap_or(""), code);
        }
        add_contained(set, &one.contains);
    }
}

fn add_with_below(set: &mut ValueSet, system: &str, concept: &Concept) {
    set.add(system, &concept.code);
    concept.concept.iter().for_each(|below| add_with_below(set, system, below));
}

fn find_concept<'c>(concepts: &'c [Concept], code: &str) -> Option<&'c Concept> {
    concepts.iter().find_map(|concept| match concept.code == code {
        true => Some(concept),
        false => find_concept(&concept.concept, code),
    })
}

fn without_version(canonical: &str) -> &str {
    canonical.split('|').next().unwrap_or(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn compile(definitions: serde_json::Value) -> ValueSets {
        let systems: Vec<CodeSystem> = serde_json::from_value(json!([
            {"url": "urn:meal", "content": "complete", "concept": [
                {"code": "meal", "concept": [{"code": "lunch", "concept": [{"code": "late-lunch"}]}, {"code": "tea"}]},
                {"code": "fast"},
            ]},
            {"url": "urn:part", "content": "fragment", "concept": [{"code": "one"}]},
        ]))
        .unwrap();
        let definitions: Vec<Definition> = serde_json::from_value(definitions).unwrap();
        ValueSets::compile(&systems, &definitions)
    }

    fn codes(sets: &ValueSets, url: &str) -> Vec<String> {
        sets.find(url).unwrap().codes().map(|(_, code)| code.to_owned()).collect()
    }

    #[test]
    fn a_whole_system_is_taken_in_with_the_codes_below_others() {
        let sets = compile(json!([{"url": "all", "compose": {"include": [{"system": "urn:meal"}]}}]));
        assert_eq!(codes(&sets, "all|1.0"), ["fast", "late-lunch", "lunch", "meal", "tea"]);
        let all = sets.find("all").unwrap();
        assert_eq!(all.holds(None, "tea"), Membership::In);
        assert_eq!(all.holds(Some("urn:meal"), "tea"), Membership::In);
        assert_eq!(all.holds(Some("urn:other"), "tea"), Membership::Out);
        assert_eq!(all.holds(None, "Tea"), Membership::Out, "codes are told apart by case");
        assert_eq!(all.nearest("Tea"), Some("tea"));
    }

    #[test]
    fn filters_on_the_tree_of_codes_are_followed() {
        let sets = compile(json!([
            {"url": "is-a", "compose": {"include": [
                {"system": "urn:meal", "filter": [{"property": "concept", "op": "is-a", "value": "lunch"}]}]}},
            {"url": "below", "compose": {"include": [
                {"system": "urn:meal", "filter": [{"property": "concept", "op": "descendent-of", "value": "meal"}]}]}},
        ]));
        assert_eq!(codes(&sets, "is-a"), ["late-lunch", "lunch"]);
        assert_eq!(codes(&sets, "below"), ["late-lunch", "lunch", "tea"]);
    }

    #[test]
    fn sets_take_in_sets_and_leave_codes_out() {
        let sets = compile(json!([
            {"url": "two", "compose": {"include": [{"valueSet": ["all"]}],
                "exclude": [{"system": "urn:meal", "concept": [{"code": "fast"}, {"code": "meal"}]}]}},
            {"url": "all", "compose": {"include": [{"system": "urn:meal"}]}},
        ]));
        assert_eq!(codes(&sets, "two"), ["late-lunch", "lunch", "tea"]);
    }

    #[test]
    fn what_cannot_be_listed_is_undecided_and_says_why() {
        let sets = compile(json!([
            {"url": "mixed", "compose": {"include": [{"system": "urn:snomed"}, {"system": "urn:meal"}]}},
            {"url": "fragment", "compose": {"include": [{"system": "urn:part"}]}},
            {"url": "ring", "compose": {"include": [{"valueSet": ["ring"]}]}},
            {"url": "listed", "compose": {"include": [{"system": "urn:snomed"}]},
                "expansion": {"total": 1, "contains": [{"system": "urn:snomed", "code": "1"}]}},
            {"url": "page", "compose": {"include": [{"system": "urn:snomed"}]},
                "expansion": {"total": 9, "contains": [{"system": "urn:snomed", "code": "1"}]}},
        ]));
        let holds = |url: &str, system, code| sets.find(url).unwrap().holds(system, code);
        assert_eq!(holds("mixed", Some("urn:meal"), "tea"), Membership::In);
        assert_eq!(holds("mixed", Some("urn:meal"), "coffee"), Membership::Out, "all of that system is listed");
        assert_eq!(holds("mixed", Some("urn:snomed"), "1"), Membership::Undecided);
        assert_eq!(holds("mixed", None, "coffee"), Membership::Undecided);
        assert_eq!(holds("fragment", None, "two"), Membership::Undecided);
        assert_eq!(holds("ring", None, "x"), Membership::Undecided);
        assert_eq!(holds("listed", None, "2"), Membership::Out, "an expansion tells all");
        assert_eq!(holds("page", None, "2"), Membership::Undecided, "a page of an expansion does not");
        assert_eq!(sets.find("mixed").unwrap().unlisted(), ["code system urn:snomed is not loaded"]);
    }
}
