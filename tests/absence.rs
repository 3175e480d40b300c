//! What the service does not know, over more than one process: what another run has seen, what was said about missing targets.
//!
//! In: the real binary, and a tenant in a process of its own. Out: rows and counts that do not fit.

use std::time::Duration;

use crate::outside::{Desk, Ended, Simulator, count_of, linger, outcomes};

const DEVICE: &str = "70000000-0000-4000-8000-000000000001";
const STRANGER: &str = "70000000-0000-4000-8000-0000000000ff";

#[test]
fn a_device_that_any_run_has_seen_is_gone_and_one_that_none_has_seen_is_not_found() {
    let simulator = Simulator::start(&format!(
        "only_listed: true\nthrottle: off\ndevices: [ {{ id: {DEVICE} }} ]\n\
         check_ins: [ {{ on: {{ action: retire }}, after: 100ms, do: complete }} ]\n"
    ));
    let desk = Desk::new(&simulator);
    let retire = desk.write("retire.csv", &format!("action,managedDeviceId\nretire,{DEVICE}\n"));
    desk.run(&retire, 1, &[]).expect(0);
    linger(Duration::from_millis(300));
    // Before somebody has looked, it would be left to the plan that retires it.
    desk.call(&["verify", "latest", "--report", "verified.csv"]).expect(0);
    let delete = |desk: &Desk<'_>| {
        let text = format!("action,managedDeviceId\ndelete,{DEVICE}\ndelete,{STRANGER}\n");
        let plan = desk.write("delete.csv", &text);
        desk.run(&plan, 2, &[]).expect(3);
        outcomes(&desk.report()).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(delete(&desk), ["already_done", "not_found"]);
    // The run that has seen it may be pruned; whoever has a journal of their own has seen nothing.
    desk.call(&["runs", "--prune=0"]).expect(0);
    assert_eq!(delete(&desk), ["already_done", "not_found"]);
    assert_eq!(delete(&Desk::new(&simulator)), ["not_found", "not_found"]);
    assert_eq!(count_of(&simulator.counts(), "effects", "delete", DEVICE), 0);
}

/// Nothing was ever sent to it from here: only a read has shown it. Somebody else takes it away.
#[test]
fn what_a_look_or_a_saved_preview_has_shown_is_gone_when_it_is_not_there() {
    let by_a_look = |desk: &Desk<'_>| {
        let text = format!(
            "version: 1\njobs: [ {{ action: wipe, targets: [ {{ managedDeviceId: {DEVICE} }} ] }} ]\n\
             guards: {{ protected: [ 'vip-*' ] }}\n"
        );
        let plan = desk.write("plan.yaml", &text);
        desk.run(&plan, 1, &[]).expect(3);
        assert_eq!(outcomes(&desk.report()), ["held"]);
    };
    let by_a_saved_preview = |desk: &Desk<'_>| {
        desk.write("plan.csv", &format!("action,managedDeviceId\nwipe,{DEVICE}\n"));
        desk.call(&["preview", "plan.csv", "--out", "agreed.json"]).expect(0);
        desk.run(&desk.path("agreed.json"), 1, &[]).expect(3);
        assert_eq!(outcomes(&desk.report()), ["failed"]);
    };
    for sees in [&by_a_look as &dyn Fn(&Desk<'_>), &by_a_saved_preview] {
        let simulator = Simulator::start(&format!(
            "only_listed: true\nthrottle: off\ndevices: [ {{ id: {DEVICE}, deviceName: VIP-1 }} ]\n\
             faults: [ {{ on: {{ action: wipe }}, do: {{ status: {{ code: 403, error_code: Forbidden }} }} }} ]\n\
             check_ins: [ {{ on: {{ action: retire }}, after: 100ms, do: complete }} ]\n"
        ));
        let desk = Desk::new(&simulator);
        sees(&desk);
        desk.call(&["runs", "--prune=0"]).expect(0);
        let other = Desk::new(&simulator);
        let retire = other.write("retire.csv", &format!("action,managedDeviceId\nretire,{DEVICE}\n"));
        other.run(&retire, 1, &[]).expect(0);
        linger(Duration::from_millis(300));
        let delete = desk.write("delete.csv", &format!("action,managedDeviceId\ndelete,{DEVICE}\n"));
        desk.run(&delete, 1, &[]).expect(0);
        assert_eq!(outcomes(&desk.report()), ["already_done"]);
        assert_eq!(count_of(&simulator.counts(), "effects", "wipe", DEVICE), 0);
    }
}

