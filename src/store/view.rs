//! Reading resources, canonical values and the list.

use super::rows::{KeptKey, KeptResource, Query};
use super::{Failure, rows};
use crate::fhir::Token;
use crate::model::Kind;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A consistent view of what is kept.
pub struct View<'c> {
    pub(super) connection: &'c Connection,
}

pub(super) fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

const RESOURCE: &str = "type, id, version, updated_ms, organisation, body_sha256, json";

fn resource(row: &Row<'_>) -> rusqlite::Result<KeptResource> {
    Ok(KeptResource {
        resource_type: row.get(0)?,
        id: row.get(1)?,
        version: row.get::<_, i64>(2)? as u64,
        last_updated: instant(row.get(3)?),
        organisation: row.get(4)?,
        body_sha256: row.get(5)?,
        json: row.get(6)?,
    })
}

/// Who carries a value in a system; `+id` keeps the planner from walking all resources of the type in the order of
/// their ids. Two statements and not one with `?3 IS NULL OR`: that one SQLite plans anew for each value bound to it.
pub(super) const OWNERS_IN_SYSTEM: &str =
    "SELECT DISTINCT id, organisation FROM identifier WHERE type = ?1 AND value = ?2 AND system = ?3 ORDER BY +id";
/// Who carries a value in any system.
pub(super) const OWNERS: &str =
    "SELECT DISTINCT id, organisation FROM identifier WHERE type = ?1 AND value = ?2 ORDER BY +id";

impl<'c> View<'c> {
    pub(super) fn over(connection: &'c Connection) -> Self {
        View { connection }
    }

    /// One resource.
    pub fn resource(&self, resource_type: &str, id: &str) -> Result<Option<KeptResource>, Failure> {
        let sql = format!("SELECT {RESOURCE} FROM resource WHERE type = ?1 AND id = ?2");
        Ok(self.connection.prepare_cached(&sql)?.query_row(params![resource_type, id], resource).optional()?)
    }

    /// Ids of the resources of a type that carry a business identifier, among those of organisations that a grant
    /// holds: what others keep under the same number is not to be seen and not in the way. Two are as good as many.
    pub fn owners(
        &self,
        resource_type: &str,
        token: &Token,
        may_see: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, Failure> {
        let mut values = vec![resource_type, token.value.as_str()];
        values.extend(token.system.as_deref());
        let sql = if token.system.is_some() { OWNERS_IN_SYSTEM } else { OWNERS };
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let mut ids = Vec::new();
        for row in rows {
            let (id, organisation) = row?;
            if may_see(&organisation) && ids.last() != Some(&id) {
                ids.push(id);
            }
            if ids.len() == 2 {
                break;
            }
        }
        Ok(ids)
    }

    /// The resources that match, in the order of their ids, and how many match in all.
    pub fn search(&self, query: &Query) -> Result<(u64, Vec<KeptResource>), Failure> {
        let mut filter = Filter::default();
        filter.add("type = ", &query.resource_type);
        // A patient's resources are few, an organisation's are many: `+` keeps the planner from walking the many.
        filter.any_of(if query.patient.is_some() { "+organisation" } else { "organisation" }, &query.organisations);
        if !query.ids.is_empty() {
            filter.any_of("id", &query.ids);
        }
        if !query.statuses.is_empty() {
            filter.any_of("status", &query.statuses);
        }
        if let Some(patient) = &query.patient {
            filter.add("patient = ", patient);
        }
        if let Some(token) = &query.identifier {
            filter.identifier(&query.resource_type, token);
        }
        let total: i64 = {
            let sql = format!("SELECT count(*) FROM resource WHERE {}", filter.sql());
            self.connection.prepare_cached(&sql)?.query_row(filter.values(), |row| row.get(0))?
        };
        if let Some(after) = &query.after {
            filter.add("id > ", after);
        }
        let sql = format!("SELECT {RESOURCE} FROM resource WHERE {} ORDER BY id LIMIT {}", filter.sql(), query.count);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map(filter.values(), resource)?.collect::<rusqlite::Result<_>>()?;
        Ok((total as u64, found))
    }

    /// A canonical value as JSON, with the organisation that it belongs to.
    pub fn canonical(&self, kind: Kind, id: &str) -> Result<Option<(String, serde_json::Value)>, Failure> {
        let sql = "SELECT organisation, json FROM canonical WHERE kind = ?1 AND id = ?2";
        let row = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![kind.as_str(), id], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        row.map(|(organisation, json)| Ok((organisation, value(&json)?))).transpose()
    }

    /// The NHS number of the patient that a kept resource is about, where it is known.
    pub fn patient_of(&self, resource_type: &str, id: &str) -> Result<Option<String>, Failure> {
        let sql = "SELECT patient FROM resource WHERE type = ?1 AND id = ?2";
        let row = self.connection.prepare_cached(sql)?.query_row([resource_type, id], |row| row.get(0)).optional()?;
        Ok(row.flatten())
    }

    /// Whether the canonical value that is kept is the PAS's own word.
    pub fn is_word_of_pas(&self, kind: Kind, id: &str) -> Result<bool, Failure> {
        let sql = "SELECT is_pas FROM canonical WHERE kind = ?1 AND id = ?2";
        let row = self.connection.prepare_cached(sql)?.query_row([kind.as_str(), id], |row| row.get(0)).optional()?;
        Ok(row.unwrap_or(false))
    }

    /// Canonical values on a pathway: id, organisation, value.
    pub fn on_pathway(&self, kind: Kind, pathway: &str) -> Result<Vec<(String, String, serde_json::Value)>, Failure> {
        self.canonical_by("pathway", kind, pathway)
    }

    /// Canonical values about a patient, by NHS number: id, organisation, value.
    pub fn of_patient(
        &self,
        kind: Kind,
        nhs_number: &str,
    ) -> Result<Vec<(String, String, serde_json::Value)>, Failure> {
        self.canonical_by("patient", kind, nhs_number)
    }

    fn canonical_by(
        &self,
        column: &'static str,
        kind: Kind,
        wanted: &str,
    ) -> Result<Vec<(String, String, serde_json::Value)>, Failure> {
        let sql = format!(
            "SELECT id, organisation, json FROM canonical WHERE kind = ?1 AND {column} = ?2 ORDER BY +id LIMIT 1000"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![kind.as_str(), wanted], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
        })?;
        rows.map(|row| {
            let (id, organisation, json) = row?;
            Ok((id, organisation, value(&json)?))
        })
        .collect()
    }

