//! Value sets from their definitions to lists of codes.

use super::algebra::{Entry, Listing, Open, OpenBy};
use super::definition::{Contained, Definition, Filter, Part};
use super::draft::Systems;
use super::filter;
use super::systems::{Content, System};
use super::values::without_version;
use std::collections::HashMap;

/// How deep one value set may take in another.
const IMPORT_DEPTH_MAX: u32 = 32;

/// How many codes all value sets together may take in from code systems and from one another. R4's own and UK Core's take
/// in less than a hundredth; a small file of value sets that are made of one another could mean any number.
const TAKEN_IN_MAX: usize = 32_000_000;

/// The value sets that SNOMED CT and LOINC say exist without a definition: those of all their codes, and of parts. What is
/// in a part only a terminology server knows, so one set with nothing but the system stands for all.
const IMPLICIT: [(&str, &str); 2] =
    [("http://snomed.info/sct?fhir_vs", "http://snomed.info/sct"), ("http://loinc.org/vs", "http://loinc.org")];

/// The implicit value set that stands for `canonical`, when it is one.
pub(super) fn implicit(canonical: &str) -> Option<&'static str> {
    let is_implicit = |own: &str| {
        let rest = canonical.strip_prefix(own);
        // SNOMED CT names an edition in its address: http://snomed.info/sct/83821000000107?fhir_vs=...
        let is_edition = || {
            own.split_once('?').is_some_and(|(system, query)| {
                canonical.strip_prefix(system).is_some_and(|rest| rest.starts_with('/') && rest.contains(query))
            })
        };
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '=', '|'])) || is_edition()
    };
    IMPLICIT.iter().map(|(url, _)| *url).find(|url| is_implicit(url))
}

/// Url, version and codes of each of `definitions`, and of those that exist without a definition.
pub(super) fn compose(systems: &Systems, definitions: &[Definition]) -> Vec<(String, String, Listing)> {
    compose_within(TAKEN_IN_MAX, systems, definitions)
}

/// As [`compose`], with at most so many codes taken in. Of what is past that nothing is said to be known.
fn compose_within(
    taken_in_max: usize,
    systems: &Systems,
    definitions: &[Definition],
) -> Vec<(String, String, Listing)> {
    let mut composer = Composer {
        systems,
        taken_in_max,
        taken_in: 0,
        definitions,
        by_url: HashMap::new(),
        by_version: HashMap::new(),
        whole_systems: HashMap::new(),
        done: vec![Progress::Open; definitions.len()],
    };
    for (number, definition) in definitions.iter().enumerate() {
        composer.by_url.insert(&definition.url, number);
        composer.by_version.insert((&definition.url, &definition.version), number);
    }
    for (number, system) in systems.iter().enumerate() {
        if let Some(url) = system.value_set().filter(|url| !composer.by_url.contains_key(without_version(url))) {
            composer.whole_systems.insert(without_version(url).to_owned(), number as u32);
        }
    }
    let mut all = Vec::with_capacity(definitions.len());
    (0..definitions.len()).for_each(|number| composer.settle(number, 0));
    let done = std::mem::take(&mut composer.done);
    for (definition, progress) in definitions.iter().zip(done) {
        let listing = match progress {
            Progress::Done(listing) => listing,
            Progress::Open | Progress::Begun => Listing::default(),
        };
        all.push((definition.url.clone(), definition.version.clone(), listing));
    }
    for (url, system) in &composer.whole_systems {
        all.push((url.clone(), systems.get(*system).version().to_owned(), composer.whole(*system)));
    }
    for (url, system) in IMPLICIT {
        let listing = match systems.number(system) {
            Some(number) => Listing::unknown(Some(number), not_loaded(system)),
            None => Listing::unknown(None, not_loaded(system)),
        };
        all.push((url.to_owned(), String::new(), listing));
    }
    all
}

#[derive(Clone)]
enum Progress {
    Open,
    /// It is being worked out: whatever takes it in now is part of a ring.
    Begun,
    Done(Listing),
}

struct Composer<'d> {
    systems: &'d Systems,
    taken_in_max: usize,
    taken_in: usize,
    definitions: &'d [Definition],
    by_url: HashMap<&'d str, usize>,
    by_version: HashMap<(&'d str, &'d str), usize>,
    /// Value sets that a code system names as that of all its codes and that have no definition, by url.
    whole_systems: HashMap<String, u32>,
    done: Vec<Progress>,
}

