//! From a gate to the wire: an attempt is recorded first, and leaves as soon as a worker is free.
//!
//! In: jobs that a gate has let through. Out: tasks to idle workers. Must not: let an attempt leave whose record is not
//! durable.
//!
//! A commit takes as long as many an answer. Where nothing is paced, the next attempts are recorded while the last ones
//! are out, so that disk and network are at work at the same time.

use jiff::Timestamp;
use tokio::time::Instant;

use super::super::event::{Event, StopReason};
use super::super::queue::Step;
use super::super::worker::{Record, Recorded, Slip, Task};
use super::Dispatcher;
use crate::guard::contradictions::may_follow;
use crate::journal::{Attempt, TurnedAway};
use crate::outcome::{Cause, Outcome, Reply, RequestId, Since, Stamp, Unsent, Verdict};
use crate::pacing::Pacing;

impl Dispatcher {
    /// Whether not so many are out that more would only queue up.
    pub(super) fn may_send_more(&self) -> bool {
        let out = self.crowd.size().min(self.workers.len());
        // A gate counts an attempt when it lets it through: where there is a pace, what is through must not wait for a worker.
        let ahead = if self.gates.pacing() == Pacing::Off { out } else { 0 };
        self.in_flight.len() < out + ahead
    }

    /// What a gate has let through is on its way.
    pub(super) fn leave_by(&mut self, job: u32, step: Step, now: Timestamp) {
        let client_request_id = self.fresh_id();
        self.ready.push_back(match step {
            Step::Send => return self.record(job, client_request_id, now),
            Step::Look => Task::Look { job, client_request_id },
            Step::Find { at } if usize::from(at) < self.jobs[job as usize].route.ids.len() => {
                Task::Find { job, at, client_request_id }
            }
            Step::ReadBack { .. } | Step::Find { .. } => {
                let doubt = self.ledger.progress(job).doubt;
                let since = doubt.map_or(Since::by_this_clock(now), |doubt| doubt.since);
                Task::ReadBack { job, since, client_request_id }
            }
            Step::FollowUp => {
                let since = self.ledger.settlement(job).and_then(|settled| settled.started_at).map_or(now, Stamp::time);
                Task::FollowUp { job, since, client_request_id }
            }
        });
    }

    /// Has an attempt recorded, if its daily limit has room.
    fn record(&mut self, job: u32, client_request_id: RequestId, now: Timestamp) {
        let take = self.left_today.take_for(&self.jobs[job as usize]);
        let progress = self.ledger.progress(job);
        let number = progress.recorded;
        progress.sent(now);
        if take.is_some() {
            self.left_today.ask(job);
        }
        self.being_recorded += 1;
        let slip =
            Slip::new(Task::Attempt { job, client_request_id: client_request_id.clone() }, self.recording.clone());
        match &self.journal {
            Some(journal) => {
                let release = Box::new(|room| slip.come_back(room));
                journal.attempt(Attempt { job, number, client_request_id, sent_at: now, take, may_follow, release });
            }
            None => slip.come_back(self.left_today.take(job, take, now).map_err(TurnedAway::UsedUp)),
        }
    }

    /// An attempt comes back from the journal.
    pub(super) fn recorded(&mut self, recorded: Recorded) {
        let Recorded { task, record } = recorded;
        self.being_recorded -= 1;
        match record {
            Record::Durable if self.stopped.is_some() || self.guards.outdated.remove(&task.job()) => {
                self.withdraw(&task)
            }
            Record::Durable => self.ready.push_back(task),
            Record::TurnedAway(TurnedAway::UsedUp(used_up)) => {
                let job = self.never_left(&task);
                self.turned_away(job, used_up, Instant::now());
            }
            Record::TurnedAway(TurnedAway::SentBy(run)) => {
                let job = self.never_left(&task);
                self.not_let(job, Cause::SentByAnotherRun.with(run), Instant::now());
            }
            Record::TurnedAway(TurnedAway::Behind(open)) => {
                let job = self.never_left(&task);
                self.not_let(job, Cause::OpenElsewhere.with(open.to_string()), Instant::now());
            }
            Record::Lost => {
                self.take_back(&task);
                self.drain(StopReason::Journal("its writer has ended".into()));
            }
        }
    }

    /// Another run has been there since this one began, and nobody here knows what came of it.
    fn not_let(&mut self, job: u32, why: Unsent, now: Instant) {
        let progress = self.ledger.progress(job);
        progress.turned_away();
        let in_doubt = progress.is_in_doubt();
        self.left_today.is_old_news(job);
        // Its request is still open, and may be completed when the way is free.
        if why.cause() == Cause::OpenElsewhere && self.is_approved(job) {
            return self.settle(job, Outcome::AwaitingApproval, Some(why.note().to_owned()), now);
        }
        self.end(job, why.unless_in_doubt(in_doubt), now);
    }

    /// Gives tasks to idle workers, in their order.
    pub(super) fn hand_out(&mut self) {
        while let Some(task) = self.ready.pop_front() {
            let Some(worker) = self.idle.pop() else {
                self.ready.push_front(task);
                break;
            };
            let (job, is_attempt) = (task.job(), matches!(task, Task::Attempt { .. }));
            // It may have waited for a worker for longer than the guards hold under which it was recorded.
            if is_attempt && !self.guards.hold(Instant::now()) {
                self.ready.push_front(task);
                self.idle.push(worker);
                break;
            }
            if let Err(task) = self.workers[worker].give(task) {
                // It has ended since its last answer.
                self.workers[worker] = (self.start_worker)(worker);
                self.idle.push(worker);
                self.ready.push_front(task);
            } else if is_attempt {
                self.failed.remove(&job);
                self.tell(Event::Sent { job, bucket: self.jobs[job as usize].bucket() });
            }
        }
    }

    /// Takes back every attempt that is recorded and has not left.
    pub(super) fn withdraw_attempts(&mut self) {
        for task in std::mem::take(&mut self.ready) {
            match task {
                Task::Attempt { .. } => self.withdraw(&task),
                _ => self.ready.push_back(task),
            }
        }
    }

    /// What is recorded and will not leave: the journal is told that nothing did.
    fn withdraw(&mut self, task: &Task) {
        let Task::Attempt { job, client_request_id } = task else { return self.take_back(task) };
        let reply = Reply::none(Verdict::Unreachable, "it never left", client_request_id.clone());
        self.settle_with_the_day(*job, &reply);
        let number = self.ledger.progress(*job).recorded.saturating_sub(1);
        if let Some(journal) = &self.journal {
            journal.answer(*job, number, self.clock.at(Instant::now()), &reply);
        }
        self.take_back(task);
    }

    /// What nobody performs is as if it had never been let through.
    fn take_back(&mut self, task: &Task) {
        let now = Instant::now();
        let Some(step) = self.in_flight.get(&task.job()).copied() else { return };
        let job = self.never_left(task);
        if step == Step::Send {
            self.ledger.progress(job).never_sent();
            return self.again(job, self.way_to_send(job), now);
        }
        self.again(job, step, now);
    }

    fn never_left(&mut self, task: &Task) -> u32 {
        let job = task.job();
        self.in_flight.remove(&job);
        let bucket = match task {
            Task::Attempt { .. } => self.jobs[job as usize].bucket(),
            Task::Look { .. } | Task::ReadBack { .. } | Task::FollowUp { .. } | Task::Find { .. } => {
                self.jobs[job as usize].read_bucket()
            }
        };
        self.gates.never_left(bucket);
        job
    }
}
