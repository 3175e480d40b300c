//! The parts that runs have had in jobs, read from the database.
//!
//! In: a run of a plan, or what a job does only once. Out: [`PartOfRun`]s. Must not: say what they come to; [`crate::journal::known`]
//! does.

use std::collections::HashMap;

use rusqlite::types::Type;
use rusqlite::{CachedStatement, Connection, Row, params};

use super::elsewhere::same_tenant;
use super::follow_ups::follow_up;
use super::rows::{attempt, micros, settlement};
use crate::job::JobId;
use crate::journal::error::JournalError;
use crate::journal::known::{PartOfRun, SettledPart, WhatAbout};
use crate::journal::stored::PastAttempt;
use crate::outcome::{Outcome, Settlement};

/// A run that may have had a part.
pub(super) struct PastRun {
    pub number: i64,
    pub run_id: String,
    pub finished: bool,
}

impl PastRun {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { number: row.get(0)?, run_id: row.get(1)?, finished: row.get(2)? })
    }
}

/// The parts of one run, by job; and which job of the run has it. What it has inherited it knows from the runs before it,
/// and they may have come to know better since.
pub(super) fn of_run(
    connection: &Connection,
    run: &PastRun,
) -> Result<HashMap<JobId, Vec<(u32, PartOfRun)>>, JournalError> {
    let mut by_job: HashMap<u32, (Vec<PastAttempt>, Option<SettledPart>)> = HashMap::new();
    let read = |by_job: &mut HashMap<u32, (Vec<PastAttempt>, Option<SettledPart>)>| -> rusqlite::Result<()> {
        let mut select = connection.prepare_cached("SELECT * FROM attempts WHERE run = ?1 ORDER BY job, attempt")?;
        let mut rows = select.query([run.number])?;
        while let Some(row) = rows.next()? {
            by_job.entry(row.get("job")?).or_default().0.push(attempt(row)?);
        }
        let mut select = connection.prepare_cached(&format!("{OUTCOMES} WHERE o.run = ?1"))?;
        let mut rows = select.query([run.number])?;
        while let Some(row) = rows.next()? {
            by_job.entry(row.get("job")?).or_default().1 = ended(row)?;
        }
        Ok(())
    };
    read(&mut by_job).map_err(JournalError::read)?;
    let mut select = connection.prepare_cached(&JOBS.replace("{ABOUT}", ABOUT)).map_err(JournalError::read)?;
    let mut rows = select.query([run.number]).map_err(JournalError::read)?;
    let mut found: HashMap<JobId, Vec<(u32, PartOfRun)>> = HashMap::new();
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let id = job_id(row)?;
        let job = row.get("job").map_err(JournalError::read)?;
        if let Some((attempts, ended)) = by_job.remove(&job) {
            let about = about(row).map_err(JournalError::read)?;
            let part = PartOfRun { run_id: run.run_id.clone(), job: id, attempts, ended, about };
            found.entry(id).or_default().push((job, part));
        }
    }
    Ok(found)
}

/// What a job made of names was about; nothing for all others, of which there may be a million.
const ABOUT: &str = "CASE WHEN n.job IS NOT NULL OR instr(j.ids, '@') THEN j.ids END AS about, n.users AS users";

/// From a row with the columns of [`ABOUT`].
fn about(row: &Row<'_>) -> rusqlite::Result<Option<WhatAbout>> {
    let read = |text: &str| serde_json::from_str(text).ok();
    let Some(ids) = row.get_ref("about")?.as_str_or_null()?.and_then(read) else { return Ok(None) };
    let users = row.get_ref("users")?.as_str_or_null()?.and_then(|text| serde_json::from_str(text).ok());
    Ok(Some(WhatAbout { ids, users }))
}

const JOBS: &str =
    "SELECT j.job_id, j.job, {ABOUT} FROM jobs AS j LEFT JOIN names AS n ON n.run = j.run AND n.job = j.job
    WHERE j.run = ?1 AND NOT EXISTS (SELECT 1 FROM inherited AS i WHERE i.run = j.run AND i.job = j.job)";

const OUTCOMES: &str = "SELECT o.*, f.read_at, f.stage, f.words, f.last_check_in FROM outcomes AS o
    LEFT JOIN follow_ups AS f ON f.run = o.run AND f.job = o.job";

