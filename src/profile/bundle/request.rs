//! What the entries of a transaction or batch ask a server to do (http.html, Transactions).
//!
//! HL7's validator leaves these to the server that the Bundle is sent to. Here they are told as doubts, because a
//! sender would hear of them only from the system behind the gateway.

use super::BUNDLE;
use crate::document::Node;
use crate::issue::{Issue, Rule};
use crate::profile::address::{Address, is_id};
use crate::profile::check::Walk;
use crate::profile::resources::BundleKind;
use std::collections::HashSet;

impl<'p, 'd> Walk<'p, 'd> {
    pub(super) fn requests(&mut self, bundle: Node<'d>, kind: BundleKind) {
        let mut changed = HashSet::new();
        for entry in bundle.children().filter(|child| child.is(self.names.entry)) {
            if self.is_full {
                return;
            }
            let Some(request) = entry.child_named("request") else { continue };
            let method = request.child_named("method").and_then(|method| method.string());
            let url = request.child_named("url").and_then(|url| Some((url, url.string()?)));
            let (Some(method), Some((at, url))) = (method, url) else { continue };
            let resource = entry.child_named("resource");
            if let Some((message, hint)) = fault(method, url, resource.and_then(|resource| resource.resource_type())) {
                self.request_issue(at, message, hint);
            }
            let has_body = matches!(method, "POST" | "PUT" | "PATCH");
            if has_body != resource.is_some() {
                let (message, hint) = match has_body {
                    true => ("a request that writes has the resource to be written", "add the `resource`"),
                    false => ("a request that reads or deletes has no resource", "leave the `resource` out"),
                };
                self.request_issue(entry, message, hint);
            }
            // R4: a transaction that changes one resource twice fails as a whole.
            let is_change =
                matches!(method, "PUT" | "PATCH" | "DELETE") && matches!(Address::of(url), Address::Relative(_));
            if kind == BundleKind::Transaction && is_change && !changed.insert(url) {
                let message = "a transaction changes a resource once";
                self.request_issue(at, message, "send one entry for each resource");
            }
        }
    }

    fn request_issue(&mut self, at: Node<'d>, message: &str, hint: &str) {
        let issue = Issue::new(Rule::BundleRequest, message).hint(hint);
        self.tell(at, issue.asked_by(format!("Bundle.entry.request of {BUNDLE}")));
    }
}

/// What is wrong with the address of a request, for its method and the type of its resource.
fn fault(method: &str, url: &str, type_name: Option<&str>) -> Option<(&'static str, &'static str)> {
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let mut parts = path.split('/');
    let (first, id, more) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    // An operation has its own forms.
    if path.contains('$') {
        return None;
    }
    if url.contains("://") || url.starts_with('/') {
        return Some(("the address of a request is relative to the server", "write it from the resource type on"));
    }
    let is_instance = id.is_some_and(is_id) && more.is_none();
    let is_fit = match method {
        "POST" => id.is_none() && query.is_none() || id == Some("_search"),
        "PUT" | "PATCH" | "DELETE" => is_instance && query.is_none() || id.is_none() && query.is_some(),
        // A read, a version, a history or a search.
        _ => true,
    };
    if !is_fit {
        let hint = match method {
            "POST" => "a POST goes to the resource type, without an id",
            _ => "write Type/id, or Type? with what finds it",
        };
        return Some(("the address of a request does not go with its method", hint));
    }
    let writes = matches!(method, "POST" | "PUT") && !first.is_empty() && id != Some("_search");
    match type_name {
        Some(type_name) if writes && type_name != first => {
            Some(("the address of a request names another type than its resource has", "make the two agree"))
        }
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_goes_with_its_method_and_resource() {
        let good = [
            ("POST", "Patient"),
            ("PUT", "Patient/1"),
            ("PUT", "Patient?identifier=a%7C1"),
            ("PATCH", "Patient/1"),
            ("DELETE", "Patient/1"),
            ("DELETE", "Patient?active=false"),
            ("GET", "Patient?name=x"),
            ("GET", "Patient/1/_history/2"),
            ("GET", "metadata"),
            ("POST", "Patient/_search"),
            ("POST", "Patient/1/$everything"),
        ];
        for (method, url) in good {
            assert_eq!(fault(method, url, Some("Patient")), None, "{method} {url}");
        }
        let bad = [
            ("POST", "Patient/1"),
            ("POST", "Observation"),
            ("PUT", "Patient"),
            ("PUT", "Patient/1/_history/2"),
            ("PUT", "Observation/1"),
            ("PUT", "Patient/a b"),
            ("DELETE", "Patient"),
            ("GET", "https://example.org/Patient/1"),
            ("PUT", "/Patient/1"),
        ];
        for (method, url) in bad {
            assert!(fault(method, url, Some("Patient")).is_some(), "{method} {url}");
        }
    }
}
