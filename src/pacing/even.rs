//! Requests that leave one after the other, at one rate: governor's limiter, told what time it is.
//!
//! In: the time between two requests, the time. Out: "now", or when to ask again. Must not: know windows, or why the rate
//! is what it is.
//!
//! Governor keeps a clock of its own; ours is whatever instant the caller names, so that a test or a rehearsal may pause it.
//! A limiter has one rate. Another rate is another limiter, that counts the last request of the one before.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// Lateness that is made up for. A timer wakes up a little late, each time.
const LATENESS: Duration = Duration::from_millis(20);

/// What the clock shows at its first instant, so that there is a time before it.
const BEGINNING: Duration = Duration::from_secs(7 * 24 * 3_600);

/// One at a time.
#[derive(Debug)]
pub(super) struct Even {
    limiter: RateLimiter<NotKeyed, InMemoryState, ShownClock, NoOpMiddleware<Nanos>>,
    clock: ShownClock,
    /// How many may leave at once after a time without any: more than one only makes up for lateness.
    burst: NonZeroU32,
    /// When the last one left.
    last: Instant,
    /// Those that left behind another one without a place of their own.
    owed: u32,
}

impl Even {
    /// The first one leaves at that instant.
    pub(super) fn beginning(now: Instant, interval: Duration) -> Self {
        let clock = ShownClock { epoch: now, shown: Arc::default() };
        let (limiter, burst) = limiter(interval, &clock);
        let even = Self { limiter, clock, burst, last: now, owed: 0 };
        even.spend(now);
        even
    }

    /// From now on at that rate.
    pub(super) fn change(&mut self, interval: Duration) {
        (self.limiter, self.burst) = limiter(interval, &self.clock);
        self.spend(self.last);
    }

    /// Lets one leave, or says when to ask again.
    pub(super) fn pass(&mut self, now: Instant) -> Result<(), Instant> {
        while self.owed > 0 {
            self.check(now)?;
            self.owed -= 1;
        }
        self.check(now)?;
        self.last = now;
        Ok(())
    }

    /// One leaves right behind the one before it, whose place the next one waits for.
    pub(super) fn pass_along(&mut self) {
        self.owed += 1;
    }

    fn check(&self, now: Instant) -> Result<(), Instant> {
        self.clock.name(now);
        self.limiter.check().map_err(|not_until| self.clock.instant(not_until.earliest_possible()))
    }

    /// Counts all that may leave at once as gone at that instant.
    fn spend(&self, at: Instant) {
        self.clock.name(at);
        // It is new, so that there is room for exactly these.
        let _ = self.limiter.check_n(self.burst);
    }
}

fn limiter(
    interval: Duration,
    clock: &ShownClock,
) -> (RateLimiter<NotKeyed, InMemoryState, ShownClock, NoOpMiddleware<Nanos>>, NonZeroU32) {
    let interval = interval.max(Duration::from_nanos(1));
    let late = LATENESS.as_nanos().div_ceil(interval.as_nanos()).max(1);
    let burst = NonZeroU32::MIN.saturating_add(u32::try_from(late).unwrap_or(u32::MAX));
    let quota = Quota::with_period(interval).map_or(Quota::per_second(burst), |quota| quota.allow_burst(burst));
    // A limiter knows no time before the one at which it was made.
    clock.shown.store(0, Ordering::Relaxed);
    (RateLimiter::direct_with_clock(quota, clock.clone()), burst)
}

/// A clock that shows what it is told.
#[derive(Debug, Clone)]
struct ShownClock {
    epoch: Instant,
    /// Nanoseconds since the epoch.
    shown: Arc<AtomicU64>,
}

impl ShownClock {
    fn name(&self, now: Instant) {
        let since = now.saturating_duration_since(self.epoch).saturating_add(BEGINNING);
        self.shown.store(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn instant(&self, shown: Nanos) -> Instant {
        self.epoch + Duration::from_nanos(shown.as_u64()).saturating_sub(BEGINNING)
    }
}

impl Clock for ShownClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.shown.load(Ordering::Relaxed).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: Duration = Duration::from_millis(100);

    #[test]
    fn one_after_the_other() {
        let start = Instant::now();
        let mut even = Even::beginning(start, TENTH);
        assert_eq!(even.pass(start), Err(start + TENTH));
        // Some milliseconds late: the one after that is not late too.
        assert_eq!(even.pass(start + Duration::from_millis(104)), Ok(()));
        assert_eq!(even.pass(start + Duration::from_millis(104)), Err(start + TENTH * 2));
        // A minute late: nothing is made up for but one.
        let late = start + Duration::from_secs(60);
        assert_eq!([even.pass(late), even.pass(late), even.pass(late)], [Ok(()), Ok(()), Err(late + TENTH)]);
    }

    #[test]
    fn a_second_one_right_behind_is_made_up_for() {
        let start = Instant::now();
        let mut even = Even::beginning(start, TENTH);
        even.pass_along();
        assert_eq!(even.pass(start + TENTH), Err(start + TENTH * 2));
        assert_eq!(even.pass(start + TENTH * 2), Ok(()));
    }

    #[test]
    fn another_rate_counts_from_the_last_one() {
        let start = Instant::now();
        let mut even = Even::beginning(start, TENTH);
        even.change(TENTH * 3);
        assert_eq!(even.pass(start + TENTH), Err(start + TENTH * 3));
        even.change(TENTH / 10);
        assert_eq!(even.pass(start + TENTH / 10), Ok(()));
    }

    #[test]
    fn quicker_than_a_timer_wakes_up() {
        let start = Instant::now();
        let mut even = Even::beginning(start, Duration::from_millis(1));
        let late = start + Duration::from_millis(15);
        let left = (0..100).take_while(|_| even.pass(late).is_ok()).count();
        assert_eq!(left, 15, "what was missed in a timer's lateness");
    }
}
