//! What the definitions ask, held against resources that others wrote and against faults made from the definitions
//! themselves.

mod baseline;
mod faults;
mod samples;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use stile::fhir::{self, Format, Limits};
use stile::issue::Issue;
use stile::profile::{Ask, Package, Profiles};

/// A file's name and its text.
type File = (String, String);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shared(name: &str) -> PathBuf {
    root().join("../shared").join(name)
}

/// R4's own definitions, as the program carries them.
fn r4_files() -> Vec<File> {
    let entries = std::fs::read_dir(root().join("profiles/r4-core")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.map(|path| (name_of(&path), std::fs::read_to_string(&path).unwrap())).collect();
    files.sort();
    files
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The files of the UK Core package, its examples among them; none when it is not there.
fn uk_core_files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let path = shared("packages/fhir.r4.ukcore.stu3-dev.tgz");
        let Ok(file) = std::fs::File::open(&path) else {
            eprintln!("SKIPPED: {} is not here", path.display());
            return Vec::new();
        };
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
        let mut files = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            files.push((name, text));
        }
        files
    })
}

/// R4 and, where it is there, UK Core, compiled.
fn profiles() -> &'static Profiles {
    static PROFILES: OnceLock<Profiles> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let package = |name: &str, version: &str, files| Package { name: name.into(), version: version.into(), files };
        let mut packages = vec![package("r4-core", "4.0.1", r4_files())];
        let is_definition = |(name, _): &&File| !name.contains("/examples/");
        let uk_core: Vec<_> = uk_core_files().iter().filter(is_definition).cloned().collect();
        if !uk_core.is_empty() {
            packages.push(package("fhir.r4.ukcore.stu3", "dev", uk_core));
        }
        packages.push(package("clinic", "1.0.0", faults::own_files()));
        Profiles::compile(&packages).unwrap_or_else(|problems| panic!("{problems:#?}"))
    })
}

/// Everything that is told of a text: by its reader, by the base definition, by `claims`.
fn judged(text: &str, format: Format, claims: &[&str]) -> Vec<Issue> {
    let parsed = fhir::parse(text.as_bytes(), format, &Limits::default());
    let mut issues = parsed.issues;
    if let Some(document) = parsed.document {
        let ask = Ask { profiles: claims, ..Ask::default() };
        issues.extend(profiles().check(&document, &ask).issues);
    }
    issues
}
