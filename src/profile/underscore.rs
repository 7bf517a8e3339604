//! Under which member of JSON an element stands: under its name, or under its name with an underscore.

use super::check::Walk;
use super::plan::{Form, Kind};
use super::tell::with_article;
use crate::document::Node;
use crate::issue::{Issue, Operation, Rule};

impl<'p, 'd> Walk<'p, 'd> {
    /// Whether `node` stands under the member that its type has; tells it when not. A primitive's value stands under
    /// its name and its id and extensions under the name with an underscore; anything else stands under its name
    /// (R4, 2.6.2.3). XML does not tell the two apart, and its reader says what JSON would.
    pub(super) fn under_its_name(&mut self, node: Node<'d>, kind: &Kind) -> bool {
        let name = node.name();
        let issue = match kind.form {
            Form::Primitive(primitive) if node.has_children() && !node.is_twin() => {
                let json_type = primitive.json_type();
                let message =
                    format!("`{name}` has the type {}, which is {json_type} and no object", primitive.as_str());
                let hint = format!("write it as {json_type}; an id or extensions of it go into `_{name}`");
                Issue::new(Rule::ElementType, message).hint(hint)
            }
            Form::Primitive(_) => return true,
            Form::Resource
            | Form::AnyResource
            | Form::Complex
            | Form::Reference
            | Form::Extension
            | Form::CodeableConcept
            | Form::Coding => {
                if !node.is_twin() {
                    return true;
                }
                let message = format!("`{name}` is {}, and only primitives have a `_` twin", with_article(&kind.path));
                let issue = Issue::new(Rule::ElementType, message).hint(format!("write it as `{name}`"));
                let from = node.pointer();
                match from.rsplit_once("/_") {
                    Some((holder, last)) if !node.in_array() && last == name => {
                        let path = format!("{holder}/{name}");
                        issue.mend(vec![Operation::Move { from, path }])
                    }
                    Some(_) | None => issue,
                }
            }
        };
        self.tell(node, issue.asked_by(self.plan.url(kind)));
        false
    }

    /// Whether a primitive has nothing beside its value but an id and extensions; tells what else there is.
    pub(super) fn no_strange_member(&mut self, node: Node<'d>, kind: &Kind) -> bool {
        let names = self.names;
        let is_strange = |child: &Node<'d>| !child.is(names.id) && !child.is(names.extension);
        let mut is_sound = true;
        for child in node.children().filter(is_strange) {
            is_sound = false;
            self.unknown(child, kind);
        }
        is_sound
    }
}
