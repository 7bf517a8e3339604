//! Value sets, compiled: which codes they hold, which they do not, and where the loaded definitions do not tell.
//!
//! A value set is worked out once, when definitions are loaded, to sorted lists of codes, each the number of a system and
//! of a code in it. Where a part of it cannot be listed here (a code system that is not loaded, a filter that only a
//! terminology server can answer), the set says so and its answer is [`Membership::Undecided`], never a guess.

use super::algebra::{Entry, Listing, OpenBy};
use super::compose;
use super::definition::{CodeSystem, Definition};
pub use super::draft::Systems;
use super::systems::{Concept, System};
use std::collections::HashMap;

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

impl Membership {
    /// What holds when both must hold.
    pub fn and(self, other: Membership) -> Membership {
        match (self, other) {
            (Membership::Out, _) | (_, Membership::Out) => Membership::Out,
            (Membership::In, Membership::In) => Membership::In,
            (Membership::Undecided, _) | (_, Membership::Undecided) => Membership::Undecided,
        }
    }

    /// What holds when one is enough.
    pub fn or(self, other: Membership) -> Membership {
        match (self, other) {
            (Membership::In, _) | (_, Membership::In) => Membership::In,
            (Membership::Out, Membership::Out) => Membership::Out,
            (Membership::Undecided, _) | (_, Membership::Undecided) => Membership::Undecided,
        }
    }

    /// What holds when it must not hold.
    pub fn negated(self) -> Membership {
        match self {
            Membership::In => Membership::Out,
            Membership::Out => Membership::In,
            Membership::Undecided => Membership::Undecided,
        }
    }
}

/// A value set as it is kept.
#[derive(Debug)]
struct Kept {
    url: Box<str>,
    version: Box<str>,
    listing: Listing,
    /// The systems of which it takes something, in order of number.
    systems: Vec<u32>,
    /// Why it does not decide about every code.
    undecided: Vec<String>,
}

/// A value set, worked out.
#[derive(Debug, Clone, Copy)]
pub struct ValueSet<'t> {
    kept: &'t Kept,
    systems: &'t Systems,
}

impl<'t> ValueSet<'t> {
    /// Its canonical url, without a version.
    pub fn url(&self) -> &'t str {
        &self.kept.url
    }

    /// Its version; empty when it names none.
    pub fn version(&self) -> &'t str {
        &self.kept.version
    }

    /// Why the set does not decide about every code; empty when it does.
    pub fn undecided(&self) -> &'t [String] {
        &self.kept.undecided
    }

    /// True when all its codes are listed.
    pub fn is_listed(&self) -> bool {
        self.kept.listing.is_whole()
    }

    /// Whether the set holds `code` of `system`. An element of type `code` has no system: its binding implies it.
    pub fn holds(&self, system: Option<&str>, code: &str) -> Membership {
        let Some(system) = system else {
            let each = self.kept.systems.iter().map(|number| self.holds_of(*number, code));
            return each.fold(self.elsewhere(), Membership::or);
        };
        match self.systems.number(system) {
            Some(number) => self.holds_of(number, code),
            None => self.elsewhere(),
        }
    }

    fn holds_of(&self, number: u32, code: &str) -> Membership {
        let system = self.systems.get(number);
        match system.find(code) {
            Some(concept) => self.kept.listing.entry(self.systems, Entry { system: number, concept }),
            None => self.kept.listing.stray(number, code),
        }
    }

    /// What the set says of a system that it does not name.
    fn elsewhere(&self) -> Membership {
        let is_open = self.kept.listing.open.iter().any(|open| open.system.is_none());
        if is_open { Membership::Undecided } else { Membership::Out }
    }

    /// The codes, in order of system and code, each with its system.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = (&'t str, &'t str)> + use<'t> {
        self.concepts().map(|(system, concept)| (system.url(), concept.map_or("", |concept| concept.code())))
    }

    /// The codes, in order of system and code, with all that is known of them.
    pub fn concepts(&self) -> impl ExactSizeIterator<Item = (&'t System, Option<Concept<'t>>)> + use<'t> {
        let systems = self.systems;
        self.kept.listing.listed.iter().map(move |entry| {
            let system = systems.get(entry.system);
            (system, system.numbered(entry.concept))
        })
    }

    /// What the codes look like that the set does not list but knows by their form.
    pub fn forms(&self) -> impl Iterator<Item = super::forms::Form> + use<'t> {
        self.kept.listing.open.iter().filter_map(|open| match open.by {
            OpenBy::Form(form) => Some(form),
            OpenBy::Nothing(_) => None,
        })
    }

    /// The one system that all its codes are of, where there is one.
    pub fn only_system(&self) -> Option<&'t str> {
        match self.kept.systems.as_slice() {
            [only] if self.elsewhere() == Membership::Out => Some(self.systems.get(*only).url()),
            _ => None,
        }
    }
}

/// All code systems and value sets that are loaded.
#[derive(Debug, Default)]
pub struct ValueSets {
    systems: Systems,
    sets: Vec<Kept>,
    by_url: HashMap<Box<str>, u32>,
    /// By url and version.
    by_version: HashMap<Box<str>, u32>,
}

impl ValueSets {
    /// Works out `definitions` over `systems`. Of two definitions with one url the later counts, unless a version is
    /// asked for.
    pub fn compile(systems: &[CodeSystem], definitions: &[Definition]) -> ValueSets {
        let systems = Systems::compile(systems, definitions);
        let composed = compose::compose(&systems, definitions);
        let mut all = ValueSets { systems, ..ValueSets::default() };
        for (url, version, listing) in composed {
            let number = all.sets.len() as u32;
            if !version.is_empty() {
                all.by_version.insert(format!("{url}|{version}").into(), number);
            }
            all.by_url.insert(url.as_str().into(), number);
            all.sets.push(Kept {
                url: url.into(),
                version: version.into(),
                systems: listing.systems(),
                undecided: listing.reasons(),
                listing,
            });
        }
        all
    }

    /// The code systems.
    pub fn systems(&self) -> &Systems {
        &self.systems
    }

    /// The value set that a canonical url names, with or without `|version`.
    pub fn find(&self, canonical: &str) -> Option<ValueSet<'_>> {
        self.get(self.number(canonical)?)
    }

    /// The number of the value set that a canonical url names, for plans that look it up once. A version that is not
    /// loaded gives way to the one that is.
    pub fn number(&self, canonical: &str) -> Option<u32> {
        let url = compose::implicit(canonical).unwrap_or(canonical);
        let pinned = self.by_version.get(url).or_else(|| self.by_url.get(url));
        pinned.or_else(|| self.by_url.get(without_version(url))).copied()
    }

    /// The value set with this number.
    pub fn get(&self, number: u32) -> Option<ValueSet<'_>> {
        Some(ValueSet { kept: self.sets.get(number as usize)?, systems: &self.systems })
    }

    /// The value sets, in the order in which they were loaded.
    pub fn iter(&self) -> impl Iterator<Item = ValueSet<'_>> {
        self.sets.iter().map(|kept| ValueSet { kept, systems: &self.systems })
    }
}

pub(super) fn without_version(canonical: &str) -> &str {
    canonical.split('|').next().unwrap_or(canonical)
}
