//! The house kept tidy: layers, module list, file sizes, licences, documents in step with the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use stile::issue::{Rule, Severity};
use stile::national::{Rules, switchable};

/// Lines past which a file of `src` is too long to fit in a head. The house says "about 400".
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// Every Rust file of `src`, as its path below `src`, with its text.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let src = root().join("src");
    let mut found = Vec::new();
    walk(&src, &mut found);
    found.sort();
    assert!(found.len() > 50, "only {} files in src: the walk is broken", found.len());
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// The layers of `lib.rs`, innermost first.
fn layers() -> Vec<Vec<String>> {
    let mut layers: Vec<Vec<String>> = Vec::new();
    let mut begins = true;
    for line in text("src/lib.rs").lines() {
        let module = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';'));
        match module {
            Some(module) if begins => layers.push(vec![module.to_owned()]),
            Some(module) => layers.last_mut().unwrap().push(module.to_owned()),
            None => {}
        }
        begins = module.is_none();
    }
    assert!(layers.len() > 8, "lib.rs has {} layers: reading it is broken", layers.len());
    layers
}

fn module_of(file: &str) -> String {
    let first = file.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first).to_owned()
}

/// The modules that a text names by `crate::`, with the line of each.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            // `use crate::{a::B, c::D};` names each first segment of the list.
            let list = match rest.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or(list).split(',').collect::<Vec<_>>(),
                None => vec![rest],
            };
            for item in list {
                let module: String =
                    item.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if !module.is_empty() {
                    found.push((number + 1, module));
                }
            }
        }
    }
    found
}

