//! Whether a wave has landed.
//!
//! In: the jobs of a wave that were accepted, and what follow-ups show of them. Out: one word in the end.
//! Must not: read; `following` says when, and the dispatcher does.

use std::ops::Range;
use std::time::Duration;

use tokio::time::Instant;

use super::Dispatcher;
use super::following::Who;
use super::waves::{Phase, Waves};
use crate::outcome::Stage;

/// A wave that is followed up.
#[derive(Debug, Default)]
pub(super) struct Landing {
    /// Jobs of which nothing has shown yet.
    left: u32,
    /// Those of which nothing has shown in time.
    missing: Vec<u32>,
    /// Those that their device could not do, or that were taken back.
    failed: Vec<u32>,
}

/// What has become of it so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Wait,
    Landed,
    WentWrong,
}

impl Landing {
    pub fn progress(&self) -> Progress {
        match self {
            Self { failed, .. } if !failed.is_empty() => Progress::WentWrong,
            Self { left: 1.., .. } => Progress::Wait,
            Self { missing, .. } if missing.is_empty() => Progress::Landed,
            _ => Progress::WentWrong,
        }
    }

    /// What went wrong: how many, whether on their devices, and the first of them.
    pub fn trouble(&self) -> (usize, bool, Option<u32>) {
        let (jobs, failed) = match self.failed.is_empty() {
            true => (&self.missing, false),
            false => (&self.failed, true),
        };
        (jobs.len(), failed, jobs.iter().min().copied())
    }
}

impl Waves {
    fn landing(&mut self) -> Option<&mut Landing> {
        match &mut self.phase {
            Phase::Landing(landing) => Some(landing),
            _ => None,
        }
    }

    /// A follow-up has shown how far a job is, so that its wave waits for it no more.
    pub fn told(&mut self, job: u32, stage: Stage) {
        if let Some(landing) = self.landing() {
            landing.left = landing.left.saturating_sub(1);
            if stage.came_to_nothing() {
                landing.failed.push(job);
            }
        }
    }

    pub fn not_landed(&mut self, job: u32) {
        if let Some(landing) = self.landing() {
            landing.left = landing.left.saturating_sub(1);
            landing.missing.push(job);
        }
    }
}

impl Dispatcher {
    /// Follows up the jobs of a wave of which nothing has shown yet. How many these are.
    pub(super) fn begin_landing(&mut self, jobs: Range<u32>, within: Duration, now: Instant) -> u32 {
        let unseen = |job: &u32| {
            let seen = self.ledger.settlement(*job).and_then(|settled| settled.follow_up.as_ref());
            self.can_be_followed(*job) && !seen.is_some_and(|seen| seen.stage.has_landed())
        };
        let unseen: Vec<u32> = jobs.filter(unseen).collect();
        let left = unseen.len() as u32;
        self.waves.phase = Phase::Landing(Landing { left, ..Landing::default() });
        unseen.into_iter().for_each(|job| self.follow(job, Who::Wave, within, now));
        left
    }
}
