//! What is known of a job that has been sent and has not settled.
//!
//! In: sends and answers. Out: [`JobProgress`], of which the settlement is made. Must not: decide.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::run::Approved;
use crate::outcome::{Ending, Reply, ServiceError, Settlement, Since};

/// What is in doubt of a job, as one value: it is there whole, or nothing is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JobDoubt {
    /// When the first attempt left whose effect is in doubt.
    pub since: Since,
    /// Until then, a read that shows no effect proves nothing: a full settling time after the newest such attempt, or
    /// after this process took it up.
    pub settling_until: Instant,
    /// Some answer was lost.
    pub lost: bool,
}

/// A job that has been sent and has not settled.
#[derive(Debug, Default)]
pub(super) struct JobProgress {
    /// Attempts in the journal, earlier processes included; the next one has this number.
    pub recorded: u32,
    /// Requests that left, throttled ones included.
    pub sends: u32,
    /// Requests that count against the job's attempts.
    pub tries: u32,
    /// This process has sent for it, or is about to: it may go wrong.
    pub at_risk: bool,
    pub first_sent: Option<Timestamp>,
    /// Attempts of which no answer and no read has shown what they did.
    pub doubt: Option<JobDoubt>,
    /// What an earlier process called its last request.
    pub last_id: Option<Uuid>,
    /// Somebody has approved it: each of its sends follows a read.
    pub approved: Option<Approved>,
    in_flight: Duration,
    last: Option<Reply>,
}

impl JobProgress {
    /// A request is about to leave.
    pub(super) fn sent(&mut self, now: Timestamp) {
        self.recorded += 1;
        self.sends += 1;
        self.tries += 1;
        self.first_sent.get_or_insert(now);
    }

    pub(super) fn answered(&mut self, reply: Reply, took: Duration) {
        self.in_flight += took;
        self.last = Some(reply);
    }

    /// An answer has left open what an attempt did that left at `sent_at`.
    pub(super) fn doubted(&mut self, sent_at: Timestamp, settling_until: Instant, lost: bool) {
        let doubt = JobDoubt { since: Since::by_this_clock(sent_at), settling_until, lost };
        self.doubt = Some(match self.doubt {
            Some(before) => JobDoubt { since: before.since, lost: before.lost || lost, ..doubt },
            None => doubt,
        });
    }

    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    pub(super) fn last_status(&self) -> Option<u16> {
        self.last.as_ref().and_then(|reply| reply.http_status)
    }

    /// The last request was not a try after all.
    pub(super) fn not_a_try(&mut self) {
        self.tries = self.tries.saturating_sub(1);
    }

    /// The last request was neither recorded nor sent.
    pub(super) fn turned_away(&mut self) {
        self.recorded = self.recorded.saturating_sub(1);
        self.never_sent();
    }

    /// The last request never left this machine.
    pub(super) fn never_sent(&mut self) {
        self.not_a_try();
        self.sends = self.sends.saturating_sub(1);
        if self.sends == 0 {
            self.first_sent = None;
        }
    }
}

/// How a job settles, with all that is known of it.
pub(super) fn settlement(progress: JobProgress, ending: Ending, now: Timestamp) -> Settlement {
    let first = progress.first_sent.unwrap_or(now);
    let elapsed = Duration::try_from(now.duration_since(first)).unwrap_or_default();
    let mut settlement = Settlement {
        attempts: progress.sends,
        waited_ms: millis(elapsed.saturating_sub(progress.in_flight)),
        duration_ms: millis(progress.in_flight),
        started_at: Some(first.into()),
        finished_at: Some(now.into()),
        client_request_id: progress.last_id.map(Into::into),
        ..Settlement::ended(ending)
    };
    if let Some(last) = progress.last {
        settlement.http_status = last.http_status;
        settlement.error = ServiceError::new(last.error_code, last.error_message);
        settlement.request_id = last.request_id;
        settlement.client_request_id = Some(last.client_request_id);
    }
    settlement
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
