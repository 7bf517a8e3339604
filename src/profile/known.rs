//! What the definitions, code systems and value sets that are loaded tell expressions.

use super::plan::Plan;
use crate::document::Node;
use crate::fhirpath::{ElementTypes, Model};
use crate::terminology::values::{Membership, ValueSets};

/// All that is loaded, as expressions see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'p> {
    pub(super) plan: &'p Plan,
    pub(super) values: &'p ValueSets,
}

impl Model for Known<'_> {
    fn type_of<'n>(&'n self, node: Node<'n>) -> Option<&'n str> {
        self.plan.type_of(node)
    }

    fn element<'m>(&'m self, holder: &str, name: &str) -> ElementTypes<'m> {
        self.plan.element(holder, name)
    }

    fn element_names<'m>(&'m self, holder: &str) -> Vec<&'m str> {
        self.plan.element_names(holder)
    }

    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        match self.values.find(value_set)?.holds(system, code) {
            Membership::In => Some(true),
            Membership::Out => Some(false),
            Membership::Undecided => None,
        }
    }

    fn subsumes(&self, system: &str, broader: &str, narrower: &str) -> Option<bool> {
        self.values.systems().find(system)?.subsumes(broader, narrower)
    }
}

#[cfg(test)]
mod tests {
    use crate::document::Document;
    use crate::fhirpath::{Context, Scope, compile};
    use crate::profile::tests::r4;
    use serde_json::json;

    #[test]
    fn expressions_ask_the_value_sets_and_code_systems_that_are_loaded() {
        let patient = Document::from_value(&json!({
            "resourceType": "Patient", "gender": "other",
            "maritalStatus": {"coding": [{"system": "http://hl7.org/fhir/issue-type", "code": "required"}]},
            "communication": [{"language": {"coding": [{"system": "http://hl7.org/fhir/issue-type", "code": "invalid"}]}}]
        }));
        let context = Context::new(patient.root()).model(r4());
        for (text, wanted) in [
            ("gender.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')", Ok(Some(true))),
            ("gender.memberOf('http://hl7.org/fhir/ValueSet/appointmentstatus')", Ok(Some(false))),
            ("gender.memberOf('http://example.org/ValueSet/none')", Err("fhirpath.not-known")),
            ("maritalStatus.memberOf('http://hl7.org/fhir/ValueSet/issue-type')", Ok(Some(true))),
            ("communication.language.subsumes(%resource.maritalStatus)", Ok(Some(true))),
            ("maritalStatus.subsumes(communication.language)", Ok(Some(false))),
            ("maritalStatus.subsumedBy(communication.language)", Ok(Some(true))),
        ] {
            let told = compile(text, &Scope::new()).unwrap().holds(patient.root(), &context);
            assert_eq!(told.map_err(|failure| failure.code), wanted, "{text}");
        }
    }
}
