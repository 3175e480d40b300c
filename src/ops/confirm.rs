//! The number that somebody agreed to before they began.
//!
//! In: what would be sent, what was said on the command line. Out: consent, or a refusal. Must not: ask anybody; whoever is there is
//! asked later ([`super::asked`]).

use super::{Error, RunRequest};
use crate::diagnostics::Diagnostic;
use crate::guard::consent;
use crate::guard::preflight::{Hold, Preflight};
use crate::job::Job;
use crate::ui;

/// The number of jobs that somebody agreed to beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    Exactly(u32),
    /// For schedulers: a list may be a little longer or shorter each night.
    AtMost(u32),
}

/// A number that was agreed to must be the number that will be sent; without one, somebody must be there to be asked.
///
/// With `--once`, and where nothing is left to be sent, it may also be the number of the `whole` plan, what earlier runs
/// have done included: who agreed to all of it has agreed to the rest, and one line of a scheduler is good for every night.
/// So has who has counted what is `spared` because of what `protected` stands for: a preview that reads nothing shows it so.
pub fn confirm_number(
    request: &RunRequest,
    (jobs, preflight): (&[Job], &Preflight),
    whole: u32,
    spared: u32,
) -> Result<(), Error> {
    let due = preflight.due;
    let is_spared = |hold: &&Hold| matches!(hold, Hold::Protected(_) | Hold::MaybeProtected(_));
    let all_spared = preflight.holds.iter().flatten().filter(is_spared).count() as u32;
    let would_be_sent = format!("{} would be sent", ui::text::count_of(due as usize, "job"));
    let number = match request.confirm {
        Some(Confirm::Exactly(number)) => Some(number),
        Some(Confirm::AtMost(most)) if due <= most => return Ok(()),
        Some(Confirm::AtMost(most)) => {
            let message = format!("--confirm-at-most {most}, but {would_be_sent}");
            let help = "look at the preview, and at where the list comes from; nothing was sent";
            return Err(Error::refused(Diagnostic::error("wrong-number", message).help(help)));
        }
        None => None,
    };
    match number {
        Some(number) if number == due.saturating_add(spared) || (due == 0 && number == all_spared) => Ok(()),
        Some(number) if number == due || ((request.repeats.once || due == 0) && number == whole) => Ok(()),
        Some(number) if request.repeats.once && whole != due => Err(Error::refused(
            Diagnostic::error(
                "wrong-number",
                format!("--confirm {number}, but {would_be_sent}, of {whole} of the whole plan"),
            )
            .help("look at the preview; when the numbers are right, confirm one of them"),
        )),
        Some(number) => Err(Error::refused(
            Diagnostic::error("wrong-number", format!("--confirm {number}, but {would_be_sent}"))
                .help("look at the preview; when the number is right, confirm that number"),
        )),
        None if !request.interactive && consent::is_needed(jobs, &preflight.holds) => Err(Error::refused(
            Diagnostic::error("not-confirmed", format!("{would_be_sent}, and nobody is there to confirm it"))
                .help(format!("look at the preview, then run with --confirm {due}")),
        )),
        None => Ok(()),
    }
}
