//! Somebody who is to be taken out of a group, and whom the group does not know: is he out of it already?
//!
//! In: the real binary, and a server that says 404. Out: rows, and what reached it.

use serde_json::json;

use crate::support::guid;
use crate::support::program::{Desk, Row, run};
use crate::support::recorder::{Answer, Recorder, Seen};

/// Takes member 2 out of group 1, which the service says it does not know; both are there, and `list` answers who is in it.
fn removed(list: fn(&Seen) -> Answer) -> Row {
    let recorder = Recorder::start(move |seen, _| match seen.method.as_str() {
        _ if seen.is_sign_in() => Answer::token("t"),
        "DELETE" => Answer::json(404, r#"{"error":{"code":"Request_ResourceNotFound","message":"No."}}"#),
        _ if seen.target.contains("/members?") => list(seen),
        _ => {
            let there = [1, 2].map(guid).into_iter().find(|id| seen.target.contains(id.as_str()));
            Answer::json(200, json!({ "id": there }).to_string())
        }
    });
    let text = format!("action,groupId,memberId\nremoveFromGroup,{},{}\n", guid(1), guid(2));
    let desk = Desk::with(&[("plan.csv", &text)]);
    let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--confirm", "1"]);
    run(command.args(recorder.flags()).env("MUSTEROUT_ACCESS_TOKEN", "t"));
    let deletes = recorder.to_graph().iter().filter(|seen| seen.method == "DELETE").count();
    assert_eq!(deletes, 1);
    desk.report().remove(0)
}

#[test]
fn a_list_that_may_not_be_read_does_not_show_that_somebody_is_out_of_the_group() {
    let row = removed(|_| Answer::json(403, r#"{"error":{"code":"Authorization_RequestDenied","message":"No."}}"#));
    assert_eq!(row["outcome"], "failed", "{row:?}");
    assert!(row["note"].contains("could not be read"), "{row:?}");
}

#[test]
fn a_list_without_him_shows_it_and_one_with_him_does_not() {
    let row = removed(|_| Answer::json(200, json!({ "value": [{ "id": guid(3) }] }).to_string()));
    assert_eq!(row["outcome"], "already_done", "{row:?}");
    let row = removed(|_| Answer::json(200, json!({ "value": [{ "id": guid(2) }] }).to_string()));
    assert_eq!(row["outcome"], "failed", "{row:?}");
}

/// The first of two pages, or the second, on which that member is.
fn page_of(seen: &Seen, member: usize) -> Answer {
    let is_first = !seen.target.contains("skiptoken");
    let next = format!("http://{}/v1.0/groups/g/members?$skiptoken=2", seen.header("host").unwrap());
    let member = if is_first { 3 } else { member };
    let next = Some(next).filter(|_| is_first);
    Answer::json(200, json!({ "value": [{ "id": guid(member) }], "@odata.nextLink": next }).to_string())
}

#[test]
fn a_list_that_goes_on_is_read_to_its_end() {
    let row = removed(|seen| page_of(seen, 2));
    assert_eq!(row["outcome"], "failed", "he is on the second page: {row:?}");
    let row = removed(|seen| page_of(seen, 4));
    assert_eq!(row["outcome"], "already_done", "{row:?}");
    let row = removed(|_| Answer::json(200, json!({ "value": [], "@odata.nextLink": 7 }).to_string()));
    assert_eq!(row["outcome"], "failed", "half a list is none: {row:?}");
    let row = removed(|_| Answer::json(200, json!({ "value": [{ "displayName": "B" }] }).to_string()));
    assert_eq!(row["outcome"], "failed", "a list without ids shows nobody: {row:?}");
}
