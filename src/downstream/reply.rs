//! What an HTTP answer to a FHIR create means.
//!
//! Three things are told apart. *Refused* goes back to the patient, so it needs the receiver's own word that it has
//! looked at the request: an OperationOutcome, or 422, which nothing but an application sends. What is our set-up's
//! fault or a proxy's (401, 403, 404 of an unknown endpoint, 405, 415, a log-in page with status 200) is *Busy*: it
//! is tried again, because an operator may heal it, and then stands exhausted on the operator's list. It is never
//! told to a patient as a refusal.

use super::outcome::{Outcome, fit_to_pass_on};
use crate::delivery::Answer;
use jiff::Timestamp;

/// The longest wait that a receiver can ask for, in seconds: a day. A mistaken or hostile `Retry-After` must not put
/// a patient's request to sleep.
const RETRY_AFTER_SECONDS_MAX: u32 = 86_400;
/// How much of a `Location` is kept, in characters.
const REFERENCE_CHARS_MAX: usize = 500;

/// An HTTP answer, as far as it decides.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    /// The status.
    pub status: u16,
    /// `Location`.
    pub location: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// `Date`: the receiver's clock, against which a date in `Retry-After` is meant.
    pub date: Option<String>,
    /// `Content-Type`.
    pub media_type: Option<String>,
    /// The body.
    pub body: Body,
}

/// A body as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// It was larger than the limit and not read to its end.
    TooLarge,
    /// The connection broke, or the time was up, in the middle.
    Cut,
}

/// What `reply`, received at `now`, means.
pub(super) fn judge(reply: &Reply, now: Timestamp) -> Answer {
    let outcome = reply.outcome();
    let told = |general: &str| match outcome.as_ref().and_then(|outcome| outcome.words.as_deref()) {
        Some(words) => fit_to_pass_on(words),
        None => general.to_owned(),
    };
    match reply.status {
        200 | 201 | 202 | 204 if reply.is_web_page() => Answer::Unanswered {
            reason: format!("a web page came back with status {}: a proxy answered, not the receiver", reply.status),
        },
        200 | 201 | 202 | 204 => Answer::Accepted { reference: reply.reference() },
        408 | 425 | 429 | 500..=599 => reply.busy(&told(meaning(reply.status)), now),
        _ if reply.body == Body::Cut => Answer::Unanswered {
            reason: format!("the answer with status {} broke off before its reason was read", reply.status),
        },
        // The receiver has it already: what an earlier try, whose answer was lost, brought about.
        409 if outcome.as_ref().is_some_and(|outcome| outcome.says("duplicate")) => {
            Answer::Accepted { reference: reply.reference() }
        }
        status if is_decision(status, outcome.as_ref()) => {
            Answer::Refused { reason: told("the receiver refused it and gave no reason") }
        }
        status => reply.busy(&told(meaning(status)), now),
    }
}

/// Whether a status that is neither a success nor a passing fault is the receiver's decision about the request.
fn is_decision(status: u16, outcome: Option<&Outcome>) -> bool {
    let Some(outcome) = outcome else {
        return status == 422;
    };
    if outcome.is_passing() {
        return false;
    }
    match status {
        400 | 409 | 422 => true,
        // A create to an endpoint that is not there is answered with 404 and an OperationOutcome too (R4 http.html,
        // create); it is about the request only when it points into the body.
        404 | 410 => {
            outcome.says("business-rule")
                || outcome.says("deleted")
                || (outcome.says("not-found") && outcome.names_a_place)
        }
        300..=499 => outcome.says("business-rule"),
        _ => false,
    }
}

/// What a status that is not a decision says about the set-up, for the operator who will read it.
fn meaning(status: u16) -> &'static str {
    match status {
        300..=399 => "it redirects, which is not followed; set the address that it redirects to",
        400 => "bad request, without an OperationOutcome; something on the way may have answered",
        401 => "it does not know the credential",
        403 => "the credential is known and not allowed to do this",
        404 | 410 => "there is no such endpoint at this address",
        405 | 501 => "it does not support this interaction",
        406 | 415 => "it does not take application/fhir+json",
        407 => "a proxy wants a credential",
        408 => "it waited too long for the request",
        409 => "conflict, without an OperationOutcome that says which",
        412 => "it holds the identifier of this message more than once; a person must look which one counts",
        413 => "the message is larger than it takes",
        425 => "too early",
        429 => "too many requests",
        503 => "not available now",
        500..=599 => "a fault on its side",
        _ => "a status that a FHIR create does not have",
    }
}

impl Reply {
    fn outcome(&self) -> Option<Outcome> {
        match &self.body {
            Body::Whole(bytes) => Outcome::read(bytes),
            Body::TooLarge | Body::Cut => None,
        }
    }

    fn busy(&self, why: &str, now: Timestamp) -> Answer {
        Answer::Busy {
            reason: format!("the receiver answered {}: {why}", self.status),
            retry_after_seconds: self.retry_after_seconds(now),
        }
    }

