//! The resources of a document by what references call them, and where a reference leads.
//!
//! Resolution follows R4's bundle.html (Resolving references in Bundles): a version is held against
//! `meta.versionId`; an absolute address is looked for among the `fullUrl`s; a relative one is made absolute with the
//! base of the `fullUrl` of the entry that it stands in. Where that is a URN, `Type/id` means the entry that goes by
//! the id as such a URN, as HL7's validator reads it; where the entry has none, the entry of this type and id. A
//! Bundle in a Bundle is asked first, then the one around it. Of what goes by one name twice the first counts.

use super::address::{Address, Target};
use super::check::Walk;
use super::plan::Names;
use crate::document::{Document, Node, NodeId};
use std::collections::HashMap;

/// The resources of one document.
#[derive(Debug, Default)]
pub(super) struct Resources<'d> {
    /// Contained resources by their container and id.
    contained: HashMap<(NodeId, &'d str), Found<'d>>,
    /// Entries by their Bundle, `fullUrl` and version. A `fullUrl` is kept in two parts: the base of a server and the
    /// rest, so that a relative reference is looked up without making text.
    urls: HashMap<(NodeId, Url<'d>, Option<&'d str>), Found<'d>>,
    /// Entries by their Bundle and the type and id of their resource; for Parameters likewise.
    identities: HashMap<(NodeId, &'d str, &'d str), Found<'d>>,
    /// The entries by their resource.
    entries: HashMap<NodeId, Entry<'d>>,
    /// The Bundles by their number.
    bundles: HashMap<NodeId, BundleKind>,
}

/// An entry of a Bundle that has a resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'d> {
    /// The Bundle.
    pub(super) bundle: Node<'d>,
    /// What kind of Bundle it is.
    pub(super) kind: BundleKind,
    /// The entry's `fullUrl`.
    pub(super) full_url: Option<&'d str>,
}

/// The `type` of a Bundle, so far as references mind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BundleKind {
    /// `document`.
    Document,
    /// `message`.
    Message,
    /// `transaction`.
    Transaction,
    /// `batch`.
    Batch,
    /// `transaction-response` or `batch-response`.
    Response,
    /// `history`.
    History,
    /// `searchset`.
    Searchset,
    /// `collection`, or a type that R4 does not have.
    Collection,
}

impl BundleKind {
    /// The kind of this Bundle.
    pub(super) fn of(bundle: Node<'_>, names: &Names) -> BundleKind {
        match bundle.child(names.type_).and_then(|kind| kind.string()) {
            Some("document") => BundleKind::Document,
            Some("message") => BundleKind::Message,
            Some("transaction") => BundleKind::Transaction,
            Some("batch") => BundleKind::Batch,
            Some("transaction-response" | "batch-response") => BundleKind::Response,
            Some("history") => BundleKind::History,
            Some("searchset") => BundleKind::Searchset,
            Some(_) | None => BundleKind::Collection,
        }
    }
}

/// An address in two parts: base, type and id of a server's; else all of it alone.
type Url<'t> = (&'t str, &'t str, &'t str);

#[derive(Debug, Clone, Copy)]
struct Found<'d> {
    resource: Node<'d>,
    /// More than one resource goes by this name.
    is_ambiguous: bool,
}

/// Where a reference leads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Resolution<'d> {
    /// To this resource.
    Found(Node<'d>),
    /// To several resources, of which this is the first.
    Ambiguous(Node<'d>),
    /// Not into this document.
    Elsewhere,
}

impl<'d> Resolution<'d> {
    /// The resource that it leads to; the first of several.
    pub(super) fn resource(self) -> Option<Node<'d>> {
        match self {
            Resolution::Found(resource) | Resolution::Ambiguous(resource) => Some(resource),
            Resolution::Elsewhere => None,
        }
    }
}

impl<'d> From<Option<&Found<'d>>> for Resolution<'d> {
    fn from(found: Option<&Found<'d>>) -> Self {
        match found {
            None => Resolution::Elsewhere,
            Some(Found { resource, is_ambiguous: false }) => Resolution::Found(*resource),
            Some(Found { resource, is_ambiguous: true }) => Resolution::Ambiguous(*resource),
        }
    }
}

fn add<'d, K: std::hash::Hash + Eq>(map: &mut HashMap<K, Found<'d>>, key: K, resource: Node<'d>) {
    let added = Found { resource, is_ambiguous: false };
    map.entry(key).and_modify(|known| known.is_ambiguous = true).or_insert(added);
}

