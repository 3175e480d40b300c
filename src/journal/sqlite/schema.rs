//! The tables, and how an older database becomes a newer one.
//!
//! In: an open connection. Out: the same, with the current schema and with settings under which a commit is durable.
//! Must not: lose what an older version wrote.
//!
//! Times are microseconds since 1970, ids are text as people see them, so that `sqlite3 journal.db` is readable.
//! [`super::steps`] has the tables themselves.

use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::steps::{SEQUENCE_STEP, STEPS, back_fill};

/// The schema this version writes.
pub(super) const VERSION: u32 = STEPS.len() as u32;

/// How long a writer waits for another process's commit.
const BUSY: Duration = Duration::from_secs(30);

/// What an opened database turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SchemaFound {
    Current,
    /// Written by a later version of the program.
    Newer(u32),
}

/// Makes a connection durable, patient and current.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<SchemaFound> {
    connection.busy_timeout(BUSY)?;
    // FULL: a commit has reached the disk when it returns. NORMAL would lose the record of a wipe with the power.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    // A plain fsync of macOS leaves data in the drive's own memory. Elsewhere these change nothing.
    connection.execute_batch("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;")?;
    match version(connection)? {
        VERSION => Ok(SchemaFound::Current),
        found if found > VERSION => Ok(SchemaFound::Newer(found)),
        _ => upgrade(connection),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Two processes may come here at once: the second finds the work done.
fn upgrade(connection: &Connection) -> rusqlite::Result<SchemaFound> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found > VERSION {
        return Ok(SchemaFound::Newer(found));
    }
    for (step, version) in STEPS.iter().zip(1..).skip(found as usize) {
        transaction.execute_batch(step)?;
        if version == SEQUENCE_STEP {
            back_fill(&transaction)?;
        }
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(SchemaFound::Current)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> Vec<String> {
        let mut select = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
        select
            .query_map([], |row| row.get::<_, Option<String>>(0))
            .unwrap()
            .map(|sql| sql.unwrap().unwrap_or_default())
            .collect()
    }

    /// A run and a job, as the first version wrote them.
    const ROWS: &str = "
        INSERT INTO runs (run_id, state, plan_key, plan_file, plan_digest, tenant, settings, jobs, started_at)
        VALUES ('r', 'finished', 'k', 'f', 'd', 't', '{}', 1, 0);
        INSERT INTO jobs (run, job, job_id, row, action, route, ids, method, path)
        VALUES (1, 0, 'j', 2, 'retire', 'managedDevices', '[]', 'POST', '/');";

    #[test]
    fn every_older_version_becomes_the_newest_and_keeps_its_runs() {
        let newest = Connection::open_in_memory().unwrap();
        prepare(&newest).unwrap();
        for version in 1..VERSION {
            let old = Connection::open_in_memory().unwrap();
            for step in &STEPS[..version as usize] {
                old.execute_batch(step).unwrap();
            }
            old.pragma_update(None, "user_version", version).unwrap();
            old.execute_batch(ROWS).unwrap();
            if version >= SEQUENCE_STEP {
                back_fill(&old).unwrap();
            }
            assert_eq!(prepare(&old).unwrap(), SchemaFound::Current);
            assert_eq!(tables(&old), tables(&newest), "from version {version}");
            let kept: u32 = old.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).unwrap();
            assert_eq!((kept, super::version(&old).unwrap()), (1, VERSION));
            let read = |column: &str| -> Option<String> {
                old.query_row(&format!("SELECT {column} FROM jobs"), [], |row| row.get(0)).unwrap()
            };
            assert_eq!((read("job_id").as_deref(), read("target_name"), read("found_by")), (Some("j"), None, None));
            assert_eq!(prepare(&old).unwrap(), SchemaFound::Current);
        }
    }

    /// Two runs of a plan, as the eighth version wrote them: what was answered by outcomes, taken for a throttle answer, filed,
    /// and taken over.
    const LIVED: &str = r#"
        INSERT INTO runs (run, run_id, state, plan_key, plan_file, plan_digest, tenant, settings, jobs, started_at) VALUES
            (1, 'a', 'interrupted', 'k', 'f', 'd', 't', '{"graph_url":"https://GRAPH.microsoft.com/","simulated":null}', 5, 0),
            (2, 'b', 'finished', 'k', 'f', 'd', 't', '{"graph_url":"https://graph.microsoft.com","simulated":""}', 1, 45);
        INSERT INTO jobs (run, job, job_id, row, action, route, ids, method, path) VALUES
            (1, 0, 'j0', 2, 'wipe', 'managedDevices', '["AA"]', 'POST', '/'),
            (1, 1, 'j1', 3, 'syncDevice', 'managedDevices', '["bb"]', 'POST', '/'),
            (1, 2, 'j2', 4, 'removeLicenses', 'users', '["cc"]', 'POST', '/'),
            (1, 3, 'j3', 5, 'retire', 'managedDevices', '["dd"]', 'POST', '/'),
            (1, 4, 'j4', 6, 'ownAction', 'own', '["ee"]', 'POST', '/'),
            (2, 0, 'j0', 2, 'wipe', 'managedDevices', '["AA"]', 'POST', '/');
        INSERT INTO attempts (run, job, attempt, client_request_id, sent_at, verdict, http_status) VALUES
            (1, 0, 0, 'first', 10, 'throttled', 503),
            (1, 1, 0, 'x', 20, NULL, NULL),
            (1, 2, 0, 'y', 30, 'throttled', 429),
            (1, 3, 0, 'z', 40, NULL, NULL),
            (1, 3, 1, 'filed', 50, NULL, NULL),
            (2, 0, 0, 'first', 10, NULL, NULL),
            (2, 0, 1, 'again', 60, NULL, NULL);
        INSERT INTO outcomes (run, job, outcome, http_status, attempts, waited_ms, duration_ms) VALUES
            (1, 1, 'failed', 403, 1, 0, 0), (1, 3, 'awaiting_approval', 412, 2, 0, 0), (2, 0, 'accepted', 204, 2, 0, 0);
        INSERT INTO approvals VALUES (1, 3, 'code', 1, 0, 50, 90, 'needsApproval', NULL);"#;

    #[test]
    fn what_happened_before_there_was_an_order_gets_its_place_and_speaks_for_itself() {
        let old = Connection::open_in_memory().unwrap();
        STEPS[..8].iter().for_each(|step| old.execute_batch(step).unwrap());
        old.pragma_update(None, "user_version", 8).unwrap();
        old.execute_batch(LIVED).unwrap();
        prepare(&old).unwrap();
        let column = |sql: &str| -> Vec<String> {
            let mut select = old.prepare(sql).unwrap();
            let rows = select.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
            rows.map(|text| text.unwrap().unwrap_or_else(|| "-".into())).collect()
        };
        let attempts = "FROM attempts ORDER BY run, job, attempt";
        // A copy has the place of its original.
        assert_eq!(column(&format!("SELECT CAST(seq AS TEXT) {attempts}")), ["1", "2", "3", "4", "5", "1", "6"]);
        let words = ["unavailable", "refused", "throttled", "-", "approval_required", "-", "-"];
        assert_eq!(column(&format!("SELECT verdict {attempts}")), words);
        assert_eq!(column(&format!("SELECT CAST(cleared AS TEXT) {attempts}")), ["0", "0", "0", "1", "1", "0", "0"]);
        let once = ["wipe aa", "-", "j2", "retire dd", "j4", "wipe aa"];
        assert_eq!(column("SELECT once FROM jobs ORDER BY run, job"), once);
        assert_eq!(column("SELECT CAST(seq AS TEXT) FROM outcomes ORDER BY run, job"), ["2", "5", "6"]);
        assert_eq!(column("SELECT place FROM runs ORDER BY run"), ["https://graph.microsoft.com", "simulated"]);
        assert_eq!(column("SELECT CAST(known AS TEXT) FROM runs ORDER BY run"), ["0", "4"]);
        assert_eq!(column("SELECT CAST(last AS TEXT) FROM sequence"), ["6"]);
    }

    #[test]
    fn what_a_later_version_wrote_is_left_alone() {
        let later = Connection::open_in_memory().unwrap();
        later.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert_eq!(prepare(&later).unwrap(), SchemaFound::Newer(VERSION + 1));
        assert!(tables(&later).is_empty());
    }
}
