//! The pulse of a run: a loop over answers, records, requests to stop, and time.
//!
//! In: a [`Run`]. Out: how it ended. Must not: decide, perform attempts, or do anything that blocks.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::pool::WorkerPool;
use super::records::Records;
use super::road::Road;
use super::state::Dispatcher;
use crate::runner::dialogue::{Happened, Then};
use crate::runner::event::Event;
use crate::runner::executor::Executor;
use crate::runner::job_state::{JobState, WaitsFor};
use crate::runner::ledger::Ledger;
use crate::runner::mailbox::{Mailbox, News};
use crate::runner::policy;
use crate::runner::queue::Queues;
use crate::runner::run::{Ended, LeftBehind, Run};
use crate::runner::shutdown::StopRequest;

/// Answers taken in one go.
const BATCH: usize = 256;

/// Performs a run. The first message on `stop` ends it in good order, the second abandons what is in flight; either way every job
/// has a settlement.
pub async fn run<E: Executor>(
    run: Run,
    executor: Arc<E>,
    events: mpsc::UnboundedSender<Event>,
    stop: mpsc::UnboundedReceiver<StopRequest>,
) -> Ended {
    let (mail, news) = Mailbox::new();
    Dispatcher::new(run, executor, events, &mail).run(stop, news).await
}

impl Dispatcher {
    fn new<E: Executor>(mut run: Run, executor: Arc<E>, events: mpsc::UnboundedSender<Event>, mail: &Mailbox) -> Self {
        let policies = policy::all(&mut run, mail);
        let Run { jobs, holds, limits, gates, clock, rng, history, .. } = run;
        gates.begin(&history.recent, Instant::now());
        let mut dispatcher = Self {
            ledger: Ledger::new(jobs.len(), clock.clone()),
            queues: Queues::new(Arc::clone(&jobs)),
            policies,
            then: Then::default(),
            road: Road::new(gates, limits.concurrency),
            pool: WorkerPool::new(Arc::clone(&jobs), executor, limits.concurrency),
            records: Records::new(history.journal),
            events,
            stopped: None,
            jobs,
            limits,
            clock,
            rng,
        };
        dispatcher.begin(&holds, history.earlier);
        dispatcher
    }

    async fn run(
        mut self,
        mut stop: mpsc::UnboundedReceiver<StopRequest>,
        mut news: mpsc::UnboundedReceiver<News>,
    ) -> Ended {
        let (mut answers, mut records) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        let (mut listening, mut was_interrupted) = (true, false);
        loop {
            self.clock.catch_up();
            let now = Instant::now();
            self.turn(now);
            let gates = self.dispatch(now);
            self.hand_out(now);
            if self.is_quiet() && self.happens(&Happened::Quiet, now) {
                continue;
            }
            if self.ledger.open() == 0 && !self.policies.iter().any(|policy| policy.keeps_open()) {
                break;
            }
            let is_asking = self.policies.iter().any(|policy| policy.is_asking());
            let is_stuck = self.ledger.in_flight() == 0 && gates.is_none() && !is_asking;
            if is_stuck && self.happens(&Happened::Stuck, now) {
                continue;
            }
            let wake = gates.into_iter().chain(self.next_wish(now)).min();
            if is_stuck && wake.is_none() {
                break;
            }
            tokio::select! {
                biased;
                request = stop.recv(), if listening => match request {
                    Some(StopRequest::Interrupt) if was_interrupted => { self.abandon(); break }
                    Some(request) => {
                        was_interrupted |= self.stop_for(request);
                    }
                    None => listening = false,
                },
                _ = self.pool.done.recv_many(&mut answers, BATCH) => answers.drain(..).for_each(|done| self.answered(done)),
                _ = self.records.back.recv_many(&mut records, BATCH) => records.drain(..).for_each(|one| self.recorded(one)),
                Some(news) = news.recv() => { self.happens(&Happened::News(&news), Instant::now()); }
                () = sleep_until(wake.map(|at| now + self.clock.step(at.saturating_duration_since(now)))) => {}
            }
        }
        self.end()
    }

    fn end(mut self) -> Ended {
        self.leave_the_rest();
        self.tell(Event::Finished);
        self.happens(&Happened::Finished, Instant::now());
        let mut left = LeftBehind::default();
        self.policies.into_iter().for_each(|policy| policy.leave(&mut left));
        let (settlements, unsent) = self.ledger.close();
        let (stopped, journal, used) = (self.stopped, self.records.journal, self.road.used());
        Ended { settlements, stopped, unsent, journal, used, left }
    }

    /// Tells the policies that time has passed, until nothing more follows from it.
    fn turn(&mut self, now: Instant) {
        let ledger = &self.ledger;
        for item in self.queues.wake(now, |job| ledger.is_at_risk(job)) {
            if self.ledger.state(item.job) == JobState::Waiting(WaitsFor::Time, item.next) {
                self.ledger.moves(item.job, JobState::Queued(item.next));
            }
        }
        while self.happens(&Happened::Turn, now) {}
    }

    fn is_quiet(&self) -> bool {
        self.ledger.in_flight() == 0 && self.queues.is_idle()
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
