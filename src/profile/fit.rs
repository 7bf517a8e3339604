//! Which profiles are asked of a resource or value, and trying them without a word.

use super::NotEvaluated;
use super::check::{Pass, Walk};
use super::plan::{Element, Kind, ProfileRef, Step};
use super::tell::with_article;
use crate::document::{Node, NodeId};
use crate::issue::{Issue, Rule};
use crate::terminology::values::Membership;
use std::collections::{HashMap, HashSet};

/// How deep trials may stand in trials: a profile whose slices are told by profiles whose slices are told by profiles.
const TRIAL_DEPTH_MAX: u32 = 8;
/// How much of what is not evaluated is listed.
const LEFT_COUNT_MAX: usize = 200;

/// How often one value is tried against one profile inside other trials.
const TRIAL_COUNT_MAX: u32 = 8;

/// A value, and the profile that it is tried against.
type Key = (NodeId, u32);

/// A trial.
#[derive(Debug, Default)]
struct Trial {
    state: State,
    /// How often it has been begun.
    count: u32,
    /// What it left undecided, where it fits.
    left: Vec<NotEvaluated>,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// What it came to is not known, or no longer.
    #[default]
    Open,
    /// It is under way, at this depth.
    UnderWay(u32),
    /// It fits as long as the trial at this depth does, which is under way.
    Leaning(u32),
    /// It fits, or not, whatever comes.
    Done(bool),
}

/// What has been held against what.
#[derive(Debug, Default)]
pub(super) struct Fitting {
    /// Nodes, and the profiles that have been walked over them.
    held: HashSet<Key>,
    /// Trials, and what they came to.
    trials: HashMap<Key, Trial>,
    /// Trials that fit as long as those fit that they lean on and that are not done, in the order of their end.
    leaning: Vec<Key>,
    /// The outermost trial that is not done and that the one under way leans on, by its depth; 0 for one that was given
    /// up for its depth.
    leans_on: u32,
    /// How many trials are under way; while there is one, nothing is told.
    depth: u32,
    /// The trial under way has found what refuses.
    pub(super) has_failed: bool,
    /// What the expressions that say where extensions may stand have found, by resource and number of the context;
    /// none where one cannot be evaluated.
    pub(super) contexts: HashMap<(NodeId, u32), Option<HashSet<NodeId>>>,
    /// An extension that no definition is loaded for has been listed.
    pub(super) has_left_extension: bool,
    /// Elements, and the extensions whose invariants have been asked of them.
    pub(super) context_asked: HashSet<(NodeId, u32)>,
}

impl Fitting {
    pub(super) fn is_trial(&self) -> bool {
        self.depth > 0
    }
}

impl<'p, 'd> Walk<'p, 'd> {
    /// Lists what a definition asks and no check decides, once. What a trial leaves is listed when it fits.
    pub(super) fn leave(&mut self, what: &str, why: &str) {
        let is_known = |left: &NotEvaluated| left.what == what && left.why == why;
        if self.not_evaluated.len() == LEFT_COUNT_MAX || self.not_evaluated.iter().any(is_known) {
            return;
        }
        self.not_evaluated.push(NotEvaluated { what: what.into(), why: why.into() });
    }

    /// Holds a resource against the profiles that it claims in `meta.profile`.
    pub(super) fn claims(&mut self, resource: Node<'d>, kind: &'p Kind) {
        let names = self.names;
        let Some(meta) = resource.child(names.meta) else { return };
        for claim in meta.children().filter(|child| child.is(names.profile)) {
            if self.is_full {
                return;
            }
            // What has not the form of a url has been told as that.
            if let Some(url) = claim.string().filter(|url| url.bytes().all(|byte| byte.is_ascii_graphic())) {
                self.claim(claim, resource, kind, url);
            }
        }
    }

    /// Holds a resource against a profile that it claims, at the place that says so, or that is demanded of it, at the
    /// resource itself.
    pub(super) fn claim(&mut self, at: Node<'d>, resource: Node<'d>, kind: &'p Kind, url: &str) {
        let plan = self.plan;
        let Some((number, origin)) = plan.defined(url) else {
            // What the sender claims is the sender's own word, and is told by its place.
            let what = match at == resource {
                true => format!("the profile {url}"),
                false => format!("the profile at {}", at.expression()),
            };
            let message = format!("{what} is not loaded, so nothing was held against it");
            let issue = Issue::new(Rule::ProfileNotLoaded, message)
                .hint("see that the url is the profile's, or have its package loaded here");
            self.tell(at, issue);
            return self.leave(&what, "it is not loaded");
        };
        if let Some((_, version)) = url.split_once('|')
            && !origin.version.is_empty()
            && *origin.version != *version
        {
            let what = format!("another version of the profile {}", origin.url);
            self.leave(&what, &format!("version {} is loaded, and was taken", origin.version));
        }
        if !plan.is_a(kind.origin, &origin.type_name) {
            let message = format!("this is {}, and the profile is on {}", with_article(&kind.path), origin.type_name);
            let issue = Issue::new(Rule::ResourceTypeMismatch, message).hint(format!(
                "send {}, or name a profile on {}",
                with_article(&origin.type_name),
                kind.path
            ));
            return self.tell(at, issue.asked_by(&*origin.url));
        }
        if origin.is_profile {
            self.hold(resource, number);
        }
    }

