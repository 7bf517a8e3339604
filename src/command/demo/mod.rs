//! `stile demo`: the main job, shown to someone who has never seen it.

mod cast;
mod plan;
mod portal;
mod story;
mod teller;

pub use plan::Plan;

use crate::twin::{Twin, TwinSettings};
use cast::{Cast, ORGANISATION, PAS_SYSTEM, PATIENT};
use jiff::Timestamp;
use plan::Keys;
use portal::Portal;
use std::io::Write;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use story::{STEPS, Stage};
use teller::Teller;

/// How long the twin takes to answer: long enough to see a request pending, short enough to wait for.
const ANSWER_AFTER_MS: u64 = 1_200;
/// How long the story waits for something that takes its way through the twin, in milliseconds.
const WAIT_MS_MAX: u64 = 30_000;

const LONG_ABOUT: &str = "\
Starts a gateway with its store in a new folder and a twin (a stand-in for a trust's PAS), each on a free port of this \
machine, and plays a story through them over HTTP: an appointment comes in, a broken one is refused, a referral makes \
a place on the waiting list, a patient cancels, a follow-up is booked. Each step is checked as it is told.

Afterwards both keep listening, so that you can try requests of your own; Ctrl-C stops them. People, numbers and the \
trust in the story are synthetic.";

const EXAMPLES: &str = "\
Examples:
  stile demo                        play the story, then keep listening until Ctrl-C
  stile demo --exit                 end after the story; exit code 0 when every step went as told
  stile demo --port 8080 --data d   the gateway at port 8080, its store in the folder d

Exit codes: 0 the story went as told, 1 a step did not, 2 something could not be started, 130 interrupted during it.";

