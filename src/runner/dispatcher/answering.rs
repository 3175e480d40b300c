//! Answers, on their way to the policies.
//!
//! In: a worker's [`TaskDone`]. Out: what it tells of the road and of the job, heard by all policies. Must not: decide.

use tokio::time::Instant;

use super::state::Dispatcher;
use crate::outcome::{Evidence, Presence, Reply, Seen, Verdict};
use crate::runner::dialogue::{Attempted, Happened, ReadBackAnswer, Times};
use crate::runner::job_state::{BeingRead, Item, JobState, NextRequest};
use crate::runner::worker::{TaskDone, WorkerAnswer};

impl Dispatcher {
    pub(super) fn answered(&mut self, done: TaskDone) {
        let TaskDone { worker, job, sent, answered, answer } = done;
        self.pool.is_idle(worker);
        let times = Times { sent, now: answered };
        self.note_on_the_road(job, &answer, times);
        let was = self.ledger.state(job);
        self.ledger.moves(
            job,
            match was {
                JobState::Settled(_) => JobState::Settled(BeingRead::No),
                _ => JobState::InHand,
            },
        );
        let next = was.under_way().unwrap_or(NextRequest::Send);
        match answer {
            WorkerAnswer::Attempt(reply) => self.attempted(job, reply, times),
            WorkerAnswer::FollowUp(answer) => {
                match &answer {
                    Ok(_) => self.road.host_answered(),
                    Err(reply) => self.note_contact(job, reply, times),
                }
                self.happens(&Happened::FollowedUp { job, answer: &answer, times }, times.now);
            }
            WorkerAnswer::Check(Seen::NotRead(reply))
            | WorkerAnswer::Find(Presence::NotRead(reply))
            | WorkerAnswer::ReadBack(Evidence::NotRead(reply)) => {
                self.note_contact(job, &reply, times);
                self.happens(&Happened::ReadFailed { item: Item { job, next }, reply: &reply, times }, times.now);
            }
            answer => self.was_read(job, next, answer, times),
        }
        self.is_not_lost(job, times.now);
    }

    fn was_read(&mut self, job: u32, next: NextRequest, answer: WorkerAnswer, times: Times) {
        self.road.host_answered();
        match (answer, next) {
            (WorkerAnswer::Check(seen), _) => self.happens(&Happened::Checked { job, seen: &seen }, times.now),
            (WorkerAnswer::Find(presence), NextRequest::Find { at }) => {
                self.happens(&Happened::Found { job, at, presence: &presence }, times.now)
            }
            (WorkerAnswer::ReadBack(evidence), NextRequest::Find { .. }) => {
                self.happens(&Happened::StateRead { job, evidence: &evidence, times }, times.now)
            }
            (WorkerAnswer::ReadBack(evidence), _) => {
                let resend = next == NextRequest::ReadBack { resend: true };
                let read = ReadBackAnswer { job, evidence, resend, times, judged: false };
                self.happens(&Happened::ReadBack(&read), times.now)
            }
            _ => false,
        };
    }

    fn attempted(&mut self, job: u32, reply: Reply, times: Times) {
        self.road.note_contact(&reply.verdict, self.jobs[job as usize].bucket(), times);
        let number = self.ledger.progress_mut(job).recorded.saturating_sub(1);
        if reply.verdict.leaves_a_doubt() {
            let lost = matches!(reply.verdict, Verdict::Lost | Verdict::Foreign);
            let (sent_at, settling_until) = (self.clock.at(times.sent), times.now + self.limits.settling);
            self.ledger.progress_mut(job).doubted(sent_at, settling_until, lost);
        }
        self.ledger.answered(job, reply.clone(), times.now.saturating_duration_since(times.sent));
        self.hear(&Happened::Attempted(Attempted { job, reply: &reply, times }), times.now);
        // A job that settles now says all of this in its outcome.
        if let (Some(journal), false) = (&self.records.journal, self.then.settles(job)) {
            journal.answer(job, number, self.clock.at(times.now), &reply);
        }
        self.apply_all(times.now);
    }

    /// What an answer tells of the service's load.
    fn note_on_the_road(&mut self, job: u32, answer: &WorkerAnswer, times: Times) {
        let the_job = &self.jobs[job as usize];
        let (bucket, reply) = match answer {
            WorkerAnswer::Attempt(reply) => (the_job.bucket(), Some(reply)),
            WorkerAnswer::ReadBack(Evidence::NotRead(reply))
            | WorkerAnswer::Check(Seen::NotRead(reply))
            | WorkerAnswer::FollowUp(Err(reply))
            | WorkerAnswer::Find(Presence::NotRead(reply)) => (the_job.read_bucket(), Some(reply)),
            WorkerAnswer::ReadBack(_)
            | WorkerAnswer::Check(_)
            | WorkerAnswer::FollowUp(Ok(_))
            | WorkerAnswer::Find(_) => (the_job.read_bucket(), None),
        };
        if matches!(answer, WorkerAnswer::Check(_)) && self.takes_two(job) {
            self.road.gates.returned(bucket, reply, times.sent, times.now);
        }
        let out = self.ledger.in_flight();
        self.road.came_back(bucket, reply, times, out);
    }

    fn note_contact(&mut self, job: u32, reply: &Reply, times: Times) {
        let bucket = self.jobs[job as usize].read_bucket();
        self.road.note_contact(&reply.verdict, bucket, times);
    }

    /// No policy has let it fall.
    fn is_not_lost(&mut self, job: u32, now: Instant) {
        let is_lost = self.ledger.state(job) == JobState::InHand;
        if !self.holds(!is_lost, job, "an answer leaves no job without a next step") {
            self.leave(Item::send(job), now);
            self.apply_all(now);
        }
    }
}
