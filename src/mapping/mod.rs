//! Mapping files: what turns FHIR into the canonical waiting list, and back.
//!
//! A mapping is one YAML file of rules, each a target path with a recipe; beside it stands a Markdown manual of the
//! same name, which is its test. Everything is compiled at start by [`Library::compile`], which tells all faults of
//! all files at once. Running never fails: what is wrong with the input becomes an [`Issue`](crate::issue::Issue) at
//! its place.

mod compile;
mod convert;
mod expressions;
mod header;
mod left_behind;
mod library;
pub mod manual;
mod outcome;
mod plan;
mod problem;
mod recipes;
mod run;
mod schema;
mod shape;
mod slots;
mod target;
mod trace;
mod variables;
mod yaml;
mod yield_one;

pub use library::{Library, Source};
pub use outcome::{Outcome, Traced, TracedRow};
pub use plan::{Makes, Mapping, Reads};
pub use problem::{Mark, Problem};
pub use variables::Variables;
