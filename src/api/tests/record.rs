//! What is written down about a request, and what is not.

use super::*;

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Kept(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[actix_web::test]
async fn a_request_is_written_down_by_its_route_and_no_patient_is() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let kept = Kept::default();
    let writer = kept.clone();
    let log =
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let _log = tracing::subscriber::set_default(log.finish());
    // While there is one subscriber only, tracing asks the thread that meets an event first whether anybody listens, and
    // remembers its answer; other tests' threads would answer for this one. A second subscriber makes it ask all.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    for uri in [
        format!("/fhir/Appointment?patient:identifier={CANARY}"),
        format!("/fhir/Appointment?status={CANARY}&{CANARY}=1"),
        format!("/fhir/Appointment/{CANARY}?_format={CANARY}"),
        format!("/fhir/{CANARY}/{CANARY}"),
        format!("/waiting-list/entries/{CANARY}"),
        format!("/waiting-list/entries?patient:identifier=x|{CANARY}"),
        format!("/{CANARY}?{CANARY}"),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let body = APPOINTMENT.replace("booked", CANARY);
            let request = with_body(method, &uri, "application/fhir+json", body)
                .insert_header(("x-correlation-id", CANARY))
                .insert_header(("x-request-id", CANARY))
                .insert_header(("accept", format!("application/json;x={CANARY}")));
            let answer = send(&state, request).await;
            assert!(answer.status.is_success() || !answer.body.contains(CANARY), "{}", answer.body);
        }
    }
    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let metrics = metrics.render();
    assert!(!log.contains(CANARY), "{log}");
    assert!(!metrics.contains(CANARY), "{metrics}");
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<&Value> =
        events.iter().map(|event| &event["fields"]).filter(|fields| fields["message"] == "request").collect();
    assert_eq!(requests.len(), 21);
    let first = requests[0];
    assert_eq!(first["route"], "/fhir/Appointment");
    assert_eq!((&first["method"], &first["status"], &first["caller"]), (&json!("GET"), &json!(200), &json!("portal")));
    assert!(first["duration_ms"].as_f64().unwrap() > 0.0 && first["bytes_out"].as_u64().unwrap() > 50);
    assert_eq!(requests[18]["route"], "unmatched");
    assert!(
        metrics.contains("stile_http_requests_total{route=\"/fhir/Appointment\",method=\"GET\",status=\"200\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("stile_http_request_duration_seconds"), "{metrics}");
}
