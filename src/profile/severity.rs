//! The severity policy: how bad a finding is, where a site says otherwise than the rule or the definition.
//!
//! What is suppressed is counted and never hidden; what protects patients or the gateway cannot be lowered.

use super::Problem;
use crate::issue::{Issue, Rule, Severity, nearest};
use saphyr_parser::{Event, Parser};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The policy that the program carries.
const CARRIED: &str = include_str!("../../profiles/severity.yaml");

/// What a site says of a rule or an invariant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Told, with this severity.
    Told(Severity),
    /// Counted, and not told.
    Suppressed,
}

impl Level {
    const NAMES: [(&'static str, Level); 4] = [
        ("error", Level::Told(Severity::Error)),
        ("warning", Level::Told(Severity::Warning)),
        ("information", Level::Told(Severity::Information)),
        ("suppressed", Level::Suppressed),
    ];

    fn from_name(name: &str) -> Option<Level> {
        Level::NAMES.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }

    fn is_milder_than(self, severity: Severity) -> bool {
        match self {
            // The severities are in the order from bad to mild.
            Level::Told(told) => told > severity.max(Severity::Error),
            Level::Suppressed => true,
        }
    }
}

/// How often each rule or invariant was met and not told, by its name or key.
pub type Suppressed = BTreeMap<String, u64>;

/// What may be said of a rule here.
enum Standing {
    Free,
    /// It may be made worse, not milder.
    Protects,
    /// Each of its findings is set by its own key.
    ByKey,
    /// It is no finding of the check.
    Elsewhere,
    /// A sender's settings say how bad it is.
    OfSender,
}

/// The severity policy, compiled.
#[derive(Debug, Clone, Default)]
pub struct Severities {
    rules: HashMap<Rule, Level>,
    invariants: HashMap<Box<str>, Level>,
}

impl Severities {
    /// The policy that the program carries. A test holds it against the definitions that the program carries too.
    pub(super) fn carried() -> Severities {
        let mut severities = Severities::default();
        for line in read(CARRIED).unwrap_or_default() {
            severities.take(&line, |_| true).unwrap_or_default();
        }
        severities
    }

