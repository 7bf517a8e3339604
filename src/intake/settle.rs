//! Which resource a submission is about, and whether it was accepted before.

use super::keep::Keeping;
use super::{Receipt, Write};
use crate::error::Error;
use crate::fhir::Token;
use crate::issue::{Issue, Rule};
use crate::store::{KeptResource, Unit, View};

/// How a submission is settled.
pub(super) enum Settled {
    /// It was accepted before; this is what is kept.
    Kept(KeptResource),
    /// It is to be kept under this id, over this version if there is one.
    Write {
        /// The id.
        id: String,
        /// What stands there.
        before: Option<KeptResource>,
    },
}

/// The receipt that an idempotency key got before, if it was used.
pub(super) fn replay(view: &View<'_>, caller: &str, key: &str, body_sha256: &[u8]) -> Result<Option<Receipt>, Error> {
    let Some(kept) = view.key(caller, key)? else { return Ok(None) };
    if kept.body_sha256 != body_sha256 {
        return Err(Error::KeyReused);
    }
    serde_json::from_str(&kept.receipt).map(Some).map_err(|_| super::incident("a receipt cannot be read"))
}

impl Keeping {
    /// Settles which resource this is.
    pub(super) fn settle(&self, unit: &Unit<'_>, body_sha256: &[u8]) -> Result<Settled, Error> {
        match &self.submission.write {
            Write::Create { if_none_exist } => self.settle_create(unit, if_none_exist.as_ref(), body_sha256),
            Write::Update { id, if_match } => self.settle_update(unit, id, *if_match, body_sha256),
        }
    }

    fn settle_create(
        &self,
        unit: &Unit<'_>,
        if_none_exist: Option<&Token>,
        body_sha256: &[u8],
    ) -> Result<Settled, Error> {
        if let Some(token) = if_none_exist {
            let owners = self.owned(unit, token)?;
            match owners.len() {
                0 => {}
                1 => return Ok(Settled::Kept(owners.into_iter().next().ok_or(Error::NotFound)?)),
                _ => {
                    return Err(Error::Ambiguous("If-None-Exist finds several resources".into()));
                }
            }
        }
        match self.same_identifier(unit, None)? {
            None => Ok(Settled::Write { id: uuid::Uuid::now_v7().to_string(), before: None }),
            Some(kept) if kept.body_sha256 == body_sha256 => Ok(Settled::Kept(kept)),
            Some(kept) => Err(duplicate(&kept)),
        }
    }

    fn settle_update(
        &self,
        unit: &Unit<'_>,
        id: &str,
        if_match: Option<u64>,
        body_sha256: &[u8],
    ) -> Result<Settled, Error> {
        self.check_id(id)?;
        let before = unit.resource(&self.submission.resource_type, id)?;
        if let Some(before) = &before {
            self.caller.grant.allows_organisation(&before.organisation).map_err(super::forbidden)?;
            // A retry whose first answer was lost carries the version that it read then.
            if before.body_sha256 == body_sha256 {
                return Ok(Settled::Kept(before.clone()));
            }
        }
        match (if_match, &before) {
            (Some(version), Some(before)) if version != before.version => return Err(Error::Stale),
            (Some(_), None) => return Err(Error::Stale),
            (Some(_), Some(_)) | (None, _) => {}
        }
        match self.same_identifier(unit, Some(id))? {
            None => Ok(Settled::Write { id: id.to_owned(), before }),
            Some(kept) => Err(duplicate(&kept)),
        }
    }

    /// The id in the body is the one in the address (FHIR R4 http, 3.1.0.5.2).
    fn check_id(&self, id: &str) -> Result<(), Error> {
        let resource_type = &self.submission.resource_type;
        let issue = match self.document.root().child_named("id") {
            Some(node) if node.string() == Some(id) => return Ok(()),
            Some(node) => Issue::new(Rule::ResourceIdMismatch, "The id in the body is not the id in the address")
                .at(node.place())
                .hint("PUT to the address of the resource's own id"),
            None => Issue::new(Rule::ResourceIdMissing, "A resource that is PUT says its id in the body")
                .at(self.document.root().place_of_missing("id"))
                .hint(format!("add the `id` that stands in the address, or POST to {resource_type} without one")),
        };
        Err(Error::Malformed(vec![issue]))
    }

    /// Another resource that carries one of this one's business identifiers, among those that the caller may see.
    fn same_identifier(&self, unit: &Unit<'_>, own_id: Option<&str>) -> Result<Option<KeptResource>, Error> {
        for (system, value) in self.identifiers() {
            // Without a system a value identifies nothing outside its sender.
            if system.is_empty() {
                continue;
            }
            let token = Token { system: Some(system), value };
            let other = self.owned(unit, &token)?.into_iter().find(|kept| Some(kept.id.as_str()) != own_id);
            if other.is_some() {
                return Ok(other);
            }
        }
        Ok(None)
    }

    fn owned(&self, unit: &Unit<'_>, token: &Token) -> Result<Vec<KeptResource>, Error> {
        let mut owned = Vec::new();
        for id in unit.owners(&self.submission.resource_type, token, |code| self.may_see(code))? {
            owned.extend(unit.resource(&self.submission.resource_type, &id)?);
        }
        Ok(owned)
    }

    /// `identifier` elements of the resource: system (empty for none) and value.
    pub(super) fn identifiers(&self) -> Vec<(String, String)> {
        let text = |node: Option<crate::document::Node<'_>>| node.and_then(|node| node.string()).map(str::to_owned);
        self.document
            .root()
            .children_named("identifier")
            .filter_map(|identifier| {
                let value = text(identifier.child_named("value"))?;
                Some((text(identifier.child_named("system")).unwrap_or_default(), value))
            })
            .collect()
    }
}

fn duplicate(kept: &KeptResource) -> Error {
    Error::Duplicate(format!(
        "another {} with the same business identifier is kept as {}/{}",
        kept.resource_type, kept.resource_type, kept.id
    ))
}
