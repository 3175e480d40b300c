//! When the approval requests of a run were asked for.
//!
//! In: requests, time. Out: whether a short answer is enough. Must not: ask.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::journal::Filed;

/// Time between two looks at what waits, at first; it grows while nothing happens.
pub const FIRST_WAIT: Duration = Duration::from_secs(60);

/// What is rejected or withdrawn may wait so long to be noticed; what is approved must not.
const WHOLE_LIST_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What was asked for before.
#[derive(Debug, Default)]
pub struct Looks {
    /// When each request was asked for, whatever became of it.
    pub(super) whole_at: Option<Timestamp>,
    /// The service has said that it cannot list those that are approved.
    pub(super) no_short_list: bool,
}

impl Looks {
    /// Whether the whole list was read of late, and no request has come to the end of its life since.
    pub(super) fn are_fresh(&self, waiting: &[&Filed], now: Timestamp) -> bool {
        let Some(whole_at) = self.whole_at else { return false };
        let expired = |filed: &&Filed| (whole_at..now).contains(&filed.request.expires_at);
        now.duration_since(whole_at) < WHOLE_LIST_EVERY && !waiting.iter().any(expired)
    }
}
