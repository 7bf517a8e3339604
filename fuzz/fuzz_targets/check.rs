//! Any document against R4's definitions: the check ends without a panic, with a bounded number of issues, each with a
//! place that stands in the document.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::Path;
use std::sync::OnceLock;
use stile::fhir::{Format, Limits, parse};
use stile::profile::{Ask, Package, Profiles};

fuzz_target!(|bytes: &[u8]| {
    let format = if bytes.trim_ascii_start().starts_with(b"<") { Format::Xml } else { Format::Json };
    let Some(document) = parse(bytes, format, &Limits::default()).document else { return };
    let verdict = r4().check(&document, &Ask::default());
    assert!(verdict.issues.len() <= 200);
    assert!(verdict.issues.iter().all(|issue| issue.place.is_some()));
});

fn r4() -> &'static Profiles {
    static R4: OnceLock<Profiles> = OnceLock::new();
    R4.get_or_init(|| {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles/r4-core"));
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.expect("the folder can be listed").path();
            let text = std::fs::read_to_string(&path).expect("a definition can be read");
            (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text)
        };
        let files = std::fs::read_dir(folder).expect("the definitions are there").map(read).collect();
        let package = Package { name: "r4".into(), version: "4.0.1".into(), files };
        Profiles::compile(&[package]).expect("R4's definitions compile")
    })
}
