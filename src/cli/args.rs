//! What can be typed.
//!
//! In: nothing. Out: clap definitions. Must not: read the environment (`settings` does), or validate what `ops` judges.

mod records;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use jiff::{SignedDuration, Timestamp};

pub(super) use self::records::{ReportArguments, RunsArguments};
use super::approvals::ApprovalsArguments;
use super::exit;
use super::form::{Form, PlainForm, ReportForm};
use super::pace::PaceArguments;
use super::place::{ConnectionArguments, HostArguments, LookUpArguments, PolicyArguments, StateArguments};
use super::stop::StopArguments;
use super::verify::{FollowUpArguments, VerifyArguments};
use crate::journal::resume::Only;
use crate::ops::{Again, Confirm, LONGEST_VALID, Repeats};
use crate::plan;
use crate::settings::Flags;

/// Bulk operations on Microsoft Graph and Intune from a plan file.
///
/// A plan (YAML or CSV) lists devices or users and what happens to them. `check` finds its faults, `preview` shows what
/// would be sent, `run` sends it and writes one report row for every row of the plan.
#[derive(Debug, Parser)]
#[command(name = "musterout", version, after_help = exit::table(), max_term_width = 110)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub verb: Verb,

    /// Log more: once for what happens, twice for every request
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,

    /// How log lines are written to stderr
    #[arg(long, value_enum, default_value_t, global = true, value_name = "FORM")]
    pub log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Validate a plan and all its files; no network
    Check(CheckArguments),
    /// Show every request that a run would send; reads only what has to be looked up, or what a saved preview says
    Preview(PreviewArguments),
    /// Compare two saved previews, or one with a plan: what was added, removed, changed, what drifted
    Diff(DiffArguments),
    /// Perform a plan or a saved preview, and write a report
    Run(RunArguments),
    /// Go on with a run that ended early
    Resume(ResumeArguments),
    /// Read what has become of what a run was told is accepted, and say what is confirmed, failed or still pending
    Verify(VerifyArguments),
    /// List the requests that wait for somebody's approval, look them up, or withdraw them
    Approvals(ApprovalsArguments),
    /// Stop a run that is under way in another terminal, as Ctrl-C there would
    Stop(StopArguments),
    /// Show the rows of a run as the journal has them, also while it runs and after a crash
    Report(ReportArguments),
    /// List, prune or export the runs in the journal
    Runs(RunsArguments),
    /// List the actions, or explain one
    Actions(ActionsArguments),
    /// Save the devices and users of a tenant, to look targets up in
    Inventory(InventoryArguments),
    /// Serve the simulated tenant on a loopback address
    Simulate(SimulateArguments),
}

