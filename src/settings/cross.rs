//! What one setting says of another: names that must exist, addresses that must read, figures that must agree.
//!
//! Works on the merged tree and not on types, so that these problems are told beside the schema's, all at once.

use super::layers::Layers;
use super::{Origin, Problem, dotted};
use crate::issue::{Rule, nearest};
use crate::national::{Contract, contract_of, switchable};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What `check` reads and fills.
struct Findings<'c> {
    layers: &'c Layers,
    problems: &'c mut Vec<Problem>,
    warnings: &'c mut Vec<Problem>,
}

/// Everything in which the settings contradict each other or the world's forms.
pub(super) fn check(layers: &Layers, tolerances: &[&str], problems: &mut Vec<Problem>, warnings: &mut Vec<Problem>) {
    let mut findings = Findings { layers, problems, warnings };
    findings.server();
    findings.figures();
    findings.time_zone();
    findings.senders(tolerances);
    findings.callers();
    findings.downstreams();
    findings.organisations();
}

impl Findings<'_> {
    fn section(&self, name: &str) -> Map<String, Value> {
        self.layers.merged.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    fn problem(&self, path: &[&str], message: impl Into<String>) -> Problem {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        Problem::new(dotted(&path), self.layers.origin(&path), message)
    }

    fn refuse(&mut self, path: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        let problem = self.problem(path, message).hint(hint);
        self.problems.push(problem);
    }

    fn warn(&mut self, path: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        let problem = self.problem(path, message).hint(hint);
        self.warnings.push(problem);
    }

    fn server(&mut self) {
        let server = self.section("server");
        if let Some(listen) = text(&server, "listen")
            && listen.parse::<SocketAddr>().is_err()
        {
            self.refuse(
                &["server", "listen"],
                "this is not an address and a port",
                "write for example 127.0.0.1:8080, or 0.0.0.0:8080 for every network of the machine",
            );
        }
        if let Some(base) = text(&server, "base_url")
            && address(base).is_none()
        {
            self.refuse(
                &["server", "base_url"],
                "this is not an http or https address without a query",
                "write for example https://stile.example.nhs.uk",
            );
        }
    }

    fn time_zone(&mut self) {
        let section = self.section("changes");
        if text(&section, "time_zone").is_some_and(|name| jiff::tz::TimeZone::get(name).is_err()) {
            let hint = "write an IANA name such as Europe/London";
            self.refuse(&["changes", "time_zone"], "there is no such time zone", hint);
        }
    }

    fn figures(&mut self) {
        let limits = self.section("limits");
        if let (Some(usual), Some(most)) = (number(&limits, "page_count_default"), number(&limits, "page_count_max"))
            && usual > most
        {
            self.refuse(
                &["limits", "page_count_default"],
                "the usual page is larger than page_count_max",
                "lower the one or raise the other",
            );
        }
    }

    /// Refuses a name that no table of `section` bears.
    fn named(&mut self, path: &[&str], name: &str, section: &str) {
        let table = self.section(section);
        if table.contains_key(name) {
            return;
        }
        let kind = section.trim_end_matches('s');
        let hint = match nearest(name, table.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add a table [{section}.NAME] and name it here"),
        };
        self.refuse(path, format!("there is no {kind} of this name"), hint);
    }

    fn senders(&mut self, tolerances: &[&str]) {
        for (name, sender) in tables(&self.section("senders")) {
            for (index, tolerance) in strings(&sender, "tolerances").iter().enumerate() {
                if tolerances.contains(&tolerance.as_str()) {
                    continue;
                }
                let hint = match nearest(tolerance, tolerances.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are: {}", tolerances.join(", ")),
                };
                let path = ["senders", &name, "tolerances", &index.to_string()];
                self.refuse(&path, "there is no tolerance of this name", hint);
            }
            self.rules(&name, &sender);
        }
    }

    /// Rules that a sender switches: they exist, may be switched, and belong to what it speaks.
    fn rules(&mut self, name: &str, sender: &Map<String, Value>) {
        let contracts = strings(sender, "contract");
        for rule in sender.get("rules").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            let path = ["senders", name, "rules", rule];
            let Some(found) = switchable().find(|known| known.as_str() == rule) else {
                let is_rule = Rule::from_name(rule).is_some();
                let message = if is_rule { "this rule holds for everybody" } else { "there is no rule of this name" };
                let hint = match nearest(rule, switchable().map(Rule::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "docs/NATIONAL.md lists the rules that a sender's settings may switch".to_owned(),
                };
                self.refuse(&path, message, hint);
                continue;
            };
            let Some(contract) = contract_of(found).map(Contract::as_str) else { continue };
            if !contracts.iter().any(|spoken| spoken == contract) {
                let hint = format!("add `contract = [\"{contract}\"]`, or take the rule out");
                self.refuse(&path, "the sender does not speak this rule's contract, so it would do nothing", hint);
            }
        }
    }

    fn callers(&mut self) {
        let callers = tables(&self.section("callers"));
        if callers.is_empty() {
            self.warn(
                &["callers"],
                "there is no caller, so only /health, /metrics and /fhir/metadata answer",
                "add a [callers.NAME] table; the key's SHA-256 comes from: printf %s \"$KEY\" | sha256sum",
            );
        }
        let mut keys: BTreeMap<String, String> = BTreeMap::new();
        for (name, caller) in callers {
            if let Some(sender) = text(&caller, "sender") {
                self.named(&["callers", &name, "sender"], sender, "senders");
            }
            let Some(key) = text(&caller, "key_sha256") else { continue };
            let path = ["callers", &name, "key_sha256"];
            if key.bytes().all(|byte| byte == b'0') {
                self.refuse(&path, "this is the example and no key's SHA-256", "printf %s \"$KEY\" | sha256sum");
            } else if let Some(other) = keys.insert(key.to_owned(), name.clone()) {
                let message = format!("caller `{other}` has the same key, so the two could not be told apart");
                self.refuse(&path, message, "give each caller a key of its own");
            }
        }
    }

    fn downstreams(&mut self) {
        let lease_ms = number(&self.section("dispatch"), "lease_ms");
        for (name, downstream) in tables(&self.section("downstreams")) {
            let path = |key| ["downstreams", name.as_str(), key];
            if let Some(sender) = text(&downstream, "sender") {
                self.named(&path("sender"), sender, "senders");
            }
            let private = downstream.get("allow_private").and_then(Value::as_bool).unwrap_or(false);
            match text(&downstream, "base").map(address) {
                None => {}
                Some(None) => self.refuse(
                    &path("base"),
                    "this is not an http or https address without user, query or fragment",
                    "write for example https://pas.example.nhs.uk/fhir",
                ),
                Some(Some(scheme)) if scheme == "http" && !private => self.refuse(
                    &path("base"),
                    "patients' data would go out unencrypted",
                    "use https, or set allow_private = true for a receiver on this machine or a private network",
                ),
                Some(Some(_)) => {}
            }
            self.credential(&name, &downstream);
            let total_ms = number(&downstream, "total_ms").unwrap_or(super::take::TOTAL_MS);
            let connect_ms = number(&downstream, "connect_ms").unwrap_or(super::take::CONNECT_MS);
            if connect_ms > total_ms {
                self.refuse(
                    &path("connect_ms"),
                    "connecting may take longer than the whole",
                    "lower it, or raise total_ms",
                );
            }
            if lease_ms.is_some_and(|lease| lease <= total_ms) {
                self.refuse(
                    &path("total_ms"),
                    "an exchange may take longer than dispatch.lease_ms, so its answer could be lost",
                    "lower it, or raise dispatch.lease_ms above it",
                );
            }
        }
    }

    fn credential(&mut self, name: &str, downstream: &Map<String, Value>) {
        let given: Vec<&str> =
            ["bearer", "bearer_file", "bearer_env"].into_iter().filter(|key| downstream.contains_key(*key)).collect();
        if let [_, second, ..] = given.as_slice() {
            self.refuse(
                &["downstreams", name, second],
                format!("there is more than one credential: {}", given.join(", ")),
                "leave one",
            );
        }
        if !given.contains(&"bearer") {
            return;
        }
        let problem = self.problem(&["downstreams", name, "bearer"], "");
        match problem.origin {
            Origin::Environment(_) => self.refuse(
                &["downstreams", name, "bearer"],
                "a credential is not taken from a setting in the environment",
                "name the variable that holds it in bearer_env",
            ),
            Origin::File(_) | Origin::Defaults => self.warn(
                &["downstreams", name, "bearer"],
                "the credential itself stands in the settings file",
                "put it in a file of its own (bearer_file) or a variable (bearer_env)",
            ),
        }
    }

    fn organisations(&mut self) {
        for (code, organisation) in tables(&self.section("organisations")) {
            if let Some(downstream) = text(&organisation, "downstream") {
                self.named(&["organisations", &code, "downstream"], downstream, "downstreams");
            }
        }
    }
}

