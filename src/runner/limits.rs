//! How hard a run may work.
//!
//! In: what plan and flags say. Out: [`Limits`]. Must not: count.

use std::time::Duration;

use super::retry::{DEFAULT_MAX_ATTEMPTS, DEFAULT_SETTLING};
use crate::catalog::Budget;
use crate::pacing::Pacing;

/// Requests in flight, at most, unless the plan says otherwise. A run begins with fewer and takes more only where answers
/// are so slow that the allowance could not be used without.
pub const DEFAULT_CONCURRENCY: u16 = 64;

/// How hard a run may work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests in flight, at most.
    pub concurrency: u16,
    /// Attempts of one job, at most.
    pub max_attempts: u32,
    /// How long after an answer in doubt a read that shows no effect proves nothing yet.
    pub settling: Duration,
    pub pacing: Pacing,
}

impl Limits {
    /// What may be used of each allowance; `None` where nothing is paced.
    pub fn budget(&self) -> Option<Budget> {
        match self.pacing {
            Pacing::Within(budget) => Some(budget),
            Pacing::Off => None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: DEFAULT_CONCURRENCY,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            settling: DEFAULT_SETTLING,
            pacing: Pacing::Within(Budget::documented(0)),
        }
    }
}
