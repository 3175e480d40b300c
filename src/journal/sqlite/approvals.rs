//! Approval requests in the journal: filed, read, handed over to a later run.
//!
//! In: requests as they were answered, statuses as they were read. Out: the last request of each job, everything that
//! waits, and how much of each action is open. Must not: ask the service, or decide what a status means
//! for a job.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, TransactionBehavior, params};

use super::elsewhere::OPEN;
use super::page::Page;
use super::rows::{attempt, micros, settlement};
use super::statements::Statements;
use super::store::Store;
use crate::approval::{ApprovalRequest, RequestStatus};
use crate::job::JobId;
use crate::journal::error::JournalError;
use crate::journal::filed::{Filed, RequestRead, Waiting};
use crate::journal::id::RunId;
use crate::journal::known::{Pending, TurnedDown};
use crate::outcome::{Settlement, doubt};

/// The word for a request that a later run goes on with.
const MOVED: &str = "moved";

/// Adds to each job of a page the last request that was filed for it.
pub(super) fn approvals_of(connection: &Connection, page: &mut Page) -> Result<(), JournalError> {
    let mut select = connection
        .prepare_cached(
            "SELECT code, attempt, found, filed_at, expires_at, status, read_at, job FROM approvals
             WHERE run = ?1 AND job BETWEEN ?2 AND ?3 ORDER BY job, attempt",
        )
        .map_err(JournalError::read)?;
    let mut rows = select.query(page.range()).map_err(JournalError::read)?;
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let (job, filed) = row.get(7).and_then(|job| Ok((job, filed(row)?))).map_err(JournalError::read)?;
        if let Some(job) = page.job(job) {
            job.filed = Some(filed);
        }
    }
    Ok(())
}

/// Whether a run has ever filed anything.
pub(in crate::journal) fn has_requests(store: &Store, run: i64) -> Result<bool, JournalError> {
    store
        .connection
        .query_row("SELECT EXISTS (SELECT 1 FROM approvals WHERE run = ?1)", [run], |row| row.get(0))
        .map_err(JournalError::read)
}

/// Keeps what a look-up found out.
pub(in crate::journal) fn note_statuses(
    store: &mut Store,
    run: i64,
    read: &[RequestRead],
    now: Timestamp,
) -> Result<(), JournalError> {
    let transaction =
        store.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
    let mut update = transaction
        .prepare(
            "UPDATE approvals SET status = ?4, expires_at = coalesce(?5, expires_at), read_at = ?6
             WHERE run = ?1 AND job = ?2 AND code = ?3 AND status <> 'moved'",
        )
        .map_err(JournalError::write)?;
    for RequestRead { job, code, status, expires_at } in read {
        let expires_at = expires_at.map(Timestamp::as_microsecond);
        update
            .execute(params![run, job, code, status.name(), expires_at, now.as_microsecond()])
            .map_err(JournalError::write)?;
    }
    drop(update);
    transaction.commit().map_err(JournalError::write)
}

/// Settles jobs by what became of their requests, outside of any run of attempts.
pub(in crate::journal) fn settle(
    store: &mut Store,
    run: i64,
    settled: &[(u32, &Settlement)],
) -> Result<(), JournalError> {
    let transaction =
        store.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
    let mut statements = Statements::prepare(&transaction, run).map_err(JournalError::write)?;
    for (job, settlement) in settled {
        statements.settle(*job, settlement).map_err(JournalError::write)?;
    }
    statements.keep_order().map_err(JournalError::write)?;
    drop(statements);
    transaction.commit().map_err(JournalError::write)
}

