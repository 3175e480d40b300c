//! What one run has in its hands, another one leaves to it.
//!
//! In: the real binary, twice at once, and a slow tenant. Out: calls, rows.

use std::time::Duration;

use crate::journal::{kill, under_way};
use crate::outside::{Desk, Simulator, count_of, linger, outcomes};
use crate::support::guid;

/// The first run waits for its answer. Whatever a read shows meanwhile, it is no word on a request that is still out.
#[test]
fn what_another_run_has_sent_and_not_settled_is_left_to_it() {
    let simulator =
        Simulator::start("throttle: off\nfaults: [ { on: { action: wipe, calls: [1] }, do: { delay: 30s } } ]\n");
    let desk = Desk::new(&simulator);
    let first = desk.write("first.csv", &format!("action,id\nwipe,{}\n", guid(1)));
    let other = desk.write("other.csv", &format!("action,id\nwipe,{}\nretire,{}\n", guid(1), guid(2)));
    let child = under_way(&desk, &simulator, &first, 1, &[], 1);
    desk.run(&other, 2, &[]).expect(5);
    let report = desk.report();
    assert_eq!(outcomes(&report), ["not_attempted", "accepted"], "{report:?}");
    assert!(report[0].note.contains("handles it"), "{report:?}");
    assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &guid(1)), 1);
    // Its process is gone: whoever comes next reads first.
    kill(child);
    desk.run(&other, 1, &[]);
    assert_eq!(outcomes(&desk.report())[1], "already_done");
    assert_ne!(outcomes(&desk.report())[0], "not_attempted");
}

/// The other run was killed with its request on the way. The row that was left to it is in doubt for whoever goes on.
#[test]
fn whoever_goes_on_with_what_was_left_to_another_run_reads_first() {
    let simulator =
        Simulator::start("throttle: off\nfaults: [ { on: { action: wipe, calls: [1] }, do: { delay: 30s } } ]\n");
    let desk = Desk::new(&simulator);
    let first = desk.write("first.csv", &format!("action,id\nwipe,{}\n", guid(1)));
    let other = desk.write("other.csv", &format!("action,id\nwipe,{}\nretire,{}\n", guid(1), guid(2)));
    let child = under_way(&desk, &simulator, &first, 1, &[], 1);
    desk.run(&other, 2, &[]).expect(5);
    kill(child);
    let run = runs(&desk).into_iter().find(|run| run["plan_file"].as_str().unwrap().ends_with("other.csv")).unwrap();
    let before = simulator.counts()["reads"].as_u64().unwrap();
    desk.call(&["resume", run["run"].as_str().unwrap(), "--confirm", "1", "--report", "report.csv"]);
    assert!(simulator.counts()["reads"].as_u64().unwrap() > before, "{:?}", desk.report());
    assert!(outcomes(&desk.report())[0] != "not_attempted");
}

/// The runs of the journal.
fn runs(desk: &Desk<'_>) -> Vec<serde_json::Value> {
    let told = desk.call(&["runs", "--format", "json"]);
    told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The first run's deed is seen to have happened while the second one, which was asked to do it again, lies still.
#[test]
fn what_a_deed_has_come_to_is_no_deed_of_today() {
    let simulator = Simulator::start(
        "throttle: off\nfaults: [ { on: { action: rebootNow, calls: [2] }, do: { throttle: { seconds: 600 } } } ]\n\
         check_ins: [ { after: 100ms, do: complete } ]\n",
    );
    let desk = Desk::new(&simulator);
    let first = desk.write("first.csv", &format!("action,id\nrebootNow,{}\n", guid(1)));
    let again = desk.write("again.csv", &format!("action,id\nrebootNow,{}\n", guid(1)));
    desk.run(&first, 1, &[]).expect(0);
    let first = runs(&desk).remove(0)["run"].as_str().unwrap().to_owned();
    linger(Duration::from_millis(300));
    let child = under_way(&desk, &simulator, &again, 1, &["--again", "all"], 1);
    linger(Duration::from_millis(300));
    kill(child);
    desk.call(&["verify", &first, "--report", "verified.csv"]).expect(0);
    desk.resume(&["--report", "report.csv"]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted"], "{:?}", desk.report());
    assert_eq!(count_of(&simulator.counts(), "calls", "rebootNow", &guid(1)), 3);
}

/// The device is about to be wiped because of the first run. The request of the second one never arrived.
#[test]
fn a_state_of_an_earlier_run_proves_nothing() {
    let simulator = Simulator::start("throttle: off\nfaults: [ { on: { action: wipe, calls: [2] }, do: reset } ]\n");
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.csv", &format!("action,id\nwipe,{}\n", guid(1)));
    desk.run(&plan, 1, &[]).expect(0);
    // Within one second nothing tells the two apart anyhow.
    linger(Duration::from_millis(1_100));
    desk.run(&plan, 1, &["--again", "all"]).expect(5);
    let report = desk.report();
    assert_eq!(outcomes(&report), ["unknown"], "{report:?}");
    assert!(report[0].note.contains("earlier run"), "{report:?}");
}
