//! A mechanical way to put something right.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON Patch (RFC 6902) on the JSON form of what was submitted, after which the issue it belongs to is gone.
///
/// Its values come from definitions, never from the submission: a code, a fixed value, a name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mend(pub Vec<Operation>);

/// One operation of a JSON Patch, in the form that RFC 6902 gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation {
    /// Puts a value where none is.
    Add {
        /// Where, as a JSON Pointer.
        path: String,
        /// What.
        value: Value,
    },
    /// Takes a value away.
    Remove {
        /// Where, as a JSON Pointer.
        path: String,
    },
    /// Puts a value in the place of another.
    Replace {
        /// Where, as a JSON Pointer.
        path: String,
        /// What.
        value: Value,
    },
    /// Takes a value from one place to another.
    Move {
        /// From where, as a JSON Pointer.
        from: String,
        /// To where, as a JSON Pointer.
        path: String,
    },
}
