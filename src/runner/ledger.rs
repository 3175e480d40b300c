//! The account of a run: what happened to each job so far, and how it settled.
//!
//! In: sends, answers, outcomes. Out: one [`Settlement`] for every job, each made exactly once. Must not: decide.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::Approved;
use crate::clock::Clock;
use crate::outcome::{Cause, Ending, FollowUp, Outcome, Reply, ServiceError, Settlement, Since, Verdict};

/// What is in doubt of a job, as one value: it is there whole, or nothing is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// When the first attempt left whose effect is in doubt.
    pub since: Since,
    /// Until then, a read that shows no effect proves nothing: a full settling time after the newest such attempt, or
    /// after this process took it up.
    pub settling_until: Instant,
    /// Some answer was lost.
    pub lost: bool,
}

/// A job that has been sent and has not settled.
#[derive(Debug, Default)]
pub struct Progress {
    /// Attempts in the journal, earlier processes included; the next one has this number.
    pub recorded: u32,
    /// Requests that left, throttled ones included.
    pub sends: u32,
    /// Requests that count against the job's attempts.
    pub tries: u32,
    /// Failed reads in a row.
    pub failed_reads: u32,
    /// 401 answers in a row.
    pub unauthorized: u32,
    /// This process has sent it, so that the breaker counts with it.
    pub at_risk: bool,
    pub first_sent: Option<Timestamp>,
    /// Attempts of which no answer and no read has shown what they did.
    pub doubt: Option<Doubt>,
    /// When the service first answered that it was out of order, and named a time, with nothing else since.
    pub unavailable_since: Option<Instant>,
    /// What an earlier process called its last request.
    pub last_id: Option<Uuid>,
    /// Somebody has approved it: each of its sends follows a read.
    pub approved: Option<Approved>,
    in_flight: Duration,
    last: Option<Reply>,
}

impl Progress {
    /// A request is about to leave.
    pub fn sent(&mut self, now: Timestamp) {
        self.recorded += 1;
        self.sends += 1;
        self.tries += 1;
        self.first_sent.get_or_insert(now);
    }

    pub fn answered(&mut self, reply: Reply, took: Duration) {
        self.in_flight += took;
        self.last = Some(reply);
    }

    /// An answer has left open what an attempt did that left at `sent_at`.
    pub fn doubted(&mut self, sent_at: Timestamp, settling_until: Instant, lost: bool) {
        let doubt = Doubt { since: Since::by_this_clock(sent_at), settling_until, lost };
        self.doubt = Some(match self.doubt {
            Some(before) => Doubt { since: before.since, lost: before.lost || lost, ..doubt },
            None => doubt,
        });
    }

    /// How long the service has been out of order for it, with nothing else since, when it answers so.
    pub fn unavailable(&mut self, verdict: &Verdict, now: Instant) -> Duration {
        if !matches!(verdict, Verdict::Unavailable { .. }) {
            self.unavailable_since = None;
            return Duration::ZERO;
        }
        now.saturating_duration_since(*self.unavailable_since.get_or_insert(now))
    }

    pub fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    pub fn last_status(&self) -> Option<u16> {
        self.last.as_ref().and_then(|reply| reply.http_status)
    }

    /// The last request was not a try after all.
    pub fn not_a_try(&mut self) {
        self.tries = self.tries.saturating_sub(1);
    }

    /// The last request was neither recorded nor sent.
    pub fn turned_away(&mut self) {
        self.recorded = self.recorded.saturating_sub(1);
        self.never_sent();
    }

    /// The last request never left this machine.
    pub fn never_sent(&mut self) {
        self.not_a_try();
        self.sends = self.sends.saturating_sub(1);
        if self.sends == 0 {
            self.first_sent = None;
        }
    }
}

/// Jobs under way, and settlements by index.
#[derive(Debug)]
pub struct Ledger {
    clock: Clock,
    under_way: HashMap<u32, Progress>,
    /// As far as the last one that has settled: what is not used yet takes no memory.
    settled: Vec<Option<Settlement>>,
    jobs: usize,
    open: usize,
}

