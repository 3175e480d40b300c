//! What the answer to one attempt means, and whether the attempt may have had an effect.
//!
//! In: nothing. Out: [`Verdict`], its word in the journal, and its [`Effect`], one table for runner and journal.
//! Must not: decide what is done next; `runner::retry` does.

use std::time::Duration;

/// What the answer to one attempt means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// 2xx.
    Succeeded,
    /// 429: refused before anything happened. `after` is the time the service named.
    Throttled { after: Option<Duration> },
    /// 503 or 509 with a time: the service is out of order. It may have done its work before it said so.
    Unavailable { after: Duration },
    /// 5xx and the like: it may or may not have had an effect; `after` is the time the service named, if any.
    Transient { after: Option<Duration> },
    /// 501, 505, 507: another try will not help, and a gateway may have said so after the effect.
    Unsupported,
    /// 3xx or 4xx with something that is no answer of Graph's: whoever stands between may have let the request through.
    Foreign,
    /// Nothing left this machine: no connection could be made.
    Unreachable,
    /// It did not leave: the sign-in took so long that what was said of it before is old.
    Late,
    /// It left, and the answer was lost or did not come in time.
    Lost,
    /// 401: the token is not, or no longer, good.
    Unauthorized,
    /// No token could be had.
    SignInFailed,
    /// The tenant's Multi Admin Approval filed the request under this code.
    ApprovalRequired { code: Box<str> },
    /// A request for the same target is pending already, and its code could not be found out.
    ApprovalPending,
    /// The tenant wants a reason that it was not given, or not one like this: no request of this kind will do.
    JustificationRequired(Lack),
    /// 404 or 410.
    Gone,
    /// The service understood and said no.
    Refused,
}

/// What the tenant has against the reason of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// There is none.
    Missing,
    /// There is one, which did not go along. It does from now on.
    NotSent,
    /// It went along, and the tenant asks for one all the same.
    NotSeen,
    /// It is not one that the tenant takes.
    Unfit,
}

/// What an attempt may have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It never left this machine.
    NeverLeft,
    /// The service has done nothing.
    None,
    /// It may have had its effect.
    Possible,
}

/// The words of the journal, and what an attempt may have done that was answered so. A word that is not here may have
/// had an effect, as no answer at all.
const WORDS: &[(&str, Effect)] = &[
    ("succeeded", Effect::Possible),
    ("throttled", Effect::None),
    ("unavailable", Effect::Possible),
    ("transient", Effect::Possible),
    ("unsupported", Effect::Possible),
    ("foreign", Effect::Possible),
    ("unreachable", Effect::NeverLeft),
    ("late", Effect::NeverLeft),
    ("lost", Effect::Possible),
    ("unauthorized", Effect::None),
    ("sign_in_failed", Effect::NeverLeft),
    ("approval_required", Effect::None),
    ("approval_pending", Effect::None),
    ("justification_required", Effect::None),
    ("gone", Effect::None),
    ("refused", Effect::None),
    // Accepted, and come to nothing on the device.
    ("failed_on_device", Effect::None),
];

impl Effect {
    /// Of an attempt that the journal says was answered with that word; `None`: no answer is recorded.
    pub fn of(word: Option<&str>) -> Self {
        let known = WORDS.iter().find(|(known, _)| Some(*known) == word);
        known.map_or(Self::Possible, |(_, effect)| *effect)
    }
}

impl Verdict {
    /// The word in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Throttled { .. } => "throttled",
            Self::Unavailable { .. } => "unavailable",
            Self::Transient { .. } => "transient",
            Self::Unsupported => "unsupported",
            Self::Foreign => "foreign",
            Self::Unreachable => "unreachable",
            Self::Late => "late",
            Self::Lost => "lost",
            Self::Unauthorized => "unauthorized",
            Self::SignInFailed => "sign_in_failed",
            Self::ApprovalRequired { .. } => "approval_required",
            Self::ApprovalPending => "approval_pending",
            Self::JustificationRequired(_) => "justification_required",
            Self::Gone => "gone",
            Self::Refused => "refused",
        }
    }

    /// What an attempt may have done that was answered so.
    pub fn effect(&self) -> Effect {
        Effect::of(Some(self.name()))
    }

    /// Whether it leaves open what the attempt has done.
    pub fn leaves_a_doubt(&self) -> bool {
        *self != Self::Succeeded && self.effect() == Effect::Possible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_its_word_in_the_table() {
        let all = [
            Verdict::Succeeded,
            Verdict::Throttled { after: None },
            Verdict::Unavailable { after: Duration::ZERO },
            Verdict::Transient { after: None },
            Verdict::Unsupported,
            Verdict::Foreign,
            Verdict::Unreachable,
            Verdict::Late,
            Verdict::Lost,
            Verdict::Unauthorized,
            Verdict::SignInFailed,
            Verdict::ApprovalRequired { code: "".into() },
            Verdict::ApprovalPending,
            Verdict::JustificationRequired(Lack::Missing),
            Verdict::Gone,
            Verdict::Refused,
        ];
        for verdict in &all {
            assert!(WORDS.iter().any(|(word, _)| *word == verdict.name()), "{verdict:?}");
        }
        assert_eq!(WORDS.len(), all.len() + 1, "and one that only the journal gives");
    }

    #[test]
    fn what_nobody_has_answered_may_have_had_an_effect() {
        assert_eq!([Effect::of(None), Effect::of(Some("of a later version"))], [Effect::Possible; 2]);
    }
}
