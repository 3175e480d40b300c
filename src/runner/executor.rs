//! The border between the runner and whatever performs an attempt.
//!
//! In: a job. Out: what the answer meant, or what a read showed. Must not: retry, wait, or keep state about jobs.

use std::future::Future;

use jiff::Timestamp;

use crate::job::Job;
use crate::outcome::{Evidence, Reply};

/// Performs single attempts. Called by many workers at once.
pub trait Executor: Send + Sync + 'static {
    /// Sends the job's request once. `client_request_id` is fresh for every request.
    fn attempt(&self, job: &Job, client_request_id: &str) -> impl Future<Output = Reply> + Send;

    /// Reads whether an attempt that left at `since` or later had an effect. Changes nothing.
    fn read_back(&self, job: &Job, since: Timestamp, client_request_id: &str) -> impl Future<Output = Evidence> + Send;
}
