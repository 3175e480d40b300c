//! What one plan has open on a target, another plan leaves alone.
//!
//! In: the real binary, plans that share a target, a tenant in a process of its own. Out: calls, rows, words.

use serde_json::Value;

use super::{DAY, HOUR, QUICK, calls, kill, let_time_go_by, under_way};
use crate::outside::{Desk, Ended, Simulator, count_of, outcomes};
use crate::support::guid;

const A_WEEK: i64 = 7 * DAY;

/// The run of a plan that has that name, the newest one.
fn run_of(desk: &Desk<'_>, plan: &str) -> String {
    let told = desk.call(&["runs", "--format", "json"]);
    let mut runs = told.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let run = runs.find(|run| run["plan_file"].as_str().unwrap().ends_with(plan)).unwrap();
    run["run"].as_str().unwrap().to_owned()
}

fn only(action: &str, target: &str) -> String {
    format!("action,id\n{action},{target}\n")
}

#[test]
fn what_is_accepted_and_not_seen_keeps_another_plan_from_the_target() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let first = desk.write("first.csv", &only("retire", &guid(1)));
    let other = desk.write("other.csv", &format!("action,id\nwipe,{0}\nsyncDevice,{0}\n", guid(1).to_uppercase()));
    desk.run(&first, 1, &[]).expect(0);
    let run = run_of(&desk, "first.csv");
    // The preview says the same, and both numbers are good: a preview elsewhere knows nothing of this journal.
    let told = desk.call(&["preview", &other.display().to_string()]);
    assert!(told.out.contains("is accepted in run"), "{}", told.out);
    for confirmed in [1, 2] {
        desk.run(&other, confirmed, &[]).expect(3);
        let report = desk.report();
        assert_eq!(outcomes(&report), ["held", "accepted"], "{report:?}");
        for words in [&*run, "first.csv", "retire", "accepted", &format!("musterout verify {run}")] {
            assert!(report[0].note.contains(words), "{words} is not in {report:?}");
        }
    }
    assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &guid(1)), 0);
    // The device has left, and Intune knows it no more.
    simulator.becomes("log: off\nthrottle: off\nonly_listed: true\n");
    desk.call(&["verify", &run, "--report", "verified.csv"]).expect(0);
    desk.run(&other, 2, &[]);
    assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &guid(1)), 1, "{:?}", desk.report());
}

#[test]
fn it_holds_for_a_week_and_pruning_does_not_let_it_go() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let first = desk.write("first.csv", &only("retire", &guid(1)));
    let other = desk.write("other.csv", &only("delete", &guid(1)));
    desk.run(&first, 1, &[]).expect(0);
    let_time_go_by(&desk, A_WEEK - HOUR);
    desk.run(&other, 1, &[]).expect(3);
    desk.call(&["runs", "--prune=1"]).expect(0);
    assert!(!desk.call(&["runs"]).out.contains("first.csv"));
    desk.run(&other, 1, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["held"], "{:?}", desk.report());
    let_time_go_by(&desk, 2 * HOUR);
    desk.run(&other, 1, &[]).expect(0);
    assert_eq!(calls(&simulator, "delete", &[guid(1)]), [1]);
}

#[test]
fn what_is_in_doubt_keeps_another_plan_away_until_somebody_has_read_it() {
    let simulator = Simulator::start(
        "log: off\nthrottle: off\nfaults: [ { on: { action: wipe, calls: [1] }, do: drop_reply }, \
         { on: { method: GET, calls: [1] }, do: { status: { code: 403, error_code: Forbidden } } } ]\n",
    );
    let desk = Desk::new(&simulator);
    let first = desk.write("first.csv", &only("wipe", &guid(1)));
    let other = desk.write("other.csv", &only("retire", &guid(1)));
    desk.run(&first, 1, &[]).expect(5);
    let run = run_of(&desk, "first.csv");
    desk.run(&other, 1, &["--once"]).expect(3);
    let report = desk.report();
    assert_eq!(outcomes(&report), ["held"]);
    assert!(report[0].note.contains(&format!("musterout resume {run}")), "{report:?}");
    // It is read, and the wipe is there: the device has it to do.
    desk.call(&["resume", &run, "--report", "first-report.csv"]).expect(0);
    desk.run(&other, 1, &[]).expect(3);
    assert_eq!(calls(&simulator, "retire", &[guid(1)]), [0]);
}

