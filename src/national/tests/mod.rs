//! Each national rule, with a submission that breaks it and one that does not.

mod bars;
mod pca;
mod samples;
mod wholes;

use super::*;
use crate::issue::{Operation, Severity};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use wholes::{booking, document_reference, pca_appointment, pca_task, referral};

/// 2026-01-05T09:00:00Z, before every date of the wholes.
fn now() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().unwrap()
}

/// All rules as hard as they usually are, with those that are usually off flagged.
fn rules(contracts: &[Contract]) -> Rules {
    switched(contracts, &[(Rule::NhsNumberTestRange, Switch::Off)])
}

fn switched(contracts: &[Contract], switches: &[(Rule, Switch)]) -> Rules {
    let zone = TimeZone::get("Europe/London").unwrap();
    Rules::new(contracts.to_vec(), switches.iter().copied().collect::<BTreeMap<_, _>>(), 640, zone)
}

/// What is found, by rule and place.
fn found(value: &Value, rules: &Rules) -> Vec<(Rule, String)> {
    let told = check(&Document::from_value(value), rules, now());
    told.iter().map(|issue| (issue.rule, place(issue))).collect()
}

fn place(issue: &Issue) -> String {
    issue.place.as_ref().map(|place| place.expression.clone()).unwrap_or_default()
}

/// One change to a whole: what stands at the pointer becomes the value, or is taken away.
type Change<'c> = (&'c str, Option<Value>);

fn changed(whole: &Value, changes: &[Change<'_>]) -> Value {
    let mut value = whole.clone();
    for (pointer, change) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} leads nowhere"));
        match (parent, change) {
            (Value::Object(members), Some(change)) => {
                members.insert(name.to_owned(), change.clone());
            }
            (Value::Object(members), None) => {
                members.shift_remove(name).unwrap_or_else(|| panic!("{pointer} is not there"));
            }
            (Value::Array(items), Some(change)) if name == "-" => items.push(change.clone()),
            (Value::Array(items), Some(change)) => items[name.parse::<usize>().unwrap()] = change.clone(),
            (Value::Array(items), None) => {
                items.remove(name.parse::<usize>().unwrap());
            }
            _ => panic!("{pointer} is in no array or object"),
        }
    }
    value
}

