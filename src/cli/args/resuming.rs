//! What can be typed after `resume`.
//!
//! In: nothing. Out: clap definitions. Must not: read the environment, or validate what `ops` judges.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::cli::form::PlainForm;
use crate::cli::number::number;
use crate::cli::place::{HostArguments, PolicyArguments, StateArguments};
use crate::cli::verify::FollowUpArguments;
use crate::journal::resume::Only;
use crate::plan;
use crate::settings::Flags;

#[derive(Debug, Args)]
pub(in crate::cli) struct ResumeArguments {
    /// The run: its id or the beginning of it; `latest` is the newest run with open rows
    #[arg(default_value = "latest")]
    pub(in crate::cli) run: String,
    /// Confirm in advance that exactly N jobs are left. Without a terminal, this is needed if RUN is not named, if the run began
    /// more than a day ago, or if rows would be sent that were held at first
    #[arg(long, value_name = "N", value_parser = number)]
    pub(in crate::cli) confirm: Option<u32>,
    /// Resume only jobs with this status
    #[arg(long, value_enum, value_name = "STATUS")]
    pub(in crate::cli) only: Option<OnlyClass>,
    /// File approval requests again that expired before they were approved
    #[arg(long, conflicts_with = "only")]
    pub(in crate::cli) refile: bool,
    /// Continue with what was agreed to, even if the plan file is gone or has faults
    #[arg(long)]
    pub(in crate::cli) as_agreed: bool,
    /// The reason for the change, which approvers see from now on [default: the one the run began with]
    #[arg(long, value_name = "TEXT", value_parser = plan::justification)]
    pub(in crate::cli) justification: Option<String>,
    /// Keep running until no row waits for an approval or a daily limit
    #[arg(long)]
    pub(in crate::cli) wait: bool,
    /// Stop sending at this time, such as 2026-12-01T06:00:00+01:00, and end the run; `resume` continues it later
    #[arg(long, value_name = "TIME", conflicts_with = "wait", value_parser = plan::not_before)]
    pub(in crate::cli) until: Option<Timestamp>,
    #[command(flatten)]
    pub(in crate::cli) follow_up: FollowUpArguments,
    /// Report file [default: the run's own report]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) report: Option<PathBuf>,
    /// Format of the result on stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub(in crate::cli) form: PlainForm,
    #[command(flatten)]
    pub(in crate::cli) policy: PolicyArguments,
    #[command(flatten)]
    pub(in crate::cli) hosts: HostArguments,
    #[command(flatten)]
    pub(in crate::cli) state: StateArguments,
}

impl ResumeArguments {
    pub(in crate::cli) fn flags(&self) -> Flags {
        self.hosts.flags(&self.state)
    }
}

/// A class of jobs, by how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum OnlyClass {
    Failed,
    Unknown,
    NotAttempted,
}

impl OnlyClass {
    pub(in crate::cli) fn only(class: Option<Self>) -> Only {
        match class {
            None => Only::Open,
            Some(Self::Failed) => Only::Failed,
            Some(Self::Unknown) => Only::Unknown,
            Some(Self::NotAttempted) => Only::NotAttempted,
        }
    }
}