impl Verb {
    /// How results and faults are shown.
    pub(super) fn form(&self) -> Form {
        match self {
            Self::Check(arguments) => arguments.form.into(),
            Self::Preview(arguments) => arguments.form,
            Self::Diff(arguments) => arguments.form.into(),
            Self::Run(arguments) => arguments.form,
            Self::Resume(arguments) => arguments.form.into(),
            Self::Verify(arguments) => arguments.form.into(),
            Self::Approvals(arguments) => arguments.form,
            Self::Stop(arguments) => arguments.form.into(),
            Self::Report(arguments) => match arguments.form {
                ReportForm::Csv => Form::Human,
                ReportForm::Json => Form::Json,
            },
            Self::Runs(arguments) => arguments.form.into(),
            Self::Actions(arguments) => arguments.form.into(),
            Self::Inventory(arguments) => arguments.form.into(),
            Self::Simulate(_) => Form::Human,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// The plan: a .yaml or .csv file, or a saved preview (.json)
    pub plan: PathBuf,
    /// How the result is written to stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
    #[command(flatten)]
    pub policy: PolicyArguments,
}

#[derive(Debug, Clone, Args)]
pub(super) struct PreviewArguments {
    /// The plan: a .yaml or .csv file, or a saved preview (.json)
    pub plan: PathBuf,
    /// Save the preview for `run`: look at every target (reads alone are sent) and write down what was seen
    #[arg(long, value_name = "FILE.json")]
    pub out: Option<PathBuf>,
    /// How long the saved preview may be run, such as 90m or 48h, 7 days at most [default: 24h]
    #[arg(long, value_name = "TIME", requires = "out", value_parser = validity)]
    pub valid_for: Option<SignedDuration>,
    /// Leave out what an earlier run of the same plan has done, as `run --once` does
    #[arg(long)]
    pub once: bool,
    /// Show these rows as `run --again` would send them
    #[arg(long, value_name = "ROWS", value_parser = again)]
    pub again: Option<Again>,
    /// Why it is done, for a plan that does not say it (CSV): it is part of what is agreed to
    #[arg(long, value_name = "TEXT", value_parser = plan::justification)]
    pub justification: Option<String>,
    /// How the preview is written to stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: Form,
    #[command(flatten)]
    pub policy: PolicyArguments,
    #[command(flatten)]
    pub look_up: LookUpArguments,
    #[command(flatten)]
    pub connection: ConnectionArguments,
    #[command(flatten)]
    pub pace: PaceArguments,
}

#[derive(Debug, Args)]
pub(super) struct InventoryArguments {
    /// Where it goes; what is there is replaced
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How the result is written to stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
    #[command(flatten)]
    pub connection: ConnectionArguments,
    #[command(flatten)]
    pub pace: PaceArguments,
}

fn validity(text: &str) -> Result<SignedDuration, String> {
    let time: SignedDuration = text.parse().map_err(|_| "write a time such as 90m or 48h".to_owned())?;
    let range = SignedDuration::from_mins(1)..=LONGEST_VALID;
    range.contains(&time).then_some(time).ok_or_else(|| "between 1m and 168h".to_owned())
}

fn again(text: &str) -> Result<Again, std::convert::Infallible> {
    text.parse()
}

#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The saved preview (.json) or plan that was
    pub before: PathBuf,
    /// The saved preview or plan that is
    pub after: PathBuf,
    /// How the result is written to stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
    #[command(flatten)]
    pub policy: PolicyArguments,
}

#[derive(Debug, Args)]
pub(super) struct ConfirmArguments {
    /// Agree beforehand to this number of jobs; a different number refuses the run
    #[arg(long, value_name = "N", conflicts_with = "confirm_at_most")]
    confirm: Option<u32>,
    /// Agree beforehand to so many jobs or fewer: for a list that a scheduler runs, and that is not as long every night
    #[arg(long, value_name = "N")]
    confirm_at_most: Option<u32>,
}

impl ConfirmArguments {
    pub(super) fn number(&self) -> Option<Confirm> {
        let exactly = self.confirm.map(Confirm::Exactly);
        exactly.or(self.confirm_at_most.map(Confirm::AtMost))
    }
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The plan: a .yaml or .csv file, or a saved preview (.json)
    pub plan: PathBuf,
    /// Show what would be sent, and send nothing: the same as `preview`
    #[arg(long)]
    pub dry_run: bool,
    /// Where the report goes: .csv, or .jsonl for JSON lines [default: a dated .csv in this folder]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub confirm: ConfirmArguments,
    /// Leave alone what an earlier run of the same plan has done: for a plan that a scheduler runs every night
    #[arg(long)]
    pub once: bool,
    /// Send these rows again although an earlier run has done them: row numbers or job ids, with commas, or `all`
    #[arg(long, value_name = "ROWS", value_parser = again)]
    pub again: Option<Again>,
    /// Why it is done, for a plan that does not say it (CSV): it goes along with what a second person may have to approve
    #[arg(long, value_name = "TEXT", value_parser = plan::justification)]
    pub justification: Option<String>,
    /// Stay until nothing waits any more, neither for an approval nor for another day, and send it then
    #[arg(long)]
    pub wait: bool,
    /// End in good order at this time, such as 2026-12-01T06:00:00+01:00: nothing more is sent, and `resume` goes on later
    #[arg(long, value_name = "TIME", conflicts_with = "wait", value_parser = plan::not_before)]
    pub until: Option<Timestamp>,
    #[command(flatten)]
    pub follow_up: FollowUpArguments,
    /// How the result is written to stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: Form,
    #[command(flatten)]
    pub policy: PolicyArguments,
    #[command(flatten)]
    pub look_up: LookUpArguments,
    #[command(flatten)]
    pub connection: ConnectionArguments,
    #[command(flatten)]
    pub pace: PaceArguments,
}

impl PreviewArguments {
    pub(super) fn repeats(&self) -> Repeats {
        Repeats { once: self.once, again: self.again.clone().unwrap_or_default() }
    }
}

impl RunArguments {
    pub(super) fn repeats(&self) -> Repeats {
        Repeats { once: self.once, again: self.again.clone().unwrap_or_default() }
    }

