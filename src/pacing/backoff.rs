//! How long to wait after an answer, or after none.
//!
//! In: the time that was named, how many such answers there were in a row. Out: a time. Pure but for the seeded random
//! numbers it is handed. Must not: wait, or decide whether anything is sent again.

use std::time::Duration;

use fastrand::Rng;

/// A bucket that is told to wait longer than this is closed for the rest of the run.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Connect errors in a row before a host that never answered is called unreachable.
pub(crate) const MAX_CONNECT_FAILURES: u32 = 5;

/// The longest wait before another try, unless a longer one was named.
pub(crate) const LONGEST_DELAY: Duration = Duration::from_secs(60);

const TRANSIENT: Backoff = Backoff { first: Duration::from_secs(1), longest: LONGEST_DELAY };
const THROTTLED: Backoff = Backoff { first: Duration::from_secs(4), longest: Duration::from_secs(120) };
const UNREACHABLE: Backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(30) };

/// A pause that nobody named is not nothing.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// So many throttle answers in a row are taken at their word; after that the pauses grow.
const TAKEN_AT_THEIR_WORD: u32 = 4;

/// How long to pause a bucket after the `nth` throttle answer in a row: for the time that it named, and longer when
/// such times keep proving too short. Throttled requests use up the allowance too, so that whoever comes back too soon,
/// again and again, never gets in.
pub(super) fn throttle_pause(asked: Option<Duration>, nth: u32, rng: &mut Rng) -> Duration {
    match (asked, nth.saturating_sub(TAKEN_AT_THEIR_WORD)) {
        (None, _) => unnamed_pause(nth, rng),
        (Some(asked), 0) => asked,
        (Some(asked), beyond) => asked.max(unnamed_pause(beyond, rng)),
    }
}

/// How long to pause a bucket after the `nth` answer in a row, from 1, of a service that is out of order: for the time
/// that it named, and no shorter than a floor that grows. A service that says 0 for ever is not asked for ever at once.
pub(super) fn outage_pause(asked: Duration, nth: u32, rng: &mut Rng) -> Duration {
    asked.max(UNREACHABLE.delay_from_half(nth, rng))
}

/// How long to pause a bucket after the `nth` throttle answer in a row that named no time, from 1.
///
/// Anything up to the ceiling, so that many clients that were throttled together do not come back together. It need not
/// be long at once: the pace has gone down too.
fn unnamed_pause(nth: u32, rng: &mut Rng) -> Duration {
    THROTTLED.delay(nth, rng).max(SHORTEST_PAUSE)
}

/// How long to wait before the try after the `nth`, from 1, whose answer does not tell.
pub(crate) fn transient_delay(nth: u32, rng: &mut Rng) -> Duration {
    TRANSIENT.delay(nth, rng)
}

/// How long to leave a host alone after the `nth` failed connection in a row, from 1.
pub(crate) fn connect_pause(nth: u32, rng: &mut Rng) -> Duration {
    UNREACHABLE.delay_from_half(nth, rng)
}

/// How long to wait after the `nth` answer in a row, from 1, that does not tell; `asked` is the time it named. `None`:
/// it named one that nobody waits for.
pub(crate) fn transient_pause(asked: Option<Duration>, nth: u32, rng: &mut Rng) -> Option<Duration> {
    let asked = asked.unwrap_or_default();
    (asked <= LONGEST_PAUSE).then(|| TRANSIENT.delay(nth, rng).max(asked))
}

/// Exponential back-off with jitter from a seed.
struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    fn ceiling(&self, nth: u32) -> Duration {
        self.first.saturating_mul(1 << nth.saturating_sub(1).min(16)).min(self.longest)
    }

    /// Full jitter: anything from nothing to the ceiling.
    fn delay(&self, nth: u32, rng: &mut Rng) -> Duration {
        self.ceiling(nth).mul_f64(rng.f64())
    }

    fn delay_from_half(&self, nth: u32, rng: &mut Rng) -> Duration {
        self.ceiling(nth).mul_f64(0.5 + rng.f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_names_no_time_worth_the_name_is_asked_ever_more_rarely() {
        let mut rng = Rng::with_seed(1);
        let pause = |nth| outage_pause(Duration::ZERO, nth, &mut rng);
        let pauses: Vec<_> = (1..10).map(pause).collect();
        assert!(pauses[0] >= UNREACHABLE.first / 2 && pauses[8] >= UNREACHABLE.longest / 2, "{pauses:?}");
        assert_eq!(outage_pause(Duration::from_secs(600), 9, &mut rng), Duration::from_secs(600));
    }

    #[test]
    fn a_named_time_is_enough_until_it_has_proved_too_short() {
        let mut rng = Rng::with_seed(3);
        let asked = Duration::from_secs(1);
        assert!((1..=4).all(|nth| throttle_pause(Some(asked), nth, &mut rng) == asked));
        assert!((0..20).any(|_| throttle_pause(Some(asked), 9, &mut rng) >= Duration::from_secs(32)));
        assert_eq!(throttle_pause(Some(asked * 900), 9, &mut rng), asked * 900);
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let mut rng = Rng::with_seed(7);
        for nth in 1..40 {
            let pause = unnamed_pause(nth, &mut rng);
            assert!(pause >= SHORTEST_PAUSE && pause <= THROTTLED.ceiling(nth), "{nth}: {pause:?}");
        }
        let mean = (0..1_000).map(|_| unnamed_pause(10, &mut rng)).sum::<Duration>() / 1_000;
        assert!(mean > THROTTLED.longest.mul_f64(0.45) && mean < THROTTLED.longest.mul_f64(0.55), "{mean:?}");
    }
}
