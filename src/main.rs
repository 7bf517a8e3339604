//! Hands the command line to `stile::command`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stile::command::main()
}
