//! Collecting issues while a text is read, and telling their places once the tree is whole.
//!
//! Expressions need the finished tree (whether an element repeats shows late), and lines need a walk over the text:
//! one walk for all issues, so that a hostile text cannot make the telling dearer than the reading.

use super::{Limits, Parsed, release, xml};
use crate::document::{Document, Node, NodeId};
use crate::issue::{Issue, Operation, Place, Rule, Severity};

/// An issue that does not know its place yet.
pub(super) struct Finding {
    issue: Issue,
    /// Byte offset in the text.
    at: usize,
    node: NodeId,
    /// A member of the node, or an item of that member, which is no node itself.
    below: Option<(String, Option<u32>)>,
}

/// The issues of one text, bounded in number.
pub(super) struct Findings {
    kept: Vec<Finding>,
    kept_max: usize,
    dropped_count: usize,
}

/// Reading ends here; the reason is among the findings.
#[derive(Debug)]
pub(super) struct Stop;

impl Findings {
    pub(super) fn new(limits: &Limits) -> Self {
        // One place is held back for the issue that says that there are more.
        let kept_max = limits.issues_max.max(2) - 1;
        Findings { kept: Vec::new(), kept_max, dropped_count: 0 }
    }

    /// Something is wrong with `node`.
    pub(super) fn tell(&mut self, at: usize, node: NodeId, issue: Issue) {
        self.push(at, node, None, issue);
    }

    /// Something is wrong with a member of `node`, or an item of it, that is no node itself.
    pub(super) fn tell_below(&mut self, at: usize, node: NodeId, name: &str, index: Option<u32>, issue: Issue) {
        let below = (self.kept.len() < self.kept_max).then(|| (name.to_owned(), index));
        self.push(at, node, below, issue);
    }

    /// Reading cannot go on. Kept in any case, in place of another issue if need be.
    pub(super) fn stop(&mut self, at: usize, node: NodeId, issue: Issue) -> Stop {
        if self.kept.len() >= self.kept_max && self.kept.pop().is_some() {
            self.dropped_count += 1;
        }
        self.push(at, node, None, issue);
        Stop
    }

    fn push(&mut self, at: usize, node: NodeId, below: Option<(String, Option<u32>)>, issue: Issue) {
        if self.kept.len() < self.kept_max {
            self.kept.push(Finding { issue, at, node, below });
        } else {
            self.dropped_count += 1;
        }
    }

    /// The issues with their places, in the order of the text.
    pub(super) fn finish(mut self, document: Document, read_to_end: bool) -> Parsed {
        self.kept.sort_by_key(|finding| finding.at);
        let strange_type = document.resource_type().filter(|kind| !is_known_type(kind)).map(str::len);
        let mut cursor = Cursor::default();
        let mut issues: Vec<Issue> = Vec::with_capacity(self.kept.len() + 1);
        for finding in self.kept {
            let node = document.node(finding.node);
            let mut place = match finding.below {
                Some((name, index)) => node.place_below(&name, index),
                None => Place { expression: node.expression(), pointer: node.pointer(), line: 0, column: 0 },
            };
            // A type that FHIR does not have is the sender's own word, so no place begins with it.
            if let Some(rest) = strange_type.and_then(|length| place.expression.get(length..)) {
                place.expression = format!("Resource{rest}");
            }
            (place.line, place.column) = cursor.move_to(document.text().as_bytes(), finding.at);
            let issue = match mend(finding.issue.rule, node, &place) {
                Some(operation) => finding.issue.mend(vec![operation]),
                None => finding.issue,
            };
            issues.push(issue.at(place));
        }
        if self.dropped_count > 0 {
            let told = issues.len();
            // Nothing that is wrong with a text is only doubtful.
            issues.push(
                Issue::new(Rule::NotEvaluated, format!("there are more issues than the {told} that are told here"))
                    .severity(Severity::Error)
                    .hint("put these right and send again to hear the others"),
            );
        }
        Parsed { document: read_to_end.then_some(document), issues }
    }
}

/// What says nothing is taken away, where that leaves nothing behind that says nothing.
fn mend(rule: Rule, node: Node<'_>, place: &Place) -> Option<Operation> {
    let is_alone = node.in_array() && node.index() == 0 && node.next_repeat().is_none();
    let says_nothing = matches!(rule, Rule::JsonEmpty | Rule::ElementEmpty) && !place.pointer.is_empty();
    (says_nothing && !is_alone).then(|| Operation::Remove { path: place.pointer.clone() })
}

/// True for the types of R4, and for those of STU3, which are refused by name.
fn is_known_type(name: &str) -> bool {
    xml::is_type(name) || release::is_type_of_stu3(name)
}

/// Counts lines and columns, going forward only.
struct Cursor {
    at: usize,
    line: u32,
    column: u32,
}

impl Default for Cursor {
    fn default() -> Self {
        Cursor { at: 0, line: 1, column: 1 }
    }
}

impl Cursor {
    fn move_to(&mut self, text: &[u8], at: usize) -> (u32, u32) {
        let passed = text.get(self.at..at).unwrap_or_default();
        let rest = match passed.iter().rposition(|byte| *byte == b'\n') {
            None => passed,
            Some(newline) => {
                self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u32;
                self.column = 1;
                passed.get(newline + 1..).unwrap_or_default()
            }
        };
        self.column += rest.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() as u32;
        self.at = self.at.max(at);
        (self.line, self.column)
    }
}

/// Line and column, from 1, of the end of `before`.
pub(super) fn line_and_column(before: &[u8]) -> (u32, u32) {
    Cursor::default().move_to(before, before.len())
}
