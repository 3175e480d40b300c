//! A tenant's day is one for all runs of the machine, and a nightly schedule gets through it.

use fastrand::Rng;

use super::{QUICK, effects, in_order};
use crate::outside::{Desk, Ended, Simulator, outcomes, retires};
use crate::support::program;

const LIMITS: &str = "limits: { daily: { retire: 3, reserve_percent: 0 } }\n";

/// A YAML plan of retires under a limit of three a day.
fn plan(name: &str, seed: u64, count: usize) -> (String, Vec<String>) {
    let (_, targets) = retires(&mut Rng::with_seed(seed), count);
    let items: String = targets.iter().map(|target| format!("      - managedDeviceId: {target}\n")).collect();
    (format!("version: 1\nname: {name}\njobs:\n  - action: retire\n    targets:\n{items}{LIMITS}"), targets)
}

fn run(desk: &Desk<'_>, plan: &str, due: &str, more: &[&str]) -> Ended {
    let mut arguments = vec!["run", plan, "--report", "report.csv", "--confirm", due];
    arguments.extend(more);
    desk.call(&arguments)
}

/// As the ledger will look when so many hours have passed.
fn let_pass(desk: &Desk<'_>, hours: i64) {
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    let moved = journal.execute("UPDATE daily_uses SET left_at = left_at - ?1", [hours * 3_600 * 1_000_000]).unwrap();
    assert!(moved > 0);
}

#[test]
fn what_one_run_has_used_up_is_gone_for_every_other() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, first) = plan("first", 41, 5);
    desk.write("first.yaml", &text);
    let (text, second) = plan("second", 42, 2);
    desk.write("second.yaml", &text);
    let preview = desk.call(&["preview", "second.yaml"]);
    assert!(!preview.expect(0).out.contains("daily limits"), "nothing is used up yet: {}", preview.out);
    run(&desk, "first.yaml", "5", &[]).expect(5).says("2 rows wait for another day: 2 retire from 20");
    let report = desk.report();
    in_order(&report, &first);
    assert_eq!(outcomes(&report), ["accepted", "accepted", "accepted", "not_attempted", "not_attempted"]);
    assert!(report[4].note.starts_with("the daily limit of retire is used up; not before 20"), "{report:?}");
    let preview = desk.call(&["preview", "second.yaml"]);
    assert!(
        preview.expect(0).out.contains("The daily limits of the tenant spread this over 1 day:"),
        "{}",
        preview.out
    );
    run(&desk, "second.yaml", "2", &[]).expect(5);
    assert_eq!(outcomes(&desk.report()), ["not_attempted"; 2]);
    assert_eq!(effects(&simulator, "retire", &second), [0, 0]);
    assert!(desk.call(&["runs"]).expect(0).out.contains("  waiting  "));
    // It waits: who starts it again from the beginning is told that three devices are retired already.
    run(&desk, "first.yaml", "5", &[])
        .expect(10)
        .says("3 jobs skipped, already done by run")
        .says("but 2 jobs would be sent");
    desk.resume(&["--report", "report.csv"]).expect(5);
    let_pass(&desk, 25);
    desk.resume(&["--report", "report.csv"]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted"; 2]);
    assert_eq!(effects(&simulator, "retire", &first), [1, 1, 1, 0, 0]);
    assert_eq!(effects(&simulator, "retire", &second), [1, 1]);
}

#[test]
fn a_nightly_schedule_gets_through_by_itself() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, targets) = plan("nightly", 43, 8);
    desk.write("plan.yaml", &text);
    for (due, code, done, sent) in [("8", 5, 0, 3), ("5", 5, 3, 3), ("2", 0, 6, 2)] {
        run(&desk, "plan.yaml", due, &["--once"]).expect(code);
        let report = desk.report();
        in_order(&report, &targets);
        let count = |outcome: &str| report.iter().filter(|row| row.outcome == outcome).count();
        assert_eq!((count("already_done"), count("accepted")), (done, sent), "{report:?}");
        let_pass(&desk, 25);
    }
    run(&desk, "plan.yaml", "0", &["--once"]).expect(4);
    assert_eq!(effects(&simulator, "retire", &targets), [1; 8]);
}

