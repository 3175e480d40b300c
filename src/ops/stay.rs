//! How long a run goes on.
//!
//! In: what the command line says. Out: [`Stay`]. Must not: wait; the rounds do.

use std::time::Duration;

use jiff::Timestamp;

/// How long a run goes on, beside what it takes to send.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stay {
    /// Stay until nothing waits any more: neither for an approval nor for another day.
    pub wait: bool,
    /// When it ends in good order.
    pub until: Option<Timestamp>,
    /// Follow up what was accepted, for so long.
    pub verify: Option<Duration>,
}
