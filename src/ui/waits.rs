//! Jobs that wait for their next try or read.
//!
//! In: how long each of them waits. Out: how many still do, and for how long. Must not: keep anything for each job.

use std::collections::BTreeMap;
use std::time::Duration;

/// A shorter wait is not worth a word.
const WORTH_COUNTING: Duration = Duration::from_secs(5);

/// How many jobs begin their next try or read in which second after the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits(BTreeMap<u64, u32>);

impl Waits {
    pub(super) fn add(&mut self, delay: Duration, now: Duration) {
        self.0.retain(|second, _| *second > now.as_secs());
        if delay >= WORTH_COUNTING {
            *self.0.entry((now + delay).as_secs()).or_default() += 1;
        }
    }

    /// How many still wait, and how long the last of them does.
    pub(super) fn left(&self, now: Duration) -> (u32, Duration) {
        let waits = self.0.range(now.as_secs() + 1..);
        let last = waits.clone().next_back().map_or(Duration::ZERO, |(second, _)| Duration::from_secs(*second));
        (waits.map(|(_, jobs)| jobs).sum(), last.saturating_sub(now))
    }
}
