//! The runner: jobs in, one settlement per job out.
//!
//! In: jobs and their holds, an [`executor::Executor`], [`Limits`], a clock and a seed. Out: [`event::Event`]s while it
//! works, settlements in plan order at the end. Must not: know Graph, HTTP, files or terminals.
//!
//! One dispatcher owns all state: queues, gates, tries, settlements. Workers only perform attempts. They talk by
//! messages, so that every count is taken in one place.

mod dispatcher;
pub mod event;
pub mod executor;
pub mod limiter;
mod ledger;
mod pace_clock;
mod queue;
mod retry;
pub mod shutdown;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::mpsc;

use self::dispatcher::Dispatcher;
use self::event::{Event, StopReason};
use self::executor::Executor;
use self::limiter::Pacing;
use self::shutdown::StopRequest;
use crate::clock::Clock;
use crate::guard::preflight::Hold;
use crate::job::Job;
use crate::journal::Recorder;
use crate::outcome::Settlement;

pub use self::retry::{DEFAULT_MAX_ATTEMPTS, MAX_CONNECT_FAILURES, connect_pause, transient_pause};

/// Requests in flight unless the plan says otherwise. At ten a second and a second each, sixteen are enough.
pub const DEFAULT_CONCURRENCY: u16 = 16;

/// How hard a run may work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests in flight, at most.
    pub concurrency: u16,
    /// Tries of one job, at most.
    pub max_attempts: u32,
    pub pacing: Pacing,
}

/// What a run is made of.
#[derive(Debug)]
pub struct Run {
    pub jobs: Arc<[Job]>,
    /// One for each job: why it is not sent, if so.
    pub holds: Vec<Option<Hold>>,
    pub limits: Limits,
    pub clock: Clock,
    pub rng: Rng,
    pub history: History,
}

/// What the run remembers, and where it is remembered.
#[derive(Debug, Default)]
pub struct History {
    /// Every attempt is durable here before it leaves. A rehearsal may do without.
    pub journal: Option<Recorder>,
    /// Jobs that an earlier process left behind; a job that is not in here is new.
    pub earlier: HashMap<u32, Earlier>,
}

/// What an earlier process left behind of a job.
#[derive(Debug)]
pub enum Earlier {
    /// It stays as it was settled.
    Kept(Box<Settlement>),
    /// It failed and is to be sent again; if the run does not come to it, it stays failed.
    Failed(Box<Settlement>, Box<Earlier>),
    /// It goes on.
    Open {
        /// Attempts in the journal.
        recorded: u32,
        first_sent: Option<Timestamp>,
        /// When an attempt left whose effect is in doubt.
        doubtful_since: Option<Timestamp>,
        /// Whether that has to be settled by a read before it is sent again.
        read_first: bool,
    },
}

/// What a run ended with.
#[derive(Debug)]
pub struct Ended {
    /// One for each job, in plan order.
    pub settlements: Vec<Settlement>,
    /// Why it ended early, if it did.
    pub stopped: Option<StopReason>,
    /// To be finished by whoever began it.
    pub journal: Option<Recorder>,
}

/// Performs a run. The first message on `stop` drains it, the second abandons what is in flight; either way every job
/// has a settlement.
pub async fn run<E: Executor>(
    run: Run,
    executor: Arc<E>,
    events: mpsc::UnboundedSender<Event>,
    stop: mpsc::UnboundedReceiver<StopRequest>,
) -> Ended {
    Dispatcher::new(run, executor, events).run(stop).await
}

#[cfg(test)]
mod tests;
