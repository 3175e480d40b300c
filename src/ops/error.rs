//! Why a verb could not do what it was asked.
//!
//! In: faults of plans, policies and the command line, errors of the layers below. Out: [`Error`]. Must not: print, or choose an
//! exit code; `cli` does.

use std::path::PathBuf;

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::journal::JournalError;
use crate::report::ReportError;
use crate::session::SessionError;
use crate::simulator::scenario::ScenarioError;

/// Why a verb could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The plan has faults; all of them are here.
    #[error("the plan is invalid")]
    Plan { file: PathBuf, faults: Diagnostics },
    /// Something else that the user asked for cannot be.
    #[error("{}", .0.message)]
    Usage(Box<Diagnostic>),
    /// The plan has no rows.
    #[error("nothing to do: {} has no rows{}", file.display(), if told.warnings() > 0 { " that lead to a target" } else { "" })]
    NothingToDo { file: PathBuf, told: Diagnostics },
    /// No run is open.
    #[error("{}", .0.message)]
    NothingOpen(Box<Diagnostic>),
    /// The question before the run was not answered with its number. Nothing was sent or recorded.
    #[error("{}", .0.message)]
    Declined(Box<Diagnostic>),
    /// A guard refused the run before anything was sent.
    #[error("{}", .0.message)]
    Refused(Box<Diagnostic>),
    /// Rules of the plan or of a policy refused the run, or a policy has faults; all of them are here.
    #[error("the guards refuse the run")]
    Guarded { file: PathBuf, faults: Diagnostics },
    /// No token could be had.
    #[error("{}", .0.message)]
    SignIn(Box<Diagnostic>),
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("{what}: {cause}")]
    Io { what: String, cause: std::io::Error },
}

impl Error {
    pub(super) fn usage(diagnostic: Diagnostic) -> Self {
        Self::Usage(Box::new(diagnostic))
    }

    pub(super) fn refused(diagnostic: Diagnostic) -> Self {
        Self::Refused(Box::new(diagnostic))
    }

    pub(super) fn sign_in(diagnostic: Diagnostic) -> Self {
        Self::SignIn(Box::new(diagnostic))
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::SignIn(fault) => Self::SignIn(fault),
            SessionError::WrongTenant(fault) => Self::Refused(fault),
            SessionError::Scenario(error) => Self::Scenario(error),
            SessionError::NoTransport(_) => {
                Self::Io { what: "no tenant can be reached".into(), cause: std::io::Error::other(error) }
            }
        }
    }
}
