//! Pacing and gates: when the next request of a bucket may leave.
//!
//! In: the documented allowance, the share to leave to others, throttle answers. Out: "now", or the instant at which to
//! ask again. The dispatcher is the only one who asks, so nobody wakes a herd of waiters. Must not: sleep or send.
//!
//! Pacing is even (one request per interval, no burst): governor's bucket algorithm would otherwise let a burst and a
//! full rate fall into one window of the service.

use std::time::Duration;

use fastrand::Rng;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use super::pace_clock::{TokioClock, TokioInstant};
use super::retry::{LONGEST_PAUSE, throttle_pause};
use crate::catalog::Bucket;

type Pacer = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<TokioInstant>>;

/// How fast requests may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// At the documented allowances, less the share that is left to others.
    Documented { reserve_percent: u8 },
    /// As fast as the connection carries them. For servers on this machine only.
    Off,
}

/// What stands in the way of the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Ask again at that instant.
    Until(Instant),
    /// Nothing more leaves in this run: the service named a time beyond [`LONGEST_PAUSE`].
    Closed { asked: Duration },
}

/// The gate of one bucket.
#[derive(Debug)]
pub struct Gate {
    pacer: Option<Pacer>,
    pause: Pause,
    closed: Option<Duration>,
}

impl Gate {
    pub fn new(bucket: Bucket, pacing: Pacing) -> Self {
        let pacer = match pacing {
            Pacing::Off => None,
            Pacing::Documented { reserve_percent } => {
                let interval = bucket.allowance().interval(reserve_percent);
                Quota::with_period(interval).map(|quota| RateLimiter::direct_with_clock(quota, TokioClock))
            }
        };
        Self { pacer, pause: Pause::default(), closed: None }
    }

    /// Whether nothing leaves now, however much of the allowance is left.
    pub fn is_paused(&self, now: Instant) -> bool {
        self.closed.is_some() || self.pause.until.is_some_and(|until| until > now)
    }

    /// Asks to send one request now. `Ok` has used up its place.
    pub fn pass(&mut self, now: Instant) -> Result<(), Wait> {
        if let Some(asked) = self.closed {
            return Err(Wait::Closed { asked });
        }
        if let Some(until) = self.pause.until.filter(|until| *until > now) {
            return Err(Wait::Until(until));
        }
        let Some(pacer) = &self.pacer else { return Ok(()) };
        pacer.check().map_err(|not_until| {
            // `earliest_possible` may be one tick early, and a wake-up that comes too early would spin.
            let at: Instant = not_until.earliest_possible().into();
            Wait::Until(at.max(now + Duration::from_micros(100)))
        })
    }

    /// A throttle answer came to a request that left at `sent`. Returns the pause from now on, and whether it is news.
    pub fn throttled(
        &mut self,
        asked: Option<Duration>,
        sent: Instant,
        now: Instant,
        rng: &mut Rng,
    ) -> Option<Duration> {
        if let Some(asked) = asked.filter(|asked| *asked > LONGEST_PAUSE) {
            self.closed = Some(asked);
            return Some(asked);
        }
        self.pause.extend(sent, now, |nth| throttle_pause(asked, nth, rng), asked.is_some())
    }

    /// The service answered a request that left at `sent` with something else than a throttle.
    pub fn answered(&mut self, sent: Instant) {
        self.pause.over(sent);
    }
}

/// A pause that grows while what caused it goes on.
///
/// Many requests are in flight when the first bad answer comes; their answers belong to the same episode and must not
/// make the pause grow once each.
#[derive(Debug, Default)]
pub struct Pause {
    until: Option<Instant>,
    began: Option<Instant>,
    nth: u32,
}

impl Pause {
    /// Prolongs the pause because of a request that left at `sent`. `length` is told how many episodes in a row there
    /// were; `named` lengths count even within an episode. Returns the pause if it was prolonged.
    pub fn extend(
        &mut self,
        sent: Instant,
        now: Instant,
        length: impl FnOnce(u32) -> Duration,
        named: bool,
    ) -> Option<Duration> {
        let same_episode = self.began.is_some_and(|began| sent <= began);
        if same_episode && !named {
            return None;
        }
        if !same_episode {
            self.began = Some(now);
            self.nth += 1;
        }
        let length = length(self.nth);
        let until = now + length;
        if self.until.is_some_and(|already| already >= until) {
            return None;
        }
        self.until = Some(until);
        Some(length)
    }

    /// A request that left at `sent` went well. Ends the row of episodes, never the pause itself.
    pub fn over(&mut self, sent: Instant) {
        if self.began.is_none_or(|began| sent > began) {
            self.nth = 0;
        }
    }

    pub fn until(&self) -> Option<Instant> {
        self.until
    }

    pub fn nth(&self) -> u32 {
        self.nth
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Access, INTUNE_DEVICES};

    const BUCKET: Bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };

    async fn send_times(gate: &mut Gate, count: usize) -> Vec<Instant> {
        let mut times = Vec::new();
        while times.len() < count {
            match gate.pass(Instant::now()) {
                Ok(()) => times.push(Instant::now()),
                Err(Wait::Until(at)) => tokio::time::sleep_until(at).await,
                Err(Wait::Closed { .. }) => panic!("closed"),
            }
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_the_allowance_and_hardly_less() {
        let mut gate = Gate::new(BUCKET, Pacing::Documented { reserve_percent: 0 });
        let times = send_times(&mut gate, 2_000).await;
        let allowance = BUCKET.allowance();
        for (index, start) in times.iter().enumerate() {
            let in_window = times[index..].iter().take_while(|at| **at - *start <= allowance.window).count();
            assert!(in_window <= allowance.requests as usize, "{in_window} from request {index}");
        }
        let used = 2_000.0 / ((times[1_999] - times[0]).as_secs_f64() * allowance.per_second());
        assert!(used >= 0.95, "only {used} of the allowance is used");
    }

    #[tokio::test(start_paused = true)]
    async fn a_named_pause_is_kept_to_the_end() {
        let mut gate = Gate::new(BUCKET, Pacing::Off);
        let now = Instant::now();
        let mut rng = Rng::with_seed(1);
        assert_eq!(gate.throttled(Some(Duration::from_secs(17)), now, now, &mut rng), Some(Duration::from_secs(17)));
        assert_eq!(gate.pass(now), Err(Wait::Until(now + Duration::from_secs(17))));
        gate.answered(now + Duration::from_secs(1));
        assert!(gate.pass(now + Duration::from_secs(16)).is_err(), "a good answer does not end the pause");
        assert!(gate.pass(now + Duration::from_secs(17)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn answers_of_one_episode_make_one_pause() {
        let mut gate = Gate::new(BUCKET, Pacing::Off);
        let sent = Instant::now();
        let mut rng = Rng::with_seed(1);
        let first = gate.throttled(None, sent, sent + Duration::from_millis(5), &mut rng);
        assert!(first.is_some());
        for _ in 0..15 {
            assert_eq!(gate.throttled(None, sent, sent + Duration::from_millis(9), &mut rng), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_reason_closes_the_bucket() {
        let mut gate = Gate::new(BUCKET, Pacing::Off);
        let now = Instant::now();
        let asked = Duration::from_secs(86_400);
        gate.throttled(Some(asked), now, now, &mut Rng::with_seed(1));
        assert_eq!(gate.pass(now + asked * 2), Err(Wait::Closed { asked }));
    }
}
