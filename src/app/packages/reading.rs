//! Packages into texts: of an archive and of the same unpacked the same files, within the same bounds.

use super::super::Mishap;
use super::archive_stem;
use crate::profile::Package;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

/// What a package may be to be read.
pub(super) struct Bounds {
    /// Bytes that it may have, unpacked.
    pub(super) bytes_max: u64,
    /// Bytes of one file.
    pub(super) file_bytes_max: u64,
    /// Files and folders.
    pub(super) entry_count_max: usize,
    /// Folders within one another.
    pub(super) depth_max: usize,
}

/// R4's own definitions in full have about 100 MB; the largest file that is published, a Bundle of all of R4's profiles,
/// about 30 MB.
pub(super) const BOUNDS: Bounds =
    Bounds { bytes_max: 512 * 1024 * 1024, file_bytes_max: 64 * 1024 * 1024, entry_count_max: 50_000, depth_max: 8 };

/// Folders of a package whose files define nothing that is judged by.
const PASSED_OVER: &[&str] = &["examples", "example", "other", "openapi", "tests", "node_modules"];

/// The folder that a package as published has its files in. Where there is one, nothing beside it is read.
const INNER: &str = "package";

/// Name below the package's root, and text, of each file that is read.
type Files = BTreeMap<String, String>;

/// What a package comes as.
pub(super) enum Kind {
    Archive,
    Folder,
    File,
}

/// Reads a package: a `.tgz`, a folder, or a single file with a definition or a Bundle of them.
///
/// # Errors
/// When it cannot be read, is larger than a package may be, or holds no file that may define something.
pub fn read_package(path: &Path) -> Result<Package, Mishap> {
    let mishap = |cause: String| Mishap::File { name: path.display().to_string(), cause };
    let files = match kind(path)? {
        Kind::Folder => read_folder(path, &BOUNDS),
        Kind::Archive => read_archive(open(path)?, &BOUNDS),
        Kind::File => read_file(&name_of(path), open(path)?),
    };
    package(path, files.map_err(mishap)?).map_err(mishap)
}

/// The package of these files, called after `path` where it does not say itself what it is called.
pub(super) fn package(path: &Path, files: Vec<(String, String)>) -> Result<Package, String> {
    if !files.iter().any(|(name, _)| name != "package.json") {
        return Err("it holds no .json or .xml file with a definition".into());
    }
    let name = name_of(path);
    Ok(Package::of_files(archive_stem(&name).unwrap_or(&name), files))
}

/// What lies there. A pipe or a device is told before it is opened: opening one may never return.
pub(super) fn kind(path: &Path) -> Result<Kind, Mishap> {
    let told = |cause: &str| Err(Mishap::File { name: path.display().to_string(), cause: cause.to_owned() });
    if path.file_name().is_some_and(|name| name.to_str().is_none()) {
        return told("its name is not UTF-8");
    }
    let lies_there = std::fs::metadata(path).map_err(|cause| Mishap::unread(&path.display().to_string(), &cause))?;
    let name = name_of(path);
    if lies_there.is_dir() {
        Ok(Kind::Folder)
    } else if !lies_there.is_file() {
        told("it is neither a file nor a folder, and is not opened")
    } else if archive_stem(&name).is_some() {
        Ok(Kind::Archive)
    } else if is_definition_file(&name) {
        Ok(Kind::File)
    } else {
        told("a package is a .tgz, a folder, or a .json or .xml file with definitions")
    }
}

pub(super) fn open(path: &Path) -> Result<File, Mishap> {
    File::open(path).map_err(|cause| Mishap::unread(&path.display().to_string(), &cause))
}

/// The single file of this name.
pub(super) fn read_file(name: &str, from: impl Read) -> Result<Vec<(String, String)>, String> {
    Ok(vec![(name.to_owned(), text(read_bytes(from, BOUNDS.file_bytes_max)?)?)])
}

// ---- archives

/// The files of an archive.
pub(super) fn read_archive(from: impl Read, bounds: &Bounds) -> Result<Vec<(String, String)>, String> {
    let unpacked = flate2::read::MultiGzDecoder::new(from);
    let mut archive = tar::Archive::new(Bounded { inner: unpacked, left: bounds.bytes_max, max: bounds.bytes_max });
    // What lies beside the folder `package` counts only when there is no such folder; so does what is wrong with it.
    let mut inside: Option<Files> = None;
    let mut beside: Result<Files, String> = Ok(Files::new());
    for (number, entry) in archive.entries().map_err(|cause| cause.to_string())?.enumerate() {
        let entry = entry.map_err(|cause| format!("it is no .tgz that can be read: {cause}"))?;
        if number >= bounds.entry_count_max {
            return Err(too_many(bounds));
        }
        let path = entry.path().map_err(|cause| cause.to_string())?.into_owned();
        if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err("it has an entry whose path leads out of it".into());
        }
        let parts: Vec<_> = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let is_inside = match parts.as_slice() {
            [] => continue,
            [only] => only.as_os_str() == INNER && entry.header().entry_type().is_dir(),
            [first, ..] => first.as_os_str() == INNER,
        };
        if is_inside {
            let below = parts.iter().skip(1).collect::<std::path::PathBuf>();
            take(entry, &below, inside.get_or_insert_default(), bounds)?;
        } else if inside.is_none()
            && let Ok(files) = &mut beside
            && let Err(cause) = take(entry, &parts.iter().collect::<std::path::PathBuf>(), files, bounds)
        {
            beside = Err(cause);
        }
    }
    Ok(inside.map_or(beside, Ok)?.into_iter().collect())
}

