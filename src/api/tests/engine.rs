//! A real intake over the project's own definitions and mappings, for the api to stand on.

use crate::access::Sender;
use crate::fhir::Limits;
use crate::intake::{Intake, Parts, Routes};
use crate::ledger::Policy;
use crate::mapping::{Library, Source};
use crate::model::OdsCode;
use crate::national::Rules;
use crate::profile::{Package, Profiles, UnknownExtensions};
use crate::store::Store;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The texts of a folder of the project, folders below it included, by their paths below it.
fn texts(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let named = paths.into_iter().filter(|path| path.to_str().is_some_and(|name| name.ends_with(ending)));
    named
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn sources(folder: &str, ending: &str) -> Vec<Source> {
    texts(folder, ending).into_iter().map(|(name, text)| Source { name, text }).collect()
}

/// An intake that keeps in `store`; callers speak as the sender `portal` of RXX.
pub(super) fn intake(store: Store) -> Intake {
    static R4: OnceLock<Package> = OnceLock::new();
    let r4 = R4.get_or_init(|| {
        let files = texts("profiles/r4-core", ".json").into_iter().filter(|(name, _)| name != "package.json").collect();
        Package { name: "r4-core".into(), version: "4.0.1".into(), files }
    });
    let profiles = Profiles::compile(std::slice::from_ref(r4)).unwrap();
    let tables = sources("mappings", ".csv");
    let library = Library::compile(
        &sources("mappings", ".yaml"),
        &tables,
        &sources("profiles/canonical", ".schema.json"),
        &profiles.elements(),
    )
    .unwrap();
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let portal = Sender {
        name: "portal".into(),
        organisation: OdsCode::parse("RXX").unwrap(),
        is_pas: false,
        tolerances: Vec::new(),
        variables: [
            variable("pas_appointment_system", "https://pas.example.nhs.uk/appointment"),
            variable("portal_appointment_system", "https://portal.example/appointment"),
            variable("is_pas", "false"),
        ]
        .into(),
        profiles: Vec::new(),
        rules: Rules::new(Vec::new(), Default::default(), 640, jiff::tz::TimeZone::UTC),
        unknown_extensions: UnknownExtensions::default(),
    };
    Intake::new(Parts {
        store,
        profiles,
        library,
        senders: [("portal".to_owned(), portal)].into(),
        limits: Limits { depth_max: 64, ..Limits::default() },
        policy: Policy {
            minimum_age_years: 16,
            placeholder_days: 640,
            ers_hand_off_url: "https://refer.nhs.uk/nhslogin".into(),
            time_zone: jiff::tz::TimeZone::UTC,
        },
        routes: Routes::default(),
        bell: Arc::new(tokio::sync::watch::Sender::new(())),
    })
}
