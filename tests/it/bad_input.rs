//! Bad input, of every kind there is: each is refused in words, with the rule and the place, in the form that the
//! caller accepts, and nothing of it is kept.

mod anything;
mod bodies;
mod changes;
mod connection;
mod memory;
mod requests;

use crate::house::{Answer, House, appointment};
use serde_json::Value;

/// One bad request and what it must be answered.
struct Case {
    name: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    status: u16,
    /// The rule that the first refusal names.
    rule: &'static str,
    /// Where it points; empty where there is no place in the resource. What ends in `…` is only how it begins.
    at: &'static str,
}

impl Case {
    fn new(
        name: &'static str,
        method: &'static str,
        path: &str,
        status: u16,
        rule: &'static str,
        at: &'static str,
    ) -> Self {
        Case { name, method, path: path.to_owned(), headers: Vec::new(), body: None, status, rule, at }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    async fn send(&self, house: &House, more: Option<(&str, &str)>) -> Answer {
        let mut headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.extend(more);
        house.portal.send(self.method, &self.path, &headers, self.body.as_deref()).await
    }
}

/// Everything that the store holds, table by table. What is the same before and after was not touched.
fn kept(house: &House) -> Vec<(String, Vec<String>)> {
    use rusqlite::{Connection, OpenFlags};
    let file = house.folder.path().join("store").join("stile.sqlite");
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut names = connection.prepare(names).unwrap();
    let tables: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(tables.len() >= 10, "the test looks at no store: {tables:?}");
    let rows_of = |table: &String| {
        let mut rows = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = rows.column_count();
        let text = |row: &rusqlite::Row<'_>| {
            Ok((0..columns).map(|column| format!("{:?}", row.get_ref(column))).collect::<Vec<_>>().join("|"))
        };
        rows.query_map([], text).unwrap().map(Result::unwrap).collect()
    };
    tables.iter().map(|table| (table.clone(), rows_of(table))).collect()
}

/// Sends each case twice, for a refusal in JSON and for one in XML, to a house that keeps one good appointment.
async fn check(cases: Vec<Case>, count_min: usize) {
    let house = House::open().await;
    house.portal.put(&appointment("kept", "1")).await.expect(201);
    let before = kept(&house);
    assert!(before.iter().any(|(_, rows)| !rows.is_empty()), "the store is seen");
    assert!(cases.len() >= count_min, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let names_form = case.headers.iter().any(|(name, _)| *name == "accept") || case.path.contains("_format");
        let answer = case.send(&house, (!names_form).then_some(("accept", "application/fhir+json"))).await;
        wrong.extend(fault_of(case, &answer));
        if !names_form {
            let answer = case.send(&house, Some(("accept", "application/fhir+xml"))).await;
            let is_outcome = answer.text.contains("<OperationOutcome") && answer.text.contains(case.rule);
            if answer.status != case.status || !is_outcome {
                wrong.push(format!("{} as XML: {} {}", case.name, answer.status, answer.text));
            }
        }
        if kept(&house) != before {
            wrong.push(format!("{}: the store was changed", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    house.portal.get("/fhir/Appointment/bad").await.expect(404);
    house.portal.get("/fhir/Appointment/kept").await.expect(200);
    house.close().await;
}

/// What is wrong with the answer to a case, in JSON.
fn fault_of(case: &Case, answer: &Answer) -> Option<String> {
    let outcome = answer.json();
    let issues = outcome["issue"].as_array().cloned().unwrap_or_default();
    let refusal = issues.iter().find(|issue| matches!(issue["severity"].as_str(), Some("fatal" | "error")));
    let text = |at: &str| refusal.and_then(|issue| issue.pointer(at)).and_then(Value::as_str).unwrap_or("");
    let is_as_said = answer.status == case.status
        && outcome["resourceType"] == "OperationOutcome"
        && text("/details/coding/0/code") == case.rule
        && is_at(text("/expression/0"), case.at)
        && !text("/details/text").is_empty();
    (!is_as_said).then(|| format!("{}: {} {}", case.name, answer.status, answer.text))
}

fn is_at(place: &str, expected: &str) -> bool {
    match expected.strip_suffix('…') {
        Some(begins) => place.starts_with(begins),
        None => place == expected,
    }
}
