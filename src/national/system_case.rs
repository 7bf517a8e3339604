//! Identifier systems in the spelling that NHS England publishes.
//!
//! Senders write `https://fhir.nhs.uk/id/nhs-number` as well as `…/Id/…`, BaRS's own samples among them. Taken by the
//! letter, an NHS number would pass for some local number: its check digit unchecked, the patient not recognised. So
//! input is taken in any case and everything behind the door sees one spelling. No sender has to be set for it.

use crate::document::{Document, Name, Node, NodeId};
use crate::issue::{Issue, Rule, Severity};
use crate::model::well_known_system;

/// Writes each well-known `identifier.system` (and that of a `valueIdentifier`) of `document` in its published
/// spelling. Tells it with one information issue for all, at the first; nothing when there was nothing to do. One
/// pass over the nodes.
pub fn canonical_systems(document: &mut Document) -> Vec<Issue> {
    let system = Name::intern("system");
    let parents = [Name::intern("identifier"), Name::intern("valueIdentifier")];
    let found: Vec<(NodeId, &'static str)> = (0..document.node_count() as u32)
        .map(|number| document.node(NodeId(number)))
        .filter(|node| node.is(system) && node.parent().is_some_and(|parent| parents.iter().any(|one| parent.is(*one))))
        .filter_map(|node| respelled(node).map(|known| (node.id(), known)))
        .collect();
    let Some((first, _)) = found.first() else { return Vec::new() };
    let place = document.node(*first).place();
    for (node, known) in &found {
        document.set_string(*node, known);
    }
    let message = match found.len() {
        1 => "the case of a well-known identifier system was put right, here".to_owned(),
        count => format!("the case of {count} well-known identifier systems was put right, here first"),
    };
    let issue = Issue::new(Rule::IdentifierSystemCase, message)
        .at(place)
        .hint("write the systems of NHS England as they are published, with `/Id/`")
        .severity(Severity::Information);
    vec![issue]
}

/// The published spelling, when it is another than the node has.
fn respelled(node: Node<'_>) -> Option<&'static str> {
    let sent = node.string()?;
    well_known_system(sent).filter(|known| *known != sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn well_known_systems_get_their_spelling_wherever_an_identifier_stands_and_it_is_told_once() {
        let mut document = Document::from_value(&json!({
            "resourceType": "Appointment", "status": "booked",
            "identifier": [{"system": "urn:Trust:PAS", "value": "1"}],
            "extension": [{"url": "u", "valueIdentifier": {"system": "https://fhir.nhs.uk/ID/ubrn", "value": "2"}}],
            "participant": [
                {"actor": {"identifier": {"system": "https://fhir.nhs.uk/id/nhs-number", "value": "9990000018"}},
                 "status": "accepted"},
                {"actor": {"identifier": {"system": "https://fhir.nhs.uk/Id/ods-site-code", "value": "RTD01"}},
                 "status": "accepted"}
            ],
            "reasonCode": [{"coding": [{"system": "https://fhir.nhs.uk/id/nhs-number", "code": "x"}]}]
        }));
        let issues = canonical_systems(&mut document);
        let [issue] = issues.as_slice() else { panic!("{issues:?}") };
        assert_eq!((issue.rule, issue.severity), (Rule::IdentifierSystemCase, Severity::Information));
        assert_eq!(issue.place.as_ref().unwrap().expression, "Appointment.extension[0].valueIdentifier.system");
        assert!(issue.message.contains('2') && !issue.to_string().contains("9990000018"), "{issue}");
        let root = document.root();
        let system = |path: &[&str]| root.descend(path).unwrap().string().unwrap().to_owned();
        assert_eq!(system(&["extension", "valueIdentifier", "system"]), "https://fhir.nhs.uk/Id/UBRN");
        assert_eq!(system(&["participant", "actor", "identifier", "system"]), "https://fhir.nhs.uk/Id/nhs-number");
        assert_eq!(system(&["identifier", "system"]), "urn:Trust:PAS", "the case of other systems counts");
        assert_eq!(system(&["reasonCode", "coding", "system"]), "https://fhir.nhs.uk/id/nhs-number", "no identifier");
        assert_eq!(canonical_systems(&mut document), []);
    }
}
