//! Saved previews through the real binary: what is read while one is made, what is sent when it is run, what is held
//! because it drifted, what a resumed run remembers.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::guid;
use crate::support::program::{Desk, column, run};
use crate::support::simulator::Simulator;

/// Wipes 1 and 2, retires 3, deletes 4, syncs 5.
fn plan() -> String {
    format!(
        "version: 1\nname: lab\ntenant: contoso.onmicrosoft.com\njobs:\n\
         - {{ action: wipe, targets: [{{ managedDeviceId: {} }}, {{ managedDeviceId: {} }}] }}\n\
         - {{ action: retire, targets: [{{ managedDeviceId: {} }}] }}\n\
         - {{ action: delete, targets: [{{ managedDeviceId: {} }}] }}\n\
         - {{ action: syncDevice, targets: [{{ managedDeviceId: {} }}] }}\n",
        guid(1),
        guid(2),
        guid(3),
        guid(4),
        guid(5)
    )
}

/// A tenant with three listed devices; `second` and `third` say more of them.
fn scenario(second: &str, third: &str, more: &str) -> String {
    format!(
        "devices:\n\
         - {{ id: {}, deviceName: LAB-01, serialNumber: S1 }}\n\
         - {{ id: {}, {second} }}\n\
         - {{ id: {}, {third} }}\n{more}",
        guid(1),
        guid(2),
        guid(3)
    )
}

const SECOND: &str = "deviceName: LAB-02, serialNumber: S2, enrolledDateTime: \"2026-01-05T08:00:00Z\"";
const THIRD: &str = "deviceName: LAB-03, serialNumber: S3, userPrincipalName: ada@contoso.com";

fn desk() -> Desk {
    Desk::with(&[("plan.yaml", &plan()), ("tenant.yaml", &scenario(SECOND, THIRD, ""))])
}

fn command(desk: &Desk, arguments: &str) -> Command {
    let mut command = desk.musterout(arguments.split(' '));
    command.arg("--state-dir").arg(desk.path("state"));
    command
}

const SAVE: &str = "preview plan.yaml --out agreed.json --simulate-fresh=tenant.yaml";
const RUN: &str = "run agreed.json --simulate-fresh=tenant.yaml --confirm 5 --report report.csv";

#[test]
fn a_preview_sends_nothing_but_reads_and_its_run_sends_exactly_that() {
    let simulator = Simulator::start(&scenario(SECOND, THIRD, ""));
    let desk = desk();
    let mut save = command(&desk, "preview plan.yaml --out agreed.json");
    let saved = run(simulator.known_to(&mut save)).ended_with(0);
    assert!(saved.stdout.contains("The targets of 5 rows were seen."), "{}", saved.stdout);
    let requests = simulator.requests();
    let to_graph = requests.iter().filter(|seen| !seen["path"].as_str().unwrap().contains("/oauth2/"));
    let methods: Vec<_> = to_graph.clone().map(|seen| seen["method"].as_str().unwrap()).collect();
    assert!(methods.iter().filter(|method| **method == "GET").count() >= 5, "{methods:?}");
    let envelope = |seen: &&Value| {
        let (path, body) = (seen["path"].as_str().unwrap(), seen["body"].as_str().unwrap());
        path.ends_with("/$batch") && body.matches("\"method\":").count() == body.matches("\"method\":\"GET\"").count()
    };
    let alone = to_graph.clone().filter(|seen| !envelope(seen));
    assert!(alone.clone().all(|seen| seen["method"] == "GET"), "{:?}", alone.collect::<Vec<_>>());
    assert_eq!(simulator.counts().number("effects"), 0);

    // The plan is not read again.
    fs::write(desk.path("plan.yaml"), "version: 1\nname: lab\njobs: []\n").unwrap();
    let mut go = command(&desk, "run agreed.json --confirm 5 --report report.csv");
    run(simulator.known_to(&mut go)).ended_with(0);
    let counts = simulator.counts();
    assert_eq!(counts.number("effects"), 5);
    let sent = [("wipe", 1), ("wipe", 2), ("retire", 3), ("delete", 4), ("syncDevice", 5)];
    for (action, number) in sent {
        assert_eq!(counts.of(action, &guid(number))[0], 1, "{action} {number}");
    }
    let report = desk.report();
    assert_eq!(column(&report, "target_name")[..3], ["LAB-01", "LAB-02", "LAB-03"]);
    // One look is good for one run, also after that has been pruned.
    for prune in [&["runs"][..], &["runs", "--prune=0"]] {
        run(&mut command(&desk, &prune.join(" "))).ended_with(0);
        let mut again = command(&desk, "run agreed.json --confirm 5 --again all --report report.csv");
        let again = run(simulator.known_to(&mut again)).ended_with(10);
        assert!(again.stderr.contains("this preview was already run, by run "), "{}", again.stderr);
    }
    assert_eq!(simulator.counts().number("effects"), 5);
}

