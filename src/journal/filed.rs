//! Approval requests that runs have filed.
//!
//! In: nothing. Out: a request as it was last seen, what a look-up has read of one, one that waits for somebody.
//! Must not: look anything up, or decide what follows.

use jiff::Timestamp;

use super::id::RunId;
use super::resume::Asked;
use crate::approval::{ApprovalRequest, RequestStatus};

/// The request of a job, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    pub request: ApprovalRequest,
    /// The attempt that was answered with it; those after it may carry its code. -1: of an earlier run, in older journals.
    pub attempt: i64,
    /// As last read.
    pub status: RequestStatus,
    pub read_at: Option<Timestamp>,
    /// A later run goes on with it.
    pub moved: bool,
}

impl Filed {
    /// Whether this run may still do something about it.
    pub fn is_open(&self) -> bool {
        self.status.is_open() && !self.moved
    }

    /// How it stands for sure: an approval may have been used or withdrawn since it was read.
    pub fn asked(&self) -> Asked {
        match self.moved {
            true => Asked::Moved,
            false if self.status.is_open() => Asked::Waiting,
            false => self.status.into(),
        }
    }
}

/// What a look-up found out about one request of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRead {
    pub job: u32,
    pub code: Box<str>,
    pub status: RequestStatus,
    /// The service's own word for when it expires.
    pub expires_at: Option<Timestamp>,
}

/// A request that waits, with what an approver needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub run: RunId,
    /// Its place in that run.
    pub job: u32,
    pub tenant: String,
    pub plan_file: String,
    pub justification: Option<String>,
    pub action: String,
    pub target: String,
    /// What the target was called when it was looked up.
    pub target_name: Option<String>,
    pub row: u32,
    pub note: Option<String>,
    pub filed: Filed,
}
