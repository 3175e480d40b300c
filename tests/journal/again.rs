//! Going on: with a plan that has changed, with some of the jobs, with the wrong tenant.

use fastrand::Rng;

use super::{QUICK, SLOW, calls, effects, in_order, kill, under_way};
use crate::outside::{Desk, Simulator, outcomes, retires, rows};

#[test]
fn what_goes_on_is_what_was_begun() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(31), 10);
    let (more, added) = retires(&mut Rng::with_seed(32), 1);
    let plan = desk.write("plan.csv", &text);
    kill(under_way(&desk, &simulator, &plan, 10, &["--concurrency", "1"], 2));
    let removed = targets.last().unwrap();
    let edited = text.replace(&format!("retire,{removed}\n"), more.split_once('\n').unwrap().1);
    desk.write("plan.csv", &edited);
    desk.resume(&[]).expect(3).says("has changed").says(removed).says(&added[0]);
    in_order(&desk.report(), &targets);
    assert_eq!(outcomes(&desk.report())[9], "held", "what was taken out of the plan is not sent");
    assert_eq!(effects(&simulator, "retire", &targets[..9]), [1; 9]);
    assert_eq!(calls(&simulator, "retire", &targets[9..]), [0]);
    assert_eq!(calls(&simulator, "retire", &added), [0]);
}

#[test]
fn one_class_of_jobs_goes_on_and_the_others_stay() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(33), 30);
    let plan = desk.write("plan.csv", &text);
    kill(under_way(&desk, &simulator, &plan, 30, &["--concurrency", "2"], 4));
    let before = rows(&desk.call(&["report"]).expect(0).out);
    let of = |rows: &[crate::outside::Row], outcome: &str| rows.iter().filter(|row| row.outcome == outcome).count();
    assert!(of(&before, "unknown") > 0 && of(&before, "not_attempted") > 0, "{before:?}");
    desk.resume(&["--only", "unknown"]).expect(5);
    assert_eq!(of(&desk.report(), "unknown"), 0);
    assert_eq!(of(&desk.report(), "not_attempted"), of(&before, "not_attempted"));
    desk.resume(&["--only", "failed"]).expect(5);
    // Settled in part, it is not what `--prune` may take.
    assert!(desk.call(&["runs", "--prune=0"]).expect(0).out.contains("removed 0 runs"));
    desk.resume(&["--only", "not-attempted"]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted"; 30]);
    assert_eq!(effects(&simulator, "retire", &targets), [1; 30]);
}

#[test]
fn what_was_refused_is_sent_again_on_demand_only() {
    let simulator = Simulator::start(
        "
log: off
throttle: off
faults:
  - on: { method: POST, calls: [1, 2], target: 00000001-0000-4000-8000-000000000001 }
    do: { status: { code: 403, error_code: Forbidden } }
",
    );
    let desk = Desk::new(&simulator);
    let targets = ["00000001-0000-4000-8000-000000000001", "00000001-0000-4000-8000-000000000002"].map(str::to_owned);
    let text = format!("action,managedDeviceId\nretire,{}\nretire,{}\n", targets[0], targets[1]);
    let plan = desk.write("plan.csv", &text);
    desk.run(&plan, 2, &[]).expect(3);
    desk.resume(&[]).expect(3);
    assert_eq!(calls(&simulator, "retire", &targets), [1, 1]);
    desk.resume(&["--only", "failed"]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["failed", "accepted"]);
    desk.resume(&["--only", "failed"]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted", "accepted"]);
    assert_eq!(calls(&simulator, "retire", &targets), [3, 1]);
    // Nothing was ever in doubt, so that nothing had to be read.
    assert_eq!(simulator.counts()["reads"], 0);
}

/// A job that failed and is sent again is in doubt until that attempt is answered, whatever it was called before.
#[test]
fn a_failed_job_that_is_under_way_again_is_not_called_failed() {
    let simulator = Simulator::start(
        "
log: off
throttle: off
faults:
  - on: { method: POST, calls: [1] }
    do: { status: { code: 403, error_code: Forbidden } }
  - on: { method: POST, calls: [2] }
    do: { delay: 10s }
",
    );
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(34), 1);
    let plan = desk.write("plan.csv", &text);
    desk.run(&plan, 1, &[]).expect(3);
    let child = desk.command(&["resume", "--only", "failed", "--confirm", "1"]).spawn().unwrap();
    crate::outside::until("the second attempt", || simulator.requests() == 2);
    kill(child);
    assert_eq!(outcomes(&rows(&desk.call(&["report"]).expect(0).out)), ["unknown"]);
    desk.resume(&[]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted"]);
    assert_eq!((calls(&simulator, "retire", &targets), effects(&simulator, "retire", &targets)), (vec![2], vec![1]));
}

#[test]
fn another_tenant_is_refused() {
    let id = "5d0f1d1e-6c55-4f0e-9b1c-51a1a7ed0001";
    let domains = "domains: [ contoso.onmicrosoft.com ]";
    let simulator = Simulator::start(&format!("{QUICK}\ntenant: {{ id: {id}, {domains} }}\n"));
    let mut desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(35), 30);
    let plan = desk.write("plan.csv", &text);
    kill(under_way(&desk, &simulator, &plan, 30, &["--concurrency", "1"], 2));
    let sent = calls(&simulator, "retire", &targets).iter().sum::<u64>();
    desk.tenant = "fabrikam.onmicrosoft.com";
    desk.resume(&[]).expect(12).says("fabrikam");
    assert_eq!(calls(&simulator, "retire", &targets).iter().sum::<u64>(), sent);
    desk.tenant = "contoso.onmicrosoft.com";
    desk.resume(&[]).expect(0);
    assert_eq!(effects(&simulator, "retire", &targets), [1; 30]);
}

