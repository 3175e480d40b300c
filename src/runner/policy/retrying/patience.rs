//! How much patience each job has used up.
//!
//! In: failures in a row. Out: their counts. Must not: decide what they mean.

use std::collections::HashMap;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use crate::outcome::Verdict;

/// Of all jobs that have had trouble.
#[derive(Debug)]
pub(super) struct Patience {
    jobs: HashMap<u32, Used>,
    pub rng: Rng,
}

#[derive(Debug, Default)]
struct Used {
    /// Failed reads in a row.
    failed_reads: u32,
    /// 401 answers in a row.
    unauthorized: u32,
    /// When the service first answered that it was out of order, and named a time, with nothing else since.
    unavailable_since: Option<Instant>,
}

impl Patience {
    pub(super) fn new(rng: Rng) -> Self {
        Self { jobs: HashMap::new(), rng }
    }

    pub(super) fn forget(&mut self, job: u32) {
        self.jobs.remove(&job);
    }

    /// A read has told something.
    pub(super) fn was_read(&mut self, job: u32) {
        if let Some(used) = self.jobs.get_mut(&job) {
            (used.failed_reads, used.unavailable_since) = (0, None);
        }
    }

    pub(super) fn token_was_good(&mut self, job: u32) {
        if let Some(used) = self.jobs.get_mut(&job) {
            used.unauthorized = 0;
        }
    }

    pub(super) fn failed_reads(&self, job: u32) -> u32 {
        self.jobs.get(&job).map_or(0, |used| used.failed_reads)
    }

    pub(super) fn read_failed(&mut self, job: u32) {
        self.jobs.entry(job).or_default().failed_reads += 1;
    }

    /// How many 401 answers came in a row so far.
    pub(super) fn refused_tokens(&self, job: u32) -> u32 {
        self.jobs.get(&job).map_or(0, |used| used.unauthorized)
    }

    /// How many 401 answers came in a row, this one included.
    pub(super) fn unauthorized(&mut self, job: u32) -> u32 {
        let used = self.jobs.entry(job).or_default();
        used.unauthorized += 1;
        used.unauthorized
    }

    /// How long the service has been out of order for a job, with nothing else since, when it answers so.
    pub(super) fn unavailable(&mut self, job: u32, verdict: &Verdict, now: Instant) -> Duration {
        if !matches!(verdict, Verdict::Unavailable { .. }) {
            if let Some(used) = self.jobs.get_mut(&job) {
                used.unavailable_since = None;
            }
            return Duration::ZERO;
        }
        let used = self.jobs.entry(job).or_default();
        now.saturating_duration_since(*used.unavailable_since.get_or_insert(now))
    }
}
