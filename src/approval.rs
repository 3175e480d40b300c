//! An approval request: what a tenant's Multi Admin Approval files in place of carrying out a wipe, retire or delete.
//!
//! In: nothing. Out: [`ApprovalRequest`] and [`RequestStatus`], the words of the service and of the journal. Must not: read, decide or
//! keep time.
//!
//! Source: Microsoft's pages on Multi Admin Approval with the Graph API, and Graph's operationApprovalRequest resource.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::moment::moment;
use jiff::{SignedDuration, Timestamp};

/// How long a request that nobody completes lives. The service says so nowhere but in its documentation.
const LIFE: SignedDuration = SignedDuration::from_hours(72);

/// A request as it was filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRequest {
    /// The request's id, which the completing request carries.
    pub code: Box<str>,
    pub filed_at: Timestamp,
    pub expires_at: Timestamp,
    /// It was there before we asked: somebody else's, or one of ours whose answer was lost.
    pub found: bool,
}

impl ApprovalRequest {
    /// A request that was filed at that time and lives as long as documented.
    pub fn filed(code: Box<str>, filed_at: Timestamp, found: bool) -> Self {
        Self { code, filed_at, expires_at: filed_at.checked_add(LIFE).unwrap_or(Timestamp::MAX), found }
    }
}

/// For notes: which request, since when, until when.
impl fmt::Display for ApprovalRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.found { "found" } else { "filed" };
        write!(
            f,
            "approval request {}, {verb} {}, expires {}",
            self.code,
            moment(self.filed_at),
            moment(self.expires_at)
        )
    }
}

/// `2026-11-22 10:00:00Z`, in a CSV file.
pub(crate) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RequestStatus {
    /// Not read yet, or a word that nobody knows: as good as waiting.
    Unknown,
    NeedsApproval,
    Approved,
    Rejected,
    Cancelled,
    /// Carried out, by us or by a person in the portal.
    Completed,
    Expired,
}

impl RequestStatus {
    pub const ALL: [Self; 7] = [
        Self::Unknown,
        Self::NeedsApproval,
        Self::Approved,
        Self::Rejected,
        Self::Cancelled,
        Self::Completed,
        Self::Expired,
    ];

    /// The service's word, which is the journal's too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NeedsApproval => "needsApproval",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
            Self::Expired => "expired",
        }
    }

    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(name)).unwrap_or(Self::Unknown)
    }

    /// Whether something may still come of it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Unknown | Self::NeedsApproval | Self::Approved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written_and_others_are_no_answer() {
        for status in RequestStatus::ALL {
            assert_eq!(RequestStatus::named(status.name()), status);
        }
        assert_eq!(RequestStatus::named("NeedsApproval"), RequestStatus::NeedsApproval);
        assert_eq!(RequestStatus::named("underReview"), RequestStatus::Unknown);
        assert!(RequestStatus::named("underReview").is_open(), "what is not understood is waited for");
    }
}
