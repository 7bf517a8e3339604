//! JSON to a [`Document`] in one pass.
//!
//! FHIR's JSON splits a primitive in two members: `birthDate` has the value, `_birthDate` its id and extensions
//! (R4, 2.6.2.3). They may come in either order and, for repeats, as two arrays filled up with `null`. Here they
//! become one node.

mod array;
mod object;
mod token;

pub(super) use object::is_type_name;
pub(super) use token::{is_number, is_out_of_range};

use super::findings::{Findings, Stop};
use super::{Limits, Parsed};
use crate::document::{Document, NameFinder, NodeId};
use crate::issue::{Issue, Rule};
use object::Member;
use std::borrow::Cow;
use std::ops::Range;

/// The longest element name in R4 has 43 characters. A longer member name would only make long places.
const NAME_BYTES_MAX: usize = 128;

/// Whether reading goes on.
type Read<T> = Result<T, Stop>;

/// Reads `text`, which has no byte order mark.
pub(super) fn read(text: &str, limits: &Limits) -> Parsed {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        document: Document::over(text.to_owned()),
        finder: NameFinder::new(),
        findings: Findings::new(limits),
        members: Vec::new(),
        nulls: Vec::new(),
        unescaped: String::new(),
        depth_max: limits.depth_max.min(Limits::DEPTH_CEILING),
        nodes_max: limits.nodes_max,
    };
    let read_to_end = reader.body().is_ok();
    let Reader { document, findings, finder, .. } = reader;
    drop(finder);
    findings.finish(document, read_to_end)
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// The byte that is read next.
    at: usize,
    document: Document,
    finder: NameFinder,
    findings: Findings,
    /// The members of the objects that are open, innermost last.
    members: Vec<Member<'t>>,
    /// The `null` items of the objects that are open, until their twins are known.
    nulls: Vec<(NodeId, usize)>,
    /// The last string that had escapes.
    unescaped: String,
    depth_max: usize,
    nodes_max: usize,
}

/// A member's name: a piece of the text, or a string of its own when it has escapes.
struct Key<'t> {
    name: Cow<'t, str>,
    /// Where the name stands in the text, when it stands there as it is.
    range: Option<Range<usize>>,
    at: usize,
}

impl<'t> Reader<'t> {
    fn body(&mut self) -> Read<()> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => {}
            None => return Err(self.syntax(NodeId::ROOT, "the body is empty; a JSON object is expected")),
            Some(_) => {
                let at = self.at;
                self.skip_value(NodeId::ROOT, 0)?;
                let issue = Issue::new(Rule::JsonNotObject, "the body is JSON, but not an object")
                    .hint("a FHIR resource is a JSON object: `{\"resourceType\": …}`");
                return Err(self.findings.stop(at, NodeId::ROOT, issue));
            }
        }
        let start = self.at;
        let type_told = self.object(NodeId::ROOT, 1)?;
        if !type_told {
            let issue = Issue::new(Rule::ResourceTypeMissing, "the resource does not say its `resourceType`")
                .hint("for example `\"resourceType\": \"Appointment\"`, as the first member");
            self.findings.tell(start, NodeId::ROOT, issue);
        }
        self.skip_space();
        if self.at < self.bytes.len() {
            return Err(self.syntax(NodeId::ROOT, "there is text after the end of the object"));
        }
        Ok(())
    }

    /// Adds an element below `parent`, as the last.
    fn add(&mut self, parent: NodeId, key: &Key<'t>, name: &str, at: usize, position: Option<u32>) -> Read<NodeId> {
        self.check_room(parent)?;
        Ok(match &key.range {
            // The range has the underscore of a twin, the name has not.
            Some(range) => {
                let range = range.end - name.len()..range.end;
                self.document.add(&self.finder, parent, range, at, position)
            }
            None => self.document.add_spelled(&self.finder, parent, name, at, position),
        })
    }

    fn check_room(&mut self, parent: NodeId) -> Read<()> {
        if self.document.node_count() < self.nodes_max {
            return Ok(());
        }
        let issue = Issue::new(Rule::LimitNodes, format!("the body has more than {} elements", self.nodes_max))
            .hint("send fewer resources in one request");
        Err(self.findings.stop(self.at, parent, issue))
    }

    fn check_depth(&mut self, node: NodeId, depth: usize) -> Read<()> {
        if depth <= self.depth_max {
            return Ok(());
        }
        let issue = Issue::new(Rule::LimitDepth, format!("objects and arrays nest more than {} deep", self.depth_max));
        Err(self.findings.stop(self.at, node, issue))
    }

    /// The text is not JSON at this point.
    fn syntax(&mut self, node: NodeId, message: &'static str) -> Stop {
        self.findings.stop(self.at, node, Issue::new(Rule::JsonSyntax, message))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests;
