//! Steps on several records of one machine, from outside: what is read for them, and what is sent.
//!
//! In: the real binary and a tenant in a process of its own. Out: exit codes, words, counts that do not fit.

use crate::outside::{Desk, Simulator, count_of, outcomes};

const PLAN: &str = "\
version: 1
jobs:
  - steps: [retire, deleteAutopilotIdentity, disableEntraDevice]
    targets: [{ managedDeviceId: 00000000-0000-4000-8000-000000000001 }, { serialNumber: SN-2 }, { deviceName: LAB-03 }]
";

fn id(kind: char, number: u32) -> String {
    format!("{}-0000-4000-8000-00000000000{number}", kind.to_string().repeat(8))
}

/// Three laptops, each known to Intune, Autopilot and Entra, whose names say nothing in Entra.
fn tenant() -> String {
    let lines = |line: fn(u32) -> String| (1..=3).map(line).collect::<String>();
    let devices = lines(|n| {
        let (id, entra) = (id('0', n), id('a', n));
        format!("  - {{ id: {id}, deviceName: LAB-0{n}, serialNumber: SN-{n}, azureADDeviceId: {entra} }}\n")
    });
    let autopilot = lines(|n| format!("  - {{ id: {}, serialNumber: SN-{n} }}\n", id('b', n)));
    let entra = lines(|n| format!("  - {{ id: {}, deviceId: {}, displayName: LAB-01 }}\n", id('d', n), id('a', n)));
    format!("throttle: off\nonly_listed: true\ndevices:\n{devices}autopilot:\n{autopilot}entra_devices:\n{entra}")
}

#[test]
fn each_machine_is_read_once_and_then_what_it_leads_to() {
    let simulator = Simulator::start(&tenant());
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.yaml", PLAN);
    desk.call(&["preview", "plan.yaml"]).expect(0);
    let counts = simulator.counts();
    // Three devices, three identities, three objects of the directory: an envelope for each kind.
    assert_eq!((counts["reads"].as_u64(), counts["batches"].as_u64()), (Some(9), Some(3)));

    desk.run(&plan, 9, &[]).expect(0);
    let counts = simulator.counts();
    for number in 1..=3 {
        for (action, kind) in [("retire", '0'), ("deleteAutopilotIdentity", 'b'), ("disableEntraDevice", 'd')] {
            assert_eq!(count_of(&counts, "effects", action, &id(kind, number)), 1, "{action} of {number}");
        }
    }
    let report = desk.report();
    let done = outcomes(&report);
    assert_eq!(done, ["accepted", "accepted", "completed"].repeat(3));
}

#[test]
fn a_saved_inventory_leads_to_autopilot_and_to_entra_without_asking_anybody() {
    let simulator = Simulator::start(&tenant());
    let desk = Desk::new(&simulator);
    desk.write("plan.yaml", PLAN);
    desk.call(&["inventory", "--out", "inventory.json"]).expect(0);
    let asked = simulator.counts()["requests"].clone();
    let previewed = desk.call(&["preview", "plan.yaml", "--inventory", "inventory.json", "--format", "csv"]);
    for number in 1..=3 {
        assert!(previewed.expect(0).out.contains(&id('b', number)) && previewed.out.contains(&id('d', number)));
    }
    assert_eq!(simulator.counts()["requests"], asked);
}

/// Nobody knows whether a machine is in Autopilot whose device shows no serial number: that is not "not there".
#[test]
fn a_device_that_shows_nothing_to_go_by_tells_nothing_of_what_it_leads_to() {
    let devices = "devices:
  - { id: 00000000-0000-4000-8000-000000000001, deviceName: LAB-01, serialNumber: System Serial Number, azureADDeviceId: '' }
autopilot: [{ id: bbbbbbbb-0000-4000-8000-000000000001, serialNumber: SN-1 }]
entra_devices: [{ id: dddddddd-0000-4000-8000-000000000001, deviceId: aaaaaaaa-0000-4000-8000-000000000001, displayName: LAB-01 }]
";
    for action in ["deleteAutopilotIdentity", "deleteEntraDevice"] {
        for (missing, ends) in [("refuse", 2), ("done", 2), ("hold", 3)] {
            let simulator = Simulator::start(&format!("throttle: off\nonly_listed: true\n{devices}"));
            let desk = Desk::new(&simulator);
            let steps = format!("  - steps: [retire, {action}]\n    targets: [{{ deviceName: LAB-01 }}]\n");
            let plan = desk.write("plan.yaml", &format!("version: 1\njobs:\n{steps}"));
            desk.run(&plan, 1, &["--missing", missing]).expect(ends);
            let retired = count_of(&simulator.counts(), "effects", "retire", "00000000-0000-4000-8000-000000000001");
            assert_eq!(retired, u64::from(missing == "hold"), "{action}, {missing}: the plan is refused whole");
            if missing == "hold" {
                assert_eq!(outcomes(&desk.report()), ["accepted", "held"], "{action}");
            }
        }
    }
}
