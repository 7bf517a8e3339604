//! FHIR's own words for severity and kind (R4 value sets `issue-severity` and `issue-type`).

use std::fmt;

/// How bad an issue is; worst first, so that `severity <= Severity::Error` means "refuses".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Checking could not go on.
    Fatal,
    /// The submission is refused.
    Error,
    /// Accepted, but probably not what was meant.
    Warning,
    /// Told for the record.
    Information,
}

impl Severity {
    /// The FHIR code.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Fatal => "fatal",
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! issue_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)+) => {
        /// The kind of an issue: FHIR R4 `issue-type`, closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum IssueCode { $($(#[$doc])* #[serde(rename = $code)] $name,)+ }

        impl IssueCode {
            /// Every code of the value set.
            pub const ALL: &'static [IssueCode] = &[$(IssueCode::$name),+];

            /// The FHIR code.
            pub fn as_str(self) -> &'static str {
                match self { $(IssueCode::$name => $code,)+ }
            }
        }
    };
}

issue_codes! {
    /// Content is invalid against the specification or a profile.
    Invalid = "invalid",
    /// A structural fault, such as a wrong namespace or unparsable text.
    Structure = "structure",
    /// A required element is missing.
    Required = "required",
    /// An element's value is invalid.
    Value = "value",
    /// A validation rule failed.
    Invariant = "invariant",
    /// A security problem.
    Security = "security",
    /// The caller must authenticate.
    Login = "login",
    /// The user or system is not known.
    Unknown = "unknown",
    /// The session or token has expired.
    Expired = "expired",
    /// The caller has no right to this.
    Forbidden = "forbidden",
    /// Some information was not returned.
    Suppressed = "suppressed",
    /// A processing problem.
    Processing = "processing",
    /// The interaction or content is not supported.
    NotSupported = "not-supported",
    /// A duplicate was sent.
    Duplicate = "duplicate",
    /// Several matching records were found where one was meant.
    MultipleMatches = "multiple-matches",
    /// What was referred to was not found.
    NotFound = "not-found",
    /// What was referred to has been deleted.
    Deleted = "deleted",
    /// Too long.
    TooLong = "too-long",
    /// A code is not valid in its value set.
    CodeInvalid = "code-invalid",
    /// An extension is not acceptable.
    Extension = "extension",
    /// The operation would cost too much.
    TooCostly = "too-costly",
    /// A business rule failed.
    BusinessRule = "business-rule",
    /// An edit conflict.
    Conflict = "conflict",
    /// A passing fault: try again.
    Transient = "transient",
    /// A lock could not be had.
    LockError = "lock-error",
    /// The store is not available.
    NoStore = "no-store",
    /// An unexpected internal error.
    Exception = "exception",
    /// A time limit was passed.
    Timeout = "timeout",
    /// Not all sources answered.
    Incomplete = "incomplete",
    /// Too many requests.
    Throttled = "throttled",
    /// Told for information.
    Informational = "informational",
}

impl fmt::Display for IssueCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
