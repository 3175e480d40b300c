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
    /// Keep checking for this time, such as 30m or 8h; at most 7 days [default: check each action once]
    #[arg(long = "for", value_name = "TIME", value_parser = patience)]
    pub within: Option<Duration>,
    /// Report file [default: the run's own report]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Format of the result on stdout
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
    /// After sending, check accepted actions until they have completed, for at most this time, such as 30m or 8h
    #[arg(long, value_name = "TIME", value_parser = patience)]
    pub verify: Option<Duration>,
}

/// How long somebody may want to wait.
fn patience(text: &str) -> Result<Duration, String> {
    let time: SignedDuration = text.parse().map_err(|_| "write a time such as 30m or 8h".to_owned())?;
    let range = SignedDuration::from_secs(1)..=SignedDuration::from_hours(24 * 7);
    let time = range.contains(&time).then_some(time).ok_or_else(|| "must be between 1s and 168h".to_owned())?;
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
