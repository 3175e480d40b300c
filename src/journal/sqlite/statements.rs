//! What the writer says to the database, statement by statement.
//!
//! In: [`JournalRecord`]s, within a transaction of the writer's or of another verb of the journal. Out: rows. Must not: begin a
//! transaction, or end one.

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension, params};

use super::answers::outcome_answers;
use super::daily;
use super::elsewhere::{Others, sent_elsewhere};
use super::follow_ups;
use super::open_jobs::Beside;
use super::order::Order;
use super::rivals::rival;
use super::shown::SHOWN;
use crate::approval::ApprovalRequest;
use crate::journal::record::{Attempt, JournalRecord, Release, TurnedAway};
use crate::journal::stored::PastAttempt;
use crate::outcome::{Cause, Outcome, RequestId, Settlement, Stamp};
use crate::text::visible;

/// What the writer says to the database.
pub(super) struct Statements<'c> {
    run: i64,
    connection: &'c Connection,
    order: Order,
    others: Others,
    /// Only for whoever is not alone.
    beside: Option<Option<Beside<'c>>>,
    sent_elsewhere: CachedStatement<'c>,
    attempt: CachedStatement<'c>,
    cleared: CachedStatement<'c>,
    outcome_answers: CachedStatement<'c>,
    answer: CachedStatement<'c>,
    settled: CachedStatement<'c>,
    /// For the few that had an outcome: a statement that may replace a row keeps a journal of its own while it runs.
    settled_anew: CachedStatement<'c>,
    daily: daily::LedgerStatements<'c>,
    filed: CachedStatement<'c>,
    follow_ups: follow_ups::FollowUpStatements<'c>,
    shown: CachedStatement<'c>,
    /// Where jobs have outcomes already: one that is sent again has none until it settles again.
    reopen: Option<[CachedStatement<'c>; 2]>,
}

impl<'c> Statements<'c> {
    pub(super) fn prepare(connection: &'c Connection, run: i64) -> rusqlite::Result<Self> {
        Self::reopening(connection, run, has_outcomes(connection, run)?)
    }

