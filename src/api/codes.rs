//! Questions about codes, answered from the code systems and value sets that are loaded: R4's operations `$validate-code`,
//! `$lookup`, `$subsumes` and `$expand`. They tell nothing of any patient, so every caller may ask.

use super::body;
use super::fault::Fault;
use super::negotiation::body_format;
use super::perform::Asked;
use super::query::{FORMAT, Query};
use super::reply::Reply;
use super::routes::Question;
use crate::document::Node;
use crate::error::Error;
use crate::fhir::{self, Limits};
use crate::issue::{Issue, Place, Rule, Severity};
use crate::terminology::definition::PropertyType;
use crate::terminology::systems::{Concept, Content, System};
use crate::terminology::values::{Membership, ValueSet, ValueSets};
use actix_web::http::{Method, StatusCode};
use actix_web::web;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Codes on a page of an expansion at most, and when the caller does not say.
const PAGE_COUNT_MAX: usize = 1000;
/// Codings of one CodeableConcept that are looked at.
const CODING_COUNT_MAX: usize = 50;
/// What the parameters of a question may cost to read.
const LIMITS: Limits = Limits { bytes_max: 100_000, depth_max: 16, nodes_max: 2_000, issues_max: 20 };

impl Question {
    /// The parameters that it knows, in R4's names.
    fn parameters(self) -> &'static [&'static str] {
        match self {
            Question::IsInSet => {
                &["url", "code", "system", "display", "systemVersion", "valueSetVersion", "coding", "codeableConcept"]
            }
            Question::IsInSystem => &["url", "code", "display", "version", "coding", "codeableConcept"],
            Question::Lookup => &["code", "system", "version", "coding"],
            Question::Subsumes => &["codeA", "codeB", "system", "version", "codingA", "codingB"],
            Question::Expand => {
                &["url", "valueSetVersion", "filter", "offset", "count", "activeOnly", "includeDesignations"]
            }
        }
    }
}

/// Answers a question, asked in the query (`GET`) or in a Parameters resource (`POST`).
pub(super) async fn answer(asked: &Asked<'_>, question: Question, payload: web::Payload) -> Result<Reply, Fault> {
    let given = if asked.request.method() == Method::POST {
        Query::read(asked.request.query_string(), &[FORMAT])?;
        let format = body_format(asked.request.headers())?;
        let bytes_max = LIMITS.bytes_max.min(asked.state.limits.body_bytes_max);
        let body = body::read(asked.request, payload, bytes_max).await?;
        let parsed = fhir::parse(&body, format, &LIMITS);
        match parsed.document {
            Some(document) if parsed.issues.iter().all(|issue| !issue.refuses()) => {
                Given::of_resource(document.root(), question)?
            }
            Some(_) | None => return Err(Error::Malformed(parsed.issues).into()),
        }
    } else {
        let mut known = question.parameters().to_vec();
        known.retain(|name| !name.starts_with("coding") && *name != "codeableConcept");
        known.push(FORMAT);
        Given::of_query(&Query::read(asked.request.query_string(), &known)?, &known)
    };
    let values = asked.state.intake.profiles().value_sets();
    let resource = match question {
        Question::IsInSet => is_in_set(values, &given)?,
        Question::IsInSystem => is_in_system(values, &given)?,
        Question::Lookup => lookup(values, &given)?,
        Question::Subsumes => subsumes(values, &given)?,
        Question::Expand => expand(values, &given, (asked.state.clock)())?,
    };
    Ok(Reply::fhir(StatusCode::OK, resource.to_string()))
}

/// A code, as a question names it.
#[derive(Debug, Clone, Default)]
struct Coded {
    system: Option<String>,
    version: Option<String>,
    code: Option<String>,
    display: Option<String>,
}

/// What was given: simple parameters, and codings by parameter.
#[derive(Debug, Default)]
struct Given {
    simple: Vec<(String, String)>,
    codings: Vec<(String, Coded)>,
}

