//! From a queue through a gate to the wire: an attempt is recorded first, and leaves as soon as a worker is free.
//!
//! In: jobs that the policies admit. Out: tasks to idle workers. Must not: let anything past its gate, or let an attempt leave whose
//! record is not durable.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::records::Draft;
use super::state::Dispatcher;
use crate::catalog::Bucket;
use crate::outcome::{Cause, Ending, Outcome, Reply, RequestId, Since, Stamp, Verdict};
use crate::pacing::Wait;
use crate::runner::dialogue::{Admission, Command, Door, Happened, QueuePlace};
use crate::runner::event::{Event, StopReason};
use crate::runner::job_state::{BeingRead, Item, JobState, NextRequest};
use crate::runner::queue::Lane;
use crate::runner::worker::{AttemptRecord, RecordedTask, Task};

impl Dispatcher {
    /// Lets out what gates let through. Returns when a gate opens, or something becomes due.
    pub(super) fn dispatch(&mut self, now: Instant) -> Option<Instant> {
        let mut wakes = Vec::new();
        match self.road.closed_until(now) {
            Some(until) => wakes.extend(Bucket::all().any(|bucket| self.queues.has_waiting(bucket)).then_some(until)),
            None => Bucket::all().for_each(|bucket| wakes.extend(self.dispatch_bucket(bucket, now))),
        }
        wakes.extend(self.queues.next_due());
        wakes.into_iter().min()
    }

    /// When a policy wants to hear of the time.
    pub(super) fn next_wish(&self, now: Instant) -> Option<Instant> {
        let view = self.view(now);
        self.policies.iter().filter_map(|policy| policy.wake(&view)).min()
    }

    fn dispatch_bucket(&mut self, bucket: Bucket, now: Instant) -> Option<Instant> {
        let mut wake = None;
        while self.has_place(NextRequest::Send) || self.has_place(NextRequest::Check) {
            match self.one_of(bucket, now) {
                BucketTurn::Done => {}
                BucketTurn::Until(at) => {
                    wake = at;
                    break;
                }
            }
        }
        if let Some(permille) = self.road.gates.news(bucket) {
            self.tell(Event::Paced { bucket, permille });
        }
        wake
    }

    fn has_place(&self, next: NextRequest) -> bool {
        self.road.has_place(next, self.ledger.traffic(), self.pool.size())
    }

    /// Does one thing for a bucket, if policies and gates let it.
    fn one_of(&mut self, bucket: Bucket, now: Instant) -> BucketTurn {
        let mut wake: Option<Instant> = None;
        for lane in Lane::ALL {
            let Some(item) = self.next_in(bucket, lane) else { continue };
            let next = match self.admission(item, Door::Gate, now) {
                Admission::Wait => continue,
                Admission::Go => item.next,
                Admission::First(next) => next,
                other => {
                    self.take(bucket, lane, now);
                    self.turn_away(item, other, now);
                    self.apply_all(now);
                    return BucketTurn::Done;
                }
            };
            if !self.has_place(next) {
                continue;
            }
            // Nothing is checked while nothing can be sent; the gate says how long that is.
            let gate = match next {
                NextRequest::Check if !self.road.gates.is_paused(bucket, now) => {
                    self.jobs[item.job as usize].read_bucket()
                }
                _ => bucket,
            };
            match self.road.gates.pass(gate, now) {
                Ok(()) => {
                    self.take(bucket, lane, now);
                    self.let_out(Item { next, ..item }, bucket, gate, now);
                }
                Err(Wait::Until(at)) => {
                    wake = Some(wake.map_or(at, |wake| wake.min(at)));
                    continue;
                }
                Err(Wait::Closed { asked }) => {
                    self.take(bucket, lane, now);
                    self.close(item, gate, asked, now);
                }
            }
            self.apply_all(now);
            return BucketTurn::Done;
        }
        BucketTurn::Until(wake)
    }

    /// What comes next in a lane. What has settled meanwhile, or waits elsewhere, has left only its entry here.
    fn next_in(&mut self, bucket: Bucket, lane: Lane) -> Option<Item> {
        loop {
            let item = self.queues.peek(bucket, lane)?;
            let is_there = match (self.ledger.state(item.job), lane) {
                (JobState::Checked, Lane::Checked) => true,
                (JobState::Queued(next), Lane::Begun | Lane::Ready) => next == item.next,
                (JobState::Settled(BeingRead::Queued), Lane::Ready) => item.next == NextRequest::FollowUp,
                _ => false,
            };
            if is_there {
                return Some(item);
            }
            self.queues.pop(bucket, lane);
        }
    }

