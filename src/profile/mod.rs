//! Checking a document against FHIR's definitions.
//!
//! Packages of definitions come in as text and are compiled once, at start, to a plan of flat arrays. A check walks
//! document and plan side by side: it makes no text for what is right, and tells everything that is wrong at once,
//! each with its place, its rule and a way out.

mod address;
mod ask;
mod bundle;
mod catalogue;
mod check;
mod codes;
mod coding;
mod compile;
mod conform;
mod contained;
mod contexts;
mod data_types;
mod definition;
pub mod distil;
mod elements;
mod extension;
mod fit;
mod form;
mod given;
mod invariant;
mod known;
mod limits;
mod local;
mod modifier;
mod moment;
mod narrow;
mod package;
mod plan;
mod pointing;
mod primitive;
mod references;
mod resources;
mod severity;
mod slicing;
mod snapshot;
mod spelling;
mod tell;
mod tolerance;
mod tree;
mod underscore;
mod xhtml;

#[cfg(test)]
mod tests;

pub use ask::{Ask, UnknownExtensions, Verdict};
pub use catalogue::{Catalogue, Defines, FileText, LoadedDefinition, Matches, Wanted};
pub use elements::{ElementType, Elements, RequiredCodes};
pub use package::{Census, Defined, LoadedPackage, NO_VERSION, Package};
pub use primitive::Primitive;
pub use severity::{Level, Severities, Suppressed};
pub use tolerance::{Tolerance, UnknownTolerance, apply};

use crate::document::{Document, Node};
use crate::fhirpath::{Context, ElementTypes, Model};
use crate::issue::Issue;
use crate::terminology::definition::{CodeSystem, Definition};
use crate::terminology::values::ValueSets;
use definition::Structure;
use plan::Plan;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// Why packages could not be compiled: something in a file that must be put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, with its package.
    pub file: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

/// Something that definitions ask for and that is not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotEvaluated {
    /// What is asked for.
    pub what: String,
    /// Why it is not checked.
    pub why: String,
}

impl fmt::Display for NotEvaluated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.why)
    }
}

/// What a definition defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionKind {
    /// A resource type.
    Resource,
    /// A data type.
    DataType,
    /// A profile on a resource or data type.
    Profile,
}

/// A definition that is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded<'p> {
    /// Its canonical url.
    pub url: &'p str,
    /// The resource or data type that it defines or narrows.
    pub type_name: &'p str,
    /// Its version; empty when it names none.
    pub version: &'p str,
    /// What it defines.
    pub kind: DefinitionKind,
    /// True for a type that nothing is by itself, such as DomainResource.
    pub is_abstract: bool,
}

/// The definitions of all packages, compiled. Shared by all threads; a check changes nothing.
#[derive(Debug)]
pub struct Profiles {
    plan: Plan,
    not_evaluated: Vec<NotEvaluated>,
    packages: Arc<[LoadedPackage]>,
    severities: Severities,
    /// The keys of all invariants of the definitions.
    invariants: BTreeSet<Box<str>>,
}

impl Profiles {
    /// Compiles `packages`. Where two define the same url, the later counts.
    ///
    /// # Errors
    /// All problems at once: files that cannot be read as what they say they are, and definitions that name types or
    /// elements that no package has.
    pub fn compile(packages: &[Package]) -> Result<Profiles, Vec<Problem>> {
        let mut read = Read::default();
        for package in packages {
            for (name, text) in &package.files {
                read.take(format!("{} {}: {name}", package.name, package.version), name, text);
            }
        }
        if !read.problems.is_empty() {
            return Err(read.problems);
        }
        let invariants = read.invariants();
        let mut not_evaluated = read.not_evaluated;
        let problems = snapshot::complete(&mut read.structures, &mut not_evaluated);
        if !problems.is_empty() {
            return Err(problems);
        }
        let values = ValueSets::compile(&read.code_systems, &read.value_sets);
        let mut plan = compile::compile(&read.structures, &values, &mut not_evaluated)?;
        plan.values = values;
        let loaded = |package: &Package| LoadedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            hash: package.hash(),
        };
        let packages = packages.iter().map(loaded).collect();
        Ok(Profiles { plan, not_evaluated, packages, severities: Severities::carried(), invariants })
    }

    /// Lays a site's severities over those that are carried. `file` names where they come from.
    ///
    /// # Errors
    /// Every line that names what nobody knows, or lowers what must not be lowered.
    pub fn lay_severities(&mut self, file: &str, text: &str) -> Result<(), Vec<Problem>> {
        self.severities.lay(file, text, &self.invariants)
    }

    /// The severity policy.
    pub fn severities(&self) -> &Severities {
        &self.severities
    }

    /// Gives issues that come from elsewhere than the check their severities, and takes out what is suppressed.
    pub fn settle(&self, issues: &mut Vec<Issue>, suppressed: &mut Suppressed) {
        issues.retain_mut(|issue| {
            let is_told = self.severities.settle(issue);
            if !is_told {
                *suppressed.entry(severity::counted_as(issue).to_owned()).or_default() += 1;
            }
            is_told
        });
    }

    /// The packages that were compiled: what judges.
    pub fn packages(&self) -> &Arc<[LoadedPackage]> {
        &self.packages
    }

    /// Everything that is wrong with `document`: against its resource type's definition, and against each profile that
    /// is asked for.
    pub fn check(&self, document: &Document, ask: &Ask<'_>) -> Verdict {
        check::check(self, document, ask)
    }

    /// What definitions ask for and the check does not do: invariants that could not be compiled, bindings that
    /// cannot be decided without a terminology server, definitions whose base is not loaded.
    pub fn not_evaluated(&self) -> &[NotEvaluated] {
        &self.not_evaluated
    }

    /// What of these definitions, by their canonical urls, cannot be used although they were read: a definition whose
    /// base is not loaded or that is of another release, an invariant that cannot be compiled, an element or slice that
    /// its base has not. Bindings that cannot be decided here are no fault of a definition, and not among them.
    pub fn unusable<'p>(&'p self, urls: &BTreeSet<String>) -> impl Iterator<Item = &'p NotEvaluated> {
        // What is said of a definition ends with its url.
        let is_of = |one: &&NotEvaluated| one.what.rsplit(' ').next().is_some_and(|url| urls.contains(url));
        self.not_evaluated.iter().filter(|one| !one.what.starts_with(compile::REQUIRED_BINDING)).filter(is_of)
    }

    /// The definitions that are loaded.
    pub fn profiles(&self) -> impl Iterator<Item = Loaded<'_>> {
        self.plan.origins.iter().map(loaded)
    }

    /// The definition that a canonical url names, with or without `|version`; none when it is not loaded.
    pub fn profile(&self, canonical: &str) -> Option<Loaded<'_>> {
        self.plan.defined(canonical).map(|(_, origin)| loaded(origin))
    }

    /// The table of elements, for compilers of mappings.
    pub fn elements(&self) -> Elements<'_> {
        Elements::new(&self.plan, &self.plan.values)
    }

    fn known(&self) -> known::Known<'_> {
        known::Known { plan: &self.plan, severities: &self.severities, depth: 0 }
    }

    /// The value sets that are loaded.
    pub fn value_sets(&self) -> &ValueSets {
        &self.plan.values
    }
}

