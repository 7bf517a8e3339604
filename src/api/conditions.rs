//! The headers that put a condition on a request, or a wish.

use super::fault::Fault;
use super::query;
use crate::fhir::Token;
use crate::issue::{Issue, Place, Rule};
use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use actix_web::web;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Characters of an `Idempotency-Key` at most.
const KEY_MAX: usize = 255;

/// What the body of the answer to a write is (RFC 7240; FHIR R4 http, 3.1.0.1.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Return {
    /// Nothing.
    Minimal,
    /// The resource.
    Representation,
    /// What is worth knowing. Also for those who do not say, so that no warning and no tolerance is missed.
    OperationOutcome,
}

impl Return {
    /// As the header writes it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Return::Minimal => "return=minimal",
            Return::Representation => "return=representation",
            Return::OperationOutcome => "return=OperationOutcome",
        }
    }
}

fn wrong(name: &HeaderName, message: impl Into<String>, hint: impl Into<String>) -> Fault {
    Fault::malformed(
        Issue::new(Rule::HeaderValue, message).at(Place::named(format!("http.{}", name.as_str()))).hint(hint),
    )
}

/// The one value of a header.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Fault> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map(|text| Some(text.trim()));
            text.map_err(|_| wrong(name, "The header holds other than printable ASCII", "send printable ASCII"))
        }
        (Some(_), Some(_)) => Err(wrong(name, "The header stands more than once", "send it once")),
    }
}

/// The key under which a retry gets the answer of the first try.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let Some(key) = single(headers, &IDEMPOTENCY_KEY)? else { return Ok(None) };
    if (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        Ok(Some(key.to_owned()))
    } else {
        Err(wrong(
            &IDEMPOTENCY_KEY,
            "The key is empty or too long",
            format!("send 1 to {KEY_MAX} characters, for example a UUID"),
        ))
    }
}

/// The version that an update is based on. Only one version can be current, so only one is taken.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Fault> {
    let Some(text) = single(headers, &IF_MATCH)? else { return Ok(None) };
    version(text).map(Some).ok_or_else(|| {
        wrong(&IF_MATCH, "The header does not hold one version", "send the ETag of the version that was read: W/\"3\"")
    })
}

/// A version in an entity tag: `W/"3"` or `"3"`.
fn version(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?.strip_suffix('"')?;
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// True when the caller holds this version already, so that it need not be sent again.
pub(super) fn holds(headers: &HeaderMap, current: u64) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).any(|tag| tag == "*" || version(tag) == Some(current))
}

/// The identifier whose owner settles a create.
pub(super) fn if_none_exist(headers: &HeaderMap) -> Result<Option<Token>, Fault> {
    let Some(text) = single(headers, &IF_NONE_EXIST)? else { return Ok(None) };
    const HINT: &str = "send identifier=SYSTEM|VALUE, and nothing else";
    let refuse = |message: &str| wrong(&IF_NONE_EXIST, message, HINT);
    let criteria = web::Query::<Vec<(String, String)>>::from_query(text.trim_start_matches('?'))
        .map_err(|_| refuse("The header does not hold a query"))?
        .into_inner();
    let [(name, value)] = criteria.as_slice() else {
        return Err(refuse("The header holds none or more than one criterion"));
    };
    if name != "identifier" {
        return Err(refuse("Only an identifier can settle whether a resource exists already"));
    }
    let token = query::token(name, value).map_err(|issue| refuse(&issue.message))?;
    match &token.system {
        Some(system) if !system.is_empty() => Ok(Some(token)),
        Some(_) | None => Err(refuse("An identifier without its system does not settle anything")),
    }
}

/// A condition that is not kept here must not be passed over: the caller relies on it.
pub(super) fn refuse_other_conditions(headers: &HeaderMap, kept: &HeaderName) -> Result<(), Fault> {
    for (name, way_out) in [
        (IF_MATCH, "If-Match goes with PUT"),
        (IF_NONE_EXIST, "If-None-Exist goes with POST"),
        (IF_NONE_MATCH, "If-None-Match goes with GET; to create only where nothing is, POST with If-None-Exist"),
    ] {
        if name != *kept && headers.contains_key(&name) {
            return Err(wrong(&name, "This condition cannot be kept with this method", way_out));
        }
    }
    Ok(())
}

