//! What a read that failed leads to, whoever made it: a run, a look-up, a survey before a run, a question about approvals.
//!
//! In: the answer, how many reads in a row have failed so. Out: one of the ways on. Must not: wait, or say what it means that
//! something could not be read; whoever wanted to know it does.
//!
//! | answer | way on |
//! |---|---|
//! | 429 | the gate says when; it uses up no try |
//! | 503 or 509 with a time | the gate says when; a run waits for the service, others for their tries |
//! | no connection | the host is away; it uses up no try |
//! | 401 | once more with a fresh token |
//! | no token | nobody is signed in |
//! | another 5xx, 408, no answer, a page in Graph's place | later, for as many tries as there are |
//! | anything else | never: it would be answered so again |

use std::time::Duration;

use fastrand::Rng;

use super::backoff::transient_pause;
use crate::outcome::Verdict;

/// The way on after a read that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterRead {
    AtTheGate,
    Outage { after: Duration },
    NoHost,
    FreshToken,
    NotSignedIn,
    Later { after: Duration },
    Never,
}

/// What follows the `nth` read in a row, from 1, that failed with that verdict. `most`: so many are made.
pub(crate) fn after_failed_read(verdict: &Verdict, nth: u32, most: u32, rng: &mut Rng) -> AfterRead {
    let mut later = |named: Option<Duration>| match transient_pause(named, nth, rng) {
        Some(after) if nth < most => AfterRead::Later { after },
        _ => AfterRead::Never,
    };
    match verdict {
        Verdict::Throttled { .. } => AfterRead::AtTheGate,
        Verdict::Unavailable { after } => AfterRead::Outage { after: *after },
        Verdict::Unreachable => AfterRead::NoHost,
        Verdict::Unauthorized => AfterRead::FreshToken,
        Verdict::SignInFailed => AfterRead::NotSignedIn,
        Verdict::Transient { after } => later(*after),
        Verdict::Lost | Verdict::Foreign => later(None),
        Verdict::Late => later(None),
        Verdict::Succeeded
        | Verdict::Unsupported
        | Verdict::ApprovalRequired { .. }
        | Verdict::ApprovalPending
        | Verdict::JustificationRequired(_)
        | Verdict::Gone
        | Verdict::Refused => AfterRead::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_read_again_as_often_as_somebody_wants_and_the_rest_is_not() {
        let mut rng = Rng::with_seed(1);
        let mut after = |verdict: &Verdict, nth| after_failed_read(verdict, nth, 3, &mut rng);
        for verdict in [Verdict::Lost, Verdict::Foreign, Verdict::Transient { after: None }] {
            assert!(matches!(after(&verdict, 2), AfterRead::Later { .. }), "{verdict:?}");
            assert_eq!(after(&verdict, 3), AfterRead::Never, "{verdict:?}");
        }
        let named = Verdict::Transient { after: Some(Duration::from_secs(30)) };
        assert!(matches!(after(&named, 1), AfterRead::Later { after } if after >= Duration::from_secs(30)));
        let day = Verdict::Transient { after: Some(Duration::from_secs(86_400)) };
        assert_eq!(after(&day, 1), AfterRead::Never, "nobody waits that long");
        assert_eq!(after(&Verdict::Throttled { after: None }, 99), AfterRead::AtTheGate);
        assert_eq!(after(&Verdict::Refused, 1), AfterRead::Never);
    }
}
