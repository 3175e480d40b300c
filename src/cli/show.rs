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
use crate::outcome::{Cause, Lack, Outcome, Settlement};
use crate::preview::diff::Differences;
use crate::preview::{Preview, write_csv, write_json};
use crate::report::{self, CsvRows, Row};
use crate::runner::event::StopReason;
use crate::text::{Medium, harmless, visible};
use crate::ui;
use crate::ui::preview::Heading;
use crate::ui::result::RunResult;
use crate::ui::stderr::Stderr;
use crate::ui::style::{View, stdout_width};
use crate::ui::text::{count, count_of};

/// Whether a stream wants colours: a terminal that takes them, and no `NO_COLOR`.
pub(super) fn styled(stream: &impl anstream::stream::RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

pub(super) fn view() -> View {
    View { width: stdout_width(), styled: styled(&io::stdout()) }
}

/// Text for people.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    print_as(text, Medium::Screen)
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
            out.write_all(harmless(&text, Medium::Screen).as_bytes())?;
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
    print(&format!("{} forgotten\n", count_of(tenants, "simulated tenant")))
}

/// Why a policy has ended a run, with what to do about it.
fn by_policy(cause: Cause, why: &str, finished: &Finished) -> Diagnostic {
    let text = format!("the run was stopped: {why}");
    match cause {
        Cause::Breaker => Diagnostic::error("breaker", text)
            .help(format!("look at the report; when the cause is gone: {}", go_on_with_all(finished))),
        Cause::Wave => Diagnostic::error("wave", text)
            .help(format!("look at the wave; to begin the next one: {}", go_on_with_all(finished))),
        Cause::Guards => Diagnostic::error("guards-changed", text)
            .help(format!("to go on under what the guards say now: {}", go_on(finished))),
        _ => Diagnostic::warning("stopped", text).help(go_on(finished)),
    }
}

/// Why a run ended early, with what to do about it.
pub(super) fn stopped(finished: &Finished, stderr: &Stderr) {
    let fault = match &finished.stopped {
        None if !finished.later.is_empty() => {
            waits(finished, stderr);
            Diagnostic::warning("daily-limit", ui::days::left(&finished.later)).help(format!(
                "from then on: {}, or the plan with --once; --wait stays and goes on by itself",
                go_on(finished)
            ))
        }
        None => return waits(finished, stderr),
        Some(StopReason::Interrupted) => {
            Diagnostic::warning("interrupted", "the run was interrupted").help(go_on(finished))
        }
        Some(StopReason::Requested) => {
            Diagnostic::warning("stopped", "the run was stopped by `musterout stop`").help(go_on(finished))
        }
        Some(StopReason::Policy(cause, why)) => by_policy(*cause, why, finished),
        Some(StopReason::SignIn(why)) => Diagnostic::error("sign-in", format!("sign-in failed during the run: {why}"))
            .help(format!("once sign-in works: {}", go_on(finished))),
        Some(StopReason::Unreachable(why)) => {
            Diagnostic::error("unreachable", format!("the service cannot be reached: {why}"))
                .help(format!("check the network and the proxy, then: {}", go_on(finished)))
        }
        Some(StopReason::Justification(lack, why)) => {
            let go_on = go_on(finished);
            let help = match lack {
                Lack::Missing | Lack::NotSent => format!("give one: {go_on} --justification TEXT"),
                Lack::NotSeen => format!(
                    "one was sent in the header x-msft-approval-justification; find out what takes it away (a proxy may), then: {go_on}"
                ),
                Lack::Unfit => format!("give one that the tenant takes: {go_on} --justification TEXT"),
            };
            Diagnostic::error(
                "justification",
                format!("the tenant asks for a justification, so nothing more was sent: {why}"),
            )
            .help(help)
        }
        Some(StopReason::Journal(why)) => Diagnostic::error(
            "journal",
            format!("the journal cannot be written, so nothing more was sent: {why}"),
        )
        .help(format!(
            "the report has what this process knows, and the journal may lack some of it; make room or mend the disk, \
                     then: {}",
            go_on(finished)
        )),
    };
    stderr.say(fault.render(stderr.styled()).trim_end());
}

/// What is left to do, where nothing has stopped the run.
fn waits(finished: &Finished, stderr: &Stderr) {
    waits_for_approval(finished, stderr);
    let accepted =
        |job: u32| finished.settlements.get(job as usize).is_some_and(|settled| settled.outcome == Outcome::Accepted);
    let left = finished.jobs.iter().zip(&finished.settlements).filter(|(job, settled)| {
        let waits = job.verified_within().and(job.after).is_some_and(accepted);
        waits && settled.outcome == Outcome::NotAttempted
    });
    if let (steps @ 1.., Some(id)) = (left.count(), &finished.id) {
        let what = count_of(steps, "step");
        stderr.say(&format!(
            "{what} left, because the one before was not seen to have happened: `musterout resume {id}` waits again"
        ));
    }
    let pending = finished.verification.map_or(0, |verification| verification.pending);
    if let (1.., Some(id)) = (pending, &finished.id) {
        let what = count_of(pending, "job");
        stderr.say(&format!("{what} not confirmed yet: `musterout verify {id} --for 1h` goes on looking"));
    }
}

/// What is left to do where somebody has to approve first.
fn waits_for_approval(finished: &Finished, stderr: &Stderr) {
    let waiting = finished.settlements.iter().filter(|settled| settled.outcome == Outcome::AwaitingApproval).count();
    if let (1.., Some(id)) = (waiting, &finished.id) {
        let what = count_of(waiting, "approval request");
        stderr.say(&format!(
            "{what} open: `musterout approvals {id}` shows what to approve, `musterout resume {id}` completes what is approved"
        ));
    }
}

/// The command that goes on with a run.
fn go_on(finished: &Finished) -> String {
    match &finished.id {
        Some(id) if finished.verification.is_some() => format!("musterout verify {id} --for 1h"),
        Some(id) => format!("musterout resume {id}"),
        None => "musterout run".into(),
    }
}

/// The same, and what goes on with the rows that failed: they stay so until somebody asks for them.
fn go_on_with_all(finished: &Finished) -> String {
    let is_failed = |settled: &&Settlement| matches!(settled.outcome, Outcome::Failed | Outcome::NotFound);
    let failed = finished.settlements.iter().filter(is_failed).count();
    match (&finished.id, failed) {
        (Some(id), 1..) => {
            let jobs = if failed == 1 { "job".to_owned() } else { count_of(failed, "job") };
            format!("{}; then, for the {jobs} that failed: musterout resume {id} --only failed", go_on(finished))
        }
        _ => go_on(finished),
    }
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
        PlainForm::Human => print(&format!("run {id} is in {}\n", visible(file))),
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
                None => format!("no {many} (reading them was not permitted)"),
            };
            let autopilot = counted(saved.autopilot, "Autopilot identity", "Autopilot identities");
            let entra = counted(saved.entra_devices, "Entra device", "Entra devices");
            let users = counted(saved.users, "user", "users");
            let devices = count_of(saved.devices, "device");
            print(&format!("{devices}, {autopilot}, {entra} and {users} are in {}\n", visible(&file)))
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
