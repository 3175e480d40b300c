//! What is protected, from outside: whatever an entry names, and whatever a row names, nothing is done where both are one.
//!
//! In: the real binary and a tenant in a process of its own. Out: effects that did not happen, rows, words.

use crate::outside::{Desk, Ended, Row, Simulator, count_of, outcomes};

/// A chief's laptop as each of the services knows it, and somebody else's.
const TENANT: &str = "
throttle: off
only_listed: true
devices:
  - { id: 61000000-0000-4000-8000-000000000001, deviceName: VIP-1, serialNumber: VS1, azureADDeviceId: 61000000-0000-4000-8000-0000000000d1, userId: 61000000-0000-4000-8000-0000000000a1, userPrincipalName: ceo@contoso.com }
  - { id: 61000000-0000-4000-8000-000000000002, deviceName: LAB-2, serialNumber: LS2, azureADDeviceId: 61000000-0000-4000-8000-0000000000d2, userId: 61000000-0000-4000-8000-0000000000a2, userPrincipalName: ada@contoso.com }
users:
  - { id: 61000000-0000-4000-8000-0000000000a1, userPrincipalName: ceo@contoso.com, mail: chief@contoso.com, displayName: Chiéf, devices: [61000000-0000-4000-8000-000000000001] }
  - { id: 61000000-0000-4000-8000-0000000000a2, userPrincipalName: ada@contoso.com, displayName: Ada, devices: [61000000-0000-4000-8000-000000000002] }
entra_devices:
  - { id: 61000000-0000-4000-8000-0000000000e1, deviceId: 61000000-0000-4000-8000-0000000000d1, displayName: VIP-1 }
  - { id: 61000000-0000-4000-8000-0000000000e2, deviceId: 61000000-0000-4000-8000-0000000000d2, displayName: LAB-2 }
autopilot:
  - { id: 61000000-0000-4000-8000-0000000000b1, serialNumber: VS1, userPrincipalName: '' }
  - { id: 61000000-0000-4000-8000-0000000000b2, serialNumber: LS2, userPrincipalName: '' }
";

fn id(end: &str) -> String {
    format!("61000000-0000-4000-8000-{end:0>12}")
}

/// Every service's record of the laptop and its owner, and then those of the other one.
const ROWS: [(&str, &str, &str); 5] = [
    ("syncDevice", "managedDeviceId", ""),
    ("deleteEntraDevice", "entraDeviceObjectId", "e"),
    ("deleteAutopilotIdentity", "windowsAutopilotDeviceIdentityId", "b"),
    ("removeAllDevicesFromManagement", "userId", "a"),
    ("disableUser", "userId", "a"),
];

fn plan(entries: &str, rows: &[(&str, &str, &str)]) -> String {
    let mut text = String::from("version: 1\nname: protected\njobs:\n");
    for (action, key, kind) in rows {
        let target = |number: u8| format!("{{ {key}: {} }}", id(&format!("{kind}{number}")));
        text += &format!("  - {{ action: {action}, targets: [ {}, {} ] }}\n", target(1), target(2));
    }
    text + &format!("guards: {{ protected: [ {entries} ] }}\n")
}

/// Runs it, and checks that nobody but the other one was touched.
fn perform(entry: &str, rows: &[(&str, &str, &str)], held: &[bool]) -> (Ended, Vec<Row>) {
    let simulator = Simulator::start(TENANT);
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.yaml", &plan(entry, rows));
    // Rows with that very id are not counted by anybody.
    let same = rows.iter().filter(|(_, _, kind)| id(&format!("{kind}1")) == entry).count();
    let ended = desk.run(&plan, rows.len() * 2 - same, &[]);
    ended.expect(3);
    let (report, counts) = (desk.report(), simulator.counts());
    for ((at, (action, _, kind)), held) in rows.iter().enumerate().zip(held) {
        let effects = |number: u8| count_of(&counts, "effects", action, &id(&format!("{kind}{number}")));
        let row = &report[at * 2];
        let told = format!("{action} with {entry}: {row:?}\n{}", ended.err);
        assert_eq!((row.outcome == "held", effects(1)), (*held, u64::from(!held)), "{told}");
        assert!(!held || row.note.contains("protected: "), "{told}");
        assert_eq!(effects(2), 1, "the other one: {told}");
    }
    (ended, report)
}

