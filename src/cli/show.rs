//! What each verb prints.
//!
//! In: what a verb returned. Out: text or JSON on stdout, by way of `ui`. Must not: compute anything but layout.

use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;

use anstream::{AutoStream, ColorChoice};
use jiff::Timestamp;
use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::form::{Form, PlainForm, ReportForm};
use crate::catalog::{ACTIONS, Action, Budget};
use crate::daily::Spread;
use crate::diagnostics::{Diagnostic, Diagnostics, did_you_mean};
use crate::journal::{Pruned, RunId, RunSummary};
use crate::ops::{self, Agreed, Finished, Previewed, Saved};
use crate::outcome::{Cause, Lack};
use crate::preview::diff::Differences;
use crate::preview::{Preview, write_csv, write_json};
use crate::report::{self, CsvRows, Row};
use crate::runner::event::StopReason;
use crate::text::{Medium, harmless, visible};
use crate::ui;
use crate::ui::next::NextCommand;
use crate::ui::preview::Heading;
use crate::ui::result::RunResult;
use crate::ui::stderr::Stderr;
use crate::ui::style::{View, stdout_width};
use crate::ui::text::{count, count_of};
use crate::ui::wrap::wrapped;

/// Whether a stream wants colours: a terminal that takes them, and no `NO_COLOR`.
pub(super) fn styled(stream: &impl anstream::stream::RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

pub(super) fn view() -> View {
    View { width: stdout_width(), styled: styled(&io::stdout()) }
}

/// Text for people.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_as(&wrapped(&harmless(text, Medium::Screen), stdout_width()), Medium::Screen)
}

/// Whole lines of JSON.
pub(super) fn print_json(lines: &str) -> Result<(), Failure> {
    print_as(lines, Medium::Json)
}

fn print_as(text: &str, medium: Medium) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(harmless(text, medium).as_bytes())?;
    out.flush()?;
    Ok(())
}

pub(super) fn checked(looked: &Previewed, form: PlainForm) -> Result<(), Failure> {
    match form {
        PlainForm::Human => print(&ui::checked::render(&looked.plan, &looked.verdict, view())),
        PlainForm::Json => print_json(&format!("{}\n", ui::checked::json(&looked.plan, &looked.verdict))),
    }
}

/// What a preview is shown with, beside what was found.
pub(super) struct PreviewContext<'a> {
    pub graph_url: &'a str,
    pub budget: Budget,
    pub spread: Spread,
    pub simulated: bool,
    pub form: Form,
    pub now: Timestamp,
}

pub(super) fn previewed(previewed: &Previewed, with: PreviewContext<'_>) -> Result<(), Failure> {
    let PreviewContext { graph_url, budget, spread, simulated, form, now } = with;
    let Previewed { plan, preflight, verdict, sightings, keys, agreed, .. } = previewed;
    let waves = ops::brakes(&verdict.rules, &plan.jobs, preflight).waves;
    let preview = Preview::new(&plan.jobs, preflight, budget).judged(verdict).in_waves(waves).seen(sightings);
    let preview = preview.with_keys(keys).over(spread);
    let head = agreed.as_ref().map(|agreed| &agreed.head);
    let graph_url = head.map_or(graph_url, |head| &head.graph_url);
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match form {
        Form::Csv => write_csv(&preview, graph_url, &mut out)?,
        Form::Json => write_json(&preview, graph_url, agreed.as_ref().map(agreed_to).as_ref(), &mut out)?,
        Form::Human => {
            let file = plan.file.display().to_string();
            let simulated = simulated || head.is_some_and(|head| head.simulated);
            let heading = Heading {
                plan: plan.name.as_deref().unwrap_or(&file),
                tenant: if simulated { Some("the simulated tenant") } else { plan.tenant.as_deref() },
                justification: plan.justification.as_deref(),
                is_csv: plan.is_csv(),
            };
            let mut text = ui::preview::render(&preview, heading, view());
            if let Some(agreed) = agreed {
                let file = agreed.file.display().to_string();
                text.push_str(&ui::saved::render(&preview, &agreed.head, (&file, &agreed.digest), now, view()));
            }
            let text = wrapped(&harmless(&text, Medium::Screen), stdout_width());
            out.write_all(text.as_bytes())?;
        }
    }
    out.flush()?;
    Ok(())
}

/// Warnings of the guards beside a preview; where they refuse the run, they are said with the refusal.
pub(super) fn warned(previewed: &Previewed, form: Form, stderr: &Stderr) {
    if form != Form::Json && !previewed.verdict.faults.has_errors() {
        ui::faults::tell(&previewed.verdict.faults, &previewed.plan.file, stderr);
    }
}

