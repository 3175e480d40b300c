//! A standing plan: what was done is left alone, what is new is sent, what is in doubt is read.

use fastrand::Rng;

use super::{QUICK, SLOW, calls, effects, kill, under_way};
use crate::outside::{Desk, Simulator, outcomes, retires};

#[test]
fn what_was_done_is_left_alone_and_what_is_new_is_sent() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, mut targets) = retires(&mut Rng::with_seed(21), 4);
    let plan = desk.write("plan.csv", &text);
    desk.run(&plan, 4, &["--once"]).expect(0);
    desk.run(&plan, 0, &["--once"]).expect(4);
    assert_eq!(outcomes(&desk.report()), ["already_done"; 4]);
    let (more, added) = retires(&mut Rng::with_seed(22), 1);
    targets.extend(added);
    desk.write("plan.csv", &format!("{text}{}", more.split_once('\n').unwrap().1));
    desk.run(&plan, 1, &["--once"]).expect(0);
    assert_eq!(outcomes(&desk.report())[3..], ["already_done", "accepted"]);
    // The journal says the same as the report, and nothing is left to resume.
    let told = desk.call(&["report", "latest"]);
    assert_eq!(outcomes(&crate::outside::rows(&told.expect(0).out))[3..], ["already_done", "accepted"]);
    desk.resume(&[]).expect(0);
    desk.run(&plan, 0, &["--once"]).expect(4);
    assert_eq!(calls(&simulator, "retire", &targets), [1; 5]);
}

#[test]
fn a_row_is_sent_when_its_day_has_come() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (_, targets) = retires(&mut Rng::with_seed(23), 2);
    let text =
        |day: &str| format!("action,managedDeviceId,notBefore\nretire,{},\nretire,{},{day}\n", targets[0], targets[1]);
    let plan = desk.write("plan.csv", &text("2126-11-22"));
    desk.run(&plan, 1, &["--once"]).expect(5);
    assert_eq!(outcomes(&desk.report()), ["accepted", "not_attempted"]);
    desk.run(&plan, 0, &["--once"]);
    assert_eq!(outcomes(&desk.report()), ["already_done", "not_attempted"]);
    assert_eq!(calls(&simulator, "retire", &targets), [1, 0]);
    desk.write("plan.csv", &text("2025-11-22"));
    desk.run(&plan, 1, &["--once"]).expect(0);
    assert_eq!(calls(&simulator, "retire", &targets), [1, 1]);
}

/// The doubt is older than the last run: neither a run that could not read, nor a crash, makes it forgotten.
#[test]
fn a_doubt_is_read_however_many_runs_ago_it_arose() {
    let simulator = Simulator::start(
        "
log: off
throttle: off
latency: 60ms
faults:
  - on: { action: retire, calls: [1] }
    do: drop_reply
  - on: { method: GET, calls: [1, 2] }
    do: { status: { code: 403, error_code: Forbidden } }
",
    );
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(24), 1);
    let plan = desk.write("plan.csv", &text);
    desk.run(&plan, 1, &["--once"]).expect(5);
    desk.run(&plan, 1, &["--once"]).expect(5);
    assert_eq!(outcomes(&desk.report()), ["unknown"]);
    // Killed while it reads, it has sent nothing itself; its resume knows of the doubt.
    kill(under_way(&desk, &simulator, &plan, 1, &["--once"], 1));
    desk.resume(&[]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted"]);
    desk.run(&plan, 0, &["--once"]).expect(4);
    assert_eq!((calls(&simulator, "retire", &targets), effects(&simulator, "retire", &targets)), (vec![1], vec![1]));
}

#[test]
fn a_crash_does_not_forget_what_earlier_runs_have_done() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, mut targets) = retires(&mut Rng::with_seed(25), 5);
    let plan = desk.write("plan.csv", &text);
    desk.run(&plan, 5, &["--once"]).expect(0);
    let (more, added) = retires(&mut Rng::with_seed(26), 10);
    targets.extend(added);
    desk.write("plan.csv", &format!("{text}{}", more.split_once('\n').unwrap().1));
    kill(under_way(&desk, &simulator, &plan, 10, &["--once", "--concurrency", "1"], 3));
    desk.resume(&[]).expect(0);
    assert_eq!(effects(&simulator, "retire", &targets), [1; 15]);
    assert_eq!(outcomes(&desk.report())[..5], ["already_done"; 5]);
    desk.run(&plan, 0, &["--once"]).expect(4);
}

/// Whoever has agreed to the whole plan has agreed to what is left of it: a scheduler says the same each night.
#[test]
fn the_number_of_the_whole_plan_is_good_every_night() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(27), 5);
    let rows: Vec<&str> = text.lines().collect();
    let plan = desk.write("plan.csv", &format!("{}\n", rows[..3].join("\n")));
    desk.run(&plan, 2, &["--once"]).expect(0);
    let whole = desk.write("plan.csv", &text);
    let refused = desk.run(&whole, 4, &["--once"]);
    refused.expect(10);
    assert!(refused.err.contains("--confirm 4, but 3 jobs would be sent, of 5 of the whole plan"), "{}", refused.err);
    desk.run(&whole, 5, &["--once"]).expect(0);
    desk.run(&whole, 5, &["--once"]).expect(4);
    desk.run(&whole, 6, &["--once"]).expect(10);
    assert_eq!(calls(&simulator, "retire", &targets), [1; 5]);
}

#[test]
fn a_second_row_of_one_job_is_that_on_every_night() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(71), 1);
    let plan = desk.write("plan.csv", &format!("{text}retire,{}\n", targets[0]));
    desk.run(&plan, 1, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["accepted", "held"]);
    for more in [&[] as &[&str], &["--once"]] {
        desk.run(&plan, 0, more).expect(3);
        assert_eq!(outcomes(&desk.report()), ["already_done", "held"]);
        assert!(desk.report()[1].note.contains("row 2"), "{:?}", desk.report());
    }
    assert_eq!(effects(&simulator, "retire", &targets), [1]);
}
