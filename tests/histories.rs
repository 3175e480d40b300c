//! Histories at random of what operators and the world do, and what must hold in all of them.
//!
//! In: `MUSTEROUT_HISTORIES`, how many (2,000 without it); `MUSTEROUT_HISTORY`, the seed of one to be played again. Out:
//! nothing, or the smallest script that still breaks the same promise. The verbs of the program are all that is driven, and
//! the simulated tenant all that is asked: so the histories outlast every change inside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use musterout::testing::outcome::Outcome;

mod generate;
mod judge;
mod known;
mod play;
mod script;
mod shrink;
mod tape;
mod world;

const HISTORIES: u64 = 2_000;
const FIRST: u64 = 20_261_130_000;
/// Side by side, each on a clock of its own.
const THREADS: usize = 2;
/// Histories after which somebody who waits is told how far it is.
const TOLD: u64 = 5_000;

#[expect(clippy::disallowed_methods, reason = "what to play is the caller's choice, not the program's")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().unwrap_or_else(|_| panic!("{name}={number} is no number")))
}

#[test]
fn histories_keep_every_promise() {
    let seeds = match number("MUSTEROUT_HISTORY") {
        Some(seed) => seed..seed + 1,
        None => FIRST..FIRST + number("MUSTEROUT_HISTORIES").unwrap_or(HISTORIES),
    };
    let (next, over, failures) = (AtomicU64::new(seeds.start), AtomicBool::new(false), Mutex::new(Vec::new()));
    let tally = Mutex::new(Tally::default());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
                while !over.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let done = seed + 1 - seeds.start;
                    if done.is_multiple_of(TOLD) {
                        println!("{done} histories, {} s", began.elapsed().as_secs());
                    }
                    if let Some(told) = failing(seed, folder.path(), &tally) {
                        over.store(number("MUSTEROUT_ALL").is_none(), Ordering::Relaxed);
                        failures.lock().unwrap().push(told);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    println!("{} histories, {} ms", next.into_inner().min(seeds.end) - seeds.start, began.elapsed().as_millis());
    let tally = tally.into_inner().unwrap();
    println!("effects: {:?}\nrows: {:?}", tally.effects, tally.outcomes);
    assert!(failures.is_empty(), "\n{}\n{} histories fail", failures.join("\n"), failures.len());
    if seeds.end - seeds.start >= HISTORIES {
        tally.is_of_everything();
    }
}

/// What has happened in all histories: of some things that never happen, nothing would be proved.
#[derive(Default)]
struct Tally {
    effects: BTreeMap<&'static str, usize>,
    outcomes: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn count(&mut self, told: &str) {
        for action in generate::ACTIONS.iter().chain(generate::TO_USERS).copied().collect::<BTreeSet<_>>() {
            let happened = |line: &&str| line.contains(&format!("] {action} device ")) && line.contains(": HAPPENS");
            *self.effects.entry(action).or_default() += told.lines().filter(happened).count();
        }
        for outcome in Outcome::ALL {
            let rows = told.matches(&format!(": {} (", outcome.name())).count();
            *self.outcomes.entry(outcome.name()).or_default() += rows;
        }
    }

    /// Approvals are played elsewhere.
    fn is_of_everything(&self) {
        let never = self.effects.iter().chain(&self.outcomes).filter(|(_, times)| **times == 0);
        let never: Vec<_> = never.map(|(name, _)| *name).filter(|name| *name != "awaiting_approval").collect();
        assert!(never.is_empty(), "{never:?} never happens");
    }
}

/// Plays the history of a seed. If it breaks a promise: how, and the smallest script that does.
fn failing(seed: u64, folder: &std::path::Path, tally: &Mutex<Tally>) -> Option<String> {
    let script = generate::script(seed);
    let (broken, told) = play::play(&script, folder);
    tally.lock().unwrap().count(&told);
    let broken = broken?;
    let small = shrink::shrink(&script, &broken, folder);
    let (broken, tape) = match play::play(&small, folder) {
        (Some(broken), tape) => (broken, tape),
        (None, tape) => (broken, tape),
    };
    let judge::Broken { promise, how } = broken;
    Some(format!("BROKEN: {promise}\n  {how}\n{small}{tape}again: MUSTEROUT_HISTORY={seed} cargo test histories\n"))
}

/// A history that could not be played again would prove nothing.
#[test]
fn the_same_seed_leads_to_the_same_history() {
    let folder = tempfile::tempdir().unwrap();
    for seed in FIRST..FIRST + 60 {
        let script = generate::script(seed);
        let (_, first) = play::play(&script, folder.path());
        let (_, second) = play::play(&script, folder.path());
        assert_eq!(first, second, "seed {seed}");
    }
}