/// Everything that waits, of one run or of all, in the order in which it was filed.
pub(in crate::journal) fn waiting(store: &Store, run: Option<&RunId>) -> Result<Vec<Waiting>, JournalError> {
    let mut select = store.connection
        .prepare(&format!(
            "SELECT a.code, a.attempt, a.found, a.filed_at, a.expires_at, a.status, a.read_at, r.run_id, r.tenant,
                r.plan_file, json_extract(r.settings, '$.justification'), j.action, j.ids, j.row, j.note, a.job, j.target_name
             FROM approvals a JOIN runs r ON r.run = a.run JOIN jobs j ON j.run = a.run AND j.job = a.job
             WHERE {OPEN} AND (?1 IS NULL OR r.run_id = ?1) ORDER BY r.run, a.filed_at, a.job"
        ))
        .map_err(JournalError::read)?;
    let found = select.query_map([run.map(RunId::as_str)], waiting_request);
    found.and_then(Iterator::collect).map_err(JournalError::read)
}

/// How many requests are open in a tenant, by action.
pub(in crate::journal) fn open_requests(store: &Store, tenant: &str) -> Result<HashMap<String, u32>, JournalError> {
    let mut select = store
        .connection
        .prepare(&format!(
            "SELECT j.action, count(*) FROM approvals a JOIN runs r ON r.run = a.run
             JOIN jobs j ON j.run = a.run AND j.job = a.job WHERE {OPEN} AND r.tenant = ?1 GROUP BY j.action"
        ))
        .map_err(JournalError::read)?;
    let counts = select.query_map([tenant], |row| Ok((row.get(0)?, row.get(1)?)));
    counts.and_then(Iterator::collect).map_err(JournalError::read)
}

/// Keeps the reason that a run goes on with.
pub(in crate::journal) fn set_justification(store: &Store, run: i64, justification: &str) -> Result<(), JournalError> {
    store
        .connection
        .execute(
            "UPDATE runs SET settings = json_set(settings, '$.justification', ?2) WHERE run = ?1",
            params![run, justification],
        )
        .map(|_| ())
        .map_err(JournalError::write)
}

/// The open requests of a plan's jobs, with the run that has them.
pub(in crate::journal) fn asked(store: &Store, plan_key: &str) -> Result<Vec<(JobId, Pending)>, JournalError> {
    pending(&store.connection, plan_key)
}

/// The open requests of all runs of a plan, the oldest first.
pub(super) fn pending(connection: &Connection, plan_key: &str) -> Result<Vec<(JobId, Pending)>, JournalError> {
    let mut select = connection
        .prepare_cached(&format!(
            "WITH first AS (SELECT b.code, s.run_id, min(s.run) FROM approvals b JOIN runs s ON s.run = b.run
                WHERE s.plan_key = ?1 GROUP BY b.code)
             SELECT a.code, a.attempt, a.found, a.filed_at, a.expires_at, a.status, a.read_at, j.job_id, a.run, a.job, first.run_id,
                r.run_id AS run_id_of_it, o.*
             FROM approvals a JOIN runs r ON r.run = a.run JOIN jobs j ON j.run = a.run AND j.job = a.job
             JOIN first ON first.code = a.code LEFT JOIN outcomes o ON o.run = a.run AND o.job = a.job
             WHERE r.plan_key = ?1 AND {OPEN} ORDER BY a.run"
        ))
        .map_err(JournalError::read)?;
    let mut attempts = connection
        .prepare_cached("SELECT * FROM attempts WHERE run = ?1 AND job = ?2 ORDER BY attempt")
        .map_err(JournalError::read)?;
    let mut rows = select.query([plan_key]).map_err(JournalError::read)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let mut read = |row: &Row<'_>| -> rusqlite::Result<Pending> {
            let settled = match row.get::<_, Option<String>>("outcome")? {
                Some(_) => settlement(row)?.map(Box::new),
                None => None,
            };
            let Filed { request, attempt: number, .. } = filed(row)?;
            let (run, run_id, job): (i64, String, u32) = (row.get(8)?, row.get(11)?, row.get(9)?);
            let made = attempts.query_map(params![run, job], |row| attempt(row).map(|attempt| attempt.made()))?;
            let doubtful = doubt(made.collect::<rusqlite::Result<Vec<_>>>()?, 0).is_some();
            Ok(Pending { run, run_id, job, filed_by: row.get(10)?, request, attempt: number, doubtful, settled })
        };
        found.push((row_job(row, 7)?, read(row).map_err(JournalError::read)?));
    }
    Ok(found)
}

