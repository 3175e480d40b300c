//! The binary: the command line, an exit code.
//!
//! In: arguments. Out: an exit code. Must not: hold logic.

use std::process::ExitCode;

fn main() -> ExitCode {
    musterout::main()
}
