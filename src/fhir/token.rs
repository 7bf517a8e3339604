//! Search tokens (FHIR R4 search, 3.1.1.5.10).

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
    /// Reads a token as a query writes it.
    pub fn parse(text: &str) -> Token {
        match text.split_once('|') {
            Some((system, value)) => Token { system: Some(system.to_owned()), value: value.to_owned() },
            None => Token { system: None, value: text.to_owned() },
        }
    }
}
