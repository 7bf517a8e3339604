//! The sentences of the walk: what is told of elements that are unknown, too many, or of the wrong form.

use super::check::{QUOTED_BYTES_MAX, Walk, is_short};
use super::plan::{Element, Kind};
use crate::document::{Node, is_plain_name};
use crate::issue::{Issue, Rule, nearest};

impl<'p, 'd> Walk<'p, 'd> {
    pub(super) fn unknown(&mut self, child: Node<'d>, kind: &Kind) {
        let name = child.name();
        if let Some(choice) = self.choice_of(kind, name) {
            return self.no_such_choice(child, kind, choice);
        }
        let issue = match quotable(name) {
            Some(name) => Issue::new(Rule::ElementUnknown, format!("{} has no element `{name}`", kind.path)),
            None => Issue::new(Rule::ElementUnknown, format!("{} has no element with this name", kind.path)),
        };
        let known = self.plan.steps(kind).iter().map(|step| step.name.as_str());
        let hint = match is_short(name).then(|| nearest(name, known)).flatten() {
            Some(near) => format!("did you mean `{near}`?"),
            None => "leave it out, or carry it in an extension".into(),
        };
        self.tell(child, issue.hint(hint).asked_by(self.plan.url(kind)));
    }

    /// The choice element that `name` looks like a form of.
    fn choice_of(&self, kind: &Kind, name: &str) -> Option<&'p Element> {
        self.plan.elements(kind).iter().filter(|element| element.is_choice).find(|element| {
            let rest = name.strip_prefix(element.name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_uppercase()))
        })
    }

    pub(super) fn no_such_choice(&mut self, child: Node<'d>, kind: &Kind, element: &Element) {
        const LISTED_COUNT_MAX: usize = 12;
        let name = element.name.as_str();
        let message = format!("`{name}[x]` of {} does not have this type", kind.path);
        let forms: Vec<_> = self
            .plan
            .steps(kind)
            .iter()
            .filter(|step| !step.is_left_out)
            .filter(|step| self.plan.elements.get(step.element as usize).is_some_and(|one| one.name == element.name))
            .map(|step| step.name.as_str())
            .collect();
        let near = is_short(child.name()).then(|| nearest(child.name(), forms.iter().copied())).flatten();
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if forms.len() <= LISTED_COUNT_MAX => format!("write one of `{}`", sorted(forms).join("`, `")),
            None => format!("write `{name}` followed by the name of a type that it may have"),
        };
        let issue = Issue::new(Rule::ElementChoice, message).hint(hint).asked_by(self.asker(kind, element));
        self.tell(child, issue);
    }

    pub(super) fn second_choice(&mut self, child: Node<'d>, kind: &Kind, element: &Element) {
        let message = format!("`{}[x]` of {} stands here a second time", element.name.as_str(), kind.path);
        let issue = Issue::new(Rule::ElementChoice, message)
            .hint("a choice has one type: keep one of them")
            .asked_by(self.asker(kind, element));
        self.tell(child, issue);
    }

    pub(super) fn array(&mut self, child: Node<'d>, kind: &Kind, element: &Element) {
        let (message, hint) = match element.is_array {
            true => ("repeats, so JSON writes it as an array, also when there is one", "put it into [ ]"),
            false => ("does not repeat, so JSON writes it without an array", "take it out of the [ ]; send one"),
        };
        let issue = Issue::new(Rule::ElementArray, format!("`{}` {message}", child_name(child, element)))
            .hint(hint)
            .asked_by(self.asker(kind, element));
        self.tell(child, issue);
    }

    pub(super) fn too_many(&mut self, child: Node<'d>, kind: &Kind, element: &Element) {
        let name = child_name(child, element);
        let (message, hint) = match element.max {
            0 => (format!("`{name}` is not used here"), "leave it out".to_owned()),
            1 => (format!("`{name}` stands here once at most"), "keep one".to_owned()),
            max => (format!("`{name}` stands here {max} times at most"), format!("keep {max}")),
        };
        let (rule, message) = match &element.slice {
            Some(slice) => (Rule::SliceTooMany, format!("{message} in the slice `{slice}`")),
            None => (Rule::ElementTooMany, message),
        };
        let issue = Issue::new(rule, message).hint(hint).asked_by(self.asker(kind, element));
        self.tell(child, issue);
    }
}

/// The name of an element as the sender spelled it, which a definition knows.
fn child_name<'n>(child: Node<'n>, element: &Element) -> &'n str {
    if element.is_choice { child.name() } else { element.name.as_str() }
}

/// A name that may be repeated in a message: short, and nothing but a name.
fn quotable(name: &str) -> Option<&str> {
    // A plain name is ASCII, so it can be cut anywhere.
    is_plain_name(name).then(|| name.get(..QUOTED_BYTES_MAX).unwrap_or(name))
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items
}

pub(super) fn with_article(type_name: &str) -> String {
    let article = if type_name.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
    format!("{article} {type_name}")
}
