//! References: their form, and the type of what they point at.

use super::check::{Pass, Walk};
use super::plan::{Element, Kind, Step};
use super::tell::with_article;
use crate::document::Node;
use crate::issue::{Issue, Rule, Severity};

impl<'p, 'd> Walk<'p, 'd> {
    /// The type of what a reference points at, where the reference tells it.
    pub(super) fn reference(&mut self, node: Node<'d>, parent: &Kind, element: &Element, step: &Step) {
        let names = self.names;
        let plan = self.plan;
        let address = node.child(names.reference);
        if let (Some(address), Pass::Base) = (address.and_then(|reference| reference.string()), self.pass) {
            self.local_reference(node, address);
        }
        let written = address.and_then(|reference| reference.string()).and_then(relative_type);
        let declared = node.child(names.type_).and_then(|type_node| Some((type_node, type_node.string()?)));
        let targets = plan.targets(step);
        let is_allowed =
            |type_name: &str| targets.is_empty() || targets.iter().any(|target| target.as_str() == type_name);

        if let (Some(address), Some(type_name)) = (address, written) {
            if plan.resource(type_name).is_none() {
                let issue =
                    Issue::new(Rule::ReferenceTarget, "FHIR R4 has no resource of the type that this points at")
                        .hint("write Type/id, with a resource type of FHIR R4 as it is spelled there");
                self.tell(address, issue.asked_by(self.asker(parent, element)));
            } else if !is_allowed(type_name) {
                self.wrong_target(address, parent, element, step, type_name);
            }
        }
        let Some((type_node, declared)) = declared else { return };
        let known = plan.resource(declared).is_some();
        // R4 binds Reference.type extensibly, so a type that is not in the list is doubtful and not an error. BaRS
        // senders write "serviceRequest".
        let type_name = if known {
            Some(declared)
        } else {
            let found = plan.resources.iter().map(|(name, _)| &**name).find(|name| name.eq_ignore_ascii_case(declared));
            let hint = match found {
                Some(found) => format!("write `{found}`"),
                None => "name a resource type of FHIR R4".into(),
            };
            let issue = Issue::new(Rule::ReferenceTarget, "`type` is no resource type of FHIR R4")
                .hint(hint)
                .severity(Severity::Warning);
            self.tell(type_node, issue.asked_by("Reference.type of http://hl7.org/fhir/StructureDefinition/Reference"));
            found
        };
        let Some(type_name) = type_name else { return };
        if !is_allowed(type_name) {
            self.wrong_target(type_node, parent, element, step, type_name);
        } else if let (Some(address), Some(written)) = (address, written)
            && written != type_name
        {
            let issue = Issue::new(Rule::ReferenceTarget, "`reference` points at another type than `type` names")
                .hint("make the two agree, or leave `type` out");
            self.tell(address, issue.asked_by(self.asker(parent, element)));
        }
    }

    fn wrong_target(&mut self, at: Node<'d>, parent: &Kind, element: &Element, step: &Step, type_name: &str) {
        let mut allowed: Vec<_> = self.plan.targets(step).iter().map(|target| target.as_str()).collect();
        allowed.sort_unstable();
        let message = format!("`{}` does not point at {}", element.name.as_str(), with_article(type_name));
        let issue = Issue::new(Rule::ReferenceTarget, message).hint(format!("it points at {}", allowed.join(", ")));
        self.tell(at, issue.asked_by(self.asker(parent, element)));
    }
}

/// The type in a reference of the form `Type/id`, with or without a version; none for any other form.
pub(super) fn relative_type(reference: &str) -> Option<&str> {
    let mut parts = reference.split('/');
    let (type_name, id) = (parts.next()?, parts.next()?);
    let is_version = match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => true,
        (Some("_history"), Some(version), None) => !version.is_empty(),
        _ => false,
    };
    let is_type =
        type_name.starts_with(|c: char| c.is_ascii_alphabetic()) && type_name.bytes().all(|b| b.is_ascii_alphabetic());
    (is_version && is_type && !id.is_empty()).then_some(type_name)
}
