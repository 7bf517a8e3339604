//! Each guard, over HTTP: what is refused is told with its rule, its place and a way out, and nothing of it is kept.

use crate::house::{
    Caller, House, OTHER_PATIENT, PATIENT, PORTAL_SYSTEM, TRUST, answer_to, appointment, booking, caller_settings,
    change, clock, enrolment, of_patient,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use stile::issue::{Rule, Severity};

/// NHS number of the test range whose patient becomes sixteen tomorrow.
const CHILD: &str = "9990000034";
/// NHS number of the test range whose patient becomes sixteen today.
const GROWN: &str = "9990000042";
/// A trust for which no downstream is set.
const UNSERVED: &str = "RZZ88";

/// A submission that a guard refuses.
struct Refused {
    who: Caller,
    what: Value,
    rule: Rule,
    place: &'static str,
    /// Words of the way out.
    hint: &'static str,
}

/// Submits, and proves that the refusal is right and that nothing was kept. Gives the rule.
async fn check(house: &House, refused: &Refused) -> Rule {
    let Refused { who, what, rule, place, hint } = refused;
    let path = format!("/fhir/{}/{}", what["resourceType"].as_str().unwrap(), what["id"].as_str().unwrap());
    let before = world(house, &path).await;
    let answer = who.put(what).await;
    assert_eq!((answer.status, answer.rules()), (422, vec![rule.as_str().to_owned()]), "{what}: {}", answer.text);
    assert_eq!(answer.places(), [*place], "{}", answer.text);
    let issue = &answer.json()["issue"][0];
    assert!(issue["diagnostics"].as_str().unwrap_or("").contains(hint), "{rule}: {}", answer.text);
    for secret in [PATIENT, OTHER_PATIENT, CHILD, GROWN, "on holiday", "both hands"] {
        assert!(!answer.text.contains(secret), "{rule} tells what was sent: {}", answer.text);
    }
    assert_eq!(world(house, &path).await, before, "{rule} kept something");
    *rule
}

/// Everything that an accepted submission would change: the resource itself, every version, every delivery.
async fn world(house: &House, path: &str) -> (u16, String, BTreeSet<String>, usize) {
    let own = house.portal.get(path).await;
    let mut versions = BTreeSet::new();
    for resource_type in ["Appointment", "Task", "ServiceRequest"] {
        let found = house.caller("both-key").reads(&format!("/fhir/{resource_type}?_count=100")).await;
        assert!(found.get("link").is_some_and(|links| links.as_array().unwrap().len() == 1), "more than one page");
        for entry in found["entry"].as_array().cloned().unwrap_or_default() {
            let resource = &entry["resource"];
            versions.insert(format!("{resource_type}/{} {}", resource["id"], resource["meta"]["versionId"]));
        }
    }
    assert!(versions.len() > 10, "looking at the world is broken: {versions:?}");
    (own.status, own.text, versions, house.deliveries().await.len())
}

/// An appointment that starts so many seconds from now.
fn starting_in(id: &str, number: &str, seconds: i64) -> Value {
    let mut resource = appointment(id, number);
    let start = clock() + SignedDuration::from_secs(seconds);
    resource["start"] = json!(start.to_string());
    resource["end"] = json!((start + SignedDuration::from_mins(20)).to_string());
    resource
}

fn with_status(id: &str, number: &str, status: &str) -> Value {
    let mut resource = appointment(id, number);
    resource["status"] = json!(status);
    resource
}

fn of_trust(mut resource: Value, trust: &str) -> Value {
    resource["participant"][1]["actor"]["identifier"]["value"] = json!(trust);
    resource
}

fn born(id: &str, nhs_number: &str, on: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "id": id,
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": nhs_number}],
        "birthDate": on
    })
}

fn within(id: &str, pathway: &str, starts_on: &str, expires_on: &str) -> Value {
    let mut task = enrolment(id, pathway);
    task["restriction"] = json!({"period": {"start": starts_on, "end": expires_on}});
    task
}

const DAY: i64 = 86_400;

