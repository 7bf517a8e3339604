//! The patient, as far as a waiting list needs one.

use super::{NhsNumber, OdsCode, Words};
use serde::{Deserialize, Serialize};

/// A patient.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patient {
    /// The NHS number, where it is known and right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nhs_number: Option<NhsNumber>,
    /// NHS number status indicator code, 01 to 08.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nhs_number_status: Option<String>,
    /// Numbers that trusts gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<super::Identifier>,
    /// Date of birth; a year or month alone where no more is known, so text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born_on: Option<Words>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<Words>,
    /// Given names in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_names: Vec<Words>,
    /// GP practice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gp_practice: Option<OdsCode>,
}

impl std::fmt::Debug for Patient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Patient(masked)")
    }
}

/// Which patient something is about, by whatever the sender gave.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatientLink {
    /// The NHS number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nhs_number: Option<NhsNumber>,
    /// A trust's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// A FHIR reference as it came, where nothing else was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl std::fmt::Debug for PatientLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PatientLink(masked)")
    }
}
