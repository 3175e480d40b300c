//! What runs of a plan have done, for `--once`.
//!
//! In: a plan's key. Out: for each job that a run of it has done or left in doubt, which run, and how and when it was done.
//! Must not: forget a job because its run was pruned, or read more of a run than what became of its jobs.
//!
//! A run that has finished is remembered once, in a table of its own; the runs that ended early are read each time.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::approvals;
use super::error::JournalError;
use super::follow_ups::follow_up;
use super::reader::{RunRecord, settlement};
use super::store::Journal;
use super::stored::{NOTHING_HAPPENED, StoredJob};
use crate::approval::{Request, Status};
use crate::job::JobId;
use crate::outcome::{Outcome, Settlement, Standing};

/// What is known of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// A run has settled it well.
    Done(Done),
    /// It was sent, and whether it had an effect is not known.
    InDoubt { run_id: String, client_request_id: String, sent_at: Timestamp },
    /// An approval request for it is open.
    Asked(Box<Pending>),
    /// Its approval request came to nothing, in that run: asking again takes somebody who wants it.
    TurnedDown(Box<TurnedDown>),
}

/// A job that a run has settled well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub run_id: String,
    /// How, and when. `None`: it was remembered by a version that kept only the run.
    pub settled: Option<Box<Settlement>>,
}

/// A request that came to nothing, and failed its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedDown {
    pub run_id: String,
    pub code: Box<str>,
    pub status: Status,
    pub settled: Settlement,
}

/// An open approval request of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The run that it belongs to, and the job's place there.
    pub run: i64,
    pub run_id: String,
    pub job: u32,
    /// The run that had it filed.
    pub filed_by: String,
    pub request: Request,
    /// The attempt that was answered with it.
    pub attempt: i64,
    /// Whether the effect of an attempt with its code is not known.
    pub doubtful: bool,
    /// How the job stood then, if it had settled.
    pub settled: Option<Box<Settlement>>,
}

/// Jobs by their id.
pub type Memory = HashMap<JobId, Known>;

/// What became of the jobs of one run. The attempts of a job that was settled well are not looked at.
///
/// The answer that settled a job stands in its outcome, and `failed` and `awaiting_approval` are clear answers: they take
/// the doubt from the last attempt, not from those before it. What was filed had no effect, nor had anything before it.
///
/// What a run has inherited it knows from the runs before it, and they may have come to know better since.
const NEWS: &str = "
SELECT j.job_id, j.job,
    (SELECT a.client_request_id FROM attempts a WHERE a.run = j.run AND a.job = j.job ORDER BY a.attempt LIMIT 1),
    (SELECT a.sent_at FROM attempts a WHERE a.run = j.run AND a.job = j.job ORDER BY a.attempt LIMIT 1),
    (SELECT a.sent_at FROM attempts a WHERE a.run = j.run AND a.job = j.job AND (a.verdict IS NULL OR a.verdict NOT IN (?2))
        AND a.attempt > coalesce((SELECT max(p.attempt) FROM approvals p WHERE p.run = j.run AND p.job = j.job), -1)
        AND NOT (coalesce(o.outcome, '') IN ('failed', 'awaiting_approval') AND a.verdict IS NULL
            AND a.attempt = (SELECT max(attempt) FROM attempts b WHERE b.run = j.run AND b.job = j.job))
        ORDER BY a.attempt LIMIT 1),
    o.*, f.read_at, f.stage, f.words, f.last_check_in
FROM jobs j LEFT JOIN outcomes o ON o.run = j.run AND o.job = j.job
LEFT JOIN follow_ups f ON f.run = j.run AND f.job = j.job
WHERE j.run = ?1 AND NOT EXISTS (SELECT 1 FROM inherited i WHERE i.run = j.run AND i.job = j.job) ORDER BY j.job";

const REMEMBERED: &str = "
SELECT job_id, done, run_id, client_request_id AS in_doubt, sent_at, nullif(client_request_id, '') AS client_request_id,
    outcome, http_status, error_code, error_message, attempts, waited_ms, duration_ms, started_at, finished_at,
    request_id, note, read_at, stage, words, last_check_in
FROM remembered WHERE plan_key = ?1";

/// Keeps what a job was settled with, as its run has it.
const KEEP_DONE: &str = "
INSERT OR REPLACE INTO remembered (plan_key, job_id, done, run_id, client_request_id, sent_at, outcome, http_status,
    error_code, error_message, attempts, waited_ms, duration_ms, started_at, finished_at, request_id, note, read_at, stage,
    words, last_check_in)
SELECT r.plan_key, j.job_id, 1, r.run_id, coalesce(o.client_request_id, ''), 0, o.outcome, o.http_status,
    o.error_code, o.error_message, o.attempts, o.waited_ms, o.duration_ms, o.started_at, o.finished_at, o.request_id,
    o.note, f.read_at, f.stage, f.words, f.last_check_in
