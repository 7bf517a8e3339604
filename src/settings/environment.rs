//! `STILE__SECTION__KEY`: environment variables as settings.

use super::schema;
use super::{Origin, Problem};
use serde_json::Value;

const PREFIX: &str = "STILE__";

/// What one environment variable sets.
#[derive(Debug)]
pub(super) struct Override {
    /// The variable's name, as it was.
    pub(super) variable: String,
    /// The keys that lead to the setting.
    pub(super) path: Vec<String>,
    /// What it is set to.
    pub(super) value: config::Value,
}

/// The settings among the variables of the environment, sorted by name. `known` is what defaults and file hold:
/// a sender, caller, downstream or organisation that is there already is found however the variable spells it,
/// because many shells allow neither lower case by custom nor a hyphen at all.
pub(super) fn read(
    environment: impl Iterator<Item = (String, String)>,
    known: &Value,
    problems: &mut Vec<Problem>,
) -> Vec<Override> {
    let mut variables: Vec<(String, String)> =
        environment.filter(|(name, _)| name.get(..PREFIX.len()).is_some_and(|start| start == PREFIX)).collect();
    variables.sort();
    let mut found: Vec<Override> = Vec::new();
    for (variable, text) in variables {
        let segments: Vec<&str> = variable.split("__").skip(1).collect();
        let plain = |segment: &&str| {
            !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        if !segments.iter().all(plain) || segments.len() < 2 {
            let problem =
                Problem::new("", Origin::Environment(variable.clone()), "the variable's name does not make a setting")
                    .hint("write STILE__SECTION__KEY, for example STILE__SERVER__LISTEN");
            problems.push(problem);
            continue;
        }
        let (path, kind) = resolve(&segments, known);
        if let Some(other) = found.iter().find(|other| other.path.starts_with(&path) || path.starts_with(&other.path)) {
            let message = format!("{} sets the same setting or one inside it", other.variable);
            problems.push(Problem::new(path.join("."), Origin::Environment(variable), message));
            continue;
        }
        let value = typed(&text, kind);
        found.push(Override { variable, path, value });
    }
    found
}

/// The keys that a variable's segments mean, and what the schema says of the last.
fn resolve<'s>(segments: &[&str], known: &Value) -> (Vec<String>, Option<&'s Value>) {
    let mut path: Vec<String> = Vec::new();
    let mut definition = Some(schema::root());
    let mut there = Some(known);
    for segment in segments {
        let lower = segment.to_ascii_lowercase();
        let key = match definition {
            Some(found) if schema::is_open(found) => name_of(segment, path.first().map(String::as_str), there),
            Some(_) | None => lower,
        };
        definition = definition.and_then(|found| schema::member(found, &key));
        there = there.and_then(|value| value.get(&key));
        path.push(key);
    }
    (path, definition)
}

/// The name in a table of names that a segment means: the one that is there, or the segment in the table's own case.
fn name_of(segment: &str, section: Option<&str>, there: Option<&Value>) -> String {
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let known = there.and_then(Value::as_object).into_iter().flat_map(|table| table.keys());
    match known.into_iter().find(|name| plain(name) == plain(segment)) {
        Some(name) => name.clone(),
        None if section == Some("organisations") => segment.to_ascii_uppercase(),
        None => segment.to_ascii_lowercase(),
    }
}

/// A variable's text as the type that the schema asks for. What does not fit stays text, and the schema refuses it.
fn typed(text: &str, definition: Option<&Value>) -> config::Value {
    let trimmed = text.trim();
    let kind = definition.and_then(|found| found.get("type")).and_then(Value::as_str);
    match kind {
        Some("integer") => trimmed.parse::<i64>().map_or_else(|_| text.into(), Into::into),
        Some("number") => trimmed.parse::<f64>().map_or_else(|_| text.into(), Into::into),
        Some("boolean") => trimmed.parse::<bool>().map_or_else(|_| text.into(), Into::into),
        Some("array") => {
            let item = definition.and_then(|found| found.get("items"));
            let items = trimmed.split(',').map(str::trim).filter(|part| !part.is_empty());
            config::Value::from(items.map(|part| typed(part, item)).collect::<Vec<_>>())
        }
        Some(_) | None => text.into(),
    }
}