    fn is_web_page(&self) -> bool {
        self.media_type.as_deref().is_some_and(|media_type| {
            let essence = media_type.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("text/html") || essence.eq_ignore_ascii_case("application/xhtml+xml")
        })
    }

    /// What the receiver calls it: the Location, else type and id of the resource that came back.
    fn reference(&self) -> Option<String> {
        let tidy = |text: &str| -> Option<String> {
            let kept: String =
                text.trim().chars().filter(|char| !char.is_control()).take(REFERENCE_CHARS_MAX).collect();
            (!kept.is_empty()).then_some(kept)
        };
        if let Some(reference) = self.location.as_deref().and_then(tidy) {
            return Some(reference);
        }
        let Body::Whole(bytes) = &self.body else { return None };
        let resource: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        let text = |name: &str| resource.get(name).and_then(serde_json::Value::as_str);
        match text("resourceType")? {
            "OperationOutcome" => None,
            resource_type => tidy(&format!("{resource_type}/{}", text("id")?)),
        }
    }

    /// `Retry-After` in seconds, from either of its two forms (RFC 9110 10.2.3).
    fn retry_after_seconds(&self, now: Timestamp) -> Option<u32> {
        let text = self.retry_after.as_deref()?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            // More digits than a number holds is still "later than you can say".
            return Some(text.parse().unwrap_or(u32::MAX).min(RETRY_AFTER_SECONDS_MAX));
        }
        let until = http_date(text)?;
        // Measured on the receiver's own clock where it tells it, so that a clock of ours that is off does no harm.
        let from = self.date.as_deref().and_then(http_date).unwrap_or(now);
        let seconds = until.as_second().saturating_sub(from.as_second()).max(0);
        Some(u32::try_from(seconds).unwrap_or(u32::MAX).min(RETRY_AFTER_SECONDS_MAX))
    }
}

