//! The guards at the moment of sending: asked, answered by script, and heeded.

use super::*;
use crate::guard::now::GuardsNow;
use crate::guard::protected::ProtectedEntry;
use crate::guard::window::{RunWindow, RunWindows};
use crate::outcome::Cause;
use crate::pacing::{Gates, Pacing};
use crate::runner::event::StopReason;
use crate::runner::guards::{Guards, GuardsAnswer};

/// Four retires, one after the other, each of which takes a second.
fn slow() -> (Run, Arc<Scripted>) {
    let jobs = (1..=4).map(|row| job("retire", &row.to_string(), row, None)).collect();
    let mut run = plan(jobs, 7);
    paced(&mut run);
    (run, Arc::new(Scripted { latency: Duration::from_secs(1), ..Scripted::default() }))
}

/// One at a time, and none is recorded ahead.
fn paced(run: &mut Run) {
    run.limits.concurrency = 1;
    run.gates = Gates::new(Pacing::Within(Budget::documented(0)));
}

/// What the reader answers; `None`: that nothing has changed.
type Word = Option<GuardsAnswer>;

/// Plays the run. What is asked is answered with the next of `words`, and that nothing has changed when there is none left.
async fn answered(mut run: Run, executor: &Arc<Scripted>, words: Vec<Word>) -> Ended {
    let (guards, mut asked) = Guards::asked(Arc::default());
    run.guards = guards;
    let answering = async {
        let (mut words, mut last) = (words.into_iter(), Ok(Arc::default()));
        while let Some(ask) = asked.recv().await {
            last = words.next().flatten().unwrap_or(last);
            ask.answer(last.clone());
        }
        std::future::pending::<Ended>().await
    };
    tokio::select! {
        ended = perform(run, executor) => ended,
        ended = answering => ended,
    }
}

fn causes(ended: &Ended) -> Vec<(Outcome, Option<Cause>)> {
    ended.settlements.iter().map(|settled| (settled.outcome, settled.cause)).collect()
}

fn to(guards: GuardsNow) -> Word {
    Some(Ok(Arc::new(guards)))
}

const SENT: (Outcome, Option<Cause>) = (Outcome::Accepted, None);

#[tokio::test(start_paused = true)]
async fn what_is_held_under_way_is_not_sent() {
    let (run, executor) = slow();
    let held = [(2, Cause::Denied.with("deny_actions: retire is denied"))].into();
    let ended = answered(run, &executor, vec![None, to(GuardsNow { held, ..GuardsNow::default() })]).await;
    assert_eq!(causes(&ended), [SENT, SENT, (Outcome::Held, Some(Cause::Denied)), SENT]);
    assert_eq!(executor.sent(), ["1", "2", "4"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_protected_under_way_is_looked_at_and_not_sent() {
    let (run, executor) = slow();
    let protected = vec![ProtectedEntry::new("3", &"vip.csv".into(), 1)].into();
    let guards = GuardsNow { protected, ..GuardsNow::default() };
    let ended = answered(run, &executor, vec![None, to(guards)]).await;
    assert_eq!(causes(&ended), [SENT, SENT, (Outcome::Held, Some(Cause::Protected)), SENT]);
    assert_eq!(executor.sent(), ["1", "2", "4"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_where_the_guards_refuse_the_run_or_nobody_can_tell() {
    let (run, executor) = slow();
    let ended = answered(run, &executor, vec![None, Some(Err("max_targets: 4, but the limit is 1".into()))]).await;
    let left = (Outcome::NotAttempted, Some(Cause::Guards));
    assert_eq!(causes(&ended), [SENT, left, left, left]);
    assert!(matches!(ended.stopped, Some(StopReason::Policy(Cause::Guards, _))), "{ended:?}");

    let (mut run, executor) = slow();
    let (guards, _) = Guards::asked(Arc::default());
    run.guards = guards;
    let ended = perform(run, &executor).await;
    assert_eq!((causes(&ended), executor.sent().len()), (vec![left; 4], 0));
}

/// It closes when the clock has gone on for two hours.
fn until_two(strict: bool) -> GuardsNow {
    let mut windows = RunWindows::default();
    windows.add(RunWindow::new([true; 7], 0, 2 * 60, "UTC").unwrap().strictly(strict), Vec::new());
    GuardsNow { windows, ..GuardsNow::default() }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_ends_begins_no_new_target() {
    for (strict, second_step) in [(false, SENT), (true, (Outcome::NotAttempted, Some(Cause::WindowEnded)))] {
        let jobs = vec![
            job("retire", "a", 1, None),
            job("syncDevice", "a", 1, Some(0)),
            job("retire", "b", 2, None),
            job("syncDevice", "b", 2, Some(2)),
        ];
        let mut run = plan(jobs, 7);
        paced(&mut run);
        run.guards = Guards::fixed(until_two(strict));
        let latency = Duration::from_secs(60 * 60 + 59 * 60);
        let executor = Arc::new(Scripted { latency, ..Scripted::default() });
        let ended = perform(run, &executor).await;
        let window = (Outcome::NotAttempted, Some(Cause::WindowEnded));
        // Both targets are begun in the first two hours; what takes longer finds it closed.
        let sync = ended.settlements.iter().map(|settled| (settled.outcome, settled.cause)).collect::<Vec<_>>();
        assert_eq!(sync[0], SENT, "{sync:?}");
        assert_eq!(sync[2], SENT, "{sync:?}");
        let behind = if strict { window } else { (Outcome::Accepted, None) };
        assert_eq!((sync[1], sync[3]), (second_step, behind), "{sync:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_whose_turn_comes_after_the_window_is_left() {
    let (mut run, _) = slow();
    run.guards = Guards::fixed(until_two(false));
    let executor = Arc::new(Scripted { latency: Duration::from_secs(90 * 60), ..Scripted::default() });
    let ended = perform(run, &executor).await;
    let left = (Outcome::NotAttempted, Some(Cause::WindowEnded));
    assert_eq!(causes(&ended), [SENT, SENT, left, left]);
    assert!(ended.settlements[2].note.as_deref().unwrap().contains("00:00-02:00 UTC has ended"), "{ended:?}");
}
