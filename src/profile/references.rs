//! References: their form, where they lead, and the type and profile of what they point at.

use super::address::{Address, Target};
use super::check::{Pass, Walk};
use super::plan::{Element, Kind, Step};
use super::resources::{BundleKind, Resolution};
use super::tell::with_article;
use crate::document::Node;
use crate::issue::{Issue, Operation, Rule, Severity};
use crate::terminology::values::Membership;

/// What asks for the form of a reference.
const REFERENCE: &str = "http://hl7.org/fhir/StructureDefinition/Reference";

/// A reference under judgement.
#[derive(Clone, Copy)]
struct Judged<'w, 'd> {
    node: Node<'d>,
    parent: &'w Kind,
    element: &'w Element,
    step: &'w Step,
}

impl<'p, 'd> Walk<'p, 'd> {
    /// A reference, as the element that it stands at asks for it.
    pub(super) fn reference(&mut self, node: Node<'d>, parent: &Kind, element: &Element, step: &Step) {
        let names = self.names;
        let judged = Judged { node, parent, element, step };
        let written = node.child(names.reference).and_then(|at| Some((at, at.string()?)));
        let mut actual = None;
        if let Some((at, text)) = written {
            let address = Address::of(text);
            let found = self.resources().resolve(node, text, names);
            if self.pass == Pass::Base {
                self.address_form(node, at, address, text);
                self.leads_into_bundle(at, address, found);
            }
            actual = self.pointed_at_type(at, judged, address, found);
            self.pointing(at, judged, address, found);
        } else if self.pass == Pass::Base {
            self.says_something(node);
        }
        self.declared_type(judged, written.map(|(at, _)| at), actual);
    }

    // ---- form

    /// A reference says where it leads, or whom it means.
    fn says_something(&mut self, node: Node<'d>) {
        let names = self.names;
        let says = |child: Node<'d>| !(child.is(names.type_) || child.is(names.id));
        // An empty element is told as that.
        if node.has_children() && !node.children().any(says) && !node.children().all(|child| child.is(names.id)) {
            let issue = Issue::new(Rule::ReferenceForm, "a reference says where it leads, or whom it means")
                .hint("add `reference`, `identifier` or `display`");
            self.tell(node, issue.asked_by(REFERENCE));
        }
    }

    fn address_form(&mut self, node: Node<'d>, at: Node<'d>, address: Address<'d>, text: &'d str) {
        let entry = self.resources().entry(self.root);
        let in_transaction =
            entry.is_some_and(|entry| matches!(entry.kind, BundleKind::Transaction | BundleKind::Batch));
        let (message, hint, severity) = if text.contains(char::is_whitespace) {
            ("a reference has no white space", "take the white space out", Severity::Error)
        } else {
            match address {
                Address::Local(_) => return self.local_reference(node, text),
                // Outside of a Bundle HL7's validator says nothing of it; a receiver finds nothing there either way.
                Address::Malformed => {
                    let severity = if entry.is_some() { Severity::Error } else { Severity::Warning };
                    (
                        "a reference has one of the forms of FHIR",
                        "write Type/id, an absolute address, or # and an id",
                        severity,
                    )
                }
                Address::Search(_) if !in_transaction => {
                    let severity = if entry.is_some() { Severity::Error } else { Severity::Warning };
                    ("only a transaction points at what a search finds", "write Type/id, or use `identifier`", severity)
                }
                Address::Absolute(all) => match all.strip_prefix("urn:uuid:") {
                    Some(uuid) if !super::primitive::is_uuid(uuid) => {
                        ("after urn:uuid: stands a UUID", "write 8-4-4-4-12 hexadecimal digits", Severity::Warning)
                    }
                    Some(_) | None => return,
                },
                Address::Relative(_) | Address::Restful(_, _) | Address::Search(_) => return,
            }
        };
        let issue = Issue::new(Rule::ReferenceForm, message).hint(hint).severity(severity);
        self.tell(at, issue.asked_by(format!("Reference.reference of {REFERENCE}")));
    }

    // ---- Bundles

