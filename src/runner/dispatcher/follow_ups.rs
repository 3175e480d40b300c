//! What the dispatcher does about accepted jobs that somebody waits for.
//!
//! In: jobs to follow up ([`super::following`] says when), answers of reads. Out: reads in the queues; what they show in the
//! ledger and in the journal, and to whoever waits.
//! Must not: take a failed read for a sign.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::super::event::{Event, StopReason};
use super::super::queue::{Item, Step};
use super::Dispatcher;
use super::answers::Times;
use super::following::{BETWEEN, Due, FIRST_LOOK, Who};
use crate::outcome::{FollowUp, Followed, Outcome, Reply, Stage, Stamp, Verdict};
use crate::pacing::is_crowded;

impl Dispatcher {
    /// Whether the service has accepted a job and a read can show what becomes of it.
    pub(super) fn can_be_followed(&self, job: u32) -> bool {
        let settled = self.ledger.settlement(job);
        let accepted = settled.filter(|settled| settled.outcome == Outcome::Accepted);
        let told = accepted.and_then(|settled| settled.follow_up.as_ref()).is_some_and(|seen| !seen.stage.is_open());
        accepted.is_some() && !told && self.jobs[job as usize].action.read_back.tells()
    }

    pub(super) fn follow(&mut self, job: u32, who: Who, within: Duration, now: Instant) {
        let first = now + self.until_first_look(job, now).min(within.max(self.since_last_look(job, now)));
        self.following.add(job, who, first, (now, within));
    }

    /// Follows everything up that was accepted, for somebody who wants to know how it ended.
    pub(super) fn verify(&mut self, within: Duration) {
        let now = Instant::now();
        let jobs: Vec<u32> = (0..self.jobs.len() as u32).filter(|job| self.can_be_followed(*job)).collect();
        self.tell(Event::Verifying { jobs: jobs.len() as u32, until: self.clock.at(now + within) });
        jobs.into_iter().for_each(|job| self.follow(job, Who::Verify, within, now));
    }

    /// Hardly anything shows right after it was accepted.
    fn until_first_look(&self, job: u32, now: Instant) -> Duration {
        let accepted_at = self.ledger.settlement(job).and_then(|settled| settled.finished_at).map(Stamp::time);
        self.rest_of(FIRST_LOOK, accepted_at, now).max(self.since_last_look(job, now))
    }

    /// What is left of the minute since the last look, whoever had it.
    fn since_last_look(&self, job: u32, now: Instant) -> Duration {
        let seen = self.ledger.settlement(job).and_then(|settled| settled.follow_up.as_ref());
        self.rest_of(BETWEEN, seen.map(|seen| seen.read_at), now)
    }

    fn rest_of(&self, time: Duration, since: Option<Timestamp>, now: Instant) -> Duration {
        let age = |at| Duration::try_from(self.clock.at(now).duration_since(at)).unwrap_or_default();
        since.map_or(Duration::ZERO, |at| time.saturating_sub(age(at)))
    }

    /// Queues the reads that are due, and gives up what has waited too long.
    pub(super) fn mind_the_follow_ups(&mut self, now: Instant) {
        while let Some(due) = self.following.due(now) {
            match due {
                Due::Read(job) => {
                    let item = Item { job, step: Step::FollowUp };
                    self.queues.push_back(self.bucket_of(item), item);
                }
                Due::TooLate(job, late) => self.too_late(job, &late, now),
            }
        }
        let steps = self.following.wanted_by(Who::Step);
        if std::mem::replace(&mut self.steps_told, steps) != steps {
            self.tell(Event::StepsWait { steps });
        }
    }

    /// Whether somebody still waits for it, and its target was not read a moment ago.
    pub(super) fn may_follow_up(&mut self, job: u32, now: Instant) -> bool {
        self.following.is_followed(job) && self.following.may_read(job, self.jobs[job as usize].target(), now)
    }

    pub(super) fn after_follow_up(&mut self, job: u32, answer: Result<Followed, Reply>, times: Times) {
        match answer {
            Ok(seen) => {
                self.host_answered();
                self.after_seen(job, seen);
            }
            // Nobody waits for it any more, and it has told nothing.
            Err(_) if !self.following.is_followed(job) => {}
            Err(reply) => self.after_failed_follow_up(job, &reply, times),
        }
    }

    pub(super) fn take_follow_up(&mut self, job: u32, seen: FollowUp, now: Instant) {
        let stage = seen.stage;
        let Some(settlement) = self.ledger.follow_up(job, FollowUp { read_at: self.clock.at(now), ..seen }) else {
            return;
        };
        if let Some(journal) = &self.journal {
            journal.followed_up(job, settlement);
        }
        let sent_here = settlement.finished_at.is_some_and(|at| at.microseconds() >= self.began.as_microsecond());
        if stage.came_to_nothing() && sent_here {
            let action = self.jobs[job as usize].action;
            self.breaker.sent(action);
            self.breaker.settled(action, settlement);
        }
        self.tell(Event::FollowedUp { job, stage });
        if (stage.has_landed() || stage.came_to_nothing()) && self.following.leave(job, Who::Wave) {
            self.waves.told(job, stage);
        }
        if stage.is_open() {
            let late = self.following.not_told(job, None, now);
            return self.too_late(job, &late, now);
        }
        self.following.is_told(job);
        match stage {
            Stage::Done => self.go_on_after(job, Outcome::Completed, now),
            Stage::Failed | Stage::Cancelled => self.go_on_after(job, Outcome::Failed, now),
            _ => self.hold_next(job, now),
        }
    }

    fn after_failed_follow_up(&mut self, job: u32, reply: &Reply, times: Times) {
        let item = Item { job, step: Step::FollowUp };
        let bucket = self.bucket_of(item);
        let reason = reply.reason();
        self.note_contact(&reply.verdict, bucket, times);
        self.pause_if_unavailable(bucket, reply, times);
        self.following.was_not_read(self.jobs[job as usize].target());
        let refused_tokens = match reply.verdict {
            Verdict::Unauthorized => self.following.refused_tokens(job),
            _ => 0,
        };
        match &reply.verdict {
            Verdict::Throttled { after } => self.pause(bucket, *after, is_crowded(reply), times),
            Verdict::Unreachable => self.host_away(&reason, times),
            // The first one may be an old token; the second is the tenant's word.
            Verdict::Unauthorized if refused_tokens == 1 => {}
            Verdict::Unauthorized | Verdict::SignInFailed => self.drain(StopReason::SignIn(reason)),
            _ => return self.not_followed(job, &format!("it could not be read: {reason}"), times.now),
        }
        if self.stopped.is_none() {
            self.queues.push_front(bucket, item);
        }
    }

    /// A read that will not be made for now.
    pub(super) fn not_followed(&mut self, job: u32, trouble: &str, now: Instant) {
        let late = self.following.not_told(job, Some(trouble.into()), now);
        self.too_late(job, &late, now);
    }

    fn too_late(&mut self, job: u32, late: &[Who], now: Instant) {
        for who in late {
            match who {
                Who::Wave => self.waves.not_landed(job),
                Who::Step => self.waited_in_vain(job, now),
                Who::Verify => {}
            }
        }
    }

    /// What the last look at a job has shown.
    pub(super) fn last_seen(&self, job: u32) -> Option<String> {
        let trouble = self.following.trouble(job).map(str::to_owned);
        let seen = || self.ledger.settlement(job)?.follow_up.as_ref().map(|seen| seen.to_string());
        trouble.or_else(seen)
    }
}
