//! Reading a run back: its jobs, their attempts, their outcomes.
//!
//! In: the id of a run, or the beginning of one. Out: a [`RunRecord`] with one [`StoredJob`] for every row.
//! Must not: trust what it reads: a job whose digest or request is no longer what was recorded is an error.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

use super::error::JournalError;
use super::state::RunState;
use super::store::{Journal, PlanFile, RunId};
use super::stored::{PastAttempt, StoredJob};
use crate::catalog::{Action, Definition};
use crate::job::{Found, Ids, Job, JobParts, Names, Parameters};
use crate::outcome::{Cause, Outcome, RequestId, ServiceError, Settlement, Stamp};

/// One run, as recorded.
#[derive(Debug)]
pub struct RunRecord {
    pub number: i64,
    pub id: RunId,
    pub state: RunState,
    pub plan_key: String,
    pub plan_file: String,
    pub plan_digest: String,
    pub tenant: String,
    /// The Graph it is run against, or `simulated`.
    pub place: String,
    /// Up to this place in the order of all runs it has taken account of the others.
    pub known: i64,
    pub settings: Value,
    pub report: Option<String>,
    pub started_at: Timestamp,
    pub jobs: Vec<StoredJob>,
}

impl Journal {
    /// The run whose id begins like that, or the newest for `latest`.
    pub fn find(&self, prefix: &str) -> Result<RunId, JournalError> {
        let mut select = self
            .connection
            .prepare(
                "SELECT run_id FROM runs WHERE ?1 = 'latest' OR substr(run_id, 1, length(?1)) = ?1 ORDER BY run DESC",
            )
            .map_err(JournalError::read)?;
        let found = select.query_map([prefix.to_ascii_lowercase()], |row| row.get::<_, String>(0));
        let found: Vec<_> = found.and_then(Iterator::collect).map_err(JournalError::read)?;
        match (prefix, found.as_slice()) {
            ("", _) | (_, []) => Err(JournalError::NoSuchRun(prefix.to_owned())),
            ("latest", [newest, ..]) => Ok(RunId(newest.clone())),
            (_, [one]) => Ok(RunId(one.clone())),
            (_, several) => Err(JournalError::Ambiguous { prefix: prefix.to_owned(), count: several.len() }),
        }
    }

    /// The newest run that ended early, or else the newest of all.
    pub fn find_open(&self) -> Result<RunId, JournalError> {
        self.connection
            .query_row("SELECT run_id FROM runs ORDER BY state = 'finished', run DESC LIMIT 1", [], |row| row.get(0))
            .optional()
            .map_err(JournalError::read)?
            .map(RunId)
            .ok_or_else(|| JournalError::NoSuchRun("latest".into()))
    }

    /// What makes the run a run of its plan, for the lock.
    pub fn plan_key(&self, id: &RunId) -> Result<String, JournalError> {
        self.connection
            .query_row("SELECT plan_key FROM runs WHERE run_id = ?1", [id.as_str()], |row| row.get(0))
            .optional()
            .map_err(JournalError::read)?
            .ok_or_else(|| JournalError::NoSuchRun(id.to_string()))
    }

    /// Reads a whole run.
    pub fn read(&self, id: &RunId) -> Result<RunRecord, JournalError> {
        // One read transaction, so that a run under way is seen at one instant.
        let transaction = self.connection.unchecked_transaction().map_err(JournalError::read)?;
        let record = self
            .connection
            .query_row("SELECT * FROM runs WHERE run_id = ?1", [id.as_str()], |row| {
                Ok((run_record(row, id)?, row.get::<_, u32>("jobs")? as usize))
            })
            .optional()
            .map_err(JournalError::read)?;
        let (mut record, recorded_jobs) = record.ok_or_else(|| JournalError::NoSuchRun(id.to_string()))?;
        let own = own_actions(&record.settings)?;
        record.jobs = self.jobs_of(record.number, &own)?;
        self.priorities_of(&mut record)?;
        self.waits_of(&mut record)?;
        if record.jobs.len() != recorded_jobs {
            let what = format!("it has {} of its {recorded_jobs} jobs", record.jobs.len());
            return Err(JournalError::Damaged(what));
        }
        self.attempts_of(&mut record)?;
        self.outcomes_of(&mut record)?;
        self.follow_ups_of(&mut record)?;
        self.approvals_of(&mut record)?;
        drop(transaction);
        Ok(record)
    }

    /// The files that the run's plan was read from, as they were.
    pub fn plan_files(&self, run: i64) -> Result<Vec<PlanFile>, JournalError> {
        let mut select =
            self.connection.prepare("SELECT file, text FROM plan_files WHERE run = ?1").map_err(JournalError::read)?;
        let files = select.query_map([run], |row| Ok(PlanFile { file: row.get(0)?, text: row.get(1)? }));
        files.and_then(Iterator::collect).map_err(JournalError::read)
    }

