//! The tables, and how an older database becomes a newer one.
//!
//! In: an open connection. Out: the same, with the current schema and with settings under which a commit is durable.
//! Must not: lose what an older version wrote.
//!
//! Times are microseconds since 1970, ids are text as people see them, so that `sqlite3 journal.db` is readable.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::error::JournalError;

/// The schema this version writes.
pub const VERSION: u32 = 2;

/// How long a writer waits for another process's commit.
const BUSY: Duration = Duration::from_secs(30);

/// `state` of a run and `outcome` of a job are words, not numbers: states that come later need no change of schema.
const TABLES: &str = "
CREATE TABLE runs (
    run         INTEGER PRIMARY KEY,
    run_id      TEXT NOT NULL UNIQUE,
    state       TEXT NOT NULL,             -- running, finished, interrupted, stopped
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

/// Makes a connection durable, patient and current.
pub fn prepare(connection: &Connection, file: &Path) -> Result<(), JournalError> {
    let open = |error: rusqlite::Error| JournalError::Open { file: file.to_owned(), cause: error.to_string() };
    connection.busy_timeout(BUSY).map_err(open)?;
    // FULL: a commit has reached the disk when it returns. NORMAL would lose the record of a wipe with the power.
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(open)?;
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(open)?;
    match found {
        VERSION => Ok(()),
        found if found > VERSION => Err(JournalError::Newer { file: file.to_owned(), found, known: VERSION }),
        _ => bring_up(connection).map_err(open),
    }
}

/// What makes a database of each version one of the next, from version 0, which is an empty file.
const STEPS: [&str; VERSION as usize] = [TABLES, FOUND];

/// What a target was called when it was looked up, and by what it was found.
const FOUND: &str = "
ALTER TABLE jobs ADD COLUMN target_name TEXT;
ALTER TABLE jobs ADD COLUMN found_by TEXT;
";

/// Two processes may come here at once: the second finds it done.
fn bring_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for step in STEPS.iter().skip(found as usize) {
        connection.execute_batch(step)?;
    }
    connection.execute_batch(&format!("PRAGMA user_version = {VERSION}; COMMIT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_an_older_version_keeps_its_rows_and_gets_what_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.db");
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch(&format!("{TABLES} PRAGMA user_version = 1;")).unwrap();
        connection
            .execute_batch(
                "INSERT INTO runs VALUES (1, 'r', 'finished', 'k', 'f', 'd', 't', '{}', NULL, 1, 0, 0);
                 INSERT INTO jobs VALUES (1, 0, 'j', 2, 'retire', 'managedDevices', '[]', NULL, NULL, NULL, 'POST', '/', NULL);",
            )
            .unwrap();
        prepare(&connection, &file).unwrap();
        let read = |column: &str| -> Option<String> {
            connection.query_row(&format!("SELECT {column} FROM jobs"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!((read("job_id").as_deref(), read("target_name"), read("found_by")), (Some("j"), None, None));
        let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, VERSION);
        prepare(&connection, &file).unwrap();
    }
}
