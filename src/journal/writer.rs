//! The writer: one thread that makes records durable, many in one commit. For a journal in memory, a task that does the same.
//!
//! In: [`Record`]s through a [`Recorder`]. Out: for each attempt, once its record is on the disk, a call that lets it
//! leave; for a failure, one message. Must not: let anything leave whose record is not durable, or go on after a
//! failure.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};

use super::daily::{self, Take};
use super::elsewhere::sent_elsewhere;
use super::error::JournalError;
use super::follow_ups;
use super::in_step::InStep;
use super::order::Order;
use super::place::Place;
use super::store::Journal;
use super::stored::PastAttempt;
use crate::approval::Request;
use crate::guard::daily::UsedUp;
use crate::outcome::{Outcome, Reply, RequestId, Settlement, Stamp};

/// Records taken into one commit, at most.
const BATCH: usize = 512;
/// How long a commit waits for company. Nothing beside what any service takes to answer.
const GATHERING: Duration = Duration::from_micros(1_500);

/// Why an attempt is not recorded, and does not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnedAway {
    /// A daily limit has no room for it.
    UsedUp(UsedUp),
    /// It may not be repeated, and that run has sent it since this one has last taken account of others.
    SentBy(Box<str>),
}

/// What is called when the record of an attempt is durable, or when there is to be none.
pub type Release = Box<dyn FnOnce(Result<(), TurnedAway>) + Send>;

enum Record {
    Attempt(Attempt),
    Answer { job: u32, attempt: u32, answered_at: Timestamp, reply: Box<Reply> },
    Filed { job: u32, attempt: u32, request: Box<Request> },
    Settled { job: u32, settlement: Settlement },
    FollowedUp { job: u32, settlement: Box<Settlement> },
    GiveBack { client_request_id: RequestId },
    Pause { take: Take, used_up: UsedUp },
}

/// An attempt about to be made.
pub struct Attempt {
    pub job: u32,
    pub number: u32,
    pub client_request_id: RequestId,
    pub sent_at: Timestamp,
    /// What it takes out of a daily limit; without room there, it is not recorded.
    pub take: Option<Take>,
    pub release: Release,
}

/// What the writer came to.
pub type Written = Result<(), JournalError>;

/// The way to the writer. Dropping it ends the thread; [`Recorder::finish`] waits for it.
#[derive(Debug)]
pub struct Recorder(Writer);

#[derive(Debug)]
enum Writer {
    Thread { records: mpsc::Sender<Record>, thread: JoinHandle<Written> },
    InStep(InStep<Record>),
}