    pub(super) fn reopening(connection: &'c Connection, run: i64, reopens: bool) -> rusqlite::Result<Self> {
        let reopen = reopens.then(|| -> rusqlite::Result<_> {
            let [outcome, follow_up] = ["outcomes", "follow_ups"]
                .map(|table| connection.prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1 AND job = ?2")));
            Ok([outcome?, follow_up?])
        });
        Ok(Self {
            run,
            connection,
            order: Order::read(connection)?,
            others: Others::of(connection, run)?,
            beside: None,
            sent_elsewhere: connection.prepare_cached(&sent_elsewhere())?,
            cleared: connection.prepare_cached("UPDATE attempts SET cleared = 1 WHERE run = ?1 AND job = ?2")?,
            outcome_answers: connection.prepare_cached(&outcome_answers("o.run = ?1 AND o.job = ?2"))?,
            reopen: reopen.transpose()?,
            daily: daily::LedgerStatements::prepare(connection)?,
            follow_ups: follow_ups::FollowUpStatements::prepare(connection, run)?,
            shown: connection.prepare_cached(SHOWN)?,
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
    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        self.order = Order::read(self.connection)?;
        self.others.look(self.connection)
    }

    /// Before the transaction ends.
    /// The place in the order that was given out last.
    pub(super) fn order(&self) -> i64 {
        self.order.last()
    }

    pub(super) fn keep_order(&mut self) -> rusqlite::Result<()> {
        self.order.keep(self.connection)
    }

    fn take_up(
        &mut self,
        attempt: Attempt,
        releases: &mut Vec<(Release, Result<(), TurnedAway>)>,
    ) -> rusqlite::Result<()> {
        let Attempt { job, number, client_request_id, sent_at, take, may_follow, release } = attempt;
        let id = &mut RequestId::buffer();
        let id = client_request_id.write(id);
        let room = match (self.turned_away(job, sent_at, may_follow)?, take) {
            (Some(why), _) => Err(why),
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

    /// Whether a run has sent a job which may not be repeated, since this run has last taken account of others; or has
    /// something else open on its target, which this may not follow.
    fn turned_away(
        &mut self,
        job: u32,
        now: Timestamp,
        may_follow: fn(&str, &str) -> bool,
    ) -> rusqlite::Result<Option<TurnedAway>> {
        if self.others.are_silent() {
            return Ok(None);
        }
        let sent: Option<String> =
            self.sent_elsewhere.query_row(params![self.run, job], |row| row.get(0)).optional()?;
        if let Some(run_id) = sent {
            return Ok(Some(TurnedAway::SentBy(run_id.into())));
        }
        if self.beside.is_none() {
            self.beside = Some(Beside::look(self.connection, self.run, now)?);
        }
        let Some(Some(beside)) = &mut self.beside else { return Ok(None) };
        Ok(beside.of(job, now, may_follow)?.map(|open| TurnedAway::Behind(Box::new(open))))
    }

    pub(super) fn insert(
        &mut self,
        record: JournalRecord,
        releases: &mut Vec<(Release, Result<(), TurnedAway>)>,
    ) -> rusqlite::Result<()> {
        match record {
            JournalRecord::Attempt(attempt) => self.take_up(attempt, releases)?,
            JournalRecord::GiveBack { client_request_id } => {
                self.daily.give_back(client_request_id.write(&mut RequestId::buffer()))?
            }
            JournalRecord::Shown { job, kind } => {
                self.shown.execute(params![self.run, job, kind.name()]).map(|_| ())?
            }
            JournalRecord::Pause { take, used_up } => self.daily.pause(&take, used_up)?,
            JournalRecord::Rival { job, question, told } => told(rival(self.connection, (self.run, job), &question)?),
            JournalRecord::Answer { job, attempt, answered_at, reply } => {
                let request_id = &mut RequestId::buffer();
                self.answer.execute(params![
                    self.run,
                    job,
                    attempt,
                    answered_at.as_microsecond(),
                    reply.verdict.name(),
                    reply.http_status,
                    reply.error_code.as_deref().map(visible),
                    reply.error_message.as_deref().map(visible),
                    reply.request_id.as_ref().map(|id| id.write(request_id)),
                ])?;
            }
            JournalRecord::Filed { job, attempt, request } => {
                self.filed(job, i64::from(attempt), &request)?;
                // What was filed had no effect, nor had anything before it: the policy stood before both.
                self.cleared.execute(params![self.run, job])?;
            }
            JournalRecord::Settled { job, settlement } => {
                self.settle(job, &settlement)?;
                self.follow_ups.seen(job, &settlement)?;
            }
            JournalRecord::FollowedUp { job, settlement } => {
                if settlement.outcome != Outcome::Accepted {
                    // What a deed has come to is no deed of today: it keeps its place in the order.
                    let placed = "SELECT seq FROM outcomes WHERE run = ?1 AND job = ?2";
                    let placed = self.connection.prepare_cached(placed)?;
                    let seq = { placed }.query_row(params![self.run, job], |row| row.get(0)).optional()?;
                    self.settle_at(job, &settlement, seq)?;
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
    pub(super) fn filed(&mut self, job: u32, attempt: i64, request: &ApprovalRequest) -> rusqlite::Result<()> {
        let (filed, expires) = (request.filed_at.as_microsecond(), request.expires_at.as_microsecond());
        self.filed.execute(params![self.run, job, request.code, attempt, request.found, filed, expires]).map(|_| ())
    }

    pub(super) fn settle(&mut self, job: u32, settlement: &Settlement) -> rusqlite::Result<()> {
        self.settle_at(job, settlement, None)
    }

    /// `seq`: its place in the order; a new one without it.
    fn settle_at(&mut self, job: u32, settlement: &Settlement, seq: Option<i64>) -> rusqlite::Result<()> {
        let millis = |millis: u64| i64::try_from(millis).unwrap_or(i64::MAX);
        let seq = seq.unwrap_or_else(|| self.order.next());
        let (request_id, client_request_id) = (&mut RequestId::buffer(), &mut RequestId::buffer());
        let columns = params![
            self.run,
            job,
            settlement.outcome.name(),
            settlement.http_status,
            settlement.error_code().map(visible),
            settlement.error_message().map(visible),
            settlement.attempts,
            millis(settlement.waited_ms),
            millis(settlement.duration_ms),
            settlement.started_at.map(Stamp::microseconds),
            settlement.finished_at.map(Stamp::microseconds),
            settlement.request_id.as_ref().map(|id| id.write(request_id)),
            settlement.client_request_id.as_ref().map(|id| id.write(client_request_id)),
            settlement.note.as_deref().map(visible),
            seq,
            settlement.cause.map(Cause::name),
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
    format!("{insert} INTO outcomes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)")
}

pub(super) fn has_outcomes(connection: &Connection, run: i64) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM outcomes WHERE run = ?1)", [run], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Journal, NewRun, Recorder, RunId};
    use crate::outcome::{FollowUp, ServiceError, Stage};

    fn noon() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_is_kept_for_people_steers_no_terminal() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        let run = NewRun {
            id: &RunId::new(noon(), [1; 10]),
            plan_key: "key",
            plan_file: "plan.csv",
            plan_digest: "",
            plan_files: &[],
            tenant: "contoso",
            place: "https://graph.microsoft.com",
            known: 0,
            settings: &serde_json::json!({}),
            report: None,
            jobs: &[],
            inherited: &[],
            request: |_| ("POST", String::new(), None),
            now: noon(),
        };
        let run = journal.begin(&run).unwrap();
        let recorder = Recorder::start(&journal, run, |why| panic!("{why}")).unwrap();
        let foreign = "LAB\u{1b}[2J\n\u{202e}\u{200b}";
        let words = FollowUp { stage: Stage::Failed, words: foreign.into(), last_check_in: None, read_at: noon() };
        let settlement = Settlement {
            error: ServiceError::new(Some(foreign.into()), Some(foreign.into())),
            follow_up: Some(Box::new(words)),
            ..Settlement::unsent(Outcome::Failed, foreign)
        };
        recorder.settled(0, &settlement);
        recorder.finish().unwrap();
        let kept = |column: &str, table: &str| -> String {
            journal.store.connection.query_row(&format!("SELECT {column} FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        for (column, table) in
            [("note", "outcomes"), ("error_code", "outcomes"), ("error_message", "outcomes"), ("words", "follow_ups")]
        {
            assert_eq!(kept(column, table), "LAB\u{fffd}[2J \u{fffd}\u{fffd}", "{column}");
        }
    }
}
