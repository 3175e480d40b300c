//! Speed, as ratios: every figure is measured beside a yardstick in the same run on the same machine.
//!
//! `cargo bench` runs all parts, `cargo bench -- idle start` some. A missed target is shown, and is no error. One
//! program for all of them, because linking is what takes longest in a bench.
//!
//! It starts itself once more to run a child, because a process learns what its children used only as a sum over all of
//! them.

mod alternatives;
mod files;
mod idle;
mod journal;
mod measure;
mod preview;
mod resolve;
mod runner;
mod server;
mod start;
mod table;
mod throughput;

use std::process::ExitCode;

use files::{ACTION, Scratch, TOKEN, device, jobs};
use measure::{Job, Used, accepted, cpu_of_this_process, on_its_own};
use server::Server;
use table::{Table, Target, mebibytes, median, micros, millis, per_second};

/// Whatever goes wrong ends a part with its message.
type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// The program under test.
const MUSTEROUT: &str = env!("CARGO_BIN_EXE_musterout");

/// A name, and what it measures and prints.
type Part = (&'static str, fn() -> Fallible<()>);

const PARTS: [Part; 8] = [
    ("start", start::bench),
    ("runner", runner::bench),
    ("preview", preview::bench),
    ("resolve", resolve::bench),
    ("idle", idle::bench),
    ("journal", journal::bench),
    ("throughput", throughput::bench),
    ("alternatives", alternatives::bench),
];

fn main() -> ExitCode {
    if let Some(code) = measure::become_measurer() {
        return code;
    }
    // cargo says `--bench`; everything else are names of parts.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let known = |name: &String| PARTS.iter().any(|(part, _)| part == name);
    if let Some(stranger) = wanted.iter().find(|name| !known(name)) {
        eprintln!("there is no part `{stranger}`; there are {}", PARTS.map(|(name, _)| name).join(", "));
        return ExitCode::FAILURE;
    }
    let mut code = ExitCode::SUCCESS;
    for (name, bench) in PARTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|part| part == name)) {
        if let Err(error) = bench() {
            eprintln!("{name}: {error}");
            code = ExitCode::FAILURE;
        }
    }
    code
}
