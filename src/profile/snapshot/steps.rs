//! Where an element stands: the steps from its definition's root, each with the slice it goes into.

use crate::profile::definition::ElementDefinition;

/// The most steps that an element's path may have.
const STEP_COUNT_MAX: usize = 64;

/// One step of an element's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step<'e> {
    /// The element's name, for example `identifier`, `value[x]`.
    pub(super) name: &'e str,
    /// The slice of it, where one is meant.
    pub(super) slice: Option<&'e str>,
}

/// Reads elements in their order, so that paths without ids are understood: what follows a slice and stands below its
/// path belongs to the slice.
#[derive(Default)]
pub(super) struct Reader<'e> {
    open: Vec<Open<'e>>,
}

/// A slice that has been met, and may have elements below it.
struct Open<'e> {
    path: &'e str,
    name: &'e str,
    /// What ids call it, which is not always its name.
    id: Option<&'e str>,
}

impl<'e> Reader<'e> {
    /// The steps to `element`; the first is the root.
    ///
    /// # Errors
    /// When its path is deeper than any definition is.
    pub(super) fn steps(&mut self, element: &'e ElementDefinition) -> Result<Vec<Step<'e>>, String> {
        let path = element.path.as_str();
        if path.split('.').count() > STEP_COUNT_MAX {
            return Err(format!("an element stands more than {STEP_COUNT_MAX} steps deep"));
        }
        self.open.retain(|open| path.strip_prefix(open.path).is_some_and(|rest| rest.starts_with('.')));
        let mut steps = match by_id(element) {
            Some(steps) => self.renamed(steps, path),
            None => self.by_path(path),
        };
        if let Some(last) = steps.last_mut() {
            let id = last.slice;
            last.slice = name(id, element.slice_name.as_deref());
            if let Some(name) = last.slice {
                self.open.push(Open { path, name, id });
            }
        }
        Ok(steps)
    }

    fn by_path(&self, path: &'e str) -> Vec<Step<'e>> {
        let reached = prefixes(path);
        reached
            .map(|reached| {
                let slice = self.open.iter().rev().find(|open| open.path == reached).map(|open| open.name);
                Step { name: reached.rsplit('.').next().unwrap_or(reached), slice }
            })
            .collect()
    }

    /// The steps of an id, with the slices' own names.
    fn renamed(&self, mut steps: Vec<Step<'e>>, path: &'e str) -> Vec<Step<'e>> {
        for (step, reached) in steps.iter_mut().zip(prefixes(path)) {
            let is_meant = |open: &&Open| open.path == reached && open.id == step.slice;
            if step.slice.is_some()
                && let Some(open) = self.open.iter().rev().find(is_meant)
            {
                step.slice = Some(open.name);
            }
        }
        steps
    }
}

/// The name of a slice: what `sliceName` says, where an id does not say more of the same (`outer/inner` for `inner`).
fn name<'e>(id: Option<&'e str>, name: Option<&'e str>) -> Option<&'e str> {
    match (id, name) {
        (Some(id), Some(name)) if id.strip_suffix(name).is_some_and(|outer| outer.ends_with('/')) => Some(id),
        (id, name) => name.or(id),
    }
}

/// A path's beginnings: `a`, `a.b`, `a.b.c`.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('.').map(|(at, _)| at).chain([path.len()]).map(|end| path.split_at(end).0)
}

/// The steps that an id spells, when it is made as R4 makes them: the path with `:slice` after the names of slices.
fn by_id(element: &ElementDefinition) -> Option<Vec<Step<'_>>> {
    let (id, path) = (element.id.as_str(), element.path.as_str());
    if id.is_empty() || id.split('.').count() != path.split('.').count() {
        return None;
    }
    let parts = id.split('.').zip(path.split('.'));
    parts
        .map(|(part, name)| {
            let (own, slice) = part.split_once(':').map_or((part, None), |(own, slice)| (own, Some(slice)));
            let is_same = own == name || own.strip_suffix("[x]").is_some_and(|stem| name.starts_with(stem));
            is_same.then_some(Step { name: own, slice })
        })
        .collect()
}

/// The type that the name of a choice ends in, for example `Quantity` of `valueQuantity` for `value[x]`.
pub(super) fn choice_type<'n>(choice: &str, name: &'n str) -> Option<&'n str> {
    name.strip_prefix(choice.strip_suffix("[x]")?).filter(|rest| rest.starts_with(|letter: char| letter.is_uppercase()))
}

/// True when `code` is the type that a choice's name spells as `ending`: `dateTime` is `DateTime` there.
pub(super) fn is_type(code: &str, ending: &str) -> bool {
    let (mut code, mut ending) = (code.chars(), ending.chars());
    let first = code.next().map(|letter| letter.to_ascii_uppercase());
    first == ending.next() && code.as_str() == ending.as_str()
}