#[test]
fn what_waits_for_an_approval_is_not_filed_a_second_time() {
    let simulator = Simulator::start("log: off\nthrottle: off\napprovals: { actions: [retire] }\n");
    let desk = Desk::new(&simulator);
    let target = "00000001-0000-4000-8000-000000000001".to_owned();
    let jobs = format!("jobs: [{{ action: retire, targets: [{{ managedDeviceId: {target} }}] }}]");
    let plan = desk.write("plan.yaml", &format!("version: 1\njustification: CHG0012345\n{jobs}\n"));
    desk.run(&plan, 1, &[]).expect(5);
    desk.run(&plan, 1, &[]).expect(10).says("would be filed a second time").says("musterout resume").says("--once");
    desk.run(&plan, 1, &["--again", "all"]).expect(10);
    desk.run(&plan, 1, &["--once"]).expect(5);
    assert_eq!(outcomes(&desk.report()), ["awaiting_approval"]);
    assert_eq!(calls(&simulator, "retire", &[target]), [1]);
}

#[test]
fn what_may_not_be_repeated_is_known_whatever_plan_asked_for_it() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(36), 3);
    let plan = desk.write("plan.csv", &text);
    desk.run(&plan, 3, &[]).expect(0);
    // Moved, renamed, in other words, with another device.
    std::fs::create_dir(desk.path("elsewhere")).unwrap();
    let (more, added) = retires(&mut Rng::with_seed(37), 1);
    let copy = desk.write("elsewhere/copy.csv", &format!("{text}{}", more.split_once('\n').unwrap().1));
    let listed: String = targets.iter().map(|id| format!("  - managedDeviceId: {}\n", id.to_uppercase())).collect();
    let jobs = format!("jobs:\n- action: retire\n  targets:\n{listed}");
    let yaml = desk.write("named.yaml", &format!("version: 1\nname: another\n{jobs}"));
    assert!(desk.call(&["preview", "elsewhere/copy.csv"]).expect(0).out.contains("done by an earlier run"));
    desk.run(&copy, 1, &[]).expect(0).says("3 jobs skipped, already done by run");
    assert_eq!(outcomes(&desk.report()), ["already_done", "already_done", "already_done", "accepted"]);
    desk.run(&yaml, 3, &[]).expect(4);
    // Pruned runs are remembered.
    desk.call(&["runs", "--prune=0"]).expect(0);
    desk.run(&yaml, 3, &[]).expect(4);
    assert_eq!(effects(&simulator, "retire", &targets), [1; 3]);
    assert_eq!(effects(&simulator, "retire", &added), [1]);
    // What is named is sent again, and nothing else.
    desk.run(&yaml, 3, &["--again", "2"]).expect(10).says("but 1 job");
    desk.run(&yaml, 1, &["--again", "9"]).expect(2).says("the plan has no row 9");
    desk.run(&yaml, 1, &["--again", "2", "--once"]).expect(0);
    assert_eq!(effects(&simulator, "retire", &targets), [1, 2, 1]);
}

