//! What is wrong with a mapping file, a code table or a manual: told to the person who wrote it.

use std::fmt;

/// Where something stands in a file: line and column in characters, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Mark {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// One thing that is wrong with a file that the site wrote. These files hold no patient data, so a problem may
/// quote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Our stable name for the fault, for example `mapping.unknown-key`.
    pub code: &'static str,
    /// The file, as its [`Source`](super::Source) names it.
    pub file: String,
    /// Where in it.
    pub at: Mark,
    /// How many characters to underline, at least one.
    pub width: u32,
    /// The line of the file that it is about; empty when it is about the file as a whole.
    pub excerpt: String,
    /// One sentence.
    pub message: String,
    /// What would put it right, where that can be said.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:{}:{}: {} [{}]", self.file, self.at.line, self.at.column, self.message, self.code)?;
        if !self.excerpt.is_empty() {
            let number = self.at.line.to_string();
            let blank = " ".repeat(number.len());
            let indent = " ".repeat(self.at.column.saturating_sub(1) as usize);
            writeln!(f, "  {number} | {}", self.excerpt)?;
            writeln!(f, "  {blank} | {indent}{}", "^".repeat(self.width.clamp(1, 200) as usize))?;
        }
        if let Some(hint) = &self.hint {
            writeln!(f, "  {hint}")?;
        }
        Ok(())
    }
}

/// The problems of one file as they are found, and its text for the excerpts.
pub(super) struct Findings<'s> {
    file: &'s str,
    lines: Vec<&'s str>,
    found: Vec<Problem>,
}

impl<'s> Findings<'s> {
    pub(super) fn new(file: &'s str, text: &'s str) -> Self {
        Findings { file, lines: text.lines().collect(), found: Vec::new() }
    }

    pub(super) fn file(&self) -> &'s str {
        self.file
    }

    /// Notes a problem that underlines one character.
    pub(super) fn note(&mut self, code: &'static str, at: Mark, message: impl Into<String>) -> &mut Problem {
        self.note_wide(code, at, 1, message)
    }

    /// Notes a problem that underlines `width` characters.
    pub(super) fn note_wide(
        &mut self,
        code: &'static str,
        at: Mark,
        width: usize,
        message: impl Into<String>,
    ) -> &mut Problem {
        let line = self.lines.get((at.line as usize).wrapping_sub(1)).copied().unwrap_or_default();
        self.found.push(Problem {
            code,
            file: self.file.to_owned(),
            at,
            width: u32::try_from(width.max(1)).unwrap_or(1),
            excerpt: line.chars().take(240).collect(),
            message: message.into(),
            hint: None,
        });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    /// The text of a line, counted from 1.
    pub(super) fn line(&self, number: u32) -> &'s str {
        self.lines.get((number as usize).wrapping_sub(1)).copied().unwrap_or_default()
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.found
    }
}

impl Problem {
    /// Adds a way out.
    pub(super) fn way_out(&mut self, hint: impl Into<String>) {
        self.hint = Some(hint.into());
    }

    /// Adds "did you mean …?" when one of `known` is near, otherwise the list of what there is.
    pub(super) fn meant<'k>(&mut self, word: &str, known: impl IntoIterator<Item = &'k str>) {
        let known: Vec<&str> = known.into_iter().collect();
        self.hint = match crate::issue::nearest(word, known.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if known.is_empty() => None,
            None => {
                let shown: Vec<&str> = known.iter().copied().take(24).collect();
                let more = if known.len() > shown.len() { ", …" } else { "" };
                Some(format!("there are: {}{more}", shown.join(", ")))
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_the_line_and_underlines_the_fault() {
        let mut findings = Findings::new("a.yaml", "mapping: a\nfrm: b\n");
        findings
            .note_wide("mapping.unknown-key", Mark { line: 2, column: 1 }, 3, "a mapping has no key `frm`")
            .meant("frm", ["from", "to", "rules"]);
        let shown = findings.into_problems().remove(0).to_string();
        assert_eq!(
            shown,
            "a.yaml:2:1: a mapping has no key `frm` [mapping.unknown-key]\n  2 | frm: b\n    | ^^^\n  did you mean \
             `from`?\n"
        );
    }

    #[test]
    fn a_problem_past_the_end_of_the_file_has_no_excerpt_and_does_not_panic() {
        for line in [0, 1, 99, u32::MAX] {
            let mut findings = Findings::new("a.yaml", "");
            findings.note("x.y", Mark { line, column: 0 }, "m");
            assert!(findings.into_problems().remove(0).excerpt.is_empty());
        }
    }
}
