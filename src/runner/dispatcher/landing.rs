//! Whether a wave has landed: its jobs are read until the service shows their effect.
//!
//! In: the jobs of a wave that were accepted, what reads show. Out: reads in the queues, at growing distances, and one
//! word in the end. Must not: read a target more often than once a minute, but for a last look at the deadline.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use tokio::time::Instant;

use super::super::event::StopReason;
use super::super::queue::{Item, Step as QueueStep};
use super::super::retry;
use super::Dispatcher;
use super::answers::Times;
use super::waves::{Phase, Waves};
use crate::catalog::ReadBack;
use crate::outcome::{Evidence, Outcome, Reply, Verdict};

/// Before that, hardly anything has landed.
const FIRST_LOOK: Duration = Duration::from_secs(5);
/// Between two looks at one target: a minute, and twice as long each time, up to ten.
const BETWEEN: Duration = Duration::from_secs(60);
const LONGEST_BETWEEN: Duration = Duration::from_secs(600);
/// The last look, at the deadline, may take so long.
const GRACE: Duration = Duration::from_secs(60);

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Wait,
    Landing,
    Landed,
    TooLate,
}

/// What is known of one job that has not been seen to land.
#[derive(Debug, Default)]
struct Unseen {
    words: Option<String>,
    refused_tokens: u32,
}

#[derive(Debug)]
pub(super) struct Landing {
    unseen: BTreeMap<u32, Unseen>,
    deadline: Instant,
    next: Instant,
    between: Duration,
    /// Reads of this round that have not been answered.
    out: u32,
    /// The round that began at the deadline is the last.
    is_last: bool,
}

impl Landing {
    pub fn new(jobs: Vec<u32>, within: Duration, now: Instant) -> Self {
        let unseen = jobs.into_iter().map(|job| (job, Unseen::default())).collect();
        let next = now + FIRST_LOOK.min(within);
        Self { unseen, deadline: now + within, next, between: BETWEEN, out: 0, is_last: false }
    }

    pub fn step(&self, now: Instant) -> Step {
        let over = self.is_last && self.out == 0;
        match () {
            () if self.unseen.is_empty() => Step::Landed,
            () if over || now >= self.deadline + GRACE => Step::TooLate,
            () if self.out == 0 && now >= self.next => Step::Landing,
            () => Step::Wait,
        }
    }

    pub fn wake(&self) -> Instant {
        if self.out > 0 { self.deadline + GRACE } else { self.next }
    }

    /// How many have not been seen to land, and what the last look at the first of them showed.
    pub fn missing(&self) -> (usize, Option<(u32, Option<&str>)>) {
        let first = self.unseen.iter().next().map(|(job, unseen)| (*job, unseen.words.as_deref()));
        (self.unseen.len(), first)
    }

    fn begin_round(&mut self, now: Instant) -> Vec<u32> {
        self.is_last = now >= self.deadline;
        self.out = self.unseen.len() as u32;
        self.unseen.keys().copied().collect()
    }

    fn answered(&mut self, now: Instant) {
        self.out = self.out.saturating_sub(1);
        if self.out == 0 {
            // From the end of a round on: a target may have been its last.
            self.next = (now + self.between).min(self.deadline).max(now);
            self.between = (self.between * 2).min(LONGEST_BETWEEN);
        }
    }

    fn seen(&mut self, job: u32, now: Instant) {
        if self.unseen.remove(&job).is_some() {
            self.answered(now);
        }
    }

    fn not_seen(&mut self, job: u32, words: String, now: Instant) {
        if let Some(unseen) = self.unseen.get_mut(&job) {
            unseen.words = Some(words);
            self.answered(now);
        }
    }
}

impl Waves {
    fn landing(&mut self) -> Option<&mut Landing> {
        match &mut self.phase {
            Phase::Landing(landing) => Some(landing),
            _ => None,
        }
    }

    /// Whether somebody still wants to know whether that job has landed.
    pub fn waits_for(&self, job: u32) -> bool {
        matches!(&self.phase, Phase::Landing(landing) if landing.unseen.contains_key(&job))
    }

    pub fn not_seen(&mut self, job: u32, words: &str, now: Instant) {
        if let Some(landing) = self.landing() {
            landing.not_seen(job, words.to_owned(), now);
        }
    }
}

impl Dispatcher {
    /// What the service has accepted and a read can show.
    pub(super) fn to_be_seen(&self, jobs: Range<u32>) -> Vec<u32> {
        let can_be_seen = |job: &u32| {
            let accepted = self.ledger.settlement(*job).is_some_and(|settled| settled.outcome == Outcome::Accepted);
            accepted && self.jobs[*job as usize].action.read_back != ReadBack::Nobody
        };
        jobs.filter(can_be_seen).collect()
    }

    pub(super) fn read_landings(&mut self, now: Instant) {
        let jobs = self.waves.landing().map(|landing| landing.begin_round(now)).unwrap_or_default();
        for job in jobs {
            let item = Item { job, step: QueueStep::Landing };
            self.queues.push_back(self.bucket_of(item), item);
        }
    }

    /// A read of a job that has settled is a look; its wave may have been given up meanwhile.
    pub(super) fn is_landing(&self, job: u32, step: Option<QueueStep>) -> bool {
        step == Some(QueueStep::Landing) || (step.is_none() && self.ledger.settlement(job).is_some())
    }

    pub(super) fn after_landing(&mut self, job: u32, evidence: Evidence, times: Times) {
        if !matches!(evidence, Evidence::NotRead(_)) {
            self.host_answered();
        }
        let Some(landing) = self.waves.landing() else { return };
        match evidence {
            // It was accepted, and what is gone has been through it.
            Evidence::Effect(_) | Evidence::Gone(_) => landing.seen(job, times.now),
            Evidence::NoEffect(words) | Evidence::CannotTell(words) => landing.not_seen(job, words, times.now),
            Evidence::NotRead(reply) => self.after_failed_landing(job, &reply, times),
        }
    }

    fn after_failed_landing(&mut self, job: u32, reply: &Reply, times: Times) {
        let item = Item { job, step: QueueStep::Landing };
        let bucket = self.bucket_of(item);
        let reason = reply.reason();
        self.note_contact(&reply.verdict, bucket, times);
        let refused_tokens = self.waves.landing().and_then(|landing| landing.unseen.get_mut(&job)).map(|unseen| {
            unseen.refused_tokens += u32::from(reply.verdict == Verdict::Unauthorized);
            unseen.refused_tokens
        });
        match &reply.verdict {
            Verdict::Throttled { after } => self.pause(bucket, *after, retry::is_crowded(reply), times),
            Verdict::Unreachable => self.host_away(&reason, times),
            // The first one may be an old token; the second is the tenant's word.
            Verdict::Unauthorized if refused_tokens == Some(1) => {}
            Verdict::Unauthorized | Verdict::SignInFailed => self.drain(StopReason::SignIn(reason)),
            _ => return self.waves.not_seen(job, &format!("it could not be read: {reason}"), times.now),
        }
        if self.stopped.is_none() {
            self.queues.push_front(bucket, item);
        }
    }
}
