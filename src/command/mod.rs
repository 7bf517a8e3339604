//! The command line: one module for each command.
//!
//! Exit codes: 0 fine, 1 found something, 2 could not run. Colour only on terminals; `--json` for machines.

mod check;
mod deliveries;
pub mod demo;
mod draw;
mod input;
mod map;
mod packages;
mod progress;
mod serve;
mod site;
mod tell;
mod test;
pub mod twin;
mod validate;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

use tell::out;

/// Found nothing wrong.
const FINE: u8 = 0;
/// Ran, and found something.
const FOUND: u8 = 1;
/// Could not run.
const COULD_NOT_RUN: u8 = 2;

const AFTER_HELP: &str = "\
New here? `stile demo` plays the whole story on this machine: an appointment, a broken one, a \
patient's cancellation and a follow-up booking, delivered to a stand-in for a trust's PAS.

Exit codes: 0 fine, 1 found something, 2 could not run.";

/// The gateway between patient portals and the systems that hold NHS waiting lists.
#[derive(Debug, Parser)]
#[command(name = "stile", version, about, after_help = AFTER_HELP, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    Serve(serve::Args),
    /// Play the whole story on this machine: gateway, a stand-in for a PAS, a portal.
    Demo(demo::Args),
    /// Run a stand-in for a trust's PAS, to test a portal or a gateway against.
    Twin(twin::Args),
    /// Judge settings, definitions and mappings without starting anything.
    Check(check::Args),
    /// Judge FHIR resources against R4 and profiles, as the gateway does before it maps them.
    Validate(validate::Args),
    /// Show what a mapping makes of a resource.
    Map(map::Args),
    /// Run the manuals of mappings, which are their tests.
    Test(test::Args),
    /// See what is on its way downstream, and send again what is stuck.
    Deliveries(deliveries::Args),
    /// See and change what definitions the gateway judges by.
    Packages(packages::Args),
}

/// Runs the command that the command line names.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap's own: help goes to standard output with 0, faults to standard error with 2.
            let code = error.exit_code();
            let _ = error.print();
            return ExitCode::from(u8::try_from(code).unwrap_or(COULD_NOT_RUN));
        }
    };
    let code = match arguments.command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => return demo::run(&args, start_for_demo),
        Command::Twin(args) => return twin::run(args),
        Command::Check(args) => check::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Map(args) => map::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Deliveries(args) => deliveries::run(&args),
        Command::Packages(args) => packages::run(&args),
    };
    ExitCode::from(code)
}

/// Starts the gateway that the demonstration asks for, with its settings read as `stile serve` reads them.
async fn start_for_demo(plan: demo::Plan) -> Result<demo::Gateway, String> {
    let settings = site::load(Some(("stile.toml", &plan.settings)), std::iter::empty())
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let metrics =
        crate::telemetry::start(settings.log.format, &settings.log.filter).map_err(|cause| cause.to_string())?;
    let gateway = crate::app::start(&settings, Some(metrics)).await.map_err(|faults| faults.to_string())?;
    let base = format!("http://{}", gateway.address());
    Ok(demo::Gateway { base, stop: Box::pin(gateway.stop()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn no_example_of_the_help_breaks_at_a_hundred_columns_and_no_paragraph_is_wrapped_twice() {
        for command in Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = help.lines().collect();
            for line in lines.iter().filter(|line| line.starts_with("  ")) {
                assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
            }
            for pair in lines.windows(2) {
                let is_text = pair.iter().all(|line| line.starts_with(char::is_alphanumeric));
                assert!(!is_text, "{}: two lines of one paragraph: {pair:?}", command.get_name());
            }
        }
    }
}
