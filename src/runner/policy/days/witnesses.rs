//! Refusals that read as the day's limit, and of which it is not known yet whether they are.
//!
//! In: such an answer of one target. Out: its job waits until another target of the same limit was answered; if that is told
//! the same, both wait for their day, and otherwise the refusal was the target's own. Must not: settle a job.

use std::collections::BTreeSet;

use crate::daily::SameRefusals;
use crate::outcome::Reply;

/// Jobs that were refused in words of the day's limit.
#[derive(Debug)]
pub(super) struct Witnesses {
    agreement: SameRefusals,
    waiting: BTreeSet<u32>,
}

impl Witnesses {
    pub(super) fn new(agreement: SameRefusals) -> Self {
        Self { agreement, waiting: BTreeSet::new() }
    }

    pub(super) fn agreement(self) -> SameRefusals {
        self.agreement.next_round()
    }

    /// A target was refused so. Whether another one of that limit was told the same.
    pub(super) fn hear(&mut self, limit: usize, job: u32, target: &str, reply: &Reply) -> bool {
        self.agreement.hear(limit, job, target, reply)
    }

    pub(super) fn has_heard(&self, limit: usize, job: u32) -> bool {
        self.agreement.has(limit, job)
    }

    pub(super) fn wait(&mut self, job: u32) {
        self.waiting.insert(job);
    }

    pub(super) fn is_waiting(&self, job: u32) -> bool {
        self.waiting.contains(&job)
    }

    pub(super) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// It is known by now what the refusals of that limit mean: takes the jobs that wait for it.
    pub(super) fn release(&mut self, limit: usize) -> Vec<u32> {
        let told = self.agreement.forget(limit);
        told.into_iter().filter(|job| self.waiting.remove(job)).collect()
    }
}
