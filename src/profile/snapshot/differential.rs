//! A differential laid over the tree of its base, element by element.

use super::merge::{add_constraints, implied_slicing, is_tighter, merge, own_base, slice_of};
use super::steps::{Reader, Step, choice_type, is_type};
use super::tree::Node;
use super::{ELEMENT_COUNT_MAX, Gap, Generator, without_version};
use crate::issue::nearest;
use crate::profile::definition::{ElementDefinition, Structure};
use std::rc::Rc;

/// A differential on its way.
pub(super) struct Layer<'g, 's> {
    generator: &'g mut Generator<'s>,
    structure: &'s Structure,
    /// The base as it is, for content references: what they lead to is not yet changed.
    base: Rc<Node>,
    /// How many elements there are so far.
    count: usize,
}

impl<'g, 's> Layer<'g, 's> {
    pub(super) fn new(generator: &'g mut Generator<'s>, structure: &'s Structure, base: Rc<Node>) -> Self {
        let count = base.count();
        Layer { generator, structure, base, count }
    }

    /// The tree that base and differential make.
    pub(super) fn lay(mut self) -> Result<Node, Gap> {
        let mut tree = (*self.base).clone();
        tree.name.clone_from(&self.structure.r#type);
        let mut reader = Reader::default();
        for change in &self.structure.differential.element {
            let steps = reader.steps(change).map_err(Gap::Wrong)?;
            self.apply(&mut tree, &steps, change)?;
        }
        Ok(tree)
    }

    fn apply(&mut self, tree: &mut Node, steps: &[Step<'_>], change: &ElementDefinition) -> Result<(), Gap> {
        let mut node = tree;
        for (number, step) in steps.iter().enumerate().skip(1) {
            self.unfold(node)?;
            let is_last = number + 1 == steps.len();
            node = self.step(node, *step, change, is_last)?;
        }
        merge(&mut node.element, change, &self.structure.url);
        if change.max.is_none()
            && let Some(max) = self.generator.extension_max(&change.types)
            && is_tighter(max, node.element.max.as_deref())
        {
            node.element.max = Some(max.to_owned());
        }
        Ok(())
    }

    /// The child of `node` that `step` leads to, made where a differential may make it.
    fn step<'n>(
        &mut self,
        node: &'n mut Node,
        step: Step<'_>,
        change: &ElementDefinition,
        is_last: bool,
    ) -> Result<&'n mut Node, Gap> {
        let found = find(node, step.name);
        let (child, ending) = match found {
            Some(found) => found,
            None if is_last && !self.structure.is_profile() => {
                self.grow(1)?;
                let element = ElementDefinition { base: Some(own_base(change)), ..ElementDefinition::default() };
                node.children.push(Node { name: step.name.to_owned(), element, ..Node::default() });
                (node.children.len() - 1, None)
            }
            None => return Err(self.nowhere(node, step, change)),
        };
        let Some(child) = node.children.get_mut(child) else { return Err(Gap::Wrong("an element got lost".into())) };
        match (step.slice, ending) {
            (Some(slice), _) => self.slice(child, slice),
            // `valueQuantity` is short for the slice of that name, unless there is no other type left.
            (None, Some(_)) if child.element.types.len() > 1 || !child.slices.is_empty() => {
                self.slice(child, step.name)
            }
            (None, _) => Ok(child),
        }
    }

    fn nowhere(&self, node: &Node, step: Step<'_>, change: &ElementDefinition) -> Gap {
        let near = nearest(step.name, node.children.iter().map(|child| child.name.as_str()));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        let base = self.structure.base_definition.as_deref().unwrap_or("");
        Gap::Wrong(format!("{}: its base {base} has no element `{}` there{hint}", change.path, step.name))
    }

