//! Narratives: the one place where FHIR has text between tags. Kept as they were written, to the byte.

use super::read::{Read, Reader};
use super::tags::check_any_attributes;
use super::{XHTML, is_forbidden};
use crate::document::NodeId;
use crate::issue::{Issue, Rule, Severity};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

impl<'t> Reader<'t> {
    /// Reads an XHTML `div` as the value of `node`. `start` is where its tag begins; the tag has been read.
    pub(super) fn narrative(&mut self, node: NodeId, tag: &BytesStart<'t>, start: usize, is_open: bool) -> Read<()> {
        let depth_left = self.depth_left();
        match walk(&mut self.xml, tag, is_open, depth_left) {
            Ok(has_prefix) => {
                let end = self.position();
                self.document.set_text_string(node, start..end);
                if has_prefix {
                    let message = "the narrative uses namespace prefixes, which JSON cannot carry along";
                    let issue = Issue::new(Rule::XmlSyntax, message)
                        .severity(Severity::Error)
                        .hint("declare `xmlns=\"http://www.w3.org/1999/xhtml\"` on the `div` and write its elements without prefix");
                    self.findings.tell(start, node, issue);
                }
                Ok(())
            }
            Err(Fault::Depth) => Err(self.stop_at_depth(node, start)),
            Err(Fault::Form(message, at)) => Err(self.stop_at(at, node, message)),
            Err(Fault::Xml(error)) => Err(self.stop_at_error(node, &error)),
        }
    }
}

enum Fault {
    /// What is wrong, and where it begins.
    Form(&'static str, usize),
    Depth,
    Xml(quick_xml::Error),
}

/// Goes to the end of a `div`. Tells whether anything in it has a prefix.
fn walk<'t>(
    xml: &mut NsReader<&'t [u8]>,
    tag: &BytesStart<'t>,
    is_open: bool,
    depth_left: usize,
) -> Result<bool, Fault> {
    let has_prefix_in = |tag: &BytesStart<'_>, at: usize| {
        let found = check_any_attributes(tag).map_err(|message| Fault::Form(message, at))?;
        Ok(found || tag.name().prefix().is_some())
    };
    let mut has_prefix = has_prefix_in(tag, xml.buffer_position() as usize)?;
    let mut open_count = usize::from(is_open);
    while open_count > 0 {
        let at = xml.buffer_position() as usize;
        match xml.read_event().map_err(Fault::Xml)? {
            Event::Start(tag) => {
                open_count += 1;
                if open_count > depth_left {
                    return Err(Fault::Depth);
                }
                has_prefix |= has_prefix_in(&tag, at)?;
            }
            Event::Empty(tag) => has_prefix |= has_prefix_in(&tag, at)?,
            Event::End(_) => open_count -= 1,
            Event::GeneralRef(reference) if is_defined(&reference) => {}
            Event::GeneralRef(_) => {
                let message = "the narrative has an entity that XML does not define; write the character itself";
                return Err(Fault::Form(message, at));
            }
            Event::Text(_) | Event::CData(_) | Event::Comment(_) => {}
            Event::PI(_) | Event::Decl(_) => return Err(Fault::Form("the narrative has a processing instruction", at)),
            Event::DocType(_) => return Err(Fault::Form("a document type declaration is not allowed", at)),
            Event::Eof => return Err(Fault::Form("the text ends inside the narrative", at)),
        }
    }
    Ok(has_prefix)
}

/// The five entities that XML defines, and characters by number.
fn is_defined(reference: &BytesRef<'_>) -> bool {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => !is_forbidden(character),
        Ok(None) => matches!(reference.xml10_content().as_ref(), "amp" | "lt" | "gt" | "quot" | "apos"),
        Err(_) => false,
    }
}

/// Why `div`, a narrative from JSON, cannot stand in XML as it is; none when it can.
pub(super) fn fault(div: &str) -> Option<&'static str> {
    if div.contains(is_forbidden) {
        return Some("the narrative has a control character that XML cannot hold");
    }
    let mut xml = NsReader::from_str(div);
    let (tag, is_open) = match xml.read_event() {
        Ok(Event::Start(tag)) => (tag, true),
        Ok(Event::Empty(tag)) => (tag, false),
        Ok(_) | Err(_) => return Some("the narrative does not begin with its `div`"),
    };
    let (namespace, name) = xml.resolver().resolve_element(tag.name());
    if namespace != ResolveResult::Bound(Namespace(XHTML)) || name.as_ref() != "div" {
        return Some("the narrative is not a `div` in the namespace of XHTML");
    }
    // How deep a narrative nests is bounded by the reader of the request; here only well-formedness counts.
    match walk(&mut xml, &tag, is_open, usize::MAX) {
        Ok(_) => {}
        Err(Fault::Form(message, _)) => return Some(message),
        Err(Fault::Depth | Fault::Xml(_)) => return Some("the narrative is not well-formed"),
    }
    match xml.read_event() {
        Ok(Event::Eof) => None,
        Ok(_) | Err(_) => Some("there is text after the narrative's `div`"),
    }
}
