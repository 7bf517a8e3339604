//! The links of a Bundle: pages belong to search results and histories, and each relation stands once.

use super::BUNDLE;
use crate::document::Node;
use crate::issue::{Issue, Rule};
use crate::profile::check::Walk;
use crate::profile::resources::BundleKind;
use std::collections::HashSet;

const PAGES: &[&str] = &["first", "previous", "prev", "next", "last"];

impl<'p, 'd> Walk<'p, 'd> {
    pub(super) fn bundle_links(&mut self, bundle: Node<'d>, kind: BundleKind) {
        use BundleKind::*;
        let has_pages = matches!(kind, Searchset | History);
        let mut seen = HashSet::new();
        for relation in bundle.children_named("link").filter_map(|link| link.child_named("relation")) {
            if self.is_full {
                return;
            }
            let Some(text) = relation.string() else { continue };
            let is_page = PAGES.contains(&text);
            let (message, hint) = if is_page && !has_pages {
                ("a Bundle of this type has no pages to link to", "leave the link out")
            } else if (is_page || text == "self") && !seen.insert(text) {
                ("a Bundle has one link of this relation", "keep one")
            } else {
                continue;
            };
            let issue = Issue::new(Rule::BundleLink, message).hint(hint);
            self.tell(relation, issue.asked_by(format!("Bundle.link of {BUNDLE}")));
        }
    }
}