fn url<'t>(address: Address<'t>) -> Option<Url<'t>> {
    match address {
        Address::Restful(base, target) => Some((base, target.type_name, target.id)),
        Address::Absolute(all) => Some((all, "", "")),
        Address::Local(_) | Address::Relative(_) | Address::Search(_) | Address::Malformed => None,
    }
}

impl<'d> Resources<'d> {
    /// The resources of `document`: one look at each.
    pub(super) fn of(document: &'d Document, names: &Names) -> Self {
        let mut resources = Resources::default();
        for resource in document.resources() {
            if resource.resource_type() == Some("Bundle") {
                resources.bundles.insert(resource.id(), BundleKind::of(resource, names));
            }
            // Also one that does not say its type: that is told there, and not again by each reference to it.
            for contained in resource.children().filter(|child| child.is(names.contained)) {
                if let Some(id) = contained.child(names.id).and_then(|id| id.string()) {
                    add(&mut resources.contained, (resource.id(), id), contained);
                }
            }
            let Some(parent) = resource.parent().filter(|_| !resource.is(names.contained)) else { continue };
            let id = resource.child(names.id).and_then(|id| id.string());
            if let Some((bundle, kind)) = resources.bundle_of(parent, names) {
                resources.add_entry(bundle, kind, parent, resource, id, names);
            } else if let (Some(type_name), Some(id)) = (resource.resource_type(), id) {
                // A resource in a parameter, which others are told by type and id (R4, parameters.html).
                let around = std::iter::successors(Some(parent), Node::parent).find(|at| at.resource_type().is_some());
                if let Some(parameters) = around.filter(|at| at.resource_type() == Some("Parameters")) {
                    add(&mut resources.identities, (parameters.id(), type_name, id), resource);
                }
            }
        }
        resources
    }

    /// The Bundle that `entry` is an entry of; Bundles come before what is in them.
    fn bundle_of(&self, entry: Node<'d>, names: &Names) -> Option<(Node<'d>, BundleKind)> {
        let bundle = entry.parent().filter(|_| entry.is(names.entry))?;
        Some((bundle, *self.bundles.get(&bundle.id())?))
    }

    fn add_entry(
        &mut self,
        bundle: Node<'d>,
        kind: BundleKind,
        entry: Node<'d>,
        resource: Node<'d>,
        id: Option<&'d str>,
        names: &Names,
    ) {
        if let (Some(type_name), Some(id)) = (resource.resource_type(), id) {
            add(&mut self.identities, (bundle.id(), type_name, id), resource);
        }
        let full_url = entry.child(names.full_url).and_then(|full_url| full_url.string());
        self.entries.insert(resource.id(), Entry { bundle, kind, full_url });
        let Some(url) = full_url.map(Address::of).and_then(url) else { return };
        add(&mut self.urls, (bundle.id(), url, None), resource);
        let version = resource.child(names.meta).and_then(|meta| meta.child(names.version_id)?.string());
        if let Some(version) = version {
            add(&mut self.urls, (bundle.id(), url, Some(version)), resource);
        }
    }

