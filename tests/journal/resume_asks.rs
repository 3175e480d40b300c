//! A run goes on by what was agreed to when it was begun, or somebody agrees once more.
//!
//! In: the real binary with nobody at the terminal, runs that ended early. Out: exit codes, words, calls.

use fastrand::Rng;

use super::{QUICK, calls};
use crate::outside::{Desk, Simulator, outcomes, retires};
use crate::support::guid;

const DAY: i64 = 24 * 3_600 * 1_000_000;

/// Two of three rows are left: the service has had enough for today.
fn enough(action: &str) -> String {
    let fault = |at| {
        format!("{{ on: {{ action: {action}, target: {} }}, do: {{ throttle: {{ seconds: 86400 }} }} }}", guid(at))
    };
    format!("log: off\nthrottle: off\nfaults: [ {}, {} ]\n", fault(2), fault(3))
}

fn three(action: &str) -> String {
    let rows: String = (1..=3).map(|at| format!("{action},{}\n", guid(at))).collect();
    format!("action,id\n{rows}")
}

/// A run that was begun with three requests, of which one was sent.
fn stopped<'s>(simulator: &'s Simulator, action: &str) -> (Desk<'s>, Vec<String>, String) {
    simulator.becomes(&enough(action));
    let desk = Desk::new(simulator);
    let plan = desk.write("plan.csv", &three(action));
    desk.run(&plan, 3, &["--concurrency", "1"]).expect(5);
    simulator.becomes(QUICK);
    let run = desk.open_run();
    (desk, (1..=3).map(guid).collect(), run)
}

fn let_time_go_by(desk: &Desk<'_>, microseconds: i64) {
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    journal
        .execute_batch(&format!("UPDATE runs SET started_at = started_at - {microseconds}; DELETE FROM daily_pauses;"))
        .unwrap();
}

#[test]
fn a_run_that_nobody_has_named_goes_on_with_the_number_that_is_left() {
    let simulator = Simulator::start(QUICK);
    let (desk, targets, run) = stopped(&simulator, "retire");
    let_time_go_by(&desk, 0);
    let before = calls(&simulator, "retire", &targets);
    for more in [&[][..], &["latest"], &["LATEST"]] {
        let told = desk.call(&[&["resume"][..], more].concat());
        told.expect(10).says(&run).says("plan.csv").says("2 retire").says("2 jobs of run").says("--confirm 2");
    }
    for wrong in ["1", "3"] {
        desk.call(&["resume", "--confirm", wrong]).expect(10).says("2 jobs of run");
    }
    assert_eq!(calls(&simulator, "retire", &targets), before);
    desk.call(&["resume", "--confirm", "2", "--report", "report.csv"]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted"; 3]);
    desk.call(&["resume"]).expect(4).says("no run has open rows").says(&run);
    desk.call(&["resume", &run]).expect(0);
}

#[test]
fn a_run_that_is_named_goes_on_for_a_day_with_what_was_agreed_to() {
    let simulator = Simulator::start(QUICK);
    for confirm in [&[][..], &["--confirm", "2"], &["--confirm", "3"]] {
        let (desk, _, run) = stopped(&simulator, "retire");
        let_time_go_by(&desk, DAY - 60_000_000);
        desk.call(&["resume", &run, "--confirm", "1"]).expect(10).says("of 3 that were agreed to");
        desk.call(&[&["resume", &run, "--report", "report.csv"][..], confirm].concat()).expect(0);
        assert_eq!(outcomes(&desk.report()), ["accepted"; 3]);
    }
}

#[test]
fn after_a_day_somebody_counts_again() {
    let simulator = Simulator::start(QUICK);
    let (desk, targets, run) = stopped(&simulator, "retire");
    let_time_go_by(&desk, DAY + 60_000_000);
    desk.call(&["resume", &run]).expect(10).says("more than a day ago").says("--confirm 2");
    desk.call(&["resume", &run, "--confirm", "3"]).expect(10);
    desk.call(&["resume", &run, "--confirm", "2"]).expect(0);
    assert_eq!(calls(&simulator, "retire", &targets), [0, 1, 1], "of this tenant, which is younger than the run");
}

/// The row was held when somebody agreed to the others, and would go now.
#[test]
fn what_was_held_then_is_not_what_somebody_agreed_to() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let plan = |protected: &str| {
        format!(
            "version: 1\nguards: {{ protected: [ {protected} ] }}\njobs:\n  - action: retire\n    targets:\n      - id: {}\n      - id: {}\n",
            guid(1),
            guid(2),
        )
    };
    let file = desk.write("plan.yaml", &plan(&guid(1)));
    desk.run(&file, 1, &[]).expect(3);
    let run = desk.open_run();
    desk.write("plan.yaml", &plan(&guid(9)));
    // The guards count as they were agreed to and as they are now: the list that the run was begun with holds it yet.
    desk.call(&["resume", &run]).expect(3);
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    journal.execute_batch("UPDATE runs SET settings = json_remove(settings, '$.guards')").unwrap();
    desk.call(&["resume", &run]).expect(10).says("was held when the run began").says("--confirm 1");
    assert_eq!(calls(&simulator, "retire", &[guid(1)]), [0]);
    desk.call(&["resume", &run, "--confirm", "1"]).expect(0);
    assert_eq!(calls(&simulator, "retire", &[guid(1)]), [1]);
}

#[test]
fn what_is_harmless_asks_nobody() {
    let simulator = Simulator::start(QUICK);
    let (desk, ..) = stopped(&simulator, "syncDevice");
    desk.call(&["resume"]).expect(0).says("2 syncDevice");
}

/// A run that has finished and waits for somebody's approval is open; a newer one with nothing left is not.
#[test]
fn the_newest_that_is_open_may_wait_for_an_approval() {
    let simulator = Simulator::start("log: off\nthrottle: off\napprovals: { actions: [wipe] }\n");
    let desk = Desk::new(&simulator);
    let first = format!(
        "version: 1\nname: first\njustification: lab\njobs: [ {{ action: wipe, targets: [ {{ id: {} }} ] }} ]\n",
        guid(1)
    );
    let first = desk.write("first.yaml", &first);
    desk.run(&first, 1, &[]).expect(5);
    let waits = desk.open_run();
    let (text, _) = retires(&mut Rng::with_seed(78), 1);
    let other = desk.write("other.csv", &text);
    desk.run(&other, 1, &[]).expect(0);
    desk.call(&["resume", "--confirm", "1", "--report", "report.csv"]).expect(5).says(&waits).says("1 wipe");
    desk.call(&["approvals", &waits, "--withdraw"]).expect(0);
}
