//! What was sent of late, by any run.
//!
//! In: a run, and a time. Out: what left since then for the same tenant, whoever sent it. Must not: count; the limiter
//! does. Reads leave no record.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::store::Store;
use crate::catalog::{Access, Action, Bucket};
use crate::journal::error::JournalError;

/// Attempts since then of every run against the same tenant at the same Graph. `of_others`: but for this one.
pub(in crate::journal) fn sent_since(
    store: &Store,
    run: i64,
    since: Timestamp,
    of_others: bool,
) -> Result<Vec<(Bucket, Timestamp)>, JournalError> {
    let mut select = store.connection.prepare(SENT_SINCE).map_err(JournalError::read)?;
    let found = select.query_map(params![run, since.as_microsecond(), of_others], bucket_and_time);
    let found: Vec<_> = found.and_then(Iterator::collect).map_err(JournalError::read)?;
    Ok(found.into_iter().flatten().collect())
}

/// A run that has ended before that time has sent nothing since, and need not be looked through.
const SENT_SINCE: &str = "
    SELECT j.action, a.sent_at FROM runs AS me
    JOIN runs AS r ON r.tenant = me.tenant COLLATE NOCASE
        AND json_extract(r.settings, '$.graph_url') = json_extract(me.settings, '$.graph_url') COLLATE NOCASE
        AND json_extract(r.settings, '$.simulated') IS NULL
        AND (r.ended_at IS NULL OR r.ended_at >= ?2)
    JOIN attempts AS a ON a.run = r.run AND a.sent_at >= ?2
    JOIN jobs AS j ON j.run = a.run AND j.job = a.job
    WHERE me.run = ?1 AND NOT (?3 AND r.run = me.run)";

/// `None` for an action that this version does not know.
fn bucket_and_time(row: &Row<'_>) -> rusqlite::Result<Option<(Bucket, Timestamp)>> {
    let action = Action::named(&row.get::<_, String>(0)?);
    let bucket = action.map(|action| Bucket { service: action.service, access: Access::Write });
    Ok(bucket.zip(Timestamp::from_microsecond(row.get(1)?).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{INTUNE_DEVICES, INTUNE_OTHER};
    use crate::journal::Journal;
    use rusqlite::Connection;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A run with one job and its attempts at these seconds.
    fn add(
        journal: &Connection,
        run: i64,
        tenant: &str,
        settings: &str,
        action: &str,
        ended: Option<i64>,
        sent: &[i64],
    ) {
        let ended = ended.map(|second| second * 1_000_000);
        journal
            .execute(
                "INSERT INTO runs (run, run_id, state, plan_key, plan_file, plan_digest, tenant, settings, jobs, started_at, ended_at)
                 VALUES (?1, ?1, 'running', 'k', 'f', 'd', ?2, ?3, 1, 0, ?4)",
                params![run, tenant, settings, ended],
            )
            .unwrap();
        journal
            .execute(
                "INSERT INTO jobs (run, job, job_id, row, action, route, ids, method, path)
                 VALUES (?1, 0, 'j', 1, ?2, 'r', '[]', 'POST', '/')",
                params![run, action],
            )
            .unwrap();
        for (number, second) in (0..).zip(sent) {
            journal
                .execute(
                    "INSERT INTO attempts (run, job, attempt, client_request_id, sent_at) VALUES (?1, 0, ?2, 'c', ?3)",
                    params![run, number, second * 1_000_000],
                )
                .unwrap();
        }
    }

    #[test]
    fn whatever_went_to_the_same_tenant_counts_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let here = r#"{"graph_url":"https://graph.microsoft.com","simulated":null}"#;
        let runs = &journal.store.connection;
        add(runs, 1, "contoso.com", here, "retire", None, &[70, 90, 99]);
        add(runs, 2, "Contoso.com", here, "unassignUserFromDevice", Some(95), &[94]);
        add(runs, 3, "contoso.com", here, "retire", Some(80), &[79]);
        add(runs, 4, "fabrikam.com", here, "retire", None, &[98]);
        add(runs, 5, "contoso.com", r#"{"graph_url":"https://graph.microsoft.us"}"#, "retire", None, &[98]);
        let rehearsed = r#"{"graph_url":"https://graph.microsoft.com","simulated":""}"#;
        add(runs, 6, "contoso.com", rehearsed, "retire", None, &[98]);
        let mut sent = journal.sent_since(1, at(80), false).unwrap();
        sent.sort_by_key(|(_, sent_at)| *sent_at);
        let write = |service| Bucket { service, access: Access::Write };
        let devices = write(&INTUNE_DEVICES);
        assert_eq!(sent, [(devices, at(90)), (write(&INTUNE_OTHER), at(94)), (devices, at(99))]);
        assert_eq!(journal.sent_since(1, at(80), true).unwrap(), [(write(&INTUNE_OTHER), at(94))]);
        assert_eq!(journal.sent_since(1, at(100), false).unwrap(), []);
    }
}
