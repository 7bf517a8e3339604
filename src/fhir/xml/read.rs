//! Reading: XML straight into a [`Document`] over the XML text, so that every place is where the sender wrote it.

use super::tags::{AttributeText, attributes};
use super::typed::{Form, Typed};
use super::{FHIR, XHTML, is_forbidden};
use crate::document::{Document, NameFinder, NodeId};
use crate::fhir::findings::{Findings, Stop};
use crate::fhir::json::{is_number, is_out_of_range, is_type_name};
use crate::fhir::{Limits, Parsed};
use crate::issue::{Issue, Rule, Severity};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use std::collections::HashMap;
use std::ops::Range;

/// As in JSON: a longer name would only make long places.
const NAME_BYTES_MAX: usize = 128;

/// The namespaces that may be declared around one element; FHIR needs two or three.
const NAMESPACES_MAX: usize = 16;

/// Whether reading goes on.
pub(super) type Read<T> = Result<T, Stop>;

/// Reads `text`, which has no byte order mark.
pub(in crate::fhir) fn read(text: &str, limits: &Limits) -> Parsed {
    let mut xml = NsReader::from_str(text);
    xml.resolver_mut().set_max_namespace_bindings(NAMESPACES_MAX);
    let mut reader = Reader {
        text,
        xml,
        document: Document::over(text.to_owned()),
        finder: NameFinder::new(),
        findings: Findings::new(limits),
        typed: Typed::new(),
        open: Vec::new(),
        root_seen: false,
        depth_max: limits.depth_max.min(Limits::DEPTH_CEILING),
        nodes_max: limits.nodes_max,
    };
    let read_to_end = reader.body().is_ok();
    let Reader { document, findings, finder, .. } = reader;
    drop(finder);
    findings.finish(document, read_to_end)
}

pub(super) struct Reader<'t> {
    text: &'t str,
    pub(super) xml: NsReader<&'t [u8]>,
    pub(super) document: Document,
    finder: NameFinder,
    pub(super) findings: Findings,
    typed: Typed,
    /// The elements that are open, innermost last.
    open: Vec<Level<'t>>,
    root_seen: bool,
    pub(super) depth_max: usize,
    nodes_max: usize,
}

/// What an open tag is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An element.
    Element,
    /// An element that holds a resource, such as `contained`.
    Holder,
    /// The resource itself; its node is that of its holder.
    Resource,
}

struct Level<'t> {
    node: NodeId,
    kind: Kind,
    /// How deep the JSON form of what is in it nests: what is kept is JSON, and must not be deeper than can be read.
    depth: usize,
    /// Where its tag begins.
    at: usize,
    /// The children so far, by name.
    children: HashMap<&'t str, Repeats>,
    /// The furthest place in the definition's order that a child has had.
    furthest: usize,
    /// A holder that has its resource.
    is_taken: bool,
}

struct Repeats {
    first: NodeId,
    last: NodeId,
    count: u32,
}

impl<'t> Reader<'t> {
    fn body(&mut self) -> Read<()> {
        if let Some(at) = self.text.find(is_forbidden) {
            return Err(self.stop_at(at, NodeId::ROOT, "the text has a control character that XML does not allow"));
        }
        loop {
            let start = self.position();
            let event = self.xml.read_event();
            let node = self.open.last().map_or(NodeId::ROOT, |level| level.node);
            match event {
                Ok(Event::Start(tag)) => self.tag(&tag, start, true)?,
                Ok(Event::Empty(tag)) => self.tag(&tag, start, false)?,
                Ok(Event::End(_)) => self.close(),
                Ok(Event::Text(piece)) => self.loose_text(node, start, &piece.into_inner())?,
                Ok(Event::CData(piece)) => self.loose_text(node, start, &piece.into_inner())?,
                Ok(Event::GeneralRef(_)) => self.loose_text(node, start, "&")?,
                Ok(Event::Comment(_)) => {}
                Ok(Event::PI(_)) => self.instruction(node, start),
                Ok(Event::Decl(declaration)) => self.declaration(&declaration, start)?,
                Ok(Event::DocType(_)) => {
                    let message = "a document type declaration is not allowed; FHIR has no use for entities";
                    return Err(self.stop_at(start, node, message));
                }
                Ok(Event::Eof) => break,
                Err(error) => return Err(self.stop_at_error(node, &error)),
            }
        }
        match self.open.last() {
            Some(level) => Err(self.stop_at(self.text.len(), level.node, "the text ends inside an element")),
            None if self.root_seen => Ok(()),
            None => Err(self.stop_at(0, NodeId::ROOT, "the body has no element; a resource is expected")),
        }
    }

