//! A run and the journal: locked, recorded, remembered.
//!
//! In: a plan about to run, or the id of a run. Out: a [`RecordedRun`] run whose attempts are durable before they leave.
//! Must not: send, or let a run begin that is not in the journal whole.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::begun::Begun;
use super::error::Error;
use crate::diagnostics::Diagnostic;
use crate::job::Job;
use crate::journal::resume::{Next, Only, decide};
use crate::journal::{
    Inherited, Journal, JournalError, NewRun, PlanFile, RunId, RunLock, RunRecord, RunState, StopFile, StopWatch,
    StoredJob,
};
use crate::msgraph::request;
use crate::outcome::{Outcome, Settlement};
use crate::plan::Plan;
use crate::runner::Earlier;
use crate::runner::shutdown::StopRequest;
use crate::session::TargetTenant;
use crate::source::Fingerprint;

/// A run that is in the journal, under its lock.
pub struct RecordedRun {
    pub journal: Journal,
    pub tenant: String,
    pub id: RunId,
    pub number: i64,
    lock: RunLock,
}

/// What makes two runs runs of one plan: the plan's name or else its place, and the Graph that it is run against.
///
/// The tenant is no part of it: it has several spellings, and the ids in a plan are of one tenant anyhow.
pub(super) fn plan_key(plan: &Plan, tenant: &TargetTenant, graph_url: &str) -> String {
    let graph = match tenant {
        TargetTenant::Real | TargetTenant::Kept(_) | TargetTenant::InProcess(_) => graph_url,
        TargetTenant::Simulated(_) => "simulated",
    };
    let name = match &plan.name {
        Some(name) => format!("name:{name}"),
        None => format!("file:{}", plan.file.canonicalize().unwrap_or_else(|_| plan.file.clone()).display()),
    };
    let digest = Sha256::digest(format!("{}\n{name}", graph.to_ascii_lowercase()));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The plan's files as they were read, and one digest over them. A file that has changed since is an error: what is
/// recorded must be what somebody has looked at.
pub(super) fn plan_files(plan: &Plan) -> Result<(Vec<PlanFile>, String), Error> {
    let mut digest = Sha256::new();
    let mut files = Vec::with_capacity(plan.inputs.len());
    for input in &plan.inputs {
        let file = input.file.display().to_string();
        let refused = |message: String| {
            let help = "nothing was sent; check the preview again, then run";
            Error::refused(Diagnostic::error("plan-changed", message).help(help))
        };
        let text =
            std::fs::read(&input.file).map_err(|cause| refused(format!("{file} cannot be read again: {cause}")))?;
        if Fingerprint::of(&text) != input.fingerprint {
            return Err(refused(format!("{file} has changed since it was read")));
        }
        digest.update(Sha256::digest(&text));
        files.push(PlanFile { file, text });
    }
    Ok((files, digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// What a new run is recorded with.
pub(super) struct Beginning<'a> {
    pub plan: &'a Plan,
    /// The plan's, which the run has taken over.
    pub jobs: &'a [Job],
    pub key: &'a str,
    pub tenant: &'a str,
    pub place: &'a str,
    /// Up to this place in the order of all runs it is known what others have done.
    pub order: i64,
    pub begun: &'a Begun,
    pub report: &'a Path,
    /// Kept no longer than it takes to record it: a plan may have a million rows.
    pub inherited: Vec<(u32, Inherited)>,
    pub id: RunId,
    pub now: Timestamp,
}

/// Records a run whole, under a lock that was taken before.
pub(super) fn begin(mut journal: Journal, lock: RunLock, beginning: Beginning<'_>) -> Result<RecordedRun, Error> {
    let Beginning { plan, jobs, key, tenant, place, order, begun, report, inherited, id, now } = beginning;
    // Somebody may have thought about the question for a while.
    lock.keep()?;
    let (files, digest) = plan_files(plan)?;
    let plan_file = std::path::absolute(&plan.file).unwrap_or_else(|_| plan.file.clone()).display().to_string();
    let report = std::path::absolute(report).unwrap_or_else(|_| report.to_owned());
    let number = journal.begin(&NewRun {
        id: &id,
        plan_key: key,
        plan_file: &plan_file,
        plan_digest: &digest,
        plan_files: &files,
        tenant,
        place,
        known: order,
        settings: &begun.json(),
        report: Some(&report),
        jobs,
        inherited: &inherited,
        request: request::recorded,
        now,
    })?;
    Ok(RecordedRun { journal, tenant: tenant.to_owned(), id, number, lock })
}

impl RecordedRun {
    /// Takes up a run that is in the journal already, under a lock that was taken before it was read.
    pub fn again(journal: Journal, lock: RunLock, record: &RunRecord) -> Result<Self, Error> {
        lock.keep()?;
        journal.set_state(record.head.number, RunState::Running, None)?;
        let (id, tenant) = (record.head.id.clone(), record.head.tenant.clone());
        Ok(Self { id, tenant, number: record.head.number, journal, lock })
    }

    /// Looks at a run that is in the journal, under a lock that was taken before it was read: it stays as it ended.
    pub(super) fn as_it_is(journal: Journal, lock: RunLock, record: &RunRecord) -> Self {
        let (id, tenant) = (record.head.id.clone(), record.head.tenant.clone());
        Self { id, tenant, number: record.head.number, journal, lock }
    }

    /// Tells the run when somebody at another terminal wants it to end, for as long as what this gives back lives.
    pub fn listen(&self, stop: &mpsc::UnboundedSender<StopRequest>) -> Listening {
        let stop = stop.clone();
        let file = match self.lock.stop_watch() {
            StopWatch::Look(file) => file,
            StopWatch::Wait(asked) => {
                let mut waiting = JoinSet::new();
                waiting.spawn(async move {
                    asked.notified().await;
                    let _ = stop.send(StopRequest::Stop);
                });
                return Listening::Task(waiting);
            }
        };
        let (listening, over) = std::sync::mpsc::channel();
        // A run that cannot be stopped from elsewhere is still a run.
        let _ = thread::Builder::new().name("stop".into()).spawn(move || until_requested(&file, &stop, &over));
        Listening::Thread(listening)
    }
}

/// Dropped, it ends the thread or the task that listens.
pub enum Listening {
    Thread(std::sync::mpsc::Sender<()>),
    Task(JoinSet<()>),
}

/// How often the request of another terminal is looked for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

fn until_requested(watch: &StopFile, stop: &mpsc::UnboundedSender<StopRequest>, over: &std::sync::mpsc::Receiver<()>) {
    while over.recv_timeout(BETWEEN_LOOKS) == Err(RecvTimeoutError::Timeout) {
        if let Err(error) = watch.keep() {
            let _ = stop.send(StopRequest::JournalFailed(format!("its lock was deleted: {error}").into()));
            return;
        }
        if watch.is_requested() {
            // A run that has ended needs not be told.
            let _ = stop.send(StopRequest::Stop);
            return;
        }
    }
}

/// What to do with each job of a run that goes on. A job whose request is no longer the recorded one is an error.
///
/// An open approval request is waited for, until somebody has looked it up.
pub fn take_up(jobs: &[StoredJob], only: Only, refile: bool) -> Result<HashMap<u32, Earlier>, Error> {
    let mut earlier = HashMap::new();
    for (index, stored) in (0u32..).zip(jobs) {
        let (method, path, body) = request::recorded(&stored.job);
        if (method, path.as_str(), body)
            != (stored.request.0.as_str(), stored.request.1.as_str(), stored.request.2.as_deref())
        {
            let what = format!("row {}: the request would not be the recorded one", stored.job.row);
            return Err(JournalError::Damaged(what).into());
        }
        match decide(stored.past(), stored.job.action.repeat, only, refile) {
            Next::Send if stored.attempts.is_empty() => {}
            next @ (Next::Send | Next::Read) => {
                earlier.insert(index, again(stored, next));
            }
            // What a request has come to is settled where requests are looked up.
            Next::Keep | Next::Complete | Next::Check | Next::Done | Next::Fail => {
                earlier.insert(index, Earlier::Kept(Box::new(stored.standing())));
            }
        }
    }
    Ok(earlier)
}

/// A job that is sent or read once more.
pub(super) fn again(stored: &StoredJob, next: Next) -> Earlier {
    let open = open(stored, next);
    let bad = |settlement: &Settlement| matches!(settlement.outcome, Outcome::Failed | Outcome::NotFound);
    match stored.settled.clone().filter(bad) {
        Some(failed) => Earlier::Failed(Box::new(failed), Box::new(open)),
        None => open,
    }
}

fn open(stored: &StoredJob, next: Next) -> Earlier {
    let tries = stored.tries();
    // Without a record of the attempt, nothing that a read shows is new enough to prove it.
    let at_least = (next == Next::Read).then(|| tries.first.unwrap_or(Timestamp::MAX));
    Earlier::Open { tries, doubtful_since: stored.doubtful_since().or(at_least), read_first: next == Next::Read }
}
