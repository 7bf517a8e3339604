//! The messages of the Booking and Referral Standard, rule by rule.

use super::wholes::{booking, referral};
use super::{Change, changed, check_rule, found, rules};
use crate::issue::Rule;
use crate::national::Contract;
use serde_json::json;

pub(super) fn headers() {
    let whole = booking();
    let check = |changes: &[Change<'_>], rule, at: &str| check_rule(&whole, changes, rule, at);
    let header = "Bundle.entry[0].resource";
    let pointer = |rest: &str| format!("/entry/0/resource/{rest}");
    for name in ["eventCoding", "reason", "focus", "definition", "destination", "sender", "source"] {
        check(&[(&pointer(name), None)], Rule::BarsHeader, &format!("{header}.{name}"));
    }
    check(&[("/entry/0", None)], Rule::BarsHeader, "Bundle.entry");
    check(&[("/entry/-", Some(whole["entry"][0].clone()))], Rule::BarsHeader, "Bundle.entry[9].resource");
    let (first, second) = (whole["entry"][0].clone(), whole["entry"][1].clone());
    let swapped = [("/entry/0", Some(second)), ("/entry/1", Some(first))];
    check(&swapped, Rule::BarsHeader, "Bundle.entry[1].resource");
    let change = [(&*pointer("eventCoding/system"), Some(json!("urn:x")))];
    check(&change, Rule::BarsEvent, &format!("{header}.eventCoding"));
    let change = [(&*pointer("eventCoding/code"), Some(json!("booking")))];
    check(&change, Rule::BarsEvent, &format!("{header}.eventCoding.code"));
    let change = [(&*pointer("reason/coding/0/code"), Some(json!("amend")))];
    check(&change, Rule::BarsReason, &format!("{header}.reason.coding[0].code"));
    check(&[(&pointer("reason/coding/0/system"), None)], Rule::BarsReason, &format!("{header}.reason.coding[0]"));
    for endpoint in ["https://example/SECRET", "https://fhir.nhs.uk/Id/dos-service-id|", "[ODSCode]:[DoSId]"] {
        let change = [(&*pointer("source/endpoint"), Some(json!(endpoint)))];
        check(&change, Rule::BarsEndpoint, &format!("{header}.source.endpoint"));
    }
    let change = [(&*pointer("destination/0/endpoint"), None)];
    check(&change, Rule::BarsEndpoint, &format!("{header}.destination[0].endpoint"));
    let base = "https://fhir.nhs.uk/MessageDefinition/";
    let change = [(&*pointer("definition"), Some(json!(format!("{base}bars-message-booking-reqest"))))];
    check(&change, Rule::BarsDefinition, &format!("{header}.definition"));
    let versioned = [(&*pointer("definition"), Some(json!(format!("{base}bars-message-booking-request|1.1.0"))))];
    assert_eq!(found(&changed(&whole, &versioned), &rules(Contract::ALL)), []);
    let change = [(&*pointer("focus/0/reference"), Some(json!("urn:uuid:00000000-0000-4000-8000-000000000003")))];
    check(&change, Rule::BarsFocus, &format!("{header}.focus[0]"));
    let change = [(&*pointer("sender/reference"), Some(json!("urn:uuid:00000000-0000-4000-8000-00000000000f")))];
    check(&change, Rule::BarsParty, &format!("{header}.sender"));
    let change = [(&*pointer("destination/0/receiver/reference"), Some(json!("Organization/1")))];
    check(&change, Rule::BarsParty, &format!("{header}.destination[0].receiver"));
    // No definition of a booking response is published, so none is asked for.
    let code = (&*pointer("eventCoding/code"), Some(json!("booking-response")));
    let gone = (&*pointer("definition"), None);
    check(std::slice::from_ref(&code), Rule::BarsResponse, &format!("{header}.response"));
    check(&[code, gone], Rule::BarsResponse, &format!("{header}.response"));
}

pub(super) fn messages() {
    let whole = booking();
    let check = |changes: &[Change<'_>], rule, at: &str| check_rule(&whole, changes, rule, at);
    check(&[("/meta/versionId", None)], Rule::BarsVersion, "Bundle.meta.versionId");
    check(&[("/timestamp", None)], Rule::BarsTimestamp, "Bundle.timestamp");
    let at = "Bundle.entry[3].resource.meta.lastUpdated";
    check(&[("/entry/3/resource/meta", None)], Rule::BarsLastUpdated, at);
    check(&[("/entry/3/fullUrl", None)], Rule::BarsEntry, "Bundle.entry[3].fullUrl");
    check(&[("/entry/5", None)], Rule::BarsContents, "Bundle.entry");
    let change = [("/entry/1/resource/end", Some(json!("2026-06-13T12:50:00Z")))];
    check(&change, Rule::BarsSlotTimes, "Bundle.entry[1].resource.end");
    let change = [("/entry/1/resource/status", Some(json!("cancelled")))];
    check(&change, Rule::BarsCancellation, "Bundle.entry[0].resource.reason.coding[0].code");
    let cancelling = "https://fhir.nhs.uk/MessageDefinition/bars-message-booking-request-cancelled";
    let change = [("/entry/0/resource/definition", Some(json!(cancelling)))];
    check(&change, Rule::BarsCancellation, "Bundle.entry[1].resource.status");
    let whole = referral();
    let check = |changes: &[Change<'_>], rule, at: &str| check_rule(&whole, changes, rule, at);
    check(&[("/entry/0/resource/response", None)], Rule::BarsResponse, "Bundle.entry[0].resource.response");
    let request = "Bundle.entry[1].resource";
    let change = [("/entry/1/resource/intent", Some(json!("order")))];
    check(&change, Rule::BarsServiceRequest, &format!("{request}.intent"));
    check(&[("/entry/1/resource/category", None)], Rule::BarsServiceRequest, &format!("{request}.category"));
    let change = [("/entry/1/resource/category/0/coding/0/code", Some(json!("a4t9")))];
    check(&change, Rule::BarsUseCase, &format!("{request}.category[0].coding[0].code"));
    let other = "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-cancelled";
    let change = [("/entry/0/resource/definition", Some(json!(other)))];
    let told = found(&changed(&whole, &change), &rules(Contract::ALL));
    assert!(told.contains(&(Rule::BarsDefinition, "Bundle.entry[0].resource.definition".to_owned())), "{told:?}");
    // A referral by itself keeps the same rules.
    let alone = whole["entry"][1]["resource"].clone();
    check_rule(&alone, &[("/occurrencePeriod", None)], Rule::BarsServiceRequest, "ServiceRequest.occurrencePeriod");
}