fn loaded(origin: &plan::Origin) -> Loaded<'_> {
    Loaded {
        url: &origin.url,
        type_name: &origin.type_name,
        version: &origin.version,
        kind: match (origin.is_profile, origin.is_resource) {
            (true, _) => DefinitionKind::Profile,
            (false, true) => DefinitionKind::Resource,
            (false, false) => DefinitionKind::DataType,
        },
        is_abstract: origin.is_abstract,
    }
}

/// What the definitions and value sets tell expressions.
impl Model for Profiles {
    fn type_of<'n>(&'n self, node: Node<'n>) -> Option<&'n str> {
        self.plan.type_of(node)
    }

    fn element<'m>(&'m self, holder: &str, name: &str) -> ElementTypes<'m> {
        self.plan.element(holder, name)
    }

    fn element_names<'m>(&'m self, holder: &str) -> Vec<&'m str> {
        self.plan.element_names(holder)
    }

    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        self.known().member_of(value_set, system, code)
    }

    fn subsumes(&self, system: &str, broader: &str, narrower: &str) -> Option<bool> {
        self.known().subsumes(system, broader, narrower)
    }

    fn conforms_to<'n>(&self, node: Node<'n>, profile: &str, context: &Context<'n>) -> Option<bool> {
        self.known().conforms_to(node, profile, context)
    }
}

/// What the files of all packages hold.
#[derive(Default)]
struct Read {
    structures: Vec<(String, Structure)>,
    value_sets: Vec<Definition>,
    code_systems: Vec<CodeSystem>,
    problems: Vec<Problem>,
    not_evaluated: Vec<NotEvaluated>,
}

impl Read {
    /// The keys of all invariants.
    fn invariants(&self) -> BTreeSet<Box<str>> {
        let mut keys = BTreeSet::new();
        for (_, structure) in &self.structures {
            for element in structure.snapshot.element.iter().chain(&structure.differential.element) {
                for constraint in &element.constraints {
                    if !keys.contains(constraint.key.as_str()) {
                        keys.insert(constraint.key.as_str().into());
                    }
                }
            }
        }
        keys
    }

    fn take(&mut self, file: String, name: &str, text: &str) {
        let taken = package::each_definition(name, text, |head, text| {
            if let Some(why) = head.left_out() {
                self.not_evaluated.push(NotEvaluated { what: head.url.clone(), why: why.into() });
                return Ok(());
            }
            let taken = match head.resource_type.as_str() {
                "StructureDefinition" => serde_json::from_str::<Structure>(text).map(|structure| {
                    self.structures.retain(|(_, known)| known.url != structure.url);
                    self.structures.push((file.clone(), structure));
                }),
                "ValueSet" => serde_json::from_str(text).map(|value_set| self.value_sets.push(value_set)),
                "CodeSystem" => serde_json::from_str(text).map(|code_system| self.code_systems.push(code_system)),
                _ => Ok(()),
            };
            taken.map_err(|cause| cause.to_string())
        });
        if let Err(message) = taken {
            self.problems.push(Problem { file, message });
        }
    }
}
