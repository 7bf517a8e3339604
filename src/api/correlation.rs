//! The two identities that follow a request: both echoed on every answer, made where the caller sent none.

use crate::model::NhsNumber;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// Follows a submission from system to system.
pub(super) const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");
/// Names one request.
pub(super) const REQUEST: HeaderName = HeaderName::from_static("x-request-id");

const LENGTH_MAX: usize = 128;

/// The identities of one request, fit for a header and a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Correlation {
    /// `X-Correlation-Id`
    pub(super) correlation_id: String,
    /// `X-Request-Id`
    pub(super) request_id: String,
}

impl Correlation {
    /// What the request says, and fresh ones for what it does not say or says oddly.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Correlation { correlation_id: identity(headers, &CORRELATION), request_id: identity(headers, &REQUEST) }
    }

    /// Puts both on an answer.
    pub(super) fn put(&self, headers: &mut HeaderMap) {
        for (name, value) in [(CORRELATION, &self.correlation_id), (REQUEST, &self.request_id)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
    }
}

fn identity(headers: &HeaderMap, name: &HeaderName) -> String {
    let sent = headers.get(name).and_then(|value| value.to_str().ok()).filter(|sent| is_fit(sent));
    sent.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}

/// Short, of characters that need no escape in any log, and without an NHS number in it: these stand in logs.
fn is_fit(text: &str) -> bool {
    (1..=LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/+=".contains(&byte))
        && NhsNumber::parse(text).is_err()
        && !holds_nhs_number(text)
}

/// True when an NHS number stands in the text by itself, in one piece or as people write it (3-3-4).
///
/// Numbers of England and Wales begin with 4, 6 or 7, those for tests with 9 (NHS Data Dictionary, NHS NUMBER). Others
/// are let be: counters and seconds since 1970 begin with 1, and a tenth of them would pass for one.
fn holds_nhs_number(text: &str) -> bool {
    let is_number = |digits: &str| {
        digits.len() == 10 && digits.starts_with(['4', '6', '7', '9']) && NhsNumber::parse(digits).is_ok()
    };
    // Of two separators in a row comes an empty run, so runs side by side have one between them.
    let runs: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).collect();
    let is_written = |runs: &[&str]| runs.iter().map(|run| run.len()).eq([3, 3, 4]) && is_number(&runs.concat());
    runs.iter().any(|run| is_number(run)) || runs.windows(3).any(is_written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_identity_is_kept_and_an_odd_one_replaced() {
        let long = "a".repeat(129);
        for (sent, kept) in [
            ("6b1f6a5e-3d43-4d2f-9e0b-0d8d3a2c9d11", true),
            ("portal:2026/1", true),
            ("", false),
            ("two words", false),
            ("quo\"te", false),
            ("9990000018", false),
            ("999-000-0018", false),
            ("req-9990000018-1", false),
            ("patient:999-000-0018/2", false),
            ("req-9990000019-1", true),
            ("99900000181", true),
            ("portal-1700000000-17", true),
            (long.as_str(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CORRELATION, HeaderValue::from_str(sent).unwrap());
            let correlation = Correlation::of(&headers);
            assert_eq!(correlation.correlation_id == sent, kept, "{sent}");
            assert!(is_fit(&correlation.correlation_id) && is_fit(&correlation.request_id));
        }
    }
}
