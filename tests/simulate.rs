//! `musterout simulate` as one process, `musterout run` as another, real HTTP between them. Each fault once.

use std::thread;

use crate::support::guid;
use crate::support::program::{Desk, Ran, Row, run};
use crate::support::simulator::{Counts, Simulator};

/// What came of one row.
struct Told {
    ran: Ran,
    row: Row,
    counts: Counts,
}

impl Told {
    #[track_caller]
    fn is(&self, exit: i32, outcome: &str, attempts: &str) -> &Self {
        let shown = format!("{:#?}\n{}", self.row, self.ran.stderr);
        assert_eq!((self.ran.exit, self.row["outcome"].as_str()), (exit, outcome), "{shown}");
        assert_eq!(self.row["attempts"], attempts, "{shown}");
        self
    }

    /// Calls, throttled, refused, lost, effects.
    #[track_caller]
    fn counted(&self, expected: [u64; 5]) -> &Self {
        let action = &self.row["action"];
        assert_eq!(self.counts.of(action, &guid(1)), expected, "{:#?}", self.row);
        self
    }
}

/// Plays `fault` on the first call of a plan with one row.
fn played(action: &str, fault: &str) -> Told {
    let simulator =
        Simulator::start(&format!("faults:\n  - on: {{ action: {action}, calls: [1] }}\n    do: {fault}\n"));
    let plan = format!(
        "version: 1\njustification: a test\njobs:\n  - action: {action}\n    targets: [ {{ id: {} }} ]\n",
        guid(1)
    );
    let desk = Desk::with(&[("plan.yaml", &plan)]);
    let mut command = desk.musterout(["run", "plan.yaml", "--report", "report.csv", "--confirm", "1"]);
    command.args(["--settling-seconds", "0"]);
    let ran = run(simulator.known_to(&mut command));
    let row = desk.report().remove(0);
    Told { ran, row, counts: simulator.counts() }
}

#[test]
fn every_form_of_retry_after_is_understood() {
    let forms = ["integer", "decimal", "http_date", "body", "body_headers", "absent"];
    thread::scope(|scope| {
        for form in forms {
            scope.spawn(move || {
                let told = played("wipe", &format!("{{ throttle: {{ retry_after: {form}, seconds: 0.2 }} }}"));
                told.is(0, "accepted", "2").counted([2, 1, 0, 0, 1]);
                assert_eq!(told.counts.number("reads"), 0, "{form}: a throttle answer is no doubt");
            });
        }
    });
}

#[test]
fn a_gateways_page_is_read_back_and_sent_again() {
    let told = played("retire", "{ status: { code: 502, body: html } }");
    told.is(0, "accepted", "2").counted([2, 0, 1, 0, 1]);
    assert_eq!(told.counts.number("reads"), 1);
}

#[test]
fn a_503_with_a_time_is_waited_out() {
    let told = played("retire", "{ status: { code: 503, body: html, seconds: 0.2, retry_after: decimal } }");
    told.is(0, "accepted", "2").counted([2, 0, 1, 0, 1]);
}

#[test]
fn a_dropped_reply_is_settled_by_a_read() {
    let told = played("wipe", "drop_reply");
    told.is(0, "accepted", "1").counted([1, 0, 0, 1, 1]);
    assert!(told.row["note"].contains("managementState is wipe"), "{:#?}", told.row);
    assert_eq!(told.counts.number("reads"), 1);
}

#[test]
fn a_reset_before_the_effect_is_sent_again_after_a_read() {
    let told = played("wipe", "reset");
    told.is(0, "accepted", "2").counted([2, 0, 0, 1, 1]);
    assert_eq!(told.counts.number("reads"), 1);
}

#[test]
fn a_slow_answer_is_waited_for() {
    played("wipe", "{ delay: 0.3 }").is(0, "accepted", "1").counted([1, 0, 0, 0, 1]);
}

#[test]
fn an_expired_token_is_renewed() {
    let told = played("wipe", "expire_token");
    told.is(0, "accepted", "2").counted([2, 0, 1, 0, 1]);
    assert_eq!(told.counts.number("token_requests"), 2);
}

#[test]
fn a_redirect_fails() {
    let told = played("wipe", "{ redirect: \"http://127.0.0.1:9/elsewhere\" }");
    told.is(3, "failed", "1").counted([1, 0, 1, 0, 0]);
    assert_eq!(told.row["http_status"], "302");
}

