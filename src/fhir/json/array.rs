//! Arrays: the repeats of an element, or the twins of its repeats.

use super::object::bare;
use super::{Key, Read, Reader};
use crate::document::NodeId;
use crate::issue::{Issue, Rule};

/// Where an array has got to.
struct Items {
    parent: NodeId,
    is_twin: bool,
    /// The place of the member in the reader's list.
    slot: usize,
    depth: usize,
    /// The node of the next item, when the other member of the pair made it already.
    made: Option<NodeId>,
    previous: Option<NodeId>,
    index: u32,
}

impl<'t> Reader<'t> {
    /// Reads a member that is an array; the next byte is its bracket.
    pub(super) fn array(
        &mut self,
        parent: NodeId,
        key: &Key<'t>,
        is_twin: bool,
        slot: usize,
        depth: usize,
    ) -> Read<()> {
        self.check_depth(parent, depth)?;
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            let issue = Issue::new(Rule::JsonEmpty, "an array without items says nothing").hint("leave it out");
            self.findings.tell_below(key.at, parent, &key.name, None, issue);
            return Ok(());
        }
        let made = self.members.get(slot).and_then(|member| member.first);
        if let Some(first) = made
            && !self.document.node(first).in_array()
        {
            self.document.set_in_array(first, true);
            self.tell_uneven(key.at, first);
        }
        let mut items = Items { parent, is_twin, slot, depth, made, previous: None, index: 0 };
        loop {
            self.item(key, &mut items)?;
            items.index += 1;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.syntax(parent, "`,` or `]` is expected after an item")),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(())
    }

    fn item(&mut self, key: &Key<'t>, items: &mut Items) -> Read<()> {
        let at = self.at;
        let next = self.peek();
        let was_made = items.made.is_some();
        let node = self.item_node(key, items)?;
        self.note(items.slot, node, items.is_twin, next == Some(b'{'), at);
        match next {
            Some(b'n') => {
                self.literal(node)?;
                // Of two nulls in one place only one is told.
                if !(items.is_twin && was_made) {
                    self.nulls.push((node, at));
                }
                Ok(())
            }
            Some(b'[') => {
                let issue = Issue::new(Rule::ElementArray, "an array stands in an array")
                    .hint("FHIR has no arrays of arrays; take the inner brackets away");
                self.findings.tell(at, node, issue);
                self.skip_value(node, items.depth)
            }
            Some(b'{') if items.is_twin => {
                self.document.set_twin(node);
                self.value(node, items.depth)
            }
            Some(_) | None if items.is_twin => {
                self.tell_twin_form(at, items.parent, &key.name, Some(items.index));
                self.skip_value(node, items.depth)
            }
            Some(_) | None => self.value(node, items.depth),
        }
    }

    /// The node of an item: made by the other member of the pair, or now.
    fn item_node(&mut self, key: &Key<'t>, items: &mut Items) -> Read<NodeId> {
        let node = match (items.made, items.previous) {
            (Some(made), _) => {
                items.made = self.document.node(made).next_repeat().map(|next| next.id());
                made
            }
            (None, Some(previous)) => {
                self.check_room(items.parent)?;
                self.document.add_beside(previous, self.at, items.index)
            }
            (None, None) => self.add(items.parent, key, bare(&key.name, items.is_twin), self.at, Some(items.index))?,
        };
        items.previous = Some(node);
        Ok(node)
    }
}
