//! Defaults, file and environment laid over each other, each value's origin kept.

use super::environment::Override;
use super::{Origin, Problem};
use config::{Config, File, FileFormat};
use serde_json::Value;

/// The compiled-in defaults: also the page that teaches the settings.
pub(super) const DEFAULTS: &str = include_str!("default.toml");

/// The settings as one tree, and where each part of it came from.
pub(super) struct Layers {
    /// All three layers merged.
    pub(super) merged: Value,
    file: Option<(String, Value)>,
    overrides: Vec<Override>,
}

/// The tree of a TOML text. The error says line and fault and never the line's text: it may hold a credential.
pub(super) fn read(text: &str) -> Result<Value, String> {
    Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .build()
        .and_then(Config::try_deserialize)
        .map_err(|error| without_source_lines(&error.to_string()))
}

/// A parser's complaint without the lines that quote the source (they have a `|` after the line number).
fn without_source_lines(complaint: &str) -> String {
    let kept: Vec<&str> = complaint
        .lines()
        .filter(|line| {
            !line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|')
        })
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    kept.join(": ")
}

impl Layers {
    /// Lays `overrides` over the file over the defaults.
    pub(super) fn lay(
        file: Option<(String, Value)>,
        text: Option<&str>,
        overrides: Vec<Override>,
    ) -> Result<Self, Problem> {
        let fault =
            |error: config::ConfigError| Problem::new("", Origin::Defaults, without_source_lines(&error.to_string()));
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(text) = text {
            builder = builder.add_source(File::from_str(text, FileFormat::Toml));
        }
        for Override { variable, path, value } in &overrides {
            builder = builder.set_override(path.join("."), value.clone()).map_err(|_| {
                Problem::new(
                    path.join("."),
                    Origin::Environment(variable.clone()),
                    "the variable's name does not make a path of keys",
                )
            })?;
        }
        let merged = builder.build().and_then(Config::try_deserialize).map_err(fault)?;
        Ok(Layers { merged, file, overrides })
    }

    /// Where the setting at `path` came from: the topmost layer that sets it, or that sets something under it.
    pub(super) fn origin(&self, path: &[String]) -> Origin {
        let environment = |fits: fn(&[String], &[String]) -> bool| {
            let found = self.overrides.iter().find(|over| fits(&over.path, path));
            found.map(|over| Origin::Environment(over.variable.clone()))
        };
        environment(|set, asked| asked.starts_with(set))
            .or_else(|| {
                let (name, tree) = self.file.as_ref()?;
                path.iter().try_fold(tree, |value, key| step(value, key))?;
                Some(Origin::File(name.clone()))
            })
            .or_else(|| environment(|set, asked| set.starts_with(asked)))
            .unwrap_or(Origin::Defaults)
    }
}

/// The member or item `key` of a tree.
pub(super) fn step<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_in_the_text_is_told_by_line_and_without_the_line_itself() {
        let fault = read("[downstreams.pas]\nbearer = \"s3cret-of-the-trust\nkind = 1\n").unwrap_err();
        assert!(fault.contains("line 2"), "{fault}");
        assert!(!fault.contains("s3cret"), "{fault}");
    }
}
