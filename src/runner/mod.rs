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
pub mod guards;
mod ledger;
mod queue;
pub mod question;
mod retry;
pub mod shutdown;
mod worker;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::mpsc;

use self::dispatcher::Dispatcher;
use self::event::{Event, StopReason};
use self::executor::Executor;
use self::guards::Guards;
use self::question::Question;
use self::shutdown::StopRequest;
use crate::approval::{Request, Status};
use crate::catalog::{Bucket, Budget};
use crate::clock::Clock;
use crate::daily::{Agreement, Daily, Later, Suspicion};
use crate::guard::Brakes;
use crate::guard::breaker::{Breaker, StopWhen};
use crate::guard::filing::Filing;
use crate::guard::lookout::Lookout;
use crate::guard::preflight::Hold;
use crate::job::Job;
use crate::journal::{Recorder, Tries};
use crate::outcome::Settlement;
use crate::pacing::{BucketUse, Gates, Pacing};

pub use self::retry::{DEFAULT_MAX_ATTEMPTS, DEFAULT_SETTLING};

/// Requests in flight, at most, unless the plan says otherwise. A run begins with fewer and takes more only where answers
/// are so slow that the allowance could not be used without.
pub const DEFAULT_CONCURRENCY: u16 = 64;

/// How hard a run may work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests in flight, at most.
    pub concurrency: u16,
    /// Tries of one job, at most.
    pub max_attempts: u32,
    /// How long after an answer in doubt a read that shows no effect proves nothing yet.
    pub settling: Duration,
    pub pacing: Pacing,
}

impl Limits {
    /// What may be used of each allowance; `None` where nothing is paced.
    pub fn budget(&self) -> Option<Budget> {
        match self.pacing {
            Pacing::Within(budget) => Some(budget),
            Pacing::Off => None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: DEFAULT_CONCURRENCY,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            settling: DEFAULT_SETTLING,
            pacing: Pacing::Within(Budget::documented(0)),
        }
    }
}

/// What a run is made of.
#[derive(Debug)]
pub struct Run {
    pub jobs: Arc<[Job]>,
    /// One for each job: why it is not sent, if so.
    pub holds: Vec<Option<Hold>>,
    pub limits: Limits,
    /// What each request passes before it leaves; whatever else sends to the tenant passes them too.
    pub gates: Gates,
    pub daily: Daily,
    /// What slows and stops it on the way.
    pub brakes: Brakes,
    /// Who is asked between waves; `None` where nobody is there.
    pub people: Option<mpsc::UnboundedSender<Question>>,
    pub clock: Clock,
    pub rng: Rng,
    /// What is checked of a target right before it is sent to.
    pub lookout: Lookout,
    /// What may be sent at all, now.
    pub guards: Guards,
    pub history: History,
    /// How long what was accepted is followed up for whoever wants to know how it ended; zero is one look at each.
    pub verify: Option<Duration>,
}

/// What the run remembers, and where it is remembered.
#[derive(Debug, Default)]
pub struct History {
    /// Every attempt is durable here before it leaves. A rehearsal may do without.
    pub journal: Option<Recorder>,
    /// Jobs that an earlier process left behind; a job that is not in here is new.
    pub earlier: HashMap<u32, Earlier>,
    /// What anybody has sent to the same tenant of late, and how long ago: it is in the service's windows.
    pub recent: Vec<(Bucket, Duration)>,
    /// Approval requests that are open already, and what has been carried out today, by action.
    pub filing: Filing,
    /// Jobs whose target an earlier run has seen in this tenant.
    pub shown: HashSet<u32>,
    /// Jobs whose deed an earlier run has done in this tenant: somebody wants it done again.
    pub done_before: HashSet<u32>,
    /// An earlier process ended between two waves, before the first of them was seen to have landed.
    pub between_waves: bool,
    /// What earlier rounds of this process have counted.
    pub carried: Option<Carried>,
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
        tries: Tries,
        /// When an attempt left whose effect is in doubt.
        doubtful_since: Option<Timestamp>,
        /// Whether that has to be settled by a read before it is sent again.
        read_first: bool,
    },
    /// Somebody has approved it: its target is read, and unless that shows an effect it is sent with the code that the
    /// executor has for it.
    Approved(Approved),
}

/// What is known of a job whose approval request was approved, or of one that was sent with a code and is in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    pub request: Request,
    pub tries: Tries,
    /// When an attempt with the code left whose effect is in doubt.
    pub doubtful_since: Option<Timestamp>,
    /// How the request ended, if it has: then the read alone settles the job, and nothing is sent.
    pub ended: Option<Status>,
}

/// What a run ended with.
#[derive(Debug)]
pub struct Ended {
    /// One for each job, in plan order.
    pub settlements: Vec<Settlement>,
    /// Why it ended early, if it did.
    pub stopped: Option<StopReason>,
    /// What was left for another day.
    pub later: Vec<Later>,
    /// Jobs that an earlier process saw fail, and that were not sent this time either.
    pub unsent: Vec<u32>,
    /// To be finished by whoever began it.
    pub journal: Option<Recorder>,
    /// What each bucket was used for, where anything was sent.
    pub used: Vec<BucketUse>,
    /// For the next round.
    pub carried: Carried,
    /// For the next round.
    pub guards: Guards,
    /// Jobs whose target was seen, in this run or before.
    pub shown: HashSet<u32>,
}

/// What the rounds of one process have in common, beside the journal.
#[derive(Debug)]
pub struct Carried {
    breaker: Breaker,
    suspicion: Suspicion,
    agreement: Agreement,
}

impl Carried {
    fn new(stop_when: StopWhen) -> Self {
        Self { breaker: Breaker::new(stop_when), suspicion: Suspicion::default(), agreement: Agreement::default() }
    }
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
mod pacing_tests;
#[cfg(test)]
mod tests;
