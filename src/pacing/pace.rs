//! The pace of one bucket: how evenly requests leave, and how much slower than allowed while somebody else is there.
//!
//! In: the allowance, throttle answers with what we had in the window, how loaded the service says it is. Out: "now", or
//! when to ask again. Must not: count windows, or pause; a pause is an answer's, the pace is ours.
//!
//! Throttle answers that come although we keep to the limit show that we are not alone. What we had in the window then is
//! what was left for us, so the pace goes down to a little less than that, by no more than half and no less than a
//! little. It comes back in steps, one for each window without a throttle answer, and each three times the one before:
//! slow where somebody stays, within minutes where they have left.

use std::time::Duration;

use tokio::time::Instant;

use super::even::Even;
use crate::catalog::Allowance;

/// Of what was left for us, this much is used.
const CAREFUL: f64 = 0.96;
/// One throttle answer takes no more than that and no less than this of the pace.
const MOST_OFF: f64 = 0.5;
const LEAST_OFF: f64 = 0.95;
/// The first step back, of the pace as it is.
const FIRST_STEP: f64 = 0.02;
const NEXT_STEP: f64 = 3.0;
/// A step of more than that, of the pace as it is, goes beyond what was left: whoever was there has left, and half a
/// window is enough to see that.
const BEYOND: f64 = 0.1;
/// It never stands still.
const SLOWEST: f64 = 0.005;
/// From this share of its limit on, the service says how loaded it is.
const LOADED: f64 = 0.8;
/// What that takes of the pace at the least, and what an answer that says nothing of it gives back, of the allowance.
const LOAD_OFF: f64 = 0.85;
const LOAD_STEP: f64 = 0.05;
const LOAD_SHOWS_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Pace {
    allowance: Allowance,
    /// Of the allowance, more than 0 and at most 1.
    share: f64,
    step: f64,
    /// How loaded the service said it is, when that was last taken in; 0 where it said nothing any more.
    load: Option<f64>,
    /// When the share last went down or up.
    changed: Option<Instant>,
    /// When the first request left.
    began: Option<Instant>,
    even: Option<Even>,
}

impl Pace {
    pub(super) fn new(allowance: Allowance) -> Self {
        Self { allowance, share: 1.0, step: 0.0, load: None, changed: None, began: None, even: None }
    }

    /// Lets one leave, or says when to ask again.
    pub(super) fn pass(&mut self, now: Instant) -> Result<(), Instant> {
        self.recover(now);
        let interval = self.interval();
        match &mut self.even {
            Some(even) => even.pass(now),
            None => {
                self.began = Some(now);
                self.even = Some(Even::beginning(now, interval));
                Ok(())
            }
        }
    }

    /// One leaves right behind the one before it.
    pub(super) fn pass_along(&mut self) {
        if let Some(even) = &mut self.even {
            even.pass_along();
        }
    }

    /// The service throttles although there was room: `in_window` requests of ours are all that it takes.
    pub(super) fn too_fast(&mut self, in_window: u32, now: Instant) {
        let whole = f64::from(self.allowance.requests);
        let known = self.began.map_or(Duration::ZERO, |began| now.saturating_duration_since(began));
        let covered = (known.as_secs_f64() / self.allowance.window.as_secs_f64()).clamp(0.05, 1.0);
        let left_for_us = f64::from(in_window) / (whole * covered);
        self.slow_to((left_for_us * CAREFUL).clamp(self.share * MOST_OFF, self.share * LEAST_OFF), now);
    }

