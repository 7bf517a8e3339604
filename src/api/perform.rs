//! One request from the router to its answer: who asks, what it may, what it wants, within a time, without a fall.

use super::fault::Fault;
use super::negotiation::answer_format;
use super::record::Routed;
use super::reply::Reply;
use super::routes::{self, Action, Route, Served};
use super::{State, codes, definitions, is_fhir_id, operations, query, resources, waiting_list};
use crate::access::Caller;
use crate::error::Error;
use crate::fhir::Format;
use crate::issue::{Issue, Place, Rule};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use uuid::Uuid;

/// What a handler needs of a request.
pub(super) struct Asked<'r> {
    pub(super) state: &'r State,
    pub(super) request: &'r HttpRequest,
}

/// Answers a request that has a route.
pub(super) async fn perform(route: &'static Route, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let Some(state) = request.app_data::<web::Data<State>>().cloned() else {
        tracing::error!("the api was configured without its state");
        return Reply::from(Fault::from(Error::Internal(Uuid::new_v4().to_string()))).render(Format::Json);
    };
    let asked_format = query::format_in(request.query_string());
    let negotiated = answer_format(request.headers(), asked_format.as_deref());
    let format = *negotiated.as_ref().unwrap_or(&Format::Json);
    let routed = Routed { pattern: route.pattern, served: None, caller: None };
    request.extensions_mut().insert(routed);
    let (negotiated, format) =
        if route.action.is_fhir() { (negotiated.map(|_| ()), format) } else { (Ok(()), Format::Json) };
    let work = answer(route.action, &state, &request, payload, negotiated);
    let reply = guarded(state.limits.request_ms_max, work).await;
    reply.unwrap_or_else(Reply::from).render(format)
}

/// Answers a request whose address is known and whose method is not.
pub(super) async fn no_such_method(pattern: &'static str, request: HttpRequest) -> HttpResponse {
    request.extensions_mut().insert(Routed { pattern, served: None, caller: None });
    let unknown_type = request.match_info().get("type").is_some_and(|name| routes::served(name).is_none());
    let fault =
        if unknown_type { Fault::NoSuchType } else { Fault::NoSuchMethod { allowed: routes::allowed(pattern) } };
    refuse(fault, &request)
}

/// Answers a request whose address is not known.
pub(super) async fn no_such_address(request: HttpRequest) -> HttpResponse {
    refuse(Fault::NoSuchAddress, &request)
}

fn refuse(fault: Fault, request: &HttpRequest) -> HttpResponse {
    let asked_format = query::format_in(request.query_string());
    let format = answer_format(request.headers(), asked_format.as_deref()).unwrap_or(Format::Json);
    Reply::from(fault).render(format)
}

/// `work` within its time. A panic becomes an incident: the caller gets its number, the log where it was.
pub(super) async fn guarded(
    request_ms_max: u64,
    work: impl Future<Output = Result<Reply, Fault>>,
) -> Result<Reply, Fault> {
    let caught = Caught(Box::pin(work));
    match tokio::time::timeout(Duration::from_millis(request_ms_max), caught).await {
        Ok(Some(result)) => result,
        Ok(None) => {
            let incident = Uuid::new_v4().to_string();
            tracing::error!(incident, "a request ended in a panic");
            Err(Error::Internal(incident).into())
        }
        Err(_) => Err(Error::TooSlow.into()),
    }
}

/// A future whose panic is `None`.
struct Caught<F>(Pin<Box<F>>);

impl<F: Future> Future for Caught<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let work = self.0.as_mut();
        // After a panic the future is dropped and nothing of it is used again.
        match catch_unwind(AssertUnwindSafe(|| work.poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
            Err(_) => Poll::Ready(None),
        }
    }
}

async fn answer(
    action: Action,
    state: &State,
    request: &HttpRequest,
    payload: web::Payload,
    negotiated: Result<(), Fault>,
) -> Result<Reply, Fault> {
    // What is open to everybody is done here; past this point there is a caller or there is no answer.
    let asked = Asked { state, request };
    match action {
        Action::Live => return operations::live(&asked),
        Action::Ready => return operations::ready(&asked).await,
        Action::Metrics => return operations::metrics(&asked),
        Action::Metadata => return negotiated.and_then(|()| operations::metadata(&asked)),
        Action::Read
        | Action::Search
        | Action::Create
        | Action::Update
        | Action::Validate
        | Action::Codes(_)
        | Action::ReadDefinition(_)
        | Action::SearchDefinitions(_)
        | Action::ListEntry
        | Action::ListEntries => {}
    }
    let caller = state.callers.prove(request.headers()).ok_or(Error::Unauthenticated)?;
    told(request, |routed| routed.caller = Some(caller.name.clone()));
    negotiated?;
    match action {
        Action::ListEntry => {
            permit(caller, action, waiting_list::RESOURCE)?;
            waiting_list::entry(&asked, caller, id(request)?).await
        }
        Action::ListEntries => {
            permit(caller, action, waiting_list::RESOURCE)?;
            waiting_list::entries(&asked, caller).await
        }
        Action::Read => {
            let served = permitted(caller, action, request)?;
            resources::read(&asked, caller, served, id(request)?).await
        }
        Action::Search => resources::search(&asked, caller, permitted(caller, action, request)?).await,
        Action::Create => resources::create(&asked, caller, permitted(caller, action, request)?, payload).await,
        Action::Update => {
            let served = permitted(caller, action, request)?;
            resources::update(&asked, caller, served, id(request)?, payload).await
        }
        // Definitions are nobody's data: whoever is a caller may ask.
        Action::Codes(question) => codes::answer(&asked, question, payload).await,
        Action::ReadDefinition(defines) => definitions::read(&asked, defines, id(request)?),
        Action::SearchDefinitions(defines) => definitions::search(&asked, defines),
        Action::Validate => resources::validate(&asked, caller, permitted(caller, action, request)?, payload).await,
        Action::Live | Action::Ready | Action::Metrics | Action::Metadata => Err(Fault::NoSuchAddress),
    }
}

/// The served type in the address, once the caller's grant holds it.
fn permitted(caller: &Caller, action: Action, request: &HttpRequest) -> Result<&'static Served, Fault> {
    let served = request.match_info().get("type").and_then(routes::served).ok_or(Fault::NoSuchType)?;
    told(request, |routed| routed.served = Some(served.name));
    permit(caller, action, served.name)?;
    Ok(served)
}

fn permit(caller: &Caller, action: Action, resource: &str) -> Result<(), Fault> {
    let Some(interaction) = action.interaction() else { return Ok(()) };
    caller.grant.allows(interaction, resource).map_err(|denied| Error::Forbidden(denied.to_string()).into())
}

/// The id in the address.
fn id(request: &HttpRequest) -> Result<&str, Fault> {
    request.match_info().get("id").filter(|id| is_fhir_id(id)).ok_or_else(|| {
        Fault::malformed(
            Issue::new(Rule::AddressId, "The id in the address is not a FHIR id")
                .at(Place::named("http.id"))
                .hint("an id has 1 to 64 letters, digits, `-` and `.`"),
        )
    })
}

/// Notes for the record of the request.
fn told(request: &HttpRequest, note: impl FnOnce(&mut Routed)) {
    if let Some(routed) = request.extensions_mut().get_mut::<Routed>() {
        note(routed);
    }
}