    /// Lays a site's policy over this one. `file` names it; `invariants` are the keys that the loaded definitions have.
    ///
    /// # Errors
    /// Every line that says nothing that can be done; nothing is laid over then.
    pub(super) fn lay(&mut self, file: &str, text: &str, invariants: &BTreeSet<Box<str>>) -> Result<(), Vec<Problem>> {
        let problem = |(line, message): (usize, String)| Problem { file: format!("{file}:{line}"), message };
        let lines = read(text).map_err(|fault| vec![problem(fault)])?;
        let mut laid = self.clone();
        let mut problems = Vec::new();
        let mut seen = BTreeSet::new();
        for line in &lines {
            if !seen.insert(&line.name) {
                problems.push(problem((line.number, format!("`{}` stands here a second time", line.name))));
            } else if let Err(message) = laid.take(line, |key| invariants.contains(key)) {
                let message = match message {
                    Fault::Said(message) => message,
                    Fault::Unknown => unknown(&line.name, invariants),
                };
                problems.push(problem((line.number, message)));
            }
        }
        if problems.is_empty() {
            *self = laid;
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn take(&mut self, line: &Line, knows: impl Fn(&str) -> bool) -> Result<(), Fault> {
        let Some(level) = Level::from_name(&line.level) else {
            let names = Level::NAMES.map(|(name, _)| name).join(", ");
            return Err(Fault::Said(format!("`{}` has one of: {names}", line.name)));
        };
        let Some(rule) = Rule::from_name(&line.name) else {
            if !knows(&line.name) {
                return Err(Fault::Unknown);
            }
            self.invariants.insert(line.name.as_str().into(), level);
            return Ok(());
        };
        let refused = match standing(rule) {
            Standing::OfSender => Some("is switched by the `rules` of a sender in the settings"),
            Standing::ByKey => Some("stands for all invariants; name the invariant instead, for example `per-1`"),
            Standing::Elsewhere => Some("is no finding of the check, so it has no severity to set here"),
            Standing::Protects if level.is_milder_than(rule.severity()) => {
                Some("protects what the check and patients rely on, and cannot be lowered")
            }
            Standing::Free | Standing::Protects => None,
        };
        match refused {
            Some(why) => Err(Fault::Said(format!("the rule `{rule}` {why}"))),
            None => {
                self.rules.insert(rule, level);
                Ok(())
            }
        }
    }

    /// True for an invariant that is not told.
    pub(super) fn suppresses(&self, invariant: &str) -> bool {
        self.invariants.get(invariant) == Some(&Level::Suppressed)
    }

    /// Gives an issue the severity that the policy says; false when it is suppressed.
    pub(super) fn settle(&self, issue: &mut Issue) -> bool {
        let of_invariant = issue.invariant().and_then(|key| self.invariants.get(key));
        match of_invariant.or_else(|| self.rules.get(&issue.rule)) {
            None => true,
            Some(Level::Told(severity)) => {
                // What stops reading stops it, whatever it is called.
                if issue.severity != Severity::Fatal {
                    issue.severity = *severity;
                }
                true
            }
            Some(Level::Suppressed) => false,
        }
    }

    /// Every name and what is said of it, in the order of the names.
    pub fn lines(&self) -> BTreeMap<String, Level> {
        let rules = self.rules.iter().map(|(rule, level)| (rule.as_str().to_owned(), *level));
        rules.chain(self.invariants.iter().map(|(key, level)| (key.to_string(), *level))).collect()
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Level::Told(severity) => write!(f, "{severity}"),
            Level::Suppressed => f.write_str("suppressed"),
        }
    }
}

/// What an issue is counted under when it is not told.
pub(super) fn counted_as(issue: &Issue) -> &str {
    issue.invariant().unwrap_or(issue.rule.as_str())
}

/// What may be said of a rule: its name's first part tells most.
fn standing(rule: Rule) -> Standing {
    const PROTECTING_GROUPS: &[&str] = &["text", "json", "limit", "resource", "check", "tolerance"];
    const OTHER_GROUPS: &[&str] = &["mapping", "change", "pifu", "query", "header", "address", "request"];
    // A sender's `rules` switch these, where it is seen whose numbers they are.
    const NATIONAL_GROUPS: &[&str] = &["nhs-number", "ods-code", "clock", "appointment", "pca", "bars"];
    let group = rule.as_str().split('.').next().unwrap_or("");
    let protects =
        PROTECTING_GROUPS.contains(&group) || matches!(rule, Rule::XmlSyntax | Rule::ExtensionModifierUnknown);
    // One line for all invariants would hide what nobody has looked at.
    if rule == Rule::Invariant {
        return Standing::ByKey;
    }
    let is_elsewhere = OTHER_GROUPS.contains(&group) || matches!(rule, Rule::IdentifierAmbiguous);
    if NATIONAL_GROUPS.contains(&group) || rule == Rule::IdentifierSystemCase {
        return Standing::OfSender;
    }
    match (protects, is_elsewhere) {
        (true, _) => Standing::Protects,
        (false, true) => Standing::Elsewhere,
        (false, false) => Standing::Free,
    }
}

fn unknown(name: &str, invariants: &BTreeSet<Box<str>>) -> String {
    let rules = Rule::ALL.iter().map(|rule| rule.as_str());
    let near = nearest(name, rules.chain(invariants.iter().map(|key| &**key)));
    let way_out = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "the rules are listed in docs/RULES.md; an invariant is named by its key".into(),
    };
    format!("no rule and no invariant of a loaded definition is called `{name}`; {way_out}")
}

/// Why a line is not taken.
#[derive(Debug)]
enum Fault {
    Said(String),
    Unknown,
}

/// A line of the file.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    name: String,
    level: String,
    number: usize,
}

