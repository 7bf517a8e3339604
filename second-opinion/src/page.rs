//! The page that lists disagreements, with who is right.

use std::collections::BTreeMap;
use std::process::ExitCode;

/// What two engines disagree about.
pub struct Disagreement {
    /// What was asked, as it stands on the page.
    pub asked: String,
    /// What Stile says.
    pub ours: String,
    /// What the other says.
    pub theirs: String,
    /// How often it was seen.
    pub count: usize,
}

/// A cell of a table in Markdown.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

/// Holds what was found against the page: prints what is missing there, as rows to be completed, and what no longer
/// occurs.
pub fn hold(name: &str, found: &[Disagreement]) -> ExitCode {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    let listed: BTreeMap<String, &str> = page
        .lines()
        .filter_map(|line| {
            let first = line.strip_prefix("| `")?.split("` |").next()?;
            Some((first.to_owned(), line))
        })
        .collect();
    let mut surprises = 0;
    for each in found {
        let asked = cell(&each.asked);
        let (ours, theirs) = (cell(&each.ours), cell(&each.theirs));
        let is_listed = listed.get(&asked).is_some_and(|line| line.contains(&ours) && line.contains(&theirs));
        if !is_listed {
            surprises += 1;
            println!("| `{asked}` | {ours} | {theirs} | | |");
        }
    }
    for asked in listed.keys() {
        if !found.iter().any(|each| cell(&each.asked) == *asked) {
            surprises += 1;
            println!("no longer so: {asked}");
        }
    }
    let seen: usize = found.iter().map(|each| each.count).sum();
    eprintln!("{} disagreements, seen {seen} times; {surprises} are not as {name} says", found.len());
    if surprises == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