/// What a saved preview says of itself.
fn agreed_to(agreed: &Agreed) -> serde_json::Value {
    json!({ "file": agreed.file.to_string_lossy(), "digest": agreed.digest, "head": agreed.head })
}

pub(super) fn differences(differences: &Differences, form: PlainForm) -> Result<(), Failure> {
    match form {
        PlainForm::Human => print(&ui::diff::render(differences, view())),
        PlainForm::Json => print_json(&format!("{:#}\n", ui::diff::json(differences))),
    }
}

pub(super) fn finished(finished: &Finished, form: Form) -> Result<(), Failure> {
    let report = finished.report.as_deref().ok();
    let result = RunResult {
        jobs: &finished.jobs,
        settlements: &finished.settlements,
        report,
        run: finished.id.as_ref().map(RunId::as_str),
        used: &finished.used,
        requests: Some(finished.requests),
        verified: finished.verification.is_some(),
    };
    match form {
        Form::Json => Ok(result.write_json(BufWriter::new(io::stdout().lock()))?),
        Form::Human | Form::Csv => print(&result.render(view())),
    }
}

/// What was forgotten.
pub(crate) fn reset(tenants: usize) -> Result<(), Failure> {
    print(&format!("{} removed\n", count_of(tenants, "simulated tenant")))
}

/// Why a policy has ended a run.
fn by_policy(cause: Cause, why: &str) -> Diagnostic {
    let text = format!("the run was stopped: {why}");
    match cause {
        Cause::Breaker => {
            Diagnostic::error("breaker", text).help("check the report, and continue after you have fixed the cause")
        }
        Cause::Wave => {
            Diagnostic::error("wave", text).help("check the wave in the report; the next wave begins when you continue")
        }
        Cause::Guards => {
            Diagnostic::error("guards-changed", text).help("if you continue, the guards apply as they are now")
        }
        _ => Diagnostic::warning("stopped", text),
    }
}

/// Why a run ended early, and what can be done next.
pub(super) fn stopped(finished: &Finished, stderr: &Stderr) {
    if let Some(fault) = ended_early(finished) {
        stderr.say(fault.render(stderr.styled()).trim_end());
    }
    let Some(onward) = &finished.onward else { return };
    let next = NextCommand {
        call: &onward.call,
        simulated: onward.simulated,
        needs: match &finished.stopped {
            Some(StopReason::Justification(Lack::Missing | Lack::NotSent | Lack::Unfit, _)) => " --justification TEXT",
            _ => "",
        },
        jobs: &finished.jobs,
        settlements: &finished.settlements,
        pending: finished.verification.map(|verification| verification.pending),
    };
    let text = next.render(stderr.view());
    if !text.is_empty() {
        stderr.say(&text);
    }
}

fn ended_early(finished: &Finished) -> Option<Diagnostic> {
    Some(match finished.stopped.as_ref() {
        None if finished.later.is_empty() => return None,
        None => Diagnostic::warning("daily-limit", ui::days::left(&finished.later))
            .help("continue then, or run the plan again with --once; with --wait, a run stays and continues by itself"),
        Some(StopReason::Interrupted) => Diagnostic::warning("interrupted", "the run was interrupted"),
        Some(StopReason::Requested) => Diagnostic::warning("stopped", "the run was stopped by `musterout stop`"),
        Some(StopReason::Policy(cause, why)) => by_policy(*cause, why),
        Some(StopReason::SignIn(why)) => Diagnostic::error("sign-in", format!("sign-in failed during the run: {why}"))
            .help("continue when sign-in works again"),
        Some(StopReason::Unreachable(why)) => {
            Diagnostic::error("unreachable", format!("the service cannot be reached: {why}"))
                .help("check the network and the proxy, then continue")
        }
        Some(StopReason::Justification(lack, why)) => {
            let message = format!("the tenant requires a justification, so the run was stopped: {why}");
            Diagnostic::error("justification", message).help(match lack {
                Lack::Missing | Lack::NotSent => "continue with a justification",
                Lack::NotSeen => "one was sent in the header x-msft-approval-justification; find out what removes it (a proxy may), then continue",
                Lack::Unfit => "continue with a justification that the tenant accepts",
            })
        }
        Some(StopReason::Journal(why)) => {
            let message = format!("the journal cannot be written, so the run was stopped: {why}");
            Diagnostic::error("journal", message).help(
                "the report has all results, but the journal may lack some of them; free disk space or fix the disk, then continue",
            )
        }
    })
}