impl<'d> Composer<'d> {
    /// Works out a value set, unless that is done or under way. One that is too deep stays to be worked out on its own.
    fn settle(&mut self, number: usize, depth: u32) {
        let (Some(definition), Some(Progress::Open)) = (self.definitions.get(number), self.done.get(number)) else {
            return;
        };
        if depth > IMPORT_DEPTH_MAX {
            return;
        }
        self.done[number] = Progress::Begun;
        let listing = self.work_out(definition, depth);
        self.done[number] = Progress::Done(listing);
    }

    /// The value set of this number, for another that takes it in.
    fn numbered(&mut self, number: usize, depth: u32) -> Listing {
        self.settle(number, depth);
        let url = self.definitions.get(number).map_or("", |definition| definition.url.as_str());
        match self.done.get(number) {
            Some(Progress::Done(listing)) if !self.is_room_for(listing.size()) => self.past_limit(),
            Some(Progress::Done(listing)) => listing.clone(),
            Some(Progress::Begun) => Listing::unknown(None, format!("value set {url} takes in itself")),
            Some(Progress::Open) | None => Listing::unknown(None, format!("value set {url} is taken in too deep")),
        }
    }

    fn is_room_for(&self, count: usize) -> bool {
        count <= self.taken_in_max - self.taken_in
    }

    /// Counts what is taken in. Once there is no room, there is none for what comes after either.
    fn take_in(&mut self, count: usize) -> bool {
        let is_room = self.is_room_for(count);
        self.taken_in = if is_room { self.taken_in + count } else { self.taken_in_max };
        is_room
    }

    fn past_limit(&self) -> Listing {
        Listing::unknown(None, format!("the value sets take in more than {} codes", self.taken_in_max))
    }

    fn work_out(&mut self, definition: &'d Definition, depth: u32) -> Listing {
        let composed = self.composed(definition, depth);
        match definition.expansion.as_ref().filter(|expansion| composed.is_doubtful() && expansion.is_whole()) {
            Some(expansion) => {
                let mut entries = Vec::new();
                self.contained(&expansion.contains, &mut entries);
                Listing::of(entries)
            }
            None => composed,
        }
    }

    fn contained(&self, contained: &[Contained], entries: &mut Vec<Entry>) {
        for one in contained {
            if let (Some(code), false) = (&one.code, one.is_abstract) {
                entries.extend(self.entry(one.system.as_deref().unwrap_or(""), None, code));
            }
            self.contained(&one.contains, entries);
        }
    }

    fn entry(&self, system: &str, version: Option<&str>, code: &str) -> Option<Entry> {
        let number = self.systems.number_in(system, version)?;
        Some(Entry { system: number, concept: self.systems.get(number).find(code)? })
    }

    fn composed(&mut self, definition: &'d Definition, depth: u32) -> Listing {
        let compose = &definition.compose;
        if compose.include.is_empty() {
            return Listing::unknown(None, "it does not say what it is made of");
        }
        let systems = self.systems;
        let taken: Vec<Listing> = compose.include.iter().map(|part| self.part(part, depth)).collect();
        let mut set = Listing::any(taken, systems);
        if !compose.exclude.is_empty() {
            let left: Vec<Listing> = compose.exclude.iter().map(|part| self.part(part, depth)).collect();
            set = set.without(Listing::any(left, systems), systems);
        }
        if compose.inactive == Some(false) {
            let is_inactive = |entry: &Entry| {
                systems.get(entry.system).numbered(entry.concept).is_some_and(|concept| concept.is_inactive())
            };
            let inactive = set.listed.iter().copied().filter(is_inactive).collect();
            set = set.without(Listing::of(inactive), systems);
        }
        set
    }

    /// The codes that one include or exclude means: those of its system that are in each of its value sets.
    fn part(&mut self, part: &'d Part, depth: u32) -> Listing {
        if !self.is_room_for(1) {
            return self.past_limit();
        }
        let mut set = None;
        if let Some(url) = part.system.as_deref() {
            // A filter looks at each code, whatever it keeps.
            let code_count = match self.systems.number_in(url, part.version.as_deref()) {
                Some(number) if part.concept.is_empty() => self.systems.get(number).concepts().count(),
                Some(_) | None => part.concept.len(),
            };
            if !self.take_in(code_count.saturating_mul(part.filter.len().max(1))) {
                return self.past_limit();
            }
            set = Some(self.of_system(part, url));
        }
        for url in &part.value_set {
            let imported = self.named(url, depth + 1);
            // What it is compared with counts each time, as it is walked each time.
            if !self.take_in(imported.size() + set.as_ref().map_or(0, Listing::size)) {
                return self.past_limit();
            }
            set = Some(match set {
                Some(set) => set.and(imported, self.systems),
                None => imported,
            });
        }
        set.unwrap_or_else(|| Listing::unknown(None, "a part of it names neither a code system nor a value set"))
    }

