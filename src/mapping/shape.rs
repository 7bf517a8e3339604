//! What stands where, in a resource and in a canonical value: for checking paths before anything runs.

use super::schema::{Shape, Single};
use crate::profile::Elements;
use std::sync::Arc;

/// A place in a type, from which paths go on.
#[derive(Clone)]
pub(super) enum Ground<'e> {
    Canonical(Arc<Shape>),
    /// A path in FHIR's element table, beginning with a type's name.
    Fhir(String, Elements<'e>),
}

/// What one step leads to.
pub(super) struct Stepped<'e> {
    pub(super) ground: Ground<'e>,
    /// The name of the element; for a choice its bare name.
    pub(super) element: String,
    pub(super) repeats: bool,
    /// Its JSON type when it holds a single value; none for objects.
    pub(super) single: Option<Single>,
    /// The only codes that it may hold.
    pub(super) codes: Option<Vec<String>>,
}

impl<'e> Ground<'e> {
    /// What it is called in messages.
    pub(super) fn name(&self) -> &str {
        match self {
            Ground::Canonical(_) => "the canonical value",
            Ground::Fhir(path, _) => path,
        }
    }

    /// One step down.
    pub(super) fn step(&self, name: &str) -> Option<Stepped<'e>> {
        match self {
            Ground::Canonical(shape) => {
                let Shape::Object { members, .. } = &**shape else { return None };
                Some(canonical_step(name, members.get(name)?))
            }
            Ground::Fhir(path, elements) => {
                let found = elements.child(path, name)?;
                let single = match found.types.as_slice() {
                    ["boolean"] => Some(Single::Boolean),
                    ["integer" | "positiveInt" | "unsignedInt"] => Some(Single::Integer),
                    [one] if one.starts_with(|first: char| first.is_ascii_lowercase()) => Some(Single::Text),
                    _ => None,
                };
                let codes = single.and(found.codes.as_ref());
                let codes = codes.map(|known| known.codes.iter().map(|(_, code)| (*code).to_owned()).collect());
                Some(Stepped {
                    ground: Ground::Fhir(format!("{path}.{name}"), *elements),
                    element: found.name.to_owned(),
                    repeats: found.repeats,
                    single,
                    codes,
                })
            }
        }
    }

    /// The names that a step from here may have.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Ground::Canonical(shape) => match &**shape {
                Shape::Object { members, .. } => members.keys().cloned().collect(),
                Shape::List(_) | Shape::Single { .. } => Vec::new(),
            },
            Ground::Fhir(path, elements) => elements.children(path).into_iter().map(str::to_owned).collect(),
        }
    }

    /// The elements that must be there wherever this is.
    pub(super) fn required(&self) -> Vec<String> {
        match self {
            Ground::Canonical(shape) => match &**shape {
                Shape::Object { required, .. } => required.clone(),
                Shape::List(_) | Shape::Single { .. } => Vec::new(),
            },
            Ground::Fhir(path, elements) => {
                let children = elements.children(path);
                let must = children.iter().filter_map(|name| elements.child(path, name)).filter(|one| one.is_required);
                let mut names: Vec<String> = must.map(|one| one.name.to_owned()).collect();
                names.sort_unstable();
                names.dedup();
                names
            }
        }
    }
}

fn canonical_step<'e>(name: &str, shape: &Arc<Shape>) -> Stepped<'e> {
    let (inner, repeats) = match &**shape {
        Shape::List(item) => (item, true),
        Shape::Object { .. } | Shape::Single { .. } => (shape, false),
    };
    let (single, codes) = match &**inner {
        Shape::Single { of, codes } => (Some(*of), codes.clone()),
        Shape::Object { .. } | Shape::List(_) => (None, None),
    };
    Stepped { ground: Ground::Canonical(Arc::clone(inner)), element: name.to_owned(), repeats, single, codes }
}
