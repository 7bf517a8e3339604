//! What the demonstration asks of the gateway that it starts: a folder, a port, and settings with fresh keys.

use super::cast::{ORGANISATION, PAS_SYSTEM, PORTAL_SYSTEM};
use crate::downstream::Secret;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// The gateway to be started.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its folder, which exists.
    pub folder: PathBuf,
    /// Its settings file as text, in the form that `stile serve` reads.
    pub settings: String,
}

/// Keys that are made afresh for each start.
pub(super) struct Keys {
    pub portal: Secret,
    pub twin: Secret,
}

impl Keys {
    /// New keys, each with 122 bits from the operating system.
    pub fn fresh() -> Self {
        let key = |who: &str| Secret::from(format!("demo-{who}-{}", uuid::Uuid::new_v4().simple()));
        Keys { portal: key("portal"), twin: key("pas") }
    }
}

/// The plan for a gateway in `folder` that listens on loopback at `port` (0: a free one) and sends to the twin at
/// `twin_base`. `folder` must be text that TOML takes in single quotes.
pub(super) fn plan(folder: PathBuf, port: u16, twin_base: &str, keys: &Keys) -> Plan {
    let store = folder.join("store");
    let variables =
        format!("{{ pas_appointment_system = \"{PAS_SYSTEM}\", portal_appointment_system = \"{PORTAL_SYSTEM}\" }}");
    let settings = format!(
        r#"# Settings of this demonstration, in the form that `stile serve --settings FILE` reads. The keys themselves stand
# nowhere; they were shown on the terminal. {ORGANISATION} is not the ODS code of any organisation.

[server]
listen = "127.0.0.1:{port}"

[store]
folder = {store}

[log]
filter = "warn"

[senders.portal]
organisation = "{ORGANISATION}"
variables = {variables}

[senders.trust-pas]
organisation = "{ORGANISATION}"
is_pas = true
variables = {variables}

[callers.portal]
key_sha256 = "{portal_key}"
sender = "portal"
resources = ["Appointment", "ServiceRequest", "Patient", "Task", "WaitingListEntry"]
interactions = ["read", "search", "create", "update", "validate"]
organisations = ["{ORGANISATION}"]

[callers.trust-pas]
key_sha256 = "{twin_key}"
sender = "trust-pas"
resources = ["Appointment", "Task"]
interactions = ["read", "search", "create", "update"]
organisations = ["{ORGANISATION}"]

[downstreams.trust-pas]
kind = "fhir-rest"
base = "{twin_base}"
sender = "trust-pas"
connect_ms = 2000
total_ms = 5000
waits_ms = [250, 500, 1000, 2000, 4000, 8000]
allow_private = true

[organisations.{ORGANISATION}]
downstream = "trust-pas"
"#,
        store = quoted(&store.to_string_lossy()),
        portal_key = sha256(&keys.portal),
        twin_key = sha256(&keys.twin),
    );
    Plan { folder, settings }
}

/// A TOML basic string (TOML 1.0, strings).
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            char if char.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(char))),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

fn sha256(key: &Secret) -> String {
    Sha256::digest(key.reveal().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_toml_that_holds_the_keys_hashes_and_never_the_keys() {
        let keys = Keys::fresh();
        let plan = plan(PathBuf::from("/tmp/a \"b\\c\n"), 0, "http://127.0.0.1:1/fhir", &keys);
        assert!(!plan.settings.contains(keys.portal.reveal()) && !plan.settings.contains(keys.twin.reveal()));
        let read = config::Config::builder()
            .add_source(config::File::from_str(&plan.settings, config::FileFormat::Toml))
            .build()
            .unwrap();
        assert_eq!(read.get_string("store.folder").unwrap(), "/tmp/a \"b\\c\n/store");
        assert_eq!(read.get_string("downstreams.trust-pas.base").unwrap(), "http://127.0.0.1:1/fhir");
        assert_eq!(read.get_string("callers.portal.key_sha256").unwrap().len(), 64);
        assert_ne!(
            read.get_string("callers.portal.key_sha256").unwrap(),
            read.get_string("callers.trust-pas.key_sha256").unwrap()
        );
        assert_eq!(sha256(&Secret::from("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn the_settings_are_such_as_the_gateway_takes() {
        let plan = plan(PathBuf::from("/tmp/demo"), 0, "http://127.0.0.1:1/fhir", &Keys::fresh());
        let loaded = crate::settings::load(Some(("stile.toml", &plan.settings)), std::iter::empty(), &[]);
        assert!(loaded.is_ok(), "{:#?}", loaded.err());
    }

    #[test]
    fn keys_differ_from_start_to_start() {
        assert_ne!(Keys::fresh().portal, Keys::fresh().portal);
    }
}
