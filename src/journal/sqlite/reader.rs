//! Runs read back: found by their names, whole or page by page.
//!
//! In: the id of a run, or the beginning of one. Out: a [`RunRecord`] with one [`StoredJob`] for every row, or the same rows a
//! page at a time. Must not: hold more than a page for whoever only walks over the rows.

use rusqlite::{OptionalExtension, Row};
use serde_json::Value;

use super::jobs;
use super::rows::micros;
use super::store::Store;
use crate::catalog::{Action, Definition};
use crate::journal::error::JournalError;
use crate::journal::id::RunId;
use crate::journal::resume::Only;
use crate::journal::run::{PlanFile, RunHead, RunRecord};
use crate::journal::state::RunState;
use crate::journal::stored::StoredJob;

/// Fewer characters of an id name nobody's run: they would name the only one there is.
const SHORTEST: usize = 8;

/// The run whose id begins like that, or the newest for `latest`.
pub(in crate::journal) fn find(store: &Store, prefix: &str) -> Result<RunId, JournalError> {
    if prefix.len() < SHORTEST && prefix != "latest" {
        return Err(JournalError::TooShort(prefix.to_owned()));
    }
    let mut select = store
        .connection
        .prepare("SELECT run_id FROM runs WHERE ?1 = 'latest' OR substr(run_id, 1, length(?1)) = ?1 ORDER BY run DESC")
        .map_err(JournalError::read)?;
    let found = select.query_map([prefix.to_ascii_lowercase()], |row| row.get::<_, String>(0));
    let found: Vec<_> = found.and_then(Iterator::collect).map_err(JournalError::read)?;
    match (prefix, found.as_slice()) {
        (_, []) => Err(JournalError::NoSuchRun(prefix.to_owned())),
        ("latest", [newest, ..]) => Ok(RunId(newest.clone())),
        (_, [one]) => Ok(RunId(one.clone())),
        (_, several) => Err(JournalError::Ambiguous { prefix: prefix.to_owned(), count: several.len() }),
    }
}

/// The newest run that has such rows left, or waits for anything. Rows whose day had not come are for a run of their own.
pub(in crate::journal) fn find_open(store: &Store, only: Only, refile: bool) -> Result<Option<RunId>, JournalError> {
    let rows = |which: &str| {
        format!(
            "EXISTS (SELECT 1 FROM outcomes AS o WHERE o.run = r.run AND o.outcome IN ({which}) AND o.cause IS NOT 'not_due'
                AND NOT EXISTS (SELECT 1 FROM approvals AS a WHERE a.run = o.run AND a.job = o.job AND a.status = 'moved'))"
        )
    };
    let is_early = "r.state <> 'finished'";
    let asked = "EXISTS (SELECT 1 FROM approvals AS a WHERE a.run = r.run AND a.status <> 'moved')";
    let open = match (only, refile) {
        (Only::Open, true) => asked.to_owned(),
        (Only::Open, false) => format!("{is_early} OR {}", rows("'unknown', 'not_attempted', 'awaiting_approval'")),
        (Only::Failed, _) => rows("'failed', 'not_found'"),
        (Only::Unknown, _) => format!("{is_early} OR {}", rows("'unknown'")),
        (Only::NotAttempted, _) => format!("{is_early} OR {}", rows("'not_attempted'")),
    };
    store
        .connection
        .query_row(&format!("SELECT run_id FROM runs AS r WHERE {open} ORDER BY run DESC LIMIT 1"), [], |row| {
            row.get(0)
        })
        .optional()
        .map_err(JournalError::read)
        .map(|found: Option<String>| found.map(RunId))
}

/// What makes the run a run of its plan, for the lock.
pub(in crate::journal) fn plan_key(store: &Store, id: &RunId) -> Result<String, JournalError> {
    store
        .connection
        .query_row("SELECT plan_key FROM runs WHERE run_id = ?1", [id.as_str()], |row| row.get(0))
        .optional()
        .map_err(JournalError::read)?
        .ok_or_else(|| JournalError::NoSuchRun(id.to_string()))
}

