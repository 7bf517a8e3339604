//! Checking a document against FHIR's definitions.
//!
//! Packages of definitions come in as text and are compiled once, at start, to a plan of flat arrays. A check walks
//! document and plan side by side: it makes no text for what is right, and tells everything that is wrong at once,
//! each with its place, its rule and a way out.

mod address;
mod ask;
mod bundle;
mod check;
mod codes;
mod coding;
mod compile;
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
mod limits;
mod local;
mod modifier;
mod moment;
mod narrow;
mod plan;
mod pointing;
mod primitive;
mod references;
mod resources;
mod slicing;
mod snapshot;
mod spelling;
mod system_case;
mod tell;
mod tolerance;
mod tree;
mod xhtml;

#[cfg(test)]
mod tests;

pub use ask::{Ask, UnknownExtensions, Verdict};
pub use elements::{ElementType, Elements, RequiredCodes};
pub use primitive::Primitive;
pub use system_case::canonical_systems;
pub use tolerance::{Tolerance, UnknownTolerance, apply};

use crate::document::{Document, Node};
use crate::fhirpath::{ElementTypes, Model};
use crate::terminology::definition::{CodeSystem, Definition};
use crate::terminology::values::ValueSets;
use definition::Structure;
use plan::Plan;
use serde::Deserialize;
use std::fmt;

/// A FHIR package as the site holds it.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Its name, for example `hl7.fhir.r4.core.distilled`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Name and text of each file. Only StructureDefinitions, ValueSets and CodeSystems in JSON are read.
    pub files: Vec<(String, String)>,
}

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
            for (name, text) in package.files.iter().filter(|(name, _)| name.ends_with(".json")) {
                read.take(format!("{} {}: {name}", package.name, package.version), text);
            }
        }
        if !read.problems.is_empty() {
            return Err(read.problems);
        }
        let mut not_evaluated = read.not_evaluated;
        let problems = snapshot::complete(&mut read.structures, &mut not_evaluated);
        if !problems.is_empty() {
            return Err(problems);
        }
        let values = ValueSets::compile(&read.code_systems, &read.value_sets);
        let mut plan = compile::compile(&read.structures, &values, &mut not_evaluated)?;
        plan.values = values;
        Ok(Profiles { plan, not_evaluated })
    }

    /// Everything that is wrong with `document`: against its resource type's definition, and against each profile that
    /// is asked for.
    pub fn check(&self, document: &Document, ask: &Ask<'_>) -> Verdict {
        check::check(&self.plan, document, ask)
    }

    /// What definitions ask for and the check does not do: invariants that could not be compiled, bindings that
    /// cannot be decided without a terminology server, definitions whose base is not loaded.
    pub fn not_evaluated(&self) -> &[NotEvaluated] {
        &self.not_evaluated
    }

    /// The definitions that are loaded.
    pub fn profiles(&self) -> impl Iterator<Item = Loaded<'_>> {
        self.plan.origins.iter().map(|origin| Loaded {
            url: &origin.url,
            type_name: &origin.type_name,
            version: &origin.version,
            kind: match (origin.is_profile, origin.is_resource) {
                (true, _) => DefinitionKind::Profile,
                (false, true) => DefinitionKind::Resource,
                (false, false) => DefinitionKind::DataType,
            },
            is_abstract: origin.is_abstract,
        })
    }

    /// The table of elements, for compilers of mappings.
    pub fn elements(&self) -> Elements<'_> {
        Elements::new(&self.plan, &self.plan.values)
    }

    /// The value sets that are loaded.
    pub fn value_sets(&self) -> &ValueSets {
        &self.plan.values
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
        self.plan.member_of(value_set, system, code)
    }

    fn subsumes(&self, system: &str, broader: &str, narrower: &str) -> Option<bool> {
        self.plan.subsumes(system, broader, narrower)
    }
}

#[derive(Deserialize)]
struct Head {
    #[serde(default, rename = "resourceType")]
    resource_type: String,
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
    fn take(&mut self, file: String, text: &str) {
        let taken = serde_json::from_str::<Head>(text).and_then(|head| match head.resource_type.as_str() {
            "StructureDefinition" => serde_json::from_str(text).map(|structure| self.take_structure(&file, structure)),
            "ValueSet" => serde_json::from_str(text).map(|value_set| self.value_sets.push(value_set)),
            "CodeSystem" => serde_json::from_str(text).map(|code_system| self.code_systems.push(code_system)),
            _ => Ok(()),
        });
        if let Err(cause) = taken {
            self.problems.push(Problem { file, message: cause.to_string() });
        }
    }

    fn take_structure(&mut self, file: &str, structure: Structure) {
        let not_evaluated = |why: &str| NotEvaluated { what: structure.url.clone(), why: why.into() };
        if !structure.fhir_version.starts_with("4.0") {
            self.not_evaluated.push(not_evaluated("it is not a definition of FHIR R4"));
        } else if structure.kind == "logical" {
            self.not_evaluated.push(not_evaluated("it is a logical model"));
        } else {
            self.structures.retain(|(_, known)| known.url != structure.url);
            self.structures.push((file.to_owned(), structure));
        }
    }
}