#[test]
fn no_module_looks_outward() {
    let layers = layers();
    let layer_of: BTreeMap<&str, usize> = layers
        .iter()
        .enumerate()
        .flat_map(|(number, layer)| layer.iter().map(move |module| (module.as_str(), number)))
        .collect();
    let mut faults = Vec::new();
    let mut checked = 0;
    for (file, text) in sources() {
        let module = module_of(&file);
        let Some(&own) = layer_of.get(module.as_str()) else { continue };
        for (line, other) in named(&text) {
            checked += 1;
            let Some(&theirs) = layer_of.get(other.as_str()) else {
                faults.push(format!("src/{file}:{line} names crate::{other}, which is no module of lib.rs"));
                continue;
            };
            if other != module && theirs >= own {
                faults.push(format!("src/{file}:{line} looks outward: {module} names {other}"));
            }
        }
    }
    assert!(checked > 100, "only {checked} paths checked: reading them is broken");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_belongs_to_a_module_of_the_list_and_fits_in_a_head() {
    let modules: BTreeSet<String> = layers().concat().into_iter().collect();
    let mut faults = Vec::new();
    for (file, text) in sources() {
        let module = module_of(&file);
        if !modules.contains(&module) && file != "lib.rs" && file != "main.rs" {
            faults.push(format!("src/{file} belongs to no module of lib.rs"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            faults.push(format!("src/{file} has {lines} lines; {LINES_MAX} is the most"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn only_the_modules_that_may_know_a_thing_know_it() {
    // What the invariants of docs/ARCHITECTURE.md forbid, by what would have to be written.
    let rules: &[(&str, &[&str], &[&str])] = &[
        ("fhirbolt", &["fhirbolt"], &["fhir"]),
        ("SQL", &["rusqlite"], &["store"]),
        ("HTTP", &["actix_web", "reqwest"], &["api", "downstream", "twin", "app", "command", "main"]),
        // Layers up to `error` do no I/O and read no clock.
        (
            "the clock or the disk",
            &["Timestamp::now", "SystemTime::now", "std::fs", "Zoned::now"],
            &["dispatch", "api", "twin", "telemetry", "app", "command", "store", "main", "intake", "downstream"],
        ),
    ];
    let mut faults = Vec::new();
    for (file, text) in sources() {
        let module = module_of(&file);
        let is_test = file.ends_with("tests.rs") || file.contains("/tests/");
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        for (what, words, allowed) in rules {
            let knows =
                words.iter().any(|word| code.lines().any(|line| line.split("//").next().unwrap().contains(word)));
            if knows && !is_test && !allowed.contains(&module.as_str()) {
                faults.push(format!("src/{file} knows {what}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_architecture_page_names_every_module() {
    let page = text("docs/ARCHITECTURE.md");
    let missing: Vec<_> =
        layers().concat().into_iter().filter(|module| !page.contains(&format!("`{module}`"))).collect();
    assert!(missing.is_empty(), "docs/ARCHITECTURE.md does not name {missing:?}");
}

#[test]
fn the_page_of_rules_is_in_step() {
    let mut page = String::from(
        "# The rules\n\nEvery issue that Stile tells carries the name of the rule that was broken. A name keeps its meaning once\n\
         published: callers may switch on it. Severity and code are the usual ones.\n\n\
         Made from the code; `STILE_UPDATE=1 cargo test --test tidy` writes it anew.\n\n\
         | rule | severity | FHIR issue code | what it asks |\n| --- | --- | --- | --- |\n",
    );
    for rule in Rule::ALL {
        page.push_str(&format!("| `{rule}` | {} | {} | {} |\n", rule.severity(), rule.code(), rule.about()));
    }
    let path = root().join("docs/RULES.md");
    if std::env::var_os("STILE_UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "docs/RULES.md is out of step: run STILE_UPDATE=1 cargo test --test tidy, and look at the difference"
    );
}

#[test]
fn the_page_of_national_rules_tells_each_and_how_it_usually_is() {
    let page = text("docs/NATIONAL.md");
    let usual = Rules::new(Vec::new(), BTreeMap::new(), 640, jiff::tz::TimeZone::UTC);
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let mut faults = Vec::new();
    for rule in switchable() {
        let word = match usual.severity(rule) {
            Some(Severity::Fatal | Severity::Error) => "refuse",
            Some(Severity::Warning) => "flag",
            Some(Severity::Information) => "told",
            None => "off",
        };
        let begin = format!("| `{rule}` | {word} | ");
        if rows.iter().filter(|row| row.starts_with(&begin)).count() != 1 {
            faults.push(format!("no row begins: {begin}"));
        }
    }
    let known: BTreeSet<String> = switchable().map(|rule| format!("| `{rule}` |")).collect();
    faults.extend(rows.iter().filter_map(|row| {
        let is_known = known.iter().any(|begin| row.starts_with(begin.as_str()));
        let is_rule =
            row.split('|').nth(2).is_some_and(|word| ["refuse", "flag", "told", "off"].contains(&word.trim()));
        (is_rule && !is_known).then(|| format!("this row is about no rule: {row}"))
    }));
    assert!(faults.is_empty(), "docs/NATIONAL.md is out of step:\n{}", faults.join("\n"));
}

#[test]
fn every_licence_is_one_that_the_house_takes() {
    const TAKEN: &[&str] = &[
        "MIT",
        "MIT-0",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "MPL-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "CC0-1.0",
        "0BSD",
        "Zlib",
        "Unicode-3.0",
        "Unlicense",
        "BSL-1.0",
        "CDLA-Permissive-2.0",
    ];
    // Only what is built here: what other systems need is not on this machine.
    let version = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "only {} packages: reading them is broken", packages.len());
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("(none)").replace('/', " OR ");
        // An expression is taken when every part joined by AND has an alternative that is taken.
        let is_taken = licence.split(" AND ").all(|part| {
            part.trim_matches(['(', ')']).split(" OR ").any(|one| TAKEN.contains(&one.trim().trim_matches(['(', ')'])))
        });
        if !is_taken {
            faults.push(format!("{name}: {licence}"));
        }
    }
    assert!(faults.is_empty(), "licences that are not taken:\n{}", faults.join("\n"));
}

#[test]
fn nothing_is_left_half_done() {
    let words = [
        "todo!(",
        "unimplemented!(",
        "FIXME",
        "XXX",
        "HACK",
        "dbg!(",
        "allow(dead_code",
        "allow(unused",
        "allow(missing_docs",
    ];
    let mut faults = Vec::new();
    for (file, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                faults.push(format!("src/{file}:{} has {word}", number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
