//! The whole program in a process of its own, with all that it can log switched on.

use super::{routes, shown_in};
use crate::house::{PAS_SYSTEM, TRUST, settings_text};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use stile::twin::{self, TwinSettings};

/// A gateway that runs as `stile serve` does; what it says goes to a file.
struct Program {
    child: Child,
    base: String,
    log: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Program {
    async fn start(twin: &str, format: &str) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let more = format!("[server]\nlisten = \"{address}\"\n[log]\nformat = \"{format}\"\nfilter = \"trace\"\n");
        let settings = folder.path().join("stile.toml");
        let text = settings_text(&folder.path().join("store").display().to_string(), twin, &more);
        std::fs::write(&settings, text).unwrap();
        let log = folder.path().join("log");
        let child = Command::new(env!("CARGO_BIN_EXE_stile"))
            .args(["serve", "--settings", settings.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let program = Program { child, base: format!("http://{address}"), log, _folder: folder };
        for _ in 0..400 {
            if reqwest::get(format!("{}/health/ready", program.base)).await.is_ok_and(|answer| answer.status() == 200) {
                return program;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it did not start: {}", std::fs::read_to_string(&program.log).unwrap());
    }

    async fn send(&self, sent: &routes::Sent, key: &str) -> (u16, String) {
        let method = sent.method.parse().unwrap();
        let mut request =
            reqwest::Client::new().request(method, format!("{}{}", self.base, sent.path)).bearer_auth(key);
        if sent.body.is_some() && !sent.headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/fhir+json");
        }
        for (name, value) in &sent.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &sent.body {
            request = request.body(body.clone());
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn sing(format: &str) {
    stile::downstream::install_cryptography();
    let now = jiff::Timestamp::now();
    let mut twin = twin::start(TwinSettings {
        listen: "127.0.0.1:0".into(),
        gateway: None,
        key: None,
        organisation: TRUST.into(),
        pas_appointment_system: PAS_SYSTEM.into(),
        answer_after_ms: 0,
        first_number: 7_000_001,
    })
    .await
    .unwrap();
    twin.hold(routes::appointment(now)).unwrap();
    let program = Program::start(&twin.base(), format).await;
    twin.connect(&program.base, Some(&"pas-key".into())).unwrap();
    let (good, bad) = (routes::good(now), routes::bad(now));
    assert!(good.len() >= 14 && bad.len() >= 500, "{} and {}", good.len(), bad.len());
    for sent in &good {
        let (status, text) = program.send(sent, "portal-key").await;
        assert!(status < 300, "{} {}: {status} {text}", sent.method, sent.path);
        let is_outcome = text.contains("OperationOutcome");
        assert!(!is_outcome || shown_in(&text).is_empty(), "{} {}: {text}", sent.method, sent.path);
    }
    // The cancellation and the follow-up go to the PAS and come back, and that is logged, too.
    wait_for(&program, "/fhir/Task/t1", "applied").await;
    wait_for(&program, "/fhir/Task/b1", "booked").await;
    let (mut heard, mut refused_count) = (Vec::new(), 0);
    for sent in &bad {
        let (status, text) = program.send(sent, "portal-key").await;
        let is_refused = (400..500).contains(&status);
        refused_count += usize::from(is_refused);
        if status >= 500 || (sent.is_refused && !is_refused) {
            heard.push(format!("{} {} was not refused: {status} {text}", sent.method, sent.path));
        }
        if !shown_in(&text).is_empty() {
            heard.push(format!("{} {} {:?}: {status} {text}", sent.method, sent.path, shown_in(&text)));
        }
    }
    assert!(refused_count > 400, "only {refused_count} of {} were refused", bad.len());
    for sent in good.iter().chain(&bad).step_by(25) {
        let (status, text) = program.send(sent, super::FAMILY).await;
        assert!((400..500).contains(&status) && shown_in(&text).is_empty(), "{status} {text}");
    }
    let metrics = reqwest::get(format!("{}/metrics", program.base)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("stile_http_requests_total") && metrics.contains("stile_delivery_attempts_total"));
    heard.extend(metrics.lines().filter(|line| !shown_in(line).is_empty()).map(|line| format!("metric: {line}")));
    let log = std::fs::read_to_string(&program.log).unwrap();
    let requests = log.lines().filter(|line| line.contains("correlation_id") && line.contains("duration_ms")).count();
    assert!(requests > good.len() + bad.len(), "only {requests} requests are in the log");
    assert!(log.contains("answer") && log.contains("attempt"), "no delivery is in the log");
    heard.extend(log.lines().filter(|line| !shown_in(line).is_empty()).map(|line| format!("log: {line}")));
    let some: Vec<&str> = heard.iter().take(40).map(|text| text.get(..600).unwrap_or(text)).collect();
    assert!(heard.is_empty(), "the canary was heard {} times:\n{}", heard.len(), some.join("\n"));
    twin.stop().await;
}

async fn wait_for(program: &Program, path: &str, state: &str) {
    let asked = reqwest::Client::new();
    let mut text = String::new();
    for _ in 0..400 {
        let answer = asked.get(format!("{}{path}", program.base)).bearer_auth("portal-key").send().await.unwrap();
        text = answer.text().await.unwrap();
        if text.contains(state) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{path} did not come to {state}: {text}");
}

#[actix_web::test]
async fn no_log_line_metric_or_refusal_shows_the_canary_when_the_log_is_for_people() {
    sing("text").await;
}

#[actix_web::test]
async fn no_log_line_metric_or_refusal_shows_the_canary_when_the_log_is_for_collectors() {
    sing("json").await;
}
