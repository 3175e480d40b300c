//! The breaker and waves in the real dispatcher, against an executor that answers by script.

use super::*;
use crate::guard::breaker::{Share, StopWhen};
use crate::guard::waves::{Conditions, Schedule, Size, Wave};
use crate::outcome::Cause;
use crate::outcome::{Standing, Tally};
use crate::runner::event::{Event, StopReason, WaveNews};
use crate::runner::question::WaveQuestion;

fn wave(size: Size) -> Wave {
    Wave { size, conditions: Conditions::default() }
}

fn in_waves(mut run: Run, waves: &[Wave]) -> Run {
    run.brakes.waves = Schedule::new(waves, &run.jobs, &run.holds);
    run
}

fn retire(count: u32) -> Vec<Job> {
    (1..=count).map(|row| job("retire", &row.to_string(), row, None)).collect()
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Good),
        2 => Just(Answer::Bad(Verdict::Refused)),
        1 => Just(throttled(3)),
        1 => Just(lost(false)),
        1 => Just(lost(true)),
        1 => Just(transient(false)),
        1 => Just(Answer::Bad(Verdict::Unreachable)),
    ]
}

fn stop_when() -> impl Strategy<Value = StopWhen> {
    let some = |most: u32| proptest::option::of(1..most);
    let share = proptest::option::of((5u32..60).prop_map(|percent| Share { percent, min_sample: 20 }));
    (some(6), share, some(4), some(3)).prop_map(|(failures, failure_percent, consecutive_failures, unknown)| StopWhen {
        failures,
        failure_percent,
        consecutive_failures,
        unknown,
        repeated_refusal: None,
    })
}