#[test]
fn whatever_names_a_thing_protects_all_that_is_known_of_it() {
    let ids = ["1", "d1", "e1", "b1", "a1"].map(id);
    let names = ["ceo@contoso.com", "Chief@contoso.com", "vs1", "VIP-1", "\"CHIE\\u0301F\""].map(str::to_owned);
    for entry in ids.iter().chain(&names) {
        perform(entry, &ROWS, &[true; 5]);
    }
}

#[test]
fn a_pattern_is_held_against_the_device_behind_a_record_that_shows_little() {
    // What a pattern is about is a name, and an account has that of its owner alone.
    perform("'vip-*'", &ROWS, &[true, true, true, true, false]);
    perform("'ceo@*'", &ROWS, &[true; 5]);
    // Nothing but the directory knows that the owner of the laptop has mail by that address.
    perform("'chief@*'", &ROWS, &[true; 5]);
}

#[test]
fn a_device_that_only_a_parameter_names_is_spared() {
    let simulator = Simulator::start(TENANT);
    let desk = Desk::new(&simulator);
    let wipe = |number: u8| {
        let (user, device) = (id(&format!("a{number}")), id(&format!("d{number}")));
        format!("{{ userId: {user}, with: {{ azureAdDeviceId: {device} }} }}")
    };
    let text = format!(
        "version: 1\njobs:\n  - action: wipeManagedAppRegistrationsByAzureAdDeviceId\n    targets: [ {}, {} ]\nguards: {{ protected: [ {} ] }}\n",
        wipe(1),
        wipe(2),
        id("1"),
    );
    let plan = desk.write("plan.yaml", &text);
    desk.run(&plan, 2, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["held", "accepted"]);
}

/// Somebody else is the target; whose device the body names, its owner and a pattern tell.
#[test]
fn a_device_that_only_a_parameter_names_is_spared_by_its_owner_and_by_a_pattern_too() {
    for entry in ["ceo@contoso.com".to_owned(), id("a1"), "'vip-*'".into(), "'ceo@*'".into(), id("e1"), "vs1".into()] {
        let simulator = Simulator::start(TENANT);
        let desk = Desk::new(&simulator);
        let wipe = |device: u8| {
            format!("{{ userId: {}, with: {{ azureAdDeviceId: {} }} }}", id("a2"), id(&format!("d{device}")))
        };
        let text = format!(
            "version: 1\njobs:\n  - action: wipeManagedAppRegistrationsByAzureAdDeviceId\n    targets: [ {}, {} ]\nguards: {{ protected: [ {entry} ] }}\n",
            wipe(1),
            wipe(2),
        );
        let plan = desk.write("plan.yaml", &text);
        desk.run(&plan, 2, &[]).expect(3);
        let report = desk.report();
        assert_eq!(outcomes(&report), ["held", "accepted"], "{entry}: {report:?}");
        let calls = count_of(&simulator.counts(), "calls", "wipeManagedAppRegistrationsByAzureAdDeviceId", &id("a2"));
        assert_eq!(calls, 1, "{entry}");
    }
}

#[test]
fn an_action_on_all_devices_of_somebody_is_held_where_they_cannot_be_listed() {
    let faults = "faults:\n  - { on: { target: 61000000-0000-4000-8000-0000000000a2, method: GET, calls: [2] }, do: { status: { code: 403 } } }\n";
    let simulator = Simulator::start(&format!("{TENANT}{faults}"));
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.yaml", &plan("nobody-at-all", &ROWS[3..4]));
    desk.run(&plan, 2, &[]).expect(3).says("matches nothing in this tenant: `nobody-at-all`");
    let report = desk.report();
    assert_eq!(outcomes(&report), ["accepted", "held"], "{report:?}");
    assert!(report[1].note.contains("the user's devices"), "{}", report[1].note);
    let counts = simulator.counts();
    assert_eq!(count_of(&counts, "calls", ROWS[3].0, &id("a2")), 0);
}

