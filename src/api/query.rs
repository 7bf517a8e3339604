//! What a query asks, judged whole: each unknown, repeated or ill-formed parameter is told.

use super::fault::Fault;
use super::routes::{Parameter, Served};
use super::{Limits, is_fhir_id};
use crate::enquiry::Search;
use crate::error::Error;
use crate::fhir::Token;
use crate::issue::{Issue, Place, Rule, nearest};
use actix_web::web;

/// The parameters of a query, each known and there once.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

/// The form of the answer, wherever there is one.
pub(super) const FORMAT: &str = "_format";
pub(super) const COUNT: &str = "_count";
pub(super) const AFTER: &str = "_after";
/// Characters of `_after` at most; ours are far shorter.
const AFTER_MAX: usize = 512;

impl Query {
    /// Reads a query in which only `known` may stand.
    pub(super) fn read(text: &str, known: &[&str]) -> Result<Query, Fault> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text).map_err(|_| {
            Fault::malformed(
                Issue::new(Rule::QueryValue, "The query cannot be read").hint("write name=value&name=value"),
            )
        })?;
        let mut issues = Vec::new();
        let mut kept: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs.into_inner() {
            if !known.contains(&name.as_str()) {
                issues.push(unknown(&name, known));
            } else if kept.iter().any(|(there, _)| *there == name) {
                issues.push(
                    at(&name, "The parameter stands more than once")
                        .hint("several values that may match stand in one, separated by commas"),
                );
            } else {
                kept.push((name, value));
            }
        }
        if issues.is_empty() { Ok(Query(kept)) } else { Err(Error::Malformed(issues).into()) }
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }

    /// The query again, as it was understood, with `_after` set or taken away.
    pub(super) fn link(&self, address: &str, after: Option<&str>) -> String {
        let kept = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = kept.filter(|(name, _)| after.is_none() || *name != AFTER).chain(after.map(|after| (AFTER, after)));
        let text: Vec<String> = pairs.map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        if text.is_empty() { address.to_owned() } else { format!("{address}?{}", text.join("&")) }
    }
}

/// What `_format` says in a query that may be wrong otherwise: a complaint about it should have the right form too.
pub(super) fn format_in(text: &str) -> Option<String> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text).ok()?.into_inner();
    pairs.into_iter().find(|(name, _)| name == FORMAT).map(|(_, value)| value)
}

/// What a search of a served type asks.
pub(super) fn search(text: &str, served: &Served, limits: &Limits) -> Result<(Query, Search), Fault> {
    let mut known: Vec<&str> = served.parameters.iter().map(|parameter| parameter.as_str()).collect();
    known.extend([COUNT, AFTER, FORMAT]);
    let query = Query::read(text, &known)?;
    let mut search = Search { count: limits.page_count_default, ..Search::default() };
    let mut issues = Vec::new();
    let mut keep = |result: Result<(), Issue>| issues.extend(result.err());
    for parameter in served.parameters {
        let name = parameter.as_str();
        let Some(value) = query.get(name) else { continue };
        keep(match parameter {
            Parameter::Id => ids(name, value).map(|ids| search.ids = ids),
            Parameter::Identifier => token(name, value).map(|token| search.identifier = Some(token)),
            Parameter::PatientIdentifier => token(name, value).map(|token| search.patient_identifier = Some(token)),
            Parameter::Status => statuses(name, value, served).map(|statuses| search.statuses = statuses),
        });
    }
    if let Some(value) = query.get(COUNT) {
        keep(count(value).map(|count| search.count = count.min(limits.page_count_max)));
    }
    if let Some(value) = query.get(AFTER) {
        keep(after(value).map(|after| search.after = Some(after)));
    }
    if issues.is_empty() { Ok((query, search)) } else { Err(Error::Malformed(issues).into()) }
}

/// The one token of a parameter.
pub(super) fn token(name: &str, value: &str) -> Result<Token, Issue> {
    let parts = split(value, ',');
    let [one] = parts.as_slice() else {
        return Err(at(name, "One identifier can be asked for at a time").hint("send a request for each"));
    };
    let mut halves = split(one, '|').into_iter();
    let (first, second, more) = (halves.next().unwrap_or_default(), halves.next(), halves.next());
    let token = match second {
        None => Token { system: None, value: plain(&first) },
        Some(value) => Token { system: Some(plain(&first)), value: plain(&value) },
    };
    if more.is_some() || token.value.is_empty() {
        return Err(at(name, "The identifier does not have the form system|value or value")
            .hint("a `|` or `,` inside a value is written `\\|` or `\\,`"));
    }
    Ok(token)
}

pub(super) fn ids(name: &str, value: &str) -> Result<Vec<String>, Issue> {
    let ids: Vec<String> = value.split(',').map(str::to_owned).collect();
    if ids.iter().all(|id| is_fhir_id(id)) {
        Ok(ids)
    } else {
        Err(at(name, "An id has 1 to 64 letters, digits, `-` and `.`"))
    }
}

fn statuses(name: &str, value: &str, served: &Served) -> Result<Vec<String>, Issue> {
    let statuses: Vec<String> = value.split(',').map(str::to_owned).collect();
    if statuses.iter().all(|status| served.statuses.contains(&status.as_str())) {
        Ok(statuses)
    } else {
        let message = format!("A status is not one that {} has in FHIR R4", served.name);
        Err(at(name, message).hint(format!("there are: {}", served.statuses.join(", "))))
    }
}

