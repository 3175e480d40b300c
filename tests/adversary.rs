//! Ways around the guards, each of them tried: what somebody changes while a run is under way, or between two starts.
//!
//! In: the real binary, a slow tenant, files that change under it. Out: what reached the tenant, the rows, the exit codes.

use std::path::Path;
use std::process::Child;
use std::sync::Mutex;

use crate::outside::{Desk, Ended, Row, Simulator, count_of, rows, until};
use crate::support::guid;

/// The first wipe takes its time, so that there is time to change something.
const SLOW: &str = "log: off\nthrottle: off\nfaults: [ { on: { action: wipe, calls: [1] }, do: { delay: 1500ms } } ]\n";
const ROWS: usize = 9;

/// The device whose row is tried to be saved.
fn last() -> String {
    guid(ROWS)
}

/// A plan of nine wipes, one after the other; `more` stands above, `rows` takes the place of the last row.
fn plan(more: &str, rows: &str) -> String {
    let first: String = (1..ROWS).map(|row| format!("      - managedDeviceId: {}\n", guid(row))).collect();
    format!(
        "version: 1\nname: lab\n{more}limits: {{ concurrency: 1 }}\njobs:\n  - action: wipe\n    targets:\n{first}{rows}"
    )
}

fn whole() -> String {
    plan("", &format!("      - managedDeviceId: {}\n", last()))
}

fn guards(text: &str) -> String {
    format!("version: 1\nguards: {{ {text} }}\n")
}

/// One way around a guard.
struct Way {
    name: &'static str,
    /// The file that changes, and what it says then; `None`: it is removed.
    changes: (&'static str, Option<String>),
    /// How the last row ends, what its note says, and how the run ends, when it happens under way.
    under_way: (&'static str, &'static str, i32),
    /// The same when the run is resumed after it; `None`: the resume is refused, and the error has this code.
    resumed: Result<(&'static str, &'static str, i32), &'static str>,
}

/// What a policy says, or the list that the plan names.
fn ways() -> Vec<Way> {
    let protected = || guards(&format!("max_targets: 90, protected: [\"{}\"]", last()));
    let way = |name, changes, under_way, resumed| Way { name, changes, under_way, resumed };
    let is_protected = ("held", "protected: its id", 3);
    let stopped = |why| ("not_attempted", why, 13);
    vec![
        way("a policy protects it", ("policy.yaml", Some(protected())), is_protected, Ok(is_protected)),
        way(
            "the plan's own list protects it",
            ("vip.csv", Some(format!("id\n{}\n", last()))),
            is_protected,
            Ok(is_protected),
        ),
        way(
            "a policy forbids the action",
            ("policy.yaml", Some(guards("max_targets: 90, deny_actions: [wipe]"))),
            ("held", "wipe is denied", 3),
            Ok(("held", "wipe is denied", 3)),
        ),
        way(
            "a policy allows other actions only",
            ("policy.yaml", Some(guards("max_targets: 90, allow_actions: [retire]"))),
            ("held", "not among the allowed actions", 3),
            Ok(("held", "not among the allowed actions", 3)),
        ),
        way(
            "a policy allows fewer targets",
            ("policy.yaml", Some(guards("max_targets: 1"))),
            stopped("the limit is 1"),
            Err("max-targets"),
        ),
        way(
            "a policy allows fewer targets of the action",
            ("policy.yaml", Some(guards("max_targets: 90, max_per_action: { wipe: 1 }"))),
            stopped("the limit is 1"),
            Err("max-per-action"),
        ),
        way(
            "a policy wants keys on file",
            ("policy.yaml", Some(guards("max_targets: 90, require_escrow: [bitlocker]"))),
            stopped("require_escrow is new"),
            // There they are.
            Ok(("accepted", "", 0)),
        ),
        way(
            "a policy has a fault",
            ("policy.yaml", Some(guards("max_target: 90"))),
            stopped("max_target"),
            Err("unknown-key"),
        ),
    ]
}

/// What becomes of the plan's own files.
fn ways_by_the_plan() -> Vec<Way> {
    let row = |more: &str| plan("", &format!("      - managedDeviceId: {}\n{more}", last()));
    let way = |name, changes, under_way, resumed| Way { name, changes, under_way, resumed };
    let stopped = |why| ("not_attempted", why, 13);
    vec![
        way(
            "the row leaves the plan",
            ("plan.yaml", Some(plan(VIP, ""))),
            ("held", "no longer in the plan", 3),
            Ok(("held", "no longer in the plan", 3)),
        ),
        way(
            "the row is put off",
            (
                "plan.yaml",
                Some(plan(VIP, &format!("      - {{ managedDeviceId: {}, notBefore: 2099-01-01 }}\n", last()))),
            ),
            ("not_attempted", "not before 2099", 5),
            Ok(("not_attempted", "not before 2099", 5)),
        ),
        way(
            "the plan forbids the action",
            (
                "plan.yaml",
                Some(plan("guards: { deny_actions: [wipe] }\n", &format!("      - managedDeviceId: {}\n", last()))),
            ),
            ("held", "wipe is denied", 3),
            Ok(("held", "wipe is denied", 3)),
        ),
        way(
            "the plan has a fault",
            ("plan.yaml", Some(row("    speed: fast\n"))),
            stopped("has faults"),
            Err("plan-unreadable"),
        ),
        way("the plan is gone", ("plan.yaml", None), stopped("has faults"), Err("plan-unreadable")),
        way("the plan's list is gone", ("vip.csv", None), stopped("has faults"), Err("plan-unreadable")),
    ]
}

/// The plan's own list, which protects nobody in it.
const VIP: &str = "guards: { protected: { csv: vip.csv } }\n";

fn lay_out(desk: &Desk<'_>) -> std::path::PathBuf {
    desk.write("policy.yaml", &guards("max_targets: 90"));
    desk.write("vip.csv", &format!("id\n{}\n", guid(99)));
    desk.write("plan.yaml", &plan(VIP, &format!("      - managedDeviceId: {}\n", last())))
}

fn begin(desk: &Desk<'_>, simulator: &Simulator, plan: &Path) -> Child {
    let child = desk.run_command(plan, ROWS, &["--policy", "policy.yaml"]).spawn().unwrap();
    until("the first request", || count_of(&simulator.counts(), "calls", "wipe", &guid(1)) == 1);
    child
}

fn change(desk: &Desk<'_>, (file, text): &(&'static str, Option<String>)) {
    match text {
        Some(text) => drop(desk.write(file, text)),
        None => std::fs::remove_file(desk.path(file)).unwrap(),
    }
}