/// The change, and nothing else, is told: by `rule`, at `at`. Its message holds no value of the submission, and what
/// mends it does.
#[track_caller]
fn check_rule(whole: &Value, changes: &[Change<'_>], rule: Rule, at: &str) {
    let rules = switched(Contract::ALL, &[(Rule::NhsNumberTestRange, Switch::Off)]);
    check_rule_by(whole, changes, &rules, rule, at);
}

#[track_caller]
fn check_rule_by(whole: &Value, changes: &[Change<'_>], rules: &Rules, rule: Rule, at: &str) {
    assert_eq!(found(whole, rules), [], "the whole is faulty");
    let value = changed(whole, changes);
    let document = Document::from_value(&value);
    let issues = check(&document, rules, now());
    let told: Vec<_> = issues.iter().map(|issue| (issue.rule, place(issue))).collect();
    assert_eq!(told, [(rule, at.to_owned())], "{changes:?}");
    let [issue] = issues.as_slice() else { unreachable!() };
    assert_eq!(issue.severity, rules.severity(rule).unwrap());
    assert!(issue.hint.is_some(), "{rule} has no way out");
    for secret in ["9990000019", "999 000 0018", "Ada", "SECRET", "secret"] {
        assert!(!issue.to_string().contains(secret), "{issue}");
    }
    if let Some(mend) = &issue.mend {
        assert_eq!(found(&mended(&value, &mend.0), rules), [], "the mend of {rule} does not mend");
    }
    SEEN.lock().unwrap().insert(rule);
}

/// The rules that some test saw broken, alone. Read by the test that runs them all.
static SEEN: std::sync::Mutex<BTreeSet<Rule>> = std::sync::Mutex::new(BTreeSet::new());

fn mended(value: &Value, operations: &[Operation]) -> Value {
    let changes: Vec<(String, Value)> = operations
        .iter()
        .map(|operation| match operation {
            Operation::Add { path, value } | Operation::Replace { path, value } => (path.clone(), value.clone()),
            Operation::Remove { .. } | Operation::Move { .. } => panic!("no rule mends so"),
        })
        .collect();
    let changes: Vec<Change<'_>> = changes.iter().map(|(path, value)| (path.as_str(), Some(value.clone()))).collect();
    changed(value, &changes)
}

#[test]
fn each_rule_is_broken_by_a_submission_of_its_own_and_by_no_other() {
    identities();
    clocks();
    pca::appointments();
    pca::documents();
    pca::tasks();
    bars::headers();
    bars::messages();
    let seen = SEEN.lock().unwrap();
    // Told when the systems are put right, before this check.
    let elsewhere = [Rule::IdentifierSystemCase];
    let missing: Vec<Rule> = switchable().filter(|rule| !seen.contains(rule) && !elsewhere.contains(rule)).collect();
    assert_eq!(missing, [], "no test breaks these");
}

/// A Patient with an NHS number and a verification status.
fn patient() -> Value {
    json!({
        "resourceType": "Patient", "id": "p1",
        "identifier": [{
            "extension": [{
                "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",
                "valueCodeableConcept": {"coding": [{
                    "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland",
                    "code": "01"
                }]}
            }],
            "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"
        }],
        "managingOrganization": {
            "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RZZ99"}
        },
        "contained": [{
            "resourceType": "RelatedPerson", "id": "r1",
            "identifier": [{"system": "https://fhir.nhs.uk/id/nhs-number", "value": "9990000026"}]
        }]
    })
}

fn identities() {
    let at = "Patient.identifier[0].value";
    for faulty in ["9990000019", "999000001", "SECRET", "0000000000"] {
        check_rule(&patient(), &[("/identifier/0/value", Some(json!(faulty)))], Rule::NhsNumber, at);
    }
    // Wherever it stands, and in whatever case its system.
    let contained = [("/contained/0/identifier/0/value", Some(json!("9990000019")))];
    check_rule(&patient(), &contained, Rule::NhsNumber, "Patient.contained[0].identifier[0].value");
    let reference = [("/participant/0/actor/identifier/value", Some(json!("9990000019")))];
    let at_reference = "Appointment.participant[0].actor.identifier.value";
    check_rule(&pca_appointment(), &reference, Rule::NhsNumber, at_reference);
    let in_bundle = [("/entry/2/resource/identifier/0/value", Some(json!("9990000019")))];
    check_rule(&booking(), &in_bundle, Rule::NhsNumber, "Bundle.entry[2].resource.identifier[0].value");
    check_rule(&patient(), &[("/identifier/0/value", Some(json!("999 000 0018")))], Rule::NhsNumberForm, at);
    let production = switched(&[], &[(Rule::NhsNumberTestRange, Switch::Refuse)]);
    let real = changed(
        &patient(),
        &[
            ("/identifier/0/value", Some(json!("9434765919"))),
            ("/contained/0/identifier/0/value", Some(json!("9434765919"))),
        ],
    );
    let test_number = [("/identifier/0/value", Some(json!("9990000018")))];
    check_rule_by(&real, &test_number, &production, Rule::NhsNumberTestRange, at);
    let coding = "Patient.identifier[0].extension[0].valueCodeableConcept.coding[0]";
    let status = "/identifier/0/extension/0/valueCodeableConcept/coding/0";
    let retired = json!({
        "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus",
        "code": "number-present-and-verified"
    });
    check_rule(&patient(), &[(status, Some(retired))], Rule::NhsNumberVerification, coding);
    check_rule(&patient(), &[(&format!("{status}/code"), Some(json!("9")))], Rule::NhsNumberVerification, coding);
    for faulty in ["rzz99", "RZ", "RZZ-99", "SECRETSECRETSECRET"] {
        let change = [("/managingOrganization/identifier/value", Some(json!(faulty)))];
        check_rule(&patient(), &change, Rule::OdsCode, "Patient.managingOrganization.identifier.value");
    }
}

fn clocks() {
    let slot = |start: &str, end: &str| {
        json!({"resourceType": "Slot", "status": "free", "schedule": {"reference": "Schedule/1"},
               "start": start, "end": end})
    };
    let whole = slot("2026-10-25T01:30:00+01:00", "2026-10-25T01:30:00Z");
    for (start, rule) in [
        ("2026-10-25T01:30:00", Rule::ClockRepeatedHour),
        ("2026-10-25T01:00", Rule::ClockRepeatedHour),
        ("2026-10-25 01:59:59.999", Rule::ClockRepeatedHour),
        ("2026-03-29T01:30:00", Rule::ClockMissingHour),
        ("2026-03-29T01:00", Rule::ClockMissingHour),
        ("2026-12-01T10:00:00+01:00", Rule::ClockOffset),
        // An hour before the clocks go forward, written as it will be.
        ("2026-03-29T01:30:00+01:00", Rule::ClockOffset),
        // The clocks went back at 01:00 UTC.
        ("2026-10-25T02:00:00+01:00", Rule::ClockOffset),
    ] {
        check_rule(&whole, &[("/start", Some(json!(start)))], rule, "Slot.start");
    }
    for (start, end) in [
        ("2026-06-01T10:00:00+01:00", "2026-06-01T09:30:00Z"),
        ("2026-06-01T10:00:00+00:00", "2026-12-01T10:00:00+00:00"),
        ("2026-12-01T10:00:00+02:00", "2026-12-01T10:00:00-05:00"),
        ("2026-03-29T02:00:00+01:00", "2026-10-25T01:00:00+01:00"),
        // Without an offset, but not in one of the two hours: the check of primitives says what is missing.
        ("2026-10-25T02:00:00", "2026-03-29T02:00:00"),
        ("2026-10-25", "SECRET01:30:00"),
    ] {
        assert_eq!(found(&slot(start, end), &rules(&[])), [], "{start} {end}");
    }
    let stamped = changed(&whole, &[("/meta", Some(json!({"lastUpdated": "2026-12-01T10:00:00+01:00"})))]);
    assert_eq!(found(&stamped, &rules(&[])), [], "when a machine wrote it down is the machine's affair");
    // Not a placeholder before 640 days, nor when nothing is booked.
    let ahead = [("/start", Some(json!("2027-10-07T09:00:00Z"))), ("/end", Some(json!("2027-10-07T09:30:00Z")))];
    check_rule(&pca_appointment(), &ahead, Rule::AppointmentPlaceholder, "Appointment.start");
    for (start, status) in [("2027-10-07T08:59:59Z", "booked"), ("2028-10-07T09:00:00Z", "cancelled")] {
        let changes = [("/start", Some(json!(start))), ("/status", Some(json!(status)))];
        assert_eq!(found(&changed(&pca_appointment(), &changes), &rules(Contract::ALL)), [], "{start} {status}");
    }
}

#[test]
fn a_contract_holds_for_those_who_speak_it_only() {
    let bare = json!({"resourceType": "Appointment", "status": "arrived"});
    assert_eq!(found(&bare, &rules(&[])), []);
    assert_eq!(found(&bare, &rules(&[Contract::Bars])), []);
    assert!(found(&bare, &rules(&[Contract::Pca])).len() > 5);
    let empty = json!({"resourceType": "Bundle", "type": "message"});
    assert_eq!(found(&empty, &rules(&[Contract::Pca])), []);
    assert!(found(&empty, &rules(&[Contract::Bars])).len() >= 3);
    let searchset = json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": bare}]});
    assert_eq!(found(&searchset, &rules(&[Contract::Bars])), [], "no message");
    assert!(found(&searchset, &rules(&[Contract::Pca])).len() > 5, "each resource of a Bundle");
}

#[test]
fn a_switch_makes_a_rule_refuse_or_flag_or_be_silent() {
    let faulty = changed(&patient(), &[("/identifier/0/value", Some(json!("9990000019")))]);
    let document = Document::from_value(&faulty);
    for (switch, expected) in
        [(Switch::Refuse, Some(Severity::Error)), (Switch::Flag, Some(Severity::Warning)), (Switch::Off, None)]
    {
        let rules = switched(&[], &[(Rule::NhsNumber, switch)]);
        let told: Vec<_> = check(&document, &rules, now()).iter().map(|issue| issue.severity).collect();
        assert_eq!(told, Vec::from_iter(expected));
        // What is not refused is kept, and no mapping takes it for somebody's number.
        let seen = for_mapping(&document, &rules);
        let values: Vec<_> =
            seen.root().children_named("identifier").map(|one| one.child_named("value").is_some()).collect();
        assert_eq!(values, [switch == Switch::Refuse], "{switch:?}");
        let right = Document::from_value(&patient());
        assert!(matches!(for_mapping(&right, &rules), std::borrow::Cow::Borrowed(_)), "{switch:?}");
    }
    let case = Issue::new(Rule::IdentifierSystemCase, "x");
    assert_eq!(rules(&[]).weigh(case.clone()), Some(case.clone()));
    assert_eq!(switched(&[], &[(Rule::IdentifierSystemCase, Switch::Off)]).weigh(case.clone()), None);
    let refused = switched(&[], &[(Rule::IdentifierSystemCase, Switch::Refuse)]).weigh(case);
    assert!(refused.is_some_and(|issue| issue.refuses()));
}

#[test]
fn a_thousand_faults_are_told_in_part_and_a_refusal_among_warnings_is_not_lost() {
    let identifier = |value: &str| json!({"system": "https://fhir.nhs.uk/Id/nhs-number", "value": value});
    let mut identifiers: Vec<Value> = (0..1_000).map(|_| identifier("999 000 0018")).collect();
    identifiers.push(identifier("9990000019"));
    let value = json!({"resourceType": "Patient", "identifier": identifiers});
    let told = check(&Document::from_value(&value), &rules(&[]), now());
    assert_eq!(told.len(), ISSUES_MAX + 1);
    assert!(crate::issue::any_refuses(&told));
}

#[test]
fn no_value_is_told_whatever_stands_where() {
    let odd = [
        json!("SECRET9990000019 Ada"),
        json!("2026-10-25T01:30:00 SECRET"),
        json!("https://SECRET.example/é 9990000018"),
        json!(["SECRET"]),
        json!({"SECRET": {"system": "SECRET", "value": "SECRET"}}),
        json!(9990000018_u64),
        json!(true),
    ];
    let mut tried = 0;
    for whole in [pca_appointment(), document_reference(), pca_task(), booking(), referral(), patient()] {
        let mut pointers = Vec::new();
        leaves(&whole, String::new(), &mut pointers);
        for (pointer, odd) in pointers.iter().flat_map(|pointer| odd.iter().map(move |odd| (pointer, odd))) {
            let value = changed(&whole, &[(pointer, Some(odd.clone()))]);
            for issue in check(&Document::from_value(&value), &rules(Contract::ALL), now()) {
                let told = format!("{issue} {:?} {:?}", issue.asked_by, issue.mend);
                assert!(!told.contains("SECRET") && !told.contains("99900000"), "{pointer}: {told}");
            }
            tried += 1;
        }
    }
    assert!(tried > 1_000, "only {tried} tried");
}

/// The pointers of everything that holds a value.
fn leaves(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| leaves(member, format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| leaves(item, format!("{at}/{index}"), found));
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => found.push(at),
    }
}

