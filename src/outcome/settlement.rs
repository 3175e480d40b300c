//! How one job settled, with all that the report says of it.
//!
//! In: how the job ended, and what was seen of it since. Out: [`Settlement`]. Must not: decide how a job ends.

use jiff::Timestamp;

use super::cause::{Cause, Ending};
use super::follow_up::{FollowUp, Stage};
use super::outcomes::Outcome;
use super::request_id::RequestId;
use super::stamp::Stamp;

/// What the service said against a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    code: Option<Box<str>>,
    message: Option<Box<str>>,
}

impl ServiceError {
    /// `None` where nothing was said.
    pub fn new(code: Option<Box<str>>, message: Option<Box<str>>) -> Option<Box<Self>> {
        (code.is_some() || message.is_some()).then(|| Box::new(Self { code, message }))
    }
}

/// How one job settled, with all that the report says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub outcome: Outcome,
    /// Why it was held or not attempted; an older journal does not say. For people and for what is told to them, never
    /// for what may be sent.
    pub cause: Option<Cause>,
    pub http_status: Option<u16>,
    /// What the service said against it. Aside, because most jobs have none.
    pub error: Option<Box<ServiceError>>,
    /// Requests that left for this job, throttled ones included, reads not.
    pub attempts: u32,
    /// Milliseconds between the first send and the end that were not spent waiting for an answer.
    pub waited_ms: u64,
    /// Milliseconds spent waiting for answers.
    pub duration_ms: u64,
    /// When the first attempt left.
    pub started_at: Option<Stamp>,
    pub finished_at: Option<Stamp>,
    pub request_id: Option<RequestId>,
    pub client_request_id: Option<RequestId>,
    /// The cause in words, what a read showed, what to look at.
    pub note: Option<Box<str>>,
    /// What was seen of it since it was accepted.
    pub follow_up: Option<Box<FollowUp>>,
}

impl Settlement {
    /// A job that ended so, and for which this run has sent nothing.
    pub fn ended(ending: Ending) -> Self {
        Self {
            outcome: ending.outcome(),
            cause: ending.cause(),
            http_status: None,
            error: None,
            attempts: 0,
            waited_ms: 0,
            duration_ms: 0,
            started_at: None,
            finished_at: None,
            request_id: None,
            client_request_id: None,
            note: ending.into_note(),
            follow_up: None,
        }
    }

    /// A job for which this run has sent nothing, and that was not left out for a [`Cause`].
    pub fn unsent(outcome: Outcome, note: impl Into<Box<str>>) -> Self {
        Self::ended(Ending::settled(outcome, Some(String::from(note.into()))))
    }

    /// Graph's most specific `error.code`.
    pub fn error_code(&self) -> Option<&str> {
        self.error.as_ref()?.code.as_deref()
    }

    /// The sentence for people.
    pub fn error_message(&self) -> Option<&str> {
        self.error.as_ref()?.message.as_deref()
    }

    /// When a read showed how it ended.
    pub fn verified_at(&self) -> Option<Timestamp> {
        let told = self.follow_up.as_ref().filter(|seen| seen.stage == Stage::Done || seen.stage.came_to_nothing());
        told.map(|seen| seen.read_at)
    }

    /// Takes in what a read has shown of an accepted action: what has happened is completed, what came to nothing has
    /// failed, everything else stays as it is.
    pub fn follow_up(&mut self, seen: FollowUp) {
        match (self.outcome, seen.stage) {
            (Outcome::Accepted, Stage::Done) => self.outcome = Outcome::Completed,
            (Outcome::Accepted, stage) if stage.came_to_nothing() => {
                self.outcome = Outcome::Failed;
                let code = self.error.take().and_then(|error| error.code);
                self.error = ServiceError::new(code, Some(seen.words.clone()));
            }
            _ => {}
        }
        self.follow_up = Some(Box::new(seen));
    }
}