pub(super) fn count(value: &str) -> Result<u32, Issue> {
    value.parse().map_err(|_| at(COUNT, "The number of resources on a page is a whole number, 0 or more"))
}

pub(super) fn after(value: &str) -> Result<String, Issue> {
    let fits = (1..=AFTER_MAX).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~=:".contains(&byte));
    if fits {
        Ok(value.to_owned())
    } else {
        Err(at(AFTER, "This is not where a page ended").hint("follow the `next` link of the page before as it is"))
    }
}

pub(super) fn at(name: &str, message: impl Into<String>) -> Issue {
    Issue::new(Rule::QueryValue, message).at(Place::named(format!("http.{name}")))
}

/// A parameter that is not known. Its name is told only when it looks like one: people paste values into the wrong half.
fn unknown(name: &str, known: &[&str]) -> Issue {
    let is_name = name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_:.-".contains(&byte));
    let issue = Issue::new(Rule::QueryUnknown, "The query has a parameter that is not known here");
    let issue = if is_name { issue.at(Place::named(format!("http.{name}"))) } else { issue };
    // A reference parameter without its modifier is the likeliest slip of all.
    let without_modifier =
        known.iter().copied().find(|known| known.split_once(':').is_some_and(|(bare, _)| bare == name));
    match without_modifier.or_else(|| nearest(name, known.iter().copied())) {
        Some(near) => issue.hint(format!("did you mean `{near}`? There are: {}", known.join(", "))),
        None => issue.hint(format!("there are: {}", known.join(", "))),
    }
}

/// Splits at unescaped separators and takes no escape away.
pub(super) fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if !escaped && c == separator {
            parts.push(String::new());
            continue;
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    parts
}

/// A value without its escapes (FHIR R4 search, 3.1.1.4.0.1: `\,` `\|` `\$` `\\`).
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(next @ (',' | '|' | '$' | '\\'))) => {
                plain.push(*next);
                chars.next();
            }
            (other, _) => plain.push(other),
        }
    }
    plain
}

/// A text as it stands in a query: everything but RFC 3986's unreserved characters in percent form.
pub(super) fn escaped(text: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            other => {
                let _ = write!(escaped, "%{other:02X}");
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::routes::served;
    use super::*;

    const LIMITS: Limits = Limits { body_bytes_max: 1, page_count_default: 20, page_count_max: 100, request_ms_max: 1 };

    fn of_appointments(text: &str) -> Result<(Query, Search), Fault> {
        search(text, served("Appointment").unwrap(), &LIMITS)
    }

    #[test]
    fn a_search_is_read_with_its_escapes_and_its_bounds() {
        let token = |system: Option<&str>, value: &str| {
            Some(Token { system: system.map(str::to_owned), value: value.to_owned() })
        };
        for (text, expected) in [
            ("", Search { count: 20, ..Search::default() }),
            ("identifier=7", Search { identifier: token(None, "7"), count: 20, ..Search::default() }),
            ("identifier=%7C7", Search { identifier: token(Some(""), "7"), count: 20, ..Search::default() }),
            (
                "patient:identifier=urn:x%7Ca%5C%7Cb%5C,c%5C%5C",
                Search { patient_identifier: token(Some("urn:x"), "a|b,c\\"), count: 20, ..Search::default() },
            ),
            (
                "status=booked,pending&_count=1000&_after=a-1",
                Search {
                    statuses: vec!["booked".into(), "pending".into()],
                    count: 100,
                    after: Some("a-1".into()),
                    ..Search::default()
                },
            ),
            ("_id=a,b&_format=json", Search { ids: vec!["a".into(), "b".into()], count: 20, ..Search::default() }),
        ] {
            assert_eq!(of_appointments(text).map(|(_, search)| search), Ok(expected), "{text}");
        }
    }

    #[test]
    fn all_that_is_wrong_with_a_query_is_told_at_once_and_no_value_is() {
        let Err(Fault::Error(Error::Malformed(issues))) = of_appointments("x=9990000018&y=1&status=a&status=b") else {
            panic!("it was taken");
        };
        assert_eq!(issues.len(), 3);
        let Err(Fault::Error(Error::Malformed(issues))) =
            of_appointments("status=9990000018&_count=9990000018x&_after=9990000018%20&identifier=9990000018%7C1%7C2")
        else {
            panic!("it was taken");
        };
        assert_eq!(issues.len(), 4);
        assert!(!format!("{issues:?}").contains("9990000018"));
        let Err(fault) = of_appointments("9990000018=1") else { panic!("it was taken") };
        assert!(!format!("{fault:?}").contains("9990000018"));
    }

    #[test]
    fn links_lead_on_from_the_search_as_it_was_understood() {
        let (query, _) = of_appointments("identifier=urn:x%7Ca%26b&_after=p1&_count=2").unwrap();
        assert_eq!(query.link("B", None), "B?identifier=urn%3Ax%7Ca%26b&_after=p1&_count=2");
        assert_eq!(query.link("B", Some("p2")), "B?identifier=urn%3Ax%7Ca%26b&_count=2&_after=p2");
        let (again, search) = of_appointments(query.link("B", Some("p2")).trim_start_matches("B?")).unwrap();
        assert_eq!(search.after.as_deref(), Some("p2"));
        assert_eq!(again.get("identifier"), Some("urn:x|a&b"));
    }
}
