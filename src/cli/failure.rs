//! Errors of verbs, as people and programs see them, with their exit codes.
//!
//! In: an [`ops::Error`] or a failure to print. Out: text on stderr (or JSON on stdout) and an [`Exit`].
//! Must not: lose a fault, or show one twice.

use std::io::{self, Write};

use serde_json::json;

use super::exit::Exit;
use super::form::Form;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::journal::JournalError;
use crate::ops;
use crate::report::ReportError;
use crate::text::{Medium, harmless};
use crate::ui;
use crate::ui::stderr::Stderr;

/// Why a verb ended badly.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    /// `None` where whoever read stdout has gone: that is no error.
    faults: Option<Diagnostics>,
    /// The plan that has the faults.
    file: Option<String>,
}

impl Failure {
    pub(super) fn usage(diagnostic: Diagnostic) -> Self {
        Self::one(Exit::Usage, diagnostic)
    }

    pub(super) fn from_report(error: &ReportError) -> Self {
        Self::one(Exit::Unexpected, Diagnostic::error("report", format!("the report could not be written: {error}")))
    }

    fn one(exit: Exit, diagnostic: Diagnostic) -> Self {
        Self { exit, faults: Some(diagnostic.into()), file: None }
    }

    /// Whoever read stdout has gone; what came of the work is as it was.
    pub(super) fn or_if_nobody_listens(self, exit: Exit) -> Self {
        match self.faults {
            None => Self { exit, ..self },
            Some(_) => self,
        }
    }

    /// Shows it, and says how the process ends.
    pub(super) fn show(self, form: Form, stderr: &Stderr) -> Exit {
        let Some(faults) = self.faults else { return self.exit };
        match (form, &self.file) {
            (Form::Json, _) => {
                let document = json!({ "exit_code": self.exit.code(), "faults": ui::faults::json(&faults) });
                // Nobody is left to be told that stdout is closed.
                let _ = writeln!(io::stdout(), "{}", harmless(&document.to_string(), Medium::Json));
            }
            (_, Some(file)) => stderr.say(ui::faults::render(&faults, file, stderr.styled()).trim_end()),
            (_, None) => {
                for fault in faults.iter() {
                    stderr.say(fault.render(stderr.styled()).trim_end());
                }
            }
        }
        self.exit
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        ops::Error::from(error).into()
    }
}

impl From<ops::Error> for Failure {
    fn from(error: ops::Error) -> Self {
        let message = error.to_string();
        match error {
            ops::Error::Plan { file, faults } => {
                Self { exit: Exit::Usage, faults: Some(faults), file: Some(file.display().to_string()) }
            }
            ops::Error::Guarded { file, faults } => {
                Self { exit: Exit::Refused, faults: Some(faults), file: Some(file.display().to_string()) }
            }
            ops::Error::Usage(fault) => Self::one(Exit::Usage, *fault),
            ops::Error::Refused(fault) => Self::one(Exit::Refused, *fault),
            ops::Error::SignIn(fault) => Self::one(Exit::SignIn, *fault),
            ops::Error::NothingToDo { told, .. } => {
                let mut faults = told;
                faults.push(Diagnostic::warning("nothing-to-do", message));
                Self { exit: Exit::NothingToDo, faults: Some(faults), file: None }
            }
            ops::Error::NothingOpen(fault) | ops::Error::Declined(fault) => Self::one(Exit::NothingToDo, *fault),
            ops::Error::Scenario(error) => Self::one(Exit::Usage, *error.0),
            ops::Error::Report(_) => Self::one(Exit::Usage, Diagnostic::error("report", message)),
            ops::Error::Journal(JournalError::Locked(_)) => Self::one(
                Exit::Locked,
                Diagnostic::error("locked", message).help(
                    "wait until it ends, or stop it with Ctrl-C; the lock of a dead process is released automatically",
                ),
            ),
            ops::Error::Journal(
                error @ (JournalError::NoSuchRun(_) | JournalError::TooShort(_) | JournalError::Ambiguous { .. }),
            ) => Self::one(
                Exit::Usage,
                Diagnostic::error("no-such-run", error.to_string()).help("`musterout runs` lists all runs"),
            ),
            ops::Error::Journal(
                JournalError::Older { .. } | JournalError::Another { .. } | JournalError::Unmarked { .. },
            ) => Self::one(
                Exit::Unexpected,
                Diagnostic::error("journal-replaced", message).help(
                    "rows that it lacks may be sent a second time: restore the newest copy, with its -wal; to continue without it, \
                     delete journal.mark beside it",
                ),
            ),
            ops::Error::Journal(JournalError::Network { .. }) => Self::one(
                Exit::Unexpected,
                Diagnostic::error("journal-on-a-network", message)
                    .help("choose a folder on a local disk with --state-dir"),
            ),
            ops::Error::Journal(JournalError::Export { .. }) => {
                Self::one(Exit::Unexpected, Diagnostic::error("export", message))
            }
            ops::Error::Journal(_) => Self::one(
                Exit::Unexpected,
                Diagnostic::error("journal", message)
                    .help("nothing is sent without a journal; choose another folder with --state-dir"),
            ),
            ops::Error::Io { .. } => Self::one(Exit::Unexpected, Diagnostic::error("io", message)),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self { exit: Exit::Good, faults: None, file: None },
            _ => Self::one(Exit::Unexpected, Diagnostic::error("io", format!("stdout: {error}"))),
        }
    }
}
