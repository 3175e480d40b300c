//! All runs: listed, pruned, one of them exported.
//!
//! In: nothing, an age, a run and a file. Out: summaries, what was removed, a database of one run.
//! Must not: remove a run that is open or under way.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use super::looked_up;
use super::memory;
use super::open_jobs;
use super::reader;
use super::rows::micros;
use super::shown::keep_what_they_saw;
use super::store::{self, Store};
use crate::journal::error::JournalError;
use crate::journal::id::RunId;
use crate::journal::run::{Pruned, RunSummary};
use crate::journal::state::RunState;
use crate::outcome::{Outcome, Tally};

/// All runs, the newest first; `is_under_way` says of one that should be under
/// way whether it is.
pub(in crate::journal) fn runs(
    store: &Store,
    is_under_way: impl Fn(&str, &RunId) -> bool,
) -> Result<Vec<RunSummary>, JournalError> {
    let mut select = store
        .connection
        .prepare("SELECT run, run_id, state, plan_file, tenant, started_at, jobs, plan_key FROM runs ORDER BY run DESC")
        .map_err(JournalError::read)?;
    let found = select.query_map([], |row| {
        let summary = RunSummary {
            id: RunId(row.get(1)?),
            state: RunState::named(&row.get::<_, String>(2)?),
            plan_file: row.get(3)?,
            tenant: row.get(4)?,
            started_at: micros(row.get(5)?),
            jobs: row.get(6)?,
            settled: Tally::default(),
        };
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(7)?, summary))
    });
    let found: Vec<_> = found.and_then(Iterator::collect).map_err(JournalError::read)?;
    let finish = |(run, plan_key, mut summary): (i64, String, RunSummary)| {
        summary.settled = tally(store, run)?;
        if summary.state == RunState::Running && !is_under_way(&plan_key, &summary.id) {
            summary.state = RunState::BrokenOff;
        }
        Ok(summary)
    };
    found.into_iter().map(finish).collect()
}

fn tally(store: &Store, run: i64) -> Result<Tally, JournalError> {
    let mut select = store
        .connection
        .prepare_cached("SELECT outcome, count(*) FROM outcomes WHERE run = ?1 GROUP BY outcome")
        .map_err(JournalError::read)?;
    let rows = select.query_map([run], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)));
    let rows: Vec<_> = rows.and_then(Iterator::collect).map_err(JournalError::read)?;
    let mut tally = Tally::default();
    for (outcome, count) in rows {
        if let Some(outcome) = Outcome::named(&outcome) {
            tally.add(outcome, count);
        }
    }
    Ok(tally)
}

/// Removes runs that finished, with nothing open, before that time. What a standing plan remembers of them stays.
/// `is_held`: whether a process has a run of that plan and id in its hands, which may be one that has ended.
pub(in crate::journal) fn prune(
    store: &mut Store,
    before: Timestamp,
    is_held: impl Fn(&str, &str) -> bool,
) -> Result<Pruned, JournalError> {
    // A job without an outcome is open too.
    const OLD: &str = "state = 'finished' AND started_at < ?1 AND jobs = (
        SELECT count(*) FROM outcomes WHERE outcomes.run = runs.run
        AND outcome NOT IN ('unknown', 'awaiting_approval', 'not_attempted'))";
    let before = before.as_microsecond();
    // At once a writer: one that becomes it after reading is turned away, however patient, if another wrote between.
    let transaction =
        store.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
    let held = held(&transaction, OLD, before, is_held).map_err(JournalError::read)?;
    let old = &format!("{OLD} AND runs.run NOT IN ({held}) AND runs.run NOT IN ({})", open_jobs::holding_others());
    keep_what_they_saw(&transaction, old, before).map_err(JournalError::write)?;
    looked_up::keep_what_was_left(&transaction, old, before).map_err(JournalError::write)?;
    for plan_key in plan_keys(&transaction, old, before).map_err(JournalError::read)? {
        memory::remember(&transaction, &plan_key)?;
    }
    let jobs: Option<i64> = transaction
        .query_row(&format!("SELECT sum(jobs) FROM runs WHERE {old}"), [before], |row| row.get(0))
        .map_err(JournalError::read)?;
    let runs = transaction.execute(&format!("DELETE FROM runs WHERE {old}"), [before]).map_err(JournalError::write)?;
    transaction.commit().map_err(JournalError::write)?;
    Ok(Pruned { runs, jobs: jobs.unwrap_or_default().unsigned_abs() })
}

