//! The tables, and how an older database becomes a newer one.
//!
//! In: an open connection. Out: the same, with the current schema and with settings under which a commit is durable.
//! Must not: lose what an older version wrote.
//!
//! Times are microseconds since 1970, ids are text as people see them, so that `sqlite3 journal.db` is readable.

use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// How each version is made of the one before it. What stands here has been on somebody's disk: it is never changed, only
/// added to.
const STEPS: &[&str] = &[TABLES, MEMORY, APPROVALS, DAILY, FOUND, FOLLOW_UPS, PRESUMED, INHERITED];

/// The schema this version writes.
pub const VERSION: u32 = STEPS.len() as u32;

/// How long a writer waits for another process's commit.
const BUSY: Duration = Duration::from_secs(30);

/// The first version. `state` of a run and `outcome` of a job are words, not numbers: states that come later need no change of schema.
const TABLES: &str = "
CREATE TABLE runs (
    run         INTEGER PRIMARY KEY,
    run_id      TEXT NOT NULL UNIQUE,
    state       TEXT NOT NULL,             -- running, finished, interrupted, stopped, tripped
    plan_key    TEXT NOT NULL,             -- what makes two runs runs of one plan
    plan_file   TEXT NOT NULL,
    plan_digest TEXT NOT NULL,
    tenant      TEXT NOT NULL,
    settings    TEXT NOT NULL,             -- JSON, without secrets
    report      TEXT,
    jobs        INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER
);
CREATE INDEX runs_of_plan ON runs (plan_key);

CREATE TABLE plan_files (
    run   INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    file  TEXT NOT NULL,
    text  BLOB NOT NULL,
    PRIMARY KEY (run, file)
) WITHOUT ROWID;

CREATE TABLE jobs (
    run        INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    job        INTEGER NOT NULL,           -- index in plan order
    job_id     TEXT NOT NULL,
    row        INTEGER NOT NULL,
    action     TEXT NOT NULL,
    route      TEXT NOT NULL,
    ids        TEXT NOT NULL,              -- JSON array, in the order of the route
    not_before INTEGER,
    note       TEXT,
    after      INTEGER,                    -- the step before it
    method     TEXT NOT NULL,              -- the exact request
    path       TEXT NOT NULL,
    body       TEXT,
    PRIMARY KEY (run, job)
) WITHOUT ROWID;

CREATE TABLE attempts (
    run               INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    job               INTEGER NOT NULL,
    attempt           INTEGER NOT NULL,
    client_request_id TEXT NOT NULL,
    sent_at           INTEGER NOT NULL,
    answered_at       INTEGER,             -- empty: the answer never came, or the process ended first
    verdict           TEXT,
    http_status       INTEGER,
    error_code        TEXT,
    error_message     TEXT,
    request_id        TEXT,
    PRIMARY KEY (run, job, attempt)
) WITHOUT ROWID;

CREATE TABLE outcomes (
    run               INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    job               INTEGER NOT NULL,
    outcome           TEXT NOT NULL,
    http_status       INTEGER,
    error_code        TEXT,
    error_message     TEXT,
    attempts          INTEGER NOT NULL,
    waited_ms         INTEGER NOT NULL,
    duration_ms       INTEGER NOT NULL,
    started_at        INTEGER,
    finished_at       INTEGER,
    request_id        TEXT,
    client_request_id TEXT,
    note              TEXT,
    PRIMARY KEY (run, job)
) WITHOUT ROWID;
";

/// What `--once` knows of a plan's jobs, gathered from its finished runs, so that they can be pruned.
const MEMORY: &str = "
ALTER TABLE runs ADD COLUMN remembered INTEGER NOT NULL DEFAULT 0;  -- whether the table below knows the run

CREATE TABLE remembered (
    plan_key          TEXT NOT NULL,
    job_id            TEXT NOT NULL,
    done              INTEGER NOT NULL,    -- 0: it was sent, and whether it had an effect is not known
    run_id            TEXT NOT NULL,       -- the run that did it, or that left the doubt
    client_request_id TEXT NOT NULL,       -- of the attempt in doubt
    sent_at           INTEGER NOT NULL,
    PRIMARY KEY (plan_key, job_id)
) WITHOUT ROWID;
";

/// Requests that a tenant's Multi Admin Approval has filed.
const APPROVALS: &str = "
CREATE TABLE approvals (
    run        INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    job        INTEGER NOT NULL,
    code       TEXT NOT NULL,
    attempt    INTEGER NOT NULL,           -- the attempt that was answered with it; those after it may carry it. -1: of a run before
    found      INTEGER NOT NULL,           -- 1: it was there before that attempt
    filed_at   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status     TEXT NOT NULL,              -- the service's word, as last read; moved: a later run goes on with it
    read_at    INTEGER,
    PRIMARY KEY (run, job, code)
) WITHOUT ROWID;
";

/// What counts against the daily limits of a tenant, whichever run of this machine has sent it: it outlives its run.
const DAILY: &str = "
CREATE TABLE daily_uses (
    tenant            TEXT NOT NULL,
    action            TEXT NOT NULL,       -- whose allowance; a delete may use up more than its own
    left_at           INTEGER NOT NULL,
    client_request_id TEXT NOT NULL,       -- of the attempt
    PRIMARY KEY (tenant, action, left_at, client_request_id)
) WITHOUT ROWID;
CREATE INDEX daily_uses_of_attempt ON daily_uses (client_request_id);

