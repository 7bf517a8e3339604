//! The command line: one module for each command.

pub mod demo;
pub mod twin;
