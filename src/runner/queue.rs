//! What waits to be sent: for each bucket the jobs whose target was just checked and those that are ready, and what is due later.
//!
//! In: [`Item`]s. Out: the next one of a bucket, and the instant at which a later one becomes ready. A waiting job is
//! one small entry here and nothing else: no task, no timer. Must not: know gates or answers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::job_state::Item;
use crate::catalog::Bucket;
use crate::job::Job;

/// Where in a bucket something waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Its target was read a moment ago. This lane comes first, so that the send follows at once.
    Checked,
    /// It was sent or checked before, or is read: it comes before what is new, which the breaker may keep back.
    Begun,
    Ready,
}

impl Lane {
    pub(super) const ALL: [Self; 3] = [Self::Checked, Self::Begun, Self::Ready];
}

/// All waiting jobs.
#[derive(Debug)]
pub(super) struct Queues {
    jobs: Arc<[Job]>,
    begun: Vec<Line>,
    ready: Vec<Line>,
    checked: Vec<VecDeque<u32>>,
    later: BinaryHeap<Reverse<(Instant, usize, Item)>>,
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
    pub(super) fn new(jobs: Arc<[Job]>) -> Self {
        let (ready, checked) = (vec![Line::default(); Bucket::COUNT], vec![VecDeque::new(); Bucket::COUNT]);
        Self { jobs, begun: ready.clone(), ready, checked, later: BinaryHeap::new() }
    }

    fn priority(&self, job: u32) -> i16 {
        self.jobs.get(job as usize).map_or(0, |job| job.priority)
    }

    fn line(&mut self, bucket: usize, has_begun: bool, job: u32) -> &mut VecDeque<Item> {
        let priority = self.priority(job);
        let lines = if has_begun { &mut self.begun } else { &mut self.ready };
        lines[bucket].at(priority)
    }

    /// Behind everything in the bucket that is as urgent.
    pub(super) fn push_back(&mut self, bucket: Bucket, item: Item) {
        self.line(bucket.index(), false, item.job).push_back(item);
    }

    /// Before everything in the bucket that is as urgent: it had its turn already. `has_begun`: this process has sent it or
    /// checked its target.
    pub(super) fn push_front(&mut self, bucket: Bucket, item: Item, has_begun: bool) {
        self.line(bucket.index(), has_begun, item.job).push_front(item);
    }

    pub(super) fn push_later(&mut self, at: Instant, bucket: Bucket, item: Item) {
        self.later.push(Reverse((at, bucket.index(), item)));
    }

    /// Behind everything in the bucket whose target was checked.
    pub(super) fn push_checked(&mut self, bucket: Bucket, job: u32) {
        self.checked[bucket.index()].push_back(job);
    }

    /// Takes a job out whose check is too old.
    pub(super) fn take_checked(&mut self, bucket: Bucket, job: u32) {
        self.checked[bucket.index()].retain(|other| *other != job);
    }

    /// How many jobs of a bucket are checked and wait for their place.
    pub(super) fn checked(&self, bucket: Bucket) -> usize {
        self.checked[bucket.index()].len()
    }

    /// All jobs that are checked and wait for their place.
    pub(super) fn all_checked(&self) -> impl Iterator<Item = u32> {
        self.checked.iter().flatten().copied()
    }

    /// Makes ready what is due, and says what that is.
    pub(super) fn wake(&mut self, now: Instant, has_begun: impl Fn(u32) -> bool) -> Vec<Item> {
        let mut woken = Vec::new();
        while let Some(Reverse((at, bucket, item))) = self.later.peek().copied() {
            if at > now {
                break;
            }
            self.later.pop();
            self.line(bucket, has_begun(item.job), item.job).push_front(item);
            woken.push(item);
        }
        woken
    }

    /// When the next one becomes due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.later.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Whether nothing waits here.
    pub(super) fn is_idle(&self) -> bool {
        self.later.is_empty() && !Bucket::all().any(|bucket| self.has_waiting(bucket))
    }

    /// Whether something of a bucket waits for its gate.
    pub(super) fn has_waiting(&self, bucket: Bucket) -> bool {
        let is_empty = |lines: &[Line]| lines[bucket.index()].0.is_empty();
        !is_empty(&self.ready) || !is_empty(&self.begun) || self.checked(bucket) > 0
    }

    /// Whether something like that is ready in a bucket.
    pub(super) fn has_any(&self, bucket: Bucket, is_meant: impl Fn(Item) -> bool) -> bool {
        let mut lines = [&self.begun, &self.ready].into_iter().flat_map(|lines| lines[bucket.index()].0.values());
        lines.any(|items| items.iter().any(|item| is_meant(*item)))
    }

    /// Whether something like that is ready, or due later.
    pub(super) fn has(&self, is_meant: impl Fn(Item) -> bool) -> bool {
        let ready = self.begun.iter().chain(&self.ready).flat_map(|line| line.0.values().flatten());
        ready.chain(self.later.iter().map(|Reverse((_, _, item))| item)).any(|item| is_meant(*item))
    }

    /// What comes next in a lane.
    pub(super) fn peek(&self, bucket: Bucket, lane: Lane) -> Option<Item> {
        match lane {
            Lane::Checked => self.checked[bucket.index()].front().map(|job| Item::send(*job)),
            Lane::Begun => self.begun[bucket.index()].front(),
            Lane::Ready => self.ready[bucket.index()].front(),
        }
    }

    pub(super) fn pop(&mut self, bucket: Bucket, lane: Lane) -> Option<Item> {
        match lane {
            Lane::Checked => self.checked[bucket.index()].pop_front().map(Item::send),
            Lane::Begun => self.begun[bucket.index()].pop(),
            Lane::Ready => self.ready[bucket.index()].pop(),
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.begun.fill(Line::default());
        self.ready.fill(Line::default());
        self.checked.iter_mut().for_each(VecDeque::clear);
        self.later.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Access, Action, INTUNE_DEVICES};
    use crate::job::{Ids, JobParts};
    use std::time::Duration;

    const BUCKET: Bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };

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
        (0..5).for_each(|job| queues.push_back(BUCKET, Item::send(job)));
        let order: Vec<_> = std::iter::from_fn(|| queues.pop(BUCKET, Lane::Ready)).map(|item| item.job).collect();
        assert_eq!(order, [1, 4, 0, 2, 3]);
        assert!(queues.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_comes_before_what_has_not_been_tried() {
        let now = Instant::now();
        let mut queues = Queues::new(jobs(&[0; 4]));
        queues.push_back(BUCKET, Item::send(1));
        queues.push_later(now + Duration::from_secs(2), BUCKET, Item::send(2));
        queues.push_later(now + Duration::from_secs(1), BUCKET, Item::send(3));
        assert_eq!(queues.next_due(), Some(now + Duration::from_secs(1)));
        assert_eq!(queues.wake(now + Duration::from_secs(1), |_| false), [Item::send(3)]);
        assert_eq!(queues.pop(BUCKET, Lane::Ready), Some(Item::send(3)));
        assert_eq!(queues.pop(BUCKET, Lane::Ready), Some(Item::send(1)));
        assert_eq!(queues.pop(BUCKET, Lane::Ready), None);
        assert_eq!(queues.wake(now + Duration::from_secs(2), |_| false), [Item::send(2)]);
        queues.clear();
        assert!(queues.is_idle());
    }
}
