//! A mapping ready to run: expressions compiled, tables found, targets read.

use super::convert::Conversion;
use super::schema::Schema;
use super::target::Target;
use crate::fhirpath::Expression;
use crate::model::Kind;
use crate::terminology::tables::Table;
use serde_json::Value;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// What a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// A FHIR resource of this type.
    Resource(String),
    /// A canonical value.
    Canonical(Kind),
}

/// What a mapping makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Makes {
    /// A canonical value.
    Canonical(Kind),
    /// A FHIR resource of this type.
    Fhir(String),
}

/// A compiled mapping file.
pub struct Mapping {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) file: String,
    pub(super) reads: Reads,
    pub(super) makes: Makes,
    pub(super) priority: i64,
    pub(super) when: Option<Expression>,
    pub(super) lets: Vec<Let>,
    pub(super) rules: Vec<Rule>,
    pub(super) dropped: Vec<Dropped>,
    /// The schema of what it makes, when that is canonical.
    pub(super) schema: Option<Arc<Schema>>,
    /// Element paths that expressions look at, whether or not they end in an output.
    pub(super) looked_at: HashSet<Vec<String>>,
}

impl Mapping {
    /// Its name: the file's without the ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version, as its author counts them.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What it does, in a sentence.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The file it was read from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The rule at a line of the file, as issues and traces name it.
    pub(super) fn rule_name(&self, line: u32) -> String {
        format!("{}:{line}", self.file)
    }

    /// What it reads.
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// What it makes.
    pub fn makes(&self) -> &Makes {
        &self.makes
    }

    /// Its rank among the mappings of the same resource type: the highest whose `when` holds is taken.
    pub fn priority(&self) -> i64 {
        self.priority
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapping({} {})", self.name, self.version)
    }
}

/// An expression with a name.
pub(super) struct Let {
    pub(super) name: String,
    pub(super) expression: Expression,
    pub(super) line: u32,
}

/// A target and how its value is made.
pub(super) struct Rule {
    pub(super) target: Target,
    pub(super) recipe: Recipe,
}

/// How a value is made.
pub(super) struct Recipe {
    pub(super) line: u32,
    pub(super) when: Option<Expression>,
    pub(super) make: Make,
    pub(super) table: Option<Arc<Table>>,
    pub(super) conversion: Option<Conversion>,
    pub(super) otherwise: Otherwise,
    pub(super) required: bool,
    /// What stands between the values when several become one text.
    pub(super) join: Option<String>,
    /// Where a missing value should be, for the issue.
    pub(super) expected_at: Expected,
}

/// Where a value comes from.
pub(super) enum Make {
    From(Expression),
    Constant(Value),
    /// The first that yields.
    First(Vec<Recipe>),
    /// One list item for each element.
    Each(Expression, Vec<Rule>),
    /// One list item for each single value.
    EachValue(Expression),
}

/// What becomes of a code that the table does not know, or a value that the conversion does not take.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Otherwise {
    /// An error.
    Refuse,
    /// The value as it came.
    Carry,
    /// Nothing, with a warning.
    Omit,
    /// This value.
    Value(Value),
}

/// Input that is left behind on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dropped(pub(super) Vec<DroppedStep>);

/// A step of a dropped path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DroppedStep {
    /// An element of this name.
    Element(String),
    /// An extension of this url.
    Extension(String),
}

/// A path of element names at which a value should stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// True when the path goes from the root of the input, and not from where the rule stands.
    pub(super) from_root: bool,
    pub(super) path: Vec<String>,
}
