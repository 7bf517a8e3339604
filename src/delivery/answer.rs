//! What a receiver's answer means, whatever wire it came over.

/// The answer to one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The receiver took it.
    Accepted {
        /// What the receiver calls it, for example the Location of a create.
        reference: Option<String>,
    },
    /// The receiver looked at it and decided against it. Trying again would not help.
    Refused {
        /// Its reason, in words fit for the requester; no patient's data.
        reason: String,
    },
    /// The receiver is there and asks us to come later.
    Busy {
        /// What it said.
        reason: String,
        /// How long it asks us to wait, in seconds.
        retry_after_seconds: Option<u32>,
    },
    /// The message did not reach the receiver.
    Unreached {
        /// Why.
        reason: String,
    },
    /// The message may have reached the receiver; no answer came. Tried again with the same identity only.
    Unanswered {
        /// Why.
        reason: String,
    },
}

impl Answer {
    /// The name in metrics and on the command line.
    pub fn as_str(&self) -> &'static str {
        match self {
            Answer::Accepted { .. } => "accepted",
            Answer::Refused { .. } => "refused",
            Answer::Busy { .. } => "busy",
            Answer::Unreached { .. } => "unreached",
            Answer::Unanswered { .. } => "unanswered",
        }
    }

    /// The reason, where there is one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Answer::Accepted { .. } => None,
            Answer::Refused { reason }
            | Answer::Busy { reason, .. }
            | Answer::Unreached { reason }
            | Answer::Unanswered { reason } => Some(reason),
        }
    }
}
