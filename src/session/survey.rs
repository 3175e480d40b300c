//! Looking at targets before anything is run: paced, retried and paused as the reads of a run are.
//!
//! In: jobs, a way to look at one, limits. Out: what was seen of each job's target. Must not: know what looks, or send
//! anything else.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::future::Future;
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::catalog::{Bucket, TargetKind};
use crate::guard::drift::Sighting;
use crate::job::Job;
use crate::outcome::Reply;
use crate::outcome::Seen;
use crate::pacing::backoff::connect_pause;
use crate::pacing::failed_read::{AfterRead, after_failed_read};
use crate::pacing::{Gates, RoundTrip, Wait};
use crate::runner::Limits;

/// What a read came to: of which job, and when it left.
struct Inspected {
    job: usize,
    sent: Instant,
    seen: Seen,
}

/// Reads of targets, paced as a run is.
pub(crate) struct Survey {
    limits: Limits,
    rng: Rng,
    gates: Gates,
    ready: Vec<VecDeque<usize>>,
    later: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Looks that went wrong, by job.
    failed: HashMap<usize, u32>,
    seen: HashMap<usize, Sighting>,
}

impl Survey {
    pub(crate) fn new(limits: Limits, gates: Gates, rng: Rng) -> Self {
        Self {
            limits,
            rng,
            gates,
            ready: vec![VecDeque::new(); Bucket::COUNT],
            later: BinaryHeap::new(),
            failed: HashMap::new(),
            seen: HashMap::new(),
        }
    }

    /// Reads the target of every job that is `wanted`, once for each target. `look` gets the job's index and a fresh id.
    pub(crate) async fn inspect<F, Fut>(
        mut self,
        jobs: &[Job],
        wanted: impl Fn(usize) -> bool,
        look: F,
    ) -> Vec<Option<Sighting>>
    where
        F: Fn(usize, String) -> Fut,
        Fut: Future<Output = Seen> + Send + 'static,
    {
        let mut first: HashMap<(TargetKind, String), usize> = HashMap::new();
        let key = |job: &Job| (job.action.target, job.target().to_ascii_lowercase());
        for (at, job) in jobs.iter().enumerate().filter(|(at, _)| wanted(*at)) {
            first.entry(key(job)).or_insert_with(|| {
                self.ready[job.read_bucket().index()].push_back(at);
                at
            });
        }
        self.perform(jobs, look).await;
        let unseen = || Sighting::NotRead("the read ended unexpectedly".into());
        let seen = |job: &Job| Some(self.seen.get(first.get(&key(job))?).cloned().unwrap_or_else(unseen));
        jobs.iter().map(seen).collect()
    }

    async fn perform<F, Fut>(&mut self, jobs: &[Job], look: F)
    where
        F: Fn(usize, String) -> Fut,
        Fut: Future<Output = Seen> + Send + 'static,
    {
        let mut out: JoinSet<Inspected> = JoinSet::new();
        loop {
            let wake = self.begin(jobs, &mut out, &look);
            let asleep = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            if out.is_empty() && wake.is_none() {
                return;
            }
            tokio::select! {
                // A look that ends in a panic leaves its target unseen.
                Some(ended) = out.join_next() => if let Ok(ended) = ended { self.ended(jobs, ended) },
                () = asleep => {}
            }
        }
    }

    /// Lets out what may leave now. Returns when to come again.
    fn begin<F, Fut>(&mut self, jobs: &[Job], out: &mut JoinSet<Inspected>, look: &F) -> Option<Instant>
    where
        F: Fn(usize, String) -> Fut,
        Fut: Future<Output = Seen> + Send + 'static,
    {
        let now = Instant::now();
        while let Some(Reverse((_, at))) = self.later.peek().copied().filter(|Reverse((due, _))| *due <= now) {
            self.later.pop();
            self.ready[jobs[at].read_bucket().index()].push_front(at);
        }
        let mut wake = self.later.peek().map(|Reverse((due, _))| *due);
        for (bucket, ready) in Bucket::all().zip(&mut self.ready) {
            let gates = &self.gates;
            while !ready.is_empty() && out.len() < usize::from(self.limits.concurrency) {
                // The look at a user all of whose devices are meant takes a read of those, too.
                let both =
                    ready.front().is_some_and(|at| jobs[*at].action.on_all_devices) && gates.has_two_left(bucket);
                let passed = gates.pass(bucket, now).and_then(|()| match both {
                    true => gates.pass_along(bucket, now).inspect_err(|_| gates.never_left(bucket)),
                    false => Ok(()),
                });
                match passed {
                    Ok(()) => {
                        let Some(at) = ready.pop_front() else { break };
                        let bytes = std::array::from_fn(|_| self.rng.u8(..));
                        let seen = look(at, uuid::Builder::from_random_bytes(bytes).into_uuid().to_string());
                        out.spawn(async move { Inspected { job: at, sent: now, seen: seen.await } });
                    }
                    Err(Wait::Until(due)) => {
                        wake = Some(wake.map_or(due, |wake| wake.min(due)));
                        break;
                    }
                    Err(Wait::Closed { asked }) => {
                        let why: Box<str> = format!("the service asked to wait {} s", asked.as_secs()).into();
                        self.seen.extend(ready.drain(..).map(|at| (at, Sighting::NotRead(why.clone()))));
                    }
                }
            }
        }
        wake
    }

