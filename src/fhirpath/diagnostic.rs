//! What is wrong with an expression, and what can go wrong when one runs.

use std::fmt;
use std::ops::Range;

/// A fault that compiling an expression found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name for the kind of fault, for example `fhirpath.function-unknown`.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What would put it right, where that can be said.
    pub hint: Option<String>,
    /// The bytes of the expression's text that it is about.
    pub at: Range<usize>,
}

impl Diagnostic {
    pub(super) fn new(code: &'static str, message: impl Into<String>, at: Range<usize>) -> Self {
        Diagnostic { code, message: message.into(), hint: None, at }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// An evaluation that could not come to a result: several items where the language allows one, operands of types
/// that do not go together, or a bound that was reached. The message never holds a value from the input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// A stable name for the kind of failure, for example `fhirpath.not-single`.
    pub code: &'static str,
    /// What went wrong, in one sentence.
    pub message: String,
    /// The bytes of the expression's text that it is about.
    pub at: Range<usize>,
}

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<String>, at: Range<usize>) -> Self {
        Failure { code, message: message.into(), at }
    }
}
