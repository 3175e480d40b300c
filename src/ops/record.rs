//! A run and the journal: locked, recorded, remembered.
//!
//! In: a plan about to run, or the id of a run. Out: a [`Recorded`] run whose attempts are durable before they leave.
//! Must not: send, or let a run begin that is not in the journal whole.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::agreed::Seen;
use super::agreement::Agreement;
use super::error::Error;
use super::limits::Choices;
use super::missing::Span;
use super::spare::scenario;
use super::stage::stage_of;
use crate::catalog::{Definition, Limits};
use crate::daily::Settings as DailySettings;
use crate::diagnostics::Diagnostic;
use crate::guard::Brakes;
use crate::guard::rules::Rules;
use crate::job::Job;
use crate::journal::resume::{Next, Only, decide};
use crate::journal::{
    Inherited, Journal, JournalError, NewRun, PlanFile, RunId, RunLock, RunRecord, RunState, StopFile, StopWatch,
    StoredJob,
};
use crate::msgraph::request;
use crate::outcome::{Outcome, Settlement};
use crate::plan::{self, Plan};
use crate::runner::Earlier;
use crate::runner::shutdown::StopRequest;
use crate::session::Tenant;
use crate::simulator::kept::Stage;
use crate::source::Fingerprint;

/// A run that is in the journal, under its lock.
pub struct Recorded {
    pub journal: Journal,
    pub tenant: String,
    pub id: RunId,
    pub number: i64,
    lock: RunLock,
}

/// What a resumed run must know of how it was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Begun {
    pub graph_url: String,
    pub login_url: String,
    pub tenant: Tenant,
    pub plan_name: Option<String>,
    pub plan_tenant: Option<String>,
    pub justification: Option<String>,
    pub choices: Choices,
    pub daily: DailySettings,
    /// The plan's own; those of a policy are read anew.
    pub rules: Rules,
    /// What was said of rows whose target is not there.
    pub missing: Vec<Span>,
    /// Jobs that are held because their row leads to another target than a run has dealt with; and why, by index.
    pub replaced: BTreeMap<u32, String>,
    /// The policy that was named.
    pub policy: Option<PathBuf>,
    pub brakes: Brakes,
    /// The digest of the saved preview that the run was begun from. The journal has the file.
    pub saved_preview: Option<String>,
    /// What somebody agreed to. `None`: an older version has not recorded it.
    pub agreed: Option<Agreement>,
    /// What the inventory that targets were looked up in has of those that something is done to which cannot be undone.
    pub inventory: Seen,
    /// The actions that the plan defines itself: without them its jobs mean nothing.
    pub actions: Vec<Definition>,
    /// Every file that it was made of: no report takes the place of one.
    pub read: Vec<PathBuf>,
}

/// In place of a scenario: a tenant in a process cannot be found again, and nobody else may take its place. Whoever
/// resumes hands it in.
const GONE: &str = "a tenant in the process that began the run";

