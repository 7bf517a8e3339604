//! What the walk asks of single values: JSON form, codes, references, extensions, values that a profile gives.

use super::Primitive;
use super::check::{Pass, Walk, is_short};
use super::plan::{Element, Form, Kind, Step};
use super::primitive::Fault;
use crate::document::{Node, Scalar};
use crate::issue::{Issue, Rule, Severity, nearest};
use crate::terminology::values::{Membership, ValueSet};
use serde_json::Value;

/// The most codes that a hint lists.
const LISTED_COUNT_MAX: usize = 16;

impl<'p, 'd> Walk<'p, 'd> {
    /// Whether `node` has the JSON form of its type; tells it when not.
    pub(super) fn json_form(&mut self, node: Node<'d>, kind: &Kind) -> bool {
        let names = self.names;
        match (kind.form, node.value()) {
            (Form::Primitive(primitive), Some(value)) => {
                self.primitive(node, primitive, value) && self.no_strange_member(node, primitive)
            }
            (Form::Primitive(primitive), None) => {
                let is_empty = node.children().all(|child| child.is(names.id));
                if is_empty {
                    self.empty(node);
                }
                !is_empty && self.no_strange_member(node, primitive)
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
        let issue = Issue::new(Rule::ElementEmpty, "an element has a value or elements of its own")
            .hint("leave it out when there is nothing to say")
            .asked_by("ele-1 of http://hl7.org/fhir/StructureDefinition/Element");
        self.tell(node, issue);
    }

    fn primitive(&mut self, node: Node<'d>, primitive: Primitive, value: Scalar<'d>) -> bool {
        let type_name = primitive.as_str();
        match primitive.fault(value) {
            None => {
                let is_address = matches!(primitive, Primitive::Uri | Primitive::Url | Primitive::Canonical);
                if is_address || node.is(self.names.reference) {
                    self.note_local(node);
                }
                true
            }
            Some(Fault::JsonType(json_type)) => {
                let message = format!("`{}` has the type {type_name}, which is {json_type}", node.name());
                self.tell(node, Issue::new(Rule::ElementType, message).hint(format!("write it as {json_type}")));
                false
            }
            Some(Fault::Form(asked)) => {
                let message = format!("`{}` does not have the form of its type, {type_name}", node.name());
                self.tell(node, Issue::new(Rule::PrimitiveFormat, message).hint(asked));
                false
            }
        }
    }

    /// A primitive has an id and extensions beside it; anything else means that an object was sent.
    fn no_strange_member(&mut self, node: Node<'d>, primitive: Primitive) -> bool {
        let names = self.names;
        let is_sound = node.children().all(|child| child.is(names.id) || child.is(names.extension));
        if !is_sound {
            let json_type = primitive.json_type();
            let message =
                format!("`{}` has the type {}, which is {json_type} and no object", node.name(), primitive.as_str());
            self.tell(node, Issue::new(Rule::ElementType, message).hint(format!("write it as {json_type}")));
        }
        is_sound
    }

    /// `ext-1`: a value, or extensions, and not both.
    pub(super) fn extension(&mut self, node: Node<'d>) {
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

    // ---- codes

    /// The element's required binding.
    pub(super) fn bound(&mut self, node: Node<'d>, parent: &Kind, element: &Element, form: Form) {
        let Some(binding) = element.binding.and_then(|number| self.plan.bindings.get(number as usize)) else { return };
        let values = self.values;
        let Some(set) = binding.value_set.and_then(|number| values.get(number)) else { return };
        let names = self.names;
        let wrong = match form {
            Form::Primitive(_) => match node.string() {
                Some(code) if set.holds(None, code) == Membership::Out => Some((node, Some(code))),
                Some(_) | None => None,
            },
            Form::Coding => self.wrong_coding(node, set),
            Form::CodeableConcept => {
                let mut codings = node.children().filter(|child| child.is(names.coding));
                let first = codings.next();
                match (first, codings.next()) {
                    (Some(only), None) => self.wrong_coding(only, set),
                    _ => {
                        let is_wrong = node
                            .children()
                            .filter(|child| child.is(names.coding))
                            .all(|coding| self.wrong_coding(coding, set).is_some());
                        is_wrong.then_some((node, None))
                    }
                }
            }
            Form::Resource | Form::AnyResource | Form::Complex | Form::Reference | Form::Extension => None,
        };
        if let Some((at, sent)) = wrong {
            let message = format!("`{}` needs a code of the value set {}", element.name.as_str(), binding.url);
            let issue = Issue::new(Rule::CodeRequired, message).hint(codes_hint(set, sent));
            self.tell(at, issue.asked_by(self.asker(parent, element)));
        }
    }

    /// Where and what code a coding has that the set does not hold.
    fn wrong_coding(&self, coding: Node<'d>, set: &ValueSet) -> Option<(Node<'d>, Option<&'d str>)> {
        let system = coding.child(self.names.system).and_then(|system| system.string());
        let Some(code) = coding.child(self.names.code) else { return Some((coding, None)) };
        let Some(sent) = code.string() else { return Some((code, None)) };
        // Without its system a code could be any; it is held against the whole set, and its absence against nothing.
        (set.holds(system, sent) == Membership::Out).then_some((code, Some(sent)))
    }

    // ---- references

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

    // ---- what profiles add

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

/// The type in a reference of the form `Type/id`, with or without a version; none for any other form.
fn relative_type(reference: &str) -> Option<&str> {
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

/// Which codes there are: all of a short list, else the nearest.
fn codes_hint(set: &ValueSet, sent: Option<&str>) -> String {
    let codes = set.codes();
    let near = sent.filter(|sent| is_short(sent)).and_then(|sent| nearest(sent, set.codes().map(|(_, code)| code)));
    let asked = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    if codes.len() <= LISTED_COUNT_MAX {
        let listed: Vec<_> = codes.map(|(_, code)| code).collect();
        format!("{asked}use one of `{}`", listed.join("`, `"))
    } else {
        format!("{asked}use one of the {} codes of {}", codes.len(), set.url())
    }
}

fn with_article(type_name: &str) -> String {
    let article = if type_name.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
    format!("{article} {type_name}")
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
