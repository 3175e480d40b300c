//! The look right before a send: the target is read, judged, and only then sent to.
//!
//! In: jobs that the lookout wants a look at, and what the reads show. Out: a read in flight; a job that may be sent, is
//! held, or has nothing left to be done to. Must not: count as an attempt, or let a send follow a look that is old.
//!
//! A look takes a place of the read bucket, the send after it one of the write bucket. Only a few jobs that have been
//! looked at wait for their place at a time, so that the send follows within a second or so; one that waited longer,
//! because of a pause, is looked at again.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::queue::{Item, Step};
use super::Dispatcher;
use super::answers::{Times, look_at};
use crate::catalog::Bucket;
use crate::outcome::{Cause, Outcome, Reply, Seen, Unsent};
use crate::pacing::Wait;
use tokio::time::Instant;

/// How old a look may be when its send leaves.
const FRESH: Duration = Duration::from_secs(10);

/// So many jobs may wait for their place in the write bucket after their look.
const AHEAD: usize = 4;

/// Jobs of each bucket that have been looked at, in that order.
#[derive(Debug)]
pub struct Looked(Vec<VecDeque<(u32, Instant)>>);

impl Looked {
    pub fn new() -> Self {
        Self(vec![VecDeque::new(); Bucket::COUNT])
    }

    /// All that wait for their place.
    pub fn jobs(&self) -> impl Iterator<Item = u32> {
        self.0.iter().flatten().map(|(job, _)| *job)
    }

    pub fn is_waiting(&self, bucket: Bucket) -> bool {
        !self.0[bucket.index()].is_empty()
    }

    /// Takes everything.
    pub fn drain(&mut self) -> Vec<Item> {
        let all = self.0.iter_mut().flat_map(std::mem::take);
        all.map(|(job, _)| Item { job, step: Step::Send }).collect()
    }
}

impl Dispatcher {
    /// The gates through which something can be done for this bucket now: its own, and that of a look ahead.
    pub(super) fn next_gates(&mut self, bucket: Bucket, now: Instant) -> [Option<Bucket>; 2] {
        self.forget_old_looks(bucket, now);
        let no_room = self.is_out_of_room(bucket, now);
        let waiting = self.looked.0[bucket.index()].len();
        let next = self.queues.peek(bucket);
        let wants_look = next.is_some_and(|item| self.wants_look(item));
        // Nobody looks while nothing can be sent; the gate says how long that is.
        let paused = self.gates.is_paused(bucket, now);
        let own = waiting > 0 || next.is_some_and(|_| !no_room && (!wants_look || paused));
        let ahead = next.filter(|_| wants_look && !paused && !no_room && waiting < AHEAD);
        [own.then_some(bucket), ahead.map(|item| self.jobs[item.job as usize].read_bucket())]
    }

    /// What has waited too long for its place goes back to the head of the queue, to be looked at again.
    fn forget_old_looks(&mut self, bucket: Bucket, now: Instant) {
        let looked = &mut self.looked.0[bucket.index()];
        let old = looked.partition_point(|(_, at)| now.saturating_duration_since(*at) > FRESH);
        let old: Vec<u32> = looked.drain(..old).map(|(job, _)| job).collect();
        for job in old.into_iter().rev() {
            self.queues.push_front(bucket, Item { job, step: self.way_to_send(job) });
        }
    }

    /// The next job of a bucket whose gate has let one through.
    pub(super) fn take_next(&mut self, bucket: Bucket, gate: Bucket) -> Option<Item> {
        if gate == bucket
            && let Some((job, _)) = self.looked.0[bucket.index()].pop_front()
        {
            return Some(Item { job, step: Step::Send });
        }
        let item = self.queues.pop(bucket)?;
        let step = if self.wants_look(item) { Step::Look } else { item.step };
        Some(Item { step, ..item })
    }

    pub(super) fn has_waiting(&self, bucket: Bucket) -> bool {
        self.queues.has_ready(bucket) || !self.looked.0[bucket.index()].is_empty()
    }