impl Begun {
    fn json(&self) -> Value {
        let scenario = match &self.tenant {
            Tenant::Real | Tenant::Kept(_) => Value::Null,
            Tenant::InProcess(transport) if transport.kept().is_some() => Value::Null,
            Tenant::InProcess(_) => json!(GONE),
            Tenant::Simulated(None) => json!(""),
            Tenant::Simulated(Some(file)) => json!(file),
        };
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "graph_url": self.graph_url,
            "login_url": self.login_url,
            "simulated": scenario,
            "kept": stage_of(&self.tenant),
            "plan_name": self.plan_name,
            "plan_tenant": self.plan_tenant,
            "justification": self.justification,
            "limits": self.choices.limits,
            "unpaced": self.choices.unpaced,
            "daily": self.daily,
            "guards": self.rules,
            "missing": self.missing,
            "replaced": self.replaced,
            "policy": self.policy,
            "brakes": self.brakes,
            "saved_preview": self.saved_preview,
            "agreed": self.agreed,
            "inventory": self.inventory,
            "actions": self.actions,
            "read": self.read,
        })
    }

    /// The files that the run was made of, as far as it has recorded them.
    pub(super) fn read_by(&self, journal: &Journal, record: &RunRecord) -> Result<Vec<PathBuf>, Error> {
        let mut read = self.read.clone();
        if read.is_empty() {
            read.extend(journal.plan_files(record.head.number)?.into_iter().map(|file| file.file.into()));
        }
        read.push(PathBuf::from(&record.head.plan_file));
        // It may read other lists by now.
        if let Ok(plan) = plan::load(Path::new(&record.head.plan_file)) {
            read.extend(plan.inputs.into_iter().map(|input| input.file));
        }
        read.extend(scenario(&self.tenant).cloned());
        Ok(read)
    }

    /// `None` where the record lacks what every run records.
    pub(super) fn from_json(settings: &Value) -> Option<Self> {
        let text = |key: &str| settings.get(key).and_then(Value::as_str).map(str::to_owned);
        // Runs of older versions had none. Those that cannot be understood are not left out.
        let rules = match settings.get("guards") {
            None => Rules::default(),
            Some(rules) => serde_json::from_value(rules.clone()).ok()?,
        };
        // Older versions compared nothing with it.
        let inventory = match settings.get("inventory") {
            None => Seen::default(),
            Some(seen) => serde_json::from_value(seen.clone()).ok()?,
        };
        Some(Self {
            rules,
            policy: text("policy").map(PathBuf::from),
            graph_url: text("graph_url")?,
            login_url: text("login_url")?,
            tenant: match text("simulated") {
                None => match settings.get("kept") {
                    None | Some(Value::Null) => Tenant::Real,
                    Some(stage) => Tenant::Kept(Stage::deserialize(stage).ok()?),
                },
                Some(file) => Tenant::Simulated((!file.is_empty()).then(|| file.into())),
            },
            plan_name: text("plan_name"),
            plan_tenant: text("plan_tenant"),
            saved_preview: text("saved_preview"),
            agreed: match settings.get("agreed") {
                None | Some(Value::Null) => None,
                Some(agreed) => Some(Agreement::deserialize(agreed).ok()?),
            },
            inventory,
            justification: text("justification"),
            choices: Choices {
                limits: match settings.get("limits") {
                    Some(limits) => Limits::deserialize(limits).ok()?,
                    // Older versions wrote them among the rest.
                    None => Limits::among(settings).ok()?,
                },
                unpaced: settings.get("unpaced").and_then(Value::as_bool).unwrap_or_default(),
            },
            // A run of before there were any was begun without.
            daily: match settings.get("daily") {
                Some(daily) => DailySettings::deserialize(daily).ok()?,
                None => DailySettings::default(),
            },
            brakes: match settings.get("brakes") {
                Some(brakes) => Brakes::deserialize(brakes).ok()?,
                // Begun by a version that knew of none.
                None => Brakes::default(),
            },
            missing: match settings.get("missing") {
                // Begun by a version in which nobody could say anything.
                None => Vec::new(),
                Some(missing) => Vec::deserialize(missing).ok()?,
            },
            replaced: match settings.get("replaced") {
                None => BTreeMap::new(),
                Some(replaced) => BTreeMap::deserialize(replaced).ok()?,
            },
            actions: match settings.get("actions") {
                None => Vec::new(),
                Some(actions) => serde_json::from_value(actions.clone()).ok()?,
            },
            read: match settings.get("read") {
                // Older versions knew of the plan alone.
                None => Vec::new(),
                Some(read) => Vec::deserialize(read).ok()?,
            },
        })
    }
}

/// What makes two runs runs of one plan: the plan's name or else its place, and the Graph that it is run against.
///
/// The tenant is no part of it: it has several spellings, and the ids in a plan are of one tenant anyhow.
pub(super) fn plan_key(plan: &Plan, tenant: &Tenant, graph_url: &str) -> String {
    let graph = match tenant {
        Tenant::Real | Tenant::Kept(_) | Tenant::InProcess(_) => graph_url,
        Tenant::Simulated(_) => "simulated",
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
            let help = "nothing was sent; look at the preview again, then run";
            Error::refused(Diagnostic::error("plan-changed", message).help(help))
        };
        let text = std::fs::read(&input.file)
            .map_err(|cause| refused(format!("{file} cannot be read again as it was: {cause}")))?;
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
pub(super) fn begin(mut journal: Journal, lock: RunLock, beginning: Beginning<'_>) -> Result<Recorded, Error> {
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
    Ok(Recorded { journal, tenant: tenant.to_owned(), id, number, lock })
}

impl Recorded {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Allowance, Bucket, TenantSize};

    /// As version 0.1.0 recorded it at first.
    const OF_BEFORE: &str = r#"{"version":"0.1.0","graph_url":"https://graph.microsoft.com","login_url":"https://login.microsoftonline.com",
        "simulated":"","plan_name":"lab","plan_tenant":null,"justification":null,"concurrency":8,"reserve_percent":20,
        "max_attempts":3,"settling_seconds":90,"unpaced":true,"daily":{},"tenant_size":"medium","low_priority":true,
        "allowances":{"{BUCKET}":[100,20]},"missing":[],"policy":null,"saved_preview":null,"actions":[]}"#;

    #[test]
    fn the_limits_of_a_run_are_read_as_they_were_written_then_and_are_written_now() {
        let bucket = Bucket::all().next().unwrap();
        let mut limits = Limits {
            concurrency: Some(8),
            reserve_percent: Some(20),
            max_attempts: Some(3),
            settling_seconds: Some(90),
            tenant_size: Some(TenantSize::Medium),
            low_priority: Some(true),
            ..Limits::default()
        };
        limits.allowances[bucket.index()] = Some(Allowance { requests: 100, window: Duration::from_secs(20) });
        let written = OF_BEFORE.replace("{BUCKET}", &bucket.to_string());
        let begun = Begun::from_json(&serde_json::from_str(&written).unwrap()).unwrap();
        assert_eq!(begun.choices, Choices { limits, unpaced: true });
        assert_eq!(Begun::from_json(&begun.json()), Some(begun));
        let damaged = written.replace("\"medium\"", "\"of tomorrow\"");
        assert_eq!(Begun::from_json(&serde_json::from_str(&damaged).unwrap()), None);
    }
}
