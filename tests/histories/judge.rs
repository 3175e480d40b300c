//! What must hold in every history.
//!
//! In: the tape of a history. Out: what is broken, in one line. Must not: know how the program works: only what reached the
//! tenant, and what its operators were told.

use std::collections::HashMap;
use std::time::Duration;

use musterout::testing::catalog::{Action, Repeat, Success};
use musterout::testing::guard::contradictions::may_follow;
use musterout::testing::outcome::Outcome;

use super::script::{Fault, Script, Step};
use super::tape::{Event, Job, May, NOBODY, Process, Request, Shown, Spoilt, Tape, licences, state};

/// A promise that a history has broken.
#[derive(Debug, Clone)]
pub struct Broken {
    pub promise: &'static str,
    pub how: String,
}

type Judged = Result<(), Broken>;

fn broken(promise: &'static str, how: String) -> Judged {
    Err(Broken { promise, how })
}

/// Judges what has happened so far.
pub fn judge(tape: &Tape, script: &Script) -> Judged {
    let settling = Duration::from_secs(u64::from(script.settling));
    nothing_else_is_touched(tape)?;
    nothing_happens_twice(tape, settling)?;
    nothing_forbidden_is_sent(tape)?;
    others_are_left_alone(tape, script)?;
    for (number, process) in tape.processes.iter().enumerate() {
        if let Some(rows) = &process.rows {
            every_row_is_there_once((tape, script), number, process, rows)?;
        }
    }
    Ok(())
}

fn nothing_else_is_touched(tape: &Tape) -> Judged {
    for (_, request) in tape.requests() {
        let (Some(action), process) = (request.action, &tape.processes[request.process]) else { continue };
        let told = format!("[{}] {}: {request}", request.process, process.what);
        let allowed: Vec<&May> = match &process.may {
            _ if process.verifies => Vec::new(),
            Some(may) => vec![may],
            None if process.is_any => tape.runs.iter().map(|run| &run.may).collect(),
            None => Vec::new(),
        };
        if allowed.is_empty() {
            return broken("a process that only looks sends nothing", told);
        }
        if !allowed.iter().any(|may| may.jobs.contains(&Job { action, device: request.device })) {
            return broken("nothing outside the plan is touched", told);
        }
        if process.protected.contains(&request.device) {
            return broken("nothing protected is touched", told);
        }
    }
    Ok(())
}

/// So long after a policy was written, something may still be on its way.
const ON_ITS_WAY: Duration = Duration::from_millis(2_500);

/// What the policy forbids is not sent, whoever began when, and under what policy.
fn nothing_forbidden_is_sent(tape: &Tape) -> Judged {
    for (at, event) in &tape.events {
        let Event::Request(request) = event else { continue };
        let Some(action) = request.action else { continue };
        let written = tape.events.iter().filter_map(|(written, event)| match event {
            Event::Policy(policy) if *written <= *at => Some((*written, policy)),
            _ => None,
        });
        let Some((written, policy)) = written.last() else { continue };
        let forbids = policy.protects == Some(request.device) || policy.denies == Some(action);
        if forbids && *at > written + ON_ITS_WAY {
            let process = &tape.processes[request.process];
            return broken(
                "nothing that a policy forbids is sent",
                format!("[{}] {}: {request}", request.process, process.what),
            );
        }
    }
    Ok(())
}

