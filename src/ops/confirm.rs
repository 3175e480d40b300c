//! The number that somebody agreed to before they began.
//!
//! In: what would be sent, what was said on the command line. Out: consent, or a refusal. Must not: ask anybody; whoever is there is
//! asked later ([`super::asked`]).

use super::error::Error;
use super::run_request::{Confirm, RunRequest};
use crate::diagnostics::Diagnostic;
use crate::guard::consent;
use crate::guard::preflight::{Hold, Preflight};
use crate::plan::Plan;
use crate::ui;

/// A number that was agreed to must be the number that will be sent; without one, somebody must be there to be asked.
///
/// With `--once`, and where nothing is left to be sent, it may also be the number of the whole plan, what earlier runs
/// have done included: who agreed to all of it has agreed to the rest, and one line of a scheduler is good for every night.
/// So has who has counted what is `spared` because of what `protected` stands for: a preview that reads nothing shows it so.
pub(super) fn confirm_number(
    request: &RunRequest,
    plan: &Plan,
    preflight: &Preflight,
    Whole { known, spared }: Whole,
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
            let help = "nothing was sent; check the preview, and where the list comes from";
            return Err(Error::refused(Diagnostic::error("wrong-number", message).help(help)));
        }
        None => None,
    };
    match number {
        Some(number) if number == due.saturating_add(spared) || (due == 0 && number == all_spared) => Ok(()),
        Some(number) if number == due || (due == 0 && (number == known || plan.has_sets)) => Ok(()),
        Some(number) if request.repeats.once && is_good_each_night(number, plan, preflight, known) => Ok(()),
        Some(number) if request.repeats.once && known != due => Err(Error::refused(
            Diagnostic::error(
                "wrong-number",
                format!("--confirm {number}, but {would_be_sent}, of {known} of the whole plan"),
            )
            .help("check the preview; if the numbers are right, confirm one of them"),
        )),
        Some(number) => Err(Error::refused(
            Diagnostic::error("wrong-number", format!("--confirm {number}, but {would_be_sent}"))
                .help("check the preview; if the number is right, confirm that number"),
        )),
        None if !request.interactive && consent::is_needed(&plan.jobs, &preflight.holds) => Err(Error::refused(
            Diagnostic::error(
                "not-confirmed",
                format!("{would_be_sent}, but there is no terminal for the confirmation"),
            )
            .help(format!("check the preview, then run with --confirm {due}")),
        )),
        None => Ok(()),
    }
}

/// How many jobs there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole {
    /// What would be sent today, and what earlier runs have done of it.
    pub known: u32,
    /// Held because of what was found out since the preview.
    pub spared: u32,
}

/// Whether a number is good with `--once`: who agreed to the whole plan has agreed to the rest, and one line of a scheduler is good
/// for every night.
///
/// The whole may be counted with the rows whose day has not come, and with those that lead to no target yet, or without. Where
/// rows stand for several targets, nobody can know the number of a later night: there it is the most that may be sent in one.
fn is_good_each_night(number: u32, plan: &Plan, preflight: &Preflight, known: u32) -> bool {
    let holds = || preflight.holds.iter().flatten();
    let comes = |hold: &&Hold| {
        matches!(
            hold,
            Hold::NotDue { .. }
                | Hold::NotLookedUp { .. }
                | Hold::NotThere { done: false, .. }
                | Hold::Several(_)
                | Hold::NothingLeft(_)
        )
    };
    let to_come = holds().filter(comes).count() as u32;
    let of_sets = plan
        .jobs
        .iter()
        .zip(&preflight.holds)
        .filter(|(job, hold)| job.is_of_a_set() && matches!(hold, None | Some(Hold::Done)));
    let fixed = known.saturating_sub(of_sets.count() as u32);
    let is_whole = (known..=known.saturating_add(to_come)).contains(&number);
    is_whole || (plan.has_sets && number >= preflight.due && number >= fixed)
}
