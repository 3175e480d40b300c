//! The runner against an executor that answers by script, under a paused clock.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use super::event::{Event, StopReason};
use super::executor::Executor;
use super::shutdown::StopRequest;
use super::*;
use crate::catalog::{Action, Budget, Repeat};
use crate::clock::Clock;
use crate::guard::Brakes;
use crate::guard::drift::Sighting;
use crate::guard::lookout::PreSendCheck;
use crate::guard::lookout::SeenBy;
use crate::guard::preflight;
use crate::guard::preflight::Hold;
use crate::identity::Identity;
use crate::job::Job;
use crate::job::{Ids, JobParts};
use crate::journal::Tries;
use crate::outcome::Settlement;
use crate::outcome::{Evidence, FollowUp, FollowUpRead, Outcome, Reply, Since, Stage, Verdict};
use crate::outcome::{Presence, Seen};
use crate::pacing::{Gates, Pacing};
use fastrand::Rng;
use jiff::Timestamp;
use proptest::prelude::*;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What one request does in the imagined service.
#[derive(Debug, Clone)]
enum Answer {
    /// Takes effect, and says so.
    Good,
    /// Takes effect or not; the answer does not say.
    Doubtful { effect: bool, verdict: Verdict },
    /// No effect.
    Bad(Verdict),
    /// The worker ends in the middle of it.
    Panics,
}

#[derive(Debug, Default)]
struct Scripted {
    script: Mutex<HashMap<String, Vec<Answer>>>,
    reads: Vec<Verdict>,
    latency: Duration,
    /// How long reads do not show an effect yet.
    shows_after: Duration,
    /// How it ends on the device, and how long after it was sent.
    ends: Mutex<HashMap<String, (Duration, Stage)>>,
    /// Answers of follow-ups that fail, last first; then they work.
    bad_follow_ups: Mutex<Vec<Verdict>>,
    follow_ups: Mutex<Vec<(String, Instant)>>,
    log: Mutex<Vec<(String, Instant)>>,
    effects: Mutex<HashMap<String, u32>>,
    read_count: Mutex<usize>,
    /// What looks show, last first; then what the preview saw.
    sights: Mutex<HashMap<String, Vec<Sight>>>,
    looks: Mutex<Vec<(String, Instant)>>,
    /// Ids that nothing is behind.
    missing: Vec<&'static str>,
    /// Answers of reads of ids that fail, last first; then they work.
    bad_finds: Mutex<Vec<Verdict>>,
    finds: Mutex<Vec<String>>,
    /// What reads of a state show, last first; then what has been sent.
    states: Mutex<Vec<Evidence>>,
}

/// What one look shows in the imagined service.
#[derive(Debug, Clone)]
enum Sight {
    Same,
    Renamed,
    Gone,
    Bad(Verdict),
}

impl Scripted {
    fn answering(target: &str, answers: &[Answer]) -> Self {
        let script = HashMap::from([(target.to_owned(), answers.iter().rev().cloned().collect())]);
        Self { script: Mutex::new(script), ..Self::default() }
    }

    /// The targets that were sent to, in that order.
    fn sent(&self) -> Vec<String> {
        self.log.lock().unwrap().iter().map(|(target, _)| target.clone()).collect()
    }

    fn sends(&self, target: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|(sent, _)| sent == target).count()
    }

    fn effects(&self, target: &str) -> u32 {
        self.effects.lock().unwrap().get(target).copied().unwrap_or_default()
    }
}

fn reply(verdict: Verdict, id: &str) -> Reply {
    Reply {
        verdict,
        http_status: Some(1),
        error_code: None,
        error_message: None,
        request_id: None,
        client_request_id: id.into(),
        load_percent: None,
    }
}

impl Executor for Scripted {
    async fn attempt(&self, job: &Job, id: &str) -> Reply {
        self.log.lock().unwrap().push((job.target().to_owned(), Instant::now()));
        tokio::time::sleep(self.latency).await;
        let answer = self.script.lock().unwrap().get_mut(job.target()).and_then(Vec::pop).unwrap_or(Answer::Good);
        let (effect, verdict) = match answer {
            Answer::Good => (true, Verdict::Succeeded),
            Answer::Doubtful { effect, verdict } => (effect, verdict),
            Answer::Bad(verdict) => (false, verdict),
            Answer::Panics => panic!("as scripted"),
        };
        if effect {
            *self.effects.lock().unwrap().entry(job.target().to_owned()).or_default() += 1;
        }
        reply(verdict, id)
    }