    /// Takes everything that waits in a bucket.
    pub(super) fn take_waiting(&mut self, bucket: Bucket) -> Vec<Item> {
        let looked = std::mem::take(&mut self.looked.0[bucket.index()]);
        let looked = looked.into_iter().map(|(job, _)| Item { job, step: Step::Send });
        looked.chain(self.queues.drain_bucket(bucket)).collect()
    }

    /// Whether the look at that job's target takes two reads: of the user, and of all their devices.
    pub(super) fn takes_two(&self, job: u32) -> bool {
        let job = &self.jobs[job as usize];
        job.action.on_all_devices && self.gates.has_room_for_two(job.read_bucket())
    }

    /// The second read of a look needs a place as well; without one the job waits for both.
    pub(super) fn through_with_both(&mut self, bucket: Bucket, item: Item, now: Instant) -> bool {
        if !self.takes_two(item.job) {
            return true;
        }
        let reads = self.jobs[item.job as usize].read_bucket();
        let item = Item { step: Step::Send, ..item };
        match self.gates.pass_along(reads, now) {
            Ok(()) => return true,
            Err(Wait::Until(at)) => self.queues.push_later(at, bucket, item),
            // The next one to ask closes it.
            Err(Wait::Closed { .. }) => self.queues.push_front(bucket, item),
        }
        false
    }

    fn wants_look(&self, item: Item) -> bool {
        item.step == Step::Send && self.lookout.wants(item.job, &self.jobs[item.job as usize])
    }

    pub(super) fn after_look(&mut self, job: u32, seen: Seen, times: Times) {
        if !matches!(seen, Seen::NotRead(_)) {
            self.was_read(job);
            self.ledger.progress(job).unauthorized = 0;
        }
        if matches!(seen, Seen::Identity(_)) {
            self.saw_target(job);
        }
        match seen {
            Seen::Identity(identity) => match self.lookout.judge(job, &self.jobs[job as usize], &identity) {
                Some(why) => self.hold(job, why, times.now),
                None if self.stopped.is_some() => self.leave(Item { job, step: Step::Send }, times.now),
                None => self.looked.0[self.jobs[job as usize].bucket().index()].push_back((job, times.now)),
            },
            Seen::Gone => self.look_found_nothing(job, times.now),
            Seen::NotRead(reply) => self.after_failed_look(job, &reply, times),
        }
    }

    /// Nothing is sent to a target that could not be looked at.
    fn after_failed_look(&mut self, job: u32, reply: &Reply, times: Times) {
        let item = Item { job, step: Step::Send };
        let Some(why) = self.read_again(item, reply, times) else { return };
        match self.stopped {
            Some(_) => self.leave(item, times.now),
            None => {
                let why = format!("could not be looked at right before sending ({why})");
                self.hold(job, Cause::TargetNotRead.with(why), times.now);
            }
        }
    }

    /// What was sent before and is in doubt stays in doubt; what somebody has approved goes on waiting.
    fn hold(&mut self, job: u32, why: Unsent, now: Instant) {
        match self.ledger.progress(job).is_in_doubt() {
            false => self.end(job, why, now),
            true => {
                let note = format!("{}; {}", why.note(), look_at(job, &self.jobs));
                self.settle(job, Outcome::Unknown, Some(note), now);
            }
        }
    }

    /// The reads of a service are closed: what cannot be looked at is not sent in this run.
    pub(super) fn close_looks(&mut self, bucket: Bucket, gate: Bucket, asked: Duration, now: Instant) {
        let why = Cause::ServiceSaidWait.with(format!("{gate} to wait {} s", asked.as_secs()));
        for item in self.queues.drain_bucket(bucket) {
            match self.wants_look(item) {
                false => self.queues.push_back(bucket, item),
                true => {
                    let doubtful = self.ledger.progress(item.job).is_in_doubt();
                    self.end(item.job, why.clone().unless_in_doubt(doubtful), now);
                }
            }
        }
    }
}
