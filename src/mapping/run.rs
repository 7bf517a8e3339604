//! Running a mapping.

use super::Variables;
use super::left_behind::left_behind;
use super::outcome::Outcome;
use super::plan::{Expected, Make, Makes, Mapping, Recipe, Rule};
use super::target::tidy;
use super::trace::{Noted, Sources, traced};
use super::yield_one::{Origin, Yielded};
use crate::document::{Document, Node, NodeId};
use crate::fhirpath::{Collection, Context, Expression, Failure, Item};
use crate::issue::{Issue, Place, Rule as IssueRule, Severity};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Issues that one run tells; more of them help nobody.
const ISSUES_MAX: usize = 200;
/// Values that one expression of a rule may find, far beyond any real resource; more are refused, never cut off.
const ITEMS_MAX: usize = 10_000;

impl Mapping {
    /// Runs the mapping over `input`.
    pub fn run(&self, input: &Document, variables: &Variables<'_>) -> Outcome {
        let (value, mut run) = self.build(input, variables, false);
        if let Some(schema) = &self.schema
            && !run.refuses()
        {
            let faults = schema.check(&value);
            if !faults.is_empty() {
                // A place for each fault costs a second run, which only a refused submission pays.
                let (_, explained) = self.build(input, variables, true);
                let sources = Sources::of(&explained.notes);
                for (target, issue) in faults {
                    run.tell(issue.severity, || {
                        let source = sources.of_target(&target).unwrap_or(NodeId::ROOT);
                        issue.at(input.node(source).place())
                    });
                }
            }
        }
        Outcome::new(self, value, run.issues)
    }

    /// Runs the mapping and says where each value came from and what was left behind.
    pub fn run_explained(&self, input: &Document, variables: &Variables<'_>) -> Outcome {
        let mut outcome = self.run(input, variables);
        let (_, run) = self.build(input, variables, true);
        outcome.left_behind = left_behind(self, input, &run.used);
        outcome.trace = traced(self, input, run.notes);
        outcome
    }

    fn build(&self, input: &Document, variables: &Variables<'_>, explain: bool) -> (Value, Run<'_>) {
        let sender = variables.sender_tree();
        let mut run = Run::new(self, explain);
        let mut context = variables.context(input.root(), &sender);
        for named in &self.lets {
            let value = match named.expression.evaluate(input.root(), &context) {
                Ok(value) => value,
                Err(failure) => {
                    run.failed(&failure, input.root(), named.line);
                    Collection::new()
                }
            };
            context = context.variable(&named.name, value);
        }
        let mut out = Map::new();
        if let Makes::Fhir(resource_type) = &self.makes {
            out.insert("resourceType".to_owned(), resource_type.as_str().into());
        }
        run.rules(&self.rules, input.root(), &context, &mut out);
        let mut value = Value::Object(out);
        tidy(&mut value);
        (value, run)
    }
}

pub(super) struct Run<'m> {
    mapping: &'m Mapping,
    pub(super) issues: Vec<Issue>,
    explain: bool,
    notes: Vec<Noted<'m>>,
    /// The elements that ended in an output.
    used: HashSet<NodeId>,
    /// What stands before the targets of the rules that run now; kept only when explaining.
    prefix: String,
}

/// What a recipe made.
pub(super) enum Made {
    Nothing,
    /// Nothing, and an issue says why.
    Refused,
    Value(Value),
}

impl<'m> Run<'m> {
    fn new(mapping: &'m Mapping, explain: bool) -> Self {
        Run { mapping, issues: Vec::new(), explain, notes: Vec::new(), used: HashSet::new(), prefix: String::new() }
    }

    fn refuses(&self) -> bool {
        self.issues.iter().any(Issue::refuses)
    }

    /// Tells an issue of this severity, which is only made, and its place only looked for, when there is room for it.
    /// What refuses is told even when warnings have taken all the room: else a submission could be accepted for
    /// having too much wrong with it.
    fn tell(&mut self, severity: Severity, issue: impl FnOnce() -> Issue) {
        let has_room = self.issues.len() < ISSUES_MAX;
        if has_room || (severity <= Severity::Error && !self.refuses()) {
            self.issues.push(issue().severity(severity));
        }
    }

    pub(super) fn tell_from(&mut self, line: u32, severity: Severity, issue: impl FnOnce() -> Issue) {
        let mapping = self.mapping;
        self.tell(severity, || issue().asked_by(mapping.rule_name(line)));
    }

