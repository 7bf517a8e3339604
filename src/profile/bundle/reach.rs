//! Documents and messages: what their first resource points at is in the Bundle, and nothing else is (documents.html,
//! Document Content; messaging.html).

use super::BUNDLE;
use crate::document::{Node, NodeId};
use crate::issue::{Issue, Rule, Severity};
use crate::profile::check::Walk;
use crate::profile::resources::{BundleKind, Resolution};
use std::collections::{HashMap, HashSet};

impl<'p, 'd> Walk<'p, 'd> {
    /// A document holds what its Composition points at.
    pub(super) fn composition(&mut self, composition: Node<'d>) {
        for name in ["subject", "encounter", "author", "custodian"] {
            self.in_bundle(composition, name);
        }
        composition.children_named("attester").for_each(|attester| self.in_bundle(attester, "party"));
        composition.children_named("event").for_each(|event| self.in_bundle(event, "detail"));
        // Sections nest no deeper than the reader lets any element nest.
        let mut sections: Vec<_> = composition.children_named("section").collect();
        while let Some(section) = sections.pop() {
            if self.is_full {
                return;
            }
            for name in ["author", "focus", "entry"] {
                self.in_bundle(section, name);
            }
            sections.extend(section.children_named("section"));
        }
    }

    /// A message holds what its MessageHeader is about.
    pub(super) fn message_header(&mut self, header: Node<'d>) {
        self.in_bundle(header, "focus");
    }

    fn in_bundle(&mut self, holder: Node<'d>, name: &str) {
        for reference in holder.children_named(name) {
            if self.is_full {
                return;
            }
            let Some(address) = reference.child(self.names.reference) else { continue };
            let is_local = address.string().is_none_or(|text| text.starts_with('#'));
            let found = address.string().map(|text| self.resources().resolve(reference, text, self.names));
            if is_local || found != Some(Resolution::Elsewhere) {
                continue;
            }
            let issue = Issue::new(Rule::BundleContent, format!("what `{name}` points at is not in the Bundle"))
                .hint("add it as an entry whose `fullUrl` this reference leads to")
                .asked_by(format!("Bundle.entry of {BUNDLE}"));
            self.tell(address, issue);
        }
    }

    /// Every entry is reached from the first by following references, or points at one that is.
    pub(super) fn reachable(&mut self, bundle: Node<'d>, first: Node<'d>, kind: BundleKind) {
        let names = self.names;
        let mut reach = Reach::default();
        for (from, to) in &self.locals.links {
            reach.to.entry(*from).or_default().push(*to);
            reach.from.entry(*to).or_default().push(*from);
        }
        reach.forward(first.id());
        let sheets = bundle
            .children_named("link")
            .filter(|link| link.child_named("relation").and_then(|relation| relation.string()) == Some("stylesheet"));
        for sheet in sheets {
            let address = sheet.child_named("url").and_then(|url| url.string()).unwrap_or("");
            if let Some(found) = self.resources().resolve(bundle, address, names).resource() {
                reach.forward(found.id());
            }
        }
        let backward = reach.backward();
        for entry in bundle.children().filter(|child| child.is(names.entry)) {
            if self.is_full {
                return;
            }
            let Some(resource) = entry.child_named("resource") else { continue };
            let is_lost = !reach.visited.contains(&resource.id());
            let is_backward = backward.contains(&resource.id()) && resource.resource_type() != Some("Provenance");
            let (message, severity) = match (is_lost, is_backward, kind) {
                (false, false, _) => continue,
                (false, true, BundleKind::Document) => {
                    ("is reached only from itself, which R4 does not provide for documents", Severity::Warning)
                }
                (false, true, _) => ("is reached only from itself", Severity::Information),
                (true, _, BundleKind::Document) => ("is not reached from the Composition", Severity::Error),
                (true, _, _) => ("is not reached from the MessageHeader", Severity::Warning),
            };
            let issue = Issue::new(Rule::BundleUnreachable, format!("the entry {message}"))
                .hint("point at it from what needs it, or leave it out")
                .asked_by(format!("Bundle.entry of {BUNDLE}"))
                .severity(severity);
            self.tell(entry, issue);
        }
    }
}

/// Which entries have been reached.
#[derive(Default)]
struct Reach {
    to: HashMap<NodeId, Vec<NodeId>>,
    from: HashMap<NodeId, Vec<NodeId>>,
    visited: HashSet<NodeId>,
    /// The visited ones, in order.
    order: Vec<NodeId>,
}

impl Reach {
    /// Visits `start` and all that it leads to.
    fn forward(&mut self, start: NodeId) {
        let mut waiting = vec![start];
        while let Some(at) = waiting.pop() {
            if self.visited.insert(at) {
                self.order.push(at);
                waiting.extend(self.to.get(&at).into_iter().flatten());
            }
        }
    }

    /// Visits all that lead to what has been visited, and what they lead to; gives those that only lead there.
    fn backward(&mut self) -> HashSet<NodeId> {
        let mut found = HashSet::new();
        let mut next = 0;
        while let Some(at) = self.order.get(next).copied() {
            next += 1;
            // Each is looked at once, and each link from its far end once.
            for from in self.from.remove(&at).into_iter().flatten() {
                if !self.visited.contains(&from) {
                    found.insert(from);
                    self.forward(from);
                }
            }
        }
        found
    }
}
