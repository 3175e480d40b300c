//! Follow-ups in the real dispatcher: verifications, and steps that wait to be verified.

use super::*;
use crate::outcome::Cause;
use crate::runner::event::{Event, StopReason};

const MINUTE: Duration = Duration::from_secs(60);

fn play(run: Run, executor: Scripted) -> (Ended, Vec<Event>, Arc<Scripted>, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let executor = Arc::new(executor);
        let (events, mut told) = mpsc::unbounded_channel();
        let (_stop, requests) = mpsc::unbounded_channel();
        let began = Instant::now();
        let ended = super::super::run(run, Arc::clone(&executor), events, requests).await;
        let mut all = Vec::new();
        while let Ok(event) = told.try_recv() {
            all.push(event);
        }
        (ended, all, executor, began.elapsed())
    })
}

fn outcomes(ended: &Ended) -> Vec<Outcome> {
    ended.settlements.iter().map(|settled| settled.outcome).collect()
}

/// Two steps on each target, the second of which waits that long.
fn pairs(targets: u32, within: Duration) -> Vec<Job> {
    let steps = |target: u32| {
        let first = 2 * (target - 1);
        let name = target.to_string();
        let mut second = job("wipe", &name, first + 2, Some(first));
        second.set_verified_within(Some(within));
        [job("rotateBitLockerKeys", &name, first + 1, None), second]
    };
    (1..=targets).flat_map(steps).collect()
}

/// Accepted by an earlier process so long before this one.
fn accepted(ago: Duration) -> Earlier {
    let at = Timestamp::UNIX_EPOCH - ago;
    Earlier::Kept(Box::new(Settlement {
        started_at: Some(at.into()),
        finished_at: Some(at.into()),
        ..Settlement::unsent(Outcome::Accepted, "")
    }))
}

/// A verification of wipes that were accepted an hour ago.
fn verification(targets: u32, within: Duration) -> (Run, Scripted) {
    let jobs: Vec<Job> = (1..=targets).map(|row| job("wipe", &row.to_string(), row, None)).collect();
    let mut run = plan(jobs, 7);
    run.history.earlier = (0..targets).map(|at| (at, accepted(60 * MINUTE))).collect();
    run.verify = Some(within);
    let effects = (1..=targets).map(|target| (target.to_string(), 1)).collect();
    (run, Scripted { effects: Mutex::new(effects), ..Scripted::default() })
}

fn ending(mut executor: Scripted, ends: &[(&str, Stage)]) -> Scripted {
    let ends = ends.iter().map(|(target, stage)| ((*target).to_owned(), (Duration::ZERO, *stage)));
    executor.ends = Mutex::new(ends.collect());
    executor
}

#[test]
fn a_verification_sends_nothing_and_settles_what_it_sees() {
    let (run, executor) = verification(5, Duration::ZERO);
    let ends = [("1", Stage::Done), ("2", Stage::Failed), ("3", Stage::Cancelled), ("4", Stage::Untold)];
    let (ended, events, executor, took) = play(run, ending(executor, &ends));
    use Outcome::{Accepted, Completed, Failed};
    assert_eq!(outcomes(&ended), [Completed, Failed, Failed, Accepted, Accepted]);
    assert_eq!((executor.log.lock().unwrap().len(), executor.follow_ups.lock().unwrap().len()), (0, 5));
    assert_eq!((ended.stopped, took), (None, Duration::ZERO), "one look at each");
    let verified: Vec<bool> = ended.settlements.iter().map(|settled| settled.verified_at().is_some()).collect();
    assert_eq!(verified, [true, true, true, false, false]);
    assert_eq!(ended.settlements[1].error_message(), Some("it has ended"));
    assert!(events.contains(&Event::FollowedUp { job: 4, stage: Stage::Pending }));
}

