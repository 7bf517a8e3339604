//! The tables of `docs/FHIRPATH.md` that tests keep in step with what is so.

use std::path::Path;

/// Compares the part between `<!-- begin: name -->` and `<!-- end: name -->` with `table`; with `STILE_UPDATE=1` in the
/// environment, writes it.
pub(super) fn keep(name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FHIRPATH.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->"));
    let from = page.find(&begin).unwrap_or_else(|| panic!("docs/FHIRPATH.md has no {begin}")) + begin.len();
    let to = page.find(&end).unwrap_or_else(|| panic!("docs/FHIRPATH.md has no {end}"));
    if page.get(from..to) == Some(table) {
        return;
    }
    assert!(
        std::env::var_os("STILE_UPDATE").is_some(),
        "docs/FHIRPATH.md is out of step ({name}); run `STILE_UPDATE=1 cargo test --lib fhirpath` and look at the change"
    );
    // Two tests may write at once, each its own part; the file is read again so that the other's is kept.
    static WRITING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = WRITING.lock().unwrap();
    let page = std::fs::read_to_string(&path).unwrap();
    let from = page.find(&begin).unwrap() + begin.len();
    let to = page.find(&end).unwrap();
    std::fs::write(&path, format!("{}{table}{}", &page[..from], &page[to..])).unwrap();
}
