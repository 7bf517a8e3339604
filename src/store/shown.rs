//! Resources as their readers see them: what is kept, with what the ledger knows laid over it.

use super::{Failure, KeptResource, View};
use crate::fhir::{self, Format, Limits};
use crate::ledger::{show_on_appointment, show_on_task, stamp};

impl View<'_> {
    /// A kept resource as FHIR JSON for its readers: an Appointment with the open request about it, a Task with the
    /// state of the request that it stands for.
    pub fn shown(&self, kept: &KeptResource) -> Result<String, Failure> {
        let open = match kept.resource_type.as_str() {
            "Appointment" => self.open_about(&kept.id)?,
            "Task" => Vec::new(),
            // Nothing is ever laid over the other types.
            _ => return Ok(kept.json.clone()),
        };
        // What is kept was taken under the site's limits, which may be wider than the usual ones.
        let limits = Limits {
            bytes_max: usize::MAX,
            depth_max: Limits::DEPTH_CEILING,
            nodes_max: usize::MAX,
            ..Limits::default()
        };
        let parsed = fhir::parse(kept.json.as_bytes(), Format::Json, &limits);
        let mut document = parsed.document.ok_or(Failure::Unreadable("resource"))?;
        stamp(&mut document, &kept.id, kept.version, kept.last_updated);
        show_on_appointment(&mut document, &open);
        if kept.resource_type == "Task"
            && let Some(request) = self.request(&kept.id)?
        {
            show_on_task(&mut document, &request);
        }
        Ok(fhir::json(document.root()))
    }
}
