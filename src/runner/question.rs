//! What a person is asked between two waves.
//!
//! In: nothing. Out: a [`WaveQuestion`] on a channel, for a terminal. Must not: wait; the dispatcher goes on
//! listening for Ctrl-C while the person thinks.

use super::mailbox::{News, WayBack};
use crate::outcome::Tally;

/// One question. Dropped without an answer, it is a no.
#[derive(Debug)]
pub struct WaveQuestion {
    pub result: WaveResult,
    answer: WayBack,
}

impl WaveQuestion {
    pub(super) fn new(result: WaveResult, answer: WayBack) -> Self {
        Self { result, answer }
    }

    /// Whether the next wave may go.
    pub fn answer(self, yes: bool) {
        self.answer.answer(News::NextWave(yes));
    }
}

/// How a wave went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveResult {
    /// From 1.
    pub wave: u32,
    pub of: u32,
    /// All its rows, also those that were not sent.
    pub tally: Tally,
    /// Why it failed, if it did.
    pub trouble: Option<Box<str>>,
    /// Jobs of the next wave.
    pub next: u32,
}