    /// A waiting-list entry: organisation and JSON.
    pub fn entry(&self, id: &str) -> Result<Option<(String, serde_json::Value)>, Failure> {
        let sql = "SELECT organisation, json FROM entry WHERE id = ?1";
        let row = self
            .connection
            .prepare_cached(sql)?
            .query_row([id], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        row.map(|(organisation, json)| Ok((organisation, value(&json)?))).transpose()
    }

    /// The waiting-list entries of a patient: organisation and JSON.
    pub fn entries_of(&self, nhs_number: &str) -> Result<Vec<(String, serde_json::Value)>, Failure> {
        let sql = "SELECT organisation, json FROM entry WHERE patient = ?1 ORDER BY id LIMIT 1000";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([nhs_number], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| {
            let (organisation, json) = row?;
            Ok((organisation, value(&json)?))
        })
        .collect()
    }

    /// An idempotency key of a caller.
    pub fn key(&self, caller: &str, key: &str) -> Result<Option<KeptKey>, Failure> {
        let sql = "SELECT body_sha256, receipt FROM idempotency_key WHERE caller = ?1 AND key = ?2";
        let read = |row: &Row<'_>| Ok(rows::KeptKey { body_sha256: row.get(0)?, receipt: row.get(1)? });
        Ok(self.connection.prepare_cached(sql)?.query_row([caller, key], read).optional()?)
    }

    /// Whether the store answers.
    pub fn answers(&self) -> Result<bool, Failure> {
        Ok(self.connection.query_row("SELECT 1", [], |_| Ok(true))?)
    }
}

fn value(json: &str) -> Result<serde_json::Value, Failure> {
    serde_json::from_str(json).map_err(|_| Failure::Unreadable("canonical value"))
}

/// The conditions of a search and the values bound to them.
#[derive(Default)]
struct Filter<'q> {
    conditions: Vec<String>,
    bound: Vec<&'q str>,
}

impl<'q> Filter<'q> {
    fn add(&mut self, condition: &str, value: &'q str) {
        self.bound.push(value);
        self.conditions.push(format!("{condition}?{}", self.bound.len()));
    }

    fn any_of(&mut self, column: &str, values: &'q [String]) {
        let first = self.bound.len() + 1;
        self.bound.extend(values.iter().map(String::as_str));
        let marks: Vec<String> = (first..=self.bound.len()).map(|number| format!("?{number}")).collect();
        self.conditions.push(format!("{column} IN ({})", marks.join(", ")));
    }

    fn identifier(&mut self, resource_type: &'q str, token: &'q Token) {
        self.bound.push(resource_type);
        let kind = self.bound.len();
        self.bound.push(&token.value);
        let value = self.bound.len();
        let mut condition = format!("id IN (SELECT id FROM identifier WHERE type = ?{kind} AND value = ?{value}");
        if let Some(system) = &token.system {
            self.bound.push(system);
            condition.push_str(&format!(" AND system = ?{}", self.bound.len()));
        }
        condition.push(')');
        self.conditions.push(condition);
    }

    fn sql(&self) -> String {
        self.conditions.join(" AND ")
    }

    fn values(&self) -> impl rusqlite::Params {
        rusqlite::params_from_iter(self.bound.clone())
    }
}