    /// The entry whose resource this is.
    pub(super) fn entry(&self, resource: Node<'d>) -> Option<Entry<'d>> {
        self.entries.get(&resource.id()).copied()
    }

    /// True when the document has an entry of a Bundle anywhere.
    pub(super) fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Where `address` leads that stands at `from` or below it.
    pub(super) fn resolve(&self, from: Node<'d>, address: &str, names: &Names) -> Resolution<'d> {
        let address = Address::of(address);
        if let Address::Local(id) = address {
            let Some(container) = container(from, names) else { return Resolution::Elsewhere };
            return match id {
                "" => Resolution::Found(container),
                id => self.contained.get(&(container.id(), id)).into(),
            };
        }
        if !self.has_entries() && self.identities.is_empty() {
            return Resolution::Elsewhere;
        }
        let mut node = Some(from);
        let mut full_url = None;
        while let Some(at) = node {
            let found = match at.resource_type() {
                Some("Bundle") => self.in_bundle(at, full_url, address),
                Some("Parameters") => match address {
                    Address::Relative(target) => self.by_identity(at, target),
                    _ => Resolution::Elsewhere,
                },
                Some(_) | None => Resolution::Elsewhere,
            };
            if found != Resolution::Elsewhere {
                return found;
            }
            full_url = self.entries.get(&at.id()).and_then(|entry| entry.full_url).or(full_url);
            node = at.parent();
        }
        Resolution::Elsewhere
    }

    fn in_bundle(&self, bundle: Node<'d>, full_url: Option<&str>, address: Address<'_>) -> Resolution<'d> {
        let look = |url: Url<'_>, version: Option<&str>| self.urls.get(&(bundle.id(), url, version)).into();
        match address {
            Address::Restful(base, Target { type_name, id, version }) => look((base, type_name, id), version),
            Address::Absolute(all) => look((all, "", ""), None),
            Address::Relative(target) => match full_url.map(Address::of) {
                Some(Address::Restful(base, _)) => look((base, target.type_name, target.id), target.version),
                Some(Address::Absolute(urn)) => self.by_urn(bundle, urn, target),
                Some(_) => Resolution::Elsewhere,
                None => self.by_identity(bundle, target),
            },
            Address::Local(_) | Address::Search(_) | Address::Malformed => Resolution::Elsewhere,
        }
    }

    /// A relative reference in an entry that goes by a URN: the entry that goes by the id as a URN of that kind. This
    /// is the one place that makes text, which only such odd references pay for.
    fn by_urn(&self, bundle: Node<'d>, urn: &str, target: Target<'_>) -> Resolution<'d> {
        let Some((kind, _)) = urn.rsplit_once(':').filter(|_| urn.starts_with("urn:")) else {
            return Resolution::Elsewhere;
        };
        let wanted = format!("{kind}:{}", target.id);
        let found: Resolution = self.urls.get(&(bundle.id(), (wanted.as_str(), "", ""), target.version)).into();
        match found.resource() {
            Some(resource) if resource.resource_type() == Some(target.type_name) => found,
            Some(_) | None => Resolution::Elsewhere,
        }
    }

    /// The entry or parameter that has the type and id of a relative reference, whatever its `fullUrl` says.
    pub(super) fn by_identity(&self, around: Node<'d>, target: Target<'_>) -> Resolution<'d> {
        let found: Resolution = self.identities.get(&(around.id(), target.type_name, target.id)).into();
        let version =
            |resource: Node<'d>| resource.descend(&["meta", "versionId"]).and_then(|version| version.string());
        match (found.resource(), target.version) {
            (Some(resource), Some(wanted)) if version(resource) != Some(wanted) => Resolution::Elsewhere,
            (Some(_) | None, _) => found,
        }
    }
}

/// The resource that `#` means at `from`: the one that it stands in, or for a contained resource the one around it.
fn container<'d>(from: Node<'d>, names: &Names) -> Option<Node<'d>> {
    let is_container = |at: &Node<'d>| at.resource_type().is_some() && !at.is(names.contained);
    std::iter::successors(Some(from), Node::parent).find(is_container)
}