impl Recorder {
    /// Starts the writer of a run. `failed` is called once if it cannot go on; what waited for it is never released.
    pub fn start(
        journal: &Journal,
        run: i64,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, JournalError> {
        let connection = journal.another()?;
        // The run is there, and nothing else is referred to: to look for it again with each row takes as long as the row.
        connection.pragma_update(None, "foreign_keys", false).map_err(JournalError::write)?;
        if let Place::Memory(_) = journal.place {
            return Ok(Self(Writer::InStep(in_step(connection, run, failed)?)));
        }
        let (records, inbox) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let written = write(&connection, run, &inbox).map_err(JournalError::write);
                if let Err(error) = &written {
                    failed(error.to_string());
                }
                written
            })
            .map_err(|error| JournalError::Write(error.to_string()))?;
        Ok(Self(Writer::Thread { records, thread }))
    }

    /// An attempt is about to be made. It is released when that is durable, from the writer's thread.
    ///
    /// A writer that has ended drops the record, and its release with it: nothing leaves.
    pub fn attempt(&self, attempt: Attempt) {
        self.send(Record::Attempt(attempt));
    }

    /// An attempt has used up nothing of any daily limit.
    pub fn give_back(&self, client_request_id: &RequestId) {
        self.send(Record::GiveBack { client_request_id: client_request_id.clone() });
    }

    /// The service has said that a daily limit is used up, or seems to mean it.
    pub fn pause(&self, take: Take, used_up: UsedUp) {
        self.send(Record::Pause { take, used_up });
    }

    /// An attempt was answered, and the job goes on.
    pub fn answer(&self, job: u32, attempt: u32, answered_at: Timestamp, reply: &Reply) {
        self.send(Record::Answer { job, attempt, answered_at, reply: Box::new(reply.clone()) });
    }

    /// The service has answered an attempt with an approval request.
    pub fn filed(&self, job: u32, attempt: u32, request: &Request) {
        self.send(Record::Filed { job, attempt, request: Box::new(request.clone()) });
    }

    pub fn settled(&self, job: u32, settlement: &Settlement) {
        self.send(Record::Settled { job, settlement: settlement.clone() });
    }

    /// A read has shown how far an accepted job is, and it may have settled anew.
    pub fn followed_up(&self, job: u32, settlement: &Settlement) {
        self.send(Record::FollowedUp { job, settlement: Box::new(settlement.clone()) });
    }

    /// Waits until everything is durable, or says why it is not.
    pub fn finish(self) -> Written {
        match self.0 {
            Writer::Thread { records, thread } => {
                drop(records);
                thread.join().unwrap_or_else(|_| Err(JournalError::Write("the writer ended unexpectedly".into())))
            }
            Writer::InStep(writer) => writer.finish(),
        }
    }

    /// The same, for whoever must not block.
    pub async fn finished(self) -> Written {
        match self.0 {
            Writer::InStep(writer) => writer.finish(),
            writer @ Writer::Thread { .. } => tokio::task::spawn_blocking(|| Self(writer).finish())
                .await
                .unwrap_or_else(|ended| Err(JournalError::Write(ended.to_string()))),
        }
    }

    /// A writer that has ended takes nothing any more, and has said so.
    fn send(&self, record: Record) {
        match &self.0 {
            Writer::Thread { records, .. } => drop(records.send(record)),
            Writer::InStep(writer) => writer.send(record),
        }
    }
}

/// The writer of a journal in memory.
fn in_step(
    connection: Connection,
    run: i64,
    failed: impl FnOnce(String) + Send + 'static,
) -> Result<InStep<Record>, JournalError> {
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
fn commit(connection: &Connection, (run, reopens): (i64, bool), records: Vec<Record>) -> rusqlite::Result<()> {
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

fn has_outcomes(connection: &Connection, run: i64) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM outcomes WHERE run = ?1)", [run], |row| row.get(0))
}

fn write(connection: &Connection, run: i64, inbox: &mpsc::Receiver<Record>) -> rusqlite::Result<()> {
    let mut statements = Statements::prepare(connection, run)?;
    let mut releases = Vec::with_capacity(BATCH);
    while let Ok(first) = inbox.recv() {
        // Asleep, so that no record wakes this thread by itself: a wake-up costs more than the record.
        thread::park_timeout(GATHERING);
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
        releases.drain(..).for_each(|(release, room): (Release, _)| release(room));
    }
    Ok(())
}

/// What the writer says to the database.
pub(super) struct Statements<'c> {
    run: i64,
    connection: &'c Connection,
    order: Order,
    sent_elsewhere: CachedStatement<'c>,
    attempt: CachedStatement<'c>,
    cleared: CachedStatement<'c>,
    outcome_answers: CachedStatement<'c>,
    answer: CachedStatement<'c>,
    settled: CachedStatement<'c>,
    /// For the few that had an outcome: a statement that may replace a row keeps a journal of its own while it runs.
    settled_anew: CachedStatement<'c>,
    daily: daily::Statements<'c>,
    filed: CachedStatement<'c>,
    follow_ups: follow_ups::Statements<'c>,
    /// Where jobs have outcomes already: one that is sent again has none until it settles again.
    reopen: Option<[CachedStatement<'c>; 2]>,
}

impl<'c> Statements<'c> {
    pub(super) fn prepare(connection: &'c Connection, run: i64) -> rusqlite::Result<Self> {
        Self::reopening(connection, run, has_outcomes(connection, run)?)
    }

