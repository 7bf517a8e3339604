//! Snapshots for definitions that come with a differential only.
//!
//! A differential says what a definition changes of its base. Here it is laid over the base's elements, as HL7's rules
//! for profiling say (R4 5.1.0, ElementDefinition 2.26), so that what follows reads one form. Definitions that bring
//! their snapshot keep it.

mod differential;
mod merge;
mod steps;
#[cfg(test)]
mod tests;
mod tree;

use super::definition::{ElementDefinition, Structure, TypeReference};
use super::{NotEvaluated, Problem};
use differential::Layer;
use std::collections::HashMap;
use std::rc::Rc;
use tree::Node;

/// How many definitions may stand on each other, or be walked into from each other, at once.
const OPEN_COUNT_MAX: usize = 32;
/// The most elements that one snapshot may come to.
const ELEMENT_COUNT_MAX: usize = 20_000;

/// Why a definition has no snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gap {
    /// Something that it stands on is not loaded, so nothing can be said of it.
    NotLoaded(String),
    /// It is wrong, and has to be put right.
    Wrong(String),
}

/// Gives each of `structures` (file and definition) that lacks a snapshot the one that its differential makes. What
/// stands on a definition that is not loaded is taken out, and listed in `set_aside`.
///
/// Returns the problems: differentials that name elements that their base has not, or that stand on themselves.
pub(super) fn complete(structures: &mut Vec<(String, Structure)>, set_aside: &mut Vec<NotEvaluated>) -> Vec<Problem> {
    let lacking: Vec<usize> = (0..structures.len()).filter(|number| lacks_snapshot(structures, *number)).collect();
    let mut generator = Generator::new(structures);
    let made: Vec<_> = lacking.iter().map(|number| (*number, generator.snapshot(*number))).collect();
    let mut problems = Vec::new();
    for (number, made) in made {
        let Some((file, structure)) = structures.get_mut(number) else { continue };
        match made {
            Ok(elements) => structure.snapshot.element = elements,
            Err(Gap::NotLoaded(why)) => set_aside.push(NotEvaluated { what: structure.url.clone(), why }),
            Err(Gap::Wrong(message)) => problems.push(Problem { file: file.clone(), message }),
        }
    }
    structures.retain(|(_, structure)| !structure.snapshot.element.is_empty());
    problems
}

fn lacks_snapshot(structures: &[(String, Structure)], number: usize) -> bool {
    structures.get(number).is_some_and(|(_, structure)| structure.snapshot.element.is_empty())
}

/// Makes snapshots, and the trees that they are made of, each once.
struct Generator<'s> {
    structures: &'s [(String, Structure)],
    by_url: HashMap<&'s str, usize>,
    by_type: HashMap<&'s str, usize>,
    trees: HashMap<usize, Result<Rc<Node>, Gap>>,
    /// The definitions that are being made, each for the sake of the one before.
    open: Vec<usize>,
}

impl<'s> Generator<'s> {
    fn new(structures: &'s [(String, Structure)]) -> Self {
        let numbered = || structures.iter().enumerate().map(|(number, (_, structure))| (number, structure));
        Generator {
            structures,
            by_url: numbered().map(|(number, structure)| (structure.url.as_str(), number)).collect(),
            by_type: numbered()
                .filter(|(_, structure)| !structure.is_profile())
                .map(|(number, structure)| (structure.r#type.as_str(), number))
                .collect(),
            trees: HashMap::new(),
            open: Vec::new(),
        }
    }

    fn snapshot(&mut self, number: usize) -> Result<Vec<ElementDefinition>, Gap> {
        Ok(tree::flatten(&*self.tree(number)?))
    }

    /// The elements of a definition as a tree, from its snapshot or made from its differential.
    fn tree(&mut self, number: usize) -> Result<Rc<Node>, Gap> {
        if let Some(known) = self.trees.get(&number) {
            return known.clone();
        }
        if self.open.contains(&number) {
            let url = self.structures.get(number).map_or("", |(_, structure)| structure.url.as_str());
            return Err(Gap::Wrong(format!(
                "it stands on itself, by way of {url}: a definition needs a base of its own"
            )));
        }
        if self.open.len() >= OPEN_COUNT_MAX {
            return Err(Gap::Wrong(format!("more than {OPEN_COUNT_MAX} definitions stand on each other")));
        }
        self.open.push(number);
        let made = self.make(number).map(Rc::new);
        self.open.pop();
        self.trees.insert(number, made.clone());
        made
    }

    fn make(&mut self, number: usize) -> Result<Node, Gap> {
        let structures = self.structures;
        let Some((_, structure)) = structures.get(number) else { return Err(Gap::NotLoaded("it is not there".into())) };
        if !structure.snapshot.element.is_empty() {
            return tree::build(&structure.snapshot.element).map_err(Gap::Wrong);
        }
        let Some(url) = structure.base_definition.as_deref() else {
            return Err(Gap::NotLoaded("it has no snapshot, and names no base to make one from".into()));
        };
        let Some(base) = self.numbered(url) else {
            return Err(Gap::NotLoaded(format!("it has no snapshot, and its base {url} is not loaded")));
        };
        let base = self.tree(base)?;
        Layer::new(self, structure, base).lay()
    }

    fn numbered(&self, canonical: &str) -> Option<usize> {
        self.by_url.get(without_version(canonical)).copied()
    }

    /// What stands below an element of these types: the type profile's elements where one is named and loaded, the
    /// type's otherwise. An element that may be of several types has what all elements have.
    fn below(&mut self, types: &[TypeReference]) -> Result<Option<Rc<Node>>, Gap> {
        let Some(first) = types.first() else { return Ok(None) };
        if let ([one], [profile]) = (types, first.profile.as_slice())
            && let Some(number) = self.numbered(profile)
        {
            match self.tree(number) {
                Ok(tree) if tree.type_name() == one.code => return Ok(Some(tree)),
                // A profile on another type, or one that stands on what is not loaded, says nothing here.
                Ok(_) | Err(Gap::NotLoaded(_)) => {}
                Err(wrong) => return Err(wrong),
            }
        }
        let code = if types.iter().all(|one| one.code == first.code) { first.code.as_str() } else { "Element" };
        self.by_type.get(code).copied().map(|number| self.tree(number)).transpose()
    }

    /// How often an extension may stand, by its own definition; none when that sets no limit or is not loaded.
    fn extension_max(&self, types: &[TypeReference]) -> Option<&'s str> {
        let [one] = types else { return None };
        let [profile] = one.profile.as_slice() else { return None };
        let (_, structure) = self.structures.get(self.numbered(profile)?).filter(|_| one.code == "Extension")?;
        let shipped = structure.snapshot.element.first();
        let root = shipped.or_else(|| structure.differential.element.first().filter(|root| root.path == "Extension"));
        root?.max.as_deref().filter(|max| *max != "*")
    }
}

fn without_version(canonical: &str) -> &str {
    canonical.split('|').next().unwrap_or(canonical)
}
