//! Bundles: what R4 asks of each type of Bundle beyond what its definition lists (bundle.html, documents.html,
//! messaging.html, http.html).
//!
//! Each rule is one pass over the entries, so a Bundle costs in proportion to its size.

mod entries;
mod links;
mod reach;
mod request;
mod searchset;

use super::check::Walk;
use super::resources::BundleKind;
use crate::document::Node;
use crate::issue::{Issue, Rule};

/// What asks for the rules of a Bundle.
const BUNDLE: &str = "http://hl7.org/fhir/StructureDefinition/Bundle";

impl<'p, 'd> Walk<'p, 'd> {
    /// What is asked of a Bundle whose entries have been walked.
    pub(super) fn bundle(&mut self, bundle: Node<'d>) {
        let kind = BundleKind::of(bundle, self.names);
        self.entries(bundle, kind);
        self.bundle_links(bundle, kind);
        match kind {
            BundleKind::Document => self.first_entry(bundle, "Composition", "a document", kind),
            BundleKind::Message => self.first_entry(bundle, "MessageHeader", "a message", kind),
            BundleKind::Searchset => self.search_result(bundle),
            BundleKind::Transaction | BundleKind::Batch => self.requests(bundle, kind),
            BundleKind::Response | BundleKind::History | BundleKind::Collection => {}
        }
    }

    /// `bdl-11`, `bdl-12`: a document or message begins with the resource that says what the others are there for.
    fn first_entry(&mut self, bundle: Node<'d>, type_name: &str, what: &str, kind: BundleKind) {
        let first = bundle.child(self.names.entry);
        let resource = first.and_then(|entry| entry.child_named("resource"));
        if resource.and_then(|resource| resource.resource_type()) != Some(type_name) {
            let key = if kind == BundleKind::Document { "bdl-11" } else { "bdl-12" };
            let message = format!("{what} begins with an entry that has its {type_name}");
            let issue =
                Issue::new(Rule::BundleFirst, message).hint(format!("put the {type_name} into the first entry"));
            self.tell(first.unwrap_or(bundle), issue.asked_by(format!("{key} of {BUNDLE}")));
        } else if let Some(resource) = resource {
            match kind {
                BundleKind::Document => self.composition(resource),
                _ => self.message_header(resource),
            }
        }
        let Some(resource) = resource else { return };
        self.reachable(bundle, resource, kind);
    }
}
