//! What can be typed.
//!
//! In: nothing. Out: clap definitions. Must not: read the environment (`settings` does), or validate what `ops` judges.

mod records;
mod resuming;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use jiff::{SignedDuration, Timestamp};

pub(super) use self::records::{ReportArguments, RunsArguments};
pub(super) use self::resuming::{OnlyClass, ResumeArguments};
use super::approvals::ApprovalsArguments;
use super::exit;
use super::form::{Form, PlainForm, ReportForm};
use super::number::number;
use super::pace::PaceArguments;
use super::place::{ConnectionArguments, LookUpArguments, PolicyArguments, StateArguments};
use super::stop::StopArguments;
use super::verify::{FollowUpArguments, VerifyArguments};
use crate::ops::{Again, Confirm, LONGEST_VALID, Repeats};
use crate::plan;

/// Bulk operations on Microsoft Graph and Intune from a plan file.
///
/// A plan (YAML or CSV) lists devices or users and the actions on them. `check` finds faults in the plan. `preview` shows
/// what would be sent. `run` sends it, and writes one report row for every row of the plan.
#[derive(Debug, Parser)]
#[command(name = "musterout", version, after_help = exit::table(), max_term_width = 110)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub verb: Verb,

    /// Log more: -v for events, -vv for every request
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,

    /// Format of log lines on stderr
    #[arg(long, value_enum, default_value_t, global = true, value_name = "FORM")]
    pub log_format: LogFormat,
}

/// The end of a verb's help.
macro_rules! examples {
    [$first:literal, $second:literal] => {
        concat!("Examples:\n  musterout ", $first, "\n  musterout ", $second)
    };
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check a plan and all its files for faults; no network
    #[command(after_help = examples!["check plan.yaml", "check leavers.csv --policy site-policy.yaml"])]
    Check(CheckArguments),
    /// Show every request that a run would send, and send none
    #[command(after_help = examples!["preview plan.yaml --simulate", "preview plan.yaml --out agreed.json"])]
    Preview(PreviewArguments),
    /// Compare two saved previews, or a saved preview with a plan
    #[command(after_help = examples!["diff agreed.json plan.yaml", "diff monday.json tuesday.json --format json"])]
    Diff(DiffArguments),
    /// Run a plan or a saved preview, and write a report
    #[command(after_help = examples!["run plan.yaml --simulate", "run plan.yaml --confirm 24 --report report.csv"])]
    Run(RunArguments),
    /// Continue a run that ended early
    #[command(after_help = examples!["resume latest", "resume 01a22db6-e5e9 --only failed"])]
    Resume(ResumeArguments),
    /// Check whether accepted actions have completed on the devices
    #[command(after_help = examples!["verify latest", "verify 01a22db6-e5e9 --for 1h"])]
    Verify(VerifyArguments),
    /// List, check or withdraw approval requests
    #[command(after_help = examples!["approvals", "approvals 01a22db6-e5e9 --live"])]
    Approvals(ApprovalsArguments),
    /// Stop a run that is active in another terminal, as Ctrl-C would there
    #[command(after_help = examples!["stop", "stop 01a22db6-e5e9 --withdraw"])]
    Stop(StopArguments),
    /// Show the rows of a run from the journal, also during the run and after a crash
    #[command(after_help = examples!["report latest", "report 01a22db6-e5e9 --format json"])]
    Report(ReportArguments),
    /// List, remove or export the runs in the journal
    #[command(after_help = examples!["runs", "runs --prune=90"])]
    Runs(RunsArguments),
    /// List all actions, or explain one
    #[command(after_help = examples!["actions", "actions retire"])]
    Actions(ActionsArguments),
    /// Save the devices and users of a tenant in a file, to look up targets there
    #[command(after_help = examples!["inventory --out inventory.json", "inventory --out practice.json --simulate=scenario.yaml"])]
    Inventory(InventoryArguments),
    /// Serve the simulated tenant on a loopback address
    #[command(after_help = examples!["simulate", "simulate --listen 127.0.0.1:8081 --scenario storm.yaml"])]
    Simulate(SimulateArguments),
}

