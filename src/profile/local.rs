//! What a walk gathers about the places inside a document: who points where, and which ids have been given.
//!
//! As expressions, invariants about how parts find each other look through the whole resource for each reference,
//! contained resource or entry, which large or hostile input makes quadratic. Here one walk gathers what is pointed
//! at, and each is looked up once.

use super::Primitive;
use super::check::Walk;
use super::resources::{BundleKind, Resolution};
use crate::document::{Node, NodeId};
use crate::issue::{Issue, Rule, Severity};
use std::collections::HashSet;

/// What a walk has gathered.
#[derive(Default)]
pub(super) struct Locals<'d> {
    /// The ids that have been pointed at with `#id`, in the order of the walk; "" for `#`, the container itself.
    pub(super) pointed_at: Vec<&'d str>,
    /// Contained resources that point at their container.
    pub(super) pointing_out: HashSet<NodeId>,
    /// The ids of elements, with the resource that each stands in.
    ids: HashSet<(NodeId, &'d str)>,
    /// Narratives that point inside their resource, with that resource; those of the innermost last.
    pub(super) narratives: Vec<(NodeId, Node<'d>)>,
    /// Which entry of a document or message points at which, by their resources.
    pub(super) links: Vec<(NodeId, NodeId)>,
}

impl<'d> Locals<'d> {
    /// How many have been gathered: what comes after belongs to what is walked next.
    pub(super) fn mark(&self) -> usize {
        self.pointed_at.len()
    }
}

impl<'p, 'd> Walk<'p, 'd> {
    /// Gathers what a sound primitive says about other places: where it points, and its element's id.
    pub(super) fn note(&mut self, node: Node<'d>, primitive: Primitive) {
        let names = self.names;
        if matches!(primitive, Primitive::Uri | Primitive::Url | Primitive::Canonical) {
            self.note_address(node, primitive);
        } else if node.is(names.reference) {
            self.note_local(node);
        } else if node.is(names.id) {
            self.bare_id(node);
            self.note_id(node);
        } else if primitive == Primitive::Xhtml {
            self.note_narrative(node);
        }
    }

    fn note_local(&mut self, node: Node<'d>) {
        if let Some(id) = node.string().and_then(|address| address.strip_prefix('#')) {
            self.locals.pointed_at.push(id);
        }
    }

    fn note_address(&mut self, node: Node<'d>, primitive: Primitive) {
        let Some(address) = node.string() else { return };
        if let Some(id) = address.strip_prefix('#') {
            self.locals.pointed_at.push(id);
            if primitive == Primitive::Canonical
                && self.resources().resolve(node, address, self.names) == Resolution::Elsewhere
            {
                let issue = Issue::new(Rule::ReferenceUnresolved, "a canonical with # names what is contained here")
                    .hint("add the resource to `contained` with this id, or write the url of the definition");
                self.tell(node, issue.asked_by("http://hl7.org/fhir/StructureDefinition/canonical"));
            }
            return;
        }
        // A uri or url can hold entries of a document together; a canonical names a definition, a system a list.
        let is_link = primitive != Primitive::Canonical && !node.is(self.names.system) && !node.is(self.names.url);
        if is_link && self.resources().has_entries() {
            let found = self.resources().resolve(node, address, self.names);
            if let Some(target) = found.resource() {
                self.note_link(target);
            }
        }
    }

    /// Gathers that the entry at hand points at the entry of `target`, where entries must be reachable.
    pub(super) fn note_link(&mut self, target: Node<'d>) {
        let from = self.root;
        let kind = self.resources().entry(from).map(|entry| entry.kind);
        if matches!(kind, Some(BundleKind::Document | BundleKind::Message)) && from.id() != target.id() {
            self.locals.links.push((from.id(), target.id()));
        }
    }

    /// Gathers the id of an element, and tells it when another element of the resource has it too.
    fn note_id(&mut self, node: Node<'d>) {
        let (Some(element), Some(id)) = (node.parent(), node.string()) else { return };
        // A resource's own id is another thing: contained resources find each other by it.
        if element.resource_type().is_some() || self.locals.ids.insert((self.resource.id(), id)) {
            return;
        }
        let issue = Issue::new(Rule::ElementIdDuplicate, "another element of the resource has the same `id`")
            .hint("give each element its own `id`, or leave it out where nothing points at it");
        self.tell(node, issue.asked_by("Element.id of http://hl7.org/fhir/StructureDefinition/Element"));
    }

    fn note_narrative(&mut self, node: Node<'d>) {
        if node.string().is_some_and(|text| text.contains("\"#") || text.contains("'#")) {
            self.locals.narratives.push((self.resource.id(), node));
        }
    }

    /// `ref-1`: what a local reference points at is there.
    pub(super) fn local_reference(&mut self, reference: Node<'d>, address: &'d str) {
        // `#` alone is the resource that contains this one.
        if address == "#" || self.resources().resolve(reference, address, self.names) != Resolution::Elsewhere {
            return;
        }
        let issue = Issue::new(Rule::Invariant, "a reference with # points at a resource that is contained here")
            .hint("add the resource to `contained` with this id, or point at it where it is")
            .asked_by("ref-1 of http://hl7.org/fhir/StructureDefinition/Reference")
            .severity(Severity::Error);
        self.tell(reference, issue);
    }
}