async fn a_house_with_a_history() -> House {
    let both = caller_settings(
        "both",
        "portal",
        &["Appointment", "ServiceRequest", "Task", "Patient"],
        &["read", "search", "create", "update"],
        &[TRUST, UNSERVED],
    );
    let second = caller_settings("second", "portal", &["Appointment"], &["create", "update"], &[UNSERVED]);
    let house = House::with(&format!("{both}{second}")).await;
    let mut kept = vec![
        appointment("good", "1000"),
        starting_in("begun", "1001", 0),
        starting_in("about-to-begin", "1002", 1),
        starting_in("placeholder", "1003", 640 * DAY),
        starting_in("far-ahead", "1004", 640 * DAY - 1),
        born("child", CHILD, "2010-11-22"),
        born("grown", GROWN, "2010-11-21"),
        of_patient(&appointment("of-child", "1005"), CHILD),
        of_patient(&appointment("of-grown", "1006"), GROWN),
        appointment("asked", "1007"),
        change("open", "cancel", "asked"),
        enrolment("e-used", "P-used"),
        booking("b-open", "P-used"),
        within("e-ended", "P-ended", "2026-05-01", "2026-11-20"),
        within("e-last-day", "P-last-day", "2026-05-01", "2026-11-21"),
        within("e-to-come", "P-to-come", "2026-11-22", "2027-05-01"),
        within("e-first-day", "P-first-day", "2026-11-21", "2027-05-01"),
        of_patient(&enrolment("e-child", "P-child"), CHILD),
        of_patient(&enrolment("e-other", "P-other"), OTHER_PATIENT),
        enrolment("e-taken-back", "P-taken-back"),
    ];
    for (number, status) in ["cancelled", "fulfilled", "noshow", "entered-in-error"].into_iter().enumerate() {
        kept.push(with_status(status, &format!("11{number:02}"), status));
    }
    let mut through_ers = appointment("through-ers", "1008");
    through_ers["basedOn"] = json!([
        {"identifier": {"system": "https://fhir.nhs.uk/Id/UBRN", "value": "000049990002"}},
        {"identifier": {"system": "https://fhir.nhs.uk/Id/USRN", "value": "1"}}
    ]);
    kept.push(through_ers);
    for resource in kept {
        house.portal.put(&resource).await.expect(201);
    }
    let mut taken_back = enrolment("e-taken-back", "P-taken-back");
    taken_back["status"] = json!("cancelled");
    house.portal.put(&taken_back).await.expect(200);
    let mut shared = appointment("shared", "1009");
    shared["identifier"] = json!([{"system": PORTAL_SYSTEM, "value": "shared"}]);
    house.portal.put(&shared).await.expect(201);
    house
}

/// Keeps at the other trust what the first trust's own portal cannot see.
async fn the_other_trust_joins(house: &House) {
    let more = of_trust(appointment("unserved", "1010"), UNSERVED);
    house.caller("both-key").put(&more).await.expect(201);
}

#[actix_web::test]
async fn each_guard_refuses_with_its_rule_its_place_and_a_way_out_and_keeps_nothing() {
    let house = a_house_with_a_history().await;
    the_other_trust_joins(&house).await;
    let (portal, pas, both) = (|| house.portal.clone(), || house.pas.clone(), || house.caller("both-key"));
    let cancel = |appointment: &str| change(&format!("t-{appointment}"), "cancel", appointment);
    let mut by_identifier = change("t-number", "cancel", "x");
    by_identifier["focus"] =
        json!({"type": "Appointment", "identifier": {"system": PORTAL_SYSTEM, "value": "nobody's"}});
    let mut two_foci = change("t-two", "cancel", "good");
    two_foci["focus"]["identifier"] = json!({"system": PORTAL_SYSTEM, "value": "far-ahead"});
    let mut altered = change("open", "cancel", "asked");
    altered["reasonCode"] = json!({"text": "another reason"});
    let refuse = |who: Caller, what: Value, rule: Rule, place: &'static str, hint: &'static str| Refused {
        who,
        what,
        rule,
        place,
        hint,
    };
    use Rule::*;
    let mut table = vec![
        refuse(portal(), cancel("nowhere"), ChangeUnknownAppointment, "Task.focus", "push the Appointment first"),
        refuse(portal(), by_identifier, ChangeUnknownAppointment, "Task.focus", "push the Appointment first"),
        refuse(portal(), cancel("begun"), ChangeAppointmentBegun, "Task.focus", "by telephone"),
        refuse(portal(), cancel("placeholder"), ChangePlaceholder, "Task.focus", "wait for a date"),
        refuse(portal(), of_patient(&cancel("of-child"), CHILD), ChangeUnderSixteen, "Task.for", "parent or guardian"),
        refuse(portal(), cancel("asked"), ChangeAlreadyOpen, "Task.focus", "follow Task/open to its end"),
        refuse(portal(), change("t-late", "reschedule", "asked"), ChangeAlreadyOpen, "Task.focus", "Task/open"),
        refuse(portal(), change("t-yes", "confirm-attendance", "asked"), ChangeAlreadyOpen, "Task.focus", "Task/open"),
        refuse(portal(), cancel("through-ers"), ChangeErsBooked, "Task.focus", "https://refer.nhs.uk/nhslogin"),
        refuse(
            portal(),
            of_patient(&cancel("good"), OTHER_PATIENT),
            ChangeOtherPatient,
            "Task.for",
            "which appointment",
        ),
        refuse(both(), cancel("unserved"), ChangeNoDownstream, "Task", "[organisations.CODE]"),
        refuse(portal(), altered, RequestUnalterable, "Task", "under another id"),
        refuse(portal(), enrolment("open", "P-new"), RequestUnalterable, "Task", "under another id"),
        refuse(portal(), two_foci, ChangeFocus, "Task.focus", "the one that you are sure of"),
        refuse(
            pas(),
            answer_to("b-open", "s2", "completed", ""),
            ChangeAnswerUnfit,
            "Task.status",
            "If you are the PAS",
        ),
        refuse(pas(), answer_to("nothing", "s1", "accepted", ""), ChangeUnknownRequest, "Task.identifier", "send back"),
        refuse(portal(), booking("b1", "P-nowhere"), PifuNoEnrolment, "ServiceRequest.basedOn", "pathway identifier"),
        refuse(portal(), booking("b2", "P-other"), PifuNoEnrolment, "ServiceRequest.basedOn", "not enrolled"),
        refuse(
            portal(),
            booking("b3", "P-taken-back"),
            PifuNotActive,
            "ServiceRequest.basedOn",
            "contacts the service",
        ),
        refuse(portal(), booking("b4", "P-ended"), PifuOutsidePeriod, "ServiceRequest.basedOn", "contacts the service"),
        refuse(
            portal(),
            booking("b5", "P-to-come"),
            PifuOutsidePeriod,
            "ServiceRequest.basedOn",
            "contacts the service",
        ),
        refuse(portal(), booking("b6", "P-used"), PifuAlreadyOpen, "ServiceRequest.basedOn", "follow Task/b-open"),
        refuse(
            portal(),
            of_patient(&booking("b7", "P-child"), CHILD),
            ChangeUnderSixteen,
            "ServiceRequest.basedOn",
            "parent or guardian",
        ),
    ];
    for status in ["cancelled", "fulfilled", "noshow", "entered-in-error"] {
        table.push(refuse(portal(), cancel(status), ChangeAppointmentOver, "Task.focus", "contacts the service"));
    }
    let mut seen = BTreeSet::new();
    for refused in &table {
        seen.insert(check(&house, refused).await);
    }
    // No guard of the ledger is left without its story.
    let of_ledger = |rule: &&Rule| {
        let name = rule.as_str();
        rule.severity() == Severity::Error && (name.starts_with("change.") || name.starts_with("pifu."))
    };
    let missing: Vec<&Rule> = Rule::ALL.iter().filter(of_ledger).filter(|rule| !seen.contains(rule)).collect();
    assert!(missing.is_empty(), "{missing:?} has no story here");
    house.close().await;
}

