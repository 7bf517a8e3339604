//! The least and the greatest value that a profile allows: `minValue[x]`, `maxValue[x]`.

use super::check::Walk;
use super::definition::ElementDefinition;
use super::plan::{Element, Kind};
use crate::document::{Node, Scalar};
use crate::fhirpath::{self, Context, Decimal, Expression, Moment, Scope};
use crate::issue::{Issue, Rule};
use serde_json::Value;
use std::cmp::Ordering;

/// The least and the greatest value of an element; each with the text that tells it.
#[derive(Debug)]
pub(super) struct Limits {
    min: Option<(Bound, Box<str>)>,
    max: Option<(Bound, Box<str>)>,
}

/// A value that others are compared with.
#[derive(Debug)]
enum Bound {
    Number(Decimal),
    Moment(Moment),
    Time(Moment),
    /// A quantity, as an expression that is true of what is within it: expressions know units.
    Quantity(Expression),
}

/// The limits of an element, if it has any.
pub(super) fn compile(element: &ElementDefinition) -> Option<Limits> {
    let read = |limit: &Option<(String, Value)>, sign: &str| {
        limit.as_ref().and_then(|(type_name, value)| bound(type_name, value, sign))
    };
    let limits = Limits { min: read(&element.min_value, ">="), max: read(&element.max_value, "<=") };
    (limits.min.is_some() || limits.max.is_some()).then_some(limits)
}

fn bound(type_name: &str, value: &Value, sign: &str) -> Option<(Bound, Box<str>)> {
    let number = |value: &Value| match value {
        Value::Number(number) => Decimal::parse(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let found = match (value, type_name) {
        (value, "Quantity") => return quantity(value, sign),
        (Value::String(text), "Time") => Bound::Time(Moment::parse_time(text)?),
        (Value::String(text), _) => Bound::Moment(Moment::parse_date_time(text)?),
        (value, _) => Bound::Number(number(value)?),
    };
    Some((found, value.as_str().map_or_else(|| value.to_string(), str::to_owned).into()))
}

fn quantity(value: &Value, sign: &str) -> Option<(Bound, Box<str>)> {
    let amount = value.get("value")?;
    let unit = ["code", "unit"].iter().find_map(|name| value.get(name)?.as_str()).unwrap_or("1");
    let text = format!("$this {sign} {amount} '{}'", unit.replace('\\', "\\\\").replace('\'', "\\'"));
    let expression = fhirpath::compile(&text, &Scope::new()).ok()?;
    Some((Bound::Quantity(expression), format!("{amount} {unit}").into()))
}

impl Bound {
    /// How `node` stands to the bound; none when the two cannot be compared, or not decided.
    fn order(&self, node: Node<'_>) -> Option<Ordering> {
        match (self, node.value()) {
            (Bound::Number(bound), Some(Scalar::Number(text))) => compare(Decimal::parse(text)?, *bound),
            (Bound::Moment(bound), Some(Scalar::String(text))) => Moment::parse_date_time(text)?.compare(*bound),
            (Bound::Time(bound), Some(Scalar::String(text))) => Moment::parse_time(text)?.compare(*bound),
            (Bound::Number(_) | Bound::Moment(_) | Bound::Time(_) | Bound::Quantity(_), _) => None,
        }
    }
}

impl Bound {
    /// True for a date or time that is not exact enough to lie on one side of the bound.
    fn is_open(&self, node: Node<'_>) -> bool {
        let moment = |parse: fn(&str) -> Option<Moment>| node.string().and_then(parse);
        match self {
            Bound::Moment(bound) => {
                moment(Moment::parse_date_time).is_some_and(|moment| moment.compare(*bound).is_none())
            }
            Bound::Time(bound) => moment(Moment::parse_time).is_some_and(|moment| moment.compare(*bound).is_none()),
            Bound::Number(_) | Bound::Quantity(_) => false,
        }
    }
}

fn compare(one: Decimal, other: Decimal) -> Option<Ordering> {
    one.partial_cmp(&other)
}

impl<'p, 'd> Walk<'p, 'd> {
    /// `minValue[x]` and `maxValue[x]`.
    pub(super) fn limited(&mut self, node: Node<'d>, parent: &Kind, element: &Element) {
        let Some(limits) = element.limits.and_then(|number| self.plan.limits.get(number as usize)) else { return };
        let name = element.name.as_str();
        let is_relative = |bound: &Option<(Bound, Box<str>)>| {
            // A quantity beside a date counts from today, which a check does not know.
            bound.as_ref().is_some_and(|(bound, _)| matches!(bound, Bound::Quantity(_)) && node.value().is_some())
        };
        if is_relative(&limits.min) || is_relative(&limits.max) {
            let what = format!("the limits of {}.{name} of {}", parent.path, self.plan.url(parent));
            return self.leave(&what, "they count from today, and a check gives the same answer on every day");
        }
        let is_open = |bound: &Option<(Bound, Box<str>)>| bound.as_ref().is_some_and(|(bound, _)| bound.is_open(node));
        if is_open(&limits.min) || is_open(&limits.max) {
            let what = format!("the limits of {}.{name} of {}", parent.path, self.plan.url(parent));
            self.leave(&what, "a value that is less exact than the limit lies on neither side of it");
        }
        let context = Context::new(self.resource).root(self.root).model(self.plan);
        let wrong = |limit: &'p Option<(Bound, Box<str>)>, side: Ordering| {
            let is_beyond = |bound: &Bound| match bound {
                // Units that do not go together leave it open.
                Bound::Quantity(expression) => expression.holds(node, &context) == Ok(Some(false)),
                Bound::Number(_) | Bound::Moment(_) | Bound::Time(_) => bound.order(node) == Some(side),
            };
            limit.as_ref().filter(|(bound, _)| is_beyond(bound)).map(|(_, told)| told)
        };
        let issue = match (wrong(&limits.min, Ordering::Less), wrong(&limits.max, Ordering::Greater)) {
            (Some(min), _) => Issue::new(Rule::ProfileValue, format!("`{name}` is less than the profile allows"))
                .hint(format!("the least is {min}")),
            (None, Some(max)) => Issue::new(Rule::ProfileValue, format!("`{name}` is more than the profile allows"))
                .hint(format!("the most is {max}")),
            (None, None) => return,
        };
        self.tell(node, issue.asked_by(self.asker(parent, element)));
    }
}
