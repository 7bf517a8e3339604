//! Each Coding, and each unit of a quantity, against its code system.

use super::check::{Walk, is_short};
use super::plan::Kind;
use super::spelling::{Near, listed_hint};
use crate::document::Node;
use crate::issue::{Issue, Operation, Rule, Severity, nearest};
use crate::terminology::forms::UCUM;
use crate::terminology::systems::{Concept, Content, System};

impl<'p, 'd> Walk<'p, 'd> {
    /// A Coding or a quantity, whatever it is bound to.
    pub(super) fn coded(&mut self, node: Node<'d>, kind: &Kind) {
        let names = self.names;
        let system_node = node.child(names.system);
        let code_node = node.child(names.code);
        let code = code_node.and_then(|code| code.string());
        let Some((system_node, url)) = system_node.and_then(|system| Some((system, system.string()?))) else {
            return;
        };
        if &*kind.path != "Coding" {
            // The system of a quantity is nearly always UCUM, and other units are nobody's to judge.
            if let (Some(at), Some(code), UCUM) = (code_node, code, url) {
                self.code_of(at, code, UCUM, None);
            }
            return;
        }
        if !is_absolute(url) {
            let issue = Issue::new(Rule::CodeSystem, "the system of a code is an absolute address")
                .hint("write the code system's whole url, for example `http://snomed.info/sct`");
            return self.tell(system_node, issue.asked_by(CODING));
        }
        let display = node.child(names.display);
        match (code_node, code) {
            (Some(at), Some(code)) => {
                let version = node.child(names.version).and_then(|version| version.string());
                if let Some(concept) = self.code_of(at, code, url, version) {
                    self.named_rightly(display, concept);
                }
            }
            (_, _) => {
                self.system_of(system_node, url);
            }
        }
    }

    /// The system of this url where one is known; what is wrong with the url is told.
    fn system_of(&mut self, at: Node<'d>, url: &str) -> Option<u32> {
        let values = self.values;
        let number = values.systems().number(url);
        if number.is_some_and(|number| self.codes.left_systems.contains(&number)) {
            return number;
        }
        let is_loaded = number.is_some_and(|number| values.systems().get(number).content() != Content::Unloaded);
        if !is_loaded && let Some(set) = values.find(url).filter(|set| set.url() == url) {
            if self.has_room(false) {
                let issue =
                    Issue::new(Rule::CodeSystem, "the system of a code is a code system, and this is a value set");
                let issue = match set.only_system() {
                    Some(system) => issue
                        .hint(format!("the codes of this value set are of the system {system}"))
                        .mend(vec![Operation::Replace { path: at.pointer(), value: system.into() }]),
                    None => issue.hint("write the url of the code system that the code is of"),
                };
                self.tell(at, issue.asked_by(CODING));
            }
            return None;
        }
        if number.is_none() && is_of_fhir(url) {
            self.not_of_fhir(at, url);
            return None;
        }
        if number.is_none() && !self.codes.has_left_unknown && !self.fitting.is_trial() {
            self.codes.has_left_unknown = true;
            // Its address is the sender's own word, so the place is told instead.
            let what = format!("codes of systems that no loaded package names, first at {}", at.expression());
            self.leave(&what, "those code systems are not loaded");
        }
        number
    }

    /// R4's own code systems are all known, so another under its address is none.
    fn not_of_fhir(&mut self, at: Node<'d>, url: &str) {
        if !self.has_room(false) {
            return;
        }
        let systems = self.values.systems().iter().map(System::url).filter(|known| is_of_fhir(known));
        let hint = match is_short(url).then(|| nearest(url, systems)).flatten() {
            Some(near) => format!("did you mean {near}?"),
            None => "write the url of the code system as its definition has it".to_owned(),
        };
        let issue = Issue::new(Rule::CodeSystem, "FHIR R4 has no code system of this url").hint(hint);
        self.tell(at, issue.asked_by(CODING));
    }

