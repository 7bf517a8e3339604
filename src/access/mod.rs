//! Who asks, and what they may.
//!
//! A [`Caller`] exists only where a credential was proved; a route that does not take one gives nothing away. Its
//! [`Grant`] says which resource types, which interactions and which organisations' patients are open to it.

mod sender;

pub use sender::Sender;

use crate::model::OdsCode;
use std::collections::BTreeSet;
use std::fmt;

/// A system that has proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its name in the settings.
    pub name: String,
    /// The sender profile that it speaks as: tolerances, identifier systems, code tables.
    pub sender: String,
    /// What it may do.
    pub grant: Grant,
}

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// Resource types, for example `Appointment`.
    pub resources: BTreeSet<String>,
    /// What it may do with them.
    pub interactions: BTreeSet<Interaction>,
    /// Whose patients: ODS codes of the organisations that hold the appointment or referral.
    pub organisations: BTreeSet<OdsCode>,
}

/// What can be asked of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interaction {
    /// `GET` one resource.
    Read,
    /// `GET` with a query.
    Search,
    /// `POST`.
    Create,
    /// `PUT`.
    Update,
    /// `POST …/$validate`.
    Validate,
}

impl Interaction {
    /// Every interaction.
    pub const ALL: &'static [Interaction] =
        &[Interaction::Read, Interaction::Search, Interaction::Create, Interaction::Update, Interaction::Validate];

    /// The name in settings and in the audit record.
    pub fn as_str(self) -> &'static str {
        match self {
            Interaction::Read => "read",
            Interaction::Search => "search",
            Interaction::Create => "create",
            Interaction::Update => "update",
            Interaction::Validate => "validate",
        }
    }

    /// The interaction of this name.
    pub fn from_name(name: &str) -> Option<Interaction> {
        Interaction::ALL.iter().copied().find(|interaction| interaction.as_str() == name)
    }
}

impl fmt::Display for Interaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a caller may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The grant does not hold the resource type.
    #[error("this caller's grant does not hold the resource type {0}")]
    Resource(String),
    /// The grant does not hold the interaction.
    #[error("this caller's grant does not hold the interaction `{0}`")]
    Interaction(Interaction),
    /// The grant does not hold the organisation.
    #[error("this caller's grant does not hold the organisation that this belongs to")]
    Organisation,
}

impl Grant {
    /// Whether the grant holds this interaction with this resource type.
    pub fn allows(&self, interaction: Interaction, resource: &str) -> Result<(), Denied> {
        if !self.resources.contains(resource) {
            return Err(Denied::Resource(resource.to_owned()));
        }
        self.allows_interaction(interaction)
    }

    /// Whether the grant holds this interaction at all.
    pub fn allows_interaction(&self, interaction: Interaction) -> Result<(), Denied> {
        if self.interactions.contains(&interaction) { Ok(()) } else { Err(Denied::Interaction(interaction)) }
    }

    /// Whether the grant holds this organisation's patients.
    pub fn allows_organisation(&self, organisation: &str) -> Result<(), Denied> {
        if self.organisations.iter().any(|held| held.as_str() == organisation) {
            Ok(())
        } else {
            Err(Denied::Organisation)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_holds_what_it_names_and_nothing_else() {
        let grant = Grant {
            resources: ["Appointment".to_owned()].into(),
            interactions: [Interaction::Read].into(),
            organisations: [OdsCode::parse("RFF").unwrap()].into(),
        };
        assert!(grant.allows(Interaction::Read, "Appointment").is_ok());
        assert_eq!(grant.allows(Interaction::Read, "Task"), Err(Denied::Resource("Task".into())));
        assert_eq!(grant.allows(Interaction::Update, "Appointment"), Err(Denied::Interaction(Interaction::Update)));
        assert!(grant.allows_organisation("RFF").is_ok());
        assert_eq!(grant.allows_organisation("RTD"), Err(Denied::Organisation));
        assert!(Grant::default().allows(Interaction::Read, "Appointment").is_err());
    }
}