#[test]
fn what_is_told_is_not_read_again_and_what_was_read_a_moment_ago_waits_for_its_minute() {
    let (mut run, executor) = verification(3, Duration::ZERO);
    let seen = |stage, ago: Duration| {
        let Earlier::Kept(mut settled) = accepted(60 * MINUTE) else { unreachable!() };
        let read_at = Timestamp::UNIX_EPOCH - ago;
        settled.follow_up(FollowUp { stage, words: "before".into(), last_check_in: None, read_at });
        Earlier::Kept(settled)
    };
    run.history.earlier.insert(0, seen(Stage::Done, 10 * MINUTE));
    run.history.earlier.insert(1, seen(Stage::Pending, Duration::from_secs(20)));
    run.history.earlier.insert(2, seen(Stage::Untold, 10 * MINUTE));
    let (ended, _, executor, _) = play(run, executor);
    assert_eq!(executor.follow_ups.lock().unwrap().len(), 0);
    assert_eq!(outcomes(&ended), [Outcome::Completed, Outcome::Accepted, Outcome::Accepted]);
    assert_eq!(ended.settlements[1].follow_up.as_ref().unwrap().words.as_ref(), "before");

    let (mut run, executor) = verification(1, 10 * MINUTE);
    run.history.earlier.insert(0, seen(Stage::Pending, Duration::from_secs(20)));
    let (_, _, executor, took) = play(run, ending(executor, &[("1", Stage::Done)]));
    assert_eq!((executor.follow_ups.lock().unwrap().len(), took), (1, Duration::from_secs(40)));
}

#[test]
fn a_verification_that_cannot_read_says_so_and_leaves_what_it_knows() {
    let (run, mut executor) = verification(1, 5 * MINUTE);
    executor.bad_follow_ups = Mutex::new(vec![Verdict::Unauthorized; 2]);
    let (ended, _, _, _) = play(run, executor);
    assert!(matches!(ended.stopped, Some(StopReason::SignIn(_))), "{:?}", ended.stopped);
    assert_eq!(outcomes(&ended), [Outcome::Accepted]);

    let (run, mut executor) = verification(1, 5 * MINUTE);
    executor.bad_follow_ups = Mutex::new(vec![Verdict::Transient { after: None }, throttle(30), Verdict::Refused]);
    let (ended, _, executor, _) = play(run, ending(executor, &[("1", Stage::Done)]));
    assert_eq!((outcomes(&ended), ended.stopped), (vec![Outcome::Completed], None));
    assert_eq!(executor.follow_ups.lock().unwrap().len(), 4);
}

fn throttle(seconds: u64) -> Verdict {
    Verdict::Throttled { after: Some(Duration::from_secs(seconds)) }
}

#[test]
fn a_step_goes_on_waiting_after_a_crash_and_is_not_sent_before_its_time() {
    let mut run = plan(pairs(1, 60 * MINUTE), 7);
    run.history.earlier = HashMap::from([(0, accepted(MINUTE))]);
    let effects = Mutex::new(HashMap::from([("1".to_owned(), 1)]));
    let (ended, _, executor, _) = play(run, Scripted { effects, ..Scripted::default() });
    assert_eq!(outcomes(&ended), [Outcome::Accepted, Outcome::NotAttempted]);
    assert_eq!(executor.sends("1"), 0);
    let note = ended.settlements[1].note.as_deref().unwrap();
    assert_eq!(
        note,
        "the step before it, rotateBitLockerKeys in row 1, was not seen to have happened within 1 h (pending)"
    );
    // The next process, and the device was there meanwhile.
    let mut run = plan(pairs(1, 60 * MINUTE), 7);
    run.history.earlier = HashMap::from([(0, accepted(100 * MINUTE))]);
    let effects = Mutex::new(HashMap::from([("1".to_owned(), 1)]));
    let executor = ending(Scripted { effects, ..Scripted::default() }, &[("1", Stage::Done)]);
    let (ended, _, executor, took) = play(run, executor);
    assert_eq!(outcomes(&ended), [Outcome::Completed, Outcome::Accepted]);
    assert_eq!((executor.sends("1"), took), (1, Duration::ZERO));
}

#[test]
fn what_answers_with_its_effect_is_not_waited_for_and_what_nobody_can_see_holds() {
    let mut jobs = pairs(2, MINUTE);
    jobs[0] = job("deleteImportedDeviceIdentity", "1", 1, None);
    let (ended, _, executor, took) = play(plan(jobs, 7), ending(Scripted::default(), &[("2", Stage::Untold)]));
    use Outcome::{Accepted, Completed, Held};
    assert_eq!(outcomes(&ended), [Completed, Accepted, Accepted, Held]);
    assert_eq!((executor.sends("1"), executor.sends("2"), took), (2, 1, Duration::from_secs(5)));
    let note = ended.settlements[3].note.as_deref();
    assert_eq!(
        note,
        Some("no read can show that the step before it, rotateBitLockerKeys in row 3, has happened (it has ended)")
    );
}

