//! Runs as they begin and go on: recorded whole, with what they inherit, and how they stand.
//!
//! In: a run about to start, or one that goes on; what other runs have done for it. Out: its number, and rows.
//! Must not: leave half a run behind: each operation is one transaction.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::approvals;
use super::follow_ups;
use super::looked_up;
use super::statements::Statements;
use super::store::Store;
use crate::job::Job;
use crate::journal::error::JournalError;
use crate::journal::run::{Inherited, NewRun};
use crate::journal::state::RunState;
use crate::outcome::Outcome;

/// Records a run with all its jobs, in one transaction: a run is there whole or not at all. Returns its number.
pub(in crate::journal) fn begin<'j, F>(store: &mut Store, run: &NewRun<'j, F>) -> Result<i64, JournalError>
where
    F: Fn(&'j Job) -> (&'static str, String, Option<&'j str>),
{
    let transaction = store.connection.transaction().map_err(JournalError::write)?;
    let number = insert_run(&transaction, run).map_err(JournalError::write)?;
    transaction.commit().map_err(JournalError::write)?;
    Ok(number)
}

/// Takes over into a run what other runs have done since, as far as it was known at that place in the order.
pub(in crate::journal) fn take_over(
    store: &mut Store,
    run: i64,
    inherited: &[(u32, Inherited)],
    known: i64,
) -> Result<(), JournalError> {
    let transaction =
        store.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
    inherit(&transaction, run, inherited).map_err(JournalError::write)?;
    transaction
        .execute("UPDATE runs SET known = ?2 WHERE run = ?1", params![run, known])
        .map_err(JournalError::write)?;
    transaction.commit().map_err(JournalError::write)
}

/// Records to whom jobs of a run are sent from now on that were sent to names before.
pub(in crate::journal) fn set_ids<'j, F>(
    store: &mut Store,
    run: i64,
    jobs: &[(u32, &'j Job)],
    request: F,
) -> Result<(), JournalError>
where
    F: Fn(&'j Job) -> (&'static str, String, Option<&'j str>),
{
    let transaction =
        store.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
    let write = || -> rusqlite::Result<()> {
        let mut update = transaction.prepare(
            "UPDATE jobs SET ids = ?3, path = ?4, once = iif(once IS NULL, NULL, ?5), target_name = coalesce(?6, target_name)
             WHERE run = ?1 AND job = ?2",
        )?;
        for (index, job) in jobs {
            let ids = serde_json::Value::from_iter(job.ids.iter()).to_string();
            let (_, path, _) = request(job);
            update.execute(params![run, index, ids, path, job.once(), job.called()])?;
        }
        insert_names(&transaction, run, jobs.iter().copied())
    };
    write().map_err(JournalError::write)?;
    transaction.commit().map_err(JournalError::write)
}

/// Says how a run stands.
pub(in crate::journal) fn set_state(
    store: &Store,
    run: i64,
    state: RunState,
    ended: Option<Timestamp>,
) -> Result<(), JournalError> {
    store
        .connection
        .execute(
            "UPDATE runs SET state = ?2, ended_at = ?3, remembered = 0 WHERE run = ?1",
            params![run, state.name(), ended.map(|at| at.as_microsecond())],
        )
        .map(|_| ())
        .map_err(JournalError::write)
}

/// The run in which that saved preview was run.
pub(in crate::journal) fn spent(store: &Store, digest: &str) -> Result<Option<String>, JournalError> {
    let mut select =
        store.connection.prepare_cached("SELECT run_id FROM spent WHERE digest = ?1").map_err(JournalError::read)?;
    select.query_row([digest], |row| row.get(0)).optional().map_err(JournalError::read)
}

fn insert_run<'j, F>(connection: &Connection, run: &NewRun<'j, F>) -> rusqlite::Result<i64>
where
    F: Fn(&'j Job) -> (&'static str, String, Option<&'j str>),
{
    connection.execute(
        "INSERT INTO runs
            (run_id, state, plan_key, plan_file, plan_digest, tenant, settings, report, jobs, started_at, place, known)
         VALUES (?1, 'running', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            run.id.as_str(),
            run.plan_key,
            run.plan_file,
            run.plan_digest,
            run.tenant,
            run.settings.to_string(),
            run.report.map(|path| path.to_string_lossy().into_owned()),
            u32::try_from(run.jobs.len()).unwrap_or(u32::MAX),
            run.now.as_microsecond(),
            run.place,
            run.known,
        ],
    )?;
    let number = connection.last_insert_rowid();
    for file in run.plan_files {
        connection
            .execute("INSERT OR IGNORE INTO plan_files VALUES (?1, ?2, ?3)", params![number, file.file, file.text])?;
    }
    connection.execute(
        "INSERT OR IGNORE INTO spent SELECT json_extract(settings, '$.saved_preview'), run_id FROM runs
         WHERE run = ?1 AND place <> 'simulated' AND json_extract(settings, '$.saved_preview') IS NOT NULL",
        [number],
    )?;
    insert_jobs(connection, number, run)?;
    let mut insert = connection.prepare("INSERT INTO priorities VALUES (?1, ?2, ?3)")?;
    for (index, job) in (0u32..).zip(run.jobs).filter(|(_, job)| job.priority != 0) {
        insert.execute(params![number, index, job.priority])?;
    }
    insert_names(connection, number, (0u32..).zip(run.jobs))?;
    let mut insert = connection.prepare("INSERT INTO waits VALUES (?1, ?2, ?3)")?;
    for (index, job) in (0u32..).zip(run.jobs) {
        if let Some(within) = job.verified_within() {
            insert.execute(params![number, index, u32::try_from(within.as_secs()).unwrap_or(u32::MAX)])?;
        }
    }
    let mut insert = connection.prepare("INSERT INTO unfound VALUES (?1, ?2, ?3)")?;
    for (index, why) in (0u32..).zip(run.jobs).filter_map(|(index, job)| Some((index, job.unfound()?))) {
        insert.execute(params![number, index, serde_json::to_string(&why).unwrap_or_default()])?;
    }
    looked_up::keep(connection, run)?;
    inherit(connection, number, run.inherited)?;
    Ok(number)
}

fn insert_jobs<'j, F>(connection: &Connection, number: i64, run: &NewRun<'j, F>) -> rusqlite::Result<()>
where
    F: Fn(&'j Job) -> (&'static str, String, Option<&'j str>),
{
    let mut insert = connection
        .prepare("INSERT INTO jobs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)")?;
    // What another run has done is known by that one's row. What came to nothing there may be done by this one yet.
    let is_done = |what: &Inherited| matches!(what, Inherited::Settled(by) if by.outcome == Outcome::AlreadyDone);
    let done = run.inherited.iter().filter(|(_, what)| is_done(what));
    let done: HashSet<u32> = done.map(|(job, _)| *job).collect();
    for (index, job) in (0u32..).zip(run.jobs) {
        let (method, path, body) = (run.request)(job);
        insert.execute(params![
            number,
            index,
            job.id.to_string(),
            job.row,
            job.action.name,
            job.route.name,
            serde_json::Value::from_iter(job.ids.iter()).to_string(),
            job.not_before.map(|at| at.as_microsecond()),
            job.note,
            job.after,
            method,
            path,
            body,
            job.called(),
            job.found.as_ref().map(|found| &*found.by),
            job.once().filter(|_| !done.contains(&index)),
        ])?;
    }
    Ok(())
}

/// Whose the names were that jobs were made of.
fn insert_names<'j>(
    connection: &Connection,
    run: i64,
    jobs: impl IntoIterator<Item = (u32, &'j Job)>,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare("INSERT OR REPLACE INTO names VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (index, job) in jobs {
        let Some(names) = job.names.as_deref() else { continue };
        let written = serde_json::Value::from_iter(names.written.iter()).to_string();
        let users = serde_json::to_string(&names.in_body).unwrap_or_else(|_| "[]".to_owned());
        insert.execute(params![run, index, names.written_id.to_string(), written, users])?;
    }
    Ok(())
}

/// What is inherited must survive this process as everything else of the run does.
fn inherit(connection: &Connection, run: i64, inherited: &[(u32, Inherited)]) -> rusqlite::Result<()> {
    let mut statements = Statements::prepare(connection, run)?;
    let mut follow_ups = follow_ups::FollowUpStatements::prepare(connection, run)?;
    let mut insert = connection.prepare("INSERT OR IGNORE INTO inherited VALUES (?1, ?2)")?;
    for (job, what) in inherited {
        match what {
            Inherited::Settled(settlement) => {
                statements.settle(*job, settlement)?;
                follow_ups.seen(*job, settlement)?;
                if settlement.outcome == Outcome::AlreadyDone {
                    insert.execute(params![run, job])?;
                }
            }
            Inherited::InDoubt { attempts } => {
                let first: u32 = connection
                    .prepare_cached("SELECT coalesce(max(attempt) + 1, 0) FROM attempts WHERE run = ?1 AND job = ?2")?
                    .query_row(params![run, job], |row| row.get(0))?;
                for (number, attempt) in (first..).zip(attempts) {
                    statements.copy(*job, number, attempt)?;
                }
                // What is in doubt must not look settled.
                connection
                    .prepare_cached("DELETE FROM outcomes WHERE run = ?1 AND job = ?2")?
                    .execute(params![run, job])?;
            }
            Inherited::Asked { pending, settlement } => {
                approvals::hand_over(connection, pending, (run, *job))?;
                statements.filed(*job, pending.attempt, &pending.request)?;
                // What is in doubt must not look settled.
                if !pending.doubtful {
                    statements.settle(*job, settlement)?;
                }
            }
        }
    }
    statements.keep_order()
}
