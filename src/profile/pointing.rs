//! What a profile asks of the target of a reference beyond its type: profiles of its own, and how it is reached
//! (`ElementDefinition.type.targetProfile`, `aggregation`, `versioning`).

use super::address::Address;
use super::check::{Pass, Walk};
use super::definition::TypeReference;
use super::plan::KindId;
use super::resources::Resolution;
use crate::document::{Name, Node};
use crate::issue::any_refuses;

/// How deep one profile is followed through references to the next.
const DEPTH_MAX: usize = 16;

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
    /// What the profile asks; none for the base definition of a type, which is asked of every resource anyway.
    pub(super) kind: Option<KindId>,
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
            profiles: if profiles.iter().any(|profile| profile.kind.is_some()) { profiles } else { Vec::new() },
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

impl<'p, 'd> Walk<'p, 'd> {
    /// Whether `resource` fits a profile of its type. It is tried once for each profile, and what is found is not told:
    /// the resource's own faults are told where it stands. A chain of references from profile to profile is followed
    /// 16 deep, and a circle comes to an end.
    pub(super) fn fits_profile(&mut self, resource: Node<'d>, profile: KindId) -> bool {
        let key = (resource.id(), profile);
        if let Some(known) = self.tried.get(&key) {
            return *known;
        }
        if self.trial_depth >= DEPTH_MAX {
            return true;
        }
        // While it is being tried it is taken to fit: that ends circles.
        self.tried.insert(key, true);
        let root = if resource.is(self.names.contained) { resource.parent().unwrap_or(resource) } else { resource };
        let issues = std::mem::take(&mut self.issues);
        let outer = (self.pass, self.resource, self.root, self.mild_count, self.is_full);
        (self.pass, self.resource, self.root, self.mild_count, self.is_full) =
            (Pass::Profile, resource, root, 0, false);
        self.trial_depth += 1;
        self.complex(resource, profile);
        self.trial_depth -= 1;
        (self.pass, self.resource, self.root, self.mild_count, self.is_full) = outer;
        let fits = !any_refuses(&std::mem::replace(&mut self.issues, issues));
        self.tried.insert(key, fits);
        fits
    }
}
