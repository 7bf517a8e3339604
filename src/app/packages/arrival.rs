//! A package on its way into the site's folder: read once, so that what was compiled is what is written and locked.

use super::super::Mishap;
use super::reading::{self, BOUNDS, Kind, is_definition_file, name_of};
use super::{Found, archive_stem};
use crate::profile::Package;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A package that is to be added.
#[derive(Debug)]
pub struct Arrival {
    /// What it holds. A single file has the name here that it will have in the folder.
    pub package: Package,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// The archive's own bytes.
    Archive(Vec<u8>),
    Folder,
    File,
}

impl Arrival {
    /// Reads a package as [`super::read_package`] does, and keeps what is to be written.
    ///
    /// # Errors
    /// When it cannot be read, or its name or that of its definition makes no file name.
    pub fn read(path: &Path) -> Result<Arrival, Mishap> {
        let mishap = |cause: String| Mishap::File { name: path.display().to_string(), cause };
        let (files, form) = match reading::kind(path)? {
            Kind::Folder => (reading::read_folder(path, &BOUNDS).map_err(mishap)?, Form::Folder),
            Kind::Archive => {
                let file = reading::open(path)?;
                let bytes = reading::read_bytes(file, BOUNDS.bytes_max).map_err(mishap)?;
                (reading::read_archive(bytes.as_slice(), &BOUNDS).map_err(mishap)?, Form::Archive(bytes))
            }
            Kind::File => {
                let file = reading::open(path)?;
                (reading::read_file(&name_of(path), file).map_err(mishap)?, Form::File)
            }
        };
        let package = reading::package(path, files).map_err(mishap)?;
        let mut arrival = Arrival { package, form };
        if let Form::File = arrival.form {
            arrival.name_after_definition(&name_of(path)).map_err(mishap)?;
        }
        Ok(arrival)
    }

    /// Many vendors call their file `definition.json`; in the folder it is called by what it defines. One that holds several
    /// definitions keeps its name.
    fn name_after_definition(&mut self, own: &str) -> Result<(), String> {
        let ending = own.rsplit_once('.').map_or("json", |(_, ending)| ending).to_ascii_lowercase();
        let definitions = self.package.definitions();
        let name = match definitions.as_slice() {
            [only] => {
                let of_url = || only.url.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
                let id = if only.id.is_empty() { of_url() } else { only.id.clone() };
                format!("{}-{id}.{ending}", only.resource_type)
            }
            _ => own.to_owned(),
        };
        if !is_sound(&name) {
            return Err(format!(
                "neither its name nor the id or url of its definition makes a file name; {SOUND}, and it may not begin \
                 with a dot"
            ));
        }
        for (file, _) in &mut self.package.files {
            file.clone_from(&name);
        }
        self.package.name = name;
        Ok(())
    }

    /// What it is called in the folder; none when name and version in its own manifest do not make a file name: they come
    /// from outside, so they are not trusted to.
    pub fn file_name(&self) -> Option<String> {
        let ending = match self.form {
            Form::File => return Some(self.package.name.clone()),
            Form::Archive(_) => ".tgz",
            Form::Folder => "",
        };
        let (name, version) = (&self.package.name, &self.package.version);
        (is_sound(name) && is_sound(version)).then(|| format!("{name}-{version}{ending}"))
    }

    /// Whether it takes the place of `found`: a package that of the same name, a single file one with no definition that
    /// it does not have itself.
    pub fn replaces(&self, found: &Found) -> bool {
        let name = name_of(&found.from);
        let is_file = archive_stem(&name).is_none() && is_definition_file(&name) && !found.from.is_dir();
        match self.form {
            Form::Archive(_) | Form::Folder => !is_file && found.package.name == self.package.name,
            Form::File => {
                let own = self.package.definitions();
                let old = found.package.definitions();
                let is_own = |url: &str| !url.is_empty() && own.iter().any(|one| one.url == url);
                is_file && !old.is_empty() && old.iter().all(|one| is_own(&one.url))
            }
        }
    }

    /// Writes it: an archive as it came, of a folder what was read of it. What stands at `to` is whole at every time: it is
    /// written beside and then renamed. A folder cannot be renamed over another; there the old one is first renamed to
    /// `.NAME.old`, is put back when the new one cannot be, and is all that stands there when the machine stops between the two
    /// (the lock then tells that the package is missing).
    ///
    /// # Errors
    /// When the disk does not let it.
    pub fn write(&self, to: &Path) -> std::io::Result<()> {
        let folder = to.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let beside = |ending: &str| folder.join(format!(".{}.{ending}", name_of(to)));
        let unfinished = beside("new");
        remove(&unfinished)?;
        let done = self.write_beside(&unfinished).and_then(|()| swap(&unfinished, to, &beside("old")));
        if done.is_err() {
            // The first cause is the one to tell.
            let _ = remove(&unfinished);
        }
        done
    }

    fn write_beside(&self, unfinished: &Path) -> std::io::Result<()> {
        match &self.form {
            Form::Archive(bytes) => write_file(unfinished, bytes),
            Form::File => self.package.files.iter().try_for_each(|(_, text)| write_file(unfinished, text.as_bytes())),
            Form::Folder => self.package.files.iter().try_for_each(|(name, text)| {
                let file: PathBuf = unfinished.join("package").join(name);
                std::fs::create_dir_all(file.parent().unwrap_or(unfinished))?;
                write_file(&file, text.as_bytes())
            }),
        }
    }
}

const SOUND: &str = "it may hold letters, digits, `.`, `_` and `-`";

/// Whether text from outside may be part of a file's name.
fn is_sound(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !text.is_empty() && !text.starts_with('.') && text.len() <= 128 && text.chars().all(is_plain)
}

fn write_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts `new` where `to` is.
fn swap(new: &Path, to: &Path, old: &Path) -> std::io::Result<()> {
    if !to.is_dir() {
        return std::fs::rename(new, to);
    }
    remove(old)?;
    std::fs::rename(to, old)?;
    if let Err(cause) = std::fs::rename(new, to) {
        std::fs::rename(old, to)?;
        return Err(cause);
    }
    remove(old)
}

/// Removes what lies there, if anything does.
fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(cause),
        Ok(lies_there) if lies_there.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
    }
}