#[test]
fn a_resumed_run_goes_on_by_what_was_said_of_missing_targets() {
    let resumed = |missing: &[&str], policy: Option<&str>, code: i32| {
        let simulator = Simulator::start(&format!(
            "only_listed: true\nthrottle: off\ndevices: [ {{ id: {DEVICE} }} ]\n\
             faults: [ {{ on: {{ action: wipe, calls: [1] }}, do: {{ status: {{ code: 403, error_code: Forbidden }} }} }} ]\n"
        ));
        let desk = Desk::new(&simulator);
        let text = format!(
            "version: 1\nguards: {{ waves: [1, rest] }}\njobs:\n  - action: wipe\n    targets: [ {{ managedDeviceId: {DEVICE} }} ]\n  \
             - action: retire\n    missing: done\n    targets: [ {{ managedDeviceId: {STRANGER} }} ]\n"
        );
        let plan = desk.write("plan.yaml", &text);
        desk.run(&plan, 2, missing);
        let more = policy.map(|text| desk.write("stricter.yaml", text).display().to_string());
        let run = desk.open_run();
        let mut arguments = vec!["resume", &run, "--report", "report.csv"];
        if let Some(policy) = &more {
            arguments.extend(["--policy", policy]);
        }
        Ended::of(desk.command(&arguments).output().unwrap()).expect(code);
        desk.report()[1].outcome.clone()
    };
    assert_eq!(resumed(&[], None, 3), "already_done");
    assert_eq!(resumed(&["--missing", "refuse"], None, 3), "not_found");
    assert_eq!(resumed(&[], Some("version: 1\nmissing: refuse\n"), 3), "not_found");
}

#[test]
fn a_saved_preview_keeps_rows_that_looking_up_did_not_find() {
    for (missing, outcome, code) in [("hold", "held", 3), ("done", "already_done", 0)] {
        let simulator = Simulator::start(&format!(
            "only_listed: true\nthrottle: off\ndevices: [ {{ id: {DEVICE}, serialNumber: S-1 }} ]\n"
        ));
        let desk = Desk::new(&simulator);
        desk.write("plan.csv", "action,serialNumber\nretire,S-1\nretire,S-NEVER\n");
        desk.call(&["preview", "plan.csv", "--missing", missing, "--out", "agreed.json"]).expect(0);
        let agreed = desk.path("agreed.json");
        desk.run(&agreed, 1, &["--missing", "done"]).expect(2).says("saved preview");
        desk.run(&agreed, 1, &[]).expect(code);
        assert_eq!(outcomes(&desk.report()), ["accepted", outcome]);
        assert_eq!(count_of(&simulator.counts(), "calls", "retire", DEVICE), 1);
    }
}

/// Somebody's account was there. Nothing of that says that a device of that id ever was.
#[test]
fn what_was_seen_is_of_one_kind() {
    let simulator = Simulator::start(&format!(
        "only_listed: true\nthrottle: off\nusers: [ {{ id: {DEVICE}, userPrincipalName: ada@contoso.com }} ]\n"
    ));
    let desk = Desk::new(&simulator);
    let disable = desk.write("disable.csv", &format!("action,userId\ndisableUser,{DEVICE}\n"));
    desk.run(&disable, 1, &[]).expect(0);
    let retire = desk.write("retire.csv", &format!("action,managedDeviceId\nretire,{DEVICE}\n"));
    desk.run(&retire, 1, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["not_found"]);
    desk.call(&["runs", "--prune=0"]).expect(0);
    desk.run(&retire, 1, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["not_found"]);
}
