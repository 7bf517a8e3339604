//! The JSON form of a node: object or single value, and the form of each primitive type.

use super::Primitive;
use super::check::Walk;
use super::plan::{Form, Kind};
use super::primitive::Fault;
use super::tell::with_article;
use crate::document::{Node, Scalar};
use crate::issue::{Issue, Operation, Rule};

impl<'p, 'd> Walk<'p, 'd> {
    /// Whether `node` has the JSON form of its type; tells it when not.
    pub(super) fn json_form(&mut self, node: Node<'d>, kind: &Kind) -> bool {
        if !self.under_its_name(node, kind) {
            return false;
        }
        let names = self.names;
        match (kind.form, node.value()) {
            (Form::Primitive(primitive), Some(value)) => {
                self.primitive(node, primitive, value) && self.no_strange_member(node, kind)
            }
            (Form::Primitive(_), None) => {
                let is_empty = node.children().all(|child| child.is(names.id));
                if is_empty {
                    self.empty(node);
                }
                !is_empty && self.no_strange_member(node, kind)
            }
            (_, Some(_)) => {
                let message = format!("`{}` is {}, an object in JSON", node.name(), with_article(&kind.path));
                self.tell(node, Issue::new(Rule::ElementType, message).hint("write it as { } with its elements in it"));
                false
            }
            (Form::Resource | Form::AnyResource, None) => true,
            (_, None) => {
                if node.children().all(|child| child.is(names.id)) {
                    self.empty(node);
                    return false;
                }
                if node.resource_type().is_some() {
                    let message = format!("{} is no resource and has no element `resourceType`", kind.path);
                    self.tell(node, Issue::new(Rule::ElementUnknown, message).hint("leave `resourceType` out"));
                }
                true
            }
        }
    }

    fn empty(&mut self, node: Node<'d>) {
        let mut issue = Issue::new(Rule::ElementEmpty, "an element has a value or elements of its own")
            .hint("leave it out when there is nothing to say")
            .asked_by("ele-1 of http://hl7.org/fhir/StructureDefinition/Element");
        // An item of an array is not taken out: its twin's array would no longer be beside it, or nothing be left.
        if !node.in_array() && !node.has_children() {
            issue = issue.mend(vec![Operation::Remove { path: node.pointer() }]);
        }
        self.tell(node, issue);
    }

    fn primitive(&mut self, node: Node<'d>, primitive: Primitive, value: Scalar<'d>) -> bool {
        let type_name = primitive.as_str();
        match primitive.fault(value) {
            None => {
                self.note(node, primitive);
                true
            }
            Some(Fault::Doubt(usual)) => {
                self.note(node, primitive);
                let message = format!("`{}` has a value that is hardly meant", node.name());
                let issue = Issue::new(Rule::PrimitiveUnusual, message).hint(usual);
                self.tell(node, issue.asked_by(definition_of(primitive)));
                true
            }
            Some(Fault::JsonType(json_type)) => {
                let message = format!("`{}` has the type {type_name}, which is {json_type}", node.name());
                let issue = Issue::new(Rule::ElementType, message).hint(format!("write it as {json_type}"));
                self.tell(node, issue.asked_by(definition_of(primitive)));
                false
            }
            Some(Fault::Form(asked)) => {
                let message = format!("`{}` does not have the form of its type, {type_name}", node.name());
                let issue = Issue::new(Rule::PrimitiveFormat, message).hint(asked);
                self.tell(node, issue.asked_by(definition_of(primitive)));
                false
            }
        }
    }
}

fn definition_of(primitive: Primitive) -> String {
    format!("http://hl7.org/fhir/StructureDefinition/{}", primitive.as_str())
}
