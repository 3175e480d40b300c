//! Histories that went wrong once, told in full.
//!
//! In: scripts written by hand. Out: nothing, or the promise that one breaks. Each is the smallest history of its kind, so
//! that a fault that comes back is found at once and by its name.

use super::judge::Broken;
use super::play::play;
use super::script::{Act, Again, By, Fault, Kill, Only, Plan, Policy, Repeats, Row, Script, Step, Verb, Wrong};

const NOTHING_NAMED: Repeats = Repeats { once: false, again: Again::Nothing };
const ONCE: Repeats = Repeats { once: true, again: Again::Nothing };

/// A world with one device, and with as many plans that wipe it as there are names.
fn world(names: &[Option<&'static str>]) -> Script {
    let row = Row { action: "wipe", device: 0, by: By::Id };
    let plans = names.iter().zip(0..).map(|(name, number)| Plan {
        name: *name,
        file: format!("plan-{number}.yaml"),
        rows: vec![row.clone()],
        missing: None,
        protected: Vec::new(),
    });
    Script {
        seed: 1,
        settling: 60,
        max_attempts: 5,
        concurrency: 1,
        devices: 3,
        users: 2,
        plans: plans.collect(),
        faults: Vec::new(),
        steps: Vec::new(),
    }
}

fn act(verb: Verb) -> Act {
    Act { verb, kill: None, stop: None }
}

fn run(plan: usize) -> Act {
    act(Verb::Run { plan, repeats: NOTHING_NAMED })
}

fn once(plan: usize) -> Act {
    act(Verb::Run { plan, repeats: ONCE })
}

fn resume(run: usize) -> Act {
    act(Verb::Resume { run: Some(run), only: Only::Open })
}

fn killed(act: Act, ms: u32) -> Step {
    Step::One(Act { kill: Some(Kill::After(ms)), ..act })
}

/// What becomes of the wipes, one after the other.
fn wipes(faults: &[(Wrong, Option<u16>)]) -> Vec<Fault> {
    let fault = |((goes, late), nth): (&(Wrong, Option<u16>), u32)| Fault {
        action: Some("wipe"),
        device: 0,
        nth,
        goes: goes.clone(),
        late: *late,
    };
    faults.iter().zip(1..).map(fault).collect()
}

fn answered(status: u16, after: bool, wait: Option<u16>) -> Wrong {
    Wrong::Answer { status, after, wait, html: false }
}

/// Plays it, and gives what went over the wire.
fn holds(script: Script, steps: Vec<Step>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let script = Script { steps, ..script };
    let (broken, told) = play(&script, folder.path());
    if let Some(Broken { promise, how }) = broken {
        panic!("{promise}: {how}\n{script}{told}");
    }
    told
}

fn happened(told: &str) -> usize {
    told.matches("HAPPENS").count()
}

/// The first wipe is refused by a gateway, a read shows none, the second is lost on the way back and shows late.
fn twice_in_doubt() -> Vec<Fault> {
    wipes(&[(answered(502, false, None), None), (Wrong::Lost { after: true }, Some(50))])
}

#[test]
fn a_doubt_is_as_young_as_its_newest_attempt_for_once() {
    let script = Script { faults: twice_in_doubt(), ..world(&[None]) };
    let told = holds(script, vec![killed(once(0), 61_000), Step::One(once(0))]);
    assert_eq!(happened(&told), 1, "{told}");
}

#[test]
fn a_doubt_is_as_young_as_its_newest_attempt_for_resume() {
    let script = Script { faults: twice_in_doubt(), ..world(&[None]) };
    let told = holds(script, vec![killed(run(0), 61_000), Step::One(resume(0))]);
    assert_eq!(happened(&told), 1, "{told}");
}

#[test]
fn an_older_run_knows_what_a_later_one_has_sent() {
    let faults = wipes(&[(Wrong::Lost { after: false }, None), (Wrong::Lost { after: true }, Some(50))]);
    let script = Script { faults, ..world(&[None]) };
    let told =
        holds(script, vec![killed(once(0), 300), Step::Wait(100), killed(once(0), 61_000), Step::One(resume(0))]);
    assert_eq!(happened(&told), 1, "{told}");
}

/// What it has not come to itself is read first as well, and the attempts of both have numbers of their own.
#[test]
fn an_older_run_reads_what_a_later_one_has_left_in_doubt() {
    let lost = |after| vec![(Wrong::Lost { after }, after.then_some(50))];
    for faults in [lost(true), lost(false)] {
        for moments in 2..6 {
            let mut script = Script { faults: wipes(&faults), ..world(&[None]) };
            // Two are on their way when it is killed, and this one has not begun.
            let others = [1, 2].map(|device| Row { action: "wipe", device, by: By::Id });
            script.plans[0].rows.splice(0..0, others);
            let first = Step::One(Act { kill: Some(Kill::Moment(moments)), ..run(0) });
            let told = holds(script, vec![first, killed(once(0), 300), Step::One(resume(0))]);
            assert_eq!(told.matches("wipe device 0: HAPPENS").count(), 1, "{moments}: {told}");
        }
    }
}

#[test]
fn a_clock_that_is_set_back_repeats_nothing() {
    for by in [-3_600, -90_000] {
        let told = holds(
            world(&[None]),
            vec![
                killed(once(0), 30),
                Step::Clock(by),
                Step::One(once(0)),
                Step::One(resume(0)),
                Step::One(resume(1)),
                Step::One(once(0)),
            ],
        );
        assert_eq!(happened(&told), 1, "{by}: {told}");
    }
}

#[test]
fn a_clock_that_is_set_forward_ends_no_settling_time() {
    let faults = wipes(&[(Wrong::Lost { after: true }, Some(50))]);
    let script = Script { faults, ..world(&[None]) };
    let told = holds(script, vec![killed(once(0), 300), Step::Clock(3_600), Step::One(once(0))]);
    assert_eq!(happened(&told), 1, "{told}");
}

#[test]
fn a_plan_that_is_edited_and_restored_has_not_forgotten() {
    let faults = wipes(&[(Wrong::Lost { after: true }, Some(50))]);
    let script = Script { faults, max_attempts: 1, ..world(&[None]) };
    let other = vec![Row { action: "wipe", device: 1, by: By::Id }];
    let rows = script.plans[0].rows.clone();
    let told = holds(
        script,
        vec![
            killed(run(0), 300),
            Step::Edit { plan: 0, rows: other },
            Step::One(run(0)),
            Step::Edit { plan: 0, rows },
            Step::One(run(0)),
            Step::Wait(100),
            Step::One(run(0)),
        ],
    );
    assert_eq!(told.matches("wipe device 0: HAPPENS").count(), 1, "{told}");
    assert_eq!(told.matches("wipe device 1: HAPPENS").count(), 1, "{told}");
}

#[test]
fn a_plan_is_the_deed_whatever_it_is_called_and_wherever_it_lies() {
    let steps = [
        Step::Rename { plan: 0, name: Some("lab") },
        Step::Move { plan: 0, file: "moved-0.yaml".into() },
        Step::Copy { plan: 0, file: "copy-1.yaml".into() },
    ];
    for (step, plan) in steps.into_iter().zip([0, 0, 1]) {
        for second in [run(plan), once(plan)] {
            let told = holds(world(&[None]), vec![Step::One(run(0)), step.clone(), Step::One(second)]);
            assert_eq!(happened(&told), 1, "{told}");
        }
    }
}

#[test]
fn a_saved_preview_knows_what_its_plan_has_done() {
    let saved = act(Verb::RunSaved { plan: 0, repeats: NOTHING_NAMED });
    let save = act(Verb::Save { plan: 0 });
    let told = holds(world(&[None]), vec![Step::One(save), Step::One(run(0)), Step::One(saved)]);
    assert_eq!(happened(&told), 1, "{told}");
}

#[test]
fn what_is_unavailable_after_the_effect_is_in_doubt() {
    for status in [503, 509] {
        for wait in [0, 20] {
            let faults = wipes(&[(answered(status, true, Some(wait)), Some(50))]);
            let told = holds(Script { faults, ..world(&[None]) }, vec![Step::One(run(0))]);
            assert_eq!(happened(&told), 1, "{told}");
        }
    }
}

#[test]
fn who_is_told_to_come_back_at_once_does_not_come_for_ever() {
    let faults = (1..200).map(|_| (answered(503, false, Some(0)), None)).collect::<Vec<_>>();
    let script = Script { faults: wipes(&faults), max_attempts: 2, ..world(&[None]) };
    let told = holds(script, vec![Step::One(run(0))]);
    let tries = told.matches("wipe device 0: no answer").count();
    assert!((1..=2).contains(&tries), "{tries} tries: {told}");
}

/// What may be repeated is not repeated for ever either, and each time later than the time before.
#[test]
fn who_may_come_back_at_once_comes_less_and_less() {
    let script = world(&[None]);
    let fault =
        |nth| Fault { action: Some("syncDevice"), device: 0, nth, goes: answered(503, false, Some(0)), late: None };
    let mut script = Script { faults: (1..500).map(fault).collect(), max_attempts: 2, ..script };
    script.plans[0].rows[0].action = "syncDevice";
    let told = holds(script, vec![Step::One(run(0))]);
    let tries = told.matches("syncDevice device 0: no answer").count();
    assert!((2..=250).contains(&tries) && told.contains("syncDevice 0: failed"), "{tries} tries: {told}");
}

#[test]
fn two_processes_with_two_plans_do_it_once() {
    for later in [0, 30, 150, 300] {
        let faults = wipes(&[(Wrong::Lost { after: true }, Some(50))]);
        let script = Script { faults, ..world(&[None, Some("lab")]) };
        let told = holds(script, vec![Step::Two(run(0), later, run(1)), Step::One(run(1)), Step::One(run(0))]);
        assert_eq!(happened(&told), 1, "{later} ms: {told}");
    }
}

#[test]
fn a_read_counts_by_when_it_left() {
    let slow = Fault { action: None, device: 0, nth: 1, goes: Wrong::Slow(200), late: None };
    let mut faults = wipes(&[(Wrong::Lost { after: true }, Some(50))]);
    faults.push(slow);
    let told = holds(Script { faults, ..world(&[None]) }, vec![Step::One(run(0))]);
    assert_eq!(happened(&told), 1, "{told}");
}

#[test]
fn pruning_forgets_no_deed() {
    for again in [run(0), once(0)] {
        let told = holds(world(&[None]), vec![Step::One(run(0)), Step::Wait(90_000), Step::Prune(0), Step::One(again)]);
        assert!(told.contains("prune 0: Ok(Pruned { runs: 1,"), "{told}");
        assert_eq!(happened(&told), 1, "{told}");
    }
}

/// A read has shown nothing, late enough to call it failed; who comes later reads again, and sees it.
#[test]
fn pruning_forgets_no_doubt() {
    let faults = wipes(&[(Wrong::Lost { after: true }, Some(120))]);
    let script = Script { faults, max_attempts: 1, ..world(&[None]) };
    for again in [run(0), once(0)] {
        let steps = vec![Step::One(run(0)), Step::Wait(90_000), Step::Prune(0), Step::One(again)];
        let told = holds(script.clone(), steps);
        assert!(told.contains("prune 0: Ok(Pruned { runs: 1,"), "{told}");
        assert_eq!(happened(&told), 1, "{told}");
    }
}

#[test]
fn what_is_named_is_done_again_and_nothing_else() {
    let again = |again| Step::One(act(Verb::Run { plan: 0, repeats: Repeats { once: false, again } }));
    let told =
        holds(world(&[None]), vec![Step::One(run(0)), again(Again::First), Step::One(run(0)), again(Again::All)]);
    assert_eq!(happened(&told), 3, "{told}");
}

/// A device that has left and is there again is another question; nobody answers it by sending once more.
#[test]
fn a_device_that_comes_back_is_not_wiped_again_unasked() {
    let told = holds(
        world(&[None]),
        vec![
            Step::One(run(0)),
            Step::Leaves(0),
            Step::Returns(0),
            Step::Wait(700),
            Step::One(run(0)),
            Step::One(once(0)),
        ],
    );
    assert_eq!(happened(&told), 1, "{told}");
}

/// One plan wipes a device, another one retires it.
fn two_minds() -> Script {
    let script = world(&[Some("one"), Some("other")]);
    let mut plans = script.plans.clone();
    plans[1].rows[0].action = "retire";
    Script { plans, ..script }
}

#[test]
fn what_one_plan_has_open_on_a_device_keeps_another_one_from_it() {
    let lost = (wipes(&[(Wrong::Lost { after: true }, None)]), killed(run(0), 500));
    for (faults, first) in [(Vec::new(), Step::One(run(0))), lost] {
        let script = Script { faults, ..two_minds() };
        let then = [run(1), once(1), resume(0), run(1)].map(Step::One);
        let steps = [first, Step::Wait(100)].into_iter().chain(then).collect();
        let told = holds(script, steps);
        assert_eq!(happened(&told), 1, "{told}");
    }
}

#[test]
fn two_processes_with_two_minds_never_both_come_to_a_device() {
    for later in [0, 1, 2, 5, 20, 100] {
        let slow = wipes(&[(Wrong::Slow(5), None)]);
        let script = Script { faults: slow, ..two_minds() };
        let told = holds(script, vec![Step::Two(run(0), later, run(1))]);
        assert_eq!(happened(&told), 1, "{told}");
    }
}

/// Its attempt was recorded while the one before it was out, under a policy that protected nobody.
#[test]
fn what_was_recorded_ahead_is_held_by_a_policy_that_came_since() {
    let mut script = world(&[None]);
    script.plans[0].rows.push(Row { action: "delete", device: 2, by: By::Id });
    script.faults = wipes(&[(Wrong::Slow(40), Some(120))]);
    let protects = Policy { protects: Some(2), denies: None };
    let wire = holds(script, vec![Step::Under(run(0), 60, protects)]);
    assert!(!wire.contains("delete device 2: HAPPENS"), "{wire}");
}
