//! What each verb prints.
//!
//! In: what a verb returned. Out: text or JSON on stdout, by way of `ui`. Must not: compute anything but layout.

use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;

use anstream::{AutoStream, ColorChoice};
use jiff::Timestamp;
use serde_json::json;

use super::args::{Form, PlainForm, PreviewArguments, ReportForm};
use super::exit::Exit;
use super::failure::Failure;
use crate::catalog::{ACTIONS, Action};
use crate::diagnostics::{Diagnostic, Diagnostics, did_you_mean};
use crate::guard::preflight::Preflight;
use crate::journal::{Pruned, RunId, RunSummary};
use crate::ops::{Finished, Reported, Saved, Tenant};
use crate::plan::Plan;
use crate::preview::{Preview, write_csv, write_json};
use crate::report;
use crate::runner::event::StopReason;
use crate::ui;
use crate::ui::preview::Heading;
use crate::ui::result::RunResult;
use crate::ui::stderr::Stderr;
use crate::ui::style::{View, stdout_width};
use crate::ui::text::{count, count_of};

/// Whether a stream wants colours: a terminal that takes them, and no `NO_COLOR`.
pub fn styled(stream: &impl anstream::stream::RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

fn view() -> View {
    View { width: stdout_width(), styled: styled(&io::stdout()) }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

pub fn checked(plan: &Plan, form: PlainForm) -> Result<(), Failure> {
    match form {
        PlainForm::Human => print(&ui::checked::render(plan, view())),
        PlainForm::Json => print(&format!("{}\n", ui::checked::json(plan))),
    }
}

pub fn previewed(
    plan: &Plan,
    preflight: &Preflight,
    graph_url: &str,
    reserve_percent: u8,
    arguments: &PreviewArguments,
) -> Result<(), Failure> {
    let preview = Preview::new(&plan.jobs, preflight, reserve_percent);
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match arguments.form {
        Form::Csv => write_csv(&preview, graph_url, &mut out)?,
        Form::Json => write_json(&preview, graph_url, &mut out)?,
        Form::Human => {
            let file = plan.file.display().to_string();
            let tenant = match arguments.connection.tenant() {
                Tenant::Simulated(_) => Some("the simulated tenant"),
                Tenant::Real => plan.tenant.as_deref(),
            };
            let heading = Heading {
                plan: plan.name.as_deref().unwrap_or(&file),
                tenant,
                justification: plan.justification.as_deref(),
            };
            out.write_all(ui::preview::render(&preview, heading, view()).as_bytes())?;
        }
    }
    out.flush()?;
    Ok(())
}

pub fn finished(finished: &Finished, form: Form) -> Result<(), Failure> {
    let report = finished.report.as_deref().ok();
    let result = RunResult {
        jobs: &finished.jobs,
        settlements: &finished.settlements,
        report,
        run: finished.id.as_ref().map(RunId::as_str),
    };
    match form {
        Form::Json => Ok(result.write_json(BufWriter::new(io::stdout().lock()))?),
        Form::Human | Form::Csv => print(&result.render(view())),
    }
}

/// Why a run ended early, with what to do about it.
pub fn stopped(finished: &Finished, stderr: &Stderr) {
    let fault = match &finished.stopped {
        None => return,
        Some(StopReason::Interrupted) => {
            Diagnostic::warning("interrupted", "the run was interrupted").help(go_on(finished))
        }
        Some(StopReason::SignIn(why)) => Diagnostic::error("sign-in", format!("sign-in failed during the run: {why}"))
            .help(format!("once sign-in works: {}", go_on(finished))),
        Some(StopReason::Unreachable(why)) => {
            Diagnostic::error("unreachable", format!("the service cannot be reached: {why}"))
                .help(format!("check the network, the proxy and --graph-url, then: {}", go_on(finished)))
        }
        Some(StopReason::Journal(why)) => {
            Diagnostic::error("journal", format!("the journal cannot be written, so nothing more was sent: {why}"))
                .help(format!("make room or mend the disk, then: {}", go_on(finished)))
        }
    };
    stderr.say(fault.render(stderr.styled()).trim_end());
}

/// The command that goes on with a run.
fn go_on(finished: &Finished) -> String {
    match &finished.id {
        Some(id) => format!("musterout resume {id}"),
        None => "musterout run".into(),
    }
}

/// What is told beside a verb's result.
pub fn told(told: &Diagnostics, stderr: &Stderr) {
    for one in told.iter() {
        stderr.say(one.render(stderr.styled()).trim_end());
    }
}

pub fn reported(reported: &Reported, form: ReportForm) -> Result<(), Failure> {
    let rows = report::rows(&reported.jobs, &reported.settlements).map_err(io::Error::other)?;
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match form {
        ReportForm::Csv => Ok(report::write_csv(out, rows)?),
        ReportForm::Json => Ok(report::write_json_lines(out, rows)?),
    }
}

pub fn runs(runs: &[RunSummary], now: Timestamp, form: PlainForm) -> Result<(), Failure> {
    match form {
        PlainForm::Human => print(&ui::runs::render(runs, now, view())),
        PlainForm::Json => print(&ui::runs::json_lines(runs)),
    }
}

pub fn pruned(pruned: &Pruned, form: PlainForm) -> Result<(), Failure> {
    match form {
        PlainForm::Human => {
            print(&format!("removed {} with {}\n", count_of(pruned.runs, "run"), count_of(pruned.jobs, "job")))
        }
        PlainForm::Json => print(&format!("{}\n", json!({ "runs": pruned.runs, "jobs": pruned.jobs }))),
    }
}

pub fn exported(id: &RunId, file: &str, form: PlainForm) -> Result<(), Failure> {
    match form {
        PlainForm::Human => print(&format!("run {id} is in {file}\n")),
        PlainForm::Json => print(&format!("{}\n", json!({ "run": id.as_str(), "file": file }))),
    }
}

pub fn saved(saved: &Saved, form: PlainForm) -> Result<(), Failure> {
    let file = saved.file.display();
    match form {
        PlainForm::Human => {
            let autopilot = match saved.autopilot {
                Some(1) => "1 Autopilot identity".to_owned(),
                Some(identities) => format!("{} Autopilot identities", count(identities)),
                None => "no Autopilot identities, because reading them was not permitted".to_owned(),
            };
            print(&format!("{} and {autopilot} are in {file}\n", count_of(saved.devices, "device")))
        }
        PlainForm::Json => {
            let document = json!({ "file": file.to_string(), "devices": saved.devices, "autopilot": saved.autopilot });
            print(&format!("{document}\n"))
        }
    }
}

pub fn actions(name: Option<&str>, form: PlainForm) -> Result<Exit, Failure> {
    let Some(name) = name else {
        match form {
            PlainForm::Human => print(&ui::actions::list(ACTIONS, view()))?,
            PlainForm::Json => print(&format!("{:#}\n", ui::actions::list_json(ACTIONS)))?,
        }
        return Ok(Exit::Good);
    };
    let Some(action) = Action::named(name) else {
        let fault = Diagnostic::error("unknown-action", format!("unknown action `{name}`"));
        let near = did_you_mean(name, ACTIONS.iter().map(|action| action.name));
        let help = near.map_or("`musterout actions` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(Failure::usage(fault.help(help)));
    };
    match form {
        PlainForm::Human => print(&ui::actions::one(action, view()))?,
        PlainForm::Json => print(&format!("{:#}\n", ui::actions::one_json(action)))?,
    }
    Ok(Exit::Good)
}

/// The address goes to stdout so that a script that asked for port 0 can read it.
pub fn listening(address: SocketAddr, stderr: &Stderr) -> Result<(), Failure> {
    print(&format!("http://{address}\n"))?;
    stderr.say("the simulated tenant listens on this address for Graph and for sign-in; Ctrl-C ends it");
    stderr.say(&format!("what it counted: http://{address}/simulator/counts"));
    Ok(())
}
