//! Does what the policies want, and holds the invariants.
//!
//! In: commands. Out: jobs that move, settlements, words to the journal and to the screen. Must not: decide.
//!
//! A command that would break an invariant is not carried out: its job settles as what it may be, and a debug build says so aloud.

use std::time::Duration;

use tokio::time::Instant;

use super::road::Away;
use super::state::Dispatcher;
use crate::catalog::{Bucket, Repeat};
use crate::journal::Rival;
use crate::outcome::{Ending, FollowUp, Outcome, Standing};
use crate::pacing::Throttled;
use crate::runner::dialogue::{Admission, Announcement, Command, Door, Happened, JournalEntry, QueuePlace, Times};
use crate::runner::event::{Event, StopReason};
use crate::runner::job_state::{BeingRead, Item, JobState, NextRequest, WaitsFor};
use crate::runner::mailbox::News;
use crate::runner::run::Approved;

impl Dispatcher {
    /// Does all that was asked for, and all that follows from it. Whether there was anything.
    pub(super) fn apply_all(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(command) = self.then.next() {
            any = true;
            self.apply(command, now);
        }
        any
    }

    fn apply(&mut self, command: Command, now: Instant) {
        match command {
            Command::Queue(item, place) => self.queue(item, place, now),
            Command::Later { item, after, reason } => self.later(item, after, reason, now),
            Command::LetIn(item) => self.let_in(item, now),
            Command::Wait(item, waits_for) => self.waits(item, waits_for),
            Command::Settle(job, ending) => self.settle(job, ending, now),
            Command::Watch(job) => self.watch(job),
            Command::Show(job, seen) => self.show(job, seen, now),
            Command::Remark(job, words) => self.ledger.remark(job, &words),
            Command::NotATry(job) => self.ledger.progress_mut(job).not_a_try(),
            Command::NeverSent(job) => self.ledger.progress_mut(job).never_sent(),
            Command::NoDoubt(job) => self.ledger.progress_mut(job).doubt = None,
            Command::Spare(job) => self.spare(job, now),
            Command::WithdrawAll => self.withdraw_all(None, now),
            Command::Pause { bucket, asked, crowded, times } => {
                self.pause(bucket, Throttled { asked, crowded, sent: times.sent, now: times.now });
            }
            Command::HostAway { reason, times } => self.host_away(&reason, times, now),
            Command::Stop(reason) => self.stop(reason, now),
            Command::Write(entry) => self.write(entry),
            Command::Tell(event) => self.tell(event),
            Command::Announce(Announcement::ReadBack(read)) => self.hear(&Happened::ReadBack(&read), now),
            Command::Announce(announcement) => self.hear(&Happened::Announced(&announcement), now),
        }
    }

    /// Whether an invariant holds. Where one does not, nothing is sent.
    pub(super) fn holds(&self, invariant: bool, job: u32, what: &'static str) -> bool {
        debug_assert!(invariant, "job {job}: {what}");
        if !invariant {
            tracing::error!(job, what, "an invariant of the runner does not hold");
        }
        invariant
    }

    /// Into a queue, or out of the run if that is ending.
    fn queue(&mut self, item: Item, place: QueuePlace, now: Instant) {
        if self.ledger.state(item.job).is_settled() {
            return;
        }
        if self.stopped.is_some() {
            return self.leave(item, now);
        }
        let may_be_repeated = self.jobs[item.job as usize].action.repeat == Repeat::Harmless;
        let in_doubt = self.view(now).is_in_doubt(item.job);
        let is_safe = item.next != NextRequest::Send || may_be_repeated || !in_doubt;
        if !self.holds(is_safe, item.job, "what may not be repeated is not sent while it is in doubt") {
            return self.settle(item.job, Ending::settled(Outcome::Unknown, None), now);
        }
        self.put(item, place, now);
    }

