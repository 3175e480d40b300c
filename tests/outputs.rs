//! What the program writes: never over what it has read, never over what is no file of its own.
//!
//! In: the real binary, files of a plan. Out: refusals before anything is sent, files that are as they were.

use std::fs;

use crate::outside::{Desk, Simulator, count_of};

const QUICK: &str = "log: off\nthrottle: off\n";
const DEVICE: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const SPARED: &str = "aaaaaaaa-0000-4000-8000-000000000002";

/// A plan with a list of targets, a list of what is protected, and a policy that names another.
fn lay_out(desk: &Desk<'_>) {
    desk.write("devices.csv", &format!("managedDeviceId\n{DEVICE}\n"));
    desk.write("vip.csv", &format!("managedDeviceId\n{SPARED}\n"));
    desk.write("site-vip.csv", &format!("managedDeviceId\n{SPARED}\n"));
    desk.write("site.json", r#"{"version": 1, "guards": {"protected": {"csv": "site-vip.csv"}}}"#);
    let plan = "version: 1\nname: p\nguards: { protected: { csv: vip.csv } }\njobs:\n  - action: retire\n    targets: { csv: devices.csv }\n";
    desk.write("plan.yaml", plan);
}

const READ: [&str; 4] = ["devices.csv", "vip.csv", "site-vip.csv", "site.json"];

#[track_caller]
fn is_spared(desk: &Desk<'_>, arguments: &[&str], file: &str) {
    let before = fs::read(desk.path(file)).unwrap();
    desk.call(arguments).expect(2).says("would overwrite");
    assert_eq!(fs::read(desk.path(file)).unwrap(), before, "{arguments:?} has written over {file}");
}

fn sent(simulator: &Simulator) -> u64 {
    count_of(&simulator.counts(), "calls", "retire", DEVICE)
}

#[test]
fn no_report_takes_the_place_of_what_was_read_whatever_verb_writes_it() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    lay_out(&desk);
    let run = ["run", "plan.yaml", "--policy", "site.json", "--confirm", "1", "--report"];
    for file in READ {
        is_spared(&desk, &[&run[..], &[file]].concat(), file);
    }
    assert_eq!(sent(&simulator), 0);
    desk.call(&[&run[..], &["report.csv"]].concat()).expect(0);
    let id = desk.open_run();
    for verb in ["resume", "verify"] {
        READ.iter().for_each(|file| is_spared(&desk, &[verb, &id, "--report", file], file));
        // A link leads to the same file.
        #[cfg(unix)]
        if !desk.path("link.csv").exists() {
            std::os::unix::fs::symlink(desk.path("vip.csv"), desk.path("link.csv")).unwrap();
        }
        #[cfg(unix)]
        is_spared(&desk, &[verb, &id, "--report", "link.csv"], "vip.csv");
    }
    // The name of a list that is gone for a while is still the list's.
    fs::remove_file(desk.path("devices.csv")).unwrap();
    desk.call(&["verify", "latest", "--report", "devices.csv"]).expect(2).says("would overwrite");
    assert!(!desk.path("devices.csv").exists());
}

#[test]
fn what_targets_were_looked_up_in_and_what_was_agreed_to_are_spared_too() {
    let scenario = format!("devices: [{{ id: {DEVICE}, serialNumber: SN1 }}]\n{QUICK}");
    let simulator = Simulator::start(&scenario);
    let desk = Desk::new(&simulator);
    desk.write("plan.csv", "action,serialNumber\nretire,SN1\n");
    desk.call(&["inventory", "--out", "inventory.json"]).expect(0);
    let run = ["run", "plan.csv", "--inventory", "inventory.json", "--confirm", "1", "--report"];
    is_spared(&desk, &[&run[..], &["inventory.json"]].concat(), "inventory.json");
    desk.call(&[&run[..], &["report.csv"]].concat()).expect(0);
    is_spared(&desk, &["verify", "latest", "--report", "inventory.json"], "inventory.json");
    is_spared(
        &desk,
        &["preview", "plan.csv", "--inventory", "inventory.json", "--out", "inventory.json"],
        "inventory.json",
    );
    let desk = Desk::new(&simulator);
    lay_out(&desk);
    is_spared(&desk, &["preview", "plan.yaml", "--policy", "site.json", "--out", "site.json"], "site.json");
    desk.call(&["preview", "plan.yaml", "--out", "agreed.json"]).expect(0);
    desk.call(&["run", "agreed.json", "--confirm", "1", "--report", "report.csv"]);
    is_spared(&desk, &["verify", "latest", "--report", "agreed.json"], "agreed.json");
    desk.write("tenant.json", r#"{"log": "off"}"#);
    is_spared(
        &desk,
        &["run", "plan.yaml", "--simulate-fresh=tenant.json", "--confirm", "1", "--report", "tenant.json"],
        "tenant.json",
    );
    is_spared(&desk, &["inventory", "--simulate-fresh=tenant.json", "--out", "tenant.json"], "tenant.json");
    is_spared(&desk, &["inventory", "--out", "state/journal.db"], "state/journal.db");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_or_is_write_protected_is_found_before_anything_is_sent() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    lay_out(&desk);
    let made = std::process::Command::new("mkfifo").args([desk.path("pipe.csv"), desk.path("pipe.json")]).status();
    assert!(made.unwrap().success());
    desk.write("kept.csv", "kept");
    fs::set_permissions(desk.path("kept.csv"), fs::Permissions::from_mode(0o444)).unwrap();
    for (file, words) in [("pipe.csv", "no regular file"), ("kept.csv", "write-protected")] {
        desk.call(&["run", "plan.yaml", "--confirm", "1", "--report", file]).expect(2).says(words);
    }
    desk.call(&["preview", "plan.yaml", "--out", "pipe.json"]).expect(1).says("no regular file");
    desk.call(&["inventory", "--out", "pipe.json"]).expect(1).says("no regular file");
    assert_eq!(sent(&simulator), 0);
    assert!(fs::metadata(desk.path("pipe.csv")).unwrap().file_type().is_fifo());
    assert_eq!(fs::read_to_string(desk.path("kept.csv")).unwrap(), "kept");
}

#[test]
fn an_export_takes_the_place_of_nothing_and_does_not_blame_the_journal() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    lay_out(&desk);
    desk.call(&["run", "plan.yaml", "--confirm", "1", "--report", "report.csv"]).expect(0);
    desk.write("there.db", "mine");
    let there = desk.call(&["runs", "--export", "latest", "there.db"]);
    there.expect(2).says("there.db already exists").says("--export");
    assert_eq!(fs::read_to_string(desk.path("there.db")).unwrap(), "mine");
    assert!(!there.err.contains("cannot be written"), "{}", there.err);
    desk.call(&["runs", "--export", "latest", "nowhere/one.db"]).expect(2).says("does not exist");
}
