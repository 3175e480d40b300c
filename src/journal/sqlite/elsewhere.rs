//! What other runs have to do with a deed that is done only once, as conditions for the database; and whether there can be
//! anything to find.
//!
//! In: names of columns; a connection that writes for one run. Out: the text of a query, and of a condition; whether nobody
//! else has written. Must not: decide what becomes of a deed, or call anybody silent who may have written.

use rusqlite::Connection;

/// Whether others may have done anything that a run has not taken account of. A run has mostly the journal to itself, and need
/// not ask for each of its jobs then.
#[derive(Debug)]
pub(super) struct Others {
    silent: bool,
    /// What the database calls its contents, as far as others have written them.
    version: i64,
}

impl Others {
    /// At the beginning, nothing may stand behind the place up to which the run has taken account of others: neither theirs, nor
    /// copies of what is this run's.
    pub(super) fn of(connection: &Connection, run: i64) -> rusqlite::Result<Self> {
        // Read first: whoever writes between the two is noticed later.
        let version = version(connection)?;
        let silent = connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM sequence AS s, runs AS r WHERE r.run = ?1 AND s.last <= r.known)",
            )?
            .query_row([run], |row| row.get(0))?;
        Ok(Self { silent, version })
    }

    /// Whether nobody has written since but this connection. In a transaction that keeps others from it. Once somebody has, it
    /// stays so.
    pub(super) fn look(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.silent = self.silent && self.version == version(connection)?;
        Ok(())
    }

    pub(super) fn are_silent(&self) -> bool {
        self.silent
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// The jobs `me` of the runs `mine` that are done only once, each with the same deed `j` of every other run `r` at the same place.
pub(super) fn beside() -> String {
    format!(
        "jobs AS me JOIN runs AS mine ON mine.run = me.run AND mine.place <> 'simulated'
         JOIN jobs AS j ON j.once = me.once AND j.run <> me.run
         JOIN runs AS r ON r.run = j.run AND r.place = mine.place AND {tenant}",
        tenant = same_tenant("mine.place", "r.tenant", "mine.tenant"),
    )
}

/// The same with what is kept (`m`) of runs that were pruned.
pub(super) fn beside_pruned() -> String {
    format!(
        "jobs AS me JOIN runs AS mine ON mine.run = me.run AND mine.place <> 'simulated'
         JOIN remembered AS m ON m.once = me.once AND m.place = mine.place AND m.run_id <> mine.run_id AND {tenant}",
        tenant = same_tenant("mine.place", "m.tenant", "mine.tenant"),
    )
}

/// Which other run at the same place has made an attempt of the same deed, or was told that it is done, since this run has
/// last looked; also one that was pruned since.
pub(super) fn sent_elsewhere() -> String {
    format!(
        "SELECT r.run_id, a.seq FROM {others} JOIN attempts AS a ON a.run = j.run AND a.job = j.job AND a.seq > mine.known
         WHERE me.run = ?1 AND me.job = ?2
         UNION ALL SELECT r.run_id, o.seq FROM {others} JOIN outcomes AS o ON o.run = j.run AND o.job = j.job
            AND o.seq > mine.known AND o.outcome IN ('completed', 'accepted')
         WHERE me.run = ?1 AND me.job = ?2
         UNION ALL SELECT m.run_id, m.seq FROM {pruned}
         WHERE me.run = ?1 AND me.job = ?2 AND m.seq > mine.known AND m.done IN (0, 1)
         ORDER BY 2 DESC LIMIT 1",
        others = beside(),
        pruned = beside_pruned(),
    )
}

/// Approval requests `a` of which something may still come: their rows are open.
pub(super) const OPEN: &str = "a.status IN ('unknown', 'needsApproval', 'approved')
    AND a.attempt = (SELECT max(b.attempt) FROM approvals b WHERE b.run = a.run AND b.job = a.job)
    AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.run = a.run AND o.job = a.job
        AND o.outcome NOT IN ('awaiting_approval', 'unknown', 'not_attempted'))";

/// The form of an id of a tenant, with the place before it.
const ID: &str = "*|[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]\
-[0-9a-f][0-9a-f][0-9a-f][0-9a-f]-[0-9a-f][0-9a-f][0-9a-f][0-9a-f]-[0-9a-f][0-9a-f][0-9a-f][0-9a-f]\
-[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]";

/// Whether two names of tenants at a place may mean one: they do unless both are ids, or have been shown to be names of
/// ids, and differ.
pub(super) fn same_tenant(place: &str, one: &str, other: &str) -> String {
    let id = |name: &str| {
        let name = format!("lower({place} || '|' || {name})");
        format!("coalesce((SELECT tenant FROM tenant_names WHERE name = {name}), {name})")
    };
    let (one, other) = (id(one), id(other));
    format!("({one} = {other} OR {one} NOT GLOB '{ID}' OR {other} NOT GLOB '{ID}')")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::place::JournalPlace;
    use crate::journal::sqlite::store::Store;

    fn write(connection: &Connection, sql: &str) {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {sql}; COMMIT")).unwrap();
    }

    #[test]
    fn nobody_is_called_silent_who_has_written() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Store::open(&JournalPlace::Folder(folder.path().into())).unwrap();
        let [mine, theirs] = [journal.another().unwrap(), journal.another().unwrap()];
        assert!(!Others::of(&mine, 1).unwrap().are_silent(), "there is no such run");
        write(
            &mine,
            "INSERT INTO runs (run, run_id, state, plan_key, plan_file, plan_digest, tenant, settings, jobs, started_at, known, place)
             VALUES (1, 'r', 'running', 'k', 'f', 'd', 't', '{}', 0, 0, 7, 'p'); UPDATE sequence SET last = 7",
        );
        let mut others = Others::of(&mine, 1).unwrap();
        for last in 8..10 {
            write(&mine, &format!("UPDATE sequence SET last = {last}"));
            others.look(&mine).unwrap();
            assert!(others.are_silent(), "the run has written that itself");
        }
        assert!(!Others::of(&mine, 1).unwrap().are_silent(), "something stands behind what was taken account of");
        // A copy takes no new place.
        write(&theirs, "UPDATE runs SET state = 'ended'");
        others.look(&mine).unwrap();
        assert!(!others.are_silent());
        others.look(&mine).unwrap();
        assert!(!others.are_silent(), "what was not looked for then is there still");
    }
}
