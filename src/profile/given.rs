//! Values that a profile gives or limits: `fixed[x]`, `pattern[x]`, `maxLength`.

use super::check::Walk;
use super::plan::{Element, Kind};
use super::slicing::given_text;
use crate::document::{Node, Scalar};
use crate::fhirpath::Decimal;
use crate::issue::{Issue, Operation, Rule};

/// The longest given value that a hint shows, in bytes.
const SHOWN_BYTES_MAX: usize = 300;

impl<'p, 'd> Walk<'p, 'd> {
    /// `fixed[x]` and `pattern[x]`.
    pub(super) fn given(&mut self, node: Node<'d>, parent: &Kind, element: &Element) {
        let Some(given) = element.given.and_then(|number| self.plan.givens.get(number as usize)) else { return };
        let wanted = given.value.root();
        if fits(node, wanted, given.is_whole) {
            return;
        }
        let message = format!("`{}` has another value than the one that the profile gives", element.name.as_str());
        let text = given_text(wanted);
        let hint = match (text.len() <= SHOWN_BYTES_MAX, given.is_whole) {
            (true, true) => format!("write {text}"),
            (true, false) if wanted.value().is_some() => format!("write {text}"),
            (true, false) => format!("it has at least {text}"),
            (false, _) => "see the profile".to_owned(),
        };
        let mut issue = Issue::new(Rule::ProfileValue, message).hint(hint).asked_by(self.asker(parent, element));
        if is_name(wanted) {
            issue = issue.mend(vec![Operation::Replace { path: node.pointer(), value: json_of(wanted) }]);
        }
        self.tell(node, issue);
    }

    /// What puts in an element that is missing and can have one value only.
    pub(super) fn missing_given(&self, element: &Element, path: String) -> Option<Vec<Operation>> {
        let given = self.plan.givens.get(element.given? as usize)?;
        let is_only = is_name(given.value.root()) && !element.is_array && !element.is_choice;
        is_only.then(|| vec![Operation::Add { path, value: json_of(given.value.root()) }])
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

/// True for the address of a system or the url of an extension: it says what the value beside it is. Any other given
/// value says something about the patient or the appointment, which a profile does not know.
fn is_name(given: Node<'_>) -> bool {
    given.string().is_some_and(|text| ["http://", "https://", "urn:"].iter().any(|scheme| text.starts_with(scheme)))
}

/// A given value as JSON.
fn json_of(given: Node<'_>) -> serde_json::Value {
    serde_json::from_str(&crate::fhir::json(given)).unwrap_or_default()
}

/// Whether `node` is `wanted` (whole) or has at least what it has: of an array, each item somewhere among the repeats.
pub(super) fn fits(node: Node<'_>, wanted: Node<'_>, is_whole: bool) -> bool {
    let is_same_value = match (node.value(), wanted.value()) {
        (_, None) => !is_whole || node.value().is_none(),
        (Some(Scalar::Number(one)), Some(Scalar::Number(other))) => one == other || same_number(one, other),
        (one, other) => one == other,
    };
    if !is_same_value {
        return false;
    }
    if is_whole {
        // An id and extensions beside a fixed primitive are told by the fixed value as well: there are none.
        let mut mine = node.children();
        let has_all = wanted.children().all(|child| {
            let repeat = |one: &Node<'_>| one.name() == child.name() && one.index() == child.index();
            node.children().find(repeat).is_some_and(|one| fits(one, child, true))
        });
        let is_known = |one: Node<'_>| wanted.children().any(|c| c.name() == one.name() && c.index() == one.index());
        return has_all && mine.all(is_known);
    }
    wanted
        .children()
        .all(|child| node.children().filter(|one| one.name() == child.name()).any(|one| fits(one, child, false)))
}

fn same_number(one: &str, other: &str) -> bool {
    matches!((Decimal::parse(one), Decimal::parse(other)), (Some(one), Some(other)) if one == other)
}
