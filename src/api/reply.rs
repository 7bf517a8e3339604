//! An answer before it has a form, and after.

use super::fault::Fault;
use super::negotiation::media_type;
use crate::fhir::{self, Format, Grounds};
use crate::issue::Issue;
use crate::profile::Verdict;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpResponse, HttpResponseBuilder};

/// What a handler gives.
pub(super) struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Body,
}

/// What stands in an answer.
enum Body {
    None,
    /// A resource as FHIR JSON; given as XML where that is wanted.
    Fhir(String),
    /// Text of another media type.
    Other(&'static str, String),
}

impl Reply {
    /// An answer without a body.
    pub(super) fn empty(status: StatusCode) -> Self {
        Reply { status, headers: Vec::new(), body: Body::None }
    }

    /// An answer with a resource.
    pub(super) fn fhir(status: StatusCode, json: String) -> Self {
        Reply { status, headers: Vec::new(), body: Body::Fhir(json) }
    }

    /// An answer with an OperationOutcome.
    pub(super) fn outcome(status: StatusCode, issues: &[Issue]) -> Self {
        Reply::fhir(status, fhir::outcome(issues).to_string())
    }

    /// An answer with a verdict, and on what it rests.
    pub(super) fn verdict(verdict: &Verdict) -> Self {
        let packages = verdict.packages.iter();
        let grounds = Grounds {
            packages: packages.map(|one| [one.name.as_str(), one.version.as_str(), one.hash.as_str()]).collect(),
            not_evaluated: verdict.not_evaluated.iter().map(|one| [one.what.as_str(), one.why.as_str()]).collect(),
            suppressed: Some(&verdict.suppressed),
        };
        Reply::fhir(StatusCode::OK, fhir::verdict(&verdict.issues, &grounds).to_string())
    }

    /// An answer with JSON that is not FHIR.
    pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        Reply { status, headers: Vec::new(), body: Body::Other("application/json", value.to_string()) }
    }

    /// An answer with text of this media type.
    pub(super) fn text(media_type: &'static str, text: String) -> Self {
        Reply { status: StatusCode::OK, headers: Vec::new(), body: Body::Other(media_type, text) }
    }

    /// The same answer with a header. A value that cannot stand in a header is left out.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The answer in a form.
    pub(super) fn render(self, format: Format) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status);
        for header in self.headers {
            response.append_header(header);
        }
        // Answers are about patients: no cache on the way may keep them, no browser may guess at them.
        response.insert_header((CACHE_CONTROL, "no-store"));
        response.insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
        match self.body {
            Body::None => response.finish(),
            Body::Other(media_type, text) => response.insert_header((CONTENT_TYPE, media_type)).body(text),
            Body::Fhir(json) => match format {
                Format::Json => response.insert_header((CONTENT_TYPE, media_type(format))).body(json),
                Format::Xml => match fhir::xml(&json) {
                    Ok(xml) => response.insert_header((CONTENT_TYPE, media_type(format))).body(xml),
                    Err(issue) => {
                        // The request was answered; only its form cannot be had. JSON says the same.
                        tracing::warn!(rule = %issue.rule, "an answer cannot be written as XML and is given as JSON");
                        response.insert_header((CONTENT_TYPE, media_type(Format::Json))).body(json)
                    }
                },
            },
        }
    }
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        let mut reply = Reply::outcome(fault.status(), &fault.issues());
        reply.headers = fault.headers();
        reply
    }
}
