//! What all runs of this machine know of the jobs of a plan, read from the database.
//!
//! In: the jobs, and who asks. Out: for each job that somebody has done, left in doubt or asked an approval for, which run,
//! how and when; and up to which place in the order of all runs that is so. Must not: forget a job because its run was
//! pruned, or decide what follows.
//!
//! A job that may not be repeated is known by what it does, whatever plan asked for it. Other jobs are known to runs of
//! their own plan alone. A run that has finished is remembered once, in a table of its own, so that it can be pruned.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::approvals;
use super::open_jobs::{self, Asker};
use super::order;
use super::parts::{Deeds, PastRun, TURNED_DOWN, job_id, kept, of_run};
use super::rows::settlement;
use super::sieve::Sieve;
use super::store::Store;
use crate::approval::RequestStatus;
use crate::job::{Job, JobId};
use crate::journal::error::JournalError;
use crate::journal::known::{DoneBefore, FROM_THE_BEGINNING, InDoubt, Known, PartOfRun, Pending, TurnedDown, known};
use crate::journal::memory::{JobMemory, MemoryQuery, OpenJob, SIMULATED};
use crate::journal::naming::{Parts, written_id, written_once};
use crate::journal::run::{RunHead, RunRecord};

/// Keeps what a job was settled with, as its run has it.
const KEEP_DONE: &str = "
INSERT OR REPLACE INTO remembered (plan_key, job_id, done, run_id, client_request_id, sent_at, outcome, http_status,
    error_code, error_message, attempts, waited_ms, duration_ms, started_at, finished_at, request_id, note, read_at, stage,
    words, last_check_in, place, tenant, once, seq, ids, users)
SELECT r.plan_key, j.job_id, 1, r.run_id, coalesce(o.client_request_id, ''), 0, o.outcome, o.http_status,
    o.error_code, o.error_message, o.attempts, o.waited_ms, o.duration_ms, o.started_at, o.finished_at, o.request_id,
    o.note, f.read_at, f.stage, f.words, f.last_check_in, r.place, r.tenant, j.once, o.seq,
    CASE WHEN n.job IS NOT NULL OR instr(j.ids, '@') THEN j.ids END, n.users
FROM runs r JOIN jobs j ON j.run = r.run JOIN outcomes o ON o.run = j.run AND o.job = j.job
LEFT JOIN names n ON n.run = j.run AND n.job = j.job LEFT JOIN follow_ups f ON f.run = j.run AND f.job = j.job WHERE r.run = ?1 AND j.job = ?2";

/// Keeps what is in doubt, with the attempts.
const KEEP_DOUBT: &str = "
INSERT OR REPLACE INTO remembered
    (plan_key, job_id, done, run_id, client_request_id, sent_at, attempts_in_doubt, place, tenant, once, seq, ids, users)
SELECT r.plan_key, j.job_id, 0, ?3, ?4, ?5, ?6, r.place, r.tenant, j.once, ?7,
    CASE WHEN n.job IS NOT NULL OR instr(j.ids, '@') THEN j.ids END, n.users
FROM runs r JOIN jobs j ON j.run = r.run LEFT JOIN names n ON n.run = j.run AND n.job = j.job WHERE r.run = ?1 AND j.job = ?2";

/// Keeps that nobody has approved a job, unless more is known of it.
const KEEP_TURNED_DOWN: &str = "
INSERT OR IGNORE INTO remembered (plan_key, job_id, done, run_id, client_request_id, sent_at, code, status, outcome,
    http_status, error_code, error_message, attempts, waited_ms, duration_ms, started_at, finished_at, request_id, note,
    place, tenant, seq)
SELECT r.plan_key, j.job_id, 2, r.run_id, coalesce(o.client_request_id, ''), 0, a.code, a.status, o.outcome,
    o.http_status, o.error_code, o.error_message, o.attempts, o.waited_ms, o.duration_ms, o.started_at, o.finished_at,
    o.request_id, o.note, r.place, r.tenant, o.seq
