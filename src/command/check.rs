//! `stile check`: judge settings, definitions and mappings without starting anything.

use super::packages::missing_dependencies;
use super::{COULD_NOT_RUN, FINE, FOUND, out, site, tell};
use serde_json::{Map, Value, json};

const EXAMPLES: &str = "\
Examples:
  stile check --settings stile.toml      before a start: 0 when it would, 1 with all that is wrong
  stile check --not-evaluated            what of the definitions cannot be decided here, and why
  stile check --json | jq -r '.mappings[].name'";

/// Judge settings, definitions and mappings without starting anything: all problems at once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Say what was found as JSON.
    #[arg(long)]
    json: bool,
    /// Also list the constraints and bindings of the definitions that cannot be decided here.
    #[arg(long)]
    not_evaluated: bool,
    #[command(flatten)]
    site: site::SiteArgs,
}

pub fn run(args: &Args) -> u8 {
    if args.site.settings.as_deref().is_some_and(|path| !path.exists()) {
        tell::fault(&format!(
            "there is no settings file {}",
            args.site.settings.as_deref().map(site::shown).unwrap_or_default()
        ));
        return COULD_NOT_RUN;
    }
    let Some(settings) = site::settings(&args.site) else { return FOUND };
    let (materials, engine) = match site::engine(&settings) {
        Ok(compiled) => compiled,
        Err(code) => return code,
    };
    let definitions = engine.profiles.profiles().count();
    let mappings = engine.library.mappings().count();
    let severities = engine.profiles.severities().lines();
    let undecided = engine.profiles.not_evaluated();
    if args.json {
        let packages: Vec<_> = engine
            .profiles
            .packages()
            .iter()
            .map(|package| json!({"name": package.name, "version": package.version, "hash": package.hash}))
            .collect();
        let severities: Map<String, Value> =
            severities.iter().map(|(name, level)| (name.clone(), json!(level.to_string()))).collect();
        let listed: Vec<_> = undecided.iter().map(|one| json!({"what": one.what, "why": one.why})).collect();
        let mappings: Vec<_> = engine
            .library
            .mappings()
            .map(|mapping| json!({"name": mapping.name(), "version": mapping.version(), "title": mapping.title()}))
            .collect();
        out!(
            "{}",
            json!({
                "packages": packages, "definitions": definitions, "severities": severities, "mappings": mappings,
                "notEvaluated": listed
            })
        );
        return FINE;
    }
    tell::verdict(
        "settings",
        true,
        &format!(
            "{}, {}, {}",
            tell::count(settings.senders.len(), "sender"),
            tell::count(settings.callers.len(), "caller"),
            tell::count(settings.downstreams.len(), "downstream")
        ),
    );
    for warning in &settings.warnings {
        tell::note(&format!("  {warning}"));
    }
    let packages: Vec<String> = materials
        .packages
        .iter()
        .map(|package| format!("{} {}", package.name, tell::version(&package.version)))
        .collect();
    tell::verdict("definitions", true, &format!("{definitions} from {}", packages.join(", ")));
    for package in &materials.packages {
        for dependency in missing_dependencies(package, &materials.packages) {
            tell::note(&format!("  {} names {dependency} as needed, which is not loaded", package.name));
        }
    }
    let of_site = materials.packages.iter().zip(&materials.origins).filter(|(_, origin)| origin.is_some());
    let unusable = site::unusable(of_site.map(|(package, _)| package), &engine.profiles);
    site::tell_unusable(&unusable.iter().map(|note| format!("  {note}")).collect::<Vec<_>>());
    let severities: Vec<String> = severities.iter().map(|(name, level)| format!("{name} {level}")).collect();
    tell::verdict("severities", true, &format!("as the rules have them, but for {}", severities.join(", ")));
    tell::verdict("mappings", true, &format!("{mappings} compiled, {} code tables", materials.tables.len()));
    if args.not_evaluated {
        for one in undecided {
            tell::note(&format!("  not evaluated: {}: {}", one.what, one.why));
        }
    } else if !undecided.is_empty() {
        tell::note(&format!(
            "{} of the definitions cannot be decided here; --not-evaluated lists them",
            tell::count(undecided.len(), "demand")
        ));
    }
    FINE
}