/// What may not be repeated takes effect twice only after a read that showed no effect, a settling time after the newest
/// attempt.
fn nothing_happens_twice(tape: &Tape, settling: Duration) -> Judged {
    let sent: Vec<(Duration, &Request)> = tape.requests().collect();
    for (at, (_, again)) in sent.iter().enumerate().filter(|(_, (_, request))| request.effect) {
        let Some(action) = again.action.filter(|action| may_not_be_repeated(action)) else { continue };
        let same = |request: &Request| request.action == Some(action) && request.device == again.device;
        let earlier = || sent[..at].iter().filter(|(_, request)| same(request));
        if !earlier().any(|(_, request)| request.effect) {
            continue;
        }
        let process = &tape.processes[again.process];
        let job = Job { action, device: again.device };
        let names_it = |may: &May| may.again.contains(&job);
        // Whoever takes up the newest run goes on with what was named when that was begun.
        let named = match &process.may {
            Some(may) => names_it(may),
            None => process.is_any && tape.runs.iter().any(|run| names_it(&run.may)),
        };
        let of_this_run = |request: &Request| {
            let other = &tape.processes[request.process];
            let may_be_its = process.is_any && (other.is_any || other.may.as_ref().is_some_and(names_it));
            request.process == again.process || (process.run.is_some() && other.run == process.run) || may_be_its
        };
        // Which of several that were asked to do it again the newest one is, nobody can tell: each may do it once.
        let began = &tape.processes[..again.process];
        let asked = began.iter().filter(|other| other.may.as_ref().is_some_and(names_it)).count();
        let is_theirs = |request: &Request| {
            let other = &tape.processes[request.process];
            other.is_any || other.may.as_ref().is_some_and(names_it)
        };
        let done = earlier().filter(|(_, request)| request.effect && is_theirs(request)).count();
        let is_one_of_them = process.is_any && done < asked;
        if named && (is_one_of_them || !earlier().any(|(_, request)| request.effect && of_this_run(request))) {
            continue;
        }
        let newest = earlier().rfind(|(_, request)| request.is_doubtful()).map(|(sent, _)| *sent).unwrap_or_default();
        let shown = |(sent, read): &&(Duration, &Request)| {
            read.device == again.device && *sent >= newest + settling && shows_none(action, read)
        };
        if !sent[..at].iter().any(|read| shown(&read)) {
            let how = format!("[{}] {action} of device {}", again.process, again.device);
            return broken("what may not be repeated happens once", how);
        }
    }
    Ok(())
}

/// What one plan has sent to a device, and nobody has looked at since, keeps the other plans from it, for a week at most.
fn others_are_left_alone(tape: &Tape, script: &Script) -> Judged {
    let forward: i64 =
        script.steps.iter().map(|step| if let Step::Clock(by) = step { i64::from(*by).max(0) } else { 0 }).sum();
    let week = A_WEEK.saturating_sub(Duration::from_secs(forward.unsigned_abs()));
    let mut open: HashMap<usize, Vec<(Duration, &Request)>> = HashMap::new();
    for (at, event) in &tape.events {
        let request = match event {
            Event::Request(request) => request,
            Event::Gone(device) | Event::Back(device) => {
                open.remove(device);
                continue;
            }
            Event::Began(_) | Event::Ended(..) | Event::World(_) | Event::Policy(_) | Event::Edited(..) => continue,
        };
        let before = open.entry(request.device).or_default();
        let Some(then) = request.action else {
            // Whoever has read it may know what came of it.
            before.clear();
            continue;
        };
        before.retain(|(_, other)| other.action != Some(then));
        let is_in_the_way = |(since, other): &&(Duration, &Request)| {
            let plans = [request, *other].map(|request| plan_of(tape, request));
            let are_two = plans[0].is_some() && plans[1].is_some() && plans[0] != plans[1];
            are_two && *at < *since + week && !may_follow(other.action.unwrap_or_default(), then)
        };
        if let Some((_, other)) = before.iter().find(is_in_the_way) {
            return broken("what another plan has open is left alone", format!("{request} after {other}"));
        }
        if leaves_open(request) {
            before.push((*at, request));
        }
    }
    Ok(())
}

const A_WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

fn plan_of<'t>(tape: &'t Tape, request: &Request) -> Option<&'t str> {
    let process = &tape.processes[request.process];
    let of_run = || tape.runs.get(process.run?).map(|run| &run.may);
    process.may.as_ref().or_else(of_run)?.plan.as_deref()
}

/// Whether nobody knows yet what has come of it, whatever else is sent by the same process.
fn leaves_open(request: &Request) -> bool {
    let Some(action) = request.action.and_then(Action::named) else { return false };
    let status = request.answer.as_ref().map(|(status, _)| *status);
    let is_told = request.spoilt == Spoilt::No && status.is_some_and(|status| (200..300).contains(&status));
    match is_told {
        true => request.effect && action.success == Success::Accepted,
        // What may be repeated may have failed for good.
        false => request.is_doubtful() && action.repeat == Repeat::AfterReadBack,
    }
}

fn removes(action: &str) -> bool {
    matches!(action, "delete" | "deleteUser")
}

