//! Carrying a rendered message to a downstream and bringing back what its answer means.
//!
//! An adapter knows one wire. It makes one try and says what came of it in the wire-free words of
//! [`crate::delivery::Answer`]; when to try again is decided elsewhere. A message keeps its bytes and its identity on
//! every try, and an adapter sends nothing that a receiver could not recognise as the same on the second try: a lost
//! answer must never make a second booking.

mod address;
mod fhir_rest;
mod identity;
mod outcome;
mod reply;
mod secret;

pub use fhir_rest::{FaultyDownstream, FhirRest, FhirRestSettings};
pub use secret::Secret;

/// Gives rustls its cryptography (ring, so that a C compiler is all that a fresh machine needs). Called before any
/// client is built; the second call and those after it change nothing.
pub fn install_cryptography() {
    // An error says that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