FROM approvals a JOIN runs r ON r.run = a.run JOIN jobs j ON j.run = a.run AND j.job = a.job
JOIN outcomes o ON o.run = a.run AND o.job = a.job AND o.outcome = 'failed'
WHERE r.plan_key = ?1 AND a.status IN ('rejected', 'cancelled', 'expired')
AND a.attempt = (SELECT max(b.attempt) FROM approvals b WHERE b.run = a.run AND b.job = a.job) ORDER BY o.seq DESC";

/// Whether something is kept of a name in a path.
const KEPT_NAMES: &str =
    "SELECT EXISTS (SELECT 1 FROM remembered WHERE place IN (?1, '') AND (instr(ids, '@') OR instr(once, '@')))";

/// Whether a run has a job of an action with a name in its path.
const SENT_NAMES: &str = "SELECT EXISTS (SELECT 1 FROM jobs AS j JOIN runs AS r ON r.run = j.run AND r.place = ?1
    WHERE j.action = ?2 AND instr(j.ids, '@'))";

/// What is known of the jobs of a plan that is about to be run, or might be.
pub(in crate::journal) fn memory(
    store: &mut Store,
    about: MemoryQuery<'_>,
    jobs: &[Job],
) -> Result<JobMemory, JournalError> {
    let transaction =
        store.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
    let order = order::now(&transaction).map_err(JournalError::read)?;
    let mut known = HashMap::new();
    let repeats = about.place != SIMULATED && jobs.iter().any(|job| !job.is_done_once());
    let of_plan = match about.once || repeats {
        true => plans_own(&transaction, about.plan_key)?,
        false => HashMap::new(),
    };
    let (of_plan, repeated) = match about.once {
        true => (of_plan, HashMap::new()),
        false => (HashMap::new(), repeated(jobs, &of_plan)),
    };
    let sieve = Sieve::of(&transaction, about.place, jobs.len(), NO_RUN).map_err(JournalError::read)?;
    let may_be_known = |job: &Job| sieve.as_ref().is_none_or(|sieve| sieve.may_know(job));
    let mut deeds = deeds_at(&transaction, about.place, about.tenant, NO_RUN)?;
    let of_plan_or_deed = |job: &Job| of_plan.contains_key(&job.digest()) || may_be_known(job);
    for (index, job) in (0u32..).zip(jobs).filter(|(_, job)| of_plan_or_deed(job)) {
        let parts = parts(job, &of_plan, deeds.as_mut())?;
        if let Some(one) = parts.known(job, FROM_THE_BEGINNING) {
            known.insert(index, one);
        }
    }
    drop(deeds);
    if about.once {
        add_requests(&transaction, about.plan_key, jobs, &mut known)?;
    }
    let asker = Asker { place: about.place, tenant: about.tenant, plan_key: about.plan_key };
    let open = open(&transaction, asker, (0u32..).zip(jobs).filter(|(_, job)| may_be_known(job)), about.now)?;
    transaction.commit().map_err(JournalError::write)?;
    Ok(JobMemory { jobs: known, order, repeated, open })
}

