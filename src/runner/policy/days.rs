//! Jobs for which the day's limit leaves nothing.
//!
//! In: what the daily limits leave ([`crate::daily`]), what the service says of them. Out: jobs put aside and brought back, and, when
//! nothing else is left to do, left for another day. Must not: count; the journal does.

mod parked;
mod witnesses;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use self::parked::Parked;
use self::witnesses::Witnesses;
use crate::catalog::{Action, Bucket, DAILY, DailyLimit};
use crate::daily::{Advice, Ground, LeftToday, Refused, Suspicion, Take, UsedUp, why};
use crate::journal::TurnedAway;
use crate::outcome::{Cause, Effect, Ending, Outcome, RequestId, Verdict};
use crate::runner::dialogue::{
    Admission, Attempted, Command, Door, Happened, JournalEntry, Policy, QueuePlace, Rank, Then, until,
};
use crate::runner::event::Event;
use crate::runner::job_state::{Item, JobState, NextRequest, WaitsFor};
use crate::runner::mailbox::Mailbox;
use crate::runner::run::{LeftBehind, Run};
use crate::runner::view::RunView;

/// Jobs brought back at once. With a window that slides, its places come back one by one; a plan may have a million of them.
const FED: usize = 64;

/// A shorter wait is not written down.
const MOMENT: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn policy(run: &mut Run, _mail: &Mailbox) -> DayPolicy {
    let carried = &mut run.history.carried;
    DayPolicy {
        left_today: LeftToday::new(std::mem::take(&mut run.daily)),
        suspicion: std::mem::take(&mut carried.suspicion),
        witnesses: Witnesses::new(std::mem::take(&mut carried.agreement)),
        parked: Parked::default(),
    }
}

#[derive(Debug)]
pub(super) struct DayPolicy {
    left_today: LeftToday,
    suspicion: Suspicion,
    witnesses: Witnesses,
    parked: Parked,
}

impl Policy for DayPolicy {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        match *happened {
            Happened::Turn => {
                self.open(view, then);
                self.settle_without_witnesses(view.is_stopping(), view, then);
            }
            Happened::Quiet => self.leave_for_another_day(view, then),
            Happened::Stuck => {
                self.settle_without_witnesses(true, view, then);
                self.leave_for_another_day(view, then);
            }
            Happened::PutAside { item, waits_for: WaitsFor::Day(limit) } => {
                self.parked.insert(limit.into(), item, view.job(item.job).priority);
            }
            Happened::Taken(item) => {
                if let Some(limit) = self.left_today.limit_of(view.job(item.job)) {
                    self.left_today.fed[limit] = self.left_today.fed[limit].saturating_sub(1);
                }
            }
            Happened::TurnedAway { job, why: TurnedAway::UsedUp(used_up) } => {
                match self.left_today.is_old_news(job) {
                    true => then.push(Command::Spare(job)),
                    false => self.close(job, *used_up, view, then),
                }
                then.push(Command::send(job, view.way_to_send(job)));
            }
            Happened::TurnedAway { job, .. } => drop(self.left_today.is_old_news(job)),
            Happened::Withdrawn { job, client_request_id } => self.give_back(job, client_request_id, view, then),
            Happened::Attempted(attempted) => self.answered(attempted, view, then),
            Happened::Stopping => self.parked = Parked::default(),
            _ => {}
        }
    }

    fn admit(&mut self, item: Item, door: Door, view: &RunView) -> Admission {
        if door != Door::Gate || !view.is_for_sending(item) {
            return Admission::Go;
        }
        let limit = self.left_today.limit_of(view.job(item.job));
        match limit.filter(|limit| self.left_today.closed(*limit).is_some()) {
            Some(limit) => Admission::Aside(WaitsFor::Day(u8::try_from(limit).unwrap_or(u8::MAX))),
            None => Admission::Go,
        }
    }

    fn take(&mut self, job: u32, view: &RunView) -> Result<Option<Take>, UsedUp> {
        let take = self.left_today.take_for(view.job(job));
        if take.is_some() {
            self.left_today.ask(job);
        }
        if !view.has_journal {
            self.left_today.take(job, take.clone(), view.wall())?;
        }
        Ok(take)
    }

    /// When the next action may go on that something waits for.
    fn wake(&self, view: &RunView) -> Option<Instant> {
        let waiting = (0..DailyLimit::COUNT).filter(|limit| self.parked.count(*limit) > 0);
        let first = waiting.filter_map(|limit| self.left_today.closed(limit)).map(|used_up| used_up.until).min()?;
        Some(view.now + until(first, view.wall()))
    }

    fn leave(self: Box<Self>, left: &mut LeftBehind) {
        left.later = self.left_today.later;
        left.carried.suspicion = self.suspicion;
        left.carried.agreement = self.witnesses.agreement();
    }
}

