//! The one error that a caller can meet. It knows no HTTP: `api` has the table that turns it into a status.

use crate::issue::{Issue, IssueCode, Rule};

/// Why a request ends here.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// No credential, or none that is known.
    #[error("a credential is needed")]
    Unauthenticated,
    /// The caller's grant does not hold it.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// There is no such thing, or none that this caller may see.
    #[error("not found")]
    NotFound,
    /// The interaction exists, but not here.
    #[error("not allowed: {0}")]
    NotAllowed(String),
    /// No representation that the caller accepts.
    #[error("not acceptable: {0}")]
    NotAcceptable(String),
    /// The body is in a media type that is not taken.
    #[error("wrong media type: {0}")]
    WrongMediaType(String),
    /// The body is larger than the limit, in bytes.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The body or request could not be read.
    #[error("malformed: {} issues", .0.len())]
    Malformed(Vec<Issue>),
    /// The body was read and is not acceptable.
    #[error("rejected: {} issues", .0.len())]
    Rejected(Vec<Issue>),
    /// The idempotency key was used before with another body.
    #[error("the idempotency key was used before with another body")]
    KeyReused,
    /// Another one with the same business identifier is kept already.
    #[error("duplicate: {0}")]
    Duplicate(String),
    /// The condition of the request does not select one resource.
    #[error("conflict: {0}")]
    Conflict(String),
    /// A condition that is to select one resource selects several.
    #[error("ambiguous: {0}")]
    Ambiguous(String),
    /// `If-Match` names a version that is not the current one.
    #[error("the resource has changed since it was read")]
    Stale,
    /// Too many requests; try again after so many seconds.
    #[error("throttled")]
    Throttled {
        /// Seconds to wait.
        retry_after_seconds: u32,
    },
    /// Not now; try again after so many seconds.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// What is not available, in our own words.
        reason: String,
        /// Seconds to wait.
        retry_after_seconds: u32,
    },
    /// It took longer than is allowed.
    #[error("the time limit was passed")]
    TooSlow,
    /// A fault of ours. The incident number stands in the log beside its cause.
    #[error("internal fault, incident {0}")]
    Internal(String),
}

impl Error {
    /// A single refusal of what was sent.
    pub fn rejected(rule: Rule, message: impl Into<String>) -> Self {
        Error::Rejected(vec![Issue::new(rule, message)])
    }

    /// The same error as issues, for an OperationOutcome.
    pub fn issues(&self) -> Vec<Issue> {
        let (code, message, hint): (IssueCode, String, &str) = match self {
            Error::Malformed(issues) | Error::Rejected(issues) => return issues.clone(),
            Error::Unauthenticated => (
                IssueCode::Login,
                "A credential is needed, and none that is known was sent".into(),
                "send `Authorization: Bearer KEY` with the key that the gateway's operator gave you",
            ),
            Error::Forbidden(why) => {
                (IssueCode::Forbidden, capital(why), "ask the gateway's operator to widen the grant, if it should be")
            }
            Error::NotFound => {
                (IssueCode::NotFound, "There is no such resource, or none that this caller may see".into(), "")
            }
            Error::NotAllowed(what) => (IssueCode::NotSupported, capital(what), "GET /fhir/metadata lists what is"),
            Error::NotAcceptable(what) => {
                (IssueCode::NotSupported, capital(what), "accept application/fhir+json or application/fhir+xml")
            }
            Error::WrongMediaType(what) => {
                (IssueCode::NotSupported, capital(what), "send application/fhir+json or application/fhir+xml")
            }
            Error::TooLarge(bytes) => (
                IssueCode::TooLong,
                format!("The body is larger than the limit of {bytes} bytes"),
                "send less at a time",
            ),
            Error::KeyReused => (
                IssueCode::Conflict,
                "This Idempotency-Key was used before with another body".into(),
                "use a new key for a new request, and the same body for a retry",
            ),
            Error::Duplicate(what) => {
                (IssueCode::Duplicate, capital(what), "PUT to the address of the one that is kept")
            }
            Error::Conflict(what) => {
                (IssueCode::Conflict, capital(what), "read what is kept, and send what agrees with it")
            }
            Error::Ambiguous(what) => {
                (IssueCode::MultipleMatches, capital(what), "use an identifier that one of them alone has")
            }
            Error::Stale => (
                IssueCode::Conflict,
                "The resource has changed since the version in If-Match".into(),
                "read it again and repeat the change on what is there now",
            ),
            Error::Throttled { .. } => (IssueCode::Throttled, "Too many requests".into(), "wait as Retry-After says"),
            Error::Unavailable { reason, .. } => {
                (IssueCode::Transient, capital(reason), "try again as Retry-After says")
            }
            Error::TooSlow => (
                IssueCode::Timeout,
                "The time limit was passed; whether it was kept is not known".into(),
                "send the same again, a POST with the same Idempotency-Key: nothing is done twice",
            ),
            Error::Internal(incident) => (
                IssueCode::Exception,
                format!("A fault inside the gateway, incident {incident}"),
                "report the incident number to the gateway's operator",
            ),
        };
        let issue = Issue::new(Rule::Request, message).code(code);
        vec![if hint.is_empty() { issue } else { issue.hint(hint) }]
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
