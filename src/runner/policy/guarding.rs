//! The guards, at the moment of sending.
//!
//! In: what they say now. Out: jobs that wait until that is known, that are held, or that no window lets begin any more. Must not:
//! let anything leave under guards that are older than a second.

use crate::outcome::{Cause, Unsent};
use crate::runner::dialogue::{Admission, Command, Door, Happened, Policy, Then};
use crate::runner::event::StopReason;
use crate::runner::guards::Guards;
use crate::runner::job_state::{Item, JobState};
use crate::runner::mailbox::{Mailbox, News};
use crate::runner::run::{LeftBehind, Run};
use crate::runner::view::RunView;

pub(super) fn policy(run: &mut Run, mail: &Mailbox) -> Guarding {
    Guarding { guards: std::mem::take(&mut run.guards), mail: mail.clone() }
}

#[derive(Debug)]
pub(super) struct Guarding {
    guards: Guards,
    mail: Mailbox,
}

impl Policy for Guarding {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        let Happened::News(News::Guards(answer)) = happened else { return };
        self.guards.heard(view.now);
        match answer {
            Ok(guards) if *self.guards.now == **guards => {}
            Ok(guards) => {
                self.guards.now = guards.clone();
                // What was recorded under the old ones has to be looked at again before it leaves.
                then.push(Command::WithdrawAll);
            }
            Err(why) => then.push(Command::Stop(StopReason::Policy(Cause::Guards, why.clone()))),
        }
    }

    fn admit(&mut self, item: Item, door: Door, view: &RunView) -> Admission {
        if door == Door::Queue || !view.is_for_sending(item) {
            return Admission::Go;
        }
        if let Some(why) = self.keeps_back(item.job, view) {
            return Admission::Hold(why);
        }
        match self.guards.hold(view.now, &self.mail) {
            true => Admission::Go,
            false => Admission::Wait,
        }
    }

    fn is_asking(&self) -> bool {
        self.guards.are_asked()
    }

    fn leave(self: Box<Self>, left: &mut LeftBehind) {
        left.guards = self.guards.next_round();
    }
}

impl Guarding {
    /// Why the job is not sent now, if it is not: the guards hold it, or the window has ended.
    fn keeps_back(&self, job: u32, view: &RunView) -> Option<Unsent> {
        if let Some(why) = self.guards.now.held.get(&job) {
            return Some(why.clone());
        }
        let windows = &self.guards.now.windows;
        let window = windows.keeps_back(view.action(job).name, has_begun(job, view), view.wall())?;
        Some(Cause::WindowEnded.with(window.to_string()))
    }
}

/// Whether something was sent to its target in this run: for this job, or for a step before it.
fn has_begun(job: u32, view: &RunView) -> bool {
    // An attempt that is recorded and has not left has begun nothing.
    let recorded = u32::from(view.ledger.state(job) == JobState::Recorded);
    if view.ledger.progress(job).is_some_and(|progress| progress.tries > recorded || progress.is_in_doubt()) {
        return true;
    }
    let mut before = view.job(job).after;
    while let Some(at) = before {
        if view.settlement(at).is_some_and(|settled| settled.attempts > 0) {
            return true;
        }
        before = view.job(at).after;
    }
    false
}
