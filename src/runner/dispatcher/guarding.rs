//! The guards, at the moment of sending.
//!
//! In: what they say now. Out: jobs that wait until that is known, that are held, or that no window lets begin any more. Must not:
//! send under guards that are older than a second.

use tokio::time::Instant;

use super::super::event::StopReason;
use super::super::guards::{Answer, Change};
use super::super::queue::{Item, Step};
use super::Dispatcher;
use crate::catalog::Bucket;
use crate::outcome::{Cause, Unsent};

impl Dispatcher {
    /// Whether it is known what the guards say of what comes next in a bucket.
    pub(super) fn guards_are_known(&mut self, bucket: Bucket, now: Instant) -> bool {
        let next = self.queues.peek(bucket);
        let sends = next.is_some_and(|item| self.is_for_sending(item)) || self.looked.is_waiting(bucket);
        !sends || self.guards.hold(now)
    }

    pub(super) fn guards_say(&mut self, answer: Answer) {
        let now = Instant::now();
        self.guards.heard(now);
        match answer {
            Ok(Change::None) => {}
            Ok(Change::To(guards)) => {
                self.guards.now = guards;
                self.look_once_more();
            }
            Err(why) => self.drain(StopReason::Guards(why)),
        }
    }

    /// What was seen of targets was judged by another list.
    fn look_once_more(&mut self) {
        self.lookout.spare(self.guards.now.protected.clone());
        // What was recorded under the old ones has to be looked at again before it leaves.
        self.withdraw_attempts();
        let sends = self.in_flight.iter().filter(|(_, step)| **step == Step::Send);
        self.guards.outdated = sends.map(|(job, _)| *job).collect();
        for Item { job, .. } in self.looked.drain().into_iter().rev() {
            self.queues.push_front(self.jobs[job as usize].bucket(), Item { job, step: self.way_to_send(job) });
        }
    }

    /// Takes out what comes next in a bucket, for as long as something keeps it back.
    pub(super) fn leave_what_is_kept_back(&mut self, bucket: Bucket, now: Instant) {
        while let Some(item) = self.queues.peek(bucket).filter(|item| self.is_for_sending(*item)) {
            let Some(why) = self.keeps_back(item.job, now) else { return };
            self.queues.pop(bucket);
            self.no_longer_fed(item);
            self.keep_back(item.job, why, now);
        }
    }

    /// Why the job is not sent now, if it is not: the guards hold it, or the window has ended.
    pub(super) fn keeps_back(&mut self, job: u32, now: Instant) -> Option<Unsent> {
        if let Some(why) = self.guards.now.held.get(&job) {
            return Some(why.clone());
        }
        let has_begun = self.has_begun(job);
        let action = self.jobs[job as usize].action.name;
        let window = self.guards.now.windows.keeps_back(action, has_begun, self.clock.at(now))?;
        Some(Cause::WindowEnded.with(window.to_string()))
    }

    /// Whether something was sent to its target in this run: for this job, or for a step before it.
    fn has_begun(&mut self, job: u32) -> bool {
        let progress = self.ledger.progress(job);
        if progress.tries > 0 || progress.is_in_doubt() {
            return true;
        }
        let mut before = self.jobs[job as usize].after;
        while let Some(at) = before {
            if self.ledger.settlement(at).is_some_and(|settled| settled.attempts > 0) {
                return true;
            }
            before = self.jobs[at as usize].after;
        }
        false
    }

    /// What is in doubt stays in doubt, and what somebody has approved stays approved.
    pub(super) fn keep_back(&mut self, job: u32, why: Unsent, now: Instant) {
        let in_doubt = self.ledger.progress(job).is_in_doubt();
        self.end(job, why.unless_in_doubt(in_doubt), now);
    }
}
