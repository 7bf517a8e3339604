//! FHIR packages on disk: archives, unpacked folders, single files, and the lock that says how they stood.
//!
//! Nothing is fetched from anywhere, and nothing of an archive is written to disk: its entries are read, within bounds,
//! into texts.

use super::Mishap;
use crate::profile::Package;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

/// Bytes that an archive may unpack to. R4's own definitions in full have about 100 MB.
const UNPACKED_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Bytes of one file. The largest that is published, a Bundle of all of R4's profiles, has about 30 MB.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Files and folders of a package.
const ENTRY_COUNT_MAX: usize = 50_000;
/// Levels of folders that are looked into.
const DEPTH_MAX: usize = 4;
/// Folders of a package whose files define nothing that is judged by.
const PASSED_OVER: &[&str] = &["examples", "example", "other", "openapi", "tests", "node_modules"];

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

/// Reads a package: a `.tgz`, a folder, or a single file with a definition or a Bundle of them.
///
/// # Errors
/// When it cannot be read, is larger than a package may be, or holds no file that may define something.
pub fn read_package(path: &Path) -> Result<Package, Mishap> {
    let mishap = |cause: String| Mishap::File { name: path.display().to_string(), cause };
    let name = name_of(path);
    let (stem, files) = if path.is_dir() {
        let mut files = Vec::new();
        // A package as published has its files in a folder `package`.
        let inner = path.join("package");
        let root = if inner.is_dir() { inner } else { path.to_owned() };
        read_folder(&root, "", 0, &mut files).map_err(mishap)?;
        (name.as_str(), files)
    } else {
        let file = File::open(path).map_err(|cause| Mishap::unread(&path.display().to_string(), &cause))?;
        match archive_stem(&name) {
            Some(stem) => (stem, read_archive(file).map_err(mishap)?),
            None if is_definition_file(&name) => {
                (name.as_str(), vec![(name.clone(), read_text(file).map_err(mishap)?)])
            }
            None => {
                return Err(mishap("a package is a .tgz, a folder, or a .json or .xml file with definitions".into()));
            }
        }
    };
    if !files.iter().any(|(name, _)| name != "package.json") {
        return Err(mishap("it holds no .json or .xml file with a definition".into()));
    }
    Ok(Package::of_files(stem, files))
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

// ---- reading

fn read_archive(file: File) -> Result<Vec<(String, String)>, String> {
    let bounded = Bounded { inner: flate2::read::MultiGzDecoder::new(file), left: UNPACKED_BYTES_MAX };
    let mut archive = tar::Archive::new(bounded);
    let mut files: Vec<(String, String)> = Vec::new();
    for (number, entry) in archive.entries().map_err(|cause| cause.to_string())?.enumerate() {
        let entry = entry.map_err(|cause| format!("it is no .tgz that can be read: {cause}"))?;
        if number >= ENTRY_COUNT_MAX {
            return Err(format!("it has more than {ENTRY_COUNT_MAX} entries"));
        }
        let path = entry.path().map_err(|cause| cause.to_string())?.into_owned();
        if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err("it has an entry whose path leads out of it".into());
        }
        let Some(name) = path.to_str() else { continue };
        let name = name.strip_prefix("./").unwrap_or(name);
        let name = name.strip_prefix("package/").unwrap_or(name).to_owned();
        if !entry.header().entry_type().is_file() || !is_wanted(&name) {
            continue;
        }
        if name.chars().any(char::is_control) {
            return Err("it has an entry whose name holds control characters".into());
        }
        let text = read_text(entry).map_err(|cause| format!("{name}: {cause}"))?;
        files.push((name, text));
    }
    Ok(files)
}

fn read_folder(root: &Path, below: &str, depth: usize, files: &mut Vec<(String, String)>) -> Result<(), String> {
    let folder = root.join(below);
    let entries = std::fs::read_dir(&folder).map_err(|cause| format!("{below}: {cause}"))?;
    for entry in entries {
        let path = entry.map_err(|cause| cause.to_string())?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let name = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if path.is_dir() {
            if depth < DEPTH_MAX && is_looked_into(&name) {
                read_folder(root, &name, depth + 1, files)?;
            }
        } else if is_wanted(&name) {
            if files.len() >= ENTRY_COUNT_MAX {
                return Err(format!("it has more than {ENTRY_COUNT_MAX} files"));
            }
            let file = File::open(&path).map_err(|cause| format!("{name}: {cause}"))?;
            let text = read_text(file).map_err(|cause| format!("{name}: {cause}"))?;
            files.push((name, text));
        }
    }
    Ok(())
}

fn read_text(from: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    from.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|cause| cause.to_string())?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("it has more than {FILE_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not text in UTF-8".into())
}

/// Whether the file of this path below a package's root is read.
fn is_wanted(name: &str) -> bool {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    is_definition_file(file) && !file.starts_with('.') && (folder.is_empty() || is_looked_into(folder))
}

fn is_looked_into(folder: &str) -> bool {
    folder.split('/').all(|part| !part.starts_with('.') && !PASSED_OVER.contains(&part))
}

fn is_definition_file(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ending.eq_ignore_ascii_case("json") || ending.eq_ignore_ascii_case("xml")
}

/// The name of an archive without its ending.
pub(super) fn archive_stem(name: &str) -> Option<&str> {
    name.strip_suffix(".tgz").or_else(|| name.strip_suffix(".tar.gz"))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A reader that fails where it would give more than it may: an archive of a few kilobytes can unpack to gigabytes.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| std::io::Error::other(format!("it unpacks to more than {UNPACKED_BYTES_MAX} bytes")))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
