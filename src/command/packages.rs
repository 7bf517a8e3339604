//! `stile packages`: what definitions the gateway judges by.

use super::{COULD_NOT_RUN, FINE, FOUND, out, site, tell};
use crate::app::{self, Difference, Found, Lock, Materials, Mishap};
use crate::profile::{Census, Package, distil};
use crate::settings::Settings;
use clap::Subcommand;
use serde_json::json;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  stile packages add fhir.r4.ukcore.stu3.tgz         judge by UK Core from the next start on
  stile packages list                                what is loaded: definitions, hashes, where from
  stile packages lock                                after looking at what changed: it is meant
  stile packages distil definitions/ profiles/r4-core
                                                     R4's published definitions, without prose

Packages lie in the folder of the setting [packages] folder. Nothing is ever fetched from a network.";

/// See and change what definitions the gateway judges by.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a package to the site's folder and to its lock, once it has been read and compiled without a fault.
    Add {
        /// The package: a .tgz as published, the same unpacked, or a .json or .xml file with definitions.
        #[arg(value_name = "FILE.tgz|FOLDER")]
        package: PathBuf,
        #[command(flatten)]
        site: site::SiteArgs,
    },
    /// List what is loaded: each package with its definitions, its hash, and where it comes from.
    List {
        /// One line of JSON for each package.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: site::SiteArgs,
    },
    /// Write down how the packages stand now. A start refuses what differs from that.
    Lock {
        #[command(flatten)]
        site: site::SiteArgs,
    },
    /// Distil R4's own definitions into what checking needs, without prose: how `profiles/r4-core` was made.
    Distil {
        /// Folder with the published definitions (Bundles of StructureDefinitions, ValueSets and CodeSystems).
        from: PathBuf,
        /// Folder to write the package into.
        to: PathBuf,
    },
}

pub fn run(args: &Args) -> u8 {
    let done = match &args.command {
        Command::Add { package, site } => with_settings(site, |settings| add(settings, package)),
        Command::List { json, site } => with_settings(site, |settings| list(settings, *json)),
        Command::Lock { site } => with_settings(site, lock),
        Command::Distil { from, to } => return run_distil(from, to),
    };
    match done {
        Ok(()) => FINE,
        Err(Stop::Told(code)) => code,
        Err(Stop::Mishaps(mishaps)) => site::tell_mishaps(&mishaps),
        Err(Stop::Disk(path, cause)) => {
            tell::fault(&format!("{path}: {cause}"));
            COULD_NOT_RUN
        }
    }
}

/// Why a command does not go on.
enum Stop {
    /// It has been told; the exit code.
    Told(u8),
    /// Something is wrong with packages.
    Mishaps(Vec<Mishap>),
    /// A file or folder cannot be written.
    Disk(String, std::io::Error),
}

fn with_settings(args: &site::SiteArgs, run: impl FnOnce(&Settings) -> Result<(), Stop>) -> Result<(), Stop> {
    let settings = site::settings(args).ok_or(Stop::Told(COULD_NOT_RUN))?;
    run(&settings)
}

// ---- list