/// Its answer is a minute away, and its process lives.
#[test]
fn what_is_on_its_way_keeps_another_plan_away_also_from_a_resumed_run() {
    let simulator = Simulator::start(
        "log: off\nthrottle: off\nfaults: [ { on: { action: wipe, calls: [1] }, do: { delay: 60s } } ]\n",
    );
    let desk = Desk::new(&simulator);
    let first = desk.write("first.csv", &only("wipe", &guid(1)));
    let other = desk.write("other.csv", &format!("action,id\ndelete,{}\nsyncDevice,{}\n", guid(1), guid(2)));
    let child = under_way(&desk, &simulator, &first, 1, &[], 1);
    desk.run(&other, 1, &[]).expect(3);
    let run = run_of(&desk, "other.csv");
    let resumed: Ended = desk.call(&["resume", &run, "--report", "report.csv"]);
    resumed.expect(3);
    assert!(desk.report()[0].note.contains("its outcome is not known yet"), "{:?}", desk.report());
    kill(child);
    assert_eq!(calls(&simulator, "delete", &[guid(1)]), [0]);
}

#[test]
fn what_waits_for_an_approval_keeps_another_plan_away_until_it_is_withdrawn() {
    let simulator = Simulator::start("log: off\nthrottle: off\napprovals: { actions: [wipe] }\n");
    let desk = Desk::new(&simulator);
    let plan = |name: &str, action: &str| {
        format!(
            "version: 1\nname: {name}\njustification: lab\njobs: [ {{ action: {action}, targets: [ {{ id: {} }} ] }} ]\n",
            guid(1)
        )
    };
    let first = desk.write("first.yaml", &plan("first", "wipe"));
    // The same deed would be filed a second time, which is not what the memory of deeds is about.
    let others = ["retire", "wipe"].map(|action| desk.write(&format!("{action}.yaml"), &plan(action, action)));
    desk.run(&first, 1, &[]).expect(5);
    let run = run_of(&desk, "first.yaml");
    for other in &others {
        desk.run(other, 1, &[]).expect(3);
        let report = desk.report();
        assert!(report[0].note.contains("waits for an approval") && report[0].note.contains(&run), "{report:?}");
    }
    desk.call(&["approvals", &run, "--withdraw"]).expect(0);
    desk.run(&others[0], 1, &[]).expect(0);
    assert_eq!(calls(&simulator, "retire", &[guid(1)]), [1]);
}

/// A saved preview was made before the other plan came, and keeps to what is open when it is run.
#[test]
fn a_saved_preview_keeps_away_from_what_was_opened_since() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let first = desk.write("first.csv", &only("retire", &guid(1)));
    let other = desk.write("other.csv", &only("delete", &guid(1)));
    desk.call(&["preview", &other.display().to_string(), "--out", "saved.json"]).expect(0);
    desk.run(&first, 1, &[]).expect(0);
    desk.run(&desk.path("saved.json"), 1, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["held"]);
    assert_eq!(calls(&simulator, "delete", &[guid(1)]), [0]);
}

/// The first plan's steps have dealt with both records of the machine. The other plan names one of them alone.
#[test]
fn a_machine_is_known_by_its_other_records() {
    let (device, identity) = (guid(1), guid(2));
    let simulator = Simulator::start(&format!(
        "log: off\nthrottle: off\ndevices: [ {{ id: {device}, serialNumber: SN1 }} ]\n\
         autopilot: [ {{ id: {identity}, serialNumber: SN1, managedDeviceId: {device} }} ]\n"
    ));
    let desk = Desk::new(&simulator);
    let first = desk.write(
        "first.yaml",
        "version: 1\njobs: [ { steps: [ retire, { action: unassignUserFromDevice } ], targets: [ { serialNumber: SN1 } ] } ]\n",
    );
    let other = desk.write("other.csv", &only("deleteAutopilotIdentity", &identity));
    desk.run(&first, 2, &[]).expect(0);
    desk.run(&other, 1, &[]).expect(3);
    let report = desk.report();
    assert!(report[0].note.contains("retire of 00000001"), "{report:?}");
    assert_eq!(calls(&simulator, "deleteAutopilotIdentity", &[identity]), [0]);
}

