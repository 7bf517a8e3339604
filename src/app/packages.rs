//! FHIR packages on disk: archives, unpacked folders, single files, and the lock that says how they stood.
//!
//! Nothing is fetched from anywhere, and nothing of an archive is unpacked to disk: its entries are read, within bounds,
//! into texts.

mod arrival;
mod reading;

use super::Mishap;
use crate::profile::Package;
pub use arrival::Arrival;
pub use reading::read_package;
use reading::{is_definition_file, name_of};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file in the packages' folder that says how they stood when somebody last looked at them.
pub const LOCK_FILE: &str = "packages.lock";

/// A package of the site.
#[derive(Debug)]
pub struct Found {
    /// What it holds.
    pub package: Package,
    /// The file or folder that it was read from.
    pub from: PathBuf,
}

/// How packages stood when they were locked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lock {
    /// Each package, in the order of their names.
    pub packages: Vec<Locked>,
}

/// How a package stood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file or folder beside the lock.
    pub file: String,
    /// SHA-256 of its content; see [`Package::hash`].
    pub sha256: String,
}

/// In what a package differs from how it was locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is not in the lock.
    Added(Locked),
    /// It is in the lock and not there any more.
    Missing(Locked),
    /// Its content is another: as locked, and as it is.
    Changed(Locked, Locked),
}

/// The packages in the site's folder, in the order of their names; none where there is no such folder.
///
/// # Errors
/// Each that cannot be read.
pub fn read_site(folder: &Path) -> Result<Vec<Found>, Vec<Mishap>> {
    let mishap = |cause: std::io::Error| vec![Mishap::unread(&folder.display().to_string(), &cause)];
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(mishap(cause)),
    };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(mishap)?;
    paths.retain(|path| {
        let name = name_of(path);
        !name.starts_with('.') && (path.is_dir() || archive_stem(&name).is_some() || is_definition_file(&name))
    });
    paths.sort();
    let (mut found, mut mishaps) = (Vec::new(), Vec::new());
    for from in paths {
        match read_package(&from) {
            Ok(package) => found.push(Found { package, from }),
            Err(mishap) => mishaps.push(mishap),
        }
    }
    if mishaps.is_empty() { Ok(found) } else { Err(mishaps) }
}

impl Lock {
    /// How `found` stand now.
    pub fn of(found: &[Found]) -> Lock {
        let mut packages: Vec<Locked> = found.iter().map(Locked::of).collect();
        packages.sort();
        Lock { packages }
    }

    /// The lock of a folder, where it has one.
    ///
    /// # Errors
    /// When it cannot be read as a lock.
    pub fn read(folder: &Path) -> Result<Option<Lock>, Mishap> {
        let path = folder.join(LOCK_FILE);
        let mishap = |cause: String| Mishap::File { name: path.display().to_string(), cause };
        match std::fs::read_to_string(&path) {
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Mishap::unread(&path.display().to_string(), &cause)),
            Ok(text) => match serde_json::from_str(&text) {
                Ok(lock) => Ok(Some(lock)),
                Err(cause) => Err(mishap(format!("it is no lock ({cause}); `stile packages lock` writes it anew"))),
            },
        }
    }

    /// Writes the lock into a folder: whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        let unfinished = folder.join(format!(".{LOCK_FILE}.new"));
        let mut file = File::create(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(unfinished, folder.join(LOCK_FILE))
    }

    /// In what packages differ from how they were locked.
    pub fn differences(&self, now: &Lock) -> Vec<Difference> {
        let mut differences = Vec::new();
        for locked in &self.packages {
            match now.packages.iter().find(|one| one.file == locked.file) {
                None => differences.push(Difference::Missing(locked.clone())),
                Some(one) if one != locked => differences.push(Difference::Changed(locked.clone(), one.clone())),
                Some(_) => {}
            }
        }
        let is_new = |one: &&Locked| !self.packages.iter().any(|locked| locked.file == one.file);
        differences.extend(now.packages.iter().filter(is_new).cloned().map(Difference::Added));
        differences
    }
}

impl Locked {
    fn of(found: &Found) -> Locked {
        Locked {
            name: found.package.name.clone(),
            version: found.package.version.clone(),
            file: name_of(&found.from),
            sha256: found.package.hash(),
        }
    }
}

impl Difference {
    /// As what keeps a start from going on.
    pub fn mishap(&self, folder: &Path) -> Mishap {
        const WAY_OUT: &str = "look at it, and run `stile packages lock` when it is meant";
        let short = |hash: &str| hash.chars().take(12).collect::<String>();
        let (file, cause) = match self {
            Difference::Added(one) => {
                (&one.file, format!("{} {} is not in {LOCK_FILE}; {WAY_OUT}", one.name, one.version))
            }
            Difference::Missing(one) => (
                &one.file,
                format!("{} {} is in {LOCK_FILE} and is not there; put it back, or {WAY_OUT}", one.name, one.version),
            ),
            Difference::Changed(then, now) => (
                &then.file,
                format!(
                    "the package changed since it was locked: {} {} with the hash {}… then, {} {} with {}… now; put it \
                     back, or {WAY_OUT}",
                    then.name,
                    then.version,
                    short(&then.sha256),
                    now.name,
                    now.version,
                    short(&now.sha256)
                ),
            ),
        };
        Mishap::File { name: folder.join(file).display().to_string(), cause }
    }
}

/// The name of an archive without its ending.
pub(super) fn archive_stem(name: &str) -> Option<&str> {
    name.strip_suffix(".tgz").or_else(|| name.strip_suffix(".tar.gz"))
}

#[cfg(test)]
mod tests;
