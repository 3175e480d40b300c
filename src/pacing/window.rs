//! The sliding window of one bucket: what has left within its length, counted one by one.
//!
//! In: the allowance, and each request as it is let go and as it is answered. Out: room for one more, or when there may
//! be some. Must not: pace, or know why a request is sent.
//!
//! A service counts a request when it arrives, at some time between its departure and its answer. So a request holds its
//! place while it is out, and one window's length from then on: from its answer, or from a small margin after its
//! departure if the answer takes longer. Whatever the network does within that margin, no window of the service's ever
//! holds more than the allowance.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::catalog::Allowance;

#[derive(Debug)]
pub(super) struct Window {
    allowance: Allowance,
    /// When the places are free again, earliest first.
    taken_until: VecDeque<Instant>,
    /// Requests that were let go and not answered.
    out: u32,
}

impl Window {
    pub(super) fn new(allowance: Allowance) -> Self {
        Self { allowance, taken_until: VecDeque::new(), out: 0 }
    }

    /// Whether one more may leave; if not, when to ask again. An answer may make it earlier.
    pub(super) fn fits(&mut self, now: Instant) -> Result<(), Instant> {
        while self.taken_until.front().is_some_and(|until| *until <= now) {
            self.taken_until.pop_front();
        }
        match self.count() < self.allowance.requests {
            true => Ok(()),
            false => Err(self.taken_until.front().copied().unwrap_or(now + self.allowance.window)),
        }
    }

    /// One leaves.
    pub(super) fn take(&mut self) {
        self.out += 1;
    }

    /// One that left at `sent` came back.
    pub(super) fn came_back(&mut self, sent: Instant, answered: Instant) {
        self.out = self.out.saturating_sub(1);
        self.hold_until(answered.min(sent + self.allowance.margin()) + self.allowance.window);
    }

    /// One that was let go never left.
    pub(super) fn never_left(&mut self) {
        self.out = self.out.saturating_sub(1);
    }

    /// Somebody else has sent one, so long ago.
    pub(super) fn left_before(&mut self, age: Duration, now: Instant) {
        let rest = (self.allowance.window + self.allowance.margin()).saturating_sub(age);
        if !rest.is_zero() {
            self.hold_until(now + rest);
        }
    }

    /// As if the whole allowance had been used up evenly until now: nobody who keeps to it can have sent more.
    pub(super) fn was_used_up(&mut self, now: Instant) {
        for place in 1..=self.allowance.requests {
            self.hold_until(now + self.allowance.interval() * place + self.allowance.margin());
        }
    }

    /// How many are in the window as of the last look.
    pub(super) fn count(&self) -> u32 {
        self.out.saturating_add(u32::try_from(self.taken_until.len()).unwrap_or(u32::MAX))
    }

    /// Answers come nearly in order, so that the place is nearly at the end.
    fn hold_until(&mut self, until: Instant) {
        let after = self.taken_until.iter().rev().take_while(|other| **other > until).count();
        self.taken_until.insert(self.taken_until.len() - after, until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Allowance = Allowance { requests: 10, window: Duration::from_secs(10) };

    fn second(start: Instant, at: f64) -> Instant {
        start + Duration::from_secs_f64(at)
    }

    #[test]
    fn a_request_that_is_out_holds_its_place() {
        let start = Instant::now();
        let mut window = Window::new(TEN);
        for _ in 0..10 {
            assert!(window.fits(start).is_ok());
            window.take();
        }
        assert!(window.fits(second(start, 60.0)).is_err(), "nobody knows when they arrive");
        window.came_back(start, second(start, 59.0));
        assert_eq!(window.fits(second(start, 60.0)), Ok(()), "it arrived within the margin, and that is long ago");
    }

    #[test]
    fn a_place_is_free_one_window_after_the_answer_and_no_later_than_after_the_margin() {
        let start = Instant::now();
        let mut window = Window::new(TEN);
        (0..10).for_each(|_| window.take());
        window.came_back(start, second(start, 0.05));
        (0..9).for_each(|_| window.came_back(start, second(start, 3.0)));
        assert_eq!(window.fits(second(start, 9.0)), Err(second(start, 10.05)));
        assert_eq!(window.fits(second(start, 10.05)), Ok(()));
        window.take();
        assert_eq!(window.fits(second(start, 10.06)), Err(second(start, 10.15)));
    }

    #[test]
    fn what_left_before_is_counted_until_it_is_out_of_the_window() {
        let start = Instant::now();
        let mut window = Window::new(TEN);
        for age in 0..20 {
            window.left_before(Duration::from_secs(age), start);
        }
        assert_eq!(window.count(), 11);
        let mut full = Window::new(TEN);
        full.was_used_up(start);
        assert_eq!(full.fits(start), Err(second(start, 1.15)));
    }
}
