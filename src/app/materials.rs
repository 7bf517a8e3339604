//! Definitions, mappings, tables and schemas: read from the program itself and from the site's folders, compiled once.
//!
//! The program carries `profiles/` and `mappings/`, so that one file is all a site installs. A site's mapping of the
//! same name takes the place of the one inside; a site's package stands beside R4.

use super::packages::{self, Found, Lock};
use crate::issue::nearest;
use crate::mapping::{self, Library, Source};
use crate::profile::{self, Catalogue, FileText, Package, Profiles};
use crate::settings::{DEFAULT_PACKAGES_FOLDER, Settings};
use include_dir::{Dir, include_dir};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

static PROFILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/profiles");
static MAPPINGS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/mappings");

/// Everything that is compiled at start, as text.
#[derive(Debug, Default)]
pub struct Materials {
    /// FHIR packages.
    pub packages: Vec<Package>,
    /// Where each package comes from; none for what the program carries.
    pub origins: Vec<Option<PathBuf>>,
    /// The site's severities.
    pub severities: Option<Source>,
    /// The profiles that senders' resources must fit: the sender's name and the canonical url of each.
    pub demanded: Vec<(String, String)>,
    /// Mapping files (`.yaml`).
    pub mappings: Vec<Source>,
    /// Their manuals (`.md`).
    pub manuals: Vec<Source>,
    /// Code tables (`tables/*.csv`).
    pub tables: Vec<Source>,
    /// JSON Schemas of the canonical model.
    pub schemas: Vec<Source>,
}

/// Something that could not be read or compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    /// A file or folder that is not there, or that the system does not let us read.
    Unread {
        /// Which.
        name: String,
        /// Why.
        cause: String,
    },
    /// A file or folder whose content is wrong.
    File {
        /// Which.
        name: String,
        /// Why.
        cause: String,
    },
    /// A definition.
    Profile(profile::Problem),
    /// A mapping, table or schema.
    Mapping(Box<mapping::Problem>),
}

impl Mishap {
    pub(super) fn unread(name: &str, cause: &std::io::Error) -> Mishap {
        Mishap::Unread { name: name.to_owned(), cause: cause.to_string() }
    }
}

impl std::fmt::Display for Mishap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Mishap::Unread { name, cause } | Mishap::File { name, cause } => write!(f, "{name}: {cause}"),
            Mishap::Profile(problem) => write!(f, "{problem}"),
            Mishap::Mapping(problem) => write!(f, "{problem}"),
        }
    }
}

/// What judges and maps.
pub struct Engine {
    /// Compiled definitions.
    pub profiles: Profiles,
    /// Compiled mappings.
    pub library: Library,
}

impl Materials {
    /// What the program carries, and the site's own folders.
    ///
    /// # Errors
    /// Every folder and file that cannot be read.
    pub fn read(settings: &Settings) -> Result<Materials, Vec<Mishap>> {
        let mut materials = Materials::carried();
        let mut mishaps = Vec::new();
        match read_locked(Path::new(&settings.packages_folder)) {
            Ok(found) => materials.take(found),
            Err(found) => mishaps.extend(found),
        }
        if let Some(name) = &settings.severity_file {
            match std::fs::read_to_string(name) {
                Ok(text) => materials.severities = Some(Source { name: name.clone(), text }),
                Err(cause) => mishaps.push(Mishap::unread(&severity_name(name), &cause)),
            }
        }
        if let Some(folder) = settings.mapping_folder.as_deref()
            && let Err(mishap) = materials.read_mappings(Path::new(folder))
        {
            mishaps.push(mishap);
        }
        for (name, sender) in &settings.senders {
            materials.demanded.extend(sender.profiles.iter().map(|url| (name.clone(), url.clone())));
        }
        if mishaps.is_empty() { Ok(materials) } else { Err(mishaps) }
    }