/// Reads a flat YAML mapping; a fault comes with its line.
fn read(text: &str) -> Result<Vec<Line>, (usize, String)> {
    let mut lines: Vec<Line> = Vec::new();
    let mut depth = 0;
    let mut name: Option<String> = None;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|fault| (fault.marker().line(), format!("this is not YAML: {}", fault.info())))?;
        let number = span.start.line();
        match event {
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::MappingEnd => {}
            Event::MappingStart(..) if depth == 0 => depth = 1,
            Event::Scalar(scalar, ..) if depth == 1 => match name.take() {
                None => name = Some(scalar.into_owned()),
                Some(name) => lines.push(Line { name, level: scalar.into_owned(), number }),
            },
            // An empty file says nothing.
            Event::Scalar(scalar, ..) if scalar.is_empty() || scalar == "~" => {}
            Event::Scalar(..)
            | Event::Alias(_)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..) => {
                return Err((
                    number,
                    "each line is a rule's name or an invariant's key, a colon, and a severity".into(),
                ));
            }
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(text: &str) -> Result<Severities, String> {
        let known = BTreeSet::from(["dom-6".into(), "app-1".into()]);
        let mut severities = Severities::carried();
        severities
            .lay("severity.yaml", text, &known)
            .map(|()| severities)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    fn settled(severities: &Severities, issue: Issue) -> Option<Severity> {
        let mut issue = issue;
        severities.settle(&mut issue).then_some(issue.severity)
    }

    fn invariant(key: &str) -> Issue {
        Issue::new(Rule::Invariant, "it holds").asked_by(format!("{key} of http://hl7.org/fhir/StructureDefinition/X"))
    }

    #[test]
    fn the_policy_that_is_carried_suppresses_advice_and_nothing_else() {
        let carried = Severities::carried();
        assert_eq!(carried.lines(), BTreeMap::from([("dom-6".to_owned(), Level::Suppressed)]));
        assert_eq!(settled(&carried, invariant("dom-6")), None);
        assert_eq!(settled(&carried, invariant("dom-5")), Some(Severity::Error));
    }

    #[test]
    fn a_site_lays_its_own_over_it() {
        let site = laid("dom-6: warning\napp-1: information # doubtful\n\"element.unknown\": warning\n").unwrap();
        assert_eq!(settled(&site, invariant("dom-6")), Some(Severity::Warning));
        assert_eq!(settled(&site, invariant("app-1")), Some(Severity::Information));
        assert_eq!(settled(&site, Issue::new(Rule::ElementUnknown, "")), Some(Severity::Warning));
        assert_eq!(settled(&site, Issue::new(Rule::ElementRequired, "")), Some(Severity::Error));
        assert_eq!(laid("").unwrap().lines().len(), 1, "an empty file says nothing");
        assert!(laid("primitive.unusual: error").is_ok(), "a rule may be made worse");
        assert!(laid("json.duplicate-key: error").is_ok(), "what protects may be named with its own severity");
    }

    #[test]
    fn what_cannot_be_done_is_told_with_its_line() {
        for (text, expected) in [
            ("dom-6: off", "severity.yaml:1: `dom-6` has one of: error, warning, information, suppressed"),
            (
                "# one\nelement.unknwon: error",
                "severity.yaml:2: no rule and no invariant of a loaded definition is called",
            ),
            ("element.unknwon: error", "did you mean `element.unknown`?"),
            ("app-2: error", "did you mean `app-1`?"),
            ("dom-6: error\ndom-6: warning", "severity.yaml:2: `dom-6` stands here a second time"),
            ("extension.modifier-unknown: warning", "cannot be lowered"),
            ("json.duplicate-key: suppressed", "cannot be lowered"),
            ("text.encoding: warning", "cannot be lowered"),
            ("limit.nodes: information", "cannot be lowered"),
            ("resource.release: warning", "cannot be lowered"),
            ("check.not-evaluated: suppressed", "cannot be lowered"),
            ("nhs-number.check-digit: suppressed", "is switched by the `rules` of a sender"),
            ("clock.repeated-hour: warning", "is switched by the `rules` of a sender"),
            ("change.under-sixteen: warning", "is no finding of the check"),
            ("invariant.failed: warning", "name the invariant instead, for example `per-1`"),
            ("- dom-6", "each line is a rule's name"),
            ("dom-6: [error]", "each line is a rule's name"),
            ("dom-6", "each line is a rule's name"),
            ("a: &x b\nc: *x", "each line is a rule's name"),
            ("dom-6: \"error", "this is not YAML"),
        ] {
            let told = laid(text).map(|severities| severities.lines());
            assert!(told.as_ref().is_err_and(|told| told.contains(expected)), "{text}: {told:?}, not {expected}");
        }
        let both = laid("a.b: error\ndom-6: off").unwrap_err();
        assert_eq!(both.lines().count(), 2, "all at once: {both}");
    }
}
