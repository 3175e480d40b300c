//! One run of a plan at a time, several plans at once, and reports meanwhile.

use fastrand::Rng;

use super::{QUICK, SLOW, calls, effects, in_order, kill, under_way};
use crate::outside::{Desk, Ended, Simulator, outcomes, retires, rows, until};

#[test]
fn a_plan_is_run_once_at_a_time_and_a_dead_holder_holds_nothing() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(11), 20);
    let plan = desk.write("plan.csv", &text);
    let holder = under_way(&desk, &simulator, &plan, 20, &["--concurrency", "1"], 3);
    let run = desk.call(&["runs", "--format", "json"]);
    let id = run.out.split('"').find(|word| word.len() == 36 && word.matches('-').count() == 4).unwrap().to_owned();
    let process = format!("process {}", holder.id());
    desk.run(&plan, 20, &[]).expect(11).says(&id).says(&process);
    desk.resume(&[]).expect(11).says(&id).says(&process);
    kill(holder);
    desk.resume(&[]).expect(0);
    assert_eq!(effects(&simulator, "retire", &targets), [1; 20]);
    assert_eq!(calls(&simulator, "retire", &targets), [1; 20]);
}

/// Each round begins with no database, so that making it is contended too.
#[test]
fn several_plans_share_a_database() {
    let simulator = Simulator::start(QUICK);
    for round in 0..8 {
        let desk = Desk::new(&simulator);
        let mut rng = Rng::with_seed(1_200 + round);
        let runs: Vec<_> = (0..4)
            .map(|number| {
                let (text, targets) = retires(&mut rng, 40);
                let plan = desk.write(&format!("plan-{number}.csv"), &text).display().to_string();
                let report = format!("report-{number}.csv");
                let arguments = ["run", &plan, "--unpaced", "--confirm", "40", "--report", &report];
                (desk.command(&arguments).spawn().unwrap(), report, targets)
            })
            .collect();
        for (child, report, targets) in runs {
            let ended = Ended::of(child.wait_with_output().unwrap());
            assert_eq!(ended.code, Some(0), "round {round}: {ended:?}");
            in_order(&rows(&std::fs::read_to_string(desk.path(&report)).unwrap()), &targets);
        }
        let listed = desk.call(&["runs", "--format", "json"]);
        assert_eq!(listed.expect(0).out.lines().count(), 4, "round {round}");
    }
}

#[test]
fn a_report_is_whole_while_the_run_is_under_way_and_after_its_crash() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(13), 20);
    let plan = desk.write("plan.csv", &text);
    let child = under_way(&desk, &simulator, &plan, 20, &["--concurrency", "2"], 3);
    until("all three kinds of rows", || {
        let report = desk.call(&["report", "latest"]);
        let rows = rows(&report.expect(0).out);
        in_order(&rows, &targets);
        let there = outcomes(&rows);
        // Two are out, and the next eight may be recorded.
        assert!(there.iter().filter(|outcome| **outcome == "unknown").count() <= 10, "{there:?}");
        ["accepted", "unknown", "not_attempted"].iter().all(|outcome| there.contains(outcome))
    });
    kill(child);
    let after = desk.call(&["report", "latest"]);
    in_order(&rows(&after.expect(0).out), &targets);
    assert!(desk.call(&["runs"]).expect(0).out.contains("broken off"));
    desk.resume(&[]).expect(0);
    let written = std::fs::read_to_string(desk.path("report.csv")).unwrap();
    let last = desk.call(&["report", "latest"]);
    assert_eq!(written.lines().next(), after.out.lines().next());
    assert_eq!(written.replace('\u{feff}', ""), last.out.replace('\u{feff}', ""));
}

/// A cleaner of old files has been there: whoever runs the plan takes its lock again.
#[test]
fn a_lock_that_is_deleted_under_a_run_still_keeps_others_out() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(43), 60);
    let plan = desk.write("plan.csv", &text);
    let child = under_way(&desk, &simulator, &plan, 60, &["--concurrency", "1"], 3);
    std::fs::remove_dir_all(desk.state().join("locks")).unwrap();
    let other = desk.call(&["resume", "latest", "--report", "other.csv"]);
    other.expect(11).says("this plan is already run by run");
    // Seconds are enough for people.
    assert!(!other.err.contains('.') || other.err.lines().all(|line| !line.contains("since") || line.ends_with("Z)")));
    Ended::of(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(calls(&simulator, "retire", &targets), [1; 60]);
}
