//! Where each value of an output came from: noted by number while a mapping runs, told as places afterwards.

use super::convert::Conversion;
use super::outcome::Traced;
use super::plan::{Mapping, Recipe};
use super::yield_one::Origin;
use crate::document::{Document, NodeId};
use std::collections::HashMap;

/// A value that was made, and from what.
pub(super) struct Noted<'m> {
    /// The target path, with indices.
    pub(super) target: String,
    /// The elements of the input that it was made from.
    pub(super) sources: Vec<NodeId>,
    pub(super) recipe: &'m Recipe,
    pub(super) origin: Origin,
}

/// The notes as they are told, each source at its place.
pub(super) fn traced(mapping: &Mapping, input: &Document, notes: Vec<Noted<'_>>) -> Vec<Traced> {
    let told = |noted: Noted<'_>| {
        let (table, otherwise) = noted.origin.told(noted.recipe);
        Traced {
            target: noted.target,
            sources: noted.sources.iter().map(|source| input.node(*source).place()).collect(),
            rule: mapping.rule_name(noted.recipe.line),
            table,
            conversion: noted.recipe.conversion.map(Conversion::as_str),
            otherwise,
        }
    };
    notes.into_iter().map(told).collect()
}

/// The first source of every target and of every part of an output around one, made in one pass over the notes.
pub(super) struct Sources<'t> {
    by_target: HashMap<&'t str, NodeId>,
}

impl<'t> Sources<'t> {
    pub(super) fn of(notes: &'t [Noted<'_>]) -> Sources<'t> {
        let mut by_target = HashMap::new();
        for noted in notes {
            let Some(source) = noted.sources.first() else { continue };
            for part in parts(&noted.target) {
                by_target.entry(part).or_insert(*source);
            }
        }
        Sources { by_target }
    }

    /// What `target` was made from, or else what the nearest part around it was made from; none when that is the
    /// whole input.
    pub(super) fn of_target(&self, target: &str) -> Option<NodeId> {
        parts(target).find_map(|part| self.by_target.get(part).copied())
    }
}

/// A target path and the paths of the parts around it, the nearest first: `a[0].b`, `a[0]`, `a`.
fn parts(target: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(target), |part: &&str| {
        let part: &str = part;
        part.rfind(['.', '[']).and_then(|end| part.get(..end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_around_a_target_are_found_from_the_inside_out() {
        assert_eq!(parts("a[0].b[12]").collect::<Vec<_>>(), ["a[0].b[12]", "a[0].b", "a[0]", "a"]);
        assert_eq!(parts("").collect::<Vec<_>>(), [""]);
    }
}
