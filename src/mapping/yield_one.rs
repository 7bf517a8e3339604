//! From one item of the input to one value of the output: code table, conversion, and what happens otherwise.

use super::outcome::TracedRow;
use super::plan::{Otherwise, Recipe};
use super::run::{Made, Run};
use crate::document::{Node, Scalar};
use crate::fhirpath::{Item, Value as PathValue};
use crate::issue::{Issue, Rule, Severity};
use serde_json::Value;

/// Codes of a table that a hint lists.
const CODES_TOLD_MAX: usize = 20;

/// A value and how it came about.
pub(super) struct Yielded {
    pub(super) made: Made,
    pub(super) origin: Origin,
}

/// How a value came about, for the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// As it came, or converted.
    Plain,
    /// By this line of the code table.
    Row(u32),
    /// By the rule's `otherwise`.
    Otherwise,
}

impl Origin {
    pub(super) fn told(self, recipe: &Recipe) -> (Option<TracedRow>, bool) {
        let row = |line| recipe.table.as_ref().map(|table| TracedRow { table: table.name().to_owned(), line });
        match self {
            Origin::Plain => (None, false),
            Origin::Row(line) => (row(Some(line)), false),
            Origin::Otherwise => (row(None), true),
        }
    }
}

impl Run<'_> {
    /// Makes one value of one item.
    pub(super) fn yield_one(&mut self, recipe: &Recipe, target: &str, item: &Item<'_>, input: Node<'_>) -> Yielded {
        let Some(text) = item.text() else {
            self.tell_from(recipe.line, Rule::MappingConversion.severity(), || {
                let message = format!("`{target}` holds a single value, and here is an element with parts");
                Issue::new(Rule::MappingConversion, message).at(item.origin().unwrap_or(input).place())
            });
            return Yielded { made: Made::Refused, origin: Origin::Plain };
        };
        let (text, origin) = match &recipe.table {
            None => (text, Origin::Plain),
            Some(table) => match table.row(&text).map(|row| (row.target.as_deref(), row)) {
                Some((Some(code), row)) => (code.to_owned().into(), Origin::Row(row.line)),
                Some((None, row)) => {
                    let issue = || {
                        let message = format!("this code has no equal for `{target}`");
                        let hint = if row.note.is_empty() { known_codes(recipe) } else { row.note.clone() };
                        Issue::new(Rule::MappingUnknownCode, message).hint(hint)
                    };
                    return self.otherwise(recipe, target, issue, item, input);
                }
                None => {
                    let issue = || {
                        let message = format!("this code is not in the code table `{}`", table.name());
                        Issue::new(Rule::MappingUnknownCode, message).hint(known_codes(recipe))
                    };
                    return self.otherwise(recipe, target, issue, item, input);
                }
            },
        };
        let value = match recipe.conversion {
            Some(conversion) => match conversion.apply(&text) {
                Ok(value) => value,
                Err(fault) => {
                    let issue = || Issue::new(fault.rule, fault.message).hint(fault.hint);
                    return self.otherwise(recipe, target, issue, item, input);
                }
            },
            None if recipe.table.is_some() => Value::String(text.into_owned()),
            None => as_it_came(item),
        };
        Yielded { made: Made::Value(value), origin }
    }

    fn otherwise(
        &mut self,
        recipe: &Recipe,
        target: &str,
        issue: impl FnOnce() -> Issue,
        item: &Item<'_>,
        input: Node<'_>,
    ) -> Yielded {
        let place = || item.origin().unwrap_or(input).place();
        let made = match &recipe.otherwise {
            Otherwise::Refuse => {
                self.tell_from(recipe.line, Severity::Error, || issue().at(place()));
                Made::Refused
            }
            Otherwise::Omit => {
                self.tell_from(recipe.line, Severity::Warning, || {
                    let issue = issue().at(place());
                    let hint = format!("it was accepted without `{target}`");
                    let hint = match &issue.hint {
                        Some(known) => format!("{hint}; {known}"),
                        None => hint,
                    };
                    issue.hint(hint)
                });
                Made::Nothing
            }
            Otherwise::Carry => Made::Value(as_it_came(item)),
            Otherwise::Value(value) => Made::Value(value.clone()),
        };
        Yielded { made, origin: Origin::Otherwise }
    }
}

fn known_codes(recipe: &Recipe) -> String {
    let Some(table) = &recipe.table else { return String::new() };
    let mut codes = table.rows().iter().filter(|row| row.target.is_some()).map(|row| row.code.as_str());
    let mut told: Vec<&str> = codes.by_ref().take(CODES_TOLD_MAX).collect();
    if codes.next().is_some() {
        told.push("…");
    }
    format!("the table knows: {}", told.join(", "))
}

/// The value with the JSON type it had; what FHIRPath computed becomes its JSON equal, or text.
fn as_it_came(item: &Item<'_>) -> Value {
    let number = |text: &str| match text.parse::<serde_json::Number>() {
        Ok(number) => Value::Number(number),
        Err(_) => Value::String(text.to_owned()),
    };
    match item {
        Item::Node(node) => match node.value() {
            Some(Scalar::String(text)) => text.into(),
            Some(Scalar::Boolean(value)) => value.into(),
            Some(Scalar::Number(text)) => number(text),
            None => Value::Null,
        },
        Item::Value(value, _) => match value {
            PathValue::Boolean(value) => (*value).into(),
            PathValue::Integer(value) => (*value).into(),
            PathValue::Decimal(_) => number(&value.text()),
            PathValue::String(_)
            | PathValue::Date(_)
            | PathValue::DateTime(_)
            | PathValue::Time(_)
            | PathValue::Quantity(_) => value.text().into_owned().into(),
        },
    }
}