/// What other runs have done, left in doubt or asked for since that run has last taken account of them.
pub(in crate::journal) fn since(
    store: &mut Store,
    record: &RunRecord,
    now: Timestamp,
) -> Result<JobMemory, JournalError> {
    let RunRecord { head, jobs } = record;
    let transaction =
        store.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
    let order = order::now(&transaction).map_err(JournalError::read)?;
    let mut of_plan: HashMap<JobId, Vec<PartOfRun>> = HashMap::new();
    for run in others(&transaction, head).map_err(JournalError::read)? {
        for (id, parts) in of_run(&transaction, &run)? {
            of_plan.entry(id).or_default().extend(parts.into_iter().map(|(_, part)| part));
        }
    }
    let mut deeds = deeds_at(&transaction, &head.place, &head.tenant, head.number)?;
    let mut asked: HashMap<JobId, Pending> = approvals::pending(&transaction, &head.plan_key)?
        .into_iter()
        .filter(|(_, pending)| pending.run != head.number)
        .collect();
    let mut known = HashMap::new();
    // What is done to other targets of its chain concerns a step too, and it is this run that knows the chain.
    let has_steps = jobs.iter().any(|stored| stored.job.after.is_some());
    let sieve = (!has_steps).then(|| Sieve::of(&transaction, &head.place, jobs.len(), head.number));
    let sieve = sieve.transpose().map_err(JournalError::read)?.flatten();
    let may_be_known = |job: &Job| sieve.as_ref().is_none_or(|sieve| sieve.may_know(job));
    for (index, job) in (0u32..).zip(jobs.iter().map(|stored| &stored.job)) {
        let one = match of_plan.contains_key(&job.digest()) || may_be_known(job) {
            true => parts(job, &of_plan, deeds.as_mut())?.known(job, head.known),
            false => None,
        };
        let one = one.or_else(|| asked.remove(&job.id).map(|pending| Known::Asked(Box::new(pending))));
        let of_a_name = || asked_of_a_name(job, |id| asked.remove(&id));
        let one = one.or_else(of_a_name);
        known.extend(one.map(|one| (index, one)));
    }
    drop(deeds);
    let asker = Asker { place: &head.place, tenant: &head.tenant, plan_key: &head.plan_key };
    let maybe = (0u32..).zip(jobs.iter().map(|stored| &stored.job)).filter(|(_, job)| may_be_known(job));
    let open = open(&transaction, asker, maybe, now)?;
    transaction.commit().map_err(JournalError::write)?;
    Ok(JobMemory { jobs: known, order, repeated: HashMap::new(), open })
}

/// Whether a version that sent names as they stood may have done one of these actions there to somebody by a name.
pub(in crate::journal) fn has_sent_names(store: &Store, place: &str, actions: &[&str]) -> Result<bool, JournalError> {
    let read = || -> rusqlite::Result<bool> {
        let mut found: bool = store.connection.query_row(KEPT_NAMES, [place], |row| row.get(0))?;
        let mut select = store.connection.prepare_cached(SENT_NAMES)?;
        for action in actions {
            found = found || select.query_row([place, action], |row| row.get(0))?;
        }
        Ok(found)
    };
    if place == SIMULATED { Ok(false) } else { read().map_err(JournalError::read) }
}

/// No run has this number.
const NO_RUN: i64 = -1;

/// What may be repeated, and runs of its plan have done.
fn repeated(jobs: &[Job], of_plan: &HashMap<JobId, Vec<PartOfRun>>) -> HashMap<u32, DoneBefore> {
    let repeated = (0u32..).zip(jobs).filter(|(_, job)| !job.is_done_once());
    let done = repeated.filter_map(|(index, job)| match known(of_plan.get(&job.digest())?, FROM_THE_BEGINNING)? {
        Known::Done(done) => Some((index, done)),
        _ => None,
    });
    done.collect()
}

/// What other plans have open on the targets; nothing where everything is made up.
fn open<'j>(
    connection: &Connection,
    asker: Asker<'_>,
    jobs: impl Iterator<Item = (u32, &'j Job)>,
    now: Timestamp,
) -> Result<Vec<(u32, Vec<OpenJob>)>, JournalError> {
    match asker.place {
        SIMULATED => Ok(Vec::new()),
        _ => open_jobs::on_targets(connection, asker, jobs, now).map_err(JournalError::read),
    }
}

/// What is done only once; nobody knows of it where everything is made up.
fn deeds_at<'c>(
    connection: &'c Connection,
    place: &str,
    tenant: &str,
    but: i64,
) -> Result<Option<Deeds<'c>>, JournalError> {
    let deeds = (place != SIMULATED).then(|| Deeds::look(connection, place, tenant, but));
    deeds.transpose().map_err(JournalError::read)
}

