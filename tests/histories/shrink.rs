//! A failing history, made as small as it still fails.
//!
//! In: a script that breaks a promise. Out: a smaller one that breaks the same. Must not: take longer than somebody waits.

use std::path::Path;

use super::judge::Broken;
use super::play::play;
use super::script::{Act, By, Script, Step};

/// Scripts that are tried at most.
const PATIENCE: usize = 2_000;

pub fn shrink(script: &Script, broken: &Broken, folder: &Path) -> Script {
    let mut small = script.clone();
    let mut tried = 0;
    'again: loop {
        for candidate in smaller(&small) {
            tried += 1;
            if tried > PATIENCE {
                return small;
            }
            if play(&candidate, folder).0.is_some_and(|found| found.promise == broken.promise) {
                small = candidate;
                continue 'again;
            }
        }
        return small;
    }
}

/// Everything that is smaller by one thing, the largest things first.
fn smaller(script: &Script) -> Vec<Script> {
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut Script)| {
        let mut candidate = script.clone();
        change(&mut candidate);
        found.push(candidate);
    };
    for at in (0..script.steps.len()).rev() {
        with(&|script| drop(script.steps.remove(at)));
    }
    for at in 0..script.faults.len() {
        with(&|script| {
            script.faults.remove(at);
        });
    }
    for (at, step) in script.steps.iter().enumerate() {
        match step {
            Step::Two(first, _, second) => {
                with(&|script| script.steps[at] = Step::One(first.clone()));
                with(&|script| script.steps[at] = Step::One(second.clone()));
                for plain in plainer(first) {
                    with(&|script| {
                        if let Step::Two(first, ..) = &mut script.steps[at] {
                            first.clone_from(&plain)
                        }
                    });
                }
                for plain in plainer(second) {
                    with(&|script| {
                        if let Step::Two(.., second) = &mut script.steps[at] {
                            second.clone_from(&plain)
                        }
                    });
                }
            }
            Step::One(act) => {
                for plain in plainer(act) {
                    with(&|script| script.steps[at] = Step::One(plain.clone()));
                }
            }
            Step::Edit { rows, .. } => {
                for row in (0..rows.len()).filter(|_| rows.len() > 1) {
                    with(&|script| {
                        if let Step::Edit { rows, .. } = &mut script.steps[at] {
                            {
                                rows.remove(row);
                            }
                        }
                    });
                }
            }
            _ => {}
        }
    }
    for (at, plan) in script.plans.iter().enumerate() {
        for row in (0..plan.rows.len()).filter(|_| plan.rows.len() > 1) {
            with(&|script| {
                script.plans[at].rows.remove(row);
            });
        }
        for row in 0..plan.rows.len() {
            if plan.rows[row].by != By::Id {
                with(&|script| script.plans[at].rows[row].by = By::Id);
            }
        }
        if !plan.protected.is_empty() {
            with(&|script| script.plans[at].protected.clear());
        }
        if plan.name.is_some() {
            with(&|script| script.plans[at].name = None);
        }
    }
    if script.concurrency > 1 {
        with(&|script| script.concurrency = 1);
    }
    found
}

/// The same process, left alone.
fn plainer(act: &Act) -> Vec<Act> {
    let without_kill = act.kill.map(|_| Act { kill: None, ..act.clone() });
    let without_stop = act.stop.map(|_| Act { stop: None, ..act.clone() });
    without_kill.into_iter().chain(without_stop).collect()
}
