//! Tests of the language as a whole; what one file does alone is tested at its foot.

mod cases;
mod invariants;
mod official;
mod reader;
mod reading;

use super::{Context, Expression, Scope, compile};
use crate::document::Document;

/// Compiles what must compile.
fn compiled(text: &str) -> Expression {
    compile(text, &Scope::new()).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

/// What an expression gives over a document, as one line: items joined by `, `, nodes with parts as `<name>`.
fn outcome(text: &str, document: &Document) -> String {
    let context = Context::new(document.root()).now("2026-03-29T00:30:00Z".parse().unwrap());
    match compiled(text).evaluate(document.root(), &context) {
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
