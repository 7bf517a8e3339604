//! The sentences of slicing. They name the nearest slice and what did not match, from definitions only.

use super::{Criterion, Slice, Slicing, Test};
use crate::document::Node;
use crate::issue::{Issue, Rule};
use crate::profile::check::Walk;
use crate::profile::plan::{Element, Kind};
use crate::terminology::values::Membership;

/// The longest given value that a hint shows, in bytes.
const SHOWN_BYTES_MAX: usize = 160;
/// How many repeats are looked at to find the one that is nearest to a slice.
const CANDIDATES_MAX: usize = 64;

impl<'p, 'd> Walk<'p, 'd> {
    /// Repeats of a slice are missing.
    pub(in crate::profile) fn slice_missing(
        &mut self,
        node: Node<'d>,
        kind: &'p Kind,
        element: &'p Element,
        (number, start): (u32, usize),
    ) {
        let plan = self.plan;
        let name = element.slice.as_deref().unwrap_or("");
        let count = match element.min {
            1 => String::new(),
            min => format!(" at least {min} times"),
        };
        let mut message = format!("{} needs the slice `{name}` of `{}`{count}", kind.path, element.name.as_str());
        let is_slice = |slice: &&Slice| slice.element == number;
        let slicings = plan.elements(kind).iter().filter_map(|one| plan.slicings.get(one.slicing? as usize));
        let Some((slicing, slice)) =
            slicings.into_iter().find_map(|one| Some((one, plan.slices(one).iter().find(is_slice)?)))
        else {
            return;
        };
        if self.may_be_there(node, (kind, start), element, slicing, slice) {
            return;
        }
        let criteria = plan.criteria(slice);
        let children: Vec<_> = node
            .children()
            .filter(|child| child.name().starts_with(element.name.as_str()))
            .take(CANDIDATES_MAX)
            .collect();
        let mut near: Option<(Node<'d>, Vec<&'p Criterion>)> = None;
        for child in children {
            if plan.slices(slicing).iter().any(|one| !one.is_default && self.belongs(child, one) == Membership::In) {
                continue;
            }
            let failed: Vec<_> =
                criteria.iter().filter(|criterion| self.is_met(child, criterion) != Membership::In).collect();
            if near.as_ref().is_none_or(|(_, known)| failed.len() < known.len()) {
                near = Some((child, failed));
            }
        }
        let mut nearest = None;
        if let Some((child, failed)) = &near {
            let place = child.name();
            message.push_str(&format!("; `{place}[{}]` is nearest, but for {}", child.index(), ways(failed)));
            nearest = Some(format!("{name}, but for {}", ways(failed)));
        }
        let hint = match near.as_ref().map_or(&[][..], |(_, failed)| failed) {
            [] => format!("add one: {}", self.told(criteria.iter())),
            failed => format!("in a member of `{name}` {}", self.told(failed.iter().copied())),
        };
        let mut issue = Issue::new(Rule::SliceRequired, message).hint(hint).asked_by(self.asker(kind, element));
        issue.nearest_slice = nearest.map(String::into_boxed_str);
        self.tell_with(issue, || node.place_of_missing(element.name.as_str()));
    }

    /// A repeat stands in no slice where each must.
    pub(super) fn no_slice(&mut self, child: Node<'d>, parent: &'p Kind, element: &'p Element, slicing: &'p Slicing) {
        let plan = self.plan;
        let mut near: Option<(&'p Slice, Vec<&'p Criterion>)> = None;
        for slice in plan.slices(slicing).iter().filter(|slice| !slice.is_default) {
            let failed: Vec<_> = plan
                .criteria(slice)
                .iter()
                .filter(|criterion| self.is_met(child, criterion) != Membership::In)
                .collect();
            if near.as_ref().is_none_or(|(_, known)| failed.len() < known.len()) {
                near = Some((slice, failed));
            }
        }
        let mut message =
            format!("`{}` matches no slice of {}, and there is no room for others", child.name(), parent.path);
        let mut hint = "leave it out".to_owned();
        let mut nearest = None;
        if let Some((slice, failed)) = near {
            nearest = Some(format!("{}, but for {}", self.slice_name(slice), ways(&failed)));
            message.push_str(&format!("; `{}` is nearest, but for {}", self.slice_name(slice), ways(&failed)));
            hint = format!(
                "in a member of `{}` {}; or leave it out",
                self.slice_name(slice),
                self.told(failed.into_iter())
            );
        }
        let mut issue = Issue::new(Rule::SliceClosed, message).hint(hint).asked_by(self.asker(parent, element));
        issue.nearest_slice = nearest.map(String::into_boxed_str);
        self.tell(child, issue);
    }

