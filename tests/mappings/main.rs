//! The mapping files of the project: they compile, their manuals pass, and what they make is what it should be.

mod canary;
mod explain;
mod hostile;
mod problems;
mod samples;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;
use stile::mapping::manual::run_manuals;
use stile::mapping::{Library, Source};
use stile::profile::{Package, Profiles};

fn files(folder: &str, ending: &str) -> Vec<Source> {
    fn walk(folder: &Path, root: &Path, ending: &str, out: &mut Vec<Source>) {
        for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, ending, out);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                out.push(Source::new(name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut out = Vec::new();
    walk(&root, &root, ending, &mut out);
    out.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!out.is_empty(), "no {ending} in {folder}");
    out
}

fn profiles() -> &'static Profiles {
    static PROFILES: OnceLock<Profiles> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let files = files("profiles/r4-core", ".json").into_iter().map(|source| (source.name, source.text)).collect();
        let package = Package { name: "r4-core".into(), version: "4.0.1".into(), files };
        Profiles::compile(&[package]).unwrap_or_else(|problems| panic!("{problems:?}"))
    })
}

fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let compiled = Library::compile(
            &files("mappings", ".yaml"),
            &files("mappings", ".csv"),
            &files("profiles/canonical", ".schema.json"),
            &profiles().elements(),
        );
        compiled.unwrap_or_else(|problems| {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{} problems:\n{}", told.len(), told.join("\n"))
        })
    })
}

#[test]
fn every_mapping_file_compiles_without_a_problem() {
    assert_eq!(library().mappings().count(), files("mappings", ".yaml").len());
    assert!(library().mappings().count() >= 10);
}

#[test]
fn every_manual_passes_and_every_mapping_has_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read_file = |name: &str| std::fs::read(root.join(name)).ok();
    let report = run_manuals(library(), &files("mappings", ".md"), &BTreeMap::new(), &read_file);
    if report.skipped > 0 {
        eprintln!("{} sections were skipped: ../shared is not here", report.skipped);
    }
    assert_eq!(report.failed, 0, "\n{report}");
    assert!(report.passed >= 40, "\n{report}");
}
