//! The database in the state directory: opened, and given new runs.
//!
//! In: the state directory, a run about to start. Out: a [`Journal`], and for each run its number and id.
//! Must not: keep a transaction open between calls.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, TransactionBehavior, params};

use super::approvals;
use super::error::JournalError;
use super::follow_ups;
use super::memory::Pending;
use super::place::Place;
use super::schema::{self, Found};
use super::state::RunState;
use super::statements::Statements;
use super::stored::PastAttempt;
use crate::job::Job;
use crate::outcome::{Outcome, Settlement};

/// What a run is called. Sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunId(pub(super) String);

impl RunId {
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file that the plan was read from.
#[derive(Debug, Clone)]
pub struct PlanFile {
    pub file: String,
    pub text: Vec<u8>,
}

/// What a run knows of a job from runs of the same plan before it.
#[derive(Debug, Clone)]
pub enum Inherited {
    /// Nothing is left to do.
    Settled(Box<Settlement>),
    /// These attempts of other runs are in doubt. They count as the job's first ones here.
    InDoubt { attempts: Vec<PastAttempt> },
    /// An approval request for it is open, and belongs to this run from now on.
    Asked { pending: Box<Pending>, settlement: Box<Settlement> },
}

/// A run about to start. `request` gives method, path and body of a job as they will be sent.
pub struct NewRun<'a, F> {
    pub id: &'a RunId,
    pub plan_key: &'a str,
    pub plan_file: &'a str,
    pub plan_digest: &'a str,
    pub plan_files: &'a [PlanFile],
    pub tenant: &'a str,
    /// The Graph it is run against, or [`SIMULATED`].
    pub place: &'a str,
    /// Up to this place in the order it has taken account of what other runs have done.
    pub known: i64,
    pub settings: &'a serde_json::Value,
    pub report: Option<&'a Path>,
    pub jobs: &'a [Job],
    /// By index.
    pub inherited: &'a [(u32, Inherited)],
    pub request: F,
    pub now: Timestamp,
}

/// The open database.
#[derive(Debug)]
pub struct Journal {
    pub(super) place: Place,
    pub(super) file: PathBuf,
    pub(super) connection: Connection,
}

impl Journal {
    pub const FILE: &'static str = "journal.db";

    /// Opens the journal of a state directory, and makes both if they are not there.
    pub fn open(place: impl Into<Place>) -> Result<Self, JournalError> {
        let place = place.into();
        let file = match &place {
            Place::Folder(folder) => {
                make_private(folder).map_err(|cause| JournalError::Folder { folder: folder.clone(), cause })?;
                folder.join(Self::FILE)
            }
            Place::Memory(memory) => memory.database().to_owned(),
        };
        let connection = connect(&file)?;
        Ok(Self { place, file, connection })
    }

    /// Whether somebody has made a journal there.
    pub fn is_at(place: &Place) -> bool {
        place.folder().is_none_or(|folder| folder.join(Self::FILE).is_file())
    }

    /// Makes an empty journal in that file.
    pub(super) fn at(file: &Path) -> Result<(), JournalError> {
        make_private_file(file).map_err(|cause| JournalError::Write(format!("{}: {cause}", file.display())))?;
        connect(file).map(|_| ())
    }

    /// A second connection to the same database, for a thread of its own.
    pub(super) fn another(&self) -> Result<Connection, JournalError> {
        connect(&self.file)
    }

