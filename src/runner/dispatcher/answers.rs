//! What the dispatcher does with an answer.
//!
//! In: a worker's [`Done`]. Out: a settlement, or the job back in a queue, by the decision of `retry`.
//! Must not: classify answers or choose delays.

use std::time::Duration;

use tokio::time::Instant;

use super::super::event::{Event, StopReason};
use super::super::ledger::Progress;
use super::super::queue::{Item, Step};
use super::super::retry::{self, Decision, Spent};
use super::super::worker::{Answer, Done};
use super::Dispatcher;
use crate::catalog::{Bucket, ReadBack, Repeat};
use crate::outcome::{Ending, Evidence, Outcome, Presence, Reply, Seen, Verdict};
use crate::pacing::Throttled;
use crate::pacing::backoff::{MAX_CONNECT_FAILURES, connect_pause};
use crate::pacing::is_crowded;

/// When an answer came and went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) sent: Instant,
    pub(super) now: Instant,
}

impl Dispatcher {
    pub(super) fn answered(&mut self, done: Done) {
        let Done { worker, job, sent, answered, answer } = done;
        // One that has ended takes no more work.
        if !self.workers[worker].is_alive() {
            self.workers[worker] = (self.start_worker)(worker);
        }
        self.idle.push(worker);
        let step = self.in_flight.remove(&job);
        let times = Times { sent, now: answered };
        self.make_room(job, &answer, times);
        match answer {
            Answer::Attempt(reply) => self.after_attempt(job, reply, times),
            Answer::FollowUp(answer) => self.after_follow_up(job, answer, times),
            Answer::Look(seen) => self.after_look(job, seen, times),
            Answer::Find(presence) => {
                let at = if let Some(Step::Find { at }) = step { at } else { 0 };
                self.after_find(job, at.into(), presence, times);
            }
            Answer::ReadBack(evidence) if matches!(step, Some(Step::Find { .. })) => {
                self.after_state(job, evidence, times);
            }
            Answer::ReadBack(evidence) => {
                self.after_read(job, evidence, step == Some(Step::ReadBack { resend: true }), times);
            }
        }
    }

    /// One request fewer is out: what its answer tells of the service's load.
    fn make_room(&mut self, job: u32, answer: &Answer, times: Times) {
        let Times { sent, now } = times;
        let index = job;
        let job = &self.jobs[job as usize];
        let (bucket, reply) = match answer {
            Answer::Attempt(reply) => (job.bucket(), Some(reply)),
            Answer::ReadBack(Evidence::NotRead(reply)) => (job.read_bucket(), Some(reply)),
            Answer::Look(Seen::NotRead(reply))
            | Answer::FollowUp(Err(reply))
            | Answer::Find(Presence::NotRead(reply)) => (job.read_bucket(), Some(reply)),
            Answer::ReadBack(_) | Answer::Look(_) | Answer::FollowUp(Ok(_)) | Answer::Find(_) => {
                (job.read_bucket(), None)
            }
        };
        if matches!(answer, Answer::Look(_)) && self.takes_two(index) {
            self.gates.returned(bucket, reply, sent, now);
        }
        if !self.gates.returned(bucket, reply, sent, now) {
            return;
        }
        match reply.is_some_and(retry::in_trouble) {
            true => self.crowd.trouble(sent, now),
            false => self.crowd.came_back(sent, now, self.in_flight.len() + 1),
        }
    }

