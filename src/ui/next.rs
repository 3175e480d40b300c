//! What people can do after a run: the commands, ready to be typed.
//!
//! In: how the rows of a run stand. Out: a few lines; empty where nothing is left to do. Pure. Must not: name a command that
//! cannot work, or decide anything.

use super::style::{PLAIN, STRONG, View, paint};
use super::tables::Table;
use super::text::count_of;
use crate::job::Job;
use crate::outcome::{Cause, Outcome, Settlement};

/// A run, as its next command names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NextCommand<'a> {
    /// As much of its id as has to be typed.
    pub(crate) call: &'a str,
    /// Its tenant ends with it, so that nothing can be read there later.
    pub(crate) simulated: bool,
    /// The option without which it cannot go on.
    pub(crate) needs: &'a str,
    pub(crate) jobs: &'a [Job],
    pub(crate) settlements: &'a [Settlement],
    /// Accepted jobs that a verification has not seen completed; `None`: nobody has verified.
    pub(crate) pending: Option<u32>,
}

impl NextCommand<'_> {
    pub(crate) fn render(&self, view: View) -> String {
        let commands = self.commands();
        let heading = paint(view.styled, STRONG, "Next:");
        if commands.is_empty() {
            return match self.simulated {
                true => {
                    format!(
                        "{heading} this ran in the simulated tenant. Run it without --simulate to use your own tenant."
                    )
                }
                false => String::new(),
            };
        }
        let mut table = Table::new(&[]);
        for (command, what) in &commands {
            table.row(PLAIN, [command.as_str(), what]);
        }
        format!("{heading}\n{}", table.render(view, 2)).trim_end().to_owned()
    }

    /// Each command, and what it does.
    fn commands(&self) -> Vec<(String, String)> {
        let call = self.call;
        let mut commands = Vec::new();
        let (waiting, left) = (self.number(Outcome::AwaitingApproval), self.number(Outcome::NotAttempted));
        if waiting > 0 {
            let what = format!("shows {}", count_of(waiting, "approval request"));
            commands.push((format!("musterout approvals {call}"), what));
        }
        if let Some(what) = self.going_on(waiting, left) {
            commands.push((format!("musterout resume {call}{}", self.needs), what));
        }
        if let failed @ 1.. = self.number(Outcome::Failed) + self.number(Outcome::NotFound) {
            let what = format!("sends {} again, after you have fixed the cause", count_of(failed, "failed job"));
            commands.push((format!("musterout resume {call} --only failed"), what));
        }
        if let unknown @ 1.. = self.number(Outcome::Unknown) {
            let what = format!("reads the targets of {} and finds out what happened", count_of(unknown, "job"));
            commands.push((format!("musterout resume {call} --only unknown"), what));
        }
        if let pending @ 1.. = self.unverified() {
            let what = format!("checks whether {} completed on the devices", these(pending, "accepted action"));
            commands.push((format!("musterout verify {call} --for 1h"), what));
        }
        commands
    }

    fn going_on(&self, waiting: u32, left: u32) -> Option<String> {
        let is_left = |settled: &&Settlement| settled.outcome == Outcome::NotAttempted;
        let mut causes = self.settlements.iter().filter(is_left).map(|settled| settled.cause);
        let jobs = these(left, "job");
        let sends = match causes.all(|cause| matches!(cause, Some(Cause::NotDue | Cause::DailyLimit))) {
            true => format!("sends {jobs} when the time has come"),
            false => format!("sends {jobs} not attempted so far"),
        };
        match (waiting, left) {
            (0, 0) => None,
            (0, _) => Some(sends),
            (_, 0) => Some("completes the requests that are approved".to_owned()),
            (..) => Some(format!("completes the requests that are approved, and {sends}")),
        }
    }

    fn number(&self, outcome: Outcome) -> u32 {
        self.settlements.iter().filter(|settled| settled.outcome == outcome).count() as u32
    }

    /// Accepted jobs of which a read can tell whether they have happened.
    fn unverified(&self) -> u32 {
        if self.simulated {
            return 0;
        }
        let rows = self.jobs.iter().zip(self.settlements);
        let accepted =
            rows.filter(|(job, settled)| settled.outcome == Outcome::Accepted && job.action.read_back.tells());
        self.pending.unwrap_or_else(|| accepted.count() as u32)
    }
}

/// `the job`, `the 12 jobs`.
fn these(number: u32, thing: &str) -> String {
    match number {
        1 => format!("the {thing}"),
        more => format!("the {}", count_of(more, thing)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{accepted, plan, refused};
    use super::*;

    fn next(settlements: &[Settlement], simulated: bool, pending: Option<u32>) -> String {
        let jobs = plan();
        NextCommand { call: "01a22db6-e5e9", simulated, needs: "", jobs: &jobs, settlements, pending }
            .render(View::default())
    }

    #[test]
    fn each_command_says_what_it_does() {
        let settlements = [
            accepted(),
            refused(403, "Forbidden", "no"),
            Settlement::unsent(Outcome::Unknown, ""),
            Settlement::unsent(Outcome::AwaitingApproval, ""),
            Settlement::ended(Cause::Interrupted.plain().into()),
            Settlement::ended(Cause::NotDue.with("noon").into()),
        ];
        assert_eq!(
            next(&settlements, false, None),
            "Next:\n  \
             musterout approvals 01a22db6-e5e9              shows 1 approval request\n  \
             musterout resume 01a22db6-e5e9                 completes the requests that are approved, and sends the 2 jobs not attempted so far\n  \
             musterout resume 01a22db6-e5e9 --only failed   sends 1 failed job again, after you have fixed the cause\n  \
             musterout resume 01a22db6-e5e9 --only unknown  reads the targets of 1 job and finds out what happened\n  \
             musterout verify 01a22db6-e5e9 --for 1h        checks whether the accepted action completed on the devices"
        );
    }

    #[test]
    fn nothing_is_named_that_cannot_work() {
        let settlements = vec![accepted(); 6];
        assert!(next(&settlements, true, None).starts_with("Next: this ran in the simulated tenant."));
        assert_eq!(next(&settlements, false, Some(0)), "");
        let text = next(&settlements, false, Some(2));
        assert!(text.ends_with("checks whether the 2 accepted actions completed on the devices"), "{text}");
        let mut waits = settlements;
        waits[0] = Settlement::ended(Cause::NotDue.with("noon").into());
        assert!(next(&waits, true, None).contains("sends the job when the time has come"));
    }
}
