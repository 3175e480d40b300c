//! Where a job is.
//!
//! In: nothing. Out: [`JobState`], one value for each job at each moment. Must not: say what comes next; policies do.

/// What is to be done with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NextRequest {
    Send,
    /// PreSendCheck: read who its target is, right before it is sent. It waits as [`NextRequest::Send`].
    Check,
    /// ReadBack: read whether an attempt in doubt had an effect; `resend` says whether the job may be sent again after that.
    ReadBack {
        resend: bool,
    },
    /// FollowUp: read how far it is. It was accepted, and something waits for it.
    FollowUp,
    /// Read what the id at that place of its route names: something of it is missing. After the last one, the state that the
    /// action is about.
    Find {
        at: u8,
    },
}

/// A job, and what is to be done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub job: u32,
    pub next: NextRequest,
}

impl Item {
    pub(super) fn send(job: u32) -> Self {
        Self { job, next: NextRequest::Send }
    }
}

/// What a job waits for that is in no queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitsFor {
    /// Its turn after a delay.
    Time,
    /// Its wave.
    Wave,
    /// The settlement of the step before it.
    StepBefore,
    /// A read that shows the step before it done.
    StepSeen,
    /// What is left of the day's limit with that number.
    Day(u8),
    /// What other targets of the same limit are told.
    OtherAnswers,
    /// The journal's word on what else was sent to its target.
    Journal,
}

/// Whether a settled job is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BeingRead {
    No,
    Queued,
    Out,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobState {
    /// At the start, and between an answer and what follows from it. Never when the dispatcher rests.
    InHand,
    Waiting(WaitsFor, NextRequest),
    Queued(NextRequest),
    /// Its target was read a moment ago and is the right one; it waits for its place among the writes.
    Checked,
    /// Its attempt is on its way through the journal. `outdated`: the guards have changed since.
    BeingRecorded {
        outdated: bool,
    },
    /// Its attempt is durable and has not left.
    Recorded,
    /// Its request is with a worker, or about to be.
    Out(NextRequest),
    Settled(BeingRead),
}

impl JobState {
    /// Whether something of it is on its way, from the gate to the answer.
    pub(super) fn is_under_way(self) -> bool {
        self.under_way().is_some()
    }

    /// What is on its way of it.
    pub(super) fn under_way(self) -> Option<NextRequest> {
        match self {
            Self::BeingRecorded { .. } | Self::Recorded => Some(NextRequest::Send),
            Self::Out(next) => Some(next),
            Self::Settled(BeingRead::Out) => Some(NextRequest::FollowUp),
            Self::InHand | Self::Waiting(..) | Self::Queued(_) | Self::Checked | Self::Settled(_) => None,
        }
    }

    /// What it waits for in a queue, or outside of one; what a run that ends takes out.
    pub(super) fn put_off(self) -> Option<NextRequest> {
        match self {
            Self::Queued(next) | Self::Waiting(WaitsFor::Time | WaitsFor::Wave | WaitsFor::Day(_), next) => Some(next),
            Self::Checked => Some(NextRequest::Send),
            _ => None,
        }
    }

    pub(super) fn is_settled(self) -> bool {
        matches!(self, Self::Settled(_))
    }
}