/// The numbers of those runs that somebody has in hand, as a list for a query.
fn held(
    connection: &Connection,
    which: &str,
    before: i64,
    is_held: impl Fn(&str, &str) -> bool,
) -> rusqlite::Result<String> {
    let mut select = connection.prepare(&format!("SELECT run, plan_key, run_id FROM runs WHERE {which}"))?;
    let mut rows = select.query([before])?;
    let mut held: Vec<String> = Vec::new();
    while let Some(row) = rows.next()? {
        let (run, plan_key, run_id): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if is_held(&plan_key, &run_id) {
            held.push(run.to_string());
        }
    }
    Ok(held.join(", "))
}

/// Whether a run of that plan should be under way: a process has it, or was killed.
pub(in crate::journal) fn should_run(store: &Store, plan_key: &str) -> Result<bool, JournalError> {
    let running = RunState::Running.name();
    store
        .connection
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM runs WHERE plan_key = ?1 AND state = ?2)",
            [plan_key, running],
            |row| row.get(0),
        )
        .map_err(JournalError::read)
}

/// Writes one run alone into a database of its own, which must not exist yet; half of one is not left behind.
pub(in crate::journal) fn export(store: &mut Store, id: &RunId, file: &Path) -> Result<(), JournalError> {
    let failed = |cause: String| JournalError::Export { file: file.to_owned(), cause };
    // What is damaged is handed to no auditor.
    let head = reader::walk(store, id, |_, _| Ok::<_, JournalError>(()))?;
    std::fs::OpenOptions::new().write(true).create_new(true).open(file).map_err(|cause| failed(cause.to_string()))?;
    let exported = store::make_at(file)
        .map_err(|error| error.to_string())
        .and_then(|()| copy(&store.connection, head.number, file).map_err(|error| error.to_string()));
    exported.map_err(|cause| {
        // It is ours, made a moment ago.
        let _ = std::fs::remove_file(file);
        failed(cause)
    })
}

fn copy(connection: &Connection, run: i64, file: &Path) -> rusqlite::Result<()> {
    connection.execute("ATTACH DATABASE ?1 AS one", [file.to_string_lossy().into_owned()])?;
    let tables = [
        "runs",
        "plan_files",
        "jobs",
        "priorities",
        "unfound",
        "attempts",
        "outcomes",
        "approvals",
        "follow_ups",
        "waits",
        "inherited",
        "names",
    ];
    let copied = tables.iter().try_for_each(|table| {
        let copy = format!("INSERT INTO one.{table} SELECT * FROM main.{table} WHERE run = ?1");
        connection.execute(&copy, params![run]).map(|_| ())
    });
    let copied = copied.and_then(|()| {
        connection.execute("UPDATE one.sequence SET last = (SELECT last FROM main.sequence)", []).map(|_| ())
    });
    // One file for the auditor: the write-ahead log is folded in.
    let folded = connection.query_row("PRAGMA one.journal_mode = DELETE", [], |_| Ok(()));
    let detached = connection.execute_batch("DETACH DATABASE one");
    copied.and(folded).and(detached)
}

/// The plans of the runs that a condition holds for.
fn plan_keys(connection: &Connection, condition: &str, before: i64) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare(&format!("SELECT DISTINCT plan_key FROM runs WHERE {condition}"))?;
    let keys = select.query_map([before], |row| row.get(0))?;
    keys.collect()
}
