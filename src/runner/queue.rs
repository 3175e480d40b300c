//! What waits to be sent: a ready queue for each bucket, and what is due later.
//!
//! In: [`Item`]s. Out: the next one of a bucket, and the instant at which a later one becomes ready. A waiting job is
//! one small entry here and nothing else: no task, no timer. Must not: know gates or answers.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use tokio::time::Instant;

use crate::catalog::Bucket;

/// What is to be done with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Send,
    /// See who its target is, right before it is sent. It waits as [`Step::Send`].
    Look,
    /// Read its target; `resend` says whether it may be sent again after that.
    ReadBack {
        resend: bool,
    },
    /// Read whether it has landed: it has settled, and the next wave waits.
    Landing,
}

/// A job that waits, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    pub job: u32,
    pub step: Step,
}

/// All waiting jobs.
#[derive(Debug)]
pub struct Queues {
    ready: Vec<VecDeque<Item>>,
    later: BinaryHeap<Reverse<(Instant, usize, Item)>>,
}

impl Queues {
    pub fn new() -> Self {
        Self { ready: vec![VecDeque::new(); Bucket::COUNT], later: BinaryHeap::new() }
    }

    /// Behind everything that waits in the bucket.
    pub fn push_back(&mut self, bucket: Bucket, item: Item) {
        self.ready[bucket.index()].push_back(item);
    }

    /// Before everything that waits in the bucket: it had its turn already.
    pub fn push_front(&mut self, bucket: Bucket, item: Item) {
        self.ready[bucket.index()].push_front(item);
    }

    pub fn push_later(&mut self, at: Instant, bucket: Bucket, item: Item) {
        self.later.push(Reverse((at, bucket.index(), item)));
    }

    /// Makes ready what is due.
    pub fn wake(&mut self, now: Instant) {
        while let Some(Reverse((at, bucket, item))) = self.later.peek().copied() {
            if at > now {
                break;
            }
            self.later.pop();
            self.ready[bucket].push_front(item);
        }
    }

    /// When the next one becomes due.
    pub fn next_due(&self) -> Option<Instant> {
        self.later.peek().map(|Reverse((at, _, _))| *at)
    }

    pub fn has_ready(&self, bucket: Bucket) -> bool {
        !self.ready[bucket.index()].is_empty()
    }

    pub fn peek(&self, bucket: Bucket) -> Option<Item> {
        self.ready[bucket.index()].front().copied()
    }

    pub fn pop(&mut self, bucket: Bucket) -> Option<Item> {
        self.ready[bucket.index()].pop_front()
    }

    /// Takes everything of one bucket.
    pub fn drain_bucket(&mut self, bucket: Bucket) -> Vec<Item> {
        std::mem::take(&mut self.ready[bucket.index()]).into()
    }

    /// Takes everything.
    pub fn drain(&mut self) -> Vec<Item> {
        let mut items: Vec<Item> = self.ready.iter_mut().flat_map(std::mem::take).collect();
        items.extend(std::mem::take(&mut self.later).into_iter().map(|Reverse((_, _, item))| item));
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Access, INTUNE_DEVICES};
    use std::time::Duration;

    const BUCKET: Bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };

    fn send(job: u32) -> Item {
        Item { job, step: Step::Send }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_comes_before_what_has_not_been_tried() {
        let now = Instant::now();
        let mut queues = Queues::new();
        queues.push_back(BUCKET, send(1));
        queues.push_later(now + Duration::from_secs(2), BUCKET, send(2));
        queues.push_later(now + Duration::from_secs(1), BUCKET, send(3));
        assert_eq!(queues.next_due(), Some(now + Duration::from_secs(1)));
        queues.wake(now + Duration::from_secs(1));
        assert_eq!(queues.pop(BUCKET), Some(send(3)));
        assert_eq!(queues.pop(BUCKET), Some(send(1)));
        assert_eq!(queues.pop(BUCKET), None);
        assert_eq!(queues.drain(), [send(2)]);
    }
}
