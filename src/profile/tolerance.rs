//! Known deviations from R4 that a sender's settings may tolerate.
//!
//! NHS England's Patient Care Aggregator standard asks its producers for payloads that are not valid R4. A tolerance
//! turns one such deviation into R4 before anything is checked, loses nothing, invents nothing, and tells in the
//! answer what it did. Without it the same payload is refused at the place of the deviation.

use crate::document::{Document, Node, NodeId};
use crate::issue::{Issue, Place, Rule};
use std::fmt;
use std::str::FromStr;

/// How many deviations of one document are put right; what is beyond is left as it came, to be refused. Keeps the
/// work linear in the size of the document, and the answer readable.
const APPLIED_COUNT_MAX: usize = 200;

macro_rules! tolerances {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal;)+) => {
        /// One known deviation that is put right.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Tolerance { $($(#[doc = $doc])+ $variant,)+ }

        impl Tolerance {
            /// Every tolerance, in the order of this file.
            pub const ALL: &'static [Tolerance] = &[$(Tolerance::$variant),+];

            /// The stable name that settings use.
            pub fn as_str(self) -> &'static str {
                match self { $(Tolerance::$variant => $name,)+ }
            }

            /// What it puts right.
            pub fn about(self) -> &'static str {
                match self { $(Tolerance::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

tolerances! {
    /// `basedOn[].identifier` may be an array; each identifier becomes a reference of its own.
    BasedOnIdentifierArray = "reference-identifier-array";
    /// An Appointment with a start may leave out its end; the end then says that it is unknown.
    EndAbsent = "end-absent";
    /// A Task may write `authored` for `authoredOn`.
    TaskAuthored = "task-authored";
    /// A Task may write its identifier without an array.
    TaskIdentifierSingle = "task-identifier-single";
    /// A Task may write the coding of its reason without an array.
    TaskReasonCodingSingle = "task-reason-coding-single";
    /// A ServiceRequest may write its `basedOn` without an array, as BaRS's published bodies do.
    ServiceRequestBasedOnSingle = "service-request-based-on-single";
    /// A ServiceRequest may write `PatientInstruction` for `patientInstruction`, as BaRS's published bodies do.
    PatientInstructionCase = "patient-instruction-case";
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No tolerance has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no tolerance is named `{name}`; there are: {}", Tolerance::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", "))]
pub struct UnknownTolerance {
    /// The name that was asked for; it comes from settings, never from a submission.
    pub name: String,
}

impl FromStr for Tolerance {
    type Err = UnknownTolerance;

    fn from_str(name: &str) -> Result<Self, UnknownTolerance> {
        let found = Tolerance::ALL.iter().find(|one| one.as_str() == name);
        found.copied().ok_or_else(|| UnknownTolerance { name: name.to_owned() })
    }
}

/// Puts right what `tolerances` allow, in the resource or in each resource of a Bundle, and tells each change with an
/// information issue at the place where the deviation stood.
pub fn apply(document: &mut Document, tolerances: &[Tolerance]) -> Vec<Issue> {
    let mut applied = Applied { issues: Vec::new() };
    if tolerances.is_empty() {
        return applied.issues;
    }
    for (resource, kind) in resources(document) {
        for tolerance in tolerances {
            match (tolerance, kind) {
                (Tolerance::BasedOnIdentifierArray, Kind::Appointment | Kind::Task) => {
                    split_identifiers(document, resource, &mut applied);
                }
                (Tolerance::EndAbsent, Kind::Appointment) => fill_end(document, resource, &mut applied),
                (Tolerance::TaskAuthored, Kind::Task) => {
                    rename(document, resource, AUTHORED, Tolerance::TaskAuthored, &mut applied);
                }
                (Tolerance::TaskIdentifierSingle, Kind::Task) => {
                    let identifier = document.node(resource).child_named("identifier").map(|node| node.id());
                    wrap(document, identifier, Tolerance::TaskIdentifierSingle, &mut applied);
                }
                (Tolerance::TaskReasonCodingSingle, Kind::Task) => {
                    let coding = document.node(resource).descend(&["reasonCode", "coding"]).map(|node| node.id());
                    wrap(document, coding, Tolerance::TaskReasonCodingSingle, &mut applied);
                }
                (Tolerance::ServiceRequestBasedOnSingle, Kind::ServiceRequest) => {
                    let based_on = document.node(resource).child_named("basedOn").map(|node| node.id());
                    wrap(document, based_on, Tolerance::ServiceRequestBasedOnSingle, &mut applied);
                }
                (Tolerance::PatientInstructionCase, Kind::ServiceRequest) => {
                    rename(document, resource, PATIENT_INSTRUCTION, Tolerance::PatientInstructionCase, &mut applied);
                }
                (
                    Tolerance::BasedOnIdentifierArray
                    | Tolerance::EndAbsent
                    | Tolerance::TaskAuthored
                    | Tolerance::TaskIdentifierSingle
                    | Tolerance::TaskReasonCodingSingle
                    | Tolerance::ServiceRequestBasedOnSingle
                    | Tolerance::PatientInstructionCase,
                    Kind::Appointment | Kind::Task | Kind::ServiceRequest,
                ) => {}
            }
        }
    }
    applied.issues
}

/// The resources that have known deviations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Appointment,
    Task,
    ServiceRequest,
}

/// A name that is written for another.
type Misnomer = (&'static str, &'static str);
const AUTHORED: Misnomer = ("authored", "authoredOn");
const PATIENT_INSTRUCTION: Misnomer = ("PatientInstruction", "patientInstruction");

fn kind(node: Node<'_>) -> Option<(NodeId, Kind)> {
    match node.resource_type()? {
        "Appointment" => Some((node.id(), Kind::Appointment)),
        "Task" => Some((node.id(), Kind::Task)),
        "ServiceRequest" => Some((node.id(), Kind::ServiceRequest)),
        _ => None,
    }
}

/// The root, or what stands in the entries of a Bundle.
fn resources(document: &Document) -> Vec<(NodeId, Kind)> {
    let root = document.root();
    match root.resource_type() {
        Some("Bundle") => {
            let entries = root.children_named("entry").filter_map(|entry| entry.child_named("resource"));
            entries.filter_map(kind).take(APPLIED_COUNT_MAX).collect()
        }
        Some(_) | None => kind(root).into_iter().collect(),
    }
}

/// What has been done so far.
struct Applied {
    issues: Vec<Issue>,
}

impl Applied {
    fn is_full(&self) -> bool {
        self.issues.len() >= APPLIED_COUNT_MAX
    }

    fn tell(&mut self, tolerance: Tolerance, place: Place, message: String, hint: &str) {
        let issue = Issue::new(Rule::Tolerated, message).at(place).hint(hint);
        self.issues.push(issue.asked_by(format!("tolerance {tolerance}")));
    }
}

/// `basedOn[0].identifier` as an array of three becomes three references, each with one identifier. Whatever else the
/// reference says stays with the first.
fn split_identifiers(document: &mut Document, resource: NodeId, applied: &mut Applied) {
    let references: Vec<_> = document.node(resource).children_named("basedOn").map(|node| node.id()).collect();
    for reference in references {
        let identifiers: Vec<_> = document
            .node(reference)
            .children_named("identifier")
            .filter(|identifier| identifier.in_array())
            .take(APPLIED_COUNT_MAX + 1)
            .map(|identifier| identifier.id())
            .collect();
        let Some((&first, others)) = identifiers.split_first() else { continue };
        // Each move walks the siblings, so the moves are counted and not only the references.
        if applied.is_full() || others.len() >= APPLIED_COUNT_MAX {
            return;
        }
        let place = document.node(first).place();
        for other in others {
            let own = document.append(resource, "basedOn", true);
            document.adopt(own, *other, false);
        }
        document.set_in_array(first, false);
        let message = match others.len() {
            0 => "`identifier` of a reference came as an array of one; it was taken out of the array".to_owned(),
            more => format!(
                "`identifier` of a reference came as an array of {}; each has become a reference of its own",
                more + 1
            ),
        };
        let hint = "R4 has one identifier in a reference: send one `basedOn` for each";
        applied.tell(Tolerance::BasedOnIdentifierArray, place, message, hint);
    }
}

/// An absent `end` beside a `start` becomes an `end` that says that it is unknown: R4 wants both or neither (app-2,
/// app-3), and no time is invented.
fn fill_end(document: &mut Document, appointment: NodeId, applied: &mut Applied) {
    let node = document.node(appointment);
    if applied.is_full() || node.child_named("start").is_none() || node.child_named("end").is_some() {
        return;
    }
    let place = node.place_of_missing("end");
    let end = document.append(appointment, "end", false);
    // A primitive, though it has no value: JSON writes what it has in `_end`.
    document.set_twin(end);
    let extension = document.append(end, "extension", true);
    let url = document.append(extension, "url", false);
    document.set_string(url, "http://hl7.org/fhir/StructureDefinition/data-absent-reason");
    let reason = document.append(extension, "valueCode", false);
    document.set_string(reason, "unknown");
    let message = "`end` is absent although there is a `start`; it was taken as unknown".to_owned();
    applied.tell(Tolerance::EndAbsent, place, message, "R4 asks for both: send `end`, or its data-absent-reason");
}

/// What came under another name gets R4's, unless both are there.
fn rename(
    document: &mut Document,
    resource: NodeId,
    (sent, known): Misnomer,
    tolerance: Tolerance,
    applied: &mut Applied,
) {
    let node = document.node(resource);
    let Some(found) = node.child_named(sent) else { return };
    if applied.is_full() || found.in_array() || node.child_named(known).is_some() {
        return;
    }
    let (found, place) = (found.id(), found.place());
    document.rename(found, known);
    applied.tell(tolerance, place, format!("`{sent}` was taken as `{known}`"), &format!("R4 names it `{known}`"));
}

/// What repeats in R4 and came without its array is put into one.
fn wrap(document: &mut Document, id: Option<NodeId>, tolerance: Tolerance, applied: &mut Applied) {
    let Some(id) = id.filter(|id| !document.node(*id).in_array() && !applied.is_full()) else { return };
    let (name, place) = (document.node(id).name().to_owned(), document.node(id).place());
    document.set_in_array(id, true);
    let message = format!("`{name}` came without an array; it was put into one");
    applied.tell(tolerance, place, message, "R4 lets it repeat: write it as an array");
}

#[cfg(test)]
mod tests {
    use super::super::Ask;
    use super::*;
    use crate::issue::{Severity, any_refuses};
    use crate::profile::tests::{document, r4};
    use serde_json::{Value, json};
    use std::path::Path;

    /// The refusals of `value` with `tolerances`, by rule and place, and what the tolerances told.
    fn check(value: &Value, tolerances: &[Tolerance]) -> (Vec<(Rule, String)>, Vec<Issue>) {
        let mut document = document(value);
        let told = apply(&mut document, tolerances);
        let found = r4().check(&document, &Ask::default()).issues;
        let refusals = found.into_iter().filter(Issue::refuses);
        let place = |issue: &Issue| issue.place.as_ref().map(|place| place.expression.clone()).unwrap_or_default();
        (refusals.map(|issue| (issue.rule, place(&issue))).collect(), told)
    }

    /// Without `tolerance` it is refused by `rule` at `at`; with it nothing is, and it is told once, at `told_at`.
    fn check_tolerance(value: &Value, tolerance: Tolerance, refused: &[(Rule, &str)], told_at: &str) {
        let (refusals, told) = check(value, &[]);
        let refusals: Vec<_> = refusals.iter().map(|(rule, at)| (*rule, at.as_str())).collect();
        assert_eq!(refusals, refused, "without {tolerance}");
        assert_eq!(told, []);
        let (refusals, told) = check(value, &[tolerance]);
        assert_eq!(refusals, [], "with {tolerance}");
        let [told] = told.as_slice() else { panic!("{tolerance} is told {} times", told.len()) };
        assert_eq!((told.rule, told.severity), (Rule::Tolerated, Severity::Information));
        assert_eq!(told.place.as_ref().unwrap().expression, told_at);
        assert_eq!(told.asked_by.as_deref(), Some(format!("tolerance {tolerance}").as_str()));
    }

    fn appointment() -> Value {
        json!({
            "resourceType": "Appointment", "status": "booked",
            "start": "2026-02-01T09:00:00Z", "end": "2026-02-01T09:20:00Z",
            "basedOn": [
                {"display": "first", "identifier": [{"value": "1"}, {"value": "2"}, {"value": "3"}]},
                {"reference": "ServiceRequest/1"}
            ],
            "participant": [{"actor": {"reference": "Patient/1"}, "status": "accepted"}]
        })
    }

    fn task() -> Value {
        json!({"resourceType": "Task", "status": "requested", "intent": "order"})
    }

    #[test]
    fn each_identifier_of_an_array_becomes_a_reference_and_nothing_is_lost() {
        let refused = [(Rule::ElementArray, "Appointment.basedOn[0].identifier[0]")];
        check_tolerance(&appointment(), Tolerance::BasedOnIdentifierArray, &refused, refused[0].1);
        let mut document = document(&appointment());
        apply(&mut document, &[Tolerance::BasedOnIdentifierArray]);
        let references: Vec<_> = document
            .root()
            .children_named("basedOn")
            .map(|reference| {
                let text = |path: &[&str]| reference.descend(path).and_then(|node| node.string()).map(str::to_owned);
                (reference.index(), text(&["identifier", "value"]), text(&["display"]), text(&["reference"]))
            })
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            references,
            [
                (0, some("1"), some("first"), None),
                (1, None, None, some("ServiceRequest/1")),
                (2, some("2"), None, None),
                (3, some("3"), None, None)
            ]
        );
    }

    #[test]
    fn an_absent_end_is_unknown_and_never_a_time() {
        let mut value = appointment();
        let members = value.as_object_mut().unwrap();
        members.shift_remove("end");
        members.shift_remove("basedOn");
        let broken = [(Rule::Invariant, "Appointment"), (Rule::Invariant, "Appointment")];
        check_tolerance(&value, Tolerance::EndAbsent, &broken, "Appointment.end");
        let mut document = document(&value);
        apply(&mut document, &[Tolerance::EndAbsent]);
        let end = document.root().child_named("end").unwrap();
        assert_eq!(end.value(), None);
        assert_eq!(end.descend(&["extension", "valueCode"]).unwrap().string(), Some("unknown"));
        assert!(end.is_twin(), "it would be written as an object, which no instant is");
        assert_eq!(r4().check(&document, &Ask::default()).issues, []);
        // Neither an end that is there nor an appointment without a start is touched.
        for good in [appointment(), json!({"resourceType": "Appointment", "status": "proposed"})] {
            assert_eq!(check(&good, &[Tolerance::EndAbsent]).1, []);
        }
    }

    #[test]
    fn the_deviations_of_a_task_are_put_right() {
        let with = |name: &str, value: Value| {
            let mut task = task();
            task[name] = value;
            task
        };
        check_tolerance(
            &with("authored", json!("2026-01-05T09:00:00Z")),
            Tolerance::TaskAuthored,
            &[(Rule::ElementUnknown, "Task.authored")],
            "Task.authored",
        );
        check_tolerance(
            &with("identifier", json!({"value": "1"})),
            Tolerance::TaskIdentifierSingle,
            &[(Rule::ElementArray, "Task.identifier")],
            "Task.identifier",
        );
        check_tolerance(
            &with("reasonCode", json!({"coding": {"system": "urn:x", "code": "1"}})),
            Tolerance::TaskReasonCodingSingle,
            &[(Rule::ElementArray, "Task.reasonCode.coding")],
            "Task.reasonCode.coding",
        );
    }

    #[test]
    fn the_deviations_of_a_service_request_are_put_right() {
        let with = |name: &str, value: Value| {
            let mut request = json!({
                "resourceType": "ServiceRequest", "status": "active", "intent": "plan",
                "subject": {"reference": "Patient/1"}
            });
            request[name] = value;
            request
        };
        check_tolerance(
            &with("basedOn", json!({"reference": "CarePlan/1"})),
            Tolerance::ServiceRequestBasedOnSingle,
            &[(Rule::ElementArray, "ServiceRequest.basedOn")],
            "ServiceRequest.basedOn",
        );
        check_tolerance(
            &with("PatientInstruction", json!("Come fasting")),
            Tolerance::PatientInstructionCase,
            &[(Rule::ElementUnknown, "ServiceRequest.PatientInstruction")],
            "ServiceRequest.PatientInstruction",
        );
        // Where both are there nothing says which is meant.
        let mut both = with("PatientInstruction", json!("Come fasting"));
        both["patientInstruction"] = json!("Come as you are");
        let (refusals, told) = check(&both, Tolerance::ALL);
        assert_eq!((refusals.len(), told.len()), (1, 0));
    }

    #[test]
    fn the_whole_bodies_of_referrals_that_bars_publishes_are_taken_with_their_tolerances_and_refused_without() {
        let folder =
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/samples/bars-api/1.3.0/service_request"));
        if !folder.exists() {
            return eprintln!("skipped: {} is absent", folder.display());
        }
        for name in ["PUT-body.json", "id/GET-success.json"] {
            let value = serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap();
            let (refusals, told) = check(&value, &[]);
            let rules: Vec<_> = refusals.iter().map(|(rule, _)| *rule).collect();
            assert_eq!((rules, told.len()), (vec![Rule::ElementArray, Rule::ElementUnknown], 0), "{name}");
            let tolerances = [Tolerance::ServiceRequestBasedOnSingle, Tolerance::PatientInstructionCase];
            let (refusals, told) = check(&value, &tolerances);
            assert_eq!((refusals, told.len()), (vec![], 2), "{name}");
        }
    }

    #[test]
    fn what_is_not_tolerated_is_refused_as_before() {
        let (refusals, told) = check(&appointment(), &[Tolerance::EndAbsent, Tolerance::TaskAuthored]);
        assert_eq!((refusals.len(), told.len()), (1, 0));
    }

    #[test]
    fn very_many_deviations_are_left_to_be_refused() {
        let mut value = appointment();
        value["basedOn"] = json!([{"identifier": vec![json!({"value": "1"}); 50_000]}]);
        let (refusals, told) = check(&value, Tolerance::ALL);
        assert_eq!((refusals.len(), told.len()), (1, 0));
        value["basedOn"] = json!(vec![json!({"identifier": [{"value": "1"}, {"value": "2"}]}); 5_000]);
        let (_, told) = check(&value, Tolerance::ALL);
        assert_eq!(told.len(), APPLIED_COUNT_MAX);
    }

    #[test]
    fn the_published_aggregator_answers_are_taken_with_their_tolerances_and_refused_without() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/samples/pca"));
        if !folder.exists() {
            return eprintln!("skipped: {} is absent", folder.display());
        }
        let read = |name: &str| -> Value {
            serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
        };
        for (name, told_count) in
            [("GetAppointmentResponseHappyPath.json", 1), ("GetInpatientAdmissionResponseHappyPath.json", 2)]
        {
            let value = read(name);
            let (refusals, _) = check(&value, &[]);
            let at: Vec<_> = (0..told_count)
                .map(|entry| (Rule::ElementArray, format!("Bundle.entry[{entry}].resource.basedOn[0].identifier[0]")))
                .collect();
            assert_eq!(refusals, at, "{name}");
            let (refusals, told) = check(&value, &[Tolerance::BasedOnIdentifierArray]);
            assert_eq!((refusals, told.len()), (vec![], told_count), "{name}");
            assert!(!any_refuses(&told));
        }
        // This published answer calls its entry by the id of another: what follows the fullUrl finds another Task.
        let (refusals, _) = check(&read("GetTasksResponseHappyPath.json"), &[]);
        assert_eq!(refusals, [(Rule::BundleFullUrl, "Bundle.entry[0].fullUrl".to_owned())]);
    }

    #[test]
    fn names_are_stable_and_known() {
        let names: Vec<_> = Tolerance::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(
            names,
            [
                "reference-identifier-array",
                "end-absent",
                "task-authored",
                "task-identifier-single",
                "task-reason-coding-single",
                "service-request-based-on-single",
                "patient-instruction-case"
            ]
        );
        for tolerance in Tolerance::ALL {
            assert_eq!(tolerance.as_str().parse(), Ok(*tolerance));
            assert!(tolerance.about().ends_with('.'));
        }
        assert!("end".parse::<Tolerance>().unwrap_err().to_string().contains("end-absent"));
    }
}
