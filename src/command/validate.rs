//! `stile validate`: judge resources against R4 and profiles, as the gateway does before it maps them.

use super::draw::Page;
use super::progress::Progress;
use super::{COULD_NOT_RUN, FINE, FOUND, input, out, site, tell};
use crate::app::Materials;
use crate::fhir;
use crate::intake::{Judged, Terms};
use crate::issue::{Issue, Severity, any_refuses, nearest};
use crate::profile::{LoadedPackage, NotEvaluated, Profiles, Suppressed};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  stile validate appointment.json
  stile validate samples/ --json | jq 'select(.valid | not)'
  curl -s https://example/Appointment/1 | stile validate -
  stile validate patient.xml --package fhir.r4.ukcore.stu3.tgz \\
      --profile https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient
  stile validate draft.json --package our-profile.json \\
      --profile https://clinic.example/StructureDefinition/ours
  stile validate --settings stile.toml --sender pca-portal appointment.json

A resource is held against R4, against the profiles that it claims in meta.profile, against those of \
--sender, and against those of --profile. With --json each resource gives one line:
  {\"file\", \"valid\", \"issues\": [OperationOutcome issues],
   \"notEvaluated\": [{\"what\", \"why\"}], \"packages\": [{\"name\", \"version\", \"hash\"}]}
and \"line\" where it is one of a file's lines (NDJSON), \"suppressed\": {rule: count} where the severity \
policy kept something from being told. `valid` is false exactly when an issue is an error or fatal.

Standard input is taken as NDJSON when its first two lines each begin with `{`.

Exit codes: 0 all are valid, 1 one is not, 2 could not run.";

/// Judge FHIR resources against R4 and profiles, as the gateway does before it maps them. Whether a mapping takes one
/// is told by `stile map`; guards about what is kept are the running gateway's.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files (JSON, XML, NDJSON with one resource a line), folders with all below them, or `-` for standard input.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    files: Vec<PathBuf>,
    /// Canonical url of a profile that the resources must fit, beside R4 itself. May be given several times.
    #[arg(long, value_name = "URL")]
    profile: Vec<String>,
    /// A package of definitions for this run only: a .tgz, a folder, a file with definitions. May be given several
    /// times; the later counts where two define the same.
    #[arg(long, value_name = "FILE.tgz|FOLDER|definition.json")]
    package: Vec<PathBuf>,
    /// Judge as sent by this sender of the settings, with its tolerances, profiles and rules.
    #[arg(long, value_name = "NAME")]
    sender: Option<String>,
    /// One line of JSON for each resource.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: site::SiteArgs,
}

pub fn run(args: &Args) -> u8 {
    let Some(settings) = site::settings(&args.site) else { return COULD_NOT_RUN };
    let Some(sources) = input::list(&args.files) else { return COULD_NOT_RUN };
    let Ok((materials, engine)) = site::engine_with(&settings, &args.package) else { return COULD_NOT_RUN };
    let for_this_run = materials.packages.len().saturating_sub(args.package.len());
    site::tell_unusable(&site::unusable(materials.packages.iter().skip(for_this_run), &engine.profiles));
    let Some(sender) = site::sender(&args.site, &settings, args.sender.as_deref()) else { return COULD_NOT_RUN };
    let unknown: Vec<String> =
        args.profile.iter().filter_map(|url| unknown_profile(url, &engine.profiles, &materials)).collect();
    unknown.iter().for_each(|told| tell::fault(told));
    if !unknown.is_empty() {
        return COULD_NOT_RUN;
    }
    let profiles: Vec<&str> = args.profile.iter().map(String::as_str).collect();
    let terms = Terms {
        profiles: &engine.profiles,
        limits: &input::LIMITS,
        sender: Some(&sender),
        expected_type: None,
        demanded: &profiles,
        now: Timestamp::now(),
    };
    let mut tally = Tally::default();
    let progress = Progress::of(sources.len());
    let mut could_read = true;
    for source in &sources {
        let read = source.each(|input| {
            let judged = Judged::of(&input.bytes, input.format, &terms);
            tally.count(&judged);
            progress.beside(|| match args.json {
                true => out!("{}", line(&input, &judged, engine.profiles.packages())),
                false => draw(&input, &judged, sources.len()),
            });
        });
        if let Err(cause) = read {
            could_read = false;
            progress.beside(|| tell::fault(&format!("{} cannot be read: {cause}", source.name())));
        }
        progress.step();
    }
    progress.end();
    if !args.json {
        tally.tell();
    }
    match (could_read, tally.invalid_count) {
        (false, _) => COULD_NOT_RUN,
        (true, 0) => FINE,
        (true, _) => FOUND,
    }
}

