//! What a policy may look at.
//!
//! In: the jobs and where they are. Out: answers to questions about them. Must not: change anything.

use jiff::Timestamp;
use tokio::time::Instant;

use super::event::StopReason;
use super::job_state::{Item, NextRequest};
use super::ledger::Ledger;
use super::limits::Limits;
use super::queue::Queues;
use crate::catalog::{Action, Bucket};
use crate::clock::Clock;
use crate::job::Job;
use crate::outcome::{Cause, Outcome, Settlement, Unsent};

/// The run at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunView<'a> {
    pub jobs: &'a [Job],
    pub ledger: &'a Ledger,
    pub queues: &'a Queues,
    pub limits: &'a Limits,
    pub clock: &'a Clock,
    pub now: Instant,
    /// Why the run ends, if it does.
    pub stopped: Option<&'a StopReason>,
    pub has_journal: bool,
}

impl RunView<'_> {
    pub(super) fn job(&self, job: u32) -> &Job {
        &self.jobs[job as usize]
    }

    pub(super) fn action(&self, job: u32) -> &'static Action {
        self.job(job).action
    }

    pub(super) fn wall(&self) -> Timestamp {
        self.clock.at(self.now)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopped.is_some()
    }

    pub(super) fn settlement(&self, job: u32) -> Option<&Settlement> {
        self.ledger.settlement(job)
    }

    pub(super) fn is_in_doubt(&self, job: u32) -> bool {
        self.ledger.progress(job).is_some_and(|progress| progress.is_in_doubt())
    }

    /// Whether it waits to be sent with its code, or was, and nothing of it is in doubt.
    pub(super) fn is_approved(&self, job: u32) -> bool {
        self.ledger.progress(job).is_some_and(|progress| progress.approved.is_some() && !progress.is_in_doubt())
    }

    /// An approved job is read before each send, also before one that a throttle answer has put off.
    pub(super) fn way_to_send(&self, job: u32) -> NextRequest {
        match self.is_approved(job) {
            true => NextRequest::ReadBack { resend: true },
            false => NextRequest::Send,
        }
    }

    /// Whether it is to be sent, or read right before it is.
    pub(super) fn is_for_sending(&self, item: Item) -> bool {
        item.next == NextRequest::Send
            || (item.next == NextRequest::ReadBack { resend: true } && self.is_approved(item.job))
    }

    pub(super) fn bucket_of(&self, item: Item) -> Bucket {
        let job = self.job(item.job);
        match item.next {
            NextRequest::Send => job.bucket(),
            // Its turn to be sent comes with the read, so that the send follows at once.
            NextRequest::ReadBack { .. } if self.is_approved(item.job) => job.bucket(),
            NextRequest::ReadBack { .. } | NextRequest::Check | NextRequest::FollowUp | NextRequest::Find { .. } => {
                job.read_bucket()
            }
        }
    }

    /// Whether the service has accepted a job and a read can show what becomes of it.
    pub(super) fn can_be_followed(&self, job: u32) -> bool {
        let accepted = self.settlement(job).filter(|settled| settled.outcome == Outcome::Accepted);
        let told = accepted.and_then(|settled| settled.follow_up.as_ref()).is_some_and(|seen| !seen.stage.is_open());
        accepted.is_some() && !told && self.action(job).read_back.tells()
    }

    /// What follow-ups have shown of a job so far.
    pub(super) fn last_seen(&self, job: u32) -> Option<String> {
        self.settlement(job)?.follow_up.as_ref().map(|seen| seen.to_string())
    }

    pub(super) fn look_at(&self, job: u32) -> String {
        let job = self.job(job);
        format!("look at {} {} before repeating {}", job.action.target.name(), job.target(), job.action.name)
    }

    pub(super) fn why_stopped(&self) -> Unsent {
        self.stopped.map_or_else(|| Cause::NotReached.with("ended first"), StopReason::unsent)
    }
}
