//! The program's time.
//!
//! In: the wall-clock time at the start. Out: monotonic instants and the wall-clock time that belongs to them.
//! Must not: read the system's clock again; a clock that is set back in the middle of a run would reorder the report.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Wall-clock time that moves with tokio's clock, paused or not.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    wall: Timestamp,
}

impl Clock {
    /// A clock that shows `wall` now.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self { start: Instant::now(), wall }
    }

    pub fn now(&self) -> Timestamp {
        self.at(Instant::now())
    }

    /// The wall-clock time of an instant.
    pub fn at(&self, instant: Instant) -> Timestamp {
        let elapsed = SignedDuration::try_from(instant.saturating_duration_since(self.start)).unwrap_or_default();
        self.wall.checked_add(elapsed).unwrap_or(self.wall)
    }
}