FROM runs r JOIN jobs j ON j.run = r.run JOIN outcomes o ON o.run = j.run AND o.job = j.job
LEFT JOIN follow_ups f ON f.run = j.run AND f.job = j.job WHERE r.run = ?1 AND j.job = ?2";

const KEEP_DOUBT: &str = "
INSERT OR REPLACE INTO remembered (plan_key, job_id, done, run_id, client_request_id, sent_at)
VALUES (?1, ?2, 0, ?3, ?4, ?5)";

struct PastRun {
    number: i64,
    run_id: String,
    finished: bool,
}

impl Journal {
    /// What other runs of the same plan have done or asked for since that run was begun: it must not do it a second time.
    pub fn done_elsewhere(&self, record: &RunRecord) -> Result<Memory, JournalError> {
        let own: HashSet<&str> = record.jobs.iter().flat_map(StoredJob::ids_of_requests).collect();
        let since = |at: Timestamp| at >= record.started_at;
        let is_news = |known: &Known| match known {
            Known::Done(done) => {
                done.settled.as_ref().and_then(|settled| settled.finished_at).is_some_and(|at| since(at.time()))
            }
            // A doubt that another run has inherited from this one is its own.
            Known::InDoubt { client_request_id, sent_at, .. } => since(*sent_at) && !own.contains(&**client_request_id),
            Known::Asked(pending) => since(pending.request.filed_at) && pending.run != record.number,
            Known::TurnedDown(_) => false,
        };
        let mut elsewhere = Memory::new();
        for run in others(&self.connection, record).map_err(JournalError::read)? {
            let news = news(&self.connection, &run, &elsewhere)?.into_iter().map(|(id, (_, known))| (id, known));
            elsewhere.extend(news.filter(|(_, known)| is_news(known)));
        }
        let asked = approvals::pending(&self.connection, &record.plan_key)?.into_iter();
        let asked = asked.map(|(id, pending)| (id, Known::Asked(Box::new(pending))));
        for (id, known) in asked.filter(|(_, known)| is_news(known)) {
            elsewhere.entry(id).or_insert(known);
        }
        Ok(elsewhere)
    }

    /// What all runs of a plan have left behind.
    pub fn memory(&mut self, plan_key: &str) -> Result<Memory, JournalError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
        let mut memory = remember(&transaction, plan_key)?;
        for (id, pending) in approvals::pending(&transaction, plan_key)? {
            if !matches!(memory.get(&id), Some(Known::Done(_))) {
                memory.insert(id, Known::Asked(Box::new(pending)));
            }
        }
        for (id, turned_down) in approvals::turned_down(&transaction, plan_key)? {
            if matches!(memory.get(&id), None | Some(Known::TurnedDown(_))) {
                memory.insert(id, Known::TurnedDown(Box::new(turned_down)));
            }
        }
        transaction.commit().map_err(JournalError::write)?;
        Ok(memory)
    }
}

/// Adds the finished runs of a plan to what is remembered of it, and returns that together with what the others say.
pub(super) fn remember(transaction: &Transaction<'_>, plan_key: &str) -> Result<Memory, JournalError> {
    let mut memory = remembered(transaction, plan_key)?;
    for run in new_runs(transaction, plan_key).map_err(JournalError::read)? {
        let news = news(transaction, &run, &memory)?;
        if run.finished {
            keep(transaction, plan_key, run.number, &news).map_err(JournalError::write)?;
        }
        memory.extend(news.into_iter().map(|(id, (_, known))| (id, known)));
    }
    Ok(memory)
}

/// A doubt stays until a run has settled it well, whatever later runs did not come to; what is done stays done.
fn adds(before: Option<&Known>, known: &Known) -> bool {
    match before {
        None | Some(Known::TurnedDown(_)) => true,
        Some(Known::InDoubt { .. } | Known::Asked(_)) => matches!(known, Known::Done(_)),
        Some(Known::Done(_)) => false,
    }
}

fn remembered(connection: &Connection, plan_key: &str) -> Result<Memory, JournalError> {
    let mut select = connection.prepare(REMEMBERED).map_err(JournalError::read)?;
    let mut rows = select.query([plan_key]).map_err(JournalError::read)?;
    let mut memory = Memory::new();
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let read = |row: &Row<'_>| -> rusqlite::Result<Known> {
            let run_id = row.get(2)?;
            Ok(match row.get(1)? {
                true => Known::Done(Done { run_id, settled: settled(row)? }),
                false => Known::InDoubt { run_id, client_request_id: row.get(3)?, sent_at: micros(row.get(4)?) },
            })
        };
        memory.insert(job_id(row)?, read(row).map_err(JournalError::read)?);
    }
    Ok(memory)
}

