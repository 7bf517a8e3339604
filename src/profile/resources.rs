//! The resources of a document by what references call them, and where a reference leads.
//!
//! Resolution follows R4's bundle.html (Resolving references in Bundles): a version is held against
//! `meta.versionId`; an absolute address is looked for among the `fullUrl`s; a relative one is made absolute with the
//! base of the `fullUrl` of the entry that it stands in. Where that `fullUrl` is no address of a server (a URN, or
//! none at all) R4 gives a relative reference no meaning, and it is matched by type and id, as HL7's validator does.
//! A Bundle in a Bundle is asked first, then the one around it.

use super::address::{Address, Target};
use super::check::Walk;
use super::plan::Names;
use crate::document::{Document, Node, NodeId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The resources of one document.
#[derive(Debug, Default)]
pub(super) struct Resources<'d> {
    /// Contained resources by their container and id.
    contained: HashMap<(NodeId, &'d str), Found<'d>>,
    /// Entries by their Bundle, `fullUrl` and version. A `fullUrl` is kept in two parts: the base of a server and the
    /// rest, so that a relative reference is looked up without making text.
    entries: HashMap<(NodeId, Url<'d>, Option<&'d str>), Found<'d>>,
    /// Entries by their Bundle and the type and id of their resource.
    identities: HashMap<(NodeId, &'d str, &'d str), Found<'d>>,
    /// The `fullUrl` of each entry's resource.
    full_urls: HashMap<NodeId, &'d str>,
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
    /// The one resource that it leads to.
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
    match map.entry(key) {
        Entry::Occupied(mut known) => known.get_mut().is_ambiguous = true,
        Entry::Vacant(free) => {
            free.insert(Found { resource, is_ambiguous: false });
        }
    }
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
            let Some(parent) = resource.parent() else { continue };
            let id = resource.child(names.id).and_then(|id| id.string());
            if resource.is(names.contained) {
                if let Some(id) = id {
                    add(&mut resources.contained, (parent.id(), id), resource);
                }
            } else if let Some(bundle) = bundle_of_entry(parent, names) {
                resources.add_entry(bundle, parent, resource, id, names);
            }
        }
        resources
    }

    fn add_entry(&mut self, bundle: Node<'d>, entry: Node<'d>, resource: Node<'d>, id: Option<&'d str>, names: &Names) {
        if let (Some(type_name), Some(id)) = (resource.resource_type(), id) {
            add(&mut self.identities, (bundle.id(), type_name, id), resource);
        }
        let Some(full_url) = entry.child(names.full_url).and_then(|full_url| full_url.string()) else { return };
        self.full_urls.insert(resource.id(), full_url);
        let address = Address::of(full_url);
        let Some(url) = url(address) else { return };
        add(&mut self.entries, (bundle.id(), url, None), resource);
        let version = resource.child(names.meta).and_then(|meta| meta.child(names.version_id)?.string());
        if let Some(version) = version {
            add(&mut self.entries, (bundle.id(), url, Some(version)), resource);
        }
    }

    /// The `fullUrl` of the entry whose resource this is.
    pub(super) fn full_url(&self, resource: Node<'d>) -> Option<&'d str> {
        self.full_urls.get(&resource.id()).copied()
    }

    /// The contained resource of `container` that has this id.
    pub(super) fn contained(&self, container: Node<'_>, id: &str) -> Option<Node<'d>> {
        // The keys borrow from the document; a borrowed pair of a shorter life is the same key.
        self.contained.get(&(container.id(), id)).map(|found| found.resource)
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
        // Where the document has no Bundle nothing is looked for.
        if self.full_urls.is_empty() && self.identities.is_empty() {
            return Resolution::Elsewhere;
        }
        let mut node = Some(from);
        let mut full_url = None;
        while let Some(at) = node {
            if at.resource_type() == Some("Bundle") {
                let found = self.in_bundle(at, full_url, address);
                if found != Resolution::Elsewhere {
                    return found;
                }
            }
            full_url = self.full_urls.get(&at.id()).copied().or(full_url);
            node = at.parent();
        }
        Resolution::Elsewhere
    }

    fn in_bundle(&self, bundle: Node<'d>, full_url: Option<&str>, address: Address<'_>) -> Resolution<'d> {
        let bundle = bundle.id();
        let look = |url: Url<'_>, version: Option<&str>| self.entries.get(&(bundle, url, version)).into();
        match address {
            Address::Restful(base, Target { type_name, id, version }) => look((base, type_name, id), version),
            Address::Absolute(all) => look((all, "", ""), None),
            Address::Relative(Target { type_name, id, version }) => match full_url.map(Address::of) {
                Some(Address::Restful(base, _)) => look((base, type_name, id), version),
                Some(_) | None => self.identities.get(&(bundle, type_name, id)).into(),
            },
            Address::Local(_) | Address::Search(_) | Address::Malformed => Resolution::Elsewhere,
        }
    }

    /// The entry that has the type and id of a relative reference, though its `fullUrl` is that of another server.
    pub(super) fn namesake(&self, bundle: Node<'d>, target: Target<'_>) -> Option<Node<'d>> {
        self.identities.get(&(bundle.id(), target.type_name, target.id)).map(|found| found.resource)
    }
}

/// The Bundle that `entry` is an entry of.
pub(super) fn bundle_of_entry<'d>(entry: Node<'d>, names: &Names) -> Option<Node<'d>> {
    let bundle = entry.parent().filter(|_| entry.is(names.entry))?;
    (bundle.resource_type() == Some("Bundle")).then_some(bundle)
}

/// The resource that `#` means at `from`: the one that it stands in, or for a contained resource the one around it.
pub(super) fn container<'d>(from: Node<'d>, names: &Names) -> Option<Node<'d>> {
    let mut node = Some(from);
    while let Some(at) = node {
        if at.resource_type().is_some() && !at.is(names.contained) {
            return Some(at);
        }
        node = at.parent();
    }
    None
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
        // Where no server is named a relative reference has the entry of this type and id.
        let document = Document::from_value(&bundle);
        let third = document.root().children_named("entry").nth(2).unwrap().id();
        let names = Names::default();
        let resources = Resources::of(&document, &names);
        let from = document.node(third);
        let found = resources.resolve(from, "Basic/3", &names);
        assert_eq!(found.resource().unwrap().expression(), "Bundle.entry[2].resource");
        assert!(matches!(resources.resolve(from, "Basic/1", &names), Resolution::Ambiguous(_)));
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