fn may_not_be_repeated(action: &str) -> bool {
    Action::named(action).is_none_or(|action| action.repeat == Repeat::AfterReadBack)
}

fn shows_none(action: &str, read: &Request) -> bool {
    let shown = |is_there: fn(&[u8]) -> bool| read.shown().is_some_and(|body| is_there(body));
    match action {
        "wipe" | "retire" => shown(|body| state(body) == "managed"),
        "removeLicenses" => shown(|body| licences(body) > 0),
        _ => false,
    }
}

fn every_row_is_there_once(
    (tape, script): (&Tape, &Script),
    number: usize,
    process: &Process,
    rows: &[Shown],
) -> Judged {
    let wanted = process.may.as_ref().map(|may| &may.jobs);
    let got: Vec<&Job> = rows.iter().map(|row| &row.job).collect();
    // Looking up has found nobody: the row stands for whom it means.
    // A name that is one's who is gone leads to nobody as well, and the row is known by whom it meant before.
    let same = |(wanted, got): (&Job, &&Job)| {
        let is_one = wanted.device == got.device || got.device == NOBODY || tape.was_ever_gone(wanted.device);
        wanted.action == got.action && is_one
    };
    if wanted.is_some_and(|wanted| wanted.len() != got.len() || !wanted.iter().zip(&got).all(same)) {
        let how = format!("[{number}] {}: {got:?} in place of {wanted:?}", process.what);
        return broken("every row is in the report once, in plan order", how);
    }
    let meant = |(at, row): (usize, &Shown)| {
        let job = wanted.and_then(|wanted| wanted.get(at)).unwrap_or(&row.job).clone();
        Shown { job, ..row.clone() }
    };
    let rows: Vec<Shown> = rows.iter().enumerate().map(meant).collect();
    for (at, row) in rows.iter().enumerate() {
        // Of the same job twice, the first row stands for it.
        if !rows[..at].iter().any(|first| first.job == row.job) {
            row_is_true((tape, script), number, process, row)?;
        }
    }
    Ok(())
}

fn row_is_true((tape, script): (&Tape, &Script), number: usize, process: &Process, row: &Shown) -> Judged {
    // What happened later is no business of this row.
    let ended = tape.events.iter().position(|(_, event)| matches!(event, Event::Ended(ended, _) if *ended == number));
    let own = |request: &Request| {
        let run = tape.processes[request.process].run;
        request.process == number || (run.is_some() && run == process.run)
    };
    let before = |request: &Request| ended.is_none_or(|ended| position(tape, request) < ended);
    let by_anybody = tape.effects(&row.job, before);
    let by_this_run = tape.effects(&row.job, |request| own(request) && before(request));
    let told = format!(
        "[{number}] {}: {} of device {} is {}: {:?}; {by_this_run} effects of this run, {by_anybody} in all",
        process.what,
        row.job.action,
        row.job.device,
        row.outcome.name(),
        row.note
    );
    let gone = tape.was_ever_gone(row.job.device);
    // What shows later than anybody has to wait for may be taken for not there.
    let in_time = shows_in_time(script, &row.job);
    match row.outcome {
        Outcome::Completed | Outcome::Accepted if by_anybody == 0 && !(gone && removes(row.job.action)) => {
            broken("what is called done has happened", told)
        }
        Outcome::AlreadyDone if by_anybody == 0 && !gone => broken("what is called done has happened", told),
        Outcome::NotAttempted | Outcome::Held | Outcome::NotFound if by_this_run > 0 && in_time => {
            broken("what is called not attempted has not happened", told)
        }
        Outcome::Failed if by_this_run > 0 && in_time && may_not_be_repeated(row.job.action) => {
            broken("what is called failed has not happened", told)
        }
        _ => Ok(()),
    }
}

fn shows_in_time(script: &Script, job: &Job) -> bool {
    let is_late = |fault: &Fault| fault.late.is_some_and(|late| late + 2 > script.settling);
    let of_job = |fault: &&Fault| fault.action == Some(job.action) && fault.device == job.device;
    !script.faults.iter().filter(of_job).any(is_late)
}

fn position(tape: &Tape, wanted: &Request) -> usize {
    let is_it = |event: &Event| matches!(event, Event::Request(request) if std::ptr::eq(request, wanted));
    tape.events.iter().position(|(_, event)| is_it(event)).unwrap_or_default()
}
