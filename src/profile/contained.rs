//! What is asked of a resource as a whole, once its elements have been walked: contained resources that are pointed
//! at and have ids (`dom-3`), narratives that lead somewhere, and the rules of a Bundle.

use super::check::Walk;
use super::plan::{Form, Kind};
use super::xhtml;
use crate::document::{Document, Node};
use crate::issue::{Issue, Rule};
use std::collections::HashSet;

impl<'p, 'd> Walk<'p, 'd> {
    /// Judges `resource` as a whole; `mark` is where what it points at begins.
    pub(super) fn resource_as_whole(&mut self, resource: Node<'d>, kind: &Kind, mark: usize) {
        self.narratives_lead_somewhere(resource);
        if kind.form == Form::Resource && &*kind.path == "Bundle" {
            self.bundle(resource);
        } else if kind.form == Form::Resource && resource.children().any(|child| child.is(self.names.contained)) {
            self.contained_are_named(resource, kind);
            self.contained_are_used(resource, kind, mark);
        }
    }

    /// Notes whether a contained resource, gathered since `mark`, points at its container.
    pub(super) fn end_contained(&mut self, resource: Node<'d>, mark: usize) {
        if self.locals.pointed_at.iter().skip(mark).any(|id| id.is_empty()) {
            self.locals.pointing_out.insert(resource.id());
        }
    }

    /// Each contained resource has an id, and each its own: nothing else can point at it (R4, references.html).
    fn contained_are_named(&mut self, resource: Node<'d>, kind: &Kind) {
        let names = self.names;
        let mut seen = HashSet::new();
        for contained in resource.children().filter(|child| child.is(names.contained)) {
            if self.is_full {
                return;
            }
            let id = contained.child(names.id);
            let (at, message, hint) = match id.map(|id| (id, id.string())) {
                None => {
                    (contained, "a contained resource has an `id`", "add an `id`, and point at it with # and the id")
                }
                Some((_, Some(text))) if seen.insert(text) => continue,
                // An id of another form has been told as that.
                Some((_, None)) => continue,
                Some((id, Some(_))) => (
                    id,
                    "another contained resource of the same resource has this `id`",
                    "give each contained resource its own `id`",
                ),
            };
            let issue = Issue::new(Rule::ContainedId, message).hint(hint);
            self.tell(at, issue.asked_by(format!("{}.contained of {}", kind.path, self.plan.url(kind))));
        }
    }

    /// `dom-3`: each contained resource is pointed at from elsewhere in the resource, or points at its container.
    fn contained_are_used(&mut self, resource: Node<'d>, kind: &Kind, mark: usize) {
        let names = self.names;
        let used: HashSet<&str> = self.locals.pointed_at.iter().skip(mark).copied().collect();
        for contained in resource.children().filter(|child| child.is(names.contained)) {
            if self.is_full {
                return;
            }
            let Some(id) = contained.child(names.id).and_then(|id| id.string()) else { continue };
            if used.contains(id) || self.locals.pointing_out.contains(&contained.id()) {
                continue;
            }
            let message =
                "a contained resource is pointed at from elsewhere in the resource, or points at its container";
            // What it is for only the sender knows: it may be the patient, with the reference misspelt.
            let issue = Issue::new(Rule::Invariant, message)
                .hint("point at it with # and its id, or leave it out")
                .asked_by(format!("dom-3 of {}", self.plan.url(kind)));
            self.tell(contained, issue);
        }
    }

    /// Links and pictures of a narrative that point inside: something there has that id, or the name of an anchor.
    fn narratives_lead_somewhere(&mut self, resource: Node<'d>) {
        while let Some((_, narrative)) = self.locals.narratives.pop_if(|(of, _)| *of == resource.id()) {
            let Some(text) = narrative.string() else { continue };
            let document = self.root.document();
            let links = xhtml::links(text);
            // A contained resource counts as pointed at by the narrative too.
            self.locals.pointed_at.extend(links.asked.iter().copied());
            let places = self.places.get_or_init(|| places(document));
            if links.asked.iter().any(|id| !places.contains(id)) {
                let message = "the narrative points at a place with # that is not in the resource";
                let issue = Issue::new(Rule::NarrativeLink, message)
                    .hint("give the place an `id`, or point at one that has it")
                    .asked_by("Narrative.div of http://hl7.org/fhir/StructureDefinition/Narrative");
                self.tell(narrative, issue);
            }
        }
    }
}

/// Every id of the document, and what its narratives offer: looked through once, when a narrative asks.
fn places(document: &Document) -> HashSet<&str> {
    let mut places = HashSet::new();
    let mut waiting = vec![document.root()];
    while let Some(node) = waiting.pop() {
        for child in node.children() {
            match child.string() {
                Some(id) if child.name() == "id" => {
                    places.insert(id);
                }
                Some(text) if child.name() == "div" => places.extend(xhtml::links(text).offered),
                Some(_) | None => {}
            }
            if child.has_children() {
                waiting.push(child);
            }
        }
    }
    places
}
