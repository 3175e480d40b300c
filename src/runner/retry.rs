//! The retry policy: what to do after an answer.
//!
//! In: an action's repeat-safety, a [`Verdict`], the tries used so far. Out: a [`RetryDecision`]. Pure but for the seeded
//! random numbers it is handed. Must not: wait, send, or know HTTP; `msgraph::classify` says what an answer means.

use std::time::Duration;

use fastrand::Rng;

use crate::catalog::{Action, Gone, ReadBack, Repeat, Success};
use crate::outcome::{Lack, Outcome, Reply, Verdict};
use crate::pacing::backoff::{self, LONGEST_PAUSE};

/// Tries of one job before it is given up, unless the plan says otherwise. Throttle answers are not tries.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 5;

/// How long a host that did answer may stay away before the run ends.
pub(super) const LONGEST_OUTAGE: Duration = Duration::from_secs(15 * 60);

/// How long the service may take to show the effect of an attempt whose answer was lost, unless the plan says otherwise.
/// A read before that may prove an effect, and never that there was none.
///
/// No page of Microsoft's names a time; a gateway gives up on a request that the service goes on with.
pub(crate) const DEFAULT_SETTLING: Duration = Duration::from_secs(60);

/// A read right after a lost answer would be too early to see any effect.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// How long a read, and a job that may be repeated, go on waiting for a service that is out of order and names a time.
pub(super) const LONGEST_UNAVAILABLE: Duration = Duration::from_secs(60 * 60);

/// Answers of a service that has more to do than it can.
pub(super) fn in_trouble(reply: &Reply) -> bool {
    reply.verdict == Verdict::Lost || matches!(reply.http_status, Some(502..=504))
}

/// What the dispatcher does next with a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RetryDecision {
    Settle(Outcome),
    /// Send it again after that time.
    Retry {
        after: Duration,
    },
    /// Read its target after that time, and send it again only if the read shows no effect.
    CheckThenRetry {
        after: Duration,
    },
    /// Read its target after that time, and settle by what the read shows.
    CheckThenSettle {
        after: Duration,
    },
    /// Read which of the things that it names is not there.
    FindMissing,
    /// Pause its bucket, then send it again; no try was used. `None`: the service named no time.
    PauseBucket {
        asked: Option<Duration>,
    },
    /// It did not leave in time: it passes its gate and the guards once more; no try was used.
    WaitForTurn,
    /// Nothing left this machine: pause everything, then send it again; no try was used.
    WaitForHost,
    /// The token was refused: once more with a new one, then the run ends.
    RefreshToken,
    /// The run ends.
    SignInFailed,
    /// The run ends: the tenant asks for a reason that the plan does not give.
    Unjustified(Lack),
}

/// What a job has used up so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    /// Tries, the last one included.
    pub tries: u32,
    /// Tries that it has, at most.
    pub max_tries: u32,
    /// How long the service has been out of order for it and named times.
    pub unavailable: Duration,
}

/// Decides after an answer.
pub(super) fn decide(action: &Action, verdict: &Verdict, spent: Spent, rng: &mut Rng) -> RetryDecision {
    match verdict {
        Verdict::Succeeded => RetryDecision::Settle(success(action)),
        Verdict::Throttled { after } => RetryDecision::PauseBucket { asked: *after },
        Verdict::Unreachable => RetryDecision::WaitForHost,
        Verdict::Late => RetryDecision::WaitForTurn,
        Verdict::Unauthorized => RetryDecision::RefreshToken,
        Verdict::SignInFailed => RetryDecision::SignInFailed,
        Verdict::ApprovalRequired { .. } | Verdict::ApprovalPending => RetryDecision::Settle(Outcome::AwaitingApproval),
        Verdict::JustificationRequired(Lack::NotSent) => RetryDecision::Retry { after: Duration::ZERO },
        Verdict::JustificationRequired(lack) => RetryDecision::Unjustified(*lack),
        Verdict::Gone => RetryDecision::FindMissing,
        Verdict::Refused => RetryDecision::Settle(Outcome::Failed),
        Verdict::Unavailable { after } => unavailable(action, *after, spent, rng),
        Verdict::Transient { after } => again(action, *after, Outcome::Failed, spent, rng),
        Verdict::Unsupported if action.repeat == Repeat::Harmless => RetryDecision::Settle(Outcome::Failed),
        Verdict::Unsupported => again(action, None, Outcome::Failed, spent, rng),
        Verdict::Lost => again(action, None, Outcome::Unknown, spent, rng),
        // Whoever says no in Graph's place says it again: what may not be repeated is read, and not sent once more.
        Verdict::Foreign if action.repeat == Repeat::AfterReadBack => {
            again(action, None, Outcome::Unknown, Spent { max_tries: spent.tries, ..spent }, rng)
        }
        Verdict::Foreign => again(action, None, Outcome::Unknown, spent, rng),
    }
}