    fn after_attempt(&mut self, job: u32, reply: Reply, times: Times) {
        let bucket = self.jobs[job as usize].bucket();
        self.note_contact(&reply.verdict, bucket, times);
        self.settle_with_the_day(job, &reply);
        self.note_what_passes(job, &reply.verdict);
        let answered_at = self.clock.at(times.now);
        let progress = self.ledger.progress(job);
        let verdict = reply.verdict.clone();
        let reason = reply.reason();
        let crowded = is_crowded(&reply);
        let number = progress.recorded.saturating_sub(1);
        self.note_doubt(job, &reply, times);
        let decision = match self.refused_for_the_day(job, &reply, times) {
            true => Decision::WaitForDay,
            false => match self.decide(job, &reply, times.now) {
                Decision::Settle(outcome) if self.waits_for_others(job, &verdict, outcome) => Decision::WaitForOthers,
                decision => decision,
            },
        };
        if let (Verdict::Unavailable { after }, false) = (&verdict, matches!(decision, Decision::PauseBucket { .. })) {
            self.pause(bucket, Some(*after), crowded, times);
        }
        // A job that settles now says all of this in its outcome.
        if let (Some(journal), false) = (&self.journal, matches!(decision, Decision::Settle(_))) {
            journal.answer(job, number, answered_at, &reply);
        }
        let took = times.now.saturating_duration_since(times.sent);
        let progress = self.ledger.progress(job);
        progress.answered(reply, took);
        match decision {
            Decision::Settle(outcome) => self.settle_after(job, outcome, &verdict, times.now),
            Decision::Retry { after } => self.later(job, Step::Send, after, reason, times.now),
            Decision::CheckThenRetry { after } => {
                self.later(job, Step::ReadBack { resend: true }, after, reason, times.now);
            }
            Decision::CheckThenSettle { after } => {
                self.later(job, Step::ReadBack { resend: false }, after, reason, times.now);
            }
            Decision::FindMissing => self.find_what_is_missing(job, times.now),
            Decision::PauseBucket { asked } => {
                progress.not_a_try();
                self.pause(bucket, asked, crowded, times);
                self.again(job, self.way_to_send(job), times.now);
            }
            Decision::WaitForDay => {
                progress.not_a_try();
                self.again(job, self.way_to_send(job), times.now);
            }
            Decision::WaitForOthers => {}
            Decision::WaitForHost => {
                progress.never_sent();
                self.host_away(&reason, times);
                self.again(job, self.way_to_send(job), times.now);
            }
            Decision::RefreshToken => {
                progress.not_a_try();
                self.unauthorized(job, self.way_to_send(job), reason, times.now);
            }
            Decision::Unjustified(lack) => {
                self.drain(StopReason::Justification(lack, reason));
                self.leave(Item { job, step: Step::Send }, times.now);
            }
            Decision::SignInFailed => {
                progress.never_sent();
                self.drain(StopReason::SignIn(reason));
                self.leave(Item { job, step: Step::Send }, times.now);
            }
        }
    }

    /// What the answer leaves open.
    fn note_doubt(&mut self, job: u32, reply: &Reply, times: Times) {
        let verdict = &reply.verdict;
        let sent_at = self.clock.at(times.sent);
        let progress = self.ledger.progress(job);
        if *verdict != Verdict::Unauthorized {
            progress.unauthorized = 0;
        }
        if verdict.leaves_a_doubt() {
            let lost = matches!(verdict, Verdict::Lost | Verdict::Foreign);
            progress.doubted(sent_at, times.now + self.limits.settling, lost);
        }
        let action = self.jobs[job as usize].action;
        match (verdict, reply.http_status) {
            // A page with whatever status, success too.
            (Verdict::Foreign, _) | (Verdict::Lost, Some(_)) => self.breaker.suspect(action),
            // What may not be repeated ends as unknown if no read tells. Later, the service has bad moments.
            (verdict, Some(_)) if verdict.leaves_a_doubt() && action.repeat != Repeat::Harmless => {
                self.breaker.suspect_at_first(action);
            }
            _ => {}
        }
    }

    /// What the policy says of an answer to a job, with all that the job has used up.
    fn decide(&mut self, job: u32, reply: &Reply, now: Instant) -> Decision {
        let action = self.jobs[job as usize].action;
        let progress = self.ledger.progress(job);
        let unavailable = progress.unavailable(&reply.verdict, now);
        let spent = Spent { tries: progress.tries, max_tries: self.limits.max_attempts, unavailable };
        let in_doubt = progress.is_in_doubt();
        let decision = retry::decide(action, &reply.verdict, spent, &mut self.rng);
        retry::check_before_failing(action, decision, in_doubt)
    }

    pub(super) fn settle_after(&mut self, job: u32, outcome: Outcome, verdict: &Verdict, now: Instant) {
        let &mut Progress { doubt, .. } = self.ledger.progress(job);
        let lost = doubt.is_some_and(|doubt| doubt.lost);
        let (outcome, note) = match verdict {
            // The last answer was a no, but one before it was lost: that one may have had the effect.
            _ if outcome == Outcome::Failed && (lost || (doubt.is_some() && !verdict.leaves_a_doubt())) => {
                (Outcome::Unknown, Some(look_at(job, &self.jobs)))
            }
            Verdict::ApprovalRequired { code } => (outcome, Some(self.filed(job, code.clone(), now))),
            Verdict::ApprovalPending => {
                (outcome, Some("an approval request for it is pending already, and could not be found".to_owned()))
            }
            Verdict::Succeeded => (outcome, self.remark_on_success(job)),
            Verdict::Lost | Verdict::Foreign => (outcome, Some(look_at(job, &self.jobs))),
            _ => (outcome, None),
        };
        self.settle(job, outcome, note, now);
    }

