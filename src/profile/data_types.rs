//! What some data types ask beyond what their definitions list, as HL7's validator does: Identifier, Attachment, Meta.

use super::check::Walk;
use super::plan::Kind;
use crate::document::{Node, Scalar};
use crate::issue::{Issue, Operation, Rule, Severity};
use std::collections::HashSet;

/// The system of identifiers that are addresses by themselves (R4, datatypes.html, Identifier).
const ADDRESSES: &str = "urn:ietf:rfc:3986";

impl<'p, 'd> Walk<'p, 'd> {
    /// Judges a value of one of these types.
    pub(super) fn data_type(&mut self, node: Node<'d>, kind: &Kind) {
        match &*kind.path {
            "Identifier" => self.identifier(node),
            "Attachment" => self.attachment(node),
            "Meta" => self.meta(node),
            _ => {}
        }
    }

    /// A system is an absolute address; a value that is an address by its system is an absolute one too.
    fn identifier(&mut self, node: Node<'d>) {
        let asker = "http://hl7.org/fhir/StructureDefinition/Identifier";
        let Some((system, text)) = node.child(self.names.system).and_then(|at| Some((at, at.string()?))) else {
            return;
        };
        let is_absolute = |text: &str| ["http:", "https:", "urn:", "ldap:"].iter().any(|known| text.starts_with(known));
        if !is_absolute(text) && !text.is_empty() {
            let issue = Issue::new(Rule::IdentifierSystem, "the system of an identifier is an absolute address")
                .hint("write the url or urn: that the identifiers' owner has published for them");
            return self.tell(system, issue.asked_by(format!("Identifier.system of {asker}")));
        }
        if text != ADDRESSES {
            return;
        }
        let Some((value, text)) = node.child_named("value").and_then(|at| Some((at, at.string()?))) else { return };
        if super::address::scheme(text).is_none() {
            let issue = Issue::new(Rule::IdentifierSystem, "a value of this system is an absolute address by itself")
                .hint("write urn:uuid: or urn:oid: before it, or name the system that it belongs to");
            self.tell(value, issue.asked_by(format!("Identifier.value of {asker}")));
        }
    }

    /// The size that an attachment tells is that of its data; one that holds nothing says what it would be.
    fn attachment(&mut self, node: Node<'d>) {
        let asker = "http://hl7.org/fhir/StructureDefinition/Attachment";
        let data = node.child_named("data").and_then(|data| data.string());
        let size = node.child_named("size").and_then(|size| Some((size, size.value()?)));
        if let (Some(data), Some((at, Scalar::Number(told)))) = (data, size)
            && let Some(actual) = decoded_bytes(data)
            && told.parse() != Ok(actual)
        {
            let issue = Issue::new(Rule::AttachmentSize, "`size` is not the number of bytes of the attachment's data")
                .hint("count the bytes before they are written in base 64, or leave `size` out")
                .mend(vec![Operation::Remove { path: at.pointer() }]);
            self.tell(at, issue.asked_by(format!("Attachment.size of {asker}")));
        }
        let says = |child: Node<'d>| matches!(child.name(), "data" | "url" | "contentType" | "language" | "extension");
        if node.has_children() && !node.children().any(says) {
            let issue = Issue::new(Rule::AttachmentEmpty, "an attachment has its data, or says where or what it is")
                .hint("add `data` or `url`")
                .severity(Severity::Warning);
            self.tell(node, issue.asked_by(asker));
        }
    }

    /// No security label stands twice.
    fn meta(&mut self, node: Node<'d>) {
        let mut seen = HashSet::new();
        for label in node.children_named("security") {
            let text = |name| label.child(name).and_then(|part| part.string());
            let Some(code) = text(self.names.code) else { continue };
            if seen.insert((text(self.names.system), code)) {
                continue;
            }
            let issue = Issue::new(Rule::MetaDuplicate, "a security label stands once")
                .hint("leave it out here")
                .mend(vec![Operation::Remove { path: label.pointer() }])
                .asked_by("Meta.security of http://hl7.org/fhir/StructureDefinition/Meta");
            self.tell(label, issue);
        }
    }

    /// A resource's own id is a bare value: no extension stands at it (R4, resource.html).
    pub(super) fn bare_id(&mut self, id: Node<'d>) {
        let is_own = id.parent().is_some_and(|parent| parent.resource_type().is_some());
        if is_own && id.has_children() {
            let issue = Issue::new(Rule::ElementUnknown, "the `id` of a resource has no extensions")
                .hint("leave `_id` out; extensions stand at the resource")
                .asked_by("Resource.id of http://hl7.org/fhir/StructureDefinition/Resource");
            self.tell(id, issue);
        }
    }
}

/// How many bytes stand in `text`; none when it is not base 64, which is told as that.
fn decoded_bytes(text: &str) -> Option<u64> {
    let digits = || text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let (count, padding) = (digits().count(), digits().filter(|byte| *byte == b'=').count());
    (count.is_multiple_of(4) && padding <= 2).then(|| (count / 4 * 3 - padding) as u64)
}

#[cfg(test)]
mod tests {
    use super::decoded_bytes;

    #[test]
    fn bytes_are_counted_without_decoding() {
        for (text, count) in [("", 0), ("QQ==", 1), ("QUI=", 2), ("QUJD", 3), ("QUJD\nQUJD", 6)] {
            assert_eq!(decoded_bytes(text), Some(count), "{text}");
        }
        assert_eq!(decoded_bytes("QUJ"), None);
        assert_eq!(decoded_bytes("===="), None);
    }
}