/// What is told beside a verb's result.
pub(super) fn told(told: &Diagnostics, stderr: &Stderr) {
    for one in told.iter() {
        stderr.say(one.render(stderr.styled()).trim_end());
    }
}

/// The rows of a report on stdout, as they come. Nothing is printed before there is one.
pub(super) enum Reported {
    NotBegun(ReportForm),
    Csv(Box<CsvRows<Out>>),
    Json(Out),
}

type Out = BufWriter<io::StdoutLock<'static>>;

impl Reported {
    pub(super) fn row(&mut self, row: &Row<'_>) -> Result<(), Failure> {
        self.begin()?;
        match self {
            Self::NotBegun(_) => Ok(()),
            Self::Csv(out) => Ok(out.write(row)?),
            Self::Json(out) => Ok(report::write_line(out, row)?),
        }
    }

    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.begin()?;
        match self {
            Self::NotBegun(_) => Ok(()),
            Self::Csv(out) => Ok(out.end()?),
            Self::Json(mut out) => Ok(out.flush()?),
        }
    }

    fn begin(&mut self) -> Result<(), Failure> {
        let Self::NotBegun(form) = self else { return Ok(()) };
        let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        *self = match form {
            ReportForm::Csv => Self::Csv(Box::new(CsvRows::begin(out)?)),
            ReportForm::Json => Self::Json(out),
        };
        Ok(())
    }
}

pub(super) fn runs(runs: &[RunSummary], now: Timestamp, form: PlainForm) -> Result<(), Failure> {
    match form {
        PlainForm::Human => print(&ui::runs::render(runs, now, view())),
        PlainForm::Json => print_json(&ui::runs::json_lines(runs)),
    }
}

/// What came of a request to stop, and the exit code that goes with it.
pub(super) fn pruned(pruned: &Pruned, form: PlainForm) -> Result<(), Failure> {
    match form {
        PlainForm::Human => {
            print(&format!("removed {} with {}\n", count_of(pruned.runs, "run"), count_of(pruned.jobs, "job")))
        }
        PlainForm::Json => print_json(&format!("{}\n", json!({ "runs": pruned.runs, "jobs": pruned.jobs }))),
    }
}

pub(super) fn exported(id: &RunId, file: &str, form: PlainForm) -> Result<(), Failure> {
    match form {
        PlainForm::Human => print(&format!("run {id} was exported to {}\n", visible(file))),
        PlainForm::Json => print_json(&format!("{}\n", json!({ "run": id.as_str(), "file": file }))),
    }
}

pub(super) fn saved(saved: &Saved, form: PlainForm) -> Result<(), Failure> {
    let file = saved.file.display().to_string();
    match form {
        PlainForm::Human => {
            let counted = |number: Option<usize>, one: &str, many: &str| match number {
                Some(1) => format!("1 {one}"),
                Some(number) => format!("{} {many}", count(number)),
                None => format!("no {many} (no permission to read them)"),
            };
            let autopilot = counted(saved.autopilot, "Autopilot identity", "Autopilot identities");
            let entra = counted(saved.entra_devices, "Entra device", "Entra devices");
            let users = counted(saved.users, "user", "users");
            let devices = count_of(saved.devices, "device");
            print(&format!("saved {devices}, {autopilot}, {entra} and {users} in {}\n", visible(&file)))
        }
        PlainForm::Json => {
            let devices = saved.devices;
            let (autopilot, entra_devices) = (saved.autopilot, saved.entra_devices);
            let document = json!({
                "file": file, "devices": devices, "autopilot": autopilot, "entra_devices": entra_devices,
                "users": saved.users,
            });
            print_json(&format!("{document}\n"))
        }
    }
}

pub(super) fn actions(name: Option<&str>, form: PlainForm) -> Result<Exit, Failure> {
    let Some(name) = name else {
        match form {
            PlainForm::Human => print(&ui::actions::list(ACTIONS, view()))?,
            PlainForm::Json => print_json(&format!("{:#}\n", ui::actions::list_json(ACTIONS)))?,
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
        PlainForm::Json => print_json(&format!("{:#}\n", ui::actions::one_json(action)))?,
    }
    Ok(Exit::Good)
}

/// The address goes to stdout so that a script that asked for port 0 can read it.
pub(super) fn listening(address: SocketAddr, stderr: &Stderr) -> Result<(), Failure> {
    print(&format!("http://{address}\n"))?;
    stderr.say("the simulated tenant listens on this address for Graph and for sign-in; Ctrl-C ends it");
    stderr.say(&format!("what it counted: http://{address}/simulator/counts"));
    Ok(())
}
