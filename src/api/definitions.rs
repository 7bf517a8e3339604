//! The definitions that are loaded, read and searched under `/fhir`. They tell nothing of any patient, so every caller
//! may read them.

use super::Limits;
use super::fault::Fault;
use super::perform::Asked;
use super::query::{self, AFTER, COUNT, FORMAT, Query, at};
use super::reply::Reply;
use crate::error::Error;
use crate::fhir;
use crate::issue::Issue;
use crate::profile::{Defines, LoadedDefinition, Wanted};
use actix_web::http::StatusCode;
use std::borrow::Cow;
use uuid::Uuid;

/// Bytes of definitions on a page, unless one alone has more. The largest of R4's and UK Core's has 260,000.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Values that one parameter may have.
const VALUE_COUNT_MAX: usize = 100;

/// What a search of definitions can ask, beside `_count`, `_after` and `_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// `_id`
    Id,
    /// `url`
    Url,
    /// `version`
    Version,
    /// `name`: what it begins with, without regard to case.
    Name,
    /// `type`: what a StructureDefinition defines or narrows.
    Type,
}

impl Parameter {
    /// As a query writes it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Parameter::Id => "_id",
            Parameter::Url => "url",
            Parameter::Version => "version",
            Parameter::Name => "name",
            Parameter::Type => "type",
        }
    }

    /// Its type in R4's value set `search-param-type`.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Parameter::Id | Parameter::Version => "token",
            Parameter::Url | Parameter::Type => "uri",
            Parameter::Name => "string",
        }
    }
}

/// The parameters of a resource type.
pub(super) fn parameters(defines: Defines) -> &'static [Parameter] {
    const OF_STRUCTURES: &[Parameter] =
        &[Parameter::Id, Parameter::Url, Parameter::Version, Parameter::Name, Parameter::Type];
    match defines {
        Defines::Structure => OF_STRUCTURES,
        Defines::CodeSystem | Defines::ValueSet => {
            &[Parameter::Id, Parameter::Url, Parameter::Version, Parameter::Name]
        }
    }
}

/// One definition.
pub(super) fn read(asked: &Asked<'_>, defines: Defines, id: &str) -> Result<Reply, Fault> {
    Query::read(asked.request.query_string(), &[FORMAT])?;
    let found = asked.state.catalogue.read(defines, id).ok_or(Error::NotFound)?;
    Ok(Reply::fhir(StatusCode::OK, text(found)?.into_owned()))
}

/// Definitions that match, a page of them.
pub(super) fn search(asked: &Asked<'_>, defines: Defines) -> Result<Reply, Fault> {
    let (query, wanted) = wanted(asked.request.query_string(), defines, &asked.state.limits)?;
    // `_count=0` asks for the number alone (FHIR R4 search, 3.1.1.5.4): then the page has no room.
    let page = asked.state.catalogue.search(defines, &wanted);
    let address = format!("{}/{}", asked.state.fhir_base(), defines.as_str());
    let texts = page.found.iter().map(|found| text(found)).collect::<Result<Vec<_>, Fault>>()?;
    let urls: Vec<String> = page.found.iter().map(|found| format!("{address}/{}", found.id())).collect();
    let entries: Vec<fhir::Found<'_>> = texts
        .iter()
        .zip(&urls)
        .map(|(json, url)| fhir::Found { full_url: Some(url), json, mode: fhir::SearchMode::Match })
        .collect();
    let next = page.next.map(|after| query.link(&address, Some(after)));
    let total = u64::try_from(page.total).ok();
    let bundle = fhir::searchset(&entries, total, &query.link(&address, None), next.as_deref());
    Ok(Reply::fhir(StatusCode::OK, bundle))
}

fn text(definition: &LoadedDefinition) -> Result<Cow<'static, str>, Fault> {
    definition.text().map_err(|cause| {
        let incident = Uuid::new_v4().to_string();
        tracing::error!(incident, url = definition.url(), cause = %cause, "a definition cannot be unpacked");
        Error::Internal(incident).into()
    })
}

fn wanted(text: &str, defines: Defines, limits: &Limits) -> Result<(Query, Wanted), Fault> {
    let parameters = parameters(defines);
    let mut known: Vec<&str> = parameters.iter().map(|parameter| parameter.as_str()).collect();
    known.extend([COUNT, AFTER, FORMAT]);
    let query = Query::read(text, &known)?;
    let mut count = limits.page_count_default;
    let mut wanted = Wanted { bytes_max: PAGE_BYTES_MAX, ..Wanted::default() };
    let mut issues = Vec::new();
    let mut keep = |result: Result<(), Issue>| issues.extend(result.err());
    for parameter in parameters {
        let name = parameter.as_str();
        let Some(value) = query.get(name) else { continue };
        keep(match parameter {
            Parameter::Id => query::ids(name, value).map(|ids| wanted.ids = ids),
            Parameter::Url => values(name, value).map(|urls| wanted.urls = urls),
            Parameter::Version => values(name, value).map(|versions| wanted.versions = versions),
            Parameter::Name => values(name, value).map(|names| wanted.names = names),
            Parameter::Type => values(name, value).map(|types| wanted.types = types),
        });
    }
    if let Some(value) = query.get(COUNT) {
        keep(query::count(value).map(|asked| count = asked.min(limits.page_count_max)));
    }
    if let Some(value) = query.get(AFTER) {
        keep(query::after(value).map(|after| wanted.after = Some(after)));
    }
    wanted.count = usize::try_from(count).unwrap_or(usize::MAX);
    if issues.is_empty() { Ok((query, wanted)) } else { Err(Error::Malformed(issues).into()) }
}

/// The values of a parameter of which any one may match.
fn values(name: &str, value: &str) -> Result<Vec<String>, Issue> {
    let values: Vec<String> = query::split(value, ',').iter().map(|one| query::plain(one)).collect();
    if values.len() > VALUE_COUNT_MAX {
        return Err(
            at(name, format!("The parameter has more than {VALUE_COUNT_MAX} values")).hint("ask in several requests")
        );
    }
    if values.iter().any(String::is_empty) {
        return Err(at(name, "A value is empty").hint("leave the parameter out, or the comma that stands too much"));
    }
    Ok(values)
}
