//! Reading resources: the few ways in which the rules look at them.

use crate::document::{Name, Node, Scalar};
use std::collections::HashMap;

/// The system of NHS numbers.
pub(super) const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
/// The system of the codes of organisations.
pub(super) const ODS_ORGANISATION: &str = "https://fhir.nhs.uk/Id/ods-organization-code";
/// The system of the codes of sites.
pub(super) const ODS_SITE: &str = "https://fhir.nhs.uk/Id/ods-site-code";

/// The names that the walk over all nodes looks for.
pub(super) struct Names {
    pub(super) system: Name,
    pub(super) value: Name,
    pub(super) start: Name,
    pub(super) end: Name,
    pub(super) occurrence: Name,
}

impl Names {
    pub(super) fn new() -> Self {
        Names {
            system: Name::intern("system"),
            value: Name::intern("value"),
            start: Name::intern("start"),
            end: Name::intern("end"),
            occurrence: Name::intern("occurrenceDateTime"),
        }
    }
}

/// The resource itself and, of a Bundle, those in its entries.
pub(super) fn resources(root: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let entries = (root.resource_type() == Some("Bundle")).then(|| root.children_named("entry"));
    let inside = entries.into_iter().flatten().filter_map(|entry| entry.child_named("resource"));
    std::iter::once(root).chain(inside)
}

/// True for a Bundle of type message.
pub(super) fn is_message(root: Node<'_>) -> bool {
    root.resource_type() == Some("Bundle") && text(root, &["type"]) == Some("message")
}

/// The text at the end of a path, first repeat at each step; none where it is blank.
pub(super) fn text<'d>(node: Node<'d>, path: &[&str]) -> Option<&'d str> {
    node.descend(path).and_then(|found| found.string()).filter(|text| !text.trim().is_empty())
}

/// The extension of `node` with this url.
pub(super) fn extension<'d>(node: Node<'d>, url: &str) -> Option<Node<'d>> {
    node.children_named("extension").find(|extension| text(*extension, &["url"]) == Some(url))
}

/// True when `node` has an element of this name with a value or parts.
pub(super) fn has(node: Node<'_>, name: &str) -> bool {
    node.children_named(name).any(|child| match child.value() {
        Some(Scalar::String(text)) => !text.trim().is_empty(),
        Some(Scalar::Number(_) | Scalar::Boolean(_)) => true,
        None => child.has_children(),
    })
}

/// True when a reference names what it points at by a value in one of these systems.
pub(super) fn is_named_in(reference: Node<'_>, systems: &[&str]) -> bool {
    let is_in = |identifier: &Node<'_>| {
        let system = text(*identifier, &["system"]);
        system.is_some_and(|system| systems.iter().any(|known| known.eq_ignore_ascii_case(system)))
    };
    reference.children_named("identifier").any(|found| is_in(&found) && text(found, &["value"]).is_some())
}

/// The type of what a reference points at, where it says so itself.
pub(super) fn target_type<'d>(reference: Node<'d>) -> Option<&'d str> {
    text(reference, &["type"]).or_else(|| {
        let address = text(reference, &["reference"])?;
        let mut steps = address.rsplit('/').skip(1);
        steps.next().filter(|kind| kind.starts_with(|first: char| first.is_ascii_uppercase()))
    })
}

/// The entries of a Bundle by their address, the first where two have the same.
pub(super) fn by_address<'d>(bundle: Node<'d>) -> HashMap<&'d str, Node<'d>> {
    let mut found = HashMap::new();
    for entry in bundle.children_named("entry") {
        if let (Some(address), Some(resource)) = (text(entry, &["fullUrl"]), entry.child_named("resource")) {
            found.entry(address).or_insert(resource);
        }
    }
    found
}
