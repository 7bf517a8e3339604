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
    /// In NDJSON the line of the file that it is.
    pub line: Option<u32>,
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

    /// The line of the file on which it begins.
    pub fn first_line(&self) -> u32 {
        self.line.unwrap_or(1)
    }

    /// The file's name, in NDJSON with the line.
    pub fn title(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.name),
            None => self.name.clone(),
        }
    }

    fn new(name: &str, bytes: Vec<u8>, line: Option<u32>) -> Self {
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        let format = if first == Some(&b'<') { Format::Xml } else { Format::Json };
        Input { name: name.to_owned(), bytes, format, line }
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

    /// Reads it and hands over each resource in it: one, or one for each line of an `.ndjson` file and of a standard
    /// input that begins like one.
    ///
    /// # Errors
    /// When it cannot be read; what was handed over before counts.
    pub fn each(&self, mut take: impl FnMut(Input)) -> std::io::Result<()> {
        let name = self.name();
        match self {
            Source::StandardInput => each_of_stream(&name, std::io::stdin().lock(), take)?,
            Source::File(path) if is_ndjson(path) => {
                each_line(&name, BufReader::new(std::fs::File::open(path)?), take)?;
            }
            Source::File(path) => take(Input::new(&name, read_bounded(std::fs::File::open(path)?)?, None)),
        }
        Ok(())
    }
}

/// Hands over what stands on each line that is not empty.
fn each_line(name: &str, mut reader: impl BufRead, mut take: impl FnMut(Input)) -> std::io::Result<()> {
    for number in 1.. {
        let mut line = Vec::new();
        // One byte more than may be, so that a longer line is refused for its length.
        if reader.by_ref().take(BYTES_MAX as u64 + 1).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        // What ends too early is told at the end of its own line, and not on a next one.
        line.truncate(line.trim_ascii_end().len());
        if !line.is_empty() {
            take(Input::new(name, line, Some(number)));
        }
    }
    Ok(())
}

/// Hands over what comes in without a name to tell its form by. Where the first two lines that are not empty each begin
/// with `{`, it is NDJSON: no single resource begins so.
fn each_of_stream(name: &str, mut reader: impl BufRead, mut take: impl FnMut(Input)) -> std::io::Result<()> {
    let mut lead = Vec::new();
    let mut object_count = 0;
    while object_count < 2 {
        let start = lead.len();
        let room = (BYTES_MAX + 1).saturating_sub(start) as u64;
        if reader.by_ref().take(room).read_until(b'\n', &mut lead)? == 0 {
            break;
        }
        let line = lead.get(start..).unwrap_or_default();
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
        match line.first() {
            None => {}
            Some(b'{') => object_count += 1,
            Some(_) => break,
        }
    }
    let whole = std::io::Cursor::new(lead).chain(reader);
    if object_count == 2 {
        return each_line(name, whole, take);
    }
    take(Input::new(name, read_bounded(whole)?, None));
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read_stream(text: &str) -> Vec<(Option<u32>, String)> {
        let mut taken = Vec::new();
        each_of_stream("-", text.as_bytes(), |input| taken.push((input.line, input.text()))).unwrap();
        taken
    }

    #[test]
    fn a_stream_is_ndjson_when_two_lines_begin_an_object_and_one_resource_otherwise() {
        for (text, lines) in [
            ("{\"a\":1}\n{\"b\":2}\n", &[(1, "{\"a\":1}"), (2, "{\"b\":2}")][..]),
            ("\u{feff}{}\r\n\r\n  {\"b\":\n{}", &[(1, "\u{feff}{}"), (3, "  {\"b\":"), (4, "{}")]),
            ("{}\n{}\n<a/>\n", &[(1, "{}"), (2, "{}"), (3, "<a/>")]),
        ] {
            let wanted: Vec<_> = lines.iter().map(|(line, text)| (Some(*line), (*text).to_owned())).collect();
            assert_eq!(read_stream(text), wanted, "{text:?}");
        }
        for text in
            ["", "{}", "{}\n\n", "{\n\"a\": {\n}\n}\n", "{\n  \"a\": 1\n}\n{}", "<a>\n{\n{\n</a>", "[\n{},\n{}]"]
        {
            assert_eq!(read_stream(text), [(None, text.to_owned())], "{text:?}");
        }
    }
}
