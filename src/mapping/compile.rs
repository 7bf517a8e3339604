//! Compiling one mapping file.

use super::expressions::{Input, ReadPaths};
use super::header::Keys;
use super::plan::{Dropped, DroppedStep, Let, Makes, Mapping, Reads};
use super::problem::{Findings, Mark};
use super::schema::Schema;
use super::shape::Ground;
use super::yaml::{Yaml, YamlValue, read};
use super::{Source, variables};
use crate::fhirpath::Scope;
use crate::model::Kind;
use crate::profile::Elements;
use crate::terminology::tables::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const KEYS: &[&str] = &["mapping", "version", "title", "from", "to", "let", "rules", "dropped"];
const FROM_KEYS: &[&str] = &["resource", "canonical", "when", "priority"];
const TO_KEYS: &[&str] = &["fhir"];

/// What all files of a library share while they are compiled.
pub(super) struct Shared<'c, 'e> {
    pub(super) tables: &'c BTreeMap<String, Arc<Table>>,
    pub(super) schemas: &'c BTreeMap<Kind, Arc<Schema>>,
    pub(super) elements: Elements<'e>,
}

/// Compiles one file.
pub(super) struct Compiler<'c, 'e, 's> {
    pub(super) shared: &'c Shared<'c, 'e>,
    pub(super) findings: Findings<'s>,
    pub(super) scope: Scope,
    /// The mapping's whole input.
    pub(super) root: Input<'e>,
    /// What the `let` names stand for.
    pub(super) lets: BTreeMap<String, Input<'e>>,
    pub(super) read: ReadPaths,
    pub(super) used_names: BTreeSet<String>,
    pub(super) used_tables: BTreeSet<String>,
}

impl<'c, 'e, 's> Compiler<'c, 'e, 's> {
    pub(super) fn new(shared: &'c Shared<'c, 'e>, source: &'s Source) -> Self {
        Compiler {
            shared,
            findings: Findings::new(&source.name, &source.text),
            scope: Scope::new(),
            root: Input::default(),
            lets: BTreeMap::new(),
            read: ReadPaths::default(),
            used_names: BTreeSet::new(),
            used_tables: BTreeSet::new(),
        }
    }

    /// The mapping of a file, as far as it could be read; only without problems is it fit to run.
    pub(super) fn mapping(&mut self, source: &Source) -> Option<Mapping> {
        let yaml = read(&source.text, &mut self.findings)?;
        let keys = Keys::of(&yaml, "a mapping", KEYS, &mut self.findings)?;
        let name = keys.required("mapping", &mut self.findings).map(|(name, at)| self.name(name, at));
        let version = keys.required("version", &mut self.findings).map(|(text, _)| text.to_owned());
        let title = keys.required("title", &mut self.findings).map(|(text, _)| text.to_owned());
        let (reads, from) = self.from(&keys)?;
        let (makes, schema, target) = self.to(&keys)?;
        self.root = Input { ground: self.ground(&reads), path: Some(Vec::new()) };
        let input = self.root.clone();
        self.set_scope(&reads, &keys);
        let when = from.text("when", &mut self.findings);
        let when = when.and_then(|(text, at)| self.condition(text, at, &input));
        let priority = self.priority(&from);
        let lets = self.read_lets(&keys);
        let rules = match keys.get("rules") {
            Some(member) => self.rules(&member.value, &input, &target),
            None => {
                self.findings.note("mapping.missing-key", keys.at, "a mapping needs `rules`");
                Vec::new()
            }
        };
        let dropped = self.dropped(&keys, input.ground.as_ref());
        self.check_dropped(&dropped);
        self.check_lets(&keys);
        Some(Mapping {
            name: name?,
            version: version?,
            title: title?,
            file: source.name.clone(),
            reads,
            makes,
            priority,
            when,
            lets,
            rules,
            dropped: dropped.into_iter().map(|(path, _)| path).collect(),
            schema,
            looked_at: std::mem::take(&mut self.read.looked_at),
        })
    }

