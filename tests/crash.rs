//! Killed at any instant: run, kill, go on, kill, go on, until one comes through, and then the books must balance. Whoever goes
//! on does so with `resume`, of the newest run or of an older one, or with `run --once`.
//!
//! In: `MUSTEROUT_CRASHES`, the number of kills; 200 without it. The kills are real (SIGKILL to the real binary); the
//! tenant is a process of its own and keeps count. Out: nothing, or the seed of a cycle and what does not balance.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use musterout::testing::catalog::{Action, Repeat};
use serde_json::Value;

use crate::outside::{Desk, Ended, Row, Simulator, count_of, guid, linger, rows};

const KILLS: usize = 200;
/// Kills after which somebody who waits is told how far it is.
const TOLD: usize = 500;
/// Side by side: they wait for pauses and back-offs most of the time.
const LOOPS: u64 = 6;
/// After so many kills a cycle is left to come through.
const MOST_KILLS_OF_ONE_RUN: u32 = 12;

/// A tenant that misbehaves in every way that passes.
pub fn scenario(seed: u64) -> String {
    format!(
        "
seed: {seed}
log: off
throttle: off
latency: {{ min: 1ms, max: 12ms }}
faults:
  - on: {{ probability: 0.06, method: POST, calls: [1, 2, 3] }}
    do: drop_reply
  - on: {{ probability: 0.05, calls: [1, 2, 3] }}
    do: reset
  - on: {{ probability: 0.05, calls: [1, 2, 3] }}
    do: {{ status: {{ code: 503, body: html }} }}
  - on: {{ probability: 0.05, calls: [1, 2, 3] }}
    do: {{ throttle: {{ seconds: 60ms, retry_after: decimal }} }}
"
    )
}

/// What is to happen, in plan order; up to so many targets for each kind of work.
pub fn plan(rng: &mut Rng, most: usize) -> (String, Vec<(&'static str, String)>) {
    let mut text = "version: 1\njobs:\n".to_owned();
    let mut jobs = Vec::new();
    let works: &[&[&str]] = &[
        &["retire"],
        &["wipe"],
        &["delete"],
        &["syncDevice"],
        &["removeAllDevicesFromManagement"],
        &["syncDevice", "wipe"],
        &["retire", "delete"],
        &["syncDevice", "retire", "delete"],
    ];
    for work in works {
        let id = if work[0].starts_with("remove") { "userId" } else { "managedDeviceId" };
        text.push_str(&format!("  - steps: [{}]\n    targets:\n", work.join(", ")));
        for _ in 0..rng.usize(1..=most) {
            let target = guid(rng);
            text.push_str(&format!("      - {{ {id}: {target} }}\n"));
            jobs.extend(work.iter().map(|action| (*action, target.clone())));
        }
    }
    (text, jobs)
}

struct Cycle<'s> {
    seed: u64,
    rng: Rng,
    desk: Desk<'s>,
    simulator: &'s Simulator,
    plan: PathBuf,
    jobs: Vec<(&'static str, String)>,
    kills: u32,
    early: u32,
}

impl<'s> Cycle<'s> {
    fn new(seed: u64, simulator: &'s Simulator) -> Self {
        let mut rng = Rng::with_seed(seed);
        let desk = Desk::new(simulator);
        let (text, jobs) = plan(&mut rng, 3);
        let plan = desk.write("plan.yaml", &text);
        Self { seed, rng, desk, simulator, plan, jobs, kills: 0, early: 0 }
    }

    fn fail(&self, what: &str) -> ! {
        let kept = self.desk.state();
        panic!("seed {}, after {} kills: {what}\n(state was {})", self.seed, self.kills, kept.display())
    }

    /// Runs and kills until something comes through, and compares.
    fn play(&mut self) {
        while !self.is_recorded() {
            let due = self.jobs.len().to_string();
            let plan = self.plan.display().to_string();
            let concurrency = self.rng.u8(1..9).to_string();
            let arguments = [
                &["run", &plan, "--unpaced", "--report", "report.csv", "--confirm", &due][..],
                &["--concurrency", &concurrency, "--settling-seconds", "0"],
            ]
            .concat();
            if self.come_through_or_be_killed(&arguments) {
                return self.balance();
            }
            if !self.is_recorded() {
                self.early += 1;
                self.nothing_was_sent();
            }
        }
        loop {
            if self.rng.u8(..5) == 0 {
                self.the_report_is_whole_in_between();
            }
            let arguments = self.go_on();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            if self.come_through_or_be_killed(&arguments) {
                return self.balance();
            }
        }
    }

    /// One of the ways to go on.
    fn go_on(&mut self) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self.rng.u8(..4) {
            0 => {
                let due = self.jobs.len().to_string();
                let plan = self.plan.display().to_string();
                let run = ["run", &plan, "--once", "--unpaced", "--report", "report.csv", "--confirm", &due];
                words(&[&run[..], &["--settling-seconds", "0"]].concat())
            }
            1 => {
                let runs = self.runs();
                let run = &runs[self.rng.usize(..runs.len())];
                words(&["resume", run])
            }
            _ => words(&["resume", &self.desk.open_run()]),
        }
    }

    fn runs(&self) -> Vec<String> {
        let runs = self.desk.call(&["runs", "--format", "json"]);
        let runs = runs.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        runs.map(|run| run["run"].as_str().unwrap().to_owned()).collect()
    }

    fn is_recorded(&self) -> bool {
        let runs = self.desk.call(&["runs", "--format", "json"]);
        if runs.code != Some(0) {
            self.fail(&format!("`runs` failed: {}", runs.err));
        }
        !runs.out.trim().is_empty()
    }

    /// Whether it ended by itself.
    fn come_through_or_be_killed(&mut self, arguments: &[&str]) -> bool {
        let before = self.simulator.requests();
        let mut child = self.desk.command(arguments).spawn().unwrap();
        if self.kills < MOST_KILLS_OF_ONE_RUN {
            self.wait_for_the_moment(&mut child, before);
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
            }
        }
        let ended = Ended::of(child.wait_with_output().unwrap());
        if ended.err.contains("panicked") {
            self.fail(&format!("a panic:\n{}", ended.err));
        }
        match ended.code {
            None => {
                self.kills += 1;
                false
            }
            // Good, or bad or open jobs, or nothing left to do: which, the rows say.
            Some(0 | 3 | 4 | 5) => true,
            Some(code) => self.fail(&format!("{arguments:?} ended with {code}:\n{}", ended.err)),
        }
    }

    /// Start-up, sending, settling and writing the report all get their share.
    fn wait_for_the_moment(&mut self, child: &mut Child, before: u64) {
        let most = self.jobs.len() as u64;
        let (requests, then) = match self.rng.u8(..10) {
            0..2 => (0, self.rng.u64(..120)),
            2..4 => (0, self.rng.u64(..600)),
            4..8 => (self.rng.u64(1..most), self.rng.u64(..4)),
            _ => (most - self.rng.u64(..3), self.rng.u64(..40)),
        };
        let patience = Instant::now() + Duration::from_millis(1_500);
        while requests > 0 && Instant::now() < patience && child.try_wait().unwrap().is_none() {
            if self.simulator.requests() >= before + requests {
                break;
            }
            linger(Duration::from_millis(1));
        }
        linger(Duration::from_millis(then));
    }

    fn nothing_was_sent(&self) {
        let counts = self.simulator.counts();
        for (action, target) in &self.jobs {
            if count_of(&counts, "calls", action, target) != 0 {
                self.fail(&format!("{action} {target} was sent by a run that is not in the journal"));
            }
        }
    }

    fn the_report_is_whole_in_between(&self) {
        let report = self.desk.call(&["report", "latest"]);
        if report.code != Some(0) {
            self.fail(&format!("`report` failed: {}", report.err));
        }
        self.in_plan_order(&rows(&report.out));
    }

    fn in_plan_order(&self, rows: &[Row]) {
        let got: Vec<_> = rows.iter().map(|row| (row.action.as_str(), row.target.clone())).collect();
        if got != self.jobs {
            self.fail(&format!("the report's rows are {got:?}"));
        }
    }

    /// Rows against effects.
    fn balance(&self) {
        let rows = self.desk.report();
        self.in_plan_order(&rows);
        let counts = self.simulator.counts();
        for row in &rows {
            let effects = count_of(&counts, "effects", &row.action, &row.target);
            let wrong = wrong(row, effects);
            if !wrong.is_empty() {
                self.fail(&format!("{wrong}; {effects} effects, {row:?}"));
            }
        }
    }
}

