//! Preview: what would be sent, and what the guards say of it.
//!
//! In: jobs and the preflight findings. Out: rows, made one at a time; counts; a forecast; CSV and JSON.
//! Must not: touch the network, print, or hold text for every row, because a plan may have a million of them.

mod count;
mod row;
#[cfg(test)]
mod tests;
mod write;

pub use count::{ActionCount, BucketCount};
pub use row::{Row, State, UNVERIFIED};
pub use write::{COLUMNS, write_csv, write_json};

use crate::guard::preflight::{Hold, Preflight};
use crate::job::Job;

/// The preview of a plan: its jobs, seen once for the counts and again whenever somebody asks for rows.
#[derive(Debug)]
pub struct Preview<'a> {
    jobs: &'a [Job],
    preflight: &'a Preflight,
    /// Share of the allowance that is left to others.
    pub reserve_percent: u8,
    /// In the order in which the plan first mentions them.
    pub actions: Vec<ActionCount>,
    /// Only those that something is sent in.
    pub buckets: Vec<BucketCount>,
}

impl<'a> Preview<'a> {
    /// `preflight` must have been made of the same `jobs`.
    pub fn new(jobs: &'a [Job], preflight: &'a Preflight, reserve_percent: u8) -> Self {
        let (actions, buckets) = count::count(jobs, &preflight.holds, reserve_percent);
        Self { jobs, preflight, reserve_percent, actions, buckets }
    }

    /// Rows in plan order.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = Row<'a>> + ExactSizeIterator + use<'a> {
        let (jobs, holds) = (self.jobs, &self.preflight.holds);
        (0..jobs.len()).map(move |at| Row::new(jobs, at, hold_at(holds, at)))
    }

    /// Why jobs would not be sent, in plan order.
    pub fn holds(&self) -> impl Iterator<Item = Hold> {
        self.preflight.holds.iter().copied().flatten()
    }

    /// Rows of the plan.
    pub fn total(&self) -> usize {
        self.jobs.len()
    }

    pub fn send(&self) -> u32 {
        self.actions.iter().map(|action| action.send).sum()
    }

    pub fn held(&self) -> u32 {
        self.actions.iter().map(|action| action.held).sum()
    }

    pub fn done(&self) -> u32 {
        self.actions.iter().map(|action| action.done).sum()
    }

    pub fn not_due(&self) -> u32 {
        self.actions.iter().map(|action| action.not_due).sum()
    }

    /// Of the jobs to send, those whose action wants a confirmation.
    pub fn dangerous(&self) -> u32 {
        self.actions.iter().filter(|count| count.action.risk.wants_confirmation()).map(|count| count.send).sum()
    }

    /// The bucket that takes longest. Buckets run beside each other, so its time is the run's.
    pub fn longest(&self) -> Option<&BucketCount> {
        self.buckets.iter().max_by_key(|bucket| bucket.time)
    }
}

fn hold_at(holds: &[Option<Hold>], at: usize) -> Option<Hold> {
    holds.get(at).copied().flatten()
}
