//! All gates of one tenant: one budget for whoever sends to it, reads included.
//!
//! In: what a run may use, who asks for which bucket. Out: what the bucket's gate says, or the wait for it. Must not: let a
//! request past its gate because somebody else has asked for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::gate::{BucketUse, Gate, Pacing, Throttled, Wait, is_crowded};
use crate::catalog::Bucket;
use crate::outcome::{Reply, Verdict};

/// When a request left, and when its answer was back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoundTrip {
    pub(crate) sent: Instant,
    pub(crate) back: Instant,
}

/// The gates. Clones are the same gates.
#[derive(Debug, Clone)]
pub struct Gates(Arc<Mutex<All>>);

#[derive(Debug)]
struct All {
    pacing: Pacing,
    gates: Vec<Gate>,
}

impl All {
    fn new(pacing: Pacing) -> Self {
        Self { pacing, gates: Bucket::all().map(|bucket| Gate::new(bucket, pacing)).collect() }
    }
}

impl Gates {
    pub fn new(pacing: Pacing) -> Self {
        Self(Arc::new(Mutex::new(All::new(pacing))))
    }

    fn all<R>(&self, with: impl FnOnce(&mut All) -> R) -> R {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn at<R>(&self, bucket: Bucket, with: impl FnOnce(&mut Gate) -> R) -> R {
        self.all(|all| with(&mut all.gates[bucket.index()]))
    }

    /// What they let through.
    pub fn pacing(&self) -> Pacing {
        self.all(|all| all.pacing)
    }

    /// Who is signed in is known now: a person has another allowance than an app. Nothing has been let through before.
    pub fn signed_in(&self, delegated: bool) {
        self.all(|all| {
            let pacing = match all.pacing {
                Pacing::Within(budget) => Pacing::Within(budget.signed_in(delegated)),
                Pacing::Off => Pacing::Off,
            };
            if pacing != all.pacing {
                *all = All::new(pacing);
            }
        });
    }

    /// How many requests have left for the tenant, reads included.
    pub fn passed(&self) -> u64 {
        self.all(|all| all.gates.iter().map(Gate::passed).sum())
    }

    /// A run begins: what other processes have sent of late, each so long ago, is in the windows, and what the gates are used
    /// for is counted anew.
    pub fn begin(&self, recent: &[(Bucket, Duration)], now: Instant) {
        for bucket in Bucket::all() {
            let own = recent.iter().filter(|(other, _)| *other == bucket);
            let ages: Vec<_> = own.map(|(_, age)| *age).collect();
            self.at(bucket, |gate| {
                gate.count_anew();
                gate.remember(&ages, !recent.is_empty(), now);
            });
        }
    }

    /// See [`Gate::pass`].
    pub fn pass(&self, bucket: Bucket, now: Instant) -> Result<(), Wait> {
        self.at(bucket, |gate| gate.pass(now))
    }

    /// Waits until a request may leave. `Err`: for so long that nobody waits.
    pub async fn wait(&self, bucket: Bucket) -> Result<(), Duration> {
        loop {
            match self.pass(bucket, Instant::now()) {
                Ok(()) => return Ok(()),
                Err(Wait::Until(at)) => tokio::time::sleep_until(at).await,
                Err(Wait::Closed { asked }) => return Err(asked),
            }
        }
    }

    /// See [`Gate::pass_along`].
    pub fn pass_along(&self, bucket: Bucket, now: Instant) -> Result<(), Wait> {
        self.at(bucket, |gate| gate.pass_along(now))
    }

    /// See [`Gate::has_room_for_two`].
    pub fn has_two_left(&self, bucket: Bucket) -> bool {
        self.at(bucket, |gate| gate.has_two_left())
    }

    /// See [`Gate::is_paused`].
    pub fn is_paused(&self, bucket: Bucket, now: Instant) -> bool {
        self.at(bucket, |gate| gate.is_paused(now))
    }

    /// See [`Gate::came_back`].
    pub fn came_back(&self, bucket: Bucket, sent: Instant, now: Instant) {
        self.at(bucket, |gate| gate.came_back(sent, now));
    }

    /// See [`Gate::returned`].
    pub fn returned(&self, bucket: Bucket, reply: Option<&Reply>, sent: Instant, now: Instant) -> bool {
        self.at(bucket, |gate| gate.returned(reply, sent, now))
    }

    /// See [`Gate::never_left`].
    pub fn never_left(&self, bucket: Bucket) {
        self.at(bucket, Gate::never_left);
    }

    /// See [`Gate::throttled`].
    pub fn throttled(&self, bucket: Bucket, answer: Throttled, rng: &mut Rng) -> Option<Duration> {
        self.at(bucket, |gate| gate.throttled(answer, rng))
    }

    /// Heeds an answer that asks to wait, to whatever it came. Whether it does.
    pub(crate) fn told_to_wait(&self, bucket: Bucket, reply: &Reply, trip: RoundTrip, rng: &mut Rng) -> bool {
        let RoundTrip { sent, back } = trip;
        let asked = match reply.verdict {
            Verdict::Throttled { after } => after,
            Verdict::Unavailable { after } => Some(after),
            _ => return false,
        };
        self.throttled(bucket, Throttled { asked, crowded: is_crowded(reply), sent, now: back }, rng);
        true
    }

    /// See [`Gate::answered`].
    pub fn answered(&self, bucket: Bucket, sent: Instant) {
        self.at(bucket, |gate| gate.answered(sent));
    }

    /// See [`Gate::news`].
    pub fn news(&self, bucket: Bucket) -> Option<u16> {
        self.at(bucket, Gate::news)
    }

    /// What the bucket was used for so far.
    pub fn used(&self, bucket: Bucket) -> BucketUse {
        self.at(bucket, |gate| gate.used())
    }
}
