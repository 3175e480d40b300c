//! Users by name over the runs: names that move, and what versions have done that sent names as they stood.

use super::{QUICK, calls};
use crate::outside::{Desk, Simulator};

const ADA: &str = "20000001-0000-4000-8000-000000000001";
const EVE: &str = "20000002-0000-4000-8000-000000000002";
const DEVICE: &str = "10000001-0000-4000-8000-000000000001";
const ALL: &str = "removeAllDevicesFromManagement";

/// A tenant in which `ada@c.com` is the name of that account.
fn tenant(ada: &str, more: &str) -> String {
    let users = [ADA, EVE].map(|id| {
        let name = if id == ada { "ada@c.com".to_owned() } else { format!("was-{}@c.com", &id[..8]) };
        format!("  - {{ id: {id}, userPrincipalName: {name} }}\n")
    });
    format!(
        "{QUICK}only_listed: true\nautopilot: [ {{ id: {DEVICE}, serialNumber: SN-1 }} ]\nusers:\n{}{more}",
        users.concat()
    )
}

/// Makes the journal one of a version that sent names as they stood, and knew nobody behind them.
fn as_before(desk: &Desk<'_>) {
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    let rewrite = "UPDATE jobs SET job_id = n.written_id, ids = n.written, found_by = NULL, target_name = NULL,
            path = replace(path, json_extract(ids, '$[0]'), json_extract(n.written, '$[0]')),
            once = iif(once IS NULL, NULL, action || ' ' || lower(json_extract(n.written, '$[#-1]')))
        FROM names AS n WHERE n.run = jobs.run AND n.job = jobs.job;
        DELETE FROM names; DELETE FROM remembered; UPDATE runs SET remembered = 0;";
    journal.execute_batch(rewrite).unwrap();
}

fn both() -> [String; 2] {
    [ADA, EVE].map(str::to_owned)
}

/// What the report says of its only row.
fn row(desk: &Desk<'_>) -> (String, String) {
    let rows = desk.report();
    assert_eq!(rows.len(), 1);
    (rows[0].outcome.clone(), rows[0].note.clone())
}

#[test]
fn what_was_done_to_somebody_is_not_done_to_whoever_has_the_name_next() {
    let simulator = Simulator::start(&tenant(ADA, ""));
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.csv", "action,userPrincipalName\ndisableUser,ada@c.com\n");
    desk.run(&plan, 1, &["--once"]).expect(0);
    assert_eq!(calls(&simulator, "disableUser", &both()), [1, 0]);
    desk.run(&plan, 0, &["--once"]).expect(4);
    assert_eq!(row(&desk).0, "already_done");
    // The name goes to Eve, and she is another one: somebody has to say that she is meant.
    simulator.becomes(&tenant(EVE, ""));
    desk.run(&plan, 0, &["--once"]).expect(3);
    let (outcome, note) = row(&desk);
    assert!(outcome == "held" && both().iter().all(|id| note.contains(id.as_str())), "{note}");
    assert_eq!(calls(&simulator, "disableUser", &both()), [0, 0]);
    desk.run(&plan, 1, &["--once", "--again", "2"]).expect(0);
    assert_eq!((calls(&simulator, "disableUser", &both()), row(&desk).0), (vec![0, 1], "completed".into()));
    // Ada by her new name, or by her id, is who she was.
    for who in
        [format!("userPrincipalName\ndisableUser,was-{}@c.com\n", &ADA[..8]), format!("userId\ndisableUser,{ADA}\n")]
    {
        desk.write("plan.csv", &format!("action,{who}"));
        desk.run(&plan, 0, &["--once"]).expect(4);
        assert_eq!(row(&desk).0, "already_done");
    }
}

#[test]
fn what_an_older_version_did_to_a_name_is_held_until_somebody_says_again() {
    let simulator = Simulator::start(&tenant(ADA, ""));
    let desk = Desk::new(&simulator);
    let plan = desk.write("plan.csv", "action,userPrincipalName\ndisableUser,ada@c.com\n");
    desk.run(&plan, 1, &["--once"]).expect(0);
    as_before(&desk);
    desk.run(&plan, 0, &["--once"]).expect(3);
    let (outcome, note) = row(&desk);
    assert_eq!(outcome, "held");
    assert!(note.contains("for the user ada@c.com, by name") && note.contains("--again 2"), "{note}");
    assert_eq!(calls(&simulator, "disableUser", &both()), [1, 0]);
    desk.run(&plan, 1, &["--once", "--again", "2"]).expect(0);
    assert_eq!(calls(&simulator, "disableUser", &both()), [2, 0]);
    desk.run(&plan, 0, &["--once"]).expect(4);
    assert_eq!(row(&desk).0, "already_done", "now it is recorded who it was");
}