/// Show the whole path at work: a gateway, a twin of a PAS, and a story played through them
#[derive(Debug, Clone, clap::Args)]
#[command(long_about = LONG_ABOUT, after_help = EXAMPLES)]
pub struct Args {
    /// End after the story; without it both keep listening
    #[arg(long)]
    pub exit: bool,
    /// Port of the gateway on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// Folder for the gateway's store and settings; by default a new one under ./stile-data
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// A gateway that was started for the demonstration.
pub struct Gateway {
    /// Where it listens, without `/fhir`, for example `http://127.0.0.1:41733`.
    pub base: String,
    /// Stops it in order, when awaited.
    pub stop: Pin<Box<dyn Future<Output = ()>>>,
}

/// Why a demonstration ended before it should.
enum Ended {
    /// Something could not be started.
    NotStarted(String),
    /// A step did not go as told.
    NotAsTold(String),
    /// Ctrl-C.
    Interrupted,
}

/// Runs the demonstration. `start` starts a gateway with the settings of the plan and says where it listens; an error
/// of it is told as it is.
pub fn run(args: &Args, start: impl AsyncFnOnce(Plan) -> Result<Gateway, String>) -> ExitCode {
    let is_unicode = teller::shows_unicode(|name| std::env::var(name).ok());
    let mut teller = Teller::new(anstream::stdout(), is_unicode, STEPS);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => {
            teller.fails(&format!("no runtime can be made: {fault}"));
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(show(args, start, &mut teller)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ended::NotStarted(why)) => {
            teller.fails(&format!("The demonstration could not be started: {why}"));
            ExitCode::from(2)
        }
        Err(Ended::NotAsTold(why)) => {
            let step = teller.step();
            teller.fails(&format!("Step {step} did not go as told: {why}"));
            ExitCode::FAILURE
        }
        Err(Ended::Interrupted) => ExitCode::from(130),
    }
}

/// Starts twin and gateway, plays, listens on, stops.
async fn show<W: Write>(
    args: &Args,
    start: impl AsyncFnOnce(Plan) -> Result<Gateway, String>,
    teller: &mut Teller<W>,
) -> Result<(), Ended> {
    let now = Timestamp::now();
    let folder = make_folder(args.data.clone(), now).map_err(Ended::NotStarted)?;
    // Seven digits of the clock: a number that no run of the last hundred days on the same store has used.
    let number = 1_000_000 + now.as_second().unsigned_abs() % 8_999_999;
    let keys = Keys::fresh();
    let settings = TwinSettings {
        listen: "127.0.0.1:0".into(),
        gateway: None,
        key: None,
        organisation: ORGANISATION.into(),
        pas_appointment_system: PAS_SYSTEM.into(),
        answer_after_ms: ANSWER_AFTER_MS,
        first_number: number + 1,
    };
    let mut twin = crate::twin::start(settings).await.map_err(|fault| Ended::NotStarted(fault.to_string()))?;
    let plan = plan::plan(folder.clone(), args.port, &twin.base(), &keys);
    let file = folder.join("stile.toml");
    let written = std::fs::write(&file, &plan.settings);
    let started = match written {
        Ok(()) => start(plan).await,
        Err(fault) => Err(format!("{} cannot be written: {fault}", file.display())),
    };
    let gateway = match started {
        Ok(gateway) => gateway,
        Err(why) => {
            twin.stop().await;
            return Err(Ended::NotStarted(why));
        }
    };
    let trust = format!("a stand-in for the PAS of {ORGANISATION}, a made-up trust");
    for line in [
        format!("Gateway  {}", gateway.base),
        format!("Twin     {}, {trust}", twin.base()),
        format!("Folder   {}, with store and settings", folder.display()),
    ] {
        teller.verbatim(&line);
    }
    let base = gateway.base.clone();
    let ended = tokio::select! {
        ended = perform(&base, &mut twin, &keys, number, args.exit, teller) => ended,
        _ = tokio::signal::ctrl_c() => Err(Ended::Interrupted),
    };
    let ended = match ended {
        // Outside the select: here Ctrl-C is the way that was told, not an interruption.
        Ok(()) if !args.exit => {
            tokio::signal::ctrl_c().await.map_err(|fault| Ended::NotStarted(format!("Ctrl-C cannot be heard: {fault}")))
        }
        ended => ended,
    };
    gateway.stop.await;
    twin.stop().await;
    ended
}

/// Plays the story, then says what to try unless it is to exit.
async fn perform<W: Write>(
    base: &str,
    twin: &mut Twin,
    keys: &Keys,
    number: u64,
    exit: bool,
    teller: &mut Teller<W>,
) -> Result<(), Ended> {
    let not_started = |why: String| Ended::NotStarted(why);
    twin.connect(base, Some(&keys.twin)).map_err(|fault| not_started(fault.to_string()))?;
    let cast = Cast::new(Timestamp::now(), &format!("{number:x}"), number)
        .map_err(|fault| not_started(format!("the clock of this machine is out of range: {fault}")))?;
    let portal = Portal::new(base, &keys.portal).map_err(not_started)?;
    Stage { portal, twin, teller, cast: &cast, wait_ms_max: WAIT_MS_MAX }.play().await.map_err(Ended::NotAsTold)?;
    teller.gap();
    teller.say("That was the whole path, and every step went as told.");
    if exit {
        return Ok(());
    }
    teller.say("Both keep listening. To look around, copy one of these:");
    teller.verbatim(&to_try(base, twin, keys, &cast));
    teller.say("Ctrl-C stops them.");
    Ok(())
}

/// Commands that work as they stand, until the demonstration stops.
fn to_try(base: &str, twin: &Twin, keys: &Keys, cast: &Cast) -> String {
    let (appointment, booking, referral) = (cast.get("appointment"), cast.get("booking"), cast.get("referral"));
    let ledger = format!("http://{}/twin/ledger", twin.address());
    format!(
        r#"
KEY={key}
curl -s -H "Authorization: Bearer $KEY" {base}/fhir/Appointment/{appointment}
curl -s -H "Authorization: Bearer $KEY" -H 'Accept: application/fhir+xml' {base}/fhir/Task/{booking}
curl -s -H "Authorization: Bearer $KEY" {base}/waiting-list/entries/{referral}
curl -s -H "Authorization: Bearer $KEY" -G {base}/fhir/Appointment \
     --data-urlencode 'patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{PATIENT}'
curl -s -H "Authorization: Bearer $KEY" -H 'Content-Type: application/fhir+json' \
     -d '{{"resourceType":"Appointment","staus":"booked"}}' '{base}/fhir/Appointment/$validate'
curl -s {base}/fhir/metadata
curl -s {ledger}

"#,
        key = keys.portal.reveal(),
    )
}

/// Makes the folder: the one that was named, or a new one that says when.
fn make_folder(named: Option<PathBuf>, now: Timestamp) -> Result<PathBuf, String> {
    let folder = named.unwrap_or_else(|| {
        let zoned = now.to_zoned(jiff::tz::TimeZone::system());
        PathBuf::from("stile-data").join(zoned.strftime("demo-%Y%m%d-%H%M%S").to_string())
    });
    let why = |fault: std::io::Error| format!("the folder {} cannot be made: {fault}", folder.display());
    std::fs::create_dir_all(&folder).map_err(why)?;
    std::path::absolute(&folder).map_err(why)
}

#[cfg(test)]
mod tests;
