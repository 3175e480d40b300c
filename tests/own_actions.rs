//! Actions that a plan defines: on the wire, in doubt, and taken up again from the journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::guid;
use crate::support::program::{Desk, Ran, column, run};
use crate::support::recorder::{Answer, Recorder, Seen};

const PLAN: &str = "
version: 1
name: own
actions:
  tagDevice:
    method: PATCH
    version: beta
    path: /deviceManagement/managedDevices/{managedDeviceId}/tags/{tagName}
    body: { source: { system: asset-db, revision: 3 } }
    parameters: { reason: text, force: { type: boolean, required: false } }
    success: [200, 204]
jobs:
  - action: tagDevice
    with: { reason: moved }
    targets: { csv: targets.csv }
";
const TARGETS: &str = "managedDeviceId,Tag name,force\n\
                       00000001-0000-4000-8000-000000000001,a+1%,true\n\
                       00000002-0000-4000-8000-000000000002,b,\n";

fn desk() -> Desk {
    Desk::with(&[("plan.yaml", PLAN), ("targets.csv", TARGETS)])
}

fn call(desk: &Desk, recorder: &Recorder, arguments: &[&str]) -> Ran {
    let mut command = desk.musterout(arguments);
    command.args(recorder.flags()).env("MUSTEROUT_ACCESS_TOKEN", "t").env("XDG_STATE_HOME", desk.path("state"));
    run(&mut command)
}