    pub(super) fn put(&mut self, item: Item, place: QueuePlace, now: Instant) {
        let bucket = self.view(now).bucket_of(item);
        if self.ledger.state(item.job) == JobState::Checked {
            self.queues.take_checked(self.jobs[item.job as usize].bucket(), item.job);
        }
        let state = match place {
            QueuePlace::Back => {
                self.queues.push_back(bucket, item);
                JobState::Queued(item.next)
            }
            QueuePlace::Front => {
                let has_begun = self.ledger.is_at_risk(item.job);
                self.queues.push_front(bucket, item, has_begun);
                JobState::Queued(item.next)
            }
            QueuePlace::Checked => {
                self.queues.push_checked(bucket, item.job);
                JobState::Checked
            }
        };
        self.ledger.moves(item.job, state);
    }

    fn later(&mut self, item: Item, after: Duration, reason: Box<str>, now: Instant) {
        if self.stopped.is_some() {
            return self.leave(item, now);
        }
        let job = &self.jobs[item.job as usize];
        tracing::info!(row = job.row, target = job.target(), delay_ms = after.as_millis() as u64, %reason, "will be tried again");
        self.tell(Event::Retrying { job: item.job, delay: after, reason });
        self.put_off(item, now + after, now);
    }

    /// It waits for its turn until then.
    pub(super) fn put_off(&mut self, item: Item, at: Instant, now: Instant) {
        let bucket = self.view(now).bucket_of(item);
        self.queues.push_later(at, bucket, item);
        self.waits(item, WaitsFor::Time);
    }

    fn waits(&mut self, item: Item, waits_for: WaitsFor) {
        if !self.ledger.state(item.job).is_settled() {
            self.ledger.moves(item.job, JobState::Waiting(waits_for, item.next));
        }
    }

    /// To the end of its queue, if no policy keeps it out.
    fn let_in(&mut self, item: Item, now: Instant) {
        if self.ledger.state(item.job).is_settled() {
            return;
        }
        match self.admission(item, Door::Queue, now) {
            Admission::Go | Admission::First(_) | Admission::Wait => self.queue(item, QueuePlace::Back, now),
            other => self.turn_away(item, other, now),
        }
    }

    /// What the strictest policy says of a job at a door.
    pub(super) fn admission(&mut self, item: Item, door: Door, now: Instant) -> Admission {
        self.ask_policies(now, |policies, view| {
            let said = policies.iter_mut().map(|policy| policy.admit(item, door, view));
            said.fold(Admission::Go, Admission::and)
        })
    }

    /// A job that does not pass a door, and does not wait before it.
    pub(super) fn turn_away(&mut self, item: Item, admission: Admission, now: Instant) {
        match admission {
            Admission::Aside(waits_for) => {
                self.waits(item, waits_for);
                self.hear(&Happened::PutAside { item, waits_for }, now);
            }
            Admission::Hold(why) => {
                let in_doubt = self.view(now).is_in_doubt(item.job);
                self.settle(item.job, why.unless_in_doubt(in_doubt), now);
            }
            Admission::Drop => self.ledger.moves(item.job, JobState::Settled(BeingRead::No)),
            Admission::Go | Admission::First(_) | Admission::Wait => self.queue(item, QueuePlace::Front, now),
        }
    }

    /// Settles a job, once.
    pub(super) fn settle(&mut self, job: u32, ending: Ending, now: Instant) {
        let approved = self.ledger.progress(job).and_then(|progress| progress.approved.clone());
        let ending = match approved {
            Some(approved) => ending_of_approved(&approved, self.view(now).is_approved(job), ending),
            None => ending,
        };
        if self.ledger.state(job) == JobState::Checked {
            self.queues.take_checked(self.jobs[job as usize].bucket(), job);
        }
        let settled = self.ledger.settle(job, ending, now);
        self.holds(settled.is_some(), job, "a job settles once");
        let Some(settled) = settled else { return };
        if let (Some(journal), Some(settlement)) = (&self.records.journal, self.ledger.settlement(job)) {
            journal.settled(job, settlement);
        }
        self.tell(Event::Settled { job, outcome: settled.outcome });
        let (outcome, counted, sent_here) = (settled.outcome, settled.counted, settled.sent_here);
        self.hear(&Happened::Settled { job, outcome, counted, sent_here }, now);
    }

