//! The breaker: what went wrong keeps new jobs back, and stops the run.
//!
//! In: what is sent, what settles. Out: jobs that wait, a run that stops. Must not: count; `guard::breaker` does.

use crate::catalog::Repeat;
use crate::guard::breaker::Breaker;
use crate::outcome::{Cause, Outcome, Reply, Standing, Verdict};
use crate::runner::dialogue::{Admission, Attempted, Command, Door, Happened, Policy, Then};
use crate::runner::event::StopReason;
use crate::runner::job_state::{Item, NextRequest};
use crate::runner::mailbox::Mailbox;
use crate::runner::run::{LeftBehind, Run};
use crate::runner::view::RunView;

pub(super) fn policy(run: &mut Run, _mail: &Mailbox) -> Braking {
    let counted = run.history.carried.breaker.take();
    Braking { breaker: counted.unwrap_or_else(|| Breaker::new(run.brakes.stop_when)) }
}

#[derive(Debug)]
pub(super) struct Braking {
    breaker: Breaker,
}

impl Policy for Braking {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        match *happened {
            Happened::Turn => self.stop_if_tripped(view, then),
            // From its check on, a job takes up what the limits leave.
            Happened::LetOut { item, first: true } => {
                self.breaker.taken_up(item.job);
                self.breaker.sent(view.action(item.job));
            }
            Happened::Spared { job } => self.breaker.spared(view.action(job)),
            Happened::Attempted(Attempted { job, reply, .. }) => self.suspect(job, reply, view),
            Happened::Shown { job, stage, sent_here: true } if stage.came_to_nothing() => {
                let Some(settlement) = view.settlement(job) else { return };
                self.breaker.sent(view.action(job));
                self.breaker.settled(view.action(job), settlement);
            }
            Happened::Settled { job, counted, sent_here, .. } => self.settled(job, counted, sent_here, view),
            _ => {}
        }
    }

    /// What is out already comes before a new job: a job that is tried again goes to the head of its queue.
    fn admit(&mut self, item: Item, door: Door, view: &RunView) -> Admission {
        let is_new = item.next == NextRequest::Send && !view.ledger.is_at_risk(item.job);
        match door == Door::Gate && is_new && !self.breaker.admits(view.action(item.job)) {
            true => Admission::Wait,
            false => Admission::Go,
        }
    }

    fn leave(self: Box<Self>, left: &mut LeftBehind) {
        left.carried.breaker = Some(self.breaker.next_round());
    }
}

impl Braking {
    fn stop_if_tripped(&mut self, view: &RunView, then: &mut Then) {
        // With nothing left but what is out, there is nothing to stop.
        let unsent = view.ledger.open() > self.breaker.at_risk() as usize;
        if view.is_stopping() || view.ledger.open() == 0 || !unsent {
            return;
        }
        if let Some(trip) = self.breaker.tripped() {
            then.push(Command::Stop(StopReason::Policy(Cause::Breaker, trip.to_string().into())));
        }
    }

    /// What an answer tells of the answers to come.
    fn suspect(&mut self, job: u32, reply: &Reply, view: &RunView) {
        let action = view.action(job);
        match (&reply.verdict, reply.http_status) {
            // A page with whatever status, success too.
            (Verdict::Foreign, _) | (Verdict::Lost, Some(_)) => self.breaker.suspect(action),
            // What may not be repeated ends as unknown if no read tells. Later, the service has bad moments.
            (verdict, Some(_)) if verdict.leaves_a_doubt() && action.repeat != Repeat::Harmless => {
                self.breaker.suspect_at_first(action);
            }
            _ => {}
        }
    }

    fn settled(&mut self, job: u32, counted: Outcome, sent_here: bool, view: &RunView) {
        let Some(settlement) = view.settlement(job) else { return };
        let action = view.action(job);
        match counted {
            Outcome::Held | Outcome::NotAttempted if !sent_here && counted != settlement.outcome => return,
            // An earlier round has sent it, and a read has settled it now.
            _ if !sent_here => match self.breaker.taken_up(job) {
                true => self.breaker.count(action, settlement),
                false => return,
            },
            // Checked, and not sent.
            Outcome::Held | Outcome::NotAttempted => return self.breaker.spared(action),
            _ => self.breaker.settled(action, settlement),
        }
        if settlement.outcome.standing() == Standing::Open {
            self.breaker.left_open(job, settlement.outcome);
        }
    }
}