/// The scheme of an address that can stand before a path: http or https, a host, perhaps a port and a path; no user, query
/// or fragment. What a name or a number then means is for the one who connects.
fn address(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_plain = |c: char| c.is_ascii_graphic() && !"?#@\\\"<>".contains(c);
    let port_is_sound = match authority.rsplit_once(':') {
        // The last colon of a bracketed IPv6 address is no port's.
        Some((_, port)) if !port.ends_with(']') => port.parse::<u16>().is_ok(),
        Some(_) | None => true,
    };
    let host_is_there = !authority.is_empty() && !authority.starts_with(':');
    let sound = matches!(scheme, "http" | "https") && host_is_there && port_is_sound;
    (sound && authority.chars().all(is_plain) && path.chars().all(is_plain)).then_some(scheme)
}

fn text<'t>(table: &'t Map<String, Value>, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Value::as_str)
}

fn number(table: &Map<String, Value>, key: &str) -> Option<u64> {
    table.get(key).and_then(Value::as_u64)
}

fn strings(table: &Map<String, Value>, key: &str) -> Vec<String> {
    let items = table.get(key).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn tables(section: &Map<String, Value>) -> Vec<(String, Map<String, Value>)> {
    section.iter().filter_map(|(name, value)| Some((name.clone(), value.as_object()?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_nothing_that_could_mislead() {
        for (text, expected) in [
            ("https://pas.example.nhs.uk/fhir", Some("https")),
            ("http://127.0.0.1:8081", Some("http")),
            ("http://[::1]:8081/fhir/", Some("http")),
            ("http://[::1]", Some("http")),
            ("HTTPS://x", None),
            ("https://", None),
            ("https:///fhir", None),
            ("https://:80", None),
            ("https://x:port", None),
            ("https://x:99999", None),
            ("https://user@x", None),
            ("https://good.example\\@bad.example", None),
            ("https://x/fhir?key=1", None),
            ("https://x/fhir#a", None),
            ("https://x y", None),
            ("ftp://x", None),
            ("pas.example.nhs.uk", None),
        ] {
            assert_eq!(address(text), expected, "{text}");
        }
    }
}
