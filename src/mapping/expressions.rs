//! Compiling the expressions of a mapping, and checking the paths that they read.

use super::compile::Compiler;
use super::plan::Expected;
use super::problem::Mark;
use super::shape::{Ground, Stepped};
use super::variables::{CHANGE, GATEWAY, SYSTEMS};
use crate::fhirpath::{Expression, PathStart, StaticPath, StaticStep, compile};
use crate::model::Kind;
use std::collections::HashSet;
use std::sync::Arc;

/// What an expression is evaluated over.
#[derive(Clone, Default)]
pub(super) struct Input<'e> {
    /// Its type; none when that is not known before a document is there.
    pub(super) ground: Option<Ground<'e>>,
    /// Where it stands in the mapping's input; none when that is not known, or when it stands in another tree.
    pub(super) path: Option<Vec<String>>,
}

/// The element paths that a mapping's expressions read.
#[derive(Default)]
pub(super) struct ReadPaths {
    /// All of them.
    pub(super) all: HashSet<Vec<String>>,
    /// Those that decide something and are not themselves the result.
    pub(super) looked_at: HashSet<Vec<String>>,
}

impl<'e> Compiler<'_, 'e, '_> {
    /// Compiles the expression that stands at `at`.
    pub(super) fn expression(&mut self, text: &str, at: Mark, input: &Input<'e>) -> Option<Expression> {
        match compile(text, &self.scope) {
            Ok(expression) => {
                let paths = expression.paths();
                let last = paths.len().saturating_sub(1);
                for (number, path) in paths.iter().enumerate() {
                    if let PathStart::Variable(name) = &path.start {
                        self.used_names.insert(name.clone());
                    }
                    let start = self.start(path, input);
                    self.check_path(text, at, path, &start);
                    if let Some(mut full) = start.path {
                        full.extend(path.steps.iter().map(json_name));
                        if number != last {
                            self.read.looked_at.insert(full.clone());
                        }
                        self.read.all.insert(full);
                    }
                }
                self.note_bare_variables(text);
                Some(expression)
            }
            Err(diagnostics) => {
                for diagnostic in diagnostics {
                    let at_fault = self.locate(text, at, diagnostic.at.start);
                    let width = text.get(diagnostic.at).map_or(1, |part| part.chars().count());
                    let problem = self.findings.note_wide(diagnostic.code, at_fault, width, diagnostic.message);
                    problem.hint = diagnostic.hint;
                }
                None
            }
        }
    }

    /// Compiles a condition: every path that it reads decides something.
    pub(super) fn condition(&mut self, text: &str, at: Mark, input: &Input<'e>) -> Option<Expression> {
        let expression = self.expression(text, at, input)?;
        for path in expression.paths() {
            if let Some(mut full) = self.start(&path, input).path {
                full.extend(path.steps.iter().map(json_name));
                self.read.looked_at.insert(full);
            }
        }
        Some(expression)
    }

