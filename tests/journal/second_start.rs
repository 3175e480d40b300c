//! A plan that is started a second time: what is left alone, what is sent again, what people are told of both, and for how long.
//!
//! In: the real binary, a tenant in a process of its own, a journal that grows old. Out: exit codes, lines, calls.

use super::{DAY, QUICK, calls, let_time_go_by};
use crate::outside::{Desk, Simulator, outcomes};
use crate::support::guid;

fn plan(rows: &[(&str, usize)]) -> String {
    let rows: String = rows.iter().map(|(action, at)| format!("{action},{}\n", guid(*at))).collect();
    format!("action,id\n{rows}")
}

#[test]
fn one_line_says_what_is_left_alone_and_one_what_is_sent_again() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let file = desk.write("plan.csv", &plan(&[("wipe", 1), ("syncDevice", 2), ("syncDevice", 3)]));
    let first = desk.run(&file, 3, &[]);
    first.expect(0);
    assert!(!first.err.contains("again"), "{}", first.err);
    let run = desk.open_run();
    let second = desk.run(&file, 2, &[]);
    second.expect(0).says(&format!("1 job skipped, already done by run {run} at "));
    second.says("; --again ROWS or --again all sends it again");
    second.says(&format!("2 jobs already done by run {run} at "));
    second.says("are sent again, because the action is repeatable; --once skips them");
    assert_eq!(outcomes(&desk.report()), ["already_done", "accepted", "accepted"]);
    desk.run(&file, 0, &["--once"]).expect(4).says("3 jobs skipped");
    let alone = desk.write("alone.csv", &plan(&[("wipe", 1)]));
    desk.run(&alone, 0, &[]).expect(4).says("1 job skipped");
    let targets: Vec<String> = (1..=3).map(guid).collect();
    assert_eq!(calls(&simulator, "wipe", &targets), [1, 0, 0]);
    assert_eq!(calls(&simulator, "syncDevice", &targets), [0, 2, 2]);
}

#[test]
fn what_cannot_be_undone_is_remembered_for_400_days() {
    for prunes in [false, true] {
        let simulator = Simulator::start(QUICK);
        let desk = Desk::new(&simulator);
        let file = desk.write("plan.csv", &plan(&[("wipe", 1)]));
        desk.run(&file, 1, &[]).expect(0);
        if prunes {
            desk.call(&["runs", "--prune=0"]).expect(0);
        }
        let_time_go_by(&desk, 399 * DAY);
        desk.run(&file, 0, &[]).expect(4);
        let_time_go_by(&desk, 2 * DAY);
        // A standing plan forgets nothing.
        desk.run(&file, 0, &["--once"]).expect(4);
        desk.run(&file, 1, &[]).expect(0);
        assert_eq!(calls(&simulator, "wipe", &[guid(1)]), [2], "pruned: {prunes}");
    }
}
