//! Resources that others published, each against its own profile.
//!
//! What is wrong with them is listed in `samples.baseline`, each with a reason. The list fails in both directions.

use super::baseline::{Baseline, Found};
use super::{File, judged, profiles, shared, uk_core_files};
use std::path::Path;
use stile::fhir::Format;
use stile::profile::DefinitionKind;

const UK_CORE: &str = "https://fhir.hl7.org.uk/StructureDefinition/";

#[test]
fn what_others_published_passes_its_own_profile_but_for_the_baseline() {
    let samples = samples();
    if uk_core_files().is_empty() || !shared("samples").is_dir() {
        return eprintln!("SKIPPED: the samples in ../shared are not all here");
    }
    let mut found = Vec::new();
    let mut held_count = 0;
    for (name, text) in &samples {
        let format = if name.ends_with(".xml") { Format::Xml } else { Format::Json };
        let claim = own_profile(name, text, format);
        held_count += usize::from(claim.is_some());
        for issue in judged(text, format, claim.as_slice()).into_iter().filter(|issue| issue.refuses()) {
            let place = issue.place.as_ref().map_or("", |place| place.expression.as_str());
            let told = format!("{issue} ({})", issue.asked_by.as_deref().unwrap_or("no definition"));
            let (group, rule) = (name.clone(), issue.rule.as_str().to_owned());
            found.push(Found { group, name: rule, place: place.to_owned(), told });
        }
    }
    let (sample_count, uk_core_count) =
        (samples.len(), samples.iter().filter(|(name, _)| name.starts_with("uk-core-package/")).count());
    assert!(sample_count >= 161 && uk_core_count >= 112, "{sample_count} samples, {uk_core_count} of UK Core");
    assert!(held_count >= 114, "only {held_count} of them are held against a profile");
    Baseline::read(include_str!("samples.baseline")).judge(found);
}

/// The profile of UK Core that a sample is an example of: by its file's name (`UKCore-Observation-VitalSigns-BMI-…`),
/// or the one on its resource type. UK Core's examples do not claim theirs in `meta.profile`.
fn own_profile(name: &str, text: &str, format: Format) -> Option<&'static str> {
    let file = name.rsplit('/').next().unwrap_or(name);
    if !file.contains("UKCore-") {
        return None;
    }
    let parsed = stile::fhir::parse(text.as_bytes(), format, &stile::fhir::Limits::default());
    let document = parsed.document?;
    let type_name = document.resource_type()?;
    let on_type = profiles().profiles().filter(|one| one.kind == DefinitionKind::Profile && one.type_name == type_name);
    let of_uk_core: Vec<_> = on_type.filter_map(|one| Some((one.url, one.url.strip_prefix(UK_CORE)?))).collect();
    let is_named = |own: &str| file.strip_prefix(own).is_some_and(|rest| rest.starts_with('-'));
    let named = of_uk_core.iter().filter(|(_, own)| is_named(own)).max_by_key(|(_, own)| own.len());
    let wanted = format!("UKCore-{type_name}");
    named.or_else(|| of_uk_core.iter().find(|(_, own)| **own == *wanted)).map(|(url, _)| *url)
}

/// UK Core's examples and the samples of other standards: name and text of each.
fn samples() -> Vec<File> {
    let of_package = uk_core_files().iter().filter_map(|(name, text)| {
        let name = name.strip_prefix("package/examples/")?;
        Some((format!("uk-core-package/{name}"), text.clone()))
    });
    let mut files: Vec<_> = of_package.collect();
    let folder = shared("samples");
    for standard in ["uk-core", "pca", "bars-api"] {
        gather(&folder.join(standard), &folder, &mut files);
    }
    files.sort();
    files
}

fn gather(folder: &Path, root: &Path, files: &mut Vec<File>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            gather(&path, root, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}
