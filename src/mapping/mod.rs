//! Mapping files: what turns FHIR into the canonical waiting list, and back.

mod problem;
mod schema;
mod target;
mod yaml;