/// The entry may be anything, and nothing of its kind may be read.
const FORBIDDEN: &str = "faults:
  - { on: { target: 61000000-0000-4000-8000-0000000000ff, method: GET }, do: { status: { code: 403 } } }
";

#[test]
fn what_may_not_be_read_is_said_once_and_holds_what_it_may_mean() {
    let simulator = Simulator::start(&format!("{TENANT}{FORBIDDEN}"));
    let desk = Desk::new(&simulator);
    let file = desk.write("plan.yaml", &plan(&id("ff"), &ROWS));
    let ended = desk.run(&file, 10, &[]);
    ended.expect(3).says("1 entry of `protected` could not be looked up");
    ended.says("managed devices and users and Autopilot identities").says("DeviceManagementServiceConfig.Read.All");
    ended.says("10 rows are held");
    assert_eq!(ended.err.matches("could not be read").count(), 1, "{}", ended.err);
    let report = desk.report();
    assert!(report.iter().all(|row| row.outcome == "held" && row.note.contains("it may be the object")), "{report:?}");
    // A name is shown by the device that has it, and nothing else is left open.
    desk.write("plan.yaml", &plan("nobody-at-all", &ROWS));
    desk.run(&desk.path("plan.yaml"), 10, &[]).expect(0);
}

#[test]
fn a_preview_of_ids_stays_offline_and_its_number_is_good_for_the_run() {
    let simulator = Simulator::start(TENANT);
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.yaml", &plan(&id("d1"), &ROWS[..1]));
    let before = simulator.requests();
    let preview = desk.call(&["preview", "plan.yaml"]);
    preview.expect(0);
    assert!(preview.out.contains("looked up when the plan is run"), "{}", preview.out);
    assert_eq!(simulator.requests(), before, "nothing is asked");
    // Both numbers are right: what the preview counted, and what is left of it.
    desk.run(&plan, 2, &[]).expect(3);
    desk.run(&plan, 1, &[]).expect(3);
    desk.run(&plan, 3, &[]).expect(10);
    assert_eq!(count_of(&simulator.counts(), "calls", "syncDevice", &id("1")), 0);
}

#[test]
fn a_saved_preview_holds_what_its_list_stands_for_and_the_run_looks_again() {
    let simulator = Simulator::start(TENANT);
    let desk = Desk::new(&simulator);
    desk.write("plan.yaml", &plan(&id("e1"), &ROWS));
    let saved = desk.call(&["preview", "plan.yaml", "--out", "agreed.json"]);
    saved.expect(0);
    assert!(saved.out.contains("the target is protected"), "{}", saved.out);
    desk.run(&desk.path("agreed.json"), 5, &[]).expect(3);
    let report = desk.report();
    let held = report.iter().filter(|row| row.outcome == "held" && row.note.contains("protected: ")).count();
    assert_eq!(held, 5, "{report:?}");
    let counts = simulator.counts();
    for (action, _, kind) in ROWS {
        assert_eq!(count_of(&counts, "calls", action, &id(&format!("{kind}1"))), 0, "{action}");
    }
}

#[test]
fn whoever_goes_on_with_a_run_holds_what_is_protected_by_then() {
    let simulator = Simulator::start(&format!(
        "{TENANT}faults:\n  - {{ on: {{ action: deleteEntraDevice }}, do: {{ status: {{ code: 403 }} }} }}\n"
    ));
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.yaml", &plan("nobody-at-all", &ROWS[1..2]));
    desk.run(&plan, 2, &[]).expect(3);
    let calls = || count_of(&simulator.counts(), "calls", "deleteEntraDevice", &id("e1"));
    assert_eq!(calls(), 1);
    let list = format!("version: 1\nguards: {{ max_targets: 1000, protected: [ {} ] }}\n", id("1"));
    desk.write("site.yaml", &list);
    let resumed = desk.resume(&["--only", "failed", "--policy", "site.yaml"]);
    resumed.expect(3);
    assert_eq!(calls(), 1, "{}", resumed.err);
    let note = &desk.report()[0].note;
    assert!(note.contains("its Entra device id") && note.contains("is that of managed device VIP-1"), "{note}");
}

