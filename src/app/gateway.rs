//! The running gateway.

use super::materials::{Materials, Mishap};
use crate::api::{self, Callers, Capability, State};
use crate::dispatch::{Bell, Dispatch, Line};
use crate::downstream::{self, FaultyDownstream, FhirRest, FhirRestSettings};
use crate::enquiry::Enquiry;
use crate::error::Error;
use crate::fhir::Limits;
use crate::intake::{Intake, Parts, Routes};
use crate::ledger::Policy;
use crate::profile::{DefinitionKind, Profiles};
use crate::settings::{Credential, Downstream, Settings};
use crate::store::{Failure, Store};
use actix_web::dev::ServerHandle;
use actix_web::web;
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes of a downstream's answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Issues told about one submission.
const ISSUES_MAX: usize = 200;

/// Why a gateway does not start. All that can be found is found before anything listens.
#[derive(Debug, thiserror::Error)]
pub enum Faulty {
    /// Definitions or mappings.
    #[error("definitions or mappings cannot be used:\n{}", lines(.0))]
    Materials(Vec<Mishap>),
    /// The store.
    #[error("{0}")]
    Store(#[from] Failure),
    /// A downstream.
    #[error("downstream {0}: {1}")]
    Downstream(String, FaultyDownstream),
    /// A downstream's credential.
    #[error("downstream {0}: its credential cannot be read from {1}")]
    Credential(String, String),
    /// Another gateway uses the store's folder.
    #[error("another gateway runs on the store in {0}; one process sends from a store")]
    InUse(String),
    /// Deliveries wait for a downstream that the settings no longer have.
    #[error(
        "{count} deliveries wait for the downstream `{name}`, which the settings no longer have; put [downstreams.{name}] \
         back until they are through (`stile deliveries list --state waiting`)"
    )]
    Stranded {
        /// The downstream's name.
        name: String,
        /// How many wait.
        count: u64,
    },
    /// Something else that is needed at the start.
    #[error("{0}")]
    Other(#[from] Error),
    /// The address to listen on.
    #[error("{0} cannot be listened on: {1}")]
    Listen(SocketAddr, std::io::Error),
}

fn lines(mishaps: &[Mishap]) -> String {
    mishaps.iter().map(|mishap| format!("  {mishap}")).collect::<Vec<_>>().join("\n")
}

/// A gateway that runs.
pub struct Gateway {
    address: SocketAddr,
    server: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    dispatching: JoinHandle<()>,
    stop: watch::Sender<bool>,
    store: Store,
    /// Held for as long as the gateway runs.
    _lock: std::fs::File,
}

impl Gateway {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops in order: takes no more requests and finishes those under way, waits for the answers of messages on the
    /// wire, closes the store.
    pub async fn stop(self) {
        self.server.stop(true).await;
        if let Ok(Err(cause)) = self.serving.await {
            tracing::error!(cause = %cause, "the server ended badly");
        }
        self.stop.send_replace(true);
        let _ = self.dispatching.await;
        self.store.close();
    }
}

/// Everything that a gateway is made of, before anything listens or is sent.
pub struct Built {
    /// What answering needs.
    pub state: State,
    /// What sends.
    pub dispatch: Dispatch,
    /// What keeps.
    pub store: Store,
}

/// Builds everything that the settings ask for. `base_url` is what callers write before `/fhir`.
///
/// # Errors
/// The first kind of thing that keeps it from starting, with all faults of that kind.
pub fn build(settings: &Settings, base_url: &str, metrics: Option<PrometheusHandle>) -> Result<Built, Faulty> {
    downstream::install_cryptography();
    let (engine, catalogue) = Materials::read(settings)
        .and_then(|materials| Ok((materials.compile()?, materials.catalogue())))
        .map_err(Faulty::Materials)?;
    tracing::info!(count = catalogue.len(), kept_bytes = catalogue.kept_bytes(), "definitions can be read");
    for package in engine.profiles.packages().iter() {
        tracing::info!(name = package.name, version = package.version, hash = package.hash, "judging by");
    }
    let lines = lines_of(settings)?;
    let store = Store::open(Path::new(&settings.store.folder))?;
    let bell: Bell = Arc::new(watch::Sender::new(()));
    let capability = capability(&engine.profiles);
    let intake = Intake::new(Parts {
        store: store.clone(),
        profiles: engine.profiles,
        library: engine.library,
        senders: settings.senders.clone(),
        limits: Limits {
            bytes_max: settings.limits.body_bytes_max,
            depth_max: settings.limits.depth_max,
            nodes_max: settings.limits.nodes_max,
            issues_max: ISSUES_MAX,
        },
        policy: policy(settings),
        routes: routes(settings, base_url),
        bell: Arc::clone(&bell),
    });
    let state = State {
        intake,
        enquiry: Enquiry::new(store.clone()),
        catalogue,
        callers: callers(settings),
        limits: api::Limits {
            body_bytes_max: settings.limits.body_bytes_max,
            page_count_default: settings.limits.page_count_default,
            page_count_max: settings.limits.page_count_max,
            request_ms_max: settings.limits.request_ms_max,
        },
        base_url: base_url.to_owned(),
        capability,
        metrics,
        clock: Timestamp::now,
    };
    let dispatch = Dispatch::new(store.clone(), lines, bell, settings.dispatch.idle_ms);
    Ok(Built { state, dispatch, store })
}