/// What is wrong with a profile that was asked for; none when it is loaded.
fn unknown_profile(url: &str, profiles: &Profiles, materials: &Materials) -> Option<String> {
    let (wanted, version) = url.split_once('|').map_or((url, None), |(wanted, version)| (wanted, Some(version)));
    match (profiles.profiles().find(|loaded| loaded.url == wanted), version) {
        (Some(loaded), Some(version)) if !loaded.version.is_empty() && loaded.version != version => {
            Some(format!("the profile {wanted} is loaded in version {}, not {version}", loaded.version))
        }
        (Some(_), _) => None,
        (None, _) => {
            if let Some(aside) = profiles.not_evaluated().iter().find(|one| one.what == wanted) {
                let holder = materials.packages.iter().rev().find(|package| package.census().urls.contains(wanted));
                let holder = holder.map_or("a package", |package| &package.name);
                let way_out = if aside.why.ends_with("is not loaded") { "; add --package with it" } else { "" };
                return Some(format!("{holder} has the profile {wanted}, but {}{way_out}", aside.why));
            }
            let near = nearest(wanted, profiles.profiles().map(|loaded| loaded.url));
            let near = near.map(|near| format!("did you mean {near}?"));
            let way_out = near.unwrap_or_else(|| "--package FILE loads one for this run".into());
            Some(format!("no loaded package has the profile {wanted}; {way_out}"))
        }
    }
}

/// What is said of one resource to programs.
fn line(input: &input::Input, judged: &Judged, packages: &[LoadedPackage]) -> Value {
    let issues = match judged.issues.as_slice() {
        [] => json!([]),
        issues => {
            let placed: Vec<Issue> = issues.iter().map(|issue| in_file(issue, input)).collect();
            fhir::outcome(&placed)["issue"].take()
        }
    };
    let not_evaluated: Vec<Value> =
        judged.not_evaluated.iter().map(|one| json!({"what": one.what, "why": one.why})).collect();
    let packages: Vec<Value> = packages
        .iter()
        .map(|package| json!({"name": package.name, "version": package.version, "hash": package.hash}))
        .collect();
    let mut line = json!({
        "file": input.name,
        "valid": !any_refuses(&judged.issues),
        "issues": issues,
        "notEvaluated": not_evaluated,
        "packages": packages,
    });
    if let Some(number) = input.line {
        line["line"] = json!(number);
    }
    if !judged.suppressed.is_empty() {
        line["suppressed"] = json!(judged.suppressed);
    }
    line
}

/// The issue with its line counted from the start of the file.
fn in_file(issue: &Issue, input: &input::Input) -> Issue {
    let mut issue = issue.clone();
    if let Some(place) = issue.place.as_mut().filter(|place| place.line > 0) {
        place.line += input.first_line() - 1;
    }
    issue
}

/// What is said of one resource to people.
fn draw(input: &input::Input, judged: &Judged, file_count: usize) {
    let kind = judged.document.as_ref().and_then(|document| document.resource_type()).unwrap_or("");
    tell::verdict(&input.title(), !any_refuses(&judged.issues), kind);
    if !judged.issues.is_empty() {
        let text = input.text();
        tell::issues(&Page::new(&input.name, &text, input.first_line()), &judged.issues);
    }
    if file_count == 1 {
        for one in &judged.not_evaluated {
            out!("not evaluated: {one}");
        }
    }
}

/// What came of all resources.
#[derive(Default)]
struct Tally {
    valid_count: usize,
    invalid_count: usize,
    /// By severity and rule, each invariant by itself.
    rules: BTreeMap<(Severity, String), OfRule>,
    suppressed: Suppressed,
    not_evaluated: BTreeMap<String, (String, usize)>,
}

/// How often a rule was told.
#[derive(Default)]
struct OfRule {
    issue_count: usize,
    resource_count: usize,
    /// The last resource that was counted, by its number.
    last: usize,
}

impl Tally {
    fn count(&mut self, judged: &Judged) {
        match any_refuses(&judged.issues) {
            true => self.invalid_count += 1,
            false => self.valid_count += 1,
        }
        let number = self.valid_count + self.invalid_count;
        for issue in &judged.issues {
            let name = match issue.invariant() {
                Some(key) => format!("{} {key}", issue.rule),
                None => issue.rule.to_string(),
            };
            let rule = self.rules.entry((issue.severity, name)).or_default();
            rule.issue_count += 1;
            if rule.last != number {
                (rule.last, rule.resource_count) = (number, rule.resource_count + 1);
            }
        }
        for (name, count) in &judged.suppressed {
            *self.suppressed.entry(name.clone()).or_default() += count;
        }
        for NotEvaluated { what, why } in &judged.not_evaluated {
            self.not_evaluated.entry(what.clone()).or_insert_with(|| (why.clone(), 0)).1 += 1;
        }
    }

    fn tell(&self) {
        let judged = self.valid_count + self.invalid_count;
        if judged > 1 {
            if !self.rules.is_empty() {
                let row = |((severity, rule), of): (&(Severity, String), &OfRule)| {
                    vec![rule.clone(), severity.to_string(), of.issue_count.to_string(), of.resource_count.to_string()]
                };
                let rows: Vec<Vec<String>> = self.rules.iter().map(row).collect();
                tell::table(&["rule", "severity", "issues", "resources"], &rows);
                out!();
            }
            for (what, (why, count)) in &self.not_evaluated {
                out!("not evaluated: {what} ({why}), in {}", tell::count(*count, "resource"));
            }
            out!(
                "{} judged: {} valid, {} invalid",
                tell::count(judged, "resource"),
                self.valid_count,
                self.invalid_count
            );
        }
        if !self.suppressed.is_empty() {
            let listed: Vec<String> = self.suppressed.iter().map(|(name, count)| format!("{name} ({count})")).collect();
            tell::note(&format!("kept from being told by the severity policy: {}", listed.join(", ")));
        }
    }
}