/// A service that names a time is waited for, but not for ever; what may not be repeated is in doubt, whatever it names.
fn unavailable(action: &Action, after: Duration, spent: Spent, rng: &mut Rng) -> RetryDecision {
    match (action.repeat, spent.unavailable < LONGEST_UNAVAILABLE) {
        (Repeat::Harmless, true) => RetryDecision::PauseBucket { asked: Some(after) },
        (Repeat::Harmless, false) => {
            again(action, Some(after), Outcome::Failed, Spent { max_tries: spent.tries, ..spent }, rng)
        }
        (Repeat::AfterReadBack, _) => again(action, Some(after), Outcome::Failed, spent, rng),
    }
}

/// After a clear no: what an earlier attempt may have done is read before the job is called failed.
pub(super) fn check_before_failing(action: &Action, decision: RetryDecision, in_doubt: bool) -> RetryDecision {
    match decision {
        RetryDecision::Settle(Outcome::Failed) if in_doubt && action.read_back != ReadBack::Nobody => {
            RetryDecision::CheckThenSettle { after: FIRST_LOOK }
        }
        decision => decision,
    }
}

/// After an answer that does not tell whether there was an effect.
fn again(action: &Action, asked: Option<Duration>, last: Outcome, spent: Spent, rng: &mut Rng) -> RetryDecision {
    let Spent { tries, max_tries, .. } = spent;
    let backoff = backoff::transient_delay(tries, rng);
    // A time beyond reason is not waited for: the job settles now, by a read where one tells.
    let reasonable = asked.is_none_or(|asked| asked <= LONGEST_PAUSE);
    let after = if reasonable { backoff.max(asked.unwrap_or_default()) } else { backoff };
    let left = tries < max_tries && reasonable;
    match (action.repeat, left) {
        (Repeat::Harmless, true) => RetryDecision::Retry { after },
        (Repeat::AfterReadBack, true) if action.read_back != ReadBack::Nobody => {
            RetryDecision::CheckThenRetry { after: after.max(FIRST_LOOK) }
        }
        (_, _) if action.read_back != ReadBack::Nobody => {
            RetryDecision::CheckThenSettle { after: after.max(FIRST_LOOK) }
        }
        (Repeat::Harmless, _) => RetryDecision::Settle(last),
        (Repeat::AfterReadBack, _) => RetryDecision::Settle(Outcome::Unknown),
    }
}

/// How a job settles that took effect.
pub(super) fn success(action: &Action) -> Outcome {
    match action.success {
        Success::Accepted => Outcome::Accepted,
        Success::Completed => Outcome::Completed,
    }
}

