//! The account of a run: where each job is, what happened to it so far, and how it settled.
//!
//! In: moves, sends, answers, outcomes. Out: one [`Settlement`] for every job, each made exactly once. Must not: decide.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::job_state::{BeingRead, JobState, NextRequest};
use super::progress::{JobProgress, settlement};
use crate::clock::Clock;
use crate::outcome::{Cause, Ending, FollowUp, Outcome, Reply, Settlement};

/// Where every job is, and how it stands.
#[derive(Debug)]
pub(super) struct Ledger {
    clock: Clock,
    /// When the process began, so that what it has sent itself is known.
    began: Timestamp,
    states: Vec<JobState>,
    /// Jobs of which something is on its way.
    under_way: BTreeSet<u32>,
    traffic: Traffic,
    progress: HashMap<u32, JobProgress>,
    /// As far as the last one that has settled: what is not used yet takes no memory.
    settled: Vec<Option<Settlement>>,
    open: usize,
    /// How jobs stood that an earlier process saw fail, for as long as this one has not sent them.
    failed: HashMap<u32, Settlement>,
    /// Those of them that this one has left as they were.
    unsent: Vec<u32>,
}

/// What is on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    /// Attempts that are at the journal, or durable and have not left.
    pub ahead: usize,
    /// Attempts that have left.
    pub sent: usize,
    pub reads: usize,
}

impl Traffic {
    fn lane(&mut self, state: JobState) -> Option<&mut usize> {
        match state {
            JobState::BeingRecorded { .. } | JobState::Recorded => Some(&mut self.ahead),
            JobState::Out(NextRequest::Send) => Some(&mut self.sent),
            JobState::Out(_) | JobState::Settled(BeingRead::Out) => Some(&mut self.reads),
            _ => None,
        }
    }
}

/// A job has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settled {
    pub outcome: Outcome,
    /// As what it counts for its wave.
    pub counted: Outcome,
    pub sent_here: bool,
}

impl Ledger {
    pub(super) fn new(jobs: usize, clock: Clock) -> Self {
        Self {
            began: clock.now(),
            clock,
            states: vec![JobState::InHand; jobs],
            under_way: BTreeSet::new(),
            traffic: Traffic::default(),
            progress: HashMap::new(),
            settled: Vec::with_capacity(jobs),
            open: jobs,
            failed: HashMap::new(),
            unsent: Vec::new(),
        }
    }