impl DayPolicy {
    /// Opens the limits of which something is left again, and brings back some of what waits for them.
    fn open(&mut self, view: &RunView, then: &mut Then) {
        self.left_today.open(view.wall());
        for limit in 0..DailyLimit::COUNT {
            self.tell_of(limit, view, then);
            // What came back may have settled without being sent.
            let nothing_is_left = view.ledger.in_flight() == 0 && view.queues.is_idle();
            let hungry = self.left_today.fed[limit] == 0 || nothing_is_left;
            if self.left_today.closed(limit).is_none() && hungry && self.parked.count(limit) > 0 {
                let back = self.parked.take(limit, FED, view);
                self.left_today.fed[limit] = back.len();
                for item in back.into_iter().rev() {
                    then.push(Command::Queue(item, QueuePlace::Front));
                }
            }
        }
    }

    /// Tells that an action waits, once nothing is out any more that may yet leave something of the limit.
    fn tell_of(&mut self, limit: usize, view: &RunView, then: &mut Then) {
        let counted = self.left_today.closed(limit).is_none_or(|closed| closed.ground == Ground::Counted);
        let mut out = view.ledger.under_way().filter(|(_, next)| *next == NextRequest::Send);
        if counted && out.any(|(job, _)| self.left_today.limit_of(view.job(job)) == Some(limit)) {
            return;
        }
        let Some(used_up) = self.left_today.news(limit) else { return };
        let action = DAILY.get(limit).map_or("", |limit| limit.action);
        let reason = why(action, &used_up);
        tracing::info!(%reason, "an action waits");
        let UsedUp { until: at, ground, .. } = used_up;
        then.tell(Event::DayUsedUp { action, wait: until(at, view.wall()), until: at, ground });
    }

    fn close(&mut self, job: u32, used_up: UsedUp, view: &RunView, then: &mut Then) {
        // A job that waits for another day must not keep others from leaving today.
        then.push(Command::Spare(job));
        if let Some(limit) = self.left_today.limit_of(view.job(job)) {
            self.left_today.close(limit, used_up);
        }
    }

    /// What has done nothing has used up nothing.
    fn give_back(&mut self, job: u32, client_request_id: &RequestId, view: &RunView, then: &mut Then) {
        self.left_today.answered(job, view.job(job), true);
        if let Some(limit) = self.left_today.limit_of(view.job(job)) {
            then.push(Command::Write(JournalEntry::GiveBack(client_request_id.clone())));
            self.left_today.reopen(limit);
        }
    }

    fn answered(&mut self, attempted: Attempted, view: &RunView, then: &mut Then) {
        let Attempted { job, reply, .. } = attempted;
        match reply.verdict.effect() {
            Effect::Possible => self.left_today.answered(job, view.job(job), false),
            _ => self.give_back(job, &reply.client_request_id, view, then),
        }
        self.note_what_passes(job, &reply.verdict, view, then);
        if self.refused(attempted, view, then) {
            then.propose(Rank::Wait, [Command::NotATry(job), Command::send(job, view.way_to_send(job))]);
        } else if self.waits_for_others(job, &reply.verdict, view) {
            self.witnesses.wait(job);
            then.propose(Rank::Wait, [Command::Wait(Item::send(job), WaitsFor::OtherAnswers)]);
        }
    }

    /// Whether the service has said that the day's limit of a job's action is used up, so that nothing more is to be done
    /// about the answer.
    fn refused(&mut self, attempted: Attempted, view: &RunView, then: &mut Then) -> bool {
        let Attempted { job, reply, .. } = attempted;
        let the_job = view.job(job);
        let Some(take) = self.left_today.take_for(the_job) else { return false };
        let limit = take.limit;
        let said = match self.left_today.refusal(the_job, reply, view.wall()) {
            Some(Refused::Until(until)) => Some(until),
            Some(Refused::IfOthersAgree(until)) => Some(until).filter(|_| {
                let known = self.left_today.closed(limit).is_some();
                known || self.witnesses.hear(limit, job, the_job.target(), reply)
            }),
            None => None,
        };
        let said = said.map(|until| (until, Ground::Said));
        let Some((until, ground)) = said.or_else(|| self.presumed(attempted, limit, view)) else { return false };
        let used_up = UsedUp { limit, until, ground };
        // For a moment, it is nobody else's business.
        if until.duration_since(view.wall()) >= MOMENT {
            then.push(Command::Write(JournalEntry::Pause(take, used_up)));
        }
        self.close(job, used_up, view, then);
        // Those that were told the same wait for the day as well.
        for other in self.witnesses.release(limit) {
            then.push(Command::NotATry(other));
            then.push(Command::send(other, view.way_to_send(other)));
        }
        true
    }

    /// Until when an action had better wait that gets nothing but throttle answers.
    fn presumed(&mut self, attempted: Attempted, limit: usize, view: &RunView) -> Option<(Timestamp, Ground)> {
        let Attempted { job, reply, times } = attempted;
        let job = view.job(job);
        if reply.http_status != Some(429) || !is_its_own(job.action, limit) {
            return None;
        }
        let bucket = job.bucket();
        let wait = match self.suspicion.throttled(limit, bucket, times.sent, times.now) {
            Advice::Wait(wait) => wait,
            Advice::StepAside(wait) if self.others_wait(bucket, limit, view) => wait,
            Advice::Nothing | Advice::StepAside(_) => return None,
        };
        Some((self.left_today.presumed_until(job, wait, view.wall())?, Ground::Presumed))
    }