impl Ledger {
    pub fn new(jobs: usize, clock: Clock) -> Self {
        Self { clock, under_way: HashMap::new(), settled: Vec::with_capacity(jobs), jobs, open: jobs }
    }

    /// How many jobs have not settled.
    pub fn open(&self) -> usize {
        self.open
    }

    pub fn progress(&mut self, job: u32) -> &mut Progress {
        self.under_way.entry(job).or_default()
    }

    /// Whether this process has sent it and waits for how it settles.
    pub fn is_at_risk(&self, job: u32) -> bool {
        self.under_way.get(&job).is_some_and(|progress| progress.at_risk)
    }

    /// Settles a job, once: a second settlement of the same job is ignored, and says so by `false`.
    pub fn settle(&mut self, job: u32, ending: Ending, now: Instant) -> bool {
        let progress = self.under_way.remove(&job);
        let now = self.clock.at(now);
        let Some(place @ None) = self.place(job) else { return false };
        *place = Some(match progress.filter(|progress| progress.first_sent.is_some()) {
            None => Settlement::ended(ending),
            Some(progress) => settlement(progress, ending, now),
        });
        self.open -= 1;
        true
    }

    fn place(&mut self, job: u32) -> Option<&mut Option<Settlement>> {
        let index = Some(job as usize).filter(|index| *index < self.jobs)?;
        if index >= self.settled.len() {
            self.settled.resize(index + 1, None);
        }
        self.settled.get_mut(index)
    }

    /// A job that an earlier process settled: it stays as it is.
    pub fn keep(&mut self, job: u32, settlement: Settlement) {
        if let Some(place @ None) = self.place(job) {
            *place = Some(settlement);
            self.open -= 1;
        }
    }

    /// What a read has shown of a job that was accepted. `None`: it was not.
    pub fn follow_up(&mut self, job: u32, seen: FollowUp) -> Option<&Settlement> {
        let settled = self.settled.get_mut(job as usize)?.as_mut();
        let settled = settled.filter(|settled| settled.outcome == Outcome::Accepted)?;
        settled.follow_up(seen);
        Some(settled)
    }

    /// What is to be said besides of a job that was accepted and could not be read since. No journal keeps it.
    pub fn remark(&mut self, job: u32, words: &str) {
        let settled = self.settled.get_mut(job as usize).and_then(Option::as_mut);
        if let Some(settled) = settled.filter(|settled| settled.outcome == Outcome::Accepted) {
            let note = settled.note.take().filter(|note| !note.is_empty());
            settled.note = Some(note.map_or_else(|| words.to_owned(), |note| format!("{note}; {words}")).into());
        }
    }

    /// A job under way, looked at.
    pub fn peek(&self, job: u32) -> Option<&Progress> {
        self.under_way.get(&job)
    }

    pub fn settlement(&self, job: u32) -> Option<&Settlement> {
        self.settled.get(job as usize)?.as_ref()
    }

    /// All settlements in plan order. A job that was never settled is `not_attempted`: rows in are rows out, always.
    pub fn close(mut self) -> Vec<Settlement> {
        self.settled.resize(self.jobs, None);
        let missing = || Settlement::ended(Cause::NotReached.with("ended first").into());
        self.settled.into_iter().map(|settlement| settlement.unwrap_or_else(missing)).collect()
    }
}

fn settlement(progress: Progress, ending: Ending, now: Timestamp) -> Settlement {
    let first = progress.first_sent.unwrap_or(now);
    let elapsed = Duration::try_from(now.duration_since(first)).unwrap_or_default();
    let mut settlement = Settlement {
        attempts: progress.sends,
        waited_ms: millis(elapsed.saturating_sub(progress.in_flight)),
        duration_ms: millis(progress.in_flight),
        started_at: Some(first.into()),
        finished_at: Some(now.into()),
        client_request_id: progress.last_id.map(Into::into),
        ..Settlement::ended(ending)
    };
    if let Some(last) = progress.last {
        settlement.http_status = last.http_status;
        settlement.error = ServiceError::new(last.error_code, last.error_message);
        settlement.request_id = last.request_id;
        settlement.client_request_id = Some(last.client_request_id);
    }
    settlement
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