    /// A dry run is a preview.
    pub(super) fn as_preview(&self) -> PreviewArguments {
        PreviewArguments {
            plan: self.plan.clone(),
            out: None,
            valid_for: None,
            once: self.once,
            again: self.again.clone(),
            justification: self.justification.clone(),
            policy: self.policy.clone(),
            look_up: self.look_up.clone(),
            connection: self.connection.clone(),
            pace: self.pace.clone(),
            form: self.form,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ResumeArguments {
    /// The run: its id, or the beginning of it; `latest` is the newest that ended early or waits for anything
    #[arg(default_value = "latest")]
    pub run: String,
    /// Agree beforehand to this number of jobs that are left; a different number refuses. Needed, where nobody can be asked,
    /// without RUN, after a day, or for rows that were held at first
    #[arg(long, value_name = "N")]
    pub confirm: Option<u32>,
    /// Go on with these jobs alone
    #[arg(long, value_enum, value_name = "CLASS")]
    pub only: Option<OnlyClass>,
    /// File again what nobody approved before it expired
    #[arg(long, conflicts_with = "only")]
    pub refile: bool,
    /// Go on with what was agreed to although the plan is gone or has faults; without it, such a plan stops this
    #[arg(long)]
    pub as_agreed: bool,
    /// Why it is done, from now on, for the approver [default: what the run was begun with]
    #[arg(long, value_name = "TEXT", value_parser = plan::justification)]
    pub justification: Option<String>,
    /// Stay until nothing waits any more, neither for an approval nor for another day, and send it then
    #[arg(long)]
    pub wait: bool,
    /// End in good order at this time, such as 2026-12-01T06:00:00+01:00: nothing more is sent, and `resume` goes on later
    #[arg(long, value_name = "TIME", conflicts_with = "wait", value_parser = plan::not_before)]
    pub until: Option<Timestamp>,
    #[command(flatten)]
    pub follow_up: FollowUpArguments,
    /// Where the report goes [default: where the run's own report is]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How the result is written to stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
    #[command(flatten)]
    pub policy: PolicyArguments,
    #[command(flatten)]
    pub hosts: HostArguments,
    #[command(flatten)]
    pub state: StateArguments,
}

impl ResumeArguments {
    pub(super) fn flags(&self) -> Flags {
        self.hosts.flags(&self.state)
    }
}

/// A class of jobs, by how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnlyClass {
    Failed,
    Unknown,
    NotAttempted,
}

impl OnlyClass {
    pub(super) fn only(class: Option<Self>) -> Only {
        match class {
            None => Only::Open,
            Some(Self::Failed) => Only::Failed,
            Some(Self::Unknown) => Only::Unknown,
            Some(Self::NotAttempted) => Only::NotAttempted,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ActionsArguments {
    /// The action to explain
    pub name: Option<String>,
    /// How the result is written to stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
}

#[derive(Debug, Args)]
pub(super) struct SimulateArguments {
    /// Loopback address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// A scenario file: limits, faults, devices and users
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Serve nothing: forget what the tenants of `--simulate` have kept, all of them
    #[arg(long, conflicts_with_all = ["listen", "scenario"])]
    pub reset: bool,
    #[command(flatten)]
    pub state: StateArguments,
}
