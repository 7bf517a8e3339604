//! Extensions: `ext-1`, what their definitions ask, and those that no definition is loaded for.

use super::ask::UnknownExtensions;
use super::check::{Walk, is_short};
use super::plan::{ExtensionContext, Origin};
use crate::document::{Name, Node};
use crate::fhirpath::Context;
use crate::issue::{Issue, Rule, Severity, nearest};

/// The most contexts that a hint lists.
const LISTED_COUNT_MAX: usize = 8;

impl<'p, 'd> Walk<'p, 'd> {
    /// An extension, wherever it stands.
    pub(super) fn extension(&mut self, node: Node<'d>) {
        self.value_or_extensions(node);
        let names = self.names;
        let Some(url) = node.child(names.url).and_then(|url| url.string()) else { return };
        if url.contains('|') {
            let issue = Issue::new(Rule::ExtensionUnknown, "the `url` of an extension names no version")
                .hint("leave out the | and what follows it")
                .severity(Severity::Error);
            self.tell(node, issue);
        }
        match self.plan.defined(url) {
            Some((number, origin)) if origin.is_extension() => {
                self.stands_where_it_may(node, number, origin);
                self.hold(node, number);
            }
            Some(_) | None => self.unknown_extension(node, url),
        }
    }

    /// `ext-1`: a value, or extensions, and not both.
    fn value_or_extensions(&mut self, node: Node<'d>) {
        let names = self.names;
        let mut has_value = false;
        let mut has_extensions = false;
        for child in node.children() {
            has_extensions |= child.is(names.extension);
            has_value |= !(child.is(names.extension) || child.is(names.id) || child.is(names.url));
        }
        if has_value == has_extensions && !self.is_full {
            let (message, hint) = match has_value {
                true => ("an extension has a value or extensions, not both", "keep the value or the extensions"),
                false => ("an extension has a value or extensions", "add `value[x]`, or leave the extension out"),
            };
            let issue = Issue::new(Rule::Invariant, message)
                .hint(hint)
                .asked_by("ext-1 of http://hl7.org/fhir/StructureDefinition/Extension");
            self.tell(node, issue);
        }
    }

    /// An extension that no loaded package defines: what the sender's settings think of it. One that modifies is
    /// refused besides, and one with a relative url is told by the extension that it stands in.
    fn unknown_extension(&mut self, node: Node<'d>, url: &str) {
        if !url.contains(':') {
            if !node.parent().is_some_and(|parent| self.is_extension(parent)) {
                let issue = Issue::new(
                    Rule::ExtensionUnknown,
                    "the `url` of an extension that is no part of another is absolute",
                )
                .hint("write the canonical url of the extension's definition")
                .severity(Severity::Error);
                self.tell(node, issue);
            }
            return;
        }
        if node.is(self.names.modifier_extension) {
            return;
        }
        let severity = match self.unknown_extensions {
            UnknownExtensions::Accept => return self.leave_extension(node),
            UnknownExtensions::Warn => Severity::Warning,
            UnknownExtensions::Refuse => Severity::Error,
        };
        if !self.has_room(severity == Severity::Warning) {
            return;
        }
        let plan = self.plan;
        let known = plan.origins.iter().filter(|origin| origin.is_extension()).map(|origin| &*origin.url);
        let hint = match is_short(url).then(|| nearest(url, known)).flatten() {
            Some(near) => format!("did you mean {near}?"),
            None => "leave it out, or have its definition loaded here".to_owned(),
        };
        let issue = Issue::new(Rule::ExtensionUnknown, "no loaded package defines this extension");
        self.tell(node, issue.hint(hint).severity(severity));
    }

    /// Lists, once, that there are extensions that nothing was held against.
    fn leave_extension(&mut self, node: Node<'d>) {
        if std::mem::replace(&mut self.fitting.has_left_extension, true) {
            return;
        }
        // Its url is the sender's own word, so the place is told instead.
        let what = format!("extensions that no loaded package defines, first at {}", node.expression());
        self.leave(&what, "their definitions are not loaded");
    }

    fn is_extension(&self, node: Node<'d>) -> bool {
        node.is(self.names.extension) || node.is(self.names.modifier_extension)
    }