    async fn read_back(&self, job: &Job, _since: Since, id: &str) -> Evidence {
        let mut count = self.read_count.lock().unwrap();
        *count += 1;
        if let Some(verdict) = self.reads.get(*count - 1) {
            return Evidence::NotRead(reply(verdict.clone(), id));
        }
        if let Some(state) = self.states.lock().unwrap().pop() {
            return state;
        }
        let log = self.log.lock().unwrap();
        let sent = log.iter().rev().find(|(sent, _)| sent == job.target()).map(|(_, at)| at.elapsed());
        match self.effects(job.target()) {
            _ if sent.is_some_and(|age| age < self.shows_after) => Evidence::NoEffect("managed".into()),
            0 => Evidence::NoEffect("managed".into()),
            _ => Evidence::Effect("pending".into()),
        }
    }

    async fn follow_up(&self, job: &Job, _since: Timestamp, id: &str) -> Result<FollowUpRead, Reply> {
        self.follow_ups.lock().unwrap().push((job.target().to_owned(), Instant::now()));
        let seen = |stage, words: &str| {
            let read_at = Timestamp::UNIX_EPOCH;
            Ok(FollowUpRead::There(FollowUp { stage, words: words.into(), last_check_in: None, read_at }))
        };
        let bad = self.bad_follow_ups.lock().unwrap().pop();
        if let Some(verdict) = bad {
            return Err(reply(verdict, id));
        }
        let log = self.log.lock().unwrap();
        let sent = log.iter().rev().find(|(sent, _)| sent == job.target()).map(|(_, at)| at.elapsed());
        let ends = self.ends.lock().unwrap().get(job.target()).copied();
        match (ends, self.effects(job.target())) {
            (_, 0) => seen(Stage::Unseen, "managed"),
            _ if sent.is_some_and(|age| age < self.shows_after) => seen(Stage::Unseen, "managed"),
            (Some((after, stage)), _) if sent.is_none_or(|age| age >= after) => seen(stage, "it has ended"),
            _ => seen(Stage::Pending, "pending"),
        }
    }

    async fn inspect(&self, job: &Job, id: &str) -> Seen {
        self.looks.lock().unwrap().push((job.target().to_owned(), Instant::now()));
        tokio::time::sleep(self.latency).await;
        match self.sights.lock().unwrap().get_mut(job.target()).and_then(Vec::pop) {
            None | Some(Sight::Same) => {
                Seen::Identity(Box::new(Identity { id: job.target().into(), ..Identity::default() }))
            }
            Some(Sight::Renamed) => {
                let name = Some("another".into());
                Seen::Identity(Box::new(Identity { id: job.target().into(), name, ..Identity::default() }))
            }
            Some(Sight::Gone) => Seen::Gone,
            Some(Sight::Bad(verdict)) => Seen::NotRead(reply(verdict, id)),
        }
    }

    async fn find(&self, job: &Job, at: usize, id: &str) -> Presence {
        let asked = job.ids.iter().nth(at).unwrap();
        self.finds.lock().unwrap().push(asked.to_owned());
        match self.bad_finds.lock().unwrap().pop() {
            Some(verdict) => Presence::NotRead(reply(verdict, id)),
            None if self.missing.contains(&asked) => Presence::Missing,
            None => Presence::There,
        }
    }
}

fn job(action: &str, target: &str, row: u32, after: Option<u32>) -> Job {
    let action = Action::named(action).unwrap();
    Job::new(JobParts { after, ..JobParts::plain(row, action, Ids::new([target])) })
}

fn plan(jobs: Vec<Job>, seed: u64) -> Run {
    let holds = preflight::inspect(&jobs, Timestamp::UNIX_EPOCH).holds;
    Run {
        jobs: jobs.into(),
        holds,
        limits: Limits { concurrency: 4, max_attempts: 3, settling: Duration::from_secs(60), pacing: Pacing::Off },
        gates: Gates::new(Pacing::Off),
        daily: crate::daily::DailyTerms::default(),
        brakes: Brakes::default(),
        people: None,
        clock: Clock::starting_at(Timestamp::UNIX_EPOCH),
        rng: Rng::with_seed(seed),
        lookout: PreSendCheck::default(),
        guards: guards::Guards::default(),
        history: History::default(),
        verify: None,
    }
}

