//! Rows of plans that name no ids, and the jobs that runs have made of them.
//!
//! In: a run about to begin; what rows say of their targets. Out: the jobs that were made of the same rows before, by whatever
//! plan, and how they stood the last time. It outlives the runs. Must not: say what is known of a job; the memory does.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Row, params};

use super::elsewhere::same_tenant;
use super::store::Store;
use crate::job::{Job, JobId};
use crate::journal::error::JournalError;
use crate::journal::memory::{MemoryQuery, SIMULATED, WasLookedUp};
use crate::journal::run::NewRun;
use crate::outcome::Outcome;
use crate::text;

/// Keeps what the jobs of a run were looked up by.
pub(super) fn keep<F>(connection: &Connection, run: &NewRun<'_, F>) -> rusqlite::Result<()> {
    let mut insert = connection.prepare(
        "INSERT INTO looked_up VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL)
            ON CONFLICT DO UPDATE SET name = excluded.name, device = coalesce(excluded.device, device)",
    )?;
    for job in run.jobs {
        let Some(row) = job.found.as_ref().and_then(|found| found.row.as_ref()) else { continue };
        insert.execute(params![
            run.place,
            text::key(&row.key),
            run.plan_key,
            job.id.to_string(),
            run.tenant,
            job.action.name,
            job.route.name,
            ids(job),
            job.parameters.as_deref().map(|parameters| parameters.body()),
            job.called(),
            row.device,
        ])?;
    }
    Ok(())
}

/// Before runs go: for which of their jobs nothing was left to do. `which` is a condition on runs, with one parameter.
pub(super) fn keep_what_was_left(connection: &Connection, which: &str, parameter: i64) -> rusqlite::Result<()> {
    let mut select = connection.prepare(&format!(
        "SELECT runs.plan_key, j.job_id, runs.run_id FROM runs JOIN jobs AS j ON j.run = runs.run AND j.found_by IS NOT NULL
         JOIN outcomes AS o ON o.run = j.run AND o.job = j.job AND o.outcome = 'already_done'
         WHERE NOT EXISTS (SELECT 1 FROM inherited AS i WHERE i.run = j.run AND i.job = j.job)
            AND runs.run IN (SELECT run FROM runs WHERE {which}) ORDER BY runs.run"
    ))?;
    let mut update = connection.prepare("UPDATE looked_up SET run_id = ?3 WHERE plan_key = ?1 AND job_id = ?2")?;
    let mut rows = select.query([parameter])?;
    while let Some(row) = rows.next()? {
        let (plan_key, job, run_id): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        update.execute(params![plan_key, job, run_id])?;
    }
    Ok(())
}

fn ids(job: &Job) -> String {
    serde_json::Value::from_iter(job.ids.iter()).to_string()
}

/// The jobs that were made of rows with these keys, with the number of the key.
pub(in crate::journal) fn looked_up(
    store: &Store,
    about: MemoryQuery<'_>,
    keys: &[&str],
) -> Result<Vec<(usize, WasLookedUp)>, JournalError> {
    let read = || -> rusqlite::Result<Vec<(usize, WasLookedUp)>> {
        let mut select = store.connection.prepare_cached(&format!(
            "SELECT l.* FROM looked_up AS l WHERE l.place = ?1 AND l.row = ?2 AND (l.plan_key = ?3 OR (?1 <> '{SIMULATED}' AND {}))",
            same_tenant("?1", "l.tenant", "?4")
        ))?;
        let mut found = Vec::new();
        for (number, key) in keys.iter().enumerate() {
            let mut rows = select.query(params![about.place, text::key(key), about.plan_key, about.tenant])?;
            while let Some(row) = rows.next()? {
                found.extend(was_looked_up(row, about.plan_key)?.map(|was| (number, was)));
            }
        }
        Ok(found)
    };
    read().map_err(JournalError::read)
}

/// `None`: it cannot be understood, and so it is no job of today.
fn was_looked_up(row: &Row<'_>, plan_key: &str) -> rusqlite::Result<Option<WasLookedUp>> {
    let (job_id, ids): (String, String) = (row.get("job_id")?, row.get("ids")?);
    let (Ok(job), Ok(ids)) = (job_id.parse(), serde_json::from_str(&ids)) else { return Ok(None) };
    Ok(Some(WasLookedUp {
        own: row.get::<_, String>("plan_key")? == plan_key,
        job,
        action: row.get("action")?,
        route: row.get("route")?,
        ids,
        body: row.get("body")?,
        name: row.get("name")?,
        device: row.get("device")?,
        left_by: row.get("run_id")?,
    }))
}

/// How those jobs of a plan stood the last time that they had an outcome, and in which run.
pub(in crate::journal) fn last_outcomes(
    store: &Store,
    plan_key: &str,
    jobs: &HashSet<JobId>,
) -> Result<HashMap<JobId, (Outcome, String)>, JournalError> {
    let mut last = HashMap::new();
    if jobs.is_empty() {
        return Ok(last);
    }
    let mut read = || -> rusqlite::Result<()> {
        let mut runs =
            store.connection.prepare_cached("SELECT run, run_id FROM runs WHERE plan_key = ?1 ORDER BY run DESC")?;
        let mut select = store.connection.prepare_cached(
            "SELECT j.job_id, o.outcome FROM jobs AS j JOIN outcomes AS o ON o.run = j.run AND o.job = j.job WHERE j.run = ?1",
        )?;
        let mut runs = runs.query([plan_key])?;
        while let Some(run) = runs.next()? {
            let (number, run_id): (i64, String) = (run.get(0)?, run.get(1)?);
            let mut rows = select.query([number])?;
            while let Some(row) = rows.next()? {
                let (job, outcome): (String, String) = (row.get(0)?, row.get(1)?);
                let (Ok(job), Some(outcome)) = (job.parse::<JobId>(), Outcome::named(&outcome)) else { continue };
                if jobs.contains(&job) {
                    last.entry(job).or_insert_with(|| (outcome, run_id.clone()));
                }
            }
            if last.len() == jobs.len() {
                break;
            }
        }
        Ok(())
    };
    read().map_err(JournalError::read)?;
    Ok(last)
}
