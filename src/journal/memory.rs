//! What runs of a plan have done, for `--once`.
//!
//! In: a plan's key. Out: for each job that a run of it has done or left in doubt, which. Must not: forget a job because
//! its run was pruned, or read more of a run than what became of its jobs.
//!
//! A run that has finished is remembered once, in a table of its own; the runs that ended early are read each time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::approvals::{self, TurnedDown};
use super::error::JournalError;
use super::store::Journal;
use super::stored::NOTHING_HAPPENED;
use crate::approval::{Request, Status};
use crate::job::JobId;
use crate::outcome::{Outcome, Standing};

/// What is known of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// That run has settled it well.
    Done { run_id: String },
    /// It was sent, and whether it had an effect is not known.
    InDoubt { run_id: String, client_request_id: String, sent_at: Timestamp },
    /// An approval request for it is open.
    Asked(Box<Pending>),
    /// Its approval request came to nothing, in that run: asking again takes somebody who wants it.
    TurnedDown { run_id: String, code: Box<str>, status: Status },
}

/// An open approval request of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The run that it belongs to, and the job's place there.
    pub run: i64,
    pub run_id: String,
    pub job: u32,
    pub request: Request,
    /// The last attempt with its code that nobody has answered: its id, and when it left.
    pub doubt: Option<(String, Timestamp)>,
}

/// Jobs by their id.
pub type Memory = HashMap<JobId, Known>;

/// What became of the jobs of one run. The attempts of a job that was settled well are not looked at.
///
/// The answer that settled a job stands in its outcome, and `failed` and `awaiting_approval` are clear answers: they take
/// the doubt from the last attempt, not from those before it.
const NEWS: &str = "
SELECT j.job_id, o.outcome, o.note,
    (SELECT a.client_request_id FROM attempts a WHERE a.run = j.run AND a.job = j.job ORDER BY a.attempt LIMIT 1),
    (SELECT a.sent_at FROM attempts a WHERE a.run = j.run AND a.job = j.job ORDER BY a.attempt LIMIT 1),
    (SELECT a.sent_at FROM attempts a WHERE a.run = j.run AND a.job = j.job AND (a.verdict IS NULL OR a.verdict NOT IN (?2))
        AND NOT (coalesce(o.outcome, '') IN ('failed', 'awaiting_approval') AND a.verdict IS NULL
            AND a.attempt = (SELECT max(attempt) FROM attempts b WHERE b.run = j.run AND b.job = j.job))
        ORDER BY a.attempt LIMIT 1)
FROM jobs j LEFT JOIN outcomes o ON o.run = j.run AND o.job = j.job WHERE j.run = ?1 ORDER BY j.job";

/// How the note of a job begins that was done by an earlier run.
pub const DONE_BY: &str = "done by run ";

struct PastRun {
    number: i64,
    run_id: String,
    finished: bool,
}

impl Journal {
    /// What all runs of a plan have left behind.
    pub fn memory(&mut self, plan_key: &str) -> Result<Memory, JournalError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
        let mut memory = remember(&transaction, plan_key)?;
        for (id, pending) in approvals::pending(&transaction, plan_key)? {
            if !matches!(memory.get(&id), Some(Known::Done { .. })) {
                memory.insert(id, Known::Asked(Box::new(pending)));
            }
        }
        for TurnedDown { job, run_id, code, status } in approvals::turned_down(&transaction, plan_key)? {
            if matches!(memory.get(&job), None | Some(Known::TurnedDown { .. })) {
                memory.insert(job, Known::TurnedDown { run_id, code, status });
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
        let news = news(transaction, &run)?;
        let news: Vec<_> = news.into_iter().filter(|(id, known)| adds(&memory, id, known)).collect();
        if run.finished {
            keep(transaction, plan_key, run.number, &news).map_err(JournalError::write)?;
        }
        memory.extend(news);
    }
    Ok(memory)
}

/// A doubt stays until a run has settled it well, whatever later runs did not come to; what is done stays done.
fn adds(memory: &Memory, id: &JobId, known: &Known) -> bool {
    match memory.get(id) {
        None | Some(Known::TurnedDown { .. }) => true,
        Some(Known::InDoubt { .. } | Known::Asked(_)) => matches!(known, Known::Done { .. }),
        Some(Known::Done { .. }) => false,
    }
}

fn remembered(connection: &Connection, plan_key: &str) -> Result<Memory, JournalError> {
    let mut select = connection
        .prepare("SELECT job_id, done, run_id, client_request_id, sent_at FROM remembered WHERE plan_key = ?1")
        .map_err(JournalError::read)?;
    let mut rows = select.query([plan_key]).map_err(JournalError::read)?;
    let mut memory = Memory::new();
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let read = |row: &Row<'_>| -> rusqlite::Result<Known> {
            let run_id = row.get(2)?;
            Ok(match row.get(1)? {
                true => Known::Done { run_id },
                false => Known::InDoubt { run_id, client_request_id: row.get(3)?, sent_at: micros(row.get(4)?) },
            })
        };
        memory.insert(job_id(row)?, read(row).map_err(JournalError::read)?);
    }
    Ok(memory)
}

