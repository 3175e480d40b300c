//! Which deeds of a run were done before, by whatever other run.
//!
//! In: a run. Out: its jobs that may not be repeated and that another run at the same place has settled well. Must not: decide
//! whether they are done again; somebody has asked for that.

use std::collections::HashSet;

use super::elsewhere::same_tenant;
use super::store::Store;
use crate::journal::error::JournalError;

/// The indexes of these jobs.
pub(in crate::journal) fn done_before(store: &Store, run: i64) -> Result<HashSet<u32>, JournalError> {
    let read = || -> rusqlite::Result<HashSet<u32>> {
        let mut select = store.connection.prepare_cached(&format!(
            "SELECT me.job FROM jobs AS me JOIN runs AS mine ON mine.run = me.run
             WHERE me.run = ?1 AND me.once IS NOT NULL AND mine.place <> 'simulated' AND (
                EXISTS (SELECT 1 FROM jobs AS j JOIN runs AS r ON r.run = j.run AND r.place = mine.place AND {runs}
                    JOIN outcomes AS o ON o.run = j.run AND o.job = j.job AND o.outcome IN ('completed', 'accepted')
                    WHERE j.once = me.once AND j.run <> me.run)
                OR EXISTS (SELECT 1 FROM remembered AS m WHERE m.once = me.once AND m.done = 1 AND m.place = mine.place
                    AND m.run_id <> mine.run_id AND {kept}))",
            runs = same_tenant("mine.place", "r.tenant", "mine.tenant"),
            kept = same_tenant("mine.place", "m.tenant", "mine.tenant"),
        ))?;
        let found = select.query_map([run], |row| row.get(0))?;
        found.collect()
    };
    read().map_err(JournalError::read)
}
