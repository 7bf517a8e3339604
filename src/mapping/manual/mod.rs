//! Manuals: Markdown beside a mapping that says what it does, and is its test.
//!
//! A section with an input says what must come of it: `json expect` (the whole value), `json expect partial` (at
//! least this), `issues expect` (exactly these issues, one a line: severity, code, place, rule). A section without
//! `issues expect` must come through without any. The input runs through the same code as a submission does: read,
//! the mapping chosen, the mapping run.

mod check;
mod difference;
mod read;

use super::{Library, Makes, Source};
use check::Bench;
use std::collections::BTreeMap;
use std::fmt;

/// What came of the manuals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Sections that came out as they say.
    pub passed: usize,
    /// Sections that did not, and manuals that test nothing.
    pub failed: usize,
    /// Sections whose input file is not here.
    pub skipped: usize,
    /// Each section, in the order of the manuals.
    pub tried: Vec<Tried>,
}

/// A section of a manual that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The manual's file.
    pub manual: String,
    /// The heading.
    pub section: String,
    /// The line of the heading.
    pub line: usize,
    /// How it went.
    pub verdict: Verdict,
}

/// How a section went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As it says.
    Passed,
    /// Not tried, and why.
    Skipped(String),
    /// What is not as it says. Manuals hold synthetic patients only, so values are quoted.
    Failed(Vec<String>),
}

impl Report {
    fn add(&mut self, manual: &str, section: &str, line: usize, verdict: Verdict) {
        match &verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Skipped(_) => self.skipped += 1,
            Verdict::Failed(_) => self.failed += 1,
        }
        self.tried.push(Tried { manual: manual.to_owned(), section: section.to_owned(), line, verdict });
    }
}

/// Tries all manuals. `senders` are the variables of the senders that manuals name (a manual may give its own by
/// `json sender NAME`); `read_file` reads a file that an input names, or says that it is not here. Every mapping has
/// a manual, and every manual a mapping: what is missing is a failure.
pub fn run_manuals(
    library: &Library,
    manuals: &[Source],
    senders: &BTreeMap<String, BTreeMap<String, String>>,
    read_file: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Report {
    let mut report = Report::default();
    for manual in manuals {
        let name = manual.name.rsplit('/').next().unwrap_or(&manual.name).trim_end_matches(".md");
        let Some(mapping) = library.named(name) else {
            let why = format!("there is no mapping `{name}`");
            report.add(&manual.name, "", 1, Verdict::Failed(vec![why]));
            continue;
        };
        let sections = match read::read(&manual.text) {
            Ok(sections) => sections,
            Err((line, why)) => {
                report.add(&manual.name, "", line, Verdict::Failed(vec![why]));
                continue;
            }
        };
        let mut bench = Bench::new(library, mapping, senders, read_file);
        let mut with_expectation = 0;
        for section in &sections {
            if let Some(verdict) = bench.try_section(section) {
                with_expectation += 1;
                report.add(&manual.name, &section.title, section.line, verdict);
            }
        }
        if with_expectation == 0 {
            let why = "this manual expects nothing; add an input with `json expect` or `issues expect`".to_owned();
            report.add(&manual.name, "", 1, Verdict::Failed(vec![why]));
        }
    }
    for mapping in library.mappings() {
        let manual = format!("{}.md", mapping.file().trim_end_matches(".yaml"));
        if !manuals.iter().any(|known| known.name == manual) {
            let why = match mapping.makes() {
                Makes::Canonical(kind) => format!("this mapping to {} has no manual", kind.as_str()),
                Makes::Fhir(name) => format!("this mapping to {name} has no manual"),
            };
            report.add(&manual, "", 1, Verdict::Failed(vec![why]));
        }
    }
    report
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut manual = "";
        for tried in &self.tried {
            if tried.manual != manual {
                manual = &tried.manual;
                writeln!(f, "{manual}")?;
            }
            match &tried.verdict {
                Verdict::Passed => writeln!(f, "  ok    {}", tried.section)?,
                Verdict::Skipped(why) => writeln!(f, "  skip  {} ({why})", tried.section)?,
                Verdict::Failed(differences) => {
                    writeln!(f, "  FAIL  {} (line {})", tried.section, tried.line)?;
                    for difference in differences {
                        writeln!(f, "        {difference}")?;
                    }
                }
            }
        }
        writeln!(f, "\n{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}
