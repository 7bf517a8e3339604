//! Files that a command is given: from disk, from standard input (`-`), from folders.

use super::tell;
use crate::fhir::Format;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest input that a command reads, in bytes.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A file that was read.
pub struct Input {
    /// Its name as the person wrote it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its form, by its first character.
    pub format: Format,
}

impl Input {
    /// The text, for excerpts.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Reads every input, folders' `.json` and `.xml` files included. None, told aloud, when one cannot be read.
pub fn read(paths: &[PathBuf]) -> Option<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in paths {
        match read_path(path) {
            Ok(read) if read.is_empty() => {
                tell::fault(&format!("{} holds no .json or .xml file", path.display()));
                return None;
            }
            Ok(read) => inputs.extend(read),
            Err(cause) => {
                tell::fault(&format!("{} cannot be read: {cause}", path.display()));
                return None;
            }
        }
    }
    Some(inputs)
}

fn read_path(path: &Path) -> std::io::Result<Vec<Input>> {
    if path == Path::new("-") {
        return Ok(vec![take("standard input", std::io::stdin().lock())?]);
    }
    if !path.is_dir() {
        return Ok(vec![take(&path.display().to_string(), std::fs::File::open(path)?)?]);
    }
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    files
        .iter()
        .filter(|file| file.extension().is_some_and(|ending| ending == "json" || ending == "xml"))
        .map(|file| take(&file.display().to_string(), std::fs::File::open(file)?))
        .collect()
}

fn take(name: &str, from: impl Read) -> std::io::Result<Input> {
    let mut bytes = Vec::new();
    from.take(BYTES_MAX).read_to_end(&mut bytes)?;
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let format = if first == Some(&b'<') { Format::Xml } else { Format::Json };
    Ok(Input { name: name.to_owned(), bytes, format })
}
