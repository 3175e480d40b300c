//! The tables, step by step: how each version of the schema is made of the one before it.
//!
//! In: a database of an older version. Out: the same with one step more. What stands here has been on somebody's disk.
//! Must not: change a step that was ever released; a new one is added.

use rusqlite::Connection;

use super::answers::outcome_answers;
use crate::catalog::{ACTIONS, OncePer, Repeat};

/// In their order; the first makes version 1.
pub(super) const STEPS: &[&str] = &[
    TABLES, MEMORY, APPROVALS, DAILY, FOUND, FOLLOW_UPS, PRESUMED, INHERITED, SEQUENCE, NAMES, SIGHTINGS, CAUSES,
    TARGETS, SPENT, UNFOUND, LOOKED_UP, BY_TARGET,
];

/// The step after which [`back_fill`] is called.
pub(super) const SEQUENCE_STEP: u32 = 9;

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

/// The order of what happens, apart from any clock; what a job does only once, whatever plan asks for it; and what is
/// kept of runs that are pruned.
const SEQUENCE: &str = "
CREATE TABLE sequence (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    last INTEGER NOT NULL                  -- the place that was given last to an attempt or an outcome
);
INSERT INTO sequence VALUES (1, 0);

ALTER TABLE runs ADD COLUMN place TEXT NOT NULL DEFAULT '';     -- the Graph it is run against, or: simulated
ALTER TABLE runs ADD COLUMN known INTEGER NOT NULL DEFAULT 0;   -- up to this place it has taken account of other runs
ALTER TABLE jobs ADD COLUMN once TEXT;                          -- what it does only once; empty: it may be repeated
ALTER TABLE attempts ADD COLUMN seq INTEGER NOT NULL DEFAULT 0; -- a copy in a later run has the place of the original
ALTER TABLE attempts ADD COLUMN cleared INTEGER NOT NULL DEFAULT 0; -- the service has said since that it had no effect
ALTER TABLE outcomes ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;

ALTER TABLE remembered ADD COLUMN place TEXT NOT NULL DEFAULT '';
ALTER TABLE remembered ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
ALTER TABLE remembered ADD COLUMN once TEXT;
ALTER TABLE remembered ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE remembered ADD COLUMN attempts_in_doubt TEXT;       -- JSON
ALTER TABLE remembered ADD COLUMN code TEXT;                    -- of an approval request that came to nothing
ALTER TABLE remembered ADD COLUMN status TEXT;                  -- how it ended
CREATE INDEX jobs_once ON jobs (once) WHERE once IS NOT NULL;
CREATE INDEX remembered_once ON remembered (once) WHERE once IS NOT NULL;
CREATE INDEX remembered_job ON remembered (job_id);
";

/// Whose the names of users were that jobs were made of. What an earlier version has recorded is without: it sent the names.
const NAMES: &str = "
CREATE TABLE names (
    run        INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    job        INTEGER NOT NULL,
    written_id TEXT NOT NULL,              -- what versions that sent names would have called the job
    written    TEXT NOT NULL,              -- JSON: the ids as the plan has them
    users      TEXT NOT NULL,              -- JSON: name and id of each user in the body
    PRIMARY KEY (run, job)
) WITHOUT ROWID;
ALTER TABLE remembered ADD COLUMN ids TEXT;   -- JSON, of jobs that were made of names: what they were sent to
ALTER TABLE remembered ADD COLUMN users TEXT;
";

/// What reads have shown of the targets of a tenant, whichever run made them. It outlives the runs.
const SIGHTINGS: &str = "
CREATE TABLE sightings (
    place  TEXT NOT NULL,
    tenant TEXT NOT NULL,
    kind   TEXT NOT NULL,                  -- managedDevice, user, …: an id is that of one kind of thing
    target TEXT NOT NULL,                  -- an id, in lower case
    PRIMARY KEY (place, tenant, kind, target)
) WITHOUT ROWID;
";

/// Why a job was held or not attempted, by its name. What an earlier version has recorded has a note alone.
const CAUSES: &str = "
ALTER TABLE outcomes ADD COLUMN cause TEXT;
";

/// What is looked for by action and target: what removes a device and may be repeated, and what shows in a list of actions and is
/// not done only once to a target. A query that says the same uses the index of it.
macro_rules! listed {
    () => {
        "action IN ('delete', 'removeDeviceEsim', 'activateDeviceEsim', 'deleteUserFromSharedAppleDevice', \
         'sendCustomNotificationToCompanyPortal', 'initiateOnDemandProactiveRemediation', 'changeAssignments')"
    };
}

pub(super) const LISTED: &str = listed!();

/// Only such jobs pay for it.
const TARGETS: &str =
    concat!("CREATE INDEX jobs_target ON jobs (action, lower(json_extract(ids, '$[#-1]'))) WHERE ", listed!(), ";");

/// Saved previews that were run, by their digests: each is run once. It outlives the runs.
const SPENT: &str = "
CREATE TABLE spent (
    digest TEXT PRIMARY KEY,
    run_id TEXT NOT NULL
) WITHOUT ROWID;
INSERT OR IGNORE INTO spent SELECT json_extract(settings, '$.saved_preview'), run_id FROM runs
    WHERE place <> 'simulated' AND json_extract(settings, '$.saved_preview') IS NOT NULL;
";

/// Why jobs have no target that anything could be sent to, where that is not that looking up has found nothing.
const UNFOUND: &str = "
CREATE TABLE unfound (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    job INTEGER NOT NULL,
    why TEXT NOT NULL,                     -- JSON
    PRIMARY KEY (run, job)
) WITHOUT ROWID;
";

