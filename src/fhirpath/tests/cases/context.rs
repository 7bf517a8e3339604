//! What the surroundings give: definitions, other resources, variables, a budget.

use super::appointment;
use crate::document::{Document, Node};
use crate::fhirpath::tests::{compiled, outcome_in, reader};
use crate::fhirpath::{Collection, Context, Item, Model, Scope, compile};
use serde_json::json;

/// Knows one value set, one code system, one profile and one slice.
struct Small {
    definition: Document,
}

impl Model for Small {
    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        (value_set == "x").then_some(code == "booked" || (system == Some("s") && code == "narrow"))
    }

    fn subsumes(&self, system: &str, broader: &str, narrower: &str) -> Option<bool> {
        (system == "s").then_some((broader, narrower) == ("broad", "narrow"))
    }

    fn conforms_to<'n>(&self, node: Node<'n>, profile: &str, context: &Context<'n>) -> Option<bool> {
        context.budget_left()?;
        (profile == "p").then_some(node.resource_type() == Some("Appointment"))
    }

    fn is_in_slice(&self, node: Node<'_>, structure: &str, slice: &str) -> Option<bool> {
        (structure == "p" && slice == "first").then_some(node.index() == 0)
    }

    fn element_definition<'n>(&'n self, node: Node<'n>) -> Option<Node<'n>> {
        (node.name() == "status").then_some(self.definition.root())
    }
}

/// What is asked of definitions, over the resource below.
pub(super) const DEFINED: &[(&str, &str)] = &[
    ("status.memberOf('x')", "true"),
    ("comment.memberOf('x')", "false"),
    ("'booked'.memberOf('x')", "true"),
    ("status.memberOf('y')", "failed: fhirpath.not-known"),
    ("status.memberOf({})", ""),
    ("participant.status.memberOf('x')", ""),
    ("language.memberOf('x')", ""),
    ("participant.first().memberOf('x')", "failed: fhirpath.type"),
    ("serviceType.first().memberOf('x')", "true"),
    ("specialty.coding.first().memberOf('x')", "false"),
    ("reasonCode.first().memberOf('x')", "false"),
    ("specialty.first().subsumes(serviceType.first())", "true"),
    ("serviceType.first().subsumes(specialty.first())", "false"),
    ("serviceType.first().subsumedBy(specialty.coding.last())", "true"),
    ("specialty.coding.last().subsumes(specialty.coding.last())", "true"),
    ("specialty.coding.last().subsumes(specialty.coding.first())", ""),
    ("specialty.coding.last().subsumes({})", ""),
    ("appointmentType.subsumes('broad')", "failed: fhirpath.not-known"),
    ("appointmentType.subsumedBy('narrow')", "true"),
    ("status.subsumes(participant.first())", "failed: fhirpath.type"),
    ("conformsTo('p')", "true"),
    ("status.conformsTo('p')", "false"),
    ("conformsTo('q')", "failed: fhirpath.not-known"),
    ("conformsTo({})", ""),
    ("participant.conformsTo('p')", ""),
    ("1.conformsTo('p')", "failed: fhirpath.type"),
    ("participant.slice('p', 'first').status", "accepted"),
    ("participant.slice('p', 'second')", "failed: fhirpath.not-known"),
    ("language.slice('p', 'second')", ""),
    ("status.elementDefinition().min", "1"),
    ("comment.elementDefinition()", "failed: fhirpath.not-known"),
    ("{}.elementDefinition()", ""),
    ("participant.checkModifiers('m').count()", "2"),
    ("participant.checkModifiers('n', 'm').count()", "2"),
    ("participant.checkModifiers('n')", "failed: fhirpath.modifier"),
    ("participant.first().checkModifiers('n').status", "accepted"),
];

#[test]
fn what_the_definitions_say_is_used_and_what_they_do_not_say_is_a_failure() {
    let document = reader::from_json(
        &json!({
            "resourceType": "Appointment", "status": "booked", "comment": "x",
            "participant": [{"status": "accepted"}, {"status": "tentative", "modifierExtension": [{"url": "m"}]}],
            "specialty": [{"coding": [{"system": "t", "code": "broad"}, {"system": "s", "code": "broad"}]}],
            "serviceType": [{"coding": [{"system": "s", "code": "narrow"}]}],
            "reasonCode": [{"text": "only told"}],
            "appointmentType": {"coding": [{"system": "u", "code": "narrow"}]}
        })
        .to_string(),
    );
    let small = Small { definition: Document::from_value(&json!({"path": "Appointment.status", "min": 1})) };
    let budget = std::cell::Cell::new(100_000);
    let context = Context::new(document.root()).model(&small).budget(&budget);
    for (text, wanted) in DEFINED {
        assert_eq!(outcome_in(text, document.root(), &context), *wanted, "{text}");
    }
}

#[test]
fn a_budget_is_shared_and_what_is_beyond_it_fails_at_once() {
    let document = appointment();
    let budget = std::cell::Cell::new(1_000);
    let context = Context::new(document.root()).budget(&budget);
    let walk = compiled("descendants().count()");
    let mut ran = 0;
    let failure = loop {
        match walk.evaluate(document.root(), &context) {
            Ok(_) => ran += 1,
            Err(failure) => break failure,
        }
        assert!(ran < 1_000, "the budget is never spent");
    };
    assert!(ran > 1, "one evaluation took all of it");
    assert_eq!(failure.code, "fhirpath.budget");
    assert_eq!(compiled("status").evaluate(document.root(), &context).unwrap_err().code, "fhirpath.budget");
    assert_eq!(compiled("status").evaluate(document.root(), &Context::new(document.root())).unwrap().len(), 1);
}

#[test]
fn what_the_context_gives_is_used() {
    let document = appointment();
    let other = Document::from_value(&json!({"resourceType": "Location", "id": "1", "name": "Clinic"}));
    let resolver = |reference: &str| (reference == "Location/1").then(|| other.root());
    let heard = std::cell::RefCell::new(Vec::new());
    let trace = |name: &str, items: &Collection<'_>| heard.borrow_mut().push((name.to_owned(), items.len()));
    let context =
        Context::new(document.root()).resolver(&resolver).trace(&trace).variable("sender", Collection::text("portal"));
    let scope = Scope::new().variable("other").variable("sender");
    let one = |text: &str| {
        let found = compile(text, &scope).unwrap().evaluate(document.root(), &context);
        found.map(|found| found.single().and_then(|item| item.text().map(|text| text.into_owned())))
    };
    assert_eq!(one("participant[1].actor.resolve().name").unwrap().as_deref(), Some("Clinic"));
    assert_eq!(one("%sender").unwrap().as_deref(), Some("portal"));
    assert_eq!(one("%other").unwrap_err().code, "fhirpath.variable-unset");
    assert_eq!(one("now()").unwrap_err().code, "fhirpath.no-time");
    one("participant.trace('who', actor).count()").unwrap();
    assert_eq!(*heard.borrow(), [("who".to_owned(), 3)]);
}

#[test]
fn a_value_remembers_the_element_it_was_made_from() {
    let document = appointment();
    let context = Context::new(document.root());
    for text in ["comment.upper()", "comment.substring(0, 5)", "comment.replace('B', 'b')", "comment.toString()"] {
        let found = compiled(text).evaluate(document.root(), &context).unwrap();
        let origin = found.single().and_then(Item::origin).unwrap_or_else(|| panic!("{text} has no origin"));
        assert_eq!(origin.expression(), "Appointment.comment", "{text}");
    }
}
