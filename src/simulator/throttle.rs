//! Sliding windows: whether a bucket has room for one more request.
//!
//! In: the scenario's allowances and strangers, and requests as they come. Out: room, or the time until there is some;
//! how near the limit is. Must not: know what the requests are.

use std::collections::VecDeque;
use std::time::Duration;

use super::scenario::{Burst, Scenario};
use super::strangers::Strangers;
use crate::catalog::{Allowance, Bucket};

/// One bucket. Only the latest `requests` counted requests are kept: the window is full exactly when the oldest of them
/// is still in it, so a look costs the same however long the window is.
#[derive(Debug)]
struct ThrottleWindow {
    allowance: Allowance,
    latest: VecDeque<Duration>,
    strangers: Strangers,
    /// How many requests of strangers are in the books.
    of_strangers: u64,
    burst: Option<Punished>,
}

/// Bursts of the client's own, and what they lead to.
#[derive(Debug)]
struct Punished {
    burst: Burst,
    latest: VecDeque<Duration>,
    closed_until: Duration,
}

impl Punished {
    /// Time until there is room.
    fn wait(&mut self, now: Duration) -> Option<Duration> {
        while self.latest.front().is_some_and(|at| *at + self.burst.window.0 <= now) {
            self.latest.pop_front();
        }
        if self.latest.len() >= self.burst.requests.get() as usize {
            self.closed_until = now + self.burst.penalty.0;
            self.latest.clear();
        }
        self.closed_until.checked_sub(now).filter(|wait| !wait.is_zero())
    }
}

impl ThrottleWindow {
    /// Time until there is room.
    fn wait(&self, now: Duration) -> Option<Duration> {
        let full = self.latest.len() >= self.allowance.requests as usize;
        let oldest = self.latest.front().filter(|_| full)?;
        let free = *oldest + self.allowance.window;
        (free > now).then(|| free - now)
    }

    fn count(&mut self, at: Duration) {
        if self.latest.len() >= self.allowance.requests as usize {
            self.latest.pop_front();
        }
        self.latest.push_back(at);
    }

