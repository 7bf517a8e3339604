//! The table of errors: which status, headers and issues each becomes. The only place where an [`Error`] meets HTTP.

use super::routes;
use crate::error::Error;
use crate::issue::{Issue, IssueCode, Rule};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};

/// Why a request is not answered with what it asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// What the layers below say.
    Error(Error),
    /// No route has this address.
    NoSuchAddress,
    /// The resource type is not served.
    NoSuchType,
    /// The address exists, but not for this method.
    NoSuchMethod {
        /// The methods that it exists for.
        allowed: String,
    },
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Error(error)
    }
}

impl Fault {
    /// One issue about the request's form: 400.
    pub(super) fn malformed(issue: Issue) -> Self {
        Fault::Error(Error::Malformed(vec![issue]))
    }

    /// The status, as the house's table of errors has it.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Fault::NoSuchAddress | Fault::NoSuchType => StatusCode::NOT_FOUND,
            Fault::NoSuchMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Fault::Error(error) => match error {
                Error::Unauthenticated => StatusCode::UNAUTHORIZED,
                Error::Forbidden(_) => StatusCode::FORBIDDEN,
                Error::NotFound => StatusCode::NOT_FOUND,
                Error::NotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
                Error::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
                Error::WrongMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
                Error::Malformed(issues) if issues.iter().any(|issue| issue.rule == Rule::LimitBytes) => {
                    StatusCode::PAYLOAD_TOO_LARGE
                }
                Error::Malformed(_) => StatusCode::BAD_REQUEST,
                Error::Rejected(_) => StatusCode::UNPROCESSABLE_ENTITY,
                Error::KeyReused | Error::Duplicate(_) | Error::Conflict(_) => StatusCode::CONFLICT,
                // Several where one was meant: R4 http, conditional create (3.1.0.8.1).
                Error::Stale | Error::Ambiguous(_) => StatusCode::PRECONDITION_FAILED,
                Error::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
                Error::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
                Error::TooSlow => StatusCode::GATEWAY_TIMEOUT,
                Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// What the answer's OperationOutcome tells.
    pub(super) fn issues(&self) -> Vec<Issue> {
        match self {
            Fault::Error(error) => error.issues(),
            Fault::NoSuchAddress => vec![
                Issue::new(Rule::Request, "Nothing is served at this address")
                    .code(IssueCode::NotFound)
                    .hint("resources stand under /fhir; GET /fhir/metadata lists what is served"),
            ],
            Fault::NoSuchType => vec![
                Issue::new(Rule::Request, "This resource type is not served here")
                    .code(IssueCode::NotFound)
                    .hint(format!("there are: {}", routes::served_names())),
            ],
            Fault::NoSuchMethod { allowed } => vec![
                Issue::new(Rule::Request, "This method is not allowed at this address")
                    .code(IssueCode::NotSupported)
                    .hint(format!("allowed are: {allowed}")),
            ],
        }
    }

    /// The headers that the status asks for.
    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let text = |text: &str| HeaderValue::from_str(text).ok();
        let header = match self {
            Fault::NoSuchMethod { allowed } => text(allowed).map(|value| (ALLOW, value)),
            Fault::Error(Error::Unauthenticated) => {
                Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"stile\"")))
            }
            Fault::Error(Error::Throttled { retry_after_seconds } | Error::Unavailable { retry_after_seconds, .. }) => {
                Some((RETRY_AFTER, HeaderValue::from(*retry_after_seconds)))
            }
            // A 405 must say what is allowed (RFC 9110, 15.5.6); here that is nothing.
            Fault::Error(Error::NotAllowed(_)) => Some((ALLOW, HeaderValue::from_static(""))),
            Fault::NoSuchAddress | Fault::NoSuchType | Fault::Error(_) => None,
        };
        header.into_iter().collect()
    }
}
