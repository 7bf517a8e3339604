//! FHIR as text: JSON and XML to a [`Document`] and back, OperationOutcomes, Bundles of search results.
//!
//! Reading never stops at the first fault that it can read past: [`parse`] gives the document and everything that is
//! wrong with its text. Whether elements exist and have the right types is asked by the profiles, not here.
//!
//! What R4 knows about elements, and XML does not say (which repeat, which are numbers or booleans, in which order
//! they stand), comes from fhirbolt's tables; this is the only module that names it.

mod findings;
mod json;
mod outcome;
mod release;
mod render;
mod searchset;
mod token;
mod xml;

pub use outcome::{Grounds, outcome, verdict};
pub use release::is_stu3;
pub use render::json;
pub use searchset::{Found, SearchMode, searchset};
pub use token::Token;
pub use xml::xml;

use crate::document::Document;
use crate::issue::{Issue, Place, Rule};
use findings::line_and_column;

/// How much a submission may ask of the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the body in bytes.
    pub bytes_max: usize,
    /// Nesting of objects and arrays (JSON) or of elements (XML). More than [`Limits::DEPTH_CEILING`] counts as that.
    pub depth_max: usize,
    /// Elements in the document.
    pub nodes_max: usize,
    /// Issues told about one submission.
    pub issues_max: usize,
}

impl Limits {
    /// Reading and writing recurse once per level, so no setting may ask for more levels than a thread's stack holds.
    pub const DEPTH_CEILING: usize = 200;
}

impl Default for Limits {
    /// 8 MiB, 64 levels, 500 000 elements, 200 issues.
    fn default() -> Self {
        Limits { bytes_max: 8 * 1024 * 1024, depth_max: 64, nodes_max: 500_000, issues_max: 200 }
    }
}

/// The two wire forms of FHIR that Stile reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `application/fhir+json`
    Json,
    /// `application/fhir+xml`
    Xml,
}

/// What reading a body gave: both the document and what is wrong, never one or the other.
#[derive(Debug)]
pub struct Parsed {
    /// The tree; absent when the text could not be read to its end.
    pub document: Option<Document>,
    /// What is wrong with the text, in the order of the text.
    pub issues: Vec<Issue>,
}

impl Parsed {
    fn refused(issue: Issue) -> Self {
        Parsed { document: None, issues: vec![issue] }
    }
}

/// Reads a body. It never panics and takes time in proportion to the body, whatever the body is.
///
/// Issues have the rules `text.*`, `json.*`, `xml.*`, `limit.*`, `resource.type-missing`, `resource.type-unknown`
/// and, where the text alone shows it, `element.*`. A fatal one about the text leaves the document out.
pub fn parse(bytes: &[u8], format: Format, limits: &Limits) -> Parsed {
    // Offsets are kept in 32 bits.
    let bytes_max = limits.bytes_max.min(u32::MAX as usize / 2);
    if bytes.len() > bytes_max {
        return Parsed::refused(
            Issue::new(Rule::LimitBytes, format!("the body is larger than {bytes_max} bytes"))
                .hint("send fewer resources in one request, or attachments by url"),
        );
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let (line, column) = line_and_column(before);
            let place = Place { line, column, ..Place::default() };
            return Parsed::refused(
                Issue::new(Rule::TextEncoding, "the body is not UTF-8 from here on")
                    .at(place)
                    .hint("encode the body as UTF-8; FHIR allows no other encoding"),
            );
        }
    };
    // A byte order mark is allowed and means nothing in UTF-8.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    match format {
        Format::Json => json::read(text, limits),
        Format::Xml => xml::read(text, limits),
    }
}

#[cfg(test)]
mod tests;
