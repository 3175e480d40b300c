//! What other runs have done of the deeds of a run: before it, or after.
//!
//! In: a run. Out: its jobs that may not be repeated and that another run at the same place has settled well; its jobs that
//! another run has sent again since. Must not: decide what follows from it.

use std::collections::{HashMap, HashSet};

use super::elsewhere::{SAME_DEED, beside, beside_pruned};
use super::store::Store;
use crate::journal::error::JournalError;
use crate::outcome::Effect;

/// The indexes of these jobs.
pub(in crate::journal) fn done_before(store: &Store, run: i64) -> Result<HashSet<u32>, JournalError> {
    let read = || -> rusqlite::Result<HashSet<u32>> {
        let mut select = store.connection.prepare_cached(&format!(
            "SELECT me.job FROM {others} JOIN outcomes AS o ON o.run = j.run AND o.job = j.job
                AND o.outcome IN ('completed', 'accepted') WHERE me.run = ?1
             UNION SELECT me.job FROM {pruned} WHERE me.run = ?1 AND m.done = 1",
            others = beside(SAME_DEED),
            pruned = beside_pruned(),
        ))?;
        let found = select.query_map([run], |row| row.get(0))?;
        found.collect()
    };
    read().map_err(JournalError::read)
}

/// The jobs of a run that another one has sent after its own last attempt, also with other parameters where a deed is done
/// only once; and which run.
pub(in crate::journal) fn sent_after(store: &Store, run: i64) -> Result<HashMap<u32, String>, JournalError> {
    let read = || -> rusqlite::Result<HashMap<u32, String>> {
        let mut sent = HashMap::new();
        for same in [SAME_DEED, "j.job_id = me.job_id"] {
            let mut select = store.connection.prepare_cached(&format!(
                "SELECT me.job, r.run_id, a.verdict FROM {others}
                 JOIN attempts AS a ON a.run = j.run AND a.job = j.job
                    AND a.seq > (SELECT max(own.seq) FROM attempts AS own WHERE own.run = me.run AND own.job = me.job)
                 WHERE me.run = ?1 ORDER BY a.seq",
                others = beside(same),
            ))?;
            let mut rows = select.query([run])?;
            while let Some(row) = rows.next()? {
                let verdict: Option<String> = row.get(2)?;
                if Effect::of(verdict.as_deref()) == Effect::Possible {
                    sent.insert(row.get(0)?, row.get(1)?);
                }
            }
        }
        Ok(sent)
    };
    read().map_err(JournalError::read)
}
