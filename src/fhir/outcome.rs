//! Issues as an OperationOutcome.

use crate::issue::{Issue, Mend, Rule};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The code system of our rules in `details.coding`.
const RULE_SYSTEM: &str = "urn:stile:rule";

// What an issue says beyond the elements of OperationOutcome, for programs. HL7's own extensions where there are some;
// docs/API.md tells them all.
const LINE: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line";
const COLUMN: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col";
const POINTER: &str = "urn:stile:issue:json-pointer";
const PROFILE: &str = "urn:stile:issue:profile";
const ELEMENT: &str = "urn:stile:issue:element";
const INVARIANT: &str = "urn:stile:issue:invariant";
const NEAREST_SLICE: &str = "urn:stile:issue:nearest-slice";
const HINT: &str = "urn:stile:issue:hint";
const MEND: &str = "urn:stile:issue:mend";

const PACKAGE: &str = "urn:stile:outcome:package";
const NOT_EVALUATED: &str = "urn:stile:outcome:not-evaluated";
const SUPPRESSED: &str = "urn:stile:outcome:suppressed";

/// On what a verdict rests, beside its issues.
#[derive(Debug, Clone, Default)]
pub struct Grounds<'a> {
    /// Name, version and hash of each package that judged.
    pub packages: Vec<[&'a str; 3]>,
    /// What definitions ask and could not be decided, and why.
    pub not_evaluated: Vec<[&'a str; 2]>,
    /// How often each rule was met that the severity policy keeps from being told.
    pub suppressed: Option<&'a BTreeMap<String, u64>>,
}

/// The OperationOutcome (R4) of `issues`, in their order.
///
/// The rule's name is a coding and the sentence the text of `details`; `diagnostics` says the way out, who asked,
/// and where, for people; `expression` says where, for programs. No issues give one that says that all is well, as an
/// OperationOutcome without issues is not valid.
pub fn outcome(issues: &[Issue]) -> Value {
    let told: Vec<Value> = match issues {
        [] => vec![told(&Issue::new(Rule::AllWell, "All is well."))],
        _ => issues.iter().map(told).collect(),
    };
    json!({"resourceType": "OperationOutcome", "issue": told})
}

/// The OperationOutcome of `issues` that also says on what the verdict rests.
pub fn verdict(issues: &[Issue], grounds: &Grounds<'_>) -> Value {
    let string = |url: &str, value: &str| json!({"url": url, "valueString": value});
    let packages = grounds.packages.iter().map(|[name, version, hash]| {
        json!({"url": PACKAGE, "extension": [string("name", name), string("version", version), string("hash", hash)]})
    });
    let not_evaluated = grounds
        .not_evaluated
        .iter()
        .map(|[what, why]| json!({"url": NOT_EVALUATED, "extension": [string("what", what), string("why", why)]}));
    let suppressed = grounds.suppressed.into_iter().flatten().map(|(rule, count)| {
        let count = json!({"url": "count", "valueUnsignedInt": (*count).min(i32::MAX as u64)});
        json!({"url": SUPPRESSED, "extension": [string("rule", rule), count]})
    });
    let extensions: Vec<Value> = packages.chain(not_evaluated).chain(suppressed).collect();
    let mut outcome = outcome(issues);
    if !extensions.is_empty() {
        outcome["extension"] = Value::Array(extensions);
    }
    outcome
}

fn told(issue: &Issue) -> Value {
    let mut told = json!({});
    let extensions = extensions(issue);
    if !extensions.is_empty() {
        told["extension"] = Value::Array(extensions);
    }
    let elements = json!({
        "severity": issue.severity.as_str(),
        "code": issue.code.as_str(),
        "details": {
            "coding": [{"system": RULE_SYSTEM, "code": issue.rule.as_str()}],
            "text": issue.message,
        },
    });
    if let (Value::Object(told), Value::Object(elements)) = (&mut told, elements) {
        told.extend(elements);
    }
    let diagnostics = diagnostics(issue);
    if !diagnostics.is_empty() {
        told["diagnostics"] = Value::String(diagnostics);
    }
    if let Some(place) = &issue.place
        && !place.expression.is_empty()
    {
        told["expression"] = json!([place.expression]);
    }
    told
}

/// What the issue says beyond the elements of an OperationOutcome, each in an extension.
fn extensions(issue: &Issue) -> Vec<Value> {
    let mut extensions = Vec::new();
    let mut string = |url: &str, value: &str| extensions.push(json!({"url": url, "valueString": value}));
    // The resource itself has an empty pointer, which a FHIR string cannot say.
    if let Some(place) = issue.place.as_ref().filter(|place| !place.pointer.is_empty()) {
        string(POINTER, &place.pointer);
    }
    let asker = issue.asker();
    match (issue.invariant(), asker) {
        (Some(key), _) => string(INVARIANT, key),
        (None, Some((element, Some(_)))) => string(ELEMENT, element),
        (None, Some((_, None)) | None) => {}
    }
    issue.nearest_slice.iter().for_each(|slice| string(NEAREST_SLICE, slice));
    issue.hint.iter().for_each(|hint| string(HINT, hint));
    if let Some(Mend(operations)) = issue.mend.as_deref() {
        string(MEND, &json!(operations).to_string());
    }
    if let Some(profile) = asker.and_then(|(what, definition)| definition.or(is_url(what).then_some(what))) {
        extensions.push(json!({"url": PROFILE, "valueCanonical": profile}));
    }
    if let Some(place) = issue.place.as_ref().filter(|place| place.line > 0) {
        extensions.push(json!({"url": LINE, "valueInteger": place.line}));
        extensions.push(json!({"url": COLUMN, "valueInteger": place.column}));
    }
    extensions
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://") || text.starts_with("urn:")
}

fn diagnostics(issue: &Issue) -> String {
    let mut parts = Vec::new();
    parts.extend(issue.hint.clone());
    parts.extend(issue.asked_by.as_ref().map(|asker| format!("asked by {asker}")));
    if let Some(place) = &issue.place {
        if place.line > 0 {
            parts.push(format!("line {}, column {}", place.line, place.column));
        }
        if !place.pointer.is_empty() {
            parts.push(format!("JSON Pointer {}", place.pointer));
        }
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::{Operation, Place};

    #[test]
    fn an_issue_says_rule_place_and_way_out() {
        let place = Place {
            expression: "Appointment.participant[0].status".into(),
            pointer: "/participant/0/status".into(),
            line: 3,
            column: 5,
        };
        let mut issue = Issue::new(Rule::ElementRequired, "a participant has a status")
            .at(place)
            .hint("add it")
            .asked_by("Appointment.participant.status of http://a/Appointment")
            .mend(vec![Operation::Add { path: "/participant/0/status".into(), value: json!("accepted") }]);
        issue.nearest_slice = Some("a, but for `system`".into());
        assert_eq!(
            outcome(&[issue]),
            json!({
                "resourceType": "OperationOutcome",
                "issue": [{
                    "extension": [
                        {"url": "urn:stile:issue:json-pointer", "valueString": "/participant/0/status"},
                        {"url": "urn:stile:issue:element", "valueString": "Appointment.participant.status"},
                        {"url": "urn:stile:issue:nearest-slice", "valueString": "a, but for `system`"},
                        {"url": "urn:stile:issue:hint", "valueString": "add it"},
                        {
                            "url": "urn:stile:issue:mend",
                            "valueString":
                                r#"[{"op":"add","path":"/participant/0/status","value":"accepted"}]"#,
                        },
                        {"url": "urn:stile:issue:profile", "valueCanonical": "http://a/Appointment"},
                        {
                            "url": "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line",
                            "valueInteger": 3,
                        },
                        {
                            "url": "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col",
                            "valueInteger": 5,
                        },
                    ],
                    "severity": "error",
                    "code": "required",
                    "details": {
                        "coding": [{"system": "urn:stile:rule", "code": "element.required"}],
                        "text": "a participant has a status",
                    },
                    "diagnostics": "add it; asked by Appointment.participant.status of http://a/Appointment; line 3, column 5; \
                                    JSON Pointer /participant/0/status",
                    "expression": ["Appointment.participant[0].status"],
                }],
            })
        );
    }

    #[test]
    fn an_invariant_is_told_by_its_key_and_an_unknown_element_by_its_definition() {
        let extensions = |issue: Issue| outcome(&[issue])["issue"][0]["extension"].clone();
        let invariant = Issue::new(Rule::Invariant, "it holds").asked_by("app-1 of http://a/Appointment");
        assert_eq!(
            extensions(invariant),
            json!([
                {"url": "urn:stile:issue:invariant", "valueString": "app-1"},
                {"url": "urn:stile:issue:profile", "valueCanonical": "http://a/Appointment"},
            ])
        );
        let unknown = Issue::new(Rule::ElementUnknown, "unknown").asked_by("http://a/Appointment").at(Place::default());
        assert_eq!(
            extensions(unknown),
            json!([{"url": "urn:stile:issue:profile", "valueCanonical": "http://a/Appointment"}])
        );
        assert_eq!(extensions(Issue::new(Rule::Request, "refused").asked_by("rule 3")), Value::Null);
    }

    #[test]
    fn a_verdict_says_on_what_it_rests() {
        let suppressed = BTreeMap::from([("dom-6".to_owned(), 2)]);
        let grounds = Grounds {
            packages: vec![["clinic", "1.0.0", "ab12"]],
            not_evaluated: vec![["binding to http://a", "it is not loaded"]],
            suppressed: Some(&suppressed),
        };
        let told = verdict(&[], &grounds);
        assert_eq!(told["issue"][0]["details"]["coding"][0]["code"], "request.all-well");
        assert_eq!(
            told["extension"],
            json!([
                {"url": "urn:stile:outcome:package", "extension": [
                    {"url": "name", "valueString": "clinic"},
                    {"url": "version", "valueString": "1.0.0"},
                    {"url": "hash", "valueString": "ab12"},
                ]},
                {"url": "urn:stile:outcome:not-evaluated", "extension": [
                    {"url": "what", "valueString": "binding to http://a"},
                    {"url": "why", "valueString": "it is not loaded"},
                ]},
                {"url": "urn:stile:outcome:suppressed", "extension": [
                    {"url": "rule", "valueString": "dom-6"},
                    {"url": "count", "valueUnsignedInt": 2},
                ]},
            ])
        );
        assert_eq!(verdict(&[], &Grounds::default()), outcome(&[]));
    }

    #[test]
    fn no_issues_are_told_as_all_is_well() {
        let told = outcome(&[]);
        assert_eq!(told["issue"][0]["severity"], "information");
        assert_eq!(told["issue"][0]["code"], "informational");
        assert_eq!(told["issue"][0]["details"]["coding"][0]["code"], "request.all-well");
        assert!(told["issue"][0].get("expression").is_none());
        assert!(told["issue"][0].get("diagnostics").is_none());
    }

    #[test]
    fn an_outcome_keeps_the_order_of_its_issues() {
        let issues: Vec<Issue> = Rule::ALL.iter().map(|rule| Issue::new(*rule, "a sentence")).collect();
        let told = outcome(&issues);
        let codes: Vec<_> = told["issue"].as_array().into_iter().flatten().collect();
        assert_eq!(codes.len(), Rule::ALL.len());
        for (rule, told) in Rule::ALL.iter().zip(codes) {
            assert_eq!(told["details"]["coding"][0]["code"], rule.as_str());
        }
    }
}
