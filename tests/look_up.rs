//! Looking targets up, from outside: what a preview sends, saved inventories, runs that go on.
//!
//! In: the real binary and a tenant in a process of its own. Out: exit codes, words, rows, counts that do not fit.

use std::path::Path;

use serde_json::{Value, json};

use crate::outside::{Desk, Simulator, count_of, outcomes};

const IDS: [&str; 3] = [
    "00000000-0000-4000-8000-000000000001",
    "00000000-0000-4000-8000-000000000002",
    "00000000-0000-4000-8000-000000000003",
];

fn tenant(more: &str) -> String {
    let devices: String = IDS
        .iter()
        .zip(1..)
        .map(|(id, n)| format!("  - {{ id: {id}, deviceName: LAB-0{n}, serialNumber: SN-{n} }}\n"))
        .collect();
    format!("throttle: off\nonly_listed: true\ndevices:\n{devices}{more}")
}

const PLAN: &str = "action,serialNumber\nretire,SN-1\nretire,sn-2\nretire,SN-3\n";

/// What the tenant was asked, by method.
fn requests(simulator: &Simulator) -> (u64, u64, u64) {
    let counts = simulator.counts();
    let number = |name: &str| counts[name].as_u64().unwrap();
    (number("requests"), number("reads"), number("batches"))
}

#[test]
fn a_preview_reads_and_does_nothing_else() {
    let simulator = Simulator::start(&tenant(""));
    let desk = Desk::new(&simulator);
    desk.write("plan.csv", PLAN);
    let previewed = desk.call(&["preview", "plan.csv", "--format", "json"]);
    let document: Value = serde_json::from_str(&previewed.expect(0).out).unwrap();
    let targets: Vec<_> =
        document["jobs"].as_array().unwrap().iter().map(|job| job["target"].as_str().unwrap()).collect();
    assert_eq!(targets, IDS);
    assert_eq!(requests(&simulator), (3, 3, 1), "three reads in one envelope");
}

#[test]
fn a_plan_of_ids_is_previewed_without_asking_anybody() {
    let simulator = Simulator::start(&tenant(""));
    let desk = Desk::new(&simulator);
    desk.write("plan.csv", &format!("action,managedDeviceId\nretire,{}\n", IDS[0]));
    desk.call(&["preview", "plan.csv"]).expect(0);
    let counts = simulator.counts();
    assert_eq!((requests(&simulator).0, counts["token_requests"].as_u64()), (0, Some(0)));
}

#[test]
fn one_row_without_a_target_keeps_all_of_them_from_being_sent() {
    let simulator = Simulator::start(&tenant(""));
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.csv", &format!("{PLAN}retire,SN-4\n"));
    desk.run(&plan, 3, &[]).expect(2).says("row 5, column `serialNumber`: no managed device has serialNumber SN-4");
    let (requests, reads, _) = requests(&simulator);
    assert_eq!(requests, reads, "nothing but reads");
    assert!(!desk.path("report.csv").exists());
}

#[test]
fn a_saved_inventory_is_looked_up_in_without_asking_anybody() {
    let simulator = Simulator::start(&tenant(""));
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.csv", PLAN);
    let saved = desk.call(&["inventory", "--out", "inventory.json"]);
    assert_eq!(
        saved.expect(0).out,
        "saved 3 devices, 0 Autopilot identities, 0 Entra devices and 0 users in inventory.json\n"
    );
    let asked = requests(&simulator);
    desk.call(&["preview", "plan.csv", "--inventory", "inventory.json"]).expect(0);
    assert_eq!(requests(&simulator), asked);
    desk.run(&plan, 3, &["--inventory", "inventory.json"]).expect(0);
    let now = (asked.0 + 6, asked.1 + 3, asked.2);
    assert_eq!(requests(&simulator), now, "three writes, and a read right before each, but none to look up");
    assert_eq!(outcomes(&desk.report()), ["accepted"; 3]);
}