/// The runs that are not remembered yet, the oldest first.
fn new_runs(connection: &Connection, plan_key: &str) -> rusqlite::Result<Vec<PastRun>> {
    let mut select = connection.prepare(
        "SELECT run, run_id, state = 'finished' FROM runs WHERE plan_key = ?1 AND NOT remembered ORDER BY run",
    )?;
    let runs = select
        .query_map([plan_key], |row| Ok(PastRun { number: row.get(0)?, run_id: row.get(1)?, finished: row.get(2)? }))?;
    runs.collect()
}

fn news(connection: &Connection, run: &PastRun) -> Result<Memory, JournalError> {
    let clear = NOTHING_HAPPENED.map(|verdict| format!("'{verdict}'")).join(", ");
    let mut select = connection.prepare(&NEWS.replace("?2", &clear)).map_err(JournalError::read)?;
    let mut rows = select.query([run.number]).map_err(JournalError::read)?;
    let mut memory = Memory::new();
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let Some(known) = known(row, run).map_err(JournalError::read)? else { continue };
        // A plan may name a job twice; the second one was held.
        match memory.entry(job_id(row)?) {
            Entry::Vacant(place) => drop(place.insert(known)),
            Entry::Occupied(mut first) if matches!(known, Known::Done { .. }) => drop(first.insert(known)),
            Entry::Occupied(_) => {}
        }
    }
    Ok(memory)
}

fn known(row: &Row<'_>, run: &PastRun) -> rusqlite::Result<Option<Known>> {
    let outcome = row.get::<_, Option<String>>(1)?.and_then(|name| Outcome::named(&name));
    if outcome.is_some_and(|outcome| outcome.standing() == Standing::Good) {
        // What that run has inherited itself keeps the name of the run that did it.
        let note: Option<String> = row.get(2)?;
        let inherited = note.filter(|_| outcome == Some(Outcome::AlreadyDone));
        let run_id = inherited.as_deref().and_then(|note| note.strip_prefix(DONE_BY)).unwrap_or(&run.run_id);
        return Ok(Some(Known::Done { run_id: run_id.to_owned() }));
    }
    let (Some(client_request_id), Some(first)) = (row.get::<_, Option<String>>(3)?, row.get::<_, Option<i64>>(4)?)
    else {
        return Ok(None);
    };
    let doubt: Option<i64> = row.get(5)?;
    let doubt = doubt.or_else(|| (outcome == Some(Outcome::Unknown)).then_some(first));
    let in_doubt = |at| Known::InDoubt { run_id: run.run_id.clone(), client_request_id, sent_at: micros(at) };
    Ok(doubt.map(in_doubt))
}

fn keep(connection: &Connection, plan_key: &str, run: i64, news: &[(JobId, Known)]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare("INSERT OR REPLACE INTO remembered VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for (id, known) in news {
        let id = id.to_string();
        match known {
            Known::Done { run_id } => insert.execute(params![plan_key, id, true, run_id, "", 0])?,
            Known::InDoubt { run_id, client_request_id, sent_at } => {
                insert.execute(params![plan_key, id, false, run_id, client_request_id, sent_at.as_microsecond()])?
            }
            // These are asked for each time.
            Known::Asked(_) | Known::TurnedDown { .. } => 0,
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
