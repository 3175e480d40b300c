//! A run and the journal: locked, recorded, remembered.
//!
//! In: a plan about to run, or the id of a run. Out: a [`Recorded`] run whose attempts are durable before they leave.
//! Must not: send, or let a run begin that is not in the journal whole.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{Choices, Error, Tenant};
use crate::catalog::{Definition, Repeat};
use crate::job::{Job, JobId};
use crate::journal::resume::{Next, Only, decide};
use crate::journal::{
    Inherited, Journal, JournalError, NewRun, PlanFile, Recorder, RunId, RunLock, RunRecord, StoredJob,
};
use crate::msgraph::request;
use crate::outcome::{Outcome, Settlement, Standing};
use crate::plan::Plan;
use crate::runner::Earlier;
use crate::runner::shutdown::StopRequest;

/// A run that is in the journal, under its lock.
pub struct Recorded {
    pub journal: Journal,
    pub id: RunId,
    pub number: i64,
    _lock: RunLock,
}

/// What a resumed run must know of how it was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    pub graph_url: String,
    pub login_url: String,
    pub tenant: Tenant,
    pub plan_tenant: Option<String>,
    pub justification: Option<String>,
    pub choices: Choices,
    /// The actions that the plan defines itself: without them its jobs mean nothing.
    pub actions: Vec<Definition>,
}

impl Begun {
    fn json(&self) -> Value {
        let scenario = match &self.tenant {
            Tenant::Real => Value::Null,
            Tenant::Simulated(None) => json!(""),
            Tenant::Simulated(Some(file)) => json!(file),
        };
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "graph_url": self.graph_url,
            "login_url": self.login_url,
            "simulated": scenario,
            "plan_tenant": self.plan_tenant,
            "justification": self.justification,
            "concurrency": self.choices.concurrency,
            "reserve_percent": self.choices.reserve_percent,
            "max_attempts": self.choices.max_attempts,
            "unpaced": self.choices.unpaced,
            "actions": self.actions,
        })
    }

    /// `None` where the record lacks what every run records.
    pub fn from_json(settings: &Value) -> Option<Self> {
        let text = |key: &str| settings.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key: &str| settings.get(key).and_then(Value::as_u64);
        Some(Self {
            graph_url: text("graph_url")?,
            login_url: text("login_url")?,
            tenant: match text("simulated") {
                None => Tenant::Real,
                Some(file) => Tenant::Simulated((!file.is_empty()).then(|| file.into())),
            },
            plan_tenant: text("plan_tenant"),
            justification: text("justification"),
            choices: Choices {
                concurrency: number("concurrency").and_then(|n| n.try_into().ok()),
                reserve_percent: number("reserve_percent").and_then(|n| n.try_into().ok()),
                max_attempts: number("max_attempts").and_then(|n| n.try_into().ok()),
                unpaced: settings.get("unpaced").and_then(Value::as_bool).unwrap_or_default(),
            },
            actions: match settings.get("actions") {
                None => Vec::new(),
                Some(actions) => serde_json::from_value(actions.clone()).ok()?,
            },
        })
    }
}

