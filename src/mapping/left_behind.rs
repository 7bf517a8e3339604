//! Input that no rule used: told so that nothing is lost without somebody knowing.

use super::plan::{Dropped, DroppedStep, Mapping};
use crate::document::{Document, Node, NodeId};
use crate::issue::Place;
use std::collections::HashSet;

/// Places that are told; the rest is more of the same.
const PLACES_MAX: usize = 200;

/// The leaves of `input` that ended in no output, that no condition looked at and that are not dropped on purpose.
pub(super) fn left_behind(mapping: &Mapping, input: &Document, used: &HashSet<NodeId>) -> Vec<Place> {
    let mut places = Vec::new();
    let mut path = Vec::new();
    walk(input.root(), mapping, used, &mut path, &mut places);
    places
}

/// Depth is bounded by the reader's own limit.
fn walk<'d>(
    node: Node<'d>,
    mapping: &Mapping,
    used: &HashSet<NodeId>,
    path: &mut Vec<Node<'d>>,
    places: &mut Vec<Place>,
) {
    if places.len() >= PLACES_MAX || mapping.dropped.iter().any(|dropped| is_dropped(dropped, path)) {
        return;
    }
    // The url of an extension only names it; the value is what counts.
    let names_extension = node.name() == "url" && node.parent().is_some_and(|parent| parent.name() == "extension");
    if node.value().is_some() && !used.contains(&node.id()) && !names_extension && !looked_at(mapping, path) {
        places.push(node.place());
    }
    for child in node.children() {
        path.push(child);
        walk(child, mapping, used, path, places);
        path.pop();
    }
}

fn is_dropped(dropped: &Dropped, path: &[Node<'_>]) -> bool {
    dropped.0.len() == path.len()
        && dropped.0.iter().zip(path).all(|(step, node)| match step {
            DroppedStep::Element(name) => node.name() == name,
            DroppedStep::Extension(url) => {
                node.name() == "extension" && node.child_named("url").and_then(|url| url.string()) == Some(url)
            }
        })
}

fn looked_at(mapping: &Mapping, path: &[Node<'_>]) -> bool {
    mapping.looked_at.iter().any(|known| {
        known.len() == path.len() && known.iter().zip(path).all(|(name, node)| is_element(node.name(), name))
    })
}

/// True when an element is sent under this name: its own, or that of a choice with a type behind it.
fn is_element(sent: &str, name: &str) -> bool {
    sent.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_uppercase()))
}
