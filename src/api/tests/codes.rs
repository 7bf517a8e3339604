//! Questions about codes, as a caller puts them.

use super::*;

const STATUS: &str = "http://hl7.org/fhir/ValueSet/appointmentstatus";
const ROLE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";

/// The parameters of an answer: name and value, in order.
fn told(answer: &Answer) -> Vec<(String, Value)> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let resource = answer.json();
    assert_eq!(resource["resourceType"], "Parameters");
    let parameters = resource["parameter"].as_array().unwrap().clone();
    let value =
        |one: &Value| one.as_object().unwrap().iter().find(|(key, _)| key.starts_with("value")).map(|(_, v)| v.clone());
    parameters.iter().map(|one| (one["name"].as_str().unwrap().to_owned(), value(one).unwrap_or_default())).collect()
}

fn first(answer: &Answer) -> Value {
    told(answer).remove(0).1
}

#[actix_web::test]
async fn a_value_set_says_whether_it_holds_a_code_and_refuses_to_guess() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let ask = |query: String| send(&state, with_key("GET", &format!("/fhir/ValueSet/$validate-code?{query}")));
    let system = "http://hl7.org/fhir/appointmentstatus";
    assert_eq!(first(&ask(format!("url={STATUS}&code=booked")).await), true);
    let held = ask(format!("url={STATUS}&code=booked&system={system}&display=BOOKED")).await;
    assert_eq!(told(&held), [("result".to_owned(), json!(true)), ("display".to_owned(), json!("Booked"))]);
    let renamed = told(&ask(format!("url={STATUS}&code=booked&system={system}&display=Bought")).await);
    assert_eq!((&renamed[0].1, &renamed[1].0), (&json!(false), &"message".to_owned()));
    assert_eq!(first(&ask(format!("url={STATUS}&code={CANARY}")).await), false);
    let other = ask(format!("url={STATUS}&code=booked&system=urn:other")).await;
    assert_eq!(first(&other), false);
    assert_eq!(first(&ask("url=http://hl7.org/fhir/ValueSet/all-languages&code=en-GB".into()).await), true);
    assert_eq!(ask(format!("url=urn:gone&code={CANARY}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ask(format!("url={STATUS}")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(ask(format!("url={STATUS}&code=booked&colour=red")).await.status, StatusCode::BAD_REQUEST);
    let undecided =
        ask("url=http://hl7.org/fhir/ValueSet/condition-code&system=http://snomed.info/sct&code=9990000018".into())
            .await;
    assert_eq!(undecided.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(undecided.body.contains("check.not-evaluated") && !undecided.body.contains(CANARY), "{}", undecided.body);
    assert!(undecided.body.contains("http://snomed.info/sct"), "{}", undecided.body);
}

#[actix_web::test]
async fn a_question_may_come_as_parameters_in_json_or_xml() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let ask = |media_type: &'static str, body: String| {
        send(&state, with_body("POST", "/fhir/ValueSet/$validate-code", media_type, body))
    };
    let parameters = |coding: Value| {
        json!({"resourceType": "Parameters", "parameter": [
            {"name": "url", "valueUri": STATUS}, {"name": "codeableConcept", "valueCodeableConcept": {"coding": [coding]}}]})
    };
    let coding = json!({"system": "http://hl7.org/fhir/appointmentstatus", "code": "noshow"});
    assert_eq!(first(&ask("application/fhir+json", parameters(coding).to_string()).await), true);
    let wrong = json!({"system": "http://hl7.org/fhir/appointmentstatus", "code": "no-show"});
    assert_eq!(first(&ask("application/fhir+json", parameters(wrong).to_string()).await), false);
    let xml = format!(
        "<Parameters xmlns=\"http://hl7.org/fhir\"><parameter><name value=\"url\"/><valueUri value=\"{STATUS}\"/></parameter>\
         <parameter><name value=\"code\"/><valueCode value=\"booked\"/></parameter></Parameters>"
    );
    let answer = ask("application/fhir+xml", xml).await;
    assert!(answer.body.contains("<name value=\"result\"/><valueBoolean value=\"true\"/>"), "{}", answer.body);
    for body in
        ["{", "{\"resourceType\":\"Patient\"}", "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"x\"}]}"]
    {
        assert_eq!(ask("application/fhir+json", body.into()).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
}

#[actix_web::test]
async fn a_code_system_tells_of_its_codes_and_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let ask =
        |operation: &str, query: &str| send(&state, with_key("GET", &format!("/fhir/CodeSystem/${operation}?{query}")));
    let found = told(&ask("lookup", &format!("system={ROLE}&code=FTH")).await);
    assert!(found.contains(&("display".to_owned(), json!("father"))), "{found:?}");
    assert!(found.iter().any(|(name, _)| name == "property"));
    assert_eq!(ask("lookup", &format!("system={ROLE}&code={CANARY}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ask("lookup", "code=FTH").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(first(&ask("validate-code", &format!("url={ROLE}&code=FTH")).await), true);
    assert_eq!(first(&ask("validate-code", &format!("url={ROLE}&code=nobody")).await), false);
    assert_eq!(first(&ask("validate-code", "url=urn:iso:std:iso:4217&code=GBP").await), true);
    let snomed = ask("validate-code", "url=http://snomed.info/sct&code=1").await;
    assert_eq!(snomed.status, StatusCode::UNPROCESSABLE_ENTITY);
    for (a, b, outcome) in [
        ("PRN", "FTH", "subsumes"),
        ("FTH", "PRN", "subsumed-by"),
        ("FTH", "FTH", "equivalent"),
        ("FTH", "MTH", "not-subsumed"),
    ] {
        let answer = ask("subsumes", &format!("system={ROLE}&codeA={a}&codeB={b}")).await;
        assert_eq!(first(&answer), outcome, "{a} {b}");
    }
    assert_eq!(ask("subsumes", &format!("system={ROLE}&codeA=FTH&codeB=none")).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_value_set_is_listed_in_pages_when_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let ask = |query: String| send(&state, with_key("GET", &format!("/fhir/ValueSet/$expand?url={query}")));
    let codes = |answer: &Answer| -> (u64, Vec<String>) {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let expansion = &answer.json()["expansion"];
        let contains = expansion["contains"].as_array().cloned().unwrap_or_default();
        let codes = contains.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect();
        (expansion["total"].as_u64().unwrap(), codes)
    };
    assert_eq!(codes(&ask(STATUS.into()).await).1.len(), 10);
    let page = codes(&ask(format!("{STATUS}&offset=2&count=2")).await);
    assert_eq!(page, (10, vec!["cancelled".to_owned(), "checked-in".to_owned()]));
    assert_eq!(codes(&ask(format!("{STATUS}&filter=NO%20show")).await), (1, vec!["noshow".to_owned()]));
    assert_eq!(codes(&ask(format!("{STATUS}&count=0")).await), (10, vec![]));
    for (query, status) in [
        ("http://hl7.org/fhir/ValueSet/all-languages", StatusCode::UNPROCESSABLE_ENTITY),
        ("http://hl7.org/fhir/ValueSet/condition-code", StatusCode::UNPROCESSABLE_ENTITY),
        ("urn:gone", StatusCode::NOT_FOUND),
    ] {
        let answer = ask(query.into()).await;
        assert_eq!(answer.status, status, "{query}");
        assert!(answer.is_outcome());
    }
    assert_eq!(ask(format!("{STATUS}&count=many")).await.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn every_caller_may_ask_about_codes_and_the_statement_says_what() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let reader = request("GET", &format!("/fhir/ValueSet/$expand?url={STATUS}"))
        .insert_header((AUTHORIZATION, "Bearer reader-key"));
    assert_eq!(send(&state, reader).await.status, StatusCode::OK);
    let statement = send(&state, request("GET", "/fhir/metadata")).await.json();
    let resources = statement["rest"][0]["resource"].as_array().unwrap().clone();
    let mut count = 0;
    for question in routes::Question::ALL {
        let (type_name, name, definition) = question.operation();
        let resource = resources.iter().find(|resource| resource["type"] == type_name).unwrap();
        let operations = resource["operation"].as_array().unwrap();
        assert!(operations.contains(&json!({"name": name, "definition": definition})), "{name}");
        for method in ["GET", "POST"] {
            let answer = send(&state, with_key(method, &format!("/fhir/{type_name}/${name}"))).await;
            assert!(!is_unrouted(&answer), "{method} {type_name} {name}: {}", answer.body);
            count += 1;
        }
    }
    assert_eq!(count, 10);
}