/// A doubt goes with the deed: from plan to plan, through runs that could not read, until a read tells.
#[test]
fn a_doubt_goes_with_the_deed_from_run_to_run() {
    let simulator = Simulator::start(
        "
log: off
throttle: off
faults:
  - on: { method: POST, calls: [1], target: 00000001-0000-4000-8000-000000000001 }
    do: drop_reply
  - on: { method: GET, limit: 4 }
    do: { status: { code: 403, error_code: Forbidden } }
",
    );
    let desk = Desk::new(&simulator);
    let target = ["00000001-0000-4000-8000-000000000001".to_owned()];
    let plan = desk.write("plan.csv", &format!("action,managedDeviceId\nretire,{}\n", target[0]));
    let copy = desk.write("copy.csv", &format!("action,managedDeviceId,note\nretire,{},again\n", target[0]));
    desk.run(&plan, 1, &[]).expect(5);
    desk.run(&copy, 1, &[]).expect(5);
    desk.run(&plan, 1, &["--once"]).expect(5);
    // It may be named: it is read all the same.
    desk.run(&copy, 1, &["--again", "all"]).expect(5);
    assert_eq!(outcomes(&desk.report()), ["unknown"]);
    desk.run(&plan, 1, &[]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted"]);
    desk.run(&copy, 1, &[]).expect(4);
    assert_eq!((calls(&simulator, "retire", &target), effects(&simulator, "retire", &target)), (vec![1], vec![1]));
}

/// The address is part of what is known: a run that went on elsewhere would be taken for done here.
#[test]
fn a_run_goes_on_at_the_graph_it_was_begun_at() {
    let (here, elsewhere) = (Simulator::start(QUICK), Simulator::start(QUICK));
    let desk = Desk::new(&here);
    let (text, targets) = retires(&mut Rng::with_seed(38), 2);
    let plan = desk.write("plan.csv", &text);
    kill(under_way(&desk, &here, &plan, 2, &["--concurrency", "1"], 1));
    let run = desk.open_run();
    for verb in ["resume", "verify"] {
        desk.call(&[verb, &run, "--graph-url", &elsewhere.url]).expect(10).says("the run began against");
    }
    assert_eq!(elsewhere.requests(), 0);
    desk.resume(&["--report", "report.csv"]).expect(0);
    assert_eq!(effects(&here, "retire", &targets), [1; 2]);
}

/// A read that its gate puts off is waited for, also where nothing else is left to do.
#[test]
fn a_row_that_is_looked_at_first_is_sent_though_the_reads_are_busy() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, _) = retires(&mut Rng::with_seed(39), 3);
    let before = desk.write("before.csv", &text);
    desk.run(&before, 3, &[]).expect(0);
    let user = "22222222-0000-4000-8000-000000000001";
    let jobs = format!("jobs: [{{ action: removeAllDevicesFromManagement, targets: [{{ userId: {user} }}] }}]");
    desk.write("plan.yaml", &format!("version: 1\n{jobs}\nguards: {{ protected: [LAB-01] }}\n"));
    desk.call(&["run", "plan.yaml", "--confirm", "1", "--report", "report.csv"]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted"]);
}

/// Where all that is left is held today, the report says why.
#[cfg(unix)]
#[test]
fn a_resumed_run_of_which_all_is_held_says_why() {
    let simulator = Simulator::start("log: off\nthrottle: off\nlatency: 200ms\n");
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(40), 8);
    let plan = desk.write("plan.csv", &text);
    desk.write("lab.yaml", &format!("version: 1\nguards: {{ protected: [{}] }}\n", targets.join(", ")));
    let mut child = under_way(&desk, &simulator, &plan, 8, &["--concurrency", "1"], 3);
    let process = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGINT).unwrap();
    child.wait().unwrap();
    desk.resume(&["--policy", "lab.yaml", "--report", "report.csv"]).expect(3);
    let report = desk.report();
    assert_eq!(report[7].outcome, "held", "{report:?}");
    assert!(report[7].note.contains("protected"), "{report:?}");
}