#[test]
fn what_drifted_is_held_and_the_rest_is_sent() {
    let desk = desk();
    run(&mut command(&desk, SAVE)).ended_with(0);
    let simulator = Simulator::start(&scenario(
        &SECOND.replace("2026-01-05", "2026-11-20"),
        &THIRD.replace("S3", "S9").replace("ada@", "bob@"),
        "",
    ));
    // The same preview, made for that server.
    run(simulator.known_to(&mut command(&desk, "preview plan.yaml --out there.json"))).ended_with(0);
    let text = fs::read_to_string(desk.path("there.json")).unwrap();
    let (was, is) = (fs::read_to_string(desk.path("agreed.json")).unwrap(), text.clone());
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (was, is) = (lines(&was), lines(&is));
    let mixed: Vec<_> =
        is.iter().zip(&was).map(|(is, was)| if is.starts_with("{\"row\"") { was } else { is }).collect();
    fs::write(desk.path("agreed.json"), sealed(&mixed)).unwrap();

    let mut go = command(&desk, "run agreed.json --confirm 5 --report report.csv");
    let ran = run(simulator.known_to(&mut go)).ended_with(3);
    let counts = simulator.counts();
    assert_eq!((counts.of("wipe", &guid(2))[0], counts.of("retire", &guid(3))[0]), (0, 0), "{}", ran.stdout);
    assert_eq!((counts.of("wipe", &guid(1))[0], counts.of("delete", &guid(4))[0]), (1, 1));
    assert_eq!(counts.number("effects"), 3);
    let report = desk.report();
    assert_eq!(column(&report, "outcome"), ["accepted", "held", "held", "completed", "accepted"]);
    let notes = column(&report, "note");
    assert_eq!(
        notes[1],
        "not as the preview saw it: enrolled again at 2026-11-20 08:00:00 UTC, was enrolled at 2026-01-05 08:00:00 UTC"
    );
    assert_eq!(
        notes[2],
        "not as the preview saw it: serial number was S3, is S9; user was ada@contoso.com, is bob@contoso.com"
    );
}

/// The lines of a saved preview with a digest that fits them.
pub fn sealed(lines: &[&String]) -> String {
    use sha2::{Digest, Sha256};
    let (_, body) = lines.split_last().unwrap();
    let body: String = body.iter().map(|line| format!("{line}\n")).collect();
    let digest: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{body}],\"digest\":\"sha256:{digest}\"}}\n")
}

#[test]
fn a_resumed_run_compares_too() {
    let desk = desk();
    // Of each action, because so long a time is the day's limit of one.
    let day = "faults: [{ on: { method: POST }, do: &day { throttle: { seconds: 86400 } } }, { on: { method: DELETE }, do: *day }]\n";
    fs::write(desk.path("tenant.yaml"), scenario(SECOND, THIRD, day)).unwrap();
    run(&mut command(&desk, SAVE)).ended_with(0);
    run(&mut command(&desk, RUN)).ended_with(5);
    assert_eq!(column(&desk.report(), "outcome"), ["not_attempted"; 5]);
    // What was agreed to is in the journal; the file is not needed any more.
    fs::remove_file(desk.path("agreed.json")).unwrap();
    fs::write(desk.path("tenant.yaml"), scenario(&SECOND.replace("LAB-02", "CEO-01"), THIRD, "")).unwrap();
    run(&mut command(&desk, "resume --confirm 5")).ended_with(3);
    let report = desk.report();
    assert_eq!(column(&report, "outcome"), ["accepted", "held", "accepted", "completed", "accepted"]);
    assert_eq!(column(&report, "note")[1], "not as the preview saw it: renamed from LAB-02 to CEO-01");
    assert_eq!(column(&report, "target_name")[1], "LAB-02");
}

#[test]
fn a_preview_and_its_plan_are_one_plan_to_the_journal() {
    let desk = desk();
    run(&mut command(&desk, SAVE)).ended_with(0);
    run(&mut command(&desk, "run plan.yaml --simulate-fresh=tenant.yaml --confirm 5 --report report.csv"))
        .ended_with(0);
    let ran = run(&mut command(&desk, "run agreed.json --simulate-fresh=tenant.yaml --once --report report.csv"))
        .ended_with(4);
    assert!(ran.account().contains("already_done 5"), "{}", ran.account());
    let ran = run(&mut command(&desk, "run agreed.json --simulate-fresh=tenant.yaml --confirm 4")).ended_with(10);
    assert!(ran.stderr.contains("--confirm 4, but 5 jobs would be sent"), "{}", ran.stderr);
}

#[test]
fn what_could_not_be_read_for_the_preview_is_held_and_the_harmless_goes_on() {
    let desk = desk();
    let fault =
        "faults: [{ on: { method: GET, target: TARGET }, do: { status: { code: 403, error_code: Forbidden } } }]\n";
    let faults = |number| fault.replace("TARGET", &guid(number));
    fs::write(desk.path("tenant.yaml"), scenario(SECOND, THIRD, &faults(2))).unwrap();
    let saved = run(&mut command(&desk, SAVE)).ended_with(0);
    assert!(saved.stdout.contains("The targets of 4 rows were seen, of 1 not to be read."), "{}", saved.stdout);
    fs::write(desk.path("tenant.yaml"), scenario(SECOND, THIRD, "")).unwrap();
    run(&mut command(&desk, &RUN.replace('5', "4"))).ended_with(3);
    assert_eq!(column(&desk.report(), "outcome"), ["accepted", "held", "accepted", "completed", "accepted"]);
    assert_eq!(column(&desk.report(), "note")[1], "its target could not be read for the preview");
}