/// Takes the entry at `path` below the root into `files`, when it is one that is read.
fn take(entry: tar::Entry<'_, impl Read>, path: &Path, files: &mut Files, bounds: &Bounds) -> Result<(), String> {
    let is_folder = entry.header().entry_type().is_dir();
    let lossy = path.to_string_lossy();
    let folder = if is_folder { &*lossy } else { lossy.rsplit_once('/').map_or("", |(folder, _)| folder) };
    if !is_looked_into(folder) {
        return Ok(());
    }
    let name = sound_name(path.as_os_str())?;
    if folder.split('/').count() > bounds.depth_max {
        return Err(too_deep(bounds));
    }
    if is_folder || !is_wanted(name) {
        return Ok(());
    }
    if !entry.header().entry_type().is_file() {
        return Err(not_regular(name));
    }
    let bytes = read_bytes(entry, bounds.file_bytes_max).map_err(|cause| format!("{name}: {cause}"))?;
    let text = text(bytes).map_err(|cause| format!("{name}: {cause}"))?;
    match files.insert(name.to_owned(), text) {
        None => Ok(()),
        Some(_) => Err(format!("it has two entries called {name}")),
    }
}

// ---- folders

/// The files of a folder.
pub(super) fn read_folder(root: &Path, bounds: &Bounds) -> Result<Vec<(String, String)>, String> {
    let inner = root.join(INNER);
    // Not one that a link leads to: that is told below.
    let has_inner = std::fs::symlink_metadata(&inner).is_ok_and(|lies_there| lies_there.is_dir());
    let root = if has_inner { inner } else { root.to_owned() };
    let mut walk = Walk { root: &root, bounds, entry_count: 0, bytes_left: bounds.bytes_max, files: Files::new() };
    walk.folder("", 0)?;
    Ok(walk.files.into_iter().collect())
}

struct Walk<'w> {
    root: &'w Path,
    bounds: &'w Bounds,
    entry_count: usize,
    bytes_left: u64,
    files: Files,
}

impl Walk<'_> {
    /// `depth` is the number of folders that `below` has.
    fn folder(&mut self, below: &str, depth: usize) -> Result<(), String> {
        if depth > self.bounds.depth_max {
            return Err(too_deep(self.bounds));
        }
        let told = |cause: std::io::Error| format!("{below}: {cause}");
        for entry in std::fs::read_dir(self.root.join(below)).map_err(told)? {
            let entry = entry.map_err(told)?;
            self.entry_count += 1;
            if self.entry_count > self.bounds.entry_count_max {
                return Err(too_many(self.bounds));
            }
            let name = entry.file_name();
            let name = sound_name(&name)?;
            let name = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
            // Of the entry itself, not of what a link leads to.
            let kind = entry.file_type().map_err(|cause| format!("{name}: {cause}"))?;
            if kind.is_dir() {
                if is_looked_into(&name) {
                    self.folder(&name, depth + 1)?;
                }
            } else if kind.is_file() {
                if is_wanted(&name) {
                    self.file(name, &entry.path())?;
                }
            } else if is_wanted(&name) || (is_looked_into(&name) && entry.path().is_dir()) {
                return Err(not_regular(&name));
            }
        }
        Ok(())
    }

    fn file(&mut self, name: String, path: &Path) -> Result<(), String> {
        let told = |cause: String| format!("{name}: {cause}");
        let file = File::open(path).map_err(|cause| told(cause.to_string()))?;
        let bytes = read_bytes(file, self.bounds.file_bytes_max).map_err(told)?;
        self.bytes_left =
            self.bytes_left.checked_sub(bytes.len() as u64).ok_or_else(|| too_large(self.bounds.bytes_max))?;
        let text = text(bytes).map_err(told)?;
        self.files.insert(name, text);
        Ok(())
    }
}

// ---- what is read

/// The name of an entry, as it may be told and written.
fn sound_name(name: &std::ffi::OsStr) -> Result<&str, String> {
    let name = name.to_str().ok_or("it has an entry whose name is not UTF-8")?;
    if name.chars().any(char::is_control) {
        return Err("it has an entry whose name holds control characters".into());
    }
    Ok(name)
}

pub(super) fn read_bytes(from: impl Read, bytes_max: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|cause| cause.to_string())?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("it has more than {bytes_max} bytes"));
    }
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "it is not text in UTF-8".into())
}

/// Whether the file of this path below a package's root is read.
fn is_wanted(name: &str) -> bool {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    is_definition_file(file) && !file.starts_with('.') && is_looked_into(folder)
}

fn is_looked_into(folder: &str) -> bool {
    folder.split('/').all(|part| !part.starts_with('.') && !PASSED_OVER.contains(&part))
}

pub(super) fn is_definition_file(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ending.eq_ignore_ascii_case("json") || ending.eq_ignore_ascii_case("xml")
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn too_many(bounds: &Bounds) -> String {
    format!("it has more than {} entries", bounds.entry_count_max)
}

fn too_deep(bounds: &Bounds) -> String {
    format!("it has more than {} folders within one another", bounds.depth_max)
}

fn too_large(bytes_max: u64) -> String {
    format!("it unpacks to more than {bytes_max} bytes")
}

fn not_regular(name: &str) -> String {
    format!("{name} is a link, a pipe or a device and is not read; put the file itself there")
}

/// A reader that fails where it would give more than it may: an archive of a few kilobytes can unpack to gigabytes.
pub(super) struct Bounded<R> {
    pub(super) inner: R,
    pub(super) left: u64,
    pub(super) max: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or_else(|| std::io::Error::other(too_large(self.max)))?;
        Ok(count)
    }
}
