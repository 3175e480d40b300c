//! Jobs that have no room today.
//!
//! In: what the daily limits leave ([`crate::daily`]). Out: jobs put aside and brought back, and, when nothing else is
//! left to do, left for another day. Must not: count; the journal does.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::super::event::Event;
use super::super::queue::{Item, Step};
use super::Dispatcher;
use super::answers::{Times, look_at};
use super::following::Who;
use crate::catalog::{Action, Bucket, DAILY, DailyLimit};
use crate::daily::Advice;
use crate::daily::why;
use crate::daily::{Ground, Refused, UsedUp};
use crate::outcome::{Cause, Effect, Ending, Outcome, Reply, Verdict};

/// Jobs brought back at once. With a window that slides, room comes back one by one; a plan may have a million of them.
const FED: usize = 64;

/// A shorter wait is not written down.
const MOMENT: SignedDuration = SignedDuration::from_mins(1);

impl Dispatcher {
    /// Opens what has room again, and brings back some of what waits for it.
    pub(super) fn mind_the_days(&mut self, now: Instant) {
        self.left_today.open(self.clock.at(now));
        for limit in 0..DailyLimit::COUNT {
            self.tell_of_the_day(limit, now);
            // What came back may have settled without being sent.
            let hungry = self.left_today.fed[limit] == 0 || (self.in_flight.is_empty() && self.queues.is_idle());
            if self.left_today.closed(limit).is_none() && hungry && self.queues.parked(limit) > 0 {
                self.left_today.fed[limit] = self.queues.unpark(limit, FED);
            }
        }
    }

    /// Tells that an action waits, once nothing is out any more that may yet make room.
    fn tell_of_the_day(&mut self, limit: usize, now: Instant) {
        let out = |(job, step): (&u32, &Step)| {
            *step == Step::Send && self.left_today.limit_of(&self.jobs[*job as usize]) == Some(limit)
        };
        if self.left_today.closed(limit).is_none_or(|closed| closed.ground == Ground::Counted)
            && self.in_flight.iter().any(out)
        {
            return;
        }
        let Some(used_up) = self.left_today.news(limit) else { return };
        let wait = used_up.until.duration_since(self.clock.at(now)).try_into().unwrap_or_default();
        let action = DAILY.get(limit).map_or("", |limit| limit.action);
        let reason = why(action, &used_up);
        tracing::info!(%reason, "an action waits");
        let UsedUp { until, ground, .. } = used_up;
        self.tell(Event::DayUsedUp { action, wait, until, ground });
    }

    /// When the next action has room again that something waits for.
    pub(super) fn next_day(&self, now: Instant) -> Option<Instant> {
        let waiting = (0..DailyLimit::COUNT).filter(|limit| self.queues.parked(*limit) > 0);
        let until = waiting.filter_map(|limit| self.left_today.closed(limit)).map(|used_up| used_up.until).min()?;
        let left = until.duration_since(self.clock.at(now));
        Some(now + left.try_into().unwrap_or_default())
    }

    /// Whether nothing keeps the next job of a bucket back; what has no room today is put aside.
    pub(super) fn may_work(&mut self, bucket: Bucket, now: Instant) -> bool {
        self.leave_what_is_kept_back(bucket, now);
        while let Some(item) = self.queues.peek(bucket).filter(|item| self.is_for_sending(*item)) {
            let limit = self.left_today.limit_of(&self.jobs[item.job as usize]);
            let Some(limit) = limit.filter(|limit| self.left_today.closed(*limit).is_some()) else { break };
            self.queues.pop(bucket);
            self.no_longer_fed(item);
            // What its read has shown today is nothing to go by on another day.
            self.queues.park(limit, Item { step: self.way_to_send(item.job), ..item });
        }
        !self.must_wait(bucket) && self.guards_are_known(bucket, now)
    }

    /// A job leaves its queue: one less of those that were brought back.
    pub(super) fn no_longer_fed(&mut self, item: Item) {
        if let Some(limit) = self.left_today.limit_of(&self.jobs[item.job as usize]) {
            self.left_today.fed[limit] = self.left_today.fed[limit].saturating_sub(1);
        }
    }

    /// Whether its step is a send, or the read right before one.
    pub(super) fn is_for_sending(&self, item: Item) -> bool {
        item.step == Step::Send || (item.step == Step::ReadBack { resend: true } && self.is_approved(item.job))
    }

    /// A job found no room when its attempt was to be recorded: nothing left, and nothing is recorded.
    pub(super) fn turned_away(&mut self, job: u32, used_up: UsedUp, now: Instant) {
        self.ledger.progress(job).turned_away();
        match self.left_today.is_old_news(job) {
            true => self.spare(job),
            false => self.close_for_the_day(job, used_up),
        }
        self.again(job, self.way_to_send(job), now);
    }

    /// What has done nothing has used up nothing.
    pub(super) fn settle_with_the_day(&mut self, job: u32, reply: &Reply) {
        let the_job = &self.jobs[job as usize];
        let nothing = reply.verdict.effect() != Effect::Possible;
        self.left_today.answered(job, the_job, nothing);
        if let (Some(limit), true) = (self.left_today.limit_of(the_job), nothing) {
            if let Some(journal) = &self.journal {
                journal.give_back(&reply.client_request_id);
            }
            self.left_today.reopen(limit);
        }
    }