    /// The slice of `sliced` with this name, made from what it slices when there is none yet.
    fn slice<'n>(&mut self, sliced: &'n mut Node, name: &str) -> Result<&'n mut Node, Gap> {
        let is_it = |slice: &Node| slice.element.slice_name.as_deref() == Some(name);
        if let Some(place) = sliced.slices.iter().position(is_it) {
            let slice = sliced.slices.get_mut(place).ok_or_else(lost)?;
            // A slice that lists nothing of its own has what the element has.
            if slice.children.is_empty() && slice.element.types.iter().all(|one| one.profile.is_empty()) {
                slice.children.clone_from(&sliced.children);
            }
            return Ok(slice);
        }
        if sliced.element.slicing.is_none() {
            sliced.element.slicing = Some(implied_slicing(&sliced.name, &sliced.element.types));
        }
        let outer = name.rsplit_once('/').map(|(outer, _)| outer);
        let is_outer = |slice: &Node| outer.is_some() && slice.element.slice_name.as_deref() == outer;
        let outer_place = sliced.slices.iter().position(is_outer);
        let model = outer_place.and_then(|place| sliced.slices.get(place)).unwrap_or(sliced);
        let mut element = slice_of(&model.element, name);
        if let Some(ending) = choice_type(&sliced.name, name) {
            element.types.retain(|one| is_type(&one.code, ending));
            if element.types.is_empty() {
                // The name only looks like a type's.
                element.types.clone_from(&model.element.types);
            }
        }
        // A choice's elements are those of its types together; of one type they are others.
        let is_narrowed = element.types.len() != model.element.types.len();
        let children = if is_narrowed { Vec::new() } else { model.children.clone() };
        self.grow(1 + children.iter().map(Node::count).sum::<usize>())?;
        let slice = Node { name: sliced.name.clone(), element, children, slices: Vec::new() };
        let place = match (outer, outer_place) {
            (Some(outer), Some(place)) => {
                let is_within = |slice: &&Node| {
                    let known = slice.element.slice_name.as_deref().unwrap_or("");
                    known.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
                };
                place + 1 + sliced.slices.iter().skip(place + 1).take_while(is_within).count()
            }
            (_, _) => sliced.slices.len(),
        };
        sliced.slices.insert(place, slice);
        sliced.slices.get_mut(place).ok_or_else(lost)
    }

    /// Gives an element the children that its type has, where they are not listed yet.
    fn unfold(&mut self, node: &mut Node) -> Result<(), Gap> {
        if !node.children.is_empty() {
            return Ok(());
        }
        if let Some(reference) = node.element.content_reference.take() {
            let target = self.content(&reference)?;
            self.grow(target.children.iter().map(Node::count).sum())?;
            node.children.clone_from(&target.children);
            node.element.types.clone_from(&target.element.types);
            return Ok(());
        }
        let Some(tree) = self.generator.below(&node.element.types)? else { return Ok(()) };
        self.grow(tree.count())?;
        node.children.clone_from(&tree.children);
        if let [one] = node.element.types.as_slice()
            && let ("Extension", [profile]) = (one.code.as_str(), one.profile.as_slice())
            && let Some(url) =
                node.children.iter_mut().find(|child| child.name == "url" && child.element.fixed.is_none())
        {
            // Of an extension whose definition is not loaded this much is known.
            url.element.fixed = Some(without_version(profile).into());
        }
        // What a type profile asks of the whole, it asks here; a type's own invariants come with the type.
        if node.element.types.iter().any(|one| !one.profile.is_empty()) {
            add_constraints(&mut node.element.constraints, &tree.element.constraints, None);
        }
        Ok(())
    }

    /// The element that a content reference leads to, as the base has it.
    fn content(&mut self, reference: &str) -> Result<Node, Gap> {
        let id = reference.rsplit('#').next().unwrap_or(reference);
        let element = ElementDefinition { id: id.to_owned(), path: id.to_owned(), ..ElementDefinition::default() };
        let steps = Reader::default().steps(&element).map_err(Gap::Wrong)?;
        let Some((root, below)) = steps.split_first() else { return Err(lost()) };
        // Below a resource that an element holds (`Bundle.entry.resource`) it is that resource's own.
        let holder = match self.generator.by_type.get(root.name) {
            Some(number) if root.name != self.base.name => self.generator.tree(*number)?,
            Some(_) | None => self.base.clone(),
        };
        let target = holder.at(below).cloned();
        target.ok_or_else(|| Gap::Wrong(format!("the content reference {reference} leads nowhere")))
    }

    fn grow(&mut self, more: usize) -> Result<(), Gap> {
        self.count += more;
        match self.count {
            0..=ELEMENT_COUNT_MAX => Ok(()),
            _ => Err(Gap::Wrong(format!("its snapshot would have more than {ELEMENT_COUNT_MAX} elements"))),
        }
    }
}

fn lost() -> Gap {
    Gap::Wrong("a slice got lost".into())
}

/// The child of this name: its place, and for a choice that is named with its type (`valueQuantity`) the type.
fn find<'n>(node: &Node, name: &'n str) -> Option<(usize, Option<&'n str>)> {
    if let Some(exact) = node.children.iter().position(|child| child.name == name) {
        return Some((exact, None));
    }
    let choice = node.children.iter().enumerate().find_map(|(place, child)| {
        let ending = choice_type(&child.name, name)?;
        child.element.types.iter().any(|one| is_type(&one.code, ending)).then_some((place, Some(ending)))
    });
    // A base may have renamed its choice to the one type it leaves: `valueQuantity` for `value[x]`.
    choice.or_else(|| {
        let renamed = node.children.iter().position(|child| choice_type(name, &child.name).is_some());
        renamed.map(|place| (place, None))
    })
}
