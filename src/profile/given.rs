//! Values that a profile gives or limits: `fixed[x]`, `pattern[x]`, `maxLength`.

use super::check::Walk;
use super::plan::{Element, Kind};
use crate::document::{Node, Scalar};
use crate::issue::{Issue, Rule};
use serde_json::Value;

impl<'p, 'd> Walk<'p, 'd> {
    /// `fixed[x]` and `pattern[x]`.
    pub(super) fn given(&mut self, node: Node<'d>, parent: &Kind, element: &Element) {
        let Some(given) = element.given.and_then(|number| self.plan.givens.get(number as usize)) else { return };
        if !fits(node, &given.value, given.is_whole) {
            let message = format!("`{}` has another value than the one that the profile gives", element.name.as_str());
            let hint = match &given.value {
                Value::Object(_) | Value::Array(_) => "see the profile".to_owned(),
                value => format!("write {value}"),
            };
            self.tell(node, Issue::new(Rule::ProfileValue, message).hint(hint).asked_by(self.asker(parent, element)));
        }
    }

    /// `maxLength`, in characters.
    pub(super) fn length(&mut self, node: Node<'d>, parent: &Kind, element: &Element) {
        let (Some(max), Some(text)) = (element.max_length, node.string()) else { return };
        let max = max as usize;
        // Characters are counted only where the bytes leave a doubt.
        if text.len() <= max || text.chars().count() <= max {
            return;
        }
        let message = format!("`{}` has more than {max} characters", element.name.as_str());
        let issue = Issue::new(Rule::PrimitiveFormat, message).hint(format!("write {max} characters at most"));
        self.tell(node, issue.asked_by(self.asker(parent, element)));
    }
}

/// Whether `node` is `value` (whole) or holds it among others.
fn fits(node: Node<'_>, value: &Value, is_whole: bool) -> bool {
    match value {
        Value::Object(members) => {
            let has_all = members.iter().all(|(name, member)| match member {
                Value::Array(items) => {
                    let found = |item: &Value| node.children_named(name).any(|child| fits(child, item, is_whole));
                    items.iter().all(found) && (!is_whole || node.children_named(name).count() == items.len())
                }
                single => node.child_named(name).is_some_and(|child| fits(child, single, is_whole)),
            });
            has_all && (!is_whole || node.children().all(|child| members.contains_key(child.name())))
        }
        Value::String(text) => node.string() == Some(text),
        Value::Bool(value) => node.value() == Some(Scalar::Boolean(*value)),
        Value::Number(number) => match node.value() {
            Some(Scalar::Number(text)) => text == number.to_string(),
            Some(Scalar::String(_) | Scalar::Boolean(_)) | None => false,
        },
        Value::Array(_) | Value::Null => true,
    }
}
