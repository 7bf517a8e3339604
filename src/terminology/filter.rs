//! Filters of value sets: conditions on the codes of one system (R4 value set `filter-operator`).

use super::definition::Filter;
use super::systems::{Concept, System};
use regex::RegexBuilder;

/// The most bytes that a compiled regular expression of a package may take.
const REGEX_BYTES_MAX: usize = 1_000_000;

/// The codes of `system` that meet `filter`, in order of number.
///
/// # Errors
/// Why it cannot be told.
pub(super) fn met(system: &System, filter: &Filter) -> Result<Vec<u32>, String> {
    let value = filter.value.as_str();
    if let "is-a" | "descendent-of" | "is-not-a" | "generalizes" = filter.op.as_str() {
        return by_hierarchy(system, filter);
    }
    let what = What::named(system, &filter.property)
        .ok_or_else(|| format!("its codes have no property {}", filter.property))?;
    let any = |test: &dyn Fn(&str) -> bool| keep(system, |concept| what.any(concept, test));
    Ok(match filter.op.as_str() {
        "=" => any(&|own| own == value),
        "in" => any(&|own| value.split(',').any(|one| one.trim() == own)),
        "not-in" => keep(system, |concept| !what.any(concept, &|own| value.split(',').any(|one| one.trim() == own))),
        "exists" => keep(system, |concept| what.any(concept, &|_| true) == (value != "false")),
        "regex" => {
            let whole = RegexBuilder::new(&format!("^(?:{value})$")).size_limit(REGEX_BYTES_MAX).build();
            let whole = whole.map_err(|_| "its regular expression cannot be read".to_owned())?;
            any(&|own| whole.is_match(own))
        }
        other => return Err(format!("the comparison {other} is not known")),
    })
}

fn by_hierarchy(system: &System, filter: &Filter) -> Result<Vec<u32>, String> {
    // R4 compares the place of the code itself, and calls that property `concept`; `code` is met too.
    if !matches!(filter.property.as_str(), "concept" | "code") {
        return Err(format!("the comparison {} is about concepts, not about {}", filter.op, filter.property));
    }
    let top = system.concept(&filter.value).ok_or("it names a code that the system does not have")?.number();
    Ok(match filter.op.as_str() {
        "is-a" => own(system, system.with_below(top)),
        "descendent-of" => own(system, system.with_below(top)).into_iter().filter(|number| *number != top).collect(),
        "is-not-a" => {
            let below = system.with_below(top);
            keep(system, |concept| below.binary_search(&concept.number()).is_err())
        }
        _ => own(system, system.with_above(top)),
    })
}

/// Those of `numbers` that are the system's own codes.
fn own(system: &System, numbers: Vec<u32>) -> Vec<u32> {
    let mut own = keep(system, |_| true);
    own.retain(|number| numbers.binary_search(number).is_ok());
    own
}

fn keep<'s>(system: &'s System, test: impl Fn(Concept<'s>) -> bool) -> Vec<u32> {
    system.concepts().filter(|concept| test(*concept)).map(|concept| concept.number()).collect()
}

/// What of a code is looked at.
enum What {
    Code,
    Display,
    Parent,
    Child,
    Inactive,
    Abstract,
    /// A property, by its number.
    Property(u32),
}

impl What {
    fn named(system: &System, property: &str) -> Option<What> {
        Some(match property {
            "code" | "concept" => What::Code,
            "display" => What::Display,
            "parent" => What::Parent,
            "child" => What::Child,
            "inactive" => What::Inactive,
            "notSelectable" | "abstract" => What::Abstract,
            other => What::Property(system.property(other)?),
        })
    }

    /// Whether any of the values meets `test`.
    fn any(&self, concept: Concept<'_>, test: &dyn Fn(&str) -> bool) -> bool {
        let flag = |is_set: bool| test(if is_set { "true" } else { "false" });
        match self {
            What::Code => test(concept.code()),
            What::Display => concept.display().is_some_and(test) || concept.designations().any(|(_, name)| test(name)),
            What::Parent => concept.parents().any(|parent| test(parent.code())),
            What::Child => concept.children().any(|child| test(child.code())),
            What::Inactive => flag(concept.is_inactive()),
            What::Abstract => flag(concept.is_abstract()),
            What::Property(number) => concept.values_of(*number).any(test),
        }
    }
}
