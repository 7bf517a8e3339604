//! What the definitions, code systems and value sets that are loaded tell expressions.

use super::conform::conforms;
use super::plan::Plan;
use super::severity::Severities;
use crate::document::Node;
use crate::fhirpath::{Context, ElementTypes, Model};
use crate::terminology::values::{Membership, ValueSets};

/// All that is loaded, as expressions see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'p> {
    pub(super) plan: &'p Plan,
    pub(super) values: &'p ValueSets,
    pub(super) severities: &'p Severities,
    /// How many expressions have asked in one another.
    pub(super) depth: u32,
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

    fn conforms_to<'n>(&self, node: Node<'n>, profile: &str, context: &Context<'n>) -> Option<bool> {
        conforms(self, node, profile, context)
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
            "managingOrganization": {"reference": "#o"},
            "contained": [{"resourceType": "Organization", "id": "o", "active": "of no kind"}],
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
            ("conformsTo('http://hl7.org/fhir/StructureDefinition/Person')", Ok(Some(false))),
            ("conformsTo('http://trash')", Err("fhirpath.not-known")),
            ("maritalStatus.conformsTo('http://hl7.org/fhir/StructureDefinition/CodeableConcept')", Ok(Some(true))),
            ("maritalStatus.conformsTo('http://hl7.org/fhir/StructureDefinition/Coding')", Ok(Some(false))),
            ("gender.conformsTo('http://hl7.org/fhir/StructureDefinition/code')", Ok(Some(true))),
            ("contained.conformsTo('http://hl7.org/fhir/StructureDefinition/Organization')", Ok(Some(false))),
            ("%resource.conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", Ok(Some(false))),
        ] {
            let told = compile(text, &Scope::new()).unwrap().holds(patient.root(), &context);
            assert_eq!(told.map_err(|failure| failure.code), wanted, "{text}");
        }
    }

    #[test]
    fn an_expression_asks_whether_a_resource_is_what_a_definition_defines() {
        let of = |gender: &str| Document::from_value(&json!({"resourceType": "Patient", "gender": gender}));
        for (gender, name, wanted) in [
            ("other", "Patient", true),
            ("other", "Patient|4.0.1", true),
            ("other", "DomainResource", true),
            ("other", "Person", false),
            ("none that is known", "Patient", false),
        ] {
            let patient = of(gender);
            let context = Context::new(patient.root()).model(r4());
            let text = format!("conformsTo('http://hl7.org/fhir/StructureDefinition/{name}')");
            let told = compile(&text, &Scope::new()).unwrap().holds(patient.root(), &context);
            assert_eq!(told, Ok(Some(wanted)), "{gender} {name}");
        }
    }
}