    fn tag(&mut self, tag: &BytesStart<'t>, start: usize, is_open: bool) -> Read<()> {
        let parent = self.open.last().map_or(NodeId::ROOT, |level| level.node);
        if self.open.is_empty() && self.root_seen {
            return Err(self.stop_at(start, parent, "there is a second root element"));
        }
        if self.depth() >= self.depth_max {
            return Err(self.stop_at_depth(parent, start));
        }
        let (namespace, local) = self.xml.resolver().resolve_element(tag.name());
        let is_fhir = namespace == ResolveResult::Bound(Namespace(FHIR));
        let is_xhtml = namespace == ResolveResult::Bound(Namespace(XHTML));
        let is_undeclared = matches!(namespace, ResolveResult::Unknown(_));
        let length = local.as_ref().len();
        let end = start + 1 + tag.name().as_ref().len();
        let range = end - length..end;
        if is_undeclared {
            return Err(self.stop_at(start, parent, "an element's prefix is not declared"));
        }
        if length > NAME_BYTES_MAX {
            let message = "an element's name is longer than any FHIR element's name";
            let issue = Issue::new(Rule::ElementUnknown, message).severity(Severity::Fatal);
            return Err(self.findings.stop(start, parent, issue));
        }
        let name = self.text.get(range.clone()).unwrap_or_default();
        if self.open.is_empty() {
            if !is_fhir {
                return Err(self.stop_at(
                    start,
                    parent,
                    "the root element is not in the namespace http://hl7.org/fhir",
                ));
            }
            self.root_seen = true;
            return self.resource(NodeId::ROOT, name, range, tag, start, is_open);
        }
        let in_holder = self.open.last().is_some_and(|level| level.kind == Kind::Holder);
        let is_div = name == "div";
        if is_fhir && in_holder {
            self.held(parent, name, range, tag, start, is_open)
        } else if is_fhir && is_div && self.typed.knows(name) {
            self.stranger(parent, tag, start, is_open, "the narrative's `div` is not in the namespace of XHTML")
        } else if is_fhir {
            self.element(parent, name, range, tag, start, is_open)
        } else if is_xhtml && is_div {
            let node = self.child(parent, name, range, start)?;
            self.narrative(node, tag, start, is_open)
        } else {
            self.stranger(parent, tag, start, is_open, "an element is not in the namespace of FHIR")
        }
    }

    /// An element that is read over.
    fn stranger(
        &mut self,
        parent: NodeId,
        tag: &BytesStart<'t>,
        start: usize,
        is_open: bool,
        message: &'static str,
    ) -> Read<()> {
        self.findings.tell(start, parent, Issue::new(Rule::ElementUnknown, message));
        if is_open && let Err(error) = self.xml.read_to_end(tag.name()) {
            return Err(self.stop_at_error(parent, &error));
        }
        Ok(())
    }

