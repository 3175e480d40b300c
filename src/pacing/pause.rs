//! A pause that grows while what caused it goes on.
//!
//! In: bad answers, good answers. Out: until when nobody sends. Must not: know what kind of answers they are, or choose
//! how long a pause is.

use std::time::Duration;

use tokio::time::Instant;

/// A pause that grows while what caused it goes on.
///
/// Many requests are in flight when the first bad answer comes; their answers belong to the same episode and must not
/// make the pause grow once each.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    until: Option<Instant>,
    began: Option<Instant>,
    nth: u32,
}

impl Pause {
    /// Prolongs the pause because of a request that left at `sent`. `length` is told how many episodes in a row there
    /// were; `named` lengths count even within an episode. Returns the pause if it was prolonged.
    pub(crate) fn extend(
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
    pub(crate) fn over(&mut self, sent: Instant) {
        if self.began.is_none_or(|began| sent > began) {
            self.nth = 0;
        }
    }

    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    pub(crate) fn nth(&self) -> u32 {
        self.nth
    }
}
