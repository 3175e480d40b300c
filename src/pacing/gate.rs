//! The gate of a bucket: when its next request may leave.
//!
//! In: what a run may use, throttle answers, what earlier processes have sent. Out: "now", or the instant at which to ask
//! again. Must not: sleep or send.
//!
//! Three things stand in the way of a request: a pause that the service asked for, a window that is full, and the pace,
//! which keeps the window from being filled in one burst.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::backoff::{LONGEST_PAUSE, outage_pause, throttle_pause};
use super::pace::Pace;
use super::pause::Pause;
use super::window::Window;
use crate::catalog::{Access, Allowance, Bucket, Budget};
use crate::outcome::{Reply, Verdict};

/// How fast requests may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// Within these allowances.
    Within(Budget),
    /// As fast as the connection carries them. For servers on this machine only.
    Off,
}

/// What a bucket was used for, and what it cost to wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketUse {
    pub bucket: Bucket,
    /// What the run was allowed; `None` where nothing was paced.
    pub allowed: Option<Allowance>,
    pub sent: u32,
    /// Throttle answers.
    pub throttled: u32,
    /// Time in which nobody sent because of them.
    pub lost: Duration,
    /// From the first request to the last.
    pub busy: Duration,
}

/// All of the allowance, in thousandths.
const WHOLE: u16 = 1_000;

/// What stands in the way of the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Ask again at that instant, or when an answer has come.
    Until(Instant),
    /// Nothing more leaves in this run: the service named a time beyond [`LONGEST_PAUSE`].
    Closed { asked: Duration },
}

/// A throttle answer.
#[derive(Debug, Clone, Copy)]
pub struct Throttled {
    /// The time that the service named.
    pub asked: Option<Duration>,
    /// It came because there are too many requests, not because the service is out of order.
    pub crowded: bool,
    pub sent: Instant,
    pub now: Instant,
}

/// A service that is out of order names a time too; only this answer is about how many requests there are.
pub(crate) fn is_crowded(reply: &Reply) -> bool {
    matches!(reply.verdict, Verdict::Throttled { .. })
}

/// The gate of one bucket.
#[derive(Debug)]
pub(super) struct Gate {
    limit: Option<(Window, Pace)>,
    pause: Pause,
    closed: Option<Duration>,
    used: BucketUse,
    /// Everything that was ever let through, and left.
    passed: u64,
    first: Option<Instant>,
    /// The pace that people were told of.
    told: u16,
}

impl Gate {
    pub(super) fn new(bucket: Bucket, pacing: Pacing) -> Self {
        let allowed = match pacing {
            Pacing::Off => None,
            Pacing::Within(budget) => Some(budget.allowance(bucket)),
        };
        let limit = allowed.map(|allowance| (Window::new(allowance), Pace::new(allowance)));
        let used = BucketUse { bucket, allowed, sent: 0, throttled: 0, lost: Duration::ZERO, busy: Duration::ZERO };
        Self { limit, pause: Pause::default(), closed: None, used, passed: 0, first: None, told: WHOLE }
    }

    /// How many requests have left, whoever counted them.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// From now on it is counted for somebody else.
    pub(super) fn count_anew(&mut self) {
        let BucketUse { bucket, allowed, .. } = self.used;
        self.used = BucketUse { bucket, allowed, sent: 0, throttled: 0, lost: Duration::ZERO, busy: Duration::ZERO };
        self.first = None;
    }

    /// Counts what was sent before this run began, each so long ago. Reads leave no record: where anything was sent,
    /// as many of them are taken for sent as could have been.
    pub(super) fn remember(&mut self, ages: &[Duration], somebody_was_there: bool, now: Instant) {
        let Some((window, _)) = &mut self.limit else { return };
        match self.used.bucket.access {
            Access::Write => ages.iter().for_each(|age| window.left_before(*age, now)),
            Access::Read if somebody_was_there => window.was_used_up(now),
            Access::Read => {}
        }
    }

