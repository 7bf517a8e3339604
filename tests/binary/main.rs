//! The program as a site runs it: a process of its own, its exit codes, its end by signal and by force.

mod commands;
mod killed;
mod process;
mod serving;
#[path = "../it/wire.rs"]
mod wire;
