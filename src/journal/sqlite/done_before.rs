//! Which deeds of a run were done before, by whatever other run.
//!
//! In: a run. Out: its jobs that may not be repeated and that another run at the same place has settled well. Must not: decide
//! whether they are done again; somebody has asked for that.

use std::collections::HashSet;

use super::elsewhere::{beside, beside_pruned};
use super::store::Store;
use crate::journal::error::JournalError;

/// The indexes of these jobs.
pub(in crate::journal) fn done_before(store: &Store, run: i64) -> Result<HashSet<u32>, JournalError> {
    let read = || -> rusqlite::Result<HashSet<u32>> {
        let mut select = store.connection.prepare_cached(&format!(
            "SELECT me.job FROM {others} JOIN outcomes AS o ON o.run = j.run AND o.job = j.job
                AND o.outcome IN ('completed', 'accepted') WHERE me.run = ?1
             UNION SELECT me.job FROM {pruned} WHERE me.run = ?1 AND m.done = 1",
            others = beside(),
            pruned = beside_pruned(),
        ))?;
        let found = select.query_map([run], |row| row.get(0))?;
        found.collect()
    };
    read().map_err(JournalError::read)
}
