//! `approvals`: what can be typed after it, and what it prints.
//!
//! In: arguments. Out: a call of the verb; text, CSV or JSON on stdout. Must not: hold logic of its own.

use std::io;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::environment::{environment, now, settings};
use super::exit::Exit;
use super::failure::Failure;
use super::form::Form;
use super::place::{HostArguments, StateArguments};
use super::show::{print, print_json, view};
use crate::diagnostics::Diagnostic;
use crate::journal::Waiting;
use crate::ops::{self, ApprovalsRequest, Withdrawn};
use crate::report;
use crate::settings::Flags;
use crate::ui;
use crate::ui::stderr::Stderr;
use crate::ui::text::count_of;

#[derive(Debug, Args)]
pub(super) struct ApprovalsArguments {
    /// The run: its id, the beginning of it, or `latest` [default: all runs with open requests]
    pub run: Option<String>,
    /// Ask the service for the status of the requests, and record it in the journal
    #[arg(long, requires = "run")]
    pub live: bool,
    /// Cancel the open requests that the run has filed; its rows can be resumed
    #[arg(long, requires = "run", conflicts_with = "live")]
    pub withdraw: bool,
    /// Format of the requests on stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: Form,
    #[command(flatten)]
    pub hosts: HostArguments,
    #[command(flatten)]
    pub state: StateArguments,
}

impl ApprovalsArguments {
    pub(super) fn flags(&self) -> Flags {
        self.hosts.flags(&self.state)
    }
}

pub(super) async fn approvals(arguments: ApprovalsArguments, stderr: &Stderr) -> Result<Exit, Failure> {
    let flags = arguments.flags();
    let request = ApprovalsRequest { run: arguments.run, now: now(), seed: fastrand::u64(..) };
    let environment = environment()?;
    if arguments.withdraw {
        let withdrawn = ops::withdraw(request, &flags, &environment).await?;
        show_withdrawn(&withdrawn, arguments.form, stderr)?;
        return Ok(if withdrawn.refused.is_empty() { Exit::Good } else { Exit::Bad });
    }
    let at = request.now;
    let waiting = match arguments.live {
        true => ops::live_approvals(request, &flags, &environment).await?,
        false => ops::approvals(&request, &settings(flags)?)?,
    };
    show(&waiting, at, arguments.form)?;
    Ok(Exit::Good)
}

fn show(waiting: &[Waiting], now: Timestamp, form: Form) -> Result<(), Failure> {
    match form {
        Form::Human => print(&ui::approvals::render(waiting, now, view())),
        Form::Json => print_json(&ui::approvals::json_lines(waiting)),
        Form::Csv => {
            Ok(report::write_csv_of(io::stdout().lock(), &ui::approvals::COLUMNS, ui::approvals::records(waiting))?)
        }
    }
}

/// What could not be withdrawn is told request by request.
pub(super) fn show_withdrawn(withdrawn: &Withdrawn, form: Form, stderr: &Stderr) -> Result<(), Failure> {
    let (done, left) = (withdrawn.withdrawn, withdrawn.left_alone);
    for (code, why) in &withdrawn.refused {
        let fault =
            Diagnostic::error("not-withdrawn", format!("approval request {code} could not be withdrawn: {why}"));
        stderr.say(fault.render(stderr.styled()).trim_end());
    }
    match form {
        Form::Json => print_json(&format!(
            "{}\n",
            json!({ "withdrawn": done, "left_alone": left, "refused": withdrawn.refused.len() })
        )),
        Form::Human | Form::Csv => {
            print(&format!("{} withdrawn\n", count_of(done, "approval request")))?;
            match left {
                0 => Ok(()),
                _ => print(&format!(
                    "{} not withdrawn, because the run did not file them\n",
                    count_of(left, "approval request")
                )),
            }
        }
    }
}
