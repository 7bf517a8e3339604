//! What others publish, held to its own contract. What departs from it stands here with the reason; the list fails in
//! both directions.

use super::{Contract, check, place, rules};
use crate::fhir::{self, Format, Limits};
use crate::issue::Rule;
use crate::national::canonical_systems;
use std::path::{Path, PathBuf};

/// A published file that departs from its own contract: the file, each rule and place, and why.
type Departure = (&'static str, &'static [(Rule, &'static str)], &'static str);

fn judged(file: &Path, contract: Contract) -> Vec<(Rule, String)> {
    let text = std::fs::read(file).unwrap();
    let parsed = fhir::parse(&text, Format::Json, &Limits::default());
    let mut document = parsed.document.unwrap_or_else(|| panic!("{} cannot be read", file.display()));
    canonical_systems(&mut document);
    let told = check(&document, &rules(&[contract]), super::now());
    told.iter().map(|issue| (issue.rule, place(issue))).collect()
}

/// Every JSON file under `folder` keeps its contract, but for the departures.
fn sweep(folder: &str, contract: Contract, count_min: usize, departures: &[Departure]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples").join(folder);
    if !root.is_dir() {
        eprintln!("SKIPPED: {} is absent, nothing of it was tried", root.display());
        return;
    }
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    assert!(files.len() >= count_min, "only {} files", files.len());
    let (mut wrong, mut met) = (Vec::new(), 0);
    for file in &files {
        let name = file.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let listed = departures.iter().find(|(path, _, _)| *path == name);
        met += usize::from(listed.is_some());
        let expected: Vec<(Rule, String)> = listed
            .iter()
            .flat_map(|(_, issues, _)| issues.iter())
            .map(|(rule, at)| (*rule, (*at).to_owned()))
            .collect();
        let told = judged(file, contract);
        if told != expected {
            wrong.push(format!("{name}: {told:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(met, departures.len(), "a departure is listed for a file that is not there");
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => walk(&path, files),
            false if path.extension().is_some_and(|ending| ending == "json") => files.push(path),
            false => {}
        }
    }
}

const RETIRED_STATUS: &str = "Bundle.entry[2].resource.identifier[0].extension[0].valueCodeableConcept.coding[0]";

const PCA: [Departure; 4] = [
    (
        "GetAppointmentResponseHappyPath.json",
        &[(Rule::PcaRequired, "Bundle.entry[0].resource.specialty")],
        "the schema requires a specialty, and no published Appointment has one",
    ),
    (
        "GetInpatientAdmissionResponseHappyPath.json",
        &[
            (Rule::PcaRequired, "Bundle.entry[0].resource.specialty"),
            (Rule::PcaRequired, "Bundle.entry[1].resource.specialty"),
            (Rule::PcaRequired, "Bundle.entry[1].resource.extension"),
        ],
        "as above; the inpatient admission has no Consultation-Medium either",
    ),
    (
        "GetDocumentReferencesResponseHappyPath.json",
        &[(Rule::NhsNumber, "Bundle.entry[0].resource.subject.identifier.value")],
        "the example's number fails Modulus 11",
    ),
    (
        "GetTasksResponseHappyPath.json",
        &[(Rule::NhsNumber, "Bundle.entry[0].resource.for.identifier.value")],
        "the example's number fails Modulus 11",
    ),
];

/// The booking request, published under two names.
const BOOKING: &[(Rule, &str)] = &[
    (Rule::NhsNumberVerification, RETIRED_STATUS),
    (Rule::BarsSlotTimes, "Bundle.entry[1].resource.start"),
    (Rule::BarsSlotTimes, "Bundle.entry[1].resource.end"),
];

/// What a booking is answered, published under two names.
const BOOKED: &[(Rule, &str)] = &[
    (Rule::NhsNumberVerification, RETIRED_STATUS),
    (Rule::BarsVersion, "Bundle.meta.versionId"),
    (Rule::BarsHeader, "Bundle.entry[0].resource.definition"),
    (Rule::BarsEvent, "Bundle.entry[0].resource.eventCoding"),
    (Rule::BarsReason, "Bundle.entry[0].resource.reason.coding[0]"),
    (Rule::BarsEndpoint, "Bundle.entry[0].resource.source.endpoint"),
    (Rule::BarsEndpoint, "Bundle.entry[0].resource.destination[0].endpoint"),
    (Rule::BarsParty, "Bundle.entry[0].resource.destination[0].receiver"),
];

const BARS: [Departure; 8] = [
    (
        "process_message/POST-body.json",
        BOOKING,
        "the verification status is of the system retired in 2022; the Slot has other times than the Appointment",
    ),
    ("process_message/request/Booking (POST).json", BOOKING, "the same file under another name"),
    (
        "process_message/POST-success.json",
        BOOKED,
        "the body of an answer, older than the message events: no version, no definition, systems of before 1.0.0, \
         brackets where endpoints go, and a receiver without `urn`",
    ),
    ("process_message/response/Booking (HTTP Response) .json", BOOKED, "the same file under another name"),
    (
        "process_message/request/ValidationRequest (POST) .json",
        &[
            (Rule::NhsNumber, "Bundle.entry[5].resource.identifier[0].value"),
            (
                Rule::NhsNumberVerification,
                "Bundle.entry[5].resource.identifier[0].extension[0].valueCodeableConcept.coding[0]",
            ),
        ],
        "the example's number fails Modulus 11; its status is of the retired system",
    ),
    (
        "process_message/request/ValidationResponse (POST) .json",
        &[
            (Rule::NhsNumber, "Bundle.entry[6].resource.identifier[0].value"),
            (
                Rule::NhsNumberVerification,
                "Bundle.entry[6].resource.identifier[0].extension[0].valueCodeableConcept.coding[0]",
            ),
        ],
        "the example's number fails Modulus 11; its status is of the retired system",
    ),
    (
        "process_message/response/ValidationRequest (HTTP Response) .json",
        &[
            (Rule::NhsNumber, "Bundle.entry[3].resource.identifier[0].value"),
            (
                Rule::NhsNumberVerification,
                "Bundle.entry[3].resource.identifier[0].extension[0].valueCodeableConcept.coding[0]",
            ),
            (Rule::BarsVersion, "Bundle.meta.versionId"),
            (Rule::BarsHeader, "Bundle.entry[0].resource.definition"),
            (Rule::BarsEvent, "Bundle.entry[0].resource.eventCoding"),
            (Rule::BarsReason, "Bundle.entry[0].resource.reason.coding[0]"),
            (Rule::BarsEndpoint, "Bundle.entry[0].resource.source.endpoint"),
            (Rule::BarsEndpoint, "Bundle.entry[0].resource.destination[0].endpoint"),
        ],
        "the body of an answer, as above; the number and its status as in the request",
    ),
    (
        "service_request/PATCH-body.json",
        &[
            (Rule::BarsServiceRequest, "ServiceRequest.category"),
            (Rule::BarsServiceRequest, "ServiceRequest.occurrencePeriod"),
        ],
        "only what changes is sent",
    ),
];

#[test]
fn what_the_aggregator_publishes_keeps_its_own_contract_but_for_these() {
    sweep("pca", Contract::Pca, 4, &PCA);
}

#[test]
fn what_the_booking_and_referral_standard_publishes_keeps_its_own_contract_but_for_these() {
    sweep("bars-api/1.3.0", Contract::Bars, 30, &BARS);
}
