//! The nights of a scheduler: the real binary, started with the same line each night, against a tenant in a process of its
//! own whose days go by between the nights.
//!
//! Two clocks have to move. The tenant's is told to (`POST /simulator/advance`); the program's is the machine's, and stays:
//! instead, all that its journal has written down becomes a day older.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::guid;
use crate::support::program::{Desk, Ran, Row, column, run};
use crate::support::simulator::Simulator;

/// Longer than a day, as the careful reading of a day has it: 24 hours and two minutes.
const NIGHT_TO_NIGHT: u32 = 25;

const ROWS: usize = 12;

/// Three a day are ours, one is left to people, who take it. Requests live three days, so that six may be open.
fn plan() -> String {
    let targets: String = (1..=ROWS).map(|row| format!("      - id: {}\n", guid(row))).collect();
    format!(
        "version: 1\nname: mass-retirement\ntenant: contoso.onmicrosoft.com\njustification: CHG0012345\n\
         limits: {{ daily: {{ retire: 4, reserve_percent: 25 }} }}\njobs:\n  - action: retire\n    targets:\n{targets}"
    )
}

/// Row 2 loses the answer to its completing request, row 3 is rejected, row 5 is completed by hand, row 7 is forgotten.
fn scenario() -> String {
    let [lost, rejected, by_hand, forgotten] = [2, 3, 5, 7].map(guid);
    format!(
        "throttle: off\ndaily: {{ retire: 4 }}\ndaily_day: sliding\ndaily_answer: 403\ndaily_portal: {{ retire: 1 }}\n\
         approvals:\n  actions: [retire]\n  decisions:\n\
         \x20   - {{ on: {{ target: {rejected} }}, after: 10h, do: reject }}\n\
         \x20   - {{ on: {{ target: {by_hand} }}, after: 10h, do: complete }}\n\
         \x20   - {{ on: {{ target: {forgotten} }}, after: 200h, do: approve }}\n\
         \x20   - {{ after: 10h, do: approve }}\n\
         faults:\n  - {{ on: {{ target: {lost}, method: POST, calls: [2] }}, do: drop_reply }}\n"
    )
}

struct Site {
    simulator: Simulator,
    desk: Desk,
}

impl Site {
    fn new() -> Self {
        Self { simulator: Simulator::start(&scenario()), desk: Desk::with(&[("plan.yaml", &plan())]) }
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.desk.musterout(arguments);
        command.arg("--state-dir").arg(self.desk.path("state"));
        command
    }

    /// The line in the scheduler.
    fn night(&self) -> Ran {
        let confirm = ROWS.to_string();
        let line = ["run", "plan.yaml", "--once", "--confirm", &confirm, "--report", "retire.csv"];
        run(self.simulator.known_to(&mut self.command(&line)))
    }

    fn report(&self) -> Vec<Row> {
        crate::support::program::rows(&self.desk.path("retire.csv"))
    }

    /// The runs so far, by id.
    fn runs(&self) -> Vec<String> {
        let listed = run(&mut self.command(&["runs", "--format", "json"])).ended_with(0).stdout;
        let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["run"].as_str().unwrap().to_owned();
        listed.lines().map(id).collect()
    }

    /// Until the next night.
    fn let_a_day_pass(&self) {
        self.simulator.advance(NIGHT_TO_NIGHT);
        let journal = rusqlite::Connection::open(self.desk.path("state/journal.db")).unwrap();
        let times = [
            ("runs", &["started_at", "ended_at"][..]),
            ("attempts", &["sent_at", "answered_at"]),
            ("outcomes", &["started_at", "finished_at"]),
            ("remembered", &["started_at", "finished_at"]),
            ("approvals", &["filed_at", "expires_at", "read_at"]),
            ("daily_uses", &["left_at"]),
            ("daily_pauses", &["until"]),
        ];
        let by = i64::from(NIGHT_TO_NIGHT) * 3_600 * 1_000_000;
        for (table, columns) in times {
            for column in columns {
                journal.execute(&format!("UPDATE {table} SET {column} = {column} - ?1"), [by]).unwrap();
            }
        }
    }
}

#[test]
fn a_plan_with_limits_and_approvals_is_through_after_some_nights_of_the_same_line() {
    let site = Site::new();
    let mut nights = Vec::new();
    let last = loop {
        let ran = site.night();
        let report = site.report();
        assert_eq!(report.len(), ROWS, "{}", ran.stderr);
        nights.push(column(&report, "outcome").join(" "));
        let is_open = |outcome: &str| ["awaiting_approval", "not_attempted", "unknown"].contains(&outcome);
        if nights.len() == 10 || !column(&report, "outcome").into_iter().any(is_open) {
            break ran;
        }
        // 3 as soon as one is rejected: what has failed needs somebody, what is open does not.
        assert!([3, 5].contains(&ran.exit), "{ran:?}");
        assert!(ran.stderr.contains(" wait for another day: ") || ran.stderr.contains("shows "), "{ran:?}");
        site.let_a_day_pass();
    };
    let last = last.ended_with(3);
    assert!(last.account().contains("rows in 12, rows out 12:") && last.account().contains("failed 2"), "{last:?}");
    assert!((5..=7).contains(&nights.len()), "{nights:#?}");
    let first = &nights[0];
    assert_eq!(first.matches("awaiting_approval").count(), 6, "no more are filed than two days carry out: {first}");
    nobody_was_acted_on_twice(&site);
    the_last_report_is_the_whole_one(&site, nights.len());
    // Whoever has it done once more is told that two need somebody.
    site.night().ended_with(3);
    assert_eq!(
        column(&site.report(), "outcome").iter().filter(|outcome| **outcome == "already_done").count(),
        ROWS - 2
    );
    what_was_forgotten_is_filed_again_by_the_command_in_its_note(&site);
}

