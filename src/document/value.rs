//! What a leaf holds.

/// A slice of the document's text, or of its side buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) side: bool,
}

impl Span {
    pub(super) const EMPTY: Span = Span { start: 0, end: 0, side: false };
}

/// What a node holds, as the arena keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    None,
    String(Span),
    Number(Span),
    Boolean(bool),
}

/// What a primitive element holds. Numbers stay the text they were sent as, so that no digit is lost.
#[derive(Clone, Copy, PartialEq)]
pub enum Scalar<'d> {
    /// A JSON string; most FHIR primitives.
    String(&'d str),
    /// A JSON number, as it was spelled.
    Number(&'d str),
    /// A JSON boolean.
    Boolean(bool),
}

impl std::fmt::Debug for Scalar<'_> {
    /// Shows the JSON type and the length, not the value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::String(text) => write!(f, "String({} bytes)", text.len()),
            Scalar::Number(text) => write!(f, "Number({} bytes)", text.len()),
            Scalar::Boolean(_) => f.write_str("Boolean"),
        }
    }
}

impl<'d> Scalar<'d> {
    /// The value as text, whatever its JSON type.
    pub fn text(self) -> &'d str {
        match self {
            Scalar::String(text) | Scalar::Number(text) => text,
            Scalar::Boolean(true) => "true",
            Scalar::Boolean(false) => "false",
        }
    }
}