    /// A success that Microsoft's pages do not name is one all the same, and somebody may want to know.
    fn remark_on_success(&self, job: u32) -> Option<String> {
        let action = self.jobs[job as usize].action;
        let status = self.ledger.peek(job).and_then(Progress::last_status)?;
        let strange = (200..300).contains(&status) && !action.expects(status);
        let listed: Vec<_> = action.success_codes.iter().map(u16::to_string).collect();
        strange.then(|| format!("answered {status}, where {} is documented", listed.join(" or ")))
    }

    /// A state has no date: what a run before has done may have brought it about.
    fn of_this_attempt(&self, job: u32, evidence: Evidence) -> Evidence {
        let has_no_date = matches!(
            self.jobs[job as usize].action.read_back,
            ReadBack::ManagementState { .. } | ReadBack::UserDevices { .. }
        );
        match evidence {
            Evidence::Effect(seen) if has_no_date && self.done_before.contains(&job) => {
                Evidence::CannotTell(format!("{seen}, which may be of an earlier run that did the same"))
            }
            evidence => evidence,
        }
    }

    pub(super) fn take_read(&mut self, job: u32, evidence: Evidence, resend: bool, times: Times) {
        let action = self.jobs[job as usize].action;
        let evidence = self.of_this_attempt(job, evidence);
        let now = times.now;
        if !matches!(evidence, Evidence::NotRead(_)) {
            self.was_read(job);
            self.note_what_shows(job, &evidence);
        }
        let doubt = self.ledger.progress(job).doubt;
        // A read tells how things stood when it left, however long its answer took.
        let early = doubt.map(|doubt| doubt.settling_until).filter(|until| *until > times.sent);
        // Waiting tells nothing where no read ever does.
        let early = early.filter(|_| action.read_back != ReadBack::Nobody);
        if let (Evidence::NoEffect(_), None) = (&evidence, early) {
            // The journal goes on calling it a doubt: what was filed for approval, and is not known to have been, may be
            // carried out by somebody later. Whoever takes the job up reads again.
            self.ledger.progress(job).doubt = None;
        }
        match evidence {
            Evidence::NoEffect(seen) | Evidence::CannotTell(seen) if early.is_some() => {
                self.read_later(job, resend, seen, early.unwrap_or(now), now);
            }
            Evidence::Effect(seen) => self.settle(job, retry::success(action), Some(seen), now),
            Evidence::NoEffect(_) if resend && self.stopped.is_none() => {
                self.ledger.progress(job).unauthorized = 0;
                self.again(job, Step::Send, now);
            }
            Evidence::NoEffect(seen) if resend => {
                let ending = Ending::from(self.why_stopped()).after(format!("it had no effect yet: {seen}"));
                self.end(job, ending, now);
            }
            Evidence::NoEffect(seen) => {
                self.settle(job, Outcome::Failed, Some(format!("it had no effect: {seen}")), now)
            }
            Evidence::Gone(_) => self.read_found_nothing(job, now),
            Evidence::CannotTell(why) => self.settle(job, Outcome::Unknown, Some(why), now),
            Evidence::NotRead(reply) => {
                let item = Item { job, step: Step::ReadBack { resend } };
                if let Some(why) = self.read_again(item, &reply, times) {
                    let note = format!("could not be read back ({why}); {}", look_at(job, &self.jobs));
                    self.settle(job, Outcome::Unknown, Some(note), now);
                }
            }
        }
    }

    /// A read that shows no effect so soon after the attempt is no proof; one that is not waited for leaves the doubt.
    fn read_later(&mut self, job: u32, resend: bool, seen: String, until: Instant, now: Instant) {
        if self.stopped.is_some() {
            let note = format!("{seen}, so soon after it was sent; {}", look_at(job, &self.jobs));
            return self.settle(job, Outcome::Unknown, Some(note), now);
        }
        let reason = format!("{seen}, which is too early to tell").into();
        self.later(job, Step::ReadBack { resend }, until.saturating_duration_since(now), reason, now);
    }