    /// In a Bundle: a reference that can only mean an entry leads to one, and to no more than one.
    fn leads_into_bundle(&mut self, at: Node<'d>, address: Address<'d>, found: Resolution<'d>) {
        let Some(entry) = self.resources().entry(self.root) else { return };
        let is_urn = |all: &str| all.starts_with("urn:uuid:") || all.starts_with("urn:oid:");
        let issue = match (found, address) {
            (_, Address::Local(_)) => return,
            (Resolution::Found(target), _) => return self.note_link(target),
            // Versions of one resource stand side by side there, and a reference means it as it then was.
            (Resolution::Ambiguous(_), _) if entry.kind == BundleKind::History => return,
            (Resolution::Ambiguous(target), _) => {
                self.note_link(target);
                Issue::new(Rule::ReferenceAmbiguous, "several entries of the Bundle answer to this reference")
                    .hint("name the version, or give each entry its own `fullUrl`")
            }
            (Resolution::Elsewhere, Address::Absolute(all)) if is_urn(all) => {
                Issue::new(Rule::ReferenceUnresolved, "no entry of the Bundle has this URN as its `fullUrl`")
                    .hint("add the entry, or point at the resource by its address")
            }
            (Resolution::Elsewhere, Address::Relative(target)) => match self.namesake(entry.bundle, target) {
                false => return,
                true => Issue::new(
                    Rule::ReferenceUnresolved,
                    "an entry has this type and id, but another `fullUrl` than this reference leads to",
                )
                .hint("point at the entry by its `fullUrl`, or give both entries the address of the same server"),
            },
            (Resolution::Elsewhere, _) => return,
        };
        self.tell(at, issue.asked_by("http://hl7.org/fhir/StructureDefinition/Bundle"));
    }

    fn namesake(&self, bundle: Node<'d>, target: Target<'_>) -> bool {
        self.resources().by_identity(bundle, target) != Resolution::Elsewhere
    }

    // ---- types