#[test]
fn a_long_list_is_found_in_the_inventory_where_that_takes_fewer_reads() {
    let simulator = Simulator::start(TENANT);
    let desk = Desk::new(&simulator);
    let strangers: Vec<String> = (0..30).map(|number| id(&format!("f{number}"))).collect();
    let list = format!("{}, {}, vs1", strangers.join(", "), id("d1"));
    let file = desk.write("plan.yaml", &plan(&list, &ROWS));
    let ended = desk.run(&file, 10, &[]);
    ended.expect(3).says("30 entries of `protected` match nothing in this tenant").says("and 20 more");
    let held = desk.report().iter().filter(|row| row.note.contains("protected: ")).count();
    assert_eq!(held, 5, "{:?}", desk.report());
    // Two reads of each as a managed device are spared; users, Entra and Autopilot are asked one by one.
    let (reads, each) = (simulator.counts()["reads"].as_u64().unwrap(), 4);
    assert!(reads < 30 * each + 30, "{reads} reads");
}

/// Who may read devices and do everything to them, and may see that much of users.
fn with_roles(tenant: &str, users: &str) -> String {
    let roles = "DeviceManagementManagedDevices.ReadWrite.All, DeviceManagementManagedDevices.PrivilegedOperations.All";
    format!("{tenant}sign_in: {{ roles: [{roles}{users}] }}\n")
}

#[test]
fn an_address_that_may_be_the_owners_holds_the_device_where_users_cannot_be_read() {
    // No read of the device shows that its owner is called so. The other one may be him as well, for all that anybody knows.
    for (entry, shown) in [("chief@contoso.com", ""), ("boss@contoso.com", "emailAddress: chief@contoso.com, ")] {
        let tenant = TENANT.replacen("deviceName: VIP-1", &format!("{shown}deviceName: VIP-1"), 1);
        let simulator = Simulator::start(&with_roles(&tenant, ""));
        let desk = Desk::new(&simulator);
        let file = desk.write("plan.yaml", &plan(entry, &[("wipe", "managedDeviceId", "")]));
        let ended = desk.run(&file, 2, &[]);
        ended.expect(3).says("1 entry of `protected` could not be looked up, because users could not");
        ended.says("User.ReadBasic.All");
        assert_eq!(outcomes(&desk.report()), ["held", "held"], "{entry}: {:?}", desk.report());
        assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &id("1")), 0, "{entry}");
    }
    // Where they can, the entry is somebody, and the other one is another.
    let simulator = Simulator::start(&with_roles(TENANT, ", User.ReadBasic.All"));
    let desk = Desk::new(&simulator);
    let file = desk.write("plan.yaml", &plan("chief@contoso.com", &[("wipe", "managedDeviceId", "")]));
    desk.run(&file, 2, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["held", "accepted"]);
}

/// The chief is reached by another address as well, and the laptop has the number of a telephone.
fn with_numbers() -> String {
    let other = "mail: chief@contoso.com, proxyAddresses: [ 'SMTP:chief@contoso.com', 'smtp:Boss@contoso.com' ]";
    let laptop = "deviceName: VIP-1, imei: '356938035643809'";
    TENANT.replacen("mail: chief@contoso.com", other, 1).replacen("deviceName: VIP-1", laptop, 1)
}

#[test]
fn an_imei_and_any_address_of_somebody_protect_as_their_names_do() {
    for entry in ["'356938035643809'", "boss@contoso.com", "'boss@*'"] {
        let simulator = Simulator::start(&with_numbers());
        let desk = Desk::new(&simulator);
        let file = desk.write("plan.yaml", &plan(entry, &ROWS));
        let ended = desk.run(&file, 10, &[]);
        ended.expect(3);
        assert!(!ended.err.contains("for nothing"), "{}", ended.err);
        let report = desk.report();
        let held: Vec<bool> = report.iter().map(|row| row.outcome == "held").collect();
        assert_eq!(held, [true, false].repeat(5), "{entry}: {report:?}");
        let counts = simulator.counts();
        for (action, _, kind) in ROWS {
            assert_eq!(count_of(&counts, "calls", action, &id(&format!("{kind}1"))), 0, "{action} with {entry}");
        }
    }
}

