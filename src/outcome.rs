//! How attempts and jobs end: the whole error space as enums.
//!
//! In: nothing. Out: [`Verdict`] (what one answer means), [`doubt`] (what several of them leave open), [`Reply`] (one
//! attempt's answer), [`Evidence`], [`Seen`] and [`Presence`] (what a read showed), [`FollowUp`] (what became of what was accepted), [`Outcome`] and [`Settlement`] (how a job settled),
//! [`Cause`] (why it was not sent).
//! Must not: decide; classification belongs to `msgraph`, policy to `runner::retry`.

use std::fmt;

use jiff::Timestamp;

mod cause;
mod doubt;
mod request_id;
mod sight;
mod since;
mod stamp;
mod verdict;

pub use self::cause::Cause;
pub(crate) use self::cause::{Ending, Unsent};
pub(crate) use self::doubt::{Doubt, Made, doubt};
pub use self::sight::{Presence, Seen};
pub use self::since::Since;
pub use self::verdict::Verdict;
pub(crate) use self::verdict::{Effect, Lack};
pub(crate) use self::{request_id::RequestId, stamp::Stamp};

/// The answer to one attempt, as far as there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub verdict: Verdict,
    pub http_status: Option<u16>,
    /// Graph's most specific `error.code`.
    pub error_code: Option<Box<str>>,
    /// The sentence for people, dug out of whatever it was wrapped in.
    pub error_message: Option<Box<str>>,
    /// The service's `request-id`, which a support case needs.
    pub request_id: Option<RequestId>,
    /// The id that we sent along.
    pub client_request_id: RequestId,
    /// How near to its limit the service says it is, in percent, where it says so.
    pub load_percent: Option<u16>,
}

impl Reply {
    /// Nothing came back, for a reason that people are told.
    pub fn none(verdict: Verdict, why: impl Into<Box<str>>, client_request_id: RequestId) -> Self {
        Self {
            verdict,
            http_status: None,
            error_code: None,
            error_message: Some(why.into()),
            request_id: None,
            client_request_id,
            load_percent: None,
        }
    }

    /// What to tell people about an answer that was no success.
    pub fn reason(&self) -> Box<str> {
        match (self.http_status, &self.error_code, &self.error_message) {
            (Some(status), Some(code), Some(message)) => format!("{status} {code}: {message}").into(),
            (Some(status), _, Some(message)) => format!("{status}: {message}").into(),
            (Some(status), Some(code), None) => format!("{status} {code}").into(),
            (Some(status), None, None) => status.to_string().into(),
            (None, _, message) => message.clone().unwrap_or_else(|| "no answer".into()),
        }
    }
}

/// What a read showed about an attempt whose answer cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// It took effect; the text says what was seen.
    Effect(String),
    /// It did not; the text says what was seen.
    NoEffect(String),
    /// The target is not there; the text says so.
    Gone(String),
    /// The read worked but does not tell; the text says why, and where to look.
    CannotTell(String),
    /// The read itself failed.
    NotRead(Reply),
}

/// How far a read shows an accepted action to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It has happened.
    Done,
    /// The service shows that it has it; the device has not done it yet.
    Pending,
    /// Nothing of it shows, or what shows does not tell.
    Unseen,
    /// The device could not do it.
    Failed,
    /// Somebody took it back.
    Cancelled,
    /// No read will ever tell.
    Untold,
}

impl Stage {
    pub const ALL: [Stage; 6] = [Self::Done, Self::Pending, Self::Unseen, Self::Failed, Self::Cancelled, Self::Untold];

    /// The word in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Pending => "pending",
            Self::Unseen => "unseen",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Untold => "untold",
        }
    }

    /// The stage of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// Whether another read may show something else.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Unseen)
    }

    /// Whether the service was seen to have it, or no read could show more.
    pub fn has_landed(self) -> bool {
        matches!(self, Self::Done | Self::Pending | Self::Untold)
    }

    /// Whether it has come to nothing.
    pub fn came_to_nothing(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

/// What the last read showed of an action that the service has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    pub stage: Stage,
    pub words: Box<str>,
    /// When the device last checked in, where the read tells.
    pub last_check_in: Option<Timestamp>,
    pub read_at: Timestamp,
}

/// What a read of an accepted action's target has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    There(FollowUp),
    /// The target is not there any more, and what that means of the action if nothing else has removed it.
    Gone(FollowUp),
}

/// The words, and when the device was last there.
impl fmt::Display for FollowUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)?;
        match self.last_check_in {
            Some(at) => write!(f, "; last check-in {}", at.strftime("%Y-%m-%d %H:%M:%SZ")),
            None => Ok(()),
        }
    }
}

