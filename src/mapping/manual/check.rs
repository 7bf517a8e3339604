//! Trying one section of a manual.

use super::Verdict;
use super::difference::differences;
use super::read::{Block, InputBlock, Role, Section};
use crate::document::Document;
use crate::fhir::{self, Format, Limits};
use crate::issue::{Issue, Rule, any_refuses};
use crate::mapping::{Library, Mapping, Reads, Variables};
use crate::national::canonical_systems;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// What `%now` is in manuals: they say the same today and next year. 2026-01-05T09:00:00Z.
const NOW_SECOND: i64 = 1_767_603_600;

/// What the sections of one manual are tried with.
pub(super) struct Bench<'b> {
    library: &'b Library,
    mapping: &'b Mapping,
    senders: BTreeMap<String, BTreeMap<String, String>>,
    read_file: &'b dyn Fn(&str) -> Option<Vec<u8>>,
}

/// What came of an input.
struct Result {
    value: Value,
    issues: Vec<Issue>,
    taken_by: Option<String>,
}

impl<'b> Bench<'b> {
    pub(super) fn new(
        library: &'b Library,
        mapping: &'b Mapping,
        senders: &BTreeMap<String, BTreeMap<String, String>>,
        read_file: &'b dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Self {
        Bench { library, mapping, senders: senders.clone(), read_file }
    }

    /// Tries a section; none when it has no input.
    pub(super) fn try_section(&mut self, section: &Section) -> Option<Verdict> {
        match self.try_blocks(&section.blocks) {
            Ok(verdict) => verdict,
            Err(why) => Some(Verdict::Failed(vec![why])),
        }
    }

    fn try_blocks(&mut self, blocks: &[Block]) -> std::result::Result<Option<Verdict>, String> {
        let mut inputs = Vec::new();
        let mut trees = Vec::new();
        let mut expectations = Vec::new();
        for block in blocks {
            match &block.role {
                Role::Sender(name) => {
                    let variables = serde_json::from_str(&block.text)
                        .map_err(|error| format!("line {}: a sender is texts by name: {error}", block.line))?;
                    self.senders.insert(name.clone(), variables);
                }
                Role::Variable(name) => trees.push((name.as_str(), Document::from_value(&json(block)?))),
                Role::Input(input) => inputs.push((input, block)),
                Role::Expect { .. } | Role::Issues => expectations.push(block),
            }
        }
        let [(input, block)] = inputs.as_slice() else {
            return match (inputs.len(), expectations.first()) {
                (0, None) => Ok(None),
                (0, Some(block)) => Err(format!("line {}: it expects something and has no input", block.line)),
                (_, _) => Err("a section has one input".to_owned()),
            };
        };
        if expectations.is_empty() {
            return Err(format!("line {}: nothing is expected of this input", block.line));
        }
        let bytes = match &input.file {
            None => block.text.clone().into_bytes(),
            Some(file) => match (self.read_file)(file) {
                Some(bytes) => bytes,
                None => return Ok(Some(Verdict::Skipped(format!("{file} is not here")))),
            },
        };
        let trees: Vec<(&str, &Document)> = trees.iter().map(|(name, tree)| (*name, tree)).collect();
        let result = self.run(input, bytes, &trees)?;
        let mut told = Vec::new();
        for block in &expectations {
            match &block.role {
                Role::Expect { partial } => told.extend(differences(&json(block)?, &result.value, *partial)),
                Role::Issues => told.extend(issue_differences(&block.text, &result.issues)),
                Role::Input(_) | Role::Sender(_) | Role::Variable(_) => {}
            }
        }
        if !expectations.iter().any(|block| block.role == Role::Issues) {
            told.extend(result.issues.iter().map(|issue| format!("nobody expected the issue: {issue}")));
        }
        if let Some(other) = result.taken_by.filter(|name| name != self.mapping.name()) {
            told.push(format!("the mapping `{other}` takes this input, and not `{}`", self.mapping.name()));
        }
        Ok(Some(if told.is_empty() { Verdict::Passed } else { Verdict::Failed(told) }))
    }

