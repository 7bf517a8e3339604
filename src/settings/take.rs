//! The judged tree into types.

use super::{
    Caller, Changes, Credential, Dispatch, Downstream, DownstreamKind, Limits, Log, Origin, Problem, Server, Settings,
    Store,
};
use crate::access::{self, Grant, Interaction};
use crate::delivery::Schedule;
use crate::issue::Rule;
use crate::model::{ChangeKind, OdsCode};
use crate::national::{Contract, Rules, Switch};
use crate::profile::UnknownExtensions;
use crate::telemetry::LogFormat;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds to connect to a downstream when its table does not say; `default.toml` tells it.
pub(super) const CONNECT_MS: u64 = 2_000;
/// Milliseconds for an exchange with a downstream when its table does not say.
pub(super) const TOTAL_MS: u64 = 10_000;
const WAITS_MS: [i64; 9] = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000, 14_400_000, 43_200_000, 86_400_000];
const JITTER: f64 = 0.2;
const CONCURRENCY: usize = 4;

#[derive(Deserialize)]
struct Tree {
    server: ServerTree,
    limits: LimitsTree,
    store: StoreTree,
    packages: PackagesTree,
    #[serde(default)]
    check: CheckTree,
    #[serde(default)]
    mappings: MappingsTree,
    log: LogTree,
    changes: ChangesTree,
    dispatch: DispatchTree,
    #[serde(default)]
    senders: BTreeMap<String, SenderTree>,
    #[serde(default)]
    callers: BTreeMap<String, CallerTree>,
    #[serde(default)]
    downstreams: BTreeMap<String, DownstreamTree>,
    #[serde(default)]
    organisations: BTreeMap<OdsCode, OrganisationTree>,
}

#[derive(Deserialize)]
struct ServerTree {
    listen: std::net::SocketAddr,
    base_url: Option<String>,
    workers: usize,
    shutdown_ms: u64,
}

#[derive(Deserialize)]
struct LimitsTree {
    body_bytes_max: usize,
    depth_max: usize,
    nodes_max: usize,
    page_count_default: u32,
    page_count_max: u32,
    request_ms_max: u64,
}

#[derive(Deserialize)]
struct StoreTree {
    folder: String,
}

#[derive(Deserialize)]
struct PackagesTree {
    folder: String,
}

#[derive(Deserialize, Default)]
struct CheckTree {
    severity_file: Option<String>,
}

#[derive(Deserialize, Default)]
struct MappingsTree {
    folder: Option<String>,
}

#[derive(Deserialize)]
struct LogTree {
    format: LogFormat,
    filter: String,
}

#[derive(Deserialize)]
struct ChangesTree {
    placeholder_days: u32,
    minimum_age_years: u32,
    time_zone: String,
    ers_hand_off_url: String,
}

#[derive(Deserialize)]
struct DispatchTree {
    lease_ms: i64,
    idle_ms: u64,
}