impl Given {
    fn of_query(query: &Query, known: &[&str]) -> Given {
        let given = known.iter().filter_map(|name| Some(((*name).to_owned(), query.get(name)?.to_owned())));
        Given { simple: given.collect(), codings: Vec::new() }
    }

    fn of_resource(root: Node<'_>, question: Question) -> Result<Given, Fault> {
        if root.resource_type() != Some("Parameters") {
            let issue = Issue::new(Rule::ResourceTypeMismatch, "a question is asked in a Parameters resource");
            return Err(Fault::malformed(issue.hint("send a Parameters, or ask with GET and a query")));
        }
        let mut given = Given::default();
        for parameter in root.children_named("parameter") {
            let name = parameter.child_named("name").and_then(|name| name.string()).unwrap_or_default();
            let value = parameter.children().find(|child| child.name().starts_with("value"));
            let Some((known, value)) = question.parameters().iter().find(|known| **known == name).zip(value) else {
                let issue = Issue::new(Rule::QueryUnknown, "a parameter is not known here, or has no value")
                    .at(parameter.place())
                    .hint(format!("there are: {}", question.parameters().join(", ")));
                return Err(Fault::malformed(issue));
            };
            match value.name() {
                "valueCoding" => given.codings.push(((*known).to_owned(), coded(value))),
                "valueCodeableConcept" => {
                    let codings = value.children_named("coding").take(CODING_COUNT_MAX);
                    given.codings.extend(codings.map(|coding| ((*known).to_owned(), coded(coding))));
                }
                _ => {
                    let text = value.value().map(|value| value.text().to_owned()).unwrap_or_default();
                    given.simple.push(((*known).to_owned(), text));
                }
            }
        }
        Ok(given)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.simple.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn need(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            Fault::malformed(
                Issue::new(Rule::QueryValue, format!("the question needs `{name}`"))
                    .at(Place::named(format!("http.{name}"))),
            )
        })
    }

    /// A whole number, or `otherwise` when it is not given.
    fn number(&self, name: &str, otherwise: usize) -> Result<usize, Fault> {
        self.get(name).map_or(Ok(otherwise), |text| text.parse::<u32>().map(|number| number as usize)).map_err(|_| {
            let issue = Issue::new(Rule::QueryValue, format!("`{name}` is a whole number, 0 or more"));
            Fault::malformed(issue.at(Place::named(format!("http.{name}"))))
        })
    }

    /// The codes that are asked about: by `code` and its companions, or as codings.
    fn codes(&self, code: &str, coding: &str, system: Option<&str>) -> Result<Vec<Coded>, Fault> {
        if let Some(code) = self.get(code) {
            let version = self.get("version").or_else(|| self.get("systemVersion"));
            return Ok(vec![Coded {
                system: system.or_else(|| self.get("system")).map(str::to_owned),
                version: version.map(str::to_owned),
                code: Some(code.to_owned()),
                display: self.get("display").map(str::to_owned),
            }]);
        }
        let named = self.codings.iter().filter(|(name, _)| name == coding || name == "codeableConcept");
        let codings: Vec<Coded> = named.map(|(_, coded)| coded.clone()).collect();
        if codings.is_empty() {
            let issue = Issue::new(Rule::QueryValue, format!("the question needs `{code}` or `{coding}`"));
            return Err(Fault::malformed(issue.at(Place::named(format!("http.{code}")))));
        }
        Ok(codings)
    }

    /// `url` with its version, where one is given beside it.
    fn canonical(&self, version: &str) -> Result<String, Fault> {
        let url = self.need("url")?;
        Ok(match self.get(version) {
            Some(version) if !url.contains('|') => format!("{url}|{version}"),
            Some(_) | None => url.to_owned(),
        })
    }
}

fn coded(coding: Node<'_>) -> Coded {
    let text = |name: &str| coding.child_named(name).and_then(|child| child.string()).map(str::to_owned);
    Coded { system: text("system"), version: text("version"), code: text("code"), display: text("display") }
}