#[test]
fn a_failure_on_a_device_counts_for_the_breaker() {
    let mut run = plan(pairs(3, 60 * MINUTE), 7);
    run.brakes.stop_when.failures = Some(1);
    let (ended, _, executor, _) = play(run, ending(Scripted::default(), &[("1", Stage::Failed)]));
    assert!(matches!(ended.stopped, Some(StopReason::Policy(Cause::Breaker, _))), "{:?}", ended.stopped);
    assert_eq!(outcomes(&ended)[..2], [Outcome::Failed, Outcome::Held]);
    assert!(executor.sends("2") <= 1, "no wipe has left");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever devices do and whenever: no step leaves before the one before it was seen to have happened, no device is
    /// read twice within a minute, and every row has its outcome.
    #[test]
    fn no_step_leaves_unverified(
        ends in proptest::collection::vec((0u64..7_000, 0usize..Stage::ALL.len()), 12),
        bad in proptest::collection::vec(prop_oneof![Just(throttle(7)), Just(Verdict::Refused), Just(Verdict::Lost)], 0..6),
        concurrency in 1u16..9,
        seed: u64,
    ) {
        let mut run = plan(pairs(12, 60 * MINUTE), seed);
        run.limits.concurrency = concurrency;
        let scripted = (1u32..).zip(&ends).map(|(target, (seconds, stage))| {
            (target.to_string(), (Duration::from_secs(*seconds), Stage::ALL[*stage]))
        });
        let failing = bad.len();
        let executor = Scripted {
            ends: Mutex::new(scripted.collect()),
            bad_follow_ups: Mutex::new(bad),
            latency: Duration::from_millis(50),
            ..Scripted::default()
        };
        let (ended, _, executor, _) = play(run, executor);
        prop_assert_eq!(ended.settlements.len(), 24);
        for (target, (_, stage)) in (0usize..).zip(&ends) {
            let (first, second) = (&ended.settlements[2 * target], &ended.settlements[2 * target + 1]);
            let done = first.outcome == Outcome::Completed;
            prop_assert_eq!(second.outcome == Outcome::Accepted, done, "seed {}: {:?} {:?}", seed, first, second);
            prop_assert_eq!(executor.sends(&(target + 1).to_string()), 1 + usize::from(done), "seed {}", seed);
            prop_assert!(!done || Stage::ALL[*stage] == Stage::Done, "seed {}", seed);
            let came_to_nothing = first.outcome == Outcome::Failed;
            prop_assert!(!came_to_nothing || second.outcome == Outcome::Held, "seed {}: {:?}", seed, second);
        }
        if failing == 0 {
            let reads = executor.follow_ups.lock().unwrap();
            for (at, (target, read)) in reads.iter().enumerate() {
                let before = reads[..at].iter().rev().find(|(other, _)| other == target);
                prop_assert!(before.is_none_or(|(_, before)| *read - *before >= MINUTE), "seed {}", seed);
            }
        }
    }
}

/// What happens in a few minutes is what somebody waits for who waits for no longer.
#[test]
fn a_short_verification_looks_often_enough_to_see_what_happens_in_it() {
    for (within, at_least) in [(30, 3), (60, 3), (90, 3), (200, 3)] {
        let within = Duration::from_secs(within);
        let (run, executor) = verification(1, within);
        let (_, _, executor, took) = play(run, executor);
        let looks: Vec<Instant> = executor.follow_ups.lock().unwrap().iter().map(|(_, at)| *at).collect();
        assert!(looks.len() >= at_least, "{within:?}: {looks:?}");
        assert!(looks.windows(2).all(|two| two[1] - two[0] >= Duration::from_secs(10)), "{looks:?}");
        let (first, last) = (looks.first().unwrap(), looks.last().unwrap());
        assert!(
            *last - *first + Duration::from_secs(1) >= within && took >= within,
            "the last one is at the end: {looks:?}"
        );
    }
}

#[test]
fn what_happens_in_a_short_verification_is_seen() {
    let (run, executor) = verification(1, Duration::from_secs(40));
    // It was sent an hour ago, and ends half a minute from now.
    executor.log.lock().unwrap().push(("1".into(), Instant::now()));
    executor.ends.lock().unwrap().insert("1".into(), (Duration::from_secs(30), Stage::Done));
    let (ended, ..) = play(run, executor);
    assert_eq!(outcomes(&ended), [Outcome::Completed]);
}
