//! The program as a site runs it: a process of its own, its exit codes, its end by signal and by force.

mod commands;
mod killed;
mod packages;
mod process;
mod serving;
mod validate;
#[path = "../it/wire.rs"]
mod wire;
