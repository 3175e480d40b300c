//! What a run is made of, and what it ends with.
//!
//! In: nothing. Out: the values that the rooms above fill for a run and read after it. Must not: do anything.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::event::StopReason;
use super::guards::Guards;
use super::limits::Limits;
use super::question::WaveQuestion;
use crate::approval::{ApprovalRequest, RequestStatus};
use crate::catalog::Bucket;
use crate::clock::Clock;
use crate::daily::{DailyTerms, Later, SameRefusals, Suspicion};
use crate::guard::Brakes;
use crate::guard::breaker::Breaker;
use crate::guard::filing::Filing;
use crate::guard::lookout::PreSendCheck;
use crate::guard::preflight::Hold;
use crate::job::Job;
use crate::journal::{Recorder, Tries};
use crate::outcome::Settlement;
use crate::pacing::{BucketUse, Gates};

/// What a run is made of.
#[derive(Debug)]
pub struct Run {
    pub jobs: Arc<[Job]>,
    /// One for each job: why it is not sent, if so.
    pub holds: Vec<Option<Hold>>,
    pub limits: Limits,
    /// What each request passes before it leaves; whatever else sends to the tenant passes them too.
    pub gates: Gates,
    pub daily: DailyTerms,
    /// What slows and stops it on the way.
    pub brakes: Brakes,
    /// Who is asked between waves; `None` where nobody is there.
    pub people: Option<mpsc::UnboundedSender<WaveQuestion>>,
    pub clock: Clock,
    pub rng: Rng,
    /// What is checked of a target right before it is sent to.
    pub lookout: PreSendCheck,
    /// What may be sent at all, now.
    pub guards: Guards,
    pub history: History,
    /// How long accepted jobs are followed up for a person who wants to know how they ended; zero is one read of each.
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
    /// Jobs whose action an earlier run has done in this tenant: it is to be done again.
    pub done_before: HashSet<u32>,
    /// An earlier process ended between two waves, before the first of them was seen to have landed.
    pub between_waves: bool,
    /// What earlier rounds of this process have counted.
    pub carried: Carried,
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
    /// Its approval request was approved: its target is read, and unless that shows an effect it is sent with the code that the
    /// executor has for it.
    Approved(Approved),
}

/// What is known of a job whose approval request was approved, or of one that was sent with a code and is in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    pub request: ApprovalRequest,
    pub tries: Tries,
    /// When an attempt with the code left whose effect is in doubt.
    pub doubtful_since: Option<Timestamp>,
    /// How the request ended, if it has: then the read alone settles the job, and nothing is sent.
    pub ended: Option<RequestStatus>,
}

/// What a run ended with.
#[derive(Debug)]
pub struct Ended {
    /// One for each job, in plan order.
    pub settlements: Vec<Settlement>,
    /// Why it ended early, if it did.
    pub stopped: Option<StopReason>,
    /// Jobs that an earlier process saw fail, and that were not sent this time either.
    pub unsent: Vec<u32>,
    /// To be finished by the one that began it.
    pub journal: Option<Recorder>,
    /// What each bucket was used for, where anything was sent.
    pub used: Vec<BucketUse>,
    /// What the policies leave behind.
    pub left: LeftBehind,
}

/// What the policies of a run leave behind.
#[derive(Debug, Default)]
pub struct LeftBehind {
    /// What was left for another day.
    pub later: Vec<Later>,
    /// For the next round.
    pub carried: Carried,
    /// For the next round.
    pub guards: Guards,
    /// Jobs whose target was seen, in this run or before.
    pub shown: HashSet<u32>,
}

/// What the rounds of one process have in common, beside the journal. By default, nothing was counted yet.
#[derive(Debug, Default)]
pub struct Carried {
    pub(super) breaker: Option<Breaker>,
    pub(super) suspicion: Suspicion,
    pub(super) agreement: SameRefusals,
}
