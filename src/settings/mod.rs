//! What a site decides: compiled-in defaults, a settings file over them, the environment over both.
//!
//! [`load`] is pure over texts. It judges the whole before anything starts: each unknown key, each value out of
//! range and each name that nothing bears is told at once, with the key's path and the layer it came from.

mod cross;
mod environment;
mod layers;
mod problem;
mod schema;
mod take;
#[cfg(test)]
mod tests;

pub use problem::{Origin, Problem};
pub use schema::SCHEMA;

use crate::access;
use crate::delivery::Schedule;
use crate::downstream::Secret;
use crate::model::{ChangeKind, OdsCode};
use crate::telemetry::LogFormat;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// The compiled-in defaults with their comments: what `stile serve --print-settings` shows.
pub const DEFAULTS: &str = layers::DEFAULTS;

/// The folder of packages when the site names none; it need not be there.
pub const DEFAULT_PACKAGES_FOLDER: &str = "stile-packages";

/// Everything that a site decides, checked whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where it listens and how it stops.
    pub server: Server,
    /// What one request may cost.
    pub limits: Limits,
    /// Where submissions are kept.
    pub store: Store,
    /// Folder with the FHIR packages that the site adds.
    pub packages_folder: String,
    /// File with the site's own severities, over those that the program carries.
    pub severity_file: Option<String>,
    /// Folder with the site's own mappings.
    pub mapping_folder: Option<String>,
    /// What is logged, and how.
    pub log: Log,
    /// The rules of change requests.
    pub changes: Changes,
    /// How deliveries are sent.
    pub dispatch: Dispatch,
    /// How those who submit speak, by name.
    pub senders: BTreeMap<String, access::Sender>,
    /// Who may ask, by name.
    pub callers: BTreeMap<String, Caller>,
    /// Where change requests and bookings go, by name.
    pub downstreams: BTreeMap<String, Downstream>,
    /// For each organisation, the name of the downstream that acts for it.
    pub organisations: BTreeMap<OdsCode, String>,
    /// What is doubtful and does not keep the gateway from starting: to be logged at the start.
    pub warnings: Vec<Problem>,
}

/// Where the gateway listens and how it stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// What callers write before `/fhir`, without a slash at the end; none means `http://` and the address listened on.
    pub base_url: Option<String>,
    /// Threads that answer requests.
    pub workers: usize,
    /// Milliseconds that requests under way get to finish.
    pub shutdown_ms: u64,
}

/// What one request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// Levels of nesting.
    pub depth_max: usize,
    /// Elements.
    pub nodes_max: usize,
    /// Resources on a page when the caller does not say.
    pub page_count_default: u32,
    /// Resources on a page at most.
    pub page_count_max: u32,
    /// Milliseconds to the answer.
    pub request_ms_max: u64,
}

/// Where submissions are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Folder of the embedded store.
    pub folder: String,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// For people or for collectors.
    pub format: LogFormat,
    /// Levels, per module where it names some.
    pub filter: String,
}

/// The rules of change requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Days ahead from which a date is a placeholder.
    pub placeholder_days: u32,
    /// Age under which a patient is not served.
    pub minimum_age_years: u32,
    /// The time zone whose midnight ends a day.
    pub time_zone: TimeZone,
    /// Where an e-RS booked appointment can be changed.
    pub ers_hand_off_url: String,
}

/// How deliveries are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// Milliseconds for which a delivery that is being sent is held.
    pub lease_ms: i64,
    /// Milliseconds between looks for due deliveries.
    pub idle_ms: u64,
}

/// A system that may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// SHA-256 of its key.
    pub key_sha256: [u8; 32],
    /// Who it is once the key is proved.
    pub caller: access::Caller,
}

/// A system that change requests and bookings go to.
#[derive(Debug, Clone, PartialEq)]
pub struct Downstream {
    /// Its name.
    pub name: String,
    /// The wire.
    pub kind: DownstreamKind,
    /// Its base address, without a slash at the end.
    pub base: String,
    /// What proves us to it.
    pub credential: Credential,
    /// The sender whose variables are used when messages to it are rendered.
    pub sender: String,
    /// Milliseconds to connect.
    pub connect_ms: u64,
    /// Milliseconds for the whole exchange.
    pub total_ms: u64,
    /// When to try again.
    pub schedule: Schedule,
    /// Messages under way at once, at most.
    pub concurrency: usize,
    /// The kinds of change request for which its acceptance counts as applied.
    pub acknowledgement_applies: Vec<ChangeKind>,
    /// Whether loopback and private addresses are allowed.
    pub allow_private: bool,
}

/// The wire to a downstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownstreamKind {
    /// FHIR R4 over REST.
    FhirRest,
}

/// What proves us to a downstream. Files and variables are read by the one who starts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing.
    None,
    /// The text of this file, without white space around it.
    BearerFile(String),
    /// The text of this environment variable.
    BearerEnvironment(String),
    /// This text.
    Bearer(Secret),
}

/// The settings that `environment` makes over `file` (its name and text) over the defaults. `tolerances` are the
/// names that a sender may list. Gives every problem there is, in the order of their paths, or the settings.
pub fn load(
    file: Option<(&str, &str)>,
    environment: impl Iterator<Item = (String, String)>,
    tolerances: &[&str],
) -> Result<Settings, Vec<Problem>> {
    let mut problems = Vec::new();
    let read_file = match file {
        None => None,
        Some((name, text)) => match layers::read(text) {
            Ok(tree) => Some((name.to_owned(), tree)),
            Err(fault) => {
                return Err(vec![Problem::new("", Origin::File(name.to_owned()), fault)]);
            }
        },
    };
    let known = layers::Layers::lay(read_file.clone(), file.map(|(_, text)| text), Vec::new());
    let known = known.map_err(|problem| vec![problem])?.merged;
    let overrides = environment::read(environment, &known, &mut problems);
    let laid = layers::Layers::lay(read_file, file.map(|(_, text)| text), overrides);
    let layers = laid.map_err(|problem| vec![problem])?;
    schema::check(&layers, &mut problems);
    let mut warnings = Vec::new();
    cross::check(&layers, tolerances, &mut problems, &mut warnings);
    if problems.is_empty() {
        take::take(&layers.merged, warnings).map_err(|problem| vec![problem])
    } else {
        problems.sort_by(|one, other| one.path.cmp(&other.path));
        Err(problems)
    }
}

/// A path of keys as settings are spoken of.
fn dotted(path: &[String]) -> String {
    path.join(".")
}