// ---- $validate-code

fn is_in_set(values: &ValueSets, given: &Given) -> Result<Value, Fault> {
    let set = values.find(&given.canonical("valueSetVersion")?).ok_or(Error::NotFound)?;
    let codes = given.codes("code", "coding", None)?;
    let mut undecided = false;
    for coded in &codes {
        match coded.code.as_deref().map(|code| set.holds(coded.system.as_deref(), code)) {
            Some(Membership::In) => {
                let system = coded.system.as_deref().or_else(|| system_in(&set, coded.code.as_deref()));
                let concept = system
                    .zip(coded.code.as_deref())
                    .and_then(|(system, code)| find(values, system, coded.version.as_deref())?.concept(code));
                return Ok(verdict(true, concept, coded, None));
            }
            Some(Membership::Undecided) => undecided = true,
            Some(Membership::Out) | None => {}
        }
    }
    if undecided {
        return Err(cannot(format!("{} cannot be decided here: {}", set.url(), set.undecided().join("; "))));
    }
    let first = codes.first().cloned().unwrap_or_default();
    Ok(verdict(false, None, &first, Some(format!("the value set {} does not hold this code", set.url()))))
}

/// The system of which a set has a code, where it has it of one.
fn system_in<'s>(set: &ValueSet<'s>, code: Option<&str>) -> Option<&'s str> {
    let mut systems = set.codes().filter(|(_, known)| Some(*known) == code).map(|(system, _)| system);
    systems.next().filter(|_| systems.next().is_none())
}

fn is_in_system(values: &ValueSets, given: &Given) -> Result<Value, Fault> {
    let url = given.get("url");
    let codes = given.codes("code", "coding", url)?;
    let mut told = None;
    for coded in &codes {
        let Some((system, code)) = coded.system.as_deref().zip(coded.code.as_deref()) else { continue };
        if url.is_some_and(|url| url.split('|').next() != system.split('|').next()) {
            continue;
        }
        let system = find(values, system, coded.version.as_deref()).ok_or(Error::NotFound)?;
        if let Some(concept) = system.concept(code) {
            return Ok(verdict(true, Some(concept), coded, None));
        }
        match (system.content(), system.form()) {
            (Content::Complete, _) => {}
            (_, Some(form)) if form.holds(code) => return Ok(verdict(true, None, coded, None)),
            (_, Some(_)) => {}
            (Content::Fragment | Content::Example | Content::NotPresent | Content::Unloaded, None) => {
                return Err(cannot(format!("not all codes of {} are loaded", system.url())));
            }
        }
        told = Some(format!("the code system {} does not have this code", system.url()));
    }
    let message = told.unwrap_or_else(|| "no code of the code system is given".to_owned());
    Ok(verdict(false, None, codes.first().unwrap_or(&Coded::default()), Some(message)))
}

/// The answer to `$validate-code`. A display that the code does not have makes it false, as R4 says.
fn verdict(is_held: bool, concept: Option<Concept<'_>>, coded: &Coded, message: Option<String>) -> Value {
    let is_called = concept.zip(coded.display.as_deref()).is_none_or(|(concept, display)| concept.is_called(display));
    let message = match (is_called, message) {
        (true, message) => message,
        (false, _) => Some("the code is not called this".to_owned()),
    };
    let mut parameters = vec![json!({"name": "result", "valueBoolean": is_held && is_called})];
    if let Some(message) = message {
        parameters.push(json!({"name": "message", "valueString": message}));
    }
    if let Some(display) = concept.and_then(|concept| concept.display()) {
        parameters.push(json!({"name": "display", "valueString": display}));
    }
    json!({"resourceType": "Parameters", "parameter": parameters})
}

// ---- $lookup

