//! How two JSON values differ, path by path.

use serde_json::Value;

/// Differences that are told.
const TOLD_MAX: usize = 50;
/// Nesting that is followed.
const DEPTH_MAX: usize = 64;

/// The differences between what is expected and what came, one sentence each. With `partial`, members of objects that
/// are not expected do not count; lists have the same length all the same.
pub(super) fn differences(expected: &Value, actual: &Value, partial: bool) -> Vec<String> {
    let mut told = Vec::new();
    compare(expected, actual, partial, "", 0, &mut told);
    told.truncate(TOLD_MAX);
    told
}

fn compare(expected: &Value, actual: &Value, partial: bool, path: &str, depth: usize, told: &mut Vec<String>) {
    if told.len() > TOLD_MAX || depth > DEPTH_MAX {
        return;
    }
    let here = if path.is_empty() { "the whole" } else { path };
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, value) in expected {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match actual.get(name) {
                    Some(actual) => compare(value, actual, partial, &path, depth + 1, told),
                    None => told.push(format!("{path}: expected {value}, and there is nothing")),
                }
            }
            for (name, value) in actual.iter().filter(|(name, _)| !partial && !expected.contains_key(*name)) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                told.push(format!("{path}: nothing expected, and there is {value}"));
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            if expected.len() != actual.len() {
                told.push(format!("{here}: expected {} items, and there are {}", expected.len(), actual.len()));
            }
            for (number, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(expected, actual, partial, &format!("{path}[{number}]"), depth + 1, told);
            }
        }
        (expected, actual) if expected == actual => {}
        (expected, actual) => told.push(format!("{here}: expected {expected}, and there is {actual}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_difference_is_told_once_by_its_path() {
        let check = |expected: Value, actual: Value, partial: bool, told: &[&str]| {
            assert_eq!(differences(&expected, &actual, partial), told, "{expected} {actual}");
        };
        check(json!({"a": 1, "b": [1]}), json!({"b": [1], "a": 1}), false, &[]);
        check(json!({"a": 1}), json!({"a": 1, "b": 2}), true, &[]);
        check(json!({"a": 1}), json!({"a": 1, "b": 2}), false, &["b: nothing expected, and there is 2"]);
        check(json!({"a": {"c": 1}}), json!({"a": {}}), true, &["a.c: expected 1, and there is nothing"]);
        check(json!({"a": [1, 2]}), json!({"a": [1]}), true, &["a: expected 2 items, and there are 1"]);
        check(
            json!({"a": [{"b": "x"}]}),
            json!({"a": [{"b": "y"}]}),
            true,
            &["a[0].b: expected \"x\", and there is \"y\""],
        );
        check(json!(1), json!("1"), true, &["the whole: expected 1, and there is \"1\""]);
    }
}
