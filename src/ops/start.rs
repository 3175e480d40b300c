//! A verb is started: when, by which clock, with which chance.
//!
//! In: what the process has at hand. Out: a clock. Must not: look at the time by itself.

use jiff::Timestamp;

use crate::clock::Clock;

/// The start of a verb.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub now: Timestamp,
    /// The system's clock, to be asked again: a machine may be suspended while a run waits.
    pub system: fn() -> Timestamp,
    pub seed: u64,
}

impl Start {
    /// A clock that begins now.
    pub(super) fn clock(&self) -> Clock {
        Clock::starting_at(self.now).following(self.system)
    }
}