/// Looks for the parts in deeds that are done only once.
pub(super) struct Deeds<'c> {
    jobs: CachedStatement<'c>,
    remembered: CachedStatement<'c>,
    attempts: CachedStatement<'c>,
    outcome: CachedStatement<'c>,
    place: String,
    tenant: String,
    /// Left out of account.
    but: i64,
}

impl<'c> Deeds<'c> {
    /// At that place, in that tenant; `but`: not those of this run.
    pub(super) fn look(connection: &'c Connection, place: &str, tenant: &str, but: i64) -> rusqlite::Result<Self> {
        let (runs, kept) = (same_tenant("?2", "r.tenant", "?3"), same_tenant("?2", "m.tenant", "?3"));
        Ok(Self {
            jobs: connection.prepare_cached(&format!(
                "SELECT j.run, j.job, r.run_id, EXISTS (SELECT 1 FROM inherited AS i WHERE i.run = j.run AND i.job = j.job),
                    {ABOUT}, j.job_id
                 FROM jobs AS j LEFT JOIN names AS n ON n.run = j.run AND n.job = j.job
                 JOIN runs AS r ON r.run = j.run AND r.place = ?2 AND {runs}
                 WHERE j.once = ?1 AND j.run <> ?4"
            ))?,
            // What an older version has kept has neither place nor deed: the same job is the same deed.
            remembered: connection.prepare_cached(&format!(
                "{REMEMBERED} WHERE (m.once = ?1 AND m.place = ?2 AND {kept}) OR (m.once IS NULL AND m.place = '' AND m.job_id = ?4)"
            ))?,
            attempts: connection
                .prepare_cached("SELECT * FROM attempts WHERE run = ?1 AND job = ?2 ORDER BY attempt")?,
            outcome: connection.prepare_cached(&format!("{OUTCOMES} WHERE o.run = ?1 AND o.job = ?2"))?,
            place: place.to_owned(),
            tenant: tenant.to_owned(),
            but,
        })
    }

    /// What runs have had to do with a deed, and what is kept of those that were pruned.
    pub(super) fn parts(&mut self, once: &str, job: JobId) -> rusqlite::Result<Vec<PartOfRun>> {
        let mut jobs = Vec::new();
        let mut rows = self.jobs.query(params![once, self.place, self.tenant, self.but])?;
        while let Some(row) = rows.next()? {
            let at = JobOfRun {
                run: row.get(0)?,
                job: row.get(1)?,
                run_id: row.get(2)?,
                is_inherited: row.get(3)?,
                called: called(row)?,
            };
            jobs.push((at, about(row)?));
        }
        drop(rows);
        let mut found = Vec::new();
        for (job, about) in jobs {
            found.extend(self.part(&job)?.map(|part| PartOfRun { about, ..part }));
        }
        found.extend(self.kept(once, Some(job))?);
        Ok(found)
    }

    /// What one run has had to do with a job, if anything.
    pub(super) fn part(&mut self, of: &JobOfRun) -> rusqlite::Result<Option<PartOfRun>> {
        let attempts = self.attempts.query_map(params![of.run, of.job], attempt)?;
        let attempts: Vec<_> = attempts.collect::<rusqlite::Result<_>>()?;
        let mut outcomes = self.outcome.query(params![of.run, of.job])?;
        let ended = match outcomes.next()? {
            Some(outcome) if !of.is_inherited => ended(outcome)?,
            _ => None,
        };
        let part = PartOfRun { run_id: of.run_id.clone(), job: of.called, attempts, ended, about: None };
        Ok((!part.attempts.is_empty() || part.ended.is_some()).then_some(part))
    }

    /// What is kept of a deed in runs that were pruned. `job`: what it is called, for what an older version has kept.
    pub(super) fn kept(&mut self, once: &str, job: Option<JobId>) -> rusqlite::Result<Vec<PartOfRun>> {
        let mut found = Vec::new();
        let job = job.map(|job| job.to_string()).unwrap_or_default();
        let mut rows = self.remembered.query(params![once, self.place, self.tenant, job])?;
        while let Some(row) = rows.next()? {
            found.extend(remembered(row)?);
        }
        Ok(found)
    }
}

/// A job of a run, as it stands in the tables.
pub(super) struct JobOfRun {
    pub run: i64,
    pub job: u32,
    pub run_id: String,
    /// What the run called it.
    pub called: JobId,
    /// Whether it is settled by nothing but what runs before have done.
    pub is_inherited: bool,
}