/// Plays a plan under a paused clock. Out come the end, the events, and when each target was sent.
fn play(run: Run, executor: Scripted) -> (Ended, Vec<Event>, Arc<Scripted>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let executor = Arc::new(executor);
        let (events, mut told) = mpsc::unbounded_channel();
        let (_stop, requests) = mpsc::unbounded_channel();
        let ended = super::super::run(run, Arc::clone(&executor), events, requests).await;
        let mut all = Vec::new();
        while let Ok(event) = told.try_recv() {
            all.push(event);
        }
        (ended, all, executor)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is answered, in whatever order, with however many requests out: no limit is passed, no row is lost.
    #[test]
    fn no_run_passes_a_limit(
        limits in stop_when(),
        script in proptest::collection::vec(proptest::collection::vec(answers(), 0..4), 40),
        concurrency in 1u16..32,
        seed: u64,
    ) {
        let mut run = plan(retire(40), seed);
        run.limits.concurrency = concurrency;
        run.brakes.stop_when = limits;
        let script = (1..).zip(script).map(|(target, answers)| (format!("{target}"), answers)).collect();
        let latency = Duration::from_millis(20);
        let (ended, events, executor) = play(run, Scripted { script: Mutex::new(script), latency, ..Scripted::default() });
        let sent: std::collections::HashSet<String> =
            executor.log.lock().unwrap().iter().map(|(target, _)| target.clone()).collect();
        // In the order in which they settled, of those that were sent.
        let settled: Vec<Outcome> = events
            .iter()
            .filter_map(|event| match event {
                Event::Settled { job, outcome } => Some((job + 1, *outcome)),
                _ => None,
            })
            .filter(|(target, _)| sent.contains(&target.to_string()))
            .map(|(_, outcome)| outcome)
            .collect();
        let (mut row, mut tally) = (0, Tally::default());
        for outcome in settled {
            tally.count(outcome);
            row = match outcome {
                Outcome::Failed => row + 1,
                outcome if outcome.standing() == Standing::Good => 0,
                _ => row,
            };
            let (failed, unknown) = (tally.of(Outcome::Failed), tally.of(Outcome::Unknown));
            prop_assert!(limits.failures.is_none_or(|limit| failed <= limit), "seed {}: {} failed", seed, failed);
            prop_assert!(limits.unknown.is_none_or(|limit| unknown <= limit), "seed {}: {} unknown", seed, unknown);
            prop_assert!(limits.consecutive_failures.is_none_or(|limit| row <= limit), "seed {}: {} in a row", seed, row);
            if let Some(Share { percent, min_sample }) = limits.failure_percent {
                let sample = tally.total().max(min_sample);
                prop_assert!(failed * 100 <= percent * sample, "seed {}: {} of {}", seed, failed, sample);
            }
        }
        prop_assert_eq!(ended.settlements.len(), 40);
        // Only a stop leaves something that was never tried.
        let untried = ended.settlements.iter().any(|settlement| settlement.outcome == Outcome::NotAttempted);
        prop_assert!(!untried || ended.stopped.is_some(), "seed {}", seed);
    }

    /// No target of a wave is sent before all of the wave before it have settled and landed.
    #[test]
    fn no_wave_begins_before_the_last_has_settled(
        script in proptest::collection::vec(proptest::collection::vec(answers(), 0..3), 30),
        sizes in proptest::collection::vec(1u32..9, 1..4),
        seed: u64,
    ) {
        let waves: Vec<_> = sizes.into_iter().map(Size::Jobs).chain([Size::Rest]).map(wave).collect();
        let run = in_waves(plan(retire(30), seed), &waves);
        let schedule = run.brakes.waves.clone();
        let script = (1..).zip(script).map(|(target, answers)| (format!("{target}"), answers)).collect();
        let (ended, events, _) = play(run, Scripted { script: Mutex::new(script), ..Scripted::default() });
        let mut open: Vec<u32> = schedule.stages().iter().map(|stage| stage.jobs).collect();
        for event in &events {
            match event {
                Event::Sent { job, .. } => {
                    let before = open.iter().take(schedule.wave_of(*job)).sum::<u32>();
                    prop_assert_eq!(before, 0, "seed {}: row {} left too early", seed, job + 1);
                }
                Event::Settled { job, .. } => open[schedule.wave_of(*job)] -= 1,
                _ => {}
            }
        }
        // A wave with something bad in it is the last, as nobody is there to be asked.
        for (index, settlement) in (0u32..).zip(&ended.settlements) {
            if [Outcome::Failed, Outcome::Unknown].contains(&settlement.outcome) {
                let later = schedule.range(schedule.wave_of(index)).end..30;
                let untouched = |at: u32| ended.settlements[at as usize].outcome == Outcome::NotAttempted;
                prop_assert!(later.into_iter().all(untouched), "seed {}", seed);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_can_be_thought_about_and_a_stop_does_not_wait_for_the_answer() {
    let mut first = wave(Size::Jobs(1));
    first.conditions.ask = true;
    let mut run = in_waves(plan(retire(3), 7), &[first, wave(Size::Rest)]);
    let (people, mut questions) = mpsc::unbounded_channel::<WaveQuestion>();
    run.people = Some(people);
    let (events, _told) = mpsc::unbounded_channel();
    let (stop, requests) = mpsc::unbounded_channel();
    let executor = Arc::new(Scripted::default());
    let running = tokio::spawn(super::super::run(run, Arc::clone(&executor), events, requests));
    let question = questions.recv().await.unwrap();
    assert_eq!((question.result.wave, question.result.of, question.result.next), (1, 2, 2));
    assert_eq!(question.result.tally.of(Outcome::Accepted), 1);
    assert_eq!(question.result.trouble, None);
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert!(!running.is_finished(), "somebody thinks");
    let asked = Instant::now();
    stop.send(StopRequest::Stop).unwrap();
    let ended = running.await.unwrap();
    assert_eq!((ended.stopped, Instant::now() - asked), (Some(StopReason::Requested), Duration::ZERO));
    assert_eq!(executor.log.lock().unwrap().len(), 1, "nothing of the second wave has left");
    drop(question);
}

/// What an earlier process has done of a plan of three waves: it settled the first.
fn broken_off(outcome: Outcome) -> Run {
    let mut run = in_waves(plan(retire(4), 7), &[wave(Size::Jobs(2)), wave(Size::Jobs(1)), wave(Size::Rest)]);
    let done = |outcome| {
        let settlement =
            Settlement { started_at: Some(Timestamp::UNIX_EPOCH.into()), ..Settlement::unsent(outcome, "") };
        Earlier::Kept(Box::new(settlement))
    };
    run.history.earlier = HashMap::from([(0, done(outcome)), (1, done(Outcome::Accepted))]);
    run
}

fn landed(targets: &[&str]) -> Scripted {
    let effects = targets.iter().map(|target| ((*target).to_owned(), 1)).collect();
    Scripted { effects: Mutex::new(effects), ..Scripted::default() }
}

#[test]
fn a_run_that_goes_on_looks_first_whether_the_last_wave_has_landed() {
    let mut run = broken_off(Outcome::Accepted);
    run.history.between_waves = true;
    let (ended, events, executor) = play(run, landed(&["1", "2"]));
    assert_eq!(ended.stopped, None);
    assert_eq!(executor.follow_ups.lock().unwrap().len(), 3, "two of the first wave and one of the second");
    let began: Vec<u32> = events
        .iter()
        .filter_map(|event| match event {
            Event::Wave(WaveNews::Began { wave, .. }) => Some(*wave),
            _ => None,
        })
        .collect();
    assert_eq!(began, [2, 3]);
    let mut run = broken_off(Outcome::Accepted);
    run.history.between_waves = true;
    let (ended, _, executor) = play(run, landed(&["1"]));
    let Some(StopReason::Policy(Cause::Wave, why)) = ended.stopped else { panic!("{:?}", ended.stopped) };
    assert_eq!(
        &*why,
        "wave 1 of 3: 1 of its 2 jobs has not landed within 30 min, retire in row 2 among them (managed)"
    );
    assert!(executor.log.lock().unwrap().is_empty());
}

#[test]
fn a_failure_that_nobody_has_seen_stops_it_and_one_that_somebody_has_seen_does_not() {
    let mut run = broken_off(Outcome::Failed);
    run.history.between_waves = true;
    let (ended, _, executor) = play(run, landed(&["2"]));
    assert!(matches!(ended.stopped, Some(StopReason::Policy(Cause::Wave, _))), "{:?}", ended.stopped);
    assert!(executor.log.lock().unwrap().is_empty());
    let (ended, _, executor) = play(broken_off(Outcome::Failed), landed(&["2"]));
    assert_eq!((ended.stopped, executor.log.lock().unwrap().len()), (None, 2));
}

#[test]
fn a_doubt_of_an_earlier_process_that_stays_one_is_not_counted_again() {
    let mut run = plan(vec![job("syncDevice", "1", 1, None), job("wipe", "2", 2, None), job("wipe", "3", 3, None)], 7);
    run.brakes.stop_when.unknown = Some(1);
    let doubt = Earlier::Open {
        tries: one_sent(Timestamp::UNIX_EPOCH),
        doubtful_since: Some(Timestamp::UNIX_EPOCH),
        read_first: true,
    };
    run.history.earlier = HashMap::from([(1, doubt)]);
    let executor = Scripted { reads: vec![Verdict::Refused], ..Scripted::default() };
    let (ended, _, executor) = play(run, executor);
    let outcomes: Vec<_> = ended.settlements.iter().map(|settlement| settlement.outcome).collect();
    assert_eq!(outcomes, [Outcome::Accepted, Outcome::Unknown, Outcome::Accepted]);
    assert_eq!((ended.stopped, executor.sends("2")), (None, 0));
}

#[test]
fn a_limit_that_is_reached_by_the_last_job_stops_nothing() {
    let mut run = plan(retire(2), 7);
    run.brakes.stop_when.failures = Some(1);
    let (ended, _, _) = play(run, Scripted::answering("2", &[Answer::Bad(Verdict::Refused)]));
    let outcomes: Vec<_> = ended.settlements.iter().map(|settlement| settlement.outcome).collect();
    assert_eq!((outcomes, ended.stopped), (vec![Outcome::Accepted, Outcome::Failed], None));
}
