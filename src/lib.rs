//! Stile: an interoperability gateway for NHS elective care.
//!
//! The modules stand in layers, innermost first, separated by blank lines. A module may name the groups above its
//! own, and itself; never a sibling, never an outer group. `tests/tidy.rs` checks it.

pub mod issue;

pub mod document;
pub mod model;

pub mod fhir;

pub mod access;
pub mod delivery;

pub mod error;

pub mod downstream;

pub mod enquiry;
pub mod intake;

pub mod twin;

pub mod command;
