//! The writer: one thread that makes records durable, many in one commit. For a journal in memory, a task that does the same.
//!
//! In: [`JournalRecord`]s. Out: for each attempt, once its record is on the disk, a call that lets it
//! leave; for a failure, one message. Must not: let anything leave whose record is not durable, or go on after a
//! failure.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::in_place::InPlace;
use super::in_step::InStep;
use super::statements::{Statements, has_outcomes};
use super::store::Store;
use crate::journal::error::JournalError;
use crate::journal::record::{JournalRecord, Release, Written};

/// Records taken into one commit, at most.
const BATCH: usize = 512;
/// How long a commit waits for company. Nothing beside what any service takes to answer.
const GATHERING: Duration = Duration::from_micros(1_500);

/// Dropping it ends the thread; [`Writer::finish`] waits for it.
#[derive(Debug)]
pub(in crate::journal) enum Writer {
    Thread { records: mpsc::Sender<JournalRecord>, thread: JoinHandle<Written> },
    InStep(InStep<JournalRecord>),
}

impl Writer {
    /// Starts the writer of a run. `failed` is called once if it cannot go on; what waited for it is never released.
    pub(in crate::journal) fn start(
        store: &Store,
        run: i64,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, JournalError> {
        let connection = store.another()?;
        // The run is there, and nothing else is referred to: to look for it again with each row takes as long as the row.
        connection.pragma_update(None, "foreign_keys", false).map_err(JournalError::write)?;
        if store.in_memory {
            return Ok(Self::InStep(in_step(connection, run, failed)?));
        }
        let (records, inbox) = mpsc::channel();
        let mut place = store.in_place()?;
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let written = write(&connection, (run, &mut place), &inbox).map_err(JournalError::write);
                if let Err(error) = &written {
                    failed(error.to_string());
                }
                written
            })
            .map_err(|error| JournalError::Write(error.to_string()))?;
        Ok(Self::Thread { records, thread })
    }

    /// Waits until everything is durable, or says why it is not.
    pub(in crate::journal) fn finish(self) -> Written {
        match self {
            Self::Thread { records, thread } => {
                drop(records);
                thread.join().unwrap_or_else(|_| Err(JournalError::Write("the writer ended unexpectedly".into())))
            }
            Self::InStep(writer) => writer.finish(),
        }
    }

    /// The same, for whoever must not block.
    pub(in crate::journal) async fn finished(self) -> Written {
        match self {
            Self::InStep(writer) => writer.finish(),
            writer @ Self::Thread { .. } => tokio::task::spawn_blocking(|| writer.finish())
                .await
                .unwrap_or_else(|ended| Err(JournalError::Write(ended.to_string()))),
        }
    }

    /// A writer that has ended takes nothing any more, and has said so.
    pub(in crate::journal) fn send(&self, record: JournalRecord) {
        match self {
            Self::Thread { records, .. } => drop(records.send(record)),
            Self::InStep(writer) => writer.send(record),
        }
    }
}

/// The writer of a journal in memory.
fn in_step(
    connection: Connection,
    run: i64,
    failed: impl FnOnce(String) + Send + 'static,
) -> Result<InStep<JournalRecord>, JournalError> {
    let reopens = has_outcomes(&connection, run).map_err(JournalError::write)?;
    let mut failed = Some(failed);
    let commit = move |records| {
        let written = commit(&connection, (run, reopens), records).map_err(JournalError::write);
        if let Err(error) = &written
            && let Some(failed) = failed.take()
        {
            failed(error.to_string());
        }
        written
    };
    Ok(InStep::start(GATHERING, Box::new(commit)))
}

/// Takes those records into one commit.
fn commit(connection: &Connection, (run, reopens): (i64, bool), records: Vec<JournalRecord>) -> rusqlite::Result<()> {
    let mut releases = Vec::with_capacity(records.len());
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let mut statements = Statements::reopening(connection, run, reopens)?;
    for record in records {
        statements.insert(record, &mut releases)?;
    }
    statements.keep_order()?;
    transaction.commit()?;
    releases.into_iter().for_each(|(release, room): (Release, _)| release(room));
    Ok(())
}

fn write(
    connection: &Connection,
    (run, place): (i64, &mut InPlace),
    inbox: &mpsc::Receiver<JournalRecord>,
) -> rusqlite::Result<()> {
    let mut statements = Statements::prepare(connection, run)?;
    let mut releases = Vec::with_capacity(BATCH);
    while let Ok(first) = inbox.recv() {
        // Asleep, so that no record wakes this thread by itself: a wake-up costs more than the record.
        thread::park_timeout(GATHERING);
        place.is_whole()?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        statements.begin()?;
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(record) = next {
            statements.insert(record, &mut releases)?;
            taken += 1;
            next = if taken < BATCH { inbox.try_recv().ok() } else { None };
        }
        statements.keep_order()?;
        connection.execute_batch("COMMIT")?;
        place.check(statements.order())?;
        releases.drain(..).for_each(|(release, room): (Release, _)| release(room));
    }
    Ok(())
}
