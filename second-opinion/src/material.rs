//! What is judged, and by which definitions.

use crate::project;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use stile::app::Materials;
use stile::fhir::{self, Format, Limits};
use stile::profile::{DefinitionKind, Package, Profiles};

const UK_CORE: &str = "https://fhir.hl7.org.uk/StructureDefinition/";

/// A sample and the profile that it is an example of.
#[derive(Clone)]
pub struct Sample {
    /// The file, below its collection.
    pub name: String,
    /// The resource.
    pub json: Json,
    /// The profile.
    pub claim: Option<String>,
}

fn uk_core() -> PathBuf {
    project().join("../shared/packages/fhir.r4.ukcore.stu3-dev.tgz")
}

/// R4 as Stile carries it, and UK Core.
pub fn packages() -> Vec<Package> {
    let mut materials = Materials::carried();
    materials.add(&[uk_core()]).unwrap_or_else(|mishaps| panic!("{mishaps:?}"));
    materials.packages
}

/// All files below a folder, in the order of their paths.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// UK Core's examples and the samples of other standards that are resources; XML as the JSON that it makes.
pub fn samples(profiles: &Profiles) -> Vec<Sample> {
    let mut texts: Vec<(String, Vec<u8>)> = Vec::new();
    let file = std::fs::File::open(uk_core()).expect("the UK Core package");
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(file)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        if let Some(name) = path.strip_prefix("package/examples/") {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            texts.push((format!("uk-core-package/{name}"), bytes));
        }
    }
    let root = project().join("../shared/samples");
    for standard in ["uk-core", "pca", "bars-api"] {
        for path in files_below(&root.join(standard)) {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            texts.push((name, std::fs::read(path).unwrap()));
        }
    }
    texts.sort();
    texts.into_iter().filter_map(|(name, bytes)| sample(name, &bytes, profiles)).collect()
}

fn sample(name: String, bytes: &[u8], profiles: &Profiles) -> Option<Sample> {
    let json: Json = if name.ends_with(".xml") {
        let document = fhir::parse(bytes, Format::Xml, &Limits::default()).document?;
        serde_json::from_str(&fhir::json(document.root())).ok()?
    } else {
        serde_json::from_slice(bytes).ok()?
    };
    let type_name = json["resourceType"].as_str()?;
    let claim = own_profile(&name, type_name, profiles);
    Some(Sample { name, json, claim })
}

/// The profile of UK Core that a sample is an example of: the one that its file is named after, or the one on its type.
fn own_profile(name: &str, type_name: &str, profiles: &Profiles) -> Option<String> {
    let file = name.rsplit('/').next()?;
    if !file.contains("UKCore-") {
        return None;
    }
    let on_type = profiles.profiles().filter(|one| one.kind == DefinitionKind::Profile && one.type_name == type_name);
    let own: Vec<&str> = on_type.filter_map(|one| one.url.strip_prefix(UK_CORE)).collect();
    let named = own.iter().filter(|own| file.strip_prefix(**own).is_some_and(|rest| rest.starts_with('-')));
    let plain = format!("UKCore-{type_name}");
    let chosen = named.max_by_key(|own| own.len()).or_else(|| own.iter().find(|own| **own == plain))?;
    Some(format!("{UK_CORE}{chosen}"))
}
