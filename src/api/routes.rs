//! The one table of what is served. The router is configured from it, and the CapabilityStatement is made from it.

use crate::access::Interaction;
use crate::profile::Defines;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The CapabilityStatement.
    Metadata,
    /// One resource.
    Read,
    /// Resources that match.
    Search,
    /// A new resource, its id made here.
    Create,
    /// A resource under an id that the caller gives.
    Update,
    /// A verdict, nothing kept.
    Validate,
    /// A question about codes.
    Codes(Question),
    /// One definition that is loaded.
    ReadDefinition(Defines),
    /// Definitions that are loaded and match.
    SearchDefinitions(Defines),
    /// One waiting-list entry.
    ListEntry,
    /// The waiting-list entries of one patient.
    ListEntries,
    /// Whether the process runs.
    Live,
    /// Whether it can do its work.
    Ready,
    /// Prometheus metrics.
    Metrics,
}

/// A question about codes, which the loaded code systems and value sets answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Question {
    /// Whether a value set holds a code.
    IsInSet,
    /// Whether a code system has a code.
    IsInSystem,
    /// What is known of a code.
    Lookup,
    /// Whether one code stands above another.
    Subsumes,
    /// Which codes a value set holds.
    Expand,
}

impl Question {
    /// Every question.
    pub const ALL: &'static [Question] =
        &[Question::IsInSet, Question::IsInSystem, Question::Lookup, Question::Subsumes, Question::Expand];

    /// The resource type that it is asked of, R4's name of the operation, and its definition.
    pub(super) fn operation(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Question::IsInSet => {
                ("ValueSet", "validate-code", "http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code")
            }
            Question::IsInSystem => {
                ("CodeSystem", "validate-code", "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code")
            }
            Question::Lookup => ("CodeSystem", "lookup", "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup"),
            Question::Subsumes => {
                ("CodeSystem", "subsumes", "http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes")
            }
            Question::Expand => ("ValueSet", "expand", "http://hl7.org/fhir/OperationDefinition/ValueSet-expand"),
        }
    }
}

/// One method at one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The address; `{type}` and `{id}` stand for one step each.
    pub pattern: &'static str,
    /// What it does.
    pub action: Action,
}

const fn route(method: &'static str, pattern: &'static str, action: Action) -> Route {
    Route { method, pattern, action }
}

/// Every route. Of two patterns that fit an address the first is taken, so fixed steps stand before open ones.
pub const ROUTES: &[Route] = &[
    route("GET", "/health/live", Action::Live),
    route("GET", "/health/ready", Action::Ready),
    route("GET", "/metrics", Action::Metrics),
    route("GET", "/fhir/metadata", Action::Metadata),
    route("GET", "/fhir/ValueSet/$validate-code", Action::Codes(Question::IsInSet)),
    route("POST", "/fhir/ValueSet/$validate-code", Action::Codes(Question::IsInSet)),
    route("GET", "/fhir/ValueSet/$expand", Action::Codes(Question::Expand)),
    route("POST", "/fhir/ValueSet/$expand", Action::Codes(Question::Expand)),
    route("GET", "/fhir/CodeSystem/$validate-code", Action::Codes(Question::IsInSystem)),
    route("POST", "/fhir/CodeSystem/$validate-code", Action::Codes(Question::IsInSystem)),
    route("GET", "/fhir/CodeSystem/$lookup", Action::Codes(Question::Lookup)),
    route("POST", "/fhir/CodeSystem/$lookup", Action::Codes(Question::Lookup)),
    route("GET", "/fhir/CodeSystem/$subsumes", Action::Codes(Question::Subsumes)),
    route("POST", "/fhir/CodeSystem/$subsumes", Action::Codes(Question::Subsumes)),
    route("GET", "/fhir/CodeSystem", Action::SearchDefinitions(Defines::CodeSystem)),
    route("GET", "/fhir/StructureDefinition", Action::SearchDefinitions(Defines::Structure)),
    route("GET", "/fhir/ValueSet", Action::SearchDefinitions(Defines::ValueSet)),
    route("GET", "/fhir/{type}", Action::Search),
    route("POST", "/fhir/{type}", Action::Create),
    route("POST", "/fhir/{type}/$validate", Action::Validate),
    route("GET", "/fhir/CodeSystem/{id}", Action::ReadDefinition(Defines::CodeSystem)),
    route("HEAD", "/fhir/CodeSystem/{id}", Action::ReadDefinition(Defines::CodeSystem)),
    route("GET", "/fhir/StructureDefinition/{id}", Action::ReadDefinition(Defines::Structure)),
    route("HEAD", "/fhir/StructureDefinition/{id}", Action::ReadDefinition(Defines::Structure)),
    route("GET", "/fhir/ValueSet/{id}", Action::ReadDefinition(Defines::ValueSet)),
    route("HEAD", "/fhir/ValueSet/{id}", Action::ReadDefinition(Defines::ValueSet)),
    route("GET", "/fhir/{type}/{id}", Action::Read),
    route("HEAD", "/fhir/{type}/{id}", Action::Read),
    route("PUT", "/fhir/{type}/{id}", Action::Update),
    route("GET", "/waiting-list/entries", Action::ListEntries),
    route("GET", "/waiting-list/entries/{id}", Action::ListEntry),
];