/// The parts of runs in a job: of those of its plan, and of all that did the same deed.
fn parts(
    job: &Job,
    of_plan: &HashMap<JobId, Vec<PartOfRun>>,
    mut deeds: Option<&mut Deeds<'_>>,
) -> Result<Parts, JournalError> {
    let of_plan = |id: JobId| of_plan.get(&id).cloned().unwrap_or_default();
    let mut of_deed = |once: Option<String>, id: JobId| match (once, deeds.as_mut()) {
        (Some(once), Some(deeds)) => deeds.parts(&once, id).map_err(JournalError::read),
        _ => Ok(Vec::new()),
    };
    let digest = job.digest();
    let mut parts = Parts { by_ids: of_plan(digest), by_deed: of_deed(job.once(), digest)?, by_name: Vec::new() };
    let by_names = job.names.as_ref().and_then(|_| job.once_by_names());
    if let Some(by_names) = by_names.filter(|by_names| Some(by_names) != job.once().as_ref()) {
        parts.by_deed.extend(of_deed(Some(by_names), digest)?);
    }
    if let Some(written) = written_id(job) {
        parts.by_name = of_plan(written);
        parts.by_name.extend(of_deed(written_once(job), written)?);
    }
    Ok(parts)
}

/// An approval request that was filed for whoever had a name.
fn asked_of_a_name(job: &Job, asked: impl FnOnce(JobId) -> Option<Pending>) -> Option<Known> {
    let pending = asked(written_id(job).filter(|id| *id != job.id)?)?;
    Some(Known::OfAName(Box::new(Known::Asked(Box::new(pending)))))
}

fn add_requests(
    connection: &Connection,
    plan_key: &str,
    jobs: &[Job],
    known: &mut HashMap<u32, Known>,
) -> Result<(), JournalError> {
    let asked: HashMap<JobId, Pending> = approvals::pending(connection, plan_key)?.into_iter().collect();
    let mut turned_down = turned_down_before(connection, plan_key)?;
    turned_down.extend(approvals::turned_down(connection, plan_key)?);
    if asked.is_empty() && turned_down.is_empty() {
        return Ok(());
    }
    for (index, job) in (0u32..).zip(jobs) {
        let is_done = matches!(known.get(&index), Some(Known::Done(_)));
        if let Some(pending) = asked.get(&job.id).filter(|_| !is_done) {
            known.insert(index, Known::Asked(Box::new(pending.clone())));
        } else if let Some(of_a_name) = asked_of_a_name(job, |id| asked.get(&id).cloned()).filter(|_| !is_done) {
            known.insert(index, of_a_name);
        }
        if let Some(turned_down) = turned_down.get(&job.id) {
            known.entry(index).or_insert_with(|| Known::TurnedDown(Box::new(turned_down.clone())));
        }
    }
    Ok(())
}

/// What is kept of requests that came to nothing in runs that were pruned.
fn turned_down_before(connection: &Connection, plan_key: &str) -> Result<HashMap<JobId, TurnedDown>, JournalError> {
    let mut select = connection
        .prepare_cached("SELECT * FROM remembered WHERE plan_key = ?1 AND done = ?2")
        .map_err(JournalError::read)?;
    let mut rows = select.query(params![plan_key, TURNED_DOWN]).map_err(JournalError::read)?;
    let mut found = HashMap::new();
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let read = || -> rusqlite::Result<Option<TurnedDown>> {
            let (run_id, code): (String, String) = (row.get("run_id")?, row.get("code")?);
            let status = RequestStatus::named(&row.get::<_, String>("status")?);
            Ok(settlement(row)?.map(|settled| TurnedDown { run_id, code: code.into(), status, settled }))
        };
        let turned_down = read().map_err(JournalError::read)?;
        let id = job_id(row)?;
        found.extend(turned_down.map(|turned_down| (id, turned_down)));
    }
    Ok(found)
}

