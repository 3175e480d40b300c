//! Strangers: somebody else's requests, which eat of the same allowances.
//!
//! In: the scenario's strangers, and time. Out: when each of their requests arrives, in order. Must not: know windows.

use std::time::Duration;

use super::scenario::{Scenario, Stranger};

/// All strangers, as one bucket sees them.
#[derive(Debug)]
pub(super) struct Strangers(Vec<Sender>);

#[derive(Debug)]
struct Sender {
    stranger: Stranger,
    dice: fastrand::Rng,
    per_second: f64,
    changes: Option<Duration>,
    /// When its next request arrives.
    next: Duration,
}

impl Strangers {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let sender = |(number, stranger): (u64, &Stranger)| Sender::new(stranger, scenario.seed.wrapping_add(number));
        Self((1..).zip(&scenario.strangers).map(sender).collect())
    }

    /// The next request that has arrived by now.
    pub(super) fn next(&mut self, now: Duration) -> Option<Duration> {
        let due = self.0.iter_mut().filter(|sender| sender.next <= now && !sender.is_gone());
        due.min_by_key(|sender| sender.next).map(Sender::send)
    }
}

impl Sender {
    fn new(stranger: &Stranger, seed: u64) -> Self {
        let mut sender = Self {
            dice: fastrand::Rng::with_seed(seed),
            per_second: stranger.requests_per_second.0,
            changes: None,
            next: stranger.from.0,
            stranger: stranger.clone(),
        };
        sender.change();
        sender
    }

    fn is_gone(&self) -> bool {
        self.stranger.until.is_some_and(|until| self.next >= until.0)
    }

    fn send(&mut self) -> Duration {
        let sent = self.next;
        if self.changes.is_some_and(|changes| changes <= sent) {
            self.change();
        }
        self.next += Duration::from_secs_f64(1.0 / self.per_second);
        sent
    }

    fn change(&mut self) {
        let least = self.stranger.requests_per_second.0;
        let spread = self.stranger.up_to.map_or(0.0, |most| most.0 - least);
        self.per_second = least + spread * self.dice.f64();
        self.changes = self.stranger.changes_every.map(|every| self.next + every.0);
    }
}