    fn watch(&mut self, job: u32) {
        if self.stopped.is_none() && self.ledger.state(job) == JobState::Settled(BeingRead::No) {
            self.ledger.moves(job, JobState::Settled(BeingRead::Queued));
            let bucket = self.jobs[job as usize].read_bucket();
            self.queues.push_back(bucket, Item { job, next: NextRequest::FollowUp });
        }
    }

    fn show(&mut self, job: u32, seen: FollowUp, now: Instant) {
        let stage = seen.stage;
        let seen = FollowUp { read_at: self.clock.at(now), ..seen };
        let Some((settlement, sent_here)) = self.ledger.follow_up(job, seen) else {
            return;
        };
        if let Some(journal) = &self.records.journal {
            journal.followed_up(job, settlement);
        }
        self.tell(Event::FollowedUp { job, stage });
        self.hear(&Happened::Shown { job, stage, sent_here }, now);
    }

    /// It waits for another day, and goes wrong on none until then.
    fn spare(&mut self, job: u32, now: Instant) {
        let progress = self.ledger.progress_mut(job);
        if !progress.is_in_doubt() && std::mem::replace(&mut progress.at_risk, false) {
            self.hear(&Happened::Spared { job }, now);
        }
    }

    fn pause(&mut self, bucket: Bucket, answer: Throttled) {
        let now = answer.now;
        if let Some(pause) = self.road.gates.throttled(bucket, answer, &mut self.rng) {
            self.tell(Event::Paused { bucket, pause, until: self.clock.at(now + pause) });
            // What has passed the gate and has not left waits as well.
            self.withdraw_all(Some(bucket), now);
        }
    }

    fn host_away(&mut self, reason: &str, times: Times, now: Instant) {
        match self.road.host_away(times, &mut self.rng) {
            Away::Known => {}
            Away::Pausing(delay) => self.tell(Event::Unreachable { delay, message: reason.into() }),
            Away::Lost => self.stop(StopReason::Unreachable(reason.into()), now),
        }
    }

    fn write(&self, entry: JournalEntry) {
        let Some(journal) = &self.records.journal else { return };
        match entry {
            JournalEntry::GiveBack(client_request_id) => journal.give_back(&client_request_id),
            JournalEntry::Pause(take, used_up) => journal.pause(take, used_up),
            JournalEntry::Filed { job, attempt, request } => journal.filed(job, attempt, &request),
            JournalEntry::Seen(job) => journal.shown(job, self.jobs[job as usize].action.target),
            JournalEntry::Rival { job, question, answer } => {
                let told = move |rival: Option<Rival>| answer.answer(News::Rival(job, Ok(rival)));
                journal.rival(job, *question, Box::new(told));
            }
        }
    }
}

/// An approved job that was not sent after all, or whose target could not be read, waits as it did before. One that has
/// gone well says under which request. `as_before`: nothing of it is in doubt.
fn ending_of_approved(approved: &Approved, as_before: bool, ending: Ending) -> Ending {
    let Approved { request, ended, .. } = approved;
    if let Some(ended) = ended {
        return ending.after(format!("approval request {} is {}", request.code, ended.name()));
    }
    if ending.outcome().standing() == Standing::Good {
        return ending.after(format!("approval request {} was approved", request.code));
    }
    let not_sent = ending.outcome().has_a_cause() || ending.outcome() == Outcome::Unknown;
    match not_sent && as_before {
        false => ending,
        true => {
            let why = ending.note().unwrap_or("it was not sent");
            Ending::settled(Outcome::AwaitingApproval, Some(format!("{request}; {why}")))
        }
    }
}