    fn failed(&mut self, failure: &Failure, input: Node<'_>, line: u32) {
        let rule = rule_of(failure);
        self.tell_from(line, rule.severity(), || Issue::new(rule, failure.message.clone()).at(input.place()));
    }

    fn rules<'d>(&mut self, rules: &'m [Rule], input: Node<'d>, context: &Context<'d>, out: &mut Map<String, Value>) {
        for rule in rules {
            match self.make(&rule.recipe, &rule.target.text, input, context) {
                Made::Value(value) => rule.target.put(out, value),
                Made::Refused => {}
                Made::Nothing => {
                    if rule.recipe.required && self.applies(&rule.recipe, input, context) == Some(true) {
                        self.missing(rule, input);
                    }
                }
            }
        }
    }

    fn missing(&mut self, rule: &Rule, input: Node<'_>) {
        self.tell_from(rule.recipe.line, IssueRule::MappingRequired.severity(), || {
            let message = format!("`{}` needs a value and none was found here", rule.target.text);
            Issue::new(IssueRule::MappingRequired, message).at(place_expected(input, &rule.recipe.expected_at))
        });
    }

    /// Whether the recipe's `when` holds; none when it could not be said, which is then told.
    fn applies<'d>(&mut self, recipe: &Recipe, input: Node<'d>, context: &Context<'d>) -> Option<bool> {
        let Some(when) = &recipe.when else { return Some(true) };
        match when.holds(input, context) {
            Ok(holds) => Some(holds.unwrap_or(false)),
            Err(failure) => {
                self.failed(&failure, input, recipe.line);
                None
            }
        }
    }

    fn make<'d>(&mut self, recipe: &'m Recipe, target: &str, input: Node<'d>, context: &Context<'d>) -> Made {
        match self.applies(recipe, input, context) {
            Some(true) => {}
            Some(false) => return Made::Nothing,
            None => return Made::Refused,
        }
        match &recipe.make {
            Make::Constant(value) => {
                self.note(target, &[], recipe, Origin::Plain, input);
                Made::Value(value.clone())
            }
            Make::First(alternatives) => {
                for alternative in alternatives {
                    match self.make(alternative, target, input, context) {
                        Made::Nothing => {}
                        made @ (Made::Value(_) | Made::Refused) => return made,
                    }
                }
                Made::Nothing
            }
            Make::From(expression) => match self.evaluate(expression, recipe, target, input, context) {
                Some(found) => self.single(recipe, target, &found, input),
                None => Made::Refused,
            },
            Make::EachValue(expression) => self.each_value(expression, recipe, target, input, context),
            Make::Each(expression, rules) => self.each(expression, rules, recipe, target, input, context),
        }
    }

    fn evaluate<'d>(
        &mut self,
        expression: &Expression,
        recipe: &Recipe,
        target: &str,
        input: Node<'d>,
        context: &Context<'d>,
    ) -> Option<Vec<Item<'d>>> {
        match expression.evaluate(input, context) {
            // An element that only says why it has no value yields none.
            Ok(found) => {
                let found: Vec<_> = found.into_iter().filter(|item| !is_absent(item)).take(ITEMS_MAX + 1).collect();
                let Some(beyond) = found.get(ITEMS_MAX) else { return Some(found) };
                self.tell_from(recipe.line, IssueRule::MappingTooMany.severity(), || {
                    let message = format!("`{target}` is made from {ITEMS_MAX} elements at most, and here are more");
                    Issue::new(IssueRule::MappingTooMany, message)
                        .at(beyond.origin().unwrap_or(input).place())
                        .hint("send fewer of them")
                });
                None
            }
            Err(failure) => {
                self.failed(&failure, input, recipe.line);
                None
            }
        }
    }

    fn single<'d>(&mut self, recipe: &'m Recipe, target: &str, found: &[Item<'d>], input: Node<'d>) -> Made {
        let item = match (found, &recipe.join) {
            ([], _) => return Made::Nothing,
            ([item], _) => item,
            (_, Some(between)) => return self.joined(recipe, target, found, between, input),
            ([_, second, ..], None) => {
                self.tell_from(recipe.line, IssueRule::MappingManyValues.severity(), || {
                    let message = format!("`{target}` holds one value and {} were found here", found.len());
                    Issue::new(IssueRule::MappingManyValues, message).at(second.origin().unwrap_or(input).place())
                });
                return Made::Refused;
            }
        };
        let Yielded { made, origin } = self.yield_one(recipe, target, item, input);
        if matches!(made, Made::Value(_)) {
            self.note(target, std::slice::from_ref(item), recipe, origin, input);
        }
        made
    }

    fn joined<'d>(
        &mut self,
        recipe: &'m Recipe,
        target: &str,
        found: &[Item<'d>],
        between: &str,
        input: Node<'d>,
    ) -> Made {
        let mut parts = Vec::with_capacity(found.len());
        for item in found {
            match self.yield_one(recipe, target, item, input).made {
                Made::Value(Value::String(text)) => parts.push(text),
                Made::Value(other) => parts.push(other.to_string()),
                Made::Nothing => {}
                Made::Refused => return Made::Refused,
            }
        }
        self.note(target, found, recipe, Origin::Plain, input);
        Made::Value(parts.join(between).into())
    }

    fn each_value<'d>(
        &mut self,
        expression: &Expression,
        recipe: &'m Recipe,
        target: &str,
        input: Node<'d>,
        context: &Context<'d>,
    ) -> Made {
        let Some(found) = self.evaluate(expression, recipe, target, input, context) else { return Made::Refused };
        let mut items = Vec::with_capacity(found.len());
        for item in &found {
            let Yielded { made, origin } = self.yield_one(recipe, target, item, input);
            if let Made::Value(value) = made {
                let place = if self.explain { format!("{target}[{}]", items.len()) } else { String::new() };
                self.note(&place, std::slice::from_ref(item), recipe, origin, input);
                items.push(value);
            }
        }
        if items.is_empty() { Made::Nothing } else { Made::Value(items.into()) }
    }

    fn each<'d>(
        &mut self,
        expression: &Expression,
        rules: &'m [Rule],
        recipe: &'m Recipe,
        target: &str,
        input: Node<'d>,
        context: &Context<'d>,
    ) -> Made {
        let Some(found) = self.evaluate(expression, recipe, target, input, context) else { return Made::Refused };
        let mut items = Vec::with_capacity(found.len());
        for item in &found {
            let Some(node) = item.node() else {
                self.tell_from(recipe.line, IssueRule::MappingConversion.severity(), || {
                    let message =
                        format!("the items of `{target}` are made from elements, and here a value was computed");
                    Issue::new(IssueRule::MappingConversion, message).at(input.place())
                });
                return Made::Refused;
            };
            let before = self.prefix.len();
            if self.explain {
                self.prefix.push_str(&format!("{target}[{}].", items.len()));
            }
            let mut out = Map::new();
            self.rules(rules, node, context, &mut out);
            self.prefix.truncate(before);
            if !out.is_empty() {
                items.push(Value::Object(out));
            }
        }
        if items.is_empty() { Made::Nothing } else { Made::Value(items.into()) }
    }

    fn note(&mut self, target: &str, from: &[Item<'_>], recipe: &'m Recipe, origin: Origin, input: Node<'_>) {
        if !self.explain {
            return;
        }
        // A variable's elements stand in another tree and have no place in this input.
        let is_here = |node: &Node<'_>| std::ptr::eq(node.document(), input.document());
        let sources: Vec<NodeId> = from.iter().filter_map(Item::origin).filter(is_here).map(|node| node.id()).collect();
        self.used.extend(&sources);
        self.notes.push(Noted { target: format!("{}{target}", self.prefix), sources, recipe, origin });
    }
}

/// The rule that a submission breaks over which an expression fails.
pub(super) fn rule_of(failure: &Failure) -> IssueRule {
    match failure.code {
        "fhirpath.not-single" => IssueRule::MappingManyValues,
        _ => IssueRule::MappingConversion,
    }
}

/// True for an element that has no value and no parts but its id and extensions, for example a data-absent-reason.
fn is_absent(item: &Item<'_>) -> bool {
    item.node().is_some_and(|node| {
        node.value().is_none() && node.children().all(|child| matches!(child.name(), "id" | "extension"))
    })
}

/// Where a missing value should be: down the expected path as far as the input goes without a choice.
fn place_expected(input: Node<'_>, expected: &Expected) -> Place {
    let mut node = if expected.from_root { input.document().root() } else { input };
    for name in &expected.path {
        let mut repeats = node.children_named(name);
        match (repeats.next(), repeats.next()) {
            (Some(only), None) if only.has_children() => node = only,
            _ => return node.place_of_missing(name),
        }
    }
    node.place()
}