    fn name(&mut self, name: &str, at: Mark) -> String {
        let file = self.findings.file();
        let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".yaml");
        if name != stem {
            let message = format!("the mapping is called `{name}` and its file `{stem}`; they are one name");
            self.findings.note_wide("mapping.name", at, name.chars().count(), message);
        }
        name.to_owned()
    }

    fn from<'y>(&mut self, keys: &Keys<'y>) -> Option<(Reads, Keys<'y>)> {
        let Some(member) = keys.get("from") else {
            self.findings
                .note("mapping.missing-key", keys.at, "a mapping needs `from`")
                .way_out("`from: {resource: Appointment}` or `from: {canonical: change-request}`");
            return None;
        };
        let from = Keys::of(&member.value, "`from`", FROM_KEYS, &mut self.findings)?;
        let resource = from.text("resource", &mut self.findings);
        let canonical = from.text("canonical", &mut self.findings);
        let reads = match (resource, canonical) {
            (Some((name, at)), None) => Reads::Resource(self.resource_type(name, at)?),
            (None, Some((name, at))) => Reads::Canonical(self.kind(name, at)?),
            (Some(_), Some(_)) | (None, None) => {
                self.findings.note("mapping.from", member.at, "`from` names one of `resource` and `canonical`");
                return None;
            }
        };
        Some((reads, from))
    }

    fn to(&mut self, keys: &Keys<'_>) -> Option<(Makes, Option<Arc<Schema>>, Ground<'e>)> {
        let Some(member) = keys.get("to") else {
            self.findings
                .note("mapping.missing-key", keys.at, "a mapping needs `to`")
                .way_out("`to: appointment` or `to: {fhir: Task}`");
            return None;
        };
        if let Some(name) = member.value.text() {
            let kind = self.kind(name, member.value.at)?;
            let schema = self.shared.schemas.get(&kind)?;
            let ground = Ground::Canonical(Arc::clone(&schema.shape));
            return Some((Makes::Canonical(kind), Some(Arc::clone(schema)), ground));
        }
        let to = Keys::of(&member.value, "`to`", TO_KEYS, &mut self.findings)?;
        let (name, at) = to.required("fhir", &mut self.findings)?;
        let name = self.resource_type(name, at)?;
        let ground = Ground::Fhir(name.clone(), self.shared.elements);
        Some((Makes::Fhir(name), None, ground))
    }

    fn resource_type(&mut self, name: &str, at: Mark) -> Option<String> {
        if self.shared.elements.has_type(name) {
            return Some(name.to_owned());
        }
        let message = format!("R4 has no resource `{name}`");
        let near = ["Appointment", "Patient", "ServiceRequest", "Task", "Slot", "Schedule", "CarePlan"];
        self.findings.note_wide("mapping.resource", at, name.chars().count(), message).meant(name, near);
        None
    }

    fn kind(&mut self, name: &str, at: Mark) -> Option<Kind> {
        let found = Kind::from_name(name).filter(|kind| self.shared.schemas.contains_key(kind));
        if found.is_none() {
            let message = format!("there is no canonical type `{name}`");
            let known = Kind::ALL.iter().map(|kind| kind.as_str());
            self.findings.note_wide("mapping.kind", at, name.chars().count(), message).meant(name, known);
        }
        found
    }

    fn ground(&self, reads: &Reads) -> Option<Ground<'e>> {
        match reads {
            Reads::Resource(name) => Some(Ground::Fhir(name.clone(), self.shared.elements)),
            Reads::Canonical(kind) => {
                self.shared.schemas.get(kind).map(|schema| Ground::Canonical(Arc::clone(&schema.shape)))
            }
        }
    }

    fn set_scope(&mut self, reads: &Reads, keys: &Keys<'_>) {
        let more: &[&str] = match reads {
            Reads::Resource(_) => &[],
            Reads::Canonical(_) => variables::OUTBOUND,
        };
        let mut scope = Scope::new();
        for name in variables::ALWAYS.iter().chain(more) {
            scope = scope.variable(name);
        }
        if let Some(YamlValue::Mapping(lets)) = keys.get("let").map(|member| &member.value.value) {
            for one in lets {
                let taken = variables::ALWAYS.iter().chain(variables::OUTBOUND).any(|known| *known == one.key);
                if taken {
                    let message = format!("`{}` is the name of a variable that is always there", one.key);
                    self.findings.note_wide("mapping.let-name", one.at, one.key.chars().count(), message);
                }
                scope = scope.variable(&one.key);
            }
        }
        self.scope = scope;
    }

    fn priority(&mut self, from: &Keys<'_>) -> i64 {
        let Some(member) = from.get("priority") else { return 0 };
        member.value.constant().and_then(|value| value.as_i64()).unwrap_or_else(|| {
            self.findings.note("mapping.form", member.value.at, "`priority` is a whole number");
            0
        })
    }

    fn read_lets(&mut self, keys: &Keys<'_>) -> Vec<Let> {
        let Some(member) = keys.get("let") else { return Vec::new() };
        let YamlValue::Mapping(members) = &member.value.value else {
            self.findings.note("mapping.form", member.value.at, "`let` is names with expressions");
            return Vec::new();
        };
        let mut lets = Vec::with_capacity(members.len());
        for one in members {
            let Some(text) = one.value.text() else {
                self.findings.note("mapping.form", one.value.at, format!("`{}` is an expression", one.key));
                continue;
            };
            let input = self.root.clone();
            if let Some(expression) = self.expression(text, one.value.at, &input) {
                self.lets.insert(one.key.clone(), self.result(&expression, &input));
                lets.push(Let { name: one.key.clone(), expression, line: one.at.line });
            }
        }
        lets
    }

    fn check_lets(&mut self, keys: &Keys<'_>) {
        let Some(YamlValue::Mapping(members)) = keys.get("let").map(|member| &member.value.value) else { return };
        for one in members.iter().filter(|one| !self.used_names.contains(&one.key)) {
            let message = format!("nothing reads `%{}`", one.key);
            self.findings
                .note_wide("mapping.let-unused", one.at, one.key.chars().count(), message)
                .way_out("use it or take it out");
        }
    }

    fn dropped(&mut self, keys: &Keys<'_>, ground: Option<&Ground<'e>>) -> Vec<(Dropped, Mark)> {
        let Some(member) = keys.get("dropped") else { return Vec::new() };
        let YamlValue::Sequence(items) = &member.value.value else {
            self.findings.note("mapping.form", member.value.at, "`dropped` is a list of paths");
            return Vec::new();
        };
        items.iter().filter_map(|item| Some((self.dropped_path(item, ground)?, item.at))).collect()
    }

    fn dropped_path(&mut self, item: &Yaml, ground: Option<&Ground<'e>>) -> Option<Dropped> {
        let Some(steps) = item.text().and_then(dropped_steps) else {
            self.findings
                .note("mapping.dropped-path", item.at, "a dropped path is names with dots between")
                .way_out("`meta.tag`, or `extension('https://…')` for one extension");
            return None;
        };
        let mut ground = ground.cloned();
        for step in &steps {
            let (DroppedStep::Element(name), Some(here)) = (step, ground.take()) else { break };
            match here.step(name) {
                Some(stepped) => ground = Some(stepped.ground),
                None => {
                    let known = here.names();
                    let message = format!("{} has no `{name}`", here.name());
                    self.findings
                        .note("mapping.dropped-path", item.at, message)
                        .meant(name, known.iter().map(String::as_str));
                    return None;
                }
            }
        }
        Some(Dropped(steps))
    }

    fn check_dropped(&mut self, dropped: &[(Dropped, Mark)]) {
        for (Dropped(steps), at) in dropped {
            let read = self.read.all.iter().find(|path| {
                path.len() >= steps.len()
                    && steps.iter().zip(path.iter()).all(|(step, name)| match step {
                        DroppedStep::Element(dropped) => dropped == name,
                        DroppedStep::Extension(_) => false,
                    })
            });
            if let Some(path) = read {
                let message = format!("a rule reads `{}`, and here it is said to be left behind", path.join("."));
                self.findings.note("mapping.dropped-read", *at, message);
            }
        }
    }
}

fn dropped_steps(text: &str) -> Option<Vec<DroppedStep>> {
    let mut steps = Vec::new();
    let mut rest = text.trim();
    loop {
        if let Some(after) = rest.strip_prefix("extension('") {
            let (url, after) = after.split_once("')")?;
            steps.push(DroppedStep::Extension(url.to_owned()));
            rest = after;
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() || !name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_') {
                return None;
            }
            steps.push(DroppedStep::Element(name.to_owned()));
            rest = after;
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => return Some(steps),
            None => return None,
        }
    }
}
