//! How far a verification is.
//!
//! In: what each read of an accepted job shows. Out: counts. Pure. Must not: keep anything for each job.

use jiff::Timestamp;

use crate::outcome::Stage;

/// What was accepted, followed up.
#[derive(Debug, Clone)]
pub(super) struct Verifying {
    pub(super) jobs: u32,
    pub(super) until: Timestamp,
    pub(super) done: u32,
    pub(super) failed: u32,
    pub(super) untold: u32,
}

impl Verifying {
    pub(super) fn new(jobs: u32, until: Timestamp) -> Self {
        Self { jobs, until, done: 0, failed: 0, untold: 0 }
    }

    pub(super) fn told(&self) -> u32 {
        self.done + self.failed + self.untold
    }

    pub(super) fn followed_up(&mut self, stage: Stage) {
        match stage {
            Stage::Done => self.done += 1,
            Stage::Failed | Stage::Cancelled => self.failed += 1,
            Stage::Untold => self.untold += 1,
            Stage::Pending | Stage::Unseen => {}
        }
    }
}
