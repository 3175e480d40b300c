//! A name in a body that moves to another account between the look-up and the send: nothing is sent to whoever has it now.
//!
//! In: the real binary, and a server at which the name moves. Out: what reached it, rows.

use serde_json::{Value, json};

use crate::support::guid;
use crate::support::program::{Desk, Row, run};
use crate::support::recorder::{Answer, Recorder, Seen};

const ADA: usize = 7;

/// A run of one row whose body names Ada. Her account is found by that name; `now` answers the read of the account.
fn assigned(now: fn() -> Answer) -> (Vec<Seen>, Row) {
    let list = |user: Value| Answer::json(200, json!({ "value": [user] }).to_string());
    let recorder = Recorder::start(move |seen, _| match (seen.method.as_str(), seen.target.as_str()) {
        _ if seen.is_sign_in() => Answer::token("t"),
        ("GET", path) if path.starts_with("/v1.0/users?") => {
            list(json!({ "id": guid(ADA), "userPrincipalName": "ada@contoso.com" }))
        }
        ("GET", path) if path.contains("/users/") => now(),
        ("GET", _) => Answer::json(200, json!({ "id": guid(1), "serialNumber": "S-1" }).to_string()),
        _ => Answer::no_content(),
    });
    let text = format!("action,id,with.userPrincipalName\nassignUserToDevice,{},ada@contoso.com\n", guid(1));
    let desk = Desk::with(&[("plan.csv", &text)]);
    let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--confirm", "1"]);
    let ran = run(command.args(recorder.flags()).env("MUSTEROUT_ACCESS_TOKEN", "t"));
    let rows = desk.report();
    assert_eq!(rows.len(), 1, "{}", ran.stderr);
    (recorder.to_graph(), rows[0].clone())
}

fn named(name: &str) -> Answer {
    Answer::json(200, json!({ "id": guid(ADA), "userPrincipalName": name }).to_string())
}

fn posts(seen: &[Seen]) -> usize {
    seen.iter().filter(|seen| seen.method == "POST").count()
}

#[test]
fn a_name_that_has_moved_since_it_was_looked_up_is_not_sent() {
    let (seen, row) = assigned(|| named("was-ada@contoso.com"));
    assert_eq!((posts(&seen), row["outcome"].as_str()), (0, "held"), "{row:?}");
    assert!(row["note"].contains("`ada@contoso.com` is not the name of account"), "{row:?}");
    // Nobody has the account any more, or nobody may say whose it is.
    for answer in [
        || Answer::json(404, r#"{"error":{"code":"Request_ResourceNotFound","message":"No."}}"#),
        || Answer::json(403, r#"{"error":{"code":"Authorization_RequestDenied","message":"No."}}"#),
    ] {
        let (seen, row) = assigned(answer);
        assert_eq!((posts(&seen), row["outcome"].as_str()), (0, "held"), "{row:?}");
    }
}

#[test]
fn a_name_that_stays_is_read_right_before_it_is_sent() {
    let (seen, row) = assigned(|| named("Ada@Contoso.com"));
    assert_eq!(row["outcome"], "accepted", "{row:?}");
    let [.., read, sent] = seen.as_slice() else { panic!("{seen:?}") };
    assert!(read.target.contains(&format!("/users/{}", guid(ADA))), "{read:?}");
    assert_eq!(sent.method, "POST");
}

/// One account, called Ada and later Ada Byron. What was done to it under the first name is done, or in doubt, under the
/// second.
#[test]
fn a_deed_on_somebody_is_one_by_whatever_name() {
    for (first, outcome) in [(204, "already_done"), (502, "unknown")] {
        let recorder = Recorder::start(move |seen, _| match (seen.method.as_str(), seen.target.as_str()) {
            _ if seen.is_sign_in() => Answer::token("t"),
            ("GET", path) if path.starts_with("/v1.0/users") => {
                let name = if path.contains("byron") { "byron@contoso.com" } else { "ada@contoso.com" };
                let user = json!({ "id": guid(ADA), "userPrincipalName": name });
                let is_list = path.starts_with("/v1.0/users?");
                let document = if is_list { json!({ "value": [user] }) } else { user };
                Answer::json(200, document.to_string())
            }
            ("GET", _) => Answer::json(200, json!({ "id": guid(1), "deviceActionResults": [] }).to_string()),
            _ => Answer::status(first),
        });
        let text = |name: &str| {
            format!(
                "version: 1\nlimits: {{ settling_seconds: 1, max_attempts: 1 }}\njobs:\n  - action: deleteUserFromSharedAppleDevice\n    \
                 with: {{ userPrincipalName: {name}@contoso.com }}\n    targets: [ {{ managedDeviceId: {} }} ]\n",
                guid(1)
            )
        };
        let desk = Desk::with(&[("ada.yaml", &text("ada")), ("byron.yaml", &text("byron"))]);
        for plan in ["ada.yaml", "byron.yaml"] {
            let arguments = [
                "run",
                plan,
                "--report",
                "report.csv",
                "--confirm",
                "1",
                "--max-attempts",
                "1",
                "--state-dir",
                "state",
            ];
            run(desk.musterout(arguments).args(recorder.flags()).env("MUSTEROUT_ACCESS_TOKEN", "t"));
        }
        let posts: Vec<_> = recorder.to_graph().into_iter().filter(|seen| seen.method == "POST").collect();
        assert_eq!((posts.len(), desk.report()[0]["outcome"].as_str()), (1, outcome), "{first}: {posts:?}");
    }
}