#[derive(Deserialize)]
struct SenderTree {
    organisation: OdsCode,
    #[serde(default)]
    is_pas: bool,
    #[serde(default)]
    tolerances: Vec<String>,
    #[serde(default)]
    profiles: Vec<String>,
    #[serde(default)]
    contract: Vec<String>,
    #[serde(default)]
    rules: BTreeMap<String, String>,
    #[serde(default)]
    unknown_extensions: UnknownExtensions,
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct CallerTree {
    key_sha256: String,
    sender: String,
    resources: BTreeSet<String>,
    interactions: Vec<String>,
    organisations: BTreeSet<OdsCode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KindTree {
    FhirRest,
}

#[derive(Deserialize)]
struct DownstreamTree {
    kind: KindTree,
    base: String,
    bearer: Option<String>,
    bearer_file: Option<String>,
    bearer_env: Option<String>,
    sender: String,
    connect_ms: Option<u64>,
    total_ms: Option<u64>,
    waits_ms: Option<Vec<i64>>,
    jitter: Option<f64>,
    concurrency: Option<usize>,
    #[serde(default)]
    acknowledgement_applies: Vec<ChangeKind>,
    #[serde(default)]
    allow_private: bool,
}

#[derive(Deserialize)]
struct OrganisationTree {
    downstream: String,
}

/// Takes a tree that schema and cross checks let through. It fails only where they and the types disagree.
pub(super) fn take(merged: &Value, warnings: Vec<Problem>) -> Result<Settings, Problem> {
    // The error of the types may quote a value, so it is not passed on.
    let disagree = || Problem::new("", Origin::Defaults, "the settings' schema and types disagree; report it");
    let tree = Tree::deserialize(merged).map_err(|_| disagree())?;
    let changes = Changes {
        placeholder_days: tree.changes.placeholder_days,
        minimum_age_years: tree.changes.minimum_age_years,
        time_zone: TimeZone::get(&tree.changes.time_zone).unwrap_or(TimeZone::UTC),
        ers_hand_off_url: tree.changes.ers_hand_off_url,
    };
    let mut senders = BTreeMap::new();
    for (name, sender) in tree.senders {
        senders.insert(name.clone(), sender.take(name, &changes).ok_or_else(disagree)?);
    }
    let mut callers = BTreeMap::new();
    for (name, caller) in tree.callers {
        callers.insert(name.clone(), caller.take(name).ok_or_else(disagree)?);
    }
    Ok(Settings {
        server: Server {
            listen: tree.server.listen,
            base_url: tree.server.base_url.map(without_slash),
            workers: tree.server.workers,
            shutdown_ms: tree.server.shutdown_ms,
        },
        limits: Limits {
            body_bytes_max: tree.limits.body_bytes_max,
            depth_max: tree.limits.depth_max,
            nodes_max: tree.limits.nodes_max,
            page_count_default: tree.limits.page_count_default,
            page_count_max: tree.limits.page_count_max,
            request_ms_max: tree.limits.request_ms_max,
        },
        store: Store { folder: tree.store.folder },
        packages_folder: tree.packages.folder,
        severity_file: tree.check.severity_file,
        mapping_folder: tree.mappings.folder,
        log: Log { format: tree.log.format, filter: tree.log.filter },
        changes,
        dispatch: Dispatch { lease_ms: tree.dispatch.lease_ms, idle_ms: tree.dispatch.idle_ms },
        senders,
        callers,
        downstreams: tree.downstreams.into_iter().map(|(name, found)| (name.clone(), found.take(name))).collect(),
        organisations: tree.organisations.into_iter().map(|(code, found)| (code, found.downstream)).collect(),
        warnings,
    })
}

impl SenderTree {
    fn take(self, name: String, changes: &Changes) -> Option<access::Sender> {
        let SenderTree {
            organisation,
            is_pas,
            tolerances,
            profiles,
            unknown_extensions,
            contract,
            rules,
            mut variables,
        } = self;
        // What mappings may ask of any sender, beside the variables that the site gives it.
        variables.insert("organisation".into(), organisation.as_str().to_owned());
        variables.insert("is_pas".into(), is_pas.to_string());
        let contracts = contract.iter().map(|name| name.parse::<Contract>().ok()).collect::<Option<_>>()?;
        let switch = |(rule, word): (&String, &String)| Some((Rule::from_name(rule)?, word.parse::<Switch>().ok()?));
        let switches = rules.iter().map(switch).collect::<Option<_>>()?;
        let placeholder_days = i64::from(changes.placeholder_days);
        let rules = Rules::new(contracts, switches, placeholder_days, changes.time_zone.clone());
        Some(access::Sender { name, organisation, is_pas, tolerances, profiles, unknown_extensions, rules, variables })
    }
}

impl CallerTree {
    fn take(self, name: String) -> Option<Caller> {
        let interactions = self.interactions.iter().map(|name| Interaction::from_name(name)).collect::<Option<_>>()?;
        let grant = Grant { resources: self.resources, interactions, organisations: self.organisations };
        Some(Caller {
            key_sha256: sha256(&self.key_sha256)?,
            caller: access::Caller { name, sender: self.sender, grant },
        })
    }
}

impl DownstreamTree {
    fn take(self, name: String) -> Downstream {
        let credential = match (self.bearer, self.bearer_file, self.bearer_env) {
            (Some(text), _, _) => Credential::Bearer(text.into()),
            (None, Some(file), _) => Credential::BearerFile(file),
            (None, None, Some(variable)) => Credential::BearerEnvironment(variable),
            (None, None, None) => Credential::None,
        };
        Downstream {
            name,
            kind: match self.kind {
                KindTree::FhirRest => DownstreamKind::FhirRest,
            },
            base: without_slash(self.base),
            credential,
            sender: self.sender,
            connect_ms: self.connect_ms.unwrap_or(CONNECT_MS),
            total_ms: self.total_ms.unwrap_or(TOTAL_MS),
            schedule: Schedule {
                waits_ms: self.waits_ms.unwrap_or_else(|| WAITS_MS.to_vec()),
                jitter: self.jitter.unwrap_or(JITTER),
            },
            concurrency: self.concurrency.unwrap_or(CONCURRENCY),
            acknowledgement_applies: self.acknowledgement_applies,
            allow_private: self.allow_private,
        }
    }
}

fn without_slash(address: String) -> String {
    address.trim_end_matches('/').to_owned()
}

/// 64 hexadecimal digits as 32 bytes.
fn sha256(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
