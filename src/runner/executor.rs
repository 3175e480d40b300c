//! The border between the runner and whatever performs an attempt.
//!
//! In: a job. Out: what the answer meant, or what a read showed. Must not: retry, wait, or keep state about jobs.

use std::future::Future;

use jiff::Timestamp;

use crate::job::Job;
use crate::outcome::{Evidence, FollowUpRead, Presence, Reply, Seen, Since};

/// Performs single attempts. Called by many workers at once.
pub trait Executor: Send + Sync + 'static {
    /// Sends the job's request once. `client_request_id` is fresh for every request.
    fn attempt(&self, job: &Job, client_request_id: &str) -> impl Future<Output = Reply> + Send;

    /// Reads whether an attempt that left then or later had an effect. Changes nothing.
    fn read_back(&self, job: &Job, since: Since, client_request_id: &str) -> impl Future<Output = Evidence> + Send;

    /// Reads how far an action is that was accepted after it had left at `since`; an error is the answer of a read that
    /// failed. Changes nothing.
    fn follow_up(
        &self,
        job: &Job,
        since: Timestamp,
        client_request_id: &str,
    ) -> impl Future<Output = Result<FollowUpRead, Reply>> + Send;

    /// Reads who the job's target is. Changes nothing.
    fn inspect(&self, job: &Job, client_request_id: &str) -> impl Future<Output = Seen> + Send;

    /// Reads whether what the id at that place of the job's route names is there. Changes nothing.
    fn find(&self, job: &Job, at: usize, client_request_id: &str) -> impl Future<Output = Presence> + Send;
}
