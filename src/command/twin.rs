//! `stile twin`: a stand-in for a trust's PAS, on its own.

use crate::downstream::Secret;
use crate::twin::{TwinSettings, start};
use std::process::ExitCode;

const LONG_ABOUT: &str = "\
Runs a twin: a small stateful stand-in for a trust's PAS with a FHIR REST interface, to try a gateway against \
without a hospital.

It keeps a diary in memory. It takes Appointments (POST /fhir/Appointment: kept as they come, or booked when they are \
the proposal of a PIFU booking) and change requests (POST /fhir/Task: cancel, reschedule, confirm-attendance), applies \
each once however often it comes, and then calls the gateway back with the appointment as it stands. \
GET /twin/ledger tells in order what it received and did.";

const EXAMPLES: &str = "\
Examples:
  A twin that answers at port 9090 and calls back the gateway on this machine:
    stile twin --listen 127.0.0.1:9090 --gateway http://127.0.0.1:8080 --key \"$TWIN_KEY\"

  Put an appointment into its diary, and see what it did with what it was sent:
    curl -X POST http://127.0.0.1:9090/fhir/Appointment -d @appointment.json
    curl http://127.0.0.1:9090/twin/ledger

  The gateway's settings then need the twin as a downstream and as a caller:
    [downstreams.trust-pas]  base = \"http://127.0.0.1:9090/fhir\", allow_private = true
    [callers.trust-pas]      key_sha256 of the key, and a sender with is_pas = true";

/// Run a stand-in for a trust's PAS
#[derive(Debug, Clone, clap::Args)]
#[command(long_about = LONG_ABOUT, after_help = EXAMPLES)]
pub struct Args {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9090")]
    pub listen: String,
    /// The gateway to call back, without /fhir; without one the twin calls nobody
    #[arg(long, value_name = "URL")]
    pub gateway: Option<String>,
    /// The key that the gateway knows the twin by; better by the environment, where `ps` does not show it
    #[arg(long, value_name = "KEY", env = "STILE_TWIN_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// ODS code of the organisation whose PAS it plays
    #[arg(long, value_name = "ODS", default_value = "RZZ99")]
    pub organisation: String,
    /// Identifier system of its appointment numbers
    #[arg(long, value_name = "URI", default_value = "https://pas.example.nhs.uk/appointment")]
    pub pas_appointment_system: String,
    /// Milliseconds between applying a request and calling the gateway back
    #[arg(long, value_name = "MS", default_value_t = 500)]
    pub answer_after_ms: u64,
    /// First number that it gives to an appointment it books; another one at each start when the gateway remembers
    #[arg(long, value_name = "NUMBER", default_value_t = 7_000_001)]
    pub first_number: u64,
}

/// Runs the twin until Ctrl-C. Exit code 2 when it cannot start.
pub fn run(args: Args) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return cannot(&fault),
    };
    runtime.block_on(async {
        let gateway = args.gateway.clone();
        let settings = TwinSettings {
            listen: args.listen,
            gateway: args.gateway,
            key: args.key.map(Secret::from),
            organisation: args.organisation,
            pas_appointment_system: args.pas_appointment_system,
            answer_after_ms: args.answer_after_ms,
            first_number: args.first_number,
        };
        let twin = match start(settings).await {
            Ok(twin) => twin,
            Err(fault) => return cannot(&fault),
        };
        anstream::println!("The twin listens at {}", twin.base());
        anstream::println!("What it received and did: http://{}/twin/ledger", twin.address());
        match gateway {
            Some(gateway) => anstream::println!("It calls back {gateway}. Ctrl-C stops it."),
            None => anstream::println!("It calls nobody back (no --gateway). Ctrl-C stops it."),
        }
        if let Err(fault) = tokio::signal::ctrl_c().await {
            return cannot(&fault);
        }
        twin.stop().await;
        ExitCode::SUCCESS
    })
}

fn cannot(fault: &dyn std::fmt::Display) -> ExitCode {
    anstream::eprintln!("stile twin: {fault}");
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Args as _;

    #[test]
    fn the_command_line_is_consistent_and_its_help_teaches() {
        let mut command = Args::augment_args(clap::Command::new("twin"));
        command.clone().debug_assert();
        let help = command.render_long_help().to_string();
        for word in ["/twin/ledger", "--gateway", "STILE_TWIN_KEY", "allow_private", "Examples:"] {
            assert!(help.contains(word), "{word} is not in {help}");
        }
    }
}
