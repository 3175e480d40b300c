//! Log lines on stderr.
//!
//! In: `-v` and `--log-format`. Out: a global subscriber. Must not: let other crates log: what they write about
//! requests is not known to be free of secrets.

use tracing_subscriber::EnvFilter;

use super::args::{Arguments, LogFormat};
use crate::ui::stderr::Stderr;

pub fn start(arguments: &Arguments, stderr: &Stderr) {
    let level = match arguments.verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::new(format!("off,musterout={level}"));
    let writer = stderr.clone();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || writer.clone());
    // A subscriber that is set already (by a test) stays.
    let _ = match arguments.log_format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_ansi(stderr.styled()).with_target(false).try_init(),
    };
}
