//! All runs: listed, pruned, one of them exported.
//!
//! In: nothing, an age, a run and a file. Out: summaries, what was removed, a database of one run.
//! Must not: remove a run that is open or under way.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use super::error::JournalError;
use super::memory;
use super::shown::keep_what_they_saw;
use super::state::RunState;
use super::store::{Journal, RunId};
use crate::outcome::{Outcome, Tally};

/// One line of the list.
#[derive(Debug, Clone)]
pub struct RunSummary {
    pub id: RunId,
    /// As recorded, or broken off where a run that should be under way is not.
    pub state: RunState,
    pub plan_file: String,
    pub tenant: String,
    pub started_at: Timestamp,
    pub jobs: u32,
    /// Jobs that have settled.
    pub settled: Tally,
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    pub runs: usize,
    pub jobs: u64,
}

impl Journal {
    /// All runs, the newest first.
    pub fn runs(&self) -> Result<Vec<RunSummary>, JournalError> {
        let mut select = self
            .connection
            .prepare(
                "SELECT run, run_id, state, plan_file, tenant, started_at, jobs, plan_key FROM runs ORDER BY run DESC",
            )
            .map_err(JournalError::read)?;
        let found = select.query_map([], |row| {
            let at: i64 = row.get(5)?;
            let summary = RunSummary {
                id: RunId(row.get(1)?),
                state: RunState::named(&row.get::<_, String>(2)?),
                plan_file: row.get(3)?,
                tenant: row.get(4)?,
                started_at: Timestamp::from_microsecond(at).unwrap_or_default(),
                jobs: row.get(6)?,
                settled: Tally::default(),
            };
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(7)?, summary))
        });
        let found: Vec<_> = found.and_then(Iterator::collect).map_err(JournalError::read)?;
        let finish = |(run, plan_key, mut summary): (i64, String, RunSummary)| {
            summary.settled = self.tally(run)?;
            if summary.state == RunState::Running && !self.is_under_way(&plan_key, summary.id.as_str()) {
                summary.state = RunState::BrokenOff;
            }
            Ok(summary)
        };
        found.into_iter().map(finish).collect()
    }

    /// The runs of one plan, the oldest first.
    pub fn runs_of(&self, plan_key: &str) -> Result<Vec<RunId>, JournalError> {
        let mut select = self
            .connection
            .prepare("SELECT run_id FROM runs WHERE plan_key = ?1 ORDER BY run")
            .map_err(JournalError::read)?;
        let found = select.query_map([plan_key], |row| row.get(0).map(RunId));
        found.and_then(Iterator::collect).map_err(JournalError::read)
    }

    fn tally(&self, run: i64) -> Result<Tally, JournalError> {
        let mut select = self
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
    pub fn prune(&mut self, before: Timestamp) -> Result<Pruned, JournalError> {
        // A job without an outcome is open too.
        const OLD: &str = "state = 'finished' AND started_at < ?1 AND jobs = (
            SELECT count(*) FROM outcomes WHERE outcomes.run = runs.run
            AND outcome NOT IN ('unknown', 'awaiting_approval', 'not_attempted'))";
        let before = before.as_microsecond();
        // At once a writer: one that becomes it after reading is turned away, however patient, if another wrote between.
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
        keep_what_they_saw(&transaction, OLD, before).map_err(JournalError::write)?;
        for plan_key in plan_keys(&transaction, OLD, before).map_err(JournalError::read)? {
            memory::remember(&transaction, &plan_key)?;
        }
        let jobs: Option<i64> = transaction
            .query_row(&format!("SELECT sum(jobs) FROM runs WHERE {OLD}"), [before], |row| row.get(0))
            .map_err(JournalError::read)?;
        let runs =
            transaction.execute(&format!("DELETE FROM runs WHERE {OLD}"), [before]).map_err(JournalError::write)?;
        transaction.commit().map_err(JournalError::write)?;
        Ok(Pruned { runs, jobs: jobs.unwrap_or_default().unsigned_abs() })
    }

    /// Writes one run alone into a database of its own, which must not exist yet.
    pub fn export(&self, id: &RunId, file: &Path) -> Result<(), JournalError> {
        if file.exists() {
            return Err(JournalError::Write(format!("{} exists already", file.display())));
        }
        let record = self.read(id)?;
        Journal::at(file)?;
        let attach = file.to_string_lossy().into_owned();
        self.connection.execute("ATTACH DATABASE ?1 AS one", [attach]).map_err(JournalError::write)?;
        let tables = [
            "runs",
            "plan_files",
            "jobs",
            "priorities",
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
            self.connection.execute(&copy, params![record.number]).map(|_| ())
        });
        let copied = copied.and_then(|()| {
            self.connection.execute("UPDATE one.sequence SET last = (SELECT last FROM main.sequence)", []).map(|_| ())
        });
        // One file for the auditor: the write-ahead log is folded in.
        let folded = self.connection.query_row("PRAGMA one.journal_mode = DELETE", [], |_| Ok(()));
        let detached = self.connection.execute_batch("DETACH DATABASE one");
        copied.and(folded).and(detached).map_err(JournalError::write)
    }
}

/// The plans of the runs that a condition holds for.
fn plan_keys(connection: &Connection, condition: &str, before: i64) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare(&format!("SELECT DISTINCT plan_key FROM runs WHERE {condition}"))?;
    let keys = select.query_map([before], |row| row.get(0))?;
    keys.collect()
}