async fn perform(plan: Run, executor: &Arc<Scripted>) -> Ended {
    let (events, _) = mpsc::unbounded_channel();
    let (_stop, requests) = mpsc::unbounded_channel();
    run(plan, Arc::clone(executor), events, requests).await
}

async fn one(action: &str, answers: &[Answer]) -> (Settlement, Arc<Scripted>) {
    let executor = Arc::new(Scripted::answering("a", answers));
    let mut ended = perform(plan(vec![job(action, "a", 1, None)], 7), &executor).await;
    (ended.settlements.remove(0), executor)
}

fn lost(effect: bool) -> Answer {
    Answer::Doubtful { effect, verdict: Verdict::Lost }
}

fn transient(effect: bool) -> Answer {
    Answer::Doubtful { effect, verdict: Verdict::Transient { after: None } }
}

fn throttled(seconds: u64) -> Answer {
    Answer::Bad(Verdict::Throttled { after: Some(Duration::from_secs(seconds)) })
}

#[tokio::test(start_paused = true)]
async fn throttle_answers_use_up_no_attempts_and_are_waited_for() {
    let answers = [throttled(17), throttled(5), throttled(3), throttled(2), Answer::Good];
    let (settled, executor) = one("retire", &answers).await;
    assert_eq!((settled.outcome, settled.attempts), (Outcome::Accepted, 5));
    assert_eq!(settled.waited_ms, 27_000);
    assert_eq!(executor.effects("a"), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_sends_in_the_bucket_before_the_named_time() {
    let executor =
        Arc::new(Scripted { latency: Duration::from_millis(50), ..Scripted::answering("0", &[throttled(30)]) });
    let jobs = (0..40).map(|n| job("retire", &n.to_string(), n, None)).collect();
    let began = Instant::now();
    perform(plan(jobs, 7), &executor).await;
    let told_at = began + Duration::from_millis(50);
    let quiet = told_at..told_at + Duration::from_secs(30);
    let log = executor.log.lock().unwrap();
    assert!(log.iter().all(|(_, at)| *at == told_at || !quiet.contains(at) || *at == quiet.start), "{log:?}");
    assert_eq!(log.len(), 41);
}

#[tokio::test(start_paused = true)]
async fn a_lost_wipe_that_took_effect_is_not_sent_again() {
    let (settled, executor) = one("wipe", &[lost(true)]).await;
    assert_eq!((settled.outcome, settled.attempts), (Outcome::Accepted, 1));
    assert_eq!((executor.sends("a"), executor.effects("a")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_lost_wipe_without_effect_is_sent_again_after_a_read() {
    let (settled, executor) = one("wipe", &[lost(false), transient(false), Answer::Good]).await;
    assert_eq!((settled.outcome, settled.attempts), (Outcome::Accepted, 3));
    // For each of the two doubts one read at once, and one when the service has had its time.
    assert_eq!((executor.effects("a"), *executor.read_count.lock().unwrap()), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_shows_late_is_not_taken_for_none() {
    let shows_after = Duration::from_secs(50);
    let executor = Arc::new(Scripted { shows_after, ..Scripted::answering("a", &[lost(true)]) });
    let ended = perform(plan(vec![job("wipe", "a", 1, None)], 7), &executor).await;
    assert_eq!((ended.settlements[0].outcome, executor.effects("a"), executor.sends("a")), (Outcome::Accepted, 1, 1));
    assert_eq!(*executor.read_count.lock().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_doubt_too_young_to_be_settled_stays_one_when_the_run_is_stopped() {
    let executor = Arc::new(Scripted::answering("a", &[lost(false)]));
    let (events, _) = mpsc::unbounded_channel();
    let (stop, requests) = mpsc::unbounded_channel();
    let running =
        tokio::spawn(super::run(plan(vec![job("wipe", "a", 1, None)], 7), Arc::clone(&executor), events, requests));
    tokio::time::sleep(Duration::from_secs(20)).await;
    stop.send(StopRequest::Terminate).unwrap();
    let ended = running.await.unwrap();
    assert_eq!((ended.settlements[0].outcome, executor.sends("a")), (Outcome::Unknown, 1));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_panics_loses_no_job_and_the_run_goes_on() {
    let jobs: Vec<Job> = (1..=5).map(|row| job("wipe", &row.to_string(), row, None)).collect();
    let mut run = plan(jobs, 7);
    run.limits.concurrency = 1;
    let executor = Scripted::answering("2", &[Answer::Panics, Answer::Panics]);
    executor.script.lock().unwrap().insert("4".into(), vec![Answer::Panics; 20]);
    let executor = Arc::new(executor);
    let ended = perform(run, &executor).await;
    let outcomes: Vec<Outcome> = ended.settlements.iter().map(|settled| settled.outcome).collect();
    use Outcome::{Accepted, Failed};
    assert_eq!(outcomes, [Accepted, Accepted, Accepted, Failed, Accepted]);
    assert_eq!((executor.effects("2"), executor.effects("4")), (1, 0));
    assert_eq!(executor.sends("2"), 3, "read in between: nothing had happened");
    assert!(ended.stopped.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_is_settled_by_a_read() {
    let (settled, _) = one("wipe", &[lost(false), lost(false), lost(true)]).await;
    assert_eq!((settled.outcome, settled.attempts), (Outcome::Accepted, 3));
    let (settled, _) = one("wipe", &[lost(false), lost(false), transient(false)]).await;
    assert_eq!(settled.outcome, Outcome::Failed);
    let (settled, _) = one("syncDevice", &[lost(false), lost(false), lost(false)]).await;
    assert_eq!(settled.outcome, Outcome::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_is_tried_again_and_then_honest() {
    let executor = Arc::new(Scripted {
        reads: vec![Verdict::Transient { after: None }, Verdict::Throttled { after: Some(Duration::from_secs(2)) }],
        ..Scripted::answering("a", &[lost(true)])
    });
    let ended = perform(plan(vec![job("wipe", "a", 1, None)], 7), &executor).await;
    assert_eq!(ended.settlements[0].outcome, Outcome::Accepted);
    let executor = Arc::new(Scripted { reads: vec![Verdict::Refused; 9], ..Scripted::answering("a", &[lost(true)]) });
    let ended = perform(plan(vec![job("wipe", "a", 1, None)], 7), &executor).await;
    assert_eq!((ended.settlements[0].outcome, executor.sends("a")), (Outcome::Unknown, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_tried_once_more_and_then_ends_the_run() {
    let (settled, _) = one("retire", &[Answer::Bad(Verdict::Unauthorized), Answer::Good]).await;
    assert_eq!(settled.outcome, Outcome::Accepted);
    let executor = Arc::new(Scripted::answering("a", &vec![Answer::Bad(Verdict::Unauthorized); 9]));
    let jobs = vec![job("retire", "a", 1, None), job("retire", "b", 2, Some(0))];
    let ended = perform(plan(jobs, 7), &executor).await;
    assert!(matches!(ended.stopped, Some(StopReason::SignIn(_))));
    assert_eq!(executor.sends("a"), 2);
    assert!(ended.settlements.iter().all(|settled| settled.outcome == Outcome::NotAttempted));
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_host_ends_the_run_and_nothing_was_sent() {
    let executor = Arc::new(Scripted::answering("a", &vec![Answer::Bad(Verdict::Unreachable); 99]));
    let ended = perform(plan(vec![job("retire", "a", 1, None)], 7), &executor).await;
    assert!(matches!(ended.stopped, Some(StopReason::Unreachable(_))));
    let settled = &ended.settlements[0];
    assert_eq!((settled.outcome, settled.attempts, settled.started_at), (Outcome::NotAttempted, 0, None));
}

#[tokio::test(start_paused = true)]
async fn steps_wait_for_each_other_and_a_failed_one_holds_the_rest() {
    let executor = Arc::new(Scripted::answering("a", &[Answer::Bad(Verdict::Refused)]));
    let jobs = vec![
        job("syncDevice", "a", 1, None),
        job("retire", "a", 2, Some(0)),
        job("delete", "a", 3, Some(1)),
        job("syncDevice", "b", 4, None),
        job("retire", "b", 5, Some(3)),
    ];
    let ended = perform(plan(jobs, 7), &executor).await;
    let outcomes: Vec<_> = ended.settlements.iter().map(|settled| settled.outcome).collect();
    use Outcome::{Accepted, Failed, Held};
    assert_eq!(outcomes, [Failed, Held, Held, Accepted, Accepted]);
    assert_eq!(ended.settlements[1].note.as_deref(), Some("the step before it, syncDevice in row 1, ended as failed"));
    assert_eq!(executor.sends("a"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_first_interrupt_drains_and_the_second_abandons() {
    for interrupts in [1, 2] {
        let executor = Arc::new(Scripted { latency: Duration::from_secs(10), ..Scripted::default() });
        let jobs = (0..20).map(|n| job("retire", &n.to_string(), n, None)).collect();
        let (events, _) = mpsc::unbounded_channel();
        let (stop, requests) = mpsc::unbounded_channel();
        let running = tokio::spawn(run(plan(jobs, 7), Arc::clone(&executor), events, requests));
        tokio::time::sleep(Duration::from_secs(15)).await;
        for _ in 0..interrupts {
            stop.send(StopRequest::Interrupt).unwrap();
        }
        let ended = running.await.unwrap();
        let count = |outcome| ended.settlements.iter().filter(|settled| settled.outcome == outcome).count();
        assert_eq!(ended.stopped, Some(StopReason::Interrupted));
        assert_eq!(count(Outcome::NotAttempted), 12);
        let (accepted, unknown) = if interrupts == 1 { (8, 0) } else { (4, 4) };
        assert_eq!((count(Outcome::Accepted), count(Outcome::Unknown)), (accepted, unknown));
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_waiting_jobs_wake_the_dispatcher_only_when_one_may_go() {
    let executor = Arc::new(Scripted::default());
    let jobs = (0..1_000).map(|n| job("retire", &n.to_string(), n, None)).collect();
    let began = Instant::now();
    let limits = Limits { concurrency: 64, max_attempts: 3, ..Limits::default() };
    perform(Run { limits, gates: Gates::new(limits.pacing), ..plan(jobs, 7) }, &executor).await;
    let rate = 1_000.0 / began.elapsed().as_secs_f64();
    assert!((9.8..=10.05).contains(&rate), "{rate} a second");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_held_is_not_sent_because_the_one_before_it_is_kept() {
    let executor = Arc::new(Scripted::default());
    let mut run = plan(vec![job("syncDevice", "a", 1, None), job("wipe", "a", 2, Some(0))], 7);
    run.holds[1] = Some(Hold::NotDue { until: Timestamp::MAX });
    let kept = Settlement::unsent(Outcome::Accepted, "earlier");
    run.history.earlier.insert(0, Earlier::Kept(Box::new(kept)));
    let ended = perform(run, &executor).await;
    assert_eq!((executor.sends("a"), ended.settlements[1].outcome), (0, Outcome::NotAttempted));
}

/// One attempt that left then.
fn one_sent(at: Timestamp) -> Tries {
    Tries { recorded: 1, left: 1, first: Some(at), last_id: None }
}

#[tokio::test(start_paused = true)]
async fn a_doubt_is_not_sent_again_while_its_row_is_held() {
    let executor = Arc::new(Scripted::default());
    // What may be repeated needs no read before it is sent again, and was sent all the same.
    for (action, read_first) in [("wipe", true), ("syncDevice", false)] {
        let mut run = plan(vec![job(action, "a", 1, None)], 7);
        run.holds[0] = Some(Hold::NotDue { until: Timestamp::MAX });
        let since = Timestamp::UNIX_EPOCH;
        let doubt = Earlier::Open { tries: one_sent(since), doubtful_since: Some(since), read_first };
        run.history.earlier.insert(0, doubt);
        let ended = perform(run, &executor).await;
        assert_eq!((executor.sends("a"), ended.settlements[0].outcome), (0, Outcome::Unknown), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_and_was_not_come_to_again_stays_failed() {
    let executor = Arc::new(Scripted { latency: Duration::from_secs(10), ..Scripted::default() });
    let jobs = (0..8).map(|n| job("retire", &n.to_string(), n, None)).collect();
    let mut run = plan(jobs, 7);
    for index in 0..8 {
        let failed = Box::new(Settlement { http_status: Some(403), ..Settlement::unsent(Outcome::Failed, "refused") });
        let open =
            Earlier::Open { tries: Tries { recorded: 1, ..Tries::default() }, doubtful_since: None, read_first: false };
        run.history.earlier.insert(index, Earlier::Failed(failed, Box::new(open)));
    }
    let (events, _) = mpsc::unbounded_channel();
    let (stop, requests) = mpsc::unbounded_channel();
    let running = tokio::spawn(super::run(run, Arc::clone(&executor), events, requests));
    tokio::time::sleep(Duration::from_secs(5)).await;
    stop.send(StopRequest::Terminate).unwrap();
    let ended = running.await.unwrap();
    let outcomes: Vec<_> = ended.settlements.iter().map(|settled| (settled.outcome, settled.http_status)).collect();
    assert_eq!(outcomes[..4], [(Outcome::Accepted, Some(1)); 4]);
    assert_eq!(outcomes[4..], [(Outcome::Failed, Some(403)); 4]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_ends_leaves_its_job_unknown_and_the_run_goes_on() {
    struct Panics;
    impl Executor for Panics {
        async fn attempt(&self, job: &Job, id: &str) -> Reply {
            assert_ne!(job.target(), "a", "as it was meant to");
            reply(Verdict::Succeeded, id)
        }
        async fn read_back(&self, _: &Job, _: Since, _: &str) -> Evidence {
            Evidence::CannotTell("nobody knows".into())
        }
        async fn follow_up(&self, _: &Job, _: Timestamp, id: &str) -> Result<FollowUpRead, Reply> {
            Err(reply(Verdict::Refused, id))
        }
        async fn inspect(&self, _: &Job, _: &str) -> Seen {
            Seen::Gone
        }
        async fn find(&self, _: &Job, _: usize, _: &str) -> Presence {
            Presence::There
        }
    }
    let jobs = ["a", "b", "c", "d", "e", "f"].iter().zip(1..).map(|(target, row)| job("wipe", target, row, None));
    let (events, _) = mpsc::unbounded_channel();
    let (_stop, requests) = mpsc::unbounded_channel();
    let ended = run(plan(jobs.collect(), 7), Arc::new(Panics), events, requests).await;
    let outcomes: Vec<_> = ended.settlements.iter().map(|settled| settled.outcome).collect();
    use Outcome::{Accepted, Unknown};
    assert_eq!(outcomes, [Unknown, Accepted, Accepted, Accepted, Accepted, Accepted]);
}

/// What the preview saw of each job's target: a thing without a name.
fn previewed(mut run: Run) -> Run {
    let seen = |(index, job): (u32, &Job)| {
        let identity = Identity { id: job.target().into(), ..Identity::default() };
        (index, (Sighting::Identity(Box::new(identity)), SeenBy::Preview))
    };
    run.lookout = PreSendCheck::for_drift((0u32..).zip(run.jobs.iter()).map(seen).collect());
    run
}

fn showing(target: &str, sights: &[Sight]) -> Arc<Scripted> {
    let sights = HashMap::from([(target.to_owned(), sights.iter().rev().cloned().collect())]);
    Arc::new(Scripted { sights: Mutex::new(sights), latency: Duration::from_millis(80), ..Scripted::default() })
}

#[tokio::test(start_paused = true)]
async fn what_drifted_is_held_and_the_rest_goes_on() {
    let executor = showing("b", &[Sight::Renamed]);
    let jobs = ["a", "b", "c"].iter().zip(1..).map(|(target, row)| job("wipe", target, row, None)).collect();
    let ended = perform(previewed(plan(jobs, 7)), &executor).await;
    let outcomes: Vec<_> = ended.settlements.iter().map(|settled| (settled.outcome, settled.attempts)).collect();
    assert_eq!(outcomes, [(Outcome::Accepted, 1), (Outcome::Held, 0), (Outcome::Accepted, 1)]);
    let note = ended.settlements[1].note.as_deref();
    assert_eq!(note, Some("not as the preview saw it: renamed from empty to another"));
    assert_eq!((executor.sends("a"), executor.sends("b"), executor.sends("c")), (1, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn every_send_follows_its_own_look_closely() {
    let executor = showing("7", &[]);
    let jobs: Vec<_> = (0..200).map(|n| job("retire", &n.to_string(), n, None)).collect();
    let mut run = previewed(plan(jobs, 7));
    run.limits = Limits { concurrency: 16, ..run.limits };
    run.gates = Gates::new(Pacing::Within(Budget::documented(0)));
    let began = Instant::now();
    let ended = perform(run, &executor).await;
    assert!(ended.settlements.iter().all(|settled| settled.outcome == Outcome::Accepted));
    let looks: HashMap<_, _> = executor.looks.lock().unwrap().iter().cloned().collect();
    for (target, sent) in executor.log.lock().unwrap().iter() {
        let age = *sent - looks[target];
        assert!(age >= executor.latency && age < Duration::from_secs(2), "{target}: {age:?}");
    }
    assert_eq!(executor.looks.lock().unwrap().len(), 200);
    // Looks cost the writes nothing of their allowance: 200 at 10 a second.
    let rate = 200.0 / began.elapsed().as_secs_f64();
    assert!(rate > 9.5, "{rate} a second");
}

#[tokio::test(start_paused = true)]
async fn a_look_is_repeated_before_a_job_is_sent_again() {
    let script = HashMap::from([("a".to_owned(), vec![Answer::Good, throttled(60)])]);
    let executor = Arc::new(Scripted { script: Mutex::new(script), ..Scripted::default() });
    let ended = perform(previewed(plan(vec![job("wipe", "a", 1, None)], 7)), &executor).await;
    assert_eq!((ended.settlements[0].outcome, executor.sends("a")), (Outcome::Accepted, 2));
    let looks = executor.looks.lock().unwrap();
    assert_eq!(looks.len(), 2);
    let log = executor.log.lock().unwrap();
    assert!(log[1].1 - looks[1].1 < Duration::from_secs(1), "the second look is as fresh as the first");
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_is_tried_again_and_then_the_job_is_held() {
    let bad = |verdict: Verdict| Sight::Bad(verdict);
    let transient = || bad(Verdict::Transient { after: None });
    let throttled = bad(Verdict::Throttled { after: Some(Duration::from_secs(9)) });
    let one = |sights: Vec<Sight>| async move {
        let executor = showing("a", &sights);
        let mut ended = perform(previewed(plan(vec![job("wipe", "a", 1, None)], 7)), &executor).await;
        (ended.settlements.remove(0), executor.sends("a"), ended.stopped)
    };
    let (settled, sends, _) = one(vec![transient(), throttled, bad(Verdict::Unauthorized), transient()]).await;
    assert_eq!((settled.outcome, sends), (Outcome::Accepted, 1));
    let (settled, sends, _) = one(vec![transient(), transient(), transient()]).await;
    assert_eq!((settled.outcome, sends), (Outcome::Held, 0));
    assert_eq!(settled.note.as_deref(), Some("could not be looked at right before sending (1)"));
    let (settled, sends, _) = one(vec![bad(Verdict::Refused)]).await;
    assert_eq!((settled.outcome, sends), (Outcome::Held, 0));
    let (settled, sends, stopped) = one(vec![bad(Verdict::Unauthorized), bad(Verdict::Unauthorized)]).await;
    assert_eq!((settled.outcome, sends), (Outcome::NotAttempted, 0));
    assert!(matches!(stopped, Some(StopReason::SignIn(_))));
    let day = bad(Verdict::Throttled { after: Some(Duration::from_secs(86_400)) });
    let (settled, sends, _) = one(vec![day]).await;
    assert_eq!((settled.outcome, sends), (Outcome::NotAttempted, 0));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_gone_settles_as_the_catalog_says() {
    for (action, outcome) in [("retire", Outcome::AlreadyDone), ("wipe", Outcome::Failed)] {
        let executor = showing("a", &[Sight::Gone]);
        let ended = perform(previewed(plan(vec![job(action, "a", 1, None)], 7)), &executor).await;
        assert_eq!((ended.settlements[0].outcome, executor.sends("a")), (outcome, 0));
    }
    // A delete whose answer was lost, and then it is not there: that was the delete.
    let script = HashMap::from([("a".to_owned(), vec![lost(true)])]);
    let sights = HashMap::from([("a".to_owned(), vec![Sight::Gone, Sight::Same])]);
    let executor = Arc::new(Scripted { script: Mutex::new(script), sights: Mutex::new(sights), ..Scripted::default() });
    let ended = perform(previewed(plan(vec![job("delete", "a", 1, None)], 7)), &executor).await;
    assert_eq!((ended.settlements[0].outcome, executor.sends("a")), (Outcome::Completed, 1));
}

#[tokio::test(start_paused = true)]
async fn steps_behind_a_held_one_are_held_and_the_harmless_is_not_looked_at() {
    let executor = showing("a", &[Sight::Renamed]);
    let jobs = vec![job("wipe", "a", 1, None), job("delete", "a", 2, Some(0)), job("syncDevice", "b", 3, None)];
    let ended = perform(previewed(plan(jobs, 7)), &executor).await;
    let outcomes: Vec<_> = ended.settlements.iter().map(|settled| settled.outcome).collect();
    assert_eq!(outcomes, [Outcome::Held, Outcome::Held, Outcome::Accepted]);
    assert_eq!(executor.looks.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_during_a_look_sends_nothing_more() {
    for requests_to_stop in [1, 2] {
        let executor = Arc::new(Scripted { latency: Duration::from_secs(10), ..Scripted::default() });
        let jobs = (0..8).map(|n| job("retire", &n.to_string(), n, None)).collect();
        let (events, _) = mpsc::unbounded_channel();
        let (stop, requests) = mpsc::unbounded_channel();
        let running = tokio::spawn(super::run(previewed(plan(jobs, 7)), Arc::clone(&executor), events, requests));
        tokio::time::sleep(Duration::from_secs(5)).await;
        for _ in 0..requests_to_stop {
            stop.send(StopRequest::Interrupt).unwrap();
        }
        let ended = running.await.unwrap();
        assert!(ended.settlements.iter().all(|settled| settled.outcome == Outcome::NotAttempted), "{ended:?}");
        assert!(executor.log.lock().unwrap().is_empty());
    }
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        3 => Just(Answer::Good),
        1 => any::<bool>().prop_map(lost),
        1 => any::<bool>().prop_map(transient),
        1 => (0u64..40).prop_map(throttled),
        1 => Just(Answer::Bad(Verdict::Throttled { after: None })),
        1 => Just(Answer::Bad(Verdict::Refused)),
        1 => Just(Answer::Bad(Verdict::Gone)),
        1 => Just(Answer::Bad(Verdict::Unreachable)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the service does: every job settles once, nothing that may not be repeated happens twice, and what is
    /// called good had an effect (or had nothing to do).
    #[test]
    fn whatever_the_service_does_the_account_is_right(
        rows in proptest::collection::vec((0..4usize, proptest::collection::vec(answers(), 0..6), any::<bool>()), 1..12),
        seed: u64,
        interrupt in proptest::option::of(0u64..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let executor = Arc::new(Scripted { latency: Duration::from_millis(200), ..Scripted::default() });
            let mut jobs: Vec<Job> = Vec::new();
            for (index, (action, script, chained)) in rows.iter().enumerate() {
                let target = format!("t{index}");
                let after = (*chained && index > 0).then(|| index as u32 - 1);
                jobs.push(job(["retire", "wipe", "delete", "syncDevice"][*action], &target, index as u32 + 1, after));
                executor.script.lock().unwrap().insert(target, script.iter().rev().cloned().collect());
            }
            let count = jobs.len();
            let plan = plan(jobs, seed);
            let all = Arc::clone(&plan.jobs);
            let (events, mut told) = mpsc::unbounded_channel();
            let (stop, requests) = mpsc::unbounded_channel();
            if let Some(seconds) = interrupt {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    let _ = stop.send(StopRequest::Interrupt);
                });
            }
            let ended = run(plan, Arc::clone(&executor), events, requests).await;
            let mut settled = vec![0; count];
            while let Ok(event) = told.try_recv() {
                if let Event::Settled { job, .. } = event {
                    settled[job as usize] += 1;
                }
            }
            assert_eq!(settled, vec![1; count], "seed {seed}: each job settles once");
            for (job, settlement) in all.iter().zip(&ended.settlements) {
                let effects = executor.effects(job.target());
                if job.action.repeat == Repeat::AfterReadBack {
                    assert!(effects <= 1, "seed {seed}: {} happened {effects} times", job.action.name);
                }
                let gone = settlement.note.as_deref().is_some_and(|note| note.starts_with("gone after"));
                match settlement.outcome {
                    // Whoever made it go: the effect that the row asked for holds.
                    Outcome::Completed if gone => {}
                    Outcome::Accepted | Outcome::Completed => assert!(effects >= 1, "seed {seed}: {settlement:?}"),
                    Outcome::NotAttempted | Outcome::Held => assert_eq!(effects, 0, "seed {seed}: {settlement:?}"),
                    _ => {}
                }
            }
        });
    }
}

mod absence;
mod braking;
mod failed_reads;
mod following;
mod guarding;
