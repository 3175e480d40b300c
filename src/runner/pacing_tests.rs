//! Pacing as a whole run shows it: what others have sent before, what the service says of its load, many in flight.
//!
//! In: an executor that keeps when each request came. Out: verdicts on those times. Must not: sleep in real time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::executor::Executor;
use super::*;
use crate::catalog::Bucket;
use crate::catalog::{Access, Action, Allowance, INTUNE_DEVICES};
use crate::clock::Clock;
use crate::guard::Brakes;
use crate::guard::lookout::PreSendCheck;
use crate::job::Job;
use crate::job::{Ids, JobParts};
use crate::outcome::{Evidence, FollowUpRead, Reply, Since, Verdict};
use crate::outcome::{Presence, Seen};
use crate::pacing::{BucketUse, Gates};

const WRITES: Bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };

/// Answers well after a time, and says how loaded it is by what came in the last ten seconds.
struct Service {
    latency: Duration,
    /// Requests in ten seconds at which it is at its limit; it says so from eight tenths on, and throttles beyond.
    limit: Option<usize>,
    came: Mutex<Vec<Instant>>,
}

impl Service {
    fn new(latency: Duration, limit: Option<usize>) -> Arc<Self> {
        Arc::new(Self { latency, limit, came: Mutex::default() })
    }

    fn times(&self) -> Vec<Instant> {
        self.came.lock().unwrap().clone()
    }
}

impl Executor for Service {
    async fn attempt(&self, _job: &Job, id: &str) -> Reply {
        let now = Instant::now();
        let recent = {
            let mut came = self.came.lock().unwrap();
            came.push(now);
            came.iter().rev().take_while(|at| **at + Duration::from_secs(10) > now).count()
        };
        tokio::time::sleep(self.latency).await;
        let load = self.limit.map_or(0, |limit| recent * 100 / limit);
        let verdict = if load > 100 { Verdict::Throttled { after: None } } else { Verdict::Succeeded };
        Reply {
            http_status: Some(if load > 100 { 429 } else { 204 }),
            verdict,
            error_code: None,
            error_message: None,
            request_id: None,
            client_request_id: id.into(),
            load_percent: u16::try_from(load).ok().filter(|load| *load >= 80),
        }
    }

    async fn read_back(&self, _job: &Job, _since: Since, _id: &str) -> Evidence {
        Evidence::CannotTell("nobody asks".into())
    }

    async fn follow_up(&self, job: &Job, _since: Timestamp, id: &str) -> Result<FollowUpRead, Reply> {
        Err(self.attempt(job, id).await)
    }

    async fn inspect(&self, job: &Job, id: &str) -> Seen {
        match self.attempt(job, id).await {
            reply if reply.verdict == Verdict::Succeeded => Seen::Identity(Box::default()),
            reply => Seen::NotRead(reply),
        }
    }

    async fn find(&self, _job: &Job, _at: usize, _id: &str) -> Presence {
        Presence::There
    }
}

async fn perform(service: &Arc<Service>, jobs: u32, concurrency: u16, recent: Vec<(Bucket, Duration)>) -> Ended {
    let action = Action::named("syncDevice").unwrap();
    let job = |row| {
        let ids = Ids::new([format!("d{row}").as_str()]);
        let route = action.default_route();
        Job::new(JobParts { row, action, route, ids, parameters: None, not_before: None, note: None, after: None })
    };
    let jobs: Arc<[Job]> = (1..=jobs).map(job).collect();
    let (events, _) = mpsc::unbounded_channel();
    let (_stop, requests) = mpsc::unbounded_channel();
    let whole = Run {
        holds: vec![None; jobs.len()],
        jobs,
        limits: Limits { concurrency, max_attempts: 3, ..Limits::default() },
        gates: Gates::new(Limits::default().pacing),
        daily: crate::daily::DailyTerms::default(),
        brakes: Brakes::default(),
        people: None,
        clock: Clock::starting_at(Timestamp::UNIX_EPOCH),
        rng: Rng::with_seed(7),
        lookout: PreSendCheck::default(),
        guards: super::guards::Guards::default(),
        history: History { recent, ..History::default() },
        verify: None,
    };
    run(whole, Arc::clone(service), events, requests).await
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_process_has_sent_is_in_the_window_still() {
    let service = Service::new(Duration::from_millis(100), None);
    let began = Instant::now();
    // Two hundred in the two seconds before this one began, which is more than it would have paced itself.
    let recent: Vec<_> = (0..200).map(|number| (WRITES, Duration::from_millis(number * 10))).collect();
    perform(&service, 300, 16, recent).await;
    let times: Vec<Duration> = service.times().iter().map(|at| *at - began).collect();
    assert!(times[0] >= Duration::from_millis(18_010), "{:?}", times[0]);
    let window = WRITES.allowance().window;
    for since in (0..200).map(|tenths| Duration::from_millis(tenths * 100)) {
        // A window that begins so long before this process did.
        let before = (0..200).filter(|number| Duration::from_millis(number * 10) <= since).count();
        let within = times.iter().filter(|at| **at < window.saturating_sub(since)).count();
        assert!(before + within <= 200, "{before} and {within} in the window since {since:?} before");
    }
    assert!(times[299] < Duration::from_secs(52), "{:?}", times[299]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_says_how_loaded_it_is_never_has_to_throttle() {
    let service = Service::new(Duration::from_millis(200), Some(95));
    let began = Instant::now();
    let ended = perform(&service, 600, 16, Vec::new()).await;
    let throttled: u32 = ended.used.iter().map(|used| used.throttled).sum();
    let perfect = 600.0 / 9.5;
    let took = began.elapsed().as_secs_f64();
    assert_eq!(throttled, 0);
    assert!(took < perfect * 1.45, "{took} s, where {perfect} s were possible");
}

#[tokio::test(start_paused = true)]
async fn as_many_are_in_flight_as_the_pace_can_use_and_no_more_than_the_run_may_have() {
    let secs = Duration::from_secs;
    for (latency, most, seconds) in [(secs(1), 64, 100..103), (secs(4), 64, 100..110), (secs(4), 20, 200..215)] {
        let service = Service::new(latency, None);
        let began = Instant::now();
        perform(&service, 1_000, most, Vec::new()).await;
        let took = began.elapsed().as_secs();
        assert!(seconds.contains(&took), "{took} s with answers after {latency:?} and {most} at most");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_tells_what_it_used() {
    let service = Service::new(Duration::from_millis(100), None);
    let ended = perform(&service, 101, 16, Vec::new()).await;
    let [used] = ended.used.as_slice() else { panic!("{:?}", ended.used) };
    let BucketUse { bucket, allowed, sent, throttled, lost, busy } = *used;
    assert_eq!(
        (bucket, allowed, sent),
        (WRITES, Some(Allowance { requests: 200, window: Duration::from_secs(20) }), 101)
    );
    assert_eq!((throttled, lost), (0, Duration::ZERO));
    assert!((9.9..10.1).contains(&busy.as_secs_f64()), "{busy:?}");
}
