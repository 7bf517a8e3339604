//! `stile serve`: run the gateway.

use super::{COULD_NOT_RUN, FINE, out, site, tell};
use crate::{app, settings, telemetry};

const EXAMPLES: &str = "\
Examples:
  stile serve                                   on 127.0.0.1:8080, with nobody allowed in yet
  stile serve --print-settings > stile.toml     every setting with its meaning; keep what you change
  stile serve --settings stile.toml
  STILE__SERVER__LISTEN=0.0.0.0:8080 stile serve --settings stile.toml";

/// Run the gateway until it is told to stop (Ctrl-C, SIGTERM).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Print the compiled-in settings with their explanations, and stop.
    #[arg(long)]
    print_settings: bool,
    #[command(flatten)]
    site: site::SiteArgs,
}

pub fn run(args: &Args) -> u8 {
    if args.print_settings {
        out!("{}", settings::DEFAULTS.trim_end());
        return FINE;
    }
    let Some(settings) = site::settings(&args.site) else { return COULD_NOT_RUN };
    let metrics = match telemetry::start(settings.log.format, &settings.log.filter) {
        Ok(metrics) => metrics,
        Err(cause) => {
            tell::fault(&cause.to_string());
            return COULD_NOT_RUN;
        }
    };
    actix_web::rt::System::new().block_on(async {
        let gateway = match app::start(&settings, Some(metrics)).await {
            Ok(gateway) => gateway,
            Err(faults) => {
                tell::fault(&faults.to_string());
                return COULD_NOT_RUN;
            }
        };
        tracing::info!(address = %gateway.address(), "listening");
        for warning in &settings.warnings {
            tracing::warn!(%warning, "settings");
        }
        stopped().await;
        tracing::info!("stopping: requests and deliveries under way are finished first");
        gateway.stop().await;
        FINE
    })
}

/// Until the process is asked to stop.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
