//! What can be wrong with a submission, and how it is told.
//!
//! An [`Issue`] is collected, never thrown: a caller hears everything that is wrong in one answer. It names the
//! place and the rule, and never the value that stood there, because values in this trade are about patients.

mod code;
mod mend;
mod place;
mod rule;

pub use code::{IssueCode, Severity};
pub use mend::{Mend, Operation};
pub use place::Place;
pub use rule::Rule;

use std::fmt;

/// One thing that is wrong, doubtful or worth knowing about a submission.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Issue {
    /// How bad it is. `Fatal` and `Error` refuse the submission.
    pub severity: Severity,
    /// The kind of problem in FHIR's closed list (value set `issue-type`, R4).
    pub code: IssueCode,
    /// Our stable name for the rule that was broken.
    pub rule: Rule,
    /// Where it is; absent when it is about the request as a whole.
    pub place: Option<Box<Place>>,
    /// One sentence that says what is wrong. Never holds a value from the submission.
    pub message: String,
    /// What would put it right, where that can be said.
    pub hint: Option<String>,
    /// What asked for it: `ELEMENT of DEFINITION`, `KEY of DEFINITION` for an invariant, a mapping's rule.
    pub asked_by: Option<String>,
    /// Among slices: the one that comes nearest, and what of it did not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest_slice: Option<Box<str>>,
    /// A change to the submission that puts it right, where that needs no knowledge of what was meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<Box<Mend>>,
}

impl Issue {
    /// A new issue of `rule`, with the rule's usual severity and code.
    pub fn new(rule: Rule, message: impl Into<String>) -> Self {
        Issue {
            severity: rule.severity(),
            code: rule.code(),
            rule,
            place: None,
            message: message.into(),
            hint: None,
            asked_by: None,
            nearest_slice: None,
            mend: None,
        }
    }

    /// The same issue at `place`.
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(Box::new(place));
        self
    }

    /// The same issue with a way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same issue, saying which definition asked for it.
    pub fn asked_by(mut self, asker: impl Into<String>) -> Self {
        self.asked_by = Some(asker.into());
        self
    }

    /// The same issue with a change that puts it right.
    pub fn mend(mut self, operations: Vec<Operation>) -> Self {
        self.mend = Some(Box::new(Mend(operations)));
        self
    }

    /// The same issue with another severity.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The same issue with another FHIR issue code.
    pub fn code(mut self, code: IssueCode) -> Self {
        self.code = code;
        self
    }

    /// What asked, and the canonical url of the definition that it stands in, where a definition asked.
    pub fn asker(&self) -> Option<(&str, Option<&str>)> {
        let asked_by = self.asked_by.as_deref()?;
        Some(match asked_by.rsplit_once(" of ") {
            Some((what, definition)) if definition.contains(':') => (what, Some(definition)),
            Some(_) | None => (asked_by, None),
        })
    }

    /// The key of the invariant that does not hold.
    pub fn invariant(&self) -> Option<&str> {
        if self.rule != Rule::Invariant {
            return None;
        }
        self.asker().map(|(key, _)| key)
    }

    /// True when this issue alone refuses a submission.
    pub fn refuses(&self) -> bool {
        self.severity <= Severity::Error
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.severity)?;
        if let Some(place) = &self.place {
            if !place.expression.is_empty() {
                write!(f, " at {}", place.expression)?;
            }
            if place.line > 0 {
                write!(f, " (line {}, column {})", place.line, place.column)?;
            }
        }
        write!(f, ": {} [{}]", self.message, self.rule)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

/// True when any of `issues` refuses the submission.
pub fn any_refuses(issues: &[Issue]) -> bool {
    issues.iter().any(Issue::refuses)
}

/// The candidate that is spelled most like `word`, when one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word_lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word_lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count().min(word.chars().count()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_a_slip_and_leaves_a_stranger_alone() {
        let known = ["participant", "status", "start"];
        assert_eq!(nearest("participants", known), Some("participant"));
        assert_eq!(nearest("Status", known), Some("status"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn an_issue_knows_what_of_which_definition_asked() {
        const URL: &str = "http://hl7.org/fhir/StructureDefinition/Appointment";
        for (rule, asked_by, asker, invariant) in [
            (Rule::Invariant, format!("app-1 of {URL}"), ("app-1", Some(URL)), Some("app-1")),
            (Rule::ElementUnknown, format!("Appointment.start of {URL}"), ("Appointment.start", Some(URL)), None),
            (Rule::MappingRequired, "rule 3 of patient".into(), ("rule 3 of patient", None), None),
        ] {
            let issue = Issue::new(rule, "a sentence").asked_by(asked_by);
            assert_eq!((issue.asker(), issue.invariant()), (Some(asker), invariant));
        }
        assert_eq!(Issue::new(Rule::Invariant, "a sentence").invariant(), None);
    }

    #[test]
    fn an_issue_reads_as_one_line() {
        let issue = Issue::new(Rule::ElementUnknown, "Appointment has no element with this name")
            .at(Place {
                expression: "Appointment.participants".into(),
                pointer: "/participants".into(),
                line: 3,
                column: 5,
            })
            .hint("did you mean `participant`?");
        assert_eq!(
            issue.to_string(),
            "error at Appointment.participants (line 3, column 5): Appointment has no element with this name \
             [element.unknown]; did you mean `participant`?"
        );
    }
}
