//! Reads that fail: looks, read-backs and searches for what is missing. What is waited for, and what ends.

use super::*;
use crate::approval::ApprovalRequest;
use crate::catalog::{Allowance, Bucket, Terms};
use crate::guard::now::GuardsNow;
use crate::guard::protected::ProtectedEntry;
use crate::runner::guards::Guards;

const GONE: Answer = Answer::Bad(Verdict::Gone);
const WAIT: Duration = Duration::from_secs(40);

fn out_of_order() -> Verdict {
    Verdict::Unavailable { after: WAIT }
}

/// One job whose target the service does not know, and whose search is answered so first.
fn searching(answers: Vec<Verdict>) -> Arc<Scripted> {
    let bad_finds = Mutex::new(answers);
    Arc::new(Scripted { missing: vec!["a"], bad_finds, ..Scripted::answering("a", &[GONE]) })
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_out_of_order_is_waited_for_whatever_is_read() {
    // More often than a job may be tried.
    let times = 6;
    let search = searching(vec![out_of_order(); times]);
    let ended = perform(plan(vec![job("delete", "a", 1, None)], 7), &search).await;
    assert_eq!(search.finds.lock().unwrap().len(), times + 1);
    assert_eq!(ended.settlements[0].outcome, Outcome::NotFound, "{ended:?}");
    assert!(ended.settlements[0].waited_ms >= 40_000 * times as u64, "{ended:?}");

    let look = showing("a", &vec![Sight::Bad(out_of_order()); times]);
    let ended = perform(previewed(plan(vec![job("delete", "a", 1, None)], 7)), &look).await;
    assert_eq!((ended.settlements[0].outcome, look.looks.lock().unwrap().len()), (Outcome::Completed, times + 1));

    let reads = vec![out_of_order(); times];
    let read_back = Arc::new(Scripted { reads, ..Scripted::answering("a", &[lost(true)]) });
    let ended = perform(plan(vec![job("wipe", "a", 1, None)], 7), &read_back).await;
    assert_eq!((ended.settlements[0].outcome, read_back.sends("a")), (Outcome::Accepted, 1));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_stays_out_of_order_is_not_waited_for_for_ever() {
    let search = searching(vec![out_of_order(); 999]);
    let began = Instant::now();
    let ended = perform(plan(vec![job("delete", "a", 1, None)], 7), &search).await;
    assert_eq!(ended.settlements[0].outcome, Outcome::Failed, "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(2 * 3_600), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_look_whose_sign_in_fails_stops_the_run() {
    let executor = showing("1", &[Sight::Bad(Verdict::SignInFailed)]);
    let jobs = (1..=9).map(|row| job("wipe", &row.to_string(), row, None)).collect();
    let mut run = previewed(plan(jobs, 7));
    run.limits.concurrency = 1;
    let ended = perform(run, &executor).await;
    assert!(matches!(ended.stopped, Some(StopReason::SignIn(_))), "{:?}", ended.stopped);
    assert!(ended.settlements.iter().all(|settled| settled.outcome == Outcome::NotAttempted), "{ended:?}");
    assert!(executor.log.lock().unwrap().is_empty(), "nothing was sent");
    let looks = executor.looks.lock().unwrap().len();
    assert!(looks <= 2, "{looks} looks: nobody goes on asking row after row");
}

#[tokio::test(start_paused = true)]
async fn a_search_or_a_read_back_whose_sign_in_fails_stops_the_run() {
    let search = searching(vec![Verdict::SignInFailed; 99]);
    let ended = perform(plan(vec![job("delete", "a", 1, None), job("wipe", "b", 2, Some(0))], 7), &search).await;
    assert!(matches!(ended.stopped, Some(StopReason::SignIn(_))), "{:?}", ended.stopped);
    assert_eq!(search.finds.lock().unwrap().len(), 1);
    assert!(ended.settlements.iter().all(|settled| settled.outcome == Outcome::NotAttempted), "{ended:?}");

    let reads = vec![Verdict::SignInFailed; 99];
    let read_back = Arc::new(Scripted { reads, ..Scripted::answering("a", &[lost(true)]) });
    let ended = perform(plan(vec![job("wipe", "a", 1, None)], 7), &read_back).await;
    assert!(matches!(ended.stopped, Some(StopReason::SignIn(_))), "{:?}", ended.stopped);
    assert_eq!((ended.settlements[0].outcome, *read_back.read_count.lock().unwrap()), (Outcome::Unknown, 1));
}

/// Plays one job, and stops the run after that time, unless it has ended by then.
async fn stopped(run: Run, executor: &Arc<Scripted>, after: Duration) -> Outcome {
    let (events, _) = mpsc::unbounded_channel();
    let (stop, requests) = mpsc::unbounded_channel();
    let running = tokio::spawn(super::super::run(run, Arc::clone(executor), events, requests));
    tokio::time::sleep(after).await;
    let _ = stop.send(StopRequest::Terminate);
    running.await.unwrap().settlements[0].outcome
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_while_the_run_is_being_stopped_is_not_made_for_ever() {
    let bad = [
        out_of_order(),
        Verdict::Unreachable,
        Verdict::SignInFailed,
        Verdict::Unauthorized,
        Verdict::Lost,
        Verdict::Foreign,
        Verdict::Transient { after: None },
    ];
    // Before the first read, between two of them, and while the service is waited for.
    let times = [100, 1_200, 10_000].map(Duration::from_millis);
    for (verdict, after) in bad.iter().flat_map(|verdict| times.map(|after| (verdict, after))) {
        // There would always be one more.
        let bad = || vec![verdict.clone(); 300];
        let one = |action| plan(vec![job(action, "a", 1, None)], 7);
        let search = searching(bad());
        let outcome = stopped(one("delete"), &search, after).await;
        let finds = search.finds.lock().unwrap().len();
        assert!(finds <= 8, "{verdict:?}, {after:?}: {finds} searches");
        assert!(matches!(outcome, Outcome::Failed | Outcome::NotAttempted), "{verdict:?}, {after:?}: {outcome:?}");

        let read_back = Arc::new(Scripted { reads: bad(), ..Scripted::answering("a", &[lost(true)]) });
        let outcome = stopped(one("wipe"), &read_back, after).await;
        let reads = *read_back.read_count.lock().unwrap();
        assert!(reads <= 8, "{verdict:?}, {after:?}: {reads} reads");
        assert_eq!((outcome, read_back.sends("a")), (Outcome::Unknown, 1), "{verdict:?}, {after:?}");

        let look = showing("a", &vec![Sight::Bad(verdict.clone()); 300]);
        let outcome = stopped(previewed(one("wipe")), &look, after).await;
        let looks = look.looks.lock().unwrap().len();
        assert!(looks <= 8, "{verdict:?}, {after:?}: {looks} looks");
        assert!(matches!(outcome, Outcome::Held | Outcome::NotAttempted), "{verdict:?}, {after:?}: {outcome:?}");
        assert_eq!(look.sends("a"), 0, "{verdict:?}, {after:?}");
    }
}

/// A look at a user and all their devices takes two places among the reads; the third place of a window is no good for it.
#[tokio::test(start_paused = true)]
async fn a_look_that_its_gate_puts_off_is_waited_for_where_nothing_else_is_left_to_do() {
    let executor = showing("1", &[]);
    let jobs: Vec<_> = (1..=6).map(|row| job("removeAllDevicesFromManagement", &row.to_string(), row, None)).collect();
    let mut own = [None; Bucket::COUNT];
    own[jobs[0].read_bucket().index()] = Some(Allowance { requests: 3, window: Duration::from_secs(60) });
    let mut run = plan(jobs, 7);
    let budget = Budget::new(Terms { own, ..Terms::default() });
    run.limits = Limits { concurrency: 1, ..run.limits };
    run.gates = Gates::new(Pacing::Within(budget));
    let protected = vec![ProtectedEntry::new("LAB-01", &"vip.csv".into(), 1)].into();
    run.guards = Guards::fixed(GuardsNow { protected, ..GuardsNow::default() });
    let ended = perform(run, &executor).await;
    let outcomes: Vec<_> = ended.settlements.iter().map(|settled| settled.outcome).collect();
    assert_eq!((outcomes, ended.stopped), (vec![Outcome::Accepted; 6], None));
}

/// The read before the code leaves is all that is left to do, and its gate has no place for a minute.
#[tokio::test(start_paused = true)]
async fn an_approved_request_is_completed_although_the_reads_are_busy() {
    for others in [0, 1, 5] {
        let executor = Arc::new(Scripted::default());
        let jobs: Vec<_> = (1..=others + 1).map(|row| job("wipe", &row.to_string(), row, None)).collect();
        let reads = jobs[0].read_bucket();
        let mut own = [None; Bucket::COUNT];
        own[reads.index()] = Some(Allowance { requests: 1, window: Duration::from_secs(60) });
        let mut run = plan(jobs, 7);
        let budget = Budget::new(Terms { own, ..Terms::default() });
        (run.limits.pacing, run.gates) = (Pacing::Within(budget), Gates::new(Pacing::Within(budget)));
        run.history.recent = vec![(reads, Duration::ZERO)];
        let approved = Approved {
            request: ApprovalRequest::filed("code".into(), Timestamp::UNIX_EPOCH, false),
            tries: Tries { recorded: 1, left: 1, first: Some(Timestamp::UNIX_EPOCH), last_id: None },
            doubtful_since: None,
            ended: None,
        };
        run.history.earlier.insert(0, Earlier::Approved(approved));
        let began = Instant::now();
        let ended = perform(run, &executor).await;
        let outcomes: Vec<_> = ended.settlements.iter().map(|settled| settled.outcome).collect();
        assert_eq!(outcomes, vec![Outcome::Accepted; others as usize + 1]);
        assert!(began.elapsed() >= Duration::from_secs(55), "the gate was waited for");
    }
}