    /// The one resource in an element that holds a resource.
    fn held(
        &mut self,
        node: NodeId,
        name: &str,
        range: Range<usize>,
        tag: &BytesStart<'t>,
        start: usize,
        is_open: bool,
    ) -> Read<()> {
        let is_taken = self.open.last_mut().map(|level| &mut level.is_taken);
        if is_taken.is_some_and(|is_taken| std::mem::replace(is_taken, true)) {
            let message = "an element that holds one resource has a second";
            let issue = Issue::new(Rule::ElementTooMany, message).hint("repeat the element, with one resource in each");
            self.findings.tell(start, node, issue);
            if is_open && let Err(error) = self.xml.read_to_end(tag.name()) {
                return Err(self.stop_at_error(node, &error));
            }
            return Ok(());
        }
        self.resource(node, name, range, tag, start, is_open)
    }

    fn resource(
        &mut self,
        node: NodeId,
        name: &str,
        range: Range<usize>,
        tag: &BytesStart<'t>,
        start: usize,
        is_open: bool,
    ) -> Read<()> {
        if is_type_name(name) {
            self.document.set_text_resource_type(node, range);
        } else {
            let message = "the element of a resource does not have the form of a type's name";
            self.findings.tell(start, node, Issue::new(Rule::ResourceTypeUnknown, message));
        }
        let found = attributes(self.text, tag, self.xml.resolver()).map_err(|why| self.stop_at(start, node, why))?;
        if found.has_stranger || found.id.is_some() || found.url.is_some() || found.value.is_some() {
            self.tell_attribute(node, start);
        }
        self.typed.enter(name);
        self.push(node, Kind::Resource, start, is_open)
    }

    fn element(
        &mut self,
        parent: NodeId,
        name: &'t str,
        range: Range<usize>,
        tag: &BytesStart<'t>,
        start: usize,
        is_open: bool,
    ) -> Read<()> {
        let in_resource = self.open.last().is_some_and(|level| level.kind == Kind::Resource);
        if (name == "id" && !in_resource) || (name == "url" && self.typed.is_extension()) {
            let message = "in XML this is an attribute of the element, not an element in it";
            return self.stranger(parent, tag, start, is_open, message);
        }
        let is_known = self.typed.knows(name);
        let node = self.child(parent, name, range, start)?;
        self.typed.enter(name);
        let kind = if self.typed.holds_resource() { Kind::Holder } else { Kind::Element };
        let mut found =
            attributes(self.text, tag, self.xml.resolver()).map_err(|why| self.stop_at(start, node, why))?;
        // What no definition knows keeps its value; the profiles tell the element.
        if is_known && !self.typed.is_primitive() && found.value.take().is_some() {
            found.has_stranger = true;
        }
        if !self.typed.is_extension() && found.url.take().is_some() {
            found.has_stranger = true;
        }
        if kind == Kind::Holder && found.id.take().is_some() {
            found.has_stranger = true;
        }
        if found.has_stranger {
            self.tell_attribute(node, start);
        }
        if let Some(id) = found.id {
            self.attribute(node, "id", id, start)?;
        }
        if let Some(url) = found.url {
            self.attribute(node, "url", url, start)?;
        }
        if let Some(value) = found.value {
            let form = self.typed.form();
            self.value(node, value, form, start);
        }
        self.push(node, kind, start, is_open)
    }

    /// The node of a new child, beside its repeats.
    fn child(&mut self, parent: NodeId, name: &'t str, range: Range<usize>, start: usize) -> Read<NodeId> {
        self.check_room(parent, start)?;
        let position = self.typed.position_of(name);
        self.typed.enter(name);
        let repeats = self.typed.repeats();
        self.typed.leave();
        let Some(level) = self.open.last_mut() else { return Ok(parent) };
        let node = match level.children.get_mut(name) {
            Some(known) => {
                self.document.set_in_array(known.first, true);
                known.last = self.document.add_beside(known.last, start, known.count);
                known.count += 1;
                known.last
            }
            None => {
                let node = self.document.add(&self.finder, parent, range, start, repeats.then_some(0));
                level.children.insert(name, Repeats { first: node, last: node, count: 1 });
                node
            }
        };
        if position != usize::MAX {
            if position < level.furthest {
                let issue = Issue::new(Rule::XmlOrder, "an element stands after one that FHIR orders behind it")
                    .hint("XML has the elements of a resource in the order of its definition");
                self.findings.tell(start, node, issue);
            }
            level.furthest = level.furthest.max(position);
        }
        Ok(node)
    }

