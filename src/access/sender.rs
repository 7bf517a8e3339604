//! How a sender speaks: what a mapping and the tolerances need to know about it.

use crate::model::OdsCode;
use crate::national::Rules;
use crate::profile::UnknownExtensions;
use std::collections::BTreeMap;

/// A sender profile from the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Its name, for example `pca-portal`.
    pub name: String,
    /// The organisation that it sends for; whose patients these are when a submission does not say.
    pub organisation: OdsCode,
    /// True when its updates of an appointment are the PAS's word, and so end change requests.
    pub is_pas: bool,
    /// Names of the tolerances that its submissions need (`profile::tolerance`).
    pub tolerances: Vec<String>,
    /// Canonical urls of profiles that its resources must fit, beside R4 itself.
    pub profiles: Vec<String>,
    /// The national rules that its submissions must keep, and how hard.
    pub rules: Rules,
    /// What is thought of extensions in its submissions that no loaded package defines.
    pub unknown_extensions: UnknownExtensions,
    /// What mappings read as `%sender`, for example `pas_appointment_system`.
    pub variables: BTreeMap<String, String>,
}