#[test]
fn what_may_not_be_repeated_is_known_by_its_name_in_every_plan() {
    let simulator = Simulator::start(&tenant(ADA, ""));
    let desk = Desk::new(&simulator);
    let text = format!("action,userPrincipalName\n{ALL},Ada@C.com\n");
    desk.run(&desk.write("first.csv", &text), 1, &[]).expect(0);
    desk.run(&desk.write("second.csv", &text), 0, &[]).expect(4);
    assert_eq!(row(&desk).0, "already_done");
    as_before(&desk);
    let third = desk.write("third.csv", &text);
    desk.run(&third, 0, &[]);
    assert_eq!(row(&desk).0, "held");
    assert_eq!(calls(&simulator, ALL, &both()), [1, 0]);
    // Pruned, it is still known.
    desk.call(&["runs", "--prune=0"]).expect(0);
    desk.run(&third, 0, &[]);
    assert_eq!(row(&desk).0, "held");
    desk.run(&third, 1, &["--again", "all"]).expect(0);
    assert_eq!(calls(&simulator, ALL, &both()), [2, 0]);
}

/// A run of that plan by a version that sent names, that ended before its attempt left, or before the answer came.
fn begun_before(desk: &Desk<'_>, text: &str, sent: bool) {
    let plan = desk.write("plan.csv", text);
    desk.run(&plan, 1, &[]).expect(0);
    as_before(desk);
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    let attempts = if sent { "UPDATE attempts SET verdict = NULL, answered_at = NULL" } else { "DELETE FROM attempts" };
    journal
        .execute_batch(&format!("DELETE FROM outcomes; {attempts}; UPDATE runs SET state = 'interrupted';"))
        .unwrap();
}

fn of_journal(desk: &Desk<'_>, what: &str) -> String {
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    journal.query_row(&format!("SELECT {what} FROM jobs"), [], |row| row.get(0)).unwrap()
}

#[test]
fn a_run_of_before_goes_on_to_the_ids_under_the_name_that_it_knows_its_jobs_by() {
    for action in ["disableUser", ALL] {
        let simulator = Simulator::start(&tenant(ADA, ""));
        let desk = Desk::new(&simulator);
        begun_before(&desk, &format!("action,userPrincipalName\n{action},ada@c.com\n"), false);
        let known_by = of_journal(&desk, "job_id");
        simulator.becomes(&tenant(EVE, ""));
        desk.resume(&[]).expect(0);
        assert_eq!(calls(&simulator, action, &both()), [0, 1], "{action}: to the id of who has the name");
        assert_eq!((of_journal(&desk, "job_id"), desk.report()[0].target.as_str()), (known_by, EVE));
        assert_eq!(of_journal(&desk, "path || ids").matches(EVE).count(), 2);
        // It goes on being that run, and a later one knows what it has done, and to whom.
        desk.resume(&[]).expect(0);
        desk.run(&desk.path("plan.csv"), 0, &["--once"]).expect(4);
        simulator.becomes(&tenant(ADA, ""));
        desk.run(&desk.path("plan.csv"), 1, &["--once"]).expect(0);
        assert_eq!(calls(&simulator, action, &both()), [1, 0], "{action}: Ada has the name again");
    }
}

/// A run of before, and one of today that has done the same since: they are one job, by whatever name each knows it.
#[test]
fn a_run_of_before_knows_what_a_later_one_has_done_and_to_whom() {
    for action in ["disableUser", ALL] {
        let simulator = Simulator::start(&tenant(ADA, ""));
        let desk = Desk::new(&simulator);
        begun_before(&desk, &format!("action,userPrincipalName\n{action},ada@c.com\n"), false);
        simulator.becomes(&tenant(ADA, ""));
        desk.run(&desk.path("plan.csv"), 1, &["--once"]).expect(0);
        let journal = rusqlite::Connection::open(desk.journal()).unwrap();
        let first: String = journal.query_row("SELECT run_id FROM runs ORDER BY run", [], |row| row.get(0)).unwrap();
        drop(journal);
        desk.call(&["resume", &first]).expect(0);
        assert_eq!(row(&desk).0, "already_done", "{action}");
        assert_eq!(calls(&simulator, action, &both()), [1, 0], "{action}");
    }
}

#[test]
fn a_run_of_before_holds_whom_no_name_leads_to() {
    let simulator = Simulator::start(&tenant(ADA, ""));
    let desk = Desk::new(&simulator);
    begun_before(&desk, "action,userPrincipalName\ndisableUser,ada@c.com\n", false);
    simulator.becomes(&tenant("nobody", ""));
    desk.resume(&[]).expect(3);
    assert_eq!(row(&desk).0, "held");
    assert!(row(&desk).1.contains("no user has the name ada@c.com any more"), "{}", row(&desk).1);
    assert_eq!(calls(&simulator, "disableUser", &both()), [0, 0]);
}

#[test]
fn what_a_run_of_before_has_left_in_doubt_stays_a_doubt_about_whoever_had_the_name() {
    let simulator = Simulator::start(&tenant(ADA, ""));
    let desk = Desk::new(&simulator);
    begun_before(&desk, &format!("action,userPrincipalName\n{ALL},ada@c.com\n"), true);
    simulator.becomes(&tenant(EVE, ""));
    let resumed = desk.resume(&[]);
    resumed.expect(5).says("left-as-it-is").says("it was sent to the user ada@c.com, by name");
    assert_eq!(row(&desk).0, "unknown");
    assert_eq!(calls(&simulator, ALL, &both()), [0, 0]);
    let plan = desk.path("plan.csv");
    desk.run(&plan, 0, &[]);
    assert_eq!(row(&desk).0, "held", "a new run knows of the doubt too");
    // What may be repeated harms nobody who is meant.
    let desk = Desk::new(&simulator);
    simulator.becomes(&tenant(ADA, ""));
    begun_before(&desk, "action,userPrincipalName\ndisableUser,ada@c.com\n", true);
    desk.resume(&[]).expect(0);
    assert_eq!(calls(&simulator, "disableUser", &both()), [2, 0]);
}