    /// The type of what is pointed at, as the target or else the address tells it; told when it is not allowed.
    fn pointed_at_type(
        &mut self,
        at: Node<'d>,
        judged: Judged<'_, 'd>,
        address: Address<'d>,
        found: Resolution<'d>,
    ) -> Option<&'d str> {
        let plan = self.plan;
        let actual = found.resource().and_then(|target| target.resource_type());
        let named = address.type_name();
        let type_name = actual.or(named)?;
        if plan.resource(type_name).is_none() {
            // What has the form of a server's address may be any address; a target of no known type is told there.
            if actual.is_none() && !matches!(address, Address::Restful(_, _)) && self.pass == Pass::Base {
                let issue =
                    Issue::new(Rule::ReferenceTarget, "FHIR R4 has no resource of the type that this points at")
                        .hint("write Type/id, with a resource type of FHIR R4 as it is spelled there");
                self.tell(at, issue.asked_by(self.asker(judged.parent, judged.element)));
            }
            return None;
        }
        if let (Some(actual), Some(named)) = (actual, named)
            && actual != named
        {
            let issue =
                Issue::new(Rule::ReferenceTarget, "the reference leads to a resource of another type than it names")
                    .hint("write the type that the entry's resource has");
            self.tell(at, issue.asked_by(self.asker(judged.parent, judged.element)));
        } else if !self.is_allowed(judged.step, type_name) {
            // Of an absolute address it is only likely that it is a server's.
            let is_certain = actual.is_some() || matches!(address, Address::Relative(_));
            let severity = if is_certain { Severity::Error } else { Severity::Warning };
            self.wrong_target(at, judged, type_name, severity);
        }
        Some(type_name)
    }

    fn is_allowed(&self, step: &Step, type_name: &str) -> bool {
        let targets = self.plan.targets(step);
        targets.is_empty() || targets.iter().any(|target| target.as_str() == type_name)
    }

    /// `Reference.type`: a type of R4 that the element allows, and that of what is pointed at.
    fn declared_type(&mut self, judged: Judged<'_, 'd>, address: Option<Node<'d>>, actual: Option<&'d str>) {
        const DEFINITIONS: &str = "http://hl7.org/fhir/StructureDefinition/";
        let plan = self.plan;
        let type_node = judged.node.child(self.names.type_);
        let Some((at, declared)) = type_node.and_then(|at| Some((at, at.string()?))) else { return };
        // R4 lets it be written as the url of the definition too.
        let declared = declared.strip_prefix(DEFINITIONS).unwrap_or(declared);
        // R4 binds Reference.type extensibly, so a type that is not in the list is doubtful and not an error. BaRS
        // senders write "serviceRequest".
        let type_name = if plan.resource(declared).is_some() {
            Some(declared)
        } else {
            let found = plan.resources.iter().map(|(name, _)| &**name).find(|name| name.eq_ignore_ascii_case(declared));
            let mut issue = Issue::new(Rule::ReferenceTarget, "`type` is no resource type of FHIR R4")
                .hint(found.map_or("name a resource type of FHIR R4".into(), |found| format!("write `{found}`")))
                .asked_by(format!("Reference.type of {REFERENCE}"))
                .severity(Severity::Warning);
            if let Some(found) = found {
                issue = issue.mend(vec![Operation::Replace { path: at.pointer(), value: found.into() }]);
            }
            self.tell(at, issue);
            found
        };
        let Some(type_name) = type_name else { return };
        if !self.is_allowed(judged.step, type_name) {
            self.wrong_target(at, judged, type_name, Severity::Error);
        } else if let (Some(address), Some(actual)) = (address, actual)
            && actual != type_name
        {
            let issue = Issue::new(Rule::ReferenceTarget, "`reference` points at another type than `type` names")
                .hint("make the two agree, or leave `type` out")
                .mend(vec![Operation::Remove { path: at.pointer() }]);
            self.tell(address, issue.asked_by(self.asker(judged.parent, judged.element)));
        }
    }

    fn wrong_target(&mut self, at: Node<'d>, judged: Judged<'_, 'd>, type_name: &str, severity: Severity) {
        let mut allowed: Vec<_> = self.plan.targets(judged.step).iter().map(|target| target.as_str()).collect();
        allowed.sort_unstable();
        allowed.dedup();
        let message = format!("`{}` does not point at {}", judged.element.name.as_str(), with_article(type_name));
        let issue = Issue::new(Rule::ReferenceTarget, message).hint(format!("it points at {}", allowed.join(", ")));
        self.tell(at, issue.severity(severity).asked_by(self.asker(judged.parent, judged.element)));
    }

    // ---- profiles

    /// How the profile wants the target reached, and what it wants of it.
    fn pointing(&mut self, at: Node<'d>, judged: Judged<'_, 'd>, address: Address<'d>, found: Resolution<'d>) {
        let plan = self.plan;
        let Some(pointing) = plan.pointing(judged.step) else { return };
        let fault = pointing.mode_fault(address, found);
        if let Some((message, hint)) = fault {
            let issue = Issue::new(Rule::ReferenceMode, message).hint(hint);
            self.tell(at, issue.asked_by(self.asker(judged.parent, judged.element)));
        }
        let (Some(target), Some(profiles)) = (found.resource(), pointing.profiles()) else { return };
        // A wrong type has been told.
        let Some(type_name) = target.resource_type().filter(|name| self.is_allowed(judged.step, name)) else { return };
        let asked = || profiles.iter().filter(|one| one.type_name.as_str() == type_name);
        if asked().any(|one| one.origin.is_none_or(|origin| self.fits(target, origin) != Membership::Out)) {
            return;
        }
        let urls: Vec<_> = asked().map(|one| &*one.url).collect();
        if urls.is_empty() {
            return;
        }
        let (message, hint) = match urls.as_slice() {
            [url] => ("what this points at does not fit the profile that is asked for", format!("make it fit {url}")),
            _ => (
                "what this points at fits none of the profiles that are asked for",
                format!("make it fit one of {}", urls.join(", ")),
            ),
        };
        let issue = Issue::new(Rule::ReferenceProfile, message).hint(hint);
        self.tell(at, issue.asked_by(self.asker(judged.parent, judged.element)));
    }
}
