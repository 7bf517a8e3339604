//! Files that a command is given: from disk, from standard input (`-`), from folders, line by line from NDJSON.

use super::tell;
use crate::fhir::{Format, Limits};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The largest resource that a command reads, in bytes.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// Levels of folders that are looked into.
const DEPTH_MAX: usize = 32;

/// What a command's inputs may cost to read: more than a gateway allows, since nobody else waits.
pub const LIMITS: Limits = Limits { bytes_max: BYTES_MAX, depth_max: 64, nodes_max: 5_000_000, issues_max: 200 };

/// A resource that was read.
pub struct Input {
    /// The file's name as the person wrote it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its form, by its first character.
    pub format: Format,
    /// The line of the file on which it begins: 1, but in NDJSON.
    pub first_line: u32,
}

/// A file that is to be read.
pub enum Source {
    /// What comes in at the command's own input.
    StandardInput,
    /// A file on disk.
    File(PathBuf),
}

impl Input {
    /// The text, for excerpts.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn new(name: &str, bytes: Vec<u8>, first_line: u32) -> Self {
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        let format = if first == Some(&b'<') { Format::Xml } else { Format::Json };
        Input { name: name.to_owned(), bytes, format, first_line }
    }
}

impl Source {
    /// The name as the person wrote it.
    pub fn name(&self) -> String {
        match self {
            Source::StandardInput => "standard input".into(),
            Source::File(path) => path.display().to_string(),
        }
    }

    /// Reads it and hands over each resource in it: one, or one for each line of an `.ndjson` file.
    ///
    /// # Errors
    /// When it cannot be read; what was handed over before counts.
    pub fn each(&self, mut take: impl FnMut(Input)) -> std::io::Result<()> {
        let name = self.name();
        match self {
            Source::StandardInput => take(Input::new(&name, read_bounded(std::io::stdin().lock())?, 1)),
            Source::File(path) if is_ndjson(path) => {
                let mut reader = BufReader::new(std::fs::File::open(path)?);
                for number in 1.. {
                    let mut line = Vec::new();
                    // One byte more than may be, so that a longer line is refused for its length.
                    if reader.by_ref().take(BYTES_MAX as u64 + 1).read_until(b'\n', &mut line)? == 0 {
                        break;
                    }
                    if !line.trim_ascii().is_empty() {
                        take(Input::new(&name, line, number));
                    }
                }
            }
            Source::File(path) => take(Input::new(&name, read_bounded(std::fs::File::open(path)?)?, 1)),
        }
        Ok(())
    }
}

/// The files that `paths` name: folders' `.json`, `.xml` and `.ndjson` files, also of folders below. None, told aloud,
/// when there is one that is not there or a folder without a file.
pub fn list(paths: &[PathBuf]) -> Option<Vec<Source>> {
    let mut sources = Vec::new();
    for path in paths {
        let before = sources.len();
        if let Err(cause) = list_path(path, &mut sources) {
            tell::fault(&format!("{} cannot be read: {cause}", path.display()));
            return None;
        }
        if sources.len() == before {
            tell::fault(&format!("{} holds no .json, .xml or .ndjson file", path.display()));
            return None;
        }
    }
    Some(sources)
}

/// Reads every input. None, told aloud, when one cannot be read.
pub fn read(paths: &[PathBuf]) -> Option<Vec<Input>> {
    let mut inputs = Vec::new();
    for source in list(paths)? {
        if let Err(cause) = source.each(|input| inputs.push(input)) {
            tell::fault(&format!("{} cannot be read: {cause}", source.name()));
            return None;
        }
    }
    Some(inputs)
}

fn list_path(path: &Path, sources: &mut Vec<Source>) -> std::io::Result<()> {
    if path == Path::new("-") {
        sources.push(Source::StandardInput);
    } else if std::fs::metadata(path)?.is_dir() {
        list_folder(path, 0, sources)?;
    } else {
        sources.push(Source::File(path.to_owned()));
    }
    Ok(())
}

fn list_folder(folder: &Path, depth: usize, sources: &mut Vec<Source>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        // A link to a folder is not followed: it may lead round in a circle.
        if entry.file_type()?.is_dir() {
            if depth < DEPTH_MAX {
                list_folder(&path, depth + 1, sources)?;
            }
        } else if is_resource_file(&path) && path.is_file() {
            sources.push(Source::File(path));
        }
    }
    Ok(())
}

fn is_resource_file(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ["json", "xml", "ndjson"].iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn is_ndjson(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("ndjson"))
}

fn read_bounded(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than may be, so that what is larger is refused for its size and not for ending in the middle.
    from.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