CREATE TABLE daily_pauses (
    tenant TEXT NOT NULL,
    action TEXT NOT NULL,
    until  INTEGER NOT NULL,               -- the service has said no, whatever the table above says
    PRIMARY KEY (tenant, action)
) WITHOUT ROWID;

CREATE TABLE tenant_names (
    name   TEXT PRIMARY KEY,               -- as somebody has spelled it
    tenant TEXT NOT NULL                   -- as a token has spelled it
) WITHOUT ROWID;

CREATE TABLE priorities (
    run      INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    job      INTEGER NOT NULL,
    priority INTEGER NOT NULL,             -- jobs that are not here have 0
    PRIMARY KEY (run, job)
) WITHOUT ROWID;
";

/// What a target was called when it was looked up, and by what it was found.
const FOUND: &str = "
ALTER TABLE jobs ADD COLUMN target_name TEXT;
ALTER TABLE jobs ADD COLUMN found_by TEXT;
";

/// What reads have shown of accepted jobs since, and which steps wait for that.
const FOLLOW_UPS: &str = "
CREATE TABLE follow_ups (
    run           INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    job           INTEGER NOT NULL,
    read_at       INTEGER NOT NULL,
    stage         TEXT NOT NULL,           -- done, pending, unseen, failed, cancelled, untold
    words         TEXT NOT NULL,
    last_check_in INTEGER,
    PRIMARY KEY (run, job)
) WITHOUT ROWID;

CREATE TABLE waits (
    run     INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    job     INTEGER NOT NULL,
    seconds INTEGER NOT NULL,              -- how long it waits until the step before it was seen to have happened
    PRIMARY KEY (run, job)
) WITHOUT ROWID;
";

/// Whether the service has said that a day's limit is used up, or has only been taken to mean it.
const PRESUMED: &str = "
ALTER TABLE daily_pauses ADD COLUMN presumed INTEGER NOT NULL DEFAULT 0;
";

/// How a remembered job was settled, so that a report months later still says it; and which rows of a run are settled by
/// nothing but what runs before it have done.
const INHERITED: &str = "
ALTER TABLE remembered ADD COLUMN outcome TEXT;            -- empty: remembered by a version that kept only the run
ALTER TABLE remembered ADD COLUMN http_status INTEGER;
ALTER TABLE remembered ADD COLUMN error_code TEXT;
ALTER TABLE remembered ADD COLUMN error_message TEXT;
ALTER TABLE remembered ADD COLUMN attempts INTEGER;
ALTER TABLE remembered ADD COLUMN waited_ms INTEGER;
ALTER TABLE remembered ADD COLUMN duration_ms INTEGER;
ALTER TABLE remembered ADD COLUMN started_at INTEGER;
ALTER TABLE remembered ADD COLUMN finished_at INTEGER;
ALTER TABLE remembered ADD COLUMN request_id TEXT;
ALTER TABLE remembered ADD COLUMN note TEXT;
ALTER TABLE remembered ADD COLUMN read_at INTEGER;         -- what was seen of it since
ALTER TABLE remembered ADD COLUMN stage TEXT;
ALTER TABLE remembered ADD COLUMN words TEXT;
ALTER TABLE remembered ADD COLUMN last_check_in INTEGER;

CREATE TABLE inherited (
    run  INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    job  INTEGER NOT NULL,
    PRIMARY KEY (run, job)
) WITHOUT ROWID;
INSERT INTO inherited SELECT run, job FROM outcomes WHERE outcome = 'already_done' AND note LIKE 'done by run %';
";

/// What an opened database turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Current,
    /// Written by a later version of the program.
    Newer(u32),
}

/// Makes a connection durable, patient and current.
pub fn prepare(connection: &Connection) -> rusqlite::Result<Found> {
    connection.busy_timeout(BUSY)?;
    // FULL: a commit has reached the disk when it returns. NORMAL would lose the record of a wipe with the power.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    match version(connection)? {
        VERSION => Ok(Found::Current),
        found if found > VERSION => Ok(Found::Newer(found)),
        _ => upgrade(connection),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Two processes may come here at once: the second finds the work done.
fn upgrade(connection: &Connection) -> rusqlite::Result<Found> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found > VERSION {
        return Ok(Found::Newer(found));
    }
    for step in STEPS.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(Found::Current)
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
            assert_eq!(prepare(&old).unwrap(), Found::Current);
            assert_eq!(tables(&old), tables(&newest), "from version {version}");
            let kept: u32 = old.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).unwrap();
            assert_eq!((kept, super::version(&old).unwrap()), (1, VERSION));
            let read = |column: &str| -> Option<String> {
                old.query_row(&format!("SELECT {column} FROM jobs"), [], |row| row.get(0)).unwrap()
            };
            assert_eq!((read("job_id").as_deref(), read("target_name"), read("found_by")), (Some("j"), None, None));
            assert_eq!(prepare(&old).unwrap(), Found::Current);
        }
    }

    #[test]
    fn what_a_later_version_wrote_is_left_alone() {
        let later = Connection::open_in_memory().unwrap();
        later.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert_eq!(prepare(&later).unwrap(), Found::Newer(VERSION + 1));
        assert!(tables(&later).is_empty());
    }
}