/// Builds everything that the settings ask for and starts it.
///
/// # Errors
/// As [`build`], and when the address cannot be listened on.
pub async fn start(settings: &Settings, metrics: Option<PrometheusHandle>) -> Result<Gateway, Faulty> {
    let listen = settings.server.listen;
    // Bound first: a second gateway by mistake finds out before it opens the store.
    let listener = TcpListener::bind(listen).map_err(|cause| Faulty::Listen(listen, cause))?;
    let address = listener.local_addr().map_err(|cause| Faulty::Listen(listen, cause))?;
    let base_url = settings.server.base_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let lock = lock(&settings.store.folder)?;
    let Built { state, dispatch, store } = build(settings, &base_url, metrics)?;
    for (name, count) in store.read(|view| Ok(view.open_downstreams()?)).await? {
        if !settings.downstreams.contains_key(&name) {
            return Err(Faulty::Stranded { name, count });
        }
    }
    let server = api::serve(web::Data::new(state), listener, settings.server.workers, settings.server.shutdown_ms)
        .map_err(|cause| Faulty::Listen(listen, cause))?;
    let handle = server.handle();
    let serving = tokio::spawn(server);
    let (stop, stopped) = watch::channel(false);
    let dispatching = tokio::spawn(dispatch.run(stopped));
    Ok(Gateway { address, server: handle, serving, dispatching, stop, store, _lock: lock })
}

/// Takes the store's folder for this process: two that send from one store would take each other's leases.
fn lock(folder: &str) -> Result<std::fs::File, Faulty> {
    let unusable = |cause| Faulty::Store(Failure::Folder(folder.to_owned(), cause));
    std::fs::create_dir_all(folder).map_err(unusable)?;
    let file = std::fs::File::create(Path::new(folder).join("gateway.lock")).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Faulty::InUse(folder.to_owned())),
        Err(std::fs::TryLockError::Error(cause)) => Err(unusable(cause)),
    }
}

/// What the site decided about requests.
fn policy(settings: &Settings) -> Policy {
    let changes = &settings.changes;
    Policy {
        minimum_age_years: i16::try_from(changes.minimum_age_years).unwrap_or(i16::MAX),
        placeholder_days: i64::from(changes.placeholder_days),
        ers_hand_off_url: changes.ers_hand_off_url.clone(),
        time_zone: changes.time_zone.clone(),
    }
}

fn routes(settings: &Settings, base_url: &str) -> Routes {
    let sender_of = |downstream: &Downstream| settings.senders.get(&downstream.sender).cloned();
    Routes {
        downstream_of: settings
            .organisations
            .iter()
            .map(|(code, downstream)| (code.as_str().to_owned(), downstream.clone()))
            .collect(),
        sender_of: settings
            .downstreams
            .iter()
            .filter_map(|(name, downstream)| Some((name.clone(), sender_of(downstream)?)))
            .collect(),
        base_url: base_url.to_owned(),
    }
}

fn callers(settings: &Settings) -> Callers {
    settings.callers.values().map(|caller| (caller.key_sha256, caller.caller.clone())).collect()
}

fn capability(profiles: &Profiles) -> Capability {
    Capability {
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: Timestamp::now(),
        profiles: profiles
            .profiles()
            .filter(|loaded| loaded.kind == DefinitionKind::Profile)
            .map(|loaded| (loaded.type_name.to_owned(), loaded.url.to_owned()))
            .collect(),
    }
}

fn lines_of(settings: &Settings) -> Result<BTreeMap<String, Line>, Faulty> {
    settings
        .downstreams
        .iter()
        .map(|(name, downstream)| {
            let adapter = FhirRest::new(&FhirRestSettings {
                base: downstream.base.clone(),
                bearer: credential(name, &downstream.credential)?,
                connect_timeout_ms: downstream.connect_ms,
                total_timeout_ms: downstream.total_ms,
                answer_bytes_max: ANSWER_BYTES_MAX,
                allow_private: downstream.allow_private,
            })
            .map_err(|cause| Faulty::Downstream(name.clone(), cause))?;
            let line = Line {
                adapter,
                schedule: downstream.schedule.clone(),
                concurrency: u32::try_from(downstream.concurrency).unwrap_or(u32::MAX),
                lease_ms: settings.dispatch.lease_ms,
                acknowledgement_applies: downstream
                    .acknowledgement_applies
                    .iter()
                    .map(|kind| kind.as_str().to_owned())
                    .collect(),
            };
            Ok((name.clone(), line))
        })
        .collect()
}

fn credential(name: &str, credential: &Credential) -> Result<Option<downstream::Secret>, Faulty> {
    let unreadable = |from: &str| Faulty::Credential(name.to_owned(), from.to_owned());
    let text = match credential {
        Credential::None => return Ok(None),
        Credential::Bearer(secret) => return Ok(Some(secret.clone())),
        Credential::BearerFile(file) => std::fs::read_to_string(file).map_err(|_| unreadable(file))?.trim().to_owned(),
        Credential::BearerEnvironment(variable) => {
            std::env::var(variable).map_err(|_| unreadable(&format!("the environment variable {variable}")))?
        }
    };
    Ok(Some(downstream::Secret::from(text)))
}