/// What does not fit between a row and the effects that its target saw.
pub fn wrong(row: &Row, effects: u64) -> String {
    let may_repeat = Action::named(&row.action).unwrap().repeat == Repeat::Harmless;
    match (row.outcome.as_str(), effects) {
        (_, 2..) if !may_repeat => "what must not be repeated was repeated".into(),
        ("completed" | "accepted", 0) => "the report says it happened, and it did not".into(),
        ("completed" | "accepted" | "unknown", _) | ("already_done", 1..) => String::new(),
        (_, 1..) => "it happened, and the report says otherwise".into(),
        ("failed" | "held" | "not_attempted", 0) => String::new(),
        (outcome, 0) => format!("{outcome} is nothing that this tenant leads to"),
    }
}

#[test]
fn crash_at_any_instant() {
    #[expect(clippy::disallowed_methods, reason = "how long to try is the caller's choice, not the program's")]
    let wanted = std::env::var("MUSTEROUT_CRASHES").ok().map_or(KILLS, |kills| kills.parse().unwrap());
    let (kills, early, next) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicU64::new(0));
    let tally: Mutex<HashMap<String, u32>> = Mutex::default();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..LOOPS {
            let (kills, early, next, tally) = (&kills, &early, &next, &tally);
            scope.spawn(move || {
                let simulator = Simulator::start(&scenario(number));
                while kills.load(Ordering::Relaxed) < wanted {
                    let mut cycle = Cycle::new(20_261_122 + next.fetch_add(1, Ordering::Relaxed), &simulator);
                    cycle.play();
                    let before = kills.fetch_add(cycle.kills as usize, Ordering::Relaxed);
                    if before / TOLD < (before + cycle.kills as usize) / TOLD {
                        println!("{} of {wanted} kills", before + cycle.kills as usize);
                    }
                    early.fetch_add(cycle.early as usize, Ordering::Relaxed);
                    for row in cycle.desk.report() {
                        *tally.lock().unwrap().entry(row.outcome).or_default() += 1;
                    }
                }
            });
        }
    });
    let (kills, early, runs) = (kills.into_inner(), early.into_inner(), next.into_inner());
    let took = began.elapsed().as_secs();
    let tally = tally.into_inner().unwrap();
    println!("{kills} kills, {early} of them before the run was recorded, in {runs} runs, {took} s: {tally:?}");
}