    /// An attribute that is an element in FHIR's own terms.
    fn attribute(&mut self, parent: NodeId, name: &str, text: AttributeText, start: usize) -> Read<()> {
        self.check_room(parent, start)?;
        let node = self.document.add_spelled(&self.finder, parent, name, start, None);
        self.value(node, text, Form::String, start);
        Ok(())
    }

    fn value(&mut self, node: NodeId, text: AttributeText, form: Form, start: usize) {
        let said = match &text {
            AttributeText::Plain(range) => self.text.get(range.clone()).unwrap_or_default(),
            AttributeText::Unescaped(said) => said,
        };
        if said.is_empty() {
            let issue = Issue::new(Rule::ElementEmpty, "an attribute is empty").hint("leave it out");
            self.findings.tell(start, node, issue);
        }
        if form == Form::Boolean && matches!(said, "true" | "false") {
            return self.document.set_boolean(node, said == "true");
        }
        let is_number = form == Form::Number && is_number(said);
        if is_number && is_out_of_range(said) {
            let message = "a number lies outside the range of an IEEE 754 double";
            self.findings.tell(start, node, Issue::new(Rule::JsonNumber, message));
        }
        // A value that is not what its type says stays a string; the profiles tell it.
        match (text, is_number) {
            (AttributeText::Plain(range), true) => self.document.set_text_number(node, range),
            (AttributeText::Plain(range), false) => self.document.set_text_string(node, range),
            (AttributeText::Unescaped(said), true) => self.document.set_number(node, &said),
            (AttributeText::Unescaped(said), false) => self.document.set_string(node, &said),
        }
    }

    fn push(&mut self, node: NodeId, kind: Kind, at: usize, is_open: bool) -> Read<()> {
        let depth = match kind {
            // A resource in a holder is one object with it.
            Kind::Resource => self.depth().max(1),
            Kind::Element | Kind::Holder => self.depth() + 1 + usize::from(self.document.node(node).in_array()),
        };
        if depth > self.depth_max {
            return Err(self.stop_at_depth(node, at));
        }
        self.open.push(Level { node, kind, depth, at, children: HashMap::new(), furthest: 0, is_taken: false });
        if !is_open {
            self.close();
        }
        Ok(())
    }

    /// How deep it nests here.
    fn depth(&self) -> usize {
        self.open.last().map_or(0, |level| level.depth)
    }

    /// The end of the innermost open element.
    fn close(&mut self) {
        let Some(level) = self.open.pop() else { return };
        let node = self.document.node(level.node);
        if level.kind != Kind::Resource {
            if node.value().is_none() && !node.has_children() && node.resource_type().is_none() {
                let issue = Issue::new(Rule::ElementEmpty, "an element has neither a value nor children")
                    .hint("leave it out, or give it a `value`");
                self.findings.tell(level.at, level.node, issue);
            } else if node.has_children() && self.typed.is_primitive() {
                self.document.set_twin(level.node);
            }
        }
        self.typed.leave();
    }

    /// True outside of the root element.
    pub(super) fn is_outside(&self) -> bool {
        self.open.is_empty()
    }

    /// How many elements may still be opened inside the innermost one.
    pub(super) fn depth_left(&self) -> usize {
        self.depth_max.saturating_sub(self.depth())
    }

    fn check_room(&mut self, node: NodeId, at: usize) -> Read<()> {
        if self.document.node_count() < self.nodes_max {
            return Ok(());
        }
        let issue = Issue::new(Rule::LimitNodes, format!("the body has more than {} elements", self.nodes_max))
            .hint("send fewer resources in one request");
        Err(self.findings.stop(at, node, issue))
    }
}