    fn jobs_of(&self, run: i64, own: &[&'static Action]) -> Result<Vec<StoredJob>, JournalError> {
        let mut select = self.connection.prepare(JOBS).map_err(JournalError::read)?;
        let mut rows = select.query([run]).map_err(JournalError::read)?;
        let mut jobs = Vec::new();
        while let Some(row) = rows.next().map_err(JournalError::read)? {
            jobs.push(stored_job(row, own)?);
        }
        Ok(jobs)
    }

    fn priorities_of(&self, record: &mut RunRecord) -> Result<(), JournalError> {
        let mut select = self
            .connection
            .prepare("SELECT job, priority FROM priorities WHERE run = ?1")
            .map_err(JournalError::read)?;
        let rows = select.query_map([record.number], |row| Ok((index(row, 0)?, row.get::<_, i16>(1)?)));
        let rows: Vec<_> = rows.and_then(Iterator::collect).map_err(JournalError::read)?;
        for (job, priority) in rows {
            if let Some(stored) = record.jobs.get_mut(job) {
                stored.job.priority = priority;
            }
        }
        Ok(())
    }

    fn attempts_of(&self, record: &mut RunRecord) -> Result<(), JournalError> {
        let mut select = self
            .connection
            .prepare(
                "SELECT job, seq, sent_at, client_request_id, verdict, cleared FROM attempts WHERE run = ?1
                 ORDER BY job, attempt",
            )
            .map_err(JournalError::read)?;
        let mut rows = select.query([record.number]).map_err(JournalError::read)?;
        while let Some(row) = rows.next().map_err(JournalError::read)? {
            let read = |row| Ok((index(row, 0)?, attempt(row)?));
            let (job, attempt) = read(row).map_err(JournalError::read)?;
            if let Some(job) = record.jobs.get_mut(job) {
                job.attempts.push(attempt);
            }
        }
        Ok(())
    }

    fn outcomes_of(&self, record: &mut RunRecord) -> Result<(), JournalError> {
        let mut select =
            self.connection.prepare("SELECT job, * FROM outcomes WHERE run = ?1").map_err(JournalError::read)?;
        let mut rows = select.query(params![record.number]).map_err(JournalError::read)?;
        while let Some(row) = rows.next().map_err(JournalError::read)? {
            let read = |row| Ok((index(row, 0)?, settlement(row)?));
            let (job, settlement) = read(row).map_err(JournalError::read)?;
            let settlement =
                settlement.ok_or_else(|| JournalError::Damaged(format!("job {job} has no known outcome")))?;
            if let Some(job) = record.jobs.get_mut(job) {
                job.settled = Some(settlement);
            }
        }
        Ok(())
    }
}

const JOBS: &str = "SELECT j.*, n.written_id, n.written, n.users FROM jobs AS j
    LEFT JOIN names AS n ON n.run = j.run AND n.job = j.job WHERE j.run = ?1 ORDER BY j.job";

/// From a row with the columns of an attempt.
pub(super) fn attempt(row: &Row<'_>) -> rusqlite::Result<PastAttempt> {
    Ok(PastAttempt {
        seq: row.get("seq")?,
        sent_at: micros(row.get("sent_at")?),
        client_request_id: row.get("client_request_id")?,
        verdict: row.get("verdict")?,
        cleared: row.get("cleared")?,
    })
}

fn run_record(row: &Row<'_>, id: &RunId) -> rusqlite::Result<RunRecord> {
    let settings: String = row.get("settings")?;
    Ok(RunRecord {
        number: row.get("run")?,
        id: id.clone(),
        state: RunState::named(&row.get::<_, String>("state")?),
        plan_key: row.get("plan_key")?,
        plan_file: row.get("plan_file")?,
        plan_digest: row.get("plan_digest")?,
        tenant: row.get("tenant")?,
        place: row.get("place")?,
        known: row.get("known")?,
        settings: serde_json::from_str(&settings).unwrap_or_default(),
        report: row.get("report")?,
        started_at: micros(row.get("started_at")?),
        jobs: Vec::new(),
    })
}

/// The actions that the plan of the run has defined, as the run has recorded them.
fn own_actions(settings: &Value) -> Result<Vec<&'static Action>, JournalError> {
    let Some(recorded) = settings.get("actions").filter(|recorded| !recorded.is_null()) else { return Ok(Vec::new()) };
    let damaged = |why: String| JournalError::Damaged(format!("the actions of its plan: {why}"));
    let definitions: Vec<Definition> =
        serde_json::from_value(recorded.clone()).map_err(|error| damaged(error.to_string()))?;
    definitions.iter().map(|definition| definition.action().map_err(damaged)).collect()
}

