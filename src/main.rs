//! The binary: a runtime, the command line, an exit code.
//!
//! In: arguments. Out: an exit code. Must not: hold logic.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(musterout::cli::main()),
        Err(error) => {
            musterout::cli::complain(&format!("the runtime could not be started: {error}"));
            ExitCode::FAILURE
        }
    }
}
