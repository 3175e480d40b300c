//! What the runner itself costs: dispatcher, gates, queues and account, with an executor that answers at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::{Fallible, Table, Target, cpu_of_this_process, jobs, median, micros};
use fastrand::Rng;
use jiff::Timestamp;
use musterout::testing::catalog::Budget;
use musterout::testing::clock::Clock;
use musterout::testing::guard::Brakes;
use musterout::testing::job::Job;
use musterout::testing::outcome::{
    Evidence, FollowUp, FollowUpRead, Outcome, Presence, Reply, Seen, Since, Stage, Verdict,
};
use musterout::testing::pacing::{Gates, Pacing};
use musterout::testing::runner::executor::Executor;
use musterout::testing::runner::{self, History, Limits, Run};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

const ROUNDS: usize = 5;
const JOBS: u32 = 200_000;
const PACED_JOBS: u32 = 50_000;
const IN_FLIGHT: u16 = 64;

/// A service without a wire.
struct AtOnce;

impl Executor for AtOnce {
    async fn attempt(&self, _job: &Job, client_request_id: &str) -> Reply {
        // As a real one, which waits at least once.
        tokio::task::yield_now().await;
        Reply {
            verdict: Verdict::Succeeded,
            http_status: Some(204),
            error_code: None,
            error_message: None,
            request_id: None,
            client_request_id: client_request_id.into(),
            load_percent: None,
        }
    }

    async fn inspect(&self, _job: &Job, _client_request_id: &str) -> Seen {
        Seen::Gone
    }

    async fn find(&self, _job: &Job, _at: usize, _client_request_id: &str) -> Presence {
        Presence::There
    }

    async fn read_back(&self, _job: &Job, _since: Since, _client_request_id: &str) -> Evidence {
        Evidence::CannotTell("nobody asks".into())
    }

    async fn follow_up(&self, _job: &Job, _since: Timestamp, _client_request_id: &str) -> Result<FollowUpRead, Reply> {
        let (stage, words, read_at) = (Stage::Untold, "nobody asks".into(), Timestamp::UNIX_EPOCH);
        Ok(FollowUpRead::There(FollowUp { stage, words, last_check_in: None, read_at }))
    }
}

pub fn bench() -> Fallible<()> {
    let jobs = jobs(JOBS)?;
    let paced_jobs: Arc<[Job]> = jobs[..PACED_JOBS as usize].into();
    let [mut run, mut bare, mut paced] = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        run.push(cpu_of(&one_thread(false)?, JOBS, perform(&jobs, Pacing::Off))?);
        bare.push(cpu_of(&one_thread(false)?, JOBS, bare_loop(Arc::clone(&jobs)))?);
        let pacing = Pacing::Within(Budget::documented(0));
        paced.push(cpu_of(&one_thread(true)?, PACED_JOBS, perform(&paced_jobs, pacing))?);
    }
    let [run, bare, paced] = [run, bare, paced].map(|figures| median(figures).unwrap_or_default());
    let mut table = Table::new("The runner alone, on one thread, CPU per job, medians of the rounds");
    let yardstick = format!("64 bare tasks {bare:.2} us");
    table.row("unpaced", &format!("{run:.2} us"), &yardstick, Some(run / bare), (run, Target::AtMost(5.0), "< 5 us"));
    table.note("paced, under a clock that jumps", &format!("{paced:.2} us"), &yardstick, Some(paced / bare));
    table.print();
    Ok(())
}

fn one_thread(paused: bool) -> Fallible<Runtime> {
    Ok(Builder::new_current_thread().enable_all().start_paused(paused).build()?)
}

fn cpu_of(runtime: &Runtime, jobs: u32, work: impl Future<Output = Fallible<()>>) -> Fallible<f64> {
    let before = cpu_of_this_process()?;
    runtime.block_on(work)?;
    let cpu = cpu_of_this_process()? - before;
    Ok(micros(cpu) / f64::from(jobs))
}

async fn perform(jobs: &Arc<[Job]>, pacing: Pacing) -> Fallible<()> {
    let (events, mut told) = mpsc::unbounded_channel();
    let (_stop, never) = mpsc::unbounded_channel();
    let listener = tokio::spawn(async move {
        let mut batch = Vec::new();
        while told.recv_many(&mut batch, 4_096).await > 0 {
            batch.clear();
        }
    });
    let run = Run {
        jobs: Arc::clone(jobs),
        holds: vec![None; jobs.len()],
        limits: Limits { concurrency: IN_FLIGHT, max_attempts: 5, settling: Duration::from_secs(60), pacing },
        gates: Gates::new(pacing),
        daily: musterout::testing::daily::DailyTerms::default(),
        brakes: Brakes::default(),
        people: None,
        clock: Clock::starting_at(Timestamp::UNIX_EPOCH),
        rng: Rng::with_seed(1),
        lookout: Default::default(),
        guards: Default::default(),
        history: History::default(),
        verify: None,
    };
    let ended = runner::run(run, Arc::new(AtOnce), events, never).await;
    listener.await?;
    match ended.settlements.iter().all(|settlement| settlement.outcome == Outcome::Accepted) {
        true => Ok(()),
        false => Err("a job did not settle".into()),
    }
}

/// As many tasks that take the next job and keep nothing.
async fn bare_loop(jobs: Arc<[Job]>) -> Fallible<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let task = |_| {
        let (jobs, next) = (Arc::clone(&jobs), Arc::clone(&next));
        tokio::spawn(async move {
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                std::hint::black_box(AtOnce.attempt(job, job.target()).await);
            }
        })
    };
    let tasks: Vec<_> = (0..IN_FLIGHT).map(task).collect();
    for task in tasks {
        task.await?;
    }
    Ok(())
}