    /// Whether the service has said that the day's limit of a job's action is used up, so that nothing more is to be done
    /// about the answer.
    pub(super) fn refused_for_the_day(&mut self, job: u32, reply: &Reply, times: Times) -> bool {
        let the_job = &self.jobs[job as usize];
        let Some(take) = self.left_today.take_for(the_job) else { return false };
        let limit = take.limit;
        let said = match self.left_today.refusal(the_job, reply, self.clock.at(times.now)) {
            Some(Refused::Until(until)) => Some(until),
            Some(Refused::IfOthersAgree(until)) => Some(until).filter(|_| self.others_agree(job, limit, reply)),
            None => None,
        };
        let said = said.map(|until| (until, Ground::Said));
        let Some((until, ground)) = said.or_else(|| self.presumed(job, limit, reply, times)) else { return false };
        let used_up = UsedUp { limit, until, ground };
        // For a moment, it is nobody else's business.
        let is_short = until.duration_since(self.clock.at(times.now)) < MOMENT;
        if let (Some(journal), false) = (&self.journal, is_short) {
            journal.pause(take, used_up);
        }
        self.close_for_the_day(job, used_up);
        self.wait_with_the_others(limit, times.now);
        true
    }

    /// Until when an action had better wait that gets nothing but throttle answers.
    fn presumed(&mut self, job: u32, limit: usize, reply: &Reply, times: Times) -> Option<(Timestamp, Ground)> {
        let the_job = &self.jobs[job as usize];
        if reply.http_status != Some(429) || !is_its_own(the_job.action, limit) {
            return None;
        }
        let bucket = the_job.bucket();
        let wait = match self.suspicion.throttled(limit, bucket, times.sent, times.now) {
            Advice::Wait(wait) => wait,
            Advice::StepAside(wait) if self.others_wait(bucket, limit) => wait,
            Advice::Nothing | Advice::StepAside(_) => return None,
        };
        let until = self.left_today.presumed_until(the_job, wait, self.clock.at(times.now))?;
        Some((until, Ground::Presumed))
    }

    /// Whether something waits in a bucket that has nothing to do with that limit.
    fn others_wait(&self, bucket: Bucket, limit: usize) -> bool {
        let is_other = |item: Item| self.left_today.limit_of(&self.jobs[item.job as usize]) != Some(limit);
        self.queues.has_any(bucket, is_other)
    }

    /// What goes through shows that its own limit is not used up, and that its bucket is open.
    pub(super) fn note_what_passes(&mut self, job: u32, verdict: &Verdict) {
        if matches!(verdict, Verdict::Succeeded | Verdict::ApprovalRequired { .. }) {
            let the_job = &self.jobs[job as usize];
            let own = self.left_today.limit_of(the_job).filter(|limit| is_its_own(the_job.action, *limit));
            self.suspicion.passed(own, the_job.bucket());
            own.into_iter().for_each(|limit| self.nobody_agrees(limit, Instant::now()));
        }
    }

    /// A job that waits for another day must not keep others from leaving today.
    fn spare(&mut self, job: u32) {
        let progress = self.ledger.progress(job);
        if !progress.is_in_doubt() && std::mem::replace(&mut progress.at_risk, false) {
            self.breaker.spared(self.jobs[job as usize].action);
        }
    }

    fn close_for_the_day(&mut self, job: u32, used_up: UsedUp) {
        self.spare(job);
        let Some(limit) = self.left_today.limit_of(&self.jobs[job as usize]) else { return };
        self.left_today.close(limit, used_up);
    }

    /// When nothing else is left to do: whatever waits for a day too far away is left for another run. Whether it was.
    pub(super) fn leave_for_another_day(&mut self, now: Instant) -> bool {
        let busy = !self.in_flight.is_empty() || !self.queues.is_idle();
        let waits = self.following.wanted_by(Who::Step) > 0;
        if busy || waits || Bucket::all().any(|bucket| self.has_waiting(bucket)) {
            return false;
        }
        let wall = self.clock.at(now);
        let waiting = (0..DailyLimit::COUNT).filter(|limit| self.queues.parked(*limit) > 0);
        let waiting: Vec<_> = waiting.filter_map(|limit| Some((limit, self.left_today.closed(limit)?))).collect();
        if waiting.iter().any(|(_, used_up)| self.left_today.is_worth_staying(used_up.until, wall)) {
            return false;
        }
        // Waves come in their order, so those behind this one are left as well.
        let behind = if waiting.is_empty() { Vec::new() } else { self.waves.give_up() };
        for Item { job, .. } in behind {
            self.end(job, Cause::WaveBeforeWaits.plain(), now);
        }
        for (limit, used_up) in &waiting {
            let items = self.queues.drain_parked(*limit);
            for Item { job, .. } in items {
                let action = self.jobs[job as usize].action.name;
                self.left_today.left(action, used_up);
                let ending = match self.ledger.progress(job).is_in_doubt() {
                    true => Ending::settled(Outcome::Unknown, Some(look_at(job, &self.jobs))),
                    false => Cause::DailyLimit.with(why(action, used_up)).into(),
                };
                self.end(job, ending, now);
            }
        }
        !waiting.is_empty()
    }
}

/// Of what only uses up a limit as well, nobody knows that the service counts it.
fn is_its_own(action: &Action, limit: usize) -> bool {
    DAILY.get(limit).is_some_and(|limit| limit.action == action.name)
}
