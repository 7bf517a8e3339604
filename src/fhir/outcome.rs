//! Issues as an OperationOutcome.

use crate::issue::{Issue, Rule};
use serde_json::{Value, json};

/// The code system of our rules in `details.coding`.
const RULE_SYSTEM: &str = "urn:stile:rule";

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

fn told(issue: &Issue) -> Value {
    let mut told = json!({
        "severity": issue.severity.as_str(),
        "code": issue.code.as_str(),
        "details": {
            "coding": [{"system": RULE_SYSTEM, "code": issue.rule.as_str()}],
            "text": issue.message,
        },
    });
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
    use crate::issue::Place;

    #[test]
    fn an_issue_says_rule_place_and_way_out() {
        let place = Place {
            expression: "Appointment.participant[0].status".into(),
            pointer: "/participant/0/status".into(),
            line: 3,
            column: 5,
        };
        let issue = Issue::new(Rule::ElementRequired, "a participant has a status")
            .at(place)
            .hint("add it")
            .asked_by("Appointment.participant.status");
        assert_eq!(
            outcome(&[issue]),
            json!({
                "resourceType": "OperationOutcome",
                "issue": [{
                    "severity": "error",
                    "code": "required",
                    "details": {
                        "coding": [{"system": "urn:stile:rule", "code": "element.required"}],
                        "text": "a participant has a status",
                    },
                    "diagnostics": "add it; asked by Appointment.participant.status; line 3, column 5; \
                                    JSON Pointer /participant/0/status",
                    "expression": ["Appointment.participant[0].status"],
                }],
            })
        );
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