#[test]
fn the_file_is_for_its_owner_alone_and_never_takes_the_place_of_the_plan() {
    let desk = desk();
    run(&mut command(&desk, SAVE)).ended_with(0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(desk.path("agreed.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
    let ran = run(&mut command(&desk, "preview agreed.json --out agreed.json --simulate-fresh")).ended_with(2);
    assert!(ran.stderr.contains("it cannot be saved again"), "{}", ran.stderr);
    let ran = run(&mut command(&desk, "run agreed.json --simulate-fresh=tenant.yaml --confirm 5 --report agreed.json"));
    assert!(ran.ended_with(2).stderr.contains("report-over-plan"));
    let text = fs::read_to_string(desk.path("agreed.json")).unwrap();
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn two_previews_of_one_plan_differ_in_nothing_and_a_drift_is_shown() {
    let desk = desk();
    run(&mut command(&desk, SAVE)).ended_with(0);
    run(&mut command(&desk, &SAVE.replace("agreed", "again"))).ended_with(0);
    let same = run(&mut command_without_state(&desk, "diff agreed.json again.json")).ended_with(0);
    assert_eq!(same.stdout, "no differences: 5 jobs on both sides\n");
    run(&mut command_without_state(&desk, "diff agreed.json plan.yaml")).ended_with(0);
    fs::write(desk.path("tenant.yaml"), scenario(SECOND, &THIRD.replace("LAB-03", "LAB-33"), "")).unwrap();
    run(&mut command(&desk, &SAVE.replace("agreed", "again"))).ended_with(0);
    let drifted = run(&mut command_without_state(&desk, "diff agreed.json again.json")).ended_with(3);
    assert!(drifted.stdout.contains("renamed from LAB-03 to LAB-33"), "{}", drifted.stdout);
}

fn command_without_state(desk: &Desk, arguments: &str) -> Command {
    desk.musterout(arguments.split(' '))
}

#[test]
fn what_can_be_undone_is_compared_as_well_and_steps_do_not_hold_each_other() {
    let plan = format!(
        "version: 1\nname: lab\ntenant: contoso.onmicrosoft.com\njobs:\n\
         - {{ action: remoteLock, targets: [{{ managedDeviceId: {} }}] }}\n\
         - {{ action: rotateLocalAdminPassword, targets: [{{ managedDeviceId: {} }}] }}\n\
         - {{ action: syncDevice, targets: [{{ managedDeviceId: {} }}] }}\n\
         - {{ steps: [ removePrimaryUser, rotateFileVaultKey ], targets: [{{ managedDeviceId: {} }}] }}\n",
        guid(1),
        guid(2),
        guid(2),
        guid(3)
    );
    let desk = Desk::with(&[("plan.yaml", &plan), ("tenant.yaml", &scenario(SECOND, THIRD, ""))]);
    run(&mut command(&desk, SAVE)).ended_with(0);
    // The second device was enrolled again since; the third one loses its user by the step itself.
    let again = SECOND.replace("2026-01-05", "2026-11-20");
    fs::write(desk.path("tenant.yaml"), scenario(&again, THIRD, "")).unwrap();
    run(&mut command(&desk, RUN)).ended_with(3);
    let report = desk.report();
    assert_eq!(column(&report, "outcome"), ["accepted", "held", "accepted", "completed", "accepted"]);
    let note = column(&report, "note")[1];
    assert!(note.contains("not as the preview saw it: enrolled again"), "{note}");
}

#[test]
fn a_policy_says_how_old_a_preview_may_be() {
    let desk = desk();
    fs::write(desk.path("policy.yaml"), "version: 1\npreview_max_age: 2h\n").unwrap();
    run(&mut command(&desk, &format!("{SAVE} --valid-for 72h --policy policy.yaml"))).ended_with(0);
    let text = fs::read_to_string(desk.path("agreed.json")).unwrap();
    let head: Value = serde_json::from_str(&text).unwrap();
    let at = |key: &str| head["head"][key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(at("expires").duration_since(at("created")), jiff::SignedDuration::from_hours(2), "{head}");
    for (age, code) in [("0s", "out-of-range"), ("two days", "bad-time"), ("8d", "out-of-range")] {
        fs::write(desk.path("policy.yaml"), format!("version: 1\npreview_max_age: {age}\n")).unwrap();
        let refused = run(&mut command(&desk, &format!("{RUN} --policy policy.yaml"))).ended_with(10);
        assert!(refused.stderr.contains(code), "{age}: {}", refused.stderr);
    }
}
