//! Search tokens (FHIR R4 search, 3.1.1.5.10).

use crate::model::well_known_system;

/// A token of a search: `system|value`, `|value` (no system) or `value` (any system).
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The system; `Some("")` for "no system", none for "any".
    pub system: Option<String>,
    /// The value.
    pub value: String,
}

impl std::fmt::Debug for Token {
    /// Shows the system and not the value, which may be an NHS number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token({})", self.system.as_deref().unwrap_or("any system"))
    }
}

impl Token {
    /// Reads a token as a query writes it. The systems of NHS England that everybody uses are taken in any case, as in
    /// what is submitted, and come in their published spelling.
    pub fn parse(text: &str) -> Token {
        match text.split_once('|') {
            Some((system, value)) => {
                let system = well_known_system(system).unwrap_or(system);
                Token { system: Some(system.to_owned()), value: value.to_owned() }
            }
            None => Token { system: None, value: text.to_owned() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_well_known_systems_is_folded_and_of_no_other() {
        for (text, system, value) in [
            ("https://fhir.nhs.uk/id/ubrn|aB1", Some("https://fhir.nhs.uk/Id/UBRN"), "aB1"),
            ("urn:Trust:PAS|x", Some("urn:Trust:PAS"), "x"),
            ("|x", Some(""), "x"),
            ("https://fhir.nhs.uk/id/ubrn", None, "https://fhir.nhs.uk/id/ubrn"),
        ] {
            let token = Token::parse(text);
            assert_eq!((token.system.as_deref(), token.value.as_str()), (system, value), "{text}");
        }
    }
}
