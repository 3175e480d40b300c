//! What the runner tells the world while it works.
//!
//! In: nothing. Out: [`Event`]s on a channel, in the order in which things happened. Must not: format, count or show;
//! whoever listens does.

use jiff::Timestamp;
use std::time::Duration;

use crate::catalog::Bucket;
use crate::daily::Ground;
use crate::outcome::{Cause, Lack, Outcome, Stage, Unsent};

/// One thing that happened in a run. Small, because there is at least one for every job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `jobs` rows in the plan, of which `due` will be sent.
    Started { jobs: u32, due: u32 },
    /// A request left for the job with this index.
    Sent { job: u32, bucket: Bucket },
    /// Nobody sends in this bucket for that long.
    Paused { bucket: Bucket, pause: Duration, until: Timestamp },
    /// So many thousandths of the bucket's allowance are used from now on.
    Paced { bucket: Bucket, permille: u16 },
    /// The job will be tried again after that time, because of `reason`.
    Retrying { job: u32, delay: Duration, reason: Box<str> },
    /// Jobs of this action wait that long, until then: the day's limit is used up, or seems to be.
    DayUsedUp { action: &'static str, wait: Duration, until: Timestamp, ground: Ground },
    /// The job with this index settled.
    Settled { job: u32, outcome: Outcome },
    /// The host cannot be reached; the next try comes after that time.
    Unreachable { delay: Duration, message: Box<str> },
    /// Nothing new is sent; so many requests are still out.
    Draining { in_flight: u32, reason: StopReason },
    /// How far a run in waves is.
    Wave(WaveNews),
    /// So many steps wait until the one before them was seen to have happened.
    StepsWait { steps: u32 },
    /// So many accepted jobs are followed up for whoever wants to know, until then.
    Verifying { jobs: u32, until: Timestamp },
    /// A read has shown how far an accepted job is.
    FollowedUp { job: u32, stage: Stage },
    /// What was in flight is given up as unknown.
    Abandoned { in_flight: u32 },
    /// Every job has settled.
    Finished,
}

/// What happens between waves. Numbers are from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaveNews {
    /// `jobs` are about to be sent.
    Began { wave: u32, of: u32, jobs: u32 },
    /// All its jobs have settled; `unseen` of them are read until they have landed.
    Settled { wave: u32, of: u32, unseen: u32, within: Duration, deadline: Timestamp },
    /// It has landed, and nothing is sent for that long.
    Pausing { wave: u32, of: u32, pause: Duration, until: Timestamp },
    /// Somebody is asked whether to go on.
    Asking,
}

/// Why a run ended before its plan did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// Ctrl-C, or a request to terminate.
    Interrupted,
    /// `musterout stop`.
    Requested,
    /// A policy of the runner has ended it: for which cause, and in words.
    Policy(Cause, Box<str>),
    /// The token was refused, or no token could be had.
    SignIn(Box<str>),
    /// The host could not be reached.
    Unreachable(Box<str>),
    /// The journal could not be written.
    Journal(Box<str>),
    /// The tenant wants a justification that the run does not give, in the service's words.
    Justification(Lack, Box<str>),
}

impl StopReason {
    /// Whether a guard has ended it, so that the way on begins with its cause.
    pub fn is_a_guard(&self) -> bool {
        matches!(self, Self::Policy(Cause::Breaker | Cause::Wave | Cause::Guards, _))
    }

    /// Whether the service can still be asked what became of something.
    pub(super) fn leaves_time(&self) -> bool {
        match self {
            Self::Interrupted | Self::Requested | Self::Policy(..) | Self::Justification(..) => true,
            Self::SignIn(_) | Self::Unreachable(_) | Self::Journal(_) => false,
        }
    }

    /// Why a job was not sent that the run had no time for any more.
    pub fn unsent(&self) -> Unsent {
        match self {
            Self::Interrupted => Cause::Interrupted.plain(),
            Self::Requested => Cause::Stopped.plain(),
            Self::Policy(cause, why) => cause.with(why),
            Self::SignIn(_) => Cause::SignInFailed.plain(),
            Self::Unreachable(_) => Cause::Unreachable.plain(),
            Self::Journal(_) => Cause::JournalFailed.plain(),
            Self::Justification(..) => Cause::Justification.plain(),
        }
    }
}
