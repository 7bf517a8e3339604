//! What a differential says of an element, laid over what the base says of it.

use crate::profile::definition::{Base, Binding, Constraint, Discriminator, ElementDefinition, Slicing, TypeReference};

/// Lays `change` over `element`. Invariants are added, with `url` as where they come from; all else that is said
/// replaces what was.
pub(super) fn merge(element: &mut ElementDefinition, change: &ElementDefinition, url: &str) {
    keep_base(element);
    replace(&mut element.min, &change.min);
    replace(&mut element.max, &change.max);
    replace(&mut element.content_reference, &change.content_reference);
    replace(&mut element.max_length, &change.max_length);
    replace(&mut element.min_length, &change.min_length);
    replace(&mut element.min_value, &change.min_value);
    replace(&mut element.max_value, &change.max_value);
    replace(&mut element.is_modifier, &change.is_modifier);
    // An element has one of the two; a fixed value in the place of a pattern is a narrowing of it.
    if change.fixed.is_some() || change.pattern.is_some() {
        element.fixed.clone_from(&change.fixed);
        element.pattern.clone_from(&change.pattern);
    }
    if !change.types.is_empty() {
        element.types.clone_from(&change.types);
    }
    if let Some(binding) = &change.binding {
        element.binding = Some(merged_binding(element.binding.take(), binding));
    }
    if let Some(slicing) = &change.slicing {
        element.slicing = Some(merged_slicing(element.slicing.take(), slicing));
    }
    add_constraints(&mut element.constraints, &change.constraints, Some(url));
}

/// Remembers what an element was where it is first defined, before anything of it is changed.
pub(super) fn keep_base(element: &mut ElementDefinition) {
    let base = element.base.get_or_insert_default();
    base.path.get_or_insert_with(|| element.path.clone());
    if base.max.is_none() {
        base.max.clone_from(&element.max);
    }
}

/// Adds the invariants that are not there yet.
pub(super) fn add_constraints(known: &mut Vec<Constraint>, more: &[Constraint], url: Option<&str>) {
    for constraint in more {
        let is_known = |one: &Constraint| one.key == constraint.key && one.expression == constraint.expression;
        if !known.iter().any(is_known) {
            let source = constraint.source.clone().or_else(|| url.map(str::to_owned));
            known.push(Constraint { source, ..constraint.clone() });
        }
    }
}

fn replace<T: Clone>(known: &mut Option<T>, change: &Option<T>) {
    if change.is_some() {
        known.clone_from(change);
    }
}

fn merged_binding(known: Option<Binding>, change: &Binding) -> Binding {
    let Some(known) = known else { return change.clone() };
    Binding {
        strength: if change.strength.is_empty() { known.strength } else { change.strength.clone() },
        value_set: change.value_set.clone().or(known.value_set),
        widest: change.widest.clone().or(known.widest),
    }
}

fn merged_slicing(known: Option<Slicing>, change: &Slicing) -> Slicing {
    let Some(known) = known else { return change.clone() };
    Slicing {
        discriminator: if change.discriminator.is_empty() { known.discriminator } else { change.discriminator.clone() },
        ordered: change.ordered,
        rules: if change.rules.is_empty() { known.rules } else { change.rules.clone() },
    }
}

/// How an element is sliced whose slices come without a word on it: extensions by their url, a choice by its type.
pub(super) fn implied_slicing(name: &str, types: &[TypeReference]) -> Slicing {
    let by = |kind: &str, path: &str| vec![Discriminator { r#type: kind.into(), path: path.into() }];
    let discriminator = if types.iter().any(|one| one.code == "Extension") && !name.ends_with("[x]") {
        by("value", "url")
    } else if name.ends_with("[x]") {
        by("type", "$this")
    } else {
        Vec::new()
    };
    Slicing { discriminator, ordered: false, rules: "open".into() }
}

/// A new slice of `element`: it may do all that the element may, and need not be there.
pub(super) fn slice_of(element: &ElementDefinition, name: &str) -> ElementDefinition {
    let mut slice = element.clone();
    keep_base(&mut slice);
    slice.slice_name = Some(name.to_owned());
    slice.slicing = None;
    slice.min = Some(0);
    slice
}

/// True when `one` allows fewer repeats than `other`; `*` is no limit.
pub(super) fn is_tighter(one: &str, other: Option<&str>) -> bool {
    let limit = |max: &str| max.parse::<u32>().unwrap_or(u32::MAX);
    limit(one) < other.map_or(u32::MAX, limit)
}

/// The base of an element, for an element that its definition makes anew.
pub(super) fn own_base(element: &ElementDefinition) -> Base {
    Base { path: Some(element.path.clone()), max: element.max.clone() }
}
