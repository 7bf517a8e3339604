//! The settings against their JSON Schema.

use super::layers::Layers;
use super::{Problem, dotted};
use crate::issue::nearest;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;
use std::sync::OnceLock;

/// The schema's text, for editors and for the documentation.
pub const SCHEMA: &str = include_str!("settings.schema.json");

/// The schema.
pub(super) fn root() -> &'static Value {
    static ROOT: OnceLock<Value> = OnceLock::new();
    // Compiled in, and a test reads it; an empty schema would let everything through and `take` would still refuse.
    ROOT.get_or_init(|| serde_json::from_str(SCHEMA).unwrap_or_default())
}

/// True for a table of names that the site chooses.
pub(super) fn is_open(definition: &Value) -> bool {
    definition.get("additionalProperties").is_some_and(Value::is_object)
}

/// The definition of the member `key` of an object.
pub(super) fn member<'s>(definition: &'s Value, key: &str) -> Option<&'s Value> {
    let property = definition.get("properties").and_then(|properties| properties.get(key));
    property.or_else(|| definition.get("additionalProperties").filter(|open| open.is_object()))
}

/// Everything in the merged settings that does not fit the schema.
pub(super) fn check(layers: &Layers, problems: &mut Vec<Problem>) {
    let validator = match jsonschema::validator_for(root()) {
        Ok(validator) => validator,
        Err(_) => {
            let message = "the compiled-in settings schema is faulty; report it";
            problems.push(Problem::new("", super::Origin::Defaults, message));
            return;
        }
    };
    for error in validator.iter_errors(&layers.merged) {
        let path: Vec<String> = keys_of(error.instance_path().as_str());
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                for key in unexpected {
                    problems.push(unknown(layers, &path, key));
                }
            }
            Kind::PropertyNames { error } => {
                let key = error.instance().as_str().unwrap_or_default().to_owned();
                let mut path = path;
                path.push(key);
                let message = match path.first().map(String::as_str) {
                    Some("organisations") => "an organisation is named by its ODS code, upper-case letters and digits",
                    Some(_) | None => "a name has lower-case letters, digits, `-` and `_` only, at most 64",
                };
                problems.push(Problem::new(dotted(&path), layers.origin(&path), message));
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let problem = Problem::new(dotted(&path), layers.origin(&path), format!("`{key}` is missing"));
                let about = path.iter().try_fold(root(), |found, key| member(found, key));
                problems.push(match about.and_then(|found| member(found, key)).and_then(description) {
                    Some(about) => problem.hint(format!("`{key}`: {about}")),
                    None => problem,
                });
            }
            kind => problems.push(Problem::new(dotted(&path), layers.origin(&path), told(kind))),
        }
    }
}

fn description(definition: &Value) -> Option<&str> {
    definition.get("description").and_then(Value::as_str)
}

fn keys_of(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect()
}

/// A key that the schema does not know, with the nearest one that it does: here first, elsewhere then.
fn unknown(layers: &Layers, parent: &[String], key: &str) -> Problem {
    let mut path = parent.to_vec();
    path.push(key.to_owned());
    let problem = Problem::new(dotted(&path), layers.origin(&path), "there is no such key");
    let here = parent.iter().try_fold(root(), |found, key| member(found, key));
    let siblings: Vec<&str> = here.map(keys).unwrap_or_default();
    if let Some(near) = nearest(key, siblings.iter().copied()) {
        return problem.hint(format!("did you mean `{near}`?"));
    }
    let elsewhere = keys(root()).into_iter().find(|section| {
        let table = member(root(), section);
        table.and_then(|table| table.get("properties")).is_some_and(|properties| properties.get(key).is_some())
    });
    match elsewhere {
        Some(section) => problem.hint(format!("`{key}` belongs in [{section}]")),
        None => problem.hint(format!("there are: {}", siblings.join(", "))),
    }
}

fn keys(definition: &Value) -> Vec<&str> {
    let properties = definition.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(|found| found.keys()).map(String::as_str).collect()
}

/// What a keyword of the schema asks, in words; never the value, which may be a credential.
fn told(kind: &Kind) -> String {
    match kind {
        Kind::Type { kind } => {
            let wanted: Vec<String> = match kind {
                jsonschema::error::TypeKind::Single(one) => vec![one.to_string()],
                jsonschema::error::TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect(),
            };
            format!("the value is not of the type {}", wanted.join(" or "))
        }
        Kind::Enum { options } => {
            let names: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            format!("the value is not one of: {}", names.join(", "))
        }
        Kind::Minimum { limit } => format!("the value is less than {limit}"),
        Kind::Maximum { limit } => format!("the value is more than {limit}"),
        Kind::MinLength { .. } => "the value is empty".into(),
        Kind::MinItems { limit } => format!("the list needs {limit} or more"),
        Kind::MaxItems { limit } => format!("the list may have {limit} at most"),
        Kind::UniqueItems => "the list names something twice".into(),
        Kind::Pattern { pattern } => format!("the value does not have the form {pattern}"),
        // Keywords of JSON Schema that the settings' schema does not use; named, should that change.
        other => format!("the value breaks the schema's `{}`", other.keyword()),
    }
}