/// What makes two runs runs of one plan: the plan's name or else its place, and the Graph that it is run against.
///
/// The tenant is no part of it: it has several spellings, and the ids in a plan are of one tenant anyhow.
pub fn plan_key(plan: &Plan, tenant: &Tenant, graph_url: &str) -> String {
    let graph = match tenant {
        Tenant::Real => graph_url,
        Tenant::Simulated(_) => "simulated",
    };
    let name = match &plan.name {
        Some(name) => format!("name:{name}"),
        None => format!("file:{}", plan.file.canonicalize().unwrap_or_else(|_| plan.file.clone()).display()),
    };
    let digest = Sha256::digest(format!("{}\n{name}", graph.to_ascii_lowercase()));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The plan's files as they are now, and one digest over them.
pub fn plan_files(plan: &Plan) -> Result<(Vec<PlanFile>, String), Error> {
    let mut digest = Sha256::new();
    let mut files = Vec::with_capacity(plan.inputs.len());
    for input in &plan.inputs {
        let file = input.file.display().to_string();
        let text = std::fs::read(&input.file)
            .map_err(|cause| Error::Io { what: format!("{file} cannot be read again"), cause })?;
        digest.update(Sha256::digest(&text));
        files.push(PlanFile { file, text });
    }
    Ok((files, digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// What a new run is recorded with.
pub struct Beginning<'a> {
    pub plan: &'a Plan,
    /// The plan's, which the run has taken over.
    pub jobs: &'a [Job],
    pub key: &'a str,
    pub tenant: &'a str,
    pub begun: &'a Begun,
    pub report: &'a Path,
    pub inherited: &'a [(u32, Inherited)],
    pub id: RunId,
    pub now: Timestamp,
}

/// Records a run whole, under a lock that was taken before.
pub fn begin(mut journal: Journal, lock: RunLock, beginning: Beginning<'_>) -> Result<Recorded, Error> {
    let Beginning { plan, jobs, key, tenant, begun, report, inherited, id, now } = beginning;
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
        settings: &begun.json(),
        report: Some(&report),
        jobs,
        inherited,
        request: recorded_request,
        now,
    })?;
    Ok(Recorded { journal, id, number, _lock: lock })
}

/// Method, path and body, as the journal keeps them.
fn recorded_request(job: &Job) -> (&'static str, String, Option<&str>) {
    let request = request::build(job);
    (request.method.name(), request.path, request.body)
}

impl Recorded {
    /// Takes up a run that is in the journal already, under a lock that was taken before it was read.
    pub fn again(journal: Journal, lock: RunLock, record: &RunRecord) -> Result<Self, Error> {
        journal.set_state(record.number, "running", None)?;
        Ok(Self { id: record.id.clone(), number: record.number, journal, _lock: lock })
    }

    /// Starts the writer; if it fails, the run is told to stop.
    pub fn recorder(&self, stop: &mpsc::UnboundedSender<StopRequest>) -> Result<Recorder, Error> {
        let stop = stop.clone();
        let failed = move |why: String| {
            let _ = stop.send(StopRequest::JournalFailed(why.into()));
        };
        Ok(Recorder::start(&self.journal, self.number, failed)?)
    }
}

/// What to do with each job of a run that goes on. A job whose request is no longer the recorded one is an error.
pub fn take_up(jobs: &[StoredJob], only: Only) -> Result<HashMap<u32, Earlier>, Error> {
    let mut earlier = HashMap::new();
    for (index, stored) in (0u32..).zip(jobs) {
        let (method, path, body) = recorded_request(&stored.job);
        if (method, path.as_str(), body)
            != (stored.request.0.as_str(), stored.request.1.as_str(), stored.request.2.as_deref())
        {
            let what = format!("row {}: the request would not be the recorded one", stored.job.row);
            return Err(JournalError::Damaged(what).into());
        }
        let next = decide(stored.past(), stored.job.action.repeat, only);
        if next == Next::Keep {
            earlier.insert(index, Earlier::Kept(Box::new(stored.standing())));
        } else if next == Next::Read || !stored.attempts.is_empty() {
            let open = open(stored, next);
            let failed = stored.settled.clone().filter(|settlement| settlement.outcome == Outcome::Failed);
            earlier.insert(
                index,
                match failed {
                    Some(failed) => Earlier::Failed(Box::new(failed), Box::new(open)),
                    None => open,
                },
            );
        }
    }
    Ok(earlier)
}

fn open(stored: &StoredJob, next: Next) -> Earlier {
    let first_sent = stored.attempts.first().map(|attempt| attempt.sent_at);
    // Without a record of the attempt, nothing that a read shows is new enough to prove it.
    let at_least = (next == Next::Read).then(|| first_sent.unwrap_or(Timestamp::MAX));
    Earlier::Open {
        recorded: u32::try_from(stored.attempts.len()).unwrap_or(u32::MAX),
        first_sent,
        doubtful_since: stored.doubtful_since().or(at_least),
        read_first: next == Next::Read,
    }
}

/// What earlier runs of a standing plan have done: settled jobs are not sent again, doubtful ones are read first.
pub fn once(journal: &Journal, key: &str, jobs: &[Job]) -> Result<Vec<(u32, Inherited)>, Error> {
    let mut past: HashMap<JobId, Inherited> = HashMap::new();
    for id in journal.runs_of(key)? {
        for stored in journal.read(&id)?.jobs {
            match past.get(&stored.job.id) {
                Some(Inherited::Settled(_)) => {}
                // A doubt stays until a run has settled it well, whatever later runs did not come to.
                earlier => {
                    let news = news(&id, &stored, earlier.is_some());
                    past.extend(news.map(|news| (stored.job.id, news)));
                }
            }
        }
    }
    let known = (0u32..).zip(jobs).filter_map(|(index, job)| Some((index, past.get(&job.id)?.clone())));
    Ok(known.collect())
}

/// What one run adds to what is known of a job.
fn news(id: &RunId, stored: &StoredJob, in_doubt: bool) -> Option<Inherited> {
    let settled = stored.settled.as_ref();
    if settled.is_some_and(|settlement| settlement.outcome.standing() == Standing::Good) {
        // What that run has inherited itself keeps the name of the run that did it.
        let inherited = settled.filter(|settlement| settlement.outcome == Outcome::AlreadyDone);
        let note = inherited.and_then(|settlement| settlement.note.clone()).filter(|note| note.starts_with(DONE_BY));
        let note = note.unwrap_or_else(|| format!("{DONE_BY}{id}").into());
        return Some(Inherited::Settled(Box::new(Settlement::unsent(Outcome::AlreadyDone, note))));
    }
    // Whether it may be repeated is asked when it is taken up.
    let unknown = settled.is_some_and(|settlement| settlement.outcome == Outcome::Unknown);
    let doubt = unknown || stored.doubtful_since().is_some();
    let attempt = stored.attempts.first().filter(|_| doubt && !in_doubt);
    attempt.map(|attempt| Inherited::InDoubt {
        client_request_id: attempt.client_request_id.clone(),
        sent_at: stored.doubtful_since().unwrap_or(attempt.sent_at),
    })
}

const DONE_BY: &str = "done by run ";

/// What is inherited, as the runner takes it up.
pub fn inherit(inherited: &[(u32, Inherited)], jobs: &[Job]) -> HashMap<u32, Earlier> {
    let take_up = |(index, what): &(u32, Inherited)| {
        let earlier = match what {
            Inherited::Settled(settlement) => Earlier::Kept(settlement.clone()),
            Inherited::InDoubt { sent_at, .. } => Earlier::Open {
                recorded: 1,
                first_sent: Some(*sent_at),
                doubtful_since: Some(*sent_at),
                read_first: jobs.get(*index as usize).is_none_or(|job| job.action.repeat == Repeat::AfterReadBack),
            },
        };
        (*index, earlier)
    };
    inherited.iter().map(take_up).collect()
}