/// `None`: there is no report, because a start was refused.
fn last_row(desk: &Desk<'_>) -> Option<Row> {
    let report = rows(&std::fs::read_to_string(desk.path("report.csv")).ok()?);
    assert_eq!(report.len(), ROWS, "{report:?}");
    report.into_iter().find(|row| row.target == last())
}

/// What is wrong with how it ended, if anything is.
fn ended_so(desk: &Desk<'_>, ended: &Ended, (outcome, note, exit): (&str, &str, i32)) -> Option<String> {
    let row = last_row(desk);
    let is_there = row.as_ref().is_some_and(|row| row.outcome == outcome && row.note.contains(note));
    (!is_there || ended.code != Some(exit)).then(|| format!("{:?} {row:?}\n{}", ended.code, ended.err))
}

/// Tries every way, some at a time. `try_it` says what is wrong.
fn each(try_it: impl Fn(&Way, &Desk<'_>, Child) -> Option<String> + Sync) {
    let ways: Vec<Way> = ways().into_iter().chain(ways_by_the_plan()).collect();
    let wrong = Mutex::new(Vec::new());
    for some in ways.chunks(7) {
        std::thread::scope(|scope| {
            for way in some {
                scope.spawn(|| {
                    let simulator = Simulator::start(SLOW);
                    let desk = Desk::new(&simulator);
                    let child = begin(&desk, &simulator, &lay_out(&desk));
                    let sent = || count_of(&simulator.counts(), "calls", "wipe", &last());
                    let found = try_it(way, &desk, child);
                    let may_be = last_row(&desk).is_some_and(|row| row.outcome == "accepted");
                    let found = found.or_else(|| (sent() > 0 && !may_be).then(|| "it was sent".to_owned()));
                    wrong.lock().unwrap().extend(found.map(|what| format!("{}: {what}", way.name)));
                });
            }
        });
    }
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_changes_under_way_holds_for_what_is_sent_after_it() {
    each(|way, desk, child| {
        change(desk, &way.changes);
        ended_so(desk, &Ended::of(child.wait_with_output().unwrap()), way.under_way)
    });
}

#[test]
fn what_changes_between_two_starts_holds_for_what_is_left() {
    each(|way, desk, mut child| {
        child.kill().unwrap();
        child.wait().unwrap();
        change(desk, &way.changes);
        let ended = desk.resume(&["--report", "report.csv"]);
        match way.resumed {
            Ok(row) => ended_so(desk, &ended, row),
            Err(code) => (ended.code != Some(10) || !ended.err.contains(code)).then(|| format!("{ended:?}")),
        }
    });
}

/// Rows that are added, and whatever else loosens, change nothing of what was agreed to.
#[test]
fn a_plan_that_grows_under_way_is_no_reason_to_stop() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let plan_file = desk.write("plan.yaml", &whole());
    desk.write("policy.yaml", &guards("max_targets: 90"));
    let child = begin(&desk, &simulator, &plan_file);
    desk.write(
        "plan.yaml",
        &plan("", &format!("      - managedDeviceId: {}\n      - managedDeviceId: {}\n", last(), guid(ROWS + 1))),
    );
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!(ended_so(&desk, &ended, ("accepted", "", 0)), None);
    assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &guid(ROWS + 1)), 0);
}

