//! What slows and stops a run, over several processes: one trips, waits or is stopped, and another goes on.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::support::guid;
use crate::support::program::{Desk, Ran, Row, column, run};
use crate::support::simulator::Simulator;

/// One tenant, one plan, one journal.
struct Site {
    simulator: Simulator,
    desk: Desk,
    rows: usize,
}

impl Site {
    fn new(scenario: &str, action: &str, rows: usize, guards: &str) -> Self {
        let targets: String = (1..=rows).map(|number| format!("      - id: {}\n", guid(number))).collect();
        let plan = format!("version: 1\nguards: {guards}\njobs:\n  - action: {action}\n    targets:\n{targets}");
        Self { simulator: Simulator::start(scenario), desk: Desk::with(&[("plan.yaml", &plan)]), rows }
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.desk.musterout(arguments);
        command.arg("--state-dir").arg(self.desk.path("state"));
        command
    }

    /// `run` or `resume`, against the tenant.
    fn sending(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.command(arguments);
        self.simulator.known_to(&mut command);
        command
    }

    fn run(&self) -> Ran {
        let confirm = self.rows.to_string();
        run(&mut self.sending(&["run", "plan.yaml", "--report", "report.csv", "--confirm", &confirm]))
    }

    fn resume(&self) -> Ran {
        run(&mut self.sending(&["resume", &self.newest()]))
    }

    /// The name of the newest run.
    fn newest(&self) -> String {
        let told = run(&mut self.command(&["runs", "--format", "json"])).stdout;
        let newest: serde_json::Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
        newest["run"].as_str().unwrap().to_owned()
    }

    fn outcomes(&self) -> Vec<String> {
        let rows: Vec<Row> = self.desk.report();
        column(&rows, "outcome").into_iter().map(str::to_owned).collect()
    }

    fn state(&self) -> String {
        let listed = run(&mut self.command(&["runs", "--format", "json"])).ended_with(0).stdout;
        let newest: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
        newest["state"].as_str().unwrap().to_owned()
    }

    /// A process that runs until it is stopped, read up to the line of stderr that begins so.
    fn start(&self, arguments: &[&str], line: &str) -> Child {
        let mut child = self.sending(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut before = Vec::new();
        let mut lines = stderr.lines().map(Result::unwrap);
        let found = lines.by_ref().inspect(|line| before.push(line.clone())).any(|said| said.starts_with(line));
        assert!(found, "no line begins with {line:?}: {before:#?}");
        // What it says from now on is nobody's business, but somebody must read it.
        std::thread::spawn(move || lines.for_each(drop));
        child
    }
}

#[test]
fn what_a_breaker_has_left_is_done_by_resume() {
    let refuse_three = "faults:\n  - on: { every: 4, limit: 3 }\n    do: { status: { code: 403 } }\n";
    let site = Site::new(refuse_three, "retire", 30, "{ stop_when: { failures: 3 } }");
    let tripped = site.run().ended_with(13);
    assert!(tripped.stderr.contains("musterout resume"), "{}", tripped.stderr);
    assert_eq!(site.state(), "tripped");
    assert_eq!(site.simulator.counts().number("requests"), 12);
    assert_eq!(site.outcomes()[12..], vec!["not_attempted"; 18]);
    // The breaker begins anew, and what failed stays failed: that is what `--only failed` is for.
    site.resume().ended_with(3);
    assert_eq!(site.state(), "finished");
    let outcomes = site.outcomes();
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "accepted").count(), 27);
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "failed").count(), 3);
    assert_eq!(site.simulator.counts().number("requests"), 30, "each row was sent once");
}

#[test]
fn a_plan_that_asks_goes_on_wave_by_wave_with_each_resume() {
    let guards = "{ waves: [{ size: 1, ask: true }, { size: 3, ask: true }, rest] }";
    let site = Site::new("throttle: off\n", "delete", 10, guards);
    let sent = || site.simulator.counts().number("requests");
    let first = site.run().ended_with(13);
    assert!(first.stderr.contains("wave 1 of 3 has landed, and nobody is there to be asked"), "{}", first.stderr);
    assert_eq!(sent(), 1);
    let second = site.resume().ended_with(13);
    assert!(second.stderr.contains("wave 2 of 3: 3 jobs"), "{}", second.stderr);
    assert_eq!(sent(), 4);
    site.resume().ended_with(0);
    assert_eq!(sent(), 10);
    assert_eq!(site.outcomes(), vec!["completed"; 10]);
}

#[test]
fn stop_ends_a_run_in_the_middle_of_a_pause_and_no_later_one() {
    let site = Site::new("throttle: off\n", "delete", 4, "{ waves: [{ size: 1, pause: 2h }, rest] }");
    let arguments = ["run", "plan.yaml", "--report", "report.csv", "--confirm", "4"];
    let line = "wave 1 of 2 has landed; the next begins in 2 h";
    let mut child = site.start(&arguments, line);
    let stopped = run(&mut site.command(&["stop"])).ended_with(0);
    assert!(stopped.stdout.contains("has ended: interrupted; 1 completed, 3 not_attempted"), "{}", stopped.stdout);
    assert!(stopped.stdout.contains("musterout resume"), "{}", stopped.stdout);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(site.outcomes(), ["completed", "not_attempted", "not_attempted", "not_attempted"]);
    assert_eq!(column(&site.desk.report(), "note")[1], "the run was stopped on request");
    let again = run(&mut site.command(&["stop"])).ended_with(4);
    assert!(again.stdout.contains("is not active: interrupted"), "{}", again.stdout);
    // The same run under another process: what the first one was asked is no business of it.
    let mut resumed = site.start(&["resume", &site.newest()], line);
    assert_eq!(site.state(), "running");
    let stopped = run(&mut site.command(&["stop", "latest", "--format", "json"])).ended_with(0);
    let told: serde_json::Value = serde_json::from_str(&stopped.stdout).unwrap();
    assert_eq!((told["result"].as_str(), told["run"]["state"].as_str()), (Some("ended"), Some("interrupted")));
    assert_eq!(resumed.wait().unwrap().code(), Some(130));
    assert_eq!(site.simulator.counts().number("requests"), 1);
}

#[test]
fn stop_ends_a_run_that_waits_out_a_throttle() {
    let storm = "faults:\n  - on: { after: 0s }\n    do: { throttle: { seconds: 3000 } }\n";
    let site = Site::new(storm, "wipe", 3, "{}");
    let arguments = ["run", "plan.yaml", "--report", "report.csv", "--confirm", "3", "--concurrency", "1"];
    let mut child = site.start(&arguments, "paused: ");
    run(&mut site.command(&["stop"])).ended_with(0);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(site.outcomes(), ["not_attempted", "not_attempted", "not_attempted"]);
    assert_eq!(site.simulator.counts().number("effects"), 0);
}