    fn named(&mut self, canonical: &'d str, depth: u32) -> Listing {
        let pinned = canonical.split_once('|').and_then(|key| self.by_version.get(&key));
        if let Some(number) = pinned.or_else(|| self.by_url.get(without_version(canonical))).copied() {
            return self.numbered(number, depth);
        }
        if let Some(system) = self.whole_systems.get(without_version(canonical)).copied() {
            return self.whole(system);
        }
        let url = implicit(canonical);
        match IMPLICIT.iter().find(|(own, _)| Some(*own) == url) {
            Some((_, system)) => Listing::unknown(self.systems.number(system), not_loaded(system)),
            None => Listing::unknown(None, format!("value set {canonical} is not loaded")),
        }
    }

    fn of_system(&self, part: &Part, url: &str) -> Listing {
        // Every system that a value set names has a number.
        let Some(number) = self.systems.number_in(url, part.version.as_deref()) else {
            return Listing::unknown(None, not_loaded(url));
        };
        if !part.concept.is_empty() {
            let version = part.version.as_deref();
            return Listing::of(part.concept.iter().filter_map(|one| self.entry(url, version, &one.code)).collect());
        }
        if part.filter.is_empty() { self.whole(number) } else { self.filtered(number, &part.filter) }
    }

    /// All codes of a system.
    fn whole(&self, number: u32) -> Listing {
        let system = self.systems.get(number);
        let listed = system.concepts().map(|concept| Entry { system: number, concept: concept.number() }).collect();
        let mut set = Listing::of(listed);
        set.open.extend(rest(number, system, system.form()));
        set
    }

    /// The codes of a system that meet every filter.
    fn filtered(&self, number: u32, filters: &[Filter]) -> Listing {
        let system = self.systems.get(number);
        let form = match filters {
            [only] => system.form().and_then(|form| form.filtered(&only.property, &only.op, &only.value)),
            _ => None,
        };
        if let Some(form) = form {
            return Listing { open: vec![Open { system: Some(number), by: OpenBy::Form(form) }], ..Listing::default() };
        }
        if matches!(system.content(), Content::Unloaded | Content::NotPresent) {
            return Listing::unknown(Some(number), format!("a filter on {} needs its codes", system.url()));
        }
        let mut kept: Option<Vec<u32>> = None;
        for one in filters {
            let met = match filter::met(system, one) {
                Ok(met) => met,
                Err(why) => return Listing::unknown(Some(number), format!("a filter on {}: {why}", system.url())),
            };
            kept = Some(match kept {
                Some(kept) => kept.into_iter().filter(|concept| met.binary_search(concept).is_ok()).collect(),
                None => met,
            });
        }
        let listed = kept.unwrap_or_default().into_iter().map(|concept| Entry { system: number, concept }).collect();
        let mut set = Listing::of(listed);
        set.open.extend(rest(number, system, None));
        if !set.open.is_empty() {
            // Of a system that is known in part, those of its listed codes that the filters leave out are out.
            let all = system.concepts().map(|concept| Entry { system: number, concept: concept.number() });
            set.barred = all.filter(|entry| set.listed.binary_search(entry).is_err()).collect();
        }
        set
    }
}

/// What decides about the codes of a system that are not listed.
fn rest(number: u32, system: &System, form: Option<super::forms::Form>) -> Option<Open> {
    let nothing = |reason: String| OpenBy::Nothing(reason.into());
    let url = system.url();
    let by = match (system.content(), form) {
        (Content::Complete, _) => return None,
        (Content::Fragment | Content::Example | Content::NotPresent | Content::Unloaded, Some(form)) => {
            OpenBy::Form(form)
        }
        (Content::Fragment | Content::Example, None) => nothing(format!("code system {url} is loaded in part")),
        (Content::NotPresent, None) => nothing(format!("code system {url} is loaded without its codes")),
        (Content::Unloaded, None) => nothing(not_loaded(url)),
    };
    Some(Open { system: Some(number), by })
}

fn not_loaded(system: &str) -> String {
    format!("code system {system} is not loaded")
}

#[cfg(test)]
mod tests;
