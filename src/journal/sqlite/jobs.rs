//! Jobs read back: what was recorded of them, their attempts, their outcomes.
//!
//! In: the run, and where to begin. Out: the next jobs, with all that belongs to them. Must not: trust what it reads: a job
//! whose digest or request is no longer what was recorded is an error.

use rusqlite::{Connection, Row, params};

use super::approvals::approvals_of;
use super::follow_ups::{follow_ups_of, waits_of};
use super::page::Page;
use super::rows::{attempt, micros, settlement};
use crate::catalog::Action;
use crate::job::{Found, Ids, Job, JobParts, Names, Parameters};
use crate::journal::error::JournalError;
use crate::journal::run::RunHead;
use crate::journal::stored::StoredJob;

/// The jobs from that index on, as many as are asked for, or as there are.
pub(super) fn page(
    connection: &Connection,
    head: &RunHead,
    first: u32,
    at_most: u32,
) -> Result<Vec<StoredJob>, JournalError> {
    let jobs = recorded(connection, head, first, at_most)?;
    let mut page = Page::new(head.number, first, jobs);
    priorities_of(connection, &mut page)?;
    unfound_of(connection, &mut page)?;
    waits_of(connection, &mut page)?;
    attempts_of(connection, &mut page)?;
    outcomes_of(connection, &mut page)?;
    follow_ups_of(connection, &mut page)?;
    approvals_of(connection, &mut page)?;
    Ok(page.into_jobs())
}

const JOBS: &str = "SELECT j.*, n.written_id, n.written, n.users FROM jobs AS j
    LEFT JOIN names AS n ON n.run = j.run AND n.job = j.job WHERE j.run = ?1 AND j.job >= ?2 ORDER BY j.job LIMIT ?3";

fn recorded(connection: &Connection, head: &RunHead, first: u32, at_most: u32) -> Result<Vec<StoredJob>, JournalError> {
    let mut select = connection.prepare_cached(JOBS).map_err(JournalError::read)?;
    let mut rows = select.query(params![head.number, first, at_most]).map_err(JournalError::read)?;
    let mut jobs = Vec::new();
    for due in first..=u32::MAX {
        let Some(row) = rows.next().map_err(JournalError::read)? else { break };
        let index: u32 = row.get("job").map_err(JournalError::read)?;
        if index != due {
            return Err(JournalError::Damaged(format!("its job {due} is missing")));
        }
        jobs.push(stored_job(row, &head.own)?);
    }
    Ok(jobs)
}

fn priorities_of(connection: &Connection, page: &mut Page) -> Result<(), JournalError> {
    let mut select = connection
        .prepare_cached("SELECT job, priority FROM priorities WHERE run = ?1 AND job BETWEEN ?2 AND ?3")
        .map_err(JournalError::read)?;
    let rows = select.query_map(page.range(), |row| Ok((row.get(0)?, row.get::<_, i16>(1)?)));
    for row in rows.map_err(JournalError::read)? {
        let (job, priority) = row.map_err(JournalError::read)?;
        if let Some(stored) = page.job(job) {
            stored.job.priority = priority;
        }
    }
    Ok(())
}

fn unfound_of(connection: &Connection, page: &mut Page) -> Result<(), JournalError> {
    let mut select = connection
        .prepare_cached("SELECT job, why FROM unfound WHERE run = ?1 AND job BETWEEN ?2 AND ?3")
        .map_err(JournalError::read)?;
    let rows = select.query_map(page.range(), |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
    for row in rows.map_err(JournalError::read)? {
        let (job, why) = row.map_err(JournalError::read)?;
        let why = serde_json::from_str(&why);
        let why = why.map_err(|_| JournalError::Damaged(format!("why job {job} has no target cannot be read")))?;
        if let Some(stored) = page.job(job) {
            stored.job.set_unfound(Some(why));
        }
    }
    Ok(())
}

fn attempts_of(connection: &Connection, page: &mut Page) -> Result<(), JournalError> {
    let mut select = connection
        .prepare_cached(
            "SELECT job, seq, sent_at, client_request_id, verdict, cleared FROM attempts
             WHERE run = ?1 AND job BETWEEN ?2 AND ?3 ORDER BY job, attempt",
        )
        .map_err(JournalError::read)?;
    let mut rows = select.query(page.range()).map_err(JournalError::read)?;
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let (job, attempt) = row.get(0).and_then(|job| Ok((job, attempt(row)?))).map_err(JournalError::read)?;
        if let Some(job) = page.job(job) {
            job.attempts.push(attempt);
        }
    }
    Ok(())
}

fn outcomes_of(connection: &Connection, page: &mut Page) -> Result<(), JournalError> {
    let mut select = connection
        .prepare_cached("SELECT * FROM outcomes WHERE run = ?1 AND job BETWEEN ?2 AND ?3")
        .map_err(JournalError::read)?;
    let mut rows = select.query(page.range()).map_err(JournalError::read)?;
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let (job, settlement) =
            row.get("job").and_then(|job| Ok((job, settlement(row)?))).map_err(JournalError::read)?;
        let settlement = settlement.ok_or_else(|| JournalError::Damaged(format!("job {job} has no known outcome")))?;
        if let Some(job) = page.job(job) {
            job.settled = Some(settlement);
        }
    }
    Ok(())
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
        Some(by) => job.found = Some(Box::new(Found { name, identity: None, by: by.into(), row: None })),
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
