//! What waits to be sent: a ready queue for each bucket, what is due later, and what waits for another day.
//!
//! In: [`Item`]s. Out: the next one of a bucket, and the instant at which a later one becomes ready. A waiting job is
//! one small entry here and nothing else: no task, no timer. Must not: know gates or answers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use crate::catalog::{Bucket, DailyLimit};
use crate::job::Job;

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
    /// Read how far it is: it was accepted, and somebody waits.
    FollowUp,
    /// Read what the id at that place of its route names: something of it is missing. After the last one, the state that the
    /// action is about.
    Find {
        at: u8,
    },
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
    jobs: Arc<[Job]>,
    ready: Vec<Line>,
    later: BinaryHeap<Reverse<(Instant, usize, Item)>>,
    /// For another day, by daily limit.
    parked: [BTreeSet<(Reverse<i16>, Item)>; DailyLimit::COUNT],
}

/// What is ready in one bucket: urgent jobs first.
#[derive(Debug, Clone, Default)]
struct Line(BTreeMap<Reverse<i16>, VecDeque<Item>>);

impl Line {
    fn at(&mut self, priority: i16) -> &mut VecDeque<Item> {
        self.0.entry(Reverse(priority)).or_default()
    }

    fn front(&self) -> Option<Item> {
        self.0.values().find_map(|items| items.front()).copied()
    }

    fn pop(&mut self) -> Option<Item> {
        let mut first = self.0.first_entry()?;
        let item = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        item
    }
}

impl Queues {
    /// `jobs` say which of them are urgent.
    pub fn new(jobs: Arc<[Job]>) -> Self {
        Self { jobs, ready: vec![Line::default(); Bucket::COUNT], later: BinaryHeap::new(), parked: Default::default() }
    }

    fn priority(&self, job: u32) -> i16 {
        self.jobs.get(job as usize).map_or(0, |job| job.priority)
    }

    /// Behind everything in the bucket that is as urgent.
    pub fn push_back(&mut self, bucket: Bucket, item: Item) {
        let priority = self.priority(item.job);
        self.ready[bucket.index()].at(priority).push_back(item);
    }

    /// Before everything in the bucket that is as urgent: it had its turn already.
    pub fn push_front(&mut self, bucket: Bucket, item: Item) {
        let priority = self.priority(item.job);
        self.ready[bucket.index()].at(priority).push_front(item);
    }

    pub fn push_later(&mut self, at: Instant, bucket: Bucket, item: Item) {
        self.later.push(Reverse((at, bucket.index(), item)));
    }

    /// Puts a job aside until its daily limit has room.
    pub fn park(&mut self, limit: usize, item: Item) {
        self.parked[limit].insert((Reverse(self.priority(item.job)), item));
    }

    /// Brings back so many of the jobs that were put aside, the first ones.
    pub fn unpark(&mut self, limit: usize, most: usize) -> usize {
        let mut back: Vec<Item> = Vec::with_capacity(most);
        while back.len() < most {
            let Some((_, item)) = self.parked[limit].pop_first() else { break };
            back.push(item);
        }
        for item in back.iter().rev() {
            let bucket = self.jobs.get(item.job as usize).map(Job::bucket);
            bucket.into_iter().for_each(|bucket| self.push_front(bucket, *item));
        }
        back.len()
    }

    pub fn parked(&self, limit: usize) -> usize {
        self.parked[limit].len()
    }

    /// Takes all jobs that were put aside for that limit.
    pub fn drain_parked(&mut self, limit: usize) -> Vec<Item> {
        std::mem::take(&mut self.parked[limit]).into_iter().map(|(_, item)| item).collect()
    }

    /// Makes ready what is due.
    pub fn wake(&mut self, now: Instant) {
        while let Some(Reverse((at, bucket, item))) = self.later.peek().copied() {
            if at > now {
                break;
            }
            self.later.pop();
            let priority = self.priority(item.job);
            self.ready[bucket].at(priority).push_front(item);
        }
    }

    /// When the next one becomes due.
    pub fn next_due(&self) -> Option<Instant> {
        self.later.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Whether nothing waits but what was put aside.
    pub fn is_idle(&self) -> bool {
        self.later.is_empty() && self.ready.iter().all(|line| line.0.is_empty())
    }

    pub fn has_ready(&self, bucket: Bucket) -> bool {
        !self.ready[bucket.index()].0.is_empty()
    }

    /// Whether something like that is ready in a bucket.
    pub fn has_any(&self, bucket: Bucket, is_meant: impl Fn(Item) -> bool) -> bool {
        self.ready[bucket.index()].0.values().flatten().any(|item| is_meant(*item))
    }

    /// Whether something like that waits, but for what was put aside.
    pub fn has(&self, is_meant: impl Fn(Item) -> bool) -> bool {
        let ready = self.ready.iter().flat_map(|line| line.0.values().flatten());
        ready.chain(self.later.iter().map(|Reverse((_, _, item))| item)).any(|item| is_meant(*item))
    }

    /// What comes next in a bucket.
    pub fn peek(&self, bucket: Bucket) -> Option<Item> {
        self.ready[bucket.index()].front()
    }

    pub fn pop(&mut self, bucket: Bucket) -> Option<Item> {
        self.ready[bucket.index()].pop()
    }

    /// Takes everything of one bucket.
    pub fn drain_bucket(&mut self, bucket: Bucket) -> Vec<Item> {
        std::mem::take(&mut self.ready[bucket.index()]).0.into_values().flatten().collect()
    }

    /// Takes everything.
    pub fn drain(&mut self) -> Vec<Item> {
        let mut items: Vec<Item> = Bucket::all().flat_map(|bucket| self.drain_bucket(bucket)).collect();
        items.extend(std::mem::take(&mut self.later).into_iter().map(|Reverse((_, _, item))| item));
        (0..DailyLimit::COUNT).for_each(|limit| items.extend(self.drain_parked(limit)));
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Access, Action, INTUNE_DEVICES};
    use crate::job::{Ids, JobParts};
    use std::time::Duration;

    const BUCKET: Bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };

    fn send(job: u32) -> Item {
        Item { job, step: Step::Send }
    }

    fn jobs(priorities: &[i16]) -> Arc<[Job]> {
        let action = Action::named("retire").unwrap();
        let job = |priority: &i16| {
            let route = action.default_route();
            let (parameters, not_before, note, after) = (None, None, None, None);
            let ids = Ids::new(["a"]);
            let mut job = Job::new(JobParts { row: 1, action, route, ids, parameters, not_before, note, after });
            job.priority = *priority;
            job
        };
        priorities.iter().map(job).collect()
    }

    #[test]
    fn urgent_jobs_come_first_and_others_in_their_order() {
        let mut queues = Queues::new(jobs(&[0, 5, 0, -1, 5]));
        (0..5).for_each(|job| queues.push_back(BUCKET, send(job)));
        queues.park(0, send(9));
        let order: Vec<_> = std::iter::from_fn(|| queues.pop(BUCKET)).map(|item| item.job).collect();
        assert_eq!(order, [1, 4, 0, 2, 3]);
        assert!(queues.is_idle());
        [3, 2, 4, 0].into_iter().for_each(|job| queues.park(0, send(job)));
        assert_eq!((queues.unpark(0, 2), queues.parked(0)), (2, 3));
        assert_eq!((queues.pop(BUCKET), queues.pop(BUCKET)), (Some(send(4)), Some(send(0))));
        assert_eq!(queues.drain(), [send(2), send(9), send(3)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_comes_before_what_has_not_been_tried() {
        let now = Instant::now();
        let mut queues = Queues::new(jobs(&[0; 4]));
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