/// It is done only once, and what was done is not quite what is asked for now: whoever reads the report has to see that.
#[test]
fn what_was_done_with_other_parameters_says_so() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (_, targets) = retires(&mut Rng::with_seed(72), 1);
    let plan = |keep: &str| format!("action,managedDeviceId,with.keepUserData\nwipe,{},{keep}\n", targets[0]);
    let keeping = desk.write("keeping.csv", &plan("true"));
    desk.run(&keeping, 1, &[]).expect(0);
    let says_otherwise = |plan: &std::path::Path| {
        desk.run(plan, 0, &[]).expect(4);
        assert_eq!(outcomes(&desk.report()), ["already_done"]);
        desk.report()[0].note.contains("with other parameters")
    };
    assert!(says_otherwise(&desk.write("all.csv", &plan("false"))));
    assert!(!says_otherwise(&keeping));
    desk.call(&["runs", "--prune=0"]).expect(0);
    assert!(says_otherwise(&desk.write("all.csv", &plan("false"))));
    assert!(!says_otherwise(&keeping));
    assert_eq!(effects(&simulator, "wipe", &targets), [1]);
}

/// A night takes over what was turned down, and somebody has it sent by that run. It is done then, for every plan.
#[test]
fn what_was_turned_down_and_sent_later_is_done() {
    let rejecting = "log: off\nthrottle: off\napprovals: { actions: [retire], decisions: [ { do: reject } ] }\n";
    let simulator = Simulator::start(rejecting);
    let desk = Desk::new(&simulator);
    let (_, targets) = retires(&mut Rng::with_seed(73), 2);
    let text = |targets: &[String]| {
        let listed: String = targets.iter().map(|id| format!("{{ managedDeviceId: {id} }}, ")).collect();
        format!("version: 1\njustification: CHG0012345\njobs: [ {{ action: retire, targets: [ {listed} ] }} ]\n")
    };
    let first = desk.write("plan.yaml", &text(&targets[..1]));
    desk.run(&first, 1, &[]).expect(5);
    desk.resume(&[]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["failed"]);
    // A night on which something has failed is not one on which everything was done before.
    desk.run(&first, 0, &["--once"]).expect(3);
    simulator.becomes(QUICK);
    let plan = desk.write("plan.yaml", &text(&targets));
    desk.run(&plan, 1, &["--once"]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["failed", "accepted"]);
    desk.resume(&["--only", "failed", "--confirm", "1"]).expect(0);
    desk.run(&plan, 0, &[]).expect(4);
    assert_eq!(outcomes(&desk.report()), ["already_done"; 2]);
    assert_eq!(effects(&simulator, "retire", &targets), [1, 1]);
}

/// Nobody is asked a second time for what somebody has turned down, because the run is gone in which that happened.
#[test]
fn what_was_turned_down_stays_so_when_its_run_is_pruned() {
    let rejecting = "log: off\nthrottle: off\napprovals: { actions: [retire], decisions: [ { do: reject } ] }\n";
    let simulator = Simulator::start(rejecting);
    let desk = Desk::new(&simulator);
    let (_, targets) = retires(&mut Rng::with_seed(75), 1);
    let text =
        "version: 1\njustification: CHG0012345\njobs: [ { action: retire, targets: [ { managedDeviceId: ID } ] } ]\n";
    let plan = desk.write("plan.yaml", &text.replace("ID", &targets[0]));
    desk.run(&plan, 1, &[]).expect(5);
    desk.call(&["resume", "--confirm", "1"]).expect(3);
    assert!(desk.call(&["runs", "--prune=0"]).expect(0).out.contains("removed 1 run"));
    for _ in 0..2 {
        desk.run(&plan, 0, &["--once"]).expect(3);
        assert_eq!(outcomes(&desk.report()), ["failed"]);
        assert!(desk.report()[0].note.contains("rejected"), "{:?}", desk.report());
        desk.call(&["runs", "--prune=0"]).expect(0);
    }
    assert_eq!(calls(&simulator, "retire", &targets), [1], "filed once");
}

