//! `stile validate`: judge resources against R4, as the gateway does before it maps them.

use super::{COULD_NOT_RUN, FINE, FOUND, input, out, site, tell};
use crate::fhir::{self, Limits};
use crate::intake::{Judged, Terms};
use crate::issue::any_refuses;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  stile validate appointment.json
  stile validate samples/ --json | jq 'select(.valid | not)'
  curl -s https://example/Appointment/1 | stile validate -
  stile validate --settings stile.toml --sender pca-portal appointment.json";

/// Judge FHIR resources against R4, as the gateway does before it maps them. Whether a mapping takes one is told by
/// `stile map`; guards about what is kept are the running gateway's.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files, folders, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Canonical url of a profile that the resources must fit, beside R4 itself. May be given several times.
    #[arg(long, value_name = "URL")]
    profile: Vec<String>,
    /// Judge as sent by this sender of the settings, with its tolerances.
    #[arg(long, value_name = "NAME")]
    sender: Option<String>,
    /// One line of JSON for each file.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: site::SiteArgs,
}

pub fn run(args: &Args) -> u8 {
    let Some(settings) = site::settings(&args.site) else { return COULD_NOT_RUN };
    let Some((_, engine)) = site::engine(&settings) else { return COULD_NOT_RUN };
    let Some(sender) = site::sender(&settings, args.sender.as_deref()) else { return COULD_NOT_RUN };
    let Some(inputs) = input::read(&args.files) else { return COULD_NOT_RUN };
    let known: Vec<&str> = engine.profiles.profiles().map(|loaded| loaded.url).collect();
    if let Some(unknown) = args.profile.iter().find(|url| !known.contains(&url.as_str())) {
        let near = crate::issue::nearest(unknown, known.iter().copied());
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        tell::fault(&format!("no loaded package has the profile {unknown}{near}"));
        return COULD_NOT_RUN;
    }
    let profiles: Vec<&str> = args.profile.iter().map(String::as_str).collect();
    let terms = Terms {
        profiles: &engine.profiles,
        limits: &Limits::default(),
        sender: Some(&sender),
        expected_type: None,
        demanded: &profiles,
    };
    let mut refused = 0;
    for input in &inputs {
        let judged = Judged::of(&input.bytes, input.format, &terms);
        let is_fine = !any_refuses(&judged.issues);
        refused += usize::from(!is_fine);
        if args.json {
            let issues =
                if judged.issues.is_empty() { json!([]) } else { fhir::outcome(&judged.issues)["issue"].clone() };
            out!("{}", json!({"file": input.name, "valid": is_fine, "issues": issues}));
            continue;
        }
        let kind = judged.document.as_ref().and_then(|document| document.resource_type()).unwrap_or("");
        tell::verdict(&input.name, is_fine, kind);
        let text = input.text();
        for issue in &judged.issues {
            tell::issue(issue, &text);
        }
    }
    if !args.json && inputs.len() > 1 {
        tell::note(&format!("{} judged, {refused} refused", tell::count(inputs.len(), "file")));
    }
    if refused == 0 { FINE } else { FOUND }
}