/// The condition of an update.
pub(super) const OF_UPDATE: HeaderName = IF_MATCH;
/// The condition of a create.
pub(super) const OF_CREATE: HeaderName = IF_NONE_EXIST;

/// What the caller wishes to get back, when it says; wishes that are not known are passed over (RFC 7240, 2).
pub(super) fn prefer(headers: &HeaderMap) -> Option<Return> {
    let lists = headers.get_all(PREFER).filter_map(|value| value.to_str().ok());
    let wishes = lists.flat_map(|list| list.split([',', ';'])).map(str::trim);
    let mut wanted = wishes.filter_map(|wish| {
        let (name, value) = wish.split_once('=')?;
        let value = value.trim().trim_matches('"');
        let known = [Return::Minimal, Return::Representation, Return::OperationOutcome];
        let is = |known: &Return| known.as_str().strip_prefix("return=").is_some_and(|n| n.eq_ignore_ascii_case(value));
        known.into_iter().find(|known| name.trim().eq_ignore_ascii_case("return") && is(known))
    });
    wanted.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        headers
    }

    #[test]
    fn a_version_is_read_from_one_entity_tag() {
        for (sent, expected) in [
            ("W/\"3\"", Some(Some(3))),
            ("\"3\"", Some(Some(3))),
            ("3", None),
            ("*", None),
            ("W/\"3\", W/\"4\"", None),
            ("W/\"+3\"", None),
            ("W/\"99999999999999999999\"", None),
            ("", None),
        ] {
            assert_eq!(if_match(&headers(IF_MATCH, sent)).ok(), expected, "{sent}");
        }
        assert_eq!(if_match(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn a_version_that_the_caller_holds_is_not_sent_again() {
        for (sent, held) in [("W/\"2\"", true), ("\"1\", W/\"2\"", true), ("*", true), ("W/\"3\"", false), ("x", false)]
        {
            assert_eq!(holds(&headers(IF_NONE_MATCH, sent), 2), held, "{sent}");
        }
    }

    #[test]
    fn only_a_whole_identifier_settles_a_create() {
        let token = |system: &str, value: &str| Some(Token { system: Some(system.into()), value: value.into() });
        for (sent, expected) in [
            ("identifier=https://a.example/id|7", token("https://a.example/id", "7")),
            ("?identifier=https%3A%2F%2Fa.example%2Fid%7C7", token("https://a.example/id", "7")),
            ("identifier=urn:x|a\\|b", token("urn:x", "a|b")),
            ("identifier=7", None),
            ("identifier=|7", None),
            ("identifier=urn:x|", None),
            ("identifier=urn:x|7,urn:x|8", None),
            ("identifier=urn:x|7&status=booked", None),
            ("status=booked", None),
            ("", None),
        ] {
            assert_eq!(if_none_exist(&headers(IF_NONE_EXIST, sent)).ok().flatten(), expected, "{sent}");
        }
        let fault = if_none_exist(&headers(IF_NONE_EXIST, "patient=9990000018")).unwrap_err();
        assert!(!format!("{fault:?}").contains("9990000018"));
    }

    #[test]
    fn a_key_is_printable_and_of_bounded_length() {
        let long = "k".repeat(KEY_MAX + 1);
        for (sent, fits) in
            [("6b1f6a5e", true), ("a b", true), ("", false), (long.as_str(), false), ("schlüssel", false)]
        {
            assert_eq!(idempotency_key(&headers(IDEMPOTENCY_KEY, sent)).is_ok(), fits, "{sent}");
        }
        let mut twice = headers(IDEMPOTENCY_KEY, "a");
        twice.append(IDEMPOTENCY_KEY, HeaderValue::from_static("b"));
        assert!(idempotency_key(&twice).is_err());
    }

    #[test]
    fn a_wish_is_heard_among_others() {
        for (sent, expected) in [
            ("return=minimal", Some(Return::Minimal)),
            ("handling=strict, return=representation", Some(Return::Representation)),
            ("Return=\"operationoutcome\"", Some(Return::OperationOutcome)),
            ("respond-async", None),
            ("return=everything", None),
        ] {
            assert_eq!(prefer(&headers(PREFER, sent)), expected, "{sent}");
        }
    }
}