    /// How many jobs have not settled.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn state(&self, job: u32) -> JobState {
        self.states.get(job as usize).copied().unwrap_or(JobState::InHand)
    }

    /// All jobs in plan order, and where they are.
    pub(super) fn states(&self) -> impl Iterator<Item = (u32, JobState)> {
        (0u32..).zip(self.states.iter().copied())
    }

    /// How many requests are on their way, from the gate to the answer.
    pub(super) fn in_flight(&self) -> usize {
        self.under_way.len()
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// What is on its way, in plan order.
    pub(super) fn under_way(&self) -> impl Iterator<Item = (u32, NextRequest)> {
        self.under_way.iter().filter_map(|job| Some((*job, self.state(*job).under_way()?)))
    }

    /// The jobs of which something is on its way, and where they are.
    pub(super) fn states_under_way(&self) -> impl Iterator<Item = (u32, JobState)> {
        self.under_way.iter().map(|job| (*job, self.state(*job)))
    }

    /// A job is elsewhere now.
    pub(super) fn moves(&mut self, job: u32, to: JobState) {
        let Some(state) = self.states.get_mut(job as usize) else { return };
        if let Some(lane) = self.traffic.lane(*state) {
            *lane -= 1;
        }
        if let Some(lane) = self.traffic.lane(to) {
            *lane += 1;
        }
        *state = to;
        match to.is_under_way() {
            true => self.under_way.insert(job),
            false => self.under_way.remove(&job),
        };
    }

    /// What is known of a job that this process deals with.
    pub(super) fn progress(&self, job: u32) -> Option<&JobProgress> {
        self.progress.get(&job)
    }

    pub(super) fn progress_mut(&mut self, job: u32) -> &mut JobProgress {
        self.progress.entry(job).or_default()
    }

    /// Whether this process has sent for it and waits for how it settles.
    pub(super) fn is_at_risk(&self, job: u32) -> bool {
        self.progress(job).is_some_and(|progress| progress.at_risk)
    }

    /// The last answer to a job.
    pub(super) fn answered(&mut self, job: u32, reply: Reply, took: Duration) {
        self.progress_mut(job).answered(reply, took);
    }

    /// Settles a job, once. `None`: it has settled before.
    pub(super) fn settle(&mut self, job: u32, ending: Ending, now: Instant) -> Option<Settled> {
        if self.state(job).is_settled() || self.states.len() <= job as usize {
            return None;
        }
        let outcome = ending.outcome();
        if outcome == Outcome::NotAttempted
            && let Some(failed) = self.failed.remove(&job)
        {
            return Some(self.stays_failed(job, failed));
        }
        let progress = self.progress.remove(&job);
        let sent_here = progress.as_ref().is_some_and(|progress| progress.at_risk);
        let now = self.clock.at(now);
        self.put(
            job,
            match progress.filter(|progress| progress.first_sent.is_some()) {
                None => Settlement::ended(ending),
                Some(progress) => settlement(progress, ending, now),
            },
        );
        Some(Settled { outcome, counted: outcome, sent_here })
    }

    /// A job that an earlier process saw fail was not sent again after all.
    fn stays_failed(&mut self, job: u32, failed: Settlement) -> Settled {
        let outcome = failed.outcome;
        let sent_here = self.progress.remove(&job).is_some_and(|progress| progress.at_risk);
        self.unsent.push(job);
        self.put(job, failed);
        Settled { outcome, counted: Outcome::NotAttempted, sent_here }
    }

    fn put(&mut self, job: u32, settlement: Settlement) {
        let index = job as usize;
        if index >= self.settled.len() {
            self.settled.resize(index + 1, None);
        }
        self.settled[index] = Some(settlement);
        self.moves(job, JobState::Settled(BeingRead::No));
        self.open -= 1;
    }

    /// A job that an earlier process settled: it stays as it is.
    pub(super) fn keep(&mut self, job: u32, settlement: Settlement) {
        if !self.state(job).is_settled() {
            self.put(job, settlement);
        }
    }

    /// A job that an earlier process saw fail, and that is to be sent again.
    pub(super) fn has_failed(&mut self, job: u32, settlement: Settlement) {
        self.failed.insert(job, settlement);
    }

    /// An attempt has left: what an earlier process saw is over.
    pub(super) fn has_left(&mut self, job: u32) {
        self.failed.remove(&job);
    }

    /// What a read has shown of a job that was accepted, and whether this process has sent it. `None`: it was not accepted.
    pub(super) fn follow_up(&mut self, job: u32, seen: FollowUp) -> Option<(&Settlement, bool)> {
        let settled = self.settled.get_mut(job as usize)?.as_mut();
        let settled = settled.filter(|settled| settled.outcome == Outcome::Accepted)?;
        settled.follow_up(seen);
        let sent_here = settled.finished_at.is_some_and(|at| at.microseconds() >= self.began.as_microsecond());
        Some((settled, sent_here))
    }

    /// What is to be said besides of a job that was accepted and could not be read since. No journal keeps it.
    pub(super) fn remark(&mut self, job: u32, words: &str) {
        let settled = self.settled.get_mut(job as usize).and_then(Option::as_mut);
        if let Some(settled) = settled.filter(|settled| settled.outcome == Outcome::Accepted) {
            let note = settled.note.take().filter(|note| !note.is_empty());
            settled.note = Some(note.map_or_else(|| words.to_owned(), |note| format!("{note}; {words}")).into());
        }
    }

    pub(super) fn settlement(&self, job: u32) -> Option<&Settlement> {
        self.settled.get(job as usize)?.as_ref()
    }

    /// All settlements in plan order, and the jobs that stay failed. A job that was never settled is `not_attempted`: rows in are
    /// rows out, always.
    pub(super) fn close(mut self) -> (Vec<Settlement>, Vec<u32>) {
        self.settled.resize(self.states.len(), None);
        let missing = || Settlement::ended(Cause::NotReached.with("ended first").into());
        (self.settled.into_iter().map(|settlement| settlement.unwrap_or_else(missing)).collect(), self.unsent)
    }
}
