//! Invariants about how the parts of one resource find each other: `ref-1` and `dom-3` for contained resources and
//! references to them, `bdl-3`, `bdl-4` and `bdl-7` for the entries of a Bundle.
//!
//! As expressions they look through the whole resource for each reference, contained resource or entry, which large
//! or hostile input makes quadratic. Here one walk gathers what is pointed at, and each is looked up.

use super::check::Walk;
use super::plan::{Form, Kind};
use crate::document::{Node, NodeId};
use crate::issue::{Issue, Rule};
use std::collections::HashSet;

/// What a walk has gathered of references inside resources.
#[derive(Default)]
pub(super) struct Locals<'d> {
    /// The ids that have been pointed at with `#id`, in the order of the walk; "" for `#`, the container itself.
    pointed_at: Vec<&'d str>,
    /// The ids of the resources that the root contains, once something points at one; with the root's number.
    contained: Option<(NodeId, HashSet<&'d str>)>,
    /// Contained resources that point at their container.
    pointing_out: HashSet<NodeId>,
}

impl<'d> Locals<'d> {
    /// How many have been gathered: what comes after belongs to what is walked next.
    pub(super) fn mark(&self) -> usize {
        self.pointed_at.len()
    }
}

impl<'p, 'd> Walk<'p, 'd> {
    /// Gathers what an address points at inside the resource.
    pub(super) fn note_local(&mut self, node: Node<'d>) {
        if let Some(id) = node.string().and_then(|address| address.strip_prefix('#')) {
            self.locals.pointed_at.push(id);
        }
    }

    /// `ref-1`: what a local reference points at is there.
    pub(super) fn local_reference(&mut self, reference: Node<'d>, address: &'d str) {
        // `#` alone is the resource that contains this one.
        let Some(id) = address.strip_prefix('#').filter(|id| !id.is_empty()) else { return };
        let root = self.root;
        let names = self.names;
        let known = match &mut self.locals.contained {
            Some((of, ids)) if *of == root.id() => ids,
            stale => {
                let contained = root.children().filter(|child| child.is(names.contained));
                let ids = contained.filter_map(|resource| resource.child(names.id)?.string()).collect();
                &mut stale.insert((root.id(), ids)).1
            }
        };
        if !known.contains(id) {
            let issue = Issue::new(Rule::Invariant, "a reference with # points at a resource that is contained here")
                .hint("add the resource to `contained` with this id, or point at it where it is")
                .asked_by("ref-1 of http://hl7.org/fhir/StructureDefinition/Reference");
            self.tell(reference, issue);
        }
    }

    /// Notes whether a contained resource, gathered since `mark`, points at its container.
    pub(super) fn end_contained(&mut self, resource: Node<'d>, mark: usize) {
        if self.locals.pointed_at.iter().skip(mark).any(|id| id.is_empty()) {
            self.locals.pointing_out.insert(resource.id());
        }
    }

    /// What a Bundle asks of its entries: `bdl-3`, `bdl-4` and `bdl-7`.
    pub(super) fn entries(&mut self, bundle: Node<'d>) {
        let kind = bundle.child_named("type").and_then(|kind| kind.string()).unwrap_or("");
        let has_requests = matches!(kind, "batch" | "transaction" | "history");
        let has_responses = matches!(kind, "batch-response" | "transaction-response" | "history");
        for entry in bundle.children_named("entry") {
            if self.is_full {
                return;
            }
            self.entry_part(entry, "request", has_requests, "bdl-3");
            self.entry_part(entry, "response", has_responses, "bdl-4");
        }
        if kind != "history" {
            self.full_urls_differ(bundle);
        }
    }

    /// That an entry has a part where its Bundle's type asks for it, and nowhere else.
    fn entry_part(&mut self, entry: Node<'d>, name: &str, is_asked: bool, key: &str) {
        let found = entry.child_named(name);
        let (at, message, hint) = match (found, is_asked) {
            (Some(_), true) | (None, false) => return,
            (Some(found), false) => (found, "does not belong in a Bundle of this type", "leave it out, or"),
            (None, true) => (entry, "belongs in each entry of a Bundle of this type", "add it, or"),
        };
        let issue = Issue::new(Rule::Invariant, format!("`{name}` {message}"))
            .hint(format!("{hint} see to the Bundle's `type`"))
            .asked_by(format!("{key} of http://hl7.org/fhir/StructureDefinition/Bundle"));
        self.tell(at, issue);
    }

    /// `bdl-7`: no two entries have the same `fullUrl`, unless they are versions of one resource.
    fn full_urls_differ(&mut self, bundle: Node<'d>) {
        let mut seen = HashSet::new();
        for entry in bundle.children_named("entry") {
            if self.is_full {
                return;
            }
            let Some(url) = entry.child_named("fullUrl") else { continue };
            let version = entry.descend(&["resource", "meta", "versionId"]).and_then(|version| version.string());
            if url.string().is_some_and(|text| !seen.insert((text, version))) {
                let issue = Issue::new(Rule::Invariant, "two entries of a Bundle do not have the same `fullUrl`")
                    .hint("give each entry its own `fullUrl`, or send one entry for each resource")
                    .asked_by("bdl-7 of http://hl7.org/fhir/StructureDefinition/Bundle");
                self.tell(url, issue);
            }
        }
    }

    /// `dom-3`: each contained resource is pointed at from elsewhere in the resource, or points at its container.
    pub(super) fn contained_are_used(&mut self, resource: Node<'d>, kind: &Kind, mark: usize) {
        let names = self.names;
        let is_contained = |child: &Node<'d>| child.is(names.contained);
        if kind.form != Form::Resource || !resource.children().any(|child| is_contained(&child)) {
            return;
        }
        let used: HashSet<&str> = self.locals.pointed_at.iter().skip(mark).copied().collect();
        for contained in resource.children().filter(is_contained) {
            if self.is_full {
                return;
            }
            let Some(id) = contained.child(names.id).and_then(|id| id.string()) else { continue };
            if used.contains(id) || self.locals.pointing_out.contains(&contained.id()) {
                continue;
            }
            let message =
                "a contained resource is pointed at from elsewhere in the resource, or points at its container";
            let issue = Issue::new(Rule::Invariant, message)
                .hint("point at it with # and its id, or leave it out")
                .asked_by(format!("dom-3 of {}", self.plan.url(kind)));
            self.tell(contained, issue);
        }
    }
}
