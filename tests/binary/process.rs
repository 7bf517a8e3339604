//! Running the program: once to its end, or serving until it is told to stop.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Each line of its output as JSON.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not a line of JSON: {line}")))
            .collect()
    }
}

fn command(args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stile"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1");
    // The settings of whoever runs the tests are not those of the tests.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("STILE_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the program to its end in a folder.
pub fn stile(args: &[&str], folder: &Path) -> Ran {
    stile_fed(args, folder, b"")
}

/// The same with this on standard input.
pub fn stile_fed(args: &[&str], folder: &Path, input: &[u8]) -> Ran {
    let mut child =
        command(args, folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end without having read all of it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let (out, err) = (gather(child.stdout.take().unwrap()), gather(child.stderr.take().unwrap()));
    let code = ended(&mut child);
    Ran { code, out: out.join().unwrap(), err: err.join().unwrap() }
}

fn gather(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = from.read_to_string(&mut text);
        text
    })
}

/// The exit code; none when a signal ended it. One that does not end is ended, and fails the test.
fn ended(child: &mut Child) -> Option<i32> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    panic!("the program has not ended after {PATIENCE:?}");
}

/// A port that was free a moment ago, for a gateway that must come back at the same address.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// `stile serve` in a folder that holds `stile.toml`.
pub struct Serving {
    child: Child,
    pub base: String,
    log: Arc<Mutex<String>>,
}

impl Serving {
    /// Starts it and waits until it says where it listens.
    pub fn start(folder: &Path) -> Serving {
        let mut child = command(&["serve", "--settings", "stile.toml"], folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, hears) = std::sync::mpsc::channel();
        let log = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&log);
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                if event["message"] == "listening" {
                    let _ = said.send(event["address"].as_str().unwrap_or_default().to_owned());
                }
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        match hears.recv_timeout(PATIENCE) {
            Ok(address) => Serving { child, base: format!("http://{address}"), log },
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                panic!("it does not listen: {}", log.lock().unwrap());
            }
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Kills it: no signal handler, no clean-up, as when the machine goes down.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), None, "it had ended by itself: {}", self.log());
    }

    /// Asks it to stop as a service manager does, and gives its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        ended(&mut self.child)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sha256(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes `stile.toml` for a gateway at this port with a portal, a PAS and a downstream at `pas`.
pub fn settle(folder: &Path, port: u16, pas: &str, waits_ms: &[u32]) {
    let variables = "variables = { pas_appointment_system = \"https://pas.example.nhs.uk/appointment\", \
                     portal_appointment_system = \"https://portal.example/appointment\" }";
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:{port}"
shutdown_ms = 5000
[log]
format = "json"
[store]
folder = "store"
[dispatch]
lease_ms = 1500
idle_ms = 100
[senders.portal]
organisation = "RZZ99"
{variables}
[senders.pas]
organisation = "RZZ99"
is_pas = true
{variables}
[callers.portal]
key_sha256 = "{portal_key}"
sender = "portal"
resources = ["Appointment", "Task"]
interactions = ["read", "search", "create", "update"]
organisations = ["RZZ99"]
[callers.pas]
key_sha256 = "{pas_key}"
sender = "pas"
resources = ["Appointment", "Task"]
interactions = ["read", "update"]
organisations = ["RZZ99"]
[downstreams.pas]
kind = "fhir-rest"
base = "{pas}"
sender = "pas"
connect_ms = 300
total_ms = 1000
waits_ms = {waits_ms:?}
jitter = 0.0
allow_private = true
[organisations.RZZ99]
downstream = "pas"
"#,
        portal_key = sha256("portal-key"),
        pas_key = sha256("pas-key"),
    );
    std::fs::write(folder.join("stile.toml"), text).unwrap();
}

/// An appointment half a year from now: the program reads the real clock.
pub fn appointment(id: &str, number: &str) -> Value {
    let start = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(180 * 24);
    let text = |at: jiff::Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "resourceType": "Appointment",
        "id": id,
        "identifier": [{"system": "https://pas.example.nhs.uk/appointment", "value": number}],
        "status": "booked",
        "description": "Dermatology",
        "start": text(start),
        "end": text(start + jiff::SignedDuration::from_mins(20)),
        "participant": [
            {
                "actor": {
                    "type": "Patient",
                    "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}
                },
                "status": "accepted"
            },
            {
                "actor": {
                    "type": "Location",
                    "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RZZ99"}
                },
                "status": "accepted"
            }
        ]
    })
}

/// A patient's wish to cancel it.
pub fn cancel(id: &str, appointment: &str) -> Value {
    json!({
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "urn:stile:change-request", "code": "cancel"}]},
        "focus": {"type": "Appointment", "reference": format!("Appointment/{appointment}")},
        "for": {
            "type": "Patient",
            "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}
        }
    })
}

/// The portal of these tests.
#[derive(Clone)]
pub struct Portal {
    base: String,
    client: reqwest::Client,
}

impl Portal {
    pub fn of(base: &str) -> Portal {
        Portal { base: base.to_owned(), client: reqwest::Client::new() }
    }

    /// PUTs a resource: the status, or none when no answer came.
    pub async fn put(&self, resource: &Value) -> Option<u16> {
        let (resource_type, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let request = self.client.put(format!("{}/fhir/{resource_type}/{id}", self.base));
        let request = request.bearer_auth("portal-key").header("content-type", "application/fhir+json");
        let answer = request.body(resource.to_string()).send().await.ok()?;
        let status = answer.status().as_u16();
        // An answer that breaks off is none.
        answer.text().await.ok()?;
        Some(status)
    }

    /// Reads what stands at an address; null when there is nothing.
    pub async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth("portal-key");
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Looks at a Task until it shows this state, within a bound.
    pub async fn until(&self, task: &str, state: &str) {
        let began = Instant::now();
        loop {
            let seen = self.get(&format!("/fhir/Task/{task}")).await;
            if seen.pointer("/businessStatus/text").and_then(Value::as_str) == Some(state) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "Task/{task} has not come to {state}: {seen}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