/// How a job settles whose target is not there.
pub(super) fn gone(action: &Action) -> Outcome {
    match action.gone {
        Gone::AlreadyDone => Outcome::AlreadyDone,
        Gone::Failed => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ACTIONS;
    use crate::pacing::backoff::LONGEST_DELAY;
    use fastrand::Rng;
    use proptest::prelude::*;

    fn action(name: &str) -> &'static Action {
        Action::named(name).unwrap()
    }

    fn decide(action: &Action, verdict: &Verdict, tries: u32, max_tries: u32, rng: &mut Rng) -> RetryDecision {
        super::decide(action, verdict, Spent { tries, max_tries, unavailable: Duration::ZERO }, rng)
    }

    fn verdicts() -> impl Strategy<Value = Verdict> {
        let time = proptest::option::of((0u64..10_000).prop_map(Duration::from_secs));
        prop_oneof![
            Just(Verdict::Succeeded),
            time.clone().prop_map(|after| Verdict::Throttled { after }),
            time.clone().prop_map(|after| Verdict::Transient { after }),
            time.prop_map(|after| Verdict::Unavailable { after: after.unwrap_or_default() }),
            Just(Verdict::Unsupported),
            Just(Verdict::Foreign),
            Just(Verdict::Unreachable),
            Just(Verdict::Late),
            Just(Verdict::Lost),
            Just(Verdict::Unauthorized),
            Just(Verdict::SignInFailed),
            Just(Verdict::ApprovalRequired { code: "x".into() }),
            Just(Verdict::ApprovalPending),
            Just(Verdict::JustificationRequired(Lack::Missing)),
            Just(Verdict::Gone),
            Just(Verdict::Refused),
        ]
    }

    proptest! {
        #[test]
        fn what_may_not_be_repeated_is_never_sent_again_unread(
            index in 0..ACTIONS.len(), verdict in verdicts(), tries in 1u32..30, max in 1u32..20, seed: u64,
        ) {
            let action = &ACTIONS[index];
            let decision = decide(action, &verdict, tries, max, &mut Rng::with_seed(seed));
            if action.repeat == Repeat::AfterReadBack {
                let again = matches!(decision, RetryDecision::Retry { .. } | RetryDecision::PauseBucket { .. });
                let blind = matches!(decision, RetryDecision::Retry { .. }) || (again && verdict.leaves_a_doubt());
                prop_assert!(!blind, "seed {}: {:?} -> {:?}", seed, verdict, decision);
            }
        }

        #[test]
        fn tries_end(index in 0..ACTIONS.len(), verdict in verdicts(), max in 1u32..20, seed: u64) {
            let decision = decide(&ACTIONS[index], &verdict, max, max, &mut Rng::with_seed(seed));
            let goes_on = matches!(decision, RetryDecision::Retry { .. } | RetryDecision::CheckThenRetry { .. });
            prop_assert!(!goes_on, "seed {}: {:?} -> {:?}", seed, verdict, decision);
        }

        #[test]
        fn a_named_time_is_never_cut_short(tries in 1u32..5, seconds in 0u64..3_600, seed: u64) {
            let asked = Duration::from_secs(seconds);
            let verdict = Verdict::Transient { after: Some(asked) };
            let delay = match decide(action("syncDevice"), &verdict, tries, 5, &mut Rng::with_seed(seed)) {
                RetryDecision::Retry { after } => after,
                _ => asked,
            };
            prop_assert!(delay >= asked, "seed {}", seed);
        }
    }

    #[test]
    fn a_throttle_answer_uses_up_no_try() {
        let mut rng = Rng::with_seed(1);
        let verdict = Verdict::Throttled { after: None };
        assert_eq!(decide(action("wipe"), &verdict, 99, 5, &mut rng), RetryDecision::PauseBucket { asked: None });
    }

    #[test]
    fn a_named_outage_uses_up_a_try_of_what_may_not_be_repeated_and_is_not_waited_for_for_ever() {
        let mut rng = Rng::with_seed(1);
        let verdict = Verdict::Unavailable { after: Duration::ZERO };
        assert!(matches!(decide(action("wipe"), &verdict, 1, 2, &mut rng), RetryDecision::CheckThenRetry { .. }));
        assert!(matches!(decide(action("wipe"), &verdict, 2, 2, &mut rng), RetryDecision::CheckThenSettle { .. }));
        let mut after = |waited: Duration| {
            let spent = Spent { tries: 1, max_tries: 5, unavailable: waited };
            super::decide(action("syncDevice"), &verdict, spent, &mut rng)
        };
        assert_eq!(after(LONGEST_UNAVAILABLE / 2), RetryDecision::PauseBucket { asked: Some(Duration::ZERO) });
        assert_eq!(after(LONGEST_UNAVAILABLE), RetryDecision::Settle(Outcome::Failed));
    }

    #[test]
    fn a_no_after_a_doubt_is_read_before_the_job_is_called_failed() {
        let no = || RetryDecision::Settle(Outcome::Failed);
        assert!(matches!(check_before_failing(action("wipe"), no(), true), RetryDecision::CheckThenSettle { .. }));
        assert_eq!(check_before_failing(action("wipe"), no(), false), no());
        assert_eq!(check_before_failing(action("syncDevice"), no(), true), no());
    }

    #[test]
    fn a_lost_wipe_is_read_before_it_is_sent_again() {
        let mut rng = Rng::with_seed(1);
        assert!(matches!(decide(action("wipe"), &Verdict::Lost, 1, 5, &mut rng), RetryDecision::CheckThenRetry { .. }));
        assert!(matches!(
            decide(action("wipe"), &Verdict::Lost, 5, 5, &mut rng),
            RetryDecision::CheckThenSettle { .. }
        ));
    }

    #[test]
    fn the_last_try_of_a_harmless_action_tells_failed_from_unknown() {
        let mut rng = Rng::with_seed(1);
        let transient = Verdict::Transient { after: None };
        assert_eq!(decide(action("syncDevice"), &transient, 5, 5, &mut rng), RetryDecision::Settle(Outcome::Failed));
        assert_eq!(
            decide(action("syncDevice"), &Verdict::Lost, 5, 5, &mut rng),
            RetryDecision::Settle(Outcome::Unknown)
        );
    }

    #[test]
    fn the_last_try_of_a_delete_is_settled_by_a_read() {
        let verdict = Verdict::Transient { after: None };
        let decision = decide(action("delete"), &verdict, 5, 5, &mut Rng::with_seed(1));
        assert!(matches!(decision, RetryDecision::CheckThenSettle { .. }), "{decision:?}");
    }

    #[test]
    fn a_time_beyond_reason_is_not_waited_for() {
        let mut rng = Rng::with_seed(1);
        let verdict = Verdict::Transient { after: Some(LONGEST_PAUSE * 2) };
        assert_eq!(decide(action("syncDevice"), &verdict, 1, 5, &mut rng), RetryDecision::Settle(Outcome::Failed));
        match decide(action("wipe"), &verdict, 1, 5, &mut rng) {
            RetryDecision::CheckThenSettle { after } => assert!(after <= LONGEST_DELAY),
            decision => panic!("{decision:?}"),
        }
    }

    #[test]
    fn that_something_is_gone_settles_nothing_before_it_is_known_what() {
        let mut rng = Rng::with_seed(1);
        for action in ACTIONS {
            assert_eq!(decide(action, &Verdict::Gone, 1, 5, &mut rng), RetryDecision::FindMissing, "{}", action.name);
        }
        assert_eq!([gone(action("retire")), gone(action("wipe"))], [Outcome::AlreadyDone, Outcome::Failed]);
    }
}
