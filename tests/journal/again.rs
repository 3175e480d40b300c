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
    desk.call(&["resume"]).expect(3).says("has changed").says(removed).says(&added[0]);
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
    let (text, targets) = retires(&mut Rng::with_seed(33), 12);
    let plan = desk.write("plan.csv", &text);
    kill(under_way(&desk, &simulator, &plan, 12, &["--concurrency", "2"], 4));
    let before = rows(&desk.call(&["report"]).expect(0).out);
    let of = |rows: &[crate::outside::Row], outcome: &str| rows.iter().filter(|row| row.outcome == outcome).count();
    assert!(of(&before, "unknown") > 0 && of(&before, "not_attempted") > 0, "{before:?}");
    desk.call(&["resume", "--only", "unknown"]).expect(5);
    assert_eq!(of(&desk.report(), "unknown"), 0);
    assert_eq!(of(&desk.report(), "not_attempted"), of(&before, "not_attempted"));
    desk.call(&["resume", "--only", "failed"]).expect(5);
    // Settled in part, it is not what `--prune` may take.
    assert!(desk.call(&["runs", "--prune=0"]).expect(0).out.contains("removed 0 runs"));
    desk.call(&["resume", "--only", "not-attempted"]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted"; 12]);
    assert_eq!(effects(&simulator, "retire", &targets), [1; 12]);
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
    desk.call(&["resume"]).expect(3);
    assert_eq!(calls(&simulator, "retire", &targets), [1, 1]);
    desk.call(&["resume", "--only", "failed"]).expect(3);
    assert_eq!(outcomes(&desk.report()), ["failed", "accepted"]);
    desk.call(&["resume", "--only", "failed"]).expect(0);
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
    let child = desk.command(&["resume", "--only", "failed"]).spawn().unwrap();
    crate::outside::until("the second attempt", || simulator.requests() == 2);
    kill(child);
    assert_eq!(outcomes(&rows(&desk.call(&["report"]).expect(0).out)), ["unknown"]);
    desk.call(&["resume"]).expect(0);
    assert_eq!(outcomes(&desk.report()), ["accepted"]);
    assert_eq!((calls(&simulator, "retire", &targets), effects(&simulator, "retire", &targets)), (vec![2], vec![1]));
}

#[test]
fn another_tenant_is_refused() {
    let simulator = Simulator::start(QUICK);
    let mut desk = Desk::new(&simulator);
    let (text, targets) = retires(&mut Rng::with_seed(35), 30);
    let plan = desk.write("plan.csv", &text);
    kill(under_way(&desk, &simulator, &plan, 30, &["--concurrency", "1"], 2));
    let sent = calls(&simulator, "retire", &targets).iter().sum::<u64>();
    desk.tenant = "fabrikam.onmicrosoft.com";
    desk.call(&["resume"]).expect(10).says("contoso").says("fabrikam");
    assert_eq!(calls(&simulator, "retire", &targets).iter().sum::<u64>(), sent);
    desk.tenant = "contoso.onmicrosoft.com";
    desk.call(&["resume"]).expect(0);
    assert_eq!(effects(&simulator, "retire", &targets), [1; 30]);
}
