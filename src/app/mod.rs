//! Builds everything from settings, runs it, and stops it in order.

mod gateway;
mod materials;
mod packages;

pub use gateway::{Built, Faulty, Gateway, build, start};
pub use materials::{Engine, Materials, Mishap};
pub use packages::{Arrival, Difference, Found, LOCK_FILE, Lock, Locked, read_package, read_site};
