//! What an expression may know beside its input.

use super::model::Model;
use super::moment::Moment;
use super::value::Collection;
use crate::document::Node;
use std::cell::Cell;

/// Finds what a reference points at, beyond the resource's own contained resources.
pub type Resolver<'d> = dyn Fn(&str) -> Option<Node<'d>> + 'd;

/// Hears what `trace()` is told: its name and the items.
pub type Trace<'d> = dyn Fn(&str, &Collection<'d>) + 'd;

/// Steps that one evaluation may take unless the context says otherwise. A step is an element looked at or an
/// operation done, about 10 to 50 ns, so this is about a tenth of a second.
const STEPS_MAX: u64 = 4_000_000;

/// The surroundings of an evaluation. Making one costs nothing; make one for each resource.
#[derive(Clone)]
pub struct Context<'d> {
    /// `%resource`: the resource that holds the input.
    pub resource: Node<'d>,
    /// `%rootResource`: the resource that holds `%resource`, when that is a contained one; else the same.
    pub root: Node<'d>,
    /// What `now()` is, and `today()` the date of.
    pub now: Option<Moment>,
    pub(super) variables: Vec<(&'d str, Collection<'d>)>,
    pub(super) resolver: Option<&'d Resolver<'d>>,
    pub(super) trace: Option<&'d Trace<'d>>,
    pub(super) model: Option<&'d dyn Model>,
    pub(super) steps_max: u64,
    pub(super) budget: Option<&'d Cell<u64>>,
}

impl<'d> Context<'d> {
    /// The surroundings of a resource that stands for itself.
    pub fn new(resource: Node<'d>) -> Self {
        Context {
            resource,
            root: resource,
            now: None,
            variables: Vec::new(),
            resolver: None,
            trace: None,
            model: None,
            steps_max: STEPS_MAX,
            budget: None,
        }
    }

    /// The same, with the resource that contains this one.
    pub fn root(mut self, root: Node<'d>) -> Self {
        self.root = root;
        self
    }

    /// The same, at an instant told in UTC.
    pub fn now(self, now: jiff::Timestamp) -> Self {
        self.now_zoned(&now.to_zoned(jiff::tz::TimeZone::UTC))
    }

    /// The same, at an instant told in a time zone, which decides what day `today()` is.
    pub fn now_zoned(mut self, now: &jiff::Zoned) -> Self {
        self.now = Moment::from_zoned(now);
        self
    }

    /// The same, with the value of `%name`. The scope that compiled the expression must know the name.
    pub fn variable(mut self, name: &'d str, value: Collection<'d>) -> Self {
        match self.variables.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.variables.push((name, value)),
        }
        self
    }

    /// The same, with a way to follow references out of the resource.
    pub fn resolver(mut self, resolver: &'d Resolver<'d>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// The same, with a listener for `trace()`.
    pub fn trace(mut self, trace: &'d Trace<'d>) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The same, with the definitions and code systems that are loaded.
    pub fn model(mut self, model: &'d dyn Model) -> Self {
        self.model = Some(model);
        self
    }

    /// The same, with another bound on the steps of one evaluation.
    pub fn steps_max(mut self, steps_max: u64) -> Self {
        self.steps_max = steps_max;
        self
    }

    /// The same, with steps that many evaluations share: each takes what it uses, so that a whole check is bounded however
    /// many expressions it runs. An evaluation that finds too few fails with `fhirpath.budget`.
    pub fn budget(mut self, budget: &'d Cell<u64>) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The steps that evaluations share, where they do.
    pub fn budget_left(&self) -> Option<&'d Cell<u64>> {
        self.budget
    }
}