#[test]
fn whatever_is_sent_is_judged_in_time_and_without_a_panic() {
    let odd = [
        json!({"resourceType": "Bundle", "type": "message", "entry": [{}, {"resource": {}}, {"fullUrl": ""}]}),
        json!({"resourceType": "Appointment", "start": "é-06-13T12:30:00é+0é:00", "participant": [{"actor": {}}]}),
        json!({"resourceType": "Slot", "start": "9999-99-99T99:99:99+99:99", "end": "2026-13-45T25:61:00"}),
        json!({"resourceType": "Slot", "start": "-000001-06-13T12:30", "end": "2026-06-13Té9:30:00+01:00"}),
        json!({"resourceType": "Task", "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": 1}}),
        json!({"system": "https://fhir.nhs.uk/Id/nhs-number"}),
    ];
    for value in odd {
        let _ = found(&value, &rules(Contract::ALL));
    }
    let entry = |number: usize| json!({"fullUrl": format!("urn:uuid:{number}"), "resource": pca_appointment()});
    let entries: Vec<Value> = (0..1_000).map(entry).collect();
    let bundle = json!({"resourceType": "Bundle", "type": "message", "entry": entries});
    let document = Document::from_value(&bundle);
    let _ = check(&document, &rules(Contract::ALL), now());
}
