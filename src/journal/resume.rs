//! What to do with each job of a run that ended early: one pure table.
//!
//! In: what the journal says of a job, how its approval request stands, whether its action may be repeated, which jobs
//! were asked for. Out: [`Next`]. Must not: read anything, or know times and requests. The tables below are printed in
//! the documentation.
//!
//! | the journal says | may be repeated | must be read first |
//! |---|---|---|
//! | settled well | keep | keep |
//! | `failed`, `not_found` | keep; with `--only failed`: send | keep; with `--only failed`: read, or send if no answer was ever in doubt |
//! | `held` | judge again | judge again |
//! | `awaiting_approval`, its request is not known | send | send |
//! | `unknown` | send | read |
//! | `not_attempted` | send | send, or read if an answer is in doubt |
//! | not settled, never sent | send | send |
//! | not settled, last answer shows that nothing happened | send | send |
//! | not settled, no answer or one in doubt | send | read |
//!
//! An open job (neither settled well, nor `failed` or `not_found`) with an approval request:
//!
//! | its request is | nothing in doubt | an attempt with its code is in doubt |
//! |---|---|---|
//! | waiting, or could not be looked up | keep | keep |
//! | approved | complete | complete |
//! | completed | done | done |
//! | rejected or cancelled | fail; `not_attempted`: send | check; `not_attempted`: read |
//! | expired | fail; `not_attempted`, or with `--refile`: send | check; `not_attempted`, or with `--refile`: read |
//! | taken over by a later run | keep | keep |
//!
//! `read`: the target is read; it is sent again only if that shows no effect. `judge again`: as if it were new; what held
//! it may have gone. `complete`: target and request are read; it is sent with the code only if no effect shows and the
//! request is still approved. `check`: the target is read, and nothing is sent. `done`, `fail`: settled by the request.
//! With `--refile`, a job that failed because its request expired is sent, or read if in doubt. With `--only`, every job
//! outside the class is kept as it is.

use crate::approval::RequestStatus;
use crate::catalog::Repeat;
use crate::outcome::{Outcome, Standing};

/// What is known of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastOfJob {
    pub settled: Option<Outcome>,
    /// Of a job with an approval request: since that was filed.
    pub sent: Sent,
    pub asked: Asked,
}

/// How the last approval request of a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// There is none.
    Nothing,
    Waiting,
    Approved,
    Completed,
    /// Rejected or cancelled.
    Refused,
    Expired,
    /// A later run goes on with it.
    Moved,
}