    fn run(
        &self,
        input: &InputBlock,
        bytes: Vec<u8>,
        trees: &[(&str, &Document)],
    ) -> std::result::Result<Result, String> {
        let none = BTreeMap::new();
        let sender = match &input.sender {
            None => &none,
            Some(name) => self.senders.get(name).ok_or_else(|| format!("there is no sender `{name}`"))?,
        };
        let now = Timestamp::from_second(NOW_SECOND).unwrap_or_default();
        let variables = Variables { sender, now, trees };
        let bytes = match &input.pointer {
            None => bytes,
            Some(pointer) => part(&bytes, pointer)?,
        };
        match self.mapping.reads() {
            Reads::Canonical(kind) => {
                let value: Value = serde_json::from_slice(&bytes).map_err(|error| format!("the input: {error}"))?;
                let canonical = kind.take(value).map_err(|_| format!("the input is no {}", kind.as_str()))?;
                let document = Document::from_value(&canonical.to_value());
                let outcome = self.mapping.run(&document, &variables);
                Ok(Result { value: outcome.value, issues: outcome.issues, taken_by: None })
            }
            Reads::Resource(_) => self.run_inbound(input, &bytes, &variables),
        }
    }

    fn run_inbound(
        &self,
        input: &InputBlock,
        bytes: &[u8],
        variables: &Variables<'_>,
    ) -> std::result::Result<Result, String> {
        let format = if input.xml { Format::Xml } else { Format::Json };
        let parsed = fhir::parse(bytes, format, &Limits::default());
        let mut issues = parsed.issues;
        let Some(mut document) = parsed.document.filter(|_| !any_refuses(&issues)) else {
            return Ok(Result { value: Value::Null, issues, taken_by: None });
        };
        issues.extend(canonical_systems(&mut document));
        let chosen = self.library.inbound(&document, variables).and_then(|mapping| {
            let none = || Issue::new(Rule::MappingNone, "no mapping takes this resource").at(document.root().place());
            mapping.ok_or_else(none)
        });
        let mapping = match chosen {
            Ok(mapping) => mapping,
            Err(issue) => {
                issues.push(issue);
                return Ok(Result { value: Value::Null, issues, taken_by: None });
            }
        };
        let outcome = mapping.run(&document, variables);
        issues.extend(outcome.issues);
        Ok(Result { value: outcome.value, issues, taken_by: Some(mapping.name().to_owned()) })
    }
}

fn json(block: &Block) -> std::result::Result<Value, String> {
    serde_json::from_str(&block.text).map_err(|error| format!("line {}: this is not JSON: {error}", block.line))
}

/// The resource inside a larger JSON file.
fn part(bytes: &[u8], pointer: &str) -> std::result::Result<Vec<u8>, String> {
    let whole: Value = serde_json::from_slice(bytes).map_err(|error| format!("the input: {error}"))?;
    let found = whole.pointer(pointer).ok_or_else(|| format!("the input has nothing at {pointer}"))?;
    Ok(found.to_string().into_bytes())
}

/// The issues that were expected and did not come, and the other way round; each as often as it stands.
fn issue_differences(expected: &str, issues: &[Issue]) -> Vec<String> {
    let mut left: Vec<(String, &Issue)> = issues.iter().map(|issue| (line_of(issue), issue)).collect();
    let mut told = Vec::new();
    for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        match left.iter().position(|(known, _)| *known == words) {
            Some(found) => {
                left.swap_remove(found);
            }
            None => told.push(format!("expected the issue: {words}")),
        }
    }
    told.extend(left.iter().map(|(line, issue)| format!("nobody expected the issue: {line} ({})", issue.message)));
    told
}

/// An issue as manuals write it: severity, code, place, rule.
fn line_of(issue: &Issue) -> String {
    let place = issue.place.as_ref().map(|place| place.expression.as_str()).filter(|place| !place.is_empty());
    format!("{} {} {} {}", issue.severity, issue.code, place.unwrap_or("-"), issue.rule)
}