impl Action {
    /// What a caller's grant must hold for it; none for what is open to everybody, and for what every caller may ask.
    pub fn interaction(self) -> Option<Interaction> {
        match self {
            Action::Metadata
            | Action::Live
            | Action::Ready
            | Action::Metrics
            | Action::Codes(_)
            | Action::ReadDefinition(_)
            | Action::SearchDefinitions(_) => None,
            Action::Read | Action::ListEntry => Some(Interaction::Read),
            Action::Search | Action::ListEntries => Some(Interaction::Search),
            Action::Create => Some(Interaction::Create),
            Action::Update => Some(Interaction::Update),
            Action::Validate => Some(Interaction::Validate),
        }
    }

    /// True when answers and errors are FHIR resources, in JSON or XML as the caller accepts.
    pub(super) fn is_fhir(self) -> bool {
        match self {
            Action::Metadata
            | Action::Read
            | Action::Search
            | Action::Create
            | Action::Update
            | Action::Validate
            | Action::Codes(_)
            | Action::ReadDefinition(_)
            | Action::SearchDefinitions(_) => true,
            Action::ListEntry | Action::ListEntries | Action::Live | Action::Ready | Action::Metrics => false,
        }
    }

    /// Its name in R4's value set `type-restful-interaction`, for what stands under a resource type.
    pub(super) fn restful(self) -> Option<&'static str> {
        match self {
            Action::Read | Action::ReadDefinition(_) => Some("read"),
            Action::Search | Action::SearchDefinitions(_) => Some("search-type"),
            Action::Create => Some("create"),
            Action::Update => Some("update"),
            Action::Validate
            | Action::Codes(_)
            | Action::Metadata
            | Action::ListEntry
            | Action::ListEntries
            | Action::Live
            | Action::Ready
            | Action::Metrics => None,
        }
    }
}

/// The patterns, in order and each once.
pub(super) fn patterns() -> Vec<&'static str> {
    let mut patterns: Vec<&'static str> = Vec::new();
    for route in ROUTES {
        if !patterns.contains(&route.pattern) {
            patterns.push(route.pattern);
        }
    }
    patterns
}

/// The methods of a pattern, as `Allow` writes them.
pub(super) fn allowed(pattern: &str) -> String {
    let methods: Vec<&str> = ROUTES.iter().filter(|route| route.pattern == pattern).map(|route| route.method).collect();
    methods.join(", ")
}

/// A resource type that is served under `/fhir`.
#[derive(Debug, PartialEq, Eq)]
pub struct Served {
    /// Its name.
    pub name: &'static str,
    /// What a search of it can ask, beside `_count`, `_after` and `_format`.
    pub parameters: &'static [Parameter],
    /// The codes of its `status` (R4), where `status` is a search parameter.
    pub statuses: &'static [&'static str],
}

/// A search parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// `_id`
    Id,
    /// `identifier`
    Identifier,
    /// `patient:identifier`
    PatientIdentifier,
    /// `status`
    Status,
}

impl Parameter {
    /// As a query writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Parameter::Id => "_id",
            Parameter::Identifier => "identifier",
            Parameter::PatientIdentifier => "patient:identifier",
            Parameter::Status => "status",
        }
    }
}

const ALL_PARAMETERS: &[Parameter] =
    &[Parameter::Id, Parameter::Identifier, Parameter::PatientIdentifier, Parameter::Status];

/// The resource types that are served.
pub const SERVED: &[Served] = &[
    Served {
        name: "Appointment",
        parameters: ALL_PARAMETERS,
        statuses: &[
            "proposed",
            "pending",
            "booked",
            "arrived",
            "fulfilled",
            "cancelled",
            "noshow",
            "entered-in-error",
            "checked-in",
            "waitlist",
        ],
    },
    Served {
        name: "ServiceRequest",
        parameters: ALL_PARAMETERS,
        statuses: &["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"],
    },
    Served { name: "Patient", parameters: &[Parameter::Id, Parameter::Identifier], statuses: &[] },
    Served {
        name: "Task",
        parameters: ALL_PARAMETERS,
        statuses: &[
            "draft",
            "requested",
            "received",
            "accepted",
            "rejected",
            "ready",
            "cancelled",
            "in-progress",
            "on-hold",
            "failed",
            "completed",
            "entered-in-error",
        ],
    },
];

/// The served type of this name.
pub(super) fn served(name: &str) -> Option<&'static Served> {
    SERVED.iter().find(|served| served.name == name)
}

/// The names of the served types, for people.
pub(super) fn served_names() -> String {
    SERVED.iter().map(|served| served.name).collect::<Vec<_>>().join(", ")
}