impl From<RequestStatus> for Asked {
    fn from(status: RequestStatus) -> Self {
        match status {
            RequestStatus::Unknown | RequestStatus::NeedsApproval => Self::Waiting,
            RequestStatus::Approved => Self::Approved,
            RequestStatus::Completed => Self::Completed,
            RequestStatus::Rejected | RequestStatus::Cancelled => Self::Refused,
            RequestStatus::Expired => Self::Expired,
        }
    }
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
pub(crate) enum Next {
    /// It stays as the journal has it.
    Keep,
    /// As if it were new: it is sent when nothing holds it.
    Send,
    /// Its target is read, and it is sent again only if that shows no effect.
    Read,
    /// As `Read`, and sent with the code of its request, only while that is approved.
    Complete,
    /// Its target is read, and nothing is sent.
    Check,
    /// Its request was carried out.
    Done,
    /// Its request came to nothing.
    Fail,
}

/// The tables.
pub(crate) fn decide(past: PastOfJob, repeat: Repeat, only: Only, refile: bool) -> Next {
    let class = class(past, refile);
    let wanted = match only {
        Only::Open => !matches!(class, Class::Done | Class::Failed),
        Only::Failed => class == Class::Failed,
        Only::Unknown => class == Class::Unknown,
        Only::NotAttempted => class == Class::NotAttempted,
    };
    let again = match (repeat, past.sent, class) {
        (Repeat::AfterReadBack, Sent::InDoubt, _) => Next::Read,
        // An outcome that says `unknown` is a doubt, whatever became of the record of its attempts.
        (Repeat::AfterReadBack, _, Class::Unknown) => Next::Read,
        (Repeat::AfterReadBack | Repeat::Harmless, _, _) => Next::Send,
    };
    match (wanted, class) {
        (false, _) => Next::Keep,
        (true, Class::Failed | Class::Refile) => again,
        (true, _) => by_request(past, refile, again),
    }
}

/// The second table; `again` is what the first one says.
fn by_request(past: PastOfJob, refile: bool, again: Next) -> Next {
    let anew = past.settled == Some(Outcome::NotAttempted) || (refile && past.asked == Asked::Expired);
    let doubtful = past.sent == Sent::InDoubt || past.settled == Some(Outcome::Unknown);
    match past.asked {
        Asked::Nothing => again,
        Asked::Waiting | Asked::Moved => Next::Keep,
        Asked::Approved => Next::Complete,
        Asked::Completed => Next::Done,
        Asked::Refused | Asked::Expired if anew => again,
        Asked::Refused | Asked::Expired if doubtful => Next::Check,
        Asked::Refused | Asked::Expired => Next::Fail,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Done,
    Failed,
    /// Failed because nobody approved it in time, and to be filed again.
    Refile,
    Held,
    Unknown,
    Awaiting,
    NotAttempted,
}

fn class(past: PastOfJob, refile: bool) -> Class {
    match past.settled {
        Some(outcome) if outcome.standing() == Standing::Good => Class::Done,
        Some(Outcome::AwaitingApproval) => Class::Awaiting,
        Some(Outcome::Failed) if refile && past.asked == Asked::Expired => Class::Refile,
        Some(Outcome::Failed | Outcome::NotFound) => Class::Failed,
        Some(Outcome::Held) => Class::Held,
        Some(Outcome::Unknown) => Class::Unknown,
        Some(_) => Class::NotAttempted,
        None if past.sent == Sent::InDoubt => Class::Unknown,
        None if past.asked != Asked::Nothing => Class::Awaiting,
        None => Class::NotAttempted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTCOMES: [Option<Outcome>; 10] = [
        None,
        Some(Outcome::Completed),
        Some(Outcome::Accepted),
        Some(Outcome::AlreadyDone),
        Some(Outcome::Failed),
        Some(Outcome::NotFound),
        Some(Outcome::Held),
        Some(Outcome::Unknown),
        Some(Outcome::AwaitingApproval),
        Some(Outcome::NotAttempted),
    ];
    const SENT: [Sent; 3] = [Sent::Never, Sent::WithoutEffect, Sent::InDoubt];
    const REPEATS: [Repeat; 2] = [Repeat::Harmless, Repeat::AfterReadBack];
    const ONLY: [Only; 4] = [Only::Open, Only::Failed, Only::Unknown, Only::NotAttempted];

    const ASKED: [Asked; 7] = [
        Asked::Nothing,
        Asked::Waiting,
        Asked::Approved,
        Asked::Completed,
        Asked::Refused,
        Asked::Expired,
        Asked::Moved,
    ];

    /// The same tables in another style: rules that must hold, tried in order, first match wins.
    fn oracle(past: PastOfJob, repeat: Repeat, only: Only, refile: bool) -> Next {
        let PastOfJob { settled, sent, asked } = past;
        let doubtful = sent == Sent::InDoubt || settled == Some(Outcome::Unknown);
        let lapsed = refile && asked == Asked::Expired;
        let may_go = match settled {
            Some(Outcome::Completed | Outcome::Accepted | Outcome::AlreadyDone) => false,
            Some(Outcome::Failed) if lapsed => only == Only::Open,
            Some(Outcome::Failed | Outcome::NotFound) => only == Only::Failed,
            Some(Outcome::Held | Outcome::AwaitingApproval) => only == Only::Open,
            Some(Outcome::Unknown) => only == Only::Open || only == Only::Unknown,
            Some(Outcome::NotAttempted) => only == Only::Open || only == Only::NotAttempted,
            None if doubtful => only == Only::Open || only == Only::Unknown,
            None if asked != Asked::Nothing => only == Only::Open,
            None => only == Only::Open || only == Only::NotAttempted,
        };
        if !may_go {
            return Next::Keep;
        }
        let failed = matches!(settled, Some(Outcome::Failed | Outcome::NotFound));
        if !failed && (asked == Asked::Waiting || asked == Asked::Moved) {
            return Next::Keep;
        }
        if !failed && asked == Asked::Approved {
            return Next::Complete;
        }
        if !failed && asked == Asked::Completed {
            return Next::Done;
        }
        let ended = asked == Asked::Refused || asked == Asked::Expired;
        if !failed && ended && !lapsed && settled != Some(Outcome::NotAttempted) {
            return if doubtful { Next::Check } else { Next::Fail };
        }
        if repeat == Repeat::AfterReadBack && doubtful {
            return Next::Read;
        }
        Next::Send
    }

    fn everything() -> impl Iterator<Item = (PastOfJob, Repeat, Only, bool)> {
        let pasts = OUTCOMES.into_iter().flat_map(|settled| SENT.map(|sent| (settled, sent)));
        let pasts = pasts.flat_map(|(settled, sent)| ASKED.map(|asked| PastOfJob { settled, sent, asked }));
        let pasts = pasts.flat_map(|past| REPEATS.map(|repeat| (past, repeat)));
        let pasts = pasts.flat_map(|(past, repeat)| ONLY.map(|only| (past, repeat, only)));
        pasts.flat_map(|(past, repeat, only)| [true, false].map(|refile| (past, repeat, only, refile)))
    }

    /// The tables are small enough to be tried whole, which no sample of them would be.
    #[test]
    fn the_tables_agree_with_their_oracle_everywhere() {
        for (past, repeat, only, refile) in everything() {
            let (said, wanted) = (decide(past, repeat, only, refile), oracle(past, repeat, only, refile));
            assert_eq!(said, wanted, "{past:?} {repeat:?} {only:?} refile {refile}");
        }
    }

    #[test]
    fn what_may_not_be_repeated_is_never_sent_while_in_doubt() {
        for (past, _, only, refile) in everything().filter(|(past, ..)| past.sent == Sent::InDoubt) {
            assert_ne!(decide(past, Repeat::AfterReadBack, only, refile), Next::Send, "{past:?} {only:?}");
        }
    }

    /// A code goes out while its request is approved and never else; what is open at the service is not filed again.
    #[test]
    fn a_request_that_waits_is_neither_completed_nor_filed_again() {
        let is_bad = |past: &PastOfJob| matches!(past.settled, Some(Outcome::Failed | Outcome::NotFound));
        for (past, repeat, only, refile) in everything().filter(|(past, ..)| !is_bad(past)) {
            let next = decide(past, repeat, only, refile);
            assert!(next != Next::Complete || past.asked == Asked::Approved, "{past:?}");
            let open = matches!(past.asked, Asked::Waiting | Asked::Approved | Asked::Moved);
            assert!(!open || !matches!(next, Next::Send | Next::Read), "{past:?} {next:?}");
        }
    }

    #[test]
    fn what_went_well_is_never_touched() {
        let good = |past: &PastOfJob| past.settled.is_some_and(|outcome| outcome.standing() == Standing::Good);
        for (past, repeat, only, refile) in everything().filter(|(past, ..)| good(past)) {
            assert_eq!(decide(past, repeat, only, refile), Next::Keep);
        }
    }
}
