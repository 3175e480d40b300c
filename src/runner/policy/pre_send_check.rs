//! PreSendCheck: the target is read right before a send, judged, and only then sent to.
//!
//! In: jobs whose target is to be checked, and what the reads show. Out: a read first; a job that may be sent, is
//! held, or has nothing left to be done to. Must not: count as an attempt, or let a send follow a check that is old.
//!
//! A check takes a place of the read bucket, the send after it one of the write bucket. Only a few jobs that have been
//! checked wait for their place at a time, so that the send follows within a second or so; one that waited longer,
//! because of a pause, is checked again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::guard::lookout::PreSendCheck;
use crate::guard::now::GuardsNow;
use crate::outcome::{Cause, Outcome, Seen, Unsent};
use crate::runner::dialogue::{Admission, Announcement, Command, Door, Happened, Policy, QueuePlace, Rank, Then};
use crate::runner::job_state::{Item, JobState, NextRequest};
use crate::runner::mailbox::{Mailbox, News};
use crate::runner::run::Run;
use crate::runner::view::RunView;

/// How old a check may be when its send leaves.
const FRESH: Duration = Duration::from_secs(10);

/// So many jobs of a bucket may wait for their place after their check.
const AHEAD: usize = 4;

pub(super) fn policy(run: &mut Run, _mail: &Mailbox) -> CheckPolicy {
    let lookout = std::mem::take(&mut run.lookout).sparing(run.guards.now.protected.clone());
    CheckPolicy { lookout, guards: Arc::clone(&run.guards.now), checked: HashMap::new() }
}

#[derive(Debug)]
pub(super) struct CheckPolicy {
    lookout: PreSendCheck,
    /// By which the targets were judged.
    guards: Arc<GuardsNow>,
    /// When the targets of jobs were checked that wait for their place.
    checked: HashMap<u32, Instant>,
}

impl Policy for CheckPolicy {
    fn on(&mut self, happened: &Happened, view: &RunView, then: &mut Then) {
        match happened {
            Happened::Turn => self.forget_old_checks(FRESH, view, then),
            Happened::Checked { job, seen, .. } => self.judge(*job, seen, view, then),
            Happened::Announced(Announcement::Unread { item: Item { job, next: NextRequest::Check }, why, .. }) => {
                self.not_read(*job, why, view, then);
            }
            // What was seen of targets was judged by another list.
            Happened::News(News::Guards(Ok(guards))) if *self.guards != **guards => {
                self.guards = Arc::clone(guards);
                self.lookout.spare(guards.protected.clone());
                self.forget_old_checks(Duration::ZERO, view, then);
            }
            Happened::Taken(item) => drop(self.checked.remove(&item.job)),
            _ => {}
        }
    }

    fn admit(&mut self, item: Item, door: Door, view: &RunView) -> Admission {
        let is_checked = view.ledger.state(item.job) == JobState::Checked;
        let wants =
            door == Door::Gate && item.next == NextRequest::Send && self.lookout.wants(item.job, view.job(item.job));
        match wants && !is_checked {
            false => Admission::Go,
            true if view.queues.checked(view.job(item.job).bucket()) < AHEAD => Admission::First(NextRequest::Check),
            true => Admission::Wait,
        }
    }
}

impl CheckPolicy {
    /// What has waited too long for its place goes back to the head of the queue, to be checked again.
    fn forget_old_checks(&mut self, age: Duration, view: &RunView, then: &mut Then) {
        if self.checked.is_empty() {
            return;
        }
        let is_old = |at: &Instant| age.is_zero() || view.now.saturating_duration_since(*at) > age;
        let waiting: Vec<u32> = view.queues.all_checked().collect();
        for job in waiting.into_iter().rev() {
            if self.checked.get(&job).is_none_or(is_old) {
                self.checked.remove(&job);
                then.push(Command::send(job, view.way_to_send(job)));
            }
        }
    }

    fn judge(&mut self, job: u32, seen: &Seen, view: &RunView, then: &mut Then) {
        match seen {
            Seen::Identity(identity) => match self.lookout.judge(job, view.job(job), identity) {
                Some(why) => hold(job, why, view, then),
                None => {
                    self.checked.insert(job, view.now);
                    then.propose(Rank::GoOn, [Command::Queue(Item::send(job), QueuePlace::Checked)]);
                }
            },
            Seen::Gone => {
                let missing = Announcement::Missing { job, found_by: NextRequest::Check };
                then.propose(Rank::GoOn, [Command::Announce(missing)]);
            }
            Seen::NotRead(_) => {}
        }
    }

    /// Nothing is sent to a target that could not be checked.
    fn not_read(&mut self, job: u32, why: &str, view: &RunView, then: &mut Then) {
        if view.is_stopping() {
            return then.push(Command::send(job, NextRequest::Send));
        }
        let why = format!("could not be looked at right before sending ({why})");
        hold(job, Cause::TargetNotRead.with(why), view, then);
    }
}

/// What was sent before and is in doubt stays in doubt; what was approved goes on waiting.
fn hold(job: u32, why: Unsent, view: &RunView, then: &mut Then) {
    let command = match view.is_in_doubt(job) {
        false => Command::Settle(job, why.into()),
        true => {
            let note = format!("{}; {}", why.note(), view.look_at(job));
            Command::settle(job, Outcome::Unknown, Some(note))
        }
    };
    then.propose(Rank::Hold, [command]);
}
