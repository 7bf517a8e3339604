//! The identifier systems of the NHS that everybody uses, and how they are spelled.

/// Systems whose spelling is known, as NHS England publishes them. Older specifications and BaRS's own samples write
/// `/id/` or another case for the same system.
const WELL_KNOWN: [&str; 10] = [
    "https://fhir.nhs.uk/Id/nhs-number",
    "https://fhir.nhs.uk/Id/ods-organization-code",
    "https://fhir.nhs.uk/Id/ods-site-code",
    "https://fhir.nhs.uk/Id/UBRN",
    "https://fhir.nhs.uk/Id/USRN",
    "https://fhir.nhs.uk/Id/PathwayId",
    "https://fhir.nhs.uk/Id/sds-user-id",
    "https://fhir.nhs.uk/Id/sds-role-profile-id",
    "https://fhir.nhs.uk/Id/dos-service-id",
    "https://fhir.nhs.uk/Id/ers-service",
];

/// The published spelling of a well-known identifier system that is spelled like this but for the case of its ASCII
/// letters; none for any other system, whose case counts (RFC 3986, 6.2.2.1).
pub fn well_known_system(system: &str) -> Option<&'static str> {
    WELL_KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_case_may_differ() {
        for (sent, known) in [
            ("https://fhir.nhs.uk/id/nhs-number", Some("https://fhir.nhs.uk/Id/nhs-number")),
            ("HTTPS://FHIR.NHS.UK/ID/UBRN", Some("https://fhir.nhs.uk/Id/UBRN")),
            ("https://fhir.nhs.uk/Id/PathwayId", Some("https://fhir.nhs.uk/Id/PathwayId")),
            ("https://fhir.nhs.uk/Id/nhs-number/", None),
            ("http://fhir.nhs.uk/Id/nhs-number", None),
            ("urn:trust:pas", None),
            ("", None),
        ] {
            assert_eq!(well_known_system(sent), known, "{sent}");
        }
        assert!(WELL_KNOWN.iter().all(|known| well_known_system(known) == Some(known)));
    }
}