    /// Records a run with all its jobs, in one transaction: a run is there whole or not at all. Returns its number.
    pub fn begin<'j, F>(&mut self, run: &NewRun<'j, F>) -> Result<i64, JournalError>
    where
        F: Fn(&'j Job) -> (&'static str, String, Option<&'j str>),
    {
        let transaction = self.connection.transaction().map_err(JournalError::write)?;
        let number = insert_run(&transaction, run).map_err(JournalError::write)?;
        transaction.commit().map_err(JournalError::write)?;
        Ok(number)
    }

    /// Takes over into a run what other runs have done since, as far as it was known at that place in the order.
    pub fn take_over(&mut self, run: i64, inherited: &[(u32, Inherited)], known: i64) -> Result<(), JournalError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
        inherit(&transaction, run, inherited).map_err(JournalError::write)?;
        transaction
            .execute("UPDATE runs SET known = ?2 WHERE run = ?1", params![run, known])
            .map_err(JournalError::write)?;
        transaction.commit().map_err(JournalError::write)
    }

    /// Records to whom jobs of a run are sent from now on that were sent to names before.
    pub fn set_ids<'j, F>(&mut self, run: i64, jobs: &[(u32, &'j Job)], request: F) -> Result<(), JournalError>
    where
        F: Fn(&'j Job) -> (&'static str, String, Option<&'j str>),
    {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(JournalError::write)?;
        let write = || -> rusqlite::Result<()> {
            let mut update = transaction.prepare(
                "UPDATE jobs SET ids = ?3, path = ?4, once = iif(once IS NULL, NULL, ?5), target_name = coalesce(?6, target_name)
                 WHERE run = ?1 AND job = ?2",
            )?;
            for (index, job) in jobs {
                let ids = serde_json::Value::from_iter(job.ids.iter()).to_string();
                let (_, path, _) = request(job);
                update.execute(params![run, index, ids, path, job.once(), job.called()])?;
            }
            insert_names(&transaction, run, jobs.iter().copied())
        };
        write().map_err(JournalError::write)?;
        transaction.commit().map_err(JournalError::write)
    }

    /// Says how a run stands.
    pub fn set_state(&self, run: i64, state: RunState, ended: Option<Timestamp>) -> Result<(), JournalError> {
        self.connection
            .execute(
                "UPDATE runs SET state = ?2, ended_at = ?3, remembered = 0 WHERE run = ?1",
                params![run, state.name(), ended.map(|at| at.as_microsecond())],
            )
            .map(|_| ())
            .map_err(JournalError::write)
    }
}