#[test]
fn an_approval_is_filed_and_reported() {
    let code = "44444444-4444-4444-8444-444444444444";
    for status in [403, 412] {
        let told = played("wipe", &format!("{{ approval: {{ status: {status}, code: {code} }} }}"));
        told.is(5, "awaiting_approval", "1").counted([1, 0, 1, 0, 0]);
        assert!(told.row["note"].contains(code), "{:#?}", told.row);
    }
}

#[test]
fn a_conflict_is_tried_again() {
    played("syncDevice", "conflict").is(0, "accepted", "2").counted([2, 0, 1, 0, 1]);
}

#[test]
fn a_refusal_is_final() {
    let told = played("wipe", "{ status: { code: 403, error_code: Forbidden, message: Not for you. } }");
    told.is(3, "failed", "1").counted([1, 0, 1, 0, 0]);
    assert_eq!(told.row["error_code"], "Forbidden");
    assert!(told.row["error_message"].starts_with("Not for you. (activity "), "{:#?}", told.row);
}

#[test]
fn what_a_guard_refuses_reaches_nobody() {
    let simulator = Simulator::start("");
    let desk = Desk::with(&[("plan.csv", &format!("action,id\nwipe,{}\n", guid(1)))]);
    for confirm in [&["--confirm", "2"][..], &[]] {
        let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv"]);
        run(simulator.known_to(command.args(confirm))).ended_with(10);
        assert!(!desk.path("report.csv").exists(), "a refused run leaves no report");
    }
    assert_eq!((simulator.counts().number("requests"), simulator.counts().number("token_requests")), (0, 0));
}

#[test]
fn a_preview_reaches_nobody() {
    let simulator = Simulator::start("");
    let desk = Desk::with(&[("plan.csv", &format!("action,id\nwipe,{}\n", guid(1)))]);
    run(simulator.known_to(&mut desk.musterout(["preview", "plan.csv"]))).ended_with(0);
    run(simulator.known_to(&mut desk.musterout(["run", "plan.csv", "--dry-run", "--confirm", "1"]))).ended_with(0);
    assert_eq!((simulator.counts().number("requests"), simulator.counts().number("token_requests")), (0, 0));
}

#[test]
fn a_step_that_fails_holds_the_rest_and_nothing_of_it_is_sent() {
    let simulator =
        Simulator::start("faults:\n  - on: { action: syncDevice, calls: [1] }\n    do: { status: { code: 403 } }\n");
    let plan = format!(
        "version: 1\njobs:\n  - steps: [syncDevice, wipe]\n    targets: [ {{ managedDeviceId: {} }} ]\n",
        guid(1)
    );
    let desk = Desk::with(&[("plan.yaml", &plan)]);
    let mut command = desk.musterout(["run", "plan.yaml", "--report", "report.csv", "--confirm", "2"]);
    run(simulator.known_to(&mut command)).ended_with(3);
    let rows = desk.report();
    assert_eq!(rows.iter().map(|row| row["outcome"].as_str()).collect::<Vec<_>>(), ["failed", "held"]);
    assert_eq!(simulator.counts().of("wipe", &guid(1)), [0; 5]);
}

#[test]
fn what_arrives_is_what_was_previewed() {
    let simulator = Simulator::start("");
    let plan = format!(
        "version: 1\njobs:\n  - {{ action: wipe, with: {{ macOsUnlockCode: \"012345\" }}, targets: [ {{ id: {} }} ] }}\n  \
         - {{ action: delete, targets: [ {{ id: {} }} ] }}\n",
        guid(1),
        guid(2)
    );
    let desk = Desk::with(&[("plan.yaml", &plan)]);
    let mut preview = desk.musterout(["preview", "plan.yaml", "--format", "csv"]);
    let preview = run(simulator.known_to(&mut preview)).ended_with(0).stdout;
    let mut command = desk.musterout(["run", "plan.yaml", "--report", "report.csv", "--confirm", "2"]);
    run(simulator.known_to(command.args(["--concurrency", "1"]))).ended_with(0);
    let requests = simulator.requests();
    let sent: Vec<_> = requests.iter().filter(|seen| seen["body"] != "(withheld)").collect();
    assert_eq!(sent.len(), 2);
    for seen in sent {
        let url = format!("{}{}", simulator.url(), seen["path"].as_str().unwrap());
        assert!(preview.contains(&url), "{url} is not in\n{preview}");
        let body = seen["body"].as_str().unwrap().replace('"', "\"\"");
        assert!(preview.contains(&body), "{body} is not in\n{preview}");
    }
}

#[test]
fn it_listens_on_loopback_only() {
    let ran = run(&mut crate::support::program::musterout(["simulate", "--listen", "0.0.0.0:0"])).ended_with(2);
    assert!(ran.stderr.contains("0.0.0.0:0 is not a loopback address"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}
