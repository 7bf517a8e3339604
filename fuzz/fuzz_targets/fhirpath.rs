//! Any text as FHIRPath: compiled or refused without a panic, and run over a small resource within its bound of steps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stile::document::Document;
use stile::fhirpath::{Context, Scope, compile};

fuzz_target!(|text: &str| {
    let Ok(expression) = compile(text, &Scope::new()) else { return };
    let resource = appointment();
    let document = Document::from_value(&resource);
    let context = Context::new(document.root()).steps_max(10_000);
    let _ = expression.evaluate(document.root(), &context);
    let _ = expression.paths();
});

fn appointment() -> serde_json::Value {
    serde_json::json!({
        "resourceType": "Appointment", "id": "a", "status": "booked", "start": "2026-02-01T09:00:00Z", "priority": 5,
        "participant": [{"actor": {"reference": "Patient/1"}, "status": "accepted"}, {"status": "tentative"}],
        "requestedPeriod": [{"start": "2026-02", "end": "2026-03"}]
    })
}
