//! One job as the journal has it: its attempts, how it settled, how it stands.
//!
//! In: what the store has read. Out: what the resume table and a report need to know. Must not: read, or decide.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filed::Filed;
use super::resume::{Asked, PastOfJob, Sent};
use crate::job::Job;
use crate::outcome::{Cause, Doubt, Effect, Ending, MadeAttempt, Outcome, Settlement, Stamp, doubt};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastAttempt {
    /// Its place in the order of all runs; a copy of another run's attempt has that one's.
    pub seq: i64,
    pub sent_at: Timestamp,
    pub client_request_id: String,
    /// `None`: no answer was recorded.
    pub verdict: Option<String>,
    /// The service has said since that it had no effect.
    pub cleared: bool,
}

/// What the attempts of a job come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// In the journal; the next one has this number.
    pub recorded: u32,
    /// Of those, requests that left.
    pub left: u32,
    pub first: Option<Timestamp>,
    /// What we called the last one.
    pub last_id: Option<Uuid>,
}

impl Tries {
    /// What these attempts come to.
    pub fn of(attempts: &[PastAttempt]) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let left = attempts.iter().filter(|attempt| attempt.has_left());
        let (first, last) = (left.clone().next(), left.clone().next_back());
        Self {
            recorded: count(attempts.len()),
            left: count(left.count()),
            first: first.map(|attempt| attempt.sent_at),
            last_id: last.and_then(|attempt| Uuid::try_parse(&attempt.client_request_id).ok()),
        }
    }
}

impl PastAttempt {
    fn has_left(&self) -> bool {
        self.made().effect != Effect::NeverLeft
    }

    /// What matters of it for a doubt.
    pub fn made(&self) -> MadeAttempt {
        let Self { seq, sent_at, cleared, .. } = *self;
        MadeAttempt { seq, sent_at, effect: Effect::of(self.verdict.as_deref()), cleared }
    }
}

impl StoredJob {
    pub fn tries(&self) -> Tries {
        Tries::of(&self.attempts)
    }

    /// What the resume table needs to know.
    pub fn past(&self) -> PastOfJob {
        let sent = match self.doubtful_since() {
            Some(_) => Sent::InDoubt,
            None if self.attempts.is_empty() => Sent::Never,
            None => Sent::WithoutEffect,
        };
        let settled = self.settled.as_ref().map(|settlement| settlement.outcome);
        PastOfJob { settled, sent, asked: self.filed.as_ref().map_or(Asked::Nothing, Filed::asked) }
    }

    /// What its attempts have left in doubt.
    pub fn doubt(&self) -> Option<Doubt> {
        doubt(self.attempts.iter().map(PastAttempt::made), 0)
    }

    /// When the first attempt left that is in doubt.
    pub fn doubtful_since(&self) -> Option<Timestamp> {
        self.doubt().map(|doubt| doubt.since)
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
        let ending = match self.past().sent {
            Sent::InDoubt => Ending::settled(Outcome::Unknown, Some("sent, but no answer was recorded".to_owned())),
            Sent::WithoutEffect => Cause::NotReached.with("has not sent it again yet").into(),
            Sent::Never => Cause::NotReached.with("has not started it yet").into(),
        };
        let last = self.attempts.iter().rfind(|attempt| attempt.has_left());
        let tries = self.tries();
        Settlement {
            attempts: tries.left,
            started_at: tries.first.map(Stamp::from),
            client_request_id: last.map(|attempt| attempt.client_request_id.as_str().into()),
            ..Settlement::ended(ending)
        }
    }
}