/// The parts of a plan's own runs: of those that are remembered together, of the others each by itself.
fn plans_own(transaction: &Transaction<'_>, plan_key: &str) -> Result<HashMap<JobId, Vec<PartOfRun>>, JournalError> {
    let mut parts: HashMap<JobId, Vec<PartOfRun>> = HashMap::new();
    for (id, part) in kept(transaction, plan_key)? {
        parts.entry(id).or_default().push(part);
    }
    for run in new_runs(transaction, plan_key).map_err(JournalError::read)? {
        let news = of_run(transaction, &run)?;
        if run.finished {
            keep(transaction, &run, &news, &parts).map_err(JournalError::write)?;
        }
        for (id, more) in news {
            parts.entry(id).or_default().extend(more.into_iter().map(|(_, part)| part));
        }
    }
    Ok(parts)
}

/// Adds the finished runs of a plan to what is remembered of it, and what nobody has approved in them.
pub(super) fn remember(transaction: &Transaction<'_>, plan_key: &str) -> Result<(), JournalError> {
    plans_own(transaction, plan_key)?;
    transaction.execute(KEEP_TURNED_DOWN, [plan_key]).map(|_| ()).map_err(JournalError::write)
}

/// The other runs of a plan that may have sent something since a run of it has last taken account of them. They are never
/// under way at the same time: each has begun, or was taken up, after the one before it had ended.
fn others(connection: &Connection, head: &RunHead) -> rusqlite::Result<Vec<PastRun>> {
    let mut select = connection.prepare_cached(
        "SELECT run, run_id, state = 'finished' FROM runs WHERE plan_key = ?1 AND run <> ?2 AND known >= ?3 ORDER BY run",
    )?;
    let runs = select.query_map(params![head.plan_key, head.number, head.known], PastRun::read)?;
    runs.collect()
}

/// The runs that are not remembered yet, the oldest first.
fn new_runs(connection: &Connection, plan_key: &str) -> rusqlite::Result<Vec<PastRun>> {
    let mut select = connection.prepare_cached(
        "SELECT run, run_id, state = 'finished' FROM runs WHERE plan_key = ?1 AND NOT remembered ORDER BY run",
    )?;
    let runs = select.query_map([plan_key], PastRun::read)?;
    runs.collect()
}

fn keep(
    connection: &Connection,
    run: &PastRun,
    news: &HashMap<JobId, Vec<(u32, PartOfRun)>>,
    before: &HashMap<JobId, Vec<PartOfRun>>,
) -> rusqlite::Result<()> {
    let (mut done, mut doubt) = (connection.prepare_cached(KEEP_DONE)?, connection.prepare_cached(KEEP_DOUBT)?);
    for (id, parts) in news {
        let own = parts.iter().map(|(_, part)| part.clone());
        let all: Vec<PartOfRun> = before.get(id).into_iter().flatten().cloned().chain(own).collect();
        let of = |run_id: &str| parts.iter().find(|(_, part)| part.run_id == run_id && part.ended.is_some());
        // A plan may name a job twice; the second one was held.
        match known(&all, FROM_THE_BEGINNING) {
            Some(Known::Done(DoneBefore { run_id, seq, .. })) if run_id == run.run_id => {
                let job = parts.iter().find(|(_, part)| part.ended.as_ref().is_some_and(|ended| ended.seq == seq));
                job.map(|(job, _)| done.execute(params![run.number, job])).transpose()?;
            }
            Some(Known::InDoubt(InDoubt { run_id, attempts, .. })) => {
                let Some((job, _)) = of(&run.run_id).or(parts.first()) else { continue };
                let (Some(first), Some(last)) = (attempts.first(), attempts.last()) else { continue };
                let text = serde_json::to_string(&attempts).unwrap_or_default();
                let (id, sent_at) = (&last.client_request_id, first.sent_at.as_microsecond());
                doubt.execute(params![run.number, job, run_id, id, sent_at, text, last.seq])?;
            }
            // The others are asked for each time.
            _ => {}
        }
    }
    connection.execute("UPDATE runs SET remembered = 1 WHERE run = ?1", [run.number]).map(|_| ())
}
