//! Which profiles are asked of a resource or value, and trying them without a word.

use super::NotEvaluated;
use super::check::{Pass, Walk};
use super::plan::{Element, Kind, ProfileRef, Step};
use super::tell::with_article;
use crate::document::{Node, NodeId};
use crate::issue::{Issue, Rule};
use std::collections::{HashMap, HashSet};

/// How deep trials may stand in trials: a profile whose slices are told by profiles whose slices are told by profiles.
const TRIAL_DEPTH_MAX: u32 = 8;
/// How much of what is not evaluated is listed.
const LEFT_COUNT_MAX: usize = 200;

/// What has been held against what.
#[derive(Debug, Default)]
pub(super) struct Fitting {
    /// Nodes, and the profiles that have been walked over them.
    held: HashSet<(NodeId, u32)>,
    /// What trials came to.
    tried: HashMap<(NodeId, u32), bool>,
    /// How many trials are under way; while there is one, nothing is told.
    depth: u32,
    /// The trial under way has found what refuses.
    pub(super) has_failed: bool,
    /// What the expressions that say where extensions may stand have found, by resource and number of the context;
    /// none where one cannot be evaluated.
    pub(super) contexts: HashMap<(NodeId, u32), Option<HashSet<NodeId>>>,
    /// Elements, and the extensions whose invariants have been asked of them.
    pub(super) context_asked: HashSet<(NodeId, u32)>,
}

impl Fitting {
    pub(super) fn is_trial(&self) -> bool {
        self.depth > 0
    }
}

impl<'p, 'd> Walk<'p, 'd> {
    /// Lists what a definition asks and no check decides, once.
    pub(super) fn leave(&mut self, what: &str, why: &str) {
        let is_known = |left: &NotEvaluated| left.what == what && left.why == why;
        if self.fitting.is_trial()
            || self.not_evaluated.len() == LEFT_COUNT_MAX
            || self.not_evaluated.iter().any(is_known)
        {
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
                let fits = several.iter().filter_map(|profile| profile.origin).any(|origin| self.fits(node, origin));
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

    /// Whether `node` fits a profile; nothing is told of why not.
    pub(super) fn fits(&mut self, node: Node<'d>, number: u32) -> bool {
        let key = (node.id(), number);
        if let Some(known) = self.fitting.tried.get(&key) {
            return *known;
        }
        if self.fitting.depth == TRIAL_DEPTH_MAX {
            // What is not found out is held against nobody.
            return true;
        }
        // What is asked again on the way round, by references that lead back, is what is being found out.
        self.fitting.tried.insert(key, true);
        let issues = std::mem::take(&mut self.issues);
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
        self.fitting.tried.insert(key, fits);
        fits
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