/// How long another process may keep the database from being opened, and how often to look.
const OPENING: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// SQLite's own patience ends where a database becomes one with a write-ahead log, or its last user leaves it: there it
/// says at once that the database is locked, whatever timeout is set.
fn connect(file: &Path) -> Result<Connection, JournalError> {
    let started = Instant::now();
    loop {
        match Connection::open(file)
            .and_then(|connection| schema::prepare(&connection).map(|found| (connection, found)))
        {
            Ok((connection, Found::Current)) => return Ok(connection),
            Ok((_, Found::Newer(found))) => {
                return Err(JournalError::Newer { file: file.to_owned(), found, known: schema::VERSION });
            }
            Err(error) if is_busy(&error) && started.elapsed() < OPENING => std::thread::park_timeout(BETWEEN_LOOKS),
            Err(error) => return Err(JournalError::Open { file: file.to_owned(), cause: error.to_string() }),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn insert_run<'j, F>(connection: &Connection, run: &NewRun<'j, F>) -> rusqlite::Result<i64>
where
    F: Fn(&'j Job) -> (&'static str, String, Option<&'j str>),
{
    connection.execute(
        "INSERT INTO runs
            (run_id, state, plan_key, plan_file, plan_digest, tenant, settings, report, jobs, started_at, place, known)
         VALUES (?1, 'running', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            run.id.as_str(),
            run.plan_key,
            run.plan_file,
            run.plan_digest,
            run.tenant,
            run.settings.to_string(),
            run.report.map(|path| path.to_string_lossy().into_owned()),
            u32::try_from(run.jobs.len()).unwrap_or(u32::MAX),
            run.now.as_microsecond(),
            run.place,
            run.known,
        ],
    )?;
    let number = connection.last_insert_rowid();
    for file in run.plan_files {
        connection
            .execute("INSERT OR IGNORE INTO plan_files VALUES (?1, ?2, ?3)", params![number, file.file, file.text])?;
    }
    insert_jobs(connection, number, run)?;
    let mut insert = connection.prepare("INSERT INTO priorities VALUES (?1, ?2, ?3)")?;
    for (index, job) in (0u32..).zip(run.jobs).filter(|(_, job)| job.priority != 0) {
        insert.execute(params![number, index, job.priority])?;
    }
    insert_names(connection, number, (0u32..).zip(run.jobs))?;
    let mut insert = connection.prepare("INSERT INTO waits VALUES (?1, ?2, ?3)")?;
    for (index, job) in (0u32..).zip(run.jobs) {
        if let Some(within) = job.verified_within() {
            insert.execute(params![number, index, u32::try_from(within.as_secs()).unwrap_or(u32::MAX)])?;
        }
    }
    inherit(connection, number, run.inherited)?;
    Ok(number)
}

fn insert_jobs<'j, F>(connection: &Connection, number: i64, run: &NewRun<'j, F>) -> rusqlite::Result<()>
where
    F: Fn(&'j Job) -> (&'static str, String, Option<&'j str>),
{
    let mut insert = connection
        .prepare("INSERT INTO jobs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)")?;
    // What another run has done is known by that one's row.
    let settled = run.inherited.iter().filter(|(_, what)| matches!(what, Inherited::Settled(_)));
    let settled: HashSet<u32> = settled.map(|(job, _)| *job).collect();
    for (index, job) in (0u32..).zip(run.jobs) {
        let (method, path, body) = (run.request)(job);
        insert.execute(params![
            number,
            index,
            job.id.to_string(),
            job.row,
            job.action.name,
            job.route.name,
            serde_json::Value::from_iter(job.ids.iter()).to_string(),
            job.not_before.map(|at| at.as_microsecond()),
            job.note,
            job.after,
            method,
            path,
            body,
            job.called(),
            job.found.as_ref().map(|found| &*found.by),
            job.once().filter(|_| !settled.contains(&index)),
        ])?;
    }
    Ok(())
}

/// Whose the names were that jobs were made of.
fn insert_names<'j>(
    connection: &Connection,
    run: i64,
    jobs: impl IntoIterator<Item = (u32, &'j Job)>,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare("INSERT OR REPLACE INTO names VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (index, job) in jobs {
        let Some(names) = job.names.as_deref() else { continue };
        let written = serde_json::Value::from_iter(names.written.iter()).to_string();
        let users = serde_json::to_string(&names.in_body).unwrap_or_else(|_| "[]".to_owned());
        insert.execute(params![run, index, names.written_id.to_string(), written, users])?;
    }
    Ok(())
}

/// What is inherited must survive this process as everything else of the run does.
fn inherit(connection: &Connection, run: i64, inherited: &[(u32, Inherited)]) -> rusqlite::Result<()> {
    let mut statements = Statements::prepare(connection, run)?;
    let mut follow_ups = follow_ups::Statements::prepare(connection, run)?;
    let mut insert = connection.prepare("INSERT OR IGNORE INTO inherited VALUES (?1, ?2)")?;
    for (job, what) in inherited {
        match what {
            Inherited::Settled(settlement) => {
                statements.settle(*job, settlement)?;
                follow_ups.seen(*job, settlement)?;
                if settlement.outcome == Outcome::AlreadyDone {
                    insert.execute(params![run, job])?;
                }
            }
            Inherited::InDoubt { attempts } => {
                let first: u32 = connection
                    .prepare_cached("SELECT coalesce(max(attempt) + 1, 0) FROM attempts WHERE run = ?1 AND job = ?2")?
                    .query_row(params![run, job], |row| row.get(0))?;
                for (number, attempt) in (first..).zip(attempts) {
                    statements.copy(*job, number, attempt)?;
                }
                // What is in doubt must not look settled.
                connection
                    .prepare_cached("DELETE FROM outcomes WHERE run = ?1 AND job = ?2")?
                    .execute(params![run, job])?;
            }
            Inherited::Asked { pending, settlement } => {
                approvals::hand_over(connection, pending, (run, *job))?;
                statements.filed(*job, pending.attempt, &pending.request)?;
                // What is in doubt must not look settled.
                if !pending.doubtful {
                    statements.settle(*job, settlement)?;
                }
            }
        }
    }
    statements.keep_order()
}

/// The journal names every device and user of a plan: it is nobody else's business. A folder that was there before
/// keeps the permissions that somebody gave it; the database in it is private all the same.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut folders = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        folders.mode(0o700);
    }
    folders.recursive(true).create(folder)?;
    make_private_file(&folder.join(Journal::FILE))
}

fn make_private_file(file: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.append(true).create(true).open(file).map(|_| ())
}