/// A job as the catalog of today makes it of the record; it must still be the job that was recorded.
fn stored_job(row: &Row<'_>, own: &[&'static Action]) -> Result<StoredJob, JournalError> {
    let text = |column: &str| row.get::<_, String>(column).map_err(JournalError::read);
    let (job_id, action_name, route_name) = (text("job_id")?, text("action")?, text("route")?);
    let damaged = |what: &str| JournalError::Damaged(format!("job {job_id}: {what}"));
    let defined = own.iter().copied().find(|action| action.name == action_name);
    let action = defined
        .or_else(|| Action::named(&action_name))
        .ok_or_else(|| damaged(&format!("unknown action {action_name}")))?;
    let route = action.route_named(&route_name).ok_or_else(|| damaged(&format!("unknown route {route_name}")))?;
    let ids: Vec<String> = serde_json::from_str(&text("ids")?).map_err(|_| damaged("its ids cannot be read"))?;
    let body: Option<String> = row.get("body").map_err(JournalError::read)?;
    let parameters = body.as_deref().map(|body| Parameters::read(action, body).ok_or("its parameters cannot be read"));
    let parameters = parameters.transpose().map_err(damaged)?;
    let mut job = Job::new(JobParts {
        row: row.get("row").map_err(JournalError::read)?,
        action,
        route,
        ids: Ids::new(ids.iter().map(String::as_str)),
        parameters,
        not_before: row.get::<_, Option<i64>>("not_before").map_err(JournalError::read)?.map(micros),
        note: row.get::<_, Option<String>>("note").map_err(JournalError::read)?.map(String::into_boxed_str),
        after: row.get("after").map_err(JournalError::read)?,
    });
    let optional = |column: &str| row.get::<_, Option<String>>(column).map_err(JournalError::read);
    let name = optional("target_name")?.map(String::into_boxed_str);
    match optional("found_by")? {
        Some(by) => job.found = Some(Box::new(Found { name, identity: None, by: by.into() })),
        None => job.set_target_name(name),
    }
    if let Some(written_id) = optional("written_id")? {
        let names = names(&written_id, &text("written")?, &text("users")?);
        let names = names.ok_or_else(|| damaged("its names cannot be read"))?;
        // A run of a version that sent names goes on under what it called the job.
        if written_id == job_id {
            job.id = names.written_id;
        }
        job.names = Some(Box::new(names));
    }
    if job.id.to_string() != job_id {
        return Err(damaged("its digest does not fit what is recorded of it"));
    }
    Ok(StoredJob {
        job,
        request: (text("method")?, text("path")?, body),
        settled: None,
        attempts: Vec::new(),
        filed: None,
    })
}

fn names(written_id: &str, written: &str, users: &str) -> Option<Names> {
    let written: Vec<String> = serde_json::from_str(written).ok()?;
    let written = Ids::new(written.iter().map(String::as_str));
    Some(Names { written_id: written_id.parse().ok()?, written, in_body: serde_json::from_str(users).ok()? })
}

/// From a row with the columns of an outcome. `None`: this version does not know that outcome.
pub(super) fn settlement(row: &Row<'_>) -> rusqlite::Result<Option<Settlement>> {
    let outcome: String = row.get("outcome")?;
    let millis = |column: &str| -> rusqlite::Result<u64> { Ok(row.get::<_, i64>(column)?.unsigned_abs()) };
    let time = |column: &str| -> rusqlite::Result<Option<Stamp>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(|at| micros(at).into()))
    };
    let boxed = |column: &str| -> rusqlite::Result<Option<Box<str>>> {
        Ok(row.get::<_, Option<String>>(column)?.map(String::into_boxed_str))
    };
    let id = |column: &str| -> rusqlite::Result<Option<RequestId>> {
        Ok(row.get_ref(column)?.as_str_or_null()?.map(RequestId::from))
    };
    let settlement = Outcome::named(&outcome).map(|outcome| -> rusqlite::Result<Settlement> {
        Ok(Settlement {
            outcome,
            cause: cause(outcome, row)?,
            http_status: row.get("http_status")?,
            error: ServiceError::new(boxed("error_code")?, boxed("error_message")?),
            attempts: row.get("attempts")?,
            waited_ms: millis("waited_ms")?,
            duration_ms: millis("duration_ms")?,
            started_at: time("started_at")?,
            finished_at: time("finished_at")?,
            request_id: id("request_id")?,
            client_request_id: id("client_request_id")?,
            note: boxed("note")?,
            follow_up: None,
        })
    });
    settlement.transpose()
}

/// Nothing else has a cause; what was recorded before there were any has none.
fn cause(outcome: Outcome, row: &Row<'_>) -> rusqlite::Result<Option<Cause>> {
    if !outcome.has_a_cause() {
        return Ok(None);
    }
    Ok(row.get_ref("cause")?.as_str_or_null()?.and_then(Cause::named))
}

pub(super) fn index(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    row.get::<_, u32>(column).map(|index| index as usize)
}

pub(super) fn micros(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or_default()
}
