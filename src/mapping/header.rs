//! Reading keys of a mapping file, with a word about each that is not known.

use super::problem::{Findings, Mark};
use super::yaml::{Member, Yaml, YamlValue};

/// The members of a node that has keys, all of them known.
pub(super) struct Keys<'y> {
    members: &'y [Member],
    /// Where the node begins.
    pub(super) at: Mark,
    what: &'static str,
    /// True when a key was not known, which has been told.
    pub(super) has_unknown: bool,
}

impl<'y> Keys<'y> {
    /// The keys of `yaml`, which is `what`; each that is not among `known` is a problem.
    pub(super) fn of(
        yaml: &'y Yaml,
        what: &'static str,
        known: &[&'static str],
        findings: &mut Findings<'_>,
    ) -> Option<Keys<'y>> {
        let YamlValue::Mapping(members) = &yaml.value else {
            findings
                .note("mapping.form", yaml.at, format!("{what} is keys with values, not {}", yaml.form()))
                .way_out(format!("its keys: {}", known.join(", ")));
            return None;
        };
        let mut has_unknown = false;
        for member in members.iter().filter(|member| !known.contains(&member.key.as_str())) {
            has_unknown = true;
            let width = member.key.chars().count();
            findings
                .note_wide("mapping.unknown-key", member.at, width, format!("{what} has no key `{}`", member.key))
                .meant(&member.key, known.iter().copied());
        }
        Some(Keys { members, at: yaml.at, what, has_unknown })
    }

    /// The member of this key.
    pub(super) fn get(&self, key: &str) -> Option<&'y Member> {
        self.members.iter().find(|member| member.key == key)
    }

    /// The text of a key, and where it stands; a problem when it is not a single value.
    pub(super) fn text(&self, key: &str, findings: &mut Findings<'_>) -> Option<(&'y str, Mark)> {
        let member = self.get(key)?;
        match member.value.text() {
            Some(text) if !text.trim().is_empty() => Some((text, member.value.at)),
            Some(_) => {
                findings.note("mapping.form", member.at, format!("`{key}` is empty"));
                None
            }
            None => {
                let message = format!("`{key}` is a single value, not {}", member.value.form());
                findings.note("mapping.form", member.value.at, message);
                None
            }
        }
    }

    /// The text of a key that must be there.
    pub(super) fn required(&self, key: &str, findings: &mut Findings<'_>) -> Option<(&'y str, Mark)> {
        if self.get(key).is_none() {
            findings.note("mapping.missing-key", self.at, format!("{} needs `{key}`", self.what));
        }
        self.text(key, findings)
    }

    /// A key that is true or false; false when it is not there.
    pub(super) fn flag(&self, key: &str, findings: &mut Findings<'_>) -> bool {
        let Some(member) = self.get(key) else { return false };
        match member.value.constant() {
            Some(serde_json::Value::Bool(flag)) => flag,
            _ => {
                findings.note("mapping.form", member.value.at, format!("`{key}` is true or false"));
                false
            }
        }
    }
}