/// Under way, two things change one after the other: what the first one keeps back stays so. The row is far enough behind that its turn
/// comes after both.
#[test]
fn what_has_left_the_plan_stays_out_whatever_else_changes() {
    let simulator = Simulator::start("log: off\nthrottle: off\nlatency: 1200ms\n");
    let desk = Desk::new(&simulator);
    desk.write("policy.yaml", &guards("max_targets: 90"));
    let row = |number: usize| format!("      - managedDeviceId: {}\n", guid(number));
    let rows = |to: usize| plan("", &(ROWS..=to).map(row).collect::<String>());
    let file = desk.write("plan.yaml", &rows(12));
    let child = desk.run_command(&file, 12, &["--policy", "policy.yaml"]).spawn().unwrap();
    let sent = |number: usize| count_of(&simulator.counts(), "calls", "wipe", &guid(number));
    until("the first request", || sent(1) == 1);
    desk.write("plan.yaml", &rows(11));
    until("the third request", || sent(3) == 1);
    desk.write("policy.yaml", &guards("max_targets: 89"));
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!((ended.code, sent(11), sent(12)), (Some(3), 1, 0), "{}", ended.err);
    assert!(desk.report()[11].note.contains("no longer in the plan"), "{:?}", desk.report());
}

#[test]
fn an_override_lifts_nothing_any_more_when_it_has_ended() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let file = lay_out(&desk);
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(1_300);
    let lifted =
        format!("overrides: [ {{ guard: deny_actions, actions: [wipe], reason: CHG0012345, until: {until} }} ]\n");
    desk.write("policy.yaml", &format!("{}{lifted}", guards("max_targets: 90, deny_actions: [wipe]")));
    let child = begin(&desk, &simulator, &file);
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!(ended_so(&desk, &ended, ("held", "wipe is denied", 3)), None);
    assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &last()), 0);
}

/// The plan denies it, and lifts that itself; then it does not any more.
#[test]
fn what_a_plan_does_not_lift_any_more_holds() {
    for under_way in [true, false] {
        let simulator = Simulator::start(SLOW);
        let desk = Desk::new(&simulator);
        lay_out(&desk);
        let denied = "guards: { deny_actions: [wipe] }\n";
        let lifted = "overrides: [ { guard: deny_actions, actions: [wipe], reason: CHG0012345, until: 2099-01-01 } ]\n";
        let row = format!("      - managedDeviceId: {}\n", last());
        let file = desk.write("plan.yaml", &plan(&format!("{denied}{lifted}"), &row));
        let mut child = begin(&desk, &simulator, &file);
        let ended = match under_way {
            true => {
                desk.write("plan.yaml", &plan(denied, &row));
                Ended::of(child.wait_with_output().unwrap())
            }
            false => {
                child.kill().unwrap();
                child.wait().unwrap();
                desk.write("plan.yaml", &plan(denied, &row));
                desk.call(&["resume", "latest", "--report", "report.csv"])
            }
        };
        assert_eq!(ended_so(&desk, &ended, ("held", "wipe is denied", 3)), None, "under way: {under_way}");
        assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &last()), 0);
    }
}