    /// Whether something waits in a bucket that has nothing to do with that limit.
    fn others_wait(&self, bucket: Bucket, limit: usize, view: &RunView) -> bool {
        view.queues.has_any(bucket, |item| self.left_today.limit_of(view.job(item.job)) != Some(limit))
    }

    /// What goes through shows that its own limit is not used up, and that its bucket is open.
    fn note_what_passes(&mut self, job: u32, verdict: &Verdict, view: &RunView, then: &mut Then) {
        if !matches!(verdict, Verdict::Succeeded | Verdict::ApprovalRequired { .. }) {
            return;
        }
        let the_job = view.job(job);
        let own = self.left_today.limit_of(the_job).filter(|limit| is_its_own(the_job.action, *limit));
        self.suspicion.passed(own, the_job.bucket());
        if let Some(limit) = own {
            self.nobody_agrees(limit, view, then);
        }
    }

    /// A job was refused, and would settle so: it waits, if what others are told may say otherwise.
    fn waits_for_others(&self, job: u32, verdict: &Verdict, view: &RunView) -> bool {
        let Some(limit) = self.left_today.limit_of(view.job(job)) else { return false };
        // What is in doubt is read first, where a read tells.
        let is_read = view.is_in_doubt(job) && view.action(job).read_back.tells();
        *verdict == Verdict::Refused
            && self.witnesses.has_heard(limit, job)
            && !is_read
            && !view.is_stopping()
            && self.others_are_left(limit, job, view)
    }

    /// Whether another job of that limit is out, or is going to be.
    fn others_are_left(&self, limit: usize, but: u32, view: &RunView) -> bool {
        let is_of_it = |job: u32| {
            job != but
                && self.left_today.limit_of(view.job(job)) == Some(limit)
                && view.settlement(job).is_none()
                && !self.witnesses.is_waiting(job)
        };
        let mut out = view.ledger.under_way();
        out.any(|(job, _)| is_of_it(job)) || view.queues.has(|Item { job, .. }| is_of_it(job))
    }

    /// What was refused in words of that limit was refused for reasons of its own.
    fn nobody_agrees(&mut self, limit: usize, view: &RunView, then: &mut Then) {
        for job in self.witnesses.release(limit) {
            let doubt = view.is_in_doubt(job);
            then.push(match doubt {
                true => Command::settle(job, Outcome::Unknown, Some(view.look_at(job))),
                false => Command::settle(job, Outcome::Failed, None),
            });
        }
    }

    /// Settles what waits for the answers of others where none come any more.
    fn settle_without_witnesses(&mut self, ends: bool, view: &RunView, then: &mut Then) {
        if self.witnesses.are_waiting() {
            for limit in 0..DailyLimit::COUNT {
                if ends || !self.others_are_left(limit, u32::MAX, view) {
                    self.nobody_agrees(limit, view, then);
                }
            }
        }
    }

    /// Nothing else is left to do: what waits for a day too far away is left for another run.
    fn leave_for_another_day(&mut self, view: &RunView, then: &mut Then) {
        let states = || view.ledger.states();
        if states().any(|(_, state)| matches!(state, JobState::Waiting(WaitsFor::StepSeen, _))) {
            return;
        }
        let waiting = (0..DailyLimit::COUNT).filter(|limit| self.parked.count(*limit) > 0);
        let waiting: Vec<_> = waiting.filter_map(|limit| Some((limit, self.left_today.closed(limit)?))).collect();
        let stays = |used_up: &UsedUp| self.left_today.is_worth_staying(used_up.until, view.wall());
        if waiting.is_empty() || waiting.iter().any(|(_, used_up)| stays(used_up)) {
            return;
        }
        // Waves come in their order, so those behind this one are left as well.
        for (job, _) in states().filter(|(_, state)| matches!(state, JobState::Waiting(WaitsFor::Wave, _))) {
            then.push(Command::Settle(job, Cause::WaveBeforeWaits.plain().into()));
        }
        for (limit, used_up) in &waiting {
            for Item { job, .. } in self.parked.take(*limit, usize::MAX, view) {
                let action = view.action(job).name;
                self.left_today.left(action, used_up);
                then.push(Command::Settle(
                    job,
                    match view.is_in_doubt(job) {
                        true => Ending::settled(Outcome::Unknown, Some(view.look_at(job))),
                        false => Cause::DailyLimit.with(why(action, used_up)).into(),
                    },
                ));
            }
        }
    }
}

/// Of what only uses up a limit as well, nobody knows that the service counts it.
fn is_its_own(action: &Action, limit: usize) -> bool {
    DAILY.get(limit).is_some_and(|limit| limit.action == action.name)
}
