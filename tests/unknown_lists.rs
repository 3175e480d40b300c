//! A list of the tenant's own that whoever answers does not know: that is a fault, and never a list without anything in it.
//!
//! In: the real binary, and a server that knows no collection. Out: what reached it, rows, words.

use serde_json::{Value, json};

use crate::support::guid;
use crate::support::program::{Desk, Ran, column, run};
use crate::support::recorder::{Answer, Recorder, Seen};

/// What Graph itself says of something that it does not know.
fn unknown() -> Value {
    json!({ "error": { "code": "ResourceNotFound", "message": "Resource not found." } })
}

/// One thing is there, and no list is.
fn of(method: &str, path: &str) -> (u16, Value) {
    let path = path.split('?').next().unwrap();
    let last = path.rsplit('/').next().unwrap();
    match (method, uuid::Uuid::try_parse(last)) {
        ("GET", Ok(id)) => (200, json!({ "id": id.to_string(), "deviceName": "VIP-1", "serialNumber": "S-1" })),
        ("GET", Err(_)) => (404, unknown()),
        _ => (204, Value::Null),
    }
}

fn answer(seen: &Seen) -> Answer {
    if seen.is_sign_in() {
        return Answer::token("t");
    }
    if seen.target.ends_with("/$batch") {
        let envelope: Value = serde_json::from_slice(&seen.body).unwrap();
        let each = |part: &Value| {
            let (status, body) = of(part["method"].as_str().unwrap(), part["url"].as_str().unwrap());
            json!({ "id": part["id"], "status": status, "body": body })
        };
        let responses: Vec<_> = envelope["requests"].as_array().unwrap().iter().map(each).collect();
        return Answer::json(200, json!({ "responses": responses }).to_string());
    }
    match of(&seen.method, &seen.target) {
        (204, _) => Answer::no_content(),
        (status, body) => Answer::json(status, body.to_string()),
    }
}

fn call(desk: &Desk, recorder: &Recorder, plan: &str, more: &[&str]) -> Ran {
    let mut command = desk.musterout(["run", plan, "--report", "report.csv", "--confirm", "1"]);
    run(command.args(recorder.flags()).args(more).env("MUSTEROUT_ACCESS_TOKEN", "t"))
}

/// Everything that is no read, one alone or many in an envelope.
fn writes(recorder: &Recorder) -> Vec<String> {
    let is_read = |seen: &Seen| seen.method == "GET" || seen.target.ends_with("/$batch");
    recorder.to_graph().iter().filter(|seen| !is_read(seen)).map(Seen::line).collect()
}

#[test]
fn no_entry_of_protected_stands_for_nothing_because_nobody_knows_the_list() {
    for entry in ["ceo@contoso.com".to_owned(), "'ceo*'".to_owned(), guid(99)] {
        let text = format!(
            "version: 1\njobs:\n  - {{ action: deleteAutopilotIdentity, targets: [ {{ id: {} }} ] }}\n\
             guards: {{ protected: [ {entry} ] }}\n",
            guid(1)
        );
        let (recorder, desk) = (Recorder::start(|seen, _| answer(seen)), Desk::with(&[("plan.yaml", &text)]));
        let ran = call(&desk, &recorder, "plan.yaml", &[]);
        assert_eq!(writes(&recorder), [""; 0], "{entry}: {}{}", ran.stdout, ran.stderr);
        assert!(!ran.stderr.contains("nothing in this tenant"), "{entry}: {}", ran.stderr);
        assert!(ran.stderr.contains("could not be read"), "{entry}: {}", ran.stderr);
        assert_eq!(column(&desk.report(), "outcome"), ["held"], "{entry}");
    }
}

#[test]
fn no_target_is_missing_because_nobody_knows_the_list() {
    for (column, value) in [("serialNumber", "S-1"), ("deviceName", "LAB-1"), ("userPrincipalName", "ada@contoso.com")]
    {
        let action = if column == "userPrincipalName" { "disableUser" } else { "retire" };
        let text = format!("action,{column}\n{action},{value}\n");
        for missing in ["refuse", "hold", "done"] {
            let (recorder, desk) = (Recorder::start(|seen, _| answer(seen)), Desk::with(&[("plan.csv", &text)]));
            let ran = call(&desk, &recorder, "plan.csv", &["--missing", missing]);
            let told = format!("{column}, {missing}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.exit != 0 && ran.stderr.contains("404 ResourceNotFound"), "{told}");
            assert!(!ran.stderr.contains("has serialNumber") && !desk.path("report.csv").exists(), "{told}");
            assert_eq!(writes(&recorder), [""; 0], "{told}");
        }
    }
}
