//! How a run ended, for those who began it.
//!
//! In: what a verb brings back. Out: the result on stdout, what stopped it on stderr, an exit code. Must not: judge the run.

use super::exit::Exit;
use super::failure::Failure;
use super::form::Form;
use super::show;
use crate::ops::Finished;
use crate::ui::stderr::Stderr;

pub(super) fn ended(finished: &Finished, form: Form, stderr: &Stderr) -> Result<Exit, Failure> {
    let shown = show::finished(finished, form);
    show::stopped(finished, stderr);
    let exit = Exit::of_run(finished);
    match &finished.report {
        Ok(_) => shown.map(|()| exit).map_err(|failure| failure.or_if_nobody_listens(exit)),
        Err(error) => Err(Failure::from_report(error)),
    }
}