/// It names the run in which the request expired, some nights ago; the next night takes it up from there.
fn what_was_forgotten_is_filed_again_by_the_command_in_its_note(site: &Site) {
    let note = site.report()[6]["note"].clone();
    let (_, command) = note.split_once("to file it again: musterout ").unwrap();
    let mut arguments: Vec<&str> = command.split(' ').chain(["--report", "again.csv"]).collect();
    // That was agreed to some nights ago.
    let refused = run(site.simulator.known_to(&mut site.command(&arguments))).ended_with(10).stderr;
    let (_, number) = refused.trim_end().rsplit_once("--confirm ").unwrap();
    arguments.extend(["--confirm", number]);
    let again = run(site.simulator.known_to(&mut site.command(&arguments)));
    let rows = crate::support::program::rows(&site.desk.path("again.csv"));
    assert_eq!(rows[6]["outcome"], "awaiting_approval", "{again:?}");
    site.let_a_day_pass();
    site.night().ended_with(3);
    let rows = site.report();
    assert_eq!((rows[6]["outcome"].as_str(), rows[6]["attempts"].as_str()), ("awaiting_approval", "2"), "{rows:?}");
    let listed = run(&mut site.command(&["approvals", "--format", "csv"])).ended_with(0).stdout;
    assert_eq!((listed.lines().count(), listed.matches(&guid(7)).count()), (2, 1), "{listed}");
    // It belongs to the last night now, and is withdrawn there, and nowhere else.
    let runs = site.runs();
    for (run_id, withdrawn) in [(&runs[1], "0 approval requests withdrawn"), (&runs[0], "1 approval request withdrawn")]
    {
        let mut command = site.command(&["approvals", run_id, "--withdraw"]);
        let said = run(site.simulator.known_to(&mut command)).ended_with(0).stdout;
        assert!(said.contains(withdrawn), "{said}");
    }
    let statuses = site.simulator.approvals()["requests"].to_string();
    assert!(statuses.contains("cancelled") && !statuses.contains("needsApproval"), "{statuses}");
}

fn nobody_was_acted_on_twice(site: &Site) {
    let approvals = site.simulator.approvals();
    assert_eq!((approvals["refused_codes"].as_u64(), approvals["reused_codes"].as_u64()), (Some(0), Some(0)));
    assert!(approvals["most_open"].as_u64().unwrap() <= 6, "{approvals}");
    let by_hand: BTreeMap<&str, bool> = approvals["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| (request["target"].as_str().unwrap(), request["in_portal"].as_bool().unwrap()))
        .collect();
    let counts = site.simulator.counts();
    for row in 1..=ROWS {
        let [.., ours] = counts.of("retire", &guid(row));
        let acted = ours + u64::from(by_hand[guid(row).as_str()]);
        assert_eq!(acted, u64::from(![3, 7].contains(&row)), "row {row}");
    }
}

/// What became of each row, in which run, when, and under which id.
fn the_last_report_is_the_whole_one(site: &Site, nights: usize) {
    let (report, runs) = (site.report(), site.runs());
    assert_eq!(runs.len(), nights, "each night is a run");
    for (row, number) in report.iter().zip(1..) {
        assert_eq!(row["target"], guid(number));
        assert!(row["started_at"] < row["finished_at"], "{row:?}");
        assert!(!row["client_request_id"].is_empty() && row["attempts"] != "0", "{row:?}");
        let done_by = runs.iter().find(|run| row["note"].contains(&format!(" in run {run}")));
        match row["outcome"].as_str() {
            "already_done" => assert!(done_by.is_some() && row["note"].contains("approval request "), "{row:?}"),
            "accepted" => assert!(row["note"].contains(" was approved"), "{row:?}"),
            outcome => assert_eq!(outcome, "failed", "{row:?}"),
        }
    }
    let told = |number: usize, outcome: &str, words: &str| {
        let row = &report[number - 1];
        assert!(row["outcome"] == outcome && row["note"].contains(words), "{row:?}");
    };
    told(1, "already_done", " was approved");
    told(2, "already_done", "managementState is retirePending");
    told(3, "failed", " is rejected");
    told(5, "already_done", " is completed");
    told(7, "failed", " is expired");
    // A request and its completion.
    assert_eq!(report[0]["attempts"], "2");
}
