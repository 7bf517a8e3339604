//! The canonical schemas: what a mapping may make, and the check of what it made.

use crate::issue::{Issue, Rule};
use crate::model::Kind;
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Canonical schemas nest four deep; more than this is a circle of references.
const DEPTH_MAX: usize = 16;
/// Schema errors of one value that are told.
const ERRORS_MAX: usize = 50;

/// One canonical type: the compiled schema, and its shape for the mapping compiler.
pub(super) struct Schema {
    pub(super) kind: Kind,
    pub(super) shape: Arc<Shape>,
    validator: Validator,
}

/// What a place in a canonical value can hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// Named members.
    Object { members: BTreeMap<String, Arc<Shape>>, required: Vec<String> },
    /// A list.
    List(Arc<Shape>),
    /// A single value of a JSON type; `codes` when only these are allowed.
    Single { of: Single, codes: Option<Vec<String>> },
}

/// The JSON type of a single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Single {
    Text,
    Boolean,
    Integer,
}

impl Schema {
    /// Compiles the text of a schema file; the error is a sentence.
    pub(super) fn compile(kind: Kind, text: &str) -> Result<Schema, String> {
        let schema: Value = serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))?;
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| format!("this is not a JSON Schema: {error}"))?;
        let shape = Arc::new(shape(&schema, &schema, 0)?);
        Ok(Schema { kind, shape, validator })
    }

    /// What of `value` does not fit, as the target path and an issue that names rule and target and not the value.
    pub(super) fn check(&self, value: &Value) -> Vec<(String, Issue)> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        self.validator.iter_errors(value).take(ERRORS_MAX).map(|error| self.issue(&error)).collect()
    }

    fn issue(&self, error: &ValidationError<'_>) -> (String, Issue) {
        let mut target = dotted(error.instance_path().as_str());
        let told = match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                if !target.is_empty() {
                    target.push('.');
                }
                target.push_str(name);
                "must be there".to_owned()
            }
            ValidationErrorKind::Enum { options } => format!("is one of {options}"),
            ValidationErrorKind::Pattern { pattern } => format!("has the form {pattern}"),
            ValidationErrorKind::Format { format } => format!("is a {format}"),
            ValidationErrorKind::Type { .. } => "has the JSON type of the schema".to_owned(),
            ValidationErrorKind::MinLength { limit } => format!("has at least {limit} characters"),
            ValidationErrorKind::MinItems { limit } => format!("has at least {limit} items"),
            ValidationErrorKind::MinProperties { limit } => format!("has at least {limit} of its members"),
            other => format!("keeps the schema's `{}`", other.keyword()),
        };
        let place = if target.is_empty() { "the whole value".to_owned() } else { format!("`{target}`") };
        let issue = Issue::new(Rule::MappingSchema, format!("{place} of the canonical {} {told}", self.kind.as_str()))
            .asked_by(format!("{}.schema.json", self.kind.as_str()));
        (target, issue)
    }
}

/// A JSON Pointer as a target path.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        if step.bytes().all(|byte| byte.is_ascii_digit()) && !step.is_empty() {
            path.push_str(&format!("[{step}]"));
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(step);
        }
    }
    path
}

fn shape(schema: &Value, root: &Value, depth: usize) -> Result<Shape, String> {
    if depth > DEPTH_MAX {
        return Err("its references go in a circle".into());
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = reference.strip_prefix('#').ok_or("a reference points into the same file")?;
        let target = root.pointer(pointer).ok_or_else(|| format!("`{reference}` points at nothing"))?;
        return shape(target, root, depth + 1);
    }
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        let codes = options.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        return Ok(Shape::Single { of: Single::Text, codes: Some(codes) });
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => object(schema, root, depth),
        Some("array") => {
            let items = schema.get("items").ok_or("a list says what its items are")?;
            Ok(Shape::List(Arc::new(shape(items, root, depth + 1)?)))
        }
        Some("string") => Ok(Shape::Single { of: Single::Text, codes: None }),
        Some("boolean") => Ok(Shape::Single { of: Single::Boolean, codes: None }),
        Some("integer") => Ok(Shape::Single { of: Single::Integer, codes: None }),
        Some(other) => Err(format!("canonical schemas have no type `{other}`")),
        None => Err("every part of a canonical schema has a type".into()),
    }
}

fn object(schema: &Value, root: &Value, depth: usize) -> Result<Shape, String> {
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err("every object of a canonical schema refuses additional properties".into());
    }
    let mut members = BTreeMap::new();
    for (name, part) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        members.insert(name.clone(), Arc::new(shape(part, root, depth + 1)?));
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let required = required.filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(Shape::Object { members, required })
}

#[cfg(test)]
pub(super) mod tests;
