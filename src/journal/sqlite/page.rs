//! Some jobs of a run that stand one behind the other.
//!
//! In: the jobs as they were recorded. Out: the same, for the readers that add what became of them. Must not: read.

use crate::journal::stored::StoredJob;

/// Some jobs of a run, with the index of the first.
pub(super) struct Page {
    run: i64,
    first: u32,
    jobs: Vec<StoredJob>,
}

impl Page {
    pub(super) fn new(run: i64, first: u32, jobs: Vec<StoredJob>) -> Self {
        Self { run, first, jobs }
    }

    /// The run, and the indexes of the first and the last job: what a condition on rows needs.
    pub(super) fn range(&self) -> (i64, i64, i64) {
        let first = i64::from(self.first);
        let count = i64::try_from(self.jobs.len()).unwrap_or(i64::MAX);
        (self.run, first, first + count - 1)
    }

    /// The job with that index, if it stands here.
    pub(super) fn job(&mut self, index: u32) -> Option<&mut StoredJob> {
        self.jobs.get_mut(index.checked_sub(self.first)? as usize)
    }

    pub(super) fn into_jobs(self) -> Vec<StoredJob> {
        self.jobs
    }
}
