//! Refusals that read as the day's limit, and of which nobody knows yet whether they are.
//!
//! In: such an answer of one target. Out: its job waits until another target of the same limit was answered; if that is told
//! the same, both wait for their day, and otherwise the refusal was the target's own. Must not: keep a job when nobody else
//! is left to be asked.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::super::queue::Item;
use super::Dispatcher;
use crate::catalog::DailyLimit;
use crate::daily::Agreement;
use crate::outcome::{Outcome, Reply, Verdict};

/// Jobs that were refused in words of the day's limit, and how they settle if that concerns them alone.
#[derive(Debug)]
pub(super) struct Witnesses {
    agreement: Agreement,
    waiting: BTreeMap<u32, Outcome>,
}

impl Witnesses {
    pub(super) fn new(agreement: Agreement) -> Self {
        Self { agreement, waiting: BTreeMap::new() }
    }

    pub(super) fn agreement(self) -> Agreement {
        self.agreement.next_round()
    }
}

impl Dispatcher {
    /// Whether another target of that limit was told the same, or our own count says so too.
    pub(super) fn others_agree(&mut self, job: u32, limit: usize, reply: &Reply) -> bool {
        let target = self.jobs[job as usize].target();
        self.left_today.closed(limit).is_some() || self.witnesses.agreement.hear(limit, (job, target), reply)
    }

    /// A job was refused, and would settle so: it waits, if what others are told may say otherwise. Whether it does.
    pub(super) fn waits_for_others(&mut self, job: u32, reply_was: &Verdict, outcome: Outcome) -> bool {
        let Some(limit) = self.left_today.limit_of(&self.jobs[job as usize]) else { return false };
        let was_told = *reply_was == Verdict::Refused && self.witnesses.agreement.has(limit, job);
        if !was_told || self.stopped.is_some() || !self.others_are_left(limit) {
            return false;
        }
        self.witnesses.waiting.insert(job, outcome);
        true
    }

    /// Whether another job of that limit is out, or is going to be.
    fn others_are_left(&self, limit: usize) -> bool {
        let is_of_it = |job: u32| {
            self.left_today.limit_of(&self.jobs[job as usize]) == Some(limit)
                && self.ledger.settlement(job).is_none()
                && !self.witnesses.waiting.contains_key(&job)
        };
        self.in_flight.keys().any(|job| is_of_it(*job)) || self.queues.has(|Item { job, .. }| is_of_it(job))
    }

    /// It is the day's limit: whoever was told so waits for the day.
    pub(super) fn wait_with_the_others(&mut self, limit: usize, now: Instant) {
        for job in self.witnesses.agreement.forget(limit) {
            if self.witnesses.waiting.remove(&job).is_some() {
                self.ledger.progress(job).not_a_try();
                self.again(job, self.way_to_send(job), now);
            }
        }
    }

    /// What was refused in words of that limit was refused for reasons of its own.
    pub(super) fn nobody_agrees(&mut self, limit: usize, now: Instant) {
        for job in self.witnesses.agreement.forget(limit) {
            if let Some(outcome) = self.witnesses.waiting.remove(&job) {
                self.settle_after(job, outcome, &Verdict::Refused, now);
            }
        }
    }

    /// Settles what waits for the answers of others where there are none, or where none come any more. Whether there was any.
    pub(super) fn mind_the_witnesses(&mut self, nothing_is_out: bool, now: Instant) -> bool {
        if self.witnesses.waiting.is_empty() {
            return false;
        }
        let ends = nothing_is_out || self.stopped.is_some();
        let alone = (0..DailyLimit::COUNT).filter(|limit| ends || !self.others_are_left(*limit)).collect::<Vec<_>>();
        let before = self.witnesses.waiting.len();
        alone.into_iter().for_each(|limit| self.nobody_agrees(limit, now));
        self.witnesses.waiting.len() < before
    }
}