/// The other runs of a plan that may have sent something since a run of it was begun, the oldest first.
fn others(connection: &Connection, record: &RunRecord) -> rusqlite::Result<Vec<PastRun>> {
    let mut select = connection.prepare(
        "SELECT run, run_id, state = 'finished' FROM runs
         WHERE plan_key = ?1 AND run <> ?2 AND (ended_at IS NULL OR ended_at >= ?3) ORDER BY run",
    )?;
    let runs =
        select.query_map(params![record.plan_key, record.number, record.started_at.as_microsecond()], past_run)?;
    runs.collect()
}

fn past_run(row: &Row<'_>) -> rusqlite::Result<PastRun> {
    Ok(PastRun { number: row.get(0)?, run_id: row.get(1)?, finished: row.get(2)? })
}

/// The runs that are not remembered yet, the oldest first.
fn new_runs(connection: &Connection, plan_key: &str) -> rusqlite::Result<Vec<PastRun>> {
    let mut select = connection.prepare(
        "SELECT run, run_id, state = 'finished' FROM runs WHERE plan_key = ?1 AND NOT remembered ORDER BY run",
    )?;
    let runs = select.query_map([plan_key], past_run)?;
    runs.collect()
}

/// What a run adds to what is known, and which of its jobs says so.
fn news(connection: &Connection, run: &PastRun, memory: &Memory) -> Result<HashMap<JobId, (u32, Known)>, JournalError> {
    let clear = NOTHING_HAPPENED.map(|verdict| format!("'{verdict}'")).join(", ");
    let mut select = connection.prepare(&NEWS.replace("?2", &clear)).map_err(JournalError::read)?;
    let mut rows = select.query([run.number]).map_err(JournalError::read)?;
    let mut news: HashMap<JobId, (u32, Known)> = HashMap::new();
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let id = job_id(row)?;
        if matches!(memory.get(&id), Some(Known::Done(_))) {
            continue;
        }
        let read = |row| Ok((row_number(row)?, known(row, run)?));
        let (job, known) = read(row).map_err(JournalError::read)?;
        let Some(known) = known.filter(|known| adds(memory.get(&id), known)) else { continue };
        // A plan may name a job twice; the second one was held.
        match news.entry(id) {
            Entry::Vacant(place) => drop(place.insert((job, known))),
            Entry::Occupied(mut first) if matches!(known, Known::Done(_)) => drop(first.insert((job, known))),
            Entry::Occupied(_) => {}
        }
    }
    Ok(news)
}

fn row_number(row: &Row<'_>) -> rusqlite::Result<u32> {
    row.get(1)
}

fn known(row: &Row<'_>, run: &PastRun) -> rusqlite::Result<Option<Known>> {
    let outcome = row.get::<_, Option<String>>("outcome")?.and_then(|name| Outcome::named(&name));
    if outcome.is_some_and(|outcome| outcome.standing() == Standing::Good) {
        return Ok(Some(Known::Done(Done { run_id: run.run_id.clone(), settled: settled(row)? })));
    }
    let (Some(client_request_id), Some(first)) = (row.get::<_, Option<String>>(2)?, row.get::<_, Option<i64>>(3)?)
    else {
        return Ok(None);
    };
    let doubt: Option<i64> = row.get(4)?;
    let doubt = doubt.or_else(|| (outcome == Some(Outcome::Unknown)).then_some(first));
    let in_doubt = |at| Known::InDoubt { run_id: run.run_id.clone(), client_request_id, sent_at: micros(at) };
    Ok(doubt.map(in_doubt))
}

/// From a row with the columns of an outcome and of a follow-up, if it has an outcome.
fn settled(row: &Row<'_>) -> rusqlite::Result<Option<Box<Settlement>>> {
    if row.get::<_, Option<String>>("outcome")?.is_none() {
        return Ok(None);
    }
    let settled = settlement(row)?;
    let seen = follow_up(row)?.map(Box::new);
    Ok(settled.map(|settled| Box::new(Settlement { follow_up: seen, ..settled })))
}

fn keep(
    connection: &Connection,
    plan_key: &str,
    run: i64,
    news: &HashMap<JobId, (u32, Known)>,
) -> rusqlite::Result<()> {
    let (mut done, mut doubt) = (connection.prepare(KEEP_DONE)?, connection.prepare(KEEP_DOUBT)?);
    for (id, (job, known)) in news {
        match known {
            Known::Done(_) => done.execute(params![run, job])?,
            Known::InDoubt { run_id, client_request_id, sent_at } => {
                doubt.execute(params![plan_key, id.to_string(), run_id, client_request_id, sent_at.as_microsecond()])?
            }
            // These are asked for each time.
            Known::Asked(_) | Known::TurnedDown(_) => 0,
        };
    }
    connection.execute("UPDATE runs SET remembered = 1 WHERE run = ?1", [run]).map(|_| ())
}

fn job_id(row: &Row<'_>) -> Result<JobId, JournalError> {
    let text: String = row.get(0).map_err(JournalError::read)?;
    text.parse().map_err(|()| JournalError::Damaged(format!("`{text}` is no job")))
}

fn micros(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or_default()
}
