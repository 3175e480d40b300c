//! `stop`: what can be typed after it, and what it prints.
//!
//! In: arguments. Out: a call of the verb, and of `approvals --withdraw` behind it; text or JSON on stdout. Must not: hold
//! logic of its own.

use clap::Args;

use super::approvals::show_withdrawn;
use super::environment::{environment, now, settings};
use super::exit::Exit;
use super::failure::Failure;
use super::form::PlainForm;
use super::place::{HostArguments, StateArguments};
use super::show::{print, print_json};
use crate::ops::{self, ApprovalsRequest, Stopped};
use crate::ui;
use crate::ui::stderr::Stderr;

#[derive(Debug, Args)]
pub(super) struct StopArguments {
    /// The run: its id or the beginning of it; `latest` is the newest active run
    #[arg(default_value = "latest")]
    pub run: String,
    /// Format of the result on stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
    /// Also cancel the open approval requests that the run has filed
    #[arg(long)]
    pub withdraw: bool,
    #[command(flatten)]
    pub hosts: HostArguments,
    #[command(flatten)]
    pub state: StateArguments,
}

/// Stops the run; once it has ended, what it has filed may be withdrawn.
pub(super) async fn stop(arguments: StopArguments, stderr: &Stderr) -> Result<Exit, Failure> {
    let flags = arguments.hosts.flags(&arguments.state);
    let stopped = ops::stop(&settings(flags.clone())?, &arguments.run).await?;
    let exit = show(&stopped, arguments.form)?;
    let run = match &stopped {
        Stopped::Ended(run) | Stopped::NotUnderWay(run) if arguments.withdraw => run.id.to_string(),
        _ => return Ok(exit),
    };
    let request = ApprovalsRequest { run: Some(run), now: now(), seed: fastrand::u64(..) };
    let withdrawn = ops::withdraw(request, &flags, &environment()?).await?;
    show_withdrawn(&withdrawn, arguments.form.into(), stderr)?;
    Ok(if withdrawn.refused.is_empty() { exit } else { Exit::Bad })
}

fn show(stopped: &Stopped, form: PlainForm) -> Result<Exit, Failure> {
    let (run, exit, word) = match stopped {
        Stopped::Ended(run) => (run, Exit::Good, "ended"),
        Stopped::Draining(run) => (run, Exit::Open, "draining"),
        Stopped::NotUnderWay(run) => (run, Exit::NothingToDo, "not_under_way"),
    };
    match form {
        PlainForm::Human => print(&ui::runs::stopped(stopped_words(stopped), run))?,
        PlainForm::Json => print_json(&format!("{}\n", ui::runs::stopped_json(word, run)))?,
    }
    Ok(exit)
}

fn stopped_words(stopped: &Stopped) -> &'static str {
    match stopped {
        Stopped::Ended(_) => "has ended",
        Stopped::Draining(_) => "sends nothing more, and waits for requests in flight",
        Stopped::NotUnderWay(_) => "is not active",
    }
}