    /// Holds `node` against a profile, once.
    pub(super) fn hold(&mut self, node: Node<'d>, number: u32) {
        let plan = self.plan;
        let Some(origin) = plan.origin(number).filter(|origin| origin.is_profile) else { return };
        if !self.fitting.held.insert((node.id(), number)) {
            return;
        }
        let pass = std::mem::replace(&mut self.pass, Pass::Profile);
        let kind = plan.kind(origin.root);
        if let Some(whole) = origin.whole.and_then(|whole| plan.elements.get(whole as usize)) {
            self.asked_of_value(node, kind, whole, kind.form);
        }
        self.complex(node, origin.root);
        self.pass = pass;
    }

    /// Holds `node` against profiles of which it must fit one.
    pub(super) fn one_of(
        &mut self,
        node: Node<'d>,
        profiles: &'p [ProfileRef],
        parent: &'p Kind,
        element: &'p Element,
    ) {
        for profile in profiles.iter().filter(|profile| profile.origin.is_none()) {
            self.leave(&format!("the profile {}", profile.url), "it is not loaded");
        }
        match profiles {
            [] => {}
            [only] => {
                if let Some(origin) = only.origin {
                    self.hold(node, origin);
                }
            }
            several => {
                let is_open = several.iter().any(|profile| profile.origin.is_none());
                let mut origins = several.iter().filter_map(|profile| profile.origin);
                let fits = origins.any(|origin| self.fits(node, origin) != Membership::Out);
                if !fits && !is_open {
                    let urls: Vec<_> = several.iter().map(|profile| &*profile.url).collect();
                    let message = format!(
                        "`{}` fits none of the {} profiles that it may have",
                        element.name.as_str(),
                        urls.len()
                    );
                    let issue = Issue::new(Rule::ProfileNoneFits, message)
                        .hint(format!("make it fit one of {}", urls.join(", ")))
                        .asked_by(self.asker(parent, element));
                    self.tell(node, issue);
                }
            }
        }
    }

    /// Whether `node` fits a profile; nothing is told of why not. It is undecided where something is left undecided and
    /// nothing else refuses: what is not found out is held against nobody.
    ///
    /// References lead back: what is asked again on the way round is what is being found out, and counts as fitting
    /// until it is known not to. What leaned on that is then found out anew, so the order of asking changes nothing.
    pub(super) fn fits(&mut self, node: Node<'d>, number: u32) -> Membership {
        let key = (node.id(), number);
        let depth = self.fitting.depth;
        let known = self.fitting.trials.entry(key).or_default();
        let count = known.count;
        match known.state {
            State::Done(false) => return Membership::Out,
            State::Done(true) => return self.fits_but_for(key),
            State::UnderWay(at) | State::Leaning(at) => {
                self.fitting.leans_on = self.fitting.leans_on.min(at);
                return self.fits_but_for(key);
            }
            State::Open if depth > 0 && (depth == TRIAL_DEPTH_MAX || count == TRIAL_COUNT_MAX) => {
                self.fitting.leans_on = 0;
                self.leave("some of the profiles on what is pointed at", "they lead into one another too deeply");
                return Membership::Undecided;
            }
            State::Open => {}
        }
        self.fitting
            .trials
            .insert(key, Trial { state: State::UnderWay(depth + 1), count: count + 1, left: Vec::new() });
        let first = self.fitting.leaning.len();
        let outer = std::mem::replace(&mut self.fitting.leans_on, u32::MAX);
        let (fits, left) = self.tried(node, number);
        let own = std::mem::replace(&mut self.fitting.leans_on, outer);
        // The outermost has seen all that it could. One that leans on nothing further out has come round to itself.
        let is_done = !fits || depth == 0 || own > depth;
        if !is_done {
            self.fitting.leans_on = outer.min(own);
            self.fitting.leaning.push(key);
        } else {
            // What leaned on one that does not fit, or on what was too deep for it, is open again.
            let was_right = fits && own > depth;
            for key in self.fitting.leaning.split_off(first) {
                if let Some(trial) = self.fitting.trials.get_mut(&key) {
                    trial.state = if was_right { State::Done(true) } else { State::Open };
                }
            }
        }
        if let Some(trial) = self.fitting.trials.get_mut(&key) {
            trial.state = if is_done { State::Done(fits) } else { State::Leaning(own) };
            trial.left = left;
        }
        if fits { self.fits_but_for(key) } else { Membership::Out }
    }

