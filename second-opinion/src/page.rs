//! The page that lists disagreements, with who is right.

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
    // What was asked, then what each says; the verdict and its reason follow.
    let is_row = |line: &&str| line.starts_with("| `");
    let mut listed: Vec<(&str, bool)> = page.lines().filter(is_row).map(|line| (line, false)).collect();
    let mut surprises = 0;
    for each in found {
        let row = format!("| `{}` | {} | {} | ", cell(&each.asked), cell(&each.ours), cell(&each.theirs));
        match listed.iter_mut().find(|(line, _)| line.starts_with(&row)) {
            Some((_, is_met)) => *is_met = true,
            None => {
                surprises += 1;
                println!("{row}| |");
            }
        }
    }
    for (line, _) in listed.iter().filter(|(_, is_met)| !is_met) {
        surprises += 1;
        println!("no longer so: {line}");
    }
    let seen: usize = found.iter().map(|each| each.count).sum();
    eprintln!("{} disagreements, seen {seen} times; {surprises} are not as {name} says", found.len());
    if surprises == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
