//! All mappings of a site, compiled together.

use super::Variables;
use super::compile::{Compiler, Shared};
use super::plan::{Makes, Mapping, Reads};
use super::problem::{Findings, Mark, Problem};
use super::run::rule_of;
use super::schema::Schema;
use crate::document::Document;
use crate::issue::Issue;
use crate::model::Kind;
use crate::profile::Elements;
use crate::terminology::tables::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A file: its path relative to the folder that it is in (`tables/appointment-status.csv`) and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path, with `/` between folders.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// A file of this name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source { name: name.into(), text: text.into() }
    }
}

/// All mappings of a site, compiled. Shared by all threads; running changes nothing.
pub struct Library {
    /// By resource type or kind, then by falling priority.
    mappings: Vec<Mapping>,
}

impl Library {
    /// Compiles mapping files with their code tables against the canonical schemas (`appointment.schema.json`) and
    /// FHIR's elements.
    ///
    /// # Errors
    /// Every problem of every file, in the order of the files.
    pub fn compile(
        mappings: &[Source],
        tables: &[Source],
        schemas: &[Source],
        elements: &Elements<'_>,
    ) -> Result<Library, Vec<Problem>> {
        let mut problems = Vec::new();
        let tables = read_tables(tables, &mut problems);
        let schemas = read_schemas(schemas, &mut problems);
        let shared = Shared { tables: &tables, schemas: &schemas, elements: *elements };
        let mut used = BTreeSet::new();
        let mut compiled: Vec<Mapping> = Vec::with_capacity(mappings.len());
        for source in mappings {
            let mut compiler = Compiler::new(&shared, source);
            compiled.extend(compiler.mapping(source));
            used.append(&mut compiler.used_tables);
            problems.extend(compiler.findings.into_problems());
        }
        for name in tables.keys().filter(|name| !used.contains(*name)) {
            let file = format!("tables/{name}.csv");
            let mut findings = Findings::new(&file, "");
            let first = Mark { line: 1, column: 1 };
            findings.note("table.unused", first, "no mapping uses this table").way_out("use it or take it out");
            problems.extend(findings.into_problems());
        }
        compiled.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        check_together(&compiled, mappings, &mut problems);
        if problems.is_empty() { Ok(Library { mappings: compiled }) } else { Err(problems) }
    }

    /// The mapping that takes a submitted resource: of those that read its type, by falling `priority`, the first
    /// whose `when` holds. Priorities of one type are all different, so it is never chance. None when no mapping
    /// takes it.
    ///
    /// # Errors
    /// A `when` on the way could not be computed, so that it cannot be said which mapping takes it: an issue that
    /// names the mapping.
    pub fn inbound(&self, document: &Document, variables: &Variables<'_>) -> Result<Option<&Mapping>, Issue> {
        let Some(resource_type) = document.resource_type() else { return Ok(None) };
        let sender = variables.sender_tree();
        let context = variables.context(document.root(), &sender);
        for mapping in &self.mappings {
            match &mapping.reads {
                Reads::Resource(name) if name == resource_type => {}
                Reads::Resource(_) | Reads::Canonical(_) => continue,
            }
            let Some(when) = &mapping.when else { return Ok(Some(mapping)) };
            match when.holds(document.root(), &context) {
                Ok(Some(true)) => return Ok(Some(mapping)),
                Ok(Some(false) | None) => {}
                Err(failure) => {
                    let told = failure.message.as_ref() as &str;
                    let message = format!("whether the mapping `{}` takes this cannot be said: {told}", mapping.name);
                    return Err(Issue::new(rule_of(&failure), message)
                        .at(document.root().place())
                        .hint(format!("its `when` must have an answer: {}", when.text()))
                        .asked_by(mapping.file.as_str()));
                }
            }
        }
        Ok(None)
    }