    /// The code in its system, where the system lists it; what is wrong with it is told.
    fn code_of(&mut self, at: Node<'d>, code: &str, url: &str, version: Option<&str>) -> Option<Concept<'p>> {
        let system_node = at.parent().and_then(|coding| coding.child(self.names.system)).unwrap_or(at);
        let number = self.system_of(system_node, url)?;
        let systems = self.values.systems();
        let number = version.and_then(|version| systems.number_in(url, Some(version))).unwrap_or(number);
        let system = systems.get(number);
        if let Some(concept) = system.concept(code) {
            if concept.is_inactive() {
                let issue = Issue::new(Rule::CodeInactive, "this code is no longer used")
                    .hint("use a code that has taken its place");
                self.tell(at, issue.asked_by(system.url()));
            }
            return Some(concept);
        }
        match (system.content(), system.form()) {
            (Content::Complete, _) => self.unknown_code(at, code, system, Severity::Error),
            (_, Some(form)) if form.holds(code) => {}
            (_, Some(_)) | (Content::Fragment | Content::Example, None) => {
                self.unknown_code(at, code, system, Severity::Warning);
            }
            (Content::NotPresent | Content::Unloaded, None) => self.leave_system(number, system),
        }
        None
    }

    fn leave_system(&mut self, number: u32, system: &System) {
        if !self.codes.left_systems.contains(&number) && !self.fitting.is_trial() {
            self.codes.left_systems.push(number);
            let why = match system.content() {
                Content::Unloaded => "the code system is not loaded",
                Content::Complete | Content::Fragment | Content::Example | Content::NotPresent => {
                    "the code system is loaded without its codes"
                }
            };
            self.leave(&format!("codes of {}", system.url()), why);
        }
    }

    fn unknown_code(&mut self, at: Node<'d>, code: &str, system: &System, severity: Severity) {
        if !self.has_room(severity == Severity::Warning) {
            return;
        }
        let message = match severity {
            Severity::Error | Severity::Fatal => format!("the code system {} does not have this code", system.url()),
            Severity::Warning | Severity::Information => {
                format!("as far as it is known here, the code system {} does not have this code", system.url())
            }
        };
        let codes = || system.concepts().map(|concept| concept.code()).collect::<Vec<_>>().into_iter();
        let near = Near::of(code, codes());
        let hint = match system.form() {
            Some(form) => format!("write {}", form.about()),
            None => listed_hint(near.best, codes(), || format!("codes of {}", system.url())),
        };
        let issue = Issue::new(Rule::CodeUnknown, message).severity(severity).hint(hint).asked_by(system.url());
        let issue = match near.plain {
            Some(plain) => issue.mend(vec![Operation::Replace { path: at.pointer(), value: plain.into() }]),
            None => issue,
        };
        self.tell(at, issue);
    }

    /// A display is one of the code's names.
    fn named_rightly(&mut self, display: Option<Node<'d>>, concept: Concept<'p>) {
        let Some((node, text)) = display.and_then(|node| Some((node, node.string()?))) else { return };
        let Some(name) = concept.display().filter(|_| !concept.is_called(text)) else { return };
        if !self.has_room(true) {
            return;
        }
        let issue = Issue::new(Rule::CodeDisplay, format!("the code `{}` is not called this", concept.code()))
            // Which of the two is wrong, the code or its name, only the sender knows.
            .hint(format!("write `{name}`, or leave `display` out"));
        self.tell(node, issue.asked_by(concept.system().url()));
    }
}

/// What asks that a code's system be one.
const CODING: &str = "Coding.system of http://hl7.org/fhir/StructureDefinition/Coding";

/// True for the address of a code system that R4 itself could define.
fn is_of_fhir(url: &str) -> bool {
    let name = url.strip_prefix("http://hl7.org/fhir/").unwrap_or("");
    !name.is_empty() && !name.contains('/')
}

/// True for an address that begins with a scheme (RFC 3986, 3.1).
fn is_absolute(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}
