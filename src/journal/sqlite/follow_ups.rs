//! What was seen of accepted jobs, and which steps wait for that, in the database.
//!
//! In: settlements with a follow-up. Out: rows, and the same read back. Must not: judge what was seen.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, Row, params};

use super::page::Page;
use super::rows::micros;
use crate::journal::error::JournalError;
use crate::outcome::{FollowUp, Outcome, Settlement, Stage};
use crate::text::visible;

/// What the writer says to the database.
pub(super) struct FollowUpStatements<'c> {
    run: i64,
    seen: CachedStatement<'c>,
    forget: CachedStatement<'c>,
    remember: CachedStatement<'c>,
}

impl<'c> FollowUpStatements<'c> {
    pub(super) fn prepare(connection: &'c Connection, run: i64) -> rusqlite::Result<Self> {
        Ok(Self {
            run,
            seen: connection.prepare_cached("INSERT OR REPLACE INTO follow_ups VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            // What this run has done for a standing plan, and what has come to nothing since.
            forget: connection.prepare_cached(
                "DELETE FROM remembered WHERE done AND (plan_key, run_id, job_id) IN (SELECT r.plan_key, r.run_id, j.job_id
                 FROM runs AS r JOIN jobs AS j ON j.run = r.run WHERE r.run = ?1 AND j.job = ?2)",
            )?,
            remember: connection.prepare_cached(
                "UPDATE remembered SET outcome = ?3, read_at = ?4, stage = ?5, words = ?6, last_check_in = ?7
                 FROM runs AS r JOIN jobs AS j ON j.run = r.run WHERE r.run = ?1 AND j.job = ?2
                 AND remembered.plan_key = r.plan_key AND remembered.job_id = j.job_id AND remembered.run_id = r.run_id
                 AND remembered.outcome IS NOT NULL",
            )?,
        })
    }

    pub(super) fn seen(&mut self, job: u32, settlement: &Settlement) -> rusqlite::Result<()> {
        let Some(seen) = &settlement.follow_up else { return Ok(()) };
        let last_check_in = seen.last_check_in.map(Timestamp::as_microsecond);
        let read_at = seen.read_at.as_microsecond();
        let (stage, words) = (seen.stage.name(), visible(&seen.words));
        self.seen.execute(params![self.run, job, read_at, stage, words, last_check_in])?;
        let outcome = settlement.outcome;
        match outcome {
            Outcome::Failed => self.forget.execute(params![self.run, job])?,
            _ => self.remember.execute(params![self.run, job, outcome.name(), read_at, stage, words, last_check_in])?,
        };
        Ok(())
    }
}

/// Adds to the settled jobs of a page what was seen of them.
pub(super) fn follow_ups_of(connection: &Connection, page: &mut Page) -> Result<(), JournalError> {
    let mut select = connection
        .prepare_cached(
            "SELECT job, read_at, stage, words, last_check_in FROM follow_ups
             WHERE run = ?1 AND job BETWEEN ?2 AND ?3",
        )
        .map_err(JournalError::read)?;
    let mut rows = select.query(page.range()).map_err(JournalError::read)?;
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let (job, seen) = row.get(0).and_then(|job| Ok((job, follow_up(row)?))).map_err(JournalError::read)?;
        let seen = seen.ok_or_else(|| JournalError::Damaged(format!("job {job} is at no known stage")))?;
        if let Some(settled) = page.job(job).and_then(|stored| stored.settled.as_mut()) {
            settled.follow_up = Some(Box::new(seen));
        }
    }
    Ok(())
}

/// Adds to the jobs of a page how long they wait to be verified.
pub(super) fn waits_of(connection: &Connection, page: &mut Page) -> Result<(), JournalError> {
    let mut select = connection
        .prepare_cached("SELECT job, seconds FROM waits WHERE run = ?1 AND job BETWEEN ?2 AND ?3")
        .map_err(JournalError::read)?;
    let rows = select.query_map(page.range(), |row| Ok((row.get(0)?, row.get::<_, u32>(1)?)));
    for row in rows.map_err(JournalError::read)? {
        let (job, seconds) = row.map_err(JournalError::read)?;
        if let Some(stored) = page.job(job) {
            stored.job.set_verified_within(Some(Duration::from_secs(seconds.into())));
        }
    }
    Ok(())
}

/// From a row with the columns of a follow-up. `None`: there is none, or it is at a stage that this version does not know.
pub(super) fn follow_up(row: &Row<'_>) -> rusqlite::Result<Option<FollowUp>> {
    let Some(stage) = row.get::<_, Option<String>>("stage")? else { return Ok(None) };
    let seen = Stage::named(&stage).map(|stage| -> rusqlite::Result<_> {
        Ok(FollowUp {
            stage,
            words: row.get::<_, String>("words")?.into(),
            last_check_in: row.get::<_, Option<i64>>("last_check_in")?.map(micros),
            read_at: micros(row.get("read_at")?),
        })
    });
    seen.transpose()
}
