//! Tests of the language as a whole; what one file does alone is tested at its foot.

mod cases;
mod definitions;
mod invariants;
mod official;
mod reader;
mod reading;
mod told;

use super::{Context, Expression, Scope, compile};
use crate::document::{Document, Node};

/// Compiles what must compile.
fn compiled(text: &str) -> Expression {
    compile(text, &Scope::new()).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

/// What an expression gives over a document, as one line: items joined by `, `, nodes with parts as `<name>`.
fn outcome(text: &str, document: &Document) -> String {
    let context = Context::new(document.root()).now("2026-03-29T00:30:00Z".parse().unwrap());
    outcome_in(text, document.root(), &context)
}

/// The same, with other surroundings.
fn outcome_in<'d>(text: &str, input: Node<'d>, context: &Context<'d>) -> String {
    match compiled(text).evaluate(input, context) {
        Ok(found) => {
            let items: Vec<_> = found
                .iter()
                .map(|item| match (item.text(), item.node()) {
                    (Some(text), _) => text.into_owned(),
                    (None, Some(node)) => format!("<{}>", node.name()),
                    (None, None) => "?".to_owned(),
                })
                .collect();
            items.join(", ")
        }
        Err(failure) => format!("failed: {}", failure.code),
    }
}
