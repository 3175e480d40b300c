//! Guards: rules that refuse a run or hold single jobs before anything is sent, and rules that slow or stop it then.
//!
//! In: the jobs of a plan and the time; of a single job, who its target is; what happens during the run. Out: findings.
//! Must not: send, ask, or print.

pub(crate) mod breaker;
mod census;
pub(crate) mod consent;
pub(crate) mod contradictions;
mod crowd;
pub(crate) mod drift;
pub(crate) mod escrow;
pub(crate) mod filing;
pub(crate) mod judge;
pub(crate) mod lookout;
pub(crate) mod meaning;
pub(crate) mod now;
pub(crate) mod overrides;
pub(crate) mod preflight;
pub(crate) mod protected;
pub(crate) mod rule;
pub(crate) mod rules;
pub(crate) mod waves;
pub(crate) mod window;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::breaker::StopWhen;
use self::waves::Schedule;

/// What slows and stops a run that is under way. The journal keeps it for a resumed run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brakes {
    pub stop_when: StopWhen,
    pub waves: Schedule,
    /// When this process ends the run in good order. One that goes on has a time of its own.
    #[serde(skip)]
    pub until: Option<Timestamp>,
}
