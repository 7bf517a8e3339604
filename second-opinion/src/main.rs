//! What other engines say of the same inputs: `second-opinion fhirpath`, `second-opinion validate`; and what it costs
//! each: `second-opinion speed`.
//!
//! Each subject is a module that runs both engines and a page beside it (`fhirpath.md`, `validator.md`) that lists what
//! they disagree about, who is right and why. A run tells what is not on the page, and what is there and no longer so;
//! both fail it.

mod faults;
mod fhirpath;
mod material;
mod other;
mod page;
mod speed;
mod validate;

use std::path::PathBuf;
use std::process::ExitCode;

/// The folder of the project.
fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("fhirpath") => page::hold("fhirpath.md", &fhirpath::disagreements()),
        Some("validate") => page::hold("validator.md", &validate::disagreements()),
        Some("speed") => {
            speed::print();
            ExitCode::SUCCESS
        }
        Some(_) | None => {
            eprintln!("say what to compare: fhirpath, validate, speed");
            ExitCode::from(2)
        }
    }
}
