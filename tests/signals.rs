//! Ctrl-C and SIGTERM: a run that is stopped leaves a whole report.
//!
//! Nothing waits for time to pass: the server holds its answers until the test lets them go, and the program's own lines
//! on stderr say when it has understood.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::outside::{linger, until};
use crate::support::guid;
use crate::support::program::{Desk, Ran, column, run};
use crate::support::recorder::{Answer, Recorder};
use crate::support::simulator::Simulator;

/// Holds every answer until it is opened.
#[derive(Default)]
struct Door {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Door {
    fn pass(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

/// A run whose requests are held at a door.
struct Held {
    desk: Desk,
    recorder: Recorder,
    door: Arc<Door>,
    arrivals: Receiver<()>,
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
}

const ROWS: usize = 6;

impl Held {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(more: &[&str]) -> Self {
        let door = Arc::new(Door::default());
        let (arrived, arrivals) = channel();
        let at_the_door = Arc::clone(&door);
        let recorder = Recorder::start(move |_, _| {
            // The test may be over already.
            let _ = arrived.send(());
            at_the_door.pass();
            Answer::no_content()
        });
        let rows: String = (1..=ROWS).map(|number| format!("wipe,{}\n", guid(number))).collect();
        let desk = Desk::with(&[("plan.csv", &format!("action,id\n{rows}"))]);
        let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--confirm", "6"]);
        command
            .args(["--concurrency", "2", "--state-dir", "state"])
            .args(more)
            .args(recorder.flags())
            .env("MUSTEROUT_ACCESS_TOKEN", "t");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { desk, recorder, door, arrivals, child, stderr }
    }

    /// Until two requests, all that the run may have out, are at the door.
    fn wait_for_two(&self) {
        for _ in 0..2 {
            self.arrivals.recv_timeout(Duration::from_secs(60)).expect("a request arrives");
        }
    }

    fn signal(&self, name: &str) {
        kill(name, &self.child);
    }

    /// Reads stderr up to the line that starts so.
    fn wait_for_line(&mut self, start: &str) {
        let mut before = Vec::new();
        for line in self.stderr.by_ref() {
            let line = line.unwrap();
            if line.starts_with(start) {
                return;
            }
            before.push(line);
        }
        panic!("no line starts with {start:?} in {before:#?}");
    }

    fn end(self) -> (Ran, Desk, Recorder) {
        let Self { desk, recorder, child, stderr, .. } = self;
        let rest: Vec<_> = stderr.map(Result::unwrap).collect();
        let ran = Ran::of(child.wait_with_output().unwrap());
        (Ran { stderr: rest.join("\n"), ..ran }, desk, recorder)
    }
}

fn kill(name: &str, child: &Child) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn the_first_signal_drains(name: &str) {
    let mut run = Held::start();
    run.wait_for_two();
    run.signal(name);
    run.wait_for_line("stopping: waiting for 2 requests in flight");
    run.door.open();
    let (ran, desk, recorder) = run.end();
    let ran = ran.ended_with(130);
    let rows = desk.report();
    assert_eq!(
        column(&rows, "outcome"),
        ["accepted", "accepted", "not_attempted", "not_attempted", "not_attempted", "not_attempted"]
    );
    assert_eq!(column(&rows, "row"), ["2", "3", "4", "5", "6", "7"]);
    assert!(column(&rows, "note")[2..].iter().all(|note| *note == "the run was interrupted"), "{rows:#?}");
    assert_eq!(recorder.seen().len(), 2, "nothing new was sent");
    assert_eq!(ran.account(), "account: rows in 6, rows out 6: accepted 2, not_attempted 4");
}

#[test]
fn ctrl_c_waits_for_what_is_out() {
    the_first_signal_drains("INT");
}

/// As `timeout` sends it: to the process, and at once to its group.
#[test]
fn a_doubled_ctrl_c_is_one() {
    let mut run = Held::start();
    run.wait_for_two();
    // From one process: two that are started one after the other may be far apart on a busy machine.
    let twice = format!("kill -s INT {0}; kill -s INT {0}", run.child.id());
    assert!(Command::new("sh").args(["-c", &twice]).status().unwrap().success());
    run.wait_for_line("stopping: waiting for 2 requests in flight");
    run.door.open();
    let (ran, desk, _) = run.end();
    ran.ended_with(130);
    assert_eq!(column(&desk.report(), "outcome")[..2], ["accepted", "accepted"]);
}

#[test]
fn sigterm_is_like_ctrl_c() {
    the_first_signal_drains("TERM");
}

#[test]
fn the_second_ctrl_c_gives_up_what_is_out() {
    let mut run = Held::start();
    run.wait_for_two();
    run.signal("INT");
    run.wait_for_line("stopping: waiting for 2 requests in flight; press Ctrl-C again to stop waiting");
    // Two within an instant are one.
    linger(Duration::from_millis(50));
    run.signal("INT");
    run.wait_for_line("stopped waiting: 2 requests are reported as unknown");
    let (ran, desk, recorder) = run.end();
    let ran = ran.ended_with(130);
    let rows = desk.report();
    assert_eq!(
        column(&rows, "outcome"),
        ["unknown", "unknown", "not_attempted", "not_attempted", "not_attempted", "not_attempted"]
    );
    let notes = column(&rows, "note");
    let look = format!("look at managedDevice {} before repeating wipe", guid(1));
    assert!(notes[0].contains(&look), "{notes:#?}");
    assert_eq!(recorder.seen().len(), 2);
    assert!(ran.account().ends_with("unknown 2, not_attempted 4"), "{}", ran.stdout);
}

/// What the journal knows of the attempts: the word for their answers, empty where there is none.
fn verdicts(desk: &Desk) -> Vec<String> {
    let journal = rusqlite::Connection::open(desk.path("state").join("journal.db")).unwrap();
    let mut select = journal.prepare("SELECT coalesce(verdict, '') FROM attempts ORDER BY job, attempt").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Without a pace, all others are recorded while two are out. They do not leave any more, and the journal knows it: whoever
/// resumes has nothing to read.
#[test]
fn what_was_recorded_ahead_does_not_leave_any_more() {
    let mut held = Held::start_with(&["--unpaced"]);
    held.wait_for_two();
    until("all others are recorded", || verdicts(&held.desk).len() == ROWS);
    held.signal("INT");
    held.wait_for_line("stopping: waiting for 2 requests in flight");
    held.door.open();
    let (ran, desk, recorder) = held.end();
    ran.ended_with(130);
    assert_eq!(recorder.seen().len(), 2, "nothing new was sent");
    assert_eq!(verdicts(&desk), ["", "", "unreachable", "unreachable", "unreachable", "unreachable"]);
    let resume = ["resume", "--confirm", "4", "--state-dir", "state", "--report", "report.csv"];
    run(desk.musterout(resume).env("MUSTEROUT_ACCESS_TOKEN", "t")).ended_with(0);
    let seen = recorder.seen();
    assert_eq!(seen.len(), ROWS, "each once, and no read: {seen:#?}");
    assert!(seen.iter().all(|request| request.method == "POST"), "{seen:#?}");
    assert_eq!(column(&desk.report(), "attempts"), ["1"; ROWS]);
}

/// Nothing was sent yet, and nobody listens: the signal ends the process, and it has nothing to clear up.
#[test]
fn a_run_that_is_stopped_while_it_signs_in_leaves_nothing_behind() {
    let (arrived, arrivals) = channel();
    let door = Door::default();
    let recorder = Recorder::start(move |_, _| {
        let _ = arrived.send(());
        door.pass();
        Answer::token("t")
    });
    let desk = Desk::with(&[("plan.csv", &format!("action,id\nwipe,{}\n", guid(1)))]);
    let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--confirm", "1"]);
    command.args(recorder.flags()).env("AZURE_TENANT_ID", "contoso.onmicrosoft.com");
    command.env("AZURE_CLIENT_ID", guid(2)).env("AZURE_CLIENT_SECRET", "s").stdout(Stdio::null());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    arrivals.recv_timeout(Duration::from_secs(60)).expect("it signs in");
    kill("INT", &child);
    assert!(!child.wait().unwrap().success());
    let left: Vec<_> = std::fs::read_dir(desk.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["plan.csv"]);
    assert!(recorder.to_graph().is_empty());
}

/// What is recorded as the plan must be what was looked at.
#[test]
fn a_plan_that_is_edited_or_deleted_after_it_was_read_is_not_run() {
    let edited = |plan: &Path| std::fs::write(plan, format!("action,id\nwipe,{}\n", guid(3))).unwrap();
    is_not_run_after(edited, "plan.csv has changed since it was read");
    is_not_run_after(|plan| std::fs::remove_file(plan).unwrap(), "plan.csv cannot be read again");
}

fn is_not_run_after(something: impl FnOnce(&Path), words: &str) {
    let (arrived, arrivals) = channel();
    let door = Arc::new(Door::default());
    let inside = Arc::clone(&door);
    let recorder = Recorder::start(move |_, _| {
        let _ = arrived.send(());
        inside.pass();
        Answer::token("t")
    });
    let desk = Desk::with(&[("plan.csv", &format!("action,id\nwipe,{}\n", guid(1)))]);
    let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--confirm", "1"]);
    command.args(recorder.flags()).env("AZURE_TENANT_ID", "contoso.onmicrosoft.com");
    command.env("AZURE_CLIENT_ID", guid(2)).env("AZURE_CLIENT_SECRET", "s");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    arrivals.recv_timeout(Duration::from_secs(60)).expect("it signs in");
    something(&desk.path("plan.csv"));
    door.open();
    let ran = Ran::of(child.wait_with_output().unwrap()).ended_with(10);
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert!(recorder.to_graph().is_empty());
}

#[test]
fn a_stopped_run_against_a_slow_tenant_counts_what_the_tenant_counts() {
    let simulator = Simulator::start("latency: 300ms\n");
    let rows: String = (1..=40).map(|number| format!("wipe,{}\n", guid(number))).collect();
    let desk = Desk::with(&[("plan.csv", &format!("action,id\n{rows}"))]);
    let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--confirm", "40"]);
    command.args(["--concurrency", "4"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = simulator.known_to(&mut command).spawn().unwrap();
    while simulator.counts().number("effects") < 3 {
        std::thread::yield_now();
    }
    kill("INT", &child);
    Ran::of(child.wait_with_output().unwrap()).ended_with(130);
    let rows = desk.report();
    let outcomes = column(&rows, "outcome");
    assert_eq!(outcomes.len(), 40);
    let accepted = outcomes.iter().filter(|outcome| **outcome == "accepted").count();
    assert_eq!(accepted as u64, simulator.counts().number("effects"));
    assert!(outcomes.iter().all(|outcome| ["accepted", "not_attempted"].contains(outcome)), "{outcomes:?}");
}

#[test]
fn the_simulator_ends_with_ctrl_c() {
    let mut command = crate::support::program::musterout(["simulate", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let listening = lines.by_ref().map(Result::unwrap).find(|line| line.contains("/simulator/counts"));
    assert!(listening.is_some());
    kill("INT", &child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
