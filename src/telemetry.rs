//! What the gateway tells about itself: a log on standard error, and metrics. Neither holds patients' data: what is
//! recorded is named where it is recorded, and a panic's own words are not, since they may quote a value.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;
use std::io;
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, layer::SubscriberExt};

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object on a line, for collectors.
    Json,
}

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The filter is not one.
    #[error("log.filter cannot be read: {0}")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// Something else in this process logs already.
    #[error("the log was started before: {0}")]
    Log(#[source] tracing_subscriber::util::TryInitError),
    /// Something else in this process records metrics already, or could not be set up.
    #[error("metrics could not start: {0}")]
    Metrics(String),
}

/// Seconds between clearing of what histograms hold: without it they grow for as long as nobody reads `/metrics`.
const UPKEEP_SECONDS: u64 = 5;

/// Upper bounds in seconds of the buckets of every `…_seconds` histogram. 0.4 and 9 are the Patient Care
/// Aggregator's figures: its 95th percentile and its patience.
const BUCKETS_SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 1.0, 2.5, 5.0, 9.0];

/// Starts the log of this process on standard error, says panics in our own form, and records metrics. Once only.
pub fn start(format: LogFormat, filter: &str) -> Result<PrometheusHandle, Failure> {
    subscriber(format, filter, io::stderr)?.try_init().map_err(Failure::Log)?;
    tell_panics_by_place();
    let recorder = recorder()?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|error| Failure::Metrics(error.to_string()))?;
    let kept = handle.clone();
    std::thread::Builder::new()
        .name("metrics-upkeep".into())
        .spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(UPKEEP_SECONDS));
                kept.run_upkeep();
            }
        })
        .map_err(|error| Failure::Metrics(error.to_string()))?;
    Ok(handle)
}

/// The log as it is written to `writer`.
pub fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, Failure>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).map_err(Failure::Filter)?;
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let registry = Registry::default().with(filter);
    Ok(match format {
        LogFormat::Text => {
            // Colour only where a person looks.
            let ansi = std::io::IsTerminal::is_terminal(&io::stderr()) && std::env::var_os("NO_COLOR").is_none();
            Box::new(registry.with(layer.with_ansi(ansi)))
        }
        LogFormat::Json => Box::new(registry.with(layer.json().flatten_event(true).with_current_span(false))),
    })
}

/// A recorder of metrics with our buckets.
pub fn recorder() -> Result<metrics_exporter_prometheus::PrometheusRecorder, Failure> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS_SECONDS)
        .map_err(|error| Failure::Metrics(error.to_string()))?;
    Ok(builder.build_recorder())
}

/// From now on a panic is one event that says where it was and not what it said: `expect` and `assert` quote values.
fn tell_panics_by_place() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        tracing::error!(place, "panic");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(format: LogFormat, filter: &str, events: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = subscriber(format, filter, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            // With one subscriber only, other tests' threads would decide whether these events are seen.
            let _second = tracing::Dispatch::new(Registry::default());
            events();
        });
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_collector_gets_one_json_object_on_a_line() {
        let text = log(LogFormat::Json, "info", || {
            tracing::info!(status = 201, "request");
            tracing::debug!("unseen");
        });
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((event["status"].as_u64(), event["message"].as_str()), (Some(201), Some("request")));
    }

    #[test]
    fn a_person_gets_a_line_and_the_filter_is_kept() {
        let text = log(LogFormat::Text, "warn,stile::telemetry=debug", || {
            tracing::debug!(attempt = 2, "seen");
            tracing::info!(target: "elsewhere", "unseen");
        });
        assert!(text.contains("seen") && text.contains("attempt=2") && !text.contains("unseen"), "{text}");
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        assert!(matches!(subscriber(LogFormat::Text, "info,=,[", io::stderr), Err(Failure::Filter(_))));
    }

    #[test]
    fn durations_are_counted_in_buckets() {
        let recorder = recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || metrics::histogram!("stile_test_seconds").record(0.3));
        let text = handle.render();
        assert!(text.contains("stile_test_seconds_bucket{le=\"0.2\"} 0"), "{text}");
        assert!(text.contains("stile_test_seconds_bucket{le=\"0.4\"} 1"), "{text}");
    }
}