fn lookup(values: &ValueSets, given: &Given) -> Result<Value, Fault> {
    let codes = given.codes("code", "coding", None)?;
    let coded = codes.first().cloned().unwrap_or_default();
    let Some((url, code)) = coded.system.as_deref().zip(coded.code.as_deref()) else {
        return Err(given.need("system").map_or_else(|fault| fault, |_| Error::NotFound.into()));
    };
    let system = find(values, url, coded.version.as_deref()).ok_or(Error::NotFound)?;
    let concept = system.concept(code).ok_or(Error::NotFound)?;
    let name = if system.name().is_empty() { system.url() } else { system.name() };
    let mut parameters = vec![json!({"name": "name", "valueString": name})];
    if !system.version().is_empty() {
        parameters.push(json!({"name": "version", "valueString": system.version()}));
    }
    parameters.push(json!({"name": "display", "valueString": concept.display().unwrap_or(concept.code())}));
    for (language, value) in concept.designations() {
        let mut part = vec![json!({"name": "value", "valueString": value})];
        if let Some(language) = language {
            part.insert(0, json!({"name": "language", "valueCode": language}));
        }
        parameters.push(json!({"name": "designation", "part": part}));
    }
    let mut property = |code: &str, value: Value| {
        let mut value_part = json!({"name": "value"});
        if let (Some(value_part), Value::Object(value)) = (value_part.as_object_mut(), value) {
            value_part.extend(value);
        }
        parameters.push(json!({"name": "property", "part": [{"name": "code", "valueCode": code}, value_part]}));
    };
    for parent in concept.parents() {
        property("parent", json!({"valueCode": parent.code()}));
    }
    for child in concept.children() {
        property("child", json!({"valueCode": child.code()}));
    }
    property("inactive", json!({"valueBoolean": concept.is_inactive()}));
    let is_told = |name: &str| matches!(name, "parent" | "child" | "subsumedBy" | "inactive");
    for (name, kind, value) in concept.properties().filter(|(name, _, _)| !is_told(name)) {
        property(name, typed(kind, value));
    }
    Ok(json!({"resourceType": "Parameters", "parameter": parameters}))
}

/// A property's value under the name that R4 gives its type.
fn typed(kind: PropertyType, value: &str) -> Value {
    let number = || value.parse::<serde_json::Number>().map_or_else(|_| json!(value), Value::Number);
    match kind {
        PropertyType::Code | PropertyType::Coding => json!({"valueCode": value}),
        PropertyType::String => json!({"valueString": value}),
        PropertyType::Integer => json!({"valueInteger": number()}),
        PropertyType::Decimal => json!({"valueDecimal": number()}),
        PropertyType::Boolean => json!({"valueBoolean": value == "true"}),
        PropertyType::DateTime => json!({"valueDateTime": value}),
    }
}

// ---- $subsumes

fn subsumes(values: &ValueSets, given: &Given) -> Result<Value, Fault> {
    let one = given.codes("codeA", "codingA", None)?.into_iter().next().unwrap_or_default();
    let other = given.codes("codeB", "codingB", None)?.into_iter().next().unwrap_or_default();
    let Some((url, (a, b))) = one.system.as_deref().zip(one.code.as_deref().zip(other.code.as_deref())) else {
        return Err(given.need("system").map_or_else(|fault| fault, |_| Error::NotFound.into()));
    };
    if other.system.as_deref() != Some(url) {
        let issue = Issue::new(Rule::QueryValue, "codes of two systems do not stand above each other");
        return Err(Fault::malformed(issue.at(Place::named("http.system"))));
    }
    let system = find(values, url, one.version.as_deref()).ok_or(Error::NotFound)?;
    let outcome = match (system.subsumes(a, b), system.subsumes(b, a)) {
        (Some(true), Some(true)) => "equivalent",
        (Some(true), _) => "subsumes",
        (_, Some(true)) => "subsumed-by",
        (Some(false), Some(false)) if system.content() == Content::Complete => "not-subsumed",
        (Some(false), Some(false)) => return Err(cannot(format!("not all codes of {} are loaded", system.url()))),
        (_, _) if system.content() == Content::Complete => return Err(Error::NotFound.into()),
        (_, _) => return Err(cannot(format!("these codes of {} are not loaded", system.url()))),
    };
    Ok(json!({"resourceType": "Parameters", "parameter": [{"name": "outcome", "valueCode": outcome}]}))
}