    /// Adds packages that the settings do not name, after those that they do.
    ///
    /// # Errors
    /// Each that cannot be read.
    pub fn add(&mut self, paths: &[PathBuf]) -> Result<(), Vec<Mishap>> {
        let mut mishaps = Vec::new();
        for path in paths {
            match packages::read_package(path) {
                Ok(package) => self.take(vec![Found { package, from: path.clone() }]),
                Err(mishap) => mishaps.push(mishap),
            }
        }
        if mishaps.is_empty() { Ok(()) } else { Err(mishaps) }
    }

    /// Takes packages that have been read, after those that are there.
    pub fn take(&mut self, found: Vec<Found>) {
        for Found { package, from } in found {
            self.packages.push(package);
            self.origins.push(Some(from));
        }
    }

    /// What the program carries.
    pub fn carried() -> Materials {
        let mut materials = Materials::default();
        for folder in PROFILES.dirs() {
            let name = file_name(folder.path());
            if name == "canonical" {
                materials.schemas = texts(folder, ".schema.json");
            } else {
                let files = texts(folder, ".json").into_iter().map(|source| (source.name, source.text)).collect();
                materials.packages.push(Package::of_files(&name, files));
                materials.origins.push(None);
            }
        }
        materials.mappings = texts(&MAPPINGS, ".yaml");
        materials.manuals = texts(&MAPPINGS, ".md");
        if let Some(tables) = MAPPINGS.get_dir("tables") {
            carried_tables(tables, &mut materials.tables);
        }
        materials
    }

    /// The definitions of all packages, to be read. What the program carries stays where it stands.
    pub fn catalogue(&self) -> Catalogue {
        let carried: HashMap<&str, &'static str> = PROFILES
            .dirs()
            .flat_map(|folder| folder.files())
            .filter_map(|file| Some((file.path().file_name()?.to_str()?, file.contents_utf8()?)))
            .collect();
        let lasting = |name: &str, text: &str| carried.get(name).copied().filter(|there| *there == text);
        let texts = self.packages.iter().zip(&self.origins).flat_map(|(package, origin)| {
            let lasting = &lasting;
            package.files.iter().map(move |(name, text)| match lasting(name, text).filter(|_| origin.is_none()) {
                Some(text) => (name.as_str(), FileText::Lasting(text)),
                None => (name.as_str(), FileText::Passing(text)),
            })
        });
        Catalogue::of_files(texts)
    }

    fn read_mappings(&mut self, folder: &Path) -> Result<(), Mishap> {
        put_over(&mut self.mappings, read_files(folder, ".yaml")?);
        put_over(&mut self.manuals, read_files(folder, ".md")?);
        if folder.join("tables").is_dir() {
            put_over(&mut self.tables, read_tables(folder, "tables", 0)?);
        }
        Ok(())
    }

    /// Compiles it all.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn compile(&self) -> Result<Engine, Vec<Mishap>> {
        let as_mishaps =
            |problems: Vec<profile::Problem>| problems.into_iter().map(Mishap::Profile).collect::<Vec<_>>();
        let mut profiles = Profiles::compile(&self.packages).map_err(as_mishaps)?;
        if let Some(site) = &self.severities {
            profiles.lay_severities(&severity_name(&site.name), &site.text).map_err(as_mishaps)?;
        }
        self.demands_are_loaded(&profiles)?;
        let library = Library::compile(&self.mappings, &self.tables, &self.schemas, &profiles.elements()).map_err(
            |problems| problems.into_iter().map(|problem| Mishap::Mapping(Box::new(problem))).collect::<Vec<_>>(),
        )?;
        Ok(Engine { profiles, library })
    }

    /// What a sender's resources must fit is there: held against nothing they would all pass.
    fn demands_are_loaded(&self, profiles: &Profiles) -> Result<(), Vec<Mishap>> {
        let missing = self.demanded.iter().filter(|(_, url)| profiles.profile(url).is_none());
        let mishaps: Vec<Mishap> = missing
            .map(|(sender, url)| {
                let near = nearest(url, profiles.profiles().map(|loaded| loaded.url));
                let way_out = match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => "add the package that has it: stile packages add FILE.tgz".to_owned(),
                };
                Mishap::File {
                    name: format!("the setting senders.{sender}.profiles"),
                    cause: format!("no loaded package has the profile {url}; {way_out}"),
                }
            })
            .collect();
        if mishaps.is_empty() { Ok(()) } else { Err(mishaps) }
    }
}

