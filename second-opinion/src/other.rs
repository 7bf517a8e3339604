//! rh-validator over the same definitions.

use rh_validator::{FhirValidator, FhirVersion, Severity};
use serde_json::Value as Json;
use stile::profile::Package;

/// The other validator, without a terminology server.
pub struct Other {
    validator: FhirValidator,
    /// Held as long as it is asked: it reads value sets when it meets them.
    _folder: tempfile::TempDir,
}

impl Other {
    /// Over these packages, whose files it wants in a folder.
    pub fn over(packages: &[Package]) -> Other {
        let folder = tempfile::tempdir().unwrap();
        for (number, package) in packages.iter().enumerate() {
            for (name, text) in &package.files {
                let flat = format!("{number}-{}", name.replace('/', "-"));
                std::fs::write(folder.path().join(flat), text).unwrap();
            }
        }
        let validator = FhirValidator::new(FhirVersion::R4, folder.path().to_str()).unwrap();
        Other { validator, _folder: folder }
    }

    /// What refuses a resource held against its own type and a profile: the message of each error.
    pub fn errors(&self, resource: &Json, claim: Option<&str>) -> Vec<String> {
        let type_name = resource["resourceType"].as_str().unwrap_or("Resource");
        let mut claims = vec![format!("http://hl7.org/fhir/StructureDefinition/{type_name}")];
        claims.extend(claim.map(str::to_owned));
        match self.validator.validate_with_profiles(resource, &claims) {
            Ok(result) => {
                let errors = result.issues.into_iter().filter(|issue| issue.severity == Severity::Error);
                errors.map(|issue| format!("{} @ {}", issue.message, issue.path.unwrap_or_default())).collect()
            }
            Err(cause) => vec![format!("fails: {cause}")],
        }
    }
}