/// The requests of a plan that came to nothing, and failed their jobs; the oldest first.
pub(super) fn turned_down(connection: &Connection, plan_key: &str) -> Result<Vec<(JobId, TurnedDown)>, JournalError> {
    let mut select = connection
        .prepare(
            "SELECT a.code, a.status, r.run_id, j.job_id, o.*
             FROM approvals a JOIN runs r ON r.run = a.run JOIN jobs j ON j.run = a.run AND j.job = a.job
             JOIN outcomes o ON o.run = a.run AND o.job = a.job AND o.outcome = 'failed'
             WHERE r.plan_key = ?1 AND a.status IN ('rejected', 'cancelled', 'expired')
             AND a.attempt = (SELECT max(b.attempt) FROM approvals b WHERE b.run = a.run AND b.job = a.job) ORDER BY a.run",
        )
        .map_err(JournalError::read)?;
    let mut rows = select.query([plan_key]).map_err(JournalError::read)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(JournalError::read)? {
        let read = |row: &Row<'_>| -> rusqlite::Result<Option<TurnedDown>> {
            let (code, status): (String, String) = (row.get(0)?, row.get(1)?);
            let (run_id, status) = (row.get(2)?, RequestStatus::named(&status));
            Ok(settlement(row)?.map(|settled| TurnedDown { run_id, code: code.into(), status, settled }))
        };
        if let Some(turned_down) = read(row).map_err(JournalError::read)? {
            found.push((row_job(row, 3)?, turned_down));
        }
    }
    Ok(found)
}

fn row_job(row: &Row<'_>, column: usize) -> Result<JobId, JournalError> {
    let text: String = row.get(column).map_err(JournalError::read)?;
    text.parse().map_err(|()| JournalError::Damaged(format!("`{text}` is no job")))
}

/// A later run goes on with a request, and has what was sent for it: the run before never will.
pub(super) fn hand_over(connection: &Connection, pending: &Pending, (run, job): (i64, u32)) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE approvals SET status = ?4 WHERE run = ?1 AND job = ?2 AND code = ?3",
        params![pending.run, pending.job, pending.request.code, MOVED],
    )?;
    connection
        .execute(
            "INSERT INTO attempts SELECT ?3, ?4, attempt, client_request_id, sent_at, answered_at, verdict, http_status,
                error_code, error_message, request_id, seq, cleared FROM attempts WHERE run = ?1 AND job = ?2",
            params![pending.run, pending.job, run, job],
        )
        .map(|_| ())
}

/// From a row that begins with the columns of the request.
pub(super) fn filed(row: &Row<'_>) -> rusqlite::Result<Filed> {
    let status: String = row.get(5)?;
    Ok(Filed {
        request: ApprovalRequest {
            code: row.get::<_, String>(0)?.into_boxed_str(),
            filed_at: micros(row.get(3)?),
            expires_at: micros(row.get(4)?),
            found: row.get(2)?,
        },
        attempt: row.get(1)?,
        status: RequestStatus::named(&status),
        read_at: row.get::<_, Option<i64>>(6)?.map(micros),
        moved: status == MOVED,
    })
}

fn waiting_request(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    let ids: String = row.get(12)?;
    let ids: Vec<String> = serde_json::from_str(&ids).unwrap_or_default();
    Ok(Waiting {
        run: RunId(row.get(7)?),
        tenant: row.get(8)?,
        plan_file: row.get(9)?,
        justification: row.get(10)?,
        action: row.get(11)?,
        target: ids.into_iter().next_back().unwrap_or_default(),
        row: row.get(13)?,
        note: row.get(14)?,
        job: row.get(15)?,
        target_name: row.get(16)?,
        filed: filed(row)?,
    })
}