    /// What the items of an expression are, when all of them stand at one path.
    pub(super) fn result(&self, expression: &Expression, input: &Input<'e>) -> Input<'e> {
        let text = expression.text();
        let branches = ["|", "combine(", "union(", "iif(", "select("].iter().any(|word| text.contains(word));
        let paths = expression.paths();
        let Some(path) = paths.last().filter(|path| !branches && !path.reads_below) else { return Input::default() };
        let start = self.start(path, input);
        let ground = start.ground.and_then(|ground| {
            path.steps.iter().try_fold(ground, |ground, one| step(&ground, one).map(|stepped| stepped.ground))
        });
        let full = start.path.map(|mut full| {
            full.extend(path.steps.iter().map(json_name));
            full
        });
        Input { ground, path: full }
    }

    /// The codes that a required binding allows an expression to give, when it is one plain path.
    pub(super) fn source_codes(&self, expression: &Expression, input: &Input<'e>) -> Option<Vec<String>> {
        let [path]: [StaticPath; 1] = expression.paths().try_into().ok()?;
        let (last, before) = path.steps.split_last()?;
        let ground = self.start(&path, input).ground?;
        let ground = before.iter().try_fold(ground, |ground, one| step(&ground, one).map(|stepped| stepped.ground))?;
        step(&ground, last)?.codes
    }

    /// Where the value of an expression should stand in the input.
    pub(super) fn expected(&self, expression: &Expression) -> Expected {
        for path in expression.paths().iter().rev() {
            let names = path.steps.iter().map(json_name);
            match &path.start {
                PathStart::Input => return Expected { from_root: false, path: names.collect() },
                PathStart::Resource | PathStart::Root => return Expected { from_root: true, path: names.collect() },
                PathStart::Variable(name) => {
                    if let Some(before) = self.lets.get(name).and_then(|known| known.path.clone()) {
                        return Expected { from_root: true, path: before.into_iter().chain(names).collect() };
                    }
                }
            }
        }
        Expected::default()
    }

    fn start(&self, path: &StaticPath, input: &Input<'e>) -> Input<'e> {
        match &path.start {
            PathStart::Input => input.clone(),
            PathStart::Resource | PathStart::Root => self.root.clone(),
            PathStart::Variable(name) => match (self.lets.get(name), name.as_str()) {
                (Some(known), _) => known.clone(),
                (None, "appointment") => {
                    let schema = self.shared.schemas.get(&Kind::Appointment);
                    Input { ground: schema.map(|schema| Ground::Canonical(Arc::clone(&schema.shape))), path: None }
                }
                (None, _) => Input::default(),
            },
        }
    }

    fn check_path(&mut self, text: &str, at: Mark, path: &StaticPath, start: &Input<'e>) {
        if let (PathStart::Variable(name), Some(first)) = (&path.start, path.steps.first()) {
            let known: Vec<&str> = match name.as_str() {
                "id" => SYSTEMS.iter().map(|(name, _)| *name).collect(),
                "change" => CHANGE.to_vec(),
                "gateway" => GATEWAY.to_vec(),
                _ => Vec::new(),
            };
            if !known.is_empty() && !known.contains(&first.name) {
                self.unknown(text, at, first, &format!("%{name}"), &known);
            }
        }
        let Some(mut ground) = start.ground.clone() else { return };
        for one in &path.steps {
            match step(&ground, one) {
                Some(stepped) => ground = stepped.ground,
                None => {
                    let known = ground.names();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    let holder = ground.name().to_owned();
                    return self.unknown(text, at, one, &holder, &known);
                }
            }
        }
    }

    fn unknown(&mut self, text: &str, at: Mark, step: &StaticStep, holder: &str, known: &[&str]) {
        let at = self.locate(text, at, step.at.start);
        let message = format!("{holder} has no `{}`", step.name);
        let width = step.name.chars().count();
        self.findings.note_wide("mapping.source-path", at, width, message).meant(step.name, known.iter().copied());
    }

    /// Where the byte `offset` of an expression stands in the file: exact when the expression stands on one line.
    fn locate(&self, text: &str, at: Mark, offset: usize) -> Mark {
        let line = self.findings.line(at.line);
        let Some((start, _)) = line.char_indices().nth((at.column as usize).saturating_sub(1)) else { return at };
        let Some(found) = line.get(start..).and_then(|rest| rest.find(text)) else { return at };
        let before = line.get(..start + found + offset).unwrap_or_default();
        Mark { line: at.line, column: u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX) }
    }

    /// Variables that are read whole, such as `%now`, lead no path.
    fn note_bare_variables(&mut self, text: &str) {
        for part in text.split('%').skip(1) {
            let is_word = |character: &char| character.is_ascii_alphanumeric() || *character == '_';
            let name: String = part.trim_start_matches('`').chars().take_while(is_word).collect();
            self.used_names.insert(name);
        }
    }
}

/// One step down a path; a choice that is narrowed to a type is that type's element.
fn step<'e>(ground: &Ground<'e>, one: &StaticStep) -> Option<Stepped<'e>> {
    ground.step(&json_name(one)).or_else(|| ground.step(one.name))
}

/// The name in JSON: `occurrence` narrowed to Period is `occurrencePeriod`.
fn json_name(step: &StaticStep) -> String {
    let Some(kind) = step.of_type else { return step.name.to_owned() };
    let mut name = step.name.to_owned();
    let mut letters = kind.chars();
    name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
    name.push_str(letters.as_str());
    name
}
