//! The elements of a definition as a tree: children below elements, slices beside what they slice.

use super::ELEMENT_COUNT_MAX;
use super::steps::{Reader, Step};
use crate::profile::definition::ElementDefinition;

/// An element with what stands below it.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// The last step of its path, for example `identifier`, `value[x]`.
    pub(super) name: String,
    pub(super) element: ElementDefinition,
    pub(super) children: Vec<Node>,
    /// Its slices, re-slices among them; a slice has none of its own.
    pub(super) slices: Vec<Node>,
}

impl Node {
    /// Of a root: the type that it defines.
    pub(super) fn type_name(&self) -> &str {
        &self.name
    }

    pub(super) fn slice_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.slices.iter_mut().rev().find(|slice| slice.element.slice_name.as_deref() == Some(name))
    }

    /// How many elements there are, with itself.
    pub(super) fn count(&self) -> usize {
        1 + self.children.iter().chain(&self.slices).map(Node::count).sum::<usize>()
    }

    /// The element that these steps (below the root) lead to.
    pub(super) fn at(&self, steps: &[Step<'_>]) -> Option<&Node> {
        let mut node = self;
        for step in steps {
            node = node.children.iter().find(|child| child.name == step.name)?;
            if let Some(name) = step.slice {
                node = node.slices.iter().find(|slice| slice.element.slice_name.as_deref() == Some(name))?;
            }
        }
        Some(node)
    }
}

/// The tree of a snapshot's elements.
///
/// # Errors
/// When an element stands below one that is not there, or there are too many.
pub(super) fn build(elements: &[ElementDefinition]) -> Result<Node, String> {
    let Some((root, below)) = elements.split_first() else { return Err("its snapshot is empty".into()) };
    if elements.len() > ELEMENT_COUNT_MAX {
        return Err(format!("it has more than {ELEMENT_COUNT_MAX} elements"));
    }
    let mut tree = Node { name: root.path.clone(), element: root.clone(), ..Node::default() };
    let mut reader = Reader::default();
    for element in below {
        let steps = reader.steps(element)?;
        let lost = || format!("{} stands below an element that its snapshot does not have", element.path);
        let (last, way) = steps.split_last().ok_or_else(lost)?;
        let mut holder = &mut tree;
        for step in way.iter().skip(1) {
            holder = holder.children.iter_mut().rev().find(|child| child.name == step.name).ok_or_else(lost)?;
            if let Some(name) = step.slice {
                holder = holder.slice_mut(name).ok_or_else(lost)?;
            }
        }
        let node = Node { name: last.name.to_owned(), element: element.clone(), ..Node::default() };
        match (last.slice, holder.children.iter_mut().rev().find(|child| child.name == last.name)) {
            (Some(name), Some(sliced)) => {
                sliced.slices.push(node);
                if let Some(slice) = sliced.slices.last_mut() {
                    slice.element.slice_name.get_or_insert_with(|| name.to_owned());
                }
            }
            (Some(_), None) | (None, _) => holder.children.push(node),
        }
    }
    Ok(tree)
}

/// The tree's elements in the order of a snapshot, each with the id and path of where it now stands.
pub(super) fn flatten(tree: &Node) -> Vec<ElementDefinition> {
    let mut elements = Vec::with_capacity(tree.count());
    take(tree, &tree.name, &tree.name, &mut elements);
    elements
}

/// Appends `node` and what stands below it. How deep a tree is, the most steps of a path bound.
fn take(node: &Node, id: &str, path: &str, elements: &mut Vec<ElementDefinition>) {
    elements.push(ElementDefinition { id: id.to_owned(), path: path.to_owned(), ..node.element.clone() });
    for child in &node.children {
        let path = format!("{path}.{}", child.name);
        let id = format!("{id}.{}", child.name);
        take(child, &id, &path, elements);
        for slice in &child.slices {
            let name = slice.element.slice_name.as_deref().unwrap_or("");
            take(slice, &format!("{id}:{name}"), &path, elements);
        }
    }
}