/// How a job settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The service did it: its answer says so, or a read shows it.
    Completed,
    /// The service queued it; the device has not confirmed.
    Accepted,
    /// There was nothing to do.
    AlreadyDone,
    /// The service refused it, or retries ran out.
    Failed,
    /// The service knows no such target, and nothing has ever shown it in this tenant.
    NotFound,
    /// Something stopped it before it was sent.
    Held,
    /// It was sent, the answer was lost, and no read could settle it.
    Unknown,
    /// The tenant wants a second person to approve it.
    AwaitingApproval,
    /// The run ended first, or it is not due.
    NotAttempted,
}

/// Who has dealt with a job of a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DealtWith {
    /// This process, and it has sent it.
    SentHere,
    /// This process, without sending it.
    Here,
    /// A process before this one, which ended before anybody was told how the wave went.
    Before,
}

/// What an outcome counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Good,
    Bad,
    Open,
}

impl Outcome {
    /// All of them, in the order of the account line.
    pub const ALL: [Outcome; 9] = [
        Self::Completed,
        Self::Accepted,
        Self::AlreadyDone,
        Self::Failed,
        Self::NotFound,
        Self::Held,
        Self::Unknown,
        Self::AwaitingApproval,
        Self::NotAttempted,
    ];

    /// The word in reports and on the account line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Accepted => "accepted",
            Self::AlreadyDone => "already_done",
            Self::Failed => "failed",
            Self::NotFound => "not_found",
            Self::Held => "held",
            Self::Unknown => "unknown",
            Self::AwaitingApproval => "awaiting_approval",
            Self::NotAttempted => "not_attempted",
        }
    }

    /// The outcome of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Whether a job that settles so was not sent, and says why by a [`Cause`].
    pub fn has_a_cause(self) -> bool {
        matches!(self, Self::Held | Self::NotAttempted)
    }

    /// Whether a wave has gone wrong because one of its jobs ended so.
    pub fn spoils_a_wave(self, by: DealtWith) -> bool {
        match (self, by) {
            // What is only read here another process has sent, and whoever goes on has seen that.
            (Self::Failed | Self::NotFound | Self::Unknown | Self::AwaitingApproval, by) => by != DealtWith::Here,
            (Self::NotAttempted, by) => by != DealtWith::Before,
            // A held step is behind one that went wrong, which counts.
            (Self::Held | Self::Completed | Self::Accepted | Self::AlreadyDone, _) => false,
        }
    }

    pub fn standing(self) -> Standing {
        match self {
            Self::Completed | Self::Accepted | Self::AlreadyDone => Standing::Good,
            Self::Failed | Self::NotFound | Self::Held => Standing::Bad,
            Self::Unknown | Self::AwaitingApproval | Self::NotAttempted => Standing::Open,
        }
    }
}

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

/// How many jobs settled in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally([u32; Outcome::ALL.len()]);

impl Tally {
    pub fn count(&mut self, outcome: Outcome) {
        self.0[outcome as usize] += 1;
    }

    pub fn add(&mut self, outcome: Outcome, count: u32) {
        self.0[outcome as usize] += count;
    }

    pub fn of(&self, outcome: Outcome) -> u32 {
        self.0[outcome as usize]
    }

    pub fn standing(&self, standing: Standing) -> u32 {
        Outcome::ALL.into_iter().filter(|outcome| outcome.standing() == standing).map(|outcome| self.of(outcome)).sum()
    }

    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }
}

impl FromIterator<Outcome> for Tally {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut tally = Self::default();
        outcomes.into_iter().for_each(|outcome| tally.count(outcome));
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spoils_a_wave_depends_on_who_has_sent_it() {
        let spoiling = |by: DealtWith| -> Vec<Outcome> {
            Outcome::ALL.into_iter().filter(|outcome| outcome.spoils_a_wave(by)).collect()
        };
        let bad = [Outcome::Failed, Outcome::NotFound, Outcome::Unknown, Outcome::AwaitingApproval];
        assert_eq!(spoiling(DealtWith::Before), bad);
        assert_eq!(spoiling(DealtWith::SentHere), [bad.as_slice(), &[Outcome::NotAttempted]].concat());
        assert_eq!(spoiling(DealtWith::Here), [Outcome::NotAttempted]);
    }

    #[test]
    fn a_tally_loses_nothing() {
        let tally: Tally = Outcome::ALL.into_iter().chain([Outcome::Held]).collect();
        assert_eq!(tally.total(), 10);
        assert_eq!(tally.of(Outcome::Held), 2);
        assert_eq!(tally.standing(Standing::Good), 3);
        assert_eq!(tally.standing(Standing::Bad), 4);
        assert_eq!(tally.standing(Standing::Open), 3);
    }
}
