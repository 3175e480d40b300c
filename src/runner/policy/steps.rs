//! The steps of one target: what each waits for, and what becomes of it then.
//!
//! In: how a job has settled, what was seen of it since. Out: the next step in its queue, held, or left.
//! Must not: send a step before the one before it has settled well, and was seen to have happened where the plan wants that.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::guard::waves::length;
use crate::journal::Tries;
use crate::outcome::{Cause, Ending, Outcome, Stage, Standing};
use crate::runner::dialogue::{Announcement, Command, Happened, Policy, Then, Who};
use crate::runner::job_state::{Item, JobState, WaitsFor};
use crate::runner::mailbox::Mailbox;
use crate::runner::run::{Earlier, Run};
use crate::runner::view::RunView;

pub(super) fn policy(run: &mut Run, _mail: &Mailbox) -> Steps {
    let mut next: HashMap<u32, Vec<u32>> = HashMap::new();
    for (index, job) in (0u32..).zip(run.jobs.iter()) {
        if let Some(before) = job.after {
            next.entry(before).or_default().push(index);
        }
    }
    let sent = run.history.earlier.iter().filter(|(_, earlier)| was_sent(earlier)).map(|(job, _)| *job);
    Steps { next, sent: sent.collect() }
}

/// Whether an earlier process has sent a job, so that it waits for no step before it.
fn was_sent(earlier: &Earlier) -> bool {
    match earlier {
        Earlier::Open { tries: Tries { recorded, .. }, read_first, .. } => *recorded > 0 || *read_first,
        Earlier::Approved(_) => true,
        Earlier::Failed(_, open) => was_sent(open),
        Earlier::Kept(_) => false,
    }
}

#[derive(Debug)]
pub(super) struct Steps {
    /// Steps that wait for the job of the key.
    next: HashMap<u32, Vec<u32>>,
    /// Steps that an earlier process has sent, so that they wait for nothing.
    sent: HashSet<u32>,
}

impl Policy for Steps {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        match happened {
            Happened::Settled { job, outcome, .. } | Happened::Kept { job, outcome } => {
                self.go_on_after(*job, *outcome, view, then);
            }
            Happened::Shown { job, stage, .. } if !stage.is_open() => match stage {
                Stage::Done => self.go_on_after(*job, Outcome::Completed, view, then),
                Stage::Failed | Stage::Cancelled => self.go_on_after(*job, Outcome::Failed, view, then),
                // No read will ever tell what the step waits for.
                _ => {
                    let seen = view.last_seen(*job);
                    for next in self.waiting_for(*job, view) {
                        then.push(hold_as_untold(*job, next, seen.as_deref(), view));
                    }
                }
            },
            Happened::Announced(Announcement::InVain { job, who: Who::Step, seen }) => {
                self.waited_in_vain(*job, seen.as_deref(), view, then);
            }
            // No step goes on waiting.
            Happened::Stopping => {
                let is_waiting =
                    |next: &u32| matches!(view.ledger.state(*next), JobState::Waiting(WaitsFor::StepSeen, _));
                // Those of which it was said in the same moment that they have waited in vain are no longer in the list.
                let mut waiting: Vec<u32> = self.next.values().flatten().copied().filter(is_waiting).collect();
                waiting.sort_unstable();
                for next in waiting {
                    then.push(Command::Settle(next, view.why_stopped().into()));
                }
            }
            _ => {}
        }
    }
}

impl Steps {
    /// Queues or holds the steps that waited for a job.
    fn go_on_after(&mut self, job: u32, outcome: Outcome, view: &RunView, then: &mut Then) {
        for next in self.waiting_for(job, view) {
            // It goes its own way.
            if self.sent.contains(&next) {
                continue;
            }
            let settle = |unsent| Command::Settle(next, Ending::Unsent(unsent));
            match (outcome.standing(), outcome) {
                (Standing::Good, outcome) if !view.is_stopping() => match view.job(next).verified_within() {
                    Some(within) if outcome == Outcome::Accepted => {
                        self.wait_to_see(job, next, within, view).into_iter().for_each(|command| then.push(command));
                    }
                    _ => then.push(Command::LetIn(Item::send(next))),
                },
                (Standing::Good, _) => then.push(settle(view.why_stopped())),
                (_, Outcome::NotAttempted) => then.push(settle(Cause::StepBeforeNotAttempted.plain())),
                _ => {
                    let seen = in_brackets(view.last_seen(job).as_deref());
                    let how = format!("{} ended as {}{seen}", step_before(job, view), outcome.name());
                    then.push(settle(Cause::StepBeforeFailed.with(how)));
                }
            }
        }
    }

    /// Lets a step wait until the one before it was seen to have happened.
    fn wait_to_see(&mut self, job: u32, next: u32, within: Duration, view: &RunView) -> Vec<Command> {
        if !view.can_be_followed(job) {
            return vec![hold_as_untold(job, next, view.last_seen(job).as_deref(), view)];
        }
        self.next.entry(job).or_default().push(next);
        let follow = Announcement::Follow { job, who: Who::Step, within };
        vec![Command::Wait(Item::send(next), WaitsFor::StepSeen), Command::Announce(follow)]
    }

    fn waited_in_vain(&mut self, job: u32, seen: Option<&str>, view: &RunView, then: &mut Then) {
        for next in self.waiting_for(job, view) {
            let within = length(view.job(next).verified_within().unwrap_or_default());
            let before = step_before(job, view);
            let what = format!("{before} was not seen to have happened within {within}{}", in_brackets(seen));
            then.push(Command::Settle(next, Cause::StepBeforeNotSeen.with(what).into()));
        }
    }

    /// Takes the steps that wait for a job and have not settled.
    fn waiting_for(&mut self, job: u32, view: &RunView) -> Vec<u32> {
        let mut next = self.next.remove(&job).unwrap_or_default();
        next.retain(|next| view.settlement(*next).is_none());
        next
    }
}

fn hold_as_untold(job: u32, next: u32, seen: Option<&str>, view: &RunView) -> Command {
    let what = format!("{} has happened{}", step_before(job, view), in_brackets(seen));
    Command::Settle(next, Cause::StepBeforeUntold.with(what).into())
}

fn in_brackets(seen: Option<&str>) -> String {
    seen.map(|seen| format!(" ({seen})")).unwrap_or_default()
}

/// `wipe in row 3,`
fn step_before(job: u32, view: &RunView) -> String {
    let job = view.job(job);
    format!("{} in row {},", job.action.name, job.row)
}