    /// Whether nothing leaves now, however much of the allowance is left.
    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.closed.is_some() || self.pause.until().is_some_and(|until| until > now)
    }

    /// Asks to send one request now. `Ok` has used up its place.
    pub(super) fn pass(&mut self, now: Instant) -> Result<(), Wait> {
        if let Some(asked) = self.closed {
            return Err(Wait::Closed { asked });
        }
        if let Some(until) = self.pause.until().filter(|until| *until > now) {
            return Err(Wait::Until(until));
        }
        if let Some((window, pace)) = &mut self.limit {
            window.fits(now).and_then(|()| pace.pass(now)).map_err(Wait::Until)?;
            window.take();
        }
        self.used.sent += 1;
        self.passed += 1;
        self.used.busy = now.saturating_duration_since(*self.first.get_or_insert(now));
        Ok(())
    }

    /// Whether two requests may ever leave together.
    pub(super) fn has_two_left(&self) -> bool {
        self.used.allowed.is_none_or(|allowed| allowed.requests > 1)
    }

    /// Asks to send a second request right behind the one that was just let through. `Ok` has used up its place; without
    /// one, neither leaves. Where no two ever may, nobody asks.
    pub(super) fn pass_along(&mut self, now: Instant) -> Result<(), Wait> {
        if let Some((window, pace)) = &mut self.limit {
            window.fits(now).map_err(Wait::Until)?;
            window.take();
            pace.pass_along();
        }
        self.used.sent += 1;
        self.passed += 1;
        Ok(())
    }

    /// A request that left at `sent` is out no more: it was answered, or given up.
    pub(super) fn came_back(&mut self, sent: Instant, now: Instant) {
        if let Some((window, _)) = &mut self.limit {
            window.came_back(sent, now);
        }
    }

    /// A request is out no more, with this answer unless it went well. Whether it had left at all.
    pub(super) fn returned(&mut self, reply: Option<&Reply>, sent: Instant, now: Instant) -> bool {
        if reply
            .is_some_and(|reply| matches!(reply.verdict, Verdict::Unreachable | Verdict::Late | Verdict::SignInFailed))
        {
            self.never_left();
            return false;
        }
        self.came_back(sent, now);
        if let Some(reply) = reply {
            self.loaded(reply.load_percent, now);
        }
        true
    }

    /// A request that was let through never left.
    pub(super) fn never_left(&mut self) {
        self.used.sent = self.used.sent.saturating_sub(1);
        self.passed = self.passed.saturating_sub(1);
        if let Some((window, _)) = &mut self.limit {
            window.never_left();
        }
    }

    /// A throttle answer came. Returns the pause from now on, if it is news.
    pub(super) fn throttled(&mut self, answer: Throttled, rng: &mut Rng) -> Option<Duration> {
        let Throttled { asked, crowded, sent, now } = answer;
        self.used.throttled += 1;
        if let Some(asked) = asked.filter(|asked| *asked > LONGEST_PAUSE) {
            self.closed = Some(asked);
            return Some(asked);
        }
        let (before, episodes) = (self.pause.until(), self.pause.nth());
        let pause = self.pause.extend(
            sent,
            now,
            |nth| {
                match asked {
                    // A service that is out of order counts nobody's requests.
                    Some(asked) if !crowded => outage_pause(asked, nth, rng),
                    asked => throttle_pause(asked, nth, rng),
                }
            },
            asked.is_some(),
        );
        if let Some(pause) = pause {
            let counted = before.map_or(now, |before| before.max(now));
            self.used.lost += (now + pause).saturating_duration_since(counted);
        }
        if let (true, Some((window, pace))) = (crowded && self.pause.nth() > episodes, &mut self.limit) {
            // What the answer is about is in the window too, and was not let in.
            let _ = window.fits(now);
            pace.too_fast(window.count().saturating_sub(1), now);
        }
        pause
    }

    /// The service answered a request that left at `sent` with something else than a throttle.
    pub(super) fn answered(&mut self, sent: Instant) {
        self.pause.over(sent);
    }

    /// The service says how loaded it is, in percent of its limit, or that it is not.
    pub(super) fn loaded(&mut self, percent: Option<u16>, now: Instant) {
        if let Some((_, pace)) = &mut self.limit {
            pace.loaded(percent, now);
        }
    }

    /// How much of the allowance the pace uses, in thousandths, when that has changed since it was last asked.
    pub(super) fn news(&mut self) -> Option<u16> {
        let permille = self.permille();
        (std::mem::replace(&mut self.told, permille) != permille).then_some(permille)
    }

    fn permille(&self) -> u16 {
        self.limit.as_ref().map_or(WHOLE, |(_, pace)| pace.permille())
    }

    pub(super) fn used(&self) -> BucketUse {
        self.used
    }
}

#[cfg(test)]
mod tests;
