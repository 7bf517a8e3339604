//! `stile packages`: make FHIR packages.

use super::{COULD_NOT_RUN, FINE, FOUND, tell};
use crate::profile::distil;
use clap::Subcommand;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  stile packages distil definitions/ profiles/r4-core     R4's published definitions into what checking needs";

/// Make and inspect FHIR packages.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Distil R4's own definitions into what checking needs, without prose: how `profiles/r4-core` was made.
    Distil {
        /// Folder with the published definitions (Bundles of StructureDefinitions, ValueSets and CodeSystems).
        from: PathBuf,
        /// Folder to write the package into.
        to: PathBuf,
    },
}

pub fn run(args: &Args) -> u8 {
    match &args.command {
        Command::Distil { from, to } => match distil(from, to) {
            Ok(Ok(count)) => {
                tell::note(&format!("{} written to {}", tell::count(count, "file"), to.display()));
                FINE
            }
            Ok(Err(cause)) => {
                tell::fault(&cause.to_string());
                FOUND
            }
            Err(cause) => {
                tell::fault(&cause.to_string());
                COULD_NOT_RUN
            }
        },
    }
}

/// Reads every JSON file of a folder, distils, writes. The inner error is about the definitions.
fn distil(from: &Path, to: &Path) -> std::io::Result<Result<usize, distil::DistilError>> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            texts.push((name, std::fs::read_to_string(&path)?));
        }
    }
    texts.sort();
    let files = match distil::distil(&texts) {
        Ok(files) => files,
        Err(cause) => return Ok(Err(cause)),
    };
    std::fs::create_dir_all(to)?;
    for (name, text) in &files {
        std::fs::write(to.join(name), text)?;
    }
    Ok(Ok(files.len()))
}
