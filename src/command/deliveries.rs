//! `stile deliveries`: see what is on its way downstream, and send again what is stuck.

use super::{COULD_NOT_RUN, FINE, FOUND, out, site, tell};
use crate::delivery::State;
use crate::error::Error;
use crate::ledger::instant;
use crate::store::{AttemptRow, DeliveryRow, EventRow, Store};
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  stile deliveries list --state exhausted       what a person must look at
  stile deliveries show ID                      why it waits, every try, what became of the request
  stile deliveries retry ID                     send it now
  stile deliveries list --json --data stile-data | jq -r 'select(.attempts > 2).id'";

/// See what is on its way downstream, and send again what is stuck. Works beside a running gateway.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// Folder of the store; the settings' own when absent.
    #[arg(long, value_name = "FOLDER", global = true)]
    data: Option<PathBuf>,
    /// JSON for machines.
    #[arg(long, global = true)]
    json: bool,
    #[arg(long, value_name = "FILE", env = "STILE_SETTINGS", global = true, help = "Settings file (TOML)")]
    settings: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List deliveries, newest first.
    List {
        /// Only those in this state: waiting, leased, delivered, refused, exhausted, withdrawn.
        #[arg(long, value_parser = state)]
        state: Option<State>,
        /// How many at the most.
        #[arg(long, default_value_t = 50)]
        count: u32,
    },
    /// Show one delivery: why it waits, when it goes, every try with its answer.
    Show {
        /// The delivery's id.
        id: String,
    },
    /// Send a waiting or exhausted delivery now, its schedule begun anew.
    Retry {
        /// The delivery's id.
        id: String,
    },
}

fn state(name: &str) -> Result<State, String> {
    State::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
        format!("there is no state of this name; there are: {}", known.join(", "))
    })
}

pub fn run(args: &Args) -> u8 {
    let folder = match &args.data {
        Some(folder) => folder.clone(),
        None => match site::settings(&site::SiteArgs { settings: args.settings.clone() }) {
            Some(settings) => settings.store.folder.into(),
            None => return COULD_NOT_RUN,
        },
    };
    if !folder.join("stile.sqlite").is_file() {
        tell::fault(&format!("{} holds no store; name its folder with --data", folder.display()));
        return COULD_NOT_RUN;
    }
    let store = match Store::open(&folder) {
        Ok(store) => store,
        Err(cause) => {
            tell::fault(&cause.to_string());
            return COULD_NOT_RUN;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let code = match runtime {
        Ok(runtime) => runtime.block_on(carry_out(args, &store)),
        Err(cause) => Err(Error::Internal(cause.to_string())),
    };
    store.close();
    code.unwrap_or_else(|error| {
        tell::fault(&error.to_string());
        COULD_NOT_RUN
    })
}

async fn carry_out(args: &Args, store: &Store) -> Result<u8, Error> {
    match &args.command {
        Command::List { state, count } => {
            let (state, count) = (*state, *count);
            let rows = store.read(move |view| Ok(view.deliveries(state, count)?)).await?;
            list(&rows, args.json);
            Ok(FINE)
        }
        Command::Show { id } => {
            let wanted = id.clone();
            let found = store
                .read(move |view| match view.delivery(&wanted)? {
                    None => Ok(None),
                    Some((row, attempts)) => Ok(Some((view.events(&row.request)?, row, attempts))),
                })
                .await?;
            match found {
                None => Ok(unknown(id)),
                Some((events, row, attempts)) => {
                    show(&row, &attempts, &events, args.json);
                    Ok(FINE)
                }
            }
        }
        Command::Retry { id } => {
            let wanted = id.clone();
            let is_due = store.write(move |unit| Ok(unit.retry(&wanted, Timestamp::now())?)).await?;
            if !is_due {
                tell::fault(&format!(
                    "no delivery {id} is waiting or exhausted; `stile deliveries show {id}` says more"
                ));
                return Ok(FOUND);
            }
            if args.json {
                out!("{}", json!({"id": id, "state": "waiting"}));
            } else {
                tell::note(&format!("{id} is due now; a running gateway sends it within a second"));
            }
            Ok(FINE)
        }
    }
}

fn unknown(id: &str) -> u8 {
    tell::fault(&format!("there is no delivery {id}; `stile deliveries list` shows those there are"));
    FOUND
}

fn as_json(row: &DeliveryRow) -> serde_json::Value {
    json!({
        "id": row.id,
        "request": row.request,
        "ask": row.ask,
        "downstream": row.downstream,
        "lane": row.lane,
        "state": row.state.as_str(),
        "resourceType": row.resource_type,
        "correlationId": row.correlation_id,
        "keptAt": instant(row.kept_at),
        "dueAt": (row.state == State::Waiting).then(|| instant(row.due_at)),
        "attempts": row.attempts,
        "reason": row.reason,
    })
}

fn list(rows: &[DeliveryRow], is_json: bool) {
    if is_json {
        for row in rows {
            out!("{}", as_json(row));
        }
        return;
    }
    if rows.is_empty() {
        tell::note("no deliveries");
        return;
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.id.clone(),
                row.state.as_str().to_owned(),
                row.ask.clone(),
                row.downstream.clone(),
                row.attempts.to_string(),
                instant(row.kept_at),
                row.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    tell::table(&["delivery", "state", "asks", "downstream", "tries", "kept", "last reason"], &cells);
}

fn show(row: &DeliveryRow, attempts: &[AttemptRow], events: &[EventRow], is_json: bool) {
    if is_json {
        let mut value = as_json(row);
        value["tries"] = attempts
            .iter()
            .map(|attempt| {
                json!({
                    "number": attempt.number,
                    "startedAt": instant(attempt.started_at),
                    "endedAt": instant(attempt.ended_at),
                    "answer": attempt.answer,
                    "reason": attempt.reason,
                })
            })
            .collect();
        value["events"] = events
            .iter()
            .map(|event| json!({"at": instant(event.at), "name": event.name, "reason": event.reason}))
            .collect();
        out!("{value}");
        return;
    }
    let state = match row.state {
        State::Waiting => format!("waiting, due {}", instant(row.due_at)),
        State::Leased => "on the wire now".to_owned(),
        State::Delivered => "delivered".to_owned(),
        State::Refused => "refused by the receiver; the requester has been told".to_owned(),
        State::Exhausted => "exhausted: a person must act, then `stile deliveries retry`".to_owned(),
        State::Withdrawn => "withdrawn: its request ended before it was taken, nothing is sent any more".to_owned(),
    };
    for (name, value) in [
        ("delivery", row.id.as_str()),
        ("asks", row.ask.as_str()),
        ("request", &format!("Task/{}", row.request)),
        ("to", &row.downstream),
        ("lane", &row.lane),
        ("correlation id", &row.correlation_id),
        ("state", &state),
    ] {
        out!("{name:>15}  {value}");
    }
    let tries: Vec<Vec<String>> = attempts
        .iter()
        .map(|attempt| {
            let took = attempt.ended_at.duration_since(attempt.started_at).as_millis();
            vec![
                attempt.number.to_string(),
                instant(attempt.started_at),
                format!("{took} ms"),
                attempt.answer.clone(),
                attempt.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    out!();
    tell::table(&["try", "started", "took", "answer", "reason"], &tries);
    let happened: Vec<Vec<String>> = events
        .iter()
        .map(|event| vec![instant(event.at), event.name.clone(), event.reason.clone().unwrap_or_default()])
        .collect();
    out!();
    tell::table(&["at", "the request was", "reason"], &happened);
}