/// What a run was begun with, and how it stands.
pub(in crate::journal) fn head(store: &Store, id: &RunId) -> Result<RunHead, JournalError> {
    let found = store
        .connection
        .query_row("SELECT * FROM runs WHERE run_id = ?1", [id.as_str()], |row| run_head(row, id))
        .optional()
        .map_err(JournalError::read)?;
    let head = found.ok_or_else(|| JournalError::NoSuchRun(id.to_string()))?;
    Ok(RunHead { own: own_actions(&head.settings)?, ..head })
}

/// Reads a whole run.
pub(in crate::journal) fn read(store: &Store, id: &RunId) -> Result<RunRecord, JournalError> {
    // One read transaction, so that a run under way is seen at one instant.
    let transaction = store.connection.unchecked_transaction().map_err(JournalError::read)?;
    let mut jobs = Vec::new();
    let head = each_page(store, id, |_, page| -> Result<(), JournalError> {
        jobs.extend(page);
        Ok(())
    })?;
    drop(transaction);
    Ok(RunRecord { head, jobs })
}

/// The jobs of a run that come after that one, as many as are asked for, or as there are.
pub(in crate::journal) fn jobs(
    store: &Store,
    head: &RunHead,
    after: Option<u32>,
    at_most: u32,
) -> Result<Vec<StoredJob>, JournalError> {
    let Some(first) = after.map_or(Some(0), |after| after.checked_add(1)) else { return Ok(Vec::new()) };
    let transaction = store.connection.unchecked_transaction().map_err(JournalError::read)?;
    let jobs = jobs::page(&transaction, head, first, at_most)?;
    drop(transaction);
    Ok(jobs)
}

/// Hands over the jobs of a run page by page, with the index of the first one of each; all of them as they are at one
/// instant. Nothing else goes through the store meanwhile: it would be within the transaction that this one reads in.
pub(in crate::journal) fn walk<E: From<JournalError>>(
    store: &mut Store,
    id: &RunId,
    each: impl FnMut(u32, Vec<StoredJob>) -> Result<(), E>,
) -> Result<RunHead, E> {
    let transaction = store.connection.unchecked_transaction().map_err(JournalError::read)?;
    let head = each_page(store, id, each)?;
    drop(transaction);
    Ok(head)
}

/// Jobs that are held in memory at once by whoever walks over a run.
const PAGE: u32 = 1_000;

fn each_page<E: From<JournalError>>(
    store: &Store,
    id: &RunId,
    mut each: impl FnMut(u32, Vec<StoredJob>) -> Result<(), E>,
) -> Result<RunHead, E> {
    let head = head(store, id)?;
    let there: u32 = store
        .connection
        .query_row("SELECT count(*) FROM jobs WHERE run = ?1", [head.number], |row| row.get(0))
        .map_err(JournalError::read)?;
    if there != head.jobs {
        let what = format!("it has {there} of its {} jobs", head.jobs);
        return Err(JournalError::Damaged(what).into());
    }
    let mut first = 0;
    while first < head.jobs {
        let page = jobs::page(&store.connection, &head, first, PAGE)?;
        let next = first.saturating_add(PAGE);
        each(first, page)?;
        first = next;
    }
    Ok(head)
}

/// The files that the run's plan was read from, as they were.
pub(in crate::journal) fn plan_files(store: &Store, run: i64) -> Result<Vec<PlanFile>, JournalError> {
    let mut select =
        store.connection.prepare("SELECT file, text FROM plan_files WHERE run = ?1").map_err(JournalError::read)?;
    let files = select.query_map([run], |row| Ok(PlanFile { file: row.get(0)?, text: row.get(1)? }));
    files.and_then(Iterator::collect).map_err(JournalError::read)
}

fn run_head(row: &Row<'_>, id: &RunId) -> rusqlite::Result<RunHead> {
    let settings: String = row.get("settings")?;
    Ok(RunHead {
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
        jobs: row.get("jobs")?,
        own: Vec::new(),
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

#[cfg(test)]
mod tests;
