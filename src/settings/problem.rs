//! What is wrong with the settings, and where it came from.

use std::fmt;

/// One thing that is wrong, or doubtful, in the settings. Never holds a value: settings hold credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, for example `callers.portal.sender`; empty when it is about the text as a whole.
    pub path: String,
    /// Where the value at fault came from.
    pub origin: Origin,
    /// One sentence that says what is wrong.
    pub message: String,
    /// What would put it right.
    pub hint: Option<String>,
}

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The compiled-in defaults.
    Defaults,
    /// The settings file of this name.
    File(String),
    /// The environment variable of this name.
    Environment(String),
}

impl Problem {
    /// A problem with the setting at `path`.
    pub(super) fn new(path: impl Into<String>, origin: Origin, message: impl Into<String>) -> Self {
        Problem { path: path.into(), origin, message: message.into(), hint: None }
    }

    /// The same problem with a way out.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Defaults => f.write_str("defaults"),
            Origin::File(name) => f.write_str(name),
            Origin::Environment(variable) => write!(f, "environment {variable}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}