#[actix_web::test]
async fn just_inside_each_limit_a_request_is_let_in() {
    let house = a_house_with_a_history().await;
    let before = house.deliveries().await.len();
    let accepted = [
        change("t1", "cancel", "about-to-begin"),
        change("t2", "cancel", "far-ahead"),
        of_patient(&change("t3", "cancel", "of-grown"), GROWN),
        booking("b1", "P-last-day"),
        booking("b2", "P-first-day"),
    ];
    for resource in &accepted {
        house.portal.put(resource).await.expect(201);
    }
    assert_eq!(house.deliveries().await.len(), before + accepted.len());
    house.close().await;
}

#[actix_web::test]
async fn a_request_that_fails_several_guards_hears_of_all_of_them() {
    let house = a_house_with_a_history().await;
    house.portal.put(&of_patient(&starting_in("bad", "1200", -DAY), CHILD)).await.expect(201);
    let answer = house.portal.asks("t1", "cancel", "bad").await.expect(422);
    let rules: BTreeSet<String> = answer.rules().into_iter().collect();
    let expected = ["change.appointment-begun", "change.other-patient", "change.under-sixteen"];
    assert_eq!(rules, BTreeSet::from(expected.map(str::to_owned)));
    house.close().await;
}

#[actix_web::test]
async fn an_identifier_that_two_appointments_carry_is_refused_until_the_request_says_which() {
    let house = a_house_with_a_history().await;
    // Kept by a caller of the other trust alone, which does not see the first.
    let mut second = of_trust(appointment("shared-too", "1011"), UNSERVED);
    second["identifier"] = json!([{"system": PORTAL_SYSTEM, "value": "shared"}]);
    house.caller("second-key").put(&second).await.expect(201);
    let mut by_identifier = change("t1", "cancel", "x");
    by_identifier["focus"] = json!({"type": "Appointment", "identifier": {"system": PORTAL_SYSTEM, "value": "shared"}});
    let refused = Refused {
        who: house.caller("both-key"),
        what: by_identifier.clone(),
        rule: Rule::IdentifierAmbiguous,
        place: "Task.focus.identifier",
        hint: "Task.focus.reference",
    };
    check(&house, &refused).await;
    by_identifier["focus"] = json!({"type": "Appointment", "reference": "Appointment/shared"});
    house.caller("both-key").put(&by_identifier).await.expect(201);
    house.close().await;
}