    pub(super) fn several_slices(
        &mut self,
        child: Node<'d>,
        parent: &Kind,
        element: &Element,
        one: &'p Slice,
        other: &'p Slice,
    ) {
        let (one, other) = (self.slice_name(one), self.slice_name(other));
        let message = format!("`{}` matches more than one slice: `{one}` and `{other}`", child.name());
        let issue = Issue::new(Rule::SliceSeveral, message).hint("make it a member of one of them only");
        self.tell(child, issue.asked_by(self.asker(parent, element)));
    }

    pub(super) fn out_of_order(&mut self, child: Node<'d>, parent: &Kind, slice: &'p Slice) {
        let name = self.slice_name(slice);
        let message = format!("a member of the slice `{name}` stands after a slice that it stands before");
        let hint = "put the members of slices in the order of the profile";
        self.misplaced(child, parent, slice, message, hint);
    }

    pub(super) fn after_the_rest(&mut self, child: Node<'d>, parent: &Kind, slice: &'p Slice) {
        let name = self.slice_name(slice);
        let message = format!("a member of the slice `{name}` stands after one that matches no slice");
        self.misplaced(child, parent, slice, message, "put what matches no slice at the end");
    }

    fn misplaced(&mut self, child: Node<'d>, parent: &Kind, slice: &'p Slice, message: String, hint: &str) {
        let plan = self.plan;
        let Some(element) = plan.elements.get(slice.element as usize) else { return };
        let issue = Issue::new(Rule::SliceOrder, message).hint(hint).asked_by(self.asker(parent, element));
        self.tell(child, issue);
    }

    fn slice_name(&self, slice: &Slice) -> &'p str {
        let plan = self.plan;
        plan.elements.get(slice.element as usize).and_then(|element| element.slice.as_deref()).unwrap_or("")
    }

    /// The slices that there are, for hints.
    pub(super) fn slice_names(&self, slicing: &Slicing) -> String {
        const LISTED_COUNT_MAX: usize = 16;
        let plan = self.plan;
        let names: Vec<_> = plan.slices(slicing).iter().map(|slice| self.slice_name(slice)).collect();
        match names.len() {
            0 => "leave it out".into(),
            count if count > LISTED_COUNT_MAX => format!("it has {count} parts: see its definition"),
            _ => format!("it has `{}`", names.join("`, `")),
        }
    }

    /// What criteria ask, in words.
    fn told<'c>(&self, criteria: impl Iterator<Item = &'c Criterion>) -> String {
        let told: Vec<_> = criteria.map(|criterion| self.criterion(criterion)).collect();
        told.join(", and ")
    }

    fn criterion(&self, criterion: &Criterion) -> String {
        let plan = self.plan;
        let told = &criterion.told;
        let shown = match &**told {
            "$this" => "it".to_owned(),
            path => format!("`{path}`"),
        };
        match &criterion.test {
            Test::Text(text) => format!("{shown} is `{text}`"),
            Test::Given(number) => {
                let given = plan.givens.get(*number as usize).map(|given| given_text(given.value.root()));
                match given.filter(|text| text.len() <= SHOWN_BYTES_MAX) {
                    Some(text) => format!("{shown} has {text}"),
                    None => format!("{shown} has what the profile gives it"),
                }
            }
            Test::Bound(number) => {
                let binding = plan.bindings.get(*number as usize);
                let url = binding.and_then(|binding| binding.bound.as_ref()).map_or("", |bound| &bound.url);
                format!("{shown} has a code of {url}")
            }
            Test::Exists => format!("{shown} is there"),
            Test::Absent => format!("{shown} is not there"),
            Test::Named(names) => {
                let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
                format!("{shown} is written as `{}`", names.join("` or `"))
            }
            Test::Resource(types) => format!("{shown} is a {}", types.join(" or ")),
            Test::Fits(profiles) => {
                let urls: Vec<_> = profiles.iter().map(|profile| &*profile.url).collect();
                format!("{shown} fits {}", urls.join(" or "))
            }
        }
    }
}

/// A given value as JSON.
pub(in crate::profile) fn given_text(given: Node<'_>) -> String {
    match given.value() {
        Some(value) => format!("`{}`", value.text()),
        None => crate::fhir::json(given),
    }
}

/// The ways on which criteria failed, each once.
fn ways(failed: &[&Criterion]) -> String {
    let mut ways: Vec<_> = failed.iter().map(|criterion| format!("`{}`", criterion.told)).collect();
    ways.dedup();
    ways.join(", ")
}