    /// Any answer but a failure to connect shows that the host is there; any but a throttle, that the bucket is open.
    pub(super) fn note_contact(&mut self, verdict: &Verdict, bucket: Bucket, times: Times) {
        match verdict {
            Verdict::Unreachable | Verdict::SignInFailed | Verdict::Lost | Verdict::Foreign => {}
            Verdict::Throttled { .. } | Verdict::Unavailable { .. } => self.host_answered(),
            _ => {
                self.host_answered();
                self.gates.answered(bucket, times.sent);
            }
        }
    }

    pub(super) fn host_answered(&mut self) {
        self.host.answered_once = true;
        self.host.away_since = None;
        self.host.pause = Default::default();
    }

    pub(super) fn host_away(&mut self, reason: &str, times: Times) {
        let Times { sent, now } = times;
        let since = *self.host.away_since.get_or_insert(now);
        let rng = &mut self.rng;
        let news = self.host.pause.extend(sent, now, |nth| connect_pause(nth, rng), false);
        let too_long = match self.host.answered_once {
            true => now.saturating_duration_since(since) > retry::LONGEST_OUTAGE,
            false => self.host.pause.nth() >= MAX_CONNECT_FAILURES,
        };
        if too_long {
            self.drain(StopReason::Unreachable(reason.into()));
        } else if let Some(delay) = news {
            self.tell(Event::Unreachable { delay, message: reason.into() });
        }
    }

    pub(super) fn pause(&mut self, bucket: Bucket, asked: Option<Duration>, crowded: bool, times: Times) {
        let Times { sent, now } = times;
        let answer = Throttled { asked, crowded, sent, now };
        if let Some(pause) = self.gates.throttled(bucket, answer, &mut self.rng) {
            self.tell(Event::Paused { bucket, pause, until: self.clock.at(now + pause) });
        }
    }

    /// The first 401 of a job may be an old token; the second is the tenant's word.
    pub(super) fn unauthorized(&mut self, job: u32, step: Step, reason: Box<str>, now: Instant) {
        let progress = self.ledger.progress(job);
        progress.unauthorized += 1;
        let (hopeless, ambiguous) = (progress.unauthorized >= 2, progress.is_in_doubt());
        if hopeless {
            self.drain(StopReason::SignIn(reason));
        }
        match hopeless && ambiguous {
            // Not back into the queue: a run that was interrupted before would read it for ever.
            true => self.settle(job, Outcome::Unknown, Some(look_at(job, &self.jobs)), now),
            false => self.again(job, step, now),
        }
    }

    /// Back to the head of its queue, or out of the run if that is ending.
    pub(super) fn again(&mut self, job: u32, step: Step, now: Instant) {
        let item = Item { job, step };
        if self.stopped.is_some() {
            return self.leave(item, now);
        }
        self.queues.push_front(self.bucket_of(item), item);
    }

    pub(super) fn later(&mut self, job: u32, step: Step, after: Duration, reason: Box<str>, now: Instant) {
        let item = Item { job, step };
        if self.stopped.is_some() {
            return self.leave(item, now);
        }
        let target = self.jobs[job as usize].target();
        tracing::info!(row = self.jobs[job as usize].row, target, delay_ms = after.as_millis() as u64, %reason, "will be tried again");
        self.tell(Event::Retrying { job, delay: after, reason });
        self.queues.push_later(now + after, self.bucket_of(item), item);
    }

    pub(super) fn bucket_of(&self, item: Item) -> Bucket {
        let job = &self.jobs[item.job as usize];
        match item.step {
            Step::Send => job.bucket(),
            // Its turn to be sent comes with the read, so that the send follows at once.
            Step::ReadBack { .. } if self.is_approved(item.job) => job.bucket(),
            Step::ReadBack { .. } | Step::Look | Step::FollowUp | Step::Find { .. } => job.read_bucket(),
        }
    }
}

pub(super) fn look_at(job: u32, jobs: &[crate::job::Job]) -> String {
    let job = &jobs[job as usize];
    format!("look at {} {} before repeating {}", job.action.target.name(), job.target(), job.action.name)
}
