//! How many jobs of which action, and how long they take within the budget that the run will keep to.
//!
//! In: jobs and their holds. Out: counts. Must not: guess at retries or slow answers; the forecast is a lower bound.

use std::time::Duration;

use super::row::{PreviewState, hold_at};
use crate::catalog::{Action, Bucket, Budget};
use crate::guard::preflight::Hold;
use crate::job::Job;

/// The jobs of one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionCount {
    pub action: &'static Action,
    pub send: u32,
    pub held: u32,
    pub not_due: u32,
    /// By an earlier run.
    pub done: u32,
}

/// The requests of one bucket, and the time that its allowance makes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketCount {
    pub bucket: Bucket,
    pub requests: u32,
    pub time: Duration,
}

pub(super) fn count(jobs: &[Job], holds: &[Option<Hold>], budget: &Budget) -> (Vec<ActionCount>, Vec<BucketCount>) {
    let mut actions: Vec<ActionCount> = Vec::new();
    let mut requests = [0; Bucket::COUNT];
    for (at, job) in jobs.iter().enumerate() {
        let count = entry(&mut actions, job.action);
        match PreviewState::of(hold_at(holds, at)) {
            PreviewState::Held => count.held += 1,
            PreviewState::NotDue => count.not_due += 1,
            PreviewState::Done => count.done += 1,
            PreviewState::Send => {
                count.send += 1;
                requests[job.bucket().index()] += 1;
            }
        }
    }
    let buckets = Bucket::all().zip(requests).filter(|(_, requests)| *requests > 0);
    let buckets = buckets.map(|(bucket, requests)| BucketCount {
        bucket,
        requests,
        time: budget.allowance(bucket).time_for(requests),
    });
    (actions, buckets.collect())
}

/// Plans mix a handful of actions, and most rows have the one of the row before.
fn entry<'v>(actions: &'v mut Vec<ActionCount>, action: &'static Action) -> &'v mut ActionCount {
    let at = actions.iter().position(|count| std::ptr::eq(count.action, action)).unwrap_or_else(|| {
        actions.push(ActionCount { action, send: 0, held: 0, not_due: 0, done: 0 });
        actions.len() - 1
    });
    &mut actions[at]
}
