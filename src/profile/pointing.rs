//! What a profile asks of the target of a reference beyond its type: profiles of its own, and how it is reached
//! (`ElementDefinition.type.targetProfile`, `aggregation`, `versioning`).

use super::address::Address;
use super::definition::TypeReference;
use super::resources::Resolution;
use crate::document::Name;

/// What a profile asks of the targets of a reference.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Pointing {
    /// The profiles that are asked for; empty when types alone are.
    profiles: Vec<TargetProfile>,
    /// True for each way by which the target may be reached; all false when any will do.
    is_contained: bool,
    is_bundled: bool,
    is_referenced: bool,
    versioning: Versioning,
}

/// A profile that the target of a reference may fit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TargetProfile {
    pub(super) url: Box<str>,
    pub(super) type_name: Name,
    /// The profile's number; none for the base definition of a type, which is asked of every resource anyway.
    pub(super) origin: Option<u32>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Versioning {
    #[default]
    Either,
    Independent,
    Specific,
}

impl Pointing {
    /// What `one` asks; none when it asks for types only. `profiles` are those of its target profiles that are
    /// loaded; where one is not loaded, anything could be meant, and none are given.
    pub(super) fn of(one: &TypeReference, profiles: Vec<TargetProfile>) -> Option<Pointing> {
        let has = |mode: &str| one.aggregation.iter().any(|known| known == mode);
        let pointing = Pointing {
            profiles: if profiles.iter().any(|profile| profile.origin.is_some()) { profiles } else { Vec::new() },
            is_contained: has("contained"),
            is_bundled: has("bundled"),
            is_referenced: has("referenced"),
            versioning: match one.versioning.as_deref() {
                Some("independent") => Versioning::Independent,
                Some("specific") => Versioning::Specific,
                Some(_) | None => Versioning::Either,
            },
        };
        (pointing != Pointing::default()).then_some(pointing)
    }

    /// The profiles of which the target fits one, where it is asked to.
    pub(super) fn profiles(&self) -> Option<&[TargetProfile]> {
        (!self.profiles.is_empty()).then_some(self.profiles.as_slice())
    }

    /// What is wrong with the way in which an address reaches its target, and the way out.
    pub(super) fn mode_fault(
        &self,
        address: Address<'_>,
        found: Resolution<'_>,
    ) -> Option<(&'static str, &'static str)> {
        let is_local = matches!(address, Address::Local(_));
        let is_in_bundle = !is_local && found != Resolution::Elsewhere;
        let is_open = !(self.is_contained || self.is_bundled || self.is_referenced);
        let is_reached = is_open
            || (self.is_contained && is_local)
            || (self.is_bundled && is_in_bundle)
            || (self.is_referenced && !is_local);
        if !is_reached {
            return Some(match (self.is_contained, self.is_bundled) {
                (true, false) => {
                    ("what this points at is contained here", "contain it, and point at it with # and its id")
                }
                (false, true) => {
                    ("what this points at is in the same Bundle", "add it as an entry, and point at its `fullUrl`")
                }
                (true, true) => ("what this points at is contained here or in the same Bundle", "send it along"),
                (false, false) => ("what this points at is not contained here", "point at it where it is"),
            });
        }
        let has_version = address.target().is_some_and(|target| target.version.is_some());
        match (self.versioning, has_version) {
            (Versioning::Specific, false) if !is_local => {
                Some(("the reference names a version", "end it in /_history/ and the version"))
            }
            (Versioning::Independent, true) => {
                Some(("the reference names no version", "leave /_history/ and what follows out"))
            }
            (Versioning::Specific | Versioning::Independent | Versioning::Either, _) => None,
        }
    }
}
