//! Telling what is wrong with XML as such. quick-xml's messages can quote the text, so none of them is passed on.

use super::read::Reader;
use crate::document::NodeId;
use crate::fhir::findings::Stop;
use crate::issue::{Issue, Rule};

impl<'t> Reader<'t> {
    /// The byte that is read next.
    pub(super) fn position(&self) -> usize {
        self.xml.buffer_position() as usize
    }

    pub(super) fn stop_at(&mut self, at: usize, node: NodeId, message: &'static str) -> Stop {
        self.findings.stop(at, node, Issue::new(Rule::XmlSyntax, message))
    }

    /// The text just read has a fault of form.
    pub(super) fn stop_at_form(&mut self, node: NodeId, message: &'static str) -> Stop {
        self.stop_at(self.position(), node, message)
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