/// The leader's laptop goes onto the list after Ctrl-C; then the plan has a fault, and then it is gone.
#[test]
fn what_goes_on_keeps_to_the_plan_as_it_is_now_too() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (_, targets) = retires(&mut Rng::with_seed(74), 12);
    let text = |guards: &str| {
        let listed: String = targets.iter().map(|id| format!("{{ managedDeviceId: {id} }}, ")).collect();
        format!("version: 1\njobs: [ {{ action: retire, targets: [ {listed} ] }} ]\n{guards}")
    };
    let plan = desk.write("plan.yaml", &text(""));
    kill(under_way(&desk, &simulator, &plan, 12, &["--concurrency", "1"], 2));
    let sent = || calls(&simulator, "retire", &targets).iter().sum::<u64>();
    let before = sent();
    desk.write("plan.yaml", &text("guards: { protected: [ nobody@ ] }\n"));
    desk.resume(&[]).expect(10).says("plan.yaml").says("--as-agreed");
    std::fs::remove_file(&plan).unwrap();
    desk.resume(&[]).expect(10).says("--as-agreed");
    desk.write("plan.yaml", &text("guards: { deny_actions: [ retire ] }\n"));
    desk.resume(&[]).expect(3);
    let report = desk.report();
    assert!(report[11].outcome == "held" && report[11].note.contains("retire is denied"), "{report:?}");
    assert_eq!(sent(), before);
    desk.write("plan.yaml", &text(&format!("guards: {{ protected: [ {} ] }}\n", targets[11])));
    desk.resume(&[]).expect(3).says("has changed");
    assert_eq!(outcomes(&desk.report())[11], "held", "{:?}", desk.report());
    assert_eq!(effects(&simulator, "retire", &targets[..11]), [1; 11]);
    assert_eq!(effects(&simulator, "retire", &targets[11..]), [0]);
}

#[test]
fn a_plan_that_is_gone_is_no_reason_to_stop_for_whoever_says_so() {
    let simulator = Simulator::start(SLOW);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(75), 4);
    let plan = desk.write("plan.csv", &text);
    kill(under_way(&desk, &simulator, &plan, 4, &["--concurrency", "1"], 2));
    std::fs::remove_file(&plan).unwrap();
    desk.resume(&["--as-agreed"]).expect(0);
    assert_eq!(effects(&simulator, "retire", &targets), [1; 4]);
}

/// Somebody has approved it, and the policy denies the action by now.
#[test]
fn what_was_approved_keeps_to_the_policy_of_now() {
    let approving = "log: off\nthrottle: off\napprovals: { actions: [retire], decisions: [ { do: approve } ] }\n";
    let simulator = Simulator::start(approving);
    let desk = Desk::new(&simulator);
    let (_, targets) = retires(&mut Rng::with_seed(76), 1);
    let jobs = format!("jobs: [ {{ action: retire, targets: [ {{ managedDeviceId: {} }} ] }} ]", targets[0]);
    let plan = desk.write("plan.yaml", &format!("version: 1\njustification: CHG0012345\n{jobs}\n"));
    desk.run(&plan, 1, &[]).expect(5);
    desk.write("policy.yaml", "version: 1\nguards: { deny_actions: [ retire ] }\n");
    desk.resume(&["--policy", "policy.yaml"]).expect(5).says("deny_actions");
    desk.run(&plan, 1, &["--once", "--policy", "policy.yaml"]).expect(10).says("deny_actions");
    assert_eq!(effects(&simulator, "retire", &targets), [0]);
    desk.resume(&[]).expect(0);
    assert_eq!(effects(&simulator, "retire", &targets), [1]);
}

/// Somebody who can write the journal has put another address for the sign-in into it.
#[test]
fn a_service_that_only_the_journal_names_gets_no_secret() {
    let simulator = Simulator::start(QUICK);
    let desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(78), 2);
    let (_, rest) = text.split_once('\n').unwrap();
    let listed = rest.lines().map(|line| format!("{line},\n")).collect::<String>().replacen(",\n", ",2126-01-01\n", 1);
    let plan = desk.write("plan.csv", &format!("action,managedDeviceId,notBefore\n{listed}"));
    desk.run(&plan, 1, &[]).expect(5);
    let journal = rusqlite::Connection::open(desk.journal()).unwrap();
    let forge = "UPDATE runs SET settings = json_set(settings, '$.login_url', 'https://sign-in.example')";
    journal.execute_batch(forge).unwrap();
    drop(journal);
    let id = desk.open_run();
    for verb in [&["resume", &id][..], &["verify", "latest"], &["approvals", "latest", "--withdraw"]] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_musterout"));
        command.args(verb).arg("--state-dir").arg(desk.state()).current_dir(desk.path("."));
        command.env("AZURE_TENANT_ID", "contoso.com").env("AZURE_CLIENT_ID", "c").env("AZURE_CLIENT_SECRET", "s");
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(10), "{verb:?}: {said}");
        assert!(said.contains("only the journal names these addresses") && said.contains("sign-in.example"), "{said}");
    }
    assert_eq!(calls(&simulator, "retire", &targets).iter().sum::<u64>(), 1);
}
