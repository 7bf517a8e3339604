//! The entries of every Bundle: their parts (`bdl-3`, `bdl-4`), and the `fullUrl` that they go by
//! (`bdl-7`, `bdl-8`).

use super::BUNDLE;
use crate::document::Node;
use crate::issue::{Issue, Rule};
use crate::profile::address::{Address, Target, scheme};
use crate::profile::check::Walk;
use crate::profile::resources::BundleKind;
use std::collections::HashSet;

impl<'p, 'd> Walk<'p, 'd> {
    /// What a Bundle asks of each of its entries.
    pub(super) fn entries(&mut self, bundle: Node<'d>, kind: BundleKind) {
        let names = self.names;
        use BundleKind::*;
        let has_requests = matches!(kind, Batch | Transaction | History);
        let has_responses = matches!(kind, Response | History);
        let needs_url = !matches!(kind, Batch | Transaction | Response);
        let mut seen = HashSet::new();
        for entry in bundle.children().filter(|child| child.is(names.entry)) {
            if self.is_full {
                return;
            }
            self.entry_part(entry, "request", has_requests, "bdl-3");
            self.entry_part(entry, "response", has_responses, "bdl-4");
            let resource = entry.child_named("resource");
            let url = entry.child(names.full_url);
            match url.and_then(|url| Some((url, url.string()?))) {
                Some((url, text)) => {
                    self.full_url_agrees(url, text, resource);
                    // Two versions of one resource may stand in one Bundle; a history has nothing but such.
                    let version = resource.and_then(|resource| resource.child(names.meta)?.child(names.version_id));
                    let key = (text, version.and_then(|version| version.string()));
                    if kind != History && !seen.insert(key) {
                        self.full_url_again(url);
                    }
                }
                None if needs_url && url.is_none() => {
                    let issue = Issue::new(Rule::BundleFullUrl, "an entry of a Bundle of this type has a `fullUrl`")
                        .hint("add the resource's address as `fullUrl`, or urn:uuid: and a UUID where it has none")
                        .asked_by(format!("Bundle.entry.fullUrl of {BUNDLE}"));
                    self.tell(entry, issue);
                }
                None => {}
            }
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
            .asked_by(format!("{key} of {BUNDLE}"));
        self.tell(at, issue);
    }

    /// A `fullUrl` is absolute; where it is the address of a server it ends in the resource's own type and id.
    fn full_url_agrees(&mut self, url: Node<'d>, text: &str, resource: Option<Node<'d>>) {
        let asker = || format!("Bundle.entry.fullUrl of {BUNDLE}");
        let names = self.names;
        if text.contains("/_history/") {
            let issue = Issue::new(Rule::Invariant, "a `fullUrl` is not the address of a version")
                .hint("leave /_history/ and what follows out, and say the version in `meta.versionId`");
            return self.tell(url, issue.asked_by(format!("bdl-8 of {BUNDLE}")));
        }
        if scheme(text).is_none() {
            let issue = Issue::new(Rule::BundleFullUrl, "a `fullUrl` is an absolute address")
                .hint("write the whole address, or urn:uuid: and a UUID");
            return self.tell(url, issue.asked_by(asker()));
        }
        let (Address::Restful(_, target), Some(resource)) = (Address::of(text), resource) else { return };
        let Target { type_name, id, version: _ } = target;
        let is_type = self.plan.resource(type_name).is_some();
        if !is_type || resource.resource_type().is_none() {
            return;
        }
        let own = resource.child(names.id);
        let (message, hint) = match own.map(|own| own.string()) {
            None => (
                "the resource of an entry that goes by a server's address has its `id`",
                "add the `id` to the resource",
            ),
            Some(own) if own != Some(id) || resource.resource_type() != Some(type_name) => {
                ("a `fullUrl` does not end in the type and `id` of its resource", "make the two agree")
            }
            Some(_) => return,
        };
        self.tell(url, Issue::new(Rule::BundleFullUrl, message).hint(hint).asked_by(asker()));
    }

    /// `bdl-7`: no two entries have the same `fullUrl`, unless they are versions of one resource.
    fn full_url_again(&mut self, url: Node<'d>) {
        let issue = Issue::new(Rule::Invariant, "two entries of a Bundle do not have the same `fullUrl`")
            .hint("give each entry its own `fullUrl`, or send one entry for each resource")
            .asked_by(format!("bdl-7 of {BUNDLE}"));
        self.tell(url, issue);
    }
}