// ---- $expand

fn expand(values: &ValueSets, given: &Given, now: Timestamp) -> Result<Value, Fault> {
    let set = values.find(&given.canonical("valueSetVersion")?).ok_or(Error::NotFound)?;
    if !set.undecided().is_empty() {
        return Err(cannot(format!("{} cannot be listed here: {}", set.url(), set.undecided().join("; "))));
    }
    if let Some(form) = set.forms().next() {
        return Err(cannot(format!("{} has more codes than can be listed; each is {}", set.url(), form.about())));
    }
    let (offset, count) = (given.number("offset", 0)?, given.number("count", PAGE_COUNT_MAX)?.min(PAGE_COUNT_MAX));
    let is_set = |name: &str| given.get(name) == Some("true");
    let (is_active_only, has_designations) = (is_set("activeOnly"), is_set("includeDesignations"));
    let wanted: Vec<String> =
        given.get("filter").unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    let fits = |concept: &Concept<'_>| {
        let names = [Some(concept.code()), concept.display()].into_iter().flatten().map(str::to_lowercase);
        let names: Vec<String> = names.collect();
        wanted.iter().all(|word| names.iter().any(|name| name.contains(word)))
            && !(is_active_only && concept.is_inactive())
    };
    let found: Vec<Concept<'_>> = set.concepts().filter_map(|(_, concept)| concept).filter(|one| fits(one)).collect();
    let contains: Vec<Value> =
        found.iter().skip(offset).take(count).map(|concept| contained(concept, has_designations)).collect();
    let mut parameters =
        vec![json!({"name": "offset", "valueInteger": offset}), json!({"name": "count", "valueInteger": count})];
    if is_active_only {
        parameters.push(json!({"name": "activeOnly", "valueBoolean": true}));
    }
    let mut expansion = json!({
        "identifier": format!("urn:uuid:{}", uuid::Uuid::new_v4()),
        "timestamp": now.to_string(),
        "total": found.len(),
        "offset": offset,
        "parameter": parameters,
    });
    if !contains.is_empty() {
        expansion["contains"] = contains.into();
    }
    let mut resource =
        json!({"resourceType": "ValueSet", "url": set.url(), "status": "active", "expansion": expansion});
    if !set.version().is_empty() {
        resource["version"] = set.version().into();
    }
    Ok(resource)
}

fn contained(concept: &Concept<'_>, has_designations: bool) -> Value {
    let mut contained = json!({"system": concept.system().url()});
    if concept.is_abstract() {
        contained["abstract"] = true.into();
    }
    if concept.is_inactive() {
        contained["inactive"] = true.into();
    }
    contained["code"] = concept.code().into();
    if let Some(display) = concept.display() {
        contained["display"] = display.into();
    }
    let designation = concept.designations().map(|(language, value)| match language {
        Some(language) => json!({"language": language, "value": value}),
        None => json!({"value": value}),
    });
    let designation: Vec<Value> = if has_designations { designation.collect() } else { Vec::new() };
    if !designation.is_empty() {
        contained["designation"] = designation.into();
    }
    contained
}

fn find<'v>(values: &'v ValueSets, url: &str, version: Option<&str>) -> Option<&'v System> {
    let systems = values.systems();
    let number = match version {
        Some(version) => systems.number_in(url, Some(version)),
        None => systems.number(url),
    };
    number.map(|number| systems.get(number))
}

/// What is loaded does not answer the question.
fn cannot(message: String) -> Fault {
    let issue = Issue::new(Rule::NotEvaluated, message).severity(Severity::Error);
    Error::Rejected(vec![issue.hint("ask a terminology server, or have the package loaded here")]).into()
}
