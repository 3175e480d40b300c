//! What was sent of late, by any run.
//!
//! In: a run, and a time. Out: what left since then for the same tenant, whoever sent it. Must not: count; the limiter
//! does. Reads leave no record.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::error::JournalError;
use super::store::Journal;
use crate::catalog::{Access, Action, Bucket};

impl Journal {
    /// Attempts since then of this run and of every other against the same tenant at the same Graph.
    pub fn sent_since(&self, run: i64, since: Timestamp) -> Result<Vec<(Bucket, Timestamp)>, JournalError> {
        let mut select = self.connection.prepare(SENT_SINCE).map_err(JournalError::read)?;
        let found = select.query_map(params![run, since.as_microsecond()], bucket_and_time);
        let found: Vec<_> = found.and_then(Iterator::collect).map_err(JournalError::read)?;
        Ok(found.into_iter().flatten().collect())
    }
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
    WHERE me.run = ?1";

/// `None` for an action that this version does not know.
fn bucket_and_time(row: &Row<'_>) -> rusqlite::Result<Option<(Bucket, Timestamp)>> {
    let action = Action::named(&row.get::<_, String>(0)?);
    let bucket = action.map(|action| Bucket { service: action.service, access: Access::Write });
    Ok(bucket.zip(Timestamp::from_microsecond(row.get(1)?).ok()))
}