    /// Counts what strangers have sent up to now.
    fn let_in(&mut self, count_throttled: bool, now: Duration) {
        while let Some(at) = self.strangers.next(now) {
            self.of_strangers += 1;
            if count_throttled || self.wait(at).is_none() {
                self.count(at);
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Windows {
    buckets: [Option<ThrottleWindow>; Bucket::COUNT],
    count_throttled: bool,
}

impl Windows {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let window = |bucket: usize| {
            let burst = scenario.throttle.1[bucket];
            Some(ThrottleWindow {
                allowance: scenario.throttle.0[bucket]?,
                latest: VecDeque::new(),
                strangers: Strangers::new(scenario),
                of_strangers: 0,
                burst: burst.map(|burst| Punished { burst, latest: VecDeque::new(), closed_until: Duration::ZERO }),
            })
        };
        Self { buckets: std::array::from_fn(window), count_throttled: scenario.count_throttled }
    }

    /// Whether there is room for a request now; the time until there is, otherwise. A request that finds none is
    /// counted here if throttled requests count; one that finds room must be handed to [`Windows::count`].
    pub(super) fn look(&mut self, bucket: Bucket, now: Duration) -> Result<(), Duration> {
        let Some(window) = &mut self.buckets[bucket.index()] else { return Ok(()) };
        window.let_in(self.count_throttled, now);
        let punished = window.burst.as_mut().and_then(|burst| burst.wait(now));
        let Some(wait) = window.wait(now).max(punished) else { return Ok(()) };
        if self.count_throttled {
            window.count(now);
        }
        Err(window.wait(now).unwrap_or(wait).max(wait))
    }

    pub(super) fn count(&mut self, bucket: Bucket, now: Duration) {
        if let Some(window) = &mut self.buckets[bucket.index()] {
            window.count(now);
            if let Some(burst) = &mut window.burst {
                burst.latest.push_back(now);
            }
        }
    }

    /// How much of the allowance is used up, 1 being all of it.
    pub(super) fn load(&self, bucket: Bucket, now: Duration) -> f64 {
        let Some(window) = &self.buckets[bucket.index()] else { return 0.0 };
        let length = window.allowance.window;
        let recent = window.latest.iter().rev().take_while(|at| **at + length > now).count();
        recent as f64 / f64::from(window.allowance.requests)
    }

    /// Requests of strangers, by the index of the bucket.
    pub(super) fn of_strangers(&self) -> [u64; Bucket::COUNT] {
        std::array::from_fn(|bucket| self.buckets[bucket].as_ref().map_or(0, |window| window.of_strangers))
    }

    /// The length of a bucket's window, also where there is no limit.
    pub(super) fn length(&self, bucket: Bucket) -> Duration {
        self.buckets[bucket.index()].as_ref().map_or(bucket.allowance().window, |window| window.allowance.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(text: &str) -> (Windows, Bucket) {
        let scenario = Scenario::from_yaml(text).unwrap();
        (Windows::new(&scenario), Bucket::all().nth(1).unwrap())
    }

    fn second(at: f64) -> Duration {
        Duration::from_secs_f64(at)
    }

    const THREE: &str = "throttle: { intune-devices/write: { requests: 3, window: 10s } }\n";

    #[test]
    fn the_window_slides() {
        let (mut windows, bucket) = windows(&format!("{THREE}count_throttled: false\n"));
        for at in [0.0, 4.0, 8.0] {
            assert_eq!(windows.look(bucket, second(at)), Ok(()));
            windows.count(bucket, second(at));
        }
        assert_eq!(windows.look(bucket, second(9.0)), Err(second(1.0)));
        assert_eq!(windows.look(bucket, second(10.0)), Ok(()));
        windows.count(bucket, second(10.0));
        assert_eq!(windows.look(bucket, second(10.0)), Err(second(4.0)));
    }

    #[test]
    fn whoever_does_not_wait_never_gets_out() {
        let (mut windows, bucket) = windows(THREE);
        for _ in 0..3 {
            windows.count(bucket, second(0.0));
        }
        for at in 1..60 {
            assert!(windows.look(bucket, second(f64::from(at))).is_err(), "{at}");
        }
        assert_eq!(windows.look(bucket, second(67.0)), Ok(()), "57 s was the third latest");
    }

    #[test]
    fn a_stranger_eats_of_the_allowance() {
        let (mut windows, bucket) =
            windows(&format!("{THREE}strangers: [{{ requests_per_second: 1, from: 100s, until: 200s }}]\n"));
        assert_eq!(windows.look(bucket, second(50.0)), Ok(()));
        assert!(windows.look(bucket, second(150.0)).is_err());
        assert_eq!(windows.look(bucket, second(400.0)), Ok(()));
    }

    #[test]
    fn strangers_come_one_after_the_other_at_rates_of_their_own() {
        let (mut windows, bucket) = windows(
            "strangers:\n- { requests_per_second: 2 }\n- { requests_per_second: 1, up_to: 3, changes_every: 10s }\n",
        );
        let mut sent = Vec::new();
        for minute in 1..=4 {
            windows.look(bucket, second(60.0 * f64::from(minute))).unwrap();
            sent.push(windows.of_strangers()[bucket.index()]);
        }
        let per_minute: Vec<_> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(per_minute.iter().all(|sent| (180..=300).contains(sent)), "{per_minute:?}");
        assert!(per_minute.windows(2).any(|pair| pair[0] != pair[1]), "{per_minute:?}");
    }

    #[test]
    fn a_burst_closes_the_bucket_for_a_while() {
        let (mut windows, bucket) = windows(
            "throttle: { intune-devices/write: { requests: 100, window: 10s, burst: { requests: 2, window: 1s, penalty: 30s } } }\n",
        );
        for at in [0.0, 0.6, 1.2] {
            assert_eq!(windows.look(bucket, second(at)), Ok(()));
            windows.count(bucket, second(at));
        }
        assert_eq!(windows.look(bucket, second(1.5)), Err(second(30.0)));
        assert_eq!(windows.look(bucket, second(20.0)), Err(second(11.5)));
        assert_eq!(windows.look(bucket, second(31.5)), Ok(()));
        assert_eq!(windows.load(bucket, second(25.0)), 0.01, "throttled ones count");
    }
}
