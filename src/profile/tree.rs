//! A definition's elements as a tree: children below elements, slices beside them.

use super::definition::ElementDefinition;

/// An element, or a slice of one.
#[derive(Debug)]
pub(super) struct Branch<'s> {
    pub(super) element: &'s ElementDefinition,
    /// The name of the slice, with those that it is a slice of (`a/b`); empty for an element as such.
    pub(super) slice: &'s str,
    pub(super) children: Vec<usize>,
    /// Its slices, in the order of the definition.
    pub(super) slices: Vec<usize>,
}

impl<'s> Branch<'s> {
    /// The last name of its path, for example `value[x]`.
    pub(super) fn name(&self) -> &'s str {
        last(&self.element.path)
    }
}

/// The elements of one definition; the root is the first.
#[derive(Debug, Default)]
pub(super) struct Tree<'s> {
    pub(super) branches: Vec<Branch<'s>>,
    /// Slices without the element that they are slices of.
    pub(super) strays: Vec<&'s ElementDefinition>,
}

impl<'s> Tree<'s> {
    /// The tree of a snapshot, whose order tells what belongs where: what stands below a slice follows it.
    pub(super) fn grow(elements: &'s [ElementDefinition]) -> Tree<'s> {
        let mut tree = Tree::default();
        let mut open: Vec<(usize, usize)> = Vec::new();
        for element in elements {
            let depth = element.path.matches('.').count();
            while open.last().is_some_and(|(known, _)| *known >= depth) {
                open.pop();
            }
            let number = tree.branches.len();
            let parent = open.last().map(|(_, parent)| *parent);
            let mut slice = slice_name(element);
            if let Some(parent) = parent {
                let sliced = tree.sliced(parent, element);
                match sliced {
                    Some((_, shortcut)) if slice.is_empty() => slice = shortcut,
                    Some(_) | None => {}
                }
                match sliced {
                    Some((sliced, _)) if !slice.is_empty() => {
                        let holder = tree.holder(sliced, slice);
                        tree.branches[holder].slices.push(number);
                    }
                    None if !slice.is_empty() => {
                        tree.strays.push(element);
                    }
                    Some(_) | None => tree.branches[parent].children.push(number),
                }
            }
            tree.branches.push(Branch { element, slice, children: Vec::new(), slices: Vec::new() });
            open.push((depth, number));
        }
        tree
    }

    pub(super) fn branch(&self, number: usize) -> Option<&Branch<'s>> {
        self.branches.get(number)
    }

    /// The child of this name; `value` finds `value[x]`.
    pub(super) fn child(&self, number: usize, name: &str) -> Option<usize> {
        let children = &self.branches.get(number)?.children;
        let is_named = |child: &usize| {
            let own = self.branches.get(*child).map_or("", Branch::name);
            own == name || own.strip_suffix("[x]") == Some(name)
        };
        children.iter().copied().find(is_named)
    }

    /// The element among `parent`'s children that `element` is a slice of, if it is one; with the name of the slice
    /// for `valueQuantity`, which is short for the slice of `value[x]` that is a Quantity.
    fn sliced(&self, parent: usize, element: &'s ElementDefinition) -> Option<(usize, &'s str)> {
        let own = last(&element.path);
        self.branches.get(parent)?.children.iter().rev().find_map(|child| {
            let name = self.branches.get(*child)?.name();
            if name == own {
                return Some((*child, ""));
            }
            let rest = own.strip_prefix(name.strip_suffix("[x]")?)?;
            rest.starts_with(|first: char| first.is_ascii_uppercase()).then_some((*child, own))
        })
    }

    /// What a slice of this name belongs to: the element, or a slice of it that is sliced again.
    fn holder(&self, sliced: usize, slice: &str) -> usize {
        let mut holder = sliced;
        while let Some(inner) = self.branches.get(holder).and_then(|branch| {
            let is_outer = |number: &&usize| {
                let outer = self.branches.get(**number).map_or("", |branch| branch.slice);
                !outer.is_empty() && slice.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
            };
            branch.slices.iter().find(is_outer).copied()
        }) {
            holder = inner;
        }
        holder
    }
}

fn slice_name(element: &ElementDefinition) -> &str {
    match &element.slice_name {
        Some(name) => name,
        None => last(&element.id).split_once(':').map_or("", |(_, name)| name),
    }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