/// What is kept of a plan's jobs.
pub(super) fn kept(connection: &Connection, plan_key: &str) -> Result<HashMap<JobId, PartOfRun>, JournalError> {
    let mut select =
        connection.prepare_cached(&format!("{REMEMBERED} WHERE m.plan_key = ?1")).map_err(JournalError::read)?;
    let mut rows = select.query([plan_key]).map_err(JournalError::read)?;
    let mut kept = HashMap::new();
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let id = job_id(row)?;
        kept.extend(remembered(row).map_err(JournalError::read)?.map(|part| (id, part)));
    }
    Ok(kept)
}

const REMEMBERED: &str = "SELECT m.job_id, m.done, m.run_id, m.client_request_id AS in_doubt, m.sent_at, m.seq,
    m.attempts_in_doubt, nullif(m.client_request_id, '') AS client_request_id, m.outcome, m.http_status, m.error_code,
    m.error_message, m.attempts, m.waited_ms, m.duration_ms, m.started_at, m.finished_at, m.request_id, m.note, m.read_at,
    m.stage, m.words, m.last_check_in, m.ids AS about, m.users FROM remembered AS m";

/// `None`: what is kept is that its approval request came to nothing.
fn remembered(row: &Row<'_>) -> rusqlite::Result<Option<PartOfRun>> {
    let (run_id, job, seq, about) = (row.get("run_id")?, called(row)?, row.get("seq")?, about(row)?);
    match row.get::<_, i64>("done")? {
        DONE => {
            let settled = settled(row)?;
            let outcome = settled.as_ref().map_or(Outcome::Completed, |settled| settled.outcome);
            Ok(Some(PartOfRun {
                run_id,
                job,
                attempts: Vec::new(),
                ended: Some(SettledPart { seq, outcome, settled }),
                about,
            }))
        }
        IN_DOUBT => {
            let attempts: Option<String> = row.get("attempts_in_doubt")?;
            let attempts: Option<Vec<PastAttempt>> = attempts.and_then(|text| serde_json::from_str(&text).ok());
            // An older version has kept the first attempt alone.
            let first = || -> rusqlite::Result<PastAttempt> {
                let sent_at = micros(row.get("sent_at")?);
                let client_request_id = row.get("in_doubt")?;
                // Nothing that is known can be newer.
                Ok(PastAttempt { seq: seq.max(1), sent_at, client_request_id, verdict: None, cleared: false })
            };
            let attempts = match attempts {
                Some(attempts) => attempts,
                None => vec![first()?],
            };
            Ok(Some(PartOfRun { run_id, job, attempts, ended: None, about }))
        }
        _ => Ok(None),
    }
}

/// What a row of `remembered` says, in its column `done`.
const IN_DOUBT: i64 = 0;
const DONE: i64 = 1;
pub(super) const TURNED_DOWN: i64 = 2;

fn ended(row: &Row<'_>) -> rusqlite::Result<Option<SettledPart>> {
    let settled = settled(row)?;
    let seq = row.get("seq")?;
    Ok(settled.map(|settled| SettledPart { seq, outcome: settled.outcome, settled: Some(settled) }))
}

/// From a row with the columns of an outcome and of a follow-up, if it has an outcome that this version knows.
fn settled(row: &Row<'_>) -> rusqlite::Result<Option<Box<Settlement>>> {
    if row.get::<_, Option<String>>("outcome")?.is_none() {
        return Ok(None);
    }
    let settled = settlement(row)?;
    let seen = follow_up(row)?.map(Box::new);
    Ok(settled.map(|settled| Box::new(Settlement { follow_up: seen, ..settled })))
}

/// What the run called the job.
pub(super) fn called(row: &Row<'_>) -> rusqlite::Result<JobId> {
    let text: String = row.get("job_id")?;
    text.parse().map_err(|()| rusqlite::Error::InvalidColumnType(0, "job_id".into(), Type::Text))
}

pub(super) fn job_id(row: &Row<'_>) -> Result<JobId, JournalError> {
    let text: String = row.get("job_id").map_err(JournalError::read)?;
    text.parse().map_err(|()| JournalError::Damaged(format!("`{text}` is no job")))
}
