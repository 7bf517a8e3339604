//! Objects, their members, and the twins of primitives.

use super::{Key, NAME_BYTES_MAX, Read, Reader};
use crate::document::{NodeId, Scalar};
use crate::issue::{Issue, Rule, Severity};
use std::borrow::Cow;
use std::collections::HashMap;

/// Up to here a walk over the names is faster than a hash table.
const WALKED_MAX: usize = 24;

/// A resource type's name is at most this long; the longest of R4 has 33 characters.
const TYPE_BYTES_MAX: usize = 64;

/// What one object has said about one element name so far.
pub(super) struct Member<'t> {
    /// Without the underscore of a twin.
    name: Cow<'t, str>,
    /// The element's first node.
    pub(super) first: Option<NodeId>,
    /// The member without underscore was there.
    has_value: bool,
    /// The member with underscore was there.
    has_twin: bool,
    /// The member without underscore is an object or has objects.
    pub(super) is_object: bool,
}

/// The members of one object: where they begin in the reader's list, and an index once they are many.
struct Open<'t> {
    base: usize,
    index: Option<HashMap<Cow<'t, str>, usize>>,
}

impl<'t> Reader<'t> {
    /// Reads an object into `node`; the next byte is its brace. Tells whether a `resourceType` was seen, good or bad.
    pub(super) fn object(&mut self, node: NodeId, depth: usize) -> Read<bool> {
        self.check_depth(node, depth)?;
        let start = self.at;
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            let issue = Issue::new(Rule::JsonEmpty, "an object without members says nothing").hint("leave it out");
            self.findings.tell(start, node, issue);
            return Ok(false);
        }
        let mut open = Open { base: self.members.len(), index: None };
        let nulls_base = self.nulls.len();
        let mut type_told = false;
        loop {
            let key = self.key(node)?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.syntax(node, "`:` is expected after a member's name"));
            }
            self.at += 1;
            self.skip_space();
            if key.name == "resourceType" {
                self.resource_type(node, &key, &mut type_told, depth)?;
            } else {
                self.member(node, key, &mut open, depth)?;
            }
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.syntax(node, "`,` or `}` is expected after a member")),
            }
            self.skip_space();
        }
        self.at += 1;
        self.members.truncate(open.base);
        self.settle_nulls(nulls_base);
        Ok(type_told)
    }

    fn key(&mut self, node: NodeId) -> Read<Key<'t>> {
        if self.peek() != Some(b'"') {
            return Err(self.syntax(node, "a member's name in double quotes is expected"));
        }
        let at = self.at;
        let string = self.string(node)?;
        let name = match &string.plain {
            Some(range) => Cow::Borrowed(self.text.get(range.clone()).unwrap_or_default()),
            None => Cow::Owned(self.unescaped.clone()),
        };
        if string.has_lone_surrogate {
            self.tell_surrogate(node, at);
        }
        if name.len() > NAME_BYTES_MAX {
            let issue = Issue::new(
                Rule::ElementUnknown,
                format!("a member's name is longer than {NAME_BYTES_MAX} bytes; no FHIR element has such a name"),
            );
            return Err(self.findings.stop(at, node, issue.severity(Severity::Fatal)));
        }
        Ok(Key { name, range: string.plain, at })
    }

    fn resource_type(&mut self, node: NodeId, key: &Key<'t>, told: &mut bool, depth: usize) -> Read<()> {
        if std::mem::replace(told, true) {
            self.tell_duplicate(node, key);
            return self.skip_value(node, depth);
        }
        if self.peek() != Some(b'"') {
            let issue = Issue::new(Rule::ResourceTypeMissing, "`resourceType` is not a string");
            self.findings.tell_below(key.at, node, "resourceType", None, issue);
            return self.skip_value(node, depth);
        }
        let at = self.at;
        let string = self.string(node)?;
        let name = match &string.plain {
            Some(range) => self.text.get(range.clone()).unwrap_or_default(),
            None => &self.unescaped,
        };
        // The type begins every expression that an issue names, so only what looks like one gets that far.
        if is_type_name(name) {
            match string.plain {
                Some(range) => self.document.set_text_resource_type(node, range),
                None => self.document.set_resource_type(node, &self.unescaped),
            }
        } else {
            let issue = Issue::new(Rule::ResourceTypeUnknown, "`resourceType` does not have the form of a type's name")
                .hint("a type's name is letters, the first a capital, for example `Appointment`");
            self.findings.tell_below(at, node, "resourceType", None, issue);
        }
        Ok(())
    }

    fn member(&mut self, node: NodeId, key: Key<'t>, open: &mut Open<'t>, depth: usize) -> Read<()> {
        let is_twin = key.name.len() > 1 && key.name.starts_with('_');
        let slot = self.slot(&key, is_twin, open);
        let Some(member) = self.members.get_mut(slot) else { return Ok(()) };
        let seen = if is_twin { &mut member.has_twin } else { &mut member.has_value };
        if std::mem::replace(seen, true) {
            self.tell_duplicate(node, &key);
            return self.skip_value(node, depth);
        }
        match self.peek() {
            Some(b'n') => {
                self.literal(node)?;
                let issue = Issue::new(Rule::JsonNull, "FHIR has no `null` here").hint("leave the member out");
                self.findings.tell_below(key.at, node, &key.name, None, issue);
                Ok(())
            }
            Some(b'[') => self.array(node, &key, is_twin, slot, depth + 1),
            Some(_) | None => self.single(node, &key, is_twin, slot, depth),
        }
    }

    /// A member that is no array and not `null`.
    fn single(&mut self, parent: NodeId, key: &Key<'t>, is_twin: bool, slot: usize, depth: usize) -> Read<()> {
        let is_object = self.peek() == Some(b'{');
        if is_twin && !is_object {
            self.tell_twin_form(key.at, parent, &key.name, None);
            return self.skip_value(parent, depth);
        }
        let first = self.members.get(slot).and_then(|member| member.first);
        let node = match first {
            Some(first) => {
                if self.document.node(first).in_array() {
                    self.tell_uneven(key.at, first);
                }
                first
            }
            None => self.add(parent, key, bare(&key.name, is_twin), key.at, None)?,
        };
        self.note(slot, node, is_twin, is_object, key.at);
        if is_twin {
            self.document.set_twin(node);
        }
        self.value(node, depth)
    }

    /// Remembers what a member turned out to be, and tells when an object has a twin.
    pub(super) fn note(&mut self, slot: usize, node: NodeId, is_twin: bool, is_object: bool, at: usize) {
        let Some(member) = self.members.get_mut(slot) else { return };
        member.first.get_or_insert(node);
        member.is_object |= is_object && !is_twin;
        if member.is_object && member.has_twin && (is_twin || self.document.node(node).is_twin()) {
            let issue = Issue::new(Rule::ElementType, "an object has a `_` twin; only primitives have one")
                .hint("put the members of the twin into the object");
            self.findings.tell(at, node, issue);
        }
    }

    /// The place of a name in the reader's list of members; made when the name is new in its object.
    fn slot(&mut self, key: &Key<'t>, is_twin: bool, open: &mut Open<'t>) -> usize {
        let name = bare(&key.name, is_twin);
        let known = self.members.get(open.base..).unwrap_or_default();
        let found = match &open.index {
            Some(index) => index.get(name).copied(),
            None => known.iter().position(|member| member.name == name).map(|place| place + open.base),
        };
        if let Some(found) = found {
            return found;
        }
        if open.index.is_none() && known.len() >= WALKED_MAX {
            let numbered = known.iter().enumerate();
            open.index = Some(numbered.map(|(place, member)| (member.name.clone(), place + open.base)).collect());
        }
        let name = match &key.name {
            Cow::Borrowed(whole) => Cow::Borrowed(bare(whole, is_twin)),
            Cow::Owned(_) => Cow::Owned(name.to_owned()),
        };
        let slot = self.members.len();
        if let Some(index) = &mut open.index {
            index.insert(name.clone(), slot);
        }
        self.members.push(Member { name, first: None, has_value: false, has_twin: false, is_object: false });
        slot
    }

    /// A `null` item is padding when its place has something else: a twin's content, or a value.
    fn settle_nulls(&mut self, base: usize) {
        while self.nulls.len() > base {
            let Some((node, at)) = self.nulls.pop() else { return };
            let padded = self.document.node(node);
            let has_twin = padded.is_twin() && padded.has_children();
            if padded.value().is_none() && !has_twin {
                let issue = Issue::new(Rule::JsonNull, "`null` stands where nothing else gives this item a content")
                    .hint(
                        "in an array, `null` only fills the place of a primitive whose `_` twin has an id or extension",
                    );
                self.findings.tell(at, node, issue);
            }
        }
    }

    /// Reads a value that is no array into `node`.
    pub(super) fn value(&mut self, node: NodeId, depth: usize) -> Read<()> {
        match self.peek() {
            Some(b'"') => self.string_value(node),
            Some(b'{') => self.object(node, depth + 1).map(|_| ()),
            Some(b'-' | b'0'..=b'9') => {
                let at = self.at;
                let range = self.number(node)?;
                self.check_range(node, at, range.clone());
                self.document.set_text_number(node, range);
                Ok(())
            }
            Some(_) | None => {
                if let Some(Scalar::Boolean(value)) = self.literal(node)? {
                    self.document.set_boolean(node, value);
                }
                Ok(())
            }
        }
    }

    fn string_value(&mut self, node: NodeId) -> Read<()> {
        let at = self.at;
        let string = self.string(node)?;
        if string.has_lone_surrogate {
            self.tell_surrogate(node, at);
        }
        let is_empty = match string.plain {
            Some(range) => {
                let is_empty = range.is_empty();
                self.document.set_text_string(node, range);
                is_empty
            }
            None => {
                self.document.set_string(node, &self.unescaped);
                self.unescaped.is_empty()
            }
        };
        if is_empty {
            let issue = Issue::new(Rule::JsonEmpty, "an empty string says nothing").hint("leave it out");
            self.findings.tell(at, node, issue);
        }
        Ok(())
    }

    fn tell_duplicate(&mut self, node: NodeId, key: &Key<'t>) {
        let issue = Issue::new(Rule::JsonDuplicate, "a member of this name stood before in the same object")
            .hint("an element that repeats is one member with an array");
        self.findings.tell_below(key.at, node, &key.name, None, issue);
    }

    fn tell_surrogate(&mut self, node: NodeId, at: usize) {
        let issue = Issue::new(Rule::JsonSurrogate, "a string has half of a surrogate pair")
            .hint("send the character itself, or both halves: `\\ud83d\\ude00`");
        self.findings.tell(at, node, issue);
    }

    pub(super) fn tell_twin_form(&mut self, at: usize, node: NodeId, name: &str, index: Option<u32>) {
        let issue = Issue::new(Rule::ElementType, "a `_` twin is an object with an id or extensions")
            .hint("the value itself stands in the member without `_`");
        self.findings.tell_below(at, node, name, index, issue);
    }

    pub(super) fn tell_uneven(&mut self, at: usize, node: NodeId) {
        let issue = Issue::new(Rule::ElementArray, "of an element and its `_` twin one is an array, the other is not");
        self.findings.tell(at, node, issue);
    }
}

/// An element's name without the underscore of a twin.
pub(super) fn bare(name: &str, is_twin: bool) -> &str {
    if is_twin { name.strip_prefix('_').unwrap_or(name) } else { name }
}

/// True for what has the form of a resource type's name.
pub(in crate::fhir) fn is_type_name(name: &str) -> bool {
    name.len() <= TYPE_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
