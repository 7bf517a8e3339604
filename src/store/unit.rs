//! One unit of work: what is written together or not at all.

use super::rows::{NewResource, NewSubmission};
use super::{Failure, View};
use crate::access::Interaction;
use crate::model::Kind;
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// A unit of work in progress. Reads what is kept, its own writes included.
pub struct Unit<'c> {
    view: View<'c>,
}

impl<'c> std::ops::Deref for Unit<'c> {
    type Target = View<'c>;

    fn deref(&self) -> &View<'c> {
        &self.view
    }
}

impl<'c> Unit<'c> {
    pub(super) fn over(connection: &'c Connection) -> Self {
        Unit { view: View::over(connection) }
    }

    /// Keeps a resource as it stands now, in the place of the version before.
    pub fn put_resource(&self, resource: &NewResource<'_>) -> Result<(), Failure> {
        let sql = "INSERT INTO resource (type, id, version, updated_ms, organisation, patient, status, body_sha256, json) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                   ON CONFLICT (type, id) DO UPDATE SET version = excluded.version, updated_ms = excluded.updated_ms, \
                   organisation = excluded.organisation, patient = excluded.patient, status = excluded.status, \
                   body_sha256 = excluded.body_sha256, json = excluded.json";
        self.connection.prepare_cached(sql)?.execute(params![
            resource.resource_type,
            resource.id,
            resource.version as i64,
            resource.last_updated.as_millisecond(),
            resource.organisation,
            resource.patient,
            resource.status,
            resource.body_sha256,
            resource.json,
        ])?;
        self.connection
            .prepare_cached("DELETE FROM identifier WHERE +type = ?1 AND id = ?2")?
            .execute([resource.resource_type, resource.id])?;
        let sql =
            "INSERT OR IGNORE INTO identifier (type, value, system, id, organisation) VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut insert = self.connection.prepare_cached(sql)?;
        for (system, value) in resource.identifiers {
            insert.execute(params![resource.resource_type, value, system, resource.id, resource.organisation])?;
        }
        Ok(())
    }

    /// Makes a new version of a resource whose readable form has changed though its body has not, for example
    /// because a request about it was opened or has ended.
    pub fn touch(&self, resource_type: &str, id: &str, status: Option<&str>, now: Timestamp) -> Result<(), Failure> {
        let sql = "UPDATE resource SET version = version + 1, updated_ms = ?3, status = coalesce(?4, status) \
                   WHERE type = ?1 AND id = ?2";
        self.connection.prepare_cached(sql)?.execute(params![resource_type, id, now.as_millisecond(), status])?;
        Ok(())
    }

    /// Keeps a body as it came.
    pub fn put_submission(&self, submission: &NewSubmission<'_>) -> Result<(), Failure> {
        let sql = "INSERT INTO submission (at_ms, type, id, version, caller, correlation_id, mapping, format, body) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.connection.prepare_cached(sql)?.execute(params![
            submission.at.as_millisecond(),
            submission.resource_type,
            submission.id,
            submission.version as i64,
            submission.caller,
            submission.correlation_id,
            submission.mapping,
            submission.format,
            submission.body,
        ])?;
        Ok(())
    }

    /// Keeps a canonical value; `is_pas` when it is the PAS's own word.
    #[expect(clippy::too_many_arguments, reason = "one column each")]
    pub fn put_canonical(
        &self,
        kind: Kind,
        id: &str,
        organisation: &str,
        patient: Option<&str>,
        pathway: Option<&str>,
        is_pas: bool,
        json: &serde_json::Value,
    ) -> Result<(), Failure> {
        let sql = "INSERT OR REPLACE INTO canonical (kind, id, organisation, patient, pathway, is_pas, json) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![kind.as_str(), id, organisation, patient, pathway, is_pas, json.to_string()];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Keeps a waiting-list entry.
    pub fn put_entry(
        &self,
        id: &str,
        organisation: &str,
        patient: Option<&str>,
        pathway: Option<&str>,
        json: &serde_json::Value,
    ) -> Result<(), Failure> {
        let sql = "INSERT OR REPLACE INTO entry (id, organisation, patient, pathway, json) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection.prepare_cached(sql)?.execute(params![id, organisation, patient, pathway, json.to_string()])?;
        Ok(())
    }

    /// Remembers what an idempotency key was answered.
    pub fn put_key(
        &self,
        caller: &str,
        key: &str,
        body_sha256: &[u8],
        receipt: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let sql = "INSERT INTO idempotency_key (caller, key, body_sha256, at_ms, receipt) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection.prepare_cached(sql)?.execute(params![
            caller,
            key,
            body_sha256,
            now.as_millisecond(),
            receipt
        ])?;
        Ok(())
    }

    /// Writes down who did what.
    pub fn audit(
        &self,
        caller: &str,
        interaction: Interaction,
        resource_type: &str,
        id: &str,
        correlation_id: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let sql =
            "INSERT INTO audit (at_ms, caller, interaction, type, id, correlation_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let values = params![now.as_millisecond(), caller, interaction.as_str(), resource_type, id, correlation_id];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}
