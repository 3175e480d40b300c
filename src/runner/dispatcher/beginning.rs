//! How a run begins: what is kept, what is held, what waits for what, what can go.
//!
//! In: the jobs' holds, and what an earlier process left behind. Out: full queues, and settlements of what is not sent.
//! Must not: send; the loop does.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::state::Dispatcher;
use crate::guard::preflight::Hold;
use crate::journal::Tries;
use crate::outcome::{Outcome, Since};
use crate::runner::dialogue::{Command, Happened};
use crate::runner::event::Event;
use crate::runner::job_state::{Item, JobState, NextRequest, WaitsFor};
use crate::runner::progress::JobDoubt;
use crate::runner::run::{Approved, Earlier};

impl Dispatcher {
    pub(super) fn begin(&mut self, holds: &[Option<Hold>], mut earlier: HashMap<u32, Earlier>) {
        let jobs = Arc::clone(&self.jobs);
        let kept = |job: u32| matches!(earlier.get(&job), Some(Earlier::Kept(_)));
        let due = (0u32..).zip(holds).filter(|(job, hold)| hold.is_none() && !kept(*job)).count();
        self.tell(Event::Started { jobs: jobs.len() as u32, due: due as u32 });
        let now = Instant::now();
        let mut kept = Vec::new();
        // All that is kept is in its place before anything asks how the step before it stands.
        for (index, _) in (0u32..).zip(jobs.iter()) {
            match earlier.remove(&index) {
                Some(Earlier::Kept(settlement)) => {
                    kept.push((index, settlement.outcome));
                    self.tell(Event::Settled { job: index, outcome: settlement.outcome });
                    self.ledger.keep(index, *settlement);
                }
                Some(Earlier::Failed(settlement, open)) => {
                    self.ledger.has_failed(index, *settlement);
                    earlier.insert(index, *open);
                }
                Some(open) => drop(earlier.insert(index, open)),
                None => {}
            }
        }
        // What is held is settled before a step that is kept lets the next one go.
        for (index, hold) in (0u32..).zip(holds) {
            let state = self.ledger.state(index);
            // A step may have been let in or settled by how the one before it stands.
            if state == JobState::InHand || (hold.is_some() && !state.is_settled()) {
                let command = self.first(index, hold.as_ref(), earlier.remove(&index), now);
                self.then.push(command);
                self.apply_all(now);
            }
        }
        for (job, outcome) in kept {
            self.happens(&Happened::Kept { job, outcome }, now);
        }
        self.happens(&Happened::Began, now);
    }

    /// What comes first for a job.
    fn first(&mut self, job: u32, hold: Option<&Hold>, earlier: Option<Earlier>, now: Instant) -> Command {
        let waits = |waits: bool| match waits {
            true => Command::Wait(Item::send(job), WaitsFor::StepBefore),
            false => Command::LetIn(Item::send(job)),
        };
        let is_step = self.jobs[job as usize].after.is_some();
        match (earlier, hold) {
            (Some(Earlier::Approved(approved)), hold) => self.first_of_approved(job, approved, hold, now),
            (Some(Earlier::Open { tries, doubtful_since, read_first }), hold) => {
                self.take_up(job, tries, doubtful_since, now);
                match hold {
                    // Held is what nothing was sent for.
                    Some(hold) if read_first || doubtful_since.is_some() => {
                        let note = format!("sent by an earlier run and still in doubt; {hold}");
                        Command::settle(job, Outcome::Unknown, Some(note))
                    }
                    _ if read_first => Command::LetIn(Item { job, next: NextRequest::ReadBack { resend: true } }),
                    Some(hold) => Command::Settle(job, hold.ending()),
                    // A step that was sent has had its turn: the one before it has settled well.
                    None => waits(is_step && tries.recorded == 0),
                }
            }
            (_, Some(hold)) => Command::Settle(job, hold.ending()),
            (_, None) => waits(is_step),
        }
    }

    fn first_of_approved(&mut self, job: u32, approved: Approved, hold: Option<&Hold>, now: Instant) -> Command {
        let Approved { tries, doubtful_since, ended, .. } = approved;
        self.take_up(job, tries, doubtful_since, now);
        self.ledger.progress_mut(job).approved = Some(approved);
        match hold {
            Some(hold) => {
                let outcome = if doubtful_since.is_some() { Outcome::Unknown } else { Outcome::AwaitingApproval };
                Command::settle(job, outcome, Some(hold.to_string()))
            }
            None => Command::LetIn(Item { job, next: NextRequest::ReadBack { resend: ended.is_none() } }),
        }
    }

    /// Remembers what an earlier process did for a job. Its clock may have been another one: what it left in doubt has a
    /// full settling time from now on.
    fn take_up(&mut self, job: u32, tries: Tries, doubt: Option<Timestamp>, now: Instant) {
        let settling_until = now + self.limits.settling;
        let progress = self.ledger.progress_mut(job);
        progress.recorded = tries.recorded;
        progress.sends = tries.left;
        progress.first_sent = tries.first;
        progress.doubt =
            doubt.map(|since| JobDoubt { since: Since::by_another_clock(since), settling_until, lost: true });
        progress.last_id = tries.last_id;
    }
}
