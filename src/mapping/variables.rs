//! What expressions of a mapping may know beside the input.

use crate::document::{Document, Node};
use crate::fhirpath::{Collection, Context};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Variables that every mapping knows.
pub(super) const ALWAYS: &[&str] = &["sender", "id", "now", "gateway"];
/// Variables that only mappings out of the canonical model know.
pub(super) const OUTBOUND: &[&str] = &["change", "appointment"];

/// The well-known identifier systems behind `%id`.
pub(super) const SYSTEMS: &[(&str, &str)] = &[
    ("nhs_number", "https://fhir.nhs.uk/Id/nhs-number"),
    ("ods", "https://fhir.nhs.uk/Id/ods-organization-code"),
    ("pathway", "https://fhir.nhs.uk/Id/PathwayId"),
    ("ubrn", "https://fhir.nhs.uk/Id/UBRN"),
    ("usrn", "https://fhir.nhs.uk/Id/USRN"),
    ("request", "urn:stile:request"),
    ("message", "urn:stile:message"),
    ("pifu_booking", "urn:stile:pifu-booking"),
];

/// The members of `%change`.
pub(super) const CHANGE: &[&str] = &["id", "message_id", "requested_at", "organisation", "appointment"];
/// The members of `%gateway`.
pub(super) const GATEWAY: &[&str] = &["base"];

/// What a mapping may know beside its input.
#[derive(Debug, Clone, Copy)]
pub struct Variables<'a> {
    /// `%sender`: how the sender speaks (inbound) or how the receiver is spoken to (outbound), from the settings.
    pub sender: &'a BTreeMap<String, String>,
    /// `%now`, as text in UTC; also what `now()` is.
    pub now: Timestamp,
    /// Trees by name, for mappings out of the canonical model: `change` (`id`, `message_id`, `requested_at`,
    /// `organisation`, `appointment`: the gateway's id of the appointment), `appointment` (the canonical appointment
    /// as the store has it), `gateway` (`base`). What is not given is empty.
    pub trees: &'a [(&'a str, &'a Document)],
}

impl Variables<'_> {
    /// `%sender` as a tree.
    pub(super) fn sender_tree(&self) -> Document {
        let mut tree = Document::over(String::new());
        for (name, value) in self.sender {
            let node = tree.append(crate::document::NodeId::ROOT, name, false);
            tree.set_string(node, value);
        }
        tree
    }

    /// The surroundings of an evaluation over `root`.
    pub(super) fn context<'d>(&self, root: Node<'d>, sender: &'d Document) -> Context<'d>
    where
        Self: 'd,
    {
        let mut context = Context::new(root)
            .now(self.now)
            .variable("sender", Collection::node(sender.root()))
            .variable("id", Collection::node(identifier_systems().root()))
            .variable("now", Collection::text(self.now.to_string()));
        for known in ["gateway", "change", "appointment"] {
            let given = self.trees.iter().find(|(name, _)| *name == known);
            let value = given.map_or(Collection::new(), |(_, tree)| Collection::node(tree.root()));
            context = context.variable(known, value);
        }
        context
    }
}

fn identifier_systems() -> &'static Document {
    static TREE: OnceLock<Document> = OnceLock::new();
    TREE.get_or_init(|| {
        let members = SYSTEMS.iter().map(|(name, system)| ((*name).to_owned(), (*system).into()));
        Document::from_value(&serde_json::Value::Object(members.collect()))
    })
}
