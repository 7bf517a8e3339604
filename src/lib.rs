//! Stile: an interoperability gateway for NHS elective care.
//!
//! The modules stand in layers, innermost first, separated by blank lines. A module may name the groups above its
//! own, and itself; never a sibling, never an outer group. `tests/tidy.rs` checks it.

pub mod issue;

pub mod document;
pub mod model;

pub mod fhir;

pub mod fhirpath;
pub mod terminology;

pub mod national;
pub mod profile;

pub mod mapping;

pub mod access;
pub mod delivery;
pub mod ledger;

pub mod error;

pub mod downstream;
pub mod store;

pub mod dispatch;
pub mod enquiry;
pub mod intake;

pub mod api;
pub mod telemetry;
pub mod twin;

pub mod settings;

pub mod app;

pub mod command;
