//! What to do with each job of a run that ended early: one pure table.
//!
//! In: what the journal says of a job, whether its action may be repeated, which jobs were asked for. Out: [`Next`].
//! Must not: read anything, or know times and requests. The table below is printed in the documentation.
//!
//! | the journal says | may be repeated | must be read first |
//! |---|---|---|
//! | settled well | keep | keep |
//! | `failed` | keep; with `--only failed`: send | keep; with `--only failed`: read, or send if no answer was ever in doubt |
//! | `held` | judge again | judge again |
//! | `awaiting_approval` | keep | keep |
//! | `unknown` | send | read |
//! | `not_attempted` | send | send, or read if an answer is in doubt |
//! | not settled, never sent | send | send |
//! | not settled, last answer shows that nothing happened | send | send |
//! | not settled, no answer or one in doubt | send | read |
//!
//! `read`: the target is read; it is sent again only if that shows no effect. `judge again`: as if it were new; what held
//! it may have gone. With `--only`, every job outside the class is kept as it is.

use crate::catalog::Repeat;
use crate::outcome::{Outcome, Standing};

/// What the journal says of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    pub settled: Option<Outcome>,
    pub sent: Sent,
}

/// What is known of the attempts of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    Never,
    /// Every answer shows that nothing happened.
    WithoutEffect,
    /// Some attempt has no answer, or one that does not tell.
    InDoubt,
}

/// Which jobs to go on with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Only {
    /// Everything that is open.
    #[default]
    Open,
    Failed,
    Unknown,
    NotAttempted,
}

/// What to do with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It stays as the journal has it.
    Keep,
    /// As if it were new: it is sent when nothing holds it.
    Send,
    /// Its target is read, and it is sent again only if that shows no effect.
    Read,
}

/// The table.
pub fn decide(past: Past, repeat: Repeat, only: Only) -> Next {
    let again = match (repeat, past.sent) {
        (Repeat::AfterReadBack, Sent::InDoubt) => Next::Read,
        (Repeat::AfterReadBack | Repeat::Harmless, _) => Next::Send,
    };
    let class = class(past);
    let wanted = match only {
        Only::Open => matches!(class, Class::Held | Class::Unknown | Class::NotAttempted),
        Only::Failed => class == Class::Failed,
        Only::Unknown => class == Class::Unknown,
        Only::NotAttempted => class == Class::NotAttempted,
    };
    match (wanted, class, repeat) {
        (false, _, _) => Next::Keep,
        // An outcome that says `unknown` is a doubt, whatever became of the record of its attempts.
        (true, Class::Unknown, Repeat::AfterReadBack) => Next::Read,
        (true, _, _) => again,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Done,
    Failed,
    Held,
    Unknown,
    NotAttempted,
}

fn class(past: Past) -> Class {
    match past.settled {
        Some(outcome) if outcome.standing() == Standing::Good => Class::Done,
        Some(Outcome::AwaitingApproval) => Class::Done,
        Some(Outcome::Failed) => Class::Failed,
        Some(Outcome::Held) => Class::Held,
        Some(Outcome::Unknown) => Class::Unknown,
        Some(_) => Class::NotAttempted,
        None if past.sent == Sent::InDoubt => Class::Unknown,
        None => Class::NotAttempted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTCOMES: [Option<Outcome>; 9] = [
        None,
        Some(Outcome::Completed),
        Some(Outcome::Accepted),
        Some(Outcome::AlreadyDone),
        Some(Outcome::Failed),
        Some(Outcome::Held),
        Some(Outcome::Unknown),
        Some(Outcome::AwaitingApproval),
        Some(Outcome::NotAttempted),
    ];
    const SENT: [Sent; 3] = [Sent::Never, Sent::WithoutEffect, Sent::InDoubt];
    const REPEATS: [Repeat; 2] = [Repeat::Harmless, Repeat::AfterReadBack];
    const ONLY: [Only; 4] = [Only::Open, Only::Failed, Only::Unknown, Only::NotAttempted];

    /// The same table in another style: rules that must hold, tried in order, first match wins.
    fn oracle(past: Past, repeat: Repeat, only: Only) -> Next {
        let doubtful = past.sent == Sent::InDoubt || past.settled == Some(Outcome::Unknown);
        let may_go = match past.settled {
            Some(Outcome::Completed | Outcome::Accepted | Outcome::AlreadyDone | Outcome::AwaitingApproval) => false,
            Some(Outcome::Failed) => only == Only::Failed,
            Some(Outcome::Held) => only == Only::Open,
            Some(Outcome::Unknown) => only == Only::Open || only == Only::Unknown,
            Some(Outcome::NotAttempted) => only == Only::Open || only == Only::NotAttempted,
            None if doubtful => only == Only::Open || only == Only::Unknown,
            None => only == Only::Open || only == Only::NotAttempted,
        };
        if !may_go {
            return Next::Keep;
        }
        if repeat == Repeat::AfterReadBack && doubtful {
            return Next::Read;
        }
        Next::Send
    }

    /// The table is small enough to be tried whole, which no sample of it would be.
    #[test]
    fn the_table_agrees_with_its_oracle_everywhere() {
        for settled in OUTCOMES {
            for sent in SENT {
                for repeat in REPEATS {
                    for only in ONLY {
                        let past = Past { settled, sent };
                        assert_eq!(
                            decide(past, repeat, only),
                            oracle(past, repeat, only),
                            "{past:?} {repeat:?} {only:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_may_not_be_repeated_is_never_sent_while_in_doubt() {
        for settled in OUTCOMES {
            for only in ONLY {
                let past = Past { settled, sent: Sent::InDoubt };
                assert_ne!(decide(past, Repeat::AfterReadBack, only), Next::Send, "{past:?} {only:?}");
            }
        }
    }

    #[test]
    fn what_went_well_is_never_touched() {
        for settled in OUTCOMES.into_iter().flatten().filter(|outcome| outcome.standing() == Standing::Good) {
            for (sent, repeat, only) in
                SENT.into_iter().flat_map(|sent| REPEATS.map(|repeat| (sent, repeat, Only::Open)))
            {
                assert_eq!(decide(Past { settled: Some(settled), sent }, repeat, only), Next::Keep);
            }
        }
    }
}
