//! Which slice a repeat belongs to, and where it may stand.

use super::{Criterion, Hop, Rules, Slice, Slicing, Test};
use crate::document::Node;
use crate::issue::{Issue, Rule, Severity};
use crate::profile::address::Address;
use crate::profile::check::Walk;
use crate::profile::given;
use crate::profile::plan::{Element, Form, Kind};

/// In the mark of a slicing: a repeat that matches no slice has been met. The rest counts slices.
const UNMATCHED: u32 = 1 << 31;

impl<'p, 'd> Walk<'p, 'd> {
    /// Finds the slice that `child` belongs to, and holds it against it.
    pub(in crate::profile) fn slice(
        &mut self,
        child: Node<'d>,
        parent: &'p Kind,
        element: &'p Element,
        slicing: &'p Slicing,
        start: usize,
    ) {
        let plan = self.plan;
        let mut found: Option<(u32, &'p Slice)> = None;
        for (number, slice) in (0..).zip(plan.slices(slicing)) {
            let takes_rest = slice.is_default && found.is_none();
            if !takes_rest && (slice.is_default || !self.belongs(child, slice)) {
                continue;
            }
            if let Some((_, first)) = found {
                self.several_slices(child, parent, element, first, slice);
                break;
            }
            found = Some((number, slice));
        }
        let place = start + parent.elements.len() + slicing.mark as usize;
        let mark = self.counts.get(place).copied().unwrap_or(0);
        let now = match found {
            Some((number, slice)) => {
                if slicing.is_ordered && number < (mark & !UNMATCHED) {
                    self.out_of_order(child, parent, slice);
                }
                if slicing.rules == Rules::OpenAtEnd && mark & UNMATCHED != 0 {
                    self.after_the_rest(child, parent, slice);
                }
                mark & UNMATCHED | (mark & !UNMATCHED).max(number)
            }
            None => {
                self.unmatched(child, parent, element, slicing);
                mark | UNMATCHED
            }
        };
        if let Some(kept) = self.counts.get_mut(place) {
            *kept = now;
        }
        let Some((_, slice)) = found else { return };
        let step = child.interned().and_then(|name| plan.slice_steps(slice).iter().find(|step| step.name == name));
        match step {
            Some(step) => self.counted(child, parent, step, start),
            None => {
                self.count_only(slice.element, parent, start);
            }
        }
    }

    fn unmatched(&mut self, child: Node<'d>, parent: &'p Kind, element: &'p Element, slicing: &'p Slicing) {
        match slicing.rules {
            Rules::Closed => self.no_slice(child, parent, element, slicing),
            Rules::Open | Rules::OpenAtEnd => {
                let is_extension = child.is(self.names.extension);
                let url = child.child(self.names.url).and_then(|url| url.string());
                // A relative url is told by the extension that it stands in, and by nothing else.
                if is_extension && parent.form == Form::Extension && url.is_some_and(|url| !url.contains(':')) {
                    let issue = Issue::new(
                        Rule::ExtensionUnknown,
                        "the extension that this stands in has no part with this `url`",
                    )
                    .hint(self.slice_names(slicing))
                    .severity(Severity::Error);
                    self.tell(child, issue.asked_by(self.asker(parent, element)));
                }
            }
        }
    }

    /// True when all that tells the members of a slice is true of `node`.
    pub(super) fn belongs(&mut self, node: Node<'d>, slice: &'p Slice) -> bool {
        let plan = self.plan;
        plan.criteria(slice).iter().all(|criterion| self.is_met(node, criterion))
    }

    pub(super) fn is_met(&mut self, node: Node<'d>, criterion: &'p Criterion) -> bool {
        match &criterion.test {
            Test::Absent => !self.reaches(node, &criterion.way, &Test::Exists),
            test => self.reaches(node, &criterion.way, test),
        }
    }

    /// True when the way from `node` comes to something that passes.
    fn reaches(&mut self, node: Node<'d>, way: &'p [Hop], test: &'p Test) -> bool {
        let Some((hop, rest)) = way.split_first() else { return self.passes(node, test) };
        match hop {
            Hop::Child(names) => node
                .children()
                .filter(|child| names.iter().any(|name| child.is(*name)))
                .any(|child| self.reaches(child, rest, test)),
            Hop::Extension(url) => {
                let names = self.names;
                let is_of_url = |child: &Node<'d>| {
                    child.is(names.extension) && child.child(names.url).and_then(|url| url.string()) == Some(url)
                };
                node.children().filter(is_of_url).any(|child| self.reaches(child, rest, test))
            }
            Hop::Resolve => match self.resolve(node) {
                Some(target) => self.reaches(target, rest, test),
                None => rest.is_empty() && self.points_at_type(node, test),
            },
            Hop::OfType(type_name) => {
                node.resource_type().is_none_or(|known| known == &**type_name) && self.reaches(node, rest, test)
            }
        }
    }

    fn passes(&mut self, node: Node<'d>, test: &'p Test) -> bool {
        let plan = self.plan;
        match test {
            Test::Text(text) => node.string() == Some(text),
            Test::Given(number) => {
                let given = plan.givens.get(*number as usize);
                given.is_some_and(|given| given::fits(node, given.value.root(), given.is_whole))
            }
            Test::Bound(number) => {
                plan.bindings.get(*number as usize).is_some_and(|binding| self.is_bound(node, binding))
            }
            Test::Exists => true,
            Test::Absent => false,
            Test::Named(names) => names.iter().any(|name| node.is(*name)),
            Test::Resource(types) => node.resource_type().is_some_and(|known| {
                let kind = plan.resource(known).map(|kind| plan.kind(kind));
                kind.is_some_and(|kind| types.iter().any(|wanted| plan.is_a(kind.origin, wanted)))
            }),
            Test::Fits(profiles) => profiles.iter().any(|profile| match profile.origin {
                Some(origin) => self.fits(node, origin),
                None => {
                    self.leave(&profile.url, "the profile is not loaded");
                    false
                }
            }),
        }
    }

    /// True when a reference that cannot be followed says that it points at a type that is looked for.
    fn points_at_type(&self, reference: Node<'d>, test: &Test) -> bool {
        let Test::Resource(types) = test else { return false };
        let text = |name| reference.child(name).and_then(|child| child.string());
        let told = text(self.names.reference)
            .and_then(|address| Address::of(address).type_name())
            .or_else(|| text(self.names.type_));
        told.is_some_and(|told| types.iter().any(|wanted| **wanted == *told))
    }
}
