//! The least and the greatest value that a profile allows: `minValue[x]`, `maxValue[x]`.

use super::check::Walk;
use super::definition::ElementDefinition;
use super::plan::{Element, Kind};
use crate::document::{Node, Scalar};
use crate::fhirpath::{Decimal, Moment};
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
    /// A quantity, with its system and code; only quantities with the same ones compare.
    Quantity(Decimal, Option<Box<str>>, Option<Box<str>>),
}

/// The limits of an element, if it has any.
pub(super) fn compile(element: &ElementDefinition) -> Option<Limits> {
    let read = |limit: &Option<(String, Value)>| limit.as_ref().and_then(|(type_name, value)| bound(type_name, value));
    let limits = Limits { min: read(&element.min_value), max: read(&element.max_value) };
    (limits.min.is_some() || limits.max.is_some()).then_some(limits)
}

fn bound(type_name: &str, value: &Value) -> Option<(Bound, Box<str>)> {
    let number = |value: &Value| match value {
        Value::Number(number) => Decimal::parse(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    };
    if type_name == "Quantity" {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let amount = number(value.get("value")?)?;
        let unit = text("unit").or(text("code")).map_or(String::new(), |unit| format!(" {unit}"));
        let told = format!("{}{unit}", value.get("value")?);
        return Some((
            Bound::Quantity(amount, text("system").map(Into::into), text("code").map(Into::into)),
            told.into(),
        ));
    }
    let found = match (value, type_name) {
        (Value::String(text), "Time") => Bound::Time(Moment::parse_time(text)?),
        (Value::String(text), _) => Bound::Moment(Moment::parse_date_time(text)?),
        (value, _) => Bound::Number(number(value)?),
    };
    Some((found, value.as_str().map_or_else(|| value.to_string(), str::to_owned).into()))
}

impl Bound {
    /// How `node` stands to the bound; none when the two cannot be compared, or not decided.
    fn order(&self, node: Node<'_>) -> Option<Ordering> {
        match (self, node.value()) {
            (Bound::Number(bound), Some(Scalar::Number(text))) => compare(Decimal::parse(text)?, *bound),
            (Bound::Moment(bound), Some(Scalar::String(text))) => Moment::parse_date_time(text)?.compare(*bound),
            (Bound::Time(bound), Some(Scalar::String(text))) => Moment::parse_time(text)?.compare(*bound),
            (Bound::Quantity(bound, system, code), None) => {
                let text = |name: &str| node.child_named(name).and_then(|child| child.string());
                if text("system") != system.as_deref() || text("code") != code.as_deref() {
                    return None;
                }
                match node.child_named("value")?.value()? {
                    Scalar::Number(text) => compare(Decimal::parse(text)?, *bound),
                    Scalar::String(_) | Scalar::Boolean(_) => None,
                }
            }
            (Bound::Number(_) | Bound::Moment(_) | Bound::Time(_) | Bound::Quantity(..), _) => None,
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
            bound.as_ref().is_some_and(|(bound, _)| matches!(bound, Bound::Quantity(..)) && node.value().is_some())
        };
        if is_relative(&limits.min) || is_relative(&limits.max) {
            let what = format!("the limits of {}.{name} of {}", parent.path, self.plan.url(parent));
            return self.leave(&what, "they count from today, and a check gives the same answer on every day");
        }
        let wrong = |limit: &'p Option<(Bound, Box<str>)>, side: Ordering| {
            limit.as_ref().filter(|(bound, _)| bound.order(node) == Some(side)).map(|(_, told)| told)
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