    fn ended(&mut self, jobs: &[Job], ended: Inspected) {
        let Inspected { job: at, sent, seen } = ended;
        let (gates, bucket) = (&self.gates, jobs[at].read_bucket());
        if jobs[at].action.on_all_devices && gates.has_two_left(bucket) {
            gates.came_back(bucket, sent, Instant::now());
        }
        match &seen {
            Seen::NotRead(reply) => drop(gates.returned(bucket, Some(reply), sent, Instant::now())),
            Seen::Identity(_) | Seen::Gone => {
                gates.returned(bucket, None, sent, Instant::now());
                gates.answered(bucket, sent);
            }
        }
        match seen {
            Seen::Identity(identity) => drop(self.seen.insert(at, Sighting::Identity(identity))),
            Seen::Gone => drop(self.seen.insert(at, Sighting::Gone)),
            Seen::NotRead(reply) => self.failed(at, jobs[at].read_bucket(), sent, &reply),
        }
    }

    fn failed(&mut self, at: usize, bucket: Bucket, sent: Instant, reply: &Reply) {
        let now = Instant::now();
        self.gates.told_to_wait(bucket, reply, RoundTrip { sent, back: now }, &mut self.rng);
        let nth = self.failed.get(&at).copied().unwrap_or_default() + 1;
        let most = self.limits.max_attempts;
        let after = match after_failed_read(&reply.verdict, nth, most, &mut self.rng) {
            AfterRead::AtTheGate => return self.ready[bucket.index()].push_front(at),
            AfterRead::Outage { .. } | AfterRead::NoHost if nth < most => connect_pause(nth, &mut self.rng),
            // The first one may be an old token.
            AfterRead::FreshToken if nth < 2 => Duration::ZERO,
            AfterRead::Later { after } => after,
            _ => {
                self.seen.insert(at, Sighting::NotRead(reply.reason()));
                return;
            }
        };
        self.failed.insert(at, nth);
        self.later.push(Reverse((now + after, at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Action, Budget};
    use crate::identity::Identity;
    use crate::job::{Ids, JobParts};
    use crate::outcome::Verdict;
    use crate::pacing::Pacing;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    fn job(action: &str, target: &str) -> Job {
        let action = Action::named(action).unwrap();
        Job::new(JobParts::plain(1, action, Ids::new([target])))
    }

    fn not_read(verdict: Verdict) -> Seen {
        Seen::NotRead(Reply {
            verdict,
            http_status: Some(503),
            error_code: None,
            error_message: None,
            request_id: None,
            client_request_id: "".into(),
            load_percent: None,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn each_target_is_read_once_and_trouble_is_got_over_or_told() {
        let jobs =
            [job("retire", "a"), job("wipe", "A"), job("retire", "gone"), job("retire", "slow"), job("retire", "no")];
        let jobs = jobs.into_iter().chain((0..300).map(|n| job("retire", &n.to_string()))).collect::<Vec<_>>();
        let calls: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
        let targets: Vec<_> = jobs.iter().map(|job| job.target().to_owned()).collect();
        let look = |at: usize, _: String| {
            let (target, calls) = (targets[at].clone(), Arc::clone(&calls));
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let mut calls = calls.lock().unwrap();
                let call = calls.entry(target.clone()).or_default();
                *call += 1;
                match (target.as_str(), *call) {
                    ("gone", _) => Seen::Gone,
                    ("no", _) => not_read(Verdict::Refused),
                    ("slow", 1) => not_read(Verdict::Throttled { after: Some(Duration::from_secs(60)) }),
                    ("slow", 2) => not_read(Verdict::Transient { after: None }),
                    _ => Seen::Identity(Box::new(Identity { id: target.into(), ..Identity::default() })),
                }
            }
        };
        let pacing = Pacing::Within(Budget::documented(0));
        let limits = Limits { concurrency: 4, max_attempts: 3, settling: Duration::ZERO, pacing };
        let began = Instant::now();
        let seen =
            Survey::new(limits, Gates::new(pacing), Rng::with_seed(1)).inspect(&jobs, |at| at != 304, look).await;
        assert!(began.elapsed() > Duration::from_secs(60), "a pause is kept");
        let of = |at: usize| seen[at].clone();
        assert!(matches!(of(0), Some(Sighting::Identity(_))) && of(0) == of(1));
        assert_eq!(of(2), Some(Sighting::Gone));
        assert!(matches!(of(3), Some(Sighting::Identity(_))));
        assert_eq!(of(4), Some(Sighting::NotRead("503".into())));
        assert_eq!((seen.len(), of(304)), (305, None));
        let calls = calls.lock().unwrap();
        assert_eq!((calls["a"], calls.get("A"), calls["slow"], calls["no"]), (1, None, 3, 1));
    }
}
