//! Exit codes: one table, which the help text shows too.
//!
//! In: what a run came to. Out: a code. Must not: be decided anywhere else.

use std::process::ExitCode;

use crate::ops::Finished;
use crate::outcome::{Standing, Tally};
use crate::runner::event::StopReason;

/// How the process ends. The numbers are an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Good,
    Unexpected,
    Usage,
    Bad,
    NothingToDo,
    Open,
    Refused,
    Locked,
    SignIn,
    Tripped,
    Interrupted,
}

const TABLE: &[(Exit, u8, &str)] = &[
    (Exit::Good, 0, "all jobs ended well"),
    (Exit::Unexpected, 1, "unexpected error, or the service cannot be reached"),
    (Exit::Usage, 2, "wrong usage, or the plan has faults"),
    (Exit::Bad, 3, "some jobs failed, were held, or were not found; `diff`: there are differences"),
    (Exit::NothingToDo, 4, "nothing to do, or the question was answered with no"),
    (Exit::Open, 5, "some jobs are unknown, await approval or were not attempted; `verify`: not confirmed yet"),
    (Exit::Refused, 10, "a guard refused the run"),
    (Exit::Locked, 11, "another process runs the plan"),
    (Exit::SignIn, 12, "sign-in failed"),
    (Exit::Tripped, 13, "`stop_when` or a wave stopped the run; `musterout resume` continues it"),
    (Exit::Interrupted, 130, "interrupted, or stopped by `musterout stop`; `musterout resume` continues it"),
];

impl Exit {
    pub(super) fn code(self) -> u8 {
        TABLE.iter().find(|(exit, _, _)| *exit == self).map_or(1, |(_, code, _)| *code)
    }

    /// How a run ends: by what stopped it, else by its worst outcome. What is accepted is good, unless somebody has asked
    /// whether it has happened.
    pub(super) fn of_run(finished: &Finished) -> Self {
        match &finished.stopped {
            Some(StopReason::Interrupted | StopReason::Requested) => return Self::Interrupted,
            Some(reason) if reason.is_a_guard() => return Self::Tripped,
            Some(StopReason::SignIn(_)) => return Self::SignIn,
            Some(StopReason::Unreachable(_) | StopReason::Journal(_)) => return Self::Unexpected,
            Some(StopReason::Justification(..)) => return Self::Refused,
            Some(StopReason::Policy(..)) | None => {}
        }
        let tally: Tally = finished.settlements.iter().map(|settlement| settlement.outcome).collect();
        let pending = finished.verification.map_or(0, |verification| verification.pending);
        match (tally.standing(Standing::Bad), tally.standing(Standing::Open) + pending) {
            (0, 0) => Self::Good,
            (0, _) => Self::Open,
            (_, _) => Self::Bad,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// The table for the help text.
pub(super) fn table() -> String {
    let rows = TABLE.iter().map(|(_, code, meaning)| format!("  {code:>3}  {meaning}\n"));
    format!("Exit codes:\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_published() {
        for (index, (exit, code, _)) in TABLE.iter().enumerate() {
            assert_eq!(exit.code(), *code);
            assert!(TABLE[index + 1..].iter().all(|(other, number, _)| other != exit && number != code));
        }
    }
}
