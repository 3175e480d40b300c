//! The check whether keys are on file, from outside: what is asked for, what never is, and what is sent after it.
//!
//! In: the real binary and a tenant in a process of its own. Out: exit codes, words, rows, paths that do not fit.

use std::fs;

use crate::support::guid;
use crate::support::program::{Desk, column, run};
use crate::support::simulator::Simulator;

fn entra(number: usize) -> String {
    format!("e{number:07x}-0000-4000-8000-{number:012x}")
}

/// So many Windows devices; `keys` says what is on file of them.
fn tenant(devices: usize, keys: impl Fn(usize) -> &'static str, more: &str) -> String {
    let device = |n: usize| {
        let (id, entra) = (guid(n), entra(n));
        format!("  - {{ id: {id}, deviceName: LAB-{n}, operatingSystem: Windows, azureADDeviceId: {entra} }}\n")
    };
    let listed = |n: usize| format!("  - {{ deviceId: {}, {} }}\n", entra(n), keys(n));
    let (devices, keys) = ((1..=devices).map(device), (1..=devices).map(listed));
    let (devices, keys) = (devices.collect::<String>(), keys.collect::<String>());
    format!("only_listed: true\ndevices:\n{devices}keys:\n{keys}{more}")
}

const BOTH: &str = "bitlocker: [operatingSystemVolume], laps: true";

fn plan(devices: usize, guards: &str) -> String {
    let targets = (1..=devices).map(|n| format!("      - managedDeviceId: {}\n", guid(n)));
    let targets: String = targets.collect();
    format!(
        "version: 1\nname: lab\ntenant: contoso.onmicrosoft.com\njobs:\n  - action: wipe\n    targets:\n{targets}{guards}"
    )
}

const GUARD: &str = "guards: { require_escrow: [bitlocker, laps] }\n";

/// Paths of what was asked of Graph, envelopes left out.
fn asked(simulator: &Simulator) -> Vec<String> {
    let requests = simulator.requests();
    let to_graph = |path: &&str| !path.contains("/oauth2/") && !path.ends_with("/$batch");
    let paths = requests.iter().map(|seen| seen["path"].as_str().unwrap()).filter(to_graph);
    paths.map(str::to_owned).collect()
}

#[test]
fn all_is_asked_in_envelopes_and_never_for_a_secret() {
    let devices = 45;
    let simulator = Simulator::start(&tenant(devices, |n| if n == 7 { "laps: true" } else { BOTH }, ""));
    let desk = Desk::with(&[("plan.yaml", &plan(devices, GUARD))]);
    let mut command = desk.musterout(["run", "plan.yaml", "--confirm", "44", "--report", "report.csv"]);
    let ran = run(simulator.known_to(&mut command)).ended_with(3);
    assert!(ran.stderr.contains("no BitLocker key is on file (require_escrow of plan.yaml:"), "{}", ran.stderr);
    let counts = simulator.counts();
    assert_eq!(counts.number("effects"), 44);
    assert_eq!(counts.of("wipe", &guid(7))[0], 0, "nothing was sent to the one without a key");
    // The device, its BitLocker keys, its LAPS record.
    assert_eq!((counts.number("reads"), counts.number("batches")), (45 * 3, 3 * 3));
    assert_eq!((counts.number("secrets_asked"), counts.number("unexpected")), (0, 0));
    let asked = asked(&simulator);
    let keys: Vec<_> =
        asked.iter().filter(|path| path.contains("recoveryKeys") || path.contains("Credentials")).collect();
    assert_eq!(keys.len(), 90);
    let secret = |path: &&&String| {
        path.contains("recoveryKeys/") || path.contains("select=key") || path.contains("select=credentials")
    };
    assert_eq!(keys.iter().filter(secret).count(), 0, "{keys:?}");
    let report = desk.report();
    let held: Vec<_> = report.iter().filter(|row| row["outcome"] == "held").map(|row| row["note"].as_str()).collect();
    assert_eq!(held.len(), 1);
    assert!(held[0].starts_with("no BitLocker key is on file"), "{held:?}");
}

#[test]
fn what_a_preview_has_seen_is_looked_at_again_before_the_run() {
    let desk = Desk::with(&[("plan.yaml", &plan(2, GUARD)), ("tenant.yaml", &tenant(2, |_| BOTH, ""))]);
    run(&mut desk.musterout(["preview", "plan.yaml", "--out", "agreed.json", "--simulate-fresh=tenant.yaml"]))
        .ended_with(0);
    fs::write(
        desk.path("tenant.yaml"),
        tenant(2, |n| if n == 1 { BOTH } else { "bitlocker: [fixedDataVolume], laps: true" }, ""),
    )
    .unwrap();
    let go = |number: &str| {
        let arguments =
            ["run", "agreed.json", "--simulate-fresh=tenant.yaml", "--confirm", number, "--report", "report.csv"];
        run(desk.musterout(arguments).arg("--state-dir").arg(desk.path("state")))
    };
    let refused = go("2").ended_with(10);
    assert!(refused.stderr.contains("--confirm 2, but 1 job would be sent"), "{}", refused.stderr);
    go("1").ended_with(3);
    assert_eq!(column(&desk.report(), "outcome"), ["accepted", "held"]);
    let why = "no BitLocker key is on file: only for volumes other than the system volume";
    assert!(column(&desk.report(), "note")[1].starts_with(why), "{:?}", desk.report());
}

#[test]
fn a_resumed_run_looks_again() {
    let refuses = "faults:\n  - on: { action: wipe, target: ID, calls: [1] }\n    do: { status: { code: 400, error_code: BadRequest, message: Not today. } }\n";
    let refuses = refuses.replace("ID", &guid(2));
    let desk = Desk::with(&[("plan.yaml", &plan(2, GUARD)), ("tenant.yaml", &tenant(2, |_| BOTH, &refuses))]);
    let state = desk.path("state");
    let arguments = ["run", "plan.yaml", "--simulate-fresh=tenant.yaml", "--confirm", "2", "--report", "report.csv"];
    run(desk.musterout(arguments).arg("--state-dir").arg(&state)).ended_with(3);
    assert_eq!(column(&desk.report(), "outcome"), ["accepted", "failed"]);

    fs::write(desk.path("tenant.yaml"), tenant(2, |_| "laps: true", "")).unwrap();
    let resume = || {
        let arguments = ["resume", "latest", "--only", "failed", "--confirm", "1"];
        run(desk.musterout(arguments).arg("--state-dir").arg(&state))
    };
    let left = resume().ended_with(3);
    assert!(left.stderr.contains("is not changed; no BitLocker key is on file"), "{}", left.stderr);
    assert_eq!(column(&desk.report(), "outcome"), ["accepted", "failed"]);

    fs::write(desk.path("tenant.yaml"), tenant(2, |_| BOTH, "")).unwrap();
    resume().ended_with(0);
    assert_eq!(column(&desk.report(), "outcome"), ["accepted", "accepted"]);
}
