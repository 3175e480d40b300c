//! The gate by itself, and the promise it is there for: no window of the service ever holds more than the allowance,
//! whatever happens to the requests, the answers and the process.
//!
//! In: seeds. Out: the seed of whatever broke the promise. Must not: know the dispatcher.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fastrand::Rng;
use proptest::prelude::{ProptestConfig, prop_assert, proptest};

use super::*;
use crate::catalog::{Allowance, DIRECTORY, INTUNE_DEVICES, OwnAllowances, Terms};

const BUCKET: Bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };

fn second(start: Instant, at: f64) -> Instant {
    start + Duration::from_secs_f64(at)
}

fn throttled(asked: Option<u64>, sent: Instant, now: Instant) -> Throttled {
    Throttled { asked: asked.map(Duration::from_secs), crowded: true, sent, now }
}

/// A service, a network, a journal and a process that may die, driven by a seed.
struct World {
    rng: Rng,
    allowance: Allowance,
    start: Instant,
    now: Instant,
    gate: Gate,
    /// When each answer comes, and when its request left.
    out: BinaryHeap<Reverse<(Instant, Instant)>>,
    /// What the journal has of it.
    recorded: Vec<Instant>,
    arrived: Vec<Instant>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let allowance = Allowance { requests: rng.u32(1..300), window: Duration::from_millis(rng.u64(1_000..150_000)) };
        let start = Instant::now() + Duration::from_secs(3_600);
        let gate = Self::gate(allowance);
        Self {
            rng,
            allowance,
            start,
            now: start,
            gate,
            out: BinaryHeap::new(),
            recorded: Vec::new(),
            arrived: Vec::new(),
        }
    }

    fn gate(allowance: Allowance) -> Gate {
        let mut own = OwnAllowances::default();
        own[BUCKET.index()] = Some(allowance);
        Gate::new(BUCKET, Pacing::Within(Budget::new(Terms { own, ..Terms::default() })))
    }

    fn some(&mut self, at_most: Duration) -> Duration {
        at_most.mul_f64(self.rng.f64())
    }

    fn play(&mut self) {
        let most = self.allowance.requests as usize * 4;
        let end = self.start + self.allowance.window * 12;
        while self.now < end && self.arrived.len() < most {
            self.answers();
            match self.rng.u32(0..400) {
                0 => self.dies(),
                1 => self.now += self.allowance.window.mul_f64(1.5 * self.rng.f64()),
                2 => self.is_throttled(),
                _ => self.asks(),
            }
        }
    }

    fn answers(&mut self) {
        while let Some(Reverse((answered, sent))) = self.out.peek().copied().filter(|Reverse((at, _))| *at <= self.now)
        {
            self.out.pop();
            self.gate.came_back(sent, answered);
        }
    }

    fn dies(&mut self) {
        self.out.clear();
        let down = self.some(self.allowance.window / 4);
        self.now += down;
        self.gate = Self::gate(self.allowance);
        let ages: Vec<_> = self.recorded.iter().map(|at| self.now.saturating_duration_since(*at)).collect();
        self.gate.remember(&ages, !ages.is_empty(), self.now);
    }

    fn is_throttled(&mut self) {
        let asked = self.rng.bool().then(|| self.rng.u64(0..40));
        let answer = Throttled { crowded: self.rng.bool(), ..throttled(asked, self.now, self.now) };
        let _ = self.gate.throttled(answer, &mut self.rng);
    }

    fn asks(&mut self) {
        match self.gate.pass(self.now) {
            Ok(()) => {
                // It is recorded now, leaves a little later, and arrives before its answer and within the margin.
                let margin = self.allowance.margin();
                let half = margin / 2;
                let left = self.now + self.some(half);
                let latency = self.some(margin * 20);
                let arrived = left + self.some(latency.min(half));
                self.recorded.push(self.now);
                self.arrived.push(arrived);
                self.out.push(Reverse((left + latency, left)));
            }
            Err(Wait::Until(at)) => {
                assert!(at > self.now, "a wake-up that is not later would spin");
                let answer = self.out.peek().map(|Reverse((answered, _))| *answered);
                self.now = answer.map_or(at, |answer| answer.min(at));
            }
            Err(Wait::Closed { .. }) => panic!("closed"),
        }
    }

    /// The most that the service found in one window.
    fn busiest(&mut self) -> usize {
        self.arrived.sort_unstable();
        let (mut first, mut most) = (0, 0);
        for (last, at) in self.arrived.iter().enumerate() {
            while self.arrived[first] + self.allowance.window <= *at {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_window_ever_holds_more_than_the_allowance(seed: u64) {
        let mut world = World::new(seed);
        world.play();
        let (most, allowed) = (world.busiest(), world.allowance.requests as usize);
        prop_assert!(most <= allowed, "seed {seed}: {most} in one window of {:?}", world.allowance);
    }
}

/// Departures of a gate that is asked as soon as it says, with answers after `latency`.
fn departures(latency: Duration, count: usize) -> Vec<Instant> {
    let mut gate = Gate::new(BUCKET, Pacing::Within(Budget::documented(0)));
    let (mut now, mut out, mut times) = (Instant::now(), BinaryHeap::new(), Vec::new());
    while times.len() < count {
        while let Some(Reverse(sent)) = out.peek().copied().filter(|Reverse(sent)| *sent + latency <= now) {
            out.pop();
            gate.came_back(sent, sent + latency);
        }
        match gate.pass(now) {
            Ok(()) => {
                times.push(now);
                out.push(Reverse(now));
            }
            Err(Wait::Until(at)) => {
                now = out.peek().map_or(at, |Reverse(sent)| at.min((*sent + latency).max(now)));
            }
            Err(Wait::Closed { .. }) => panic!("closed"),
        }
    }
    times
}

#[test]
fn nearly_all_of_the_allowance_is_used_however_long_answers_take() {
    for (millis, least) in [(1, 0.999), (80, 0.995), (300, 0.984), (3_000, 0.984), (19_000, 0.984)] {
        let times = departures(Duration::from_millis(millis), 5_000);
        let took = times[4_999] - times[0];
        let used = 5_000.0 / (took.as_secs_f64() * BUCKET.allowance().per_second());
        assert!(used >= least, "{used} of the allowance with answers after {millis} ms");
    }
}

#[test]
fn a_named_pause_is_kept_to_the_end() {
    let mut gate = Gate::new(BUCKET, Pacing::Off);
    let (now, mut rng) = (Instant::now(), Rng::with_seed(1));
    assert_eq!(gate.throttled(throttled(Some(17), now, now), &mut rng), Some(Duration::from_secs(17)));
    assert_eq!(gate.pass(now), Err(Wait::Until(second(now, 17.0))));
    gate.answered(second(now, 1.0));
    assert!(gate.pass(second(now, 16.0)).is_err(), "a good answer does not end the pause");
    assert!(gate.pass(second(now, 17.0)).is_ok());
    assert_eq!(gate.used().lost, Duration::from_secs(17));
}

#[test]
fn answers_of_one_episode_make_one_pause_and_slow_down_once() {
    let mut gate = Gate::new(BUCKET, Pacing::Within(Budget::documented(0)));
    let (sent, mut rng) = (Instant::now(), Rng::with_seed(1));
    for _ in 0..16 {
        let _ = gate.pass(sent);
    }
    assert!(gate.throttled(throttled(None, sent, second(sent, 0.1)), &mut rng).is_some());
    let slow = gate.permille();
    assert!(slow < 1_000);
    for _ in 0..15 {
        assert_eq!(gate.throttled(throttled(None, sent, second(sent, 0.1)), &mut rng), None);
    }
    assert_eq!((gate.permille(), gate.used().throttled), (slow, 16));
}

#[test]
fn a_service_that_is_out_of_order_pauses_and_does_not_slow_down() {
    let mut gate = Gate::new(BUCKET, Pacing::Within(Budget::documented(0)));
    let (now, mut rng) = (Instant::now(), Rng::with_seed(1));
    let away = Throttled { crowded: false, ..throttled(Some(60), now, now) };
    assert_eq!(gate.throttled(away, &mut rng), Some(Duration::from_secs(60)));
    assert_eq!(gate.permille(), 1_000);
}

#[test]
fn a_pause_beyond_reason_closes_the_bucket() {
    let mut gate = Gate::new(BUCKET, Pacing::Off);
    let now = Instant::now();
    let asked = Duration::from_secs(86_400);
    gate.throttled(throttled(Some(86_400), now, now), &mut Rng::with_seed(1));
    assert_eq!(gate.pass(now + asked * 2), Err(Wait::Closed { asked }));
}

#[test]
fn what_another_process_has_sent_takes_up_room_and_reads_are_taken_for_all_there_could_be() {
    let now = Instant::now();
    let ages = vec![Duration::from_secs(5); 200];
    let mut writes = Gate::new(BUCKET, Pacing::Within(Budget::documented(0)));
    writes.remember(&ages, true, now);
    assert_eq!(writes.pass(now), Err(Wait::Until(second(now, 15.3))));
    let reads = Bucket { access: Access::Read, service: &DIRECTORY };
    let mut gate = Gate::new(reads, Pacing::Within(Budget::documented(0)));
    gate.remember(&[], false, now);
    assert!(gate.pass(now).is_ok());
    let mut gate = Gate::new(reads, Pacing::Within(Budget::documented(0)));
    gate.remember(&[], true, now);
    assert!(gate.pass(now).is_err());
    assert!(gate.pass(second(now, 0.2)).is_ok(), "as many as leave the window may come in");
}
