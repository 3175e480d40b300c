//! What the writer is told: attempts about to be made, answers, outcomes.
//!
//! In: what the runner says. Out: values for the writer of a store to make durable. Must not: touch the database.

use jiff::Timestamp;

use super::error::JournalError;
use super::open::OpenJob;
use crate::approval::ApprovalRequest;
use crate::catalog::TargetKind;
use crate::daily::{Take, UsedUp};
use crate::job::Job;
use crate::outcome::{Reply, RequestId, Settlement};

/// Why an attempt is not recorded, and does not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnedAway {
    /// A daily limit has no room for it.
    UsedUp(UsedUp),
    /// It may not be repeated, and that run has sent it since this one has last taken account of others.
    SentBy(Box<str>),
    /// A run of another plan has something open on its target, and this may not follow it.
    Behind(Box<OpenJob>),
}

/// What the writer came to.
pub(crate) type Written = Result<(), JournalError>;

/// What is called when the record of an attempt is durable, or when there is to be none.
pub(super) type Release = Box<dyn FnOnce(Result<(), TurnedAway>) + Send>;

/// Another job, of whatever run, to which something that was seen may be due as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    pub action: Box<str>,
    pub run: Box<str>,
}

/// What is called with the rival, if there is one.
pub(super) type RivalAnswer = Box<dyn FnOnce(Option<Rival>) + Send>;

/// What a rival of a job can be.
#[derive(Debug, Clone)]
pub struct RivalQuestion {
    /// The job: another one of the same action on the same target, sent since or nearly so.
    pub same: Job,
    /// What else removes such a target, whenever it was sent.
    pub removals: Vec<Job>,
}

pub(super) enum JournalRecord {
    Attempt(Attempt),
    Answer {
        job: u32,
        attempt: u32,
        answered_at: Timestamp,
        reply: Box<Reply>,
    },
    Filed {
        job: u32,
        attempt: u32,
        request: Box<ApprovalRequest>,
    },
    Settled {
        job: u32,
        settlement: Settlement,
    },
    FollowedUp {
        job: u32,
        settlement: Box<Settlement>,
    },
    Shown {
        job: u32,
        kind: TargetKind,
    },
    GiveBack {
        client_request_id: RequestId,
    },
    Pause {
        take: Take,
        used_up: UsedUp,
    },
    /// No record, but a question that is answered after all records before it.
    Rival {
        job: u32,
        question: Box<RivalQuestion>,
        told: RivalAnswer,
    },
}

/// An attempt about to be made.
pub struct Attempt {
    pub job: u32,
    pub number: u32,
    pub client_request_id: RequestId,
    pub sent_at: Timestamp,
    /// What it takes out of a daily limit; without room there, it is not recorded.
    pub take: Option<Take>,
    /// Whether an action may be sent to a target on which another plan has the first one open; both by their names.
    pub may_follow: fn(&str, &str) -> bool,
    pub release: Release,
}