impl<'p, 'd> Walk<'p, 'd> {
    /// The resources of the document by their names; made when they are first asked for.
    pub(super) fn resources(&self) -> &Resources<'d> {
        self.resources.get_or_init(|| Resources::of(self.root.document(), self.names))
    }

    /// Where a Reference, or an address by itself, leads in this document; the first where it leads to several.
    pub(super) fn resolve(&self, node: Node<'d>) -> Option<Node<'d>> {
        let address = match node.value() {
            Some(_) => node.string(),
            None => node.child(self.names.reference).and_then(|reference| reference.string()),
        };
        self.resources().resolve(node, address?, self.names).resource()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Where the first `link` below `from` leads, as the expression of what it leads to.
    fn leads(document: &Document, from: &[&str], address: &str) -> (String, bool) {
        let names = Names::default();
        let resources = Resources::of(document, &names);
        let from = document.root().descend(from).unwrap();
        match resources.resolve(from, address, &names) {
            Resolution::Found(node) => (node.expression(), false),
            Resolution::Ambiguous(node) => (node.expression(), true),
            Resolution::Elsewhere => (String::new(), false),
        }
    }

    fn check(value: &Value, from: &[&str], table: &[(&str, &str)]) {
        let document = Document::from_value(value);
        for (address, expected) in table {
            assert_eq!(leads(&document, from, address), ((*expected).to_owned(), false), "{address}");
        }
    }

    #[test]
    fn a_local_address_leads_to_what_is_contained_or_to_the_container() {
        let task = json!({
            "resourceType": "Task", "id": "t", "focus": {"reference": "#a"},
            "contained": [{"resourceType": "Basic", "id": "a"}, {"resourceType": "Basic", "id": "b"}]
        });
        let table =
            [("#a", "Task.contained[0]"), ("#b", "Task.contained[1]"), ("#", "Task"), ("#c", ""), ("Task/t", "")];
        check(&task, &["focus"], &table);
        check(&task, &["contained"], &table);
    }

    #[test]
    fn an_address_leads_to_an_entry_by_the_base_of_the_entry_that_it_stands_in() {
        let basic =
            |id: &str, version: &str| json!({"resourceType": "Basic", "id": id, "meta": {"versionId": version}});
        let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
            {"fullUrl": "https://a.org/r4/Basic/1", "resource": basic("1", "1")},
            {"fullUrl": "https://b.org/Basic/1", "resource": basic("1", "7")},
            {"fullUrl": "urn:uuid:04121321-4af5-424c-a0e1-ed3aab1c349d", "resource": {"resourceType": "Basic", "id": "3"}},
            {"resource": {"resourceType": "Basic", "id": "4", "contained": [{"resourceType": "Basic", "id": "c"}]}}
        ]});
        check(
            &bundle,
            &["entry", "resource"],
            &[
                ("Basic/1", "Bundle.entry[0].resource"),
                ("Basic/1/_history/1", "Bundle.entry[0].resource"),
                ("Basic/1/_history/2", ""),
                ("https://b.org/Basic/1", "Bundle.entry[1].resource"),
                ("https://b.org/Basic/1/_history/7", "Bundle.entry[1].resource"),
                ("https://b.org/Basic/2", ""),
                ("urn:uuid:04121321-4af5-424c-a0e1-ed3aab1c349d", "Bundle.entry[2].resource"),
                ("urn:uuid:14121321-4af5-424c-a0e1-ed3aab1c349d", ""),
                ("Basic/3", ""),
                ("#", "Bundle.entry[0].resource"),
                ("#c", ""),
                ("Patient/1", ""),
                ("nonsense", ""),
            ],
        );
        let document = Document::from_value(&bundle);
        let names = Names::default();
        let resources = Resources::of(&document, &names);
        let from = |nth: usize| {
            let entry = document.root().children_named("entry").nth(nth).unwrap();
            entry.child_named("resource").unwrap()
        };
        let resolve = |nth: usize, address: &str| resources.resolve(from(nth), address, &names);
        // An entry that goes by a URN says nothing about a server.
        assert_eq!(resolve(2, "Basic/3"), Resolution::Elsewhere);
        assert_eq!(resolve(2, "Basic/04121321-4af5-424c-a0e1-ed3aab1c349d"), Resolution::Found(from(2)));
        assert_eq!(resolve(2, "Patient/04121321-4af5-424c-a0e1-ed3aab1c349d"), Resolution::Elsewhere);
        // An entry that goes by nothing has only types and ids to go by.
        assert_eq!(resolve(3, "Basic/3"), Resolution::Found(from(2)));
        assert_eq!(resolve(3, "Basic/1"), Resolution::Ambiguous(from(0)));
        assert_eq!(resolve(3, "#c"), Resolution::Found(from(3).child_named("contained").unwrap()));
    }

    #[test]
    fn a_relative_address_leads_to_the_resource_of_a_parameter() {
        let basic = |id: &str| json!({"resourceType": "Basic", "id": id});
        let parameters = json!({"resourceType": "Parameters", "parameter": [
            {"name": "a", "resource": basic("1")}, {"name": "b", "part": [{"name": "c", "resource": basic("2")}]}
        ]});
        check(
            &parameters,
            &["parameter", "resource"],
            &[
                ("Basic/1", "Parameters.parameter[0].resource"),
                ("Basic/2", "Parameters.parameter[1].part[0].resource"),
                ("Basic/3", ""),
            ],
        );
    }

    #[test]
    fn a_bundle_in_a_bundle_is_asked_first_and_then_the_one_around_it() {
        let basic = |id: &str| json!({"resourceType": "Basic", "id": id});
        let inner = json!({"resourceType": "Bundle", "type": "collection",
            "entry": [{"fullUrl": "http://a/Basic/1", "resource": basic("1")}]});
        let outer = json!({"resourceType": "Bundle", "type": "collection", "entry": [
            {"fullUrl": "http://a/Bundle/9", "resource": inner},
            {"fullUrl": "http://a/Basic/1", "resource": basic("1")},
            {"fullUrl": "http://a/Basic/2", "resource": basic("2")}
        ]});
        check(
            &outer,
            &["entry", "resource", "entry", "resource"],
            &[
                ("Basic/1", "Bundle.entry[0].resource.entry[0].resource"),
                ("Basic/2", "Bundle.entry[2].resource"),
                ("http://a/Bundle/9", "Bundle.entry[0].resource"),
            ],
        );
    }
}