    fn take(&mut self, bucket: Bucket, lane: Lane, now: Instant) {
        if let Some(item) = self.queues.pop(bucket, lane) {
            let state = match item.next {
                NextRequest::FollowUp => JobState::Settled(BeingRead::No),
                _ => JobState::InHand,
            };
            self.ledger.moves(item.job, state);
            self.hear(&Happened::Taken(item), now);
        }
    }

    /// A gate was told to wait beyond reason: what stands before it settles.
    fn close(&mut self, item: Item, gate: Bucket, asked: Duration, now: Instant) {
        let why = Cause::ServiceSaidWait.with(format!("{gate} to wait {} s", asked.as_secs()));
        if item.next == NextRequest::FollowUp {
            return self.hear(&Happened::NotFollowed { job: item.job, why: why.note() }, now);
        }
        self.turn_away(item, Admission::Hold(why), now);
    }

    /// `gate`: the bucket whose gate has let it through; its own, or that of its check.
    fn let_out(&mut self, item: Item, bucket: Bucket, gate: Bucket, now: Instant) {
        if !self.passes_second_gate(item, bucket, now) {
            return self.road.gates.never_left(gate);
        }
        let first = matches!(item.next, NextRequest::Check | NextRequest::Send)
            && !std::mem::replace(&mut self.ledger.progress_mut(item.job).at_risk, true);
        match item.next {
            NextRequest::Send => self.record(item.job, now),
            _ => self.send_read(item, now),
        }
        self.hear(&Happened::LetOut { item, first }, now);
    }

    /// Some reads need a place of a second bucket, or a second one of theirs; without one the job waits for both.
    fn passes_second_gate(&mut self, item: Item, bucket: Bucket, now: Instant) -> bool {
        let reads = self.jobs[item.job as usize].read_bucket();
        let (passes, back) = match item.next {
            NextRequest::Check if self.takes_two(item.job) => {
                (self.road.gates.pass_along(reads, now), Item::send(item.job))
            }
            // The read before an approved send takes its turn among the writes, and heeds the gate of the reads all the same.
            NextRequest::ReadBack { .. } if bucket != reads => (self.road.gates.pass(reads, now), item),
            _ => return true,
        };
        match passes {
            Ok(()) => {
                if bucket != reads && item.next != NextRequest::Check {
                    // The place among the writes is free again.
                    self.road.gates.never_left(bucket);
                }
                return true;
            }
            Err(Wait::Until(at)) => self.put_off(back, at, now),
            // The next one to ask closes it.
            Err(Wait::Closed { .. }) if item.next == NextRequest::Check => self.put(back, QueuePlace::Front, now),
            Err(Wait::Closed { asked }) => {
                let note = format!("the service asked {reads} to wait {} s", asked.as_secs());
                let ending = Ending::settled(Outcome::Unknown, Some(note));
                self.settle(item.job, ending, now);
            }
        }
        false
    }

    /// Whether the check of that job's target takes two reads: of the user, and of all their devices.
    pub(super) fn takes_two(&self, job: u32) -> bool {
        let job = &self.jobs[job as usize];
        job.action.on_all_devices && self.road.gates.has_two_left(job.read_bucket())
    }

    fn send_read(&mut self, item: Item, now: Instant) {
        let (job, wall, client_request_id) = (item.job, self.clock.at(now), self.fresh_id());
        let state = if item.next == NextRequest::FollowUp {
            JobState::Settled(BeingRead::Out)
        } else {
            JobState::Out(item.next)
        };
        self.ledger.moves(job, state);
        self.pool.push_read(match item.next {
            NextRequest::Check => Task::Check { job, client_request_id },
            NextRequest::Find { at } if usize::from(at) < self.jobs[job as usize].route.ids.len() => {
                Task::Find { job, at, client_request_id }
            }
            NextRequest::FollowUp => {
                let since =
                    self.ledger.settlement(job).and_then(|settled| settled.started_at).map_or(wall, Stamp::time);
                Task::FollowUp { job, since, client_request_id }
            }
            NextRequest::ReadBack { .. } | NextRequest::Find { .. } | NextRequest::Send => {
                let doubt = self.ledger.progress(job).and_then(|progress| progress.doubt);
                let since = doubt.map_or(Since::by_this_clock(wall), |doubt| doubt.since);
                Task::ReadBack { job, since, client_request_id }
            }
        });
    }

    /// Has an attempt recorded, if a daily limit leaves something for it.
    fn record(&mut self, job: u32, now: Instant) {
        let (sent_at, client_request_id) = (self.clock.at(now), self.fresh_id());
        let take = self.ask_policies(now, |policies, view| {
            let taken = policies.iter_mut().map(|policy| policy.take(job, view));
            taken.reduce(|one, other| if matches!(one, Ok(None)) { other } else { one }).unwrap_or(Ok(None))
        });
        let progress = self.ledger.progress_mut(job);
        let number = progress.recorded;
        progress.sent(sent_at);
        self.ledger.moves(job, JobState::BeingRecorded { outdated: false });
        self.records.record(Draft { task: Task::Attempt { job, client_request_id }, number, sent_at, take });
    }