    /// An answer came from a service that says how loaded it is, in percent of its limit, from eight tenths on and not
    /// below. Taken in once in a while, because what we change shows only after some time.
    pub(super) fn loaded(&mut self, percent: Option<u16>, now: Instant) {
        let recent = self.changed.is_some_and(|changed| now.saturating_duration_since(changed) < LOAD_SHOWS_AFTER);
        match percent.map(|percent| f64::from(percent) / 100.0).filter(|load| *load >= LOADED) {
            Some(load) => {
                if recent {
                    return;
                }
                // Where it falls already, it is left to fall.
                if self.load.replace(load).is_none_or(|before| load >= before) {
                    self.slow_to((self.share * LOAD_OFF * LOADED / load).max(self.share * MOST_OFF), now);
                } else {
                    self.changed = Some(now);
                }
            }
            None if self.load.is_some() && !recent && self.share < 1.0 => {
                self.load = Some(0.0);
                self.set_share((self.share + LOAD_STEP).min(1.0));
                self.changed = Some(now);
            }
            None => {}
        }
    }

    /// Of the allowance, in thousandths.
    pub(super) fn permille(&self) -> u16 {
        (self.share * 1_000.0).round() as u16
    }

    fn interval(&self) -> Duration {
        self.allowance.interval().div_f64(self.share)
    }

    fn set_share(&mut self, share: f64) {
        self.share = share;
        let interval = self.interval();
        if let Some(even) = &mut self.even {
            even.change(interval);
        }
    }

    fn slow_to(&mut self, share: f64, now: Instant) {
        self.set_share(share.max(SLOWEST));
        self.step = self.share * FIRST_STEP;
        self.changed = Some(now);
    }

    fn recover(&mut self, now: Instant) {
        while self.share < 1.0 {
            let window = self.allowance.window;
            let wait = if self.step > self.share * BEYOND { window / 2 } else { window };
            let Some(due) = self.changed.map(|changed| changed + wait).filter(|due| *due <= now) else { return };
            self.set_share((self.share + self.step).min(1.0));
            self.step *= NEXT_STEP;
            self.changed = Some(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_A_SECOND: Allowance = Allowance { requests: 200, window: Duration::from_secs(20) };

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_throttle_answer_leads_to_what_was_left() {
        let start = Instant::now();
        let mut pace = Pace::new(TEN_A_SECOND);
        assert_eq!(pace.pass(start), Ok(()));
        pace.too_fast(140, after(start, 30));
        assert_eq!(pace.permille(), 672);
        pace.too_fast(10, after(start, 31));
        assert_eq!(pace.permille(), 336, "by no more than half");
        pace.too_fast(200, after(start, 32));
        assert_eq!(pace.permille(), 319, "and by a little at least");
        (0..100).for_each(|_| pace.too_fast(0, after(start, 33)));
        assert_eq!(pace.permille(), 5);
    }

    #[test]
    fn it_comes_back_in_growing_steps() {
        let start = Instant::now();
        let mut pace = Pace::new(TEN_A_SECOND);
        assert_eq!(pace.pass(start), Ok(()));
        pace.too_fast(104, after(start, 20));
        let mut shares = Vec::new();
        for half in 1..=9 {
            let _ = pace.pass(after(start, 20 + half * 10));
            shares.push(pace.permille());
        }
        assert_eq!(shares, [500, 510, 510, 540, 630, 900, 1_000, 1_000, 1_000]);
    }

    #[test]
    fn it_slows_down_before_the_limit_where_the_service_says_how_near_it_is() {
        let start = Instant::now();
        let mut pace = Pace::new(TEN_A_SECOND);
        pace.loaded(Some(79), start);
        pace.loaded(None, start);
        assert_eq!(pace.permille(), 1_000);
        pace.loaded(Some(100), start);
        assert_eq!(pace.permille(), 680);
        pace.loaded(Some(100), start + Duration::from_millis(900));
        assert_eq!(pace.permille(), 680, "that was said before the change can have shown");
        pace.loaded(Some(180), after(start, 2));
        assert_eq!(pace.permille(), 340);
        pace.loaded(Some(120), after(start, 3));
        assert_eq!(pace.permille(), 340, "it falls already");
        pace.loaded(None, after(start, 4));
        assert_eq!(pace.permille(), 390, "and comes back soon where it says that there is room");
    }
}