    /// Lists what a trial that fits left undecided.
    fn fits_but_for(&mut self, key: Key) -> Membership {
        let left = self.fitting.trials.get_mut(&key).map(|trial| std::mem::take(&mut trial.left)).unwrap_or_default();
        let is_decided = left.is_empty();
        for one in &left {
            self.leave(&one.what, &one.why);
        }
        if let Some(trial) = self.fitting.trials.get_mut(&key) {
            trial.left = left;
        }
        if is_decided { Membership::In } else { Membership::Undecided }
    }

    /// Whether `node` fits a profile, and what that leaves undecided.
    fn tried(&mut self, node: Node<'d>, number: u32) -> (bool, Vec<NotEvaluated>) {
        let issues = std::mem::take(&mut self.issues);
        let not_evaluated = std::mem::take(&mut self.not_evaluated);
        let held = std::mem::take(&mut self.fitting.held);
        let has_failed = std::mem::replace(&mut self.fitting.has_failed, false);
        let (mild_count, is_full) = (self.mild_count, std::mem::replace(&mut self.is_full, false));
        self.fitting.depth += 1;
        let fits = self.is_of_type(node, number) && {
            self.inside(node, |walk| walk.hold(node, number));
            !self.fitting.has_failed
        };
        self.fitting.depth -= 1;
        (self.issues, self.mild_count, self.is_full) = (issues, mild_count, is_full);
        (self.fitting.held, self.fitting.has_failed) = (held, has_failed);
        let left = std::mem::replace(&mut self.not_evaluated, not_evaluated);
        (fits, if fits { left } else { Vec::new() })
    }

    /// True unless `node` is a resource of another type than the profile's.
    fn is_of_type(&self, node: Node<'d>, number: u32) -> bool {
        let plan = self.plan;
        let (Some(type_name), Some(origin)) = (node.resource_type(), plan.origin(number)) else { return true };
        let kind = plan.resource(type_name).map(|kind| plan.kind(kind));
        kind.is_some_and(|kind| plan.is_a(kind.origin, &origin.type_name))
    }

    /// What a profile asks of a resource inside another: its type, the profiles on it, and what it says of its elements.
    pub(super) fn narrowed_resource(&mut self, node: Node<'d>, parent: &'p Kind, element: &'p Element, step: &'p Step) {
        let plan = self.plan;
        let Some(type_name) = node.resource_type() else { return };
        let Some(kind) = plan.resource(type_name).map(|kind| plan.kind(kind)) else { return };
        let allowed = plan.allowed(step);
        if !allowed.is_empty() {
            let Some(found) = allowed.iter().find(|one| plan.is_a(kind.origin, &one.type_name)) else {
                let names: Vec<_> = allowed.iter().map(|one| &*one.type_name).collect();
                // The type is one that FHIR defines, so it may be named.
                let message = format!("`{}` is no {} here", element.name.as_str(), kind.path);
                let issue =
                    Issue::new(Rule::ResourceTypeMismatch, message).hint(format!("it is one of {}", names.join(", ")));
                return self.tell(node, issue.asked_by(self.asker(parent, element)));
            };
            self.inside(node, |walk| walk.one_of(node, plan.profile_refs(&found.profiles), parent, element));
        }
        if let Some(narrowed) = step.narrowed {
            self.inside(node, |walk| walk.complex(node, narrowed));
        }
    }

    /// Does something with `node` as the resource that expressions are about, where it is one.
    pub(super) fn inside(&mut self, node: Node<'d>, does: impl FnOnce(&mut Self)) {
        if node.resource_type().is_none() || node == self.resource {
            return does(self);
        }
        let outer = (self.resource, self.root);
        self.resource = node;
        let mut holder = node;
        while let Some(parent) = holder.parent().filter(|_| holder.is(self.names.contained)) {
            holder = parent;
        }
        self.root = holder;
        does(self);
        (self.resource, self.root) = outer;
    }
}
