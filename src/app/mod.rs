//! Builds everything from settings, runs it, and stops it in order.

mod gateway;
mod materials;

pub use gateway::{Built, Faulty, Gateway, build, start};
pub use materials::{Engine, Materials, Mishap};