#[test]
fn who_is_not_what_the_inventory_says_is_held_and_what_can_be_undone_goes_on() {
    let simulator = Simulator::start(&tenant(""));
    let desk = Desk::new(&simulator);
    desk.call(&["inventory", "--out", "inventory.json"]).expect(0);
    // As if the device had changed hands since.
    let file = desk.path("inventory.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let devices = document["devices"].as_array_mut().unwrap();
    let first = devices.iter_mut().find(|device| device["identity"]["serial_number"] == "SN-1").unwrap();
    first["identity"]["user_principal_name"] = "somebody.else@contoso.com".into();
    std::fs::write(&file, document.to_string()).unwrap();
    let plan = desk.write("plan.csv", "action,serialNumber\nretire,SN-1\nretire,SN-2\nsyncDevice,SN-1\n");
    desk.run(&plan, 3, &["--inventory", "inventory.json"]).expect(3);
    let report = desk.report();
    assert_eq!(outcomes(&report), ["held", "accepted", "accepted"]);
    let why = &report[0].note;
    assert!(why.contains("not as the inventory has it: user was somebody.else@contoso.com"), "{why}");
}

fn edit(file: &Path, name: &str, value: Value) {
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    document[name] = value;
    std::fs::write(file, document.to_string()).unwrap();
}

#[test]
fn an_inventory_from_before_it_held_entra_devices_says_what_it_lacks() {
    let simulator = Simulator::start(&tenant(""));
    let desk = Desk::new(&simulator);
    desk.call(&["inventory", "--out", "inventory.json"]).expect(0);
    let file = desk.path("inventory.json");
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    document.as_object_mut().unwrap().remove("entra_devices").unwrap();
    std::fs::write(&file, document.to_string()).unwrap();
    desk.write("plan.csv", PLAN);
    desk.call(&["preview", "plan.csv", "--inventory", "inventory.json"]).expect(0);
    let object = "00000000-0000-4000-8000-00000000000f";
    desk.write("plan.csv", &format!("action,entraDeviceObjectId\nretire,{object}\n"));
    let refused = desk.call(&["preview", "plan.csv", "--inventory", "inventory.json"]);
    refused.expect(2).says("made without Entra devices").says("Device.Read.All");
}

#[test]
fn an_inventory_of_another_time_or_place_is_told_or_refused() {
    let simulator = Simulator::start(&tenant(""));
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.csv", PLAN);
    desk.call(&["inventory", "--out", "inventory.json"]).expect(0);
    let file = desk.path("inventory.json");
    let preview = || desk.call(&["preview", "plan.csv", "--inventory", "inventory.json"]);

    edit(&file, "taken_at", json!("2020-01-01T00:00:00Z"));
    preview().expect(0).says("old-inventory").says("days old");
    edit(&file, "taken_at", json!("2999-01-01T00:00:00Z"));
    preview().expect(2).says("in the future");
    edit(&file, "taken_at", json!("2020-01-01T00:00:00Z"));

    edit(&file, "tenant", json!("99999999-9999-4999-8999-999999999999"));
    let before = requests(&simulator);
    desk.run(&plan, 3, &["--inventory", "inventory.json"]).expect(10).says("the inventory is for tenant 99999999");
    assert_eq!(requests(&simulator), before);

    edit(&file, "graph_url", json!("https://graph.microsoft.us"));
    preview().expect(2).says("is of https://graph.microsoft.us");
    std::fs::write(&file, "{}").unwrap();
    preview().expect(2).says("it is not an inventory of musterout");
    std::fs::remove_file(&file).unwrap();
    preview().expect(2).says("cannot be read");
}

#[test]
fn what_goes_on_is_not_looked_up_again() {
    // The second target is refused until it is asked for the third time: the run ends with a row to go on with.
    let faults = format!(
        "faults:\n  - on: {{ method: POST, target: {}, calls: [1, 2] }}\n    do: {{ status: {{ code: 403 }} }}\n",
        IDS[1]
    );
    let simulator = Simulator::start(&tenant(&faults));
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.csv", PLAN);
    desk.run(&plan, 3, &[]).expect(3);
    let before = requests(&simulator);
    desk.resume(&["--only", "failed"]).expect(3);
    assert_eq!(requests(&simulator).0, before.0 + 1, "one write and no read");

    // Another row, and the same text for the one that is open: it goes on. Without it, it is held.
    desk.write("plan.csv", "action,serialNumber\nretire,sn-2\nretire,SN-9\n");
    desk.resume(&["--only", "failed"]).expect(0).says("has changed");
    assert_eq!(outcomes(&desk.report()), ["accepted"; 3]);
    let counts = simulator.counts();
    assert_eq!(IDS.map(|id| count_of(&counts, "effects", "retire", id)), [1; 3]);
    let again = desk.call(&["report"]);
    assert!(
        again.expect(0).out.contains("LAB-02") && again.out.contains("found by serialNumber sn-2"),
        "{}",
        again.out
    );
}

#[test]
fn what_was_taken_out_of_the_plan_is_held() {
    let faults =
        format!("faults:\n  - on: {{ method: POST, target: {} }}\n    do: {{ status: {{ code: 403 }} }}\n", IDS[1]);
    let simulator = Simulator::start(&tenant(&faults));
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.csv", PLAN);
    desk.run(&plan, 3, &[]).expect(3);
    desk.write("plan.csv", "action,serialNumber\nretire,SN-1\nretire,SN-3\n");
    desk.resume(&["--only", "failed"]).expect(3).says(IDS[1]);
    assert_eq!(count_of(&simulator.counts(), "calls", "retire", IDS[1]), 1);
}

#[test]
fn a_nightly_plan_sends_once_whatever_the_target_is_found_by() {
    let simulator = Simulator::start(&tenant(""));
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.csv", PLAN);
    desk.run(&plan, 3, &["--once"]).expect(0);
    desk.write("plan.csv", &format!("action,managedDeviceId,deviceName\nretire,,lab-01\nretire,{},\n", IDS[1]));
    desk.run(&plan, 0, &["--once"]).expect(4);
    let counts = simulator.counts();
    assert_eq!(IDS.map(|id| count_of(&counts, "calls", "retire", id)), [1; 3]);
}

/// Whether other users of this machine can read it.
#[cfg(unix)]
#[test]
fn an_inventory_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let simulator = Simulator::start(&tenant(""));
    let desk = Desk::new(&simulator);
    desk.call(&["inventory", "--out", "inventory.json"]).expect(0);
    let mode = std::fs::metadata(desk.path("inventory.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}

/// Somebody who is called one thing and gets mail under another, with a device.
const MARRIED: &str = "users:
  - { id: 61000000-0000-4000-8000-0000000000a1, userPrincipalName: ada@contoso.com, mail: ada.king@contoso.com }
  - { id: 61000000-0000-4000-8000-0000000000a2, userPrincipalName: eve@contoso.com, mail: eve@contoso.com }
";

/// Whoever is pointed at by a mail address is there, whatever points: nothing is done about it, and nothing is taken for done.
#[test]
fn the_devices_of_a_mail_address_are_not_missing() {
    let simulator = Simulator::start(&tenant(MARRIED));
    let desk = Desk::new(&simulator);
    let plan = |pointer: &str, missing: &str| {
        let text =
            format!("version: 1\njobs:\n  - {{ action: retire, missing: {missing}, targets: [ {{ {pointer} }} ] }}\n");
        desk.write("plan.yaml", &text)
    };
    for pointer in ["devices_of_user: Ada.King@contoso.com", "userPrincipalName: ada.king@contoso.com"] {
        for missing in ["done", "hold", "refuse"] {
            let ended = desk.run(&plan(pointer, missing), 0, &[]);
            ended.expect(2).says("it is the mail address of a user").says("61000000-0000-4000-8000-0000000000a1");
        }
    }
    // Who is called so and has no device has none, and nobody is nobody.
    for name in ["eve@contoso.com", "nobody@contoso.com"] {
        desk.run(&plan(&format!("devices_of_user: {name}"), "done"), 0, &[]).expect(4);
        assert_eq!(outcomes(&desk.report()), ["already_done"], "{name}");
    }
}

#[test]
fn whose_mail_address_it_is_must_be_known_before_a_device_is_taken_for_gone() {
    let roles = "sign_in: { roles: [DeviceManagementManagedDevices.ReadWrite.All, DeviceManagementManagedDevices.PrivilegedOperations.All] }\n";
    let simulator = Simulator::start(&tenant(&format!("{MARRIED}{roles}")));
    let desk = Desk::new(&simulator);
    let plan = |missing: &str| {
        let text = format!(
            "version: 1\njobs:\n  - {{ action: retire, missing: {missing}, targets: [ {{ devices_of_user: ada.king@contoso.com }} ] }}\n"
        );
        desk.write("plan.yaml", &text)
    };
    let ended = desk.run(&plan("done"), 0, &[]);
    ended.expect(2).says("mail addresses could not be read").says("grant User.ReadBasic.All");
    desk.run(&plan("hold"), 0, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["held"]);
    // An inventory that was taken without users knows no more.
    desk.call(&["inventory", "--out", "inventory.json"]).expect(0);
    desk.run(&plan("done"), 0, &["--inventory", "inventory.json"]).expect(2).says("the saved inventory has no users");
}