/// Reads an HTTP date in the one form that is still written (RFC 9110 5.6.7, IMF-fixdate).
fn http_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", text.trim()).ok()?;
    parsed.to_datetime().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-21T10:00:00Z";

    fn outcome(code: &str, words: &str) -> Body {
        Body::Whole(
            format!(
                r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"error","code":"{code}","details":{{"text":"{words}"}}}}]}}"#
            )
            .into_bytes(),
        )
    }

    fn reply(status: u16, body: Body) -> Reply {
        Reply { status, location: None, retry_after: None, date: None, media_type: None, body }
    }

    fn empty(status: u16) -> Reply {
        reply(status, Body::Whole(Vec::new()))
    }

    fn check(reply: &Reply, expected: &str, words: &str) {
        let answer = judge(reply, NOW.parse().unwrap());
        assert_eq!(answer.as_str(), expected, "{reply:?} gave {answer:?}");
        let reason = answer.reason().unwrap_or_default();
        assert!(reason.contains(words), "{reply:?} gave {reason:?}");
        assert!(expected == "accepted" || !reason.is_empty());
    }

    #[test]
    fn each_status_without_a_body_has_its_meaning() {
        for (status, expected, words) in [
            (200, "accepted", ""),
            (201, "accepted", ""),
            (202, "accepted", ""),
            (204, "accepted", ""),
            (203, "busy", "a status that a FHIR create does not have"),
            (206, "busy", "does not have"),
            (301, "busy", "redirects"),
            (302, "busy", "redirects"),
            (307, "busy", "redirects"),
            (400, "busy", "without an OperationOutcome"),
            (401, "busy", "credential"),
            (403, "busy", "not allowed"),
            (404, "busy", "no such endpoint"),
            (405, "busy", "does not support"),
            (406, "busy", "application/fhir+json"),
            (408, "busy", "too long"),
            (409, "busy", "conflict"),
            (410, "busy", "no such endpoint"),
            (412, "busy", "more than once"),
            (413, "busy", "larger"),
            (415, "busy", "application/fhir+json"),
            (422, "refused", "gave no reason"),
            (425, "busy", "too early"),
            (429, "busy", "too many"),
            (500, "busy", "fault on its side"),
            (501, "busy", "fault on its side"),
            (502, "busy", "fault on its side"),
            (503, "busy", "not available"),
            (504, "busy", "fault on its side"),
            (599, "busy", "fault on its side"),
        ] {
            let words = if status == 501 { "does not support" } else { words };
            check(&empty(status), expected, words);
        }
    }

    #[test]
    fn an_operation_outcome_tells_a_decision_from_a_faulty_set_up() {
        for (status, code, expected) in [
            (400, "invalid", "refused"),
            (400, "transient", "busy"),
            (401, "login", "busy"),
            (403, "forbidden", "busy"),
            (403, "business-rule", "refused"),
            (404, "not-found", "busy"),
            (404, "not-supported", "busy"),
            (404, "deleted", "refused"),
            (404, "business-rule", "refused"),
            (405, "not-supported", "busy"),
            (409, "duplicate", "accepted"),
            (409, "conflict", "refused"),
            (409, "lock-error", "busy"),
            (410, "deleted", "refused"),
            (412, "multiple-matches", "busy"),
            (413, "too-long", "busy"),
            (422, "business-rule", "refused"),
            (422, "duplicate", "refused"),
            (422, "throttled", "busy"),
            (429, "throttled", "busy"),
            (500, "exception", "busy"),
            (501, "not-supported", "busy"),
            (302, "informational", "busy"),
        ] {
            let words = if expected == "accepted" { "" } else { "in its own words" };
            check(&reply(status, outcome(code, "in its own words")), expected, words);
        }
        let about_the_focus = br#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found",
            "diagnostics":"no such appointment","expression":["Task.focus"]}]}"#;
        check(&reply(404, Body::Whole(about_the_focus.to_vec())), "refused", "no such appointment");
        let repeats_a_patient = reply(422, outcome("not-found", "nobody with 999 000 0018"));
        check(&repeats_a_patient, "refused", "nobody with *** *** ****");
    }

    #[test]
    fn a_body_that_was_not_read_whole_never_turns_into_a_refusal() {
        for (status, body, expected) in [
            (201, Body::Cut, "accepted"),
            (201, Body::TooLarge, "accepted"),
            (400, Body::Cut, "unanswered"),
            (409, Body::Cut, "unanswered"),
            (422, Body::Cut, "unanswered"),
            (404, Body::Cut, "unanswered"),
            (400, Body::TooLarge, "busy"),
            (409, Body::TooLarge, "busy"),
            (422, Body::TooLarge, "refused"),
            (503, Body::Cut, "busy"),
        ] {
            check(&reply(status, body), expected, "");
        }
    }

    #[test]
    fn a_web_page_is_not_an_acceptance() {
        for (media_type, expected) in [
            ("text/html; charset=utf-8", "unanswered"),
            ("TEXT/HTML", "unanswered"),
            ("application/xhtml+xml", "unanswered"),
            ("application/fhir+json;charset=utf-8", "accepted"),
            ("application/json", "accepted"),
            ("text/plain", "accepted"),
        ] {
            check(&Reply { media_type: Some(media_type.into()), ..empty(200) }, expected, "");
        }
    }

    #[test]
    fn what_the_receiver_calls_it_is_kept() {
        let now = NOW.parse().unwrap();
        let task = Body::Whole(br#"{"resourceType":"Task","id":"77"}"#.to_vec());
        let with = |location: &str| Reply { location: Some(location.into()), ..reply(201, task.clone()) };
        for (reply, expected) in [
            (with("https://pas/fhir/Task/77/_history/1"), Some("https://pas/fhir/Task/77/_history/1")),
            (with("  "), Some("Task/77")),
            (reply(200, task.clone()), Some("Task/77")),
            (reply(200, outcome("informational", "done")), None),
            (reply(201, Body::Cut), None),
            (empty(204), None),
        ] {
            assert_eq!(judge(&reply, now), Answer::Accepted { reference: expected.map(str::to_owned) });
        }
        let Answer::Accepted { reference: Some(long) } = judge(&with(&"x".repeat(9_000)), now) else {
            panic!("accepted")
        };
        assert_eq!(long.len(), REFERENCE_CHARS_MAX);
    }

    #[test]
    fn the_wait_that_a_receiver_asks_for_is_read_in_both_forms() {
        let now: Timestamp = NOW.parse().unwrap();
        for (retry_after, date, expected) in [
            (Some("120"), None, Some(120)),
            (Some(" 0 "), None, Some(0)),
            (Some("999999"), None, Some(86_400)),
            (Some("99999999999999999999"), None, Some(86_400)),
            (Some("Sat, 21 Nov 2026 10:00:30 GMT"), None, Some(30)),
            (Some("Sat, 21 Nov 2026 09:00:00 GMT"), None, Some(0)),
            (Some("Sat, 21 Nov 2026 09:00:45 GMT"), Some("Sat, 21 Nov 2026 09:00:00 GMT"), Some(45)),
            (Some("Sat, 21 Nov 2026 10:00:30 GMT"), Some("yesterday"), Some(30)),
            (Some("Fri, 21 Nov 2036 10:00:00 GMT"), None, Some(86_400)),
            (Some("soon"), None, None),
            (Some("-5"), None, None),
            (Some("1.5"), None, None),
            (Some(""), None, None),
            (None, None, None),
        ] {
            let reply =
                Reply { retry_after: retry_after.map(str::to_owned), date: date.map(str::to_owned), ..empty(503) };
            let Answer::Busy { retry_after_seconds, .. } = judge(&reply, now) else { panic!("busy") };
            assert_eq!(retry_after_seconds, expected, "{retry_after:?} on {date:?}");
        }
    }
}
