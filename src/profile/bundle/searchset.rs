//! Search results: why each entry is in them (bundle.html, Search results).

use super::BUNDLE;
use crate::document::Node;
use crate::issue::{Issue, Rule, Severity};
use crate::profile::check::Walk;
use std::collections::HashSet;

impl<'p, 'd> Walk<'p, 'd> {
    pub(super) fn search_result(&mut self, bundle: Node<'d>) {
        let own = bundle
            .children_named("link")
            .find(|link| link.child_named("relation").and_then(|relation| relation.string()) == Some("self"));
        if own.is_none() {
            let message = "a search result says with a link `self` what was searched for";
            let hint = "add a `link` with relation `self` and the address of the search";
            self.search_issue(bundle, message, hint, Severity::Warning);
        }
        let address = own.and_then(|link| link.child_named("url")).and_then(|url| url.string());
        let asked: HashSet<&str> = address.map(|address| self.types_asked(address)).unwrap_or_default();
        for entry in bundle.children().filter(|child| child.is(self.names.entry)) {
            if self.is_full {
                return;
            }
            self.search_entry(entry, &asked);
        }
    }

    fn search_entry(&mut self, entry: Node<'d>, asked: &HashSet<&str>) {
        let Some(resource) = entry.child_named("resource") else {
            return self.search_issue(
                entry,
                "an entry of a search result has the resource that was found",
                "add the `resource`, or leave the entry out",
                Severity::Error,
            );
        };
        let Some(type_name) = resource.resource_type() else { return };
        let mode = entry.descend(&["search", "mode"]);
        let Some(mode) = mode.and_then(|mode| mode.string()) else {
            let (message, hint) = (
                "an entry of a search result says in `search.mode` why it is there",
                "add `search.mode`: `match`, `include` or `outcome`",
            );
            return self.search_issue(entry, message, hint, Severity::Warning);
        };
        let has_id = resource.child(self.names.id).is_some();
        if matches!(mode, "match" | "include") && !has_id {
            let message = "a resource that was found has its `id`";
            self.search_issue(resource, message, "add the `id` that it can be read by", Severity::Error);
        }
        if mode == "match" && !asked.is_empty() && !asked.contains(type_name) {
            let message = "a match is of a type that the link `self` asks for";
            self.search_issue(resource, message, "give it the mode `include`, or leave it out", Severity::Error);
        }
        if mode == "outcome" && type_name != "OperationOutcome" {
            let message = "an entry with the mode `outcome` has an OperationOutcome";
            self.search_issue(resource, message, "give it the mode `match` or `include`", Severity::Error);
        }
    }

    fn search_issue(&mut self, at: Node<'d>, message: &str, hint: &str, severity: Severity) {
        let issue = Issue::new(Rule::BundleSearch, message).hint(hint).severity(severity);
        self.tell(at, issue.asked_by(format!("Bundle.entry.search of {BUNDLE}")));
    }

    /// The resource types that the address of a search asks for: `…/Type?…`, `…/Type/_search`, or `?_type=A,B`.
    fn types_asked<'t>(&self, address: &'t str) -> HashSet<&'t str> {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let path = path.strip_suffix("/_search").unwrap_or(path);
        let last = path.rsplit('/').next().unwrap_or(path);
        if self.plan.resource(last).is_some() {
            return HashSet::from([last]);
        }
        let listed = query.split('&').filter_map(|part| part.strip_prefix("_type=")).flat_map(|list| list.split(','));
        listed.filter(|name| self.plan.resource(name).is_some()).collect()
    }
}