    fn reopening(connection: &'c Connection, run: i64, reopens: bool) -> rusqlite::Result<Self> {
        let reopen = reopens.then(|| -> rusqlite::Result<_> {
            let [outcome, follow_up] = ["outcomes", "follow_ups"]
                .map(|table| connection.prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1 AND job = ?2")));
            Ok([outcome?, follow_up?])
        });
        Ok(Self {
            run,
            connection,
            order: Order::read(connection)?,
            sent_elsewhere: connection.prepare_cached(&sent_elsewhere())?,
            cleared: connection.prepare_cached("UPDATE attempts SET cleared = 1 WHERE run = ?1 AND job = ?2")?,
            outcome_answers: connection.prepare_cached(&outcome_answers("o.run = ?1 AND o.job = ?2"))?,
            reopen: reopen.transpose()?,
            daily: daily::Statements::prepare(connection)?,
            follow_ups: follow_ups::Statements::prepare(connection, run)?,
            attempt: connection.prepare_cached(
                "INSERT INTO attempts (run, job, attempt, client_request_id, sent_at, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            answer: connection.prepare_cached(
                "UPDATE attempts SET answered_at = ?4, verdict = ?5, http_status = ?6, error_code = ?7, error_message = ?8,
                 request_id = ?9 WHERE run = ?1 AND job = ?2 AND attempt = ?3",
            )?,
            filed: connection.prepare_cached(
                "INSERT INTO approvals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'unknown', NULL)
                 ON CONFLICT DO UPDATE SET attempt = excluded.attempt, status = 'unknown', read_at = NULL
                 WHERE status <> 'moved'",
            )?,
            settled: connection.prepare_cached(&settled("INSERT"))?,
            settled_anew: connection.prepare_cached(&settled("INSERT OR REPLACE"))?,
        })
    }

    /// A transaction has begun: other processes may have given out places since the last one.
    fn begin(&mut self) -> rusqlite::Result<()> {
        self.order = Order::read(self.connection)?;
        Ok(())
    }

    /// Before the transaction ends.
    pub(super) fn keep_order(&mut self) -> rusqlite::Result<()> {
        self.order.keep(self.connection)
    }

    fn take_up(
        &mut self,
        attempt: Attempt,
        releases: &mut Vec<(Release, Result<(), TurnedAway>)>,
    ) -> rusqlite::Result<()> {
        let Attempt { job, number, client_request_id, sent_at, take, release } = attempt;
        let id = &mut RequestId::buffer();
        let id = client_request_id.write(id);
        let room = match (self.sent_by_another(job)?, take) {
            (Some(run_id), _) => Err(TurnedAway::SentBy(run_id.into())),
            (None, Some(take)) => self.daily.take(&take, sent_at, id)?.map_err(TurnedAway::UsedUp),
            (None, None) => Ok(()),
        };
        let recorded = room.is_ok();
        releases.push((release, room));
        if !recorded {
            return Ok(());
        }
        if let Some(reopen) = &mut self.reopen {
            for statement in reopen {
                statement.execute(params![self.run, job])?;
            }
        }
        let seq = self.order.next();
        self.attempted(job, number, id, sent_at, seq)
    }

    /// The run that has sent a job which may not be repeated, since this run has last taken account of others.
    fn sent_by_another(&mut self, job: u32) -> rusqlite::Result<Option<String>> {
        self.sent_elsewhere.query_row(params![self.run, job], |row| row.get(0)).optional()
    }

    fn insert(
        &mut self,
        record: Record,
        releases: &mut Vec<(Release, Result<(), TurnedAway>)>,
    ) -> rusqlite::Result<()> {
        match record {
            Record::Attempt(attempt) => self.take_up(attempt, releases)?,
            Record::GiveBack { client_request_id } => {
                self.daily.give_back(client_request_id.write(&mut RequestId::buffer()))?
            }
            Record::Pause { take, used_up } => self.daily.pause(&take, used_up)?,
            Record::Answer { job, attempt, answered_at, reply } => {
                let request_id = &mut RequestId::buffer();
                self.answer.execute(params![
                    self.run,
                    job,
                    attempt,
                    answered_at.as_microsecond(),
                    reply.verdict.name(),
                    reply.http_status,
                    reply.error_code,
                    reply.error_message,
                    reply.request_id.as_ref().map(|id| id.write(request_id)),
                ])?;
            }
            Record::Filed { job, attempt, request } => {
                self.filed(job, i64::from(attempt), &request)?;
                // What was filed had no effect, nor had anything before it: the policy stood before both.
                self.cleared.execute(params![self.run, job])?;
            }
            Record::Settled { job, settlement } => {
                self.settle(job, &settlement)?;
                self.follow_ups.seen(job, &settlement)?;
            }
            Record::FollowedUp { job, settlement } => {
                if settlement.outcome != Outcome::Accepted {
                    self.settle(job, &settlement)?;
                }
                self.follow_ups.seen(job, &settlement)?;
            }
        }
        Ok(())
    }

    fn attempted(&mut self, job: u32, attempt: u32, id: &str, sent_at: Timestamp, seq: i64) -> rusqlite::Result<()> {
        self.attempt.execute(params![self.run, job, attempt, id, sent_at.as_microsecond(), seq]).map(|_| ())
    }

    /// A copy of an attempt that another run has made: the same place in the order, and what is known of it.
    pub(super) fn copy(&mut self, job: u32, number: u32, attempt: &PastAttempt) -> rusqlite::Result<()> {
        let PastAttempt { seq, sent_at, client_request_id, verdict, cleared } = attempt;
        self.attempted(job, number, client_request_id, *sent_at, *seq)?;
        self.connection
            .prepare_cached(
                "UPDATE attempts SET verdict = ?4, cleared = ?5 WHERE run = ?1 AND job = ?2 AND attempt = ?3",
            )?
            .execute(params![self.run, job, number, verdict, cleared])
            .map(|_| ())
    }

    /// `attempt`: the number of the attempt that was answered with it.
    pub(super) fn filed(&mut self, job: u32, attempt: i64, request: &Request) -> rusqlite::Result<()> {
        let (filed, expires) = (request.filed_at.as_microsecond(), request.expires_at.as_microsecond());
        self.filed.execute(params![self.run, job, request.code, attempt, request.found, filed, expires]).map(|_| ())
    }

    pub(super) fn settle(&mut self, job: u32, settlement: &Settlement) -> rusqlite::Result<()> {
        let millis = |millis: u64| i64::try_from(millis).unwrap_or(i64::MAX);
        let seq = self.order.next();
        let (request_id, client_request_id) = (&mut RequestId::buffer(), &mut RequestId::buffer());
        let columns = params![
            self.run,
            job,
            settlement.outcome.name(),
            settlement.http_status,
            settlement.error_code(),
            settlement.error_message(),
            settlement.attempts,
            millis(settlement.waited_ms),
            millis(settlement.duration_ms),
            settlement.started_at.map(Stamp::microseconds),
            settlement.finished_at.map(Stamp::microseconds),
            settlement.request_id.as_ref().map(|id| id.write(request_id)),
            settlement.client_request_id.as_ref().map(|id| id.write(client_request_id)),
            settlement.note,
            seq,
        ];
        match self.settled.execute(columns) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                self.settled_anew.execute(columns)?
            }
            done => done?,
        };
        match settlement.outcome {
            Outcome::Failed | Outcome::AwaitingApproval => {
                self.outcome_answers.execute(params![self.run, job]).map(|_| ())
            }
            _ => Ok(()),
        }
    }
}

fn settled(insert: &str) -> String {
    format!("{insert} INTO outcomes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)")
}

/// The clear answer that settled a job goes to the attempt that it was given to, so that the attempts speak for themselves.
pub(super) fn outcome_answers(which: &str) -> String {
    format!(
        "UPDATE attempts SET answered_at = o.finished_at, http_status = o.http_status, error_code = o.error_code,
            error_message = o.error_message, request_id = o.request_id, verdict = CASE
                WHEN o.outcome = 'awaiting_approval' THEN 'approval_required' WHEN o.http_status < 300 THEN 'failed_on_device'
                WHEN o.http_status >= 500 THEN 'transient' ELSE 'refused' END
         FROM outcomes AS o WHERE {which} AND o.outcome IN ('failed', 'awaiting_approval')
            AND attempts.run = o.run AND attempts.job = o.job AND attempts.verdict IS NULL
            AND attempts.attempt = (SELECT max(b.attempt) FROM attempts AS b WHERE b.run = o.run AND b.job = o.job)"
    )
}
