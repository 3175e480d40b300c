//! One job as the journal has it: its attempts, how it settled, how it stands.
//!
//! In: what [`super::reader`] has read. Out: what the resume table and a report need to know. Must not: read, or decide.

use jiff::Timestamp;
use uuid::Uuid;

use super::approvals::Filed;
use super::resume::{Asked, Past, Sent};
use crate::job::Job;
use crate::outcome::{Outcome, Settlement, Stamp};

/// One job of a run, and what became of it.
#[derive(Debug)]
pub struct StoredJob {
    pub job: Job,
    /// Method, path and body as recorded.
    pub request: (String, String, Option<String>),
    pub settled: Option<Settlement>,
    pub attempts: Vec<PastAttempt>,
    /// The last approval request that was filed for it.
    pub filed: Option<Filed>,
}

/// One attempt, as recorded.
#[derive(Debug, Clone)]
pub struct PastAttempt {
    pub sent_at: Timestamp,
    pub client_request_id: String,
    /// `None`: no answer was recorded.
    pub verdict: Option<String>,
}

/// Answers after which nothing has happened.
pub(super) const NOTHING_HAPPENED: [&str; 9] = [
    "throttled",
    "unreachable",
    "unauthorized",
    "sign_in_failed",
    "refused",
    "approval_required",
    "approval_pending",
    "justification_required",
    // Accepted, and come to nothing on the device.
    "failed_on_device",
];

/// Of those, the answers of what never left this machine.
const NEVER_LEFT: [&str; 2] = ["unreachable", "sign_in_failed"];

/// What the attempts of a job come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// In the journal; the next one has this number.
    pub recorded: u32,
    /// Of those, requests that left.
    pub left: u32,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// What we called the last one.
    pub last_id: Option<Uuid>,
}

impl Tries {
    /// One that left then.
    pub fn one(sent_at: Timestamp, client_request_id: &str) -> Self {
        let last_id = Uuid::try_parse(client_request_id).ok();
        Self { recorded: 1, left: 1, first: Some(sent_at), last: Some(sent_at), last_id }
    }
}

impl PastAttempt {
    fn has_left(&self) -> bool {
        !self.verdict.as_deref().is_some_and(|verdict| NEVER_LEFT.contains(&verdict))
    }

    fn without_effect(&self) -> bool {
        self.verdict.as_deref().is_some_and(|verdict| NOTHING_HAPPENED.contains(&verdict))
    }
}

impl StoredJob {
    pub fn tries(&self) -> Tries {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let left = self.attempts.iter().filter(|attempt| attempt.has_left());
        let (first, last) = (left.clone().next(), left.clone().next_back());
        Tries {
            recorded: count(self.attempts.len()),
            left: count(left.count()),
            first: first.map(|attempt| attempt.sent_at),
            last: last.map(|attempt| attempt.sent_at),
            last_id: last.and_then(|attempt| Uuid::try_parse(&attempt.client_request_id).ok()),
        }
    }

    /// What we called its requests.
    pub fn ids_of_requests(&self) -> impl Iterator<Item = &str> {
        self.attempts.iter().map(|attempt| attempt.client_request_id.as_str())
    }

    /// What the resume table needs to know.
    pub fn past(&self) -> Past {
        let sent = match self.doubtful_since() {
            Some(_) => Sent::InDoubt,
            None if self.attempts.is_empty() => Sent::Never,
            None => Sent::WithoutEffect,
        };
        let settled = self.settled.as_ref().map(|settlement| settlement.outcome);
        Past { settled, sent, asked: self.filed.as_ref().map_or(Asked::Nothing, Filed::asked) }
    }

    /// When the first attempt left whose answer does not tell.
    pub fn doubtful_since(&self) -> Option<Timestamp> {
        let clear = |settlement: &Settlement| matches!(settlement.outcome, Outcome::Failed | Outcome::AwaitingApproval);
        let answered = self.settled.as_ref().is_some_and(clear);
        // What was filed had no effect, and whatever left before it was filed likewise: the policy stood before both.
        let filed = self.filed.as_ref().map_or(0, |filed| usize::try_from(filed.attempt + 1).unwrap_or_default());
        let attempts = self.attempts.get(filed..).unwrap_or_default();
        let told = match attempts.split_last() {
            // The answer that settled a job stands in its outcome, and a `failed` is a clear answer.
            Some((last, before)) if answered && last.verdict.is_none() => before,
            _ => attempts,
        };
        told.iter().find(|attempt| !attempt.without_effect()).map(|attempt| attempt.sent_at)
    }

    /// How the row stands now, for a report: of a run under way or broken off too.
    pub fn standing(&self) -> Settlement {
        if let Some(settlement) = &self.settled {
            return settlement.clone();
        }
        if let (Some(filed), None) = (&self.filed, self.doubtful_since()) {
            let note = filed.request.to_string();
            return Settlement { attempts: self.tries().left, ..Settlement::unsent(Outcome::AwaitingApproval, note) };
        }
        let (outcome, note) = match self.past().sent {
            Sent::InDoubt => (Outcome::Unknown, "sent, and no answer is recorded"),
            Sent::WithoutEffect => (Outcome::NotAttempted, "the run has not come back to it"),
            Sent::Never => (Outcome::NotAttempted, "the run has not come to it"),
        };
        let last = self.attempts.iter().rfind(|attempt| attempt.has_left());
        let tries = self.tries();
        Settlement {
            attempts: tries.left,
            started_at: tries.first.map(Stamp::from),
            client_request_id: last.map(|attempt| attempt.client_request_id.as_str().into()),
            ..Settlement::unsent(outcome, note)
        }
    }
}
