//! How far an accepted action is.
//!
//! In: what a read shows. Out: [`Stage`], and [`FollowUp`], which says it in words. Must not: settle a job.

use std::fmt;

use crate::moment::moment;
use jiff::Timestamp;

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
pub enum FollowUpRead {
    There(FollowUp),
    /// The target is not there any more, and what that means of the action if nothing else has removed it.
    Gone(FollowUp),
}

/// The words, and when the device was last there.
impl fmt::Display for FollowUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)?;
        match self.last_check_in {
            Some(at) => write!(f, "; last check-in {}", moment(at)),
            None => Ok(()),
        }
    }
}
