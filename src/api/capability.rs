//! The CapabilityStatement: made from the table of routes and the profiles that were loaded, so that it cannot drift.

use super::definitions;
use super::routes::{Action, Parameter, Question, ROUTES, SERVED, Served};
use crate::profile::Defines;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What the CapabilityStatement says beside the routes.
#[derive(Debug, Clone)]
pub struct Capability {
    /// The program's version.
    pub software_version: String,
    /// When the gateway started: since then what is served has not changed.
    pub started_at: Timestamp,
    /// The profiles that resources are checked against: resource type and canonical url.
    pub profiles: Vec<(String, String)>,
}

/// The CapabilityStatement (R4) of this instance, whose FHIR base is `base`.
pub(super) fn statement(capability: &Capability, base: &str) -> Value {
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": capability.started_at.to_string(),
        "kind": "instance",
        "software": {"name": "Stile", "version": capability.software_version},
        "implementation": {"description": "Stile, a gateway for NHS elective care", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "rest": [{
            "mode": "server",
            "documentation": "A search pages by its `next` link. A write is answered with an OperationOutcome that tells \
                              what was noticed, unless Prefer says otherwise. Idempotency-Key makes a retry safe. \
                              X-Correlation-Id and X-Request-Id are echoed.",
            "security": {
                "cors": false,
                "description": "Authorization: Bearer KEY, with a key that the operator of this gateway gives out. \
                                A caller's grant says which resource types, interactions and organisations are open to it.",
            },
            "resource": SERVED
                .iter()
                .map(|served| resource(served, capability))
                .chain(Defines::ALL.iter().map(|defines| loaded(*defines)))
                .collect::<Vec<_>>(),
        }],
    })
}

fn resource(served: &Served, capability: &Capability) -> Value {
    let under = |prefix: &'static str| {
        ROUTES.iter().filter(move |route| route.pattern.starts_with(prefix) && route.method != "HEAD")
    };
    let interactions: Vec<Value> =
        under("/fhir/{type}").filter_map(|route| route.action.restful()).map(|code| json!({"code": code})).collect();
    let mut resource = json!({
        "type": served.name,
        "profile": format!("http://hl7.org/fhir/StructureDefinition/{}", served.name),
        "interaction": interactions,
        "versioning": "versioned",
        "readHistory": false,
        "updateCreate": true,
        "conditionalCreate": true,
        "conditionalRead": "not-match",
        "conditionalUpdate": false,
        "searchParam": served.parameters.iter().map(|parameter| told(*parameter)).collect::<Vec<_>>(),
    });
    let profiles: Vec<&str> =
        capability.profiles.iter().filter(|(name, _)| name == served.name).map(|(_, url)| url.as_str()).collect();
    if !profiles.is_empty() {
        resource["supportedProfile"] = json!(profiles);
    }
    if under("/fhir/{type}").any(|route| route.action == Action::Validate) {
        resource["operation"] = json!([
            {"name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate"}
        ]);
    }
    resource
}

/// A resource type of definitions: those that are loaded are read and asked, and none is taken.
fn loaded(defines: Defines) -> Value {
    let type_name = defines.as_str();
    let patterns = [format!("/fhir/{type_name}"), format!("/fhir/{type_name}/{{id}}")];
    let routes =
        ROUTES.iter().filter(|route| patterns.iter().any(|own| own == route.pattern) && route.method != "HEAD");
    let interactions: Vec<Value> =
        routes.filter_map(|route| route.action.restful()).map(|code| json!({"code": code})).collect();
    let parameters: Vec<Value> = definitions::parameters(defines)
        .iter()
        .map(|parameter| json!({"name": parameter.as_str(), "type": parameter.kind()}))
        .collect();
    let mut resource = json!({
        "type": type_name,
        "profile": format!("http://hl7.org/fhir/StructureDefinition/{type_name}"),
        "documentation": "answered from the packages that are loaded; what they do not tell is refused and not guessed",
        "interaction": interactions,
        "versioning": "no-version",
        "searchParam": parameters,
    });
    let operations: Vec<Value> = Question::ALL
        .iter()
        .map(|question| question.operation())
        .filter(|(of, _, _)| *of == type_name)
        .map(|(_, name, definition)| json!({"name": name, "definition": definition}))
        .collect();
    if !operations.is_empty() {
        resource["operation"] = operations.into();
    }
    resource
}

/// A search parameter as the statement tells it: a modifier stands in the documentation, not in the name.
fn told(parameter: Parameter) -> Value {
    match parameter {
        Parameter::Id => json!({"name": "_id", "type": "token"}),
        Parameter::Identifier => json!({"name": "identifier", "type": "token", "documentation": "system|value"}),
        Parameter::Status => json!({"name": "status", "type": "token"}),
        Parameter::PatientIdentifier => json!({
            "name": "patient",
            "type": "reference",
            "documentation": "with the modifier :identifier only: patient:identifier=system|value",
        }),
    }
}