impl Verb {
    /// How results and faults are shown.
    pub(super) fn form(&self) -> Form {
        match self {
            Self::Check(arguments) => arguments.form.into(),
            Self::Preview(arguments) => arguments.form,
            Self::Diff(arguments) => arguments.form.into(),
            Self::Run(arguments) => arguments.form.into(),
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
    /// Format of the result on stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
    #[command(flatten)]
    pub policy: PolicyArguments,
}

#[derive(Debug, Clone, Args)]
pub(super) struct PreviewArguments {
    /// The plan: a .yaml or .csv file, or a saved preview (.json)
    pub plan: PathBuf,
    /// Save the preview for `run`: read every target, and record what was seen
    #[arg(long, value_name = "FILE.json")]
    pub out: Option<PathBuf>,
    /// How long the saved preview can be run, such as 90m or 48h; at most 7 days [default: 24h]
    #[arg(long, value_name = "TIME", requires = "out", value_parser = validity)]
    pub valid_for: Option<SignedDuration>,
    /// Skip rows that an earlier run of the same plan has done, as `run --once` does
    #[arg(long)]
    pub once: bool,
    /// Preview these rows as `run --again` would send them
    #[arg(long, value_name = "ROWS", value_parser = again)]
    pub again: Option<Again>,
    /// The reason for the change, for a plan that has no `justification` (CSV); it becomes part of the saved preview
    #[arg(long, value_name = "TEXT", value_parser = plan::justification)]
    pub justification: Option<String>,
    /// Format of the preview on stdout
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
    /// The file to write; an existing file is replaced
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Format of the result on stdout
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
    range.contains(&time).then_some(time).ok_or_else(|| "must be between 1m and 168h".to_owned())
}

fn again(text: &str) -> Result<Again, std::convert::Infallible> {
    text.parse()
}

#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The older saved preview (.json) or plan
    pub before: PathBuf,
    /// The newer saved preview (.json) or plan
    pub after: PathBuf,
    /// Format of the result on stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
    #[command(flatten)]
    pub policy: PolicyArguments,
}

#[derive(Debug, Args)]
pub(super) struct ConfirmArguments {
    /// Confirm in advance that exactly N jobs will be sent; with any other number the run is refused
    #[arg(long, value_name = "N", conflicts_with = "confirm_at_most", value_parser = number)]
    confirm: Option<u32>,
    /// Confirm in advance that at most N jobs will be sent; for a list that is not the same every night
    #[arg(long, value_name = "N", value_parser = number)]
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
    /// Show what would be sent, and send nothing; the same as `preview`
    #[arg(long)]
    pub dry_run: bool,
    /// Report file: .csv, or .jsonl for JSON lines [default: a dated .csv in this folder]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub confirm: ConfirmArguments,
    /// Skip rows that an earlier run of the same plan has done; for a plan that runs every night
    #[arg(long)]
    pub once: bool,
    /// Send these rows again although an earlier run has done them: row numbers or job ids with commas, or `all`
    #[arg(long, value_name = "ROWS", value_parser = again)]
    pub again: Option<Again>,
    /// The reason for the change, for a plan that has no `justification` (CSV); approvers see it
    #[arg(long, value_name = "TEXT", value_parser = plan::justification)]
    pub justification: Option<String>,
    /// Keep running until no row waits for an approval or a daily limit
    #[arg(long)]
    pub wait: bool,
    /// Stop sending at this time, such as 2026-12-01T06:00:00+01:00, and end the run; `resume` continues it later
    #[arg(long, value_name = "TIME", conflicts_with = "wait", value_parser = plan::not_before)]
    pub until: Option<Timestamp>,
    #[command(flatten)]
    pub follow_up: FollowUpArguments,
    /// Format of the result on stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
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
            form: self.form.into(),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ActionsArguments {
    /// The action to explain
    pub name: Option<String>,
    /// Format of the result on stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
}

#[derive(Debug, Args)]
pub(super) struct SimulateArguments {
    /// Loopback address and port; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Scenario file: limits, faults, devices and users
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Serve nothing: forget what the tenants of `--simulate` have kept, all of them
    #[arg(long, conflicts_with_all = ["listen", "scenario"])]
    pub reset: bool,
    #[command(flatten)]
    pub state: StateArguments,
}