/// What rows that name no ids have led to. It outlives the runs.
const LOOKED_UP: &str = "
CREATE TABLE looked_up (
    place    TEXT NOT NULL,
    row      TEXT NOT NULL,                -- what the row says of its target, in the form in which it is compared
    plan_key TEXT NOT NULL,
    job_id   TEXT NOT NULL,
    tenant   TEXT NOT NULL,
    action   TEXT NOT NULL,
    route    TEXT NOT NULL,
    ids      TEXT NOT NULL,                -- JSON array, in the order of the route
    body     TEXT,
    name     TEXT,
    device   TEXT,                         -- the managed device that has led to it
    run_id   TEXT,                         -- of a run that was pruned: nothing was left to do for it there
    PRIMARY KEY (place, row, plan_key, job_id)
) WITHOUT ROWID;
INSERT OR REPLACE INTO looked_up
SELECT r.place, lower(trim(j.found_by)), r.plan_key, j.job_id, r.tenant, j.action, j.route, j.ids, j.body, j.target_name, NULL, NULL
FROM jobs AS j JOIN runs AS r ON r.run = j.run WHERE j.found_by IS NOT NULL AND json_array_length(j.ids) = 1;
";

/// What keeps nobody else from its target, and is not looked for by it. A query that says the same uses the index of the others.
macro_rules! others_than_harmless {
    () => {
        "action NOT IN ('syncDevice', 'playLostModeSound', 'locateDevice', 'windowsDefenderScan', \
         'windowsDefenderUpdateSignatures', 'triggerConfigurationManagerAction', 'initiateDeviceAttestation')"
    };
}

pub(super) const OTHERS_THAN_HARMLESS: &str = others_than_harmless!();

/// What every run has to do with a target, for whoever comes to it next.
const BY_TARGET: &str =
    concat!("CREATE INDEX jobs_by_target ON jobs (lower(json_extract(ids, '$[#-1]'))) WHERE ", others_than_harmless!());

/// The place of a run: for those of before, where it was not a column.
const PLACES: &str = "
UPDATE runs SET place = iif(json_extract(settings, '$.simulated') IS NULL,
    lower(rtrim(coalesce(json_extract(settings, '$.graph_url'), ''), '/')), 'simulated');";

/// Attempts of before in the order of their times, which is all that is known of it; copies are one with their original.
const ORDER: &str = "
UPDATE attempts SET seq = ordered.seq FROM (SELECT run, job, attempt,
        dense_rank() OVER (ORDER BY sent_at, client_request_id) AS seq FROM attempts) AS ordered
    WHERE attempts.run = ordered.run AND attempts.job = ordered.job AND attempts.attempt = ordered.attempt;
UPDATE outcomes SET seq = last.seq FROM (SELECT run, job, max(seq) AS seq FROM attempts GROUP BY run, job) AS last
    WHERE outcomes.run = last.run AND outcomes.job = last.job;
UPDATE sequence SET last = (SELECT coalesce(max(seq), 0) FROM attempts);
CREATE TEMP TABLE begun AS SELECT r.run, (SELECT count(*) FROM (
    SELECT DISTINCT a.seq FROM attempts AS a WHERE a.sent_at < r.started_at)) AS known FROM runs AS r;
UPDATE runs SET known = begun.known FROM begun WHERE begun.run = runs.run;
DROP TABLE begun;";

/// A 503 with a time was taken for a throttle answer, a 501 for a refusal. What was filed had no effect, nor had anything
/// before it: the policy stood before both.
const ANSWERS: &str = "
UPDATE attempts SET verdict = 'unavailable' WHERE verdict = 'throttled' AND http_status IN (503, 509);
UPDATE attempts SET verdict = 'unsupported' WHERE verdict = 'refused' AND http_status >= 500;
UPDATE attempts SET cleared = 1 FROM (SELECT run, job, max(attempt) AS last FROM approvals GROUP BY run, job) AS filed
    WHERE attempts.run = filed.run AND attempts.job = filed.job AND attempts.attempt <= filed.last;";

/// Fills in what [`SEQUENCE`] has added, for runs of before.
pub(super) fn back_fill(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(PLACES)?;
    connection.execute_batch(ORDER)?;
    connection.execute_batch(ANSWERS)?;
    connection.execute(&outcome_answers("true"), [])?;
    connection.execute(&format!("UPDATE jobs SET once = {}", once()), [])?;
    Ok(())
}

/// The id acted on; of a script's state on a device, the device.
const DEVICE: &str =
    "CASE WHEN substr(json_extract(ids, '$[#-1]'), -37, 1) = ':' THEN substr(json_extract(ids, '$[#-1]'), -36)
    ELSE json_extract(ids, '$[#-1]') END";

/// What `Job::once` says, in the words of the database. An action that is not in the catalog is one that a plan defines.
fn once() -> String {
    let named = |repeat: Repeat, per: Option<OncePer>| {
        let fits =
            ACTIONS.iter().filter(|action| action.repeat == repeat && per.is_none_or(|per| action.once_per == per));
        fits.map(|action| format!("'{}'", action.name)).collect::<Vec<_>>().join(", ")
    };
    format!(
        "CASE WHEN action IN ({}) THEN NULL WHEN action IN ({}) THEN action || ' ' || lower({DEVICE}) ELSE job_id END",
        named(Repeat::Harmless, None),
        named(Repeat::AfterReadBack, Some(OncePer::Target)),
    )
}
