//! What follows a read that failed, whatever it was for: a look before a send, a read back, a search for what is missing.
//!
//! In: what was to be read, and the answer. Out: the read waits for its next turn, or a reason why it does not. Must not:
//! say what that means for the job; whoever wanted the read does.

use std::time::Duration;

use tokio::time::Instant;

use super::super::event::StopReason;
use super::super::queue::Item;
use super::super::retry;
use super::Dispatcher;
use super::answers::Times;
use crate::catalog::Bucket;
use crate::outcome::{Reply, Verdict};
use crate::pacing::failed_read::{AfterRead, after_failed_read};
use crate::pacing::is_crowded;

impl Dispatcher {
    /// A read has told something.
    pub(super) fn was_read(&mut self, job: u32) {
        self.host_answered();
        let progress = self.ledger.progress(job);
        progress.unavailable_since = None;
        progress.failed_reads = 0;
    }

    /// Lets a read that failed be made again, where that may help. `Some`: it may not, and why.
    pub(super) fn read_again(&mut self, item: Item, reply: &Reply, times: Times) -> Option<Box<str>> {
        let Item { job, step } = item;
        let bucket = self.jobs[job as usize].read_bucket();
        let reason = reply.reason();
        self.note_contact(&reply.verdict, bucket, times);
        self.pause_if_unavailable(bucket, reply, times);
        let nth = self.ledger.progress(job).failed_reads + 1;
        match after_failed_read(&reply.verdict, nth, self.limits.max_attempts, &mut self.rng) {
            AfterRead::AtTheGate => {
                self.pause(bucket, named(&reply.verdict), is_crowded(reply), times);
                self.again(job, step, times.now);
            }
            AfterRead::Outage { .. } if self.is_waited_for(job, &reply.verdict, times.now) => {
                self.again(job, step, times.now);
            }
            // A run that is ending does not wait for a host to come back.
            AfterRead::NoHost if self.stopped.is_none() => {
                self.host_away(&reason, times);
                self.again(job, step, times.now);
            }
            AfterRead::FreshToken => self.unauthorized(job, step, reason, times.now),
            AfterRead::NotSignedIn if self.stopped.is_none() => {
                self.drain(StopReason::SignIn(reason));
                self.leave(item, times.now);
            }
            AfterRead::Later { after } if self.stopped.is_none() => {
                self.ledger.progress(job).failed_reads = nth;
                self.later(job, step, after, reason, times.now);
            }
            _ => return Some(reason),
        }
        None
    }

    /// Whether a read goes on waiting for a service that is out of order and names a time. A run that is ending does not.
    fn is_waited_for(&mut self, job: u32, verdict: &Verdict, now: Instant) -> bool {
        let unavailable = self.ledger.progress(job).unavailable(verdict, now);
        self.stopped.is_none() && unavailable < retry::LONGEST_UNAVAILABLE
    }

    /// A service that is out of order for one read is so for the others.
    pub(super) fn pause_if_unavailable(&mut self, bucket: Bucket, reply: &Reply, times: Times) {
        if let Verdict::Unavailable { after } = reply.verdict {
            self.pause(bucket, Some(after), is_crowded(reply), times);
        }
    }
}

/// How long a throttle answer asks to wait.
fn named(verdict: &Verdict) -> Option<Duration> {
    match verdict {
        Verdict::Throttled { after } => *after,
        _ => None,
    }
}
