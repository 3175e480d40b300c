//! Guards: rules that refuse a run or hold single jobs before anything is sent, and rules that slow or stop it then.
//!
//! In: the jobs of a plan and the time; of a single job, who its target is; what happens during the run. Out: findings.
//! Must not: send, ask, or print.

pub mod breaker;
pub mod census;
pub mod consent;
pub mod contradictions;
mod crowd;
pub mod drift;
pub mod escrow;
pub mod filing;
pub mod judge;
pub mod lookout;
pub mod meaning;
pub mod now;
pub mod overrides;
pub mod preflight;
pub mod protected;
pub mod rule;
pub mod rules;
pub mod waves;
pub mod window;

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
