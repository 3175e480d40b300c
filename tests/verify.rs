//! Accepted actions followed up, over several processes: one is killed, stopped or beside another, and the next goes on.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::guid;
use crate::support::program::{Desk, Ran, column, run};
use crate::support::simulator::Simulator;

/// One tenant, one plan, one journal.
struct Site {
    simulator: Simulator,
    desk: Desk,
}

impl Site {
    fn new(scenario: &str, plan: &str) -> Self {
        Self { simulator: Simulator::start(scenario), desk: Desk::with(&[("plan.csv", plan), ("plan.yaml", plan)]) }
    }

    fn retiring(rows: usize, scenario: &str) -> Self {
        let lines = (1..=rows).map(|number| format!("retire,{}\n", guid(number)));
        Self::new(scenario, &format!("action,id\n{}", lines.collect::<String>()))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.desk.musterout(arguments);
        command.arg("--state-dir").arg(self.desk.path("state"));
        command
    }

    fn asking(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        self.simulator.known_to(&mut command);
        command
    }

    fn run(&self, plan: &str, rows: usize, more: &[&str]) -> Ran {
        let confirm = rows.to_string();
        let arguments = [&["run", plan, "--report", "report.csv", "--confirm", &confirm], more].concat();
        run(&mut self.asking(&arguments))
    }

    fn verify(&self, more: &[&str]) -> Ran {
        run(&mut self.asking(&[&["verify"], more].concat()))
    }

    fn outcomes(&self) -> Vec<String> {
        column(&self.desk.report(), "outcome").into_iter().map(str::to_owned).collect()
    }

    /// What `runs` says of each run, the newest first.
    fn runs(&self, key: &str) -> Vec<String> {
        let listed = run(&mut self.command(&["runs", "--format", "json"])).ended_with(0).stdout;
        let of =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()[key].as_str().unwrap().to_owned();
        listed.lines().filter(|line| line.contains("\"run\"")).map(of).collect()
    }

    fn state(&self) -> String {
        self.runs("state").remove(0)
    }

    fn reads(&self) -> usize {
        self.simulator.requests().iter().filter(|request| request["method"] == "GET").count()
    }

    /// A process that looks, read up to the line of stderr that begins so.
    fn looking(&self, line: &str) -> Child {
        let arguments = ["verify", "--for", "2h"];
        let mut child = self.asking(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|said| said.starts_with(line)), "no line begins with {line:?}");
        // What it says from now on is nobody's business, but somebody must read it.
        std::thread::spawn(move || lines.for_each(drop));
        child
    }
}

/// Devices that act as soon as something is accepted for them.
const AT_ONCE: &str = "throttle: off\ncheck_ins:\n  - { do: complete }\n";

