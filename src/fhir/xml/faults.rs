//! Telling what is wrong with XML as such. quick-xml's messages can quote the text, so none of them is passed on.

use super::read::{Read, Reader};
use crate::document::NodeId;
use crate::fhir::findings::Stop;
use crate::issue::{Issue, Rule, Severity};
use quick_xml::events::BytesDecl;

impl<'t> Reader<'t> {
    /// The byte that is read next.
    pub(super) fn position(&self) -> usize {
        self.xml.buffer_position() as usize
    }

    /// What an XML declaration may say: version 1.0, and no other encoding than UTF-8.
    pub(super) fn declaration(&mut self, declaration: &BytesDecl<'_>, start: usize) -> Read<()> {
        if start > 0 {
            return Err(self.stop_at(start, NodeId::ROOT, "an XML declaration stands only at the very beginning"));
        }
        if !declaration.version().is_ok_and(|version| version == "1.0") {
            return Err(self.stop_at(start, NodeId::ROOT, "the XML declaration does not say version 1.0"));
        }
        let is_utf8 = match declaration.encoding() {
            None => true,
            Some(encoding) => encoding.is_ok_and(|name| name.eq_ignore_ascii_case("UTF-8")),
        };
        if is_utf8 {
            return Ok(());
        }
        let issue = Issue::new(Rule::TextEncoding, "the XML declaration names another encoding than UTF-8")
            .hint("encode the body as UTF-8; FHIR allows no other encoding");
        Err(self.findings.stop(start, NodeId::ROOT, issue))
    }

    /// A processing instruction; before and after the resource it is for tools that show XML, and means nothing.
    pub(super) fn instruction(&mut self, node: NodeId, start: usize) {
        if !self.is_outside() {
            let issue = Issue::new(Rule::XmlSyntax, "a processing instruction stands in the resource")
                .severity(Severity::Error)
                .hint("leave it out; FHIR has no use for it");
            self.findings.tell(start, node, issue);
        }
    }

    /// Text outside of a narrative.
    pub(super) fn loose_text(&mut self, node: NodeId, start: usize, piece: &str) -> Read<()> {
        if piece.bytes().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')) {
            return Ok(());
        }
        if self.is_outside() {
            return Err(self.stop_at(start, node, "there is text outside of the resource"));
        }
        let issue = Issue::new(Rule::XmlSyntax, "text stands between tags outside of a narrative")
            .severity(Severity::Error)
            .hint("FHIR's values stand in `value` attributes: `<status value=\"booked\"/>`");
        self.findings.tell(start, node, issue);
        Ok(())
    }

    pub(super) fn stop_at(&mut self, at: usize, node: NodeId, message: &'static str) -> Stop {
        self.findings.stop(at, node, Issue::new(Rule::XmlSyntax, message))
    }

    pub(super) fn stop_at_depth(&mut self, node: NodeId, at: usize) -> Stop {
        let issue = Issue::new(Rule::LimitDepth, format!("elements nest more than {} deep", self.depth_max));
        self.findings.stop(at, node, issue)
    }

    pub(super) fn stop_at_error(&mut self, node: NodeId, error: &quick_xml::Error) -> Stop {
        use quick_xml::Error;
        let message = match error {
            Error::Io(_) | Error::Encoding(_) => "the text cannot be read",
            Error::Syntax(_) => "a tag, comment or declaration is not closed",
            Error::IllFormed(_) => "an end tag does not match its start tag, or an escape is not closed",
            Error::InvalidAttr(_) => "an attribute is not of the form `name=\"value\"`",
            Error::Escape(_) => "there is an escape that XML does not know",
            Error::Namespace(_) => "a namespace is declared in a way that XML does not allow, or too many are",
        };
        let at = self.xml.error_position() as usize;
        self.stop_at(at, node, message)
    }

    pub(super) fn tell_attribute(&mut self, node: NodeId, at: usize) {
        let issue = Issue::new(Rule::ElementUnknown, "an element has an attribute that FHIR does not give it")
            .hint("FHIR's attributes are `value`, `id`, and `url` of extensions");
        self.findings.tell(at, node, issue);
    }
}