fn list(settings: &Settings, as_json: bool) -> Result<(), Stop> {
    let folder = Path::new(&settings.packages_folder);
    let mut materials = Materials::carried();
    let found = app::read_site(folder).map_err(Stop::Mishaps)?;
    let lock = Lock::read(folder).map_err(|mishap| Stop::Mishaps(vec![mishap]))?;
    let differences = lock.as_ref().map(|lock| lock.differences(&Lock::of(&found))).unwrap_or_default();
    materials.take(found);
    let mut rows = Vec::new();
    let mut details = Vec::new();
    let mut notes = Vec::new();
    for (package, origin) in materials.packages.iter().zip(&materials.origins) {
        let census = package.census();
        let from = origin.as_deref().map_or_else(|| "the program".to_owned(), site::shown);
        let missing = missing_dependencies(package, &materials.packages);
        if as_json {
            out!(
                "{}",
                json!({
                    "name": package.name, "version": package.version, "hash": package.hash(), "from": from,
                    "definitions": census.kinds, "missingDependencies": missing,
                    "notLoaded": census.not_loaded.iter().map(|(url, why)| json!({"what": url, "why": why})).collect::<Vec<_>>(),
                })
            );
            continue;
        }
        let hash = package.hash().chars().take(12).collect();
        rows.push(vec![package.name.clone(), tell::version(&package.version).to_owned(), hash]);
        details.push(format!("{} from {from}", kinds(&census)));
        for dependency in missing {
            notes.push(format!("{} names {dependency} as needed, which is not loaded", package.name));
        }
        for (url, why) in census.not_loaded {
            notes.push(format!("{}: {url} is not loaded: {why}", package.name));
        }
    }
    if !as_json {
        let width = tell::width().min(100).saturating_sub(2);
        tell::table_with(&["package", "version", "sha256"], &rows, |number| {
            let detail = details.get(number).map_or("", String::as_str);
            tell::wrap(detail, width).iter().for_each(|line| out!("  {line}"));
        });
        notes.iter().for_each(|note| tell::note(note));
        if lock.is_none() && rows.len() > 1 {
            tell::note("the packages are not locked; `stile packages lock` writes down how they stand");
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(told(&differences, folder)) }
}

/// What a package holds, in words.
fn kinds(census: &Census) -> String {
    let told = |(kind, number): (&&str, &usize)| tell::count(*number, kind.strip_suffix('s').unwrap_or(kind));
    let told: Vec<String> = census.kinds.iter().map(told).collect();
    if told.is_empty() { "no definitions".to_owned() } else { told.join(", ") }
}

/// The packages that one names as needed and that are not there. A note, not a fault: often nothing of them is used.
pub(super) fn missing_dependencies(package: &Package, loaded: &[Package]) -> Vec<String> {
    // R4's own definitions are in the program, under another name.
    const CARRIED: &str = "hl7.fhir.r4.core";
    let is_there = |name: &str| name == CARRIED || loaded.iter().any(|one| one.name == name);
    let dependencies = package.dependencies().into_iter().filter(|(name, _)| !is_there(name));
    dependencies.map(|(name, version)| format!("{name} {version}")).collect()
}

fn told(differences: &[Difference], folder: &Path) -> Stop {
    Stop::Mishaps(differences.iter().map(|difference| difference.mishap(folder)).collect())
}

// ---- lock

fn lock(settings: &Settings) -> Result<(), Stop> {
    let folder = Path::new(&settings.packages_folder);
    if !folder.is_dir() {
        tell::fault(&format!("there is no folder {}; `stile packages add` makes it", folder.display()));
        return Err(Stop::Told(COULD_NOT_RUN));
    }
    let now = Lock::of(&app::read_site(folder).map_err(Stop::Mishaps)?);
    // One that cannot be read is what this command puts right.
    let before = Lock::read(folder).ok().flatten().unwrap_or_default();
    for difference in before.differences(&now) {
        match difference {
            Difference::Added(one) => out!("added    {} {} ({})", one.name, one.version, one.file),
            Difference::Missing(one) => out!("removed  {} {} ({})", one.name, one.version, one.file),
            Difference::Changed(then, one) if then.version == one.version => {
                out!("changed  {} {} ({})", one.name, one.version, one.file);
            }
            Difference::Changed(then, one) => {
                out!("changed  {} {} to {} {} ({})", then.name, then.version, one.name, one.version, one.file);
            }
        }
    }
    now.write(folder).map_err(|cause| Stop::Disk(site::shown(&folder.join(app::LOCK_FILE)), cause))?;
    tell::note(&format!("{} locked in {}", tell::count(now.packages.len(), "package"), folder.display()));
    Ok(())
}

// ---- add

fn add(settings: &Settings, path: &Path) -> Result<(), Stop> {
    let folder = Path::new(&settings.packages_folder);
    let arrival = app::Arrival::read(path).map_err(|mishap| Stop::Mishaps(vec![mishap]))?;
    let package = arrival.package.clone();
    let target = arrival.file_name().ok_or_else(|| {
        tell::fault(&format!(
            "{}: the name and version in its package.json do not make a file name; they may hold letters, digits, `.`, \
             `_` and `-`",
            path.display()
        ));
        Stop::Told(FOUND)
    })?;
    let there = app::read_site(folder).map_err(Stop::Mishaps)?;
    let locked = Lock::read(folder).map_err(|mishap| Stop::Mishaps(vec![mishap]))?;
    if let Some(locked) = locked {
        // Adding one package must not lock what somebody did to another.
        let differences = locked.differences(&Lock::of(&there));
        if !differences.is_empty() {
            return Err(told(&differences, folder));
        }
    }
    // The same package in another version, or the same definition, makes room.
    let (replaced, kept): (Vec<Found>, Vec<Found>) = there.into_iter().partition(|one| arrival.replaces(one));
    let to = folder.join(target);
    if std::fs::symlink_metadata(&to).is_ok() && !replaced.iter().any(|old| old.from == to) {
        tell::fault(&format!(
            "{}: something else lies at {} already; give one of the two definitions another id, or take that away",
            path.display(),
            to.display()
        ));
        return Err(Stop::Told(FOUND));
    }
    // Locked is what was read: what somebody changes in the folder meanwhile is told at the next start.
    let arrived = Found { package: package.clone(), from: to.clone() };
    let mut now = Lock::of(&kept);
    now.packages.extend(Lock::of(std::slice::from_ref(&arrived)).packages);
    now.packages.sort();
    let mut materials = Materials::carried();
    materials.take(kept);
    let counted = package.census();
    materials.take(vec![arrived]);
    let engine = materials.compile().map_err(Stop::Mishaps)?;
    let unusable = site::unusable(std::iter::once(&package), &engine.profiles);
    if counted.kinds.is_empty() {
        let which = if counted.urls.is_empty() { "no definitions" } else { "no definitions that can be used" };
        tell::fault(&format!("{} holds {which}; it was not added", path.display()));
        if !counted.urls.is_empty() {
            site::tell_unusable(&unusable);
        }
        return Err(Stop::Told(FOUND));
    }

    arrival.write(&to).map_err(|cause| Stop::Disk(site::shown(&to), cause))?;
    for old in &replaced {
        if old.from == to {
            out!("replaced {} {} ({})", old.package.name, tell::version(&old.package.version), old.from.display());
            continue;
        }
        let removed =
            if old.from.is_dir() { std::fs::remove_dir_all(&old.from) } else { std::fs::remove_file(&old.from) };
        removed.map_err(|cause| Stop::Disk(site::shown(&old.from), cause))?;
        out!("removed {} {} ({})", old.package.name, tell::version(&old.package.version), old.from.display());
    }
    now.write(folder).map_err(|cause| Stop::Disk(site::shown(&folder.join(app::LOCK_FILE)), cause))?;
    let version = tell::version(&package.version);
    out!("added {} {version} ({}): {}", package.name, to.display(), kinds(&counted));
    for dependency in missing_dependencies(&package, &materials.packages) {
        tell::note(&format!(
            "it names {dependency} as needed, which is not loaded; add it when its definitions are used"
        ));
    }
    site::tell_unusable(&unusable);
    Ok(())
}

// ---- distil

fn run_distil(from: &Path, to: &Path) -> u8 {
    match distil(from, to) {
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