#[test]
fn a_verification_that_is_killed_goes_on_and_reads_nothing_that_is_told() {
    const ROWS: usize = 120;
    let site = Site::retiring(ROWS, &format!("latency: 100ms\n{AT_ONCE}"));
    std::fs::write(site.desk.path("policy.yaml"), "version: 1\nguards: { max_targets: 1000 }\n").unwrap();
    site.run("plan.csv", ROWS, &["--policy", "policy.yaml", "--unpaced", "--concurrency", "8"]).ended_with(0);
    assert_eq!(site.outcomes(), vec!["accepted"; ROWS]);
    let mut child = site.looking("checking 120 accepted jobs");
    while site.reads() < 30 {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let listed = run(&mut site.command(&["report"])).ended_with(0).stdout;
    let told = listed.matches(",completed,").count();
    let before = site.reads();
    assert!(told > 0 && told < ROWS, "{told} were told when it was killed");
    // The run had ended before, and is not broken off by this.
    assert_eq!(site.state(), "finished");
    site.verify(&[]).ended_with(0);
    assert_eq!(site.outcomes(), vec!["completed"; ROWS]);
    assert_eq!(site.reads(), before + ROWS - told, "what was told is not read again");
    assert!(site.desk.report().iter().all(|row| !row["verified_at"].is_empty() && row["attempts"] == "1"));
    let again = site.verify(&["--for", "2h"]).ended_with(0);
    assert_eq!(site.reads(), before + ROWS - told);
    assert!(again.account().ends_with(": completed 120"), "{}", again.account());
    assert_eq!(site.state(), "finished");
}

#[test]
fn a_verification_excludes_others_and_is_stopped_like_a_run() {
    let site = Site::retiring(3, "throttle: off\n");
    site.run("plan.csv", 3, &[]).ended_with(0);
    let mut child = site.looking("checking 3 accepted jobs");
    let locked = site.verify(&[]).ended_with(11);
    assert!(locked.stderr.contains("this plan is already run by run "), "{}", locked.stderr);
    let id = site.runs("run").pop().unwrap();
    run(&mut site.asking(&["resume", &id])).ended_with(11);
    run(&mut site.command(&["stop"])).ended_with(0);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!((site.state().as_str(), site.outcomes()), ("finished", vec!["accepted".to_owned(); 3]));
    // It is over, so the plan may be run again, and the next look says what is open.
    let pending = site.verify(&[]).ended_with(5);
    assert!(pending.stderr.contains("checks whether the 3 accepted actions completed"), "{}", pending.stderr);
    assert!(pending.stdout.contains("managementState is retirePending; last check-in 20"), "{}", pending.stdout);
}

#[test]
fn what_has_failed_on_its_device_is_sent_again_by_whoever_asks_for_that() {
    let rule = format!("throttle: off\ncheck_ins:\n  - {{ on: {{ target: {} }}, do: fail }}\n", guid(2));
    let site = Site::retiring(2, &format!("{rule}  - {{ do: complete }}\n"));
    // The night knows it as done, until somebody has seen that it is not.
    site.run("plan.csv", 2, &["--once"]).ended_with(0);
    site.run("plan.csv", 0, &["--once"]).ended_with(4);
    let seen = site.verify(&["latest", "--report", "report.csv"]).ended_with(3);
    assert!(seen.stdout.contains("deviceActionResults shows retire failed"), "{}", seen.stdout);
    assert_eq!(site.outcomes(), ["completed", "failed"]);
    run(&mut site.asking(&["resume", "latest", "--only", "failed", "--confirm", "1"])).ended_with(0);
    assert_eq!(site.outcomes(), ["completed", "accepted"]);
    let calls = |target: usize| site.simulator.counts().of("retire", &guid(target))[0];
    assert_eq!((calls(1), calls(2)), (1, 2));
    // What was seen of the first try says nothing of the second.
    assert_eq!(site.desk.report()[1]["verified_at"], "");
    site.verify(&[]).ended_with(3);
    run(&mut site.asking(&["run", "plan.csv", "--once", "--confirm", "1", "--report", "report.csv"])).ended_with(0);
    assert_eq!((calls(1), calls(2)), (1, 3));
}

/// The record goes, and the device was never there to be wiped: somebody deletes it in the same plan, or in another one.
#[test]
fn a_record_that_was_deleted_too_shows_nothing_of_a_wipe() {
    let line =
        |action: &str| format!("version: 1\njobs: [ {{ steps: [ {action} ], targets: [ {{ id: {} }} ] }} ]\n", guid(1));
    for (steps, rows) in [("wipe, delete", 2), ("wipe", 1), ("retire", 1)] {
        let site = Site::new("throttle: off\n", &line(steps));
        std::fs::write(site.desk.path("delete.yaml"), line("delete")).unwrap();
        site.run("plan.yaml", rows, &[]).ended_with(0);
        if rows == 1 {
            // Another plan would wait for the wipe: the same one is edited.
            std::fs::copy(site.desk.path("delete.yaml"), site.desk.path("plan.yaml")).unwrap();
            site.run("plan.yaml", 1, &[]).ended_with(0);
        }
        let first = site.runs("run").pop().unwrap();
        site.verify(&[&first, "--report", "report.csv"]).ended_with(0);
        let row = &site.desk.report()[0];
        assert_eq!((row["outcome"].as_str(), row["verified_at"].as_str()), ("accepted", ""), "{row:?}");
        assert!(row["note"].contains("delete was sent too, by run "), "{row:?}");
    }
}

/// The list of actions does not say whose data was deleted.
#[test]
fn what_was_done_with_other_parameters_confirms_nothing() {
    let users = "users: [ { id: 00000009-0000-4000-8000-000000000009, userPrincipalName: ada@contoso.com }, \
                 { id: 00000008-0000-4000-8000-000000000008, userPrincipalName: bob@contoso.com } ]\n";
    let plan = |name: &str| {
        format!("action,id,with.userPrincipalName\ndeleteUserFromSharedAppleDevice,{},{name}@contoso.com\n", guid(1))
    };
    let site = Site::new(&format!("{users}throttle: off\ncheck_ins:\n  - {{ do: fail }}\n"), &plan("ada"));
    std::fs::write(site.desk.path("bob.csv"), plan("bob")).unwrap();
    site.run("plan.csv", 1, &[]).ended_with(0);
    let first = site.runs("run").remove(0);
    site.run("bob.csv", 1, &[]).ended_with(0);
    site.verify(&[&first, "--report", "report.csv"]);
    assert_eq!(site.outcomes(), ["accepted"], "{:?}", site.desk.report());
    assert!(site.desk.report()[0]["note"].contains("nothing tells which it was"), "{:?}", site.desk.report());
}

#[test]
fn what_cannot_be_read_is_said_to_be_that() {
    let refused = "{ status: { code: 403, error_code: Forbidden } }";
    let site = Site::retiring(
        2,
        &format!("throttle: off\nfaults:\n  - {{ on: {{ method: GET, target: {} }}, do: {refused} }}\n", guid(2)),
    );
    site.run("plan.csv", 2, &[]).ended_with(0);
    let seen = site.verify(&["latest", "--report", "report.csv"]).ended_with(5);
    assert!(seen.stdout.contains("accepted  it could not be read: 403 Forbidden"), "{}", seen.stdout);
    assert!(site.desk.report()[1]["note"].starts_with("it could not be read: 403"), "{:?}", site.desk.report());
}

#[test]
fn what_a_later_run_has_done_confirms_no_earlier_one() {
    let site = Site::new(AT_ONCE, &format!("action,id\nresetPasscode,{}\nrebootNow,{}\n", guid(1), guid(2)));
    site.run("plan.csv", 2, &[]).ended_with(0);
    let first = site.runs("run").remove(0);
    // The service dates to the second.
    crate::outside::linger(Duration::from_millis(1_100));
    site.run("plan.csv", 2, &["--again", "all"]).ended_with(0);
    let second = site.runs("run").remove(0);
    site.verify(&[&first, "--report", "report.csv"]);
    assert_eq!(site.outcomes(), ["accepted"; 2]);
    for row in site.desk.report() {
        let rival = format!("{} was sent too, by run {second},", row["action"]);
        assert!(row["note"].contains(&rival), "{}", row["note"]);
        assert_eq!(row["verified_at"], "");
    }
    site.verify(&[&second, "--report", "report.csv"]).ended_with(0);
    assert_eq!(site.outcomes(), ["completed"; 2]);
}

#[test]
fn a_step_waits_over_a_crash_and_follows_when_its_device_was_there() {
    let plan = format!(
        "version: 1\njobs:\n  - steps: [rotateBitLockerKeys, {{ action: wipe, after: verified }}]\n    targets: [{{ id: {} }}]\n",
        guid(1)
    );
    let site = Site::new(AT_ONCE, &plan);
    let arguments = ["run", "plan.yaml", "--report", "report.csv", "--confirm", "2"];
    let mut child = site.asking(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let report = || run(&mut site.command(&["report"])).stdout;
    while !report().contains(",accepted,") {
        assert!(child.try_wait().unwrap().is_none(), "it waits for a device");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let calls = |action: &str| site.simulator.counts().of(action, &guid(1))[0];
    assert_eq!((calls("rotateBitLockerKeys"), calls("wipe"), site.reads()), (1, 0, 0));
    run(&mut site.asking(&["resume", "--confirm", "1"])).ended_with(0);
    assert_eq!((calls("rotateBitLockerKeys"), calls("wipe"), site.reads()), (1, 1, 1));
    assert_eq!(site.outcomes(), ["completed", "accepted"]);
}
