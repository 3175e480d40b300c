//! Sliding windows: whether a bucket has room for one more request.
//!
//! In: the scenario's allowances, and requests as they come. Out: room, or the time until there is some. Must not: know
//! what the requests are.

use std::collections::VecDeque;
use std::time::Duration;

use super::scenario::{Scenario, Stranger};
use crate::catalog::{Allowance, Bucket};

/// One bucket. Only the latest `requests` counted requests are kept: the window is full exactly when the oldest of them
/// is still in it, so a look costs the same however long the window is.
#[derive(Debug)]
struct Window {
    allowance: Allowance,
    latest: VecDeque<Duration>,
    /// How many requests of the stranger are in the books.
    stranger: u64,
}

impl Window {
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
}

#[derive(Debug)]
pub struct Windows {
    buckets: [Option<Window>; Bucket::COUNT],
    count_throttled: bool,
    stranger: Option<Stranger>,
}

impl Windows {
    pub fn new(scenario: &Scenario) -> Self {
        let window = |allowance| Window { allowance, latest: VecDeque::new(), stranger: 0 };
        Self {
            buckets: scenario.throttle.0.map(|allowance| allowance.map(window)),
            count_throttled: scenario.count_throttled,
            stranger: scenario.stranger.clone(),
        }
    }

    /// Whether there is room for a request now; the time until there is, otherwise. A request that finds none is
    /// counted here if throttled requests count; one that finds room must be handed to [`Windows::count`].
    pub fn look(&mut self, bucket: Bucket, now: Duration) -> Result<(), Duration> {
        let Some(window) = &mut self.buckets[bucket.index()] else { return Ok(()) };
        if let Some(stranger) = &self.stranger {
            let_in(stranger, window, self.count_throttled, now);
        }
        let Some(wait) = window.wait(now) else { return Ok(()) };
        if self.count_throttled {
            window.count(now);
        }
        Err(window.wait(now).unwrap_or(wait))
    }

    pub fn count(&mut self, bucket: Bucket, now: Duration) {
        if let Some(window) = &mut self.buckets[bucket.index()] {
            window.count(now);
        }
    }

    /// The length of a bucket's window, also where there is no limit.
    pub fn length(&self, bucket: Bucket) -> Duration {
        self.buckets[bucket.index()].as_ref().map_or(bucket.allowance().window, |window| window.allowance.window)
    }
}

/// Counts what the stranger has sent up to now.
fn let_in(stranger: &Stranger, window: &mut Window, count_throttled: bool, now: Duration) {
    let rate = u128::from(stranger.requests_per_second.get());
    let end = stranger.until.map_or(now, |until| until.0.min(now));
    let Some(active) = end.checked_sub(stranger.from.0) else { return };
    let sent = (active.as_nanos() * rate / 1_000_000_000) as u64 + 1;
    // What is older than a full window cannot matter any more.
    let first = window.stranger.max(sent.saturating_sub(u64::from(window.allowance.requests)));
    for number in first..sent {
        let at = stranger.from.0 + Duration::from_nanos((u128::from(number) * 1_000_000_000 / rate) as u64);
        if count_throttled || window.wait(at).is_none() {
            window.count(at);
        }
    }
    window.stranger = sent;
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
            windows(&format!("{THREE}stranger: {{ requests_per_second: 1, from: 100s, until: 200s }}\n"));
        assert_eq!(windows.look(bucket, second(50.0)), Ok(()));
        assert!(windows.look(bucket, second(150.0)).is_err());
        assert_eq!(windows.look(bucket, second(400.0)), Ok(()));
    }
}