    /// The mapping that makes a resource of this type out of a canonical value.
    pub fn outbound(&self, kind: Kind, resource_type: &str) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| match (&mapping.reads, &mapping.makes) {
            (Reads::Canonical(reads), Makes::Fhir(makes)) => *reads == kind && makes == resource_type,
            (Reads::Canonical(_) | Reads::Resource(_), Makes::Canonical(_) | Makes::Fhir(_)) => false,
        })
    }

    /// The mapping of this name.
    pub fn named(&self, name: &str) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.name == name)
    }

    /// Every mapping.
    pub fn mappings(&self) -> impl Iterator<Item = &Mapping> {
        self.mappings.iter()
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.mappings).finish()
    }
}

fn read_tables(sources: &[Source], problems: &mut Vec<Problem>) -> BTreeMap<String, Arc<Table>> {
    let mut tables = BTreeMap::new();
    for source in sources {
        let name = source.name.strip_prefix("tables/").unwrap_or(&source.name).trim_end_matches(".csv");
        let mut findings = Findings::new(&source.name, &source.text);
        match Table::parse(name, &source.text) {
            Ok(table) => {
                if tables.insert(name.to_owned(), Arc::new(table)).is_some() {
                    findings.note("table.twice", Mark::default(), format!("there are two code tables `{name}`"));
                }
            }
            Err(faults) => {
                for fault in faults {
                    findings.note(fault.code, Mark { line: fault.line, column: 1 }, fault.message);
                }
            }
        }
        problems.extend(findings.into_problems());
    }
    tables
}

fn read_schemas(sources: &[Source], problems: &mut Vec<Problem>) -> BTreeMap<Kind, Arc<Schema>> {
    let mut schemas = BTreeMap::new();
    for source in sources {
        let name = source.name.rsplit('/').next().unwrap_or(&source.name).trim_end_matches(".schema.json");
        // Other schemas in the folder, such as the waiting-list entry's, are no target of a mapping.
        let Some(kind) = Kind::from_name(name) else { continue };
        match Schema::compile(kind, &source.text) {
            Ok(schema) => {
                schemas.insert(kind, Arc::new(schema));
            }
            Err(why) => {
                let mut findings = Findings::new(&source.name, &source.text);
                findings.note("schema.faulty", Mark { line: 1, column: 1 }, why);
                problems.extend(findings.into_problems());
            }
        }
    }
    for kind in Kind::ALL.iter().filter(|kind| !schemas.contains_key(kind)) {
        let file = format!("{}.schema.json", kind.as_str());
        let mut findings = Findings::new(&file, "");
        findings.note("schema.missing", Mark::default(), "the schema of this canonical type is missing or faulty");
        problems.extend(findings.into_problems());
    }
    schemas
}

/// What can only be seen with all mappings side by side; `compiled` is by falling priority.
fn check_together(compiled: &[Mapping], sources: &[Source], problems: &mut Vec<Problem>) {
    for (place, mapping) in compiled.iter().enumerate() {
        let before = compiled.get(..place).unwrap_or_default();
        let Some(source) = sources.iter().find(|source| source.name == mapping.file) else { continue };
        let mut findings = Findings::new(&source.name, &source.text);
        let top = Mark { line: 1, column: 1 };
        for other in before {
            if other.name == mapping.name {
                findings.note("mapping.same-name", top, format!("`{}` is a mapping of the same name", other.file));
            }
            match (&mapping.reads, &other.reads) {
                (Reads::Resource(own), Reads::Resource(others)) if own == others => {
                    if other.when.is_none() {
                        let message = format!("this is never taken: `{}` comes before it and takes all", other.name);
                        findings.note("mapping.never-taken", top, message).way_out("give it a higher `priority`");
                    } else if other.priority == mapping.priority {
                        let message = format!("`{}` reads the same resource at the same priority", other.name);
                        findings
                            .note("mapping.ambiguous", top, message)
                            .way_out("give one a higher `priority`: the highest whose `when` holds is taken");
                    }
                }
                (Reads::Canonical(own), Reads::Canonical(others)) if own == others && mapping.makes == other.makes => {
                    let message = format!("`{}` makes the same out of the same", other.name);
                    findings.note("mapping.ambiguous", top, message);
                }
                (Reads::Resource(_) | Reads::Canonical(_), Reads::Resource(_) | Reads::Canonical(_)) => {}
            }
        }
        problems.extend(findings.into_problems());
    }
}
