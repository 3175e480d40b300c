//! `verify`: what can be typed after it, and how long accepted actions are followed up.
//!
//! In: arguments. Out: a call of the verb, and what came of it on stdout. Must not: hold logic of its own.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use super::ended::ended;
use super::environment::{environment, now};
use super::exit::Exit;
use super::failure::Failure;
use super::form::PlainForm;
use super::place::{HostArguments, StateArguments};
use crate::ops::{self, VerifyRequest};
use crate::ui::stderr::Stderr;

#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// The run: its id, or the beginning of it; `latest` is the newest
    #[arg(default_value = "latest")]
    pub run: String,
    /// Go on looking for so long, such as 30m or 8h, 7 days at most [default: look once at each]
    #[arg(long = "for", value_name = "TIME", value_parser = patience)]
    pub within: Option<Duration>,
    /// Where the report goes [default: where the run's own report is]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How the result is written to stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
    #[command(flatten)]
    pub hosts: HostArguments,
    #[command(flatten)]
    pub state: StateArguments,
}

/// `--verify` of the verbs that send.
#[derive(Debug, Clone, Args)]
pub(super) struct FollowUpArguments {
    /// Then follow up what was accepted until it has happened, for so long, such as 30m or 8h: as `verify --for` does
    #[arg(long, value_name = "TIME", value_parser = patience)]
    pub verify: Option<Duration>,
}

/// How long somebody may want to wait.
fn patience(text: &str) -> Result<Duration, String> {
    let time: SignedDuration = text.parse().map_err(|_| "write a time such as 30m or 8h".to_owned())?;
    let range = SignedDuration::from_secs(1)..=SignedDuration::from_hours(24 * 7);
    let time = range.contains(&time).then_some(time).ok_or_else(|| "between 1s and 168h".to_owned())?;
    Duration::try_from(time).map_err(|error| error.to_string())
}

pub(super) async fn verify(arguments: VerifyArguments, stderr: &Stderr) -> Result<Exit, Failure> {
    let flags = arguments.hosts.flags(&arguments.state);
    let request = VerifyRequest {
        run: arguments.run,
        within: arguments.within.unwrap_or_default(),
        in_process: None,
        report: arguments.report,
        now: now(),
        seed: fastrand::u64(..),
    };
    let finished = ops::verify(request, &flags, &environment()?, stderr).await?;
    ended(&finished, arguments.form.into(), stderr)
}