    /// That an extension stands in an element that its definition names, and among modifiers when it is one.
    fn stands_where_it_may(&mut self, node: Node<'d>, number: u32, origin: &'p Origin) {
        let plan = self.plan;
        if node.is(self.names.modifier_extension) != origin.is_modifier {
            let (message, hint) = match origin.is_modifier {
                true => {
                    ("this extension can change the meaning of what it stands in", "put it into `modifierExtension`")
                }
                false => ("this extension does not change the meaning of what it stands in", "put it into `extension`"),
            };
            self.tell(node, Issue::new(Rule::ExtensionContext, message).hint(hint).asked_by(&*origin.url));
        }
        let Some(holder) = node.parent() else { return };
        let contexts = plan.contexts(origin);
        if !contexts.is_empty()
            && !origin.contexts.clone().zip(contexts).any(|(number, context)| self.is_in(holder, number, context))
        {
            let listed: Vec<_> = contexts.iter().take(LISTED_COUNT_MAX).map(told).collect();
            let issue =
                Issue::new(Rule::ExtensionContext, "this extension does not belong to the element that it stands in")
                    .hint(format!("it belongs to {}", listed.join(", ")))
                    .asked_by(&*origin.url);
            self.tell(node, issue);
        }
        if !origin.context_invariants.is_empty() && self.fitting.context_asked.insert((holder.id(), number)) {
            self.invariants(holder, &origin.context_invariants, plan.kind(origin.root));
        }
    }

    fn is_in(&mut self, holder: Node<'d>, number: u32, context: &'p ExtensionContext) -> bool {
        match context {
            ExtensionContext::Element { type_name, path, told } => {
                let plan = self.plan;
                if plan.kind_of(holder).is_some_and(|kind| !path.is_empty() && kind.path == *told) {
                    return true;
                }
                let mut at = holder;
                for name in path.iter().rev() {
                    match at.parent().filter(|parent| self.is_element(*parent, at, *name)) {
                        Some(parent) => at = parent,
                        None => return false,
                    }
                }
                self.is_of(at, type_name)
            }
            ExtensionContext::Extension(url) => {
                // One on the value of an extension counts as standing in the extension, as HL7's validator has it.
                let is_it = |node: Node<'d>| {
                    let own = node.child(self.names.url).and_then(|own| own.string());
                    self.is_extension(node) && own == Some(url)
                };
                is_it(holder) || (!self.is_extension(holder) && holder.parent().is_some_and(is_it))
            }
            // What the expression finds is found once for each resource, however many extensions ask.
            ExtensionContext::Expression(expression) => {
                let (resource, root, plan) = (self.resource, self.root, self.plan);
                let found = self.fitting.contexts.entry((resource.id(), number)).or_insert_with(|| {
                    let context = Context::new(resource).root(root).model(plan);
                    let found = expression.evaluate(resource, &context).ok()?;
                    Some(found.iter().filter_map(|item| item.node()).map(|node| node.id()).collect())
                });
                // What cannot be evaluated forbids nothing.
                let is_in = found.as_ref().map(|found| found.contains(&holder.id()));
                if is_in.is_none() {
                    let what = format!("that an extension stands where `{}` finds", expression.text());
                    self.leave(&what, "the expression cannot be evaluated here");
                }
                is_in.unwrap_or(true)
            }
        }
    }

    /// True when `node`, a child of `parent`, is the element `name`, in any form of a choice.
    fn is_element(&self, parent: Node<'d>, node: Node<'d>, name: Name) -> bool {
        if node.is(name) {
            return true;
        }
        let plan = self.plan;
        let step = plan.kind_of(parent).and_then(|kind| plan.step_named(kind, node.interned()?));
        let element = step.and_then(|step| plan.elements.get(step.element as usize));
        element.is_some_and(|element| element.is_choice && element.name == name)
    }

    /// True when `node` has this type, or one that extends it.
    fn is_of(&self, node: Node<'d>, type_name: &str) -> bool {
        let plan = self.plan;
        let Some(kind) = plan.kind_of(node) else { return false };
        let own = plan.type_name(kind);
        if own == type_name {
            return true;
        }
        let number = plan.type_named(own).map_or(kind.origin, |own| plan.kind(own).origin);
        plan.is_a(number, type_name)
    }
}

fn told(context: &ExtensionContext) -> String {
    match context {
        ExtensionContext::Element { told, .. } => told.to_string(),
        ExtensionContext::Extension(url) => format!("the extension {url}"),
        ExtensionContext::Expression(expression) => format!("what `{}` finds", expression.text()),
    }
}