#[test]
fn a_pattern_of_addresses_is_open_where_addresses_may_not_be_read() {
    for (roles, held) in [("", true), (", User.ReadBasic.All", true), (", User.Read.All", false)] {
        let simulator = Simulator::start(&with_roles(&with_numbers(), roles));
        let desk = Desk::new(&simulator);
        let file = desk.write("plan.yaml", &plan("'boss@*'", &ROWS[..1]));
        let ended = desk.run(&file, 2, &[]);
        ended.expect(3);
        assert_eq!(ended.err.contains("User.Read.All for all addresses of somebody"), held, "{}", ended.err);
        assert_eq!(outcomes(&desk.report()), ["held", if held { "held" } else { "accepted" }], "{roles}");
    }
    // A pattern that is no address asks for nobody.
    let simulator = Simulator::start(&with_roles(TENANT, ""));
    let desk = Desk::new(&simulator);
    let file = desk.write("plan.yaml", &plan("'vip-*'", &ROWS[..1]));
    desk.run(&file, 2, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["held", "accepted"]);
}

#[test]
fn an_address_of_nobody_is_open_where_other_addresses_may_not_be_read() {
    let simulator = Simulator::start(&with_roles(&with_numbers(), ", User.ReadBasic.All"));
    let desk = Desk::new(&simulator);
    let file = desk.write("plan.yaml", &plan("boss@contoso.com", &ROWS[..1]));
    desk.run(&file, 2, &[]).expect(3).says("User.Read.All for all addresses of somebody");
    assert_eq!(outcomes(&desk.report()), ["held", "held"]);
    // What everybody may see finds whoever is called so, and no more is asked for.
    desk.write("plan.yaml", &plan("chief@contoso.com", &ROWS[..1]));
    desk.run(&desk.path("plan.yaml"), 2, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["held", "accepted"]);
}

/// A device and a user are called the same. Whoever lists that name may mean either.
#[test]
fn a_name_that_several_things_have_protects_each_of_them() {
    let tenant = TENANT
        .replace("deviceName: LAB-2", "deviceName: Front Desk")
        .replace("displayName: Chiéf", "displayName: Front Desk");
    let simulator = Simulator::start(&tenant);
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.yaml", &plan("Front Desk", &ROWS[..1]));
    desk.run(&plan, 2, &[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["held", "held"], "the laptop of the user, and the device of that name");
    let counts = simulator.counts();
    assert_eq!([1, 2].map(|n| count_of(&counts, "effects", "syncDevice", &id(&n.to_string()))), [0, 0]);
}

/// A device is in a group. Its entry there shows which device it is, and not whose.
#[test]
fn a_device_in_a_group_is_protected_with_its_owner() {
    let group = id("c1");
    let tenant = format!("{TENANT}groups: [ {{ id: {group}, members: [ {}, {} ] }} ]\n", id("e1"), id("e2"));
    let member = |end: &str| format!("{{ groupId: {group}, memberId: {} }}", id(end));
    let plan = |entry: &str| {
        format!(
            "version: 1\njobs: [ {{ action: removeFromGroup, targets: [ {}, {} ] }} ]\nguards: {{ protected: [ {entry} ] }}\n",
            member("e1"),
            member("e2")
        )
    };
    for entry in ["ceo@contoso.com".to_owned(), id("a1")] {
        let simulator = Simulator::start(&tenant);
        let desk = Desk::new(&simulator);
        let file = desk.write("plan.yaml", &plan(&entry));
        desk.run(&file, 2, &[]).expect(3);
        assert_eq!(outcomes(&desk.report()), ["held", "completed"], "{entry}");
    }
    // Where nobody may list users, either of them may be the chief's.
    let simulator = Simulator::start(&with_roles(&tenant, ", GroupMember.ReadWrite.All"));
    let desk = Desk::new(&simulator);
    let file = desk.write("plan.yaml", &plan(&id("a1")));
    desk.run(&file, 2, &[]).expect(3);
    let report = desk.report();
    assert_eq!(outcomes(&report), ["held", "held"]);
    assert!(report[1].note.contains("could not be looked up"), "{report:?}");
}
