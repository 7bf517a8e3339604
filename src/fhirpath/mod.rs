//! FHIRPath: compiled once, run many times, borrowing from the document.
//!
//! [`compile`] reads an expression and refuses, with the place and a way out, whatever it does not know: a slip in
//! the syntax, a function or variable or type that does not exist here. What compiles, runs; a run fails only on
//! what the language itself calls an error (several items where one is allowed, operands that do not go together)
//! or when it takes more steps than allowed.
//!
//! ```
//! use stile::document::Document;
//! use stile::fhirpath::{Context, Scope, compile};
//!
//! let expression = compile("participant.where(status = 'accepted').actor.reference", &Scope::new()).unwrap();
//! let appointment = Document::from_value(&serde_json::json!({
//!     "resourceType": "Appointment",
//!     "participant": [{"status": "accepted", "actor": {"reference": "Patient/1"}}]
//! }));
//! let found = expression.evaluate(appointment.root(), &Context::new(appointment.root())).unwrap();
//! assert_eq!(found.single().unwrap().text().unwrap(), "Patient/1");
//! ```
//!
//! # How types are decided
//!
//! A document holds JSON's types, not FHIR's. The type of an element is what [`Model`] says, else its
//! `resourceType`, else the suffix of a choice element (`valueDateTime`). Where none speaks, a string leaf is read as
//! a date, date and time, or time of day only where one is needed: beside a date in a comparison or equality, when
//! both sides of `<` or its kin read as one, when a duration is added, when a boundary is asked. So
//! `start <= end` works on any Period, and two identifiers that look like years stay texts.

mod alike;
mod arithmetic;
mod compare;
mod context;
mod decimal;
mod diagnostic;
mod functions;
mod lexer;
mod lower;
mod model;
mod moment;
mod parser;
mod paths;
mod program;
mod r4;
mod run;
mod strict;
mod syntax;
mod table;
mod typing;
mod unit;
mod value;

#[cfg(test)]
mod tests;

pub use context::{Context, Resolver, Trace};
pub use decimal::Decimal;
pub use diagnostic::{Diagnostic, Failure};
pub use model::{ElementTypes, Model};
pub use moment::{Moment, Precision};
pub use paths::{PathStart, StaticPath, StaticStep};
pub use value::{Collection, IntoItems, Item, Quantity, Value};

use crate::document::{Name, Node};
use program::Code;
use run::{Focus, Run};

/// What an expression may name beside FHIRPath's own: variables and types.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    variables: Vec<String>,
    types: Vec<String>,
    strict_choices: bool,
    as_selects: bool,
}

impl Scope {
    /// A scope with FHIR's own variables (`%resource`, `%rootResource`, `%context`, `%ucum`, `%sct`, `%loinc`,
    /// `` %`vs-…` ``, `` %`ext-…` ``) and R4's types.
    pub fn new() -> Self {
        Scope::default()
    }

    /// The same scope with `%name`, which the [`Context`] must then give a value.
    pub fn variable(mut self, name: &str) -> Self {
        if !self.variables.iter().any(|known| known == name) {
            self.variables.push(name.to_owned());
        }
        self
    }

    /// The same scope with one more name for `is`, `as` and `ofType`, where [`Model`] tells of types beyond R4's.
    pub fn type_name(mut self, name: &str) -> Self {
        self.types.push(name.to_owned());
        self
    }

    /// The same scope, with `as` choosing among several items where FHIRPath calls that an error. R4's own invariants
    /// are written so (`dom-3`); what a site writes should use `ofType()`.
    pub fn as_selects(mut self) -> Self {
        self.as_selects = true;
        self
    }

    /// The same scope, with `valueQuantity` refused where FHIRPath says `value` or `value.ofType(Quantity)`.
    pub fn strict_choices(mut self) -> Self {
        self.strict_choices = true;
        self
    }
}

/// Compiles an expression that is evaluated over inputs of one type, for example `Patient` or `Patient.contact`, and refuses
/// with [`compile`]'s faults those that make it wrong for every such input: an element that does not exist, a path that
/// begins with another type, the first of what has no order.
///
/// # Errors
/// All faults. Those of types are looked for when there are no others.
pub fn compile_for(
    text: &str,
    scope: &Scope,
    model: &dyn Model,
    input_type: &str,
) -> Result<Expression, Vec<Diagnostic>> {
    let expression = compile(text, scope)?;
    let faults = strict::faults(&expression.code, model, input_type);
    match faults.is_empty() {
        true => Ok(expression),
        false => Err(faults),
    }
}

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    text: String,
    code: Code,
}

/// Compiles an expression. All faults are told, except that faults of syntax end the reading.
///
/// Names and texts of the expression are kept for the life of the program: compile what the site loads at start,
/// not what callers send.
pub fn compile(text: &str, scope: &Scope) -> Result<Expression, Vec<Diagnostic>> {
    let ast = parser::parse(text).map_err(|fault| vec![fault])?;
    let code = lower::lower(ast, scope, text)?;
    Ok(Expression { text: text.to_owned(), code })
}

impl Expression {
    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates the expression with `input` as `$this`.
    pub fn evaluate<'d>(&self, input: Node<'d>, context: &Context<'d>) -> Result<Collection<'d>, Failure> {
        let run = Run::new(context, input);
        let this = Item::Node(input);
        run.eval(&self.code, Focus { this: Some(&this), index: None, total: None, all: None })
    }

    /// Evaluates an invariant: none when it comes to nothing; a single item that is no Boolean counts as true.
    pub fn holds<'d>(&self, input: Node<'d>, context: &Context<'d>) -> Result<Option<bool>, Failure> {
        let result = self.evaluate(input, context)?;
        Run::new(context, input).truth(&result, &self.code.at)
    }

    /// The element paths that the expression reads, as far as they can be told without running it.
    pub fn paths(&self) -> Vec<StaticPath> {
        paths::paths(&self.code)
    }
}

/// A text of an expression, kept for the life of the program so that evaluating never copies it.
fn fixed_text(text: &str) -> &'static str {
    Name::intern(text).as_str()
}
