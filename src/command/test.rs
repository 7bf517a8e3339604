//! `stile test`: run the manuals of mappings, which are their tests.

use super::{COULD_NOT_RUN, FINE, FOUND, out, site, tell};
use crate::mapping::manual::{Verdict, run_manuals};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  stile test                the manuals that the program carries
  stile test mappings/      a site's own mappings and manuals, over those inside";

/// Run the manuals of mappings, which are their tests: each input must become what the manual says.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folder with a site's own mappings; by default the settings' own.
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// One line of JSON for each section of each manual.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: site::SiteArgs,
}

pub fn run(args: &Args) -> u8 {
    let Some(mut settings) = site::settings(&args.site) else { return COULD_NOT_RUN };
    if let Some(path) = &args.path {
        settings.mapping_folder = Some(site::shown(path));
    }
    let (materials, engine) = match site::engine(&settings) {
        Ok(compiled) => compiled,
        Err(code) => return code,
    };
    // Files that inputs name are looked for beside the manuals' folder, and then where the command was started.
    let base = settings.mapping_folder.as_deref().map(Path::new).and_then(Path::parent).map(Path::to_owned);
    let read_file = |name: &str| {
        let beside = base.as_ref().and_then(|base| std::fs::read(base.join(name)).ok());
        beside.or_else(|| std::fs::read(name).ok())
    };
    let senders: BTreeMap<_, _> =
        site::senders(&settings).into_iter().map(|(name, sender)| (name, sender.variables)).collect();
    let report = run_manuals(&engine.library, &materials.manuals, &senders, &read_file);
    if args.json {
        for tried in &report.tried {
            let (verdict, notes) = match &tried.verdict {
                Verdict::Passed => ("passed", Vec::new()),
                Verdict::Skipped(why) => ("skipped", vec![why.clone()]),
                Verdict::Failed(differences) => ("failed", differences.clone()),
            };
            out!(
                "{}",
                json!({
                    "manual": tried.manual, "section": tried.section, "line": tried.line, "verdict": verdict, "notes": notes
                })
            );
        }
    } else {
        out!("{}", report.to_string().trim_end());
    }
    if report.passed + report.failed == 0 {
        tell::fault("no manual was run");
        return FOUND;
    }
    if report.failed == 0 { FINE } else { FOUND }
}