/// The site's severities, by the setting that names their file.
fn severity_name(file: &str) -> String {
    format!("[check] severity_file {file}")
}

/// Levels of folders below `tables` that are looked into.
const TABLE_DEPTH_MAX: usize = 4;

/// A site's file of the same name takes the place of the one that is carried.
fn put_over(shelf: &mut Vec<Source>, files: Vec<(String, String)>) {
    for (name, text) in files {
        shelf.retain(|carried| carried.name != name);
        shelf.push(Source { name, text });
    }
}

/// Code tables stand in folders of their own, and are called by their path: `consultation-medium/pca`.
fn carried_tables(folder: &Dir<'static>, tables: &mut Vec<Source>) {
    for table in texts(folder, ".csv") {
        tables.push(Source { name: format!("{}/{}", folder.path().display(), table.name), text: table.text });
    }
    for inner in folder.dirs() {
        carried_tables(inner, tables);
    }
}

fn read_tables(root: &Path, below: &str, depth: usize) -> Result<Vec<(String, String)>, Mishap> {
    let folder = root.join(below);
    let mut files: Vec<(String, String)> =
        read_files(&folder, ".csv")?.into_iter().map(|(name, text)| (format!("{below}/{name}"), text)).collect();
    let entries = std::fs::read_dir(&folder).map_err(|cause| Mishap::unread(&folder.display().to_string(), &cause))?;
    for entry in entries.flatten().filter(|entry| entry.path().is_dir() && depth < TABLE_DEPTH_MAX) {
        files.extend(read_tables(root, &format!("{below}/{}", file_name(&entry.path())), depth + 1)?);
    }
    Ok(files)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn texts(folder: &Dir<'static>, ending: &str) -> Vec<Source> {
    let mut sources: Vec<Source> = folder
        .files()
        .filter(|file| file_name(file.path()).ends_with(ending))
        .filter_map(|file| Some(Source { name: file_name(file.path()), text: file.contents_utf8()?.to_owned() }))
        .collect();
    sources.sort_by(|one, other| one.name.cmp(&other.name));
    sources
}

/// The site's packages, which must stand as they were locked, where they were.
fn read_locked(folder: &Path) -> Result<Vec<Found>, Vec<Mishap>> {
    if !folder.is_dir() && folder != Path::new(DEFAULT_PACKAGES_FOLDER) {
        let cause = "there is no such folder; see [packages] folder in the settings".to_owned();
        return Err(vec![Mishap::Unread { name: folder.display().to_string(), cause }]);
    }
    let found = packages::read_site(folder)?;
    let Some(lock) = Lock::read(folder).map_err(|mishap| vec![mishap])? else { return Ok(found) };
    let differences = lock.differences(&Lock::of(&found));
    if differences.is_empty() {
        Ok(found)
    } else {
        Err(differences.iter().map(|difference| difference.mishap(folder)).collect())
    }
}

fn read_files(folder: &Path, ending: &str) -> Result<Vec<(String, String)>, Mishap> {
    let mishap = |path: &Path, cause: std::io::Error| Mishap::unread(&path.display().to_string(), &cause);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|cause| mishap(folder, cause))? {
        let path = entry.map_err(|cause| mishap(folder, cause))?.path();
        let name = file_name(&path);
        if path.is_file() && name.ends_with(ending) {
            files.push((name, std::fs::read_to_string(&path).map_err(|cause| mishap(&path, cause))?));
        }
    }
    files.sort();
    Ok(files)
}
