//! Where a rule puts what it makes: dotted paths, with literal indices where a list is built one by one.

use serde_json::{Map, Value};

/// The largest index in a target path: mappings name a few list items by hand, never many.
const INDEX_MAX: usize = 99;

/// A target path, for example `participant[0].actor.identifier.value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) text: String,
    pub(super) steps: Vec<Step>,
}

/// One step of a target path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) index: Option<usize>,
}

impl Target {
    /// Reads a path; the error is a sentence.
    pub(super) fn parse(text: &str) -> Result<Target, String> {
        let steps = text.split('.').map(step).collect::<Result<Vec<_>, _>>()?;
        Ok(Target { text: text.to_owned(), steps })
    }

    /// True when one of the two would overwrite the other: they are the same, or one leads through the other, or one
    /// takes for a whole list what the other builds item by item.
    pub(super) fn clashes(&self, other: &Target) -> bool {
        let same_item =
            |own: &Step, other: &Step| own.index == other.index || own.index.is_none() || other.index.is_none();
        self.steps.iter().zip(&other.steps).all(|(own, other)| own.name == other.name && same_item(own, other))
    }

    /// Puts `value` at this path of `out`, making what leads there. Items of a list that are skipped are null until
    /// [`tidy`] takes them out.
    pub(super) fn put(&self, out: &mut Map<String, Value>, value: Value) {
        let Some((last, before)) = self.steps.split_last() else { return };
        let mut object = out;
        for step in before {
            let slot = object.entry(step.name.as_str()).or_insert(Value::Null);
            let Some(next) = object_at(slot, step.index) else { return };
            object = next;
        }
        let slot = object.entry(last.name.as_str()).or_insert(Value::Null);
        match last.index {
            None => *slot = value,
            Some(index) => {
                if let Some(item) = item_at(slot, index) {
                    *item = value;
                }
            }
        }
    }
}

fn step(text: &str) -> Result<Step, String> {
    let (name, index) = match text.split_once('[') {
        None => (text, None),
        Some((name, rest)) => {
            let digits = rest.strip_suffix(']').ok_or("an index stands in brackets: `identifier[0]`")?;
            let index = digits.parse::<usize>().map_err(|_| "an index is a number: `identifier[0]`")?;
            if index > INDEX_MAX {
                return Err(format!("an index is at most {INDEX_MAX}; use `each` for long lists"));
            }
            (name, Some(index))
        }
    };
    let plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    if plain { Ok(Step { name: name.to_owned(), index }) } else { Err("a target is names with dots between".into()) }
}

fn item_at(slot: &mut Value, index: usize) -> Option<&mut Value> {
    if slot.is_null() {
        *slot = Value::Array(Vec::new());
    }
    let items = slot.as_array_mut()?;
    while items.len() <= index {
        items.push(Value::Null);
    }
    items.get_mut(index)
}

fn object_at(slot: &mut Value, index: Option<usize>) -> Option<&mut Map<String, Value>> {
    let slot = match index {
        None => slot,
        Some(index) => item_at(slot, index)?,
    };
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut()
}

/// Takes out list items that nothing was put into. Order and all else stay.
pub(super) fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(tidy);
        }
        Value::Object(members) => members.values_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn built(puts: &[(&str, Value)]) -> Value {
        let mut out = Map::new();
        for (path, value) in puts {
            Target::parse(path).unwrap().put(&mut out, value.clone());
        }
        let mut out = Value::Object(out);
        tidy(&mut out);
        out
    }

    #[test]
    fn paths_build_objects_and_lists_in_the_order_of_the_rules() {
        let value = built(&[
            ("identifier[0].system", json!("urn:x")),
            ("identifier[0].value", json!("1")),
            ("status", json!("requested")),
            ("input[2].value", json!(3)),
            ("input[0].value", json!(1)),
        ]);
        assert_eq!(
            value,
            json!({"identifier": [{"system": "urn:x", "value": "1"}], "status": "requested",
                   "input": [{"value": 1}, {"value": 3}]})
        );
        let order: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(order, ["identifier", "status", "input"]);
    }

    #[test]
    fn a_path_that_cannot_be_is_refused_with_a_reason() {
        for bad in ["", "a..b", "a[", "a[x]", "a[0", "a[0]b", "a[100]", "a b", "1a", ".a", "a.", "a[-1]"] {
            assert!(Target::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn rules_clash_when_one_would_overwrite_the_other() {
        for (one, other, clash) in [
            ("a", "a", true),
            ("a", "a.b", true),
            ("a[0]", "a[0].b", true),
            ("a[0]", "a[1]", false),
            ("a", "a[1]", true),
            ("a.b", "a.c", false),
            ("a.b", "b", false),
        ] {
            let (one, other) = (Target::parse(one).unwrap(), Target::parse(other).unwrap());
            assert_eq!(one.clashes(&other), clash, "{one:?} {other:?}");
            assert_eq!(other.clashes(&one), clash);
        }
    }

    #[test]
    fn a_clash_that_slipped_through_loses_nothing_that_was_there_and_does_not_panic() {
        assert_eq!(built(&[("a", json!("x")), ("a.b", json!(1))]), json!({"a": "x"}));
        assert_eq!(built(&[("a", json!("x")), ("a[0].b", json!(1))]), json!({"a": "x"}));
    }
}