    fn fresh_id(&mut self) -> RequestId {
        let bytes = std::array::from_fn(|_| self.rng.u8(..));
        uuid::Builder::from_random_bytes(bytes).into_uuid().into()
    }

    /// An attempt comes back from the journal.
    pub(super) fn recorded(&mut self, recorded: RecordedTask) {
        let (RecordedTask { task, record }, now) = (recorded, Instant::now());
        let job = task.job();
        let is_outdated = self.ledger.state(job) == JobState::BeingRecorded { outdated: true };
        match record {
            AttemptRecord::Durable if self.stopped.is_some() || is_outdated => self.withdraw(&task, now),
            AttemptRecord::Durable => {
                self.ledger.moves(job, JobState::Recorded);
                self.pool.push(task);
            }
            AttemptRecord::TurnedAway(why) => {
                self.never_left(&task);
                self.ledger.progress_mut(job).turned_away();
                self.hear(&Happened::TurnedAway { job, why: &why }, now);
            }
            AttemptRecord::Lost => {
                self.take_back(&task, now);
                self.stop(StopReason::Journal("its writer has ended".into()), now);
            }
        }
        self.apply_all(now);
    }

    /// Gives tasks to idle workers, in their order.
    pub(super) fn hand_out(&mut self, now: Instant) {
        while let Some(task) = self.pool.next() {
            let (job, is_attempt) = (task.job(), matches!(task, Task::Attempt { .. }));
            if is_attempt {
                let is_recorded = self.ledger.state(job) == JobState::Recorded;
                if !self.holds(is_recorded, job, "nothing leaves without a durable record") {
                    return;
                }
                // It may have waited for a worker for longer than what the policies have said holds.
                match self.admission(Item::send(job), Door::Wire, now) {
                    Admission::Go => {}
                    // Back to its gate, where it is held.
                    Admission::Hold(_) => {
                        if let Some(task) = self.pool.take_next() {
                            self.withdraw(&task, now);
                        }
                        self.apply_all(now);
                        continue;
                    }
                    _ => return,
                }
            }
            if self.pool.give_next().is_some() && is_attempt {
                self.ledger.moves(job, JobState::Out(NextRequest::Send));
                self.ledger.has_left(job);
                self.tell(Event::Sent { job, bucket: self.jobs[job as usize].bucket() });
            }
        }
    }

    /// Takes back every attempt that is recorded and has not left; of one bucket, where one is named.
    pub(super) fn withdraw_all(&mut self, bucket: Option<Bucket>, now: Instant) {
        if self.ledger.traffic().ahead == 0 {
            return;
        }
        let jobs = Arc::clone(&self.jobs);
        let is_meant = |job: u32| bucket.is_none_or(|bucket| jobs[job as usize].bucket() == bucket);
        for task in self.pool.take_attempts() {
            match is_meant(task.job()) {
                true => self.withdraw(&task, now),
                false => self.pool.push(task),
            }
        }
        let being_recorded =
            |(job, state): &(u32, JobState)| matches!(state, JobState::BeingRecorded { .. }) && is_meant(*job);
        let outdated = self.ledger.states_under_way().filter(being_recorded).map(|(job, _)| job);
        let outdated: Vec<u32> = outdated.collect();
        for job in outdated {
            self.ledger.moves(job, JobState::BeingRecorded { outdated: true });
        }
    }

    /// What is recorded and will not leave: the journal is told that nothing did.
    fn withdraw(&mut self, task: &Task, now: Instant) {
        if let Task::Attempt { job, client_request_id } = task {
            let reply = Reply::none(Verdict::Unreachable, "it never left", client_request_id.clone());
            let number = self.ledger.progress_mut(*job).recorded.saturating_sub(1);
            if let Some(journal) = &self.records.journal {
                journal.answer(*job, number, self.clock.at(now), &reply);
            }
            self.hear(&Happened::Withdrawn { job: *job, client_request_id }, now);
        }
        self.take_back(task, now);
    }

    /// What nobody performs is as if it had never been let through.
    fn take_back(&mut self, task: &Task, now: Instant) {
        let job = task.job();
        self.never_left(task);
        self.ledger.progress_mut(job).never_sent();
        let next = self.view(now).way_to_send(job);
        self.then.push(Command::send(job, next));
    }

    fn never_left(&mut self, task: &Task) {
        let job = task.job();
        self.ledger.moves(job, JobState::InHand);
        self.road.gates.never_left(self.jobs[job as usize].bucket());
    }
}

/// What came of a bucket's turn.
enum BucketTurn {
    Done,
    /// Nothing can be done before that.
    Until(Option<Instant>),
}
