//! What a mapping hands back.

use super::plan::{Makes, Mapping};
use crate::issue::{Issue, Place};
use crate::model::Kind;
use serde_json::Value;

/// What came of running a mapping.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was made: canonical JSON, or a FHIR resource. Fit for use only when no issue refuses.
    pub value: Value,
    /// The canonical kind of `value`; none for a FHIR resource.
    pub kind: Option<Kind>,
    /// What is wrong or doubtful, each at its place in the input.
    pub issues: Vec<Issue>,
    /// Where each value came from; filled by [`Mapping::run_explained`] only.
    pub trace: Vec<Traced>,
    /// Input that no rule used and that the mapping does not drop on purpose; filled by
    /// [`Mapping::run_explained`] only.
    pub left_behind: Vec<Place>,
}

impl Outcome {
    pub(super) fn new(mapping: &Mapping, value: Value, issues: Vec<Issue>) -> Self {
        let kind = match mapping.makes {
            Makes::Canonical(kind) => Some(kind),
            Makes::Fhir(_) => None,
        };
        Outcome { value, kind, issues, trace: Vec::new(), left_behind: Vec::new() }
    }
}

/// Where one value of the output came from. Names places, rules and table rows, and never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// The target path, with indices.
    pub target: String,
    /// The places in the input that it was made from; empty for a constant or a variable.
    pub sources: Vec<Place>,
    /// The rule, as `file:line`.
    pub rule: String,
    /// The row of the code table that gave it.
    pub table: Option<TracedRow>,
    /// The conversion that it went through.
    pub conversion: Option<&'static str>,
    /// True when it is what the rule's `otherwise` says.
    pub otherwise: bool,
}

/// A row of a code table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedRow {
    /// The table's name.
    pub table: String,
    /// The line in its file; none when no row has the code.
    pub line: Option<u32>,
}