#[test]
fn whose_a_name_in_a_body_was_counts_as_well() {
    let simulator = Simulator::start(&tenant(ADA, ""));
    let desk = Desk::new(&simulator);
    let text = format!("action,id,with.userPrincipalName\nassignUserToDevice,{DEVICE},ada@c.com\n");
    let plan = desk.write("plan.csv", &text);
    let device = [DEVICE.to_owned()];
    desk.run(&plan, 1, &["--once"]).expect(0);
    desk.run(&plan, 0, &["--once"]).expect(4);
    simulator.becomes(&tenant(EVE, ""));
    desk.run(&plan, 1, &["--once"]).expect(0);
    assert_eq!((calls(&simulator, "assignUserToDevice", &device), row(&desk).0), (vec![1], "accepted".into()));
    as_before(&desk);
    desk.run(&plan, 0, &["--once"]).expect(3);
    assert_eq!(row(&desk).0, "held", "nobody knows any more who that was");
    // A run that goes on asks again whose the name is.
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    journal.execute_batch("DELETE FROM runs").unwrap();
    desk.run(&plan, 1, &[]).expect(0);
    let back = "DELETE FROM outcomes; DELETE FROM attempts; UPDATE runs SET state = 'interrupted'";
    journal.execute_batch(back).unwrap();
    simulator.becomes(&tenant(ADA, ""));
    desk.resume(&[]).expect(3);
    assert!(row(&desk).1.contains("ada@c.com now belongs to another account"), "{:?}", row(&desk));
    assert_eq!(calls(&simulator, "assignUserToDevice", &device), [0]);
}

#[test]
fn what_an_older_version_did_to_a_name_is_held_for_whoever_has_it_by_id() {
    let simulator = Simulator::start(&tenant(ADA, ""));
    let desk = Desk::new(&simulator);
    let text = format!("action,userPrincipalName\n{ALL},Ada@C.com\n");
    desk.run(&desk.write("first.csv", &text), 1, &[]).expect(0);
    as_before(&desk);
    let by_id = desk.write("by-id.csv", &format!("action,userId\n{ALL},{ADA}\n{ALL},{EVE}\n"));
    // A preview reads nothing for it, so that its number is good as well.
    desk.run(&by_id, 2, &[]).expect(3);
    let rows = desk.report();
    assert_eq!((&*rows[0].outcome, &*rows[1].outcome), ("held", "accepted"));
    assert!(rows[0].note.contains("for the user ada@c.com, by name"), "{}", rows[0].note);
    assert_eq!(calls(&simulator, ALL, &both()), [1, 1]);
    // Pruned, it is still known, and so is a doubt.
    desk.call(&["runs", "--prune=0"]).expect(0);
    let alone = desk.write("alone.csv", &format!("action,userId\n{ALL},{ADA}\n"));
    desk.run(&alone, 0, &[]).expect(3);
    assert_eq!(row(&desk).0, "held");
    desk.run(&alone, 1, &["--again", "2"]).expect(0);
    assert_eq!(calls(&simulator, ALL, &both()), [2, 1]);
    desk.run(&alone, 0, &[]).expect(4);
    assert_eq!(row(&desk).0, "already_done", "now it is recorded who it was");
}

#[test]
fn a_doubt_of_an_older_version_about_a_name_is_held_for_whoever_has_it_by_id() {
    let simulator = Simulator::start(&tenant(ADA, ""));
    let desk = Desk::new(&simulator);
    begun_before(&desk, &format!("action,userPrincipalName\n{ALL},ada@c.com\n"), true);
    let alone = desk.write("alone.csv", &format!("action,userId\n{ALL},{ADA}\n"));
    desk.run(&alone, 0, &[]).expect(3);
    let (outcome, note) = row(&desk);
    assert_eq!(outcome, "held");
    assert!(note.contains("with an unknown effect"), "{note}");
    assert_eq!(calls(&simulator, ALL, &both()), [1, 0]);
    // Where nobody may ask what the users are called, all of them may be who was meant.
    simulator.becomes(&tenant(ADA, "sign_in: { roles: [DeviceManagementManagedDevices.PrivilegedOperations.All, DeviceManagementManagedDevices.ReadWrite.All] }\n"));
    desk.run(&desk.write("eve.csv", &format!("action,userId\n{ALL},{EVE}\n")), 0, &[]).expect(3);
    assert!(row(&desk).1.contains("could not be read"), "{}", row(&desk).1);
    assert_eq!(calls(&simulator, ALL, &both()), [0, 0]);
}
