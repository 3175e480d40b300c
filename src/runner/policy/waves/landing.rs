//! Whether a wave has landed.
//!
//! In: what follow-ups show of its jobs. Out: one word in the end. Must not: read.

use crate::outcome::Stage;

/// A wave that is followed up.
#[derive(Debug, Default)]
pub(super) struct Landing {
    /// Jobs of which nothing has shown yet.
    left: u32,
    /// Those of which nothing has shown in time, and what was seen last.
    missing: Vec<(u32, Option<String>)>,
    /// Those that their device could not do, or that were taken back.
    failed: Vec<u32>,
}

/// What has become of it so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LandingProgress {
    Wait,
    Landed,
    WentWrong,
}

/// What went wrong: how many jobs, whether on their devices, and the first of them with what was seen last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub jobs: usize,
    pub failed: bool,
    pub first: Option<(u32, Option<String>)>,
}

impl Landing {
    pub(super) fn new(jobs: u32) -> Self {
        Self { left: jobs, ..Self::default() }
    }

    /// A follow-up has shown how far a job is, so that its wave waits for it no more.
    pub(super) fn told(&mut self, job: u32, stage: Stage) {
        self.left = self.left.saturating_sub(1);
        if stage.came_to_nothing() {
            self.failed.push(job);
        }
    }

    pub(super) fn in_vain(&mut self, job: u32, seen: Option<String>) {
        self.left = self.left.saturating_sub(1);
        self.missing.push((job, seen));
    }

    pub(super) fn progress(&self) -> LandingProgress {
        match self {
            Self { failed, .. } if !failed.is_empty() => LandingProgress::WentWrong,
            Self { left: 1.., .. } => LandingProgress::Wait,
            Self { missing, .. } if missing.is_empty() => LandingProgress::Landed,
            _ => LandingProgress::WentWrong,
        }
    }

    pub(super) fn trouble(&self) -> Trouble {
        match self.failed.iter().min() {
            Some(first) => Trouble { jobs: self.failed.len(), failed: true, first: Some((*first, None)) },
            None => {
                let first = self.missing.iter().min_by_key(|(job, _)| *job).cloned();
                Trouble { jobs: self.missing.len(), failed: false, first }
            }
        }
    }
}
