//! tokio's clock in governor's terms, so that pacing stands still when time does.
//!
//! In: tokio's clock, paused or not. Out: what governor's limiter asks for. Must not: know the wall clock.

use std::ops::Add;

use governor::clock::{Clock as GovernorClock, Reference};
use governor::nanos::Nanos;
use tokio::time::Instant;

/// The clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioClock;

/// An instant of [`TokioClock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokioInstant(Instant);

impl From<TokioInstant> for Instant {
    fn from(instant: TokioInstant) -> Self {
        instant.0
    }
}

impl Add<Nanos> for TokioInstant {
    type Output = Self;

    fn add(self, nanos: Nanos) -> Self {
        Self(self.0 + nanos.into())
    }
}

impl Reference for TokioInstant {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.into()).unwrap_or(self.0))
    }
}

impl GovernorClock for TokioClock {
    type Instant = TokioInstant;

    fn now(&self) -> TokioInstant {
        TokioInstant(Instant::now())
    }
}
