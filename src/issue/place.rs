//! Where something stands in a submission.

/// A place in a submission, told three ways so that each reader finds it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// FHIRPath with indices, for example `Appointment.participant[0].actor.reference`.
    pub expression: String,
    /// JSON Pointer (RFC 6901) into the JSON form.
    pub pointer: String,
    /// Line in the text as it was sent, counted from 1; 0 when not known.
    pub line: u32,
    /// Column in characters, counted from 1; 0 when not known.
    pub column: u32,
}

impl Place {
    /// A place that is known by its expression only, for example a header or a query parameter.
    pub fn named(expression: impl Into<String>) -> Self {
        Place { expression: expression.into(), ..Place::default() }
    }
}
