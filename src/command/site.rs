//! The site's settings and what is compiled from them, as commands need them.

use super::{COULD_NOT_RUN, FOUND, tell};
use crate::access::Sender;
use crate::app::{Engine, Materials, Mishap};
use crate::model::OdsCode;
use crate::national::Rules;
use crate::profile::{Package, Profiles, Tolerance, UnknownExtensions};
use crate::settings::{self, Problem, Settings};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the settings are.
#[derive(Debug, Clone, clap::Args)]
pub struct SiteArgs {
    /// Settings file (TOML). Without it the defaults hold, with STILE__SECTION__KEY from the environment over them.
    #[arg(long, value_name = "FILE", env = "STILE_SETTINGS")]
    pub settings: Option<PathBuf>,
}

/// Reads and checks the settings, or tells everything that is wrong with them.
pub fn settings(args: &SiteArgs) -> Option<Settings> {
    let text = match &args.settings {
        None => None,
        Some(path) => match std::fs::read_to_string(path) {
            Ok(text) => Some((path.display().to_string(), text)),
            Err(cause) => {
                tell::fault(&format!("the settings file {} cannot be read: {cause}", path.display()));
                return None;
            }
        },
    };
    let file = text.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    // A variable that is not text is none of ours.
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    match load(file, environment) {
        Ok(settings) => Some(settings),
        Err(problems) => {
            for problem in &problems {
                tell::fault(&problem.to_string());
            }
            tell::note(&format!("{} in the settings; nothing was started", tell::count(problems.len(), "problem")));
            None
        }
    }
}

/// Settings of a file's name and text, and an environment.
pub fn load(
    file: Option<(&str, &str)>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Settings, Vec<Problem>> {
    let tolerances: Vec<&str> = Tolerance::ALL.iter().map(|tolerance| tolerance.as_str()).collect();
    settings::load(file, environment, &tolerances)
}

/// Reads and compiles definitions and mappings, or tells everything that is wrong with them and gives the exit code.
pub fn engine(settings: &Settings) -> Result<(Materials, Engine), u8> {
    engine_with(settings, &[])
}

/// The same with further packages, for this run only.
pub fn engine_with(settings: &Settings, packages: &[PathBuf]) -> Result<(Materials, Engine), u8> {
    Materials::read(settings)
        .and_then(|mut materials| materials.add(packages).map(|()| materials))
        .and_then(|materials| materials.compile().map(|engine| (materials, engine)))
        .map_err(|mishaps| tell_mishaps(&mishaps))
}

/// Tells everything that is wrong with definitions and mappings, and gives the exit code: a file that is not there
/// keeps a command from running, wrong content is what it found.
pub fn tell_mishaps(mishaps: &[Mishap]) -> u8 {
    let mut wrong_count = 0;
    for mishap in mishaps {
        tell::fault(&mishap.to_string());
        match mishap {
            Mishap::Unread { .. } => {}
            Mishap::File { .. } | Mishap::Profile(_) | Mishap::Mapping(_) => wrong_count += 1,
        }
    }
    if wrong_count > 0 {
        tell::note(&format!("{} in definitions and mappings", tell::count(wrong_count, "problem")));
    }
    if wrong_count < mishaps.len() { COULD_NOT_RUN } else { FOUND }
}

/// What of these packages cannot be used, each with the reason.
pub fn unusable<'p>(packages: impl Iterator<Item = &'p Package>, profiles: &Profiles) -> Vec<String> {
    let mut told = Vec::new();
    for package in packages {
        let census = package.census();
        if census.urls.is_empty() {
            told.push(format!("{} holds no definitions", package.name));
        }
        told.extend(profiles.unusable(&census.urls).map(|one| format!("{}: {one} cannot be used", package.name)));
    }
    told
}

/// Notes, as many as somebody reads.
pub fn tell_unusable(notes: &[String]) {
    const SHOWN_MAX: usize = 20;
    notes.iter().take(SHOWN_MAX).for_each(|note| tell::note(note));
    if notes.len() > SHOWN_MAX {
        tell::note(&format!("and {} more; `stile check --not-evaluated` lists all", notes.len() - SHOWN_MAX));
    }
}

/// Senders that mappings can be tried with before a site has settings: the flavours of the national standards.
pub fn senders(settings: &Settings) -> BTreeMap<String, Sender> {
    let mut senders: BTreeMap<String, Sender> = BTreeMap::new();
    if let Ok(organisation) = OdsCode::parse("RZZ99") {
        let variables = |is_pas: bool| {
            BTreeMap::from([
                ("pas_appointment_system".to_owned(), "https://pas.example.nhs.uk/appointment".to_owned()),
                ("portal_appointment_system".to_owned(), "https://portal.example/appointment".to_owned()),
                ("is_pas".to_owned(), is_pas.to_string()),
            ])
        };
        for (name, is_pas) in [("example-portal", false), ("example-pas", true)] {
            let sender = Sender {
                name: name.to_owned(),
                organisation: organisation.clone(),
                is_pas,
                tolerances: Vec::new(),
                profiles: Vec::new(),
                rules: Rules::new(
                    Vec::new(),
                    BTreeMap::new(),
                    i64::from(settings.changes.placeholder_days),
                    settings.changes.time_zone.clone(),
                ),
                unknown_extensions: UnknownExtensions::default(),
                variables: variables(is_pas),
            };
            senders.insert(name.to_owned(), sender);
        }
    }
    senders.extend(settings.senders.iter().map(|(name, sender)| (name.clone(), sender.clone())));
    senders
}

/// The sender of this name, or `example-portal`; tells which there are, and by which settings, when there is none such.
pub fn sender(args: &SiteArgs, settings: &Settings, name: Option<&str>) -> Option<Sender> {
    let mut senders = senders(settings);
    let wanted = name.unwrap_or("example-portal");
    if let Some(sender) = senders.remove(wanted) {
        return Some(sender);
    }
    let known: Vec<&str> = senders.keys().map(String::as_str).collect();
    let known = known.join(", ");
    tell::fault(&match &args.settings {
        Some(path) => {
            format!("there is no sender `{wanted}` in the settings {}; there are: {known}", shown(path))
        }
        None => format!(
            "there is no sender `{wanted}`; no settings file was given (--settings FILE), and the built-in example has: \
             {known}"
        ),
    });
    None
}

/// A path as a person wrote it.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