/// A night that was left waiting is resumed after another night has gone on with the plan: neither does what the other did.
#[test]
fn a_night_that_is_resumed_leaves_alone_what_later_nights_have_done() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, targets) = plan("nightly", 47, 8);
    desk.write("plan.yaml", &text);
    for _ in 0..2 {
        run(&desk, "plan.yaml", "8", &["--once"]).expect(5);
        let_pass(&desk, 25);
    }
    let listed = desk.call(&["runs", "--format", "json"]).out;
    let ids: Vec<&str> = listed.split('"').filter(|word| word.len() == 36).collect();
    let [second, first] = ids[..] else { panic!("{listed}") };
    desk.call(&["resume", first, "--report", "report.csv"]).expect(0);
    let report = desk.report();
    let told =
        ["accepted", "accepted", "accepted", "already_done", "already_done", "already_done", "accepted", "accepted"];
    assert_eq!(outcomes(&report), told);
    assert!(report[3].note.ends_with(&format!(" in run {second}")), "{report:?}");
    assert_eq!(effects(&simulator, "retire", &targets), [1; 8]);
    // And the other way round. Then nothing waits any more.
    desk.call(&["resume", second, "--report", "report.csv"]).expect(0);
    assert_eq!(
        outcomes(&desk.report()),
        [
            "already_done",
            "already_done",
            "already_done",
            "accepted",
            "accepted",
            "accepted",
            "already_done",
            "already_done"
        ]
    );
    assert_eq!(effects(&simulator, "retire", &targets), [1; 8]);
    assert!(!desk.call(&["runs"]).expect(0).out.contains("waiting"));
    run(&desk, "plan.yaml", "8", &["--once"]).expect(4);
}

/// What the first night's run comes to know later, later nights know too; what came to nothing is sent again, however many
/// nights have left it alone meanwhile.
#[test]
fn what_devices_have_done_since_is_told_by_the_last_report() {
    let (text, targets) = plan("nightly", 46, 4);
    let check_ins =
        format!("check_ins:\n  - {{ on: {{ target: {} }}, do: fail }}\n  - {{ do: complete }}\n", targets[0]);
    let simulator = Simulator::start(&format!("{QUICK}{check_ins}"));
    let desk = Desk::new(&simulator);
    desk.write("plan.yaml", &text);
    run(&desk, "plan.yaml", "4", &["--once"]).expect(5);
    let first =
        desk.call(&["runs", "--format", "json"]).out.split('"').find(|word| word.len() == 36).unwrap().to_owned();
    // The second night has no room, and leaves alone what the first one sent.
    run(&desk, "plan.yaml", "4", &["--once"]).expect(5);
    assert_eq!(outcomes(&desk.report()), ["already_done", "already_done", "already_done", "not_attempted"]);
    desk.call(&["verify", &first]).expect(3);
    let_pass(&desk, 25);
    run(&desk, "plan.yaml", "4", &["--once"]).expect(0);
    let rows = program::rows(&desk.path("report.csv"));
    let outcomes: Vec<&str> = program::column(&rows, "outcome");
    assert_eq!(outcomes, ["accepted", "already_done", "already_done", "accepted"]);
    assert_eq!(effects(&simulator, "retire", &targets), [2, 1, 1, 1]);
    for row in &rows[1..3] {
        assert!(row["note"].starts_with("completed at 20") && row["note"].contains(&first), "{row:?}");
        assert!(!row["verified_at"].is_empty() && row["verified_at"] > row["finished_at"], "{row:?}");
        assert_eq!(row["attempts"], "1");
    }
    // The journal says what the file says.
    let told = desk.call(&["report", "latest"]);
    assert_eq!(told.expect(0).out, std::fs::read_to_string(desk.path("report.csv")).unwrap());
}

#[test]
fn a_refusal_is_remembered_and_a_priority_survives_a_resume() {
    let simulator = Simulator::start("log: off\nthrottle: off\ndaily: { retire: 1 }\ndaily_answer: 403\n");
    let desk = Desk::new(&simulator);
    let (text, targets) = plan("refused", 44, 4);
    let urgent = format!("      - {{ managedDeviceId: {}, priority: 7 }}\n", targets[3]);
    let text = text.replace(&format!("      - managedDeviceId: {}\n", targets[3]), &urgent);
    desk.write("plan.yaml", &text);
    run(&desk, "plan.yaml", "4", &["--concurrency", "1"])
        .expect(5)
        .says("the service says that the daily limit is used up");
    assert_eq!(effects(&simulator, "retire", &targets), [0, 0, 0, 1], "the urgent one goes first");
    let requests = simulator.requests();
    desk.resume(&["--report", "report.csv"]).expect(5);
    assert_eq!(simulator.requests(), requests, "nobody asks again before the day has turned");
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    let kept: i64 = journal.query_row("SELECT priority FROM priorities WHERE job = 3", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 7);
}