/// The lists run against each other: whichever comes first to a device has it.
#[test]
fn two_processes_at_once_never_both_come_to_a_device() {
    const DEVICES: usize = 40;
    let simulator = Simulator::start("log: off\nthrottle: off\nlatency: 20ms\n");
    let desk = Desk::new(&simulator);
    let list = |action: &str, targets: &mut dyn Iterator<Item = usize>| {
        let rows: String = targets.map(|at| format!("{action},{}\n", guid(at))).collect();
        format!("action,id\n{rows}")
    };
    let first = desk.write("first.csv", &list("retire", &mut (1..=DEVICES)));
    let other = desk.write("other.csv", &list("delete", &mut (1..=DEVICES).rev()));
    let start = |plan: &std::path::Path, report: &str| {
        let due = DEVICES.to_string();
        let plan = plan.display().to_string();
        let mut command =
            desk.command(&["run", &plan, "--unpaced", "--report", report, "--confirm", &due, "--concurrency", "2"]);
        command.spawn().unwrap()
    };
    let both = [start(&first, "first-report.csv"), start(&other, "other-report.csv")];
    let ended = both.map(|child| Ended::of(child.wait_with_output().unwrap()));
    let targets: Vec<String> = (1..=DEVICES).map(guid).collect();
    let calls: Vec<[u64; 2]> = calls(&simulator, "retire", &targets)
        .into_iter()
        .zip(calls(&simulator, "delete", &targets))
        .map(|(a, b)| [a, b])
        .collect();
    // What was deleted is told by its answer: it is open no more, and retiring what is gone does nothing.
    let retired_first = calls.iter().filter(|[retired, deleted]| *retired == 1 && *deleted == 0).count();
    let deleted_first = calls.iter().filter(|[_, deleted]| *deleted == 1).count();
    assert_eq!(retired_first + deleted_first, DEVICES, "{calls:?} {ended:?}");
    let rows = |name: &str| crate::outside::rows(&std::fs::read_to_string(desk.path(name)).unwrap());
    let held = rows("other-report.csv").iter().filter(|row| row.outcome == "held").count();
    assert_eq!(held, retired_first, "{ended:?}");
    assert!(retired_first > 0 && deleted_first > 0, "they did not meet: {calls:?}");
}

/// The one plan has a Chromebook deprovisioned by the state of a script on it.
#[test]
fn a_device_is_known_by_the_state_of_a_script_on_it() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (script, device) = (guid(7), guid(1));
    let first = format!(
        "version: 1\njobs:\n  - action: deprovision\n    route: deviceManagementScripts\n    with: {{ deprovisionReason: upgradeTransfer }}\n    \
         targets: [ {{ deviceManagementScriptId: {script}, deviceManagementScriptDeviceStateId: \"{script}:{device}\" }} ]\n"
    );
    desk.run(&desk.write("first.yaml", &first), 1, &[]).expect(0);
    desk.run(&desk.write("other.csv", &only("wipe", &device)), 1, &[]).expect(3);
    assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &device), 0);
}

/// What is remembered of a run that is there no more does not tell whom it holds.
#[test]
fn a_run_is_not_pruned_while_it_holds_others_by_what_is_not_remembered() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let first = format!(
        "version: 1\njobs:\n  - action: removeDeviceEsim\n    with: {{ iccId: \"89123\" }}\n    targets: [ {{ managedDeviceId: {} }} ]\n",
        guid(1)
    );
    desk.run(&desk.write("first.yaml", &first), 1, &[]).expect(0);
    desk.call(&["runs", "--prune=0"]).expect(0);
    desk.run(&desk.write("other.csv", &only("wipe", &guid(1))), 1, &[]).expect(3);
    assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &guid(1)), 0);
    let_time_go_by(&desk, A_WEEK);
    assert!(desk.call(&["runs", "--prune=0"]).expect(0).out.contains("removed"));
}
