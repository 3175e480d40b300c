//! The tenant's clock.
//!
//! In: the wall-clock time at which it starts, and jumps. Out: the time since then, and what a wall clock would show.
//! Must not: ask the system for the time of day; tokio's clock, which tests pause, is the only source.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct TenantClock {
    origin: Instant,
    start: Timestamp,
    /// How old the tenant was when this process found it.
    age: Duration,
    /// Hours that went by at once.
    jumped: AtomicU64,
}

/// At most so many hours go by at once: a year.
const LONGEST_JUMP: u64 = 366 * 24;

/// One moment, told twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// Since the tenant began.
    pub since: Duration,
    pub wall: Timestamp,
}

impl TenantClock {
    pub(crate) fn starting_at(start: Timestamp) -> Self {
        Self { origin: Instant::now(), start, age: Duration::ZERO, jumped: AtomicU64::new(0) }
    }

    /// The clock of a tenant that began then, and goes on now.
    pub(super) fn going_on(start: Timestamp, now: Timestamp) -> Self {
        Self { age: Duration::try_from(now.duration_since(start)).unwrap_or_default(), ..Self::starting_at(start) }
    }

    pub(crate) fn now(&self) -> Moment {
        let since = self.age + self.origin.elapsed() + Duration::from_secs(3_600 * self.jumped.load(Ordering::Relaxed));
        Moment { since, wall: self.wall_at(since) }
    }

    /// So much time goes by now, as `hours=24` says it. `None` if it says nothing of the kind.
    pub(super) fn jump(&self, query: &str) -> Option<()> {
        let hours = query.strip_prefix("hours=")?.parse().ok().filter(|hours| *hours <= LONGEST_JUMP)?;
        self.jumped.fetch_add(hours, Ordering::Relaxed);
        Some(())
    }

    pub(super) fn wall_at(&self, since: Duration) -> Timestamp {
        self.start.checked_add(since).unwrap_or(Timestamp::MAX)
    }
}

/// A moment as HTTP headers write it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(wall: Timestamp) -> String {
    wall.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A moment as Graph's JSON writes it, to the second.
pub(super) fn iso_date(wall: Timestamp) -> String {
    wall.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
