//! The journal as its users meet it: disks that fail, two runs at once, runs that go on, runs that happen once.
//!
//! In: the real binary and a tenant in a process of its own. Out: exit codes, words, rows, counts that do not fit.

mod again;
mod daily;
mod disk;
mod list;
mod locks;
mod names;
mod once;
mod open_jobs;
mod places;
mod resume_asks;
mod second_start;
mod tenants;
mod under_way;

use std::path::Path;
use std::process::Child;

use crate::outside::{Desk, Row, Simulator, count_of, until};

const QUICK: &str = "log: off\nthrottle: off\n";
const SLOW: &str = "log: off\nthrottle: off\nlatency: 60ms\n";

/// A run that is under way: so many requests have arrived.
fn under_way(desk: &Desk<'_>, simulator: &Simulator, plan: &Path, due: usize, more: &[&str], requests: u64) -> Child {
    let before = simulator.requests();
    let child = desk.run_command(plan, due, more).spawn().unwrap();
    until("requests", || simulator.requests() >= before + requests);
    child
}

const HOUR: i64 = 3_600 * 1_000_000;
const DAY: i64 = 24 * HOUR;

/// As if all that the journal knows had happened so many microseconds earlier.
fn let_time_go_by(desk: &Desk<'_>, by: i64) {
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    journal
        .execute_batch(&format!(
            "UPDATE outcomes SET finished_at = finished_at - {by}, started_at = started_at - {by};
             UPDATE attempts SET sent_at = sent_at - {by}, answered_at = answered_at - {by};
             UPDATE remembered SET finished_at = finished_at - {by};
             UPDATE runs SET started_at = started_at - {by}, ended_at = ended_at - {by};"
        ))
        .unwrap();
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn calls(simulator: &Simulator, action: &str, targets: &[String]) -> Vec<u64> {
    let counts = simulator.counts();
    targets.iter().map(|target| count_of(&counts, "calls", action, target)).collect()
}

fn effects(simulator: &Simulator, action: &str, targets: &[String]) -> Vec<u64> {
    let counts = simulator.counts();
    targets.iter().map(|target| count_of(&counts, "effects", action, target)).collect()
}

#[track_caller]
fn in_order(rows: &[Row], targets: &[String]) {
    assert!(rows.iter().map(|row| &row.target).eq(targets), "{rows:?}");
}
