//! XML to a [`Document`](crate::document::Document) and back.
//!
//! XML does not say which elements repeat, nor which values are numbers or booleans; fhirbolt's tables of R4 do
//! ([`Typed`]). Its own XML reader and writer are not used, because they change what was sent: they take white space
//! out of narratives (`5 <b>mg</b>` becomes `5<b>mg</b>`), write line breaks in strings so that readers take them for
//! spaces, can give a resource the type of one that it contains, refuse `xsi:schemaLocation`, and panic on a narrative
//! without text. The tests beside this file show each.

mod faults;
mod narrative;
mod read;
mod tags;
mod typed;
mod write;

pub(super) use read::read;
pub(super) use typed::is_type;
pub use write::xml;

/// FHIR's XML namespace.
const FHIR: &str = "http://hl7.org/fhir";

/// The namespace of narratives.
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// The namespace of `xsi:schemaLocation`, the one foreign attribute that FHIR allows (R4, 2.6.1).
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// True for characters that XML 1.0 cannot hold, escaped or not (production 2).
fn is_forbidden(character: char) -> bool {
    matches!(character, '\u{0}'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests;
