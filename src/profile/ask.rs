//! What a check is asked, and what it answers.

use super::severity::Suppressed;
use super::{LoadedPackage, NotEvaluated};
use crate::issue::{Issue, any_refuses};
use std::sync::Arc;

/// What a document is held against, beside the definition of its own type.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// The type that the address or the interaction asks for.
    pub expected_type: Option<&'a str>,
    /// Canonical urls of profiles that it must fit, with or without `|version`. Those that a resource claims in
    /// `meta.profile` are held against it in any case, where they are loaded.
    pub profiles: &'a [&'a str],
    /// What is thought of extensions that no loaded package defines.
    pub unknown_extensions: UnknownExtensions,
}

/// What is thought of an extension that no loaded package defines. One that modifies is refused in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownExtensions {
    /// It is taken, and listed among what was not evaluated: R4 asks receivers to bear what they do not know.
    #[default]
    Accept,
    /// It is told as a warning.
    Warn,
    /// It refuses the submission.
    Refuse,
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Everything that is wrong or doubtful; at most 200, the last of which then says that there are more.
    pub issues: Vec<Issue>,
    /// What definitions ask of this document and could not be decided here, each once.
    pub not_evaluated: Vec<NotEvaluated>,
    /// What the severity policy keeps from being told.
    pub suppressed: Suppressed,
    /// The packages that judged.
    pub packages: Arc<[LoadedPackage]>,
}

impl Verdict {
    /// True when nothing that was found refuses the document.
    pub fn is_valid(&self) -> bool {
        !any_refuses(&self.issues)
    }
}
