//! When an attempt left, as far as clocks tell.
//!
//! In: the time in the journal, and whose clock wrote it. Out: the times between which the service may have dated it. Pure. Must
//! not: decide what that proves.

use jiff::{SignedDuration, Timestamp};

/// How wrong the clock of an earlier process may have been: one that was set between the two is set by a time zone at most.
const WRONG: SignedDuration = SignedDuration::from_hours(24);

/// When an attempt left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// By the clock that wrote it.
    pub at: Timestamp,
    /// What the service has dated before that is no work of the attempt.
    pub earliest: Timestamp,
}

impl Since {
    /// It left from this process, whose clock goes on as it went then.
    pub fn by_this_clock(at: Timestamp) -> Self {
        Self { at, earliest: at }
    }

    /// It left from an earlier process. The clock may have been set since.
    pub fn by_another_clock(at: Timestamp) -> Self {
        Self { at, earliest: at.saturating_sub(WRONG).unwrap_or(at) }
    }

    /// The same by a clock that shows other times.
    #[must_use]
    pub fn shown_by(self, shown: impl Fn(Timestamp) -> Timestamp) -> Self {
        Self { at: shown(self.at), earliest: shown(self.earliest) }
    }
}
