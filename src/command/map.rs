//! `stile map`: show what a mapping makes of a resource.

use super::draw::Page;
use super::{COULD_NOT_RUN, FINE, FOUND, input, out, site, tell};
use crate::access::Sender;
use crate::app::Engine;
use crate::fhir;
use crate::intake::{Judged, Terms};
use crate::issue::any_refuses;
use crate::mapping::{Mapping, Outcome, Traced, Variables};
use crate::national;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  stile map appointment.json                     the canonical value
  stile map appointment.json --explain           and where each part of it came from
  stile map - --mapping uk-core-appointment < appointment.xml
  stile map samples/ --json | jq .outputs";

/// Show what a mapping makes of FHIR resources: the code that the gateway runs, and nothing kept.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files, folders, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The mapping, by its name; by default the one that the gateway would choose.
    #[arg(long, value_name = "NAME")]
    mapping: Option<String>,
    /// Map as sent by this sender of the settings; `example-portal` and `example-pas` are always there.
    #[arg(long, value_name = "NAME")]
    sender: Option<String>,
    /// Tell for each value which input it came from, by which rule, table row and conversion; and what was left behind.
    #[arg(long)]
    explain: bool,
    /// One line of JSON for each file.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: site::SiteArgs,
}

pub fn run(args: &Args) -> u8 {
    let Some(settings) = site::settings(&args.site) else { return COULD_NOT_RUN };
    let Ok((_, engine)) = site::engine(&settings) else { return COULD_NOT_RUN };
    let Some(sender) = site::sender(&args.site, &settings, args.sender.as_deref()) else { return COULD_NOT_RUN };
    if let Some(name) = &args.mapping
        && engine.library.named(name).is_none()
    {
        let known: Vec<&str> = engine.library.mappings().map(Mapping::name).collect();
        tell::fault(&format!("there is no mapping `{name}`; there are: {}", known.join(", ")));
        return COULD_NOT_RUN;
    }
    let Some(inputs) = input::read(&args.files) else { return COULD_NOT_RUN };
    let refused = inputs.iter().filter(|input| !map(args, &engine, &sender, input)).count();
    if refused == 0 { FINE } else { FOUND }
}

/// Maps one input and tells what came of it: true when it would be taken.
fn map(args: &Args, engine: &Engine, sender: &Sender, input: &input::Input) -> bool {
    let now = Timestamp::now();
    let terms = Terms {
        profiles: &engine.profiles,
        limits: &input::LIMITS,
        sender: Some(sender),
        expected_type: None,
        demanded: &[],
        now,
    };
    let judged = Judged::of(&input.bytes, input.format, &terms);
    let mut issues = judged.issues;
    let variables = Variables { sender: &sender.variables, now, trees: &[] };
    let document = judged.document.filter(|_| !any_refuses(&issues));
    let document = document.as_ref().map(|document| national::for_mapping(document, &sender.rules));
    let chosen = document.as_ref().and_then(|document| match &args.mapping {
        Some(name) => engine.library.named(name),
        None => engine.library.inbound(document, &variables).unwrap_or_else(|issue| {
            issues.push(issue);
            None
        }),
    });
    let outcome = match (&document, chosen) {
        (Some(document), Some(mapping)) => Some(mapping.run_explained(document, &variables)),
        (Some(_), None) | (None, _) => None,
    };
    if let Some(outcome) = &outcome {
        issues.extend(outcome.issues.clone());
    }
    let is_fine = outcome.is_some() && !any_refuses(&issues);
    if args.json {
        let outcome_issues = if issues.is_empty() { json!([]) } else { fhir::outcome(&issues)["issue"].clone() };
        out!("{}", as_json(input, chosen, outcome.as_ref(), &outcome_issues));
        return is_fine;
    }
    match chosen {
        Some(mapping) => tell::verdict(&input.title(), is_fine, &format!("{} ({})", mapping.title(), mapping.file())),
        None if document.is_some() && !any_refuses(&issues) => {
            tell::verdict(&input.title(), false, "no mapping takes a resource of this form")
        }
        None => tell::verdict(&input.title(), false, ""),
    }
    tell::issues(&Page::new(&input.name, &input.text(), input.first_line()), &issues);
    if let Some(outcome) = outcome.filter(|_| is_fine) {
        out!("{}", serde_json::to_string_pretty(&outcome.value).unwrap_or_default());
        if args.explain {
            explain(&outcome);
        }
    }
    is_fine
}

fn explain(outcome: &Outcome) {
    let rows: Vec<Vec<String>> = outcome
        .trace
        .iter()
        .map(|traced| {
            let sources: Vec<&str> = traced.sources.iter().map(|place| place.expression.as_str()).collect();
            vec![traced.target.clone(), sources.join(", "), how(traced), traced.rule.clone()]
        })
        .collect();
    out!();
    tell::table(&["value", "came from", "by", "rule"], &rows);
    if !outcome.left_behind.is_empty() {
        out!("\nleft behind: read by no rule and not dropped on purpose");
        for place in &outcome.left_behind {
            out!("  {} (line {})", place.expression, place.line);
        }
    }
}

fn how(traced: &Traced) -> String {
    let mut by = Vec::new();
    if let Some(row) = &traced.table {
        by.push(match row.line {
            Some(line) => format!("table {} line {line}", row.table),
            None => format!("table {}, no row", row.table),
        });
    }
    if let Some(conversion) = traced.conversion {
        by.push(format!("as {conversion}"));
    }
    if traced.otherwise {
        by.push("otherwise".to_owned());
    }
    by.join(", ")
}

fn as_json(input: &input::Input, mapping: Option<&Mapping>, outcome: Option<&Outcome>, issues: &Value) -> Value {
    let places = |outcome: &Outcome| -> Vec<Value> {
        outcome.left_behind.iter().map(|place| json!({"expression": place.expression, "line": place.line})).collect()
    };
    let trace = |outcome: &Outcome| -> Vec<Value> {
        outcome
            .trace
            .iter()
            .map(|traced| {
                json!({
                    "target": traced.target,
                    "sources": traced.sources.iter().map(|place| &place.expression).collect::<Vec<_>>(),
                    "rule": traced.rule,
                    "by": how(traced),
                })
            })
            .collect()
    };
    let mut told = json!({
        "file": input.name,
        "mapping": mapping.map(Mapping::name),
        "version": mapping.map(Mapping::version),
        "outputs": outcome.map(|outcome| vec![&outcome.value]).unwrap_or_default(),
        "issues": issues,
        "leftBehind": outcome.map(places).unwrap_or_default(),
        "trace": outcome.map(trace).unwrap_or_default(),
    });
    if let Some(line) = input.line {
        told["line"] = json!(line);
    }
    told
}
