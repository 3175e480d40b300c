//! What each verb prints.
//!
//! In: what a verb returned. Out: text or JSON on stdout, by way of `ui`. Must not: compute anything but layout.

use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;

use anstream::{AutoStream, ColorChoice};

use super::args::{Form, PlainForm, PreviewArguments};
use super::exit::Exit;
use super::failure::Failure;
use crate::catalog::{ACTIONS, Action};
use crate::diagnostics::{Diagnostic, did_you_mean};
use crate::guard::preflight::Preflight;
use crate::ops::{Finished, Tenant};
use crate::plan::Plan;
use crate::preview::{Preview, write_csv, write_json};
use crate::runner::event::StopReason;
use crate::ui;
use crate::ui::preview::Heading;
use crate::ui::result::RunResult;
use crate::ui::stderr::Stderr;
use crate::ui::style::{View, stdout_width};

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
    let result = RunResult { jobs: &finished.jobs, settlements: &finished.settlements, report };
    match form {
        Form::Json => Ok(result.write_json(BufWriter::new(io::stdout().lock()))?),
        Form::Human | Form::Csv => print(&result.render(view())),
    }
}

/// Why a run ended early, with what to do about it.
pub fn stopped(finished: &Finished, stderr: &Stderr) {
    let fault = match &finished.stopped {
        None => return,
        Some(StopReason::Interrupted) => Diagnostic::warning("interrupted", "the run was interrupted")
            .help("rows that are not_attempted can be run again; look at unknown ones first"),
        Some(StopReason::SignIn(why)) => Diagnostic::error("sign-in", format!("sign-in failed during the run: {why}"))
            .help("rows that are not_attempted can be run again once sign-in works"),
        Some(StopReason::Unreachable(why)) => {
            Diagnostic::error("unreachable", format!("the service cannot be reached: {why}"))
                .help("check the network, the proxy and --graph-url; rows that are not_attempted can be run again")
        }
    };
    stderr.say(fault.render(stderr.styled()).trim_end());
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
