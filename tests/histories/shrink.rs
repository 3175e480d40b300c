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
    for at in (0..script.steps.len()).rev() {
        found.push(with(script, |script| {
            script.steps.remove(at);
        }));
    }
    for at in 0..script.faults.len() {
        found.push(with(script, |script| {
            script.faults.remove(at);
        }));
    }
    for (at, step) in script.steps.iter().enumerate() {
        let plainer = simpler(step).into_iter();
        found.extend(plainer.map(|step| with(script, |script| script.steps[at] = step)));
    }
    for at in 0..script.plans.len() {
        found.extend(smaller_plan(script, at));
    }
    if script.concurrency > 1 {
        found.push(with(script, |script| script.concurrency = 1));
    }
    found
}

fn with(script: &Script, change: impl FnOnce(&mut Script)) -> Script {
    let mut candidate = script.clone();
    change(&mut candidate);
    candidate
}

fn smaller_plan(script: &Script, at: usize) -> Vec<Script> {
    let plan = &script.plans[at];
    let mut found = Vec::new();
    for row in 0..plan.rows.len() {
        if plan.rows.len() > 1 {
            found.push(with(script, |script| {
                script.plans[at].rows.remove(row);
            }));
        }
        if plan.rows[row].by != By::Id {
            found.push(with(script, |script| script.plans[at].rows[row].by = By::Id));
        }
    }
    if !plan.protected.is_empty() {
        found.push(with(script, |script| script.plans[at].protected.clear()));
    }
    if plan.missing.is_some() {
        found.push(with(script, |script| script.plans[at].missing = None));
    }
    if plan.name.is_some() {
        found.push(with(script, |script| script.plans[at].name = None));
    }
    found
}

/// The same step with less in it.
fn simpler(step: &Step) -> Vec<Step> {
    match step {
        Step::One(act) => plainer(act).into_iter().map(Step::One).collect(),
        Step::Two(first, later, second) => {
            let alone = [Step::One(first.clone()), Step::One(second.clone())].into_iter();
            let firsts = plainer(first).into_iter().map(|plain| Step::Two(plain, *later, second.clone()));
            let seconds = plainer(second).into_iter().map(|plain| Step::Two(first.clone(), *later, plain));
            alone.chain(firsts).chain(seconds).collect()
        }
        Step::Under(act, later, policy) => {
            let alone = [Step::One(act.clone()), Step::Policy(policy.clone())].into_iter();
            alone.chain(plainer(act).into_iter().map(|plain| Step::Under(plain, *later, policy.clone()))).collect()
        }
        Step::Edited(act, later, plan, rows) => {
            let alone = [Step::One(act.clone()), Step::Edit { plan: *plan, rows: rows.clone() }].into_iter();
            let plain = plainer(act).into_iter();
            alone.chain(plain.map(|plain| Step::Edited(plain, *later, *plan, rows.clone()))).collect()
        }
        Step::Edit { plan, rows } if rows.len() > 1 => {
            let fewer = (0..rows.len()).map(|left| {
                let rows = rows.iter().enumerate().filter(|(at, _)| *at != left).map(|(_, row)| row.clone());
                Step::Edit { plan: *plan, rows: rows.collect() }
            });
            fewer.collect()
        }
        _ => Vec::new(),
    }
}

/// The same process, left alone.
fn plainer(act: &Act) -> Vec<Act> {
    let without_kill = act.kill.map(|_| Act { kill: None, ..act.clone() });
    let without_stop = act.stop.map(|_| Act { stop: None, ..act.clone() });
    without_kill.into_iter().chain(without_stop).collect()
}
