//! Which slice a repeat belongs to, and where it may stand.

use super::{Criterion, Hop, Rules, Slice, Slicing, Test};
use crate::document::Node;
use crate::issue::{Issue, Rule, Severity};
use crate::profile::address::Address;
use crate::profile::check::Walk;
use crate::profile::given;
use crate::profile::plan::{Element, Form, Kind};
use crate::terminology::values::Membership;

/// In the mark of a slicing: a repeat that matches no slice has been met.
const UNMATCHED: u32 = 1 << 31;
/// In the mark of a slicing: a repeat has been met of which it is not known to what slice it belongs.
const UNDECIDED: u32 = 1 << 30;
/// The rest of the mark counts slices.
const REACHED: u32 = UNDECIDED - 1;

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
        let mut is_open = false;
        for (number, slice) in (0..).zip(plan.slices(slicing)) {
            let membership = match (slice.is_default, found.is_none() && !is_open) {
                (true, true) => Membership::In,
                (true, false) => Membership::Out,
                (false, _) => self.belongs(child, slice),
            };
            is_open |= membership == Membership::Undecided;
            if membership != Membership::In {
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
                if slicing.is_ordered && number < (mark & REACHED) {
                    self.out_of_order(child, parent, slice);
                }
                if slicing.rules == Rules::OpenAtEnd && mark & UNMATCHED != 0 {
                    self.after_the_rest(child, parent, slice);
                }
                mark & !REACHED | (mark & REACHED).max(number)
            }
            None if is_open => {
                if mark & UNDECIDED == 0 {
                    let what = format!("which slices {} has", self.asker(parent, element));
                    self.leave(&what, "what tells them apart cannot be decided here");
                }
                mark | UNDECIDED
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

    /// True when a repeat among the children of `node`, of which the mark of the slicing says that there are such, may
    /// belong to `slice` for all that is known.
    pub(super) fn may_be_there(
        &mut self,
        node: Node<'d>,
        (kind, start): (&Kind, usize),
        element: &Element,
        slicing: &Slicing,
        slice: &'p Slice,
    ) -> bool {
        let mark = self.counts.get(start + kind.elements.len() + slicing.mark as usize);
        if mark.is_none_or(|mark| mark & UNDECIDED == 0) {
            return false;
        }
        // A choice has its type's name at the end, and what tells its slices looks at that.
        let mut repeats = node.children().filter(|child| child.name().starts_with(element.name.as_str()));
        slice.is_default || repeats.any(|child| self.belongs(child, slice) == Membership::Undecided)
    }

    /// Whether all that tells the members of a slice is true of `node`.
    pub(super) fn belongs(&mut self, node: Node<'d>, slice: &'p Slice) -> Membership {
        let mut membership = Membership::In;
        for criterion in self.plan.criteria(slice) {
            membership = membership.and(self.is_met(node, criterion));
            if membership == Membership::Out {
                break;
            }
        }
        membership
    }

    pub(super) fn is_met(&mut self, node: Node<'d>, criterion: &'p Criterion) -> Membership {
        match &criterion.test {
            Test::Absent => self.reaches(node, &criterion.way, &Test::Exists).negated(),
            test => self.reaches(node, &criterion.way, test),
        }
    }

    /// Whether the way from `node` comes to something that passes.
    fn reaches(&mut self, node: Node<'d>, way: &'p [Hop], test: &'p Test) -> Membership {
        let Some((hop, rest)) = way.split_first() else { return self.passes(node, test) };
        match hop {
            Hop::Child(names) => {
                let is_named = |child: &Node<'d>| names.iter().any(|name| child.is(*name));
                self.any_reaches(node.children().filter(is_named), rest, test)
            }
            Hop::Extension(url) => {
                let names = self.names;
                let is_of_url = |child: &Node<'d>| {
                    child.is(names.extension) && child.child(names.url).and_then(|url| url.string()) == Some(url)
                };
                self.any_reaches(node.children().filter(is_of_url), rest, test)
            }
            Hop::Resolve => match self.resolve(node) {
                Some(target) => self.reaches(target, rest, test),
                None => known(rest.is_empty() && self.points_at_type(node, test)),
            },
            Hop::OfType(type_name) => match node.resource_type().is_none_or(|known| known == &**type_name) {
                true => self.reaches(node, rest, test),
                false => Membership::Out,
            },
        }
    }

    fn any_reaches(&mut self, nodes: impl Iterator<Item = Node<'d>>, way: &'p [Hop], test: &'p Test) -> Membership {
        let mut membership = Membership::Out;
        for node in nodes {
            membership = membership.or(self.reaches(node, way, test));
            if membership == Membership::In {
                break;
            }
        }
        membership
    }

    fn passes(&mut self, node: Node<'d>, test: &'p Test) -> Membership {
        let plan = self.plan;
        match test {
            Test::Text(text) => known(node.string() == Some(text)),
            Test::Given(number) => {
                let given = plan.givens.get(*number as usize);
                known(given.is_some_and(|given| given::fits(node, given.value.root(), given.is_whole)))
            }
            Test::Bound(number) => {
                let binding = plan.bindings.get(*number as usize);
                binding.map_or(Membership::Out, |binding| self.is_bound(node, binding))
            }
            Test::Exists => Membership::In,
            Test::Absent => Membership::Out,
            Test::Named(names) => known(names.iter().any(|name| node.is(*name))),
            Test::Resource(types) => known(node.resource_type().is_some_and(|known| {
                let kind = plan.resource(known).map(|kind| plan.kind(kind));
                kind.is_some_and(|kind| types.iter().any(|wanted| plan.is_a(kind.origin, wanted)))
            })),
            Test::Fits(profiles) => {
                let mut membership = Membership::Out;
                for profile in profiles {
                    membership = membership.or(match profile.origin {
                        Some(origin) => self.fits(node, origin),
                        None => {
                            self.leave(&format!("the profile {}", profile.url), "it is not loaded");
                            Membership::Undecided
                        }
                    });
                    if membership == Membership::In {
                        break;
                    }
                }
                membership
            }
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

fn known(is_in: bool) -> Membership {
    if is_in { Membership::In } else { Membership::Out }
}
