//! The program's time.
//!
//! In: the wall-clock time at the start, and a way to ask the system's clock again. Out: monotonic instants and the
//! wall-clock time that belongs to them. Must not: go back; a clock that is set back in the middle of a run would reorder
//! the report.
//!
//! Monotonic time stands still while a machine is suspended, and the tenant's day does not. Whoever waits long sleeps in
//! steps, and after each of them lets the clock catch up.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// How long somebody sleeps at a time who waits for a time of day.
const STEP: Duration = Duration::from_secs(30);

/// Further ahead than this, the system's clock is not just kept better than ours.
const AHEAD: SignedDuration = SignedDuration::from_secs(10);

/// Wall-clock time that moves with tokio's clock, paused or not. Clones are one clock.
#[derive(Clone)]
pub struct Clock {
    start: Instant,
    wall: Timestamp,
    system: Option<fn() -> Timestamp>,
    /// When it was noticed that the machine had been suspended, and for how long.
    suspended: Arc<RwLock<Vec<(Instant, SignedDuration)>>>,
}

impl Clock {
    /// A clock that shows `wall` now.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self { start: Instant::now(), wall, system: None, suspended: Arc::default() }
    }

    /// The same clock, for whoever asks the system's clock again. The clones that are out catch up with it.
    #[must_use]
    pub fn following(self, system: fn() -> Timestamp) -> Self {
        Self { system: Some(system), ..self }
    }

    pub fn now(&self) -> Timestamp {
        self.at(Instant::now())
    }

    /// The wall-clock time of an instant.
    pub fn at(&self, instant: Instant) -> Timestamp {
        let elapsed = SignedDuration::try_from(instant.saturating_duration_since(self.start)).unwrap_or_default();
        let suspended = self.suspended.read().unwrap_or_else(PoisonError::into_inner);
        let lost = suspended.iter().filter(|(noticed, _)| *noticed <= instant);
        let elapsed = lost.fold(elapsed, |sum, (_, lost)| sum.saturating_add(*lost));
        self.wall.checked_add(elapsed).unwrap_or(self.wall)
    }

    /// Makes up for the time that the machine was suspended. Returns how long that was, if it was.
    pub fn catch_up(&self) -> Option<SignedDuration> {
        let system = self.system?;
        let noticed = Instant::now();
        let lost = system().duration_since(self.at(noticed));
        if lost <= AHEAD {
            return None;
        }
        self.suspended.write().unwrap_or_else(PoisonError::into_inner).push((noticed, lost));
        tracing::info!(
            seconds = lost.as_secs(),
            "the system's clock is ahead: the machine was suspended, or its clock was set"
        );
        Some(lost)
    }

    /// How long to sleep, of the time that is left, until the clock is to catch up again.
    pub fn step(&self, left: Duration) -> Duration {
        match self.system {
            Some(_) => left.min(STEP),
            None => left,
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now", &self.now()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static SYSTEM: Cell<Timestamp> = const { Cell::new(Timestamp::UNIX_EPOCH) };
    }

    fn hours(hours: i64) -> SignedDuration {
        SignedDuration::from_hours(hours)
    }

    #[tokio::test(start_paused = true)]
    async fn a_suspended_machine_is_not_late() {
        let wall: Timestamp = "2026-11-22T07:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(wall);
        let clone = clock.clone();
        let clock = clock.following(|| SYSTEM.get());
        let before = Instant::now();
        tokio::time::advance(Duration::from_secs(3_600)).await;
        SYSTEM.set(wall + hours(9));
        assert_eq!(clock.catch_up(), Some(hours(8)));
        assert_eq!(clock.catch_up(), None);
        assert_eq!((clock.now(), clone.now()), (wall + hours(9), wall + hours(9)));
        assert_eq!(clock.at(before), wall, "what was before stays where it was");
        SYSTEM.set(wall);
        assert_eq!(clock.catch_up(), None, "a clock that is set back reorders nothing");
        assert_eq!(clock.now(), wall + hours(9));
        tokio::time::advance(Duration::from_secs(7_200)).await;
        SYSTEM.set(wall + hours(20));
        assert_eq!(clock.catch_up(), Some(hours(9)));
        assert_eq!(clone.now(), wall + hours(20));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_follows_a_clock_sleeps_in_steps() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let night = Duration::from_secs(30_000);
        assert_eq!(clock.step(night), night);
        let clock = clock.following(|| SYSTEM.get());
        assert_eq!((clock.step(night), clock.step(Duration::from_secs(1))), (STEP, Duration::from_secs(1)));
    }
}