fn answering(answer: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> (Desk, Recorder) {
    (desk(), Recorder::start(answer))
}

const RUN: [&str; 5] = ["run", "plan.yaml", "--confirm", "2", "--report=report.csv"];

#[test]
fn it_is_sent_as_it_is_defined() {
    let (desk, recorder) = answering(|_, _| Answer::no_content());
    let ran = call(&desk, &recorder, &RUN).ended_with(0);
    let mut seen = recorder.seen();
    seen.sort_by(|one, other| one.target.cmp(&other.target));
    let lines: Vec<_> = seen.iter().map(Seen::line).collect();
    let path =
        |number: usize, tag: &str| format!("PATCH /beta/deviceManagement/managedDevices/{}/tags/{tag}", guid(number));
    assert_eq!(lines, [path(1, "a+1%25"), path(2, "b")]);
    let bodies: Vec<_> = seen.iter().map(|seen| String::from_utf8_lossy(&seen.body).into_owned()).collect();
    assert_eq!(
        bodies,
        [
            r#"{"source":{"system":"asset-db","revision":3},"reason":"moved","force":true}"#,
            r#"{"source":{"system":"asset-db","revision":3},"reason":"moved"}"#,
        ]
    );
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert_eq!(column(&desk.report(), "outcome"), ["accepted", "accepted"], "{}", ran.stdout);
}

#[test]
fn it_is_never_repeated_after_a_doubt() {
    let (desk, recorder) = answering(|seen, _| match seen.target.ends_with("/b") {
        true => Answer::json(202, "{}"),
        false => Answer::HangUp,
    });
    call(&desk, &recorder, &RUN).ended_with(5);
    assert_eq!(recorder.seen().len(), 2, "neither was sent again, and no read was tried");
    assert_eq!(column(&desk.report(), "outcome"), ["unknown", "unknown"]);
    assert!(desk.report()[1]["error_message"].contains("202"), "{:?}", desk.report());
    call(&desk, &recorder, &["resume", "--confirm=2", "--report=again.csv"]).ended_with(5);
    assert_eq!(recorder.seen().len(), 2, "nor by a resume");
}

#[test]
fn it_is_taken_up_again_from_the_journal_without_the_plan() {
    let (desk, recorder) = answering(|_, before| match before {
        0..=1 => Answer::json(403, r#"{"error":{"code":"Forbidden","message":"Not yet."}}"#),
        _ => Answer::no_content(),
    });
    call(&desk, &recorder, &RUN).ended_with(3);
    std::fs::remove_file(desk.path("plan.yaml")).unwrap();
    let report =
        run(desk.musterout(["report", "latest"]).env("XDG_STATE_HOME", desk.path("state"))).ended_with(0).stdout;
    assert_eq!(report.matches("tagDevice").count(), 2, "{report}");
    call(&desk, &recorder, &["resume", "--only", "failed", "--as-agreed", "--confirm=2", "--report=again.csv"])
        .ended_with(0);
    let seen = recorder.seen();
    let sorted = |seen: &[Seen]| {
        let mut sent: Vec<_> = seen.iter().map(|seen| (seen.line(), seen.body.clone())).collect();
        sent.sort();
        sent
    };
    assert_eq!(sorted(&seen[..2]), sorted(&seen[2..]), "the same requests");
}

#[test]
fn another_meaning_of_the_name_is_another_job() {
    let (desk, recorder) = answering(|_, _| Answer::no_content());
    call(&desk, &recorder, &RUN).ended_with(0);
    let once = ["run", "plan.yaml", "--once", "--report=once.csv", "--confirm"];
    call(&desk, &recorder, &[&once[..], &["0"]].concat()).ended_with(4);
    std::fs::write(desk.path("plan.yaml"), PLAN.replace("/tags/", "/labels/")).unwrap();
    call(&desk, &recorder, &[&once[..], &["2"]].concat()).ended_with(0);
    assert_eq!(recorder.seen().len(), 4, "done as tags is not done as labels");
}

const MEMBERS: &str = "
version: 1
name: members
actions:
  addToGroup:
    method: POST
    version: v1.0
    path: /groups/{groupId}/members/$ref
    body: { '@odata.id': 'https://graph.microsoft.com/v1.0/directoryObjects/{memberId}' }
  setPhoto:
    method: PUT
    version: beta
    path: /deviceManagement/managedDevices/{managedDeviceId}/photo
    body: { '@odata.type': '#microsoft.graph.photo', of: '{managedDeviceId}' }
    parameters: { '@odata.etag': text, text: text }
jobs:
  - action: addToGroup
    targets: { csv: members.csv }
  - action: setPhoto
    with: { '@odata.etag': W/1, text: '{managedDeviceId}' }
    targets: [ { managedDeviceId: 00000004-0000-4000-8000-000000000004 } ]
";
const LISTED: &str = "groupId,memberId\n\
                      00000009-0000-4000-8000-000000000009,00000001-0000-4000-8000-000000000001\n\
                      00000009-0000-4000-8000-000000000009,00000002-0000-4000-8000-000000000002\n";

#[test]
fn a_body_refers_to_the_ids_of_its_target_also_when_a_run_goes_on() {
    let desk = Desk::with(&[("plan.yaml", MEMBERS), ("members.csv", LISTED)]);
    let is_signed_in = Arc::new(AtomicBool::new(false));
    let signed_in = Arc::clone(&is_signed_in);
    let refused = r#"{"error":{"code":"InvalidAuthenticationToken","message":"x"}}"#;
    let recorder = Recorder::start(move |seen, _| match seen.line().starts_with("GET") {
        _ if !signed_in.load(Ordering::Relaxed) => Answer::json(401, refused),
        true => Answer::json(200, r#"{"id":"00000001-0000-4000-8000-000000000001"}"#),
        false => Answer::no_content(),
    });
    call(&desk, &recorder, &["run", "plan.yaml", "--confirm", "3", "--report=report.csv"]).ended_with(12);
    is_signed_in.store(true, Ordering::Relaxed);
    let before = recorder.seen().len();
    call(&desk, &recorder, &["resume", "--confirm", "3", "--report=report.csv"]).ended_with(0);
    let mut sent: Vec<_> = recorder.seen()[before..]
        .iter()
        .map(|seen| (seen.line(), String::from_utf8_lossy(&seen.body).into_owned()))
        .collect();
    sent.sort();
    let member = |number: usize| {
        let id = format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", guid(number));
        (format!("POST /v1.0/groups/{}/members/$ref", guid(9)), format!(r#"{{"@odata.id":"{id}"}}"#))
    };
    let photo = format!("PUT /beta/deviceManagement/managedDevices/{}/photo", guid(4));
    let body = r##"{"@odata.type":"#microsoft.graph.photo","of":"ID","@odata.etag":"W/1","text":"{managedDeviceId}"}"##;
    assert_eq!(sent, [member(1), member(2), (photo, body.replace("ID", &guid(4)))]);
    assert_eq!(column(&desk.report(), "target"), [guid(1), guid(2), guid(4)], "whom guards see");
}
